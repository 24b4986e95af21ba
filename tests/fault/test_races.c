/*
 * test_races.c - what another process does between two steps of ours, at the worst moment: done by a tactic of the shim, in the middle of our call.
 */
#include <errno.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/digest.h"
#include "blob/blob_priv.h"
#include "tests/http/kit.h"
#include "tests/shim/shim.h"
#include "upload/upload_priv.h"

#define SID "race"
#define UPLOAD_FILES "AND own=1 ORDER BY idx LIMIT ?3"     /* the last question about what a session has */

static struct kit *k, *other;     /* over the same data, as of two processes */

/* ---- the moment ---- */

/* Once before (after) a call at point `at` one of whose paths ends so, act is called; calls at `fails` with `failing` in their path fail, for ever. */
static struct {
	enum shim_point at, fails;
	const char *path, *failing;
	bool behind;
	void (*act)(void);
	char name[256];             /* last part of the path that it was */
	int code, came, failed;
} moment;

static bool ends(const char *path, const char *end)
{
	size_t n = path ? strlen(path) : 0, m = strlen(end);
	bool yes = n >= m && strcmp(path + n - m, end) == 0;
	if (yes && strchr(path, '/'))
		snprintf(moment.name, sizeof moment.name, "%s", strrchr(path, '/') + 1);
	return yes;
}

static void come(const struct shim_call *c, bool behind)
{
	if (!moment.act || moment.behind != behind || c->point != moment.at || (!ends(c->path, moment.path) && !ends(c->path2, moment.path)))
		return;
	void (*act)(void) = moment.act;
	moment.act = NULL;
	moment.came++;
	act();
}

static bool before(struct shim_call *c)
{
	come(c, false);
	if (!moment.failing || c->point != moment.fails || !c->path || !strstr(c->path, moment.failing))
		return true;
	moment.failed++;
	c->len = moment.code;       /* SQLite's way */
	errno = moment.code;
	return false;
}

static void after(const struct shim_call *c, int64_t rc)
{
	if (c->point != SHIM_STEP || rc == SQLITE_DONE)
		come(c, true);
}

static const struct shim_tactic tactic = {.name = "races", .before = before, .after = after};

static void at(enum shim_point point, const char *path, void (*act)(void))
{
	moment.at = point;
	moment.path = path;
	moment.act = act;
	shim_use(&tactic, k->dir);
}

static void fails(enum shim_point point, const char *path, int code)
{
	moment.fails = point;
	moment.failing = path;
	moment.code = code;
	shim_use(&tactic, k->dir);
}

/* It was reached: a test whose moment never comes proves nothing. */
static void over(void)
{
	shim_use(NULL, NULL);
	assert_true((!moment.path || moment.came > 0) && (!moment.failing || moment.failed > 0));
	memset(&moment, 0, sizeof moment);
}

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_EXPIRATION=3600", "LOCK_WAIT_MS=50");
	other = kit_client(k);
	log_level_set(LOG_ERROR);
	return app_open(k->cfg, false, &other->app);
}

static int end(void **state)
{
	(void)state;
	shim_use(NULL, NULL);
	memset(&moment, 0, sizeof moment);
	app_close(other->app);
	kit_done(other);
	kit_done(k);
	return 0;
}

/* ---- what others do ---- */

static void take(const char *bytes, const char *name)
{
	EXPECT(other, 200, kit_chunk(other, SID, 0, 0, bytes, strlen(bytes), false));
	EXPECT(other, 200, kit_complete(other, SID, name, NULL));
}

/* -1: there is none. */
static int size_of(const char *disk)
{
	char path[400];
	struct stat st;
	snprintf(path, sizeof path, "%s/uploaded_data/" SID "/completed/%s", k->dir, disk);
	return stat(path, &st) == 0 ? (int)st.st_size : -1;
}

