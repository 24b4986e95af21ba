/*
 * store_commit.c - leader commit: many callers, one writing handle, one transaction for all who wait.
 *
 * Whoever finds nobody leading takes the queue as it stands into one transaction and wakes the others; while it commits the next queue gathers.
 * Between processes writers wait in the kernel for meta.lock and never poll: SQLite's own waiting sleeps up to 100 ms and starves some.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/log.h"
#include "db/store_priv.h"

#define BUSY_MS 10000
#define BUSY_CHECKPOINT_MS 50
#define WAL_PAGES_TRY 1000
#define WAL_PAGES_TRUNCATE 4096         /* 16 MiB */
#define WAL_ONCE_TRUNCATE (1 << 20)

static void ofd_lock(int fd, short type)
{
	struct flock fl = {.l_type = type, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
	while (fcntl(fd, F_OFD_SETLKW, &fl) < 0 && errno == EINTR)
		;
	/* A file system without locks leaves the writers to SQLite's own waiting: slower, not wrong. */
}

void store_lock(struct store *s)
{
	ofd_lock(s->lock_fd, F_WRLCK);
}

void store_unlock(struct store *s)
{
	ofd_lock(s->lock_fd, F_UNLCK);
}

/* ---- checkpoints, under the lock so that no writer runs on meanwhile ---- */

static void checkpoint(struct store *s, int mode)
{
	sqlite3_busy_timeout(s->w.db, BUSY_CHECKPOINT_MS);
	int rc = sqlite3_wal_checkpoint_v2(s->w.db, NULL, mode, NULL, NULL);
	if (rc != SQLITE_OK && (rc & 0xff) != SQLITE_BUSY && (rc & 0xff) != SQLITE_LOCKED)
		sql_err(s->w.db, rc, -1, "checkpoint failed");
	sqlite3_busy_timeout(s->w.db, BUSY_MS);
}

int64_t wal_bytes(const struct store *s)
{
	struct stat st;
	return stat(s->wal_path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* A process that goes on needs no size on disk, only that the WAL begins anew now and then. One that ends is always the first opener, whose
 * recovery forgets what was checkpointed: there only truncation keeps the WAL short. */
static void checkpoint_due(struct store *s)
{
	bool trim = s->wal_trim;
	s->wal_trim = false;
	if (s->once || trim) {
		if (wal_bytes(s) > WAL_ONCE_TRUNCATE)
			checkpoint(s, SQLITE_CHECKPOINT_TRUNCATE);
		return;
	}
	if (s->wal_pages < s->wal_tried)
		s->wal_tried = 0;
	if (s->wal_pages <= WAL_PAGES_TRY || s->wal_pages - s->wal_tried < WAL_PAGES_TRY)
		return;
	s->wal_tried = s->wal_pages;
	checkpoint(s, s->wal_pages > WAL_PAGES_TRUNCATE ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
}

/* ---- one transaction ---- */

static void tx_rollback(struct store *s)
{
	if (!sqlite3_get_autocommit(s->w.db))
		sql_run(&s->w, SQL_ROLLBACK, NO_BINDS);
}

static enum err tx_begin(struct store *s, bool full)
{
	int want = full || !s->wal ? 2 : 1;
	/* What an earlier transaction could not even roll back must not become part of this one. */
	tx_rollback(s);
	if (s->sync != want) {
		enum err e = sql_exec(s->w.db, want == 2 ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
		if (e)
			return e;
		s->sync = want;
	}
	return sql_run(&s->w, SQL_BEGIN, NO_BINDS);
}

/* Runs one operation; an error undoes it alone. alone: the whole transaction is its savepoint. *torn: it could be neither kept nor undone for itself,
 * so nothing of the transaction may be committed. */
static enum err op_run(struct tx *t, struct op *o, bool alone, bool *torn)
{
	arena_reset(t->tmp);
	enum err e = alone ? ERR_OK : sql_run(t->h, SQL_SAVE, NO_BINDS);
	if (e)
		return e;
	e = o->run(t, o->arg);
	/* A full disk may have made SQLite roll everything back already. */
	if (alone || sqlite3_get_autocommit(t->h->db))
		return e;
	enum err u = e ? sql_run(t->h, SQL_SAVE_UNDO, NO_BINDS) : ERR_OK;
	if (!u)
		u = sql_run(t->h, SQL_SAVE_KEEP, NO_BINDS);
	*torn = u != ERR_OK;
	return e ? e : u;
}

/* The error that fails the whole batch, ERR_OK if what succeeded is committed. */
static enum err batch_run(struct store *s, struct op *first, bool full)
{
	struct tx t = {.h = &s->w, .tmp = s->tmp, .full = full, .events = s->events, .hook = s->hook};
	bool any = false, torn = false;
	for (struct op *o = first; o; o = o->next) {
		o->result = op_run(&t, o, o == first && !o->next, &torn);
		if (torn || sqlite3_get_autocommit(s->w.db))
			return o->result ? o->result : ERR_INTERNAL;
		any = any || !o->result;
	}
	return any ? sql_run(&s->w, SQL_COMMIT, NO_BINDS) : ERR_OK;
}

static void batch_commit(struct store *s, struct op *first)
{
	bool full = s->full;
	for (struct op *o = first; o; o = o->next)
		full = full || o->full;
	store_lock(s);
	enum err e = tx_begin(s, full);
	if (!e)
		e = batch_run(s, first, full);
	tx_rollback(s);
	for (struct op *o = first; e && o; o = o->next)
		o->result = o->result ? o->result : e;
	if (s->wal)
		checkpoint_due(s);
	store_unlock(s);
}

/* ---- the queue ---- */

static void lead_end(struct store *s)
{
	s->leading = false;
	if (s->head)
		pthread_cond_signal(&s->head->wake);
	pthread_cond_signal(&s->idle);
}

/* With mu held: takes what is queued, commits it without mu, wakes its callers. */
static void lead(struct store *s)
{
	struct op *first = s->head, **end = &s->head;
	for (int i = 0; i < s->batch && *end; i++)
		end = &(*end)->next;
	s->head = *end;
	*end = NULL;
	if (!s->head)
		s->tail = &s->head;
	s->leading = true;
	pthread_mutex_unlock(&s->mu);
	batch_commit(s, first);
	pthread_mutex_lock(&s->mu);
	for (struct op *o = first, *next; o; o = next) {
		next = o->next;
		o->done = true;
		pthread_cond_signal(&o->wake);
	}
	lead_end(s);
}

enum err store_do(struct store *s, enum err (*run)(struct tx *, void *), void *arg, bool full)
{
	struct op o = {.run = run, .arg = arg, .full = full, .wake = PTHREAD_COND_INITIALIZER};
	pthread_mutex_lock(&s->mu);
	*s->tail = &o;
	s->tail = &o.next;
	while (!o.done) {
		if (s->leading)
			pthread_cond_wait(&o.wake, &s->mu);
		else
			lead(s);
	}
	pthread_mutex_unlock(&s->mu);
	pthread_cond_destroy(&o.wake);
	return o.result;
}

struct dbh *store_lead(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	while (s->leading)
		pthread_cond_wait(&s->idle, &s->mu);
	s->leading = true;
	pthread_mutex_unlock(&s->mu);
	/* Nobody reads what was never committed. */
	tx_rollback(s);
	return &s->w;
}

void store_follow(struct store *s)
{
	pthread_mutex_lock(&s->mu);
	lead_end(s);
	pthread_mutex_unlock(&s->mu);
}

/* ---- verbs about the ledger itself ---- */

static enum err probe_run(struct tx *t, void *arg)
{
	(void)arg;
	return sql_hit(t->h, SQL_PROBE, NO_BINDS);
}

enum err store_writable(struct store *s)
{
	return store_do(s, probe_run, NULL, false);
}

/* Something must change: of a transaction that leaves every page as it was nothing is written, and nothing synced. */
enum err store_pin(struct store *s)
{
	return s->full ? ERR_OK : store_do(s, probe_run, NULL, true);
}

/* An operation that wants nothing, so that the one who leads looks at the WAL afterwards. */
static enum err idle_run(struct tx *t, void *arg)
{
	(void)t;
	*(bool *)arg = true;
	return ERR_AGAIN;
}

void store_idle(struct store *s)
{
	if (s->wal && wal_bytes(s) > WAL_ONCE_TRUNCATE)
		store_do(s, idle_run, &s->wal_trim, false);
}

enum err file_next(struct tx *t, int64_t *file)
{
	enum err e = sql_hit(t->h, SQL_FILE_NEXT, NO_BINDS);
	return e ? e : sql_int(t->h, SQL_FILE_LAST, NO_BINDS, file);
}

static enum err file_run(struct tx *t, void *arg)
{
	return file_next(t, arg);
}

enum err store_file_next(struct store *s, int64_t *file)
{
	return store_do(s, file_run, file, false);
}
