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

static enum err command_of(struct chunk_form *f)
{
	struct call *c = f->c;
	struct chunk_cmd *cmd = &f->cmd;
	struct session newest;
	int64_t max = c->house->cfg->max_chunks;
	const char *sid = form_field(f->form, "session_id");
	if (!sid || !*sid)
		return form_missing(c, "session_id");
	*cmd = (struct chunk_cmd){.sid = sid, .owner = c->owner, .any_owner = c->admin || c->trusted, .length = LENGTH_UNKNOWN};
	enum err e = call_session_id(c, sid);
	if (!e)
		e = form_number(c, f->form, "chunk_index", true, &cmd->idx);
	if (!e)
		e = form_number(c, f->form, "total_chunks", false, &cmd->take.total);
	if (e)
		return e;
	if (cmd->idx >= max || cmd->take.total > max)
		return call_refuse(c, ERR_UNPROCESSABLE, "A session has at most %lld chunks", (long long)max);
	if (cmd->take.total > 0 && cmd->idx >= cmd->take.total)
		return call_refuse(c, ERR_UNPROCESSABLE, "chunk_index must be below total_chunks");
	cmd->take.kind = cmd->take.total > 0 ? SESSION_MANUAL : SESSION_LIVE;
	cmd->name = form_field(f->form, "recording_name");
	cmd->format = form_field(f->form, "format");
	e = admit(c, sid, &newest);
	f->likely = cmd->take;
	/* A total may still follow; what the newest take is tells whether to expect it. */
	if (!e && newest.n && newest.kind == SESSION_MANUAL && newest.state == SESSION_RECEIVING && cmd->take.total == 0)
		f->likely = (struct take_want){SESSION_MANUAL, newest.total};
	return e;
}

enum err fallback_chunk(struct call *c)
{
	static const char *const files[] = {"file", NULL}, *const first[] = {"session_id", "chunk_index", NULL};
	struct chunk_form f = {.c = c, .files = files, .first = first, .command = command_of};
	struct chunk_put_out out = {0};
	enum err e = chunk_form_store(&f, &out);
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "status", out.exists ? "chunk_already_exists" : "chunk_received");
	json_put_int(o, "chunk_index", f.cmd.idx);
	json_put_str(o, "session_id", f.cmd.sid);
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
	/* Our own trouble must not look like the client's fault: it deletes its data on a 400. */
	enum err e = json_read(text, strlen(text), out);
	if (e == ERR_NOMEM || (*out && json_type(*out) == JSON_OBJECT))
		return e;
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

/* Its session is not known: another back end made the recording, or it is long ago. */
static enum err complete_alone(struct call *c, const struct complete_cmd *cmd)
{
	struct complete_out out = {.already = true};
	struct recording r;
	const char *disk = name_session_id(cmd->sid, false) && cmd->name ? name_disk(c->a, cmd->name) : NULL;
	enum err e = disk ? store_recording_get(c->house->db, c->a, cmd->sid, disk, &r) : ERR_NOT_FOUND;
	if (!e)
		e = call_may(c, r.owner, false);
	out.file_name = e ? NULL : r.name;
	if (e == ERR_NOT_FOUND)
		return call_refuse(c, e, "Session %s not found", cmd->sid);
	return e ? e : complete_answer(c, cmd, &out);
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
		return complete_alone(c, &cmd);
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
		e = form_missing(c, "session_id");
	if (!e && (!file_name || !*file_name))
		e = form_missing(c, "file_name");
	if (!e)
		e = metadata_of(c, form_field(f, "metadata"), &meta);
	if (!e)
		e = complete(c, f, meta);
	json_free(meta);
	return e;
}
