/*
 * test_check.c - tusctl check --repair: each kind of damage made by hand, told, mended or left, and nothing lost by it.
 */
#include <dirent.h>

#include "app_priv.h"
#include "base/clock.h"
#include "ctl_kit.h"

/* Runs check --repair, with a permission or NULL, and gives what it says was done about the first such finding; NULL if nothing. */
static const char *repaired(struct scene *s, int later, const char *permit, const char *what)
{
	static char text[512];
	int rc = permit ? RUN_AT(s, later, "check", "--json", "--repair", permit) : RUN_AT(s, later, "check", "--json", "--repair");
	struct json *j = parsed(s);
	const struct json *list = json_get(j, "repairs");
	const char *hit = NULL;
	assert_int_equal(rc, json_len(json_get(j, "findings")) ? 1 : 0);
	assert_int_equal(number(json_get(j, "summary"), "repaired"), json_len(list));
	for (size_t i = 0; !hit && i < json_len(list); i++)
		if (text_eq(json_str(json_get(json_at(list, i), "what")), what))
			hit = json_str(json_get(json_at(list, i), "repaired"));
	if (hit)
		snprintf(text, sizeof text, "%s", hit);
	json_free(j);
	return hit ? text : NULL;
}

static void done_path(const struct scene *s, const char *sid, const char *name, char out[700])
{
	snprintf(out, 700, "%s/%s/completed/%s", s->cfg->done_dir, sid, name);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static bool there(const char *path)
{
	return access(path, F_OK) == 0;
}

/* ---- counters ---- */

static void counters_are_made_anew(void **state)
{
	static const struct { const char *damage, *what; } cases[] = {
		{"UPDATE bitmap SET bits=CAST(x'07' || substr(bits,2) AS BLOB)", "bitmap"},
		{"UPDATE bitmap SET bits=CAST(x'05' || substr(bits,2) AS BLOB)", "bitmap-bit"},
		{"UPDATE bitmap SET n=3", "bitmap-count"},
		{"DELETE FROM bitmap", "bitmap"},
		{"UPDATE session SET done=1", "chunk-rows"},
		{"UPDATE session SET bytes=bytes+1", "bytes"},
		{"UPDATE session SET top=1,done=1", "top"},
		{"UPDATE session SET parked=1", "parked"},
	};
	struct scene *s = *state;
	struct complete_cmd cmd = {.sid = SID, .name = "End.webm", .file_size = -1};
	struct complete_out out;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sql(s, cases[i].damage);
		FINDS(s, cases[i].what, SID);
		if (!repaired(s, 0, NULL, cases[i].what))
			fail_msg("%s: not repaired: %s%s", cases[i].damage, s->out, s->err);
		IS_SOUND(s);
	}
	/* It can be completed, and nothing is missing in it. */
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	assert_int_equal(the_session(s, SID).size, 6);
	IS_SOUND(s);
}

/* A chunk whose row is gone is missing from then on, and never makes a shorter recording. */
static void a_lost_row_is_missing(void **state)
{
	struct scene *s = *state;
	struct complete_cmd cmd = {.sid = SID, .name = "End.webm", .file_size = -1};
	struct complete_out out;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	sql(s, "DELETE FROM chunk WHERE idx=1");
	FINDS(s, "chunk-rows", SID);
	repaired(s, 0, NULL, "chunk-rows");
	assert_int_equal(the_session(s, SID).done, 1);
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_CONFLICT);
	assert_int_equal(out.missing_count, 1);
	assert_int_equal(out.missing[0].first, 1);
	a_chunk(s, SID, 1, "two");
	IS_SOUND(s);
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	if (out.finish_session)
		assert_int_equal(session_finish(s->h, out.finish_session), ERR_OK);
	assert_int_equal(the_session(s, SID).size, 6);
}

/* ---- bytes ---- */

static void lost_bytes_are_said_loudly(void **state)
{
	struct scene *s = *state;
	struct upload cut = an_upload(s, 10, "abcdef"), gone = an_upload(s, 10, "abcdef"), u;
	char path[512];
	part_path(s, cut.file, path);
	assert_int_equal(truncate(path, 5), 0);
	part_path(s, gone.file, path);
	assert_int_equal(unlink(path), 0);
	/* Nobody is told a smaller offset before the operator says so: the bytes may come back. */
	assert_null(repaired(s, 0, NULL, "part-short"));
	assert_int_equal(store_upload_by_n(s->h->db, s->a, cut.n, &u), ERR_OK);
	assert_int_equal(u.offset, 6);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, gone.n, &u), ERR_OK);
	assert_int_equal(u.offset, 6);
	assert_int_equal(RUN(s, "check", "--shorten"), 2);
	assert_non_null(repaired(s, 0, "--shorten", "part-short"));
	assert_non_null(strstr(s->err, "BYTES ARE LOST"));
	says(s, "acknowledged bytes are lost");
	IS_SOUND(s);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, cut.n, &u), ERR_OK);
	assert_int_equal(u.offset, 5);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, gone.n, &u), ERR_OK);
	assert_int_equal(u.offset, 0);
}

