/*
 * proto_tus.c - tus 1.0.0 on /files/: core, creation, creation-with-upload, creation-defer-length, expiration, termination, checksum.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/field.h"
#include "model/name.h"
#include "proto/proto_checksum.h"
#include "proto/proto_concat.h"
#include "proto/proto_draft.h"
#include "proto/proto_ext.h"
#include "proto/proto_tus.h"

#define NO_OFFSET (-1)

enum err tus_options(struct call *c)
{
	const struct config *cfg = c->house->cfg;
	http_res_set(c->res, "Tus-Version", TUS_VERSION);
	if (cfg->tus_enabled)
		http_res_set(c->res, "Tus-Extension", ext_names(c->a, cfg));
	if (cfg->tus_enabled && ext_on(cfg, EXT_CHECKSUM))
		http_res_set(c->res, "Tus-Checksum-Algorithm", checksum_names(c->a));
	http_res_addf(c->res, c->a, "Tus-Max-Size", "%lld", (long long)cfg->tus_max_size);
	if (c->req->nseg == 1)
		draft_announce(c);
	return call_empty(c, 204);
}

enum err tus_unknown(struct call *c)
{
	(void)c;
	return ERR_NOT_FOUND;
}

/* ---- shared with the chunk URLs ---- */

void tus_expires(struct call *c, int64_t expires)
{
	char *text;
	if (expires <= 0)
		return;
	text = arena_alloc(c->a, CLOCK_HTTP_LEN);
	if (!text)
		return;
	clock_http(expires, text);
	http_res_set(c->res, "Upload-Expires", text);
}

void tus_offset(struct call *c, int64_t offset)
{
	if (offset >= 0)
		http_res_addf(c->res, c->a, "Upload-Offset", "%lld", (long long)offset);
}

enum err tus_metadata(struct call *c, int64_t max, const char **text, struct meta *meta)
{
	const char *value = http_header(c->req, "Upload-Metadata"), *why = NULL;
	*text = NULL;
	memset(meta, 0, sizeof *meta);
	if (!value || !*value)
		return ERR_OK;
	if (http_header_count(c->req, "Upload-Metadata") > 1)
		return call_refuse(c, ERR_INVALID, "Upload-Metadata is given more than once");
	if (strlen(value) > (size_t)max)
		return call_refuse(c, ERR_HEADERS, "Upload-Metadata is longer than %lld bytes", (long long)max);
	if (meta_parse(c->a, value, meta, &why))
		return call_refuse(c, ERR_INVALID, "Upload-Metadata: %s", why ? why : "malformed");
	*text = value;
	return ERR_OK;
}

/* Upload-Length or Upload-Defer-Length: 1, exactly one of them (checks 56-61). */
enum err tus_creation_length(struct call *c, int64_t *length)
{
	bool given;
	const char *defer = http_header(c->req, "Upload-Defer-Length");
	enum err e = call_number(c, "Upload-Length", &given, length);
	if (e)
		return e;
	if (defer && (strcmp(defer, "1") != 0 || http_header_count(c->req, "Upload-Defer-Length") > 1))
		return call_refuse(c, ERR_INVALID, "Upload-Defer-Length must be 1");
	if (defer && !ext_on(c->house->cfg, EXT_CREATION_DEFER_LENGTH))
		return call_refuse(c, ERR_INVALID, "Upload-Defer-Length is not offered here");
	if (defer && given)
		return call_refuse(c, ERR_INVALID, "Upload-Length and Upload-Defer-Length exclude each other");
	if (!defer && !given)
		return call_refuse(c, ERR_INVALID, "Upload-Length is missing");
	if (defer)
		*length = LENGTH_UNKNOWN;
	return ERR_OK;
}

static bool identity_coding(struct call *c)
{
	const char *coding = http_header(c->req, "Content-Encoding");
	return !coding || text_eq_nocase(coding, "identity");
}

/* What is announced of data that does not come is said of nothing. */
static enum err tus_no_body(struct call *c)
{
	struct digest_wants wants;
	enum err e = call_digests(c, &wants);
	return e ? e : digest_check_bytes(&wants, "", 0);
}

/* Some clients force a type on an empty POST; with a body only the protocol's own counts (checks 65, 79). */
enum err tus_creation_body(struct call *c, int64_t length, bool *has_body, struct digest_wants *wants)
{
	int64_t n = c->req->body->length;
	bool typed = field_media_type_is(c->req->content_type, TUS_TYPE);
	*has_body = n > 0 || (n < 0 && typed);
	if (*has_body && !ext_on(c->house->cfg, EXT_CREATION_WITH_UPLOAD))
		return call_refuse(c, ERR_MEDIA_TYPE, "A creation with data is not offered here");
	if (n > 0 && (!typed || !identity_coding(c)))
		return call_refuse(c, ERR_MEDIA_TYPE, "A creation with data needs Content-Type: " TUS_TYPE);
	if (n > 0 && n > (length == LENGTH_UNKNOWN ? c->house->cfg->tus_max_size : length))
		return call_refuse(c, ERR_TOO_LARGE, "The body is longer than the upload may be");
	return *has_body && length != 0 ? call_digests(c, wants) : tus_no_body(c);
}

