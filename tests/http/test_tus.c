/*
 * test_tus.c - tus 1.0.0 on /files/, check by check. A test is named after the check it proves; where many inputs prove one, they are rows.
 */
#include "kit.h"

#define MAX 10000
#define FORM_MAX "10000"

static struct kit *k;
static unsigned char data[MAX + 10];

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_MAX_SIZE=" FORM_MAX, "LOCK_WAIT_MS=100", "CORS_ORIGINS=http://app.example");
	kit_fill(data, sizeof data, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

/* ---- short forms ---- */

static char url[200];

static const char *create(const char *headers)
{
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", headers, NULL, 0));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	return url;
}

static int patch(const char *at, int64_t offset, const char *headers, const void *p, size_t n)
{
	char all[300];
	snprintf(all, sizeof all, "Upload-Offset: %lld\n%s", (long long)offset, headers ? headers : "");
	return kit_tus(k, "PATCH", at, all, p, n);
}

static int head(const char *at)
{
	return kit_tus(k, "HEAD", at, NULL, NULL, 0);
}

/* HEAD says this offset; NULL length: deferred. */
static void is_at(const char *at, const char *offset, const char *length)
{
	EXPECT(k, 200, head(at));
	HEADER(k, "Upload-Offset", offset);
	HEADER(k, "Upload-Length", length);
	HEADER(k, "Upload-Defer-Length", length ? NULL : "1");
}

static void content_is(const char *at, const void *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, at));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

static int64_t uploads(void)
{
	struct store_stats s;
	assert_int_equal(store_stats(kit_house(k)->db, &s), ERR_OK);
	return s.active_uploads;
}

/* ---- 2.1 headers and versions ---- */

static void check_001_version_on_every_answer(void **state)
{
	(void)state;
	static const struct { const char *method, *target; int status; } rows[] = {
		{"GET", "/files/_aaaaaaaaaaaaaaaaaaaaaa", 404}, {"PUT", "/files/", 405}, {"OPTIONS", "/files/", 204}, {"POST", "/files/", 400},
		{"GET", "/files/a/b/c/d", 404}, {"DELETE", "/files/_aaaaaaaaaaaaaaaaaaaaaa", 404}, {"PATCH", "/files/_aaaaaaaaaaaaaaaaaaaaaa", 404},
		{"HEAD", "/files/_aaaaaaaaaaaaaaaaaaaaaa", 404}, {"GET", "/files/sess_1/status", 404},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		EXPECT(k, rows[i].status, kit_tus(k, rows[i].method, rows[i].target, NULL, NULL, 0));
		HEADER(k, "Tus-Resumable", "1.0.0");
	}
	EXPECT(k, 413, kit_tus(k, "POST", "/files/", "Upload-Length: 10001\n", NULL, 0));
	HEADER(k, "Tus-Resumable", "1.0.0");
}

static void check_002_003_other_versions(void **state)
{
	(void)state;
	static const char *const versions[] = {"0.2.2", "1.0", "2.0.0", "", "1.0.0, 1.0.0", "1.0.0.0", "v1.0.0"};
	char at[200], headers[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	int64_t before = uploads();
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		snprintf(headers, sizeof headers, "Tus-Resumable: %s\nUpload-Length: 10\nUpload-Offset: 0\n" OCTETS, versions[i]);
		static const char *const methods[] = {"POST", "PATCH", "DELETE", "HEAD"};
		for (int m = 0; m < 4; m++) {
			EXPECT(k, 412, kit_raw(k, methods[m], m ? at : "/files/", headers, "x", m == 1));
			HEADER(k, "Tus-Version", "1.0.0");
		}
	}
	assert_int_equal(uploads(), before);
	is_at(at, "0", "10");
}

static void check_004_005_version_absent(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	EXPECT(k, 412, kit_raw(k, "POST", "/files/", "Upload-Length: 10\n", NULL, 0));
	HEADER(k, "Tus-Version", "1.0.0");
	EXPECT(k, 412, kit_raw(k, "PATCH", at, "Upload-Offset: 0\n" OCTETS, "abc", 3));
	EXPECT(k, 412, kit_raw(k, "DELETE", at, NULL, NULL, 0));
	EXPECT(k, 200, kit_raw(k, "HEAD", at, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", "0");
}

static void check_006_to_009_options(void **state)
{
	(void)state;
	static const char *const headers[] = {NULL, "Tus-Resumable: 1.0.0\n", "Tus-Resumable: 0.2.2\n"};
	for (int i = 0; i < 3; i++) {
		EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", headers[i], NULL, 0));
		HEADER(k, "Tus-Version", "1.0.0");
		HEADER(k, "Tus-Extension", "creation,creation-with-upload,creation-defer-length,expiration,termination,checksum,concatenation,concatenation-unfinished");
		HEADER(k, "Tus-Max-Size", FORM_MAX);
	}
}

static void check_010_bad_numbers(void **state)
{
	(void)state;
	static const char *const bad[] = {"-1", "+5", "5.0", "0x5", "5 5", "", "abc", "9223372036854775808", "99999999999999999999", "1e3", "5,5"};
	char at[200], headers[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(headers, sizeof headers, "Upload-Length: %s\n", bad[i]);
		EXPECT(k, 400, kit_tus(k, "POST", "/files/", headers, NULL, 0));
		snprintf(headers, sizeof headers, "Upload-Offset: %s\n", bad[i]);
		EXPECT(k, 400, kit_tus(k, "PATCH", at, headers, "x", 1));
	}
	is_at(at, "0", "10");
	EXPECT(k, 413, kit_tus(k, "POST", "/files/", "Upload-Length: 9223372036854775807\n", NULL, 0));
	EXPECT(k, 409, kit_tus(k, "PATCH", at, "Upload-Offset: 9223372036854775807\n", "x", 1));
}

static void check_011_method_override(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 3\n"));
	EXPECT(k, 204, kit_tus(k, "POST", at, "X-HTTP-Method-Override: PATCH\nUpload-Offset: 0\n", "abc", 3));
	HEADER(k, "Upload-Offset", "3");
	EXPECT(k, 200, kit_tus(k, "POST", at, "X-HTTP-Method-Override: HEAD\n", NULL, 0));
	HEADER(k, "Upload-Offset", "3");
	EXPECT(k, 405, kit_tus(k, "POST", at, "X-HTTP-Method-Override: BREW\n", NULL, 0));
	EXPECT(k, 405, kit_tus(k, "POST", at, "X-HTTP-Method-Override: patch\n", NULL, 0));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "X-HTTP-Method-Override:\nUpload-Length: 3\n", NULL, 0));
	EXPECT(k, 204, kit_tus(k, "POST", at, "X-HTTP-Method-Override: DELETE\n", NULL, 0));
	EXPECT(k, 410, head(at));
	/* Elsewhere the header means nothing. */
	EXPECT(k, 405, kit_raw(k, "POST", "/health", "X-HTTP-Method-Override: GET\n", NULL, 0));
}

