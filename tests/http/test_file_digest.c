/*
 * test_file_digest.c - digests of whole files: FILE_DIGEST, Repr-Digest and Want-Repr-Digest (RFC 9530), and what an upload's creator said the whole must have.
 */
#include "kit.h"

#include "base/b64.h"
#include "base/digest.h"
#include "blob/blob.h"

#define LARGE (3 << 20)     /* its digest is made after the answer */

static struct kit *k;
static unsigned char *data;
static char url[200];

static int begin(void **state)
{
	(void)state;
	k = KIT("FILE_DIGEST=sha256", "LOCK_WAIT_MS=100", "MAX_CHUNK_SIZE=4194304");
	data = malloc(LARGE);
	assert_non_null(data);
	kit_fill(data, LARGE, 3);
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(data);
	kit_done(k);
	return 0;
}

/* ---- short forms ---- */

static const char *hex_of(const void *p, size_t n)
{
	static char hex[2 * DIGEST_SHA256_LEN + 1];
	unsigned char value[DIGEST_SHA256_LEN];
	digest_sha256(p, n, value);
	text_hex(value, sizeof value, hex);
	return hex;
}

static const char *field_of(const void *p, size_t n)
{
	static char text[100];
	unsigned char value[DIGEST_SHA256_LEN];
	char base64[B64_ENCODED(DIGEST_SHA256_LEN)];
	digest_sha256(p, n, value);
	b64_encode(value, sizeof value, base64);
	snprintf(text, sizeof text, "sha-256=:%s:", base64);
	return text;
}

/* A whole upload of these bytes, finished. */
static const char *uploaded(const void *p, size_t n)
{
	char headers[100];
	snprintf(headers, sizeof headers, "Upload-Length: %zu\nUpload-Metadata: filename YS5iaW4=\n", n);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", headers, p, n));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	return url;
}

/* The id that the last answer told. */
static const char *located(void)
{
	snprintf(url, sizeof url, "%s", strstr(kit_h(k, "Location"), "/files/"));
	return url + strlen("/files/");
}

static struct recording row_of(const char *sid, const char *disk)
{
	struct recording r;
	arena_reset(k->a);
	assert_int_equal(store_recording_get(kit_house(k)->db, k->a, sid, disk, &r), ERR_OK);
	return r;
}

/* The row, the note and the answers say the digest of these bytes. */
static void is_digested(const char *sid, const char *disk, const void *p, size_t n)
{
	char at[300], note[320];
	snprintf(at, sizeof at, "/recordings/%s/%s", sid, disk);
	snprintf(note, sizeof note, "%s.meta.json", at);
	const char *have = row_of(sid, disk).sha256;
	assert_non_null(have);
	assert_string_equal(have, hex_of(p, n));
	EXPECT(k, 200, kit_get(k, note));
	assert_string_equal(kit_str(k, "sha256"), hex_of(p, n));
	assert_int_equal(kit_int(k, "file_size_bytes"), n);
	EXPECT(k, 200, kit_get(k, at));
	assert_int_equal(k->len, n);
	HEADER(k, "Repr-Digest", field_of(p, n));
}

/* ---- finished files ---- */

static void of_whole_uploads(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 1000, LARGE};
	for (size_t i = 0; i < 4; i++) {
		uploaded(data, sizes[i]);
		/* That of an empty file is the reaper's if it is not the creation's. */
		kit_reap(k);
		is_digested(url + strlen("/files/"), "a.bin", data, sizes[i]);
		EXPECT(k, 200, kit_get(k, url));
		HEADER(k, "Repr-Digest", field_of(data, sizes[i]));
	}
	EXPECT(k, 200, kit_get(k, "/recordings/"));
	const struct json *first = json_at(json_get(kit_json(k), "recordings"), 0);
	assert_string_equal(json_str(json_get(first, "sha256")), hex_of(data, LARGE));
}

/* Right after the answer, without the reaper. */
static void after_the_answer(void **state)
{
	(void)state;
	struct form_text f;
	uploaded(data, LARGE);
	is_digested(url + strlen("/files/"), "a.bin", data, LARGE);
	uploaded(data, 10);
	is_digested(url + strlen("/files/"), "a.bin", data, 10);
	EXPECT(k, 201, kit_raw(k, "PUT", "/upload/b.bin", NULL, data, LARGE));
	is_digested(located(), "b.bin", data, LARGE);
	for (int large = 0; large < 2; large++) {
		size_t n = large ? LARGE : 100;
		form_begin(&f);
		form_add_file(&f, "file", "c.bin", NULL, data, n);
		EXPECT(k, 201, form_send(k, "/upload", NULL, &f));
		is_digested(located(), "c.bin", data, n);
	}
}

