/*
 * test_races.c - what another process does between two steps of ours, at the worst moment: done by a tactic of the shim, in the middle of our call.
 */
#include <errno.h>

#include "tests/http/kit.h"
#include "tests/shim/shim.h"
#include "upload/upload_priv.h"

#define SID "race"

static struct kit *k;

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_EXPIRATION=3600");
	return 0;
}

static int end(void **state)
{
	(void)state;
	shim_use(NULL, NULL);
	kit_done(k);
	return 0;
}

/* ---- the moment ---- */

/* Once before a call at this point whose path ends so; and calls at `fails` with `failing` in their path fail, for ever. */
static struct {
	enum shim_point at, fails;
	const char *path, *failing;
	void (*other)(void);
	int code;
	int came;
} moment;

static bool ends(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);
	return n >= m && strcmp(path + n - m, end) == 0;
}

static bool before(struct shim_call *c)
{
	if (moment.other && c->point == moment.at && c->path && ends(c->path, moment.path)) {
		void (*other)(void) = moment.other;
		moment.other = NULL;
		moment.came++;
		other();
	}
	if (!moment.failing || c->point != moment.fails || !c->path || !strstr(c->path, moment.failing))
		return true;
	moment.came++;
	errno = moment.code;
	return false;
}

static const struct shim_tactic tactic = {.name = "races", .before = before};

static void at(enum shim_point point, const char *path, void (*other)(void))
{
	moment = (typeof(moment)){.at = point, .path = path, .other = other};
	shim_use(&tactic, k->dir);
}

static void fails(enum shim_point point, const char *path, int code)
{
	moment = (typeof(moment)){.fails = point, .failing = path, .code = code};
	shim_use(&tactic, k->dir);
}

/* It was reached: a test whose moment never comes proves nothing. */
static void over(void)
{
	shim_use(NULL, NULL);
	assert_true(moment.came > 0);
}

/* ---- what others do ---- */

static void take(const char *bytes, const char *name)
{
	/* It may come to us in the middle of a request. */
	struct kit *other = kit_client(k);
	EXPECT(other, 200, kit_chunk(other, SID, 0, 0, bytes, strlen(bytes), false));
	EXPECT(other, 200, kit_complete(other, SID, name, NULL));
	kit_done(other);
}

static void reaper(void)
{
	kit_reap(k);
}

static bool there(const char *disk)
{
	char path[400];
	snprintf(path, sizeof path, "%s/uploaded_data/" SID "/completed/%s", k->dir, disk);
	return access(path, F_OK) == 0;
}

static void gives(const char *name, const char *bytes)
{
	char url[100];
	snprintf(url, sizeof url, "/recordings/" SID "/%s", name);
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, strlen(bytes));
	assert_memory_equal(k->body, bytes, k->len);
}

static int trash(void)
{
	struct trash t[8];
	int found;
	assert_int_equal(store_trash(kit_house(k)->db, k->a, t, 8, &found), ERR_OK);
	return found;
}

static struct session newest(void)
{
	struct session s;
	int found;
	assert_int_equal(store_session_takes(kit_house(k)->db, k->a, SID, &s, 1, &found), ERR_OK);
	return s;
}

/* ---- one name, two removers ---- */

static void reaped_and_recorded_anew(void)
{
	kit_reap(k);
	take("the second", "a.webm");
}

/* The reaper removes what a DELETE is about to remove, and the name is given away: the DELETE must not remove the next one's file. */
static void a_name_has_one_remover(void **state)
{
	(void)state;
	take("another", "z.webm");     /* their folder stays */
	take("the first", "a.webm");
	at(SHIM_UNLINK, "completed/a.webm", reaped_and_recorded_anew);
	EXPECT(k, 200, kit_raw(k, "DELETE", "/recordings/" SID "/a.webm", "", NULL, 0));
	over();
	kit_reap(k);
	assert_int_equal(trash(), 0);
	/* The name was not free yet, or it is the second one's now. */
	gives(there("a.webm") ? "a.webm" : "a%20%282%29.webm", "the second");
}

/* He read the list when the name was in it, and comes when it is somebody else's. */
static void a_late_remover_removes_nothing(void **state)
{
	(void)state;
	take("the first", "a.webm");
	EXPECT(k, 200, kit_raw(k, "DELETE", "/recordings/" SID "/a.webm", "", NULL, 0));
	take("the second", "a.webm");
	assert_int_equal(finished_remove(kit_house(k), SID, "a.webm"), ERR_OK);
	gives("a.webm", "the second");
}

