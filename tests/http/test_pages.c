/* test_pages.c - what the server says about itself, and what every answer carries. */
#include "kit.h"

static struct kit *k;

static int begin(void **state)
{
	(void)state;
	k = kit_env(NULL);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

/* 9.16: the original's four keys, and all limits. */
static void config(void **state)
{
	(void)state;
	static const char *const keys[] = {"max_size", "max_chunk_size", "max_file_size", "max_upload_size", "max_patch_size", "max_metadata_size", "expiration"};
	EXPECT(k, 200, kit_get(k, "/api/config"));
	assert_true(text_starts(k->body, "{\"chunk_size\":1048576,\"tus_chunk_size\":524288,\"upload_methods\":[\"tus\",\"custom\"],\"default_upload_method\":\"tus\""));
	for (size_t i = 0; i < 7; i++)
		assert_true(kit_int(k, keys[i]) >= 0);
	assert_int_equal(json_len(json_get(kit_json(k), "tus_extensions")), 8);
	HEADER(k, "Cache-Control", "no-store");
	struct kit *other = KIT("CHUNK_SIZE=262144", "TUS_ENABLED=false", "TUS_MAX_SIZE=1000000");
	EXPECT(other, 200, kit_get(other, "/api/config"));
	assert_int_equal(kit_int(other, "chunk_size"), 262144);
	assert_int_equal(kit_int(other, "max_size"), 1000000);
	assert_int_equal(kit_int(other, "max_file_size"), 1000000);
	assert_string_equal(kit_str(other, "default_upload_method"), "custom");
	assert_non_null(strstr(other->body, "\"upload_methods\":[\"custom\"]"));
	kit_done(other);
}

static void health(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_get(k, "/health"));
	assert_string_equal(kit_str(k, "status"), "ok");
	assert_int_equal(strlen(kit_str(k, "timestamp")), 24);
	size_t n = k->len;
	EXPECT(k, 200, kit_raw(k, "HEAD", "/health", NULL, NULL, 0));
	assert_int_equal(k->len, 0);
	assert_int_equal(k->res.head_len, n);
	EXPECT(k, 405, kit_raw(k, "POST", "/health", NULL, NULL, 0));
	HEADER(k, "Allow", "GET, HEAD");
	assert_true(text_starts(k->body, "{\"detail\":\"Method Not Allowed\""));
	EXPECT(k, 200, kit_get(k, "/health?detail=1"));
	assert_string_equal(kit_str(k, "status"), "ok");
	assert_non_null(json_get(kit_json(k), "database"));
	assert_non_null(json_get(kit_json(k), "storage"));
	/* From elsewhere it needs an identity. */
	k->addr = "192.0.2.7";
	EXPECT(k, 401, kit_get(k, "/health?detail=1"));
	k->addr = "192.0.2.7";
	EXPECT(k, 200, kit_get(k, "/health"));
	struct kit *full = KIT("MIN_FREE_SPACE=1125899906842624");
	EXPECT(full, 200, kit_get(full, "/health"));
	EXPECT(full, 503, kit_get(full, "/health?detail=1"));
	assert_string_equal(kit_str(full, "status"), "degraded");
	kit_done(full);
}

static void metrics(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_chunk(k, "m", 0, 0, "abc", 3, false));
	EXPECT(k, 200, kit_get(k, "/metrics"));
	assert_true(text_starts(kit_h(k, "Content-Type"), "text/plain"));
	assert_non_null(strstr(k->body, "\nwaveforge_tus_active_sessions 1\n"));
	assert_non_null(strstr(k->body, "waveforge_tus_storage_bytes 3"));
	assert_non_null(strstr(k->body, "/upload/chunk"));
	/* Each line is a comment or a name with a number. */
	for (char *rest = k->body, *line; (line = strsep(&rest, "\n"));) {
		double v;
		const char *at = strrchr(line, ' ');
		assert_true(!*line || *line == '#' || (at && sscanf(at, "%lf", &v) == 1));
	}
	k->addr = "192.0.2.7";
	EXPECT(k, 401, kit_get(k, "/metrics"));
	HEADER(k, "WWW-Authenticate", "Bearer realm=\"tus-fcgi\"");
}

static void headers_of_every_answer(void **state)
{
	(void)state;
	static const struct { const char *method, *target; int status; } rows[] = {
		{"GET", "/health", 200}, {"GET", "/nothing", 404}, {"PUT", "/health", 405}, {"POST", "/upload/chunk", 422}, {"GET", "/recordings/x/y", 404},
		{"OPTIONS", "/health", 204}, {"GET", "/api/config", 200}, {"DELETE", "/files/none", 404}, {"POST", "/files/", 412},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		EXPECT(k, rows[i].status, kit_raw(k, rows[i].method, rows[i].target, NULL, NULL, 0));
		HEADER(k, "X-Content-Type-Options", "nosniff");
		HEADER(k, "X-Frame-Options", "DENY");
		HEADER(k, "X-XSS-Protection", "1; mode=block");
		HEADER(k, "Strict-Transport-Security", NULL);
		assert_non_null(kit_h(k, "X-Request-ID"));
		if (rows[i].status < 400)
			continue;
		/* 9.7 */
		assert_true(text_starts(k->body, "{\"detail\":\""));
		assert_string_equal(kit_str(k, "request_id"), kit_h(k, "X-Request-ID"));
		HEADER(k, "Content-Type", "application/json");
	}
	k->https = true;
	EXPECT(k, 200, kit_get(k, "/health"));
	HEADER(k, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

static void request_ids(void **state)
{
	(void)state;
	EXPECT(k, 200, kit_raw(k, "GET", "/health", "X-Request-ID: abc-1.2_3\n", NULL, 0));
	HEADER(k, "X-Request-ID", "abc-1.2_3");
	static const char *const bad[] = {"X-Request-ID: a b\n", "X-Request-ID: a<b\n", "X-Request-ID:\n",
		"X-Request-ID: 12345678901234567890123456789012345678901234567890123456789012345\n"};
	for (int i = 0; i < 4; i++) {
		EXPECT(k, 200, kit_raw(k, "GET", "/health", bad[i], NULL, 0));
		assert_int_equal(strlen(kit_h(k, "X-Request-ID")), 16);
	}
}

static void base_path(void **state)
{
	(void)state;
	struct kit *b = KIT("BASE_PATH=/wave");
	EXPECT(b, 404, kit_get(b, "/health"));
	EXPECT(b, 200, kit_get(b, "/wave/health"));
	EXPECT(b, 404, kit_get(b, "/wavehealth"));
	EXPECT(b, 201, kit_tus(b, "POST", "/wave/files/", "Upload-Length: 0\n", NULL, 0));
	assert_true(text_starts(kit_h(b, "Location"), "/wave/files/_"));
	EXPECT(b, 201, kit_tus(b, "POST", "/wave/files/s/chunks/", "Upload-Length: 0\n", NULL, 0));
	HEADER(b, "Location", "/wave/files/s/chunks/0");
	kit_done(b);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(config), T(health), T(metrics), T(headers_of_every_answer), T(request_ids), T(base_path),
	};
	return cmocka_run_group_tests_name("pages", tests, begin, end);
}
