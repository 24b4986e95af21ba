/*
 * proto_draft_upload.c - the IETF draft on an upload resource: offset retrieval, append, cancellation.
 */
#include "http/field.h"
#include "model/name.h"
#include "proto/proto_checksum.h"
#include "proto/proto_draft.h"
#include "proto/proto_tus.h"

static enum err find(struct call *c, struct upload *u)
{
	if (!name_upload_id(c->param[0]))
		return ERR_NOT_FOUND;
	enum err e = upload_find(c->house, c->a, c->param[0], u);
	return e ? e : call_may(c, u->owner, false);
}

/* Uploads that are made of uploads are known to tus alone. */
static enum err find_single(struct call *c, struct upload *u)
{
	enum err e = find(c, u);
	return !e && u->concat != CONCAT_NONE ? call_refuse(c, ERR_FORBIDDEN, "This upload belongs to a concatenation of tus") : e;
}

static enum err answer(const struct call *c, enum err e)
{
	if (e == ERR_AGAIN)
		return ERR_LOCKED;
	return e == ERR_GONE && c->draft->gone_is_unknown ? ERR_NOT_FOUND : e;
}

/* The older versions take a query or cancellation that has what only a transfer has for a mistake. */
static enum err pure(struct call *c, bool cancels)
{
	const struct draft *d = c->draft;
	const char *names[] = {"Upload-Offset", d->complete, d->pure_length && !cancels ? "Upload-Length" : NULL};
	for (int i = 0; d->pure && i < 3; i++)
		if (names[i] && http_header(c->req, names[i]))
			return call_refuse(c, ERR_INVALID, "%s does not belong here", names[i]);
	return ERR_OK;
}

/* ---- HEAD, GET ---- */

bool draft_asks(struct call *c, const struct upload *u)
{
	if (!c->house->cfg->ietf_draft || (!c->draft && !u->is_explicit) || u->concat != CONCAT_NONE)
		return false;
	if (u->state == UPLOAD_OPEN)
		return true;
	if (c->draft)
		draft_describe(c, u);
	return false;
}

static enum err query(struct call *c)
{
	struct upload u;
	struct append_out out = {0};
	enum err e = pure(c, false);
	if (!e)
		e = find_single(c, &u);
	if (!e)
		e = upload_settle(c->house, c->a, &u, false, &out);
	call_later(c, out.finish_upload, out.finish_session);
	/* tus may have moved the row with less than the draft promises. */
	if (!e && !u.is_explicit)
		e = store_pin(c->house->db);
	if (!e && u.state == UPLOAD_GONE)
		e = ERR_GONE;
	if (e)
		return e;
	draft_describe(c, &u);
	return call_empty(c, 204);
}

enum err draft_query(struct call *c)
{
	if (!c->draft)
		draft_speak_newest(c);
	return answer(c, query(c));
}

/* ---- PATCH ---- */

/* An append as its headers say; *last whether it completes the upload. */
static enum err command(struct call *c, struct append_cmd *cmd, bool *last)
{
	const struct config *cfg = c->house->cfg;
	const struct draft *d = c->draft;
	*cmd = (struct append_cmd){.body = c->req->body->length, .max_size = cfg->tus_max_size, .max_body = cfg->max_patch_size};
	if (d->partial_type && !field_media_type_is(c->req->content_type, DRAFT_TYPE))
		return call_refuse(c, ERR_MEDIA_TYPE, "PATCH needs Content-Type: " DRAFT_TYPE);
	if (!draft_integer(c, "Upload-Offset", &cmd->offset))
		return call_refuse(c, ERR_INVALID, "Upload-Offset is missing or is no non-negative integer");
	if (!draft_flag(c, last)) {
		int64_t length;
		*last = d->absent_ends || (d->length_ends && cmd->body == 0 && draft_integer(c, "Upload-Length", &length) && length == cmd->offset);
	}
	cmd->end = *last ? END_WITH_BODY : END_NEVER;
	cmd->tell = *last ? call_repr_preferred(c) : NULL;
	enum err e = draft_digests(c, &cmd->wants);
	return e ? e : draft_length(c, *last, cmd->offset, &cmd->length);
}

