/* test_session.c - a recording by tus: creating its chunks, status, assembly, cancelling; the limits of sessions. */
#include "kit.h"

static struct kit *k;

static int begin(void **state)
{
	(void)state;
	k = KIT("MAX_CHUNK_SIZE=1000", "CHUNK_SIZE=1000", "TUS_CHUNK_SIZE=1000", "MAX_CHUNKS=100000", "TUS_MAX_SIZE=5000", "LOCK_WAIT_MS=100");
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

/* meta: an Upload-Metadata value or NULL. */
static int create(const char *sid, const char *meta, const char *length)
{
	char url[200], headers[600];
	snprintf(url, sizeof url, "/files/%s/chunks/", sid);
	snprintf(headers, sizeof headers, "%s%s%sUpload-Length: %s\n", meta ? "Upload-Metadata: " : "", meta ? meta : "", meta ? "\n" : "", length);
	return kit_tus(k, "POST", url, headers, NULL, 0);
}

static int patch(const char *sid, int idx, int offset, const char *text)
{
	char url[200], headers[100];
	snprintf(url, sizeof url, "/files/%s/chunks/%d", sid, idx);
	snprintf(headers, sizeof headers, "Upload-Offset: %d\n", offset);
	return kit_tus(k, "PATCH", url, headers, text, strlen(text));
}

static int head(const char *sid, int idx)
{
	char url[200];
	snprintf(url, sizeof url, "/files/%s/chunks/%d", sid, idx);
	return kit_tus(k, "HEAD", url, NULL, NULL, 0);
}

static int status_of(const char *sid)
{
	char url[200];
	snprintf(url, sizeof url, "/files/%s/status", sid);
	return kit_get(k, url);
}

static int cancel(const char *sid)
{
	char url[200];
	snprintf(url, sizeof url, "/files/%s", sid);
	return kit_raw(k, "DELETE", url, NULL, NULL, 0);
}

static int assemble(const char *sid)
{
	char url[200];
	snprintf(url, sizeof url, "/files/%s/assemble", sid);
	return kit_raw(k, "POST", url, NULL, NULL, 0);
}

#define IDX1 "chunkIndex MQ=="
#define IDX0_OF2 "chunkIndex MA==,totalChunks Mg==,recordingName TXkgdGFrZQ==,format d2VibQ==,sessionId eA=="
#define IDX1_OF2 "chunkIndex MQ==,totalChunks Mg=="

/* 3.5: what the dormant client does, step by step. */
static void the_documented_client(void **state)
{
	(void)state;
	EXPECT(k, 201, create("s1", IDX0_OF2, "8"));
	HEADER(k, "Location", "/files/s1/chunks/0");
	HEADER(k, "Upload-Offset", "0");
	HEADER(k, "Tus-Resumable", "1.0.0");
	assert_non_null(kit_h(k, "Upload-Expires"));
	EXPECT(k, 204, patch("s1", 0, 0, "abcd"));
	HEADER(k, "Upload-Offset", "4");
	EXPECT(k, 200, head("s1", 0));
	HEADER(k, "Upload-Offset", "4");
	HEADER(k, "Upload-Length", "8");
	HEADER(k, "Upload-Metadata", IDX0_OF2);
	HEADER(k, "Cache-Control", "no-store");
	/* A creation again is a fresh upload. */
	EXPECT(k, 201, create("s1", IDX0_OF2, "8"));
	EXPECT(k, 200, head("s1", 0));
	HEADER(k, "Upload-Offset", "0");
	EXPECT(k, 204, patch("s1", 0, 0, "ABCDEFGH"));
	EXPECT(k, 200, head("s1", 0));
	HEADER(k, "Upload-Offset", "8");
	HEADER(k, "Upload-Length", "8");
	HEADER(k, "Upload-Metadata", IDX0_OF2);
	EXPECT(k, 409, patch("s1", 0, 3, "X"));
	HEADER(k, "Upload-Offset", "8");
	EXPECT(k, 200, status_of("s1"));
	assert_false(kit_bool(k, "assembled"));
	EXPECT(k, 201, create("s1", IDX1_OF2, "2"));
	EXPECT(k, 204, patch("s1", 1, 0, "ij"));
	EXPECT(k, 200, status_of("s1"));
	assert_true(kit_bool(k, "assembled"));
	assert_string_equal(kit_str(k, "file_name"), "My take.webm");
	EXPECT(k, 200, kit_get(k, "/recordings/s1/My%20take.webm"));
	assert_string_equal(k->body, "ABCDEFGHij");
	EXPECT(k, 200, head("s1", 1));
	HEADER(k, "Upload-Offset", "2");
}

static void status_keys(void **state)
{
	(void)state;
	static const char *const keys[] = {"session_id", "total_chunks", "uploaded_chunks", "missing_chunks", "assembled", "started_at", "assembled_at",
		"recording_name", "format"};
	EXPECT(k, 201, create("s2", IDX1_OF2, "5"));
	EXPECT(k, 200, status_of("s2"));
	for (size_t i = 0; i < 9; i++)
		assert_non_null(json_get(kit_json(k), keys[i]));
	assert_int_equal(kit_int(k, "total_chunks"), 2);
	assert_int_equal(kit_int(k, "uploaded_chunks"), 0);
	assert_non_null(strstr(k->body, "\"missing_chunks\":[0,1]"));
	assert_non_null(strstr(k->body, "\"assembled_at\":null"));
	assert_string_equal(kit_str(k, "recording_name"), "recording");
	assert_string_equal(kit_str(k, "format"), "webm");
	/* B2: a half does not count. */
	EXPECT(k, 204, patch("s2", 1, 0, "ab"));
	EXPECT(k, 200, status_of("s2"));
	assert_int_equal(kit_int(k, "uploaded_chunks"), 0);
	EXPECT(k, 204, patch("s2", 1, 2, "cde"));
	EXPECT(k, 200, status_of("s2"));
	assert_int_equal(kit_int(k, "uploaded_chunks"), 1);
	EXPECT(k, 404, status_of("nothing"));
	assert_string_equal(kit_str(k, "detail"), "Session not found");
	EXPECT(k, 404, status_of("..%2e"));
}

/* 9.17, B12: the answer stays small whatever a client claims. */
static void missing_is_capped(void **state)
{
	(void)state;
	EXPECT(k, 201, create("s3", "chunkIndex MA==,totalChunks MTAwMDAw", "1"));
	EXPECT(k, 200, status_of("s3"));
	assert_int_equal(json_len(json_get(kit_json(k), "missing_chunks")), 1000);
	assert_int_equal(json_len(json_get(kit_json(k), "missing_ranges")), 1);
	assert_true(kit_bool(k, "missing_truncated"));
	assert_true(k->len < 8000);
	EXPECT(k, 409, assemble("s3"));
	assert_int_equal(kit_int(k, "missing_count"), 100000);
	assert_string_equal(kit_str(k, "detail"), "Cannot assemble - 100000 chunks missing");
	assert_true(k->len < 8000);
}

/* B24, B28 */
static void metadata_of_a_chunk(void **state)
{
	(void)state;
	static const struct { const char *name, *meta, *length; int status; } rows[] = {
		{"none: chunk 0", NULL, "5", 201},
		{"index is text", "chunkIndex MDo=", "5", 400},
		{"index is negative", "chunkIndex LTE=", "5", 400},
		{"index is empty", "chunkIndex ", "5", 201},
		{"total is text", "totalChunks eA==", "5", 400},
		{"index beyond the total", "chunkIndex Mg==,totalChunks Mg==", "5", 422},
		{"too many chunks", "totalChunks MTAwMDAx", "5", 400},
		{"index too large", "chunkIndex MTAwMDAw", "5", 400},
		{"bad base64", "chunkIndex !", "5", 400},
		{"a chunk too long", NULL, "1001", 413},
		{"a declared size too long", "chunkSize MTAwMQ==", "5", 413},
		{"no length", NULL, "", 400},
		{"the longest", NULL, "1000", 201},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char sid[20];
		snprintf(sid, sizeof sid, "meta%zu", i);
		create(sid, rows[i].meta, rows[i].length);
		if (k->status != rows[i].status)
			print_error("row '%s'\n", rows[i].name);
		EXPECT(k, rows[i].status, 0);
		/* A refusal makes nothing. */
		EXPECT(k, rows[i].status == 201 ? 200 : 404, status_of(sid));
	}
}

static void the_first_words_bind(void **state)
{
	(void)state;
	EXPECT(k, 201, create("s4", IDX0_OF2, "1"));
	EXPECT(k, 201, create("s4", "chunkIndex MQ==,recordingName b3RoZXI=,format bXAz", "1"));
	EXPECT(k, 409, create("s4", "chunkIndex MQ==,totalChunks Mw==", "1"));
	EXPECT(k, 200, status_of("s4"));
	assert_int_equal(kit_int(k, "total_chunks"), 2);
	assert_string_equal(kit_str(k, "recording_name"), "My take");
	assert_string_equal(kit_str(k, "format"), "webm");
}

/* 9.1 */
static void session_ids(void **state)
{
	(void)state;
	char long_id[140];
	static const struct { const char *sid; int status; } rows[] = {
		{"sess_1700000000000_k3j9x0a2b", 201}, {"manual_1700000000000", 201}, {"8c5b4b4e-3f0f-4a6e-9c2d-0123456789ab", 201}, {"a.b-c_d", 201}, {"A", 201},
		{"a..b", 400}, {"%2e%2e", 400}, {"-a", 400}, {"a%20b", 400}, {"a+b", 400}, {"a~b", 400},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		EXPECT(k, rows[i].status, create(rows[i].sid, NULL, "1"));
	memset(long_id, 'a', sizeof long_id);
	long_id[128] = '\0';
	EXPECT(k, 201, create(long_id, NULL, "1"));
	long_id[128] = 'a';
	long_id[129] = '\0';
	EXPECT(k, 400, create(long_id, NULL, "1"));
	struct kit *strict = KIT("SESSION_ID_MODE=uuid"), *was = k;
	k = strict;
	EXPECT(k, 400, create("sess_1", NULL, "1"));
	EXPECT(k, 400, kit_chunk(k, "sess_1", 0, 0, "x", 1, false));
	EXPECT(k, 201, create("8c5b4b4e-3f0f-4a6e-9c2d-0123456789ab", NULL, "1"));
	k = was;
	kit_done(strict);
}

static void a_full_session_is_507(void **state)
{
	(void)state;
	char bytes[1001], meta[40];
	static const char *const idx[] = {"MA==", "MQ==", "Mg==", "Mw==", "NA==", "NQ=="};
	memset(bytes, 'x', 1000);
	bytes[1000] = '\0';
	for (int i = 0; i < 5; i++) {
		snprintf(meta, sizeof meta, "chunkIndex %s", idx[i]);
		EXPECT(k, 201, create("full", meta, "1000"));
		EXPECT(k, 204, patch("full", i, 0, bytes));
	}
	EXPECT(k, 507, create("full", "chunkIndex NQ==", "1"));
	assert_non_null(kit_h(k, "Retry-After"));
}

/* 9.18 */
static void switched_off(void **state)
{
	(void)state;
	struct kit *was = k;
	k = kit_env(NULL);
	EXPECT(k, 201, create("begun", NULL, "4"));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 4\n", NULL, 0));
	char at[100];
	snprintf(at, sizeof at, "%s", kit_h(k, "Location"));
	kit_restart(k, (const char *const[]){"TUS_ENABLED=false", NULL});
	EXPECT(k, 404, create("begun", NULL, "4"));
	EXPECT(k, 404, create("new", NULL, "4"));
	EXPECT(k, 404, kit_tus(k, "POST", "/files/", "Upload-Length: 4\n", NULL, 0));
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0));
	HEADER(k, "Tus-Extension", NULL);
	EXPECT(k, 200, head("begun", 0));
	EXPECT(k, 204, patch("begun", 0, 0, "abcd"));
	EXPECT(k, 204, kit_tus(k, "PATCH", at, "Upload-Offset: 0\n", "abcd", 4));
	EXPECT(k, 200, kit_tus(k, "HEAD", at, NULL, NULL, 0));
	EXPECT(k, 204, kit_tus(k, "DELETE", at, NULL, NULL, 0));
	kit_done(k);
	k = was;
}