static void check_012_names_and_blanks(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_raw(k, "POST", "/files/", "tus-RESUMABLE: 1.0.0\nUPLOAD-length:   7  \n", NULL, 0));
	is_at(strcpy(url, kit_h(k, "Location")), "0", "7");
}

static void check_013_twice(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	static const char *const creations[] = {"Upload-Length: 5\nUpload-Length: 5\n", "Upload-Defer-Length: 1\nUpload-Defer-Length: 1\n",
		"Upload-Length: 5\nUpload-Metadata: a YQ==\nUpload-Metadata: b Yg==\n"};
	for (int i = 0; i < 3; i++)
		EXPECT(k, 400, kit_tus(k, "POST", "/files/", creations[i], NULL, 0));
	EXPECT(k, 400, kit_tus(k, "PATCH", at, "Upload-Offset: 0\nUpload-Offset: 0\n", "x", 1));
	is_at(at, "0", "10");
}

static void check_014_paths_and_methods(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	EXPECT(k, 404, kit_tus(k, "GET", "/filesystem", NULL, NULL, 0));
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/a/b/c/d/e", NULL, NULL, 0));
	EXPECT(k, 404, kit_tus(k, "GET", "/files/../files/", NULL, NULL, 0));
	EXPECT(k, 404, kit_tus(k, "GET", "/files//x", NULL, NULL, 0));
	EXPECT(k, 405, kit_tus(k, "PUT", at, NULL, NULL, 0));
	HEADER(k, "Allow", "OPTIONS, HEAD, PATCH, DELETE, GET");
	EXPECT(k, 405, kit_tus(k, "GET", "/files/", NULL, NULL, 0));
	HEADER(k, "Allow", "OPTIONS, POST");
	/* With or without a closing slash, with a query, in absolute form. */
	EXPECT(k, 201, kit_tus(k, "POST", "/files", "Upload-Length: 1\n", NULL, 0));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/?a=b", "Upload-Length: 1\n", NULL, 0));
	EXPECT(k, 201, kit_tus(k, "POST", "http://testserver/files/", "Upload-Length: 1\n", NULL, 0));
}

/* ---- 2.2 OPTIONS ---- */

static void check_015_to_018_options_anywhere(void **state)
{
	(void)state;
	static const char *const targets[] = {"/files/", "/files/_aaaaaaaaaaaaaaaaaaaaaa", "/files/sess_1", "/files/sess_1/chunks/", "/files/sess_1/chunks/7"};
	int64_t before = uploads();
	for (size_t i = 0; i < 5; i++) {
		EXPECT(k, 204, kit_raw(k, "OPTIONS", targets[i], NULL, NULL, 0));
		HEADER(k, "Tus-Version", "1.0.0");
	}
	assert_int_equal(uploads(), before);
	EXPECT(k, 404, kit_get(k, "/files/sess_1/status"));
}

static void check_019_preflight(void **state)
{
	(void)state;
	static const char *const methods[] = {"POST", "HEAD", "PATCH", "DELETE", "OPTIONS", "GET"};
	static const char *const names[] = {"Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Defer-Length", "Upload-Concat",
		"Upload-Checksum", "X-HTTP-Method-Override", "Authorization", "Content-Type", "X-Requested-With", "X-Request-ID", "X-Custom"};
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", "Origin: http://app.example\nAccess-Control-Request-Method: PATCH\n"
		"Access-Control-Request-Headers: x-custom, X-Custom\n", NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", "http://app.example");
	HEADER(k, "Access-Control-Allow-Credentials", "true");
	for (size_t i = 0; i < 6; i++)
		assert_non_null(strstr(kit_h(k, "Access-Control-Allow-Methods"), methods[i]));
	for (size_t i = 0; i < 13; i++)
		assert_non_null(strstr(kit_h(k, "Access-Control-Allow-Headers"), names[i]));
	assert_non_null(kit_h(k, "Access-Control-Max-Age"));
	assert_non_null(strstr(kit_h(k, "Vary"), "Origin"));
	assert_non_null(strstr(kit_h(k, "Vary"), "Access-Control-Request-Headers"));
}

