/*
 * store_copy.c - a whole copy of the ledger as of one moment, while others write: for backups, and before a migration.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/store_priv.h"

static enum err sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int rc = fd < 0 ? -1 : fsync(fd), no = errno;
	if (fd >= 0)
		close(fd);
	if (rc == 0)
		return ERR_OK;
	log_event(LOG_ERROR, "store", "a copy of the database is not synced", "path", LS(path), "reason", LS(strerror(no)), NULL);
	return err_from_errno(no);
}

static enum err sync_folder(const char *path)
{
	char dir[4096];
	snprintf(dir, sizeof dir, "%s", path);
	char *slash = strrchr(dir, '/');
	if (!slash)
		return sync_path(".", O_DIRECTORY);
	slash[slash == dir] = '\0';
	return sync_path(dir, O_DIRECTORY);
}

/* VACUUM INTO syncs nothing, and a half one would look like a whole one: the name comes last. */
enum err db_copy(sqlite3 *db, const char *to)
{
	char temp[4096], text[8300];
	if (snprintf(temp, sizeof temp, "%s.new", to) >= (int)sizeof temp)
		return ERR_INVALID;
	unlink(temp);
	sqlite3_snprintf(sizeof text, text, "VACUUM INTO %Q", temp);
	enum err e = sql_exec(db, text);
	if (!e)
		e = sync_path(temp, 0);
	if (!e && rename(temp, to) < 0)
		e = err_from_errno(errno);
	if (e)
		unlink(temp);
	return e ? e : sync_folder(to);
}

enum err store_snapshot(struct store *s, const char *path)
{
	sqlite3 *db;
	enum err e = store_handle(s, false, &db);
	if (e)
		return e;
	/* The copy counts as writing. */
	e = sql_exec(db, "PRAGMA query_only=OFF");
	if (!e)
		e = db_copy(db, path);
	sqlite3_close(db);
	return e;
}
