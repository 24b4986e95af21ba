/*
 * test_backup_races.c - what a living server does between two steps of a backup: done by a tactic of the shim, in the middle of its copying.
 */
#include "base/clock.h"
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

static struct store *rows;

static void copy_rows(void)
{
	char dir[400], db[500];
	snprintf(dir, sizeof dir, "%s/copy", s->dir);
	snprintf(db, sizeof db, "%s/tus.db", dir);
	assert_int_equal(mkdir(dir, 0750), 0);
	assert_int_equal(store_snapshot(s->h->db, db), ERR_OK);
	assert_int_equal(store_open(&(struct store_options){.dir = dir, .readers = 2}, &rows), ERR_OK);
}

/* Copies what the copied rows speak of, while others do that. */
static enum err copy_files(enum shim_point at, const char *path, int nth, void (*other)(void), struct clone_count *n)
{
	char parts[400], done[400];
	struct blobs *to;
	snprintf(parts, sizeof parts, "%s/copy/parts", s->dir);
	snprintf(done, sizeof done, "%s/copy/done", s->dir);
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

static struct upload one;

static void delete_upload(void)
{
	assert_int_equal(upload_remove(s->h, s->a, one.id), ERR_OK);
}

static void finish_and_delete(void)
{
	struct recording r;
	int64_t n = the_session(s, SID).n;
	assert_int_equal(session_finish(s->h, n), ERR_OK);
	assert_int_equal(store_recording_of_session(s->h->db, s->a, n, &r), ERR_OK);
	assert_int_equal(recording_remove(s->h, s->a, &r), ERR_OK);
}

static void finish_and_go_on(void)
{
	assert_int_equal(session_finish(s->h, the_session(s, SID).n), ERR_OK);
	a_chunk(s, SID, 2, "three");
	a_chunk(s, SID, 0, "LONGER");
	stop();
}

/* ---- chunks ---- */

/* The chunk is replaced, and joined into the place from which it is being copied: half of each is no chunk that anybody sent. */
static void a_chunk_is_joined_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "first");
	copy_rows();
	assert_int_equal(copy_files(SHIM_COPY, ".part", 2, other_bytes, &n), ERR_AGAIN);
}

/* Nothing was replaced: what was copied is good. */
static void a_session_ends_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "first");
	a_chunk(s, SID, 1, "second");
	copy_rows();
	assert_int_equal(copy_files(SHIM_COPY, ".part", 2, stop, &n), ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.part_bytes, 11);
}

/* It is being finished in the copied rows; since then it is finished, goes on, a chunk is replaced by a longer one, and all is joined into another file. What lies now
 * where the chunk lay was never the chunk. */
static void a_finished_session_is_joined_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	struct session_close c = {.n = the_session(s, SID).n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(s->h->db, &c), ERR_OK);
	an_upload(s, 6, "abc");         /* whose bytes are copied first */
	copy_rows();
	assert_int_equal(copy_files(SHIM_COPY, ".part", 1, finish_and_go_on, &n), ERR_AGAIN);
}

/* ---- what is deleted ---- */

/* Its row was read, its file not yet opened: that is no damage. */
static void an_upload_is_deleted_under_the_copy(void **state)
{
	struct append_cmd append = {.offset = 3, .length = LENGTH_UNKNOWN, .body = 3, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	struct clone_count n;
	(void)state;
	one = an_upload(s, 6, "abc");
	copy_rows();
	source_mem_init(&body, "def", 3);
	assert_int_equal(upload_append(s->h, s->a, one.n, &append, &body.s, &out), ERR_OK);
	assert_int_equal(upload_finish(s->h, one.n), ERR_OK);
	assert_int_equal(copy_files(SHIM_STEP, "FROM recording WHERE upload=?1 AND upload>0", 1, delete_upload, &n), ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.vanished, 1);
}

/* In the copied rows it is being finished anew; its chunks are copied when it ends, and is deleted. */
static void a_recording_is_deleted_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	a_chunk(s, SID, 0, "one");
	stop();
	a_chunk(s, SID, 1, "two");
	struct session_close c = {.n = the_session(s, SID).n, .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(s->h->db, &c), ERR_OK);
	an_upload(s, 3, "abc");         /* its file is copied before */
	copy_rows();
	assert_int_equal(copy_files(SHIM_RENAME, ".a.txt.link", 1, finish_and_delete, &n), ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.vanished, 1);
	assert_int_equal(n.recordings, 1);
}

/* ---- concatenation ---- */

static struct upload part_of[3], final_of;

