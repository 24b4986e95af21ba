/*
 * store_time.c - what time brings: rows that are due, rows that are forgotten, and counts of what there is.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* ---- due ---- */

static enum err due(struct store *s, enum sql q, int64_t now, int64_t *n, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_numbers(h, q, BINDS(I(now), I(max)), n, max, found);
	reader_give(s, h);
	return e;
}

enum err store_due_uploads(struct store *s, int64_t now, int64_t *n, int max, int *found)
{
	return due(s, SQL_DUE_UPLOADS, now, n, max, found);
}

enum err store_due_sessions(struct store *s, int64_t now, int64_t *n, int max, int *found)
{
	return due(s, SQL_DUE_SESSIONS, now, n, max, found);
}

enum err store_finishing(struct store *s, int64_t *uploads, int *nuploads, int64_t *sessions, int *nsessions, int max)
{
	struct dbh *h;
	*nuploads = *nsessions = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_numbers(h, SQL_FINISHING_UPLOADS, BINDS(I(max)), uploads, max, nuploads);
	if (!e)
		e = get_numbers(h, SQL_FINISHING_SESSIONS, BINDS(I(max)), sessions, max, nsessions);
	reader_give(s, h);
	return e;
}

/* ---- forgetting, a bounded number of rows at a time ---- */

struct forget {
	int64_t now, gone_before;
	int64_t left;                   /* rows that may still go in this operation */
};

/* Up to left chunk rows of a session; *more: there are others. */
static enum err forget_chunks(struct tx *t, int64_t n, int64_t *left, bool *more)
{
	int64_t last;
	enum err e = sql_int(t->h, SQL_CHUNK_NTH, BINDS(I(n), I(*left - 1)), &last);
	*more = !e;
	if (e == ERR_NOT_FOUND)
		e = sql_run(t->h, SQL_SESSION_CHUNKS_DROP, BINDS(I(n)));
	else if (!e)
		e = sql_run(t->h, SQL_CHUNK_DROP_TO, BINDS(I(n), I(last)));
	if (!e)
		*left -= sqlite3_changes(t->h->db);
	return e;
}

static enum err forget_session(struct tx *t, int64_t n, int64_t *left)
{
	bool more;
	enum err e = forget_chunks(t, n, left, &more);
	if (e || more)
		return e;
	e = session_empty(t, n);
	if (!e)
		e = sql_run(t->h, SQL_REC_UNLINK, BINDS(I(n)));
	--*left;
	return e ? e : sql_run(t->h, SQL_SESSION_FORGET, BINDS(I(n)));
}

static enum err forget_sessions(struct tx *t, enum sql q, int64_t until, int64_t *left)
{
	while (*left > 0) {
		int64_t n;
		enum err e = sql_int(t->h, q, BINDS(I(until)), &n);
		if (e)
			return e == ERR_NOT_FOUND ? ERR_OK : e;
		e = forget_session(t, n, left);
		if (e)
			return e;
	}
	return ERR_OK;
}

static enum err forget_run(struct tx *t, void *arg)
{
	struct forget *f = arg;
	enum err e = sql_run(t->h, SQL_FORGET_UPLOADS, BINDS(I(f->gone_before), I(f->left)));
	if (e)
		return e;
	f->left -= sqlite3_changes(t->h->db);
	e = forget_sessions(t, SQL_FORGET_GONE, f->gone_before, &f->left);
	return e ? e : forget_sessions(t, SQL_FORGET_FINISHED, f->now, &f->left);
}

enum err store_forget(struct store *s, int64_t now, int64_t gone_before, int max, bool *more)
{
	struct forget f = {.now = now, .gone_before = gone_before, .left = max};
	enum err e = store_do(s, forget_run, &f, false);
	*more = !e && f.left <= 0;
	return e;
}

/* ---- counts ---- */

enum err store_stats(struct store *s, struct store_stats *out)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*out = (struct store_stats){0};
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_STATS, NO_BINDS, &st);
	if (!e) {
		int64_t *to[] = {&out->active_sessions, &out->active_uploads, &out->recordings, &out->stored_bytes, &out->db_pages};
		for (int i = 0; i < 5; i++)
			*to[i] = sqlite3_column_int64(st, i);
		sql_end(st);
	}
	reader_give(s, h);
	out->wal_bytes = wal_bytes(s);
	return e;
}
