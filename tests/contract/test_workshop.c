/*
 * test_workshop.c - the workshop over a real ledger and real files: what the reaper and a join do when bytes, rows or space are missing.
 */
#include <sqlite3.h>
#include <sys/stat.h>

#include "store_kit.h"
#include "base/clock.h"
#include "upload/upload.h"

#define MORE_THAN_THERE_IS ((int64_t)1 << 60)     /* space to be kept free, however much others free meanwhile */
#define RUNS 130
#define RUNS_KEPT 100           /* of a session: the longest */

struct scene {
	char dir[256];
	struct config cfg;
	struct house h;
	struct arena *a;
};

static int scene_open(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	char parts[300], done[300], run[300], metrics[320];
	log_level_set(LOG_ERROR + 1);
	kit_dir(s->dir);
	snprintf(parts, sizeof parts, "%s/parts", s->dir);
	snprintf(done, sizeof done, "%s/done", s->dir);
	snprintf(run, sizeof run, "%s/run", s->dir);
	snprintf(metrics, sizeof metrics, "%s/metrics", run);
	s->cfg = (struct config){.tus_max_size = (int64_t)1 << 40, .max_chunk_size = 16 << 20, .max_chunks = 1000000, .expiration = DAY,
		.session_retention = 30 * DAY, .abandoned_after = 3600, .lock_wait_ms = 2000, .stream_buffer = 65536, .gone_retention = 7 * DAY};
	s->h = (struct house){.cfg = &s->cfg, .db = kit_store(s->dir, false)};
	assert_int_equal(blobs_open(parts, done, &s->h.blobs), ERR_OK);
	assert_int_equal(holds_open(run, true, &s->h.holds), ERR_OK);
	s->h.metrics = metrics_open(metrics, 4);
	assert_non_null(s->h.metrics);
	s->a = arena_open(64 << 20);
	clock_shift(0);
	*state = s;
	return 0;
}

static int scene_close(void **state)
{
	struct scene *s = *state;
	metrics_close(s->h.metrics);
	holds_close(s->h.holds);
	blobs_close(s->h.blobs);
	store_close(s->h.db);
	arena_close(s->a);
	kit_rmdir(s->dir);
	free(s);
	return 0;
}

/* ---- short forms ---- */

static void fill(struct scene *s, int64_t n, size_t size)
{
	struct source_mem m;
	struct append_out out;
	char *bytes = calloc(1, size + 1);
	memset(bytes, 'x', size);
	source_mem_init(&m, bytes, size);
	struct append_cmd c = {.offset = 0, .length = LENGTH_UNKNOWN, .body = (int64_t)size, .max_size = s->cfg.max_chunk_size};
	assert_int_equal(upload_append(&s->h, s->a, n, &c, &m.s, &out), ERR_OK);
	free(bytes);
}

static void a_chunk_of(struct scene *s, const char *sid, int64_t idx, size_t size, const char *meta)
{
	struct upload u;
	struct chunk_cmd c = {.sid = sid, .owner = "", .take = {.kind = SESSION_LIVE}, .idx = idx, .length = (int64_t)size, .client_meta = meta};
	assert_int_equal(chunk_create(&s->h, s->a, &c, &u, &(int64_t){0}), ERR_OK);
	if (size)
		fill(s, u.n, size);
}

static void a_chunk(struct scene *s, const char *sid, int64_t idx, size_t size)
{
	a_chunk_of(s, sid, idx, size, NULL);
}

static struct session the_session(struct scene *s, const char *sid)
{
	struct session out;
	int found;
	assert_int_equal(store_session_takes(s->h.db, s->a, sid, &out, 1, &found), ERR_OK);
	return out;
}

/* As if the process had died before it made the file. */
static struct session closed(struct scene *s, const char *sid)
{
	struct session t = the_session(s, sid);
	struct session_close c = {.n = t.n, .goal = SESSION_COMPLETE, .name = "a.webm", .now = clock_now()};
	assert_int_equal(store_session_close(s->h.db, &c), ERR_OK);
	return the_session(s, sid);
}

static struct reap_count reaped(struct scene *s, int limit)
{
	struct reap_count count;
	assert_int_equal(reap(&s->h, limit, false, &count), ERR_OK);
	return count;
}

static bool count_file(void *arg, int64_t file, int64_t size, int64_t age)
{
	(void)file, (void)size, (void)age;
	++*(int *)arg;
	return true;
}

