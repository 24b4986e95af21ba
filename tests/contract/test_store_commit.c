/*
 * test_store_commit.c - the SQLite store under many threads, many processes, death, and in plain CGI; its migrations.
 */
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_kit.h"
#include "db/store_priv.h"

#define THREADS 16
#define ROUNDS 60
#define PROCESSES 8

/* ---- one process, many threads ---- */

struct worker {
	struct store *s;
	int id, ok, failed, moved;
};

/* Creates, collides, moves and reads: FULL and NORMAL, failing and not, all in the same batches. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct arena *a = arena_open(1 << 20);
	for (int i = 0; i < ROUNDS; i++) {
		char id[32];
		struct upload u, v;
		snprintf(id, sizeof id, "_%d-%d", w->id, i);
		struct upload_new in = {.id = id, .owner = "", .length = 100, .now = NOW}, same = {.id = "_same", .owner = "", .length = 1, .now = NOW};
		w->ok += store_upload_create(w->s, a, &in, &u) == ERR_OK;
		w->failed += store_upload_create(w->s, a, &same, &v) == ERR_CONFLICT;
		struct upload_move m = {.n = u.n, .old = 0, .offset = i, .now = NOW, .expires = -1, .full = i % 3 == 0};
		struct upload_move bad = {.n = u.n, .old = 77, .offset = 78, .now = NOW, .expires = -1};
		w->moved += store_upload_move(w->s, &m) == ERR_OK;
		w->failed += store_upload_move(w->s, &bad) == ERR_OFFSET;
		w->ok += store_upload_by_id(w->s, a, id, &v) == ERR_OK && v.n == u.n && v.offset == i && text_eq(v.id, id);
		arena_reset(a);
	}
	arena_close(a);
	return NULL;
}

static void leader_commit(void **state)
{
	struct kit *k = *state;
	struct worker w[THREADS];
	pthread_t t[THREADS];
	struct store_stats st;
	kit_upload(k, "_same", 1);
	for (int i = 0; i < THREADS; i++) {
		w[i] = (struct worker){.s = k->s, .id = i};
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		assert_int_equal(w[i].ok, 2 * ROUNDS);
		assert_int_equal(w[i].failed, 2 * ROUNDS);
		assert_int_equal(w[i].moved, ROUNDS);
	}
	assert_int_equal(store_stats(k->s, &st), ERR_OK);
	assert_int_equal(st.active_uploads, THREADS * ROUNDS + 1);
	assert_int_equal(st.stored_bytes, THREADS * ROUNDS * (ROUNDS - 1) / 2);
}

struct racer {
	struct store *s;
	int64_t n;
	int won;
};

static void *race(void *arg)
{
	struct racer *r = arg;
	for (int64_t at = 0; at < 50; at++) {
		struct upload_move m = {.n = r->n, .old = at, .offset = at + 1, .now = NOW, .expires = -1};
		enum err e = store_upload_move(r->s, &m);
		r->won += e == ERR_OK;
		/* Who lost waits for nobody: the winner has moved the row already. */
	}
	return NULL;
}

static void every_step_has_one_winner(void **state)
{
	struct kit *k = *state;
	struct racer r[8];
	pthread_t t[8];
	int64_t n = kit_upload(k, "_a", 1000).n;
	int won = 0;
	for (int i = 0; i < 8; i++) {
		r[i] = (struct racer){.s = k->s, .n = n};
		pthread_create(&t[i], NULL, race, &r[i]);
	}
	for (int i = 0; i < 8; i++) {
		pthread_join(t[i], NULL);
		won += r[i].won;
	}
	assert_int_equal(won, 50);
	assert_int_equal(kit_upload_now(k, n).offset, 50);
}

