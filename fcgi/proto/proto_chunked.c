/*
 * proto_chunked.c - init, chunk, complete, status: uploads in numbered pieces whose count is told first, on the same sessions as recordings.
 */
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "model/name.h"
#include "proto/proto_session.h"

#define ID_PREFIX "up-"
#define ID_RANDOM 16

/* ---- POST /chunked-upload/init ---- */

struct plan {
	const char *filename, *type;
	int64_t size, chunk_size, chunks;   /* 0: not given (size: -1) */
};

static enum err plan_read(struct call *c, const struct form *f, struct plan *p)
{
	p->filename = form_field(f, "filename");
	p->type = form_field(f, "content_type");
	if (!p->filename || !*p->filename)
		return form_missing(c, "filename");
	enum err e = form_number(c, f, "total_size", false, &p->size);
	if (!e)
		e = form_number(c, f, "chunk_size", false, &p->chunk_size);
	if (!e)
		e = form_number(c, f, "total_chunks", false, &p->chunks);
	if (!form_field(f, "total_size"))
		p->size = -1;
	return e;
}

/* The number of chunks is given, or follows from the sizes. */
static enum err plan_count(struct call *c, struct plan *p)
{
	int64_t counted = 0;
	if (p->size >= 0 && p->chunk_size > 0) {
		counted = p->size / p->chunk_size + (p->size % p->chunk_size > 0);
		counted += counted == 0;
	}
	if (p->chunks == 0)
		p->chunks = counted;
	if (p->chunks == 0)
		return form_missing(c, "total_chunks");
	if (counted > 0 && counted != p->chunks)
		return call_refuse(c, ERR_UNPROCESSABLE, "total_chunks: %lld chunks follow from total_size and chunk_size", (long long)counted);
	return ERR_OK;
}

static enum err plan_limits(struct call *c, const struct plan *p)
{
	const struct config *cfg = c->house->cfg;
	if (p->chunks > cfg->max_chunks)
		return call_refuse(c, ERR_UNPROCESSABLE, "An upload has at most %lld chunks", (long long)cfg->max_chunks);
	if (p->size > cfg->tus_max_size)
		return call_refuse(c, ERR_TOO_LARGE, "An upload is at most %lld bytes", (long long)cfg->tus_max_size);
	if (p->chunk_size > cfg->max_chunk_size)
		return call_refuse(c, ERR_TOO_LARGE, "A chunk is at most %lld bytes", (long long)cfg->max_chunk_size);
	return ERR_OK;
}

/* What was said at the beginning, kept with the file: its total_size is compared at the end. */
static const char *plan_note(struct call *c, const struct plan *p)
{
	struct json *o = json_obj();
	json_put_str(o, "filename", p->filename);
	if (p->type)
		json_put_str(o, "content_type", p->type);
	if (p->size >= 0)
		json_put_int(o, "total_size", p->size);
	char *text = json_text(o, c->a);
	json_free(o);
	return text;
}

/* chunk_size is not declared to the session: pieces that come in order then lie in their places at once, however long they are. */
static enum err plan_open(struct call *c, const struct plan *p, struct session *s)
{
	unsigned char random[ID_RANDOM];
	char id[sizeof ID_PREFIX + 2 * ID_RANDOM] = ID_PREFIX;
	const char *dot = strrchr(p->filename, '.');
	bool split = dot && dot > p->filename && dot[1];
	struct chunk_cmd cmd = {.sid = id, .owner = c->owner, .any_owner = c->admin || c->trusted, .take = {SESSION_MANUAL, p->chunks}, .client_meta = plan_note(c, p)};
	digest_random(random, sizeof random);
	text_hex(random, sizeof random, id + sizeof ID_PREFIX - 1);
	/* Put together again when the file gets its name. */
	cmd.name = split ? arena_strndup(c->a, p->filename, (size_t)(dot - p->filename)) : p->filename;
	cmd.format = split ? dot + 1 : "";
	return cmd.client_meta && cmd.name ? session_open(c->house, c->a, &cmd, s) : ERR_NOMEM;
}

enum err chunked_init(struct call *c)
{
	struct form *f = NULL;
	struct plan p;
	struct session s;
	if (!c->house->cfg->custom_enabled)
		return ERR_NOT_FOUND;
	enum err e = form_read_any(c, NULL, &f);
	if (!e)
		e = plan_read(c, f, &p);
	if (!e)
		e = plan_count(c, &p);
	if (!e)
		e = plan_limits(c, &p);
	if (!e)
		e = plan_open(c, &p, &s);
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "status", "initialized");
	json_put_str(o, "upload_id", s.sid);
	json_put_str(o, "filename", p.filename);
	json_put_int(o, "total_chunks", p.chunks);
	json_put_int(o, "chunk_size", p.chunk_size > 0 ? p.chunk_size : c->house->cfg->chunk_size);
	put_time(o, "expires_at", s.expires);
	return call_json(c, 201, o);
}

/* ---- what the others have in common ---- */

