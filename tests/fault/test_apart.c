/*
 * test_apart.c - finishing between two devices: what there is of a copy that came to nothing does not keep a full disk full.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

#include "blob/blob_priv.h"
#include "tests/http/kit.h"
#include "tests/shim/shim.h"
#include "upload/upload_priv.h"

#define SID "apart"
#define HOURS 3600

static struct kit *k;
static int64_t room = -1, room_of_parts = -1;     /* bytes that are free for finished files and for parts, as the application is told; -1: the truth */

/* Comes before libc's. */
int fstatvfs(int fd, struct statvfs *v)
{
	char path[40], dir[400] = "";
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int rc = statvfs(path, v);
	ssize_t n = readlink(path, dir, sizeof dir - 1);
	int64_t told = n > 6 && strcmp(dir + n - 6, "/parts") == 0 ? room_of_parts : room;
	if (told >= 0) {
		v->f_frsize = 1;
		v->f_bavail = (fsblkcnt_t)told;
	}
	return rc;
}

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_EXPIRATION=3600");
	log_level_set(LOG_ERROR + 1);
	atomic_store(&kit_house(k)->blobs->same_device, false);
	return 0;
}

static int end(void **state)
{
	(void)state;
	shim_use(NULL, NULL);
	room = room_of_parts = -1;
	kit_done(k);
	return 0;
}

/* ---- a disk that is full after two bytes ---- */

static int copied;

static bool before(struct shim_call *c)
{
	if (c->point != SHIM_COPY || !c->path || !strstr(c->path, ".copy"))
		return true;
	c->len = 2;
	errno = ENOSPC;
	return copied++ == 0;
}

static const struct shim_tactic full = {.name = "full", .before = before};

static void fill_up(void)
{
	copied = 0;
	shim_use(&full, k->dir);
}

/* ---- copies ---- */

static const char *copy_path(const char *sid, int64_t file)
{
	static char path[500];
	snprintf(path, sizeof path, "%s/uploaded_data/%s/completed/.%lld.copy", k->dir, sid, (long long)file);
	return path;
}

static bool copy_is_there(const char *sid, int64_t file)
{
	return access(copy_path(sid, file), F_OK) == 0;
}

/* As a process that was killed leaves it. */
static void half_copy(const char *sid, int64_t file, const char *bytes)
{
	int fd;
	assert_int_equal(blob_note(kit_house(k)->blobs, sid, "x", "{}"), ERR_OK);
	fd = open(copy_path(sid, file), O_WRONLY | O_CREAT, 0640);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, strlen(bytes)), strlen(bytes));
	close(fd);
}

static struct session stopped(void)
{
	struct session s;
	int found;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "the bytes", 9, false));
	assert_int_equal(store_session_takes(kit_house(k)->db, k->a, SID, &s, 1, &found), ERR_OK);
	struct session_close c = {.n = s.n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(k)->db, &c), ERR_OK);
	return s;
}

