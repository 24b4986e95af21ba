/*
 * proto_recordings.c - finished files: list, download, remove.
 */
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "model/name.h"
#include "proto/proto_session.h"

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 1000
#define BATCH 50
#define BATCH_MEMORY (8 << 20)      /* a row's metadata may be as long as a form's fields */
#define LIST_BYTES (256 << 10)      /* a page ends early rather than growing beyond this */
#define NOTE ".meta.json"

/* ---- GET /recordings/ ---- */

const char *recording_url(struct call *c, const char *sid, const char *disk)
{
	struct buf b;
	buf_init(&b, 4096);
	text_percent_encode(&b, disk, strlen(disk), false);
	const char *url = b.failed ? NULL : call_url(c, "/recordings/%s/%s", sid, b.p);
	buf_free(&b);
	return url;
}

static struct json *recording_json(struct call *c, const struct recording *r)
{
	struct json *o = json_obj();
	struct json *meta = r->meta ? json_parse(r->meta, strlen(r->meta)) : NULL;
	json_put_str(o, "session_id", r->sid);
	json_put_str(o, "file", r->disk);
	json_put_str(o, "name", r->name);
	/* As the note beside the file calls it. */
	json_put_str(o, "file_name", r->name);
	json_put_int(o, "size", r->size);
	json_put_int(o, "take", r->take);
	put_time(o, "created", r->created);
	json_put_bool(o, "recovered", r->recovered);
	json_put_str(o, "sha256", r->sha256);
	json_put_str(o, "url", recording_url(c, r->sid, r->disk));
	json_put_str(o, "content_type", name_media_type(r->disk));
	if (meta)
		json_put(o, "metadata", meta);
	else
		json_put_null(o, "metadata");
	return o;
}

static size_t recording_weight(const struct recording *r)
{
	return 512 + 4 * strlen(r->disk) + 2 * strlen(r->name) + (r->meta ? strlen(r->meta) : 0);
}

/* A page under way. `before` is where the next batch begins; more: something is left when the page is full. */
struct page {
	struct call *c;
	struct json *list;
	int64_t left, before;
	size_t weight;
	bool full, more;
};

static enum err page_batch(struct page *p, struct arena *rows)
{
	struct recording r[BATCH + 1];
	const char *owner = p->c->admin || p->c->trusted ? NULL : p->c->owner;
	int want = p->left < BATCH ? (int)p->left : BATCH, found;
	/* One row beyond the page says whether there is a next one. */
	enum err e = store_recordings(p->c->house->db, rows, owner, p->before, r, want + 1, &found);
	if (e)
		return e;
	for (int i = 0; i < found && i < want && !p->full; i++) {
		json_add(p->list, recording_json(p->c, &r[i]));
		p->before = r[i].n;
		p->weight += recording_weight(&r[i]);
		p->left--;
		p->more = i + 1 < found;
		p->full = p->left == 0 || p->weight > LIST_BYTES;
	}
	p->full |= found <= want;
	return ERR_OK;
}

static enum err page_fill(struct page *p)
{
	struct arena *rows = arena_open(BATCH_MEMORY);
	enum err e = rows ? ERR_OK : ERR_NOMEM;
	while (!e && !p->full) {
		e = page_batch(p, rows);
		if (!e)
			arena_reset(rows);
	}
	if (rows)
		arena_close(rows);
	return e;
}

static enum err query_number(struct call *c, const char *name, int64_t *out)
{
	const char *value = http_query(c->req, name);
	if (!value || num_u63(value, out))
		return ERR_OK;
	return call_refuse(c, ERR_INVALID, "%s must be a non-negative integer", name);
}

enum err recordings_list(struct call *c)
{
	struct page p = {.c = c, .left = LIMIT_DEFAULT};
	enum err e = call_identified(c);
	if (!e)
		e = query_number(c, "limit", &p.left);
	if (!e)
		e = query_number(c, "before", &p.before);
	if (e)
		return e;
	if (p.left < 1 || p.left > LIMIT_MAX)
		return call_refuse(c, ERR_INVALID, "limit must be 1 to %d", LIMIT_MAX);
	p.list = json_arr();
	e = page_fill(&p);
	if (e) {
		json_free(p.list);
		return e;
	}
	struct json *o = json_obj();
	json_put(o, "recordings", p.list);
	if (p.more)
		json_put_int(o, "next", p.before);
	else
		json_put_null(o, "next");
	return call_json(c, 200, o);
}

/* ---- one recording ---- */

/* The row that the path names, if the caller may see it. note: the path may name its note instead. */
static enum err find(struct call *c, bool *note, struct recording *r)
{
	const char *sid = c->param[0], *file = call_name(c, c->param[1]);
	bool known = file && (name_session_id(sid, false) || name_upload_id(sid));
	size_t n = file ? strlen(file) : 0, tail = sizeof NOTE - 1;
	/* No recording is called that, so the ending is never a part of its name. */
	if (known && note && n > tail && strcmp(file + n - tail, NOTE) == 0) {
		*note = true;
		file = arena_strndup(c->a, file, n - tail);
		if (!file)
			return ERR_NOMEM;
	}
	enum err e = known ? recording_find(c->house, c->a, sid, file, r) : ERR_NOT_FOUND;
	if (e == ERR_NOT_FOUND)
		return call_refuse(c, e, "Recording not found");
	return e ? e : call_may(c, r->owner, true);
}

static enum err send_note(struct call *c, const struct recording *r)
{
	int fd;
	const char *name = arena_printf(c->a, "%s" NOTE, r->disk);
	enum err e = name ? blob_done_open(c->house->blobs, r->sid, name, &fd) : ERR_NOMEM;
	if (e)
		return e;
	off_t size = lseek(fd, 0, SEEK_END);
	if (size < 0) {
		blob_close(fd);
		return ERR_INTERNAL;
	}
	c->res->status = 200;
	c->res->file_fd = fd;
	c->res->file_len = c->res->head_len = size;
	http_res_set(c->res, "Content-Type", "application/json");
	http_res_set(c->res, "Cache-Control", "no-store");
	return ERR_OK;
}

enum err recordings_get(struct call *c)
{
	struct recording r;
	bool note = false;
	int fd;
	enum err e = find(c, &note, &r);
	if (e)
		return e;
	if (note)
		return send_note(c, &r);
	e = recording_open(c->house, c->a, &r, &fd);
	return e ? e : send_recording(c, &r, fd);
}

enum err recordings_delete(struct call *c)
{
	struct recording r;
	enum err e = find(c, NULL, &r);
	if (!e)
		e = recording_remove(c->house, c->a, &r);
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "message", "Recording deleted");
	json_put_str(o, "session_id", r.sid);
	json_put_str(o, "file", r.disk);
	return call_json(c, 200, o);
}
