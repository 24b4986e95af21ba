/*
 * store_finish.c - finishing a take: chosen name, one winner, rows that follow the joined bytes, the recording.
 */
#include "base/text.h"
#include "db/store_priv.h"
#include "model/name.h"

#define JOIN_AT_ONCE 256

/* The only way into FINISHING. It touches one row, whatever the number of chunks. */
enum err session_finishing(struct tx *t, struct session *s, const struct session_close *c)
{
	struct recording old = {0};
	const char *title = c->name ? c->name : s->out_title ? s->out_title : s->out_name;
	if (!title)
		title = name_recording(t->tmp, s->name ? s->name : "recording", s->format ? s->format : "webm");
	if (!title)
		return ERR_NOMEM;
	/* The name that an earlier finishing of this row gave is no collision: the new file replaces that one. */
	bool run = false;
	enum err e = get_recording(t->h, SQL_REC_OF_SESSION, BINDS(I(s->n)), t->tmp, &old, &run);
	if (e && e != ERR_NOT_FOUND)
		return e;
	e = name_free(t->h, t->tmp, s->sid, title, run ? 0 : old.n, s->n, &s->out_name);
	if (e)
		return e;
	s->state = SESSION_FINISHING;
	s->out_title = title;
	s->goal = c->goal;
	return sql_run(t->h, SQL_SESSION_FINISHING, BINDS(I(s->n), I(c->goal), T(s->out_name), T(title), T(c->meta), I(c->size_mismatch), I(c->now)));
}

/* Bytes of a further chunk that the client was told of must not be cut off in silence. Time, however, may. */
static enum err close_ahead(struct tx *t, const struct session *s, const struct session_close *c)
{
	int64_t ahead = 0;
	if (c->total > 0 || s->total > 0 || c->goal == SESSION_RECOVERED)
		return ERR_OK;
	enum err e = sql_int(t->h, SQL_UPLOAD_AHEAD, BINDS(I(s->n), I(s->top)), &ahead);
	return e ? e : ahead ? ERR_CONFLICT : ERR_OK;
}

static enum err close_run(struct tx *t, void *arg)
{
	const struct session_close *c = arg;
	struct session s;
	enum err e = get_session(t->h, t->tmp, c->n, &s);
	if (e)
		return e;
	switch (s.state) {
	case SESSION_RECEIVING:
		break;
	case SESSION_FINISHING:
		return ERR_AGAIN;
	case SESSION_GONE:
		return ERR_GONE;
	case SESSION_FAILED:
		return ERR_LOCKED;
	case SESSION_COMPLETE:
	case SESSION_RECOVERED:
		return ERR_OFFSET;
	}
	if (!plan_whole(&s, plan_total(&s, c->total)))
		return ERR_CONFLICT;
	e = close_ahead(t, &s, c);
	return e ? e : session_finishing(t, &s, c);
}

enum err store_session_close(struct store *s, const struct session_close *c)
{
	struct session_close copy = *c;
	return store_do(s, close_run, &copy, true);
}

/* ---- joined ---- */

struct joined {
	int64_t n, file;
};

/* Some chunks from *idx on move to base *base of the file; *idx < 0 at the end. */
static enum err join_some(struct tx *t, const struct joined *j, int64_t *idx, int64_t *base)
{
	struct chunk c[JOIN_AT_ONCE];
	sqlite3_stmt *st;
	int n = 0;
	enum err e = sql_row(t->h, SQL_CHUNK_FROM, BINDS(I(j->n), I(*idx), I(JOIN_AT_ONCE)), &st);
	for (; !e; e = sql_more(t->h, SQL_CHUNK_FROM, st))
		row_chunk(st, &c[n++]);
	if (e != ERR_NOT_FOUND)
		return e;
	e = ERR_OK;
	for (int i = 0; i < n && !e; i++) {
		e = sql_run(t->h, SQL_CHUNK_MOVE, BINDS(I(j->n), I(c[i].idx), I(j->file), I(*base)));
		*base += c[i].length;
	}
	*idx = n < JOIN_AT_ONCE ? -1 : c[n - 1].idx + 1;
	return e;
}

static enum err joined_run(struct tx *t, void *arg)
{
	const struct joined *j = arg;
	struct session s;
	int64_t idx = 0, base = 0;
	enum err e = get_session(t->h, NULL, j->n, &s);
	if (e)
		return e;
	if (s.state != SESSION_FINISHING)
		return ERR_OFFSET;
	while (!e && idx >= 0)
		e = join_some(t, j, &idx, &base);
	return e ? e : sql_run(t->h, SQL_SESSION_JOINED, BINDS(I(j->n), I(j->file)));
}

enum err store_session_joined(struct store *s, int64_t n, int64_t file)
{
	struct joined j = {.n = n, .file = file};
	return store_do(s, joined_run, &j, true);
}

/* ---- finished ---- */

struct finished {
	int64_t n, now, expires;
	const struct recording *r;
	struct arena *a;
	const char **old_disk;
};

/* The recording that an earlier finishing made gives way. */
static enum err replace_old(struct tx *t, const struct finished *f)
{
	struct recording old;
	bool run;
	enum err e = get_recording(t->h, SQL_REC_OF_SESSION, BINDS(I(f->n)), f->a, &old, &run);
	if (e || run)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (!text_eq(old.disk, f->r->disk))
		*f->old_disk = old.disk;
	return sql_run(t->h, SQL_REC_DROP, BINDS(I(old.n)));
}

static enum err finished_run(struct tx *t, void *arg)
{
	const struct finished *f = arg;
	struct session s;
	*f->old_disk = NULL;
	enum err e = get_session(t->h, t->tmp, f->n, &s);
	if (e || s.state == SESSION_COMPLETE || s.state == SESSION_RECOVERED)
		return e;
	if (s.state != SESSION_FINISHING)
		return s.state == SESSION_GONE ? ERR_GONE : ERR_OFFSET;
	e = replace_old(t, f);
	if (!e)
		e = recording_insert(t, f->r, s.sid, f->n, 0, s.take, false);
	if (!e)
		e = sql_run(t->h, SQL_SESSION_UPLOADS_DROP, BINDS(I(f->n)));
	return e ? e : sql_run(t->h, SQL_SESSION_FINISHED, BINDS(I(f->n), I(f->r->size), T(f->r->disk), T(f->r->name), I(f->now), I(f->expires)));
}

enum err store_session_finished(struct store *s, struct arena *a, int64_t n, const struct recording *r, int64_t now, int64_t expires, const char **old_disk)
{
	struct finished f = {.n = n, .now = now, .expires = expires, .r = r, .a = a, .old_disk = old_disk};
	return store_do(s, finished_run, &f, false);
}