static enum err mismatch(struct call *c, int64_t provided, int64_t expected)
{
	draft_offset(c, expected);
	c->problem = "mismatching-upload-offset";
	c->res->extra = arena_printf(c->a, "\"expected-offset\":%lld,\"provided-offset\":%lld", (long long)expected, (long long)provided);
	return call_refuse(c, ERR_OFFSET, "The upload is at %lld", (long long)expected);
}

static enum err completed(struct call *c, const struct upload *u)
{
	draft_offset(c, u->offset);
	c->problem = "completed-upload";
	return call_refuse(c, ERR_INVALID, "The upload is complete");
}

/* More than the length: no byte of it is the upload's, and from version 7 on nor is any other. What is complete stays. */
static enum err too_large(struct call *c, const struct upload *u, const struct append_cmd *cmd, int64_t offset)
{
	bool passes = draft_passes_length(cmd, u->length);
	if (!passes || !c->draft->spoils || upload_spoil(c->house, c->a, u->id) != ERR_OK)
		draft_offset(c, offset);
	return passes ? draft_inconsistent(c) : ERR_TOO_LARGE;
}

static enum err appended(struct call *c, struct upload *u, const struct append_cmd *cmd, enum err e, const struct append_out *out)
{
	/* Told in the draft, so durable as the draft has it; tus may have moved the row before. */
	if (!u->is_explicit && out->offset >= 0 && !out->complete && store_pin(c->house->db) != ERR_OK)
		return ERR_BUSY;
	if (e == ERR_TOO_LARGE)
		return too_large(c, u, cmd, out->offset);
	draft_offset(c, out->offset);
	if (e == ERR_OFFSET && out->offset >= 0)
		return mismatch(c, cmd->offset, out->offset);
	if (e == ERR_CHECKSUM)
		return out->offset < 0 ? draft_broken(c, u) : draft_mismatched(c, "Content-Digest", &cmd->wants);
	if (e == ERR_INVALID)
		return draft_inconsistent(c);
	if (e)
		return e;
	call_later(c, out->finish_upload, out->finish_session);
	u->length = out->length;
	if (out->complete) {
		call_repr_tell(c, &out->told);
		return draft_final(c, u);
	}
	draft_complete(c, false);
	return call_empty(c, c->draft->appended);
}

/* The older versions want the offset in every answer, and it does no harm in others. */
static enum err refused(struct call *c, const struct upload *u, enum err e)
{
	if (u->is_explicit || u->state != UPLOAD_OPEN || store_pin(c->house->db) == ERR_OK)
		draft_offset(c, u->offset);
	return e;
}

static enum err append(struct call *c)
{
	struct append_cmd cmd;
	struct append_out out;
	struct upload u;
	bool last;
	enum err e = find_single(c, &u);
	if (e)
		return e;
	e = command(c, &cmd, &last);
	if (!e && last)
		e = call_may_read(c, &u, cmd.tell != NULL);
	if (e)
		return refused(c, &u, e);
	if (u.state != UPLOAD_OPEN && !c->draft->replays)
		return cmd.offset != u.offset ? mismatch(c, cmd.offset, u.offset) : completed(c, &u);
	e = upload_append(c->house, c->a, u.n, &cmd, c->req->body, &out);
	return appended(c, &u, &cmd, e, &out);
}

enum err draft_append(struct call *c)
{
	return answer(c, append(c));
}

/* ---- DELETE ---- */

enum err draft_delete(struct call *c)
{
	struct upload u;
	enum err e = pure(c, true);
	/* Where the operator lets nobody delete, another header does not help. */
	if (!e)
		e = tus_termination(c);
	if (!e)
		e = find(c, &u);
	if (!e)
		e = upload_remove(c->house, c->a, u.id);
	return e ? answer(c, e) : call_empty(c, 204);
}
