/* test_plain.c - uploads without a protocol: forms with files, raw bodies, and pieces whose count is told first. */
#include "kit.h"

static struct kit *k;

static int begin(void **state)
{
	(void)state;
	k = KIT("MAX_FILE_SIZE=100000", "MAX_UPLOAD_SIZE=150000");
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

static int64_t recordings(void)
{
	struct store_stats s;
	assert_int_equal(store_stats(kit_house(k)->db, &s), ERR_OK);
	assert_int_equal(s.active_uploads, 0);
	return s.recordings;
}

static void url_gives(const char *key, const void *p, size_t n)
{
	char url[400];
	snprintf(url, sizeof url, "%s", kit_str(k, key));
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

/* ---- POST /upload ---- */

static void one_file(void **state)
{
	(void)state;
	static const char *const doors[] = {"/upload", "/upload/", "/api/v1/uploads", "/api/v1/uploads/multiple"};
	for (int i = 0; i < 4; i++) {
		struct form_text f;
		form_begin(&f);
		form_add(&f, "note", "anything");
		form_add_file(&f, "file", "My file.txt", "text/plain", "hello", 5);
		EXPECT(k, 201, form_send(k, doors[i], NULL, &f));
		assert_string_equal(kit_str(k, "status"), "success");
		assert_string_equal(kit_str(k, "filename"), "My file.txt");
		assert_int_equal(kit_int(k, "size"), 5);
		assert_true(text_starts(kit_h(k, "Location"), "/files/_"));
		assert_true(text_starts(kit_str(k, "url"), "/recordings/_"));
		assert_int_equal(json_len(json_get(kit_json(k), "files")), 1);
		url_gives("url", "hello", 5);
		assert_non_null(strstr(kit_h(k, "Content-Disposition"), "My file.txt"));
	}
}

static void many_files(void **state)
{
	(void)state;
	struct form_text f;
	char text[24], url[400];
	form_begin(&f);
	for (int i = 0; i < 20; i++) {
		snprintf(text, sizeof text, "file %d", i);
		form_add_file(&f, i % 2 ? "files" : "more", "same.txt", NULL, text, strlen(text));
	}
	k->piece = 13;
	EXPECT(k, 201, form_send(k, "/upload", NULL, &f));
	const struct json *list = json_get(kit_json(k), "files");
	assert_int_equal(json_len(list), 20);
	snprintf(url, sizeof url, "%s", json_str(json_get(json_at(list, 7), "url")));
	EXPECT(k, 200, kit_get(k, url));
	assert_string_equal(k->body, "file 7");
}

/* All or nothing. */
/* A hundred names that grow sixfold in JSON are more than a request may remember: it is refused, and nothing of it stays. */
static void names_beyond_memory(void **state)
{
	(void)state;
	int64_t before = recordings();
	struct form_text f;
	char name[1001];
	memset(name, 1, sizeof name - 1);
	name[sizeof name - 1] = '\0';
	form_begin(&f);
	for (int i = 0; i < 100; i++)
		form_add_file(&f, "f", name, NULL, "x", 1);
	EXPECT(k, 503, form_send(k, "/upload", NULL, &f));
	assert_int_equal(recordings(), before);
	assert_int_equal(kit_parts(k), 0);
}

static void cut_form(void **state)
{
	(void)state;
	int64_t before = recordings();
	int parts = kit_parts(k);
	for (int64_t cut = 100; cut < 900; cut += 37) {
		struct form_text f;
		form_begin(&f);
		for (int i = 0; i < 5; i++)
			form_add_file(&f, "file", "a.txt", NULL, "0123456789012345678901234567890123456789", 40);
		k->cut = cut;
		if (cut < (int64_t)f.b.n)
			EXPECT(k, 408, form_send(k, "/upload", NULL, &f));
		else
			buf_free(&f.b), k->cut = -1;
	}
	assert_int_equal(recordings(), before);
	assert_int_equal(kit_parts(k), parts);
}

static void wrong_forms(void **state)
{
	(void)state;
	struct form_text f;
	unsigned char *p = kit_bytes(k, 150001, 3);
	int64_t before = recordings();
	EXPECT(k, 415, kit_raw(k, "POST", "/upload", "Content-Type: text/plain\n", "hello", 5));
	EXPECT(k, 415, kit_raw(k, "POST", "/upload", NULL, "hello", 5));
	form_begin(&f);
	form_add(&f, "a", "b");
	EXPECT(k, 422, form_send(k, "/upload", NULL, &f));
	form_begin(&f);
	form_add_file(&f, "file", "ok.txt", NULL, "fine", 4);
	form_add_file(&f, "file", "big.bin", NULL, p, 100001);
	EXPECT(k, 413, form_send(k, "/upload", NULL, &f));
	/* The sum of one request. */
	form_begin(&f);
	form_add_file(&f, "file", "a.bin", NULL, p, 90000);
	form_add_file(&f, "file", "b.bin", NULL, p, 90000);
	EXPECT(k, 413, form_send(k, "/upload", NULL, &f));
	form_begin(&f);
	form_add_file(&f, "file", "a.bin", NULL, p, 90000);
	form_add_file(&f, "file", "b.bin", NULL, p, 90000);
	k->chunked = true;
	EXPECT(k, 413, form_send(k, "/upload", NULL, &f));
	assert_int_equal(recordings(), before);
	assert_int_equal(kit_parts(k), 0);
	test_free(p);
}

static void hostile_names(void **state)
{
	(void)state;
	static const char *const names[] = {"../../etc/passwd", "..", ".", "", "a/b/c", "C:\\\\x", ".htaccess", "x.html", "con\xff", "a.meta.json"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct form_text f;
		form_begin(&f);
		form_add_file(&f, "file", names[i], "text/html", "x", 1);
		EXPECT(k, 201, form_send(k, "/upload", NULL, &f));
		url_gives("url", "x", 1);
		assert_null(strstr(kit_h(k, "Content-Type"), "html"));
		assert_true(text_starts(kit_h(k, "Content-Disposition"), "attachment"));
		HEADER(k, "X-Content-Type-Options", "nosniff");
	}
}

/* ---- PUT /upload/{name} ---- */

static void raw_body(void **state)
{
	(void)state;
	unsigned char *p = kit_bytes(k, 100001, 5);
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/my%20take.webm", "Content-Type: audio/webm\n", p, 5000));
	assert_string_equal(kit_str(k, "filename"), "my take.webm");
	url_gives("url", p, 5000);
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/empty", NULL, NULL, 0));
	url_gives("file_url", "", 0);
	k->chunked = true;
	k->piece = 777;
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/a.bin", NULL, p, 70000));
	assert_int_equal(kit_int(k, "size"), 70000);
	url_gives("url", p, 70000);
	int64_t before = recordings();
	/* Without a proof of its end nobody knows whether it is whole. */
	k->chunked = k->unproven = true;
	EXPECT(k, 408, kit_raw(k, "PUT", "/upload/a.bin", NULL, p, 7000));
	k->cut = 500;
	EXPECT(k, 408, kit_raw(k, "PUT", "/upload/a.bin", NULL, p, 7000));
	EXPECT(k, 413, kit_raw(k, "PUT", "/upload/a.bin", NULL, p, 100001));
	k->chunked = true;
	EXPECT(k, 413, kit_raw(k, "PUT", "/upload/a.bin", NULL, p, 100001));
	EXPECT(k, 400, kit_raw(k, "PUT", "/upload/a%2Fb", NULL, p, 1));
	EXPECT(k, 400, kit_raw(k, "PUT", "/upload/%00", NULL, p, 1));
	EXPECT(k, 400, kit_raw(k, "PUT", "/upload/%ff", NULL, p, 1));
	EXPECT(k, 404, kit_raw(k, "PUT", "/upload/a/b", NULL, p, 1));
	assert_int_equal(recordings(), before);
	assert_int_equal(kit_parts(k), 0);
	test_free(p);
}

/* A whole upload is a tus upload, too. */
static void also_by_tus(void **state)
{
	(void)state;
	char at[200];
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/x.txt", NULL, "abc", 3));
	snprintf(at, sizeof at, "%s", kit_str(k, "file_url"));
	EXPECT(k, 200, kit_tus(k, "HEAD", at, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", "3");
	HEADER(k, "Upload-Length", "3");
	EXPECT(k, 204, kit_tus(k, "DELETE", at, NULL, NULL, 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", at, NULL, NULL, 0));
}

/* ---- /chunked-upload ---- */

static int post_json(const char *target, const char *text)
{
	return kit_raw(k, "POST", target, "Content-Type: application/json\n", text, strlen(text));
}

static int send_piece(const char *id, int idx, const char *field, const char *text)
{
	struct form_text f;
	form_begin(&f);
	form_add(&f, "upload_id", id);
	form_add_int(&f, "chunk_index", idx);
	form_add_file(&f, field, "blob", NULL, text, strlen(text));
	return form_send(k, "/chunked-upload/chunk", NULL, &f);
}

static void pieces(void **state)
{
	(void)state;
	char id[100], body[200], url[200];
	EXPECT(k, 201, post_json("/chunked-upload/init", "{\"filename\":\"a b.bin\",\"total_size\":11,\"chunk_size\":4}"));
	assert_string_equal(kit_str(k, "status"), "initialized");
	assert_int_equal(kit_int(k, "total_chunks"), 3);
	snprintf(id, sizeof id, "%s", kit_str(k, "upload_id"));
	snprintf(body, sizeof body, "{\"upload_id\":\"%s\"}", id);
	EXPECT(k, 409, post_json("/chunked-upload/complete", body));
	assert_non_null(strstr(k->body, "\"missing_chunks\":[0,1,2]"));
	EXPECT(k, 200, send_piece(id, 2, "file", "ijk"));
	EXPECT(k, 200, send_piece(id, 0, "chunk", "abcd"));
	assert_int_equal(kit_int(k, "received_chunks"), 2);
	snprintf(url, sizeof url, "/chunked-upload/status/%s", id);
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(kit_int(k, "received_chunks"), 2);
	assert_int_equal(kit_int(k, "bytes_received"), 7);
	EXPECT(k, 422, send_piece(id, 3, "file", "x"));
	EXPECT(k, 422, send_piece(id, 1, "other", "x"));
	EXPECT(k, 404, send_piece("up-unknown", 0, "file", "x"));
	EXPECT(k, 200, send_piece(id, 1, "file", "efgh"));
	EXPECT(k, 200, send_piece(id, 1, "file", "efgh"));
	assert_string_equal(kit_str(k, "status"), "chunk_already_exists");
	EXPECT(k, 200, post_json("/chunked-upload/complete", body));
	assert_string_equal(kit_str(k, "status"), "complete");
	assert_string_equal(kit_str(k, "filename"), "a b.bin");
	url_gives("url", "abcdefghijk", 11);
	EXPECT(k, 200, post_json("/chunked-upload/complete", body));
	EXPECT(k, 200, kit_get(k, url));
	assert_string_equal(kit_str(k, "status"), "complete");
}

static void wrong_inits(void **state)
{
	(void)state;
	static const struct { const char *text; int status; } rows[] = {
		{"{}", 422}, {"{\"filename\":\"a\"}", 422}, {"{\"filename\":\"a\",\"total_chunks\":2}", 201}, {"{\"filename\":\"a\",\"total_chunks\":0}", 422},
		{"{\"filename\":\"a\",\"total_chunks\":-1}", 422}, {"{\"filename\":\"a\",\"total_size\":10,\"chunk_size\":4,\"total_chunks\":9}", 422},
		{"{\"filename\":\"a\",\"total_size\":0,\"chunk_size\":4}", 201}, {"{\"filename\":\"a\",\"total_chunks\":1000001}", 422},
		{"{\"filename\":\"a\",\"total_chunks\":1,\"total_size\":99999999999999}", 413}, {"[1]", 422}, {"{", 400},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		post_json("/chunked-upload/init", rows[i].text);
		if (k->status != rows[i].status)
			print_error("init %s\n", rows[i].text);
		EXPECT(k, rows[i].status, 0);
	}
	EXPECT(k, 404, kit_get(k, "/chunked-upload/status/none"));
	EXPECT(k, 422, post_json("/chunked-upload/complete", "{}"));
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_file), T(many_files), T(names_beyond_memory), T(cut_form), T(wrong_forms), T(hostile_names), T(raw_body), T(also_by_tus), T(pieces), T(wrong_inits),
	};
	return cmocka_run_group_tests_name("plain uploads", tests, begin, end);
}