static void in_the_answers(void **state)
{
	(void)state;
	static const struct { const char *method, *headers; int status; bool told; } rows[] = {
		{"GET", "", 200, true}, {"HEAD", "", 200, true}, {"GET", "Range: bytes=10-19\n", 206, true}, {"GET", "Range: bytes=5000-\n", 416, false},
		{"GET", "If-None-Match: *\n", 304, true}, {"GET", "If-Match: \"x\"\n", 412, false},
		{"GET", "Want-Repr-Digest: sha-256=10\n", 200, true}, {"GET", "Want-Repr-Digest: sha-256=0\n", 200, false},
		{"GET", "Want-Repr-Digest: sha-512=10, sha-256=0\n", 200, false}, {"GET", "Want-Repr-Digest: sha-512=10\n", 200, true},
		{"GET", "Want-Repr-Digest: sha-256=0, \"\n", 200, true}, {"HEAD", "Want-Repr-Digest: sha-256=0\n", 200, false},
		{"GET", "Want-Repr-Digest: sha-256=0\nRange: bytes=10-19\n", 206, false},
	};
	char at[300];
	uploaded(data, 1000);
	snprintf(at, sizeof at, "/recordings/%s/a.bin", url + strlen("/files/"));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		EXPECT(k, rows[i].status, kit_raw(k, rows[i].method, at, rows[i].headers, NULL, 0));
		HEADER(k, "Repr-Digest", rows[i].told ? field_of(data, 1000) : NULL);
	}
}

static void by_the_web_server(void **state)
{
	(void)state;
	struct kit *was = k;
	k = KIT("FILE_DIGEST=sha256", "SENDFILE=x-accel-redirect");
	uploaded(data, 1000);
	EXPECT(k, 200, kit_get(k, url));
	assert_non_null(kit_h(k, "X-Accel-Redirect"));
	HEADER(k, "Repr-Digest", field_of(data, 1000));
	kit_done(k);
	k = was;
}

/* ---- sessions ---- */

static void of_sessions(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		EXPECT(k, 200, kit_chunk(k, "s1", i, 0, data + i * 1000, 1000, false));
	EXPECT(k, 200, kit_complete(k, "s1", "one.webm", "{\"n\":1.50,\"t\":\"x\"}"));
	is_digested("s1", "one.webm", data, 3000);
	EXPECT(k, 200, kit_get(k, "/recordings/s1/one.webm.meta.json"));
	assert_int_equal(kit_int(k, "total_chunks"), 3);
	assert_non_null(strstr(k->body, "\"client_metadata\":{\"n\":1.50,\"t\":\"x\"}"));
	/* It keeps its digest under another name. */
	EXPECT(k, 200, kit_complete(k, "s1", "two.webm", NULL));
	is_digested("s1", "two.webm", data, 3000);
	EXPECT(k, 200, kit_get(k, "/recordings/s1/two.webm.meta.json"));
	assert_int_equal(kit_int(k, "total_chunks"), 3);
	/* Finished anew it is another file. */
	EXPECT(k, 200, kit_chunk(k, "s1", 3, 0, data + 3000, 500, false));
	EXPECT(k, 200, kit_complete(k, "s1", "two.webm", NULL));
	is_digested("s1", "two.webm", data, 3500);
	/* The last chunk of a known total, and one that has to be joined. */
	EXPECT(k, 200, kit_chunk(k, "s2", 1, 2, data + 1000, 700000, false));
	EXPECT(k, 200, kit_chunk(k, "s2", 0, 2, data, 1000, false));
	EXPECT(k, 200, kit_get(k, "/recordings/"));
	char disk[100];
	snprintf(disk, sizeof disk, "%s", json_str(json_get(json_at(json_get(kit_json(k), "recordings"), 0), "file")));
	is_digested("s2", disk, data, 701000);
}

/* ---- the reaper ---- */

