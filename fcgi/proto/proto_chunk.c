/*
 * proto_chunk.c - tus on /files/{sid}/chunks/: each chunk of a recording is an upload of its own.
 */
#include <string.h>

#include "base/num.h"
#include "http/field.h"
#include "proto/proto_tus.h"

#define LOOK_TRIES 4

/* A metadata value that must be a number if it is there. */
static enum err meta_number(struct call *c, const struct meta *m, const char *key, int64_t *out)
{
	const char *value = meta_get(m, key);
	*out = 0;
	if (!value || !*value)
		return ERR_OK;
	if (!num_u63(value, out))
		return call_refuse(c, ERR_INVALID, "Upload-Metadata: %s must be a non-negative integer", key);
	return ERR_OK;
}

/* All pairs, so that nothing a client said of its recording is forgotten. */
static const char *meta_json(struct call *c, const struct meta *m)
{
	if (m->n == 0)
		return NULL;
	struct json *o = json_obj();
	for (int i = 0; i < m->n; i++)
		json_put_str(o, m->pair[i].key, m->pair[i].value);
	const char *text = json_text(o, c->a);
	json_free(o);
	return text;
}

static enum err chunk_command(struct call *c, struct chunk_cmd *cmd)
{
	struct meta meta;
	enum err e = call_session_id(c, c->param[0]);
	*cmd = (struct chunk_cmd){.sid = c->param[0], .owner = c->owner, .any_owner = c->admin || c->trusted, .take.kind = SESSION_TUS};
	if (!e)
		e = tus_metadata(c, c->house->cfg->max_chunk_metadata, &cmd->meta, &meta);
	if (!e)
		e = tus_creation_length(c, &cmd->length);
	if (!e)
		e = meta_number(c, &meta, "chunkIndex", &cmd->idx);
	if (!e)
		e = meta_number(c, &meta, "totalChunks", &cmd->take.total);
	if (!e)
		e = meta_number(c, &meta, "chunkSize", &cmd->chunk_size);
	if (e)
		return e;
	if (cmd->take.total > c->house->cfg->max_chunks || cmd->idx >= c->house->cfg->max_chunks)
		return call_refuse(c, ERR_INVALID, "A session has at most %lld chunks", (long long)c->house->cfg->max_chunks);
	if (cmd->chunk_size > c->house->cfg->max_chunk_size)
		return call_refuse(c, ERR_TOO_LARGE, "A chunk is at most %lld bytes", (long long)c->house->cfg->max_chunk_size);
	cmd->name = meta_get(&meta, "recordingName");
	cmd->format = meta_get(&meta, "format");
	cmd->client_meta = meta_json(c, &meta);
	return ERR_OK;
}

static enum err may_session(struct call *c, const char *sid, int64_t idx, struct chunk_view *v, bool guarded)
{
	enum err e = chunk_find(c->house, c->a, sid, idx, v), may = ERR_OK;
	if (v->s.n)
		may = call_may(c, v->s.owner, guarded);
	return may ? may : e;
}

enum err chunk_tus_create(struct call *c)
{
	struct chunk_cmd cmd;
	struct chunk_view v;
	struct append_out out = {0};
	struct upload u;
	struct digest_wants wants;
	int64_t finish;
	bool has_body = false;

	if (!c->house->cfg->tus_enabled)
		return ERR_NOT_FOUND;
	enum err e = chunk_command(c, &cmd);
	if (!e)
		e = tus_creation_body(c, cmd.length, &has_body, &wants);
	if (e)
		return e;
	e = may_session(c, cmd.sid, cmd.idx, &v, false);
	if (e && e != ERR_NOT_FOUND && e != ERR_GONE)
		return e;
	e = chunk_create(c->house, c->a, &cmd, &u, &finish);
	if (e)
		return e;
	if (has_body && cmd.length != 0) {
		struct append_cmd ac = {.length = LENGTH_UNKNOWN, .body = c->req->body->length, .max_size = c->house->cfg->max_chunk_size,
			.max_body = c->house->cfg->max_patch_size, .wants = wants};
		e = upload_append(c->house, c->a, u.n, &ac, c->req->body, &out);
		if (e == ERR_TOO_LARGE || e == ERR_CHECKSUM) {
			v.u = u;
			chunk_remove(c->house, c->a, &v);
			return e;
		}
		call_later(c, out.finish_upload, out.finish_session);
	}
	call_later(c, 0, finish);
	http_res_set(c->res, "Location", call_url(c, "/files/%s/chunks/%lld", cmd.sid, (long long)cmd.idx));
	tus_offset(c, out.offset > 0 ? out.offset : 0);
	tus_expires(c, u.expires);
	return call_empty(c, 201);
}

/* The chunk as it is when no writer is at it any more. */
static enum err look(struct call *c, struct chunk_view *v, bool settle)
{
	struct append_out out;
	int64_t idx;
	if (!num_u63(c->param[1], &idx) || !name_session_id(c->param[0], false))
		return ERR_NOT_FOUND;
	enum err e = may_session(c, c->param[0], idx, v, false);
	if (e || !settle || !v->open)
		return e;
	e = upload_settle(c->house, c->a, &v->u, true, &out);
	call_later(c, out.finish_upload, out.finish_session);
	/* It was completed while we waited: the complete chunk is there now. */
	return e == ERR_NOT_FOUND ? may_session(c, c->param[0], idx, v, false) : e;
}

enum err chunk_tus_head(struct call *c)
{
	struct chunk_view v;
	const char *meta;
	enum err e = look(c, &v, true);
	if (!e && !v.open)
		e = store_chunk_meta(c->house->db, c->a, v.s.n, v.c.idx, &meta);
	if (e)
		return e;
	if (v.open)
		tus_describe(c, v.u.offset, v.u.length, v.u.meta);
	else
		tus_describe(c, v.c.length, v.c.length, meta);
	if (v.s.state == SESSION_RECEIVING)
		tus_expires(c, v.s.expires);
	return call_empty(c, 200);
}

/* The chunk is complete already: a client that lost our answer sends its bytes again. */
static enum err patch_complete(struct call *c, const struct chunk_view *v, const struct append_cmd *cmd)
{
	struct append_out out = {.length = v->c.length, .complete = true};
	enum err e = chunk_compare(c->house, c->a, v, cmd, c->req->body, &out.offset);
	if (e == ERR_OFFSET)
		out.offset = v->c.length;
	return tus_patched(c, e, &out);
}

enum err chunk_tus_patch(struct call *c)
{
	struct chunk_view v;
	struct append_cmd cmd;
	struct append_out out = {.offset = -1};
	enum err e = ERR_AGAIN;
	for (int tries = 0; e == ERR_AGAIN && tries < LOOK_TRIES; tries++) {
		e = look(c, &v, false);
		if (!e)
			e = tus_patch_command(c, c->house->cfg->max_chunk_size, &cmd);
		if (e)
			return e;
		if (!v.open)
			return patch_complete(c, &v, &cmd);
		e = upload_append(c->house, c->a, v.u.n, &cmd, c->req->body, &out);
	}
	return tus_patched(c, e, &out);
}

enum err chunk_tus_delete(struct call *c)
{
	struct chunk_view v;
	enum err e = tus_termination(c);
	if (!e)
		e = look(c, &v, false);
	if (e)
		return e;
	if (!v.open)
		return call_refuse(c, ERR_CONFLICT, "The chunk is complete; DELETE %s cancels the session", call_url(c, "/files/%s", c->param[0]));
	e = chunk_remove(c->house, c->a, &v);
	return e ? e : call_empty(c, 204);
}