static int part_files(struct scene *s)
{
	int n = 0;
	assert_int_equal(blob_each(s->h.blobs, count_file, &n), ERR_OK);
	return n;
}

static int recordings(struct scene *s)
{
	struct store_stats st;
	assert_int_equal(store_stats(s->h.db, &st), ERR_OK);
	return (int)st.recordings;
}

static void shorten(struct scene *s, int64_t file)
{
	char path[400];
	snprintf(path, sizeof path, "%s/parts/parts/shard_%04lld/%lld.part", s->dir, (long long)(file / 1000), (long long)file);
	assert_int_equal(truncate(path, 1), 0);
}

static void raw_sql(struct scene *s, const char *text)
{
	char path[300];
	sqlite3 *db;
	snprintf(path, sizeof path, "%s/tus.db", s->dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

/* ---- finishing that was interrupted ---- */

/* Dead ones in front of a good one, the reaper may do a single row: the good one is finished, and the dead ones are said to be dead. */
static void what_cannot_be_finished_blocks_nobody(void **state)
{
	struct scene *s = *state;
	for (int i = 0; i < 4; i++) {
		char sid[16];
		snprintf(sid, sizeof sid, "dead%d", i);
		/* A missing and a short part, of placed chunks and of parked ones. */
		a_chunk(s, sid, i < 2 ? 0 : 1, 100);
		a_chunk(s, sid, i < 2 ? 1 : 0, 100);
		struct session t = closed(s, sid);
		struct chunk c;
		assert_int_equal(store_chunk_get(s->h.db, t.n, 1, &c), ERR_OK);
		assert_true((c.file != t.file) == (i >= 2));
		if (i % 2)
			shorten(s, c.file);
		else
			blob_remove(s->h.blobs, c.file);
	}
	a_chunk(s, "good", 0, 100);
	closed(s, "good");
	struct reap_count count = reaped(s, 1);
	assert_int_equal(count.finished, 1);
	assert_int_equal(count.failed, 4);
	assert_int_equal(the_session(s, "good").state, SESSION_COMPLETE);
	for (int i = 0; i < 4; i++) {
		char sid[16];
		snprintf(sid, sizeof sid, "dead%d", i);
		assert_int_equal(the_session(s, sid).state, SESSION_FAILED);
	}
	/* They are out of the way, for the client too. */
	assert_int_equal(reaped(s, 1).failed, 0);
	a_chunk(s, "dead0", 2, 100);
	assert_int_equal(the_session(s, "dead0").take, 2);
	assert_int_equal(session_cancel(&s->h, s->a, "dead1"), ERR_OK);
}

/* Bytes of which the row knows nothing. */
static void fill_row(struct scene *s, const struct upload *u, int size)
{
	int fd;
	size_t written;
	assert_int_equal(blob_open(s->h.blobs, u->file, true, &fd), ERR_OK);
	for (int at = 0; at < size; at += 10)
		assert_int_equal(blob_write(fd, "0123456789", 10, at, &written), ERR_OK);
	blob_close(fd);
}

static void dead_uploads_block_nobody(void **state)
{
	struct scene *s = *state;
	struct upload u[4];
	struct create_cmd c = {.owner = "", .length = 100};
	for (int i = 0; i < 4; i++) {
		assert_int_equal(upload_create(&s->h, s->a, &c, &u[i]), ERR_OK);
		struct upload_move m = {.n = u[i].n, .old = 0, .offset = 40, .now = clock_now(), .expires = -1};
		if (i < 3) {
			assert_int_equal(store_upload_move(s->h.db, &m), ERR_OK);
			assert_int_equal(store_upload_closing(s->h.db, u[i].n, 40, 100, clock_now()), ERR_OK);
		}
	}
	fill_row(s, &u[3], 100);
	assert_int_equal(store_upload_closing(s->h.db, u[3].n, 0, 100, clock_now()), ERR_OK);
	struct reap_count count = reaped(s, 1);
	assert_int_equal(count.finished, 1);
	assert_int_equal(count.failed, 3);
	/* They were looked at once, for no time heals them. */
	assert_int_equal(reaped(s, 1).failed, 0);
	assert_int_equal(upload_find(&s->h, s->a, u[3].id, &u[3]), ERR_OK);
	assert_int_equal(u[3].state, UPLOAD_COMPLETE);
	assert_int_equal(upload_find(&s->h, s->a, u[0].id, &u[0]), ERR_OK);
	assert_int_equal(u[0].state, UPLOAD_FINISHING);
	assert_int_equal(u[0].expires, -1);
	/* The bytes were found somewhere: the mark is taken off. */
	fill_row(s, &u[0], 100);
	assert_int_equal(store_upload_failed(s->h.db, u[0].n, false), ERR_OK);
	assert_int_equal(reaped(s, 1).finished, 1);
	assert_int_equal(store_upload_failed(s->h.db, u[0].n, true), ERR_OFFSET);
	assert_int_equal(upload_remove(&s->h, s->a, u[1].id), ERR_OK);
}

/* The file had its name already when the process died: nothing is missing. */
static void a_published_file_is_not_missing(void **state)
{
	struct scene *s = *state;
	a_chunk(s, "s", 0, 100);
	a_chunk(s, "s", 1, 100);
	struct session t = closed(s, "s");
	assert_int_equal(blob_publish(s->h.blobs, t.file, t.bytes, false, "s", t.out_name), ERR_OK);
	/* Its note cannot be written just now. */
	char note[400];
	snprintf(note, sizeof note, "%s/done/s/completed/%s.meta.json", s->dir, t.out_name);
	assert_int_equal(mkdir(note, 0700), 0);
	assert_int_equal(session_finish(&s->h, t.n), ERR_INTERNAL);
	assert_int_equal(reaped(s, 1).failed, 1);
	assert_int_equal(the_session(s, "s").state, SESSION_FINISHING);
	assert_int_equal(rmdir(note), 0);
	assert_int_equal(reaped(s, 1).finished, 1);
	assert_int_equal(the_session(s, "s").state, SESSION_COMPLETE);
}

/* The same for a whole upload. */
static void a_published_upload_is_not_missing(void **state)
{
	struct scene *s = *state;
	struct upload u;
	struct create_cmd c = {.owner = "", .length = 100};
	assert_int_equal(upload_create(&s->h, s->a, &c, &u), ERR_OK);
	fill_row(s, &u, 100);
	assert_int_equal(store_upload_closing(s->h.db, u.n, 0, 100, clock_now()), ERR_OK);
	assert_int_equal(blob_publish(s->h.blobs, u.file, 100, false, u.id, "upload"), ERR_OK);
	char note[400];
	snprintf(note, sizeof note, "%s/done/%s/completed/upload.meta.json", s->dir, u.id);
	assert_int_equal(mkdir(note, 0700), 0);
	assert_int_equal(reaped(s, 1).failed, 1);
	assert_int_equal(reaped(s, 1).failed, 1);
	assert_int_equal(rmdir(note), 0);
	assert_int_equal(reaped(s, 1).finished, 1);
}

/* What a process that is no more had begun, without anything else that time demands. */
static void the_start_ends_what_was_begun(void **state)
{
	struct scene *s = *state;
	struct reap_count count;
	struct upload old;
	struct create_cmd c = {.owner = "", .length = 100};
	bool all = false;
	assert_int_equal(upload_create(&s->h, s->a, &c, &old), ERR_OK);
	for (int i = 0; i < 7; i++) {
		char sid[16];
		snprintf(sid, sizeof sid, "s%d", i);
		a_chunk(s, sid, 0, 100);
		closed(s, sid);
	}
	a_chunk(s, "due", 0, 100);
	clock_shift(2 * DAY);
	int rounds = 0, finished = 0;
	for (; !all && rounds < 10; rounds++) {
		assert_int_equal(reap_interrupted(&s->h, 2, &all, &count), ERR_OK);
		finished += (int)count.finished;
	}
	assert_int_equal(finished, 7);
	assert_int_equal(rounds, 4);
	assert_int_equal(the_session(s, "due").state, SESSION_RECEIVING);
	assert_int_equal(store_upload_by_n(s->h.db, s->a, old.n, &old), ERR_OK);
	assert_int_equal(old.state, UPLOAD_OPEN);
}

/* Unfinished chunks beside a whole recording: their rows go, however many there are. */
static void many_unfinished_chunks_go(void **state)
{
	struct scene *s = *state;
	int64_t rows[16];
	int found;
	a_chunk(s, "s", 0, 100);
	for (int i = 1; i <= 600; i++) {
		struct upload u;
		struct chunk_cmd c = {.sid = "s", .owner = "", .take = {.kind = SESSION_LIVE}, .idx = i, .length = 10};
		assert_int_equal(chunk_create(&s->h, s->a, &c, &u, &(int64_t){0}), ERR_OK);
	}
	struct session t = closed(s, "s");
	assert_int_equal(session_finish(&s->h, t.n), ERR_OK);
	assert_int_equal(the_session(s, "s").state, SESSION_COMPLETE);
	assert_int_equal(store_session_uploads(s->h.db, t.n, rows, 16, &found), ERR_OK);
	assert_int_equal(found, 0);
}

/* ---- joins ---- */

/* Chunk 0 was replaced by a longer one: everything goes into a new file. */
static void to_be_copied(struct scene *s, const char *sid)
{
	a_chunk(s, sid, 0, 1000);
	a_chunk(s, sid, 1, 1000);
	a_chunk(s, sid, 0, 1500);
}

/* The same of an upload: who asks for it while its row does not know yet gets its bytes, not a 404. */
static void a_published_upload_can_be_read(void **state)
{
	struct scene *s = *state;
	struct create_cmd c = {.owner = "", .length = 100, .meta = "filename YS5iaW4="};
	struct upload u;
	struct recording r;
	char bytes[100];
	int fd;
	assert_int_equal(upload_create(&s->h, s->a, &c, &u), ERR_OK);
	assert_int_equal(upload_open(&s->h, s->a, &u, &fd, &r), ERR_CONFLICT);
	fill_row(s, &u, 100);
	assert_int_equal(store_upload_closing(s->h.db, u.n, 0, 100, clock_now()), ERR_OK);
	assert_int_equal(upload_find(&s->h, s->a, u.id, &u), ERR_OK);
	for (int published = 0; published < 2; published++) {
		if (published)
			assert_int_equal(blob_publish(s->h.blobs, u.file, 100, false, u.id, "a.bin"), ERR_OK);
		assert_int_equal(upload_open(&s->h, s->a, &u, &fd, &r), ERR_OK);
		assert_int_equal(r.size, 100);
		assert_string_equal(r.disk, "a.bin");
		assert_int_equal(blob_read(fd, bytes, sizeof bytes, 0), 100);
		assert_memory_equal(bytes + 90, "0123456789", 10);
		blob_close(fd);
	}
	/* Removed under that name as well, it is not there any more. */
	assert_int_equal(blob_done_remove(s->h.blobs, u.id, "a.bin"), ERR_OK);
	assert_int_equal(upload_open(&s->h, s->a, &u, &fd, &r), ERR_NOT_FOUND);
}

static void a_join_needs_space(void **state)
{
	struct scene *s = *state;
	to_be_copied(s, "new");
	a_chunk(s, "here", 1, 1000);
	a_chunk(s, "here", 0, 1000);
	struct session fresh = closed(s, "new"), here = closed(s, "here");
	int before = part_files(s);
	s->cfg.min_free = MORE_THAN_THERE_IS;
	assert_int_equal(session_finish(&s->h, fresh.n), ERR_NO_SPACE);
	assert_int_equal(session_finish(&s->h, here.n), ERR_NO_SPACE);
	assert_int_equal(reaped(s, 5).failed, 2);
	assert_int_equal(part_files(s), before);
	assert_int_equal(the_session(s, "new").state, SESSION_FINISHING);
	s->cfg.min_free = 0;
	assert_int_equal(reaped(s, 5).finished, 2);
	assert_int_equal(the_session(s, "new").size, 2500);
	assert_int_equal(the_session(s, "here").size, 2000);
	assert_int_equal(part_files(s), 0);
}

/* A full disk is freed by removing, so removing must not wait for space. */
static void what_waits_for_space_can_be_cancelled(void **state)
{
	struct scene *s = *state;
	to_be_copied(s, "full");
	closed(s, "full");
	s->cfg.min_free = MORE_THAN_THERE_IS;
	assert_int_equal(reaped(s, 5).failed, 1);
	assert_int_equal(session_cancel(&s->h, s->a, "full"), ERR_OK);
	assert_int_equal(the_session(s, "full").state, SESSION_GONE);
	assert_true(the_session(s, "full").cancelled);
	assert_int_equal(part_files(s), 0);
	assert_int_equal(reaped(s, 5).failed, 0);
	assert_int_equal(session_cancel(&s->h, s->a, "full"), ERR_GONE);
	/* One that can be finished is a recording, and stays. */
	s->cfg.min_free = 0;
	to_be_copied(s, "fits");
	closed(s, "fits");
	assert_int_equal(session_cancel(&s->h, s->a, "fits"), ERR_CONFLICT);
	assert_int_equal(the_session(s, "fits").state, SESSION_COMPLETE);
}

static void a_failed_join_leaves_no_file(void **state)
{
	struct scene *s = *state;
	to_be_copied(s, "s");
	struct session t = closed(s, "s");
	shorten(s, t.file);
	int before = part_files(s);
	assert_int_equal(session_finish(&s->h, t.n), ERR_INTERNAL);
	assert_int_equal(part_files(s), before);
}

/* A recording that lost rows never becomes a shorter recording. */
static void a_join_of_too_little_fails(void **state)
{
	struct scene *s = *state;
	for (int fresh = 0; fresh < 2; fresh++) {
		const char *sid = fresh ? "new" : "here";
		if (fresh) {
			to_be_copied(s, sid);
		} else {
			a_chunk(s, sid, 1, 1000);
			a_chunk(s, sid, 0, 1000);
		}
		a_chunk(s, sid, 2, 1000);
		struct session t = closed(s, sid);
		raw_sql(s, "DELETE FROM chunk WHERE idx=2");
		int before = part_files(s);
		assert_int_equal(session_finish(&s->h, t.n), ERR_INTERNAL);
		assert_int_equal(part_files(s), before);
		assert_int_equal(recordings(s), 0);
		reaped(s, 5);
		assert_int_equal(the_session(s, sid).state, SESSION_FAILED);
	}
}

/* ---- recordings with holes ---- */

/* Every second chunk; chunk i has i + 1 bytes more than the least, so the last ones are the longest. */
static void with_holes(struct scene *s, const char *sid, int runs, const char *meta)
{
	for (int i = 0; i < runs; i++)
		a_chunk_of(s, sid, 2 * i, (size_t)i + 1, i == 0 ? meta : NULL);
}

/* The name on disk is cut, but not what tells the runs apart. */
static void runs_of_a_long_name_are_all_offered(void **state)
{
	struct scene *s = *state;
	char name[231] = "";
	struct upload u;
	memset(name, 'n', sizeof name - 1);
	for (int64_t i = 0; i < 3; i++) {
		struct chunk_cmd c = {.sid = "s", .owner = "", .take = {.kind = SESSION_LIVE}, .idx = 2 * i, .length = 5, .name = name, .format = "webm"};
		assert_int_equal(chunk_create(&s->h, s->a, &c, &u, &(int64_t){0}), ERR_OK);
		fill(s, u.n, 5);
	}
	clock_shift(2 * DAY);
	reaped(s, 5);
	assert_int_equal(recordings(s), 3);
}

/* Finished, gone on with, and given up: the file stays, and names no session that is forgotten. */
static void a_file_outlives_its_session(void **state)
{
	struct scene *s = *state;
	const char *fault;
	int faults;
	a_chunk(s, "s", 0, 5);
	assert_int_equal(session_finish(&s->h, closed(s, "s").n), ERR_OK);
	a_chunk(s, "s", 2, 5);
	struct session t = the_session(s, "s");
	assert_int_equal(session_cancel(&s->h, s->a, "s"), ERR_OK);
	clock_shift(9 * DAY);
	reaped(s, 5);
	assert_int_equal(store_session_by_n(s->h.db, s->a, t.n, &t), ERR_NOT_FOUND);
	assert_int_equal(recordings(s), 1);
	assert_int_equal(store_faults(s->h.db, s->a, &fault, 1, &faults), ERR_OK);
	assert_int_equal(faults, 0);
}

/* Many takes of a session were finished and deleted, while an older one is still being recorded: it is the session's. */
static void takes_that_are_gone_hide_none(void **state)
{
	struct scene *s = *state;
	struct session_view v;
	struct recording r;
	struct upload u;
	a_chunk(s, "s", 0, 5);
	struct session old = the_session(s, "s");
	for (int i = 0; i < 17; i++) {
		struct chunk_cmd c = {.sid = "s", .owner = "", .take = {.kind = SESSION_MANUAL, .total = 1}, .length = 5, .name = "b", .format = "webm"};
		assert_int_equal(chunk_create(&s->h, s->a, &c, &u, &(int64_t){0}), ERR_OK);
		fill(s, u.n, 5);
		struct session t = the_session(s, "s");
		assert_int_equal(session_finish(&s->h, t.n), ERR_OK);
		assert_int_equal(store_recording_of_session(s->h.db, s->a, t.n, &r), ERR_OK);
		assert_int_equal(recording_remove(&s->h, s->a, &r), ERR_OK);
	}
	assert_int_equal(session_find(&s->h, s->a, "s", &v), ERR_OK);
	assert_int_equal(v.s.n, old.n);
	assert_int_equal(session_cancel(&s->h, s->a, "s"), ERR_OK);
	assert_int_equal(store_session_by_n(s->h.db, s->a, old.n, &old), ERR_OK);
	assert_int_equal(old.state, SESSION_GONE);
}

static bool due(struct scene *s, const char *sid)
{
	return the_session(s, sid).expires <= clock_now();
}

static void many_runs_are_offered_little_by_little(void **state)
{
	struct scene *s = *state;
	char *meta = calloc(1, 100000);
	memset(meta, 'x', 99999);
	memcpy(meta, "{\"k\":\"", 6);
	memcpy(meta + 99997, "\"}", 2);
	with_holes(s, "s", RUNS, meta);
	free(meta);
	clock_shift(2 * DAY);
	int before = part_files(s), calls = 0, last = 0;
	for (; due(s, "s") && calls < 40; calls++) {
		struct reap_count count = reaped(s, 5);
		assert_int_equal(count.failed, 0);
		assert_int_equal(count.recovered, 1);
		int now = recordings(s);
		assert_in_range(now - last, 0, 10);
		last = now;
	}
	assert_in_range(calls, RUNS_KEPT / 10, RUNS_KEPT / 4);
	assert_int_equal(last, RUNS_KEPT);
	assert_int_equal(part_files(s), before);
	struct recording *r = arena_alloc(s->a, RUNS * sizeof *r);
	int found, fd;
	assert_int_equal(store_recordings(s->h.db, s->a, NULL, 0, r, RUNS, &found), ERR_OK);
	for (int i = 0; i < found; i++) {
		struct stat st;
		assert_in_range(r[i].size, RUNS - RUNS_KEPT + 1, RUNS);
		assert_int_equal(recording_open(&s->h, s->a, &r[i], &fd), ERR_OK);
		assert_int_equal(fstat(fd, &st), 0);
		blob_close(fd);
		assert_int_equal(st.st_size, r[i].size);
	}
	/* The chunks stay, the shorter ones too. */
	struct session t = the_session(s, "s");
	assert_int_equal(t.state, SESSION_RECEIVING);
	assert_int_equal(t.done, RUNS);
	assert_int_equal(t.expires, t.updated + s->cfg.session_retention);
	assert_int_equal(reaped(s, 5).recovered, 0);
}

static void a_run_that_fails_is_passed_over(void **state)
{
	struct scene *s = *state;
	struct chunk c[2];
	with_holes(s, "s", 6, NULL);
	struct session t = the_session(s, "s");
	/* One file is missing, one is short. */
	for (int i = 1; i < 3; i++) {
		assert_int_equal(store_chunk_get(s->h.db, t.n, 2 * i, &c[i - 1]), ERR_OK);
		assert_int_not_equal(c[i - 1].file, t.file);
	}
	blob_remove(s->h.blobs, c[0].file);
	shorten(s, c[1].file);
	int before = part_files(s);
	clock_shift(2 * DAY);
	assert_int_equal(reaped(s, 5).recovered, 1);
	assert_false(due(s, "s"));
	assert_int_equal(recordings(s), 4);
	assert_int_equal(part_files(s), before);
}

/* All bytes are there and synced, and the process died before it said that the upload is complete. */
static void full_but_open(struct scene *s, const char *sid, struct upload *u)
{
	int fd;
	size_t written;
	struct chunk_cmd c = {.sid = sid, .owner = "", .take = {.kind = SESSION_TUS, .total = 1}, .length = 5};
	struct create_cmd w = {.owner = "", .length = 5};
	assert_int_equal(sid ? chunk_create(&s->h, s->a, &c, u, &(int64_t){0}) : upload_create(&s->h, s->a, &w, u), ERR_OK);
	assert_int_equal(blob_open(s->h.blobs, u->file, true, &fd), ERR_OK);
	assert_int_equal(blob_write(fd, "hello", 5, u->base, &written), ERR_OK);
	assert_int_equal(blob_sync(fd), ERR_OK);
	blob_close(fd);
	struct upload_move m = {.n = u->n, .old = 0, .offset = 5, .writing = true, .now = clock_now(), .expires = -1};
	assert_int_equal(store_upload_move(s->h.db, &m), ERR_OK);
	assert_int_equal(store_upload_by_n(s->h.db, s->a, u->n, u), ERR_OK);
}

static void all_bytes_complete_an_upload(void **state)
{
	struct scene *s = *state;
	struct upload u;
	/* somebody asks */
	full_but_open(s, NULL, &u);
	assert_int_equal(upload_settle(&s->h, s->a, &u, true, &(struct append_out){0}), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
	full_but_open(s, "asked", &u);
	assert_int_equal(upload_settle(&s->h, s->a, &u, true, &(struct append_out){0}), ERR_NOT_FOUND);
	assert_int_equal(the_session(s, "asked").state, SESSION_COMPLETE);
	/* nobody asks */
	struct upload v;
	full_but_open(s, NULL, &u);
	full_but_open(s, "reaped", &v);
	assert_int_equal(reaped(s, 5).finished, 0);
	clock_shift(60);
	assert_int_equal(reaped(s, 5).finished, 2);
	assert_int_equal(store_upload_by_n(s->h.db, s->a, u.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
	assert_int_equal(the_session(s, "reaped").state, SESSION_COMPLETE);
	clock_shift(0);
}

/* Whoever asks where to go on has read the row before; the writer has gone since, and nobody is left to be asked. */
static void who_asks_is_told_the_last_offset(void **state)
{
	struct scene *s = *state;
	struct create_cmd w = {.owner = "", .length = 10};
	struct upload u;
	assert_int_equal(upload_create(&s->h, s->a, &w, &u), ERR_OK);
	fill(s, u.n, 7);
	assert_int_equal(u.offset, 0);
	assert_int_equal(upload_settle(&s->h, s->a, &u, true, &(struct append_out){0}), ERR_OK);
	assert_int_equal(u.offset, 7);
}

static bool there(struct scene *s, const char *sid, const char *disk)
{
	int fd;
	enum err e = blob_done_open(s->h.blobs, sid, disk, &fd);
	if (!e)
		blob_close(fd);
	return !e;
}

/* Whoever dies between the row and the file leaves a file that nobody names: the reaper removes it, and until that its name is nobody's. */
static void a_file_that_lost_its_name_goes(void **state)
{
	struct scene *s = *state;
	struct recording r;
	for (int renamed = 0; renamed < 2; renamed++) {
		const char *sid = renamed ? "renamed" : "dropped";
		a_chunk_of(s, sid, 0, 100, NULL);
		struct session t = the_session(s, sid);
		struct session_close c = {.n = t.n, .total = 1, .name = "a.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
		assert_int_equal(store_session_close(s->h.db, &c), ERR_OK);
		assert_int_equal(session_finish(&s->h, t.n), ERR_OK);
		assert_int_equal(store_recording_of_session(s->h.db, s->a, t.n, &r), ERR_OK);
		assert_true(there(s, sid, "a.webm"));
		if (renamed) {
			assert_int_equal(blob_done_link(s->h.blobs, sid, "a.webm", "b.webm"), ERR_OK);
			assert_int_equal(store_name_claim(s->h.db, sid, "b.webm"), ERR_OK);
			assert_int_equal(store_recording_rename(s->h.db, r.n, "b.webm", "b.webm", NULL), ERR_OK);
		} else {
			assert_int_equal(store_recording_delete(s->h.db, r.n, clock_now()), ERR_OK);
		}
		assert_int_equal(store_name_claim(s->h.db, sid, "a.webm"), ERR_CONFLICT);
		reaped(s, 5);
		assert_false(there(s, sid, "a.webm"));
		assert_int_equal(there(s, sid, "b.webm"), renamed);
		assert_int_equal(store_name_claim(s->h.db, sid, "a.webm"), ERR_OK);
	}
}

/* The chunk that was missing comes after the runs were offered: the whole recording is due as if nothing had been offered. */
static void a_hole_closed_late_is_recovered_in_time(void **state)
{
	struct scene *s = *state;
	with_holes(s, "s", 2, NULL);
	clock_shift(2 * DAY);
	assert_int_equal(reaped(s, 5).recovered, 1);
	assert_int_equal(recordings(s), 2);
	a_chunk_of(s, "s", 1, 7, NULL);
	assert_true(the_session(s, "s").expires <= clock_now() + 2 * DAY);
	clock_shift(4 * DAY);
	assert_int_equal(reaped(s, 5).recovered, 1);
	assert_int_equal(the_session(s, "s").state, SESSION_RECOVERED);
	assert_int_equal(recordings(s), 3);
}

static void runs_wait_for_space(void **state)
{
	struct scene *s = *state;
	with_holes(s, "s", 3, NULL);
	int before = part_files(s);
	clock_shift(2 * DAY);
	s->cfg.min_free = MORE_THAN_THERE_IS;
	assert_int_equal(reaped(s, 5).failed, 1);
	assert_true(due(s, "s"));
	assert_int_equal(part_files(s), before);
	assert_int_equal(recordings(s), 0);
	s->cfg.min_free = 0;
	assert_int_equal(reaped(s, 5).recovered, 1);
	assert_false(due(s, "s"));
	assert_int_equal(recordings(s), 3);
}

/* ---- files without rows ---- */

static struct reap_count scanned(struct scene *s)
{
	struct reap_count count;
	assert_int_equal(reap(&s->h, 5, true, &count), ERR_OK);
	return count;
}

/* A body comes in, and the clock jumps (or its process was stopped for hours): its file is nobody's orphan. That of one who died is. */
static void a_file_in_the_making_is_no_orphan(void **state)
{
	struct scene *s = *state;
	struct chunk_cmd cmd = {.sid = "s", .owner = "", .take = {.kind = SESSION_LIVE}, .idx = 3};
	struct chunk_put_out out;
	struct source_mem nothing;
	struct chunk_put *p;
	struct chunk c;
	int64_t dead;
	int fd;
	char *bytes = calloc(1, 100000);
	source_mem_init(&nothing, "", 0);
	assert_int_equal(store_file_next(s->h.db, &dead), ERR_OK);
	assert_int_equal(blob_open(s->h.blobs, dead, true, &fd), ERR_OK);
	blob_close(fd);
	assert_int_equal(chunk_put_open(&s->h, s->a, &nothing.s, &p), ERR_OK);
	assert_int_equal(chunk_put_data(p, bytes, 100000), ERR_OK);
	assert_int_equal(part_files(s), 2);
	assert_int_equal(scanned(s).orphans, 0);
	clock_shift(7200);
	assert_int_equal(scanned(s).orphans, 1);
	assert_int_equal(part_files(s), 1);
	assert_int_equal(chunk_put_end(p, &cmd, &out), ERR_OK);
	chunk_put_close(p);
	/* It has a row now. */
	assert_int_equal(scanned(s).orphans, 0);
	assert_int_equal(store_chunk_get(s->h.db, the_session(s, "s").n, 3, &c), ERR_OK);
	assert_int_equal(blob_open(s->h.blobs, c.file, false, &fd), ERR_OK);
	assert_int_equal(blob_read(fd, bytes, 100000, c.base), 100000);
	blob_close(fd);
	free(bytes);
}

/* ---- forgetting ---- */

static void a_long_recording_is_forgotten_in_one_round(void **state)
{
	struct scene *s = *state;
	struct session t;
	struct recording r;
	int found;
	for (int i = 0; i < 1200; i++)
		a_chunk(s, "s", i, 0);
	a_chunk(s, "s", 1200, 5);
	t = closed(s, "s");
	assert_int_equal(session_finish(&s->h, t.n), ERR_OK);
	clock_shift(31 * DAY);
	reaped(s, 5);
	assert_int_equal(store_session_takes(s->h.db, s->a, "s", &t, 1, &found), ERR_NOT_FOUND);
	assert_int_equal(store_recording_get(s->h.db, s->a, "s", "a.webm", &r), ERR_OK);
	assert_int_equal(r.size, 5);
	/* A late chunk is a take of its own and leaves the file alone. */
	a_chunk(s, "s", 1201, 5);
	assert_int_equal(the_session(s, "s").done, 1);
}

#define S_(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S_(what_cannot_be_finished_blocks_nobody), S_(dead_uploads_block_nobody), S_(a_published_file_is_not_missing), S_(a_published_upload_is_not_missing),
		S_(a_published_upload_can_be_read),
		S_(the_start_ends_what_was_begun), S_(many_unfinished_chunks_go), S_(what_waits_for_space_can_be_cancelled), S_(a_join_needs_space),
		S_(a_failed_join_leaves_no_file), S_(a_join_of_too_little_fails), S_(many_runs_are_offered_little_by_little), S_(runs_of_a_long_name_are_all_offered), S_(a_file_outlives_its_session), S_(takes_that_are_gone_hide_none), S_(a_run_that_fails_is_passed_over),
		S_(all_bytes_complete_an_upload), S_(who_asks_is_told_the_last_offset), S_(a_file_that_lost_its_name_goes), S_(a_hole_closed_late_is_recovered_in_time), S_(runs_wait_for_space), S_(a_file_in_the_making_is_no_orphan), S_(a_long_recording_is_forgotten_in_one_round),
	};
	return cmocka_run_group_tests_name("workshop", tests, NULL, NULL);
}
