/*
 * test_import_deaths.c - a process that takes over another back end's files dies at each of its calls: tusctl import, run again, makes what one undisturbed run would have,
 * and nothing is left over.
 */
#include "base/log.h"
#include "tests/contract/ctl_kit.h"
#include "tests/shim/shim.h"
#include "upload/import.h"

#define SOME 29                 /* one call in so many, unless TEST_ALL */
#define DEAD 9
#define LARGE 150000            /* does not stay in memory */

static int calls, deadly;       /* deadly: how many calls he makes before he dies */

static bool before(struct shim_call *c)
{
	(void)c;
	if (calls++ == deadly)
		_exit(DEAD);
	return true;
}

static const struct shim_tactic tactic = {.name = "deaths", .before = before};

/* ---- what is taken over ---- */

static const struct old_file {
	const char *sid, *name;     /* name NULL: a chunk */
	int64_t idx, size, length;  /* length: of the whole chunk */
} old_files[] = {
	{"fin", "a.webm", 0, 3000, 0}, {"fin", "b.webm", 0, LARGE, 0},
	{"tus", NULL, 0, LARGE, LARGE}, {"tus", NULL, 1, LARGE, LARGE}, {"tus", NULL, 2, 500, LARGE}, {"tus", NULL, 4, LARGE, LARGE},
	{"live", NULL, 0, 1000, 1000}, {"live", NULL, 2, 10, 10},
};
#define FILES (sizeof old_files / sizeof *old_files)

static unsigned char byte_at(const struct old_file *f, int64_t i)
{
	return (unsigned char)(i * 31 + (i >> 8) + (f - old_files) * 17);
}

static const char *path_of(const struct scene *s, const struct old_file *f)
{
	static char path[600];
	if (f->name)
		snprintf(path, sizeof path, "%s/old/%s/completed/%s", s->dir, f->sid, f->name);
	else
		snprintf(path, sizeof path, "%s/old/%s/chunks/chunk_%d.bin", s->dir, f->sid, (int)f->idx);
	return path;
}

static void put(const char *path, const void *bytes, size_t n)
{
	char part[600];
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdir(part, 0755);
	}
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void make_old(const struct scene *s)
{
	static const char info[] = "{\"total_chunks\":6,\"recording_name\":\"T\",\"client_metadata\":{\"chunkIndex\":\"4\",\"sessionId\":\"tus\"}}";
	static const char live[] = "{\"total_chunks\":0}";
	char path[600];
	unsigned char *bytes = malloc(LARGE);
	for (size_t i = 0; i < FILES; i++) {
		for (int64_t k = 0; k < old_files[i].size; k++)
			bytes[k] = byte_at(&old_files[i], k);
		put(path_of(s, &old_files[i]), bytes, (size_t)old_files[i].size);
	}
	free(bytes);
	snprintf(path, sizeof path, "%s/old/tus/session_info.json", s->dir);
	put(path, info, sizeof info - 1);
	snprintf(path, sizeof path, "%s/old/live/session_info.json", s->dir);
	put(path, live, sizeof live - 1);
}

/* The verbs as tusctl import calls them, for everything in the order of the table. */
static void take_all(struct house *h, const struct scene *s)
{
	struct arena *a = arena_open(16 << 20);
	for (size_t i = 0; i < FILES; i++) {
		const struct old_file *f = &old_files[i];
		struct chunk_cmd cmd = {.sid = f->sid, .owner = "", .any_owner = true, .take = {.kind = SESSION_LIVE}};
		struct import_chunk c = {.idx = f->idx, .size = f->size, .whole = f->size == f->length, .length = f->length};
		struct recording r = {.sid = f->sid, .disk = f->name, .name = f->name, .owner = "", .take = 1, .size = f->size, .created = 1};
		int fd = open(path_of(s, f), O_RDONLY);
		bool have;
		if (text_eq(f->sid, "tus"))
			cmd.take = (struct take_want){.kind = SESSION_TUS, .total = 6};
		enum err e = f->name ? import_finished(h, a, &r, 1, fd, false, false, &have) : import_chunk(h, a, &cmd, &c, fd, false, &have);
		if (e)
			_exit(3);
		close(fd);
		arena_reset(a);
	}
	import_end(h);
}

