/*
 * test_draft.c - the IETF draft "Resumable Uploads for HTTP" on /files/ and /upload, every interop version against one table of what it is.
 */
#include <sys/syscall.h>

#include "kit.h"

#define MAX 10000
#define PATCH_MAX 4000
#define N(rows) (sizeof rows / sizeof *rows)

/* What the texts say, by version; 0 is who names none, and 99 one that nobody knows: both are served as the newest. */
static const struct version {
	int n;
	const char *complete;
	bool sense, named;
	const char *type;           /* of PATCH */
	int appended;
	const char *limit;          /* the lifetime's name, NULL: no limits */
	int gone;
	bool replays, spoils;
	const char *impure[4];      /* what a HEAD must not have */
} versions[] = {
	{3, "Upload-Incomplete", false, true, "text/plain", 201, NULL, 404, true, false, {"Upload-Offset: 0", "Upload-Incomplete: ?1"}},
	{4, "Upload-Complete", true, true, NULL, 201, NULL, 404, true, false, {"Upload-Offset: 0", "Upload-Complete: ?0"}},
	{5, "Upload-Complete", true, true, "text/plain", 201, NULL, 404, true, false, {"Upload-Offset: 0", "Upload-Complete: ?0"}},
	{6, "Upload-Complete", true, true, "application/partial-upload", 201, "expires", 404, false, false,
		{"Upload-Offset: 0", "Upload-Complete: ?0", "Upload-Length: 5"}},
	{7, "Upload-Complete", true, true, "application/partial-upload", 204, "max-age", 410, false, true, {0}},
	{8, "Upload-Complete", true, true, "application/partial-upload; x=y", 204, "max-age", 410, true, true, {0}},
	{0, "Upload-Complete", true, false, "application/partial-upload", 204, "max-age", 410, true, true, {0}},
	{99, "Upload-Complete", true, false, "application/partial-upload", 204, "max-age", 410, true, true, {0}},
};

static struct kit *k;
static unsigned char data[MAX + 10];
static char url[200];

#define SETTINGS "TUS_MAX_SIZE=10000", "MAX_PATCH_SIZE=4000", "LOCK_WAIT_MS=100", "TUS_EXPIRATION=3600"

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

/* ---- short forms ---- */

static int ask(const struct version *v, const char *method, const char *target, const char *headers, const void *p, size_t n)
{
	char all[1000], version[60] = "";
	if (v->n)
		snprintf(version, sizeof version, "Upload-Draft-Interop-Version: %d\n", v->n);
	snprintf(all, sizeof all, "%s%s", version, headers ? headers : "");
	return kit_raw(k, method, target, all, p, n);
}

static const char *flag(const struct version *v, bool complete)
{
	static char line[2][60];
	snprintf(line[complete], sizeof line[0], "%s: %s\n", v->complete, complete == v->sense ? "?1" : "?0");
	return line[complete];
}

static int create(const struct version *v, bool complete, const char *headers, const void *p, size_t n)
{
	char all[500];
	snprintf(all, sizeof all, "%s%s", flag(v, complete), headers ? headers : "");
	ask(v, "POST", "/files/", all, p, n);
	const char *location = kit_h(k, "Location");
	snprintf(url, sizeof url, "%s", location ? location : "");
	return k->status;
}

/* complete: 0, 1, or -1: it is not said. */
static int append(const struct version *v, int64_t offset, int complete, const char *headers, const void *p, size_t n)
{
	char all[600], type[100] = "";
	if (v->type)
		snprintf(type, sizeof type, "Content-Type: %s\n", v->type);
	snprintf(all, sizeof all, "%sUpload-Offset: %lld\n%s%s", type, (long long)offset, complete < 0 ? "" : flag(v, complete), headers ? headers : "");
	return ask(v, "PATCH", url, all, p, n);
}

static void has_flag(const struct version *v, bool complete, int line)
{
	const char *other = v->sense ? "Upload-Incomplete" : "Upload-Complete";
	kit_expect_header(k, v->complete, complete == v->sense ? "?1" : "?0", __FILE__, line);
	kit_expect_header(k, other, NULL, __FILE__, line);
	char number[12];
	snprintf(number, sizeof number, "%d", v->n);
	kit_expect_header(k, "Upload-Draft-Interop-Version", v->named ? number : NULL, __FILE__, line);
}
#define FLAG(v, complete) has_flag(v, complete, __LINE__)

static void is_at(const struct version *v, const char *offset, const char *length, bool complete, int line)
{
	ask(v, "HEAD", url, NULL, NULL, 0);
	kit_expect(k, 204, __FILE__, line);
	kit_expect_header(k, "Upload-Offset", offset, __FILE__, line);
	kit_expect_header(k, "Upload-Length", length, __FILE__, line);
	kit_expect_header(k, "Cache-Control", "no-store", __FILE__, line);
	has_flag(v, complete, line);
}
#define IS_AT(v, offset, length, complete) is_at(v, offset, length, complete, __LINE__)

static void problem_is(const char *name, int status)
{
	char type[120];
	snprintf(type, sizeof type, name ? "https://iana.org/assignments/http-problem-types#%s" : "about:blank", name);
	HEADER(k, "Content-Type", "application/problem+json");
	assert_string_equal(kit_str(k, "type"), type);
	assert_int_equal(kit_int(k, "status"), status);
	assert_true(*kit_str(k, "title") && *kit_str(k, "detail"));
}

