/*
 * test_draft_mixed.c - the IETF draft beside tus and beside what the operator wants: what neither protocol may be told by the other's requests.
 */
#include "kit.h"

static struct kit *k;
static unsigned char data[1000];
static char url[200];

#define SETTINGS "TUS_MAX_SIZE=1000000000", "LOCK_WAIT_MS=100", "TUS_EXPIRATION=3600"

static int begin(void **state)
{
	(void)state;
	k = KIT(SETTINGS);
	kit_fill(data, sizeof data, 1);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

static int located(int status)
{
	const char *location = kit_h(k, "Location");
	snprintf(url, sizeof url, "%s", location ? location : "");
	return status;
}

static int tus_create(const char *headers, const void *p, size_t n)
{
	return located(kit_tus(k, "POST", "/files/", headers, p, n));
}

static int create(const char *headers, const void *p, size_t n)
{
	return located(kit_raw(k, "POST", "/files/", headers, p, n));
}

#define PARTIAL "Content-Type: application/partial-upload\n"

static int append(const char *headers, const void *p, size_t n)
{
	char all[9000];
	snprintf(all, sizeof all, PARTIAL "%s", headers);
	return kit_raw(k, "PATCH", url, all, p, n);
}

/* The draft's view. */
static void is_at(const char *offset, const char *complete, int line)
{
	kit_raw(k, "HEAD", url, "Upload-Draft-Interop-Version: 8\n", NULL, 0);
	kit_expect(k, 204, __FILE__, line);
	kit_expect_header(k, "Upload-Offset", offset, __FILE__, line);
	kit_expect_header(k, "Upload-Complete", complete, __FILE__, line);
}
#define IS_AT(offset, complete) is_at(offset, complete, __LINE__)

/* The length may be told when all bytes are there already; that is not to say that these were all. */
static void a_length_is_not_the_end(void **state)
{
	(void)state;
	EXPECT(k, 201, tus_create("Upload-Defer-Length: 1\n", data, 10));
	EXPECT(k, 204, append("Upload-Offset: 10\nUpload-Complete: ?0\nUpload-Length: 10\n", NULL, 0));
	IS_AT("10", "?0");
	clock_shift(900);
	kit_reap(k);
	clock_shift(0);
	IS_AT("10", "?0");
	EXPECT(k, 201, append("Upload-Offset: 10\nUpload-Complete: ?1\n", NULL, 0));
	IS_AT("10", "?1");
}

/* Who has deleted an upload and asks again is told so, whether he names a version or not. */
static void gone_is_gone(void **state)
{
	(void)state;
	EXPECT(k, 201, create("Upload-Complete: ?0\n", data, 10));
	EXPECT(k, 204, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 410, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 410, kit_raw(k, "HEAD", url, NULL, NULL, 0));
	EXPECT(k, 410, kit_raw(k, "GET", url, NULL, NULL, 0));
}

/* Nothing can be appended to it, so whoever tries with nothing learns that it is complete. */
static void complete_is_not_told_as_incomplete(void **state)
{
	(void)state;
	EXPECT(k, 201, create("Upload-Complete: ?1\n", data, 10));
	append("Upload-Offset: 10\nUpload-Complete: ?0\n", NULL, 0);
	if (k->status / 100 == 2)
		HEADER(k, "Upload-Complete", "?1");
	IS_AT("10", "?1");
	/* tus has taken all bytes for the end meanwhile. */
	EXPECT(k, 201, create("Upload-Complete: ?0\nUpload-Length: 10\n", data, 10));
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	append("Upload-Offset: 10\nUpload-Complete: ?0\n", NULL, 0);
	if (k->status / 100 == 2)
		HEADER(k, "Upload-Complete", "?1");
}

/* For tus all bytes are success, after which it asks no more: so it is not told of them before they are what the draft has promised. */
static void a_promise_comes_first(void **state)
{
	(void)state;
	/* Of "hello", and of nothing. */
	static const char good[] = "Upload-Complete: ?0\nUpload-Length: 5\nRepr-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\n";
	static const char none[] = "Upload-Complete: ?0\nUpload-Length: 5\nRepr-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n";
	EXPECT(k, 201, create(good, "hello", 5));
	EXPECT(k, 423, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", NULL);
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", "5");
	EXPECT(k, 200, kit_get(k, url));
	EXPECT(k, 201, create(none, "hello", 5));
	IS_AT("5", "?0");
	EXPECT(k, 423, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	/* It is asked for the digest, but nothing is promised. */
	EXPECT(k, 201, create("Upload-Complete: ?0\nUpload-Length: 5\nWant-Repr-Digest: sha-256=1\n", "hello", 5));
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", "5");
}

/* ---- numbers ---- */

static void numbers_out_of_reach(void **state)
{
	(void)state;
	EXPECT(k, 413, create("Upload-Complete: ?0\nUpload-Length: 999999999999999\n", NULL, 0));
	EXPECT(k, 201, create("Upload-Complete: ?0\n", data, 10));
	EXPECT(k, 413, append("Upload-Offset: 10\nUpload-Complete: ?0\nUpload-Length: 999999999999999\n", NULL, 0));
	EXPECT(k, 400, append("Upload-Offset: 10\nUpload-Complete: ?0\nUpload-Length: 9\n", NULL, 0));
	EXPECT(k, 409, append("Upload-Offset: 999999999999999\nUpload-Complete: ?1\n", data, 10));
	EXPECT(k, 409, append("Upload-Offset: 999999999999999\nUpload-Complete: ?0\nUpload-Length: 1\n", data, 10));
	EXPECT(k, 400, append("Upload-Offset: 9999999999999999\nUpload-Complete: ?0\n", data, 10));
	IS_AT("10", "?0");
}

/* ---- names ---- */

static void names(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"Content-Disposition: inline; filename=\"../../../etc/passwd\"\n",
		"Content-Disposition: inline; filename*=UTF-8''a%0d%0ab%00c\n",
		"Content-Disposition: inline; filename=\"\xff\xfe\xc3\"\n",
		"Content-Disposition: ;;;=\n",
		"Content-Disposition: inline; filename=\"\n",
		"Content-Disposition: inline; filename=\"\\\"\n",
		"Content-Type: \xff\xfe\n",
		"Upload-Metadata: filename /////w==\n",
		"Upload-Metadata: filename AAAA,filetype AA==\n",
		"Upload-Metadata: filename\n",
		"Upload-Metadata: filename ,\tname YQ==\n",
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char all[400];
		snprintf(all, sizeof all, "Upload-Complete: ?1\n%s", rows[i]);
		EXPECT(k, 201, create(all, data, 10));
		kit_json(k);
		char at[400];
		snprintf(at, sizeof at, "%s", kit_str(k, "url"));
		EXPECT(k, 200, kit_raw(k, "GET", at, NULL, NULL, 0));
		EXPECT(k, 200, kit_get(k, url));
	}
}

/* Of more pairs than may be there none would be read any more, and the name were lost. */
static void too_many_pairs(void **state)
{
	(void)state;
	for (int n = 250; n < 258; n++) {
		char all[4000] = "Upload-Complete: ?1\nContent-Disposition: inline; filename=a.bin\nContent-Type: text/plain\nUpload-Metadata: ";
		for (int i = 0; i < n; i++)
			snprintf(all + strlen(all), sizeof all - strlen(all), "%sk%d", i ? "," : "", i);
		strcat(all, "\n");
		create(all, data, 10);
		EXPECT(k, n > 253 ? 400 : 201, k->status);
		if (k->status == 201)
			assert_string_equal(kit_str(k, "filename"), "a.bin");
	}
}

/* Where the operator lets nobody delete, no header helps. */
static void no_termination(void **state)
{
	(void)state;
	EXPECT(k, 201, create("Upload-Complete: ?0\n", data, 10));
	kit_restart(k, (const char *const[]){SETTINGS, "TUS_EXTENSIONS_OFF=termination", NULL});
	EXPECT(k, 405, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 405, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	HEADER(k, "Allow", "OPTIONS, HEAD, PATCH");
	EXPECT(k, 405, kit_raw(k, "DELETE", url, "Upload-Draft-Interop-Version: 8\n", NULL, 0));
	IS_AT("10", "?0");
	kit_restart(k, (const char *const[]){SETTINGS, NULL});
}

/* ---- what is cut ---- */

/* Where all was to come in one request, nobody knows of what did, and nothing stays of it; unless there is somebody who can still be told. */
static void all_in_one_request(void **state)
{
	(void)state;
	static const char *const headers[] = {"Upload-Complete: ?1\n", "Upload-Incomplete: ?0\nUpload-Draft-Interop-Version: 3\n"};
	int parts = kit_parts(k);
	for (int i = 0; i < 2; i++) {
		k->cut = 300;
		EXPECT(k, 408, kit_raw(k, "PUT", "/upload/a.bin", headers[i], data, 1000));
		k->cut = 300;
		EXPECT(k, 408, kit_raw(k, "POST", "/files/", headers[i], data, 1000));
		HEADER(k, "Location", NULL);
		HEADER(k, "Upload-Offset", NULL);
		assert_int_equal(kit_parts(k), parts);
		k->chunked = k->unproven = true;
		EXPECT(k, 408, located(kit_raw(k, "POST", "/files/", headers[i], data, 1000)));
		HEADER(k, "Upload-Offset", "1000");
		EXPECT(k, 201, append("Upload-Offset: 1000\nUpload-Complete: ?1\n", NULL, 0));
		parts = kit_parts(k);
	}
}

/* ---- who may ---- */

static int as(const char *user, const char *method, const char *target, const char *headers)
{
	k->user = user;
	k->addr = "192.0.2.7";
	return kit_raw(k, method, target, headers, data, strcmp(method, "PATCH") == 0 ? 5 : 0);
}

/* To speak another protocol opens no door: the hosts, the identity and the owner are asked for as ever, before anything is told. */
static void no_way_round(void **state)
{
	(void)state;
	static const struct { const char *method, *headers; } rows[] = {
		{"HEAD", "Upload-Draft-Interop-Version: 8\n"}, {"HEAD", NULL}, {"GET", "Upload-Draft-Interop-Version: 8\n"}, {"GET", NULL},
		{"PATCH", PARTIAL "Upload-Offset: 0\nUpload-Complete: ?1\n"}, {"PATCH", "Upload-Draft-Interop-Version: 3\nUpload-Offset: 0\n"},
		{"DELETE", "Upload-Draft-Interop-Version: 3\n"}, {"DELETE", NULL},
	};
	kit_restart(k, (const char *const[]){SETTINGS, "ENVIRONMENT=production", "SECRET_KEY=0123456789abcdef0123456789abcdef", "FORCE_HTTPS=false",
		"REQUIRE_AUTH=true", "ALLOWED_HOSTS=testserver", NULL});
	static const char *const creations[] = {"Upload-Complete: ?0\n", "Upload-Complete: ?1\n", "Upload-Incomplete: ?1\nUpload-Draft-Interop-Version: 3\n"};
	for (size_t i = 0; i < sizeof creations / sizeof *creations; i++) {
		EXPECT(k, 401, as(NULL, "POST", "/files/", creations[i]));
		HEADER(k, "Content-Type", "application/problem+json");
		EXPECT(k, 401, as(NULL, "POST", "/upload", creations[i]));
		EXPECT(k, 401, as(NULL, "PUT", "/upload/x", creations[i]));
		k->host = "elsewhere";
		EXPECT(k, 421, as("anna", "POST", "/files/", creations[i]));
	}
	EXPECT(k, 201, located(as("anna", "POST", "/files/", "Upload-Complete: ?0\n")));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		EXPECT(k, 401, as(NULL, rows[i].method, url, rows[i].headers));
		HEADER(k, "Upload-Offset", NULL);
		EXPECT(k, 403, as("berta", rows[i].method, url, rows[i].headers));
		HEADER(k, "Upload-Offset", NULL);
		k->host = "elsewhere";
		EXPECT(k, 421, as("anna", rows[i].method, url, rows[i].headers));
	}
	EXPECT(k, 204, as("anna", "HEAD", url, rows[0].headers));
	HEADER(k, "Upload-Offset", "0");
	kit_restart(k, (const char *const[]){SETTINGS, NULL});
}

/* What a page of another origin may send without asking begins nothing; and a page of ours reads what went wrong. */
static void pages_of_others(void **state)
{
	(void)state;
	kit_restart(k, (const char *const[]){SETTINGS, "CORS_ORIGINS=https://ours.example", NULL});
	EXPECT(k, 412, kit_raw(k, "POST", "/files/", "Origin: https://theirs.example\nContent-Type: text/plain\n", data, 10));
	EXPECT(k, 415, kit_raw(k, "POST", "/upload", "Origin: https://theirs.example\nContent-Type: text/plain\n", data, 10));
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", "Origin: https://theirs.example\nAccess-Control-Request-Method: POST\n"
		"Access-Control-Request-Headers: upload-complete\n", NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", NULL);
	EXPECT(k, 201, create("Upload-Complete: ?0\n", data, 10));
	EXPECT(k, 409, append("Origin: https://ours.example\nUpload-Offset: 5\nUpload-Complete: ?0\n", data, 10));
	HEADER(k, "Content-Type", "application/problem+json");
	HEADER(k, "Access-Control-Allow-Origin", "https://ours.example");
	assert_non_null(strstr(kit_h(k, "Access-Control-Expose-Headers"), "Upload-Offset"));
	assert_non_null(strstr(kit_h(k, "Access-Control-Expose-Headers"), "Upload-Complete"));
	kit_restart(k, (const char *const[]){SETTINGS, NULL});
}

/* Everybody else reads what he always read, also about an upload of the draft. */
static void others_read_json(void **state)
{
	(void)state;
	EXPECT(k, 201, create("Upload-Complete: ?0\nUpload-Length: 20\n", data, 10));
	static const char *const rows[][2] = {{"PATCH", "Upload-Offset: 5\n"}, {"PATCH", "Upload-Offset: x\n"}, {"PATCH", "Upload-Offset: 10\nUpload-Length: 21\n"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(kit_tus(k, rows[i][0], url, rows[i][1], data, 5) / 100, 4);
		HEADER(k, "Content-Type", "application/json");
		HEADER(k, "Upload-Complete", NULL);
	}
	static const char form[] = "--" FORM_BOUNDARY "--\r\n";
	EXPECT(k, 422, kit_raw(k, "POST", "/upload/chunk", FORM_TYPE "Upload-Complete: ?1\nUpload-Draft-Interop-Version: 6\n", form, sizeof form - 1));
	HEADER(k, "Content-Type", "application/json");
	EXPECT(k, 415, kit_raw(k, "POST", "/upload", "Upload-Draft-Interop-Version: 6\n", data, 5));
	HEADER(k, "Content-Type", "application/json");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_length_is_not_the_end),
		cmocka_unit_test(gone_is_gone),
		cmocka_unit_test(complete_is_not_told_as_incomplete),
		cmocka_unit_test(a_promise_comes_first),
		cmocka_unit_test(numbers_out_of_reach),
		cmocka_unit_test(names),
		cmocka_unit_test(too_many_pairs),
		cmocka_unit_test(no_termination),
		cmocka_unit_test(all_in_one_request),
		cmocka_unit_test(no_way_round),
		cmocka_unit_test(pages_of_others),
		cmocka_unit_test(others_read_json),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