static bool dies(struct scene *s, int at)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct app *app;
		if (app_open(s->cfg, false, &app) != ERR_OK)
			_exit(2);
		deadly = at;
		shim_use(&tactic, s->data);
		take_all(app_house(app), s);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DEAD));
	return WEXITSTATUS(status) == DEAD;
}

/* ---- what there must be ---- */

static void has_bytes(const struct old_file *f, int fd, int64_t base)
{
	unsigned char *bytes = malloc(LARGE);
	assert_int_equal(pread(fd, bytes, LARGE, base) >= f->size, true);
	for (int64_t k = 0; k < f->size; k++)
		if (bytes[k] != byte_at(f, k))
			fail_msg("%s/%d: byte %lld", f->sid, (int)f->idx, (long long)k);
	free(bytes);
	close(fd);
}

static void is_whole(struct scene *s, const struct old_file *f)
{
	struct recording r;
	int fd;
	assert_int_equal(store_recording_get(s->h->db, s->a, f->sid, f->name, &r), ERR_OK);
	assert_int_equal(r.size, f->size);
	assert_int_equal(recording_open(s->h, s->a, &r, &fd), ERR_OK);
	has_bytes(f, fd, 0);
}

static void chunk_stands(struct scene *s, const struct old_file *f)
{
	struct chunk_view v;
	char path[512];
	assert_int_equal(chunk_find(s->h, s->a, f->sid, f->idx, &v), ERR_OK);
	assert_int_equal(v.done, f->size == f->length);
	if (!v.done)
		assert_int_equal(v.u.offset, f->size);
	part_path(s, v.done ? v.c.file : v.u.file, path);
	has_bytes(f, open(path, O_RDONLY), v.done ? v.c.base : v.u.base);
}

static void all_there(struct scene *s)
{
	struct recording r[4];
	int found;
	for (size_t i = 0; i < FILES; i++)
		old_files[i].name ? is_whole(s, &old_files[i]) : chunk_stands(s, &old_files[i]);
	assert_int_equal(store_recordings(s->h->db, s->a, NULL, 0, r, 4, &found), ERR_OK);
	assert_int_equal(found, 2);
	assert_int_equal(the_session(s, "tus").total, 6);
	assert_int_equal(the_session(s, "tus").take, 1);
	assert_int_equal(the_session(s, "live").take, 1);
	IS_SOUND(s);
}

static void each_death(void **state)
{
	const char *all = getenv("TEST_ALL");
	int step = all && *all ? 1 : SOME, at = 0;
	bool dead = true;
	(void)state;
	for (; dead; at += step) {
		struct scene *s;
		char old[400];
		scene_open((void **)&s);
		log_level_set(LOG_ERROR + 1);
		make_old(s);
		/* A process with threads does not fork well. */
		app_close(s->app);
		dead = dies(s, at);
		assert_int_equal(app_open(s->cfg, false, &s->app), ERR_OK);
		s->h = app_house(s->app);
		snprintf(old, sizeof old, "%s/old", s->dir);
		if (RUN(s, "import", old, "--json") != 0)
			fail_msg("death %d: %s%s", at, s->out, s->err);
		all_there(s);
		/* What he left is scrap, and is gone after a look for it. */
		assert_int_equal(RUN_AT(s, 0, "reap", "--scan"), 0);
		all_there(s);
		scene_close((void **)&s);
	}
	assert_in_range(at, 4 * SOME, 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_death),
	};
	return cmocka_run_group_tests_name("import deaths", tests, NULL, NULL);
}
