/*
 * proto_draft_create.c - the IETF draft's upload creation: by POST or PUT, with all of the representation, a part of it, or none.
 */
#include <string.h>

#include "base/b64.h"
#include "base/text.h"
#include "http/field.h"
#include "model/name.h"
#include "proto/proto_checksum.h"
#include "proto/proto_draft.h"
#include "proto/proto_tus.h"

/* ---- lengths ---- */

enum err draft_inconsistent(struct call *c)
{
	c->problem = "inconsistent-upload-length";
	return call_refuse(c, ERR_INVALID, "This length is not what the upload's was said to be");
}

enum err draft_length(struct call *c, bool last, int64_t offset, int64_t *length)
{
	int64_t body = c->req->body->length, given = LENGTH_UNKNOWN, ends = LENGTH_UNKNOWN;
	draft_integer(c, "Upload-Length", &given);
	if (last && body >= 0) {
		if (body > INT64_MAX - offset)
			return ERR_TOO_LARGE;
		ends = offset + body;
	}
	if (given != LENGTH_UNKNOWN && ends != LENGTH_UNKNOWN && given != ends)
		return draft_inconsistent(c);
	*length = ends != LENGTH_UNKNOWN ? ends : given;
	return ERR_OK;
}

bool draft_passes_length(const struct append_cmd *cmd, int64_t length)
{
	int64_t known = length != LENGTH_UNKNOWN ? length : cmd->length;
	if (known == LENGTH_UNKNOWN || known > cmd->max_size)
		return false;
	int64_t rest = known - cmd->offset;
	return cmd->body >= 0 ? cmd->body > rest : cmd->max_body <= 0 || rest <= cmd->max_body;
}

/* ---- metadata ---- */

#define OWN_PAIRS 3         /* that this adds */

struct meta_text {
	struct call *c;
	struct meta have;
	const char *text;           /* Upload-Metadata so far, NULL if none */
	bool failed;
};

/* A pair that is not there yet. */
static void meta_add(struct meta_text *m, const char *key, const char *value)
{
	if (!value || !*value || meta_get(&m->have, key))
		return;
	char *coded = arena_alloc(m->c->a, B64_ENCODED(strlen(value)));
	if (coded) {
		b64_encode(value, strlen(value), coded);
		m->text = arena_printf(m->c->a, "%s%s%s %s", m->text ? m->text : "", m->text ? "," : "", key, coded);
	}
	m->failed |= !coded || !m->text;
}

/* The type of the representation; those of the protocols only say that these are bytes of one. */
static const char *representation_type(const struct http_req *req)
{
	const char *type = req->content_type;
	return field_media_type_is(type, DRAFT_TYPE) || field_media_type_is(type, TUS_TYPE) ? NULL : type;
}

/* Upload-Metadata, which tus-js-client sends here, too; and what HTTP has its own fields for. */
static enum err metadata(struct call *c, const char *name, const char **text)
{
	struct meta_text m = {.c = c};
	int64_t max = c->house->cfg->max_metadata;
	enum err e = tus_metadata(c, max, &m.text, &m.have);
	if (e)
		return e;
	/* With one too many nobody would read any of them again. */
	if (m.have.n + OWN_PAIRS > META_PAIRS_MAX)
		return call_refuse(c, ERR_INVALID, "Upload-Metadata: too many pairs");
	meta_add(&m, "filename", name ? name : field_disposition_name(c->a, http_header(c->req, "Content-Disposition")));
	meta_add(&m, "filetype", representation_type(c->req));
	meta_add(&m, "contentencoding", http_header(c->req, "Content-Encoding"));
	if (m.failed)
		return ERR_NOMEM;
	*text = m.text;
	return m.text && strlen(m.text) > (size_t)max ? call_refuse(c, ERR_HEADERS, "Name and type are longer than %lld bytes", (long long)max) : ERR_OK;
}

/* ---- answers ---- */

static void locate(struct call *c, const struct upload *u)
{
	http_res_set(c->res, "Location", call_url(c, "/files/%s", u->id));
	draft_offset(c, u->offset);
}

enum err draft_final(struct call *c, const struct upload *u)
{
	struct meta meta;
	const char *why, *type = NULL;
	struct upload whole = *u;
	whole.offset = whole.length;
	if (u->meta && meta_parse(c->a, u->meta, &meta, &why) == ERR_OK)
		type = meta_get(&meta, "filetype");
	draft_complete(c, true);
	locate(c, &whole);
	return plain_created(c, &whole, upload_title(c->a, u), type ? type : "");
}

