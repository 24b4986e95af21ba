/*
 * test_ctl_parts.c - what tusctl makes of uploads that are made of uploads: backup and restore of all that they can be, and damage that was made by hand.
 */
#include "base/clock.h"
#include "ctl_kit.h"
#include "upload/upload_priv.h"

/* A part with all its bytes but the last `less`. */
static struct upload a_part(struct scene *s, const char *p, size_t less)
{
	struct create_cmd cmd = {.owner = "", .length = (int64_t)strlen(p), .concat = CONCAT_PARTIAL};
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = (int64_t)(strlen(p) - less), .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	struct upload u;
	assert_int_equal(upload_create(s->h, s->a, &cmd, &u), ERR_OK);
	source_mem_init(&body, p, strlen(p) - less);
	assert_int_equal(upload_append(s->h, s->a, u.n, &append, &body.s, &out), ERR_OK);
	return u;
}

static void last_byte(struct house *h, struct arena *a, const struct upload *part, const char *p)
{
	struct append_cmd append = {.offset = (int64_t)strlen(p) - 1, .length = LENGTH_UNKNOWN, .body = 1, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	source_mem_init(&body, p + strlen(p) - 1, 1);
	assert_int_equal(upload_append(h, a, part->n, &append, &body.s, &out), ERR_OK);
	assert_int_equal(upload_finish(h, part->n), ERR_OK);
}

static struct upload a_final(struct scene *s, const struct upload *parts, int n)
{
	struct create_cmd cmd = {.owner = "", .concat = CONCAT_FINAL, .concat_text = "final;", .part = parts, .nparts = n};
	struct upload u;
	assert_int_equal(upload_create(s->h, s->a, &cmd, &u), ERR_OK);
	assert_int_equal(upload_finish(s->h, u.n), ERR_OK);
	return u;
}

static struct upload now(struct house *h, struct arena *a, const struct upload *u)
{
	struct upload r;
	assert_int_equal(store_upload_by_n(h->db, a, u->n, &r), ERR_OK);
	return r;
}

static void gives(struct house *h, struct arena *a, const struct upload *u, const char *text)
{
	struct upload r = now(h, a, u);
	struct recording rec;
	char got[64] = "";
	int fd;
	assert_int_equal(upload_open(h, a, &r, &fd, &rec), ERR_OK);
	assert_int_equal(blob_read(fd, got, sizeof got - 1, 0), strlen(text));
	blob_close(fd);
	assert_string_equal(got, text);
}

static void drop(struct house *h, struct arena *a, const struct upload *u)
{
	assert_int_equal(upload_remove(h, a, u->id), ERR_OK);
}

static bool count_one(void *arg, int64_t file, int64_t size, int64_t age)
{
	(void)file, (void)size, (void)age;
	++*(int *)arg;
	return true;
}

static int part_files(struct house *h)
{
	int n = 0;
	assert_int_equal(blob_each(h->blobs, count_one, &n), ERR_OK);
	return n;
}

/* ---- backup ---- */

/* Complete, deleted and kept, running, joined and in parts of others: each is there again, and goes on as it would have. */
static void it_all_comes_back(void **state)
{
	struct scene *s = *state;
	char dir[400], data[400];
	struct upload p[3] = {a_part(s, "first ", 0), a_part(s, "second ", 0), a_part(s, "third", 1)};
	struct upload whole = a_final(s, p, 2), waits = a_final(s, p, 3), again[2] = {p[1], p[1]}, twice = a_final(s, again, 2);
	drop(s->h, s->a, &p[0]);
	assert_int_equal(now(s->h, s->a, &p[0]).own, OWN_SHARED);
	IS_SOUND(s);
	snprintf(dir, sizeof dir, "%s/backup", s->dir);
	assert_int_equal(RUN(s, "backup", dir), 0);
	snprintf(s->data, sizeof s->data, "%s/again", s->dir);
	assert_int_equal(RUN(s, "restore", dir), 0);
	IS_SOUND(s);

	snprintf(data, sizeof data, "DATA_DIR=%s", s->data);
	struct config *cfg = config_load((char *const[]){data, (char *)"TUS_EXPIRATION=3600", (char *)"LOG_LEVEL=error", NULL}, stderr);
	struct app *app;
	assert_non_null(cfg);
	assert_int_equal(app_open(cfg, false, &app), ERR_OK);
	struct house *h = app_house(app);
	gives(h, s->a, &whole, "first second ");
	gives(h, s->a, &twice, "second second ");
	last_byte(h, s->a, &p[2], "third");
	gives(h, s->a, &waits, "first second third");
	IS_SOUND(s);
	const struct upload *const all[] = {&whole, &p[1], &twice, &p[2], &waits};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		drop(h, s->a, all[i]);
	assert_int_equal(part_files(h), 0);
	app_close(app);
	config_free(cfg);
}

/* ---- damage ---- */

static void rows_that_name_nothing_are_told(void **state)
{
	static const char *const damage[] = {
		"INSERT INTO part(final,seq,upload) VALUES(9999,0,1)",
		"INSERT INTO part(final,seq,upload) SELECT n,7,9999 FROM upload WHERE concat=2 AND state=0",
		"INSERT INTO part(final,seq,upload) SELECT n,7,1 FROM upload WHERE concat=2 AND state=2",
		"INSERT INTO part(final,seq,upload) SELECT n,7,1 FROM upload WHERE concat=1 AND state=0",
	};
	struct scene *s = *state;
	struct upload p[2] = {a_part(s, "first ", 0), a_part(s, "second", 1)};
	a_final(s, p, 1);
	a_final(s, p, 2);
	IS_SOUND(s);
	for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
		sql(s, damage[i]);
		FINDS(s, "database", "a part of upload row");
		sql(s, "DELETE FROM part WHERE seq=7 OR final=9999");
		IS_SOUND(s);
	}
	sql(s, "UPDATE upload SET state=3 WHERE concat=1 AND state=2; DELETE FROM part");
	FINDS(s, "database", "keeps bytes for nobody");
	FINDS(s, "database", "waits for no part");
}