/* Whole, but nobody has come to finish it. */
static struct upload whole(void)
{
	struct create_cmd cmd = {.owner = "", .length = 9};
	struct upload u;
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = 9, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem m;
	source_mem_init(&m, "the bytes", 9);
	assert_int_equal(upload_create(kit_house(k), k->a, &cmd, &u), ERR_OK);
	fill_up();
	upload_append(kit_house(k), k->a, u.n, &append, &m.s, &out);
	assert_int_equal(upload_finish(kit_house(k), u.n), ERR_NO_SPACE);
	shim_use(NULL, NULL);
	assert_int_equal(store_upload_by_n(kit_house(k)->db, k->a, u.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_FINISHING);
	return u;
}

/* ---- the tests ---- */

static void a_copy_that_failed_is_not_kept(void **state)
{
	(void)state;
	struct session s = stopped();
	fill_up();
	assert_int_equal(session_finish(kit_house(k), s.n), ERR_NO_SPACE);
	shim_use(NULL, NULL);
	assert_int_equal(copied, 2);
	assert_false(copy_is_there(SID, s.file));
	kit_reap(k);
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm"));
	assert_int_equal(k->len, 9);
}

/* What is finished makes room there. */
static void full_parts_keep_nothing_from_being_finished(void **state)
{
	(void)state;
	struct session s = stopped();
	room_of_parts = 0;
	room = 9;
	assert_int_equal(session_finish(kit_house(k), s.n), ERR_OK);
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm"));
}

static void a_half_copy_needs_room_for_the_rest(void **state)
{
	(void)state;
	struct session s = stopped();
	half_copy(SID, s.file, "the b");
	room = 4;
	assert_int_equal(session_finish(kit_house(k), s.n), ERR_OK);
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm"));
	assert_memory_equal(k->body, "the bytes", 9);
}

/* What is there of it would keep the disk full. */
static void a_half_copy_without_room_is_not_kept(void **state)
{
	(void)state;
	struct session s = stopped();
	half_copy(SID, s.file, "the b");
	room = 3;
	assert_int_equal(session_finish(kit_house(k), s.n), ERR_NO_SPACE);
	assert_false(copy_is_there(SID, s.file));
}

static void deleting_an_upload_frees_its_copy(void **state)
{
	struct upload u = whole();
	(void)state;
	half_copy(u.id, u.file, "");
	assert_int_equal(upload_remove(kit_house(k), k->a, u.id), ERR_OK);
	assert_false(copy_is_there(u.id, u.file));
}

static void cancelling_a_session_frees_its_copy(void **state)
{
	(void)state;
	struct session s = stopped();
	half_copy(SID, s.file, "");
	/* Its bytes were lost: nobody goes on with the copy. */
	assert_int_equal(store_session_failed(kit_house(k)->db, s.n, true), ERR_OK);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	assert_false(copy_is_there(SID, s.file));
}

static void the_reaper_removes_what_nobody_goes_on_with(void **state)
{
	struct hold *making;
	int64_t file;
	(void)state;
	struct session s = stopped();
	assert_int_equal(store_session_failed(kit_house(k)->db, s.n, true), ERR_OK);
	half_copy(SID, s.file, "");
	half_copy("other", 4711, "");
	assert_int_equal(file_take(kit_house(k), &file, &making), ERR_OK);
	half_copy("other", file, "");
	kit_reap(k);
	assert_true(copy_is_there("other", 4711));
	clock_shift(2 * HOURS);
	assert_int_equal(kit_reap(k).orphans, 1);
	assert_false(copy_is_there("other", 4711));
	assert_true(copy_is_there("other", file));      /* somebody makes it */
	assert_true(copy_is_there(SID, s.file));        /* a row has the file */
	hold_drop(making);
	assert_int_equal(kit_reap(k).orphans, 1);
	assert_false(copy_is_there("other", file));
}

/* As whoever died behind his last commit leaves it, of a recording that was joined anew. */
static void a_finished_recording_needs_no_part(void **state)
{
	struct session s;
	int found;
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	EXPECT(k, 200, kit_complete(k, SID, "a.webm", NULL));
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "X", 1, false));
	EXPECT(k, 200, kit_complete(k, SID, "a.webm", NULL));
	assert_int_equal(store_session_takes(kit_house(k)->db, k->a, SID, &s, 1, &found), ERR_OK);
	assert_int_equal(blob_unpublish(kit_house(k)->blobs, SID, "a.webm", s.file), ERR_OK);
	assert_int_equal(kit_parts(k), 1);
	clock_shift(2 * HOURS);
	kit_reap(k);
	assert_int_equal(kit_parts(k), 0);
	/* nor to go on */
	EXPECT(k, 200, kit_chunk(k, SID, 2, 0, "!", 1, false));
	EXPECT(k, 200, kit_complete(k, SID, "a.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm"));
	assert_int_equal(k->len, 6);
	assert_memory_equal(k->body, "X two!", 6);
}

/* Who asks an upload that has all its bytes, and whose process died before it said so, completes it; the copy comes behind the answer. */
static void a_head_leaves_nothing_unfinished(void **state)
{
	struct upload u;
	struct create_cmd w = {.owner = "", .length = 5};
	char url[100];
	int fd;
	size_t written;
	(void)state;
	assert_int_equal(upload_create(kit_house(k), k->a, &w, &u), ERR_OK);
	assert_int_equal(blob_open(kit_house(k)->blobs, u.file, true, &fd), ERR_OK);
	assert_int_equal(blob_write(fd, "hello", 5, 0, &written), ERR_OK);
	assert_int_equal(blob_sync(fd), ERR_OK);
	blob_close(fd);
	struct upload_move m = {.n = u.n, .old = 0, .offset = 5, .writing = true, .now = clock_now(), .expires = -1};
	assert_int_equal(store_upload_move(kit_house(k)->db, &m), ERR_OK);
	snprintf(url, sizeof url, "/files/%s", u.id);
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	assert_int_equal(store_upload_by_n(kit_house(k)->db, k->a, u.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
}

#define A_(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		A_(a_copy_that_failed_is_not_kept), A_(full_parts_keep_nothing_from_being_finished), A_(a_half_copy_needs_room_for_the_rest), A_(a_half_copy_without_room_is_not_kept),
		A_(deleting_an_upload_frees_its_copy), A_(cancelling_a_session_frees_its_copy),
		A_(the_reaper_removes_what_nobody_goes_on_with), A_(a_head_leaves_nothing_unfinished), A_(a_finished_recording_needs_no_part),
	};
	return cmocka_run_group_tests_name("two devices", tests, NULL, NULL);
}