static enum err created(struct call *c, const struct upload *u)
{
	draft_describe(c, u);
	locate(c, u);
	return call_empty(c, 201);
}

/* ---- creating ---- */

enum err draft_broken(struct call *c, const struct upload *u)
{
	struct digest_wants wants;
	upload_promised(u, &wants);
	return draft_mismatched(c, "Repr-Digest", &wants);
}

/* Who wanted to send all in one request and is gone was never told where it would go on: it was an upload as any other. (URLSession makes every upload such
 * a one, and begins anew; what was cut of each would lie here until it expires.) */
static bool nobody_knows_it(const struct call *c, const struct append_cmd *cmd, enum err e)
{
	const struct source *body = c->req->body;
	return e == ERR_CUT && cmd->end == END_WITH_BODY && !body->timed_out && body->taken < body->length;
}

/* What is wrong as a whole leaves nothing. What was only interrupted stays, and whoever can still read the answer learns where. */
static enum err failed(struct call *c, struct upload *u, const struct append_cmd *cmd, const struct append_out *out, enum err e)
{
	if (nobody_knows_it(c, cmd, e)) {
		upload_spoil(c->house, c->a, u->id);
		return e;
	}
	if (e != ERR_TOO_LARGE && e != ERR_INVALID && e != ERR_CHECKSUM) {
		locate(c, u);
		return e;
	}
	/* What was promised of the whole and is not so is gone already. */
	if (e == ERR_CHECKSUM && out->offset < 0)
		return draft_broken(c, u);
	upload_spoil(c->house, c->a, u->id);
	if (e == ERR_CHECKSUM)
		return draft_mismatched(c, "Content-Digest", &cmd->wants);
	return e == ERR_INVALID || draft_passes_length(cmd, u->length) ? draft_inconsistent(c) : e;
}

static enum err fill(struct call *c, struct upload *u, struct append_cmd *cmd)
{
	struct append_out out;
	enum err e = upload_append(c->house, c->a, u->n, cmd, c->req->body, &out);
	u->offset = out.offset >= 0 ? out.offset : 0;
	if (e)
		return failed(c, u, cmd, &out, e);
	call_later(c, out.finish_upload, out.finish_session);
	u->length = out.length;
	if (out.expires > 0)
		u->expires = out.expires;
	if (!out.complete)
		return created(c, u);
	call_repr_tell(c, &out.told);
	return draft_final(c, u);
}

/* What the headers alone forbid. */
static enum err admit(struct call *c, const struct append_cmd *cmd)
{
	if (draft_passes_length(cmd, cmd->length))
		return draft_inconsistent(c);
	if (cmd->max_body > 0 && cmd->body > cmd->max_body)
		return call_refuse(c, ERR_TOO_LARGE, "A body is at most %lld bytes", (long long)cmd->max_body);
	return cmd->body > cmd->max_size ? ERR_TOO_LARGE : ERR_OK;
}

bool draft_declines(struct call *c)
{
	bool last;
	if (!draft_flag(c, &last) || !last)
		return false;
	c->draft = NULL;
	return true;
}

enum err draft_create(struct call *c, const char *name)
{
	const struct config *cfg = c->house->cfg;
	struct digest_wants repr;
	struct create_cmd create = {.owner = c->owner, .is_explicit = true, .repr = &repr, .tell = call_repr_preferred(c)};
	struct append_cmd cmd = {.body = c->req->body->length, .max_size = cfg->tus_max_size, .max_body = cfg->max_patch_size};
	struct upload u;
	bool last;
	if (!draft_flag(c, &last))
		return call_refuse(c, ERR_INVALID, "%s is missing", c->draft->complete);
	cmd.end = last ? END_WITH_BODY : END_NEVER;
	enum err e = draft_length(c, last, 0, &cmd.length);
	if (!e && cmd.body >= 0)
		e = admit(c, &cmd);
	if (!e)
		e = metadata(c, name, &create.meta);
	if (!e)
		e = draft_digests(c, &cmd.wants);
	if (!e)
		e = draft_repr_digests(c, &repr);
	create.length = cmd.length;
	if (!e)
		e = upload_create(c->house, c->a, &create, &u);
	if (e)
		return e;
	return last || cmd.body != 0 ? fill(c, &u, &cmd) : created(c, &u);
}