static void content_is(const void *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

/* Upload-Limit as this version has it; age: seconds that may be left. */
static void limit_is(const struct version *v, bool age)
{
	const char *limit = kit_h(k, "Upload-Limit");
	char want[100];
	long long left = 0;
	if (!v->limit) {
		assert_null(limit);
		return;
	}
	snprintf(want, sizeof want, "max-size=10000, max-append-size=4000%s%s%s", age ? ", " : "", age ? v->limit : "", age ? "=" : "");
	assert_non_null(limit);
	assert_int_equal(strncmp(limit, want, strlen(want)), 0);
	assert_true(age ? sscanf(limit + strlen(want), "%lld", &left) == 1 && left > 3590 && left <= 3600 : !limit[strlen(want)]);
}

#define EACH(v) for (const struct version *v = versions; v < versions + N(versions); v++)
/* What POST /files/ answers to all of an upload. */
#define FINAL(v, n) do { \
	EXPECT(k, 201, k->status); \
	FLAG(v, true); \
	assert_int_equal(kit_int(k, "size"), n); \
	HEADER(k, "Content-Type", "application/json"); \
	HEADER(k, "Location", kit_str(k, "file_url")); \
} while (0)

/* Commits that are durable: who syncs the log of the ledger. */
static int durable;

int fdatasync(int fd)
{
	char link[40], path[300];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path);
	durable += n > 4 && memcmp(path + n - 4, "-wal", 4) == 0;
	return (int)syscall(SYS_fdatasync, fd);
}

/* ---- creation ---- */

static void created_without_a_byte(void **state)
{
	(void)state;
	EACH(v) {
		EXPECT(k, 201, create(v, false, NULL, NULL, 0));
		assert_true(strncmp(url, "/files/_", 8) == 0);
		HEADER(k, "Upload-Offset", "0");
		FLAG(v, false);
		limit_is(v, true);
		IS_AT(v, "0", NULL, false);
		limit_is(v, true);
		EXPECT(k, 201, create(v, false, "Upload-Length: 100\n", NULL, 0));
		IS_AT(v, "0", "100", false);
	}
}

static void created_with_a_part(void **state)
{
	(void)state;
	EACH(v) {
		EXPECT(k, 201, create(v, false, "Upload-Length: 100\n", data, 40));
		HEADER(k, "Upload-Offset", "40");
		FLAG(v, false);
		IS_AT(v, "40", "100", false);
		k->chunked = true;
		EXPECT(k, 201, create(v, false, NULL, data, 40));
		HEADER(k, "Upload-Offset", "40");
		IS_AT(v, "40", NULL, false);
	}
}

static void created_whole(void **state)
{
	(void)state;
	EACH(v) {
		for (int chunked = 0; chunked < 2; chunked++) {
			k->chunked = chunked;
			EXPECT(k, 201, create(v, true, chunked ? NULL : "Upload-Length: 3000\n", data, 3000));
			FINAL(v, 3000);
			HEADER(k, "Upload-Offset", "3000");
			IS_AT(v, "3000", "3000", true);
			limit_is(v, false);
			content_is(data, 3000);
			k->chunked = chunked;
			EXPECT(k, 201, create(v, true, NULL, NULL, 0));
			FINAL(v, 0);
			IS_AT(v, "0", "0", true);
			content_is("", 0);
		}
	}
}

/* Who cannot be told where it is learns nothing; but what came is there. */
static void a_cut_creation_is_kept(void **state)
{
	(void)state;
	EACH(v) {
		k->cut = 30;
		EXPECT(k, 408, create(v, false, NULL, data, 100));
		HEADER(k, "Upload-Offset", "30");
		FLAG(v, false);
		problem_is(NULL, 408);
		IS_AT(v, "30", NULL, false);
		EXPECT(k, 201, append(v, 30, 1, NULL, data + 30, 70));
		content_is(data, 100);
	}
}

static void lengths_must_agree(void **state)
{
	(void)state;
	int parts = kit_parts(k);
	EACH(v) {
		EXPECT(k, 400, create(v, true, "Upload-Length: 99\n", data, 100));
		problem_is("inconsistent-upload-length", 400);
		FLAG(v, false);
		HEADER(k, "Location", NULL);
		EXPECT(k, 400, create(v, false, "Upload-Length: 99\n", data, 100));
		problem_is("inconsistent-upload-length", 400);
		k->chunked = true;
		EXPECT(k, 400, create(v, false, "Upload-Length: 99\n", data, 100));
		problem_is("inconsistent-upload-length", 400);
		k->chunked = true;
		EXPECT(k, 400, create(v, true, "Upload-Length: 101\n", data, 100));
		HEADER(k, "Location", NULL);
		assert_int_equal(kit_parts(k), parts);

		EXPECT(k, 201, create(v, false, "Upload-Length: 100\n", NULL, 0));
		EXPECT(k, 400, append(v, 0, 1, NULL, data, 99));
		problem_is("inconsistent-upload-length", 400);
		FLAG(v, false);
		EXPECT(k, 400, append(v, 0, 1, NULL, NULL, 0));
		EXPECT(k, 400, append(v, 0, 0, "Upload-Length: 101\n", data, 10));
		IS_AT(v, "0", "100", false);
		/* Only where its body ends shows that it is none: what came is kept. */
		k->chunked = true;
		EXPECT(k, 400, append(v, 0, 1, NULL, data, 60));
		problem_is("inconsistent-upload-length", 400);
		HEADER(k, "Upload-Offset", "60");
		IS_AT(v, "60", "100", false);
		EXPECT(k, 201, append(v, 60, 1, "Upload-Length: 100\n", data + 60, 40));
		content_is(data, 100);
		EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	}
}

