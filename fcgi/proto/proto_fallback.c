/*
 * proto_fallback.c - the recorder's own way: /upload/chunk, /api/verify, /recording/complete.
 *
 * Its worker deletes a chunk for ever on 400, 413 and 422, so these answer only what can never succeed.
 */
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "model/name.h"
#include "proto/proto_session.h"

/* ---- POST /upload/chunk ---- */

struct incoming {
	struct call *c;
	struct form *form;
	struct chunk_put *put;
	struct chunk_cmd cmd, hint;
	struct session newest;
	bool in_file;
};

static enum err missing_field(struct call *c, const char *name)
{
	return call_refuse(c, ERR_UNPROCESSABLE, "%s: field required", name);
}

static enum err int_field(struct call *c, const struct form *f, const char *name, bool required, int64_t *out)
{
	const char *value = form_field(f, name);
	*out = 0;
	if (!value || !*value)
		return required ? missing_field(c, name) : ERR_OK;
	if (!num_u63(value, out))
		return call_refuse(c, ERR_UNPROCESSABLE, "%s: value is not a valid non-negative integer", name);
	return ERR_OK;
}

/* Whether the session may be written by the caller, and whether it may begin at all. *newest: its newest take, n 0 if none. */
static enum err admit(struct call *c, const char *sid, struct session *newest)
{
	int found;
	newest->n = 0;
	enum err e = store_session_takes(c->house->db, c->a, sid, newest, 1, &found);
	if (e == ERR_NOT_FOUND)
		return c->house->cfg->custom_enabled ? ERR_OK : call_refuse(c, ERR_NOT_FOUND, "The fallback takes no new sessions");
	return e ? e : call_may(c, newest->owner, false);
}

static enum err command_of(struct incoming *in)
{
	struct call *c = in->c;
	struct chunk_cmd *cmd = &in->cmd;
	int64_t max = c->house->cfg->max_chunks;
	const char *sid = form_field(in->form, "session_id");
	if (!sid || !*sid)
		return missing_field(c, "session_id");
	*cmd = (struct chunk_cmd){.sid = sid, .owner = c->owner, .length = LENGTH_UNKNOWN};
	enum err e = call_session_id(c, sid);
	if (!e)
		e = int_field(c, in->form, "chunk_index", true, &cmd->idx);
	if (!e)
		e = int_field(c, in->form, "total_chunks", false, &cmd->take.total);
	if (e)
		return e;
	if (cmd->idx >= max || cmd->take.total > max)
		return call_refuse(c, ERR_UNPROCESSABLE, "A session has at most %lld chunks", (long long)max);
	if (cmd->take.total > 0 && cmd->idx >= cmd->take.total)
		return call_refuse(c, ERR_UNPROCESSABLE, "chunk_index must be below total_chunks");
	cmd->take.kind = cmd->take.total > 0 ? SESSION_MANUAL : SESSION_LIVE;
	cmd->name = form_field(in->form, "recording_name");
	cmd->format = form_field(in->form, "format");
	return admit(c, sid, &in->newest);
}

static enum err file_begin(void *arg, const struct form_file *f)
{
	struct incoming *in = arg;
	in->in_file = strcmp(f->name, "file") == 0;
	if (!in->in_file)
		return ERR_OK;
	if (in->put)
		return call_refuse(in->c, ERR_UNPROCESSABLE, "file: given more than once");
	enum err e = chunk_put_open(in->c->house, in->c->a, in->c->req->body, &in->put);
	/* Known fields are judged before the body is read. */
	if (e || !form_field(in->form, "session_id") || !form_field(in->form, "chunk_index"))
		return e;
	e = command_of(in);
	if (e)
		return e;
	in->hint = in->cmd;
	/* A total may still follow; what the newest take is tells whether to expect it. */
	if (in->newest.n && in->newest.kind == SESSION_MANUAL && in->newest.state == SESSION_RECEIVING && in->cmd.take.total == 0)
		in->hint.take = (struct take_want){SESSION_MANUAL, in->newest.total};
	chunk_put_hint(in->put, &in->hint);
	return ERR_OK;
}

static enum err file_data(void *arg, const void *p, size_t n)
{
	struct incoming *in = arg;
	enum err e = in->in_file ? chunk_put_data(in->put, p, n) : ERR_OK;
	if (e == ERR_TOO_LARGE)
		return call_refuse(in->c, e, "A chunk is at most %lld bytes", (long long)in->c->house->cfg->max_chunk_size);
	return e;
}

static enum err file_end(void *arg)
{
	(void)arg;
	return ERR_OK;
}

static enum err store_chunk(struct incoming *in, struct chunk_put_out *out)
{
	struct form_sink sink = {.begin = file_begin, .data = file_data, .end = file_end, .arg = in};
	enum err e = form_read(in->c, &sink, &in->form);
	if (e == ERR_CUT && in->put)
		return chunk_put_reason(in->put);
	if (e)
		return e;
	e = command_of(in);
	if (!e && !in->put)
		e = missing_field(in->c, "file");
	return e ? e : chunk_put_end(in->put, &in->cmd, out);
}

enum err fallback_chunk(struct call *c)
{
	struct incoming in = {.c = c};
	struct chunk_put_out out = {0};
	enum err e = store_chunk(&in, &out);
	chunk_put_close(in.put);
	if (e)
		return e;
	call_later(c, 0, out.finish_session);
	struct json *o = json_obj();
	json_put_str(o, "status", out.exists ? "chunk_already_exists" : "chunk_received");
	json_put_int(o, "chunk_index", in.cmd.idx);
	json_put_str(o, "session_id", in.cmd.sid);
	if (!out.exists)
		json_put_int(o, "size", out.size);
	return call_json(c, 200, o);
}

