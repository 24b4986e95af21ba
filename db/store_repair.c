/*
 * store_repair.c - what tusctl check --repair writes: derived columns made anew from the rows that they were derived from, and offsets of
 * bytes that are not there.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* Bits of the chunk rows, read by a statement that stays open while other tables are written. */
static enum err mark_all(struct tx *t, int64_t session)
{
	sqlite3_stmt *st;
	bool fresh;
	enum err e = sql_row(t->h, SQL_MARK_CHUNKS, BINDS(I(session)), &st);
	for (; !e; e = sql_more(t->h, SQL_MARK_CHUNKS, st)) {
		e = bit_set(t, session, sqlite3_column_int64(st, 0), &fresh);
		if (e) {
			sql_end(st);
			return e;
		}
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err recount_run(struct tx *t, void *arg)
{
	const int64_t n = *(const int64_t *)arg;
	struct session s;
	enum err e = get_session(t->h, NULL, n, &s);
	/* In any other state fewer rows than there were would make a shorter recording of it, in silence. */
	if (!e && s.state != SESSION_RECEIVING)
		e = ERR_CONFLICT;
	if (!e)
		e = sql_run(t->h, SQL_BITS_DROP, BINDS(I(n)));
	if (!e)
		e = mark_all(t, n);
	return e ? e : sql_run(t->h, SQL_RECOUNT, BINDS(I(n)));
}

enum err store_session_recount(struct store *s, int64_t n)
{
	return store_do(s, recount_run, &n, true);
}

struct shorten {
	int64_t n, old, offset;
};

static enum err shorten_run(struct tx *t, void *arg)
{
	const struct shorten *m = arg;
	enum err e = sql_hit(t->h, SQL_UPLOAD_SHORTEN, BINDS(I(m->n), I(m->old), I(m->offset)));
	return e == ERR_NOT_FOUND ? ERR_OFFSET : e;
}

enum err store_upload_shorten(struct store *s, int64_t n, int64_t old, int64_t offset)
{
	struct shorten m = {n, old, offset};
	return store_do(s, shorten_run, &m, true);
}
