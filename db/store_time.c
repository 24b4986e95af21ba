/*
 * store_time.c - what time brings: rows that are due, and counts of what there is.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* ---- due, in turns ---- */

static enum err turn_read(struct dbh *h, enum sql q, int64_t until, struct store_mark *m, int64_t *n, int max, int *found)
{
	sqlite3_stmt *st;
	*found = 0;
	enum err e = sql_row(h, q, BINDS(I(until), I(m->at), I(m->n), I(max)), &st);
	for (; !e; e = sql_more(h, q, st)) {
		n[(*found)++] = m->n = sqlite3_column_int64(st, 0);
		m->at = sqlite3_column_int64(st, 1);
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err turn(struct store *s, enum sql q, int64_t until, struct store_mark *m, int64_t *n, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = turn_read(h, q, until, m, n, max, found);
	reader_give(s, h);
	if (*found < max)
		*m = (struct store_mark){0};
	return e;
}

enum err store_due_uploads(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_DUE_UPLOADS, now, m, n, max, found);
}

enum err store_due_sessions(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_DUE_SESSIONS, now, m, n, max, found);
}

enum err store_full_uploads(struct store *s, int64_t before, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_FULL_UPLOADS, before, m, n, max, found);
}

enum err store_finishing_uploads(struct store *s, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_FINISHING_UPLOADS, 0, m, n, max, found);
}

enum err store_finishing_sessions(struct store *s, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_FINISHING_SESSIONS, 0, m, n, max, found);
}

enum err store_due_partials(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_DUE_PARTIALS, now, m, n, max, found);
}

enum err store_joining(struct store *s, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_JOINING, 0, m, n, max, found);
}

enum err store_plain_recordings(struct store *s, struct store_mark *m, int64_t *n, int max, int *found)
{
	return turn(s, SQL_REC_PLAIN, 0, m, n, max, found);
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