static bool there(const char *disk)
{
	return size_of(disk) >= 0;
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
	kit_reap(other);
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

static void named_so_and_deleted(void)
{
	take("the second", "b.webm");
	struct recording r;
	if (store_recording_get(kit_house(other)->db, other->a, SID, "b.webm", &r) == ERR_OK)
		assert_int_equal(recording_remove(kit_house(other), other->a, &r), ERR_OK);
}

/* Another take gets the name that we are about to give, and is deleted, name and all. */
static void a_new_name_is_nobody_elses(void **state)
{
	(void)state;
	take("the first", "a.webm");
	at(SHIM_RENAME, "completed/b.webm.meta.json", named_so_and_deleted);
	EXPECT(k, 200, kit_complete(k, SID, "b.webm", NULL));
	over();
	gives("b.webm", "the first");
	gives("b%20%282%29.webm", "the second");
}

/* ---- removing ---- */

static void chunk_ends(void)
{
	EXPECT(other, 204, kit_tus(other, "PATCH", "/files/" SID "/chunks/0", "Upload-Offset: 4\n", "time", 4));
}

/* A chunk with other bytes becomes a take of its own while the recording that it was sent for is deleted. */
static void a_deleted_recording_takes_no_others_chunk(void **state)
{
	struct session s;
	struct recording r;
	struct chunk c;
	int fd;
	(void)state;
	take("somebody", "a.webm");
	EXPECT(k, 201, kit_tus(k, "POST", "/files/" SID "/chunks/", "Upload-Length: 8\nUpload-Metadata: chunkIndex MA==\n", NULL, 0));
	EXPECT(k, 204, kit_tus(k, "PATCH", "/files/" SID "/chunks/0", "Upload-Offset: 0\n", "some", 4));
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, "a.webm", &r), ERR_OK);
	at(SHIM_STEP, UPLOAD_FILES, chunk_ends);
	moment.behind = true;
	assert_int_equal(recording_remove(kit_house(k), k->a, &r), ERR_OK);
	over();
	s = newest();
	assert_int_equal(s.take, 2);
	assert_int_equal(s.done, 1);
	assert_int_equal(store_chunk_get(kit_house(k)->db, s.n, 0, &c), ERR_OK);
	assert_int_equal(chunk_open(kit_house(k), &s, &c, &fd), ERR_OK);
	close(fd);
}

/* ---- names that are on their way out ---- */

static void named_like_the_run(void)
{
	EXPECT(other, 200, kit_chunk(other, SID, 0, 1, "the second", 10, false));
	struct session s = newest();
	struct recording r;
	assert_int_equal(s.take, 2);
	assert_int_equal(recording_rename(kit_house(other), other->a, &s, moment.name, NULL, &r), ERR_OK);
}

/* Somebody calls his recording as a run is about to be called. */
static void a_run_takes_nobodys_name(void **state)
{
	struct recording page[4];
	int found;
	(void)state;
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	EXPECT(k, 200, kit_chunk(k, SID, 2, 0, "three", 5, false));
	clock_shift(2 * 86400);
	at(SHIM_RENAME, "chunks 0-0.webm", named_like_the_run);
	kit_reap(k);
	over();
	kit_reap(k);
	assert_int_equal(store_recordings(kit_house(k)->db, k->a, NULL, 0, page, 4, &found), ERR_OK);
	assert_int_equal(found, 3);
	for (int i = 0; i < found; i++) {
		int fd;
		char bytes[20];
		assert_int_equal(recording_open(kit_house(k), k->a, &page[i], &fd), ERR_OK);
		ssize_t n = read(fd, bytes, sizeof bytes);
		close(fd);
		assert_int_equal(n, page[i].size);
		assert_memory_equal(bytes, n == 3 ? "one" : n == 5 ? "three" : "the second", (size_t)n);
	}
}

static void what_somebody_has_is_not_dropped(void **state)
{
	(void)state;
	take("the first", "a.webm");
	assert_int_equal(finished_drop(kit_house(k), SID, "a.webm"), ERR_CONFLICT);
	gives("a.webm", "the first");
}

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
	log_level_set(LOG_ERROR + 1);
	fails(SHIM_UNLINK, r.disk, EIO);
	assert_int_equal(recording_remove(kit_house(k), k->a, &r), ERR_OK);
	assert_int_equal(trash(), 1);
	EXPECT(k, 200, kit_chunk(k, SID, 4, 0, "five", 4, false));
	clock_shift(5 * 86400);
	kit_reap(k);
	assert_int_equal(trash(), 1);
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, r.disk, page), ERR_NOT_FOUND);
	over();
	kit_reap(k);
	assert_int_equal(trash(), 0);
	kit_reap(k);
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, r.disk, page), ERR_OK);
	assert_true(there(r.disk));
}

/* ---- runs ---- */

static void with_a_hole(void)
{
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	EXPECT(k, 200, kit_chunk(k, SID, 2, 0, "three", 5, false));
	clock_shift(2 * 86400);
}