/* Type, offset and length of a PATCH (checks 34, 35, 52). */
enum err tus_patch_command(struct call *c, int64_t max_size, struct append_cmd *cmd)
{
	bool given;
	*cmd = (struct append_cmd){.length = LENGTH_UNKNOWN, .body = c->req->body->length, .max_size = max_size, .max_body = c->house->cfg->max_patch_size};
	if (!field_media_type_is(c->req->content_type, TUS_TYPE))
		return call_refuse(c, ERR_MEDIA_TYPE, "PATCH needs Content-Type: " TUS_TYPE);
	if (!identity_coding(c))
		return call_refuse(c, ERR_MEDIA_TYPE, "Content-Encoding must be identity");
	enum err e = call_number(c, "Upload-Offset", &given, &cmd->offset);
	if (!e && !given)
		e = call_refuse(c, ERR_INVALID, "Upload-Offset is missing");
	if (!e)
		e = call_number(c, "Upload-Length", &given, &cmd->length);
	return e ? e : call_digests(c, &cmd->wants);
}

enum err tus_patched(struct call *c, enum err e, const struct append_out *out)
{
	tus_offset(c, out->offset);
	if (e == ERR_OFFSET && out->offset >= 0)
		call_refuse(c, e, "Upload offset mismatch. Expected %lld", (long long)out->offset);
	if (e == ERR_FORBIDDEN)
		call_refuse(c, e, "A final upload has the bytes of its parts and takes no others");
	if (e == ERR_INVALID)
		call_refuse(c, e, "Upload-Length is set already or lies below the offset");
	if (e == ERR_TOO_LARGE)
		http_res_addf(c->res, c->a, "Tus-Max-Size", "%lld", (long long)c->house->cfg->tus_max_size);
	tus_expires(c, out->expires);
	if (e)
		return e == ERR_AGAIN ? ERR_LOCKED : e;
	call_later(c, out->finish_upload, out->finish_session);
	return call_empty(c, 204);
}

enum err tus_termination(struct call *c)
{
	if (ext_on(c->house->cfg, EXT_TERMINATION))
		return ERR_OK;
	http_res_set(c->res, "Allow", "OPTIONS, HEAD, PATCH");
	return call_refuse(c, ERR_METHOD, "Uploads are not terminated here");
}

void tus_describe(struct call *c, int64_t offset, int64_t length, const char *meta)
{
	tus_offset(c, offset);
	/* What waits for its parts has neither offset nor, maybe, length, and defers nothing. */
	if (length == LENGTH_UNKNOWN && offset >= 0)
		http_res_set(c->res, "Upload-Defer-Length", "1");
	else if (length != LENGTH_UNKNOWN)
		http_res_addf(c->res, c->a, "Upload-Length", "%lld", (long long)length);
	if (meta)
		http_res_set(c->res, "Upload-Metadata", meta);
	http_res_set(c->res, "Cache-Control", "no-store");
}

/* ---- /files/ and /files/{id} ---- */

/* A final one that waits lives as long as its parts do, of which each tells its own time. */
static void expires_of(struct call *c, const struct upload *u)
{
	if (u->concat != CONCAT_FINAL)
		tus_expires(c, u->expires);
}

static enum err find(struct call *c, bool guarded, struct upload *u)
{
	if (!name_upload_id(c->param[0]))
		return ERR_NOT_FOUND;
	enum err e = upload_find(c->house, c->a, c->param[0], u);
	return e ? e : call_may(c, u->owner, guarded);
}

/* The data that came with the creation. Too much of it, or other data than announced, undoes the creation (checks 81, 82); a cut body does not (check 80). */
static enum err create_with_body(struct call *c, struct upload *u, const struct digest_wants *wants)
{
	struct append_cmd cmd = {.offset = 0, .length = LENGTH_UNKNOWN, .body = c->req->body->length, .max_size = c->house->cfg->tus_max_size,
		.max_body = c->house->cfg->max_patch_size, .wants = *wants};
	struct append_out out;
	enum err e = upload_append(c->house, c->a, u->n, &cmd, c->req->body, &out);
	if (e == ERR_TOO_LARGE || e == ERR_CHECKSUM) {
		upload_remove(c->house, c->a, u->id);
		return e;
	}
	/* The upload is there whatever became of its first bytes: the client learns its address and how much is safe. */
	u->offset = out.offset >= 0 ? out.offset : 0;
	call_later(c, out.finish_upload, out.finish_session);
	return ERR_OK;
}