/* A last body that is announced says the length, also if it is cut. */
static void the_last_body_tells_the_length(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, NULL, data, 10);
		k->cut = 20;
		EXPECT(k, 408, append(v, 10, 1, NULL, data + 10, 90));
		IS_AT(v, "30", "100", false);
		EXPECT(k, 400, append(v, 30, 1, NULL, data + 30, 71));
		EXPECT(k, 201, append(v, 30, 1, NULL, data + 30, 70));
		content_is(data, 100);
	}
}

/* ---- append ---- */

static void appended_and_completed(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, NULL, NULL, 0);
		EXPECT(k, v->appended, append(v, 0, 0, NULL, data, 50));
		HEADER(k, "Upload-Offset", "50");
		FLAG(v, false);
		k->chunked = true;
		EXPECT(k, v->appended, append(v, 50, 0, "Upload-Length: 100\n", data + 50, 20));
		IS_AT(v, "70", "100", false);
		EXPECT(k, v->appended, append(v, 70, 0, NULL, NULL, 0));
		HEADER(k, "Upload-Offset", "70");
		k->chunked = true;
		EXPECT(k, 201, append(v, 70, 1, NULL, data + 70, 30));
		FINAL(v, 100);
		HEADER(k, "Upload-Offset", "100");
		IS_AT(v, "100", "100", true);
		content_is(data, 100);
	}
}

static void all_bytes_are_not_the_end(void **state)
{
	(void)state;
	EACH(v) {
		EXPECT(k, 201, create(v, false, "Upload-Length: 100\n", data, 100));
		FLAG(v, false);
		IS_AT(v, "100", "100", false);
		clock_shift(900);
		kit_reap(k);
		IS_AT(v, "100", "100", false);
		clock_shift(0);
		EXPECT(k, v->appended, append(v, 100, 0, NULL, NULL, 0));
		EXPECT(k, 201, append(v, 100, 1, NULL, NULL, 0));
		FINAL(v, 100);
		IS_AT(v, "100", "100", true);
		content_is(data, 100);

		create(v, false, "Upload-Length: 0\n", NULL, 0);
		IS_AT(v, "0", "0", false);
		k->chunked = true;
		EXPECT(k, 201, append(v, 0, 1, NULL, NULL, 0));
		FINAL(v, 0);
	}
}

/* An end that nothing proves (plain CGI without a length) ends no upload. */
static void an_unproven_end_is_none(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, NULL, NULL, 0);
		k->chunked = k->unproven = true;
		EXPECT(k, 408, append(v, 0, 1, NULL, data, 100));
		IS_AT(v, "100", NULL, false);
		k->chunked = k->unproven = true;
		EXPECT(k, v->appended, append(v, 100, 0, NULL, data + 100, 100));
		IS_AT(v, "200", NULL, false);
	}
}

static void what_is_not_said(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, NULL, NULL, 0);
		EXPECT(k, v->n == 3 ? 201 : v->appended, append(v, 0, -1, NULL, data, 100));
		FLAG(v, v->n == 3);
		create(v, false, NULL, data, 10);
		/* tus-js-client, whose stream ends at the end of a chunk. */
		bool ends = v->n == 3 || v->n == 5 || v->n == 6;
		EXPECT(k, ends ? 201 : v->appended, append(v, 10, -1, "Upload-Length: 10\n", NULL, 0));
		FLAG(v, ends);
	}
}

static void another_offset(void **state)
{
	(void)state;
	static const int64_t rows[] = {0, 49, 51, 100, 5000};
	EACH(v) {
		create(v, false, "Upload-Length: 100\n", data, 50);
		for (size_t i = 0; i < N(rows); i++) {
			for (int last = 0; last < 2; last++) {
				/* Its own length would differ, too: that the offset does is told first. */
				EXPECT(k, 409, append(v, rows[i], last, NULL, data, 10));
				HEADER(k, "Upload-Offset", "50");
				FLAG(v, false);
				problem_is("mismatching-upload-offset", 409);
				assert_int_equal(kit_int(k, "expected-offset"), 50);
				assert_int_equal(kit_int(k, "provided-offset"), rows[i]);
			}
		}
		IS_AT(v, "50", "100", false);
	}
}

static void the_type_of_an_append(void **state)
{
	(void)state;
	static const char *const types[] = {NULL, "text/plain", "application/offset+octet-stream", "application/partial-uploads"};
	EACH(v) {
		create(v, false, NULL, NULL, 0);
		for (size_t i = 0; i < N(types); i++) {
			struct version other = *v;
			other.type = types[i];
			int64_t offset = v->n >= 6 || !v->n ? 0 : (int64_t)i;
			EXPECT(k, v->n >= 6 || !v->n ? 415 : v->appended, append(&other, offset, 0, NULL, data, 1));
			static const char *const after[] = {"1", "2", "3", "4"};
			HEADER(k, "Upload-Offset", k->status == 415 ? "0" : after[i]);
		}
	}
}

