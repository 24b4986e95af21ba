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
#include "sql_schema.h"

/* Step i leads from version i to i + 1. */
const char *const store_steps[] = {sql_schema, sql_migrate_2};
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

/* A whole copy, so that a step that turns out wrong can be taken back. */
static enum err copy_before(sqlite3 *db, const char *path, int n)
{
	char to[4096], text[8300];
	if (snprintf(to, sizeof to, "%s.before-v%d", path, n) >= (int)sizeof to)
		return ERR_INVALID;
	unlink(to);
	sqlite3_snprintf(sizeof text, text, "VACUUM INTO %Q", to);
	return sql_exec(db, text);
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
		log_event(LOG_INFO, "store", "database ready", "version", LI(n), "was", LI(version), NULL);
	return e;
}
