/* test_fallback.c - the recorder's own way: /upload/chunk, /api/verify, /recording/complete, and the decisions about them. */
#include "kit.h"

static struct kit *k;

static int begin(void **state)
{
	(void)state;
	k = KIT("MAX_CHUNK_SIZE=100000", "CHUNK_SIZE=50000", "MAX_CHUNKS=5000", "TUS_MAX_SIZE=300000", "TUS_CHUNK_SIZE=50000");
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

static int verify(const char *sid, int idx)
{
	char url[200];
	snprintf(url, sizeof url, "/api/verify/%s/%d", sid, idx);
	return kit_get(k, url);
}

static int status_of(const char *sid)
{
	char url[200];
	snprintf(url, sizeof url, "/files/%s/status", sid);
	return kit_get(k, url);
}

static int live(const char *sid, int idx, const char *text)
{
	return kit_chunk(k, sid, idx, 0, text, strlen(text), false);
}

/* ---- POST /upload/chunk ---- */

static void a_new_chunk_and_the_same_again(void **state)
{
	(void)state;
	EXPECT(k, 200, live("c1", 0, "hello"));
	assert_true(text_starts(k->body, "{\"status\":\"chunk_received\",\"chunk_index\":0,\"session_id\":\"c1\",\"size\":5}"));
	HEADER(k, "Content-Type", "application/json");
	EXPECT(k, 200, live("c1", 0, "hello"));
	assert_string_equal(k->body, "{\"status\":\"chunk_already_exists\",\"chunk_index\":0,\"session_id\":\"c1\"}");
	/* 9.2: other bytes replace. */
	EXPECT(k, 200, live("c1", 0, "world"));
	assert_string_equal(kit_str(k, "status"), "chunk_received");
}

struct field {
	const char *sid, *idx, *total;
};

static int send_fields(const struct field *x, const char *file_field)
{
	struct form_text f;
	form_begin(&f);
	if (x->sid)
		form_add(&f, "session_id", x->sid);
	if (x->idx)
		form_add(&f, "chunk_index", x->idx);
	if (x->total)
		form_add(&f, "total_chunks", x->total);
	if (file_field)
		form_add_file(&f, file_field, "blob", NULL, "abc", 3);
	return form_send(k, "/upload/chunk", NULL, &f);
}

static void fields(void **state)
{
	(void)state;
	static const struct { const char *name; struct field f; const char *file; int status; } rows[] = {
		{"all", {"s1", "0", "2"}, "file", 200},
		{"no total", {"s2", "0", NULL}, "file", 200},
		{"empty total", {"s3", "0", ""}, "file", 200},
		{"total 0", {"s4", "0", "0"}, "file", 200},
		{"no session", {NULL, "0", NULL}, "file", 422},
		{"empty session", {"", "0", NULL}, "file", 422},
		{"no index", {"s5", NULL, NULL}, "file", 422},
		{"empty index", {"s5", "", NULL}, "file", 422},
		{"no file", {"s5", "0", NULL}, NULL, 422},
		{"file under another name", {"s5", "0", NULL}, "upload", 422},
		{"negative index", {"s5", "-1", NULL}, "file", 422},
		{"index is a word", {"s5", "one", NULL}, "file", 422},
		{"index with a blank", {"s5", "1 ", NULL}, "file", 422},
		{"total is a word", {"s5", "1", "many"}, "file", 422},
		{"index beyond the total", {"s5", "2", "2"}, "file", 422},
		{"index too large", {"s5", "5000", NULL}, "file", 422},
		{"total too large", {"s5", "0", "5001"}, "file", 422},
		{"index of 30 digits", {"s5", "100000000000000000000000000000", NULL}, "file", 422},
		{"a path", {"../x", "0", NULL}, "file", 400},
		{"an absolute path", {"/tmp/x", "0", NULL}, "file", 400},
		{"dots", {"a..b", "0", NULL}, "file", 400},
		{"hidden", {".a", "0", NULL}, "file", 400},
		{"the server's own kind", {"_aaaaaaaaaaaaaaaaaaaaaa", "0", NULL}, "file", 400},
		{"a line feed", {"a\nb", "0", NULL}, "file", 400},
		{"umlaut", {"s\xc3\xa4", "0", NULL}, "file", 400},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		send_fields(&rows[i].f, rows[i].file);
		if (k->status != rows[i].status)
			print_error("row '%s'\n", rows[i].name);
		EXPECT(k, rows[i].status, 0);
		if (rows[i].status >= 400)
			assert_true(text_starts(k->body, "{\"detail\":\""));
	}
	EXPECT(k, 404, status_of("s5"));
}

static void file_must_be_a_file(void **state)
{
	(void)state;
	struct form_text f;
	form_begin(&f);
	form_add(&f, "session_id", "textfile");
	form_add(&f, "chunk_index", "0");
	form_add(&f, "file", "not a file");
	EXPECT(k, 422, form_send(k, "/upload/chunk", NULL, &f));
	form_begin(&f);
	form_add(&f, "session_id", "twofiles");
	form_add(&f, "chunk_index", "0");
	form_add_file(&f, "file", "a", NULL, "x", 1);
	form_add_file(&f, "file", "b", NULL, "y", 1);
	EXPECT(k, 422, form_send(k, "/upload/chunk", NULL, &f));
	EXPECT(k, 200, verify("twofiles", 0));
	assert_false(kit_bool(k, "exists"));
	EXPECT(k, 405, kit_get(k, "/upload/chunk"));
	/* PUT would store a file of that name. */
	HEADER(k, "Allow", "POST, PUT");
}

/* 9.12: 413 only for what alone is too large; a full session is 507. */
static void too_large_and_full(void **state)
{
	(void)state;
	unsigned char *p = kit_bytes(k, 100001, 1);
	EXPECT(k, 413, kit_chunk(k, "big", 0, 0, p, 100001, false));
	EXPECT(k, 413, kit_chunk(k, "big", 0, 0, p, 100001, true));
	for (int i = 0; i < 3; i++)
		EXPECT(k, 200, kit_chunk(k, "big", i, 0, p, 100000, i % 2));
	EXPECT(k, 507, kit_chunk(k, "big", 3, 0, p, 10, false));
	EXPECT(k, 507, kit_chunk(k, "big", 3, 0, p, 70000, false));
	EXPECT(k, 200, kit_complete(k, "big", "big.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/big/big.webm"));
	assert_int_equal(k->len, 300000);
	test_free(p);
}

/* 9.18 */
static void switched_off(void **state)
{
	(void)state;
	struct kit *off = KIT("CUSTOM_ENABLED=false");
	EXPECT(off, 404, kit_chunk(off, "new", 0, 0, "x", 1, false));
	EXPECT(off, 404, kit_chunk(off, "new", 0, 0, "x", 1, true));
	kit_restart(off, NULL);
	EXPECT(off, 200, kit_chunk(off, "begun", 0, 0, "x", 1, false));
	kit_restart(off, (const char *const[]){"CUSTOM_ENABLED=false", NULL});
	EXPECT(off, 200, kit_chunk(off, "begun", 1, 0, "y", 1, false));
	EXPECT(off, 200, kit_complete(off, "begun", "a.webm", NULL));
	kit_done(off);
}

/* ---- GET /api/verify ---- */

static void verify_answers(void **state)
{
	(void)state;
	EXPECT(k, 200, live("v1", 0, "hello"));
	EXPECT(k, 200, verify("v1", 0));
	assert_string_equal(k->body, "{\"exists\":true,\"session_id\":\"v1\",\"chunk_index\":0,\"size\":5,\"path\":\"v1/chunks/chunk_0.bin\"}");
	EXPECT(k, 200, verify("v1", 9));
	assert_string_equal(k->body, "{\"exists\":false,\"session_id\":\"v1\",\"chunk_index\":9}");
	EXPECT(k, 200, verify("unknown", 0));
	assert_false(kit_bool(k, "exists"));
	/* It makes nothing. */
	EXPECT(k, 404, status_of("unknown"));
	EXPECT(k, 422, kit_get(k, "/api/verify/v1/x"));
	EXPECT(k, 422, kit_get(k, "/api/verify/v1/-1"));
	/* 9.3: also after assembly. */
	EXPECT(k, 200, kit_complete(k, "v1", "a.webm", NULL));
	EXPECT(k, 200, verify("v1", 0));
	assert_true(kit_bool(k, "exists"));
	assert_int_equal(kit_int(k, "size"), 5);
}

static void a_half_does_not_verify(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/v2/chunks/", "Upload-Length: 10\n", NULL, 0));
	EXPECT(k, 204, kit_tus(k, "PATCH", "/files/v2/chunks/0", "Upload-Offset: 0\n", "12345", 5));
	EXPECT(k, 200, verify("v2", 0));
	assert_false(kit_bool(k, "exists"));
	EXPECT(k, 409, kit_complete(k, "v2", "a.webm", NULL));
	EXPECT(k, 200, live("v2", 0, "abcdefghij"));
	assert_string_equal(kit_str(k, "status"), "chunk_received");
	EXPECT(k, 200, verify("v2", 0));
	assert_true(kit_bool(k, "exists"));
}

/* ---- POST /recording/complete ---- */

static void names(void **state)
{
	(void)state;
	static const struct { const char *file_name, *meta, *name, *disk; } rows[] = {
		{"a.webm", NULL, "a.webm", "a.webm"},
		{"My.take.v2.webm", NULL, "My.take.v2.webm", "My.take.v2.webm"},
		{"a.webm", "{\"name\":\"My take\",\"extension\":\"webm\"}", "My take.webm", "My%20take.webm"},
		{"x.webm", "{\"name\":\"Sequence 20:11:19\",\"extension\":\"webm\"}", "Sequence 20:11:19.webm", "Sequence%2020%3A11%3A19.webm"},
		{"x.webm", "{\"name\":\"M\u00fcll\",\"extension\":\"mp3\"}", "M\u00fcll.mp3", "M%C3%BCll.mp3"},
		{"x.wav", "{\"name\":\"only a name\"}", "only a name.wav", "only%20a%20name.wav"},
		{"x.y.webm", "{\"extension\":\"ogg\"}", "x.y.ogg", "x.y.ogg"},
		{"noext", "{}", "noext", "noext"},
		{"x", "{\"name\":\"\",\"extension\":\"\"}", "x", "x"},
		{"../../../etc/passwd", NULL, "../../../etc/passwd", "_.._.._etc_passwd"},
		{"a.webm", "{\"name\":\"../../x\",\"extension\":\"webm\"}", "../../x.webm", "_.._x.webm"},
		{"a/b.webm", NULL, "a/b.webm", "a_b.webm"},
		{"<img src=x>.webm", NULL, "<img src=x>.webm", "%3Cimg%20src%3Dx%3E.webm"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char sid[30], url[300];
		snprintf(sid, sizeof sid, "name%zu", i);
		EXPECT(k, 200, live(sid, 0, sid));
		EXPECT(k, 200, kit_complete(k, sid, rows[i].file_name, rows[i].meta));
		assert_string_equal(kit_str(k, "status"), "assembling");
		assert_string_equal(kit_str(k, "session_id"), sid);
		assert_string_equal(kit_str(k, "file_name"), rows[i].name);
		EXPECT(k, 200, status_of(sid));
		snprintf(url, sizeof url, "/recordings/%s/%s", sid, rows[i].disk);
		assert_string_equal(kit_str(k, "file_url"), url);
		EXPECT(k, 200, kit_get(k, url));
		assert_string_equal(k->body, sid);
	}
}

static void refusals(void **state)
{
	(void)state;
	struct form_text f;
	EXPECT(k, 404, kit_complete(k, "zz", "a.webm", NULL));
	assert_string_equal(kit_str(k, "detail"), "Session zz not found");
	EXPECT(k, 404, kit_complete(k, "../zz", "a.webm", NULL));
	EXPECT(k, 200, live("r1", 0, "x"));
	static const char *const bad[] = {"[1]", "{", "\"text\"", "1", "null", "{\"a\":1}x"};
	for (size_t i = 0; i < 6; i++) {
		EXPECT(k, 400, kit_complete(k, "r1", "a.webm", bad[i]));
		assert_string_equal(kit_str(k, "detail"), "Invalid metadata JSON");
	}
	EXPECT(k, 422, kit_raw(k, "POST", "/recording/complete", "Content-Type: application/json\n", "{\"session_id\":\"r1\"}", 19));
	form_begin(&f);
	form_add(&f, "session_id", "r1");
	EXPECT(k, 422, form_send(k, "/recording/complete", NULL, &f));
	form_begin(&f);
	form_add(&f, "file_name", "a");
	EXPECT(k, 422, form_send(k, "/recording/complete", NULL, &f));
	EXPECT(k, 405, kit_get(k, "/recording/complete"));
	const char *body = "session_id=r1&file_name=My+take%2Ewebm&metadata=%7B%22x%22%3A1%7D";
	EXPECT(k, 200, kit_raw(k, "POST", "/recording/complete", "Content-Type: application/x-www-form-urlencoded\n", body, strlen(body)));
	assert_string_equal(kit_str(k, "file_name"), "My take.webm");
}

/* 9.4 */
static void missing_chunks(void **state)
{
	(void)state;
	EXPECT(k, 200, live("m1", 1, "b"));
	EXPECT(k, 200, live("m1", 4, "e"));
	EXPECT(k, 409, kit_complete(k, "m1", "a.webm", NULL));
	assert_true(text_starts(k->body, "{\"detail\":"));
	assert_non_null(strstr(k->body, "\"missing_chunks\":[0,2,3]"));
	assert_non_null(strstr(k->body, "\"missing_ranges\":[[0,0],[2,3]]"));
	assert_int_equal(kit_int(k, "missing_count"), 3);
	EXPECT(k, 409, kit_complete(k, "m1", "a.webm", "{\"totalChunks\":7}"));
	assert_non_null(strstr(k->body, "\"missing_chunks\":[0,2,3,5,6]"));
	EXPECT(k, 200, live("m1", 0, "a"));
	EXPECT(k, 200, live("m1", 2, "c"));
	EXPECT(k, 200, live("m1", 3, "d"));
	EXPECT(k, 200, kit_complete(k, "m1", "a.webm", "{\"totalChunks\":5,\"fileSize\":5}"));
	EXPECT(k, 200, kit_get(k, "/recordings/m1/a.webm"));
	assert_string_equal(k->body, "abcde");
}

static void twice_and_renamed(void **state)
{
	(void)state;
	EXPECT(k, 200, live("t1", 0, "x"));
	EXPECT(k, 200, kit_complete(k, "t1", "a.webm", "{\"name\":\"one\",\"extension\":\"webm\",\"k\":1}"));
	assert_string_equal(k->body, "{\"status\":\"assembling\",\"message\":\"Recording is being assembled on server\",\"session_id\":\"t1\",\"file_name\":\"one.webm\"}");
	EXPECT(k, 200, kit_complete(k, "t1", "a.webm", "{\"name\":\"one\",\"extension\":\"webm\"}"));
	assert_string_equal(k->body, "{\"status\":\"already_completed\",\"message\":\"Recording already assembled\",\"session_id\":\"t1\",\"file_name\":\"one.webm\"}");
	EXPECT(k, 200, kit_complete(k, "t1", "two.webm", "{\"k\":2}"));
	EXPECT(k, 404, kit_get(k, "/recordings/t1/one.webm"));
	EXPECT(k, 200, kit_get(k, "/recordings/t1/two.webm"));
	EXPECT(k, 200, kit_get(k, "/recordings/t1/two.webm.meta.json"));
	assert_string_equal(kit_str(k, "file_name"), "two.webm");
	int64_t v = 0;
	assert_true(json_int(json_get(json_get(kit_json(k), "client_metadata"), "k"), &v));
	assert_int_equal(v, 2);
}

static void size_mismatch(void **state)
{
	(void)state;
	static const struct { const char *meta; bool mismatch; } rows[] = {
		{"{\"fileSize\":5}", false}, {"{\"fileSize\":6}", true}, {"{\"fileSize\":6,\"extension\":\"wav\"}", false}, {"{\"fileSize\":\"6\"}", false}, {NULL, false},
	};
	for (size_t i = 0; i < 5; i++) {
		char sid[20];
		snprintf(sid, sizeof sid, "size%zu", i);
		EXPECT(k, 200, live(sid, 0, "hello"));
		EXPECT(k, 200, kit_complete(k, sid, "a.webm", rows[i].meta));
		EXPECT(k, 200, status_of(sid));
		assert_int_equal(kit_bool(k, "size_mismatch"), rows[i].mismatch);
		assert_true(kit_bool(k, "assembled"));
	}
}

/* 9.5: the note has the seven keys, and ours. */
static void note(void **state)
{
	(void)state;
	static const char *const keys[] = {"file_name", "session_id", "file_size_bytes", "total_chunks", "missing_chunks", "client_metadata", "assembled_at"};
	EXPECT(k, 200, live("n1", 0, "abc"));
	EXPECT(k, 200, live("n1", 1, "de"));
	EXPECT(k, 200, kit_complete(k, "n1", "a.webm", "{\"mimeType\":\"audio/webm\",\"fileSize\":5}"));
	EXPECT(k, 200, kit_get(k, "/recordings/n1/a.webm.meta.json"));
	for (size_t i = 0; i < 7; i++)
		assert_non_null(json_get(kit_json(k), keys[i]));
	assert_int_equal(kit_int(k, "file_size_bytes"), 5);
	assert_int_equal(kit_int(k, "total_chunks"), 2);
	assert_string_equal(json_str(json_get(json_get(kit_json(k), "client_metadata"), "mimeType")), "audio/webm");
	char path[400];
	snprintf(path, sizeof path, "%s/uploaded_data/n1/completed/a.webm", k->dir);
	assert_int_equal(access(path, R_OK), 0);
	snprintf(path, sizeof path, "%s/uploaded_data/n1/completed/a.webm.meta.json", k->dir);
	assert_int_equal(access(path, R_OK), 0);
}

/* 3.2: one session id, live and manual, both kept. */
static void live_and_manual_never_mix(void **state)
{
	(void)state;
	EXPECT(k, 200, live("both", 0, "live0"));
	EXPECT(k, 200, live("both", 1, "live1"));
	EXPECT(k, 200, kit_chunk(k, "both", 0, 2, "MAN0", 4, false));
	EXPECT(k, 200, kit_complete(k, "both", "live.webm", NULL));
	EXPECT(k, 200, kit_chunk(k, "both", 1, 2, "MAN1", 4, true));
	EXPECT(k, 200, kit_complete(k, "both", "manual.webm", "{\"manualUpload\":true}"));
	EXPECT(k, 200, kit_get(k, "/recordings/both/live.webm"));
	assert_string_equal(k->body, "live0live1");
	EXPECT(k, 200, kit_get(k, "/recordings/both/manual.webm"));
	assert_string_equal(k->body, "MAN0MAN1");
	/* B26: the worker asks for its last chunk after the assembly. */
	EXPECT(k, 200, verify("both", 1));
	assert_true(kit_bool(k, "exists"));
	EXPECT(k, 200, kit_chunk(k, "both", 1, 2, "MAN1", 4, false));
	assert_string_equal(kit_str(k, "status"), "chunk_already_exists");
}

/* ---- 9.10, 9.14: nothing recorded is lost by time ---- */

#define DAY 86400

static void the_signal_never_comes(void **state)
{
	(void)state;
	char url[200];
	EXPECT(k, 200, live("lost", 0, "abc"));
	EXPECT(k, 200, live("lost", 1, "de"));
	clock_shift(DAY - 100);
	kit_reap(k);
	EXPECT(k, 200, status_of("lost"));
	assert_string_equal(kit_str(k, "state"), "receiving");
	clock_shift(DAY + 100);
	kit_reap(k);
	EXPECT(k, 200, status_of("lost"));
	assert_string_equal(kit_str(k, "state"), "recovered");
	assert_non_null(strstr(kit_str(k, "file_name"), "recovered"));
	snprintf(url, sizeof url, "%s", kit_str(k, "file_url"));
	EXPECT(k, 200, kit_get(k, url));
	assert_string_equal(k->body, "abcde");
	/* A late chunk goes on from it, and the client's name wins. */
	EXPECT(k, 200, live("lost", 2, "f"));
	EXPECT(k, 200, kit_complete(k, "lost", "right.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/lost/right.webm"));
	assert_string_equal(k->body, "abcdef");
	EXPECT(k, 404, kit_get(k, url));
	clock_shift(0);
}

static void chunks_with_holes_stay_a_month(void **state)
{
	(void)state;
	EXPECT(k, 200, live("holes", 0, "abc"));
	EXPECT(k, 200, live("holes", 2, "ghi"));
	clock_shift(2 * DAY);
	kit_reap(k);
	clock_shift(29 * DAY);
	kit_reap(k);
	EXPECT(k, 200, live("holes", 1, "def"));
	EXPECT(k, 200, kit_complete(k, "holes", "whole.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/holes/whole.webm"));
	assert_string_equal(k->body, "abcdefghi");
	clock_shift(0);
}

static void chunks_with_holes_go_after_a_month(void **state)
{
	(void)state;
	EXPECT(k, 200, live("oldholes", 0, "abc"));
	EXPECT(k, 200, live("oldholes", 2, "ghi"));
	clock_shift(2 * DAY);
	kit_reap(k);
	clock_shift(31 * DAY);
	kit_reap(k);
	EXPECT(k, 410, status_of("oldholes"));
	/* A fallback chunk opens it again under the same id. */
	EXPECT(k, 200, live("oldholes", 0, "new"));
	EXPECT(k, 200, kit_complete(k, "oldholes", "n.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/oldholes/n.webm"));
	assert_string_equal(k->body, "new");
	clock_shift(0);
}

static void an_expired_tus_chunk_is_gone(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/exp/chunks/", "Upload-Length: 10\n", NULL, 0));
	clock_shift(2 * DAY);
	EXPECT(k, 410, kit_tus(k, "HEAD", "/files/exp/chunks/0", NULL, NULL, 0));
	HEADER(k, "Upload-Offset", NULL);
	EXPECT(k, 410, kit_tus(k, "PATCH", "/files/exp/chunks/0", "Upload-Offset: 0\n", "x", 1));
	kit_reap(k);
	EXPECT(k, 410, kit_tus(k, "HEAD", "/files/exp/chunks/0", NULL, NULL, 0));
	EXPECT(k, 200, live("exp", 0, "back"));
	clock_shift(0);
}

/* A chunk that comes while nobody has looked yet at an expired session is simply taken. */
static void late_but_not_reaped(void **state)
{
	(void)state;
	EXPECT(k, 200, live("slow", 0, "abc"));
	clock_shift(3 * DAY);
	EXPECT(k, 200, live("slow", 1, "def"));
	kit_reap(k);
	EXPECT(k, 200, kit_complete(k, "slow", "s.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/slow/s.webm"));
	assert_string_equal(k->body, "abcdef");
	clock_shift(0);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_new_chunk_and_the_same_again), T(fields), T(file_must_be_a_file), T(too_large_and_full), T(switched_off), T(verify_answers),
		T(a_half_does_not_verify), T(names), T(refusals), T(missing_chunks), T(twice_and_renamed), T(size_mismatch), T(note),
		T(live_and_manual_never_mix), T(the_signal_never_comes), T(chunks_with_holes_stay_a_month), T(chunks_with_holes_go_after_a_month),
		T(an_expired_tus_chunk_is_gone), T(late_but_not_reaped),
	};
	return cmocka_run_group_tests_name("fallback", tests, begin, end);
}
