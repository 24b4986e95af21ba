/*
 * store_open.c - from a folder to an open ledger, and back.
 *
 * Several processes start at once on an empty folder: the switch to WAL answers "busy" without waiting, so everything up to a ready database happens
 * under init.lock: shared while one only looks, exclusive to make or migrate.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "db/store_priv.h"

#define BUSY_MS 10000
#define SCRATCH_MAX (64 << 20)
#define BATCH_MAX 256

static enum err lock_open(const char *dir, const char *name, int *fd)
{
	char path[4096];
	if (snprintf(path, sizeof path, "%s/%s", dir, name) >= (int)sizeof path)
		return ERR_INVALID;
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
	if (*fd >= 0)
		return ERR_OK;
	int no = errno;
	log_event(LOG_ERROR, "store", "lock file not opened", "path", LS(path), "reason", LS(strerror(no)), NULL);
	return err_from_errno(no);
}

static void lock_set(int fd, short type)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET};
	while (fcntl(fd, F_OFD_SETLKW, &fl) < 0 && errno == EINTR)
		;
}

static int wal_hook(void *arg, sqlite3 *db, const char *name, int pages)
{
	(void)db, (void)name;
	((struct store *)arg)->wal_pages = pages;
	return SQLITE_OK;
}

enum err store_handle(const struct store *s, bool writer, sqlite3 **out)
{
	sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE | (writer ? SQLITE_OPEN_CREATE : 0);
	int rc = sqlite3_open_v2(s->path, &db, flags, NULL);
	enum err e = sql_err(db, rc, -1, "database not opened");
	/* Where opening for writing fails, SQLite opens for reading: after a passing failure every write of this process would fail for ever. */
	if (!e && sqlite3_db_readonly(db, "main") == 1) {
		e = ERR_INTERNAL;
		log_event(LOG_ERROR, "store", "database cannot be written", "path", LS(s->path), NULL);
	}
	if (e)
		goto fail;
	sqlite3_busy_timeout(db, BUSY_MS);
	sqlite3_wal_autocheckpoint(db, 0);
	/* A checkpoint belongs under meta.lock: the last writing handle makes one when it closes, a reading handle never. */
	if (s->once || !writer)
		sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	int persist = s->once;
	sqlite3_file_control(db, "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
	e = sql_exec(db, writer ? "PRAGMA journal_size_limit=16777216; PRAGMA temp_store=MEMORY"
	                        : "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY");
	if (!e && writer)
		e = bit_functions(db);
	if (!e) {
		*out = db;
		return ERR_OK;
	}
fail:
	sqlite3_close(db);
	return e;
}

static enum err journal_mode(sqlite3 *db, const char *text, bool *wal)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*wal = strcmp((const char *)sqlite3_column_text(st, 0), "wal") == 0;
	enum err e = sql_err(db, rc, -1, "journal mode not set");
	sqlite3_finalize(st);
	return e;
}

/* Whether nothing is to be made or migrated. */
static enum err look(struct store *s, bool *ready)
{
	int64_t version = 0, app = 0;
	enum err e = sql_pragma(s->w.db, "PRAGMA user_version", &version);
	if (!e)
		e = sql_pragma(s->w.db, "PRAGMA application_id", &app);
	if (!e)
		e = journal_mode(s->w.db, "PRAGMA journal_mode", &s->wal);
	*ready = app == STORE_APPLICATION && version == store_version && s->wal;
	return e;
}

/* The new file's name must outlive a power cut as surely as its rows, and so must the names of the folders that were made for it. One that we may not
 * read is the operator's, made long ago. */
static enum err sync_names(const char *dir)
{
	static const char *const up[] = {".", "..", "../.."};
	int no = 0, base = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; base >= 0 && !no && i < sizeof up / sizeof *up; i++) {
		int fd = openat(base, up[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		no = fd >= 0 && fsync(fd) < 0 && errno != EINVAL ? errno : 0;
		if (fd >= 0)
			close(fd);
	}
	if (base >= 0)
		close(base);
	if (no)
		log_event(LOG_ERROR, "store", "the ledger's folders not synced", "path", LS(dir), "reason", LS(strerror(no)), NULL);
	return no ? ERR_INTERNAL : ERR_OK;
}

static enum err prepare(struct store *s)
{
	bool ready;
	enum err e = look(s, &ready);
	if (e || ready)
		return e;
	/* Before there is anything in the file: who comes after us and finds a version in it relies on its name. */
	e = sync_names(s->dir);
	if (!e)
		e = store_migrate(s->w.db, s->path, store_steps, store_version);
	if (!e && !s->wal)
		e = journal_mode(s->w.db, "PRAGMA journal_mode=WAL", &s->wal);
	/* Network file systems refuse WAL. */
	if (!e && !s->wal)
		e = sql_exec(s->w.db, "PRAGMA journal_mode=TRUNCATE");
	return e;
}

static enum err open_under_lock(struct store *s)
{
	int fd;
	bool ready = false;
	enum err e = lock_open(s->dir, "init.lock", &fd);
	if (e)
		return e;
	lock_set(fd, F_RDLCK);
	e = store_handle(s, true, &s->w.db);
	if (!e)
		e = look(s, &ready);
	if (!e && !ready) {
		lock_set(fd, F_UNLCK);
		lock_set(fd, F_WRLCK);
		e = prepare(s);
	}
	close(fd);
	return e;
}

static char *join(const char *dir, const char *name)
{
	char *p = NULL;
	return asprintf(&p, "%s/%s", dir, name) < 0 ? NULL : p;
}

enum err store_open(const struct store_options *o, struct store **out)
{
	struct store *s = calloc(1, sizeof *s);
	if (!s)
		return ERR_NOMEM;
	s->lock_fd = -1;
	s->full = o->full;
	s->once = o->once;
	s->events = o->events | o->hook;
	s->hook = o->hook;
	s->events_keep = o->events_keep;
	s->readers = o->readers < 1 ? 1 : o->readers > READERS_MAX ? READERS_MAX : o->readers;
	s->batch = o->batch > 0 ? o->batch : BATCH_MAX;
	s->tail = &s->head;
	pthread_mutex_init(&s->mu, NULL);
	pthread_cond_init(&s->idle, NULL);
	pthread_mutex_init(&s->rmu, NULL);
	pthread_cond_init(&s->rfree, NULL);
	s->dir = strdup(o->dir);
	s->path = join(o->dir, "tus.db");
	s->wal_path = join(o->dir, "tus.db-wal");
	s->tmp = arena_open(SCRATCH_MAX);
	enum err e = s->dir && s->path && s->wal_path && s->tmp ? lock_open(o->dir, "meta.lock", &s->lock_fd) : ERR_NOMEM;
	if (!e)
		e = open_under_lock(s);
	if (e) {
		store_close(s);
		return e;
	}
	sqlite3_wal_hook(s->w.db, wal_hook, s);
	*out = s;
	return ERR_OK;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	readers_close(s);
	/* The last one checkpoints and removes the WAL: no writer may run meanwhile. */
	if (s->lock_fd >= 0)
		store_lock(s);
	dbh_close(&s->w);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	arena_close(s->tmp);
	pthread_cond_destroy(&s->rfree);
	pthread_mutex_destroy(&s->rmu);
	pthread_cond_destroy(&s->idle);
	pthread_mutex_destroy(&s->mu);
	free(s->wal_path);
	free(s->path);
	free(s->dir);
	free(s);
}
