/*
 * test_migrate.c - a migration that is cut off: by a full disk, by death, by fifteen others who want it, too.
 */
#include <dirent.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_kit.h"
#include "db/store_priv.h"

#define PROCESSES 16
#define ROWS 300

struct old {
	char dir[256], path[300];
};

static sqlite3 *opened(const char *path)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	return db;
}

static int64_t asked(const char *path, const char *text)
{
	int64_t n = -1;
	sqlite3 *db = opened(path);
	assert_int_equal(sql_pragma(db, text, &n), ERR_OK);
	sqlite3_close(db);
	return n;
}

/* A database of version 1 with rows, as the first program left it. */
static int old_open(void **state)
{
	struct old *o = calloc(1, sizeof *o);
	log_level_set(LOG_ERROR + 1);
	kit_dir(o->dir);
	snprintf(o->path, sizeof o->path, "%s/tus.db", o->dir);
	sqlite3 *db = opened(o->path);
	assert_int_equal(store_migrate(db, o->path, store_steps, 1), ERR_OK);
	char text[600];
	snprintf(text, sizeof text, "PRAGMA journal_mode=WAL; WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM k WHERE i<%d)"
		" INSERT INTO upload(id,owner,state,file,base,own,length,offset,writing,meta,created,updated,expires)"
		" SELECT '_'||i,'',0,i,0,1,9,3,0,hex(randomblob(500)),1,1,9999999999 FROM k", ROWS);
	assert_int_equal(sql_exec(db, text), ERR_OK);
	sqlite3_close(db);
	*state = o;
	return 0;
}

static int old_close(void **state)
{
	struct old *o = *state;
	kit_rmdir(o->dir);
	free(o);
	return 0;
}

static int copies(const struct old *o)
{
	int n = 0;
	DIR *d = opendir(o->dir);
	for (struct dirent *e; (e = readdir(d));)
		n += strncmp(e->d_name, "tus.db.", 7) == 0;
	closedir(d);
	return n;
}

static void steps_of(const char *step[2])
{
	step[0] = store_steps[0];
	step[1] = "CREATE TABLE extra(x)";
}

/* ---- a full disk ---- */

static void full_disk_child(const struct old *o)
{
	const char *step[2];
	struct rlimit none, tight;
	steps_of(step);
	sqlite3 *db = opened(o->path);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &none);
	tight = (struct rlimit){.rlim_cur = 100000, .rlim_max = none.rlim_max};
	setrlimit(RLIMIT_FSIZE, &tight);
	enum err full = store_migrate(db, o->path, step, 2);
	int left = copies(o);
	setrlimit(RLIMIT_FSIZE, &none);
	if (!full || left)
		_exit(1);
	_exit(store_migrate(db, o->path, step, 2) ? 2 : 0);
}

static void no_space_for_the_copy(void **state)
{
	struct old *o = *state;
	int status;
	pid_t pid = fork();
	if (pid == 0)
		full_disk_child(o);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(asked(o->path, "PRAGMA user_version"), 2);
	assert_int_equal(copies(o), 1);
}

/* ---- death ---- */

static void die(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)c, (void)n, (void)v;
	kill(getpid(), SIGKILL);
}

static void death_between_copy_and_step(void **state)
{
	struct old *o = *state;
	const char *step[] = {store_steps[0], "CREATE TABLE extra(x); SELECT die()"};
	char copy[330];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		sqlite3 *db = opened(o->path);
		sqlite3_create_function(db, "die", 0, SQLITE_UTF8, NULL, die, NULL, NULL);
		store_migrate(db, o->path, step, 2);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	snprintf(copy, sizeof copy, "%s.before-v2", o->path);
	for (int i = 0; i < 2; i++) {
		const char *path = i ? copy : o->path;
		assert_int_equal(asked(path, "PRAGMA user_version"), 1);
		assert_int_equal(asked(path, "SELECT COUNT(*) FROM upload"), ROWS);
		assert_int_equal(asked(path, "SELECT COUNT(*) FROM sqlite_schema WHERE name='extra'"), 0);
	}
	steps_of(step);
	sqlite3 *db = opened(o->path);
	assert_int_equal(store_migrate(db, o->path, step, 2), ERR_OK);
	sqlite3_close(db);
	assert_int_equal(asked(o->path, "SELECT COUNT(*) FROM extra"), 0);
}

/* What a copy leaves that was cut in its middle is no copy, and goes with the next one. */
static void a_half_copy_is_none(void **state)
{
	struct old *o = *state;
	const char *step[2];
	char half[340], copy[330];
	snprintf(copy, sizeof copy, "%s.before-v2", o->path);
	snprintf(half, sizeof half, "%s.new", copy);
	FILE *f = fopen(half, "w");
	fputs("half", f);
	fclose(f);
	steps_of(step);
	sqlite3 *db = opened(o->path);
	assert_int_equal(store_migrate(db, o->path, step, 2), ERR_OK);
	sqlite3_close(db);
	assert_int_not_equal(access(half, F_OK), 0);
	assert_int_equal(asked(copy, "SELECT COUNT(*) FROM upload"), ROWS);
}

/* ---- others ---- */

static void start_child(const struct old *o, bool once)
{
	struct store *s = NULL;
	struct arena *a = arena_open(1 << 20);
	struct upload u;
	struct store_options so = {.dir = o->dir, .readers = 2, .once = once};
	if (store_open(&so, &s))
		_exit(1);
	if (store_upload_by_id(s, a, "_7", &u) || u.offset != 3)
		_exit(2);
	struct upload_move m = {.n = 20 + getpid() % ROWS / 2, .old = 3, .offset = 4, .now = NOW, .expires = -1};
	enum err e = store_upload_move(s, &m);
	_exit(e && e != ERR_OFFSET ? 3 : 0);
}

static void together_on_an_old_database(void **state)
{
	struct old *o = *state;
	pid_t pid[PROCESSES];
	for (int i = 0; i < PROCESSES; i++) {
		pid[i] = fork();
		if (pid[i] == 0)
			start_child(o, i % 4 == 3);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status;
		assert_int_equal(waitpid(pid[i], &status, 0), pid[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(asked(o->path, "PRAGMA user_version"), store_version);
	assert_int_equal(asked(o->path, "SELECT COUNT(*) FROM upload"), ROWS);
	assert_true(store_version > 1);
	assert_int_equal(copies(o), 1);
}

/* Each version leaves a copy, the last two stay. */
static void old_copies_go(void **state)
{
	struct old *o = *state;
	const char *step[6] = {store_steps[0], "CREATE TABLE a(x)", "CREATE TABLE b(x)", "CREATE TABLE c(x)", "CREATE TABLE d(x)", "CREATE TABLE e(x)"};
	char copy[330];
	sqlite3 *db = opened(o->path);
	for (int n = 2; n <= 6; n++)
		assert_int_equal(store_migrate(db, o->path, step, n), ERR_OK);
	sqlite3_close(db);
	assert_int_equal(copies(o), 2);
	for (int n = 5; n <= 6; n++) {
		snprintf(copy, sizeof copy, "%s.before-v%d", o->path, n);
		assert_int_equal(asked(copy, "PRAGMA user_version"), n - 1);
	}
}

#define T_(f) cmocka_unit_test_setup_teardown(f, old_open, old_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(together_on_an_old_database), T_(no_space_for_the_copy), T_(death_between_copy_and_step), T_(a_half_copy_is_none), T_(old_copies_go),
	};
	return cmocka_run_group_tests_name("migrations", tests, NULL, NULL);
}