/* The newest take of an upload that init has begun (or that is like one), if the caller may touch it. */
static enum err find(struct call *c, const char *id, struct session *s)
{
	int found;
	if (!name_session_id(id, false))
		return call_refuse(c, ERR_INVALID, "upload_id: not one that init has given");
	enum err e = store_session_takes(c->house->db, c->a, id, s, 1, &found);
	if (e == ERR_NOT_FOUND || (!e && s->kind != SESSION_MANUAL))
		return call_refuse(c, ERR_NOT_FOUND, "Upload not found");
	if (!e && s->state == SESSION_GONE)
		return ERR_GONE;
	return e ? e : call_may(c, s->owner, false);
}

static const char *file_name(struct call *c, const struct session *s)
{
	return s->out_title ? s->out_title : name_recording(c->a, s->name ? s->name : "recording", s->format);
}

/* ---- POST /chunked-upload/chunk ---- */

static enum err chunk_command(struct chunk_form *f)
{
	struct call *c = f->c;
	struct session s;
	const char *id = form_field(f->form, "upload_id");
	if (!id || !*id)
		return form_missing(c, "upload_id");
	f->cmd = (struct chunk_cmd){.sid = id, .owner = c->owner, .any_owner = c->admin || c->trusted, .length = LENGTH_UNKNOWN};
	enum err e = form_number(c, f->form, "chunk_index", true, &f->cmd.idx);
	if (!e)
		e = find(c, id, &s);
	if (e)
		return e;
	f->cmd.take = f->likely = (struct take_want){SESSION_MANUAL, s.total};
	if (f->cmd.idx >= s.total)
		return call_refuse(c, ERR_UNPROCESSABLE, "chunk_index must be below %lld", (long long)s.total);
	return ERR_OK;
}

enum err chunked_chunk(struct call *c)
{
	static const char *const files[] = {"file", "chunk", NULL}, *const first[] = {"upload_id", "chunk_index", NULL};
	struct chunk_form f = {.c = c, .files = files, .first = first, .command = chunk_command};
	struct chunk_put_out out = {0};
	struct session s;
	enum err e = chunk_form_store(&f, &out);
	if (!e)
		e = find(c, f.cmd.sid, &s);
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "status", out.exists ? "chunk_already_exists" : "chunk_received");
	json_put_str(o, "upload_id", s.sid);
	json_put_int(o, "chunk_index", f.cmd.idx);
	json_put_int(o, "size", out.size);
	json_put_int(o, "received_chunks", s.done);
	json_put_int(o, "total_chunks", s.total);
	return call_json(c, 200, o);
}

/* ---- POST /chunked-upload/complete ---- */

/* What init was told, -1 if nothing. */
static int64_t announced_size(const struct session *s)
{
	int64_t size = -1;
	struct json *o = s->meta ? json_parse(s->meta, strlen(s->meta)) : NULL;
	if (o)
		json_int(json_get(o, "total_size"), &size);
	json_free(o);
	return size;
}

static enum err complete_answer(struct call *c, const struct complete_out *out)
{
	struct session s;
	enum err e = store_session_by_n(c->house->db, c->a, out->s.n, &s);
	if (e)
		return e;
	call_later(c, 0, out->finish_session);
	struct json *o = json_obj();
	/* Until its bytes have been joined it is sure, but not there. */
	json_put_str(o, "status", s.state == SESSION_FINISHING ? "finishing" : "complete");
	json_put_str(o, "upload_id", s.sid);
	json_put_str(o, "filename", file_name(c, &s));
	json_put_int(o, "size", s.bytes);
	json_put_str(o, "url", s.out_name ? recording_url(c, s.sid, s.out_name) : NULL);
	return call_json(c, 200, o);
}

enum err chunked_complete(struct call *c)
{
	struct form *f = NULL;
	struct session s;
	struct complete_out out;
	enum err e = form_read_any(c, NULL, &f);
	const char *id = form_field(f, "upload_id");
	if (!e && (!id || !*id))
		e = form_missing(c, "upload_id");
	if (!e)
		e = find(c, id, &s);
	if (e)
		return e;
	struct complete_cmd cmd = {.sid = id, .manual = true, .file_size = announced_size(&s)};
	e = session_complete(c->house, c->a, &cmd, &out);
	if (e == ERR_CONFLICT) {
		c->res->extra = missing_extra(c, out.missing, out.nmissing, out.missing_count);
		return call_refuse(c, e, "%lld chunks are missing", (long long)out.missing_count);
	}
	return e ? e : complete_answer(c, &out);
}

/* ---- GET /chunked-upload/status/{upload_id} ---- */

enum err chunked_status(struct call *c)
{
	struct session s;
	struct session_view v;
	enum err e = name_session_id(c->param[0], false) ? find(c, c->param[0], &s) : ERR_NOT_FOUND;
	if (!e)
		e = session_find(c->house, c->a, c->param[0], &v);
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "upload_id", v.s.sid);
	json_put_str(o, "status", session_state_name(v.s.state));
	json_put_str(o, "filename", file_name(c, &v.s));
	json_put_int(o, "total_chunks", v.s.total);
	json_put_int(o, "received_chunks", v.s.done);
	put_missing(o, v.missing, v.nmissing, v.missing_count);
	json_put_int(o, "bytes_received", v.s.bytes);
	return call_json(c, 200, o);
}
