/*
 * ctl_show.c - tusctl list and show: what there is, and all that is known of one session or upload.
 */
#include <stdio.h>
#include <stdlib.h>

#include "ctl.h"
#include "model/name.h"

#define PAGE 100
#define TAKES_MAX 100
#define RANGES_MAX 1000
#define ROWS_MAX 1000           /* unfinished chunks that are shown of a session */

/* ---- what a row is in JSON ---- */

static struct json *session_json(const struct session *s)
{
	struct json *o = json_obj();
	int64_t total = plan_total(s, 0);
	json_put_str(o, "id", s->sid);
	json_put_int(o, "take", s->take);
	json_put_str(o, "state", ctl_session_state(s->state));
	json_put_int(o, "done", s->done);
	if (s->total > 0)
		json_put_int(o, "total", s->total);
	else
		json_put_null(o, "total");
	json_put_int(o, "missing_count", total - s->done);
	json_put_int(o, "bytes", s->bytes);
	json_put_int(o, "parked", s->parked);
	ctl_put_time(o, "updated", s->updated);
	ctl_put_time(o, "expires", s->expires);
	json_put_str(o, "owner", s->owner);
	json_put_str(o, "name", s->name);
	return o;
}

static struct json *upload_json(const struct upload *u)
{
	static const char *const concat[] = {[CONCAT_NONE] = NULL, [CONCAT_PARTIAL] = "partial", [CONCAT_FINAL] = "final"};
	struct json *o = json_obj();
	json_put_str(o, "id", u->id);
	json_put_str(o, "state", ctl_upload_state(u->state));
	json_put_int(o, "offset", u->offset);
	if (u->length == LENGTH_UNKNOWN)
		json_put_null(o, "length");
	else
		json_put_int(o, "length", u->length);
	json_put_bool(o, "writing", u->writing);
	json_put_str(o, "concat", concat[u->concat]);
	ctl_put_time(o, "updated", u->updated);
	ctl_put_time(o, "expires", u->expires);
	json_put_str(o, "owner", u->owner);
	return o;
}

static struct json *recording_json(const struct recording *r)
{
	struct json *o = json_obj();
	json_put_str(o, "id", r->sid);
	json_put_int(o, "take", r->take);
	json_put_int(o, "size", r->size);
	json_put_bool(o, "recovered", r->recovered);
	ctl_put_time(o, "created", r->created);
	json_put_str(o, "owner", r->owner);
	json_put_str(o, "file", r->disk);
	return o;
}

/* ---- list ---- */

static const struct ctl_column session_cols[] = {{"id", 36}, {"take", -4}, {"state", 9}, {"done", -7}, {"total", -7}, {"missing_count", -13},
	{"bytes", -13}, {"parked", -6}, {"expires", 20}, {"name", 0}};
static const struct ctl_column upload_cols[] = {{"id", 23}, {"state", 9}, {"offset", -13}, {"length", -13}, {"writing", -7}, {"updated", 20},
	{"expires", 20}, {"owner", 0}};
static const struct ctl_column recording_cols[] = {{"id", 36}, {"take", -4}, {"size", -13}, {"recovered", 9}, {"created", 20}, {"file", 0}};

static enum err list_sessions(struct ctl *c, struct ctl_lists *l, bool all)
{
	struct session page[PAGE];
	int64_t after = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	ctl_list_begin(l, "sessions", session_cols);
	while (!e && found == PAGE) {
		e = store_list_sessions(c->house->db, c->a, after, !all, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			ctl_list_row(l, c->a, session_json(&page[i]));
			after = page[i].n;
		}
		arena_reset(c->a);
	}
	ctl_list_end(l);
	return e;
}

static enum err list_uploads(struct ctl *c, struct ctl_lists *l, bool all)
{
	struct upload page[PAGE];
	int64_t after = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	ctl_list_begin(l, "uploads", upload_cols);
	while (!e && found == PAGE) {
		e = store_list_uploads(c->house->db, c->a, after, !all, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			/* Unfinished chunks belong to their session. */
			if (page[i].kind == UPLOAD_WHOLE)
				ctl_list_row(l, c->a, upload_json(&page[i]));
			after = page[i].n;
		}
		arena_reset(c->a);
	}
	ctl_list_end(l);
	return e;
}

static enum err list_recordings(struct ctl *c, struct ctl_lists *l)
{
	struct recording page[PAGE];
	int64_t before = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	ctl_list_begin(l, "recordings", recording_cols);
	while (!e && found == PAGE) {
		e = store_recordings(c->house->db, c->a, NULL, before, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			ctl_list_row(l, c->a, recording_json(&page[i]));
			before = page[i].n;
		}
		arena_reset(c->a);
	}
	ctl_list_end(l);
	return e;
}

int ctl_list(struct ctl *c)
{
	bool all = ctl_flag(c, "--all");
	struct ctl_lists l = {.c = c};
	if (c->argc > 0)
		return CTL_USAGE;
	enum err e = list_sessions(c, &l, all);
	if (!e)
		e = list_uploads(c, &l, all);
	if (!e)
		e = list_recordings(c, &l);
	ctl_lists_end(&l);
	return e ? ctl_fail("list", e) : CTL_OK;
}

/* ---- show: files ---- */

/* The layout is the contract of blob.h. */
static void put_part(struct ctl *c, struct json *o, int64_t file)
{
	int64_t size;
	struct json *p;
	if (file <= 0) {
		json_put_null(o, "part");
		return;
	}
	p = json_obj();
	json_put_str(p, "path", arena_printf(c->a, "%s/parts/shard_%04lld/%lld.part", c->cfg->parts_dir, (long long)(file / 1000), (long long)file));
	if (blob_size(c->house->blobs, file, &size) == ERR_OK)
		json_put_int(p, "size", size);
	else
		json_put_null(p, "size");
	json_put(o, "part", p);
}

