/*
 * test_ctl.c - tusctl as an operator runs it: a program with arguments, on the folders of an application that is open meanwhile.
 *
 * The program is the one beside this test's own build folder (TUSCTL names another one).
 */
#include <ctype.h>

#include "ctl_kit.h"

/* ---- init, usage ---- */

static void init_makes_and_keeps(void **state)
{
	struct scene *s = *state;
	struct stat st;
	char path[600];
	strcat(s->data, "/deeper/still");
	assert_int_equal(RUN(s, "list"), 1);
	assert_int_not_equal(stat(s->data, &st), 0);    /* a wrong folder is told, not made */
	assert_non_null(strstr(s->err, "tusctl init"));
	assert_int_equal(RUN(s, "init"), 0);
	says(s, s->data);
	snprintf(path, sizeof path, "%s/tus_sessions/tus.db", s->data);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(RUN(s, "key", "add", "ann"), 0);
	assert_int_equal(RUN(s, "init"), 0);
	assert_int_equal(RUN(s, "key", "list"), 0);
	says(s, "ann");
	assert_int_equal(RUN(s, "check"), 0);
	assert_string_equal(s->err, "");
}

static void wrong_usage_is_2(void **state)
{
	static const struct { const char *arg[4]; } cases[] = {
		{{NULL}}, {{"bogus"}}, {{"list", "x"}}, {{"list", "--what"}}, {{"show"}}, {{"show", "a", "b"}}, {{"reap", "--limit"}}, {{"reap", "--limit", "0"}},
		{{"reap", "--limit", "x"}}, {{"check", "x"}}, {{"key"}}, {{"key", "add"}}, {{"key", "add", "a b"}}, {{"key", "add", "-x"}}, {{"key", "remove"}},
		{{"key", "list", "x"}}, {{"key", "remove", "x", "--admin"}}, {{"config", "x"}}, {{"config", "--check", "--manual"}}, {{"--what", "list"}}, {{"init", "x"}},
		{{"doctor"}}, {{"doctor", "ftp://x/"}}, {{"doctor", "http://x/", "y"}}, {{"doctor", "http://x/", "--key"}},
	};
	struct scene *s = *state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *args[5] = {cases[i].arg[0], cases[i].arg[1], cases[i].arg[2], cases[i].arg[3], NULL};
		if (run_at(s, 0, args) != 2 || *s->out || !strstr(s->err, "usage: tusctl"))
			fail_msg("case %d: %s%s", (int)i, s->out, s->err);
	}
	assert_int_equal(RUN(s, "--help"), 0);
	says(s, "usage: tusctl");
	assert_string_equal(s->err, "");
}

static void config_as_the_server_has_it(void **state)
{
	struct scene *s = *state;
	char file[600], line[400];
	assert_int_equal(RUN(s, "config"), 0);
	snprintf(line, sizeof line, "DATA_DIR=%s\n", s->data);
	says(s, line);
	assert_int_equal(RUN(s, "config", "--check"), 0);
	says(s, "TUS_EXPIRATION: used");
	assert_int_equal(RUN(s, "config", "--manual"), 0);
	says(s, "| `MAX_CHUNKS`");
	assert_int_equal(RUN(s, "--data", "/elsewhere", "config"), 0);
	says(s, "DATA_DIR=/elsewhere\n");
	snprintf(file, sizeof file, "%s/c.json", s->dir);
	FILE *f = fopen(file, "w");
	fputs("{\"MAX_CHUNKS\": 4321}", f);
	fclose(f);
	assert_int_equal(RUN(s, "--config", file, "config"), 0);
	says(s, "MAX_CHUNKS=4321\n");
	assert_int_equal(RUN(s, "--config", "/no/such/file", "config"), 1);
}

/* ---- keys ---- */