/* How many recordings there are, and how many of them have these bytes. */
static int recordings(const char *bytes, int *of_these)
{
	struct recording page[8];
	int found;
	*of_these = 0;
	assert_int_equal(store_recordings(kit_house(k)->db, k->a, NULL, 0, page, 8, &found), ERR_OK);
	for (int i = 0; i < found; i++) {
		int fd;
		char b[50];
		assert_int_equal(recording_open(kit_house(k), k->a, &page[i], &fd), ERR_OK);
		ssize_t n = read(fd, b, sizeof b);
		close(fd);
		assert_int_equal(n, page[i].size);
		*of_these += (size_t)n == strlen(bytes) && memcmp(b, bytes, (size_t)n) == 0;
	}
	return found;
}

/* A chunk is replaced after what can be watched was offered: the recorder has no copy of it any more. */
static void a_replaced_chunk_is_offered_too(void **state)
{
	static const char *const again[] = {"REPLACED", "another!", "another!"};
	static const int all[] = {3, 4, 4};
	int of_these;
	(void)state;
	with_a_hole();
	kit_reap(k);
	assert_int_equal(recordings("one", &of_these), 2);
	for (int i = 0; i < 3; i++) {
		clock_shift((3 + 4 * i) * 86400);
		EXPECT(k, 200, kit_chunk(k, SID, 0, 0, again[i], strlen(again[i]), false));
		clock_shift((5 + 4 * i) * 86400);
		kit_reap(k);
		kit_reap(k);
		/* What was offered before stays, and nothing is offered twice. */
		assert_int_equal(recordings(again[i], &of_these), all[i]);
		assert_int_equal(of_these, 1);
	}
	clock_shift(90 * 86400);
	kit_reap(k);
	assert_int_equal(newest().state, SESSION_GONE);
	assert_int_equal(recordings("another!", &of_these), 4);
}

/* Kept no longer than an unfinished upload: to be due is not to have been offered. */
static void runs_are_offered_before_they_go(void **state)
{
	int of_these;
	(void)state;
	k->cfg->session_retention = k->cfg->expiration;
	with_a_hole();
	kit_reap(k);
	assert_int_equal(recordings("one", &of_these), 2);
	kit_reap(k);
	assert_int_equal(newest().state, SESSION_GONE);
	assert_int_equal(recordings("three", &of_these), 2);
}

/* The first one's file can be removed only later. The chunks stay until all are offered. */
static void a_run_that_waits_keeps_up_no_others(void **state)
{
	struct recording page[4];
	int found, of_these;
	(void)state;
	with_a_hole();
	kit_reap(k);
	assert_int_equal(store_recordings(kit_house(k)->db, k->a, NULL, 0, page, 4, &found), ERR_OK);
	assert_int_equal(found, 2);
	log_level_set(LOG_ERROR + 1);
	fails(SHIM_UNLINK, page[1].disk, EIO);
	assert_int_equal(recording_remove(kit_house(k), k->a, &page[1]), ERR_OK);
	EXPECT(k, 200, kit_chunk(k, SID, 2, 0, "THREE", 5, false));
	EXPECT(k, 200, kit_chunk(k, SID, 4, 0, "five", 4, false));
	clock_shift(5 * 86400);
	kit_reap(k);
	recordings("five", &of_these);
	assert_int_equal(of_these, 1);
	assert_int_equal(recordings("THREE", &of_these), 3);
	assert_int_equal(of_these, 1);
	clock_shift(90 * 86400);
	kit_reap(k);
	assert_int_equal(newest().state, SESSION_RECEIVING);
	over();
	kit_reap(k);
	assert_int_equal(trash(), 0);
	kit_reap(k);
	kit_reap(k);
	assert_int_equal(newest().state, SESSION_GONE);
	assert_int_equal(recordings("one", &of_these), 4);
	assert_int_equal(of_these, 1);
}

static void cancel(void)
{
	assert_int_equal(session_cancel(kit_house(other), other->a, SID), ERR_OK);
}

/* Its bytes are copied already. */
static void a_deleted_session_gets_no_runs(void **state)
{
	int of_these;
	(void)state;
	with_a_hole();
	at(SHIM_RENAME, "chunks 0-0.webm", cancel);
	kit_reap(k);
	over();
	assert_int_equal(newest().state, SESSION_GONE);
	assert_int_equal(recordings("", &of_these), 0);
	kit_reap(k);
	assert_int_equal(trash(), 0);
	assert_false(there(""));
}

static void nothing(void)
{
}

static void cancel_and_watch(void)
{
	cancel();
	moment.came = 0;
	at(SHIM_RENAME, "chunks 0-0.webm", nothing);
}

