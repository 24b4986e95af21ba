/*
 * test_backup.c - tusctl backup and restore: what was acknowledged before the backup began is in it, whatever happens while it is made.
 *
 * The rows are copied at one moment, the files afterwards; the tests put the changes of a living server between the two.
 */
#include "base/clock.h"
#include "ctl_kit.h"
#include "upload/clone.h"
#include "upload/upload_priv.h"

static void with_data(struct scene *s, const char *name)
{
	snprintf(s->data, sizeof s->data, "%s/%s", s->dir, name);
}

/* The world of the folder that s->data names, beside the first one. */
struct second {
	struct config *cfg;
	struct app *app;
	struct house *h;
};

static struct second second_open(struct scene *s)
{
	struct second w;
	char data[400];
	snprintf(data, sizeof data, "DATA_DIR=%s", s->data);
	char *const env[] = {data, "TUS_EXPIRATION=3600", "LOG_LEVEL=error", NULL};
	w.cfg = config_load(env, stderr);
	assert_non_null(w.cfg);
	assert_int_equal(app_open(w.cfg, false, &w.app), ERR_OK);
	w.h = app_house(w.app);
	return w;
}

static void second_close(struct second *w)
{
	app_close(w->app);
	config_free(w->cfg);
}

static void part_is(struct house *h, int64_t file, int64_t at, const char *text)
{
	char got[64] = "";
	int fd;
	assert_int_equal(blob_open(h->blobs, file, false, &fd), ERR_OK);
	assert_int_equal(blob_read(fd, got, strlen(text), at), strlen(text));
	blob_close(fd);
	assert_string_equal(got, text);
}

static void file_is(struct house *h, const char *sid, const char *disk, const char *text)
{
	char got[64] = "";
	int fd;
	assert_int_equal(blob_done_open(h->blobs, sid, disk, &fd), ERR_OK);
	assert_int_equal(blob_read(fd, got, sizeof got - 1, 0), strlen(text));
	blob_close(fd);
	assert_string_equal(got, text);
}

static struct upload half_chunk(struct scene *s, const char *sid, int64_t idx, int64_t length, const char *body)
{
	struct chunk_cmd cmd = {.sid = sid, .owner = "", .take = {.kind = SESSION_LIVE}, .idx = idx, .length = length};
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = (int64_t)strlen(body), .max_size = 1 << 20};
	struct append_out out;
	struct source_mem src;
	struct upload u;
	source_mem_init(&src, body, strlen(body));
	assert_int_equal(chunk_create(s->h, s->a, &cmd, &u, &(int64_t){0}), ERR_OK);
	if (*body)
		assert_int_equal(upload_append(s->h, s->a, u.n, &append, &src.s, &out), ERR_OK);
	/* A whole one has no row of its own any more. */
	if ((int64_t)strlen(body) < length)
		assert_int_equal(store_upload_by_n(s->h->db, s->a, u.n, &u), ERR_OK);
	return u;
}

static void more(struct scene *s, const struct upload *u, const char *body)
{
	struct append_cmd append = {.offset = u->offset, .length = LENGTH_UNKNOWN, .body = (int64_t)strlen(body), .max_size = 1 << 20};
	struct append_out out;
	struct source_mem src;
	source_mem_init(&src, body, strlen(body));
	assert_int_equal(upload_append(s->h, s->a, u->n, &append, &src.s, &out), ERR_OK);
	if (out.finish_upload)
		assert_int_equal(upload_finish(s->h, out.finish_upload), ERR_OK);
	if (out.finish_session)
		assert_int_equal(session_finish(s->h, out.finish_session), ERR_OK);
}

static void complete(struct scene *s, const char *sid, const char *name)
{
	struct complete_cmd cmd = {.sid = sid, .name = name, .file_size = -1};
	struct complete_out out;
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	if (out.finish_session)
		assert_int_equal(session_finish(s->h, out.finish_session), ERR_OK);
}