static void keys(void **state)
{
	struct scene *s = *state;
	struct api_key k;
	char key[128];
	unsigned char hash[32];
	assert_int_equal(RUN(s, "key", "add", "ann"), 0);
	assert_int_equal(strcspn(s->out, "\n"), 47);
	assert_int_equal(strlen(s->out), 48);
	assert_int_equal(strncmp(s->out, "tus_", 4), 0);
	snprintf(key, sizeof key, "%.47s", s->out);
	for (const char *p = key; *p; p++)
		assert_true(isalnum((unsigned char)*p) || *p == '_' || *p == '-');
	digest_sha256(key, strlen(key), hash);
	assert_int_equal(store_key_find(s->h->db, s->a, hash, &k), ERR_OK);
	assert_string_equal(k.name, "ann");
	assert_string_equal(k.role, "user");

	assert_int_equal(RUN(s, "key", "add", "ann"), 1);   /* the old one stays */
	assert_string_equal(s->out, "");
	assert_int_equal(store_key_find(s->h->db, s->a, hash, &k), ERR_OK);

	assert_int_equal(RUN(s, "--json", "key", "add", "bob", "--admin"), 0);
	struct json *j = parsed(s);
	const char *bob = json_str(json_get(j, "key"));
	digest_sha256(bob, strlen(bob), hash);
	assert_int_equal(store_key_find(s->h->db, s->a, hash, &k), ERR_OK);
	assert_string_equal(k.role, "admin");
	snprintf(key, sizeof key, "%s", bob);
	json_free(j);

	assert_int_equal(RUN(s, "key", "list"), 0);
	says(s, "ann");
	says(s, "admin");
	says_not(s, key);
	assert_int_equal(RUN(s, "key", "remove", "ann"), 0);
	assert_int_equal(RUN(s, "key", "remove", "ann"), 1);
	assert_int_equal(RUN(s, "key", "list", "--json"), 0);
	j = parsed(s);
	assert_int_equal(json_len(json_get(j, "keys")), 1);
	json_free(j);
}

/* ---- list and show ---- */

static void list_shows_what_there_is(void **state)
{
	struct scene *s = *state;
	struct upload half = an_upload(s, 10, "abc"), whole = an_upload(s, 3, "abc");
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 2, "three");
	assert_int_equal(whole.state, UPLOAD_COMPLETE);
	assert_int_equal(RUN(s, "list", "--json"), 0);
	struct json *j = parsed(s);
	const struct json *sessions = json_get(j, "sessions"), *uploads = json_get(j, "uploads"), *recordings = json_get(j, "recordings");
	assert_int_equal(json_len(sessions), 1);
	assert_string_equal(json_str(json_get(json_at(sessions, 0), "id")), SID);
	assert_string_equal(json_str(json_get(json_at(sessions, 0), "state")), "receiving");
	assert_int_equal(number(json_at(sessions, 0), "done"), 2);
	assert_int_equal(number(json_at(sessions, 0), "missing_count"), 1);
	assert_int_equal(json_len(uploads), 1);
	assert_string_equal(json_str(json_get(json_at(uploads, 0), "id")), half.id);
	assert_int_equal(number(json_at(uploads, 0), "offset"), 3);
	assert_int_equal(json_len(recordings), 1);
	assert_string_equal(json_str(json_get(json_at(recordings, 0), "file")), "a.txt");
	json_free(j);

	assert_int_equal(RUN(s, "list"), 0);
	says(s, SID);
	says(s, half.id);
	says_not(s, "\x1b");            /* a client's name must not steer the terminal */
	assert_int_equal(RUN(s, "--json", "list", "--all"), 0);
	j = parsed(s);
	assert_int_equal(json_len(json_get(j, "uploads")), 2);
	json_free(j);
}

static void list_has_many_pages(void **state)
{
	struct scene *s = *state;
	for (int i = 0; i < 205; i++) {
		char sid[32];
		struct chunk_cmd cmd = {.sid = sid, .owner = "", .take = {.kind = SESSION_TUS, .total = 3}};
		struct session out;
		snprintf(sid, sizeof sid, "many-%d", i);
		assert_int_equal(session_open(s->h, s->a, &cmd, &out), ERR_OK);
	}
	assert_int_equal(RUN(s, "list", "--json"), 0);
	struct json *j = parsed(s);
	assert_int_equal(json_len(json_get(j, "sessions")), 205);
	assert_string_equal(json_str(json_get(json_at(json_get(j, "sessions"), 204), "id")), "many-204");
	json_free(j);
	assert_int_equal(RUN(s, "check", "--json"), 0);
	j = parsed(s);
	assert_int_equal(number(json_get(j, "summary"), "sessions"), 205);
	json_free(j);
}