/* However long its parts are, the answer does not wait for them. */
static void join_soon(struct call *c, const struct upload *u)
{
	if (!final_is_quick(c->house, u) || upload_finish(c->house, u->n) || digest_is_wanted(c->house))
		call_later(c, u->n, 0);
}

enum err tus_create(struct call *c)
{
	struct create_cmd cmd = {.owner = c->owner};
	struct digest_wants wants;
	struct meta meta;
	struct upload u;
	bool has_body = false;

	if (c->draft)
		return draft_create(c, NULL);
	if (!c->house->cfg->tus_enabled)
		return ERR_NOT_FOUND;
	enum err e = concat_read(c, &cmd);
	/* The length of a final one is that of its parts, whatever its client says. */
	if (!e && cmd.concat != CONCAT_FINAL)
		e = tus_creation_length(c, &cmd.length);
	if (!e)
		e = tus_metadata(c, c->house->cfg->max_metadata, &cmd.meta, &meta);
	if (!e)
		e = cmd.concat == CONCAT_FINAL ? tus_no_body(c) : tus_creation_body(c, cmd.length, &has_body, &wants);
	if (!e)
		e = upload_create(c->house, c->a, &cmd, &u);
	if (!e && has_body && u.state == UPLOAD_OPEN)
		e = create_with_body(c, &u, &wants);
	if (e == ERR_TOO_LARGE)
		http_res_addf(c->res, c->a, "Tus-Max-Size", "%lld", (long long)c->house->cfg->tus_max_size);
	if (e)
		return e;
	http_res_set(c->res, "Location", call_url(c, "/files/%s", u.id));
	if (u.concat == CONCAT_FINAL)
		join_soon(c, &u);
	else
		tus_offset(c, u.offset);
	if (u.offset != u.length || u.concat == CONCAT_PARTIAL)
		expires_of(c, &u);
	return call_empty(c, 201);
}

enum err tus_head(struct call *c)
{
	struct upload u;
	struct append_out out = {0};
	if (c->draft)
		return draft_query(c);
	enum err e = find(c, false, &u);
	if (!e)
		e = upload_settle(c->house, c->a, &u, true, &out);
	call_later(c, out.finish_upload, out.finish_session);
	if (e)
		return e;
	if (u.state == UPLOAD_GONE)
		return ERR_GONE;
	bool joining = u.concat == CONCAT_FINAL && u.state == UPLOAD_OPEN;
	if (joining)
		e = final_length(c->house, &u, &u.length);
	if (e)
		return e;
	tus_describe(c, joining ? NO_OFFSET : u.offset, u.length, u.meta);
	concat_describe(c, &u);
	if (u.state == UPLOAD_OPEN || u.concat == CONCAT_PARTIAL)
		expires_of(c, &u);
	return call_empty(c, 200);
}

enum err tus_patch(struct call *c)
{
	struct append_cmd cmd;
	struct append_out out = {.offset = NO_OFFSET};
	struct upload u;
	if (c->draft)
		return draft_append(c);
	enum err e = find(c, false, &u);
	if (!e)
		e = tus_patch_command(c, c->house->cfg->tus_max_size, &cmd);
	if (!e)
		e = call_may_read(c, &u, false);
	if (e)
		return e;
	/* Whoever brings the bytes of a final one together need not stop for somebody who may not write. */
	e = plan_takes(&u);
	if (!e)
		e = upload_append(c->house, c->a, u.n, &cmd, c->req->body, &out);
	return tus_patched(c, e, &out);
}

enum err tus_delete(struct call *c)
{
	struct upload u;
	if (c->draft)
		return draft_delete(c);
	enum err e = tus_termination(c);
	if (!e)
		e = find(c, false, &u);
	if (!e)
		e = upload_remove(c->house, c->a, u.id);
	return e ? e : call_empty(c, 204);
}

enum err tus_get(struct call *c)
{
	struct upload u;
	struct recording r;
	int fd;
	enum err e = find(c, false, &u);
	if (e)
		return e;
	if (draft_asks(c, &u))
		return draft_query(c);
	if (u.concat == CONCAT_PARTIAL)
		return call_refuse(c, ERR_CONFLICT, "A partial upload is read through the final one that it is a part of");
	e = upload_open(c->house, c->a, &u, &fd, &r);
	if (e == ERR_CONFLICT && u.concat == CONCAT_FINAL)
		return call_refuse(c, e, "The upload is still being made of its parts");
	if (e == ERR_CONFLICT)
		return call_refuse(c, e, "The upload is not complete: %lld bytes are there", (long long)u.offset);
	return e ? e : send_recording(c, &r, fd);
}