/* A part of n bytes, all but the last `less` of which are there; deferred: its length is not. */
static struct upload a_part(const char *p, int less, bool deferred)
{
	int64_t n = (int64_t)strlen(p);
	struct create_cmd cmd = {.owner = "", .length = deferred ? LENGTH_UNKNOWN : n, .concat = CONCAT_PARTIAL};
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = n - less, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	struct upload u;
	assert_int_equal(upload_create(s->h, s->a, &cmd, &u), ERR_OK);
	source_mem_init(&body, p, (size_t)(n - less));
	assert_int_equal(upload_append(s->h, s->a, u.n, &append, &body.s, &out), ERR_OK);
	return u;
}

static struct upload a_final(const struct upload *parts, int n)
{
	struct create_cmd cmd = {.owner = "", .concat = CONCAT_FINAL, .concat_text = "final;", .part = parts, .nparts = n};
	struct upload u;
	assert_int_equal(upload_create(s->h, s->a, &cmd, &u), ERR_OK);
	return u;
}

/* With its last byte x, which is the end. */
static void complete_part(const struct upload *part)
{
	struct upload u;
	struct append_out out;
	struct source_mem body;
	assert_int_equal(store_upload_by_n(s->h->db, s->a, part->n, &u), ERR_OK);
	struct append_cmd append = {.offset = u.offset, .length = u.offset + 1, .body = 1, .max_size = 1 << 20};
	source_mem_init(&body, "x", 1);
	assert_int_equal(upload_append(s->h, s->a, u.n, &append, &body.s, &out), ERR_OK);
	assert_int_equal(upload_finish(s->h, u.n), ERR_OK);
}

static void drop(const struct upload *u)
{
	assert_int_equal(upload_remove(s->h, s->a, u->id), ERR_OK);
}

static void nothing(void)
{
}

static enum upload_state copied_state(int64_t n)
{
	char dir[400];
	struct upload u;
	struct store *copy;
	snprintf(dir, sizeof dir, "%s/copy", s->dir);
	assert_int_equal(store_open(&(struct store_options){.dir = dir, .readers = 2}, &copy), ERR_OK);
	assert_int_equal(store_upload_by_n(copy, s->a, n, &u), ERR_OK);
	store_close(copy);
	return u.state;
}

static void copied_bytes(int64_t file, int64_t base, const char *want)
{
	char path[500], have[40] = "";
	snprintf(path, sizeof path, "%s/copy/parts/parts/shard_0000/%lld.part", s->dir, (long long)file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, have, strlen(want), base), strlen(want));
	close(fd);
	assert_string_equal(have, want);
}

/* In the copied rows the final one waits, and keeps the bytes of a part that is deleted; both are gone since. */
static void a_final_is_deleted_under_the_copy(void **state)
{
	struct clone_count n;
	(void)state;
	part_of[0] = a_part("first", 0, false);
	part_of[1] = a_part("secondx", 1, false);
	final_of = a_final(part_of, 2);
	drop(&part_of[0]);
	an_upload(s, 6, "abc");
	copy_rows();
	drop(&final_of);
	assert_int_equal(copy_files(SHIM_COPY, ".part", 1, nothing, &n), ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(copied_state(final_of.n), UPLOAD_GONE);
	assert_int_equal(copied_state(part_of[1].n), UPLOAD_OPEN);
}

/* Its bytes lie in the final one behind those of a part whose length the copied rows do not know. */
static void a_deleted_part_is_found_in_its_final(void **state)
{
	struct clone_count n;
	struct upload third;
	(void)state;
	part_of[0] = a_part("first-x", 1, true);
	part_of[1] = a_part("2", 0, false);
	part_of[2] = a_part("third", 0, false);
	final_of = a_final(part_of, 3);
	drop(&part_of[2]);
	copy_rows();
	complete_part(&part_of[0]);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, part_of[2].n, &third), ERR_OK);
	assert_int_equal(third.own, OWN_NOT);
	assert_int_equal(copy_files(SHIM_COPY, ".part", 1, nothing, &n), ERR_OK);
	assert_int_equal(n.damaged + n.vanished, 0);
	copied_bytes(part_of[2].file, 0, "third");
}

#define R_(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		R_(a_chunk_is_joined_under_the_copy), R_(a_session_ends_under_the_copy), R_(a_finished_session_is_joined_under_the_copy),
		R_(an_upload_is_deleted_under_the_copy), R_(a_recording_is_deleted_under_the_copy),
		R_(a_final_is_deleted_under_the_copy), R_(a_deleted_part_is_found_in_its_final),
	};
	return cmocka_run_group_tests_name("backup races", tests, NULL, NULL);
}