static void show_a_session(void **state)
{
	struct scene *s = *state;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 2, "three");
	a_chunk(s, SID, 5, "six");
	struct chunk_cmd cmd = {.sid = SID, .owner = "", .take = {.kind = SESSION_TUS}, .idx = 3, .length = 9};
	struct upload u;
	assert_int_equal(chunk_create(s->h, s->a, &cmd, &u, &(int64_t){0}), ERR_OK);
	assert_int_equal(RUN(s, "show", SID, "--json"), 0);
	struct json *j = parsed(s);
	const struct json *take = json_at(json_get(j, "takes"), 0), *missing = json_get(take, "missing");
	int64_t a = -1, b = -1;
	assert_int_equal(json_len(json_get(j, "takes")), 1);
	assert_int_equal(number(take, "done"), 3);
	assert_int_equal(number(take, "missing_count"), 3);
	assert_int_equal(json_len(missing), 2);
	json_int(json_at(json_at(missing, 1), 0), &a);
	json_int(json_at(json_at(missing, 1), 1), &b);
	assert_int_equal(a, 3);
	assert_int_equal(b, 4);
	assert_int_equal(number(take, "bytes"), 11);
	assert_int_equal(number(take, "parked"), the_session(s, SID).parked);
	assert_int_equal(number(json_get(take, "frontier"), "index"), the_session(s, SID).next_idx);
	assert_int_equal(number(json_at(json_get(take, "unfinished"), 0), "length"), 9);
	assert_non_null(json_str(json_get(take, "expires")));
	const char *path = json_str(json_get(json_get(take, "part"), "path"));
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(number(json_get(take, "part"), "size"), st.st_size);
	json_free(j);
	assert_int_equal(RUN(s, "show", SID), 0);
	says(s, "[[1,1],[3,4]]");
	says_not(s, "\x1b");
}

static void show_a_finished_session(void **state)
{
	struct scene *s = *state;
	struct complete_cmd cmd = {.sid = SID, .name = "End.webm", .file_size = -1};
	struct complete_out out;
	struct stat st;
	a_chunk(s, SID, 0, "one");
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	if (out.finish_session)
		assert_int_equal(session_finish(s->h, out.finish_session), ERR_OK);
	assert_int_equal(RUN(s, "show", SID, "--json"), 0);
	struct json *j = parsed(s);
	const struct json *take = json_at(json_get(j, "takes"), 0);
	assert_string_equal(json_str(json_get(take, "state")), "complete");
	assert_int_equal(json_type(json_get(take, "part")), JSON_NULL);
	assert_int_equal(stat(json_str(json_get(json_get(take, "recording"), "path")), &st), 0);
	assert_int_equal(st.st_size, 3);
	json_free(j);
	assert_int_equal(RUN(s, "check"), 0);
}

static void show_an_upload(void **state)
{
	struct scene *s = *state;
	struct upload half = an_upload(s, 10, "abc"), whole = an_upload(s, 3, "abc");
	assert_int_equal(RUN(s, "show", half.id, "--json"), 0);
	struct json *j = parsed(s);
	assert_int_equal(number(j, "offset"), 3);
	assert_int_equal(number(json_get(j, "part"), "size"), 3);
	assert_null(json_get(j, "recording"));
	json_free(j);
	assert_int_equal(RUN(s, "show", whole.id), 0);
	says(s, "/completed/a.txt");
	assert_int_equal(RUN(s, "show", "_AAAAAAAAAAAAAAAAAAAAAA"), 1);
	assert_int_equal(RUN(s, "show", "nothing"), 1);
	assert_string_equal(s->out, "");
	assert_int_equal(RUN(s, "show", "../etc"), 1);
}

/* ---- check ---- */

static void check_finds_short_and_missing_parts(void **state)
{
	struct scene *s = *state;
	char path[512];
	struct upload half = an_upload(s, 10, "abcdef");
	IS_SOUND(s);
	part_path(s, half.file, path);
	assert_int_equal(truncate(path, 5), 0);
	FINDS(s, "part-short", half.id);
	assert_int_equal(truncate(path, 6), 0);
	IS_SOUND(s);
	assert_int_equal(unlink(path), 0);
	FINDS(s, "part-missing", half.id);
	assert_int_equal(RUN(s, "check"), 1);
	says(s, "part-missing");
	assert_int_equal(upload_remove(s->h, s->a, half.id), ERR_OK);
	IS_SOUND(s);
}

