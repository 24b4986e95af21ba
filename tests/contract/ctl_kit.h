/*
 * ctl_kit.h - what the tests of tusctl share: an application that is open, the program beside it, rows made by the verbs.
 */
#ifndef TESTS_CTL_KIT_H
#define TESTS_CTL_KIT_H

#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app.h"
#include "base/digest.h"
#include "base/json.h"
#include "store_kit.h"
#include "upload/upload.h"

#define OUT_MAX (256 << 10)
#define SID "rec-1"

struct scene {
	char dir[256], data[300];
	char out[OUT_MAX], err[OUT_MAX];
	struct config *cfg;
	struct app *app;
	struct house *h;
	struct arena *a;
};

/* ---- running the program ---- */

static inline const char *program(void)
{
	static char path[4096];
	const char *given = getenv("TUSCTL");
	if (given && *given)
		return given;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	assert_true(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../../tusctl");
	return path;
}

static inline void slurp(int fd, char out[OUT_MAX])
{
	ssize_t n = pread(fd, out, OUT_MAX - 1, 0);
	assert_true(n >= 0);
	out[n] = '\0';
	close(fd);
}

static inline int scratch_fd(void)
{
	int fd = memfd_create("ctl", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

#define ARGS_MAX 16
/* Runs tusctl with DATA_DIR and the clock moved by `later` seconds; gives its exit code. s->out and s->err hold what it said. */
static inline int run_at(struct scene *s, int later, const char *const *args)
{
	char *argv[ARGS_MAX + 2] = {(char *)program()};
	char data[400], offset[64];
	snprintf(data, sizeof data, "DATA_DIR=%s", s->data);
	snprintf(offset, sizeof offset, "TEST_CLOCK_OFFSET=%d", later);
	char *const env[] = {data, offset, "TUS_EXPIRATION=3600", NULL};
	posix_spawn_file_actions_t fa;
	int out = scratch_fd(), err = scratch_fd(), status;
	pid_t pid;
	for (int i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX);
		argv[i + 1] = (char *)args[i];
	}
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, out, 1);
	posix_spawn_file_actions_adddup2(&fa, err, 2);
	assert_int_equal(posix_spawn(&pid, argv[0], &fa, NULL, argv, env), 0);
	posix_spawn_file_actions_destroy(&fa);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	slurp(out, s->out);
	slurp(err, s->err);
	if (!WIFEXITED(status))
		fail_msg("tusctl ended by signal: %s", s->err);
	return WEXITSTATUS(status);
}
#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})
#define RUN(s, ...) run_at(s, 0, LIST(__VA_ARGS__))
#define RUN_AT(s, later, ...) run_at(s, later, LIST(__VA_ARGS__))

static inline void says(const struct scene *s, const char *text)
{
	if (!strstr(s->out, text))
		fail_msg("no \"%s\" in: %s%s", text, s->out, s->err);
}

static inline void says_not(const struct scene *s, const char *text)
{
	if (strstr(s->out, text))
		fail_msg("\"%s\" in: %s", text, s->out);
}

static inline struct json *parsed(const struct scene *s)
{
	struct json *j = json_parse(s->out, strcspn(s->out, "\n"));
	if (!j)
		fail_msg("not JSON: %s%s", s->out, s->err);
	return j;
}

static inline int64_t number(const struct json *o, const char *key)
{
	int64_t n = -999;
	json_int(json_get(o, key), &n);
	return n;
}

/* ---- rows, made by the verbs ---- */

static inline int scene_open(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	char data[400];
	kit_dir(s->dir);
	snprintf(s->data, sizeof s->data, "%s/data", s->dir);
	snprintf(data, sizeof data, "DATA_DIR=%s", s->data);
	char *const env[] = {data, "TUS_EXPIRATION=3600", "LOG_LEVEL=error", NULL};
	s->cfg = config_load(env, stderr);
	s->a = arena_open(64 << 20);
	assert_non_null(s->cfg);
	assert_int_equal(app_open(s->cfg, false, &s->app), ERR_OK);
	s->h = app_house(s->app);
	*state = s;
	return 0;
}

static inline int scene_close(void **state)
{
	struct scene *s = *state;
	app_close(s->app);
	config_free(s->cfg);
	arena_close(s->a);
	kit_rmdir(s->dir);
	free(s);
	return 0;
}

/* An upload of this length with these bytes; a shorter body leaves it unfinished. */
static inline struct upload an_upload(struct scene *s, int64_t length, const char *body)
{
	struct create_cmd cmd = {.owner = "", .meta = "filename YS50eHQ=", .length = length};
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = (int64_t)strlen(body), .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body_source;
	struct upload u;
	source_mem_init(&body_source, body, strlen(body));
	assert_int_equal(upload_create(s->h, s->a, &cmd, &u), ERR_OK);
	assert_int_equal(upload_append(s->h, s->a, u.n, &append, &body_source.s, &out), ERR_OK);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, u.n, &u), ERR_OK);
	return u;
}

static inline void a_chunk(struct scene *s, const char *sid, int64_t idx, const char *body)
{
	struct chunk_cmd cmd = {.sid = sid, .owner = "", .take = {.kind = SESSION_LIVE}, .name = "Evening \x1b[31m", .format = "webm", .idx = idx,
		.length = LENGTH_UNKNOWN};
	struct chunk_put *p;
	struct chunk_put_out out;
	struct source_mem body_source;
	source_mem_init(&body_source, body, strlen(body));
	assert_int_equal(chunk_put_open(s->h, s->a, &body_source.s, &p), ERR_OK);
	assert_int_equal(chunk_put_data(p, body, strlen(body)), ERR_OK);
	assert_int_equal(chunk_put_end(p, &cmd, &out), ERR_OK);
	chunk_put_close(p);
}

static inline struct session the_session(struct scene *s, const char *sid)
{
	struct session out;
	int found;
	assert_int_equal(store_session_takes(s->h->db, s->a, sid, &out, 1, &found), ERR_OK);
	return out;
}

static inline void part_path(const struct scene *s, int64_t file, char out[512])
{
	snprintf(out, 512, "%s/parts/shard_%04d/%lld.part", s->cfg->parts_dir, (int)(file / 1000), (long long)file);
}

/* Behind the ledger's back. */
static inline void sql(const struct scene *s, const char *text)
{
	sqlite3 *db;
	char path[512];
	snprintf(path, sizeof path, "%s/tus.db", s->cfg->db_dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", text, sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* ---- check ---- */

static inline int findings(struct scene *s, int later, const char *what, const char *where)
{
	int rc = RUN_AT(s, later, "check", "--json");
	struct json *j = parsed(s);
	const struct json *list = json_get(j, "findings");
	int n = (int)json_len(list), hits = 0;
	bool sound = false;
	assert_true(json_bool(json_get(json_get(j, "summary"), "sound"), &sound));
	assert_int_equal(rc, sound ? 0 : 1);
	assert_int_equal(sound, n == 0);
	for (int i = 0; i < n; i++)
		hits += what && text_eq(json_str(json_get(json_at(list, (size_t)i), "what")), what)
			&& strstr(json_str(json_get(json_at(list, (size_t)i), "where")), where);
	json_free(j);
	if (n > 0 && hits == 0)
		fail_msg("no %s of %s in: %s", what ? what : "finding", where ? where : "anything", s->out);
	return hits;
}
#define IS_SOUND(s) assert_int_equal(findings(s, 0, NULL, NULL), 0)
#define FINDS(s, what, where) assert_true(findings(s, 0, what, where) > 0)

#endif