/* ---- GET /api/verify/{sid}/{index} ---- */

enum err fallback_verify(struct call *c)
{
	struct chunk chunk;
	struct session newest;
	int64_t idx;
	int found;
	if (!num_u63(c->param[1], &idx))
		return call_refuse(c, ERR_UNPROCESSABLE, "chunk_index: value is not a valid non-negative integer");
	enum err e = name_session_id(c->param[0], false) ? store_session_takes(c->house->db, c->a, c->param[0], &newest, 1, &found) : ERR_NOT_FOUND;
	if (!e)
		e = call_may(c, newest.owner, false);
	if (!e)
		e = chunk_verify(c->house, c->a, c->param[0], idx, &chunk);
	if (e && e != ERR_NOT_FOUND)
		return e;
	struct json *o = json_obj();
	json_put_bool(o, "exists", !e);
	json_put_str(o, "session_id", c->param[0]);
	json_put_int(o, "chunk_index", idx);
	if (!e) {
		json_put_int(o, "size", chunk.length);
		/* A name, not a place: where the bytes lie is nobody's business. */
		json_put_str(o, "path", arena_printf(c->a, "%s/chunks/chunk_%lld.bin", c->param[0], (long long)idx));
	}
	return call_json(c, 200, o);
}

/* ---- POST /recording/complete ---- */

static enum err metadata_of(struct call *c, const char *text, struct json **out)
{
	*out = NULL;
	if (!text || !*text)
		return ERR_OK;
	*out = json_parse(text, strlen(text));
	if (*out && json_type(*out) == JSON_OBJECT)
		return ERR_OK;
	json_free(*out);
	*out = NULL;
	return call_refuse(c, ERR_INVALID, "Invalid metadata JSON");
}

static const char *text_member(const struct json *o, const char *key)
{
	const char *s = o ? json_str(json_get(o, key)) : NULL;
	return s && *s ? s : NULL;
}

/* metadata.name and .extension, each with the file name's own part where it is not given. */
static const char *result_name(struct call *c, const char *file_name, const struct json *meta)
{
	const char *name = text_member(meta, "name"), *ext = text_member(meta, "extension"), *dot = strrchr(file_name, '.');
	if (!name && !ext)
		return file_name;
	if (!ext && dot && dot[1])
		ext = dot + 1;
	if (!name)
		name = dot ? arena_strndup(c->a, file_name, (size_t)(dot - file_name)) : file_name;
	return name && ext ? name_recording(c->a, name, ext) : name;
}

static void complete_command(struct call *c, const struct form *f, const struct json *meta, struct complete_cmd *cmd)
{
	int64_t size;
	const char *total = form_field(f, "total_chunks");
	const char *ext = text_member(meta, "extension");
	cmd->sid = form_field(f, "session_id");
	cmd->name = result_name(c, form_field(f, "file_name"), meta);
	cmd->meta = meta ? form_field(f, "metadata") : NULL;
	cmd->file_size = -1;
	if (meta) {
		json_bool(json_get(meta, "manualUpload"), &cmd->manual);
		json_int(json_get(meta, "totalChunks"), &cmd->total);
		/* A wav is converted on the client; we only ever get its webm chunks. */
		if (!text_eq_nocase(ext, "wav") && json_int(json_get(meta, "fileSize"), &size))
			cmd->file_size = size;
	}
	if (cmd->total <= 0 && total)
		num_u63(total, &cmd->total);
}

static enum err complete_answer(struct call *c, const struct complete_cmd *cmd, const struct complete_out *out)
{
	struct json *o = json_obj();
	call_later(c, 0, out->finish_session);
	json_put_str(o, "status", out->already ? "already_completed" : "assembling");
	json_put_str(o, "message", out->already ? "Recording already assembled" : "Recording is being assembled on server");
	json_put_str(o, "session_id", cmd->sid);
	json_put_str(o, "file_name", out->file_name);
	return call_json(c, 200, o);
}

static enum err complete(struct call *c, const struct form *f, const struct json *meta)
{
	struct complete_cmd cmd = {0};
	struct complete_out out = {0};
	struct session newest;
	int found;
	complete_command(c, f, meta, &cmd);
	enum err e = name_session_id(cmd.sid, false) ? store_session_takes(c->house->db, c->a, cmd.sid, &newest, 1, &found) : ERR_NOT_FOUND;
	if (!e)
		e = call_may(c, newest.owner, false);
	if (!e)
		e = session_complete(c->house, c->a, &cmd, &out);
	if (e == ERR_NOT_FOUND)
		return call_refuse(c, e, "Session %s not found", cmd.sid);
	if (e == ERR_CONFLICT) {
		c->res->extra = missing_extra(c, out.missing, out.nmissing, out.missing_count);
		return call_refuse(c, e, "%lld chunks are missing", (long long)out.missing_count);
	}
	return e ? e : complete_answer(c, &cmd, &out);
}

enum err fallback_complete(struct call *c)
{
	struct form *f = NULL;
	struct json *meta = NULL;
	enum err e = form_read(c, NULL, &f);
	const char *sid = form_field(f, "session_id"), *file_name = form_field(f, "file_name");
	if (!e && (!sid || !*sid))
		e = missing_field(c, "session_id");
	if (!e && (!file_name || !*file_name))
		e = missing_field(c, "file_name");
	if (!e)
		e = metadata_of(c, form_field(f, "metadata"), &meta);
	if (!e)
		e = complete(c, f, meta);
	json_free(meta);
	return e;
}
