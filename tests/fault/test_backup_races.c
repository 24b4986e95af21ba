/*
 * test_backup_races.c - what a living server does between two steps of a backup: done by a tactic of the shim, in the middle of its copying.
 */
#include "tests/contract/ctl_kit.h"
#include "tests/shim/shim.h"
#include "upload/clone.h"

static struct scene *s;

static int begin(void **state)
{
	int rc = scene_open(state);
	s = *state;
	return rc;
}

static int end(void **state)
{
	shim_use(NULL, NULL);
	return scene_close(state);
}

/* ---- the moment ---- */

/* Before the nth call at this point whose path ends so; the calls before it copy two bytes each. */
static struct {
	enum shim_point at;
	int left;
	const char *path;
	void (*other)(void);
} moment;

static bool ends(const char *path, const char *end)
{
	size_t n = path ? strlen(path) : 0, m = strlen(end);
	return n >= m && strcmp(path + n - m, end) == 0;
}

static bool before(struct shim_call *c)
{
	if (moment.left == 0 || c->point != moment.at || !ends(c->path, moment.path))
		return true;
	if (--moment.left == 0)
		moment.other();
	else if (c->point == SHIM_COPY)
		c->len = 2;
	return true;
}

static const struct shim_tactic tactic = {.name = "backup", .before = before};

/* Copies what the rows of now speak of, while others do that. */
static enum err backup(enum shim_point at, const char *path, int nth, void (*other)(void), struct clone_count *n)
{
	char dir[400], db[500], parts[500], done[500];
	struct store *rows;
	struct blobs *to;
	snprintf(dir, sizeof dir, "%s/copy", s->dir);
	snprintf(db, sizeof db, "%s/tus.db", dir);
	snprintf(parts, sizeof parts, "%s/parts", dir);
	snprintf(done, sizeof done, "%s/done", dir);
	assert_int_equal(mkdir(dir, 0750), 0);
	assert_int_equal(store_snapshot(s->h->db, db), ERR_OK);
	assert_int_equal(store_open(&(struct store_options){.dir = dir, .readers = 2}, &rows), ERR_OK);
	assert_int_equal(blobs_open(parts, done, &to), ERR_OK);
	moment = (typeof(moment)){.at = at, .left = nth, .path = path, .other = other};
	shim_use(&tactic, s->dir);
	enum err e = clone_files(s->h, rows, to, n);
	shim_use(NULL, NULL);
	/* A test whose moment never comes proves nothing. */
	assert_int_equal(moment.left, 0);
	blobs_close(to);
	store_close(rows);
	return e;
}

/* ---- what others do ---- */

static void stop(void)
{
	struct complete_cmd cmd = {.sid = SID, .name = "a.webm", .file_size = -1};
	struct complete_out out;
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	if (out.finish_session)
		assert_int_equal(session_finish(s->h, out.finish_session), ERR_OK);
}

static void other_bytes(void)
{
	a_chunk(s, SID, 0, "OTHER");
	stop();
}

/* ---- chunks ---- */

/* The chunk is replaced, and joined into the place from which it is being copied: half of each is no chunk that anybody sent. */
static void a_chunk_is_joined_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "first");
	assert_int_equal(backup(SHIM_COPY, ".part", 2, other_bytes, &n), ERR_AGAIN);
}

/* Nothing was replaced: what was copied is good. */
static void a_session_ends_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "first");
	a_chunk(s, SID, 1, "second");
	assert_int_equal(backup(SHIM_COPY, ".part", 2, stop, &n), ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.part_bytes, 11);
}

#define R_(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		R_(a_chunk_is_joined_under_the_copy), R_(a_session_ends_under_the_copy),
	};
	return cmocka_run_group_tests_name("backup races", tests, NULL, NULL);
}