static void assembling(void **state)
{
	(void)state;
	EXPECT(k, 404, assemble("none"));
	EXPECT(k, 201, create("as", IDX1, "1"));
	EXPECT(k, 409, assemble("as"));
	EXPECT(k, 204, patch("as", 1, 0, "b"));
	EXPECT(k, 409, assemble("as"));
	assert_string_equal(kit_str(k, "detail"), "Cannot assemble - 1 chunks missing");
	assert_non_null(strstr(k->body, "\"missing_chunks\":[0]"));
	EXPECT(k, 201, create("as", NULL, "1"));
	EXPECT(k, 204, patch("as", 0, 0, "a"));
	EXPECT(k, 200, assemble("as"));
	assert_string_equal(k->body, "{\"message\":\"Assembly started\",\"session_id\":\"as\"}");
	EXPECT(k, 200, assemble("as"));
	EXPECT(k, 200, kit_get(k, "/recordings/as/recording.webm"));
	assert_string_equal(k->body, "ab");
}

/* 9.13, B19 */
static void cancelling(void **state)
{
	(void)state;
	int parts = kit_parts(k);
	EXPECT(k, 404, cancel("none"));
	EXPECT(k, 404, cancel("%2e%2e"));
	EXPECT(k, 404, cancel(".."));
	EXPECT(k, 201, create("ca", NULL, "4"));
	EXPECT(k, 204, patch("ca", 0, 0, "ab"));
	EXPECT(k, 201, create("ca", IDX1, "4"));
	EXPECT(k, 204, patch("ca", 1, 0, "abcd"));
	EXPECT(k, 200, cancel("ca"));
	assert_string_equal(k->body, "{\"message\":\"Upload cancelled\",\"session_id\":\"ca\"}");
	assert_int_equal(kit_parts(k), parts);
	EXPECT(k, 404, cancel("ca"));
	EXPECT(k, 410, head("ca", 0));
	EXPECT(k, 410, status_of("ca"));
	EXPECT(k, 410, patch("ca", 0, 2, "cd"));
	/* A finished recording survives it. */
	EXPECT(k, 200, kit_chunk(k, "fin", 0, 0, "abc", 3, false));
	EXPECT(k, 200, kit_complete(k, "fin", "f.webm", NULL));
	EXPECT(k, 409, cancel("fin"));
	assert_non_null(strstr(kit_str(k, "detail"), "/recordings/fin/"));
	EXPECT(k, 200, kit_get(k, "/recordings/fin/f.webm"));
}