/* What is there of a complete chunk stays; so does its row, for somebody may bring the bytes back. */
static void a_short_chunk_stays(void **state)
{
	struct scene *s = *state;
	char path[512];
	a_chunk(s, SID, 0, "one");
	part_path(s, the_session(s, SID).file, path);
	assert_int_equal(truncate(path, 2), 0);
	assert_null(repaired(s, 0, "--shorten", "part-short"));
	assert_int_equal(RUN(s, "check"), 1);
	assert_int_equal(the_session(s, SID).done, 1);
	assert_int_equal(truncate(path, 3), 0);
	IS_SOUND(s);
}

/* ---- finishing ---- */

static struct session stopped(struct scene *s, const char *sid)
{
	struct session_close c = {.n = the_session(s, sid).n, .name = "End.webm", .goal = SESSION_COMPLETE, .now = clock_now()};
	assert_int_equal(store_session_close(s->h->db, &c), ERR_OK);
	return the_session(s, sid);
}

static void finishing_is_run_again(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 10, "abcdef"), u;
	a_chunk(s, SID, 0, "one");
	stopped(s, SID);
	sql(s, "UPDATE upload SET length=6");
	assert_int_equal(store_upload_closing(s->h->db, whole.n, 6, 6, clock_now()), ERR_OK);
	IS_SOUND(s);        /* a moment is no fault */
	assert_true(findings(s, 100, "finishing", SID) == 1);
	assert_true(findings(s, 100, "finishing", whole.id) == 1);
	assert_string_equal(repaired(s, 100, NULL, "finishing"), "finished");
	assert_int_equal(findings(s, 100, NULL, NULL), 0);
	assert_int_equal(the_session(s, SID).state, SESSION_COMPLETE);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, whole.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
}