/* Its chunks go while their file is made: an empty one gets no name, not even for a moment. */
static void a_cut_run_is_not_published(void **state)
{
	int of_these;
	(void)state;
	with_a_hole();
	at(SHIM_OPEN, ".part", cancel_and_watch);
	kit_reap(k);
	shim_use(NULL, NULL);
	assert_string_equal(moment.path, "chunks 0-0.webm");
	assert_int_equal(moment.came, 0);
	assert_int_equal(newest().state, SESSION_GONE);
	assert_int_equal(recordings("", &of_these), 0);
	kit_reap(k);
	assert_int_equal(trash(), 0);
}

/* ---- giving up ---- */

/* Has its file's name, but no row. */
static struct session published(void)
{
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	struct session s = newest();
	struct session_close c = {.n = s.n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(k)->db, &c), ERR_OK);
	assert_int_equal(blob_publish(kit_house(k)->blobs, s.file, 3, false, SID, "a.webm"), ERR_OK);
	log_level_set(LOG_ERROR + 1);
	return s;
}

static void finish_too(void)
{
	assert_int_equal(session_finish(kit_house(other), newest().n), ERR_LOCKED);
}

/* It cannot be finished, for want of room for its note, and is given up: its file goes, and nobody finishes it meanwhile. */
static void what_was_given_up_leaves_no_file(void **state)
{
	(void)state;
	published();
	at(SHIM_STEP, UPLOAD_FILES, finish_too);
	fails(SHIM_OPEN, "meta.json", ENOSPC);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	over();
	assert_int_equal(newest().state, SESSION_GONE);
	assert_false(there("a.webm"));
	assert_int_equal(trash(), 0);
}

/* Nor can the file be removed. */
static void what_was_given_up_is_removed_later(void **state)
{
	(void)state;
	struct session s = published();
	assert_int_equal(store_session_failed(kit_house(k)->db, s.n, true), ERR_OK);
	fails(SHIM_UNLINK, "a.webm", EIO);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	kit_reap(k);
	over();
	assert_true(there("a.webm"));
	assert_int_equal(newest().state, SESSION_GONE);
	kit_reap(other);
	assert_false(there("a.webm"));
	assert_int_equal(trash(), 0);
}

/* Nor can the ledger: then nothing has happened, and it is finished when it can be. */
static void what_cannot_be_given_up_is_finished(void **state)
{
	(void)state;
	published();
	fails(SHIM_STEP, "BEGIN IMMEDIATE", SQLITE_FULL);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_NO_SPACE);
	over();
	assert_int_equal(newest().state, SESSION_FINISHING);
	kit_reap(k);
	gives("a.webm", "one");
}

