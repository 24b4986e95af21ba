/* test_recordings.c - finished files: listing, sending (ranges, validators, types), removing. */
#include "kit.h"

static struct kit *k;
static unsigned char data[1000];

static int begin(void **state)
{
	(void)state;
	k = kit_env(NULL);
	kit_fill(data, sizeof data, 9);
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, data, sizeof data, false));
	EXPECT(k, 200, kit_complete(k, "rec", "a.webm", "{\"x\":1}"));
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

static void download(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_get(k, "/recordings/rec/a.webm"));
	assert_int_equal(k->len, sizeof data);
	assert_memory_equal(k->body, data, sizeof data);
	HEADER(k, "Content-Type", "audio/webm");
	HEADER(k, "Accept-Ranges", "bytes");
	HEADER(k, "X-Content-Type-Options", "nosniff");
	assert_true(text_starts(kit_h(k, "Content-Disposition"), "attachment; filename=\"a.webm\""));
	assert_non_null(kit_h(k, "ETag"));
	assert_true(clock_http_parse(kit_h(k, "Last-Modified")) > 0);
	EXPECT(k, 200, kit_raw(k, "HEAD", "/recordings/rec/a.webm", NULL, NULL, 0));
	assert_int_equal(k->len, 0);
	assert_int_equal(k->res.head_len, sizeof data);
}