static void raw_sql(struct kit *k, const char *text)
{
	char path[300];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/tus.db", k->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static bool is_file(void *arg, int64_t file)
{
	int64_t *v = arg;
	v[1] += file == v[0];
	v[2]++;
	return true;
}

/* A join whose last step does not come: its rows are right all the same, and it is done again from what they say. */
static void a_join_stops_half_way(void **state)
{
	struct kit *k = *state;
	struct chunk_ended e = {0};
	struct store_audit t;
	bool known;
	for (int i = 9; i >= 0; i--)
		e = kit_chunk(k, "s", SESSION_MANUAL, 10, i, 10);
	assert_true(e.finishing);
	int64_t parked = kit_session_now(k, e.session).parked;
	assert_true(parked > 0 && parked < 10);
	/* Too little: it never becomes a recording. */
	raw_sql(k, "UPDATE session SET bytes=bytes+1");
	assert_int_equal(store_session_joined(k->s, e.session, 5000), ERR_INTERNAL);
	assert_int_equal(store_session_audit(k->s, k->a, e.session, &t), ERR_OK);
	assert_int_equal(t.s.state, SESSION_FINISHING);
	assert_int_not_equal(t.s.file, 5000);
	assert_int_equal(t.s.parked, 10);
	assert_int_equal(t.parked, 10);
	assert_int_equal(store_file_known(k->s, 5000, &known), ERR_OK);
	assert_true(known);
	int64_t files[3] = {5000};
	assert_int_equal(store_session_files(k->s, e.session, is_file, files), ERR_OK);
	assert_int_equal(files[1], 10);
	raw_sql(k, "UPDATE session SET bytes=bytes-1");
	/* Again, now into the session's own file. */
	assert_int_equal(store_session_joined(k->s, e.session, t.s.file), ERR_OK);
	assert_int_equal(store_session_audit(k->s, k->a, e.session, &t), ERR_OK);
	assert_int_equal(t.s.parked + t.parked, 0);
	assert_int_equal(t.overlapping, -1);
	assert_true(plan_constant_time(&t.s));
	files[2] = 0;
	assert_int_equal(store_session_files(k->s, e.session, is_file, files), ERR_OK);
	assert_int_equal(files[2], 0);
	assert_int_equal(store_file_known(k->s, 5000, &known), ERR_OK);
	assert_false(known);
}

/* What time removes from the disk must be gone from the ledger for good before: a row that comes back would speak of bytes that are lost. */
static void expiry_is_as_durable_as_what_it_removes(void **state)
{
	struct kit *k = *state;
	struct upload was;
	const char *disk;
	int64_t file;
	for (int bytes = 0; bytes < 3; bytes++) {
		char id[16];
		snprintf(id, sizeof id, "s%d", bytes);
		struct chunk_want w = kit_want(id, SESSION_LIVE, 0, 0, 100);
		struct chunk_reserved r;
		struct upload u = kit_upload(k, bytes ? "_b" : "_a", 100);
		assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &r), ERR_OK);
		if (bytes == 1)
			assert_int_equal(kit_move(k, r.u.n, 0, 50), ERR_OK);
		if (bytes == 2)
			kit_chunk(k, id, SESSION_LIVE, 0, 1, 10);
		if (bytes)
			assert_int_equal(kit_move(k, u.n, 0, 50), ERR_OK);
		assert_int_equal(store_writable(k->s), ERR_OK);
		assert_int_equal(k->s->sync, 1);
		assert_int_equal(store_session_gone(k->s, r.s.n, NOW + 9 * DAY, false, true, &file), ERR_OK);
		assert_int_equal(k->s->sync, bytes ? 2 : 1);
		assert_int_equal(store_writable(k->s), ERR_OK);
		assert_int_equal(store_upload_gone(k->s, k->a, u.n, NOW + 9 * DAY, true, NULL, &was, &disk), ERR_OK);
		assert_int_equal(k->s->sync, bytes ? 2 : 1);
		bool more;
		assert_int_equal(store_forget(k->s, NOW, NOW + 9 * DAY, 100, &more), ERR_OK);
	}
}

/* ---- one batch, made on purpose: a first operation holds the lead until the others have queued ---- */

static enum err hold_run(struct tx *t, void *arg)
{
	(void)t;
	struct store *s = arg;
	for (int queued = 0; queued < 3; sched_yield()) {
		queued = 0;
		pthread_mutex_lock(&s->mu);
		for (const struct op *o = s->head; o; o = o->next)
			queued++;
		pthread_mutex_unlock(&s->mu);
	}
	return ERR_OK;
}

static enum err count_run(struct tx *t, void *arg)
{
	(void)arg;
	return sql_hit(t->h, SQL_PROBE, NO_BINDS);
}

/* Has written already when it finds that it must not. */
static enum err regret_run(struct tx *t, void *arg)
{
	count_run(t, arg);
	return ERR_LOCKED;
}

/* What a full disk does: SQLite has rolled the whole transaction back. */
static enum err break_run(struct tx *t, void *arg)
{
	count_run(t, arg);
	sql_run(t->h, SQL_ROLLBACK, NO_BINDS);
	return ERR_NO_SPACE;
}

struct call {
	struct store *s;
	enum err (*run)(struct tx *, void *);
	enum err result;
};

static void *call(void *arg)
{
	struct call *c = arg;
	c->result = store_do(c->s, c->run, c->s, false);
	return NULL;
}

