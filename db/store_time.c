/*
 * store_time.c - what time brings: rows that are due, and counts of what there is.
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