static void check_finds_short_chunks(void **state)
{
	struct scene *s = *state;
	struct chunk c;
	char path[512];
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 2, "three");
	IS_SOUND(s);
	assert_int_equal(store_chunk_get(s->h->db, the_session(s, SID).n, 2, &c), ERR_OK);
	assert_int_not_equal(c.file, the_session(s, SID).file);   /* it came early: parked */
	part_path(s, c.file, path);
	assert_int_equal(truncate(path, 4), 0);
	FINDS(s, "part-short", "chunk 2");
	assert_int_equal(truncate(path, 5), 0);
	IS_SOUND(s);
	part_path(s, the_session(s, SID).file, path);
	assert_int_equal(truncate(path, 2), 0);
	FINDS(s, "part-short", SID);
}

static void check_finds_lost_finished_files(void **state)
{
	struct scene *s = *state;
	struct upload whole = an_upload(s, 3, "abc");
	char path[600];
	IS_SOUND(s);
	snprintf(path, sizeof path, "%s/%s/completed/a.txt", s->cfg->done_dir, whole.id);
	assert_int_equal(truncate(path, 2), 0);
	FINDS(s, "file-short", whole.id);
	assert_int_equal(unlink(path), 0);
	FINDS(s, "file-missing", whole.id);
	sql(s, "DELETE FROM recording");
	FINDS(s, "recording-missing", whole.id);
}

static void check_finds_orphans_when_they_are_old(void **state)
{
	struct scene *s = *state;
	int64_t file;
	int fd;
	assert_int_equal(store_file_next(s->h->db, &file), ERR_OK);
	assert_int_equal(blob_open(s->h->blobs, file, true, &fd), ERR_OK);
	blob_close(fd);
	IS_SOUND(s);    /* a body may be coming in */
	says(s, "\"young_files\":1");
	assert_true(findings(s, 4000, "orphan-part", "part file") == 1);
	assert_int_equal(RUN_AT(s, 4000, "reap"), 0);
	assert_true(findings(s, 4000, "orphan-part", "part file") == 1);
	assert_int_equal(RUN_AT(s, 4000, "reap", "--scan", "--json"), 0);
	says(s, "\"orphans\":1");
	assert_int_equal(findings(s, 4000, NULL, NULL), 0);
}

/* Each is one step away from a sound session of two chunks, and is undone by the next. */
static void check_counts_sessions_anew(void **state)
{
	static const struct { const char *break_it, *what, *mend_it; } cases[] = {
		{"UPDATE bitmap SET bits=CAST(x'07' || substr(bits,2) AS BLOB)", "bitmap", "UPDATE bitmap SET bits=CAST(x'03' || substr(bits,2) AS BLOB)"},
		{"UPDATE bitmap SET bits=CAST(x'05' || substr(bits,2) AS BLOB)", "bitmap-bit", "UPDATE bitmap SET bits=CAST(x'03' || substr(bits,2) AS BLOB)"},
		{"UPDATE bitmap SET n=3", "bitmap-count", "UPDATE bitmap SET n=2"},
		{"UPDATE session SET done=1", "chunk-rows", "UPDATE session SET done=2"},
		{"UPDATE session SET bytes=bytes+1", "bytes", "UPDATE session SET bytes=bytes-1"},
		{"UPDATE session SET top=3", "top", "UPDATE session SET top=2"},
		{"UPDATE session SET parked=1", "parked", "UPDATE session SET parked=0"},
		{"UPDATE chunk SET base=2 WHERE idx=1", "overlap", "UPDATE chunk SET base=3 WHERE idx=1"},
		{"UPDATE chunk SET base=4 WHERE idx=1", "part-short", "UPDATE chunk SET base=3 WHERE idx=1"},
		{"UPDATE chunk SET session=77 WHERE idx=1", "database", "UPDATE chunk SET session=1"},
		{"UPDATE bitmap SET session=77", "database", "UPDATE bitmap SET session=1"},
	};
	struct scene *s = *state;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	assert_int_equal(the_session(s, SID).n, 1);
	IS_SOUND(s);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		sql(s, cases[i].break_it);
		FINDS(s, cases[i].what, text_eq(cases[i].what, "database") ? "session row 77" : SID);
		sql(s, cases[i].mend_it);
		IS_SOUND(s);
	}
}

