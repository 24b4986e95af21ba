/*
 * store_trash.c - finished files that no recording names any more. Triggers (migrate_2.sql) fill the table, so that no change can forget it.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

enum err store_trash(struct store *s, struct arena *a, struct trash *out, int max, int *found)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_TRASH, BINDS(I(max)), &st);
	for (; !e; e = sql_more(h, SQL_TRASH, st)) {
		struct trash *t = &out[*found];
		t->sid = arena_strdup(a, (const char *)sqlite3_column_text(st, 0));
		t->disk = arena_strdup(a, (const char *)sqlite3_column_text(st, 1));
		if (!t->sid || !t->disk) {
			sql_end(st);
			e = ERR_NOMEM;
			break;
		}
		++*found;
	}
	reader_give(s, h);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_trash_has(struct store *s, const char *sid, const char *disk, bool *yes)
{
	struct dbh *h;
	int64_t there = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_int(h, SQL_TRASH_HAS, BINDS(T(sid), T(disk)), &there);
	reader_give(s, h);
	*yes = there != 0;
	return e;
}

static enum err claim_run(struct tx *t, void *arg)
{
	const struct trash *x = arg;
	bool taken;
	enum err e = name_taken(t->h, x->sid, x->disk, 0, 0, &taken);
	if (!e && taken)
		e = ERR_CONFLICT;
	return e ? e : sql_run(t->h, SQL_TRASH_ADD, BINDS(T(x->sid), T(x->disk)));
}

enum err store_name_claim(struct store *s, const char *sid, const char *disk)
{
	struct trash x = {sid, disk};
	return store_do(s, claim_run, &x, true);
}

static enum err done_run(struct tx *t, void *arg)
{
	const struct trash *x = arg;
	return sql_run(t->h, SQL_TRASH_DONE, BINDS(T(x->sid), T(x->disk)));
}

enum err store_trash_done(struct store *s, const char *sid, const char *disk)
{
	struct trash x = {sid, disk};
	return store_do(s, done_run, &x, false);
}
