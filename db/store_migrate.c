/*
 * store_migrate.c - bringing a database to the version that this program speaks. Steps only add, for older workers may still live.
 */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "db/store_priv.h"
#include "sql_migrate_2.h"
#include "sql_migrate_3.h"
#include "sql_schema.h"

#define COPIES_KEPT 2

/* Step i leads from version i to i + 1. */
const char *const store_steps[] = {sql_schema, sql_migrate_2, sql_migrate_3};
const int store_version = sizeof store_steps / sizeof *store_steps;

/* Not ours: somebody pointed us at another program's database. */
static enum err check_foreign(sqlite3 *db, int64_t version)
{
	int64_t app = 0, tables = 0;
	enum err e = sql_pragma(db, "PRAGMA application_id", &app);
	if (!e && app != STORE_APPLICATION)
		e = sql_pragma(db, "SELECT COUNT(*) FROM sqlite_schema", &tables);
	if (e)
		return e;
	if (app == STORE_APPLICATION || (app == 0 && version == 0 && tables == 0))
		return ERR_OK;
	log_event(LOG_ERROR, "store", "the database file belongs to another program", "application_id", LI(app), NULL);
	return ERR_CONFLICT;
}

static enum err copy_name(const char *path, int n, char out[4096])
{
	return snprintf(out, 4096, "%s.before-v%d", path, n) < 4096 ? ERR_OK : ERR_INVALID;
}

/* A whole copy, so that a step that turns out wrong can be taken back. */
static enum err copy_before(sqlite3 *db, const char *path, int n)
{
	char to[4096];
	enum err e = copy_name(path, n, to);
	return e ? e : db_copy(db, to);
}

/* The last copies are kept. */
static void drop_old_copies(const char *path, int n)
{
	char old[4096];
	for (int v = 1; v <= n - COPIES_KEPT; v++)
		if (!copy_name(path, v, old))
			unlink(old);
}

static enum err steps_run(sqlite3 *db, const char *const *step, int from, int n)
{
	enum err e = ERR_OK;
	for (int v = from; v < n && !e; v++) {
		char text[64];
		snprintf(text, sizeof text, "PRAGMA user_version=%d", v + 1);
		e = sql_exec(db, step[v]);
		if (!e)
			e = sql_exec(db, text);
	}
	return e;
}

/* The caller holds init.lock, so that between look and step nobody else migrates. */
enum err store_migrate(sqlite3 *db, const char *path, const char *const *step, int n)
{
	int64_t version = 0;
	enum err e = sql_pragma(db, "PRAGMA user_version", &version);
	if (!e)
		e = check_foreign(db, version);
	if (e || version == n)
		return e;
	if (version > n) {
		log_event(LOG_ERROR, "store", "the database is newer than this program", "version", LI(version), "known", LI(n), NULL);
		return ERR_CONFLICT;
	}
	if (version > 0)
		e = copy_before(db, path, n);
	if (!e)
		e = sql_exec(db, "PRAGMA synchronous=FULL; BEGIN IMMEDIATE");
	if (e)
		return e;
	e = steps_run(db, step, (int)version, n);
	if (!e)
		e = sql_exec(db, "COMMIT");
	if (e && !sqlite3_get_autocommit(db))
		sql_exec(db, "ROLLBACK");
	if (!e)
		drop_old_copies(path, n);
	if (!e)
		log_event(LOG_INFO, "store", "database ready", "version", LI(n), "was", LI(version), NULL);
	return e;
}
