/* test_multipart_http.c - the recorder's form however the network cuts it: split everywhere, byte by byte, broken off everywhere, with bytes that look like its borders. */
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

/* Bytes that a parser could take for the end of the file. */
static const char tricky[] = "\r\n--" FORM_BOUNDARY "x\r\n-\r\n--\r\r\n\r\n--" "----kit7MA4YWx" "\r\n--\r\n\0\xff--" FORM_BOUNDARY "--\r\n\n--" FORM_BOUNDARY "\r\r\n";
#define TRICKY (sizeof tricky - 1)

static struct form_text form_of(const char *sid, int64_t idx, const void *p, size_t n, bool file_first)
{
	struct form_text f;
	form_begin(&f);
	if (file_first)
		form_add_file(&f, "file", "blob", "audio/webm;codecs=opus", p, n);
	form_add(&f, "session_id", sid);
	form_add_int(&f, "chunk_index", idx);
	if (!file_first)
		form_add_file(&f, "file", "blob", NULL, p, n);
	return f;
}

static void received(const char *sid, int64_t idx, size_t size)
{
	char url[100];
	EXPECT(k, 200, k->status);
	assert_string_equal(kit_str(k, "status"), "chunk_received");
	assert_int_equal(kit_int(k, "chunk_index"), idx);
	assert_int_equal(kit_int(k, "size"), size);
	snprintf(url, sizeof url, "/api/verify/%s/%lld", sid, (long long)idx);
	EXPECT(k, 200, kit_get(k, url));
	assert_true(kit_bool(k, "exists"));
	assert_int_equal(kit_int(k, "size"), size);
}

/* The finished file is n times these bytes. */
static void is_repeated(const char *sid, const void *p, size_t size, size_t n)
{
	char url[100];
	EXPECT(k, 200, kit_complete(k, sid, "all.webm", NULL));
	snprintf(url, sizeof url, "/recordings/%s/all.webm", sid);
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, size * n);
	for (size_t i = 0; i < n; i++)
		assert_memory_equal(k->body + i * size, p, size);
}

static void split_everywhere(void **state)
{
	(void)state;
	for (int file_first = 0; file_first < 2; file_first++) {
		size_t length = 1000, n = 0;
		const char *sid = file_first ? "split-file-first" : "split-fields-first";
		for (; n == 0 || n < length; n++) {
			struct form_text f = form_of(sid, (int64_t)n, tricky, TRICKY, file_first);
			length = f.b.n + strlen("--" FORM_BOUNDARY "--\r\n");
			k->split = n;
			form_send(k, "/upload/chunk", NULL, &f);
			received(sid, (int64_t)n, TRICKY);
		}
		is_repeated(sid, tricky, TRICKY, n);
	}
}

static void in_pieces(void **state)
{
	(void)state;
	static const size_t pieces[] = {1, 2, 3, 5, 7, 17, 64, 200};
	for (size_t i = 0; i < 8; i++) {
		struct form_text f = form_of("pieces", (int64_t)i, tricky, TRICKY, i % 2);
		k->piece = pieces[i];
		k->chunked = i % 3 == 0;
		form_send(k, "/upload/chunk", NULL, &f);
		received("pieces", (int64_t)i, TRICKY);
	}
	is_repeated("pieces", tricky, TRICKY, 8);
}

static void long_in_pieces(void **state)
{
	(void)state;
	size_t n = 100 * TRICKY * 10;
	char *big = test_malloc(n);
	for (size_t i = 0; i < n; i++)
		big[i] = tricky[i % TRICKY];
	for (int i = 0; i < 4; i++) {
		struct form_text f = form_of("long", i, big, n, i % 2);
		k->piece = (size_t[]){1021, 4093, 8191, 65537}[i];
		form_send(k, "/upload/chunk", NULL, &f);
		received("long", i, n);
	}
	is_repeated("long", big, n, 4);
	test_free(big);
}

/* A form that breaks off leaves nothing, and never makes the recorder delete its chunk (400, 413, 422). */
static void cut_everywhere(void **state)
{
	(void)state;
	for (int file_first = 0; file_first < 2; file_first++) {
		size_t closing = 0;
		for (size_t cut = 0; closing == 0 || cut < closing; cut++) {
			struct form_text f = form_of("cut", 0, tricky, TRICKY, file_first);
			closing = f.b.n + strlen("--" FORM_BOUNDARY "--");
			k->cut = (int64_t)cut;
			k->chunked = cut % 2;
			EXPECT(k, 408, form_send(k, "/upload/chunk", NULL, &f));
		}
	}
	EXPECT(k, 200, kit_get(k, "/api/verify/cut/0"));
	assert_false(kit_bool(k, "exists"));
	/* The closing boundary proves the end, even without the line feed behind it or an announced length. */
	struct form_text f = form_of("cut", 0, tricky, TRICKY, false);
	k->cut = (int64_t)(f.b.n + strlen("--" FORM_BOUNDARY "--"));
	k->chunked = true;
	form_send(k, "/upload/chunk", NULL, &f);
	received("cut", 0, TRICKY);
}

/* A long one, cut now and then: its slot or spool file goes, too. */
static void long_cut(void **state)
{
	(void)state;
	size_t n = 200000;
	unsigned char *p = kit_bytes(k, n, 7);
	int parts = kit_parts(k);
	for (size_t cut = 1000; cut < n; cut += 9973) {
		struct form_text f = form_of("longcut", (int64_t)(cut % 2), p, n, cut % 3 == 0);
		k->cut = (int64_t)cut;
		k->piece = 3001;
		EXPECT(k, 408, form_send(k, "/upload/chunk", NULL, &f));
	}
	EXPECT(k, 200, kit_chunk(k, "longcut", 0, 0, p, n, false));
	is_repeated("longcut", p, n, 1);
	/* The part file of the session became the finished file. */
	assert_int_equal(kit_parts(k), parts);
	test_free(p);
}

static void not_a_form(void **state)
{
	(void)state;
	static const struct { const char *type, *body; int status; } rows[] = {
		{"Content-Type: text/plain\n", "hello", 422},
		{"", "hello", 422},
		{"Content-Type: multipart/form-data\n", "hello", 422},
		{"Content-Type: application/x-www-form-urlencoded\n", "session_id=s&chunk_index=0", 422},
		{FORM_TYPE, "--" FORM_BOUNDARY "--\r\n", 422},
		{FORM_TYPE, "no boundary at all", 408},
		{FORM_TYPE, "--" FORM_BOUNDARY "\r\nbroken\r\n\r\nx\r\n--" FORM_BOUNDARY "--\r\n", 400},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		kit_raw(k, "POST", "/upload/chunk", rows[i].type, rows[i].body, strlen(rows[i].body));
		if (k->status != rows[i].status)
			print_error("body '%s'\n", rows[i].body);
		EXPECT(k, rows[i].status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(split_everywhere), cmocka_unit_test(in_pieces), cmocka_unit_test(long_in_pieces), cmocka_unit_test(cut_everywhere),
		cmocka_unit_test(long_cut), cmocka_unit_test(not_a_form),
	};
	return cmocka_run_group_tests_name("multipart over http", tests, begin, end);
}