static void past_the_length(void **state)
{
	(void)state;
	EACH(v) {
		for (int chunked = 0; chunked < 2; chunked++) {
			create(v, false, "Upload-Length: 100\n", data, 50);
			k->chunked = chunked;
			EXPECT(k, 400, append(v, 50, 0, NULL, data + 50, 51));
			problem_is("inconsistent-upload-length", 400);
			FLAG(v, false);
			ask(v, "HEAD", url, NULL, NULL, 0);
			EXPECT(k, v->spoils ? 410 : 204, k->status);
			EXPECT(k, v->spoils ? 410 : 400, append(v, 50, 0, NULL, data, 51));
		}
		/* A last one that is announced only contradicts the length; one that is not passes it. */
		create(v, false, "Upload-Length: 100\n", data, 50);
		EXPECT(k, 400, append(v, 50, 1, NULL, data + 50, 51));
		IS_AT(v, "50", "100", false);
		k->chunked = true;
		k->piece = 7;
		EXPECT(k, 400, append(v, 50, 1, NULL, data + 50, 58));
		problem_is("inconsistent-upload-length", 400);
		ask(v, "HEAD", url, NULL, NULL, 0);
		EXPECT(k, v->spoils ? 410 : 204, k->status);
		/* What is complete stays, whoever sends more. */
		create(v, true, NULL, data, 100);
		k->chunked = true;
		EXPECT(k, 400, append(v, 100, 0, NULL, data, 1));
		EXPECT(k, 400, append(v, 100, 1, NULL, data, 1));
		FLAG(v, false);
		IS_AT(v, "100", "100", true);
		content_is(data, 100);
	}
}

static void past_our_limits(void **state)
{
	(void)state;
	EACH(v) {
		EXPECT(k, 413, create(v, false, "Upload-Length: 10001\n", NULL, 0));
		limit_is(v, false);
		problem_is(NULL, 413);
		EXPECT(k, 413, create(v, false, NULL, data, PATCH_MAX + 1));
		limit_is(v, false);
		k->chunked = true;
		EXPECT(k, 413, create(v, true, NULL, data, PATCH_MAX + 1));
		HEADER(k, "Location", NULL);
		create(v, false, NULL, NULL, 0);
		for (int chunked = 0; chunked < 2; chunked++) {
			k->chunked = chunked;
			EXPECT(k, 413, append(v, 0, 0, NULL, data, PATCH_MAX + 1));
			limit_is(v, false);
			FLAG(v, false);
		}
		IS_AT(v, "0", NULL, false);
		/* The length is far away: a body that is too large for us is not one that passes it. */
		create(v, false, "Upload-Length: 10000\n", NULL, 0);
		k->chunked = true;
		EXPECT(k, 413, append(v, 0, 0, NULL, data, PATCH_MAX + 1));
		IS_AT(v, "0", "10000", false);
	}
}

static void complete_is_complete(void **state)
{
	(void)state;
	EACH(v) {
		create(v, true, "Content-Disposition: inline; filename=\"a b.txt\"\n", data, 100);
		for (int last = 0; last < 2; last++) {
			append(v, 100, last, NULL, NULL, 0);
			if (v->replays && last) {
				FINAL(v, 100);
				assert_string_equal(kit_str(k, "filename"), "a b.txt");
			} else if (!v->replays) {
				EXPECT(k, 400, k->status);
				problem_is("completed-upload", 400);
				FLAG(v, false);
			}
			HEADER(k, "Upload-Offset", "100");
		}
		EXPECT(k, 409, append(v, 50, 1, NULL, data + 50, 50));
		HEADER(k, "Upload-Offset", "100");
		IS_AT(v, "100", "100", true);
	}
}

static void a_cut_append_is_kept(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, NULL, NULL, 0);
		for (int last = 0; last < 2; last++) {
			k->chunked = true;
			k->cut = 20;
			EXPECT(k, 408, append(v, 20 * last, last, NULL, data + 20 * last, 100));
			FLAG(v, false);
		}
		IS_AT(v, "40", NULL, false);
	}
}

/* ---- query and cancellation ---- */

static void queries_are_pure(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, "Upload-Length: 100\n", NULL, 0);
		for (int i = 0; i < 4 && v->impure[i]; i++) {
			EXPECT(k, 400, ask(v, "HEAD", url, v->impure[i], NULL, 0));
			EXPECT(k, i < 2 ? 400 : 204, ask(v, "DELETE", url, v->impure[i], NULL, 0));
			if (i == 2)
				create(v, false, "Upload-Length: 100\n", NULL, 0);
		}
		if (v->n < 6 && v->n)
			EXPECT(k, 204, ask(v, "HEAD", url, "Upload-Length: 5\n", NULL, 0));
		if (!v->impure[0])
			EXPECT(k, 204, ask(v, "HEAD", url, "Upload-Offset: 0\nUpload-Complete: ?0\nUpload-Length: 5\n", NULL, 0));
		IS_AT(v, "0", "100", false);
	}
}