static void what_is_held_is_not_given_up(void **state)
{
	struct hold *hold;
	(void)state;
	struct session s = published();
	assert_int_equal(hold_take(kit_house(other)->holds, HOLD_SESSION(s.n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_LOCKED);
	hold_drop(hold);
	assert_int_equal(newest().state, SESSION_FINISHING);
}

/* ---- finished anew ---- */

/* Goes on, and its first chunk is another one: the new file is made beside the old one. */
static void reopened(const char *rest)
{
	take("one", "a.webm");
	EXPECT(other, 200, kit_chunk(other, SID, 1, 0, rest, strlen(rest), false));
	EXPECT(other, 200, kit_chunk(other, SID, 0, 0, "X", 1, false));
	log_level_set(LOG_ERROR + 1);
}

static void what_was_finished_outlives_a_finishing(void **state)
{
	(void)state;
	reopened(" two");
	fails(SHIM_OPEN, "meta.json", ENOSPC);
	kit_complete(k, SID, "a.webm", NULL);
	assert_int_equal(newest().state, SESSION_FINISHING);
	gives("a.webm", "one");
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	over();
	gives("a.webm", "one");
	assert_int_equal(size_of("a.webm"), 3);
	assert_int_equal(newest().state, SESSION_GONE);
}

static void reaped_much_later(void)
{
	clock_shift(2 * 3600);
	kit_reap(other);
}

/* It has its part file again, but no row says so yet. */
static void what_is_about_to_go_on_is_no_orphan(void **state)
{
	(void)state;
	take("one", "a.webm");
	at(SHIM_LINK, ".part", reaped_much_later);
	moment.behind = true;
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
	over();
	kit_complete(k, SID, "a.webm", NULL);
	gives("a.webm", "one two");
}

static void deleted_meanwhile(void)
{
	struct recording r;
	assert_int_equal(store_recording_get(kit_house(other)->db, other->a, SID, "a.webm", &r), ERR_OK);
	assert_int_equal(recording_remove(kit_house(other), other->a, &r), ERR_OK);
}

/* Its recording is deleted when a chunk comes to go on: like one that comes a moment later it begins a new take. */
static void who_goes_on_with_what_is_deleted_begins_anew(void **state)
{
	(void)state;
	for (int behind = 0; behind < 2; behind++) {
		take("one", "a.webm");
		int64_t before = newest().n;
		at(SHIM_LINK, ".part", deleted_meanwhile);
		moment.behind = behind;
		EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
		over();
		assert_int_not_equal(newest().n, before);
		assert_int_equal(newest().done, 1);
		assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	}
}

/* So does what is written about it. */
static void what_was_finished_keeps_its_note(void **state)
{
	(void)state;
	reopened(" two");
	fails(SHIM_RENAME, ".part", EIO);
	kit_complete(k, SID, "a.webm", NULL);
	assert_int_equal(newest().state, SESSION_FINISHING);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	over();
	gives("a.webm", "one");
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm.meta.json"));
	assert_int_equal(kit_int(k, "file_size_bytes"), 3);
	assert_false(there(".a.webm.meta.json.new"));
}

static void full_from_now_on(void)
{
	fails(SHIM_STEP, "BEGIN IMMEDIATE", SQLITE_FULL);
}

/* The new file is there, and its row cannot follow: nobody gets its bytes for those of the old one, and it is not given up. */
static void a_file_waits_for_its_row(void **state)
{
	(void)state;
	reopened(" two");
	at(SHIM_RENAME, "completed/a.webm", full_from_now_on);
	kit_complete(k, SID, "a.webm", NULL);
	EXPECT(k, 423, kit_get(k, "/recordings/" SID "/a.webm"));
	over();
	fails(SHIM_OPEN, "meta.json", ENOSPC);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_NO_SPACE);
	assert_int_equal(newest().state, SESSION_FINISHING);
	over();
	kit_reap(k);
	gives("a.webm", "X two");
	assert_int_equal(newest().state, SESSION_COMPLETE);
}

static void row_cannot_follow(void)
{
	fails(SHIM_STEP, "UPDATE session SET state=goal", SQLITE_FULL);
}

/* The new file is made, and takes its place, only when a DELETE looks whether it can: it is not given up then either. */
static void what_is_published_by_a_delete_is_not_given_up(void **state)
{
	(void)state;
	reopened(" two");
	fails(SHIM_COPY, ".part", ENOSPC);
	kit_complete(k, SID, "a.webm", NULL);
	assert_int_equal(newest().state, SESSION_FINISHING);
	over();
	at(SHIM_RENAME, "completed/a.webm", row_cannot_follow);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_NO_SPACE);
	assert_int_equal(newest().state, SESSION_FINISHING);
	over();
	kit_reap(k);
	gives("a.webm", "X two");
	assert_int_equal(newest().state, SESSION_COMPLETE);
}

/* The same between two devices, where both files are there and equally long. */
static void a_copy_waits_for_its_row(void **state)
{
	(void)state;
	atomic_store(&kit_house(k)->blobs->same_device, false);
	atomic_store(&kit_house(other)->blobs->same_device, false);
	reopened("NE");
	fails(SHIM_COPY, ".part", ENOSPC);
	kit_complete(k, SID, "a.webm", NULL);
	assert_int_equal(newest().state, SESSION_FINISHING);
	gives("a.webm", "one");        /* the new one is not even joined */
	over();
	at(SHIM_RENAME, "completed/a.webm", row_cannot_follow);
	assert_int_equal(session_finish(kit_house(k), newest().n), ERR_NO_SPACE);
	EXPECT(k, 423, kit_get(k, "/recordings/" SID "/a.webm"));
	over();
	fails(SHIM_OPEN, "meta.json", ENOSPC);
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_NO_SPACE);
	assert_int_equal(newest().state, SESSION_FINISHING);
	over();
	kit_reap(k);
	gives("a.webm", "XNE");
	assert_int_equal(newest().state, SESSION_COMPLETE);
}

/* What came behind a finished recording is cancelled: its file ends where it did. */
static void a_cancelled_rest_leaves_the_file(void **state)
{
	(void)state;
	take("one", "a.webm");
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
	assert_int_equal(size_of("a.webm"), 7);
	gives("a.webm", "one");
	assert_int_equal(session_cancel(kit_house(k), k->a, SID), ERR_OK);
	assert_int_equal(size_of("a.webm"), 3);
	gives("a.webm", "one");
}