static const char *const on[] = {"FILE_DIGEST=sha256", "LOCK_WAIT_MS=100", "MAX_CHUNK_SIZE=4194304", NULL};

/* Files of before the setting, and of a process that died between its answer and the digest. */
static void what_has_none_gets_it(void **state)
{
	(void)state;
	char sid[3][200];
	kit_restart(k, NULL);
	for (int i = 0; i < 3; i++) {
		uploaded(data, i == 1 ? LARGE : 1000);
		snprintf(sid[i], sizeof sid[i], "%s", url + strlen("/files/"));
		EXPECT(k, 200, kit_get(k, url));
		HEADER(k, "Repr-Digest", NULL);
	}
	kit_reap(k);
	assert_null(row_of(sid[0], "a.bin").sha256);
	kit_restart(k, on);
	/* One file is lost: that is no reason not to go on. */
	assert_int_equal(blob_done_remove(kit_house(k)->blobs, sid[0], "a.bin"), ERR_OK);
	assert_int_equal(kit_reap(k).failed, 0);
	is_digested(sid[1], "a.bin", data, LARGE);
	is_digested(sid[2], "a.bin", data, 1000);
	assert_null(row_of(sid[0], "a.bin").sha256);
	/* Its note was lost, too: it is made anew. */
	kit_restart(k, NULL);
	uploaded(data, 2000);
	bool removed;
	assert_int_equal(blob_note_remove(kit_house(k)->blobs, url + strlen("/files/"), "a.bin.meta.json", &removed), ERR_OK);
	kit_restart(k, on);
	kit_reap(k);
	is_digested(url + strlen("/files/"), "a.bin", data, 2000);
}

static void a_stop_does_not_wait(void **state)
{
	(void)state;
	kit_restart(k, NULL);
	uploaded(data, LARGE);
	kit_restart(k, on);
	int64_t n = row_of(url + strlen("/files/"), "a.bin").n;
	app_stop_bodies(k->app);
	assert_int_equal(recording_digest(kit_house(k), n), ERR_STOPPING);
	kit_restart(k, on);
	assert_null(row_of(url + strlen("/files/"), "a.bin").sha256);
	assert_int_equal(recording_digest(kit_house(k), n), ERR_OK);
	is_digested(url + strlen("/files/"), "a.bin", data, LARGE);
	assert_int_equal(recording_digest(kit_house(k), n + 1), ERR_NOT_FOUND);
}