/* ---- 2.3 HEAD ---- */

static void check_020_to_023_head(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 5\n"));
	is_at(at, "0", "5");
	HEADER(k, "Cache-Control", "no-store");
	assert_int_equal(k->len, 0);
	EXPECT(k, 204, patch(at, 0, NULL, "abcde", 5));
	is_at(at, "5", "5");
	HEADER(k, "Cache-Control", "no-store");
}

static void check_024_head_unknown(void **state)
{
	(void)state;
	static const char *const targets[] = {"/files/_aaaaaaaaaaaaaaaaaaaaaa", "/files/_short", "/files/sess_none", "/files/sess_none/chunks/0",
		"/files/_aaaaaaaaaaaaaaaaaaaaa%61", "/files/_aaaaaaaaaaaaaaaaaaaaaaa"};
	for (size_t i = 0; i < 6; i++) {
		EXPECT(k, 404, head(targets[i]));
		HEADER(k, "Upload-Offset", NULL);
		assert_int_equal(k->len, 0);
	}
}

static void check_025_098_expired(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 5\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "ab", 2));
	clock_shift(86400 + 10);
	EXPECT(k, 410, head(at));
	HEADER(k, "Upload-Offset", NULL);
	EXPECT(k, 410, patch(at, 2, NULL, "cde", 3));
	kit_reap(k);
	EXPECT(k, 410, head(at));
	clock_shift(2 * 86400 + 604800);
	kit_reap(k);
	EXPECT(k, 404, head(at));
	clock_shift(0);
}

static void check_026_027_metadata(void **state)
{
	(void)state;
	static const char *const metas[] = {"filename d29ybGQ=,is_confidential", "a ,b Yg==", "a YQ==, b Yg==", "x AAEC/w==", "k"};
	char headers[300];
	for (size_t i = 0; i < 5; i++) {
		snprintf(headers, sizeof headers, "Upload-Length: 5\nUpload-Metadata: %s\n", metas[i]);
		EXPECT(k, 200, head(create(headers)));
		HEADER(k, "Upload-Metadata", metas[i]);
	}
	EXPECT(k, 200, head(create("Upload-Length: 5\n")));
	HEADER(k, "Upload-Metadata", NULL);
}

static void check_028_086_deferred(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	is_at(at, "0", NULL);
	EXPECT(k, 204, patch(at, 0, NULL, "abc", 3));
	is_at(at, "3", NULL);
	EXPECT(k, 204, patch(at, 3, "Upload-Length: 8\n", "de", 2));
	is_at(at, "5", "8");
	EXPECT(k, 204, patch(at, 5, NULL, "fgh", 3));
	is_at(at, "8", "8");
	content_is(at, "abcdefgh", 8);
}

static void check_031_067_from_another_process(void **state)
{
	(void)state;
	struct app *other;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "abc", 3));
	assert_int_equal(app_open(k->cfg, false, &other), ERR_OK);
	struct app *mine = k->app;
	k->app = other;
	is_at(at, "3", "10");
	EXPECT(k, 204, patch(at, 3, NULL, "defg", 4));
	k->app = mine;
	is_at(at, "7", "10");
	EXPECT(k, 204, patch(at, 7, NULL, "hij", 3));
	k->app = other;
	content_is(at, "abcdefghij", 10);
	k->app = mine;
	app_close(other);
}

/* Whatever runs out on our side, HEAD of a living upload is answered 200 or 423: on anything else clients begin again from byte 0. */
static void check_032_own_trouble_is_423(void **state)
{
	(void)state;
	char at[200], headers[3200], value[3001];
	int locked = 0;
	memset(value, 'A', sizeof value - 1);
	value[sizeof value - 1] = '\0';
	snprintf(headers, sizeof headers, "Upload-Length: 10\nUpload-Metadata: filename %s\n", value);
	snprintf(at, sizeof at, "%s", create(headers));
	struct arena *enough = k->a;
	for (size_t max = 1000; max < 8000; max += 100) {
		k->a = arena_open(max);
		int status = kit_tus(k, "HEAD", at, NULL, NULL, 0);
		arena_close(k->a);
		assert_true(status == 200 || status == 423);
		locked += status == 423;
	}
	k->a = enough;
	assert_true(locked > 0);
	EXPECT(k, 200, kit_tus(k, "HEAD", at, NULL, NULL, 0));
}