/* It never becomes shorter, nor anything else; it is given up, and its other parts stay. */
static void a_final_without_a_part_is_given_up(void **state)
{
	struct scene *s = *state;
	struct reap_count count;
	struct upload p[3] = {a_part(s, "first ", 0), a_part(s, "second ", 0), a_part(s, "third", 1)}, waits = a_final(s, p, 3);
	sql(s, "DELETE FROM upload WHERE n=(SELECT upload FROM part WHERE seq=1)");
	FINDS(s, "database", "a part of upload row");
	log_level_set(LOG_ERROR);
	assert_int_equal(reap(s->h, 100, false, &count), ERR_OK);
	assert_int_equal(count.failed, 0);
	assert_int_equal(now(s->h, s->a, &waits).state, UPLOAD_GONE);
	assert_int_equal(now(s->h, s->a, &p[0]).state, UPLOAD_COMPLETE);
	assert_int_equal(now(s->h, s->a, &p[2]).state, UPLOAD_OPEN);
	/* What it had is a file without a row now. */
	findings(s, 0, NULL, NULL);
}

/* A file in which the bytes of several lie is missing: all of them say so, and nobody makes anything of what is left, whatever is permitted. */
static void a_shared_file_that_is_lost(void **state)
{
	struct scene *s = *state;
	char path[512];
	struct upload p[3] = {a_part(s, "first ", 0), a_part(s, "second ", 0), a_part(s, "third", 1)}, whole = a_final(s, p, 2), waits = a_final(s, p, 3);
	part_path(s, now(s->h, s->a, &p[0]).file, path);
	assert_int_equal(unlink(path), 0);
	FINDS(s, "part-missing", p[0].id);
	FINDS(s, "part-missing", p[1].id);
	assert_int_equal(RUN(s, "check", "--repair", "--shorten"), 1);
	FINDS(s, "part-missing", p[0].id);
	/* The finished file has another name. */
	gives(s->h, s->a, &whole, "first second ");
	log_level_set((enum log_level)(LOG_ERROR + 1));
	struct append_cmd append = {.offset = 4, .length = LENGTH_UNKNOWN, .body = 1, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	source_mem_init(&body, "d", 1);
	assert_int_equal(upload_append(s->h, s->a, p[2].n, &append, &body.s, &out), ERR_OK);
	assert_int_not_equal(upload_finish(s->h, p[2].n), ERR_OK);
	log_level_set(LOG_ERROR);
	assert_int_equal(now(s->h, s->a, &waits).state, UPLOAD_OPEN);
	/* Somebody brings it back. */
	char done[700];
	snprintf(done, sizeof done, "%s/%s/completed/upload", s->cfg->done_dir, whole.id);
	assert_int_equal(link(done, path), 0);
	assert_int_equal(upload_finish(s->h, waits.n), ERR_OK);
	gives(s->h, s->a, &waits, "first second third");
	IS_SOUND(s);
}

#define S_(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S_(it_all_comes_back), S_(rows_that_name_nothing_are_told), S_(a_final_without_a_part_is_given_up), S_(a_shared_file_that_is_lost),
	};
	return cmocka_run_group_tests_name("tusctl and parts", tests, NULL, NULL);
}