/* Where somebody reads it already nobody reads it again; while somebody removes or renames it, it waits for the next turn. */
static void one_reader(void **state)
{
	(void)state;
	struct hold *hold;
	kit_restart(k, NULL);
	uploaded(data, 1000);
	kit_restart(k, on);
	struct house *h = kit_house(k);
	const char *sid = url + strlen("/files/");
	int64_t n = row_of(sid, "a.bin").n;
	assert_int_equal(hold_take(h->holds, HOLD_DIGEST(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	assert_int_equal(recording_digest(h, n), ERR_LOCKED);
	assert_int_equal(kit_reap(k).failed, 0);
	assert_null(row_of(sid, "a.bin").sha256);
	hold_drop(hold);
	kit_reap(k);
	is_digested(sid, "a.bin", data, 1000);
}

/* ---- what the creator said of the whole ---- */

static struct upload promised(int64_t length, const void *p, size_t n)
{
	struct upload u;
	struct digest_wants wants = {.v = {{.alg = digest_by_tus("sha256", 6)}, {.alg = digest_by_tus("sha512", 6)}}, .n = 2};
	struct digest d;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(digest_begin(&d, wants.v[i].alg), ERR_OK);
		digest_add(&d, p, n);
		digest_end(&d, wants.v[i].value);
	}
	struct create_cmd cmd = {.owner = OWNER_ANONYMOUS, .length = length, .repr = &wants};
	arena_reset(k->a);
	assert_int_equal(upload_create(kit_house(k), k->a, &cmd, &u), ERR_OK);
	snprintf(url, sizeof url, "/files/%s", u.id);
	return u;
}

static int patch(int64_t offset, const char *more, const void *p, size_t n)
{
	char headers[200];
	snprintf(headers, sizeof headers, "Upload-Offset: %lld\n%s", (long long)offset, more);
	return kit_tus(k, "PATCH", url, headers, p, n);
}

static void a_promise_is_checked(void **state)
{
	(void)state;
	int parts = kit_parts(k);
	promised(1000, data, 1000);
	EXPECT(k, 204, patch(0, "", data, 400));
	EXPECT(k, 204, patch(400, "", data + 400, 600));
	EXPECT(k, 200, kit_get(k, url));
	HEADER(k, "Repr-Digest", field_of(data, 1000));
	/* Broken, by the last byte. */
	promised(1000, data, 1000);
	EXPECT(k, 204, patch(0, "", data, 400));
	EXPECT(k, 460, patch(400, "", data + 399, 600));
	HEADER(k, "Upload-Offset", NULL);
	EXPECT(k, 410, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	EXPECT(k, 410, patch(400, "", data + 400, 600));
	assert_int_equal(kit_parts(k), parts);
	/* With a length that comes at the end, and a body without bytes. */
	promised(LENGTH_UNKNOWN, data, 500);
	EXPECT(k, 204, patch(0, "", data, 500));
	EXPECT(k, 204, patch(500, "Upload-Length: 500\n", "", 0));
	promised(LENGTH_UNKNOWN, data, 499);
	EXPECT(k, 204, patch(0, "", data, 500));
	EXPECT(k, 460, patch(500, "Upload-Length: 500\n", "", 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", url, NULL, NULL, 0));
}

static void an_empty_promise(void **state)
{
	(void)state;
	struct upload u;
	struct digest_wants wants = {.v = {{.alg = digest_by_tus("crc32", 5)}}, .n = 1};
	struct create_cmd cmd = {.owner = OWNER_ANONYMOUS, .length = 0, .repr = &wants};
	promised(0, "", 0);
	EXPECT(k, 200, kit_get(k, url));
	wants.v[0].value[3] = 1;
	assert_int_equal(upload_create(kit_house(k), k->a, &cmd, &u), ERR_CHECKSUM);
}

/* Who died at the end, or was stopped there, has left it open: a HEAD cannot wait, but checks after its answer; else the reaper does. */
static void who_comes_later_checks(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		bool good = i & 1, head = i & 2;
		promised(1000, data, good ? 1000 : 999);
		EXPECT(k, 204, patch(0, "", data, 400));
		struct house *h = kit_house(k);
		__atomic_store_n(&h->stopping, true, __ATOMIC_RELAXED);
		EXPECT(k, 503, patch(400, "", data + 400, 600));
		__atomic_store_n(&h->stopping, false, __ATOMIC_RELAXED);
		EXPECT(k, 409, kit_get(k, url));
		if (head) {
			EXPECT(k, 423, kit_tus(k, "HEAD", url, NULL, NULL, 0));
			HEADER(k, "Upload-Offset", NULL);
		} else {
			clock_shift(60);
			assert_int_equal(kit_reap(k).failed, 0);
			clock_shift(0);
		}
		EXPECT(k, good ? 200 : 410, kit_get(k, url));
	}
}

/* To read the whole of a long file takes a slot, also for a request that brings nothing. */
static void the_check_takes_a_slot(void **state)
{
	(void)state;
	struct kit *was = k;
	k = KIT("THREADS=3", "RESERVE_THREADS=2");
	struct kit *other = kit_client(k);
	promised(LENGTH_UNKNOWN, data, 500);
	EXPECT(k, 204, patch(0, "", data, 500));
	/* A download that is not ended yet has the only slot. */
	char at[200];
	snprintf(at, sizeof at, "%s", url);
	uploaded(data, 1000);
	struct http_req req = {.method = HTTP_GET, .method_text = "GET", .target = url, .remote_addr = "127.0.0.1", .host = "testserver", .arena = other->a};
	struct source_mem nothing;
	struct http_res res;
	source_mem_init(&nothing, "", 0);
	req.body = &nothing.s;
	struct http_header host = {"Host", "testserver"};
	req.header = &host;
	req.nheader = 1;
	http_req_route(&req, "");
	http_res_init(&res);
	app_handle(other->app, &req, &res);
	assert_int_equal(res.status, 200);
	snprintf(url, sizeof url, "%s", at);
	EXPECT(k, 503, patch(500, "Upload-Length: 500\n", "", 0));
	close(res.file_fd);
	res.after(res.after_arg);
	EXPECT(k, 204, patch(500, "Upload-Length: 500\n", "", 0));
	kit_done(other);
	kit_done(k);
	k = was;
}

/* ---- told at once ---- */

static void told_is(const struct append_out *out, const char *alg, const void *p, size_t n)
{
	unsigned char value[DIGEST_LEN_MAX];
	struct digest d;
	assert_true(out->complete);
	assert_non_null(out->told.alg);
	assert_string_equal(out->told.alg->tus, alg);
	assert_int_equal(digest_begin(&d, out->told.alg), ERR_OK);
	digest_add(&d, p, n);
	digest_end(&d, value);
	assert_memory_equal(value, out->told.value, out->told.alg->len);
}

static void told_with_the_last_byte(void **state)
{
	(void)state;
	struct house *h = kit_house(k);
	struct upload u;
	struct append_out out;
	struct source_mem body;
	struct create_cmd create = {.owner = OWNER_ANONYMOUS, .length = LARGE};
	arena_reset(k->a);
	assert_int_equal(upload_create(h, k->a, &create, &u), ERR_OK);
	struct append_cmd cmd = {.length = LENGTH_UNKNOWN, .body = LARGE, .max_size = LARGE, .tell = digest_by_tus("sha256", 6)};
	source_mem_init(&body, data, LARGE);
	assert_int_equal(upload_append(h, k->a, u.n, &cmd, &body.s, &out), ERR_OK);
	assert_true(out.complete);
	told_is(&out, "sha256", data, LARGE);
	/* It is the file's already. */
	assert_int_equal(out.finish_upload, 0);
	struct recording r;
	assert_int_equal(store_recording_of_upload(h->db, k->a, u.n, &r), ERR_OK);
	assert_string_equal(r.sha256, hex_of(data, LARGE));
}

/* The wish of a creation holds for the append that completes it, by whatever request, and beside what the whole must have. */
static void told_as_the_creation_wished(void **state)
{
	(void)state;
	static const char *const alg[] = {"sha256", "sha512"};
	struct house *h = kit_house(k);
	for (int promise = 0; promise < 2; promise++) {
		struct upload u;
		struct append_out out;
		struct source_mem body;
		struct digest_wants wants = {.v = {{.alg = digest_by_tus("crc32", 5), .value = {0x35, 0x24, 0x41, 0xc2}}}, .n = 1};
		struct create_cmd create = {.owner = OWNER_ANONYMOUS, .length = 3, .tell = digest_by_tus(alg[promise], 6), .repr = promise ? &wants : NULL};
		arena_reset(k->a);
		assert_int_equal(upload_create(h, k->a, &create, &u), ERR_OK);
		for (int at = 0; at < 3; at += 2) {
			struct append_cmd cmd = {.offset = at, .length = LENGTH_UNKNOWN, .body = -1, .max_size = 10};
			source_mem_init(&body, "abc" + at, at ? 1 : 2);
			assert_int_equal(upload_append(h, k->a, u.n, &cmd, &body.s, &out), ERR_OK);
			if (!at)
				assert_null(out.told.alg);
		}
		told_is(&out, alg[promise], "abc", 3);
		assert_int_equal(upload_create(h, k->a, &create, &u), ERR_OK);
		struct append_cmd cmd = {.length = LENGTH_UNKNOWN, .body = -1, .max_size = 10};
		source_mem_init(&body, "abd", 3);
		assert_int_equal(upload_append(h, k->a, u.n, &cmd, &body.s, &out), promise ? ERR_CHECKSUM : ERR_OK);
	}
}

/* ---- the IETF draft ---- */

#define V8 "Upload-Draft-Interop-Version: 8\n"
#define PART V8 "Content-Type: application/partial-upload\n"

static int draft_post(const char *more, const void *p, size_t n)
{
	char headers[400];
	snprintf(headers, sizeof headers, V8 "%s", more);
	int status = kit_raw(k, "POST", "/files/", headers, p, n);
	snprintf(url, sizeof url, "%s", kit_h(k, "Location") ? kit_h(k, "Location") : "");
	return status;
}

static int draft_patch(const char *more, const void *p, size_t n)
{
	char headers[400];
	snprintf(headers, sizeof headers, PART "%s", more);
	return kit_raw(k, "PATCH", url, headers, p, n);
}

static void draft_promises(void **state)
{
	(void)state;
	char right[200], wrong[200];
	snprintf(right, sizeof right, "Upload-Complete: ?0\nUpload-Length: 20\nRepr-Digest: %s\n", field_of(data, 20));
	snprintf(wrong, sizeof wrong, "Upload-Complete: ?0\nUpload-Length: 20\nRepr-Digest: %s\n", field_of(data, 19));
	/* in two requests, the last of them without a byte */
	EXPECT(k, 201, draft_post(right, data, 20));
	EXPECT(k, 201, draft_patch("Upload-Offset: 20\nUpload-Complete: ?1\n", "", 0));
	EXPECT(k, 201, draft_post(wrong, data, 20));
	EXPECT(k, 400, draft_patch("Upload-Offset: 20\nUpload-Complete: ?1\n", "", 0));
	assert_non_null(strstr(kit_str(k, "type"), "digest-mismatched-values"));
	assert_non_null(strstr(k->body, "Repr-Digest"));
	EXPECT(k, 410, kit_raw(k, "HEAD", url, V8, NULL, 0));
	/* in one; also without a byte */
	memcpy(strstr(right, "?0"), "?1", 2);
	memcpy(strstr(wrong, "?0"), "?1", 2);
	EXPECT(k, 201, draft_post(right, data, 20));
	EXPECT(k, 400, draft_post(wrong, data, 20));
	assert_non_null(strstr(kit_str(k, "type"), "digest-mismatched-values"));
	EXPECT(k, 400, draft_post("Upload-Complete: ?1\nRepr-Digest: sha-256=:AAAA:\n", data, 20));
	assert_non_null(strstr(kit_str(k, "type"), "digest-invalid-values"));
	snprintf(wrong, sizeof wrong, "Upload-Complete: ?1\nRepr-Digest: %s\n", field_of(data, 1));
	EXPECT(k, 400, draft_post(wrong, "", 0));
	assert_non_null(strstr(kit_str(k, "type"), "digest-mismatched-values"));
	snprintf(wrong, sizeof wrong, "Upload-Complete: ?1\nRepr-Digest: %s\n", field_of("", 0));
	EXPECT(k, 201, draft_post(wrong, "", 0));
}

static void draft_wishes(void **state)
{
	(void)state;
	EXPECT(k, 201, draft_post("Upload-Complete: ?1\n", data, 20));
	HEADER(k, "Repr-Digest", NULL);
	EXPECT(k, 201, draft_post("Upload-Complete: ?1\nWant-Repr-Digest: sha-256=1\n", data, 20));
	HEADER(k, "Repr-Digest", field_of(data, 20));
	EXPECT(k, 201, draft_post("Upload-Complete: ?1\nWant-Repr-Digest: sha-256=0\n", data, 20));
	HEADER(k, "Repr-Digest", NULL);
	EXPECT(k, 201, draft_post("Upload-Complete: ?1\nWant-Repr-Digest: sha-512=9, sha-256=3\n", data, 20));
	assert_true(text_starts(kit_h(k, "Repr-Digest"), "sha-512=:"));
	/* the wish of the creation, the wish of the append */
	for (int later = 0; later < 2; later++) {
		EXPECT(k, 201, draft_post(later ? "Upload-Complete: ?0\n" : "Upload-Complete: ?0\nWant-Repr-Digest: sha-256=1\n", data, 10));
		HEADER(k, "Repr-Digest", NULL);
		EXPECT(k, 201, draft_patch(later ? "Upload-Offset: 10\nUpload-Complete: ?1\nWant-Repr-Digest: sha-256=1\n" : "Upload-Offset: 10\nUpload-Complete: ?1\n",
			data + 10, 10));
		HEADER(k, "Repr-Digest", field_of(data, 20));
	}
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(of_whole_uploads), T(after_the_answer), T(in_the_answers), T(by_the_web_server), T(of_sessions), T(what_has_none_gets_it), T(a_stop_does_not_wait),
		T(one_reader), T(a_promise_is_checked), T(an_empty_promise), T(who_comes_later_checks), T(the_check_takes_a_slot), T(told_with_the_last_byte), T(told_as_the_creation_wished),
		T(draft_promises), T(draft_wishes),
	};
	return cmocka_run_group_tests_name("file_digest", tests, begin, end);
}