static void check_033_095_to_097_expires(void **state)
{
	(void)state;
	char at[200];
	create("Upload-Length: 5\n");
	const char *told = kit_h(k, "Upload-Expires");
	assert_non_null(told);
	assert_int_equal(strlen(told), 29);
	assert_true(clock_http_parse(told) >= clock_now() + 86390 && clock_http_parse(told) <= clock_now() + 86410);
	snprintf(at, sizeof at, "%s", url);
	head(at);
	assert_non_null(kit_h(k, "Upload-Expires"));
	clock_shift(40000);
	EXPECT(k, 204, patch(at, 0, NULL, "a", 1));
	assert_true(clock_http_parse(kit_h(k, "Upload-Expires")) >= clock_now() + 86390);
	EXPECT(k, 409, patch(at, 0, NULL, "a", 1));
	assert_non_null(kit_h(k, "Upload-Expires"));
	EXPECT(k, 204, patch(at, 1, NULL, "", 0));
	assert_non_null(kit_h(k, "Upload-Expires"));
	EXPECT(k, 204, patch(at, 1, NULL, "bcde", 4));
	HEADER(k, "Upload-Expires", NULL);
	head(at);
	HEADER(k, "Upload-Expires", NULL);
	/* 99: complete ones do not expire. */
	clock_shift(40000 + 30 * 86400);
	kit_reap(k);
	is_at(at, "5", "5");
	content_is(at, "abcde", 5);
	clock_shift(0);
}

static void check_097_absolute_expiry(void **state)
{
	(void)state;
	struct kit *fixed = KIT("EXPIRATION_MODE=absolute"), *was = k;
	char at[200], told[40];
	k = fixed;
	snprintf(at, sizeof at, "%s", create("Upload-Length: 5\n"));
	snprintf(told, sizeof told, "%s", kit_h(k, "Upload-Expires"));
	clock_shift(80000);
	EXPECT(k, 204, patch(at, 0, NULL, "ab", 2));
	HEADER(k, "Upload-Expires", told);
	clock_shift(86500);
	kit_reap(k);
	EXPECT(k, 410, patch(at, 2, NULL, "cde", 3));
	EXPECT(k, 410, head(at));
	HEADER(k, "Upload-Offset", NULL);
	clock_shift(0);
	kit_done(fixed);
	k = was;
}

/* ---- 2.4 PATCH ---- */

static void check_034_052_types(void **state)
{
	(void)state;
	static const struct { const char *headers; int status; } rows[] = {
		{"Content-Type: application/octet-stream\n", 415}, {"Content-Type: text/plain\n", 415}, {"Content-Type:\n", 415},
		{"Content-Type: application/offset+octet-streams\n", 415}, {OCTETS "Content-Encoding: gzip\n", 415},
		{"Content-Type: Application/OFFSET+octet-stream\n", 204}, {"Content-Type: application/offset+octet-stream; charset=x\n", 204},
		{OCTETS "Content-Encoding: identity\n", 204},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char at[200];
		snprintf(at, sizeof at, "%s", create("Upload-Length: 5\n"));
		EXPECT(k, rows[i].status, patch(at, 0, rows[i].headers, "ab", 2));
		is_at(at, rows[i].status == 204 ? "2" : "0", "5");
	}
	create("Upload-Length: 5\n");
	EXPECT(k, 415, kit_raw(k, "PATCH", url, "Tus-Resumable: 1.0.0\nUpload-Offset: 0\n", "ab", 2));
}

static void check_035_to_038_offsets(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	EXPECT(k, 400, kit_tus(k, "PATCH", at, NULL, "x", 1));
	EXPECT(k, 204, patch(at, 0, NULL, "abcd", 4));
	static const int64_t wrong[] = {0, 3, 5, 10, 11, MAX};
	for (size_t i = 0; i < 6; i++) {
		EXPECT(k, 409, patch(at, wrong[i], NULL, "XX", 2));
		HEADER(k, "Upload-Offset", "4");
	}
	EXPECT(k, 204, patch(at, 4, NULL, "efghij", 6));
	content_is(at, "abcdefghij", 10);
}

static void check_039_to_041_success(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "", 0));
	HEADER(k, "Upload-Offset", "0");
	EXPECT(k, 204, patch(at, 0, NULL, "abc", 3));
	HEADER(k, "Upload-Offset", "3");
	assert_int_equal(k->len, 0);
	EXPECT(k, 204, patch(at, 3, NULL, "", 0));
	HEADER(k, "Upload-Offset", "3");
}

static void check_042_unknown(void **state)
{
	(void)state;
	EXPECT(k, 404, patch("/files/_aaaaaaaaaaaaaaaaaaaaaa", 0, NULL, "x", 1));
	EXPECT(k, 404, patch("/files/sess_none/chunks/0", 0, NULL, "x", 1));
}

static void check_043_cut(void **state)
{
	(void)state;
	static const int64_t cuts[] = {0, 1, 100, 4999, 9999};
	for (size_t i = 0; i < 5; i++) {
		char at[200], offset[24];
		snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
		snprintf(offset, sizeof offset, "%lld", (long long)cuts[i]);
		k->cut = cuts[i];
		k->piece = 333;
		EXPECT(k, 408, patch(at, 0, NULL, data, MAX));
		HEADER(k, "Upload-Offset", offset);
		is_at(at, offset, "10000");
		EXPECT(k, 204, patch(at, cuts[i], NULL, data + cuts[i], (size_t)(MAX - cuts[i])));
		content_is(at, data, MAX);
	}
}

static void check_045_chunked(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	k->chunked = true;
	k->piece = 17;
	EXPECT(k, 204, patch(at, 0, NULL, data, 4000));
	HEADER(k, "Upload-Offset", "4000");
	k->chunked = true;
	k->cut = 1000;
	EXPECT(k, 408, patch(at, 4000, NULL, data + 4000, 6000));
	is_at(at, "5000", "10000");
	k->chunked = k->unproven = true;
	EXPECT(k, 204, patch(at, 5000, NULL, data + 5000, 5000));
	content_is(at, data, MAX);
}