/* The chunk rows of a finished session may go when its time has come, not before. */
static void check_finished_sessions(void **state)
{
	struct scene *s = *state;
	struct complete_cmd cmd = {.sid = SID, .file_size = -1};
	struct complete_out out;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	assert_int_equal(the_session(s, SID).state, SESSION_COMPLETE);
	IS_SOUND(s);
	sql(s, "DELETE FROM chunk WHERE idx=1");
	FINDS(s, "chunk-rows", SID);
	assert_true(findings(s, 60 * 86400, "chunk-rows", SID) == 1);
	sql(s, "UPDATE recording SET session=0");
	assert_true(findings(s, 60 * 86400, "recording-missing", SID) == 1);
	/* Forgotten in one step; its rows go after that. */
	sql(s, "UPDATE session SET state=4,file=0,expires=-1");
	IS_SOUND(s);
	sql(s, "UPDATE session SET expires=updated");
	FINDS(s, "chunk-rows", SID);
}

/* A bit far up, in a segment of its own. */
static void check_reads_all_segments(void **state)
{
	struct scene *s = *state;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 9000, "far");
	IS_SOUND(s);
	sql(s, "UPDATE bitmap SET seg=3 WHERE seg=2");
	FINDS(s, "bitmap-bit", SID);
	says(s, "chunk 9000");
}

/* ---- reap ---- */

static void reap_until_nothing_is_due(void **state)
{
	struct scene *s = *state;
	struct upload one = an_upload(s, 10, "abc"), two = an_upload(s, 10, "abc"), three = an_upload(s, 10, "abc"), kept = an_upload(s, 3, "abc"), u;
	a_chunk(s, SID, 0, "one");
	a_chunk(s, SID, 1, "two");
	assert_int_equal(RUN(s, "reap", "--json"), 0);
	says(s, "\"expired\":0,\"recovered\":0,");
	assert_int_equal(RUN_AT(s, 2 * 86400, "reap", "--limit", "1", "--json"), 0);
	says(s, "\"expired\":3,\"recovered\":1,\"finished\":0,\"orphans\":0,\"failed\":0");
	const int64_t ns[] = {one.n, two.n, three.n};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(store_upload_by_n(s->h->db, s->a, ns[i], &u), ERR_OK);
		assert_int_equal(u.state, UPLOAD_GONE);
	}
	assert_int_equal(store_upload_by_n(s->h->db, s->a, kept.n, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_COMPLETE);
	assert_int_equal(the_session(s, SID).state, SESSION_RECOVERED);
	assert_int_equal(findings(s, 2 * 86400, NULL, NULL), 0);
	assert_int_equal(RUN_AT(s, 2 * 86400, "list"), 0);
	says(s, "Evening");
	/* Much later the rows are forgotten, the files stay. */
	assert_int_equal(RUN_AT(s, 60 * 86400, "reap", "--limit", "1"), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_upload_by_n(s->h->db, s->a, ns[i], &u), ERR_NOT_FOUND);
	assert_int_equal(findings(s, 60 * 86400, NULL, NULL), 0);
	assert_int_equal(RUN(s, "list", "--json"), 0);
	struct json *j = parsed(s);
	assert_int_equal(json_len(json_get(j, "recordings")), 2);
	json_free(j);
}

static void no_words_are_lost(void **state)
{
	struct scene *s = *state;
	/* A full disk behind stdout: the key would be lost, so it must not look like success. */
	char command[5000];
	snprintf(command, sizeof command, "DATA_DIR='%s' '%s' key add ann >/dev/full 2>/dev/null", s->data, program());
	int rc = system(command);
	assert_true(WIFEXITED(rc) && WEXITSTATUS(rc) == 1);
}

#define S_(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		S_(init_makes_and_keeps), S_(wrong_usage_is_2), S_(config_as_the_server_has_it), S_(keys), S_(list_shows_what_there_is), S_(list_has_many_pages),
		S_(show_a_session), S_(show_a_finished_session), S_(show_an_upload), S_(check_finds_short_and_missing_parts), S_(check_finds_short_chunks),
		S_(check_finds_lost_finished_files), S_(check_finds_orphans_when_they_are_old), S_(check_counts_sessions_anew), S_(check_finished_sessions), S_(check_reads_all_segments),
		S_(reap_until_nothing_is_due), S_(no_words_are_lost),
	};
	return cmocka_run_group_tests_name("tusctl", tests, NULL, NULL);
}