static void deleted(void **state)
{
	(void)state;
	EACH(v) {
		for (int last = 0; last < 2; last++) {
			create(v, last, NULL, data, 100);
			EXPECT(k, 204, ask(v, "DELETE", url, NULL, NULL, 0));
			EXPECT(k, v->gone, ask(v, "DELETE", url, NULL, NULL, 0));
			EXPECT(k, v->gone, append(v, 100, 0, NULL, data, 1));
			problem_is(NULL, v->gone);
			HEADER(k, "Upload-Offset", NULL);
			EXPECT(k, v->gone, ask(v, "HEAD", url, NULL, NULL, 0));
			HEADER(k, "Upload-Offset", NULL);
		}
		snprintf(url, sizeof url, "/files/_aaaaaaaaaaaaaaaaaaaaaa");
		EXPECT(k, 404, append(v, 100, 0, NULL, data, 1));
		EXPECT(k, 404, ask(v, "HEAD", url, NULL, NULL, 0));
	}
}

static void get_asks_or_loads(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, "Upload-Length: 100\n", data, 50);
		EXPECT(k, 204, ask(v, "GET", url, NULL, NULL, 0));
		HEADER(k, "Upload-Offset", "50");
		HEADER(k, "Upload-Length", "100");
		FLAG(v, false);
		append(v, 50, 1, NULL, data + 50, 50);
		EXPECT(k, 200, ask(v, "GET", url, NULL, NULL, 0));
		assert_int_equal(k->len, 100);
		if (v->n) {
			HEADER(k, "Upload-Offset", "100");
			FLAG(v, true);
		}
	}
	/* Others have asked for the bytes. */
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 100\n", NULL, 0));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	EXPECT(k, 409, kit_get(k, url));
}

/* ---- fields ---- */

static void malformed_fields_are_not_there(void **state)
{
	(void)state;
	const struct version *v = &versions[5];
	static const char *const lengths[] = {"abc", "-1", "5.0", "\"5\"", "5, 5", "1000000000000000", "?1", "", "5 5", "+5"};
	for (size_t i = 0; i < N(lengths); i++) {
		char line[100];
		snprintf(line, sizeof line, "Upload-Length: %s\n", lengths[i]);
		EXPECT(k, 201, create(v, false, line, NULL, 0));
		IS_AT(v, "0", NULL, false);
	}
	EXPECT(k, 201, create(v, false, "Upload-Length: 5\nUpload-Length: 5\n", NULL, 0));
	IS_AT(v, "0", NULL, false);
	EXPECT(k, 201, create(v, false, "Upload-Length: 5;a=b\n", NULL, 0));
	IS_AT(v, "0", "5", false);
	static const char *const flags[] = {"1", "true", "?2", "", "?1, ?1", "\"?1\""};
	for (size_t i = 0; i < N(flags); i++) {
		char line[200];
		/* Nothing asks for an upload resource then. */
		snprintf(line, sizeof line, "Upload-Complete: %s\n", flags[i]);
		EXPECT(k, 400, ask(v, "POST", "/files/", line, NULL, 0));
		EXPECT(k, 412, kit_raw(k, "POST", "/files/", line, NULL, 0));
		EXPECT(k, 201, kit_raw(k, "PUT", "/upload/x", line, data, 5));
		HEADER(k, "Upload-Complete", NULL);
		create(v, false, "Upload-Length: 10\n", NULL, 0);
		snprintf(line, sizeof line, "Content-Type: application/partial-upload\nUpload-Offset: 0\nUpload-Complete: %s\n", flags[i]);
		EXPECT(k, 204, ask(v, "PATCH", url, line, data, 10));
		FLAG(v, false);
	}
	static const char *const offsets[] = {"", "-1", "x", "1.0", "?1"};
	for (size_t i = 0; i < N(offsets); i++) {
		char line[200];
		snprintf(line, sizeof line, "Content-Type: application/partial-upload\nUpload-Complete: ?0\nUpload-Offset: %s\n", offsets[i]);
		EXPECT(k, 400, ask(v, "PATCH", url, line, data, 10));
	}
}

static void what_http_says_of_it_is_kept(void **state)
{
	(void)state;
	static const struct { const char *headers, *name, *meta; } rows[] = {
		{"Content-Disposition: inline; filename=\"file name.jpg\"; filename*=UTF-8''f%C3%A9.jpg\nContent-Type: image/jpeg\n", "f\xc3\xa9.jpg",
			"filename ZsOpLmpwZw==,filetype aW1hZ2UvanBlZw=="},
		{"Content-Disposition: attachment; filename=x.gz\nContent-Encoding: gzip\n", "x.gz", "filename eC5neg==,contentencoding Z3ppcA=="},
		{"Content-Type: application/partial-upload\n", "upload", NULL},
		{"Upload-Metadata: filename eA==\nContent-Disposition: inline; filename=y\nContent-Type: text/plain; charset=utf-8\n", "x",
			"filename eA==,filetype dGV4dC9wbGFpbjsgY2hhcnNldD11dGYtOA=="},
	};
	EACH(v)
		for (size_t i = 0; i < N(rows); i++) {
			EXPECT(k, 201, create(v, false, rows[i].headers, data, 10));
			EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
			HEADER(k, "Upload-Metadata", rows[i].meta);
			EXPECT(k, 201, append(v, 10, 1, "Content-Encoding: gzip\n", data + 10, 10));
			assert_string_equal(kit_str(k, "filename"), rows[i].name);
			content_is(data, 20);
		}
	EXPECT(k, 400, create(&versions[0], false, "Upload-Metadata: a,\n", NULL, 0));
}