/* ---- renaming ---- */

/* The recorder comes back between our look at a recovered recording and our renaming, and stops again: what he sent is in the file, under the name that he gave. */
static void a_rename_meets_a_finishing(void **state)
{
	struct recording r;
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	clock_shift(2 * 86400);
	kit_reap(k);
	struct session s = newest();
	assert_int_equal(s.state, SESSION_RECOVERED);
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
	struct session_close c = {.n = s.n, .name = "b.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(k)->db, &c), ERR_OK);
	assert_int_equal(recording_rename(kit_house(k), k->a, &s, "c.webm", NULL, &r), ERR_LOCKED);
	assert_false(there("c.webm"));
	assert_int_equal(trash(), 0);
	assert_int_equal(session_finish(kit_house(k), s.n), ERR_OK);
	gives("b.webm", "one two");
	assert_int_equal(newest().state, SESSION_COMPLETE);
}

/* ---- names that are on their way out ---- */

/* What can be watched of a recording with holes has a name that its data give: it waits until the name is free, and takes nobody's file. */
static void a_run_waits_for_its_name(void **state)
{
	struct recording r, page[4];
	int found;
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	EXPECT(k, 200, kit_chunk(k, SID, 2, 0, "three", 5, false));
	clock_shift(2 * 86400);
	kit_reap(k);
	assert_int_equal(store_recordings(kit_house(k)->db, k->a, NULL, 0, page, 4, &found), ERR_OK);
	assert_int_equal(found, 2);
	/* Deleted by its owner; the file stays for a while. */
	r = page[0];
	fails(SHIM_UNLINK, r.disk, EIO);
	assert_int_not_equal(recording_remove(kit_house(k), k->a, &r), ERR_OK);
	assert_int_equal(trash(), 1);
	EXPECT(k, 200, kit_chunk(k, SID, 4, 0, "five", 4, false));
	clock_shift(5 * 86400);
	log_level_set(LOG_ERROR + 1);
	kit_reap(k);
	log_level_set(LOG_ERROR);
	assert_int_equal(trash(), 1);
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, r.disk, page), ERR_NOT_FOUND);
	over();
	kit_reap(k);
	assert_int_equal(trash(), 0);
	kit_reap(k);
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, r.disk, page), ERR_OK);
	assert_true(there(r.disk));
}

/* A finishing that had its file's name but no row is given up: the file goes too, whoever dies meanwhile. */
static void what_was_given_up_leaves_no_file(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	struct session s = newest();
	struct session_close c = {.n = s.n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(k)->db, &c), ERR_OK);
	assert_int_equal(blob_publish(kit_house(k)->blobs, s.file, 3, SID, "a.webm"), ERR_OK);
	/* It can neither be finished, for want of room for its note, nor removed. */
	fails(SHIM_OPEN, "meta.json", ENOSPC);
	log_level_set(LOG_ERROR + 1);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	over();
	log_level_set(LOG_ERROR);
	assert_int_equal(newest().state, SESSION_GONE);
	assert_false(there("a.webm"));
	assert_int_equal(trash(), 0);
}

static void what_was_given_up_is_removed_later(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	struct session s = newest();
	struct session_close c = {.n = s.n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(k)->db, &c), ERR_OK);
	assert_int_equal(blob_publish(kit_house(k)->blobs, s.file, 3, SID, "a.webm"), ERR_OK);
	assert_int_equal(store_session_failed(kit_house(k)->db, s.n, true), ERR_OK);
	fails(SHIM_UNLINK, "a.webm", EIO);
	log_level_set(LOG_ERROR + 1);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	kit_reap(k);
	over();
	log_level_set(LOG_ERROR);
	assert_true(there("a.webm"));
	assert_int_equal(newest().state, SESSION_GONE);
	reaper();
	assert_false(there("a.webm"));
	assert_int_equal(trash(), 0);
}

#define R_(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		R_(a_name_has_one_remover), R_(a_late_remover_removes_nothing), R_(a_rename_meets_a_finishing), R_(a_run_waits_for_its_name),
		R_(what_was_given_up_leaves_no_file), R_(what_was_given_up_is_removed_later),
	};
	return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