struct writer {
	struct kit *k;
	struct gate gate;
	pthread_t thread;
	const char *at;
};

static void *write_slowly(void *arg)
{
	struct writer *w = arg;
	w->k->gate = &w->gate;
	w->k->cut = 2;
	kit_tus(w->k, "PATCH", w->at, "Upload-Offset: 0\n", "abcd", 4);
	return NULL;
}

static void writer_start(struct writer *w, const char *at)
{
	*w = (struct writer){.k = kit_client(k), .at = at};
	gate_init(&w->gate);
	assert_int_equal(pthread_create(&w->thread, NULL, write_slowly, w), 0);
	gate_reached(&w->gate);
}

static int writer_end(struct writer *w)
{
	pthread_join(w->thread, NULL);
	int status = w->k->status;
	kit_done(w->k);
	return status;
}

static void living_writers(void **state)
{
	(void)state;
	struct writer w;
	/* Cancelling cuts it. */
	EXPECT(k, 201, create("w1", NULL, "4"));
	writer_start(&w, "/files/w1/chunks/0");
	EXPECT(k, 200, cancel("w1"));
	assert_true(writer_end(&w) >= 400);
	EXPECT(k, 410, head("w1", 0));
	/* HEAD asks it to let go and tells what it has. */
	EXPECT(k, 201, create("w2", NULL, "4"));
	writer_start(&w, "/files/w2/chunks/0");
	EXPECT(k, 200, head("w2", 0));
	HEADER(k, "Upload-Offset", "2");
	assert_int_equal(writer_end(&w), 409);
	EXPECT(k, 204, patch("w2", 0, 2, "cd"));
	/* The fallback takes the chunk over. */
	EXPECT(k, 201, create("w3", NULL, "4"));
	writer_start(&w, "/files/w3/chunks/0");
	EXPECT(k, 200, kit_chunk(k, "w3", 0, 0, "WXYZ", 4, false));
	assert_int_equal(writer_end(&w), 409);
	EXPECT(k, 200, kit_complete(k, "w3", "w.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/w3/w.webm"));
	assert_string_equal(k->body, "WXYZ");
	/* A creation again takes it over, too. */
	EXPECT(k, 201, create("w4", NULL, "4"));
	writer_start(&w, "/files/w4/chunks/0");
	EXPECT(k, 201, create("w4", NULL, "4"));
	assert_int_equal(writer_end(&w), 409);
	EXPECT(k, 204, patch("w4", 0, 0, "1234"));
	/* The reaper leaves it alone. */
	EXPECT(k, 201, create("w5", NULL, "4"));
	writer_start(&w, "/files/w5/chunks/0");
	clock_shift(2 * 86400);
	kit_reap(k);
	clock_shift(0);
	gate_open(&w.gate);
	writer_end(&w);
	EXPECT(k, 200, head("w5", 0));
	HEADER(k, "Upload-Offset", "2");
}