static struct session stopped(struct scene *s, const char *sid)
{
	struct session_close c = {.n = the_session(s, sid).n, .name = "Stop.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(s->h->db, &c), ERR_OK);
	return the_session(s, sid);
}

/* ---- there and back ---- */

static void a_world_comes_back(void **state)
{
	struct scene *s = *state;
	char dir[400], path[600];
	struct upload half = an_upload(s, 10, "abcdef"), whole = an_upload(s, 3, "abc"), empty = an_upload(s, 7, "");
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 2, "three");
	struct upload part = half_chunk(s, SID, 3, 9, "part");
	a_chunk(s, "done", 0, "one");
	a_chunk(s, "done", 1, "two");
	complete(s, "done", "End.webm");
	struct recording r;
	assert_int_equal(store_recording_get(s->h->db, s->a, "done", "End.webm", &r), ERR_OK);
	assert_int_equal(recording_digest(s->h, r.n), ERR_OK);
	a_chunk(s, "stop", 0, "stopped");
	stopped(s, "stop");
	snprintf(dir, sizeof dir, "%s/backup", s->dir);
	assert_int_equal(RUN(s, "backup", dir, "--json"), 0);
	struct json *j = parsed(s);
	assert_int_equal(number(j, "uploads"), 2);
	assert_int_equal(number(j, "sessions"), 2);
	assert_int_equal(number(j, "recordings"), 2);
	assert_int_equal(number(j, "part_bytes"), 6 + 4 + 3 + 5 + 7);
	assert_int_equal(number(j, "finished_bytes"), 3 + 6);
	assert_int_equal(number(j, "vanished"), 0);
	json_free(j);
	snprintf(path, sizeof path, "%s/backup.json", dir);
	assert_int_equal(access(path, F_OK), 0);