static void check_047_048_too_much(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 100\n"));
	EXPECT(k, 413, patch(at, 0, NULL, data, 101));
	assert_int_equal(k->taken, 0);
	is_at(at, "0", "100");
	EXPECT(k, 204, patch(at, 0, NULL, data, 40));
	k->chunked = true;
	EXPECT(k, 413, patch(at, 40, NULL, data + 40, 61));
	/* Not complete by that request, and nothing beyond the length. */
	EXPECT(k, 200, head(at));
	assert_true(atoi(kit_h(k, "Upload-Offset")) < 100);
	EXPECT(k, 204, patch(at, atoi(kit_h(k, "Upload-Offset")), NULL, data + atoi(kit_h(k, "Upload-Offset")),
		(size_t)(100 - atoi(kit_h(k, "Upload-Offset")))));
	content_is(at, data, 100);
}

static void check_049_complete(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 3\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "abc", 3));
	EXPECT(k, 204, patch(at, 3, NULL, "", 0));
	HEADER(k, "Upload-Offset", "3");
	EXPECT(k, 413, patch(at, 3, NULL, "d", 1));
	EXPECT(k, 409, patch(at, 0, NULL, "abc", 3));
	HEADER(k, "Upload-Offset", "3");
	content_is(at, "abc", 3);
}

static void check_051_offset_and_bytes_agree(void **state)
{
	(void)state;
	char at[200], wrong[60];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	/* Every refusal between two right pieces. */
	for (int64_t offset = 0; offset < MAX; offset += 2500) {
		EXPECT(k, 415, patch(at, offset, "Content-Type: text/plain\n", "zzz", 3));
		EXPECT(k, 409, patch(at, offset + 1, NULL, "zzz", 3));
		EXPECT(k, 413, patch(at, offset, NULL, data, (size_t)(MAX - offset + 1)));
		snprintf(wrong, sizeof wrong, "Upload-Length: %d\n", MAX - 1);
		EXPECT(k, 400, patch(at, offset, wrong, "zzz", 3));
		k->cut = 500;
		EXPECT(k, 408, patch(at, offset, NULL, data + offset, 2500));
		EXPECT(k, 204, patch(at, offset + 500, NULL, data + offset + 500, 2000));
	}
	content_is(at, data, MAX);
}

static void check_054_many_small(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 200\n"));
	for (int i = 0; i < 200; i++)
		EXPECT(k, 204, patch(at, i, NULL, data + i, 1));
	content_is(at, data, 200);
}

/* ---- 2.5 creation ---- */

static void check_056_057_064_created(void **state)
{
	(void)state;
	create("Upload-Length: 100\n");
	assert_true(text_starts(url, "/files/_"));
	HEADER(k, "Upload-Offset", "0");
	is_at(url, "0", "100");
}

static void check_058_to_061_lengths(void **state)
{
	(void)state;
	static const char *const bad[] = {"", "Upload-Length: 5\nUpload-Defer-Length: 1\n", "Upload-Defer-Length: 0\n", "Upload-Defer-Length: true\n",
		"Upload-Defer-Length: 2\n", "Upload-Defer-Length:\n", "Upload-Length: -5\n"};
	int64_t before = uploads();
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		EXPECT(k, 400, kit_tus(k, "POST", "/files/", bad[i], NULL, 0));
	assert_int_equal(uploads(), before);
}

static void check_062_empty_file(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 0\n"));
	HEADER(k, "Upload-Offset", "0");
	HEADER(k, "Upload-Expires", NULL);
	is_at(at, "0", "0");
	content_is(at, "", 0);
	EXPECT(k, 204, patch(at, 0, NULL, "", 0));
}

static void check_063_too_long(void **state)
{
	(void)state;
	EXPECT(k, 413, kit_tus(k, "POST", "/files/", "Upload-Length: 10001\n", NULL, 0));
	HEADER(k, "Tus-Max-Size", FORM_MAX);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 10000\n", NULL, 0));
}

static void check_065_type_of_a_creation(void **state)
{
	(void)state;
	EXPECT(k, 415, kit_tus(k, "POST", "/files/", "Upload-Length: 5\nContent-Type: text/plain\n", "abcde", 5));
	EXPECT(k, 415, kit_raw(k, "POST", "/files/", "Tus-Resumable: 1.0.0\nUpload-Length: 5\n", "abcde", 5));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 5\nContent-Type: text/plain\n", NULL, 0));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 5\nContent-Type: application/json\n", NULL, 0));
}

static void check_066_ids(void **state)
{
	(void)state;
	char seen[50][60];
	for (int i = 0; i < 50; i++) {
		snprintf(seen[i], sizeof seen[i], "%s", create("Upload-Length: 1\n"));
		/* "_" and 22 characters of 6 bits: 132 bits. */
		assert_int_equal(strlen(seen[i]), strlen("/files/_") + 22);
		for (int j = 0; j < i; j++)
			assert_string_not_equal(seen[i], seen[j]);
	}
}

/* ---- 2.6 metadata ---- */