static void types(void **state)
{
	(void)state;
	static const struct { const char *name, *type; } rows[] = {
		{"t.webm", "audio/webm"}, {"t.wav", "audio/wav"}, {"t.mp3", "audio/mpeg"}, {"t.ogg", "audio/ogg"}, {"t.html", "application/octet-stream"},
		{"t.svg", "application/octet-stream"}, {"t", "application/octet-stream"}, {"t.WEBM", "audio/webm"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char sid[20], url[100];
		snprintf(sid, sizeof sid, "type%zu", i);
		snprintf(url, sizeof url, "/recordings/%s/%s", sid, rows[i].name);
		EXPECT(k, 200, kit_chunk(k, sid, 0, 0, "x", 1, false));
		EXPECT(k, 200, kit_complete(k, sid, rows[i].name, NULL));
		EXPECT(k, 200, kit_get(k, url));
		HEADER(k, "Content-Type", rows[i].type);
	}
}

static void ranges(void **state)
{
	(void)state;
	static const struct { const char *range; int status, first, n; } rows[] = {
		{"bytes=0-9", 206, 0, 10}, {"bytes=990-", 206, 990, 10}, {"bytes=-10", 206, 990, 10}, {"bytes=0-0", 206, 0, 1}, {"bytes=999-999", 206, 999, 1},
		{"bytes=500-5000", 206, 500, 500}, {"bytes=0-", 206, 0, 1000}, {"bytes=-5000", 206, 0, 1000}, {"bytes=1000-", 416, 0, 0}, {"bytes=-0", 416, 0, 0},
		{"bytes=5-2", 200, 0, 1000}, {"items=0-9", 200, 0, 1000}, {"bytes=a-b", 200, 0, 1000}, {"bytes=0-1,5-6", 200, 0, 1000},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char headers[100], expect[100];
		snprintf(headers, sizeof headers, "Range: %s\n", rows[i].range);
		kit_raw(k, "GET", "/recordings/rec/a.webm", headers, NULL, 0);
		if (k->status != rows[i].status)
			print_error("range %s\n", rows[i].range);
		EXPECT(k, rows[i].status, 0);
		if (rows[i].status == 416) {
			HEADER(k, "Content-Range", "bytes */1000");
			continue;
		}
		assert_int_equal(k->len, rows[i].n);
		assert_memory_equal(k->body, data + rows[i].first, (size_t)rows[i].n);
		snprintf(expect, sizeof expect, "bytes %d-%d/1000", rows[i].first, rows[i].first + rows[i].n - 1);
		HEADER(k, "Content-Range", rows[i].status == 206 ? expect : NULL);
	}
}

static void validators(void **state)
{
	(void)state;
	char etag[100], date[60], headers[300];
	EXPECT(k, 200, kit_get(k, "/recordings/rec/a.webm"));
	snprintf(etag, sizeof etag, "%s", kit_h(k, "ETag"));
	snprintf(date, sizeof date, "%s", kit_h(k, "Last-Modified"));
	const struct { const char *fmt, *value; int status; } rows[] = {
		{"If-None-Match: %s\n", etag, 304}, {"If-None-Match: \"x\", %s\n", etag, 304}, {"If-None-Match: %s\n", "*", 304}, {"If-None-Match: %s\n", "\"x\"", 200},
		{"If-None-Match: W/%s\n", etag, 304}, {"If-Match: %s\n", etag, 200}, {"If-Match: %s\n", "\"x\"", 412}, {"If-Match: %s\n", "*", 200},
		{"If-Modified-Since: %s\n", date, 304}, {"If-Modified-Since: %s\n", "Sun, 06 Nov 1994 08:49:37 GMT", 200},
		{"If-Unmodified-Since: %s\n", "Sun, 06 Nov 1994 08:49:37 GMT", 412}, {"If-Unmodified-Since: %s\n", date, 200},
		{"Range: bytes=0-1\nIf-Range: %s\n", etag, 206}, {"Range: bytes=0-1\nIf-Range: %s\n", "\"x\"", 200}, {"Range: bytes=0-1\nIf-Range: %s\n", date, 200},
		{"Range: bytes=0-1\nIf-None-Match: %s\n", etag, 304},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(headers, sizeof headers, rows[i].fmt, rows[i].value);
		kit_raw(k, "GET", "/recordings/rec/a.webm", headers, NULL, 0);
		if (k->status != rows[i].status)
			print_error("headers %s\n", headers);
		EXPECT(k, rows[i].status, 0);
		if (rows[i].status == 304)
			HEADER(k, "ETag", etag);
	}
	/* Another file under the same name has another tag. */
	EXPECT(k, 200, kit_chunk(k, "rec2", 0, 0, data, sizeof data, false));
	EXPECT(k, 200, kit_complete(k, "rec2", "a.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/recordings/rec2/a.webm"));
	assert_string_not_equal(kit_h(k, "ETag"), etag);
}

/* B17, B20 */
static void paths_lead_nowhere(void **state)
{
	(void)state;
	static const char *const targets[] = {
		"/recordings/%2e%2e/.env", "/recordings/../tus_sessions/tus.db", "/recordings/rec/..%2f..%2f..%2ftus_sessions%2ftus.db", "/recordings/rec/%2e%2e",
		"/recordings/rec/a.webm%00", "/recordings/rec/completed/a.webm", "/recordings/rec/.a.webm.meta.json.new", "/recordings/rec/a.webm/", "/recordings/rec",
		"/recordings/rec/nothing", "/recordings/nobody/a.webm", "/recordings/rec/A.WEBM", "/recordings/rec/%ff", "/recordings/rec/nothing.meta.json",
	};
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
		kit_get(k, targets[i]);
		if (i != 7 && k->status != 404)
			print_error("target %s\n", targets[i]);
		EXPECT(k, i == 7 ? 200 : 404, 0);
	}
}

static void note(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_get(k, "/recordings/rec/a.webm.meta.json"));
	HEADER(k, "Content-Type", "application/json");
	assert_int_equal(kit_int(k, "file_size_bytes"), 1000);
	/* No place on the disk is told. */
	assert_null(strstr(k->body, k->dir));
}