/* Runs three in one batch; how far the probe has counted afterwards. */
static int64_t batch(struct kit *k, struct call c[3])
{
	struct call first = {.s = k->s, .run = hold_run};
	pthread_t t[4];
	int64_t v = -1;
	pthread_create(&t[3], NULL, call, &first);
	for (bool leading = false; !leading; sched_yield()) {
		pthread_mutex_lock(&k->s->mu);
		leading = k->s->leading;
		pthread_mutex_unlock(&k->s->mu);
	}
	for (int i = 0; i < 3; i++) {
		c[i].s = k->s;
		pthread_create(&t[i], NULL, call, &c[i]);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	assert_int_equal(first.result, ERR_OK);
	kit_reopen(k);
	sql_pragma(k->s->w.db, "SELECT v FROM meta WHERE k='probe'", &v);
	return v;
}

static void an_operation_fails_alone(void **state)
{
	struct call c[3] = {{.run = count_run}, {.run = regret_run}, {.run = count_run}};
	assert_int_equal(batch(*state, c), 2);
	assert_int_equal(c[0].result, ERR_OK);
	assert_int_equal(c[1].result, ERR_LOCKED);
	assert_int_equal(c[2].result, ERR_OK);
}

static void a_broken_transaction_moves_nothing(void **state)
{
	struct kit *k = *state;
	struct call c[3] = {{.run = count_run}, {.run = break_run}, {.run = count_run}};
	assert_int_equal(batch(k, c), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(c[i].result, ERR_NO_SPACE);
	assert_int_equal(store_writable(k->s), ERR_OK);
}

/* ---- many processes ---- */

static void child_work(const char *dir, int id, bool once)
{
	struct store *s = NULL;
	struct store_options o = {.dir = dir, .readers = 2, .once = once};
	struct arena *a = arena_open(1 << 20);
	log_level_set(LOG_ERROR);
	if (store_open(&o, &s))
		_exit(1);
	for (int i = 0; i < 10; i++) {
		char name[32];
		struct upload u;
		snprintf(name, sizeof name, "_%d-%d", id, i);
		struct upload_new in = {.id = name, .owner = "", .length = 5, .now = NOW};
		if (store_upload_create(s, a, &in, &u))
			_exit(2);
	}
	if (id % 2)
		store_close(s);
	_exit(0);
}

static void together_on_an_empty_folder(void **state)
{
	(void)state;
	for (int round = 0; round < 4; round++) {
		char dir[256];
		pid_t pid[PROCESSES];
		kit_dir(dir);
		for (int i = 0; i < PROCESSES; i++) {
			pid[i] = fork();
			if (pid[i] == 0)
				child_work(dir, i, round % 2 == 1);
		}
		for (int i = 0; i < PROCESSES; i++) {
			int status;
			assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
			assert_int_equal(status, 0);
		}
		/* Half of them have died without closing. */
		struct store_stats st;
		struct store *s = kit_store(dir, false);
		assert_int_equal(store_stats(s, &st), ERR_OK);
		assert_int_equal(st.active_uploads, PROCESSES * 10);
		store_close(s);
		kit_rmdir(dir);
	}
}

/* ---- a full disk ---- */

/* Creates until the limit on file sizes is met, then with the limit lifted. */
static void full_disk_child(const char *dir)
{
	struct store *s = kit_store(dir, false);
	struct arena *a = arena_open(8 << 20);
	struct rlimit none, tight;
	struct upload u;
	char id[32];
	int made = 0;
	enum err e;
	log_level_set(LOG_ERROR + 1);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &none);
	tight = (struct rlimit){.rlim_cur = 600000, .rlim_max = none.rlim_max};
	setrlimit(RLIMIT_FSIZE, &tight);
	do {
		snprintf(id, sizeof id, "_%d", made);
		struct upload_new in = {.id = id, .owner = "", .length = 5, .now = NOW};
		e = store_upload_create(s, a, &in, &u);
	} while (!e && ++made < 1000);
	if (e != ERR_NO_SPACE || made < 5)
		_exit(1);
	setrlimit(RLIMIT_FSIZE, &none);
	struct upload_new in = {.id = id, .owner = "", .length = 5, .now = NOW};
	if (store_upload_create(s, a, &in, &u) != ERR_OK)
		_exit(2);
	struct store_stats st;
	_exit(store_stats(s, &st) == ERR_OK && st.active_uploads == made + 1 ? 0 : 3);
}

static void a_full_disk_is_said_and_survived(void **state)
{
	(void)state;
	char dir[256];
	int status;
	log_level_set(LOG_ERROR);
	kit_dir(dir);
	pid_t pid = fork();
	if (pid == 0)
		full_disk_child(dir);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	kit_rmdir(dir);
}

/* ---- plain CGI ---- */

static int64_t wal_size(const char *dir)
{
	char path[300];
	struct stat st;
	snprintf(path, sizeof path, "%s/tus.db-wal", dir);
	return stat(path, &st) ? -1 : (int64_t)st.st_size;
}

static void short_lives_keep_the_wal_short(void **state)
{
	(void)state;
	char dir[256], meta[8192];
	log_level_set(LOG_ERROR);
	struct arena *a = arena_open(1 << 20);
	int64_t most = 0;
	kit_dir(dir);
	memset(meta, 'm', sizeof meta - 1);
	meta[sizeof meta - 1] = 0;
	for (int i = 0; i < 300; i++) {
		char id[32];
		struct upload u;
		struct store *s = kit_store(dir, true);
		snprintf(id, sizeof id, "_%d", i);
		struct upload_new in = {.id = id, .owner = "", .meta = meta, .length = 5, .now = NOW};
		assert_int_equal(store_upload_create(s, a, &in, &u), ERR_OK);
		assert_int_equal(store_upload_by_id(s, a, id, &u), ERR_OK);
		store_close(s);
		arena_reset(a);
		/* The WAL stays, or the next process would have to make it again. */
		int64_t size = wal_size(dir);
		assert_true(size >= 0);
		most = size > most ? size : most;
	}
	assert_true(most < 2 << 20);
	assert_true(most > 1 << 19);
	arena_close(a);
	kit_rmdir(dir);
}

/* A long-lived process begins its WAL anew now and then, and trims it when idle. */
static void long_lives_keep_the_wal_short(void **state)
{
	struct kit *k = *state;
	char meta[16384];
	int64_t most = 0;
	memset(meta, 'm', sizeof meta - 1);
	meta[sizeof meta - 1] = 0;
	for (int i = 0; i < 1500; i++) {
		char id[32];
		struct upload u;
		snprintf(id, sizeof id, "_%d", i);
		struct upload_new in = {.id = id, .owner = "", .meta = meta, .length = 5, .now = NOW};
		assert_int_equal(store_upload_create(k->s, k->a, &in, &u), ERR_OK);
		int64_t size = wal_size(k->dir);
		most = size > most ? size : most;
	}
	assert_true(most > 3 << 20);
	assert_true(most < 8 << 20);
	store_idle(k->s);
	assert_int_equal(wal_size(k->dir), 0);
}

/* ---- opening and migrating ---- */

static int raw(const char *dir, const char *name, const char *text)
{
	char path[300];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	int rc = sqlite3_open(path, &db);
	if (rc == SQLITE_OK)
		rc = sqlite3_exec(db, text, NULL, NULL, NULL);
	sqlite3_close(db);
	return rc;
}

static void strangers_and_the_future_are_refused(void **state)
{
	struct kit *k = *state;
	struct store *s = NULL;
	struct store_options o = {.dir = k->dir, .readers = 1};
	log_level_set(LOG_ERROR + 1);
	store_close(k->s);
	k->s = NULL;
	assert_int_equal(raw(k->dir, "tus.db", "PRAGMA user_version=99"), SQLITE_OK);
	assert_int_equal(store_open(&o, &s), ERR_CONFLICT);
	assert_int_equal(raw(k->dir, "tus.db", "PRAGMA user_version=2; PRAGMA application_id=5"), SQLITE_OK);
	assert_int_equal(store_open(&o, &s), ERR_CONFLICT);
	o.dir = "/nonexistent";
	assert_int_not_equal(store_open(&o, &s), ERR_OK);
	assert_null(s);
	log_level_set(LOG_ERROR);
}

/* A restored backup is no WAL database; it becomes one again. */
static void a_restored_copy_gets_its_wal_back(void **state)
{
	struct kit *k = *state;
	kit_upload(k, "_a", 1);
	store_close(k->s);
	assert_int_equal(raw(k->dir, "tus.db", "PRAGMA journal_mode=DELETE"), SQLITE_OK);
	k->s = kit_store(k->dir, false);
	kit_upload(k, "_b", 1);
	assert_true(wal_size(k->dir) > 0);
}

static void migrating_keeps_a_copy(void **state)
{
	struct kit *k = *state;
	const char *good[] = {store_steps[0], store_steps[1], store_steps[2], "ALTER TABLE api_key ADD COLUMN note TEXT", "CREATE TABLE extra(x)"};
	const char *bad[] = {store_steps[0], store_steps[1], store_steps[2], "CREATE TABLE extra(x)", "NONSENSE"};
	char path[300];
	sqlite3 *db;
	int64_t v = 0;
	kit_upload(k, "_a", 1);
	store_close(k->s);
	k->s = NULL;
	snprintf(path, sizeof path, "%s/tus.db", k->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	log_level_set(LOG_ERROR + 1);
	assert_int_not_equal(store_migrate(db, path, bad, 5), ERR_OK);
	log_level_set(LOG_ERROR);
	sql_pragma(db, "PRAGMA user_version", &v);
	assert_int_equal(v, 3);
	assert_int_equal(store_migrate(db, path, good, 5), ERR_OK);
	assert_int_equal(store_migrate(db, path, good, 5), ERR_OK);
	sql_pragma(db, "PRAGMA user_version", &v);
	assert_int_equal(v, 5);
	sqlite3_close(db);
	snprintf(path, sizeof path, "%s/tus.db.before-v5", k->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sql_pragma(db, "PRAGMA user_version", &v);
	assert_int_equal(v, 3);
	sql_pragma(db, "SELECT COUNT(*) FROM upload", &v);
	assert_int_equal(v, 1);
	sqlite3_close(db);
}

/* Each version that there ever was, with rows of its time. */
static void an_old_database_goes_on(void **state)
{
	struct kit *k = *state;
	char path[300];
	sqlite3 *db;
	int64_t v = 0;
	store_close(k->s);
	k->s = NULL;
	snprintf(path, sizeof path, "%s/tus.db", k->dir);
	unlink(path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(store_migrate(db, path, store_steps, 1), ERR_OK);
	sql_pragma(db, "PRAGMA user_version", &v);
	assert_int_equal(v, 1);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO upload(id,owner,state,file,base,own,length,offset,writing,created,updated,expires)"
		" VALUES('_old','user:ann',0,7,0,1,100,40,0,1,2,3000000)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	struct store_options o = {.dir = k->dir, .readers = 1, .events = EVENTS_ALL};
	assert_int_equal(store_open(&o, &k->s), ERR_OK);
	struct upload u;
	const char *disk;
	struct event e[4];
	int found;
	assert_int_equal(store_upload_by_id(k->s, k->a, "_old", &u), ERR_OK);
	assert_int_equal(u.offset, 40);
	assert_string_equal(u.owner, "user:ann");
	assert_int_equal(kit_move(k, u.n, 40, 60), ERR_OK);
	assert_int_equal(store_upload_gone(k->s, k->a, u.n, NOW, false, NULL, &u, &disk), ERR_OK);
	assert_int_equal(store_events(k->s, k->a, 0, e, 4, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(e[0].kind, EVENT_DELETED);
	assert_int_equal(e[0].size, 60);
	snprintf(path, sizeof path, "%s/tus.db.before-v%d", k->dir, store_version);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sql_pragma(db, "SELECT offset FROM upload", &v);
	assert_int_equal(v, 40);
	sqlite3_close(db);
}

/* Every statement must be right, also those that a test above does not reach. */
static void all_statements_prepare(void **state)
{
	struct kit *k = *state;
	for (int q = 0; q < SQL__MAX; q++) {
		sqlite3_stmt *st = NULL;
		assert_non_null(sql_text[q]);
		if (sqlite3_prepare_v2(k->s->w.db, sql_text[q], -1, &st, NULL) != SQLITE_OK)
			fail_msg("%s: %s", sql_text[q], sqlite3_errmsg(k->s->w.db));
		sqlite3_finalize(st);
	}
}

#define T_(f) cmocka_unit_test_setup_teardown(f, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		/* First, while there are no threads and no open store to inherit. */
		cmocka_unit_test(together_on_an_empty_folder),
		cmocka_unit_test(a_full_disk_is_said_and_survived),
		cmocka_unit_test(short_lives_keep_the_wal_short),
		T_(expiry_is_as_durable_as_what_it_removes), T_(a_join_stops_half_way),
		T_(leader_commit), T_(every_step_has_one_winner), T_(an_operation_fails_alone), T_(a_broken_transaction_moves_nothing), T_(long_lives_keep_the_wal_short),
		T_(strangers_and_the_future_are_refused), T_(a_restored_copy_gets_its_wal_back), T_(migrating_keeps_a_copy), T_(an_old_database_goes_on), T_(all_statements_prepare),
	};
	return cmocka_run_group_tests_name("store commit", tests, NULL, NULL);
}