static void check_069_to_077_metadata_grammar(void **state)
{
	(void)state;
	static const struct { const char *meta; int status; } rows[] = {
		{"a YQ==", 201}, {"a YQ==,b Yg==", 201}, {"a YQ==, b Yg==", 201}, {"a", 201}, {"a ", 201}, {"a ,b Yg==", 201}, {"", 201}, {"nl DQo=", 201},
		{" YQ==", 201}, {"a YQ==,", 400}, {",a YQ==", 400}, {"a YQ==,,b Yg==", 400}, {"a YQ==,a Yg==", 400}, {"a,a", 400}, {"a YQ", 400},
		{"a Y Q==", 400}, {"a !!!!", 400}, {"a YQ=", 400}, {"\xc3\xa4 YQ==", 400}, {"a YQ== x", 400}, {"a  YQ==", 400}, {"a YQ-_", 400},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char headers[200];
		snprintf(headers, sizeof headers, "Upload-Length: 5\nUpload-Metadata: %s\n", rows[i].meta);
		kit_tus(k, "POST", "/files/", headers, NULL, 0);
		if (k->status != rows[i].status)
			print_error("metadata '%s'\n", rows[i].meta);
		EXPECT(k, rows[i].status, 0);
	}
}

static void check_075_empty_metadata(void **state)
{
	(void)state;
	EXPECT(k, 200, head(create("Upload-Length: 5\nUpload-Metadata:\n")));
	HEADER(k, "Upload-Metadata", NULL);
}

static void check_076_hostile_values(void **state)
{
	(void)state;
	/* "../../x\r\nSet-Cookie: a" */
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 3\nUpload-Metadata: filename Li4vLi4veA0KU2V0LUNvb2tpZTogYQ==\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "abc", 3));
	content_is(at, "abc", 3);
	const char *d = kit_h(k, "Content-Disposition");
	assert_non_null(d);
	assert_true(text_starts(d, "attachment"));
	assert_null(strpbrk(d, "\r\n"));
	assert_null(strstr(d, "filename=\"../"));
	HEADER(k, "X-Content-Type-Options", "nosniff");
}

static void check_077_metadata_too_long(void **state)
{
	(void)state;
	char headers[6000] = "Origin: http://app.example\nUpload-Length: 5\nUpload-Metadata: a ";
	size_t n = strlen(headers);
	memset(headers + n, 'Y', 4096);
	strcpy(headers + n + 4096, "\n");
	EXPECT(k, 431, kit_tus(k, "POST", "/files/", headers, NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", "http://app.example");
}

/* ---- 2.7 creation with upload ---- */

static void check_079_083_with_upload(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 10\n", "abcd", 4));
	HEADER(k, "Upload-Offset", "4");
	is_at(strcpy(url, kit_h(k, "Location")), "4", "10");
	EXPECT(k, 204, patch(url, 4, NULL, "efghij", 6));
	content_is(url, "abcdefghij", 10);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 4\n", "abcd", 4));
	HEADER(k, "Upload-Offset", "4");
	content_is(strcpy(url, kit_h(k, "Location")), "abcd", 4);
}

static void check_080_with_upload_cut(void **state)
{
	(void)state;
	k->cut = 3;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 10\n", "abcdefghij", 10));
	HEADER(k, "Upload-Offset", "3");
	is_at(strcpy(url, kit_h(k, "Location")), "3", "10");
}

static void check_081_with_too_much(void **state)
{
	(void)state;
	int64_t before = uploads();
	int parts = kit_parts(k);
	EXPECT(k, 413, kit_tus(k, "POST", "/files/", "Upload-Length: 3\n", "abcd", 4));
	k->chunked = true;
	EXPECT(k, 413, kit_tus(k, "POST", "/files/", "Upload-Length: 3\n", "abcd", 4));
	HEADER(k, "Location", NULL);
	assert_int_equal(uploads(), before);
	assert_int_equal(kit_parts(k), parts);
}

static void check_084_with_upload_deferred(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Defer-Length: 1\n", "abcd", 4));
	HEADER(k, "Upload-Offset", "4");
	is_at(strcpy(url, kit_h(k, "Location")), "4", NULL);
}

/* ---- 2.8 deferred length ---- */

static void check_087_088_length_once(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "ab", 2));
	EXPECT(k, 204, patch(at, 2, "Upload-Length: 6\n", "cd", 2));
	EXPECT(k, 400, patch(at, 4, "Upload-Length: 7\n", "ef", 2));
	is_at(at, "4", "6");
	EXPECT(k, 204, patch(at, 4, "Upload-Length: 6\n", "ef", 2));
	content_is(at, "abcdef", 6);
}

static void check_089_090_wrong_lengths(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "abcd", 4));
	EXPECT(k, 400, patch(at, 4, "Upload-Length: 3\n", "", 0));
	EXPECT(k, 413, patch(at, 4, "Upload-Length: 10001\n", "", 0));
	EXPECT(k, 413, patch(at, 4, "Upload-Length: 5\n", "ef", 2));
	is_at(at, "4", NULL);
}

static void check_091_length_is_offset(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	EXPECT(k, 204, patch(at, 0, NULL, "abcd", 4));
	EXPECT(k, 204, patch(at, 4, "Upload-Length: 4\n", "", 0));
	is_at(at, "4", "4");
	content_is(at, "abcd", 4);
	/* And an empty one. */
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	EXPECT(k, 204, patch(at, 0, "Upload-Length: 0\n", "", 0));
	content_is(at, "", 0);
}