static void listing(void **state)
{
	(void)state;
	struct kit *was = k;
	char url[100];
	int seen = 0, pages = 0;
	k = kit_env(NULL);
	for (int i = 0; i < 25; i++) {
		char sid[20];
		snprintf(sid, sizeof sid, "l%d", i);
		EXPECT(k, 200, kit_chunk(k, sid, 0, 0, sid, strlen(sid), false));
		EXPECT(k, 200, kit_complete(k, sid, "My f\u00fcr.webm", NULL));
	}
	EXPECT(k, 200, kit_get(k, "/recordings"));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 25);
	const struct json *first = json_at(json_get(kit_json(k), "recordings"), 0);
	assert_string_equal(json_str(json_get(first, "session_id")), "l24");
	assert_string_equal(json_str(json_get(first, "url")), "/recordings/l24/My%20f%C3%BCr.webm");
	/* Page after page, newest first. */
	for (int64_t next = 0; pages < 10; pages++) {
		snprintf(url, sizeof url, "/recordings/?limit=10&before=%lld", (long long)next);
		EXPECT(k, 200, kit_get(k, url));
		const struct json *list = json_get(kit_json(k), "recordings");
		for (size_t i = 0; i < json_len(list); i++, seen++) {
			char sid[20];
			snprintf(sid, sizeof sid, "l%d", 24 - seen);
			assert_string_equal(json_str(json_get(json_at(list, i), "session_id")), sid);
		}
		if (!json_int(json_get(kit_json(k), "next"), &next))
			break;
	}
	assert_int_equal(seen, 25);
	assert_int_equal(pages, 2);
	static const char *const bad[] = {"limit=0", "limit=1001", "limit=x", "limit=-1", "before=x"};
	for (int i = 0; i < 5; i++) {
		snprintf(url, sizeof url, "/recordings/?%s", bad[i]);
		EXPECT(k, 400, kit_get(k, url));
	}
	kit_done(k);
	k = was;
}

static void removing(void **state)
{
	(void)state;
	int parts = kit_parts(k);
	char path[400];
	EXPECT(k, 200, kit_chunk(k, "del", 0, 0, "abc", 3, false));
	EXPECT(k, 200, kit_complete(k, "del", "d.webm", NULL));
	EXPECT(k, 200, kit_raw(k, "DELETE", "/recordings/del/d.webm", NULL, NULL, 0));
	assert_string_equal(kit_str(k, "message"), "Recording deleted");
	EXPECT(k, 404, kit_raw(k, "DELETE", "/recordings/del/d.webm", NULL, NULL, 0));
	EXPECT(k, 404, kit_get(k, "/recordings/del/d.webm"));
	EXPECT(k, 404, kit_get(k, "/recordings/del/d.webm.meta.json"));
	EXPECT(k, 410, kit_get(k, "/files/del/status"));
	snprintf(path, sizeof path, "%s/uploaded_data/del", k->dir);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(kit_parts(k), parts);
	/* Its note alone cannot be removed. */
	EXPECT(k, 404, kit_raw(k, "DELETE", "/recordings/rec/a.webm.meta.json", NULL, NULL, 0));
	EXPECT(k, 200, kit_get(k, "/recordings/rec/a.webm.meta.json"));
}

static void by_the_web_server(void **state)
{
	(void)state;
	struct kit *x = KIT("SENDFILE=x-accel-redirect");
	EXPECT(x, 200, kit_chunk(x, "s", 0, 0, "abc", 3, false));
	EXPECT(x, 200, kit_complete(x, "s", "a b%3F?.webm", NULL));
	EXPECT(x, 200, kit_get(x, "/recordings/s/a%20b%253F%3F.webm"));
	HEADER(x, "X-Accel-Redirect", "/tus-internal/s/completed/a%20b%253F%3F.webm");
	assert_int_equal(x->len, 0);
	assert_true(text_starts(kit_h(x, "Content-Disposition"), "attachment"));
	/* It goes on, in the same file: the web server would send what is not finished, too. */
	EXPECT(x, 200, kit_chunk(x, "s", 1, 0, "def", 3, false));
	EXPECT(x, 200, kit_get(x, "/recordings/s/a%20b%253F%3F.webm"));
	assert_null(kit_h(x, "X-Accel-Redirect"));
	assert_int_equal(x->len, 3);
	assert_memory_equal(x->body, "abc", 3);
	kit_done(x);
}

/* What survives a restart: all of it. */
static void after_a_restart(void **state)
{
	(void)state;
	kit_restart(k, NULL);
	EXPECT(k, 200, kit_get(k, "/recordings/rec/a.webm"));
	assert_memory_equal(k->body, data, sizeof data);
	EXPECT(k, 200, kit_get(k, "/api/verify/rec/0"));
	assert_true(kit_bool(k, "exists"));
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(download), T(types), T(ranges), T(validators), T(paths_lead_nowhere), T(note), T(listing), T(removing), T(by_the_web_server), T(after_a_restart),
	};
	return cmocka_run_group_tests_name("recordings", tests, begin, end);
}