static void put_recording(struct ctl *c, struct json *o, const struct recording *r)
{
	struct json *p = recording_json(r);
	json_put_str(p, "name", r->name);
	json_put_str(p, "sha256", r->sha256);
	json_put_str(p, "path", arena_printf(c->a, "%s/%s/completed/%s", c->cfg->done_dir, r->sid, r->disk));
	json_put(o, "recording", p);
}

/* ---- show: a session ---- */

static enum err put_missing(struct ctl *c, struct json *o, const struct session *s)
{
	struct range *range = arena_alloc(c->a, RANGES_MAX * sizeof *range);
	struct json *list = json_arr();
	int64_t count = 0;
	int found = 0;
	enum err e = range ? store_session_missing(c->house->db, s->n, plan_total(s, 0), range, RANGES_MAX, &found, &count) : ERR_NOMEM;
	for (int i = 0; i < found; i++) {
		struct json *pair = json_arr();
		json_add_int(pair, range[i].first);
		json_add_int(pair, range[i].last);
		json_add(list, pair);
	}
	json_put(o, "missing", list);
	return e;
}

static enum err put_unfinished(struct ctl *c, struct json *o, const struct session *s)
{
	int64_t *n = arena_alloc(c->a, ROWS_MAX * sizeof *n);
	struct json *list = json_arr();
	int found = 0;
	enum err e = n ? store_session_uploads(c->house->db, s->n, n, ROWS_MAX, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++) {
		struct upload u;
		/* One may end while we look. */
		if (store_upload_by_n(c->house->db, c->a, n[i], &u))
			continue;
		struct json *p = json_obj();
		json_put_int(p, "index", u.idx);
		json_put_int(p, "offset", u.offset);
		if (u.length == LENGTH_UNKNOWN)
			json_put_null(p, "length");
		else
			json_put_int(p, "length", u.length);
		json_put_bool(p, "writing", u.writing);
		json_put_bool(p, "parked", u.file != s->file);
		json_put_int(p, "base", u.base);
		put_part(c, p, u.file);
		json_add(list, p);
	}
	json_put(o, "unfinished", list);
	return e;
}

static void put_session(struct json *o, const struct session *s)
{
	static const char *const kind[] = {[SESSION_TUS] = "tus", [SESSION_LIVE] = "live", [SESSION_MANUAL] = "manual"};
	struct json *frontier = json_obj();
	json_put_int(frontier, "index", s->next_idx);
	json_put_int(frontier, "base", s->next_base);
	json_put(o, "frontier", frontier);
	json_put_int(o, "row", s->n);
	json_put_str(o, "kind", kind[s->kind]);
	json_put_int(o, "chunk_size", s->chunk_size);
	json_put_str(o, "format", s->format);
	json_put_str(o, "out_name", s->out_name);
	json_put_bool(o, "cancelled", s->cancelled);
	json_put_bool(o, "size_mismatch", s->size_mismatch);
	ctl_put_time(o, "started", s->started);
	ctl_put_time(o, "finished", s->finished);
}

static enum err take_json(struct ctl *c, const struct session *s, struct json *takes)
{
	struct json *o = session_json(s);
	struct recording r;
	put_session(o, s);
	enum err e = s->state == SESSION_GONE ? ERR_OK : put_missing(c, o, s);
	if (!e)
		e = put_unfinished(c, o, s);
	bool finished = s->state == SESSION_COMPLETE || s->state == SESSION_RECOVERED;
	put_part(c, o, finished ? 0 : s->file);
	if (!e)
		e = store_recording_of_session(c->house->db, c->a, s->n, &r);
	if (!e)
		put_recording(c, o, &r);
	json_add(takes, o);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err show_session(struct ctl *c, const char *sid)
{
	struct session *s = arena_alloc(c->a, TAKES_MAX * sizeof *s);
	int found = 0;
	enum err e = s ? store_session_takes(c->house->db, c->a, sid, s, TAKES_MAX, &found) : ERR_NOMEM;
	if (e)
		return e;
	struct json *o = json_obj(), *takes = json_arr();
	json_put_str(o, "session", sid);
	for (int i = 0; !e && i < found; i++)
		e = take_json(c, &s[i], takes);
	json_put(o, "takes", takes);
	ctl_object(c, o);
	return e;
}

/* ---- show: an upload ---- */

static enum err show_upload(struct ctl *c, const char *id)
{
	struct upload u;
	struct recording r;
	enum err e = store_upload_by_id(c->house->db, c->a, id, &u);
	if (e)
		return e;
	struct json *o = upload_json(&u);
	json_put_int(o, "row", u.n);
	ctl_put_time(o, "created", u.created);
	json_put_str(o, "metadata", u.meta);
	put_part(c, o, u.state == UPLOAD_OPEN || u.state == UPLOAD_FINISHING ? u.file : 0);
	e = store_recording_of_upload(c->house->db, c->a, u.n, &r);
	if (!e)
		put_recording(c, o, &r);
	ctl_object(c, o);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

int ctl_show(struct ctl *c)
{
	if (c->argc != 1)
		return CTL_USAGE;
	const char *id = c->argv[0];
	enum err e = ERR_NOT_FOUND;
	if (name_upload_id(id))
		e = show_upload(c, id);
	else if (name_session_id(id, false))
		e = show_session(c, id);
	return e ? ctl_fail("show", e) : CTL_OK;
}
