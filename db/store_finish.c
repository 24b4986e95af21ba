/*
 * store_finish.c - finishing a take: chosen name, one winner, rows that follow the joined bytes, the recording.
 */
#include <sqlite3.h>

#include "base/log.h"
#include "base/text.h"
#include "db/store_priv.h"
#include "model/name.h"

#define JOIN_PAGE 256
#define JOIN_PAGES 8             /* in one transaction */
#define UNFINISHED_AT_ONCE 256

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

/* ---- joined ----
 *
 * Rows follow in batches, because everybody waits for a transaction and there may be a million of them. Each row is right at every moment, for the bytes lie
 * durable in both places and the old files are removed afterwards: who dies in between leaves some chunks there and some here, as parked ones, and the next
 * join begins with what the rows say. A row that came to another file than the session's keeps its mark `parked` when the session follows in the last
 * step, so that this step too is one row.
 */

struct joined {
	int64_t n, file;
	int64_t idx, base;              /* where to go on; idx < 0 at the end */
	int64_t count;                  /* chunks so far */
};

static enum err join_page(struct tx *t, const struct joined *j, struct chunk c[JOIN_PAGE], int *n)
{
	sqlite3_stmt *st;
	*n = 0;
	enum err e = sql_row(t->h, SQL_CHUNK_FROM, BINDS(I(j->n), I(j->idx), I(JOIN_PAGE)), &st);
	for (; !e; e = sql_more(t->h, SQL_CHUNK_FROM, st))
		row_chunk(st, &c[(*n)++]);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Some chunks from idx on move to their places; s->parked follows. */
static enum err join_some(struct tx *t, struct joined *j, struct session *s)
{
	struct chunk c[JOIN_PAGE];
	bool parked = j->file != s->file;
	int n;
	enum err e = join_page(t, j, c, &n);
	for (int i = 0; i < n && !e; i++) {
		if (c[i].file != j->file || c[i].base != j->base)
			e = sql_run(t->h, SQL_CHUNK_MOVE, BINDS(I(j->n), I(c[i].idx), I(j->file), I(j->base), I(parked)));
		s->parked += parked - (c[i].file != s->file);
		j->base += c[i].length;
	}
	j->count += n;
	j->idx = n < JOIN_PAGE ? -1 : c[n - 1].idx + 1;
	return e;
}

static enum err join_load(struct tx *t, const struct joined *j, struct session *s)
{
	enum err e = get_session(t->h, NULL, j->n, s);
	return !e && s->state != SESSION_FINISHING ? ERR_OFFSET : e;
}

static enum err join_run(struct tx *t, void *arg)
{
	struct joined *j = arg, at = *j;
	struct session s;
	enum err e = join_load(t, j, &s);
	for (int i = 0; i < JOIN_PAGES && !e && at.idx >= 0; i++)
		e = join_some(t, &at, &s);
	if (!e)
		e = sql_run(t->h, SQL_SESSION_PARKED, BINDS(I(j->n), I(s.parked)));
	if (!e)
		*j = at;
	return e;
}

static enum err joined_run(struct tx *t, void *arg)
{
	const struct joined *j = arg;
	struct session s;
	enum err e = join_load(t, j, &s);
	if (e)
		return e;
	if (j->count != s.done || j->base != s.bytes) {
		log_event(LOG_ERROR, "store", "the chunks of a session are not what it says", "session", LI(j->n), "chunks", LI(j->count), "bytes", LI(j->base), NULL);
		return ERR_INTERNAL;
	}
	return sql_run(t->h, SQL_SESSION_JOINED, BINDS(I(j->n), I(j->file)));
}

enum err store_session_joined(struct store *s, int64_t n, int64_t file)
{
	struct joined j = {.n = n, .file = file};
	enum err e = ERR_OK;
	while (!e && j.idx >= 0)
		e = store_do(s, join_run, &j, false);
	return e ? e : store_do(s, joined_run, &j, true);
}

/* ---- finished ---- */

struct finished {
	int64_t n, now, expires;
	const struct recording *r;
	struct arena *a;
	const char **old_disk;
	int dropped;                    /* rows that the last step took */
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
	if (!e)
		e = event_session(t, s.goal == SESSION_RECOVERED ? EVENT_RECOVERED : EVENT_COMPLETED, &s, f->r, f->now);
	return e ? e : sql_run(t->h, SQL_SESSION_FINISHED, BINDS(I(f->n), I(f->r->size), T(f->r->disk), T(f->r->name), I(f->now), I(f->expires)));
}

/* Unfinished chunks of a take that is being finished are nobody's any more: nothing new is reserved in it. */
static enum err unfinished_run(struct tx *t, void *arg)
{
	struct finished *f = arg;
	struct session s;
	enum err e = get_session(t->h, NULL, f->n, &s);
	f->dropped = 0;
	if (e || s.state != SESSION_FINISHING)
		return e;
	e = sql_run(t->h, SQL_UPLOADS_DROP_SOME, BINDS(I(f->n), I(UNFINISHED_AT_ONCE)));
	f->dropped = sqlite3_changes(t->h->db);
	return e;
}

enum err store_session_finished(struct store *s, struct arena *a, int64_t n, const struct recording *r, int64_t now, int64_t expires, const char **old_disk)
{
	struct finished f = {.n = n, .now = now, .expires = expires, .r = r, .a = a, .old_disk = old_disk};
	int64_t few[UNFINISHED_AT_ONCE];
	/* Commonly there are few, and they go in the one transaction. */
	enum err e = store_session_uploads(s, n, few, UNFINISHED_AT_ONCE, &f.dropped);
	while (!e && f.dropped == UNFINISHED_AT_ONCE)
		e = store_do(s, unfinished_run, &f, false);
	return e ? e : store_do(s, finished_run, &f, false);
}
