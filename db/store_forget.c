/*
 * store_forget.c - how rows vanish: a session in one step, its many rows little by little.
 *
 * Everybody's writes wait for a transaction, so none may grow with the number of chunks. A session that is GONE has no chunks any more, whatever rows
 * are left (every statement that reads them asks for its state): so its end is one moment, and a half forgotten recording is never seen.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

#define DROP_AT_ONCE 1000       /* rows: a few milliseconds */
#define ROWS_LEFT (-1)          /* as the expiry of a session that is GONE */

/* Of a session's rows as many as *left allows; *left > 0 afterwards: there are no others. */
static enum err drop_rows(struct tx *t, int64_t n, int64_t *left)
{
	static const enum sql some[] = {SQL_UPLOADS_DROP_SOME, SQL_CHUNKS_DROP_SOME, SQL_BITS_DROP_SOME};
	for (size_t i = 0; i < sizeof some / sizeof *some && *left > 0; i++) {
		enum err e = sql_run(t->h, some[i], BINDS(I(n), I(*left)));
		if (e)
			return e;
		*left -= sqlite3_changes(t->h->db);
	}
	return ERR_OK;
}

enum err session_vanish(struct tx *t, int64_t n, bool cancelled, int64_t updated)
{
	int64_t left = DROP_AT_ONCE;
	enum err e = drop_rows(t, n, &left);
	return e ? e : sql_run(t->h, SQL_SESSION_GONE, BINDS(I(n), I(cancelled), I(updated), I(left > 0 ? updated : ROWS_LEFT)));
}

/* ---- what store_forget does with one session ---- */

static enum err forget_rows(struct tx *t, int64_t n, int64_t *left)
{
	enum err e = drop_rows(t, n, left);
	return e || *left <= 0 ? e : sql_run(t->h, SQL_SESSION_EMPTY, BINDS(I(n)));
}

/* One that was gone on with after it had been finished leaves its file behind. */
static enum err forget_gone(struct tx *t, int64_t n, int64_t *left)
{
	--*left;
	enum err e = sql_run(t->h, SQL_REC_UNLINK, BINDS(I(n)));
	return e ? e : sql_run(t->h, SQL_SESSION_FORGET, BINDS(I(n)));
}

/* The finished file stays and is nobody's take any more; gone at time 0, the session is not even remembered. */
static enum err forget_finished(struct tx *t, int64_t n, int64_t *left)
{
	--*left;
	enum err e = sql_run(t->h, SQL_REC_UNLINK, BINDS(I(n)));
	return e ? e : sql_run(t->h, SQL_SESSION_GONE, BINDS(I(n), I(0), I(0), I(ROWS_LEFT)));
}

/* ---- the verb ---- */

struct forget {
	int64_t now, gone_before;
	int64_t events_before;
	int64_t left;                   /* rows that may still go in this operation */
};

/* ERR_NOT_FOUND: nothing is to be forgotten. What was begun is ended before anything new. */
static enum err forget_one(struct tx *t, struct forget *f)
{
	const struct {
		enum sql find;
		int64_t until;
		enum err (*forget)(struct tx *t, int64_t n, int64_t *left);
	} step[] = {
		{SQL_FORGET_LEFT, 0, forget_rows},
		{SQL_FORGET_GONE, f->gone_before > 0 ? f->gone_before : 0, forget_gone},
		{SQL_FORGET_FINISHED, f->now, forget_finished},
	};
	for (size_t i = 0; i < sizeof step / sizeof *step; i++) {
		int64_t n;
		enum err e = sql_int(t->h, step[i].find, BINDS(I(step[i].until)), &n);
		if (!e)
			return step[i].forget(t, n, &f->left);
		if (e != ERR_NOT_FOUND)
			return e;
	}
	return ERR_NOT_FOUND;
}

/* What waits for a hook waits as long as there is one. */
static enum err forget_events(struct tx *t, struct forget *f)
{
	enum err e = sql_run(t->h, SQL_FORGET_EVENTS, BINDS(I(f->events_before), I(t->hook), I(f->left)));
	f->left -= e ? 0 : sqlite3_changes(t->h->db);
	return e;
}

static enum err forget_run(struct tx *t, void *arg)
{
	struct forget *f = arg;
	enum err e = sql_run(t->h, SQL_FORGET_UPLOADS, BINDS(I(f->gone_before), I(f->left)));
	if (!e)
		f->left -= sqlite3_changes(t->h->db);
	if (!e && f->left > 0)
		e = forget_events(t, f);
	while (!e && f->left > 0)
		e = forget_one(t, f);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_forget(struct store *s, int64_t now, int64_t gone_before, int max, bool *more)
{
	struct forget f = {.now = now, .gone_before = gone_before, .events_before = now - s->events_keep, .left = max};
	enum err e = store_do(s, forget_run, &f, false);
	*more = !e && f.left <= 0;
	return e;
}