/* What was given up is finished once its bytes are back, and not before. */
static void what_was_given_up_comes_back(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 10, "abcdef"), u;
	struct reap_count count;
	char part[512], other[512], away[600], away2[600];
	a_chunk(s, SID, 0, "one");
	struct session t = stopped(s, SID);
	sql(s, "UPDATE upload SET length=6");
	assert_int_equal(store_upload_closing(s->h->db, whole.n, 6, 6, clock_now()), ERR_OK);
	part_path(s, whole.file, part);
	part_path(s, t.file, other);
	snprintf(away, sizeof away, "%s/whole", s->dir);
	snprintf(away2, sizeof away2, "%s/session", s->dir);
	assert_int_equal(rename(part, away), 0);
	assert_int_equal(rename(other, away2), 0);
	log_level_set(LOG_ERROR + 1);
	assert_int_equal(reap(s->h, 10, false, &count), ERR_OK);
	log_level_set(LOG_ERROR);
	FINDS(s, "upload-lost", whole.id);
	FINDS(s, "session-failed", SID);
	assert_null(repaired(s, 0, NULL, "upload-lost"));
	assert_null(repaired(s, 0, NULL, "session-failed"));
	assert_int_equal(rename(away, part), 0);
	assert_int_equal(rename(away2, other), 0);
	assert_string_equal(repaired(s, 0, NULL, "session-failed"), "finished");
	IS_SOUND(s);
	assert_int_equal(the_session(s, SID).state, SESSION_COMPLETE);
	assert_int_equal(store_upload_by_n(s->h->db, s->a, whole.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
}

/* The start of a process ends what an earlier one had begun, though the reaper never comes. */
static void a_start_finishes(void **state)
{
	struct scene *s = *state;
	a_chunk(s, SID, 0, "one");
	stopped(s, SID);
	s->cfg->reap_interval = 0;
	app_tick(s->app);
	assert_int_equal(the_session(s, SID).state, SESSION_COMPLETE);
	/* Once: it is not the reaper. */
	a_chunk(s, "rec-2", 0, "one");
	stopped(s, "rec-2");
	app_tick(s->app);
	assert_int_equal(the_session(s, "rec-2").state, SESSION_FINISHING);
	/* And now and then, for somebody may have been at it the first time. */
	s->app->next_look = 0;
	app_tick(s->app);
	assert_int_equal(the_session(s, "rec-2").state, SESSION_COMPLETE);
}

/* ---- files ---- */

static void orphans_and_leftovers_go(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 3, "abc");
	char path[4][700];
	int64_t file;
	int fd;
	assert_int_equal(store_file_next(s->h->db, &file), ERR_OK);
	assert_int_equal(blob_open(s->h->blobs, file, true, &fd), ERR_OK);
	blob_close(fd);
	done_path(s, whole.id, ".7.copy", path[0]);
	done_path(s, whole.id, "z.txt.meta.json", path[1]);
	snprintf(path[2], 700, "%s/.writable-0011223344556677", s->cfg->done_dir);
	snprintf(path[3], 700, "%s/parts/.writable-0011223344556677", s->cfg->parts_dir);
	for (int i = 0; i < 4; i++)
		write_file(path[i], "{}");
	IS_SOUND(s);
	assert_true(findings(s, 4000, "leftover", ".7.copy") == 1);
	assert_true(findings(s, 4000, "leftover", "parts/.writable-") == 1);
	assert_true(findings(s, 4000, "note-alone", "z.txt") == 1);
	assert_true(findings(s, 4000, "orphan-part", "part file") == 1);
	assert_string_equal(repaired(s, 4000, NULL, "leftover"), "removed");
	assert_int_equal(findings(s, 4000, NULL, NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_false(there(path[i]));
	done_path(s, whole.id, "a.txt", path[0]);
	assert_true(there(path[0]));
	done_path(s, whole.id, "a.txt.meta.json", path[0]);
	assert_true(there(path[0]));
}

static void strangers_stay(void **state)
{
	struct scene *s = *state;
	char path[700];
	an_upload(s, 10, "abcdef");
	snprintf(path, sizeof path, "%s/parts/shard_0000/77.part.bak", s->cfg->parts_dir);
	write_file(path, "mine");
	FINDS(s, "stranger", "77.part.bak");
	assert_null(repaired(s, 4000, NULL, "stranger"));
	assert_true(there(path));
	assert_int_equal(unlink(path), 0);
	/* In a shard that is not its own. */
	snprintf(path, sizeof path, "%s/parts/shard_0000/5000.part", s->cfg->parts_dir);
	write_file(path, "mine");
	FINDS(s, "stranger", "5000.part");
}

static void finished_files_are_adopted(void **state)
{
	struct scene *s = *state;
	struct recording r;
	struct complete_cmd cmd = {.sid = SID, .name = "End.webm", .meta = "{\"place\":\"hall\"}", .file_size = -1};
	struct complete_out out;
	char path[700];
	a_chunk(s, SID, 0, "one");
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	sql(s, "DELETE FROM recording; DELETE FROM session; DELETE FROM chunk; DELETE FROM bitmap");
	done_path(s, SID, "End.webm", path);
	/* Somebody deleted it, and only the file is left for a moment. */
	assert_int_equal(findings(s, 4000, NULL, NULL), 0);
	assert_null(repaired(s, 4000, "--adopt", "file-unlisted"));
	assert_int_equal(store_recording_get(s->h->db, s->a, SID, "End.webm", &r), ERR_NOT_FOUND);
	sql(s, "DELETE FROM trash");
	IS_SOUND(s);        /* its row may be about to come */
	assert_true(findings(s, 4000, "file-unlisted", "End.webm") == 1);
	assert_null(repaired(s, 4000, NULL, "file-unlisted"));
	assert_true(there(path));
	assert_string_equal(repaired(s, 4000, "--adopt", "file-unlisted"), "adopted as a recording");
	assert_int_equal(findings(s, 4000, NULL, NULL), 0);
	assert_int_equal(store_recording_get(s->h->db, s->a, SID, "End.webm", &r), ERR_OK);
	assert_int_equal(r.size, 3);
	assert_string_equal(r.name, "End.webm");
	assert_string_equal(r.meta, "{\"place\":\"hall\"}");
	/* A folder that no session can have. */
	snprintf(path, sizeof path, "%s/..odd", s->cfg->done_dir);
	assert_int_equal(mkdir(path, 0750), 0);
	strcat(path, "/completed");
	assert_int_equal(mkdir(path, 0750), 0);
	strcat(path, "/x.txt");
	write_file(path, "x");
	assert_null(repaired(s, 4000, "--adopt", "file-unlisted"));
	assert_true(there(path));
	assert_int_equal(RUN(s, "check", "--adopt"), 2);
}

/* A renaming was cut between its row and the old name. */
static void a_second_name_goes(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 3, "abc");
	char path[700], second[700];
	done_path(s, whole.id, "a.txt", path);
	done_path(s, whole.id, "old.txt", second);
	assert_int_equal(link(path, second), 0);
	assert_true(findings(s, 4000, "file-unlisted", "old.txt") == 1);
	assert_non_null(repaired(s, 4000, "--adopt", "file-unlisted"));
	assert_false(there(second));
	assert_true(there(path));
	assert_int_equal(findings(s, 4000, NULL, NULL), 0);
}

#define S_(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S_(counters_are_made_anew), S_(a_lost_row_is_missing), S_(lost_bytes_are_said_loudly), S_(a_short_chunk_stays), S_(finishing_is_run_again),
		S_(what_was_given_up_comes_back), S_(a_start_finishes), S_(orphans_and_leftovers_go), S_(strangers_stay), S_(finished_files_are_adopted),
		S_(a_second_name_goes),
	};
	return cmocka_run_group_tests_name("tusctl check", tests, NULL, NULL);
}