	with_data(s, "again");
	assert_int_equal(RUN(s, "restore", dir, "--json"), 0);
	IS_SOUND(s);
	struct second w = second_open(s);
	struct upload u;
	struct session t;
	struct chunk c;
	int found;
	assert_int_equal(store_upload_by_id(w.h->db, s->a, half.id, &u), ERR_OK);
	assert_int_equal(u.offset, 6);
	part_is(w.h, u.file, 0, "abcdef");
	assert_int_equal(store_upload_by_id(w.h->db, s->a, empty.id, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_OPEN);
	file_is(w.h, whole.id, "a.txt", "abc");
	file_is(w.h, "done", "End.webm", "onetwo");
	assert_int_equal(store_recording_get(w.h->db, s->a, "done", "End.webm", &r), ERR_OK);
	assert_string_equal(r.sha256, "25b6746d5172ed6352966a013d93ac846e1110d5a25e8f183b5931f4688842a1");
	assert_int_equal(store_session_takes(w.h->db, s->a, SID, &t, 1, &found), ERR_OK);
	assert_int_equal(store_chunk_get(w.h->db, t.n, 0, &c), ERR_OK);
	part_is(w.h, c.file, c.base, "one");
	assert_int_equal(store_chunk_get(w.h->db, t.n, 2, &c), ERR_OK);
	part_is(w.h, c.file, c.base, "three");
	assert_int_equal(store_upload_by_n(w.h->db, s->a, part.n, &u), ERR_OK);
	assert_int_equal(u.offset, 4);
	part_is(w.h, u.file, u.base, "part");
	/* What was interrupted is finished there. */
	app_tick(w.app);
	file_is(w.h, "stop", "Stop.webm", "stopped");
	second_close(&w);
	IS_SOUND(s);
}

static void refusals(void **state)
{
	struct scene *s = *state;
	char dir[400], path[600], again[600];
	an_upload(s, 10, "abcdef");
	snprintf(dir, sizeof dir, "%s/backup", s->dir);
	assert_int_equal(RUN(s, "backup"), 2);
	assert_int_equal(RUN(s, "restore", "a", "b"), 2);
	assert_int_equal(RUN(s, "backup", s->dir), 1);          /* not empty */
	assert_int_equal(RUN(s, "backup", dir), 0);
	assert_int_equal(RUN(s, "backup", dir), 1);
	assert_int_equal(RUN(s, "restore", dir), 1);            /* the data folders have a world */
	assert_non_null(strstr(s->err, "nothing is overwritten"));
	with_data(s, "again");
	snprintf(path, sizeof path, "%s/backup.json", dir);
	snprintf(again, sizeof again, "%s/away", s->dir);
	assert_int_equal(rename(path, again), 0);
	assert_int_equal(RUN(s, "restore", dir), 1);
	assert_non_null(strstr(s->err, "no complete backup"));
	assert_int_equal(rename(again, path), 0);
	snprintf(path, sizeof path, "%s/tus_sessions/tus.db", dir);
	FILE *f = fopen(path, "a");
	fputs("x", f);
	fclose(f);
	assert_int_equal(RUN(s, "restore", dir), 1);
	assert_non_null(strstr(s->err, "not the one that was backed up"));
	snprintf(path, sizeof path, "%s/tus_sessions/tus.db", s->data);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void what_is_missing_here_is_said(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 3, "abc"), half = an_upload(s, 10, "abcdef");
	char dir[400], path[700];
	snprintf(dir, sizeof dir, "%s/backup", s->dir);
	snprintf(path, sizeof path, "%s/%s/completed/a.txt", s->cfg->done_dir, whole.id);
	assert_int_equal(unlink(path), 0);
	part_path(s, half.file, path);
	assert_int_equal(truncate(path, 4), 0);
	assert_int_equal(RUN(s, "backup", dir, "--json"), 1);
	struct json *j = parsed(s);
	assert_int_equal(number(j, "damaged"), 2);
	assert_int_equal(number(j, "vanished"), 0);
	json_free(j);
}

static void what_is_missing_in_it_is_said(void **state)
{
	struct scene *s = *state;
	struct upload half = an_upload(s, 10, "abcdef");
	char dir[400], path[700];
	snprintf(dir, sizeof dir, "%s/backup", s->dir);
	assert_int_equal(RUN(s, "backup", dir), 0);
	snprintf(path, sizeof path, "%s/tus_uploads/parts/shard_0000/%lld.part", dir, (long long)half.file);
	assert_int_equal(truncate(path, 5), 0);
	with_data(s, "again");
	assert_int_equal(RUN(s, "restore", dir), 1);
	assert_non_null(strstr(s->err, "bytes are missing in this backup"));
}

/* ---- between the rows and the files ---- */

struct moment {
	char dir[400];
	struct store *rows;
	struct blobs *to;
};

static struct moment rows_copied(struct scene *s)
{
	struct moment m;
	char path[600], parts[600], done[600];
	snprintf(m.dir, sizeof m.dir, "%s/later", s->dir);
	snprintf(path, sizeof path, "%s/tus_sessions", m.dir);
	assert_int_equal(mkdir(m.dir, 0750), 0);
	assert_int_equal(mkdir(path, 0750), 0);
	struct store_options so = {.dir = path, .readers = 2};
	snprintf(parts, sizeof parts, "%s/tus_sessions/tus.db", m.dir);
	assert_int_equal(store_snapshot(s->h->db, parts), ERR_OK);
	assert_int_equal(store_open(&so, &m.rows), ERR_OK);
	snprintf(parts, sizeof parts, "%s/tus_uploads", m.dir);
	snprintf(done, sizeof done, "%s/uploaded_data", m.dir);
	assert_int_equal(blobs_open(parts, done, &m.to), ERR_OK);
	return m;
}

static struct second files_copied(struct scene *s, struct moment *m, struct clone_count *n, enum err want)
{
	assert_int_equal(clone_files(s->h, m->rows, m->to, n), want);
	store_close(m->rows);
	blobs_close(m->to);
	with_data(s, "later");
	return want ? (struct second){0} : second_open(s);
}

static void uploads_move_on(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	struct upload ends = an_upload(s, 6, "abc"), grows = an_upload(s, 9, "abc"), goes = an_upload(s, 6, "abc"), whole = an_upload(s, 3, "abc"), u;
	struct upload deleted = an_upload(s, 3, "abc");
	struct moment m = rows_copied(s);
	more(s, &ends, "def");
	more(s, &grows, "def");
	assert_int_equal(upload_remove(s->h, s->a, goes.id), ERR_OK);
	assert_int_equal(upload_remove(s->h, s->a, deleted.id), ERR_OK);
	struct second w = files_copied(s, &m, &n, ERR_OK);
	assert_int_equal(n.vanished, 2);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(store_upload_by_n(w.h->db, s->a, ends.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_OPEN);
	assert_int_equal(u.offset, 3);
	part_is(w.h, u.file, 0, "abc");
	assert_int_equal(store_upload_by_n(w.h->db, s->a, grows.n, &u), ERR_OK);
	part_is(w.h, u.file, 0, "abc");
	assert_int_equal(store_upload_by_n(w.h->db, s->a, goes.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_GONE);
	assert_int_equal(store_upload_by_n(w.h->db, s->a, deleted.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_GONE);
	file_is(w.h, whole.id, "a.txt", "abc");
	second_close(&w);
	IS_SOUND(s);
}

static void sessions_move_on(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	struct session t;
	struct chunk c;
	struct upload u;
	int found;
	/* Ends: placed chunks, whose part gets a name. Joins: parked ones, which go into another file. */
	a_chunk(s, "ends", 0, "one");
	a_chunk(s, "ends", 1, "two");
	struct upload half = half_chunk(s, "ends", 2, 6, "thr");
	a_chunk(s, "joins", 1, "two");
	a_chunk(s, "joins", 0, "one");
	a_chunk(s, "goes", 0, "one");
	a_chunk(s, "keeps", 0, "one");
	a_chunk(s, "named", 0, "one");
	complete(s, "named", "Old.webm");
	a_chunk(s, "removed", 0, "one");
	complete(s, "removed", "Old.webm");
	a_chunk(s, "half", 0, "one");
	stopped(s, "half");
	/* Died between name and row, and nobody has come by since. */
	a_chunk(s, "dead", 0, "one");
	struct session dead = stopped(s, "dead");
	assert_int_equal(blob_publish(s->h->blobs, dead.file, 3, false, "dead", dead.out_name), ERR_OK);
	struct moment m = rows_copied(s);
	more(s, &half, "ee!");
	complete(s, "ends", "End.webm");
	complete(s, "joins", "Join.webm");
	complete(s, "named", "New.webm");
	assert_int_equal(session_finish(s->h, the_session(s, "half").n), ERR_OK);
	assert_int_equal(session_cancel(s->h, s->a, "goes"), ERR_OK);
	struct recording r;
	assert_int_equal(store_recording_get(s->h->db, s->a, "removed", "Old.webm", &r), ERR_OK);
	assert_int_equal(recording_remove(s->h, s->a, &r), ERR_OK);
	struct second w = files_copied(s, &m, &n, ERR_OK);
	assert_int_equal(n.vanished, 2);
	assert_int_equal(n.damaged, 0);
	for (int i = 0; i < 2; i++) {
		const char *sid = i ? "joins" : "ends";
		assert_int_equal(store_session_takes(w.h->db, s->a, sid, &t, 1, &found), ERR_OK);
		assert_int_equal(t.state, SESSION_RECEIVING);
		assert_int_equal(store_chunk_get(w.h->db, t.n, 0, &c), ERR_OK);
		part_is(w.h, c.file, c.base, "one");
		assert_int_equal(store_chunk_get(w.h->db, t.n, 1, &c), ERR_OK);
		part_is(w.h, c.file, c.base, "two");
	}
	assert_int_equal(store_upload_by_n(w.h->db, s->a, half.n, &u), ERR_OK);
	assert_int_equal(u.offset, 3);
	part_is(w.h, u.file, u.base, "thr");
	assert_int_equal(store_session_takes(w.h->db, s->a, "goes", &t, 1, &found), ERR_OK);
	assert_int_equal(t.state, SESSION_GONE);
	file_is(w.h, "named", "Old.webm", "one");
	assert_int_equal(store_recording_get(w.h->db, s->a, "removed", "Old.webm", &r), ERR_NOT_FOUND);
	app_tick(w.app);
	file_is(w.h, "half", "Stop.webm", "one");
	file_is(w.h, "dead", "Stop.webm", "one");
	second_close(&w);
	IS_SOUND(s);
}

/* A name that a recording has lost is another one's by now: the copy has each one's own bytes. */
static void names_pass_to_others(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	struct recording r;
	a_chunk(s, "named", 0, "one");
	complete(s, "named", "Old.webm");
	a_chunk(s, "deleted", 0, "one");
	complete(s, "deleted", "Old.webm");
	a_chunk(s, "half", 0, "one");
	stopped(s, "half");
	struct moment m = rows_copied(s);
	complete(s, "named", "New.webm");
	assert_int_equal(session_finish(s->h, the_session(s, "half").n), ERR_OK);
	complete(s, "half", "New.webm");
	assert_int_equal(store_recording_get(s->h->db, s->a, "deleted", "Old.webm", &r), ERR_OK);
	assert_int_equal(recording_remove(s->h, s->a, &r), ERR_OK);
	static const char *const sids[] = {"named", "half", "deleted"};
	for (int i = 0; i < 3; i++) {
		a_chunk(s, sids[i], 0, "two");
		complete(s, sids[i], i == 1 ? "Stop.webm" : "Old.webm");
		file_is(s->h, sids[i], i == 1 ? "Stop.webm" : "Old.webm", "two");
	}
	struct second w = files_copied(s, &m, &n, ERR_OK);
	assert_int_equal(n.damaged, 0);
	assert_int_equal(n.vanished, 1);
	file_is(w.h, "named", "Old.webm", "one");
	assert_int_equal(store_recording_get(w.h->db, s->a, "deleted", "Old.webm", &r), ERR_NOT_FOUND);
	app_tick(w.app);
	file_is(w.h, "half", "Stop.webm", "one");
	second_close(&w);
	IS_SOUND(s);
}

/* Begun anew over the bytes that the copied row speaks of: the copy promises none of them. */
static void a_chunk_begun_anew_has_nothing(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	struct upload u;
	a_chunk(s, SID, 0, "one");
	struct upload open = half_chunk(s, SID, 1, 6, "abcd"), done = half_chunk(s, "b", 0, 4, "abc"), same = half_chunk(s, "c", 0, 4, "abc");
	struct moment m = rows_copied(s);
	half_chunk(s, SID, 1, 6, "xy");
	half_chunk(s, "b", 0, 4, "wxyz");
	half_chunk(s, "c", 0, 4, "abcd");
	struct second w = files_copied(s, &m, &n, ERR_OK);
	assert_int_equal(store_upload_by_n(w.h->db, s->a, open.n, &u), ERR_OK);
	assert_int_equal(u.offset, 0);
	assert_int_equal(store_upload_by_n(w.h->db, s->a, done.n, &u), ERR_OK);
	/* Its bytes are those of the body that came last, which was acknowledged, too. */
	assert_int_equal(u.offset, 3);
	part_is(w.h, u.file, u.base, "wxy");
	assert_int_equal(store_upload_by_n(w.h->db, s->a, same.n, &u), ERR_OK);
	assert_int_equal(u.offset, 3);
	part_is(w.h, u.file, u.base, "abc");
	assert_int_equal(n.vanished, 1);
	second_close(&w);
	IS_SOUND(s);
}

/* A parked chunk was replaced by another one: its bytes are nowhere, so the rows are copied anew. */
static void a_replaced_chunk_needs_new_rows(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	a_chunk(s, SID, 2, "three");
	struct moment m = rows_copied(s);
	a_chunk(s, SID, 2, "other and longer");
	files_copied(s, &m, &n, ERR_AGAIN);
}

/* A finished file that grew begins with what it was; of one whose chunks were replaced nobody knows that. */
static void a_recording_that_grew_is_cut(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	a_chunk(s, SID, 0, "one");
	complete(s, SID, "End.webm");
	struct moment m = rows_copied(s);
	a_chunk(s, SID, 1, "two");
	complete(s, SID, "End.webm");
	file_is(s->h, SID, "End.webm", "onetwo");
	struct second w = files_copied(s, &m, &n, ERR_OK);
	file_is(w.h, SID, "End.webm", "one");
	second_close(&w);
}

static void a_recording_made_of_other_bytes_needs_new_rows(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	a_chunk(s, SID, 0, "one");
	complete(s, SID, "End.webm");
	struct moment m = rows_copied(s);
	a_chunk(s, SID, 1, "two");
	a_chunk(s, SID, 0, "ONE");
	complete(s, SID, "End.webm");
	file_is(s->h, SID, "End.webm", "ONEtwo");
	files_copied(s, &m, &n, ERR_AGAIN);
}

/* Its new file has the name already, but the row is still the old one's; in rows that were copied now it is being finished, which their world goes on with. */
static void a_recording_between_name_and_row(void **state)
{
	struct scene *s = *state;
	struct clone_count n;
	struct second w;
	a_chunk(s, SID, 0, "one");
	complete(s, SID, "Stop.webm");
	struct moment m = rows_copied(s);
	a_chunk(s, SID, 1, "two");
	a_chunk(s, SID, 0, "ONE");
	struct session t = stopped(s, SID);
	assert_int_equal(session_join(s->h, &t), ERR_OK);
	assert_int_equal(blob_publish(s->h->blobs, t.file, t.bytes, false, SID, t.out_name), ERR_OK);
	files_copied(s, &m, &n, ERR_AGAIN);
	kit_rmdir(m.dir);
	with_data(s, "data");
	m = rows_copied(s);
	w = files_copied(s, &m, &n, ERR_OK);
	app_tick(w.app);
	file_is(w.h, SID, "Stop.webm", "ONEtwo");
	second_close(&w);
	IS_SOUND(s);
}

#define S_(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S_(a_world_comes_back), S_(refusals), S_(what_is_missing_here_is_said), S_(what_is_missing_in_it_is_said), S_(uploads_move_on), S_(sessions_move_on), S_(names_pass_to_others),
		S_(a_chunk_begun_anew_has_nothing), S_(a_replaced_chunk_needs_new_rows), S_(a_recording_that_grew_is_cut), S_(a_recording_made_of_other_bytes_needs_new_rows),
		S_(a_recording_between_name_and_row),
	};
	return cmocka_run_group_tests_name("tusctl backup", tests, NULL, NULL);
}