static void content_digests(void **state)
{
	(void)state;
	/* Of "hello", and of nothing. */
	static const char good[] = "Content-Digest: sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:\n";
	static const char none[] = "Content-Digest: sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:\n";
	EACH(v) {
		int parts = kit_parts(k);
		EXPECT(k, 400, create(v, false, none, "hello", 5));
		problem_is("digest-mismatched-values", 400);
		HEADER(k, "Location", NULL);
		const struct json *list = json_get(kit_json(k), "mismatched_digests");
		assert_string_equal(json_str(json_get(json_at(list, 0), "algorithm")), "sha-256");
		assert_string_equal(json_str(json_get(json_at(list, 0), "provided_digest")), ":47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:");
		assert_string_equal(json_str(json_get(json_at(list, 0), "header")), "Content-Digest");
		EXPECT(k, 400, create(v, true, "Content-Digest: sha-512=:YQ==:\n", "hello", 5));
		problem_is("digest-invalid-values", 400);
		assert_int_equal(kit_parts(k), parts);
		EXPECT(k, 201, create(v, false, none, NULL, 0));
		for (int last = 0; last < 2; last++) {
			EXPECT(k, 400, append(v, 0, last, none, "hello", 5));
			problem_is("digest-mismatched-values", 400);
			HEADER(k, "Upload-Offset", "0");
			FLAG(v, false);
			/* Checked bytes count whole or not at all, and so does the length that they tell. */
			k->cut = 3;
			EXPECT(k, 408, append(v, 0, last, good, "hello", 5));
			IS_AT(v, "0", NULL, false);
		}
		EXPECT(k, v->appended, append(v, 0, 0, good, "hello", 5));
		k->chunked = k->unproven = true;
		EXPECT(k, 201, append(v, 5, 1, good, "hello", 5));
		content_is("hellohello", 10);
		EXPECT(k, 201, create(v, true, good, "hello", 5));
		FINAL(v, 5);
		/* What is malformed is not there, and so is what we do not know. */
		EXPECT(k, 201, create(v, true, "Content-Digest: sha-256=abc\n", "hello", 5));
		EXPECT(k, 201, create(v, true, "Content-Digest: unixsum=:YQ==:\n", "hello", 5));
	}
}

static void put_and_post_to_upload(void **state)
{
	(void)state;
	EACH(v) {
		char line[200];
		EXPECT(k, 201, ask(v, "PUT", "/upload/a%20b.bin", flag(v, true), data, 100));
		FINAL(v, 100);
		assert_string_equal(kit_str(k, "filename"), "a b.bin");
		snprintf(line, sizeof line, "%sContent-Disposition: inline; filename=other\n", flag(v, false));
		EXPECT(k, 201, ask(v, "PUT", "/upload/c.bin", line, data, 50));
		FLAG(v, false);
		snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
		EXPECT(k, 201, append(v, 50, 1, NULL, data + 50, 50));
		FINAL(v, 100);
		assert_string_equal(kit_str(k, "filename"), "c.bin");
		EXPECT(k, 201, ask(v, "POST", "/upload", flag(v, false), data, 50));
		FLAG(v, false);
		/* Not a resumable one unless it asks for that. */
		EXPECT(k, 201, ask(v, "PUT", "/upload/plain", NULL, data, 100));
		HEADER(k, v->complete, NULL);
	}
	EXPECT(k, 400, kit_raw(k, "PUT", "/upload/%2f", "Upload-Complete: ?0\n", NULL, 0));
}

/* A form is what it is, if it comes whole. */
static void a_form_is_no_part(void **state)
{
	(void)state;
	struct form_text f;
	form_begin(&f);
	form_add_file(&f, "f", "a.txt", "text/plain", data, 10);
	EXPECT(k, 201, form_send(k, "/upload", "Upload-Complete: ?1\n", &f));
	assert_string_equal(kit_str(k, "filename"), "a.txt");
	HEADER(k, "Upload-Complete", NULL);
	form_begin(&f);
	form_add_file(&f, "f", "a.txt", "text/plain", data, 10);
	EXPECT(k, 415, form_send(k, "/upload", "Upload-Complete: ?0\n", &f));
	problem_is(NULL, 415);
}

static void options_tell(void **state)
{
	(void)state;
	static const char *const targets[] = {"/files/", "/upload", "/upload/name"};
	EACH(v)
		for (size_t i = 0; i < N(targets); i++) {
			EXPECT(k, 204, ask(v, "OPTIONS", targets[i], NULL, NULL, 0));
			limit_is(v, true);
			HEADER(k, "Accept-Patch", "application/partial-upload");
			HEADER(k, "Upload-Draft-Interim-Responses", "?0");
		}
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/recordings/", NULL, NULL, 0));
	HEADER(k, "Upload-Limit", NULL);
	EXPECT(k, 200, kit_get(k, "/api/config"));
	const struct json *list = json_get(kit_json(k), "ietf_draft");
	assert_int_equal(json_len(list), 6);
}

/* ---- who speaks what ---- */