/* B6, B30: chunks from many threads, the last of which finishes. */
static void *send_chunks(void *arg)
{
	struct kit *c = arg;
	int first = (int)c->piece;
	c->piece = 0;
	for (int i = first; i < 60; i += 4) {
		char text[16];
		snprintf(text, sizeof text, "%02d,", i);
		EXPECT(c, 200, kit_chunk(c, "many", i, 60, text, 3, i % 2));
	}
	return NULL;
}

static void many_threads(void **state)
{
	(void)state;
	pthread_t t[4];
	struct kit *c[4];
	for (int i = 0; i < 4; i++) {
		c[i] = kit_client(k);
		c[i]->piece = (size_t)i;
		pthread_create(&t[i], NULL, send_chunks, c[i]);
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		kit_done(c[i]);
	}
	EXPECT(k, 200, status_of("many"));
	assert_true(kit_bool(k, "assembled"));
	assert_int_equal(kit_int(k, "uploaded_chunks"), 60);
	EXPECT(k, 200, kit_get(k, "/recordings/many/recording.webm"));
	assert_int_equal(k->len, 180);
	for (int i = 0; i < 60; i++)
		assert_int_equal(atoi(k->body + 3 * i), i);
}

static void deleting_a_chunk(void **state)
{
	(void)state;
	EXPECT(k, 201, create("d1", NULL, "4"));
	EXPECT(k, 204, patch("d1", 0, 0, "ab"));
	EXPECT(k, 204, kit_tus(k, "DELETE", "/files/d1/chunks/0", NULL, NULL, 0));
	EXPECT(k, 404, head("d1", 0));
	EXPECT(k, 404, kit_tus(k, "DELETE", "/files/d1/chunks/0", NULL, NULL, 0));
	EXPECT(k, 201, create("d1", NULL, "4"));
	EXPECT(k, 204, patch("d1", 0, 0, "abcd"));
	EXPECT(k, 409, kit_tus(k, "DELETE", "/files/d1/chunks/0", NULL, NULL, 0));
	EXPECT(k, 404, head("d1", 7));
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/d1/chunks/x", NULL, NULL, 0));
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/d1/chunks/-1", NULL, NULL, 0));
}