#define R_(f) cmocka_unit_test_setup_teardown(f, begin, end)

/* ---- the digest of a finished file ---- */

static struct recording row(const char *disk)
{
	struct recording r;
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, SID, disk, &r), ERR_OK);
	return r;
}

static void deleted(void)
{
	EXPECT(other, 200, kit_raw(other, "DELETE", "/recordings/" SID "/a.webm", "", NULL, 0));
}

/* Deleted when its note is about to be written: no note stays behind. */
static void a_removed_file_leaves_no_note(void **state)
{
	(void)state;
	take("another", "z.webm");     /* their folder stays */
	take("the first", "a.webm");
	at(SHIM_UNLINK, "completed/.a.webm.meta.json.new", deleted);
	assert_int_equal(recording_digest(kit_house(k), row("a.webm").n), ERR_NOT_FOUND);
	over();
	kit_reap(k);
	assert_int_equal(trash(), 0);
	assert_false(there("a.webm"));
	assert_false(there("a.webm.meta.json"));
}

static void renamed(void)
{
	EXPECT(other, 200, kit_complete(other, SID, "b.webm", NULL));
}

/* Renamed while it is read: the digest stands beside its new name. */
static void a_renamed_file_gets_its_digest(void **state)
{
	static const char bytes[] = "the first";
	unsigned char value[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1];
	(void)state;
	take(bytes, "a.webm");
	int64_t n = row("a.webm").n;
	/* when the file is open, and its row was looked at once more */
	at(SHIM_STEP, "FROM session WHERE n=?1", renamed);
	assert_int_equal(recording_digest(kit_house(k), n), ERR_OK);
	over();
	digest_sha256(bytes, strlen(bytes), value);
	text_hex(value, sizeof value, hex);
	assert_string_equal(row("b.webm").sha256, hex);
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/b.webm.meta.json"));
	assert_string_equal(kit_str(k, "sha256"), hex);
	assert_string_equal(kit_str(k, "stored_name"), "b.webm");
	assert_false(there("a.webm.meta.json"));
}

static void stops(void)
{
	struct session_close c = {.n = newest().n, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(kit_house(other)->db, &c), ERR_OK);
	assert_int_equal(session_finish(kit_house(other), c.n), ERR_LOCKED);
}

/* Who comes to finish it anew while its note is being written is sent away; we do it for him, and the digest of the old file is nobody's. */
static void a_finishing_is_done_for_who_was_sent_away(void **state)
{
	(void)state;
	take("the first", "a.webm");
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " more", 5, false));
	at(SHIM_RENAME, "completed/a.webm.meta.json", stops);
	recording_digest(kit_house(k), row("a.webm").n);
	over();
	gives("a.webm", "the first more");
	assert_null(row("a.webm").sha256);
	EXPECT(k, 200, kit_get(k, "/recordings/" SID "/a.webm.meta.json"));
	assert_int_equal(kit_int(k, "file_size_bytes"), 14);
	assert_null(json_get(kit_json(k), "sha256"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		R_(a_name_has_one_remover), R_(a_late_remover_removes_nothing), R_(a_rename_meets_a_finishing), R_(a_new_name_is_nobody_elses),
		R_(a_deleted_recording_takes_no_others_chunk), R_(a_run_waits_for_its_name), R_(a_run_takes_nobodys_name), R_(what_somebody_has_is_not_dropped),
		R_(a_replaced_chunk_is_offered_too), R_(runs_are_offered_before_they_go), R_(a_run_that_waits_keeps_up_no_others), R_(a_deleted_session_gets_no_runs), R_(a_cut_run_is_not_published),
		R_(what_was_given_up_leaves_no_file), R_(what_was_given_up_is_removed_later), R_(what_cannot_be_given_up_is_finished),
		R_(what_is_held_is_not_given_up), R_(what_was_finished_outlives_a_finishing), R_(what_is_about_to_go_on_is_no_orphan), R_(who_goes_on_with_what_is_deleted_begins_anew), R_(what_was_finished_keeps_its_note), R_(a_file_waits_for_its_row),
		R_(what_is_published_by_a_delete_is_not_given_up), R_(a_copy_waits_for_its_row), R_(a_cancelled_rest_leaves_the_file),
		R_(a_removed_file_leaves_no_note), R_(a_renamed_file_gets_its_digest), R_(a_finishing_is_done_for_who_was_sent_away),
	};
	return cmocka_run_group_tests_name("races", tests, NULL, NULL);
}