static void tus_stays_tus(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 100\n", NULL, 0));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	HEADER(k, "Upload-Complete", NULL);
	EXPECT(k, 412, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 412, kit_raw(k, "PATCH", url, OCTETS "Upload-Offset: 0\n", data, 10));
	EXPECT(k, 412, kit_raw(k, "PATCH", url, "Upload-Offset: 0\n", data, 10));
	EXPECT(k, 412, kit_raw(k, "POST", "/files/", "Upload-Length: 100\n", NULL, 0));
	EXPECT(k, 200, kit_raw(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Complete", NULL);
	/* tus by its word, whatever else is there. */
	EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 0\nUpload-Complete: ?1\nUpload-Draft-Interop-Version: 8\n", data, 10));
	HEADER(k, "Upload-Draft-Interop-Version", NULL);
	EXPECT(k, 412, kit_raw(k, "HEAD", url, "Tus-Resumable: 0.2\n", NULL, 0));
	/* But this type is nobody else's. */
	EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 10\nContent-Type: application/partial-upload\n", data + 10, 10));
	HEADER(k, "Upload-Complete", "?0");
	/* Chunks of a session are tus's alone. */
	EXPECT(k, 412, kit_raw(k, "POST", "/files/sid1/chunks/", "Upload-Complete: ?0\nUpload-Draft-Interop-Version: 8\n", NULL, 0));
}

static void parts_are_tus_alone(void **state)
{
	(void)state;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 10\nUpload-Concat: partial\n", NULL, 0));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	for (const struct version *v = versions; v->n; v++) {
		EXPECT(k, 403, ask(v, "HEAD", url, NULL, NULL, 0));
		EXPECT(k, 403, append(v, 0, 1, NULL, data, 10));
		EXPECT(k, 409, ask(v, "GET", url, NULL, NULL, 0));
	}
	EXPECT(k, 204, ask(versions, "DELETE", url, NULL, NULL, 0));
}

static void an_upload_of_the_draft_is_its_own(void **state)
{
	(void)state;
	const struct version *v = &versions[6];
	create(v, false, "Upload-Length: 100\n", data, 50);
	EXPECT(k, 204, kit_raw(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Complete", "?0");
	EXPECT(k, 415, kit_raw(k, "PATCH", url, "Upload-Offset: 50\n", data, 10));
	EXPECT(k, 412, kit_raw(k, "PATCH", url, OCTETS "Upload-Offset: 50\n", data, 10));
	EXPECT(k, 204, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	/* The only version with this field. */
	EXPECT(k, 201, kit_raw(k, "POST", "/files/", "Upload-Incomplete: ?1\n", NULL, 0));
	HEADER(k, "Upload-Incomplete", "?1");
	HEADER(k, "Upload-Draft-Interop-Version", NULL);
}

static void begun_by_tus_ended_by_the_draft(void **state)
{
	(void)state;
	EACH(v) {
		EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 100\n", data, 30));
		snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
		if (v->n)
			IS_AT(v, "30", "100", false);
		EXPECT(k, v->appended, append(v, 30, 0, NULL, data + 30, 70));
		/* From now on it is complete when the draft says so. */
		clock_shift(900);
		kit_reap(k);
		IS_AT(v, "100", "100", false);
		clock_shift(0);
		EXPECT(k, 201, append(v, 100, 1, NULL, NULL, 0));
		FINAL(v, 100);
		content_is(data, 100);
	}
}

static void begun_by_the_draft_ended_by_tus(void **state)
{
	(void)state;
	EACH(v) {
		create(v, false, "Upload-Length: 100\n", data, 30);
		EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 30\n", data + 30, 70));
		IS_AT(v, "100", "100", true);
		content_is(data, 100);
		/* tus takes all bytes for the end, and sends no more. */
		create(v, false, "Upload-Length: 100\n", data, 100);
		EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
		IS_AT(v, "100", "100", true);
		content_is(data, 100);
	}
}

/* An append that stands still behind its 60th byte, in a thread. */
struct writer {
	struct kit *k;
	struct gate gate;
	pthread_t thread;
	const struct version *v;
	char at[200];
};

static void *write_slowly(void *arg)
{
	struct writer *w = arg;
	char all[300];
	snprintf(all, sizeof all, "Upload-Draft-Interop-Version: %d\nContent-Type: application/partial-upload\nUpload-Offset: 0\n%s", w->v->n, flag(w->v, true));
	w->k->gate = &w->gate;
	w->k->cut = 60;
	kit_raw(w->k, "PATCH", w->at, all, data, 100);
	return NULL;
}

static int displaced_by(const struct version *v, const char *method)
{
	struct writer w = {.k = kit_client(k), .v = v};
	create(v, false, NULL, NULL, 0);
	snprintf(w.at, sizeof w.at, "%s", url);
	gate_init(&w.gate);
	assert_int_equal(pthread_create(&w.thread, NULL, write_slowly, &w), 0);
	gate_reached(&w.gate);
	EXPECT(k, 204, ask(v, method, w.at, NULL, NULL, 0));
	pthread_join(w.thread, NULL);
	int status = w.k->status;
	kit_done(w.k);
	return status;
}

/* Who tells an offset that a living writer will move answers what is true no more. tus clients do not wait for better. */
static void a_writer_who_stays_is_waited_for(void **state)
{
	(void)state;
	struct house *h = kit_house(k);
	struct hold *hold;
	struct upload u;
	create(&versions[5], false, NULL, data, 10);
	assert_int_equal(upload_find(h, k->a, strrchr(url, '/') + 1, &u), ERR_OK);
	assert_int_equal(hold_take(h->holds, HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	EXPECT(k, 423, ask(&versions[5], "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Retry-After", "1");
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	hold_drop(hold);
	IS_AT(&versions[5], "10", NULL, false);
}

/* Level normal: tus's offset inside an unfinished upload may be taken back by a power cut, the draft's never. */
static void offsets_are_durable(void **state)
{
	(void)state;
	for (const struct version *v = versions; v->n; v++) {
		create(v, false, "Upload-Length: 100\n", NULL, 0);
		durable = 0;
		EXPECT(k, v->appended, append(v, 0, 0, NULL, data, 10));
		assert_int_equal(durable, 1);
		EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 10\n", data + 10, 10));
		assert_int_equal(durable, 2);
		IS_AT(v, "20", "100", false);
		assert_int_equal(durable, 2);

		EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 100\n", NULL, 0));
		snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
		durable = 0;
		EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 0\n", data, 10));
		EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
		assert_int_equal(durable, 0);
		IS_AT(v, "10", "100", false);
		assert_int_equal(durable, 1);
		EXPECT(k, 409, append(v, 0, 0, NULL, data, 10));
		assert_int_equal(durable, 2);
		EXPECT(k, v->appended, append(v, 10, 0, NULL, NULL, 0));
		assert_int_equal(durable, 3);
		EXPECT(k, v->appended, append(v, 10, 0, NULL, data + 10, 10));
		/* From here on it is the draft's, whoever appends. */
		durable = 0;
		EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 20\n", data + 20, 10));
		assert_int_equal(durable, 1);
	}
}

static void a_newcomer_takes_over(void **state)
{
	(void)state;
	for (const struct version *v = versions; v->n; v++) {
		assert_int_equal(displaced_by(v, "HEAD"), 409);
		HEADER(k, "Upload-Offset", "60");
		HEADER(k, "Upload-Length", "100");
		FLAG(v, false);
		EXPECT(k, 201, append(v, 60, 1, NULL, data + 60, 40));
		content_is(data, 100);
		assert_true(displaced_by(v, "DELETE") >= 400);
		EXPECT(k, v->gone, ask(v, "HEAD", url, NULL, NULL, 0));
	}
}

static void switched_off(void **state)
{
	(void)state;
	const struct version *v = &versions[5];
	create(v, false, "Upload-Length: 100\n", data, 30);
	kit_restart(k, (const char *const[]){SETTINGS, "IETF_DRAFT=false", NULL});
	EXPECT(k, 412, ask(v, "POST", "/files/", "Upload-Complete: ?0\n", NULL, 0));
	HEADER(k, "Upload-Draft-Interop-Version", NULL);
	EXPECT(k, 412, append(v, 30, 0, NULL, data, 1));
	EXPECT(k, 412, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 409, kit_get(k, url));
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0));
	HEADER(k, "Upload-Limit", NULL);
	HEADER(k, "Accept-Patch", NULL);
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/x", "Upload-Complete: ?0\n", data, 5));
	HEADER(k, "Upload-Complete", NULL);
	EXPECT(k, 200, kit_get(k, "/api/config"));
	assert_null(json_get(kit_json(k), "ietf_draft"));
	/* tus goes on with it. */
	EXPECT(k, 204, kit_tus(k, "PATCH", url, "Upload-Offset: 30\n", data + 30, 70));
	kit_restart(k, (const char *const[]){SETTINGS, NULL});
	IS_AT(v, "100", "100", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(created_without_a_byte),
		cmocka_unit_test(created_with_a_part),
		cmocka_unit_test(created_whole),
		cmocka_unit_test(a_cut_creation_is_kept),
		cmocka_unit_test(lengths_must_agree),
		cmocka_unit_test(the_last_body_tells_the_length),
		cmocka_unit_test(appended_and_completed),
		cmocka_unit_test(all_bytes_are_not_the_end),
		cmocka_unit_test(an_unproven_end_is_none),
		cmocka_unit_test(what_is_not_said),
		cmocka_unit_test(another_offset),
		cmocka_unit_test(the_type_of_an_append),
		cmocka_unit_test(past_the_length),
		cmocka_unit_test(past_our_limits),
		cmocka_unit_test(complete_is_complete),
		cmocka_unit_test(a_cut_append_is_kept),
		cmocka_unit_test(queries_are_pure),
		cmocka_unit_test(deleted),
		cmocka_unit_test(get_asks_or_loads),
		cmocka_unit_test(malformed_fields_are_not_there),
		cmocka_unit_test(what_http_says_of_it_is_kept),
		cmocka_unit_test(content_digests),
		cmocka_unit_test(put_and_post_to_upload),
		cmocka_unit_test(a_form_is_no_part),
		cmocka_unit_test(options_tell),
		cmocka_unit_test(tus_stays_tus),
		cmocka_unit_test(parts_are_tus_alone),
		cmocka_unit_test(an_upload_of_the_draft_is_its_own),
		cmocka_unit_test(begun_by_tus_ended_by_the_draft),
		cmocka_unit_test(begun_by_the_draft_ended_by_tus),
		cmocka_unit_test(a_writer_who_stays_is_waited_for),
		cmocka_unit_test(offsets_are_durable),
		cmocka_unit_test(a_newcomer_takes_over),
		cmocka_unit_test(switched_off),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