static void check_092_maximum_while_deferred(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	EXPECT(k, 413, patch(at, 0, NULL, data, MAX + 1));
	is_at(at, "0", NULL);
	EXPECT(k, 204, patch(at, 0, NULL, data, 9000));
	k->chunked = true;
	EXPECT(k, 413, patch(at, 9000, NULL, data + 9000, 1001));
	EXPECT(k, 200, head(at));
	assert_true(atoi(kit_h(k, "Upload-Offset")) <= MAX);
}

static void check_093_length_stays_when_cut(void **state)
{
	(void)state;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Defer-Length: 1\n"));
	k->cut = 3;
	EXPECT(k, 408, patch(at, 0, "Upload-Length: 10\n", "abcdefghij", 10));
	is_at(at, "3", "10");
}

/* ---- 2.9: a living writer is not expired ---- */

struct writer {
	struct kit *k;
	struct gate gate;
	const char *at;
	pthread_t thread;
	int64_t cut;
};

static void *write_slowly(void *arg)
{
	struct writer *w = arg;
	w->k->gate = &w->gate;
	w->k->cut = w->cut;
	kit_tus(w->k, "PATCH", w->at, "Upload-Offset: 0\n", data, MAX);
	return NULL;
}

/* A PATCH of which 4000 bytes have come and that waits for more. */
static void writer_start(struct writer *w, const char *at)
{
	*w = (struct writer){.k = kit_client(k), .at = at, .cut = 4000};
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

static void check_100_living_writer_is_spared(void **state)
{
	(void)state;
	struct writer w;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	writer_start(&w, at);
	clock_shift(86400 * 2);
	kit_reap(k);
	clock_shift(0);
	gate_open(&w.gate);
	writer_end(&w);
	is_at(at, "4000", "10000");
}

static void check_030_head_after_a_living_writer(void **state)
{
	(void)state;
	struct writer w;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	writer_start(&w, at);
	is_at(at, "4000", "10000");
	assert_int_equal(writer_end(&w), 409);
	EXPECT(k, 204, patch(at, 4000, NULL, data + 4000, 6000));
	content_is(at, data, MAX);
}

static void check_050_two_writers(void **state)
{
	(void)state;
	struct writer w;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	writer_start(&w, at);
	/* The newcomer's offset is the row's: the one before lets go without moving it. */
	EXPECT(k, 204, patch(at, 0, NULL, data, MAX));
	assert_int_equal(writer_end(&w), 409);
	is_at(at, "10000", "10000");
	content_is(at, data, MAX);
}

static void check_114_delete_while_written(void **state)
{
	(void)state;
	struct writer w;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	int parts = kit_parts(k);
	writer_start(&w, at);
	EXPECT(k, 204, kit_tus(k, "DELETE", at, NULL, NULL, 0));
	assert_true(writer_end(&w) >= 400);
	EXPECT(k, 410, head(at));
	EXPECT(k, 410, patch(at, 4000, NULL, "x", 1));
	assert_int_equal(kit_parts(k), parts);
}

static void check_133_bytes_survive_a_stop(void **state)
{
	(void)state;
	struct writer w;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	writer_start(&w, at);
	app_stop_bodies(k->app);
	assert_int_equal(writer_end(&w), 503);
	kit_restart(k, (const char *const[]){"TUS_MAX_SIZE=" FORM_MAX, "LOCK_WAIT_MS=100", "CORS_ORIGINS=http://app.example", NULL});
	is_at(at, "4000", "10000");
	EXPECT(k, 204, patch(at, 4000, NULL, data + 4000, 6000));
	content_is(at, data, MAX);
}

/* ---- 2.11 termination ---- */

static void check_111_112_delete(void **state)
{
	(void)state;
	for (int complete = 0; complete < 2; complete++) {
		char at[200];
		int parts = kit_parts(k);
		snprintf(at, sizeof at, "%s", create("Upload-Length: 4\n"));
		EXPECT(k, 204, patch(at, 0, NULL, "abcd", complete ? 4 : 2));
		EXPECT(k, 204, kit_tus(k, "DELETE", at, NULL, NULL, 0));
		assert_int_equal(kit_parts(k), parts);
		static const char *const methods[] = {"HEAD", "PATCH", "DELETE", "GET"};
		for (int m = 0; m < 4; m++)
			EXPECT(k, 410, kit_tus(k, methods[m], at, "Upload-Offset: 0\n", NULL, 0));
		char listed[300];
		snprintf(listed, sizeof listed, "/recordings/%s/upload", at + strlen("/files/"));
		EXPECT(k, 404, kit_get(k, listed));
	}
}

static void check_113_delete_unknown(void **state)
{
	(void)state;
	EXPECT(k, 404, kit_tus(k, "DELETE", "/files/_aaaaaaaaaaaaaaaaaaaaaa", NULL, NULL, 0));
}

/* ---- 2.13 ---- */

/* A holder that does not let go: another process's lock. */
static void check_132_busy(void **state)
{
	(void)state;
	struct upload u;
	struct hold *hold;
	char at[200];
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10\n"));
	assert_int_equal(store_upload_by_id(kit_house(k)->db, k->a, at + strlen("/files/"), &u), ERR_OK);
	assert_int_equal(hold_take(kit_house(k)->holds, HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, true, 0, &hold, NULL), ERR_OK);
	EXPECT(k, 423, patch(at, 0, NULL, "x", 1));
	HEADER(k, "Retry-After", "1");
	/* 32: HEAD never fails for a lock. */
	is_at(at, "0", "10");
	EXPECT(k, 423, kit_tus(k, "DELETE", at, NULL, NULL, 0));
	hold_drop(hold);
	EXPECT(k, 204, patch(at, 0, NULL, "x", 1));
}

static void check_134_no_space(void **state)
{
	(void)state;
	/* More is to be kept free than any disk has. */
	struct kit *full = KIT("MIN_FREE_SPACE=1125899906842624");
	EXPECT(full, 507, kit_tus(full, "POST", "/files/", "Upload-Length: 10\n", NULL, 0));
	assert_non_null(kit_h(full, "Retry-After"));
	kit_done(full);
}

static void check_135_errors(void **state)
{
	(void)state;
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/_aaaaaaaaaaaaaaaaaaaaaa", "Origin: http://app.example\n", NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", "http://app.example");
	HEADER(k, "X-Content-Type-Options", "nosniff");
	EXPECT(k, 400, kit_tus(k, "POST", "/files/", "Origin: http://app.example\n", NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", "http://app.example");
	HEADER(k, "X-Content-Type-Options", "nosniff");
	assert_non_null(strstr(kit_h(k, "Access-Control-Expose-Headers"), "Upload-Offset"));
	assert_string_equal(kit_str(k, "code"), "invalid_request");
	assert_true(text_starts(k->body, "{\"detail\":"));
}

static void get_of_an_unfinished_one(void **state)
{
	(void)state;
	create("Upload-Length: 10\n");
	EXPECT(k, 409, kit_get(k, url));
}

/* A PATCH body bound by MAX_PATCH_SIZE. */
static void max_patch_size(void **state)
{
	(void)state;
	struct kit *small = KIT("MAX_PATCH_SIZE=100");
	char at[200];
	EXPECT(small, 201, kit_tus(small, "POST", "/files/", "Upload-Length: 1000\n", NULL, 0));
	snprintf(at, sizeof at, "%s", kit_h(small, "Location"));
	EXPECT(small, 413, kit_tus(small, "PATCH", at, "Upload-Offset: 0\n", data, 101));
	EXPECT(small, 204, kit_tus(small, "PATCH", at, "Upload-Offset: 0\n", data, 100));
	kit_done(small);
}

/* ---- the slots of a process ---- */

static void slots_never_starve_head(void **state)
{
	(void)state;
	struct kit *small = KIT("THREADS=3", "RESERVE_THREADS=2"), *was = k;
	struct writer w;
	char at[200], other[200];
	k = small;
	snprintf(at, sizeof at, "%s", create("Upload-Length: 10000\n"));
	snprintf(other, sizeof other, "%s", create("Upload-Length: 10000\n"));
	writer_start(&w, at);
	EXPECT(k, 503, patch(other, 0, NULL, data, 10));
	assert_non_null(kit_h(k, "Retry-After"));
	assert_int_equal(k->taken, 0);
	is_at(other, "0", "10000");
	EXPECT(k, 204, kit_tus(k, "DELETE", other, NULL, NULL, 0));
	is_at(at, "4000", "10000");
	writer_end(&w);
	EXPECT(k, 204, patch(at, 4000, NULL, data + 4000, 10));
	kit_done(small);
	k = was;
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(check_001_version_on_every_answer), T(check_002_003_other_versions), T(check_004_005_version_absent), T(check_006_to_009_options),
		T(check_010_bad_numbers), T(check_011_method_override), T(check_012_names_and_blanks), T(check_013_twice), T(check_014_paths_and_methods),
		T(check_015_to_018_options_anywhere), T(check_019_preflight), T(check_020_to_023_head), T(check_024_head_unknown), T(check_025_098_expired),
		T(check_026_027_metadata), T(check_028_086_deferred), T(check_030_head_after_a_living_writer), T(check_031_067_from_another_process),
		T(check_032_own_trouble_is_423), T(check_033_095_to_097_expires), T(check_097_absolute_expiry), T(check_034_052_types), T(check_035_to_038_offsets), T(check_039_to_041_success), T(check_042_unknown),
		T(check_043_cut), T(check_045_chunked), T(check_047_048_too_much), T(check_049_complete), T(check_050_two_writers),
		T(check_051_offset_and_bytes_agree), T(check_054_many_small), T(check_056_057_064_created), T(check_058_to_061_lengths),
		T(check_062_empty_file), T(check_063_too_long), T(check_065_type_of_a_creation), T(check_066_ids), T(check_069_to_077_metadata_grammar),
		T(check_075_empty_metadata), T(check_076_hostile_values), T(check_077_metadata_too_long), T(check_079_083_with_upload),
		T(check_080_with_upload_cut), T(check_081_with_too_much), T(check_084_with_upload_deferred), T(check_087_088_length_once),
		T(check_089_090_wrong_lengths), T(check_091_length_is_offset), T(check_092_maximum_while_deferred), T(check_093_length_stays_when_cut),
		T(check_100_living_writer_is_spared), T(check_111_112_delete), T(check_113_delete_unknown), T(check_114_delete_while_written),
		T(check_132_busy), T(check_133_bytes_survive_a_stop), T(check_134_no_space), T(check_135_errors),
		T(get_of_an_unfinished_one), T(max_patch_size), T(slots_never_starve_head),
	};
	return cmocka_run_group_tests_name("tus", tests, begin, end);
}