static void with_a_body(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/b1/chunks/", "Upload-Length: 4\n", "ab", 2));
	HEADER(k, "Upload-Offset", "2");
	EXPECT(k, 204, patch("b1", 0, 2, "cd"));
	EXPECT(k, 413, kit_tus(k, "POST", "/files/b2/chunks/", "Upload-Length: 4\n", "abcde", 5));
	EXPECT(k, 404, status_of("b2"));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/b3/chunks/", "Upload-Length: 0\n", NULL, 0));
	EXPECT(k, 200, head("b3", 0));
	HEADER(k, "Upload-Offset", "0");
	HEADER(k, "Upload-Length", "0");
}

static void the_session_is_no_upload(void **state)
{
	(void)state;
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/s1", NULL, NULL, 0));
	EXPECT(k, 404, kit_tus(k, "PATCH", "/files/s1", "Upload-Offset: 0\n", "x", 1));
	EXPECT(k, 404, kit_get(k, "/files/s1"));
	EXPECT(k, 405, kit_raw(k, "PUT", "/files/s1/status", NULL, NULL, 0));
	HEADER(k, "Allow", "GET");
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_documented_client), T(status_keys), T(missing_is_capped), T(metadata_of_a_chunk), T(the_first_words_bind), T(session_ids),
		T(a_full_session_is_507), T(switched_off), T(assembling), T(cancelling), T(living_writers), T(many_threads), T(deleting_a_chunk), T(with_a_body),
		T(the_session_is_no_upload),
	};
	return cmocka_run_group_tests_name("sessions", tests, begin, end);
}
