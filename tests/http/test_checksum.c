/*
 * test_checksum.c - bodies that must have a digest (tus 1.0.0 checksum, checks 82 and 101 to 109; RFC 9530 Content-Digest), and the extensions that can be
 * switched off.
 */
#include "kit.h"

#include "base/b64.h"
#include "base/digest.h"

#define LONG (9 << 20)      /* is published in its middle if nothing has to be checked */

static struct kit *k;
static unsigned char *data;
static char url[200];

static const char *const settings[] = {"LOCK_WAIT_MS=100", "MAX_CHUNK_SIZE=100000", "CHUNK_SIZE=1000", "TUS_CHUNK_SIZE=1000", NULL};

static int begin(void **state)
{
	(void)state;
	k = kit_env(settings);
	data = malloc(LONG);
	assert_non_null(data);
	kit_fill(data, LONG, 1);
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

static const char *base64_of(const char *alg, const void *p, size_t n)
{
	static char text[B64_ENCODED(DIGEST_LEN_MAX)];
	unsigned char value[DIGEST_LEN_MAX];
	struct digest d;
	assert_int_equal(digest_begin(&d, digest_by_tus(alg, strlen(alg))), ERR_OK);
	digest_add(&d, p, n);
	digest_end(&d, value);
	b64_encode(value, digest_by_tus(alg, strlen(alg))->len, text);
	return text;
}

/* The header of these bytes. */
static const char *sum(const char *alg, const void *p, size_t n)
{
	static char line[200];
	snprintf(line, sizeof line, "Upload-Checksum: %s %s\n", alg, base64_of(alg, p, n));
	return line;
}

static const char *created(const char *headers)
{
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", headers, NULL, 0));
	snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
	return url;
}

static int patch(int64_t offset, const char *headers, const void *p, size_t n)
{
	char all[600];
	snprintf(all, sizeof all, "Upload-Offset: %lld\n%s", (long long)offset, headers);
	return kit_tus(k, "PATCH", url, all, p, n);
}

/* HEAD says this offset; NULL length: deferred. */
static void is_at(const char *offset, const char *length)
{
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", offset);
	HEADER(k, "Upload-Length", length);
	HEADER(k, "Upload-Defer-Length", length ? NULL : "1");
}

static void content_is(const void *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

static int64_t uploads(void)
{
	struct store_stats s;
	assert_int_equal(store_stats(kit_house(k)->db, &s), ERR_OK);
	return s.active_uploads;
}

/* ---- Upload-Checksum ---- */

static void check_101_102_109_announced(void **state)
{
	(void)state;
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0));
	HEADER(k, "Tus-Checksum-Algorithm", "sha1,sha256,sha512,md5,crc32,crc32c");
	assert_non_null(strstr(kit_h(k, "Tus-Extension"), "checksum"));
	assert_null(strstr(kit_h(k, "Tus-Extension"), "checksum-trailer"));
	EXPECT(k, 200, kit_get(k, "/api/config"));
	assert_int_equal(json_len(json_get(kit_json(k), "tus_checksum_algorithms")), 6);
	assert_int_equal(json_len(json_get(kit_json(k), "content_digest_algorithms")), 2);
}

/* What cannot be checked is not taken, and nothing of the request counts. */
static void check_103_106_malformed(void **state)
{
	(void)state;
	static const char *const rows[] = {
		"crc64 ywgP1A==", "SHA1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha-1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha1", "sha1 ", "", "sha1qZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
		"sha1  qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0", "sha1 qZk-NkcGgWq6PiVxeFDCbJzQ2J0=", "sha1 qZk+NkcG", "sha1 NSRBwg==",
		"sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0= x", "sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=,sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=", "md5 AAAA", "crc32 NSRBwgA=",
		"sha1\tqZk+NkcGgWq6PiVxeFDCbJzQ2J0=",
		"sha512 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
	};
	char headers[300];
	created("Upload-Defer-Length: 1\n");
	int64_t before = uploads();
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(headers, sizeof headers, "Upload-Length: 3\nUpload-Checksum: %s\n", rows[i]);
		EXPECT(k, 400, patch(0, headers, "abc", 3));
		assert_int_equal(k->taken, 0);
		EXPECT(k, 400, kit_tus(k, "POST", "/files/", headers, "abc", 3));
	}
	EXPECT(k, 400, patch(0, "Upload-Checksum: sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\nUpload-Checksum: sha1 qZk+NkcGgWq6PiVxeFDCbJzQ2J0=\n", "abc", 3));
	is_at("0", NULL);
	assert_int_equal(uploads(), before);
}

/* Every algorithm, in one piece and in many, with an announced length, without, and without a proven end. */
static void check_104_105_mismatch_and_match(void **state)
{
	(void)state;
	char line[200], offset[20];
	for (int i = 0; i < digest_algs_n; i++) {
		int at = 0;
		created("Upload-Length: 100000\n");
		for (int way = 0; way < 8; way++, at += 1000) {
			for (int good = 0; good < 2; good++) {
				snprintf(line, sizeof line, "%s", sum(digest_algs[i].tus, data + at, good ? 1000 : 999));
				k->piece = way & 1 ? 7 : 0;
				k->chunked = way & 2;
				k->unproven = way >= 6;
				EXPECT(k, good ? 204 : 460, patch(at, line, data + at, 1000));
				snprintf(offset, sizeof offset, "%d", good ? at + 1000 : at);
				HEADER(k, "Upload-Offset", offset);
				if (!good)
					assert_string_equal(kit_str(k, "code"), "checksum_mismatch");
				is_at(offset, "100000");
			}
		}
		k->piece = 50000;
		snprintf(line, sizeof line, "%s", sum(digest_algs[i].tus, data + at, 100000 - (size_t)at));
		EXPECT(k, 460, patch(at, line, data, 100000 - (size_t)at));
		is_at("8000", "100000");
		EXPECT(k, 204, patch(at, line, data + at, 100000 - (size_t)at));
		content_is(data, 100000);
	}
}

/* Whatever the checksum says, the other rules hold, and come first. */
static void other_errors_come_first(void **state)
{
	(void)state;
	created("Upload-Length: 1000\n");
	EXPECT(k, 409, patch(1, sum("sha1", data, 10), data, 10));
	EXPECT(k, 413, patch(0, sum("sha1", data, 1001), data, 1001));
	k->chunked = true;
	EXPECT(k, 413, patch(0, sum("sha1", data, 1001), data, 1001));
	k->chunked = true;
	EXPECT(k, 413, patch(0, sum("sha1", data, 1000), data, 1001));
	is_at("0", "1000");
	EXPECT(k, 404, kit_tus(k, "PATCH", "/files/_aaaaaaaaaaaaaaaaaaaaaa", "Upload-Offset: 0\nUpload-Checksum: x\n", data, 10));
}

static void check_107_cut(void **state)
{
	(void)state;
	char line[200];
	created("Upload-Length: 1000\n");
	snprintf(line, sizeof line, "%s", sum("crc32", data, 1000));
	for (int chunked = 0; chunked < 2; chunked++) {
		k->cut = 999;
		k->chunked = chunked;
		EXPECT(k, 408, patch(0, line, data, 1000));
		is_at("0", "1000");
	}
	/* Even if what came is what was announced: the request has not arrived. */
	k->cut = 500;
	EXPECT(k, 408, patch(0, sum("crc32", data, 500), data, 1000));
	is_at("0", "1000");
	EXPECT(k, 204, patch(0, line, data, 1000));
	content_is(data, 1000);
}

static void check_108_empty(void **state)
{
	(void)state;
	created("Upload-Length: 10\n");
	for (int i = 0; i < digest_algs_n; i++)
		for (int chunked = 0; chunked < 2; chunked++) {
			k->chunked = chunked;
			EXPECT(k, 204, patch(0, sum(digest_algs[i].tus, "", 0), "", 0));
			k->chunked = chunked;
			EXPECT(k, 460, patch(0, sum(digest_algs[i].tus, "x", 1), "", 0));
		}
	is_at("0", "10");
	/* ... of one that is complete */
	EXPECT(k, 204, patch(0, sum("md5", data, 10), data, 10));
	for (int chunked = 0; chunked < 2; chunked++) {
		k->chunked = chunked;
		EXPECT(k, 204, patch(10, sum("sha1", "", 0), "", 0));
		k->chunked = chunked;
		EXPECT(k, 460, patch(10, sum("sha1", "x", 1), "", 0));
	}
	EXPECT(k, 413, patch(10, sum("sha1", "x", 1), "x", 1));
	content_is(data, 10);
}

/* A deferred length comes with the match, or not at all; an empty body may bring it and complete the upload. */
static void deferred_length(void **state)
{
	(void)state;
	char line[300];
	created("Upload-Defer-Length: 1\n");
	snprintf(line, sizeof line, "Upload-Length: 600\n%s", sum("sha256", data, 400));
	EXPECT(k, 460, patch(0, line, data, 399));
	is_at("0", NULL);
	k->cut = 100;
	EXPECT(k, 408, patch(0, line, data, 400));
	is_at("0", NULL);
	EXPECT(k, 204, patch(0, line, data, 400));
	is_at("400", "600");
	EXPECT(k, 204, patch(400, sum("sha256", data + 400, 200), data + 400, 200));
	content_is(data, 600);

	created("Upload-Defer-Length: 1\n");
	EXPECT(k, 204, patch(0, "", data, 400));
	snprintf(line, sizeof line, "Upload-Length: 400\n%s", sum("sha1", "x", 1));
	EXPECT(k, 460, patch(400, line, "", 0));
	is_at("400", NULL);
	snprintf(line, sizeof line, "Upload-Length: 400\n%s", sum("sha1", "", 0));
	EXPECT(k, 204, patch(400, line, "", 0));
	content_is(data, 400);
}

/* After an interruption, too: the rest completes it, and the next one resumes. */
static void after_a_cut_body(void **state)
{
	(void)state;
	created("Upload-Length: 1000\n");
	k->cut = 300;
	EXPECT(k, 408, patch(0, "", data, 1000));
	EXPECT(k, 460, patch(300, sum("sha1", data, 700), data + 300, 700));
	is_at("300", "1000");
	EXPECT(k, 204, patch(300, sum("sha1", data + 300, 700), data + 300, 700));
	content_is(data, 1000);
}

/* ---- while it runs ---- */

struct writer {
	struct kit *k;
	struct gate gate;
	pthread_t thread;
	char headers[300];
	size_t came;
};

static void *write_slowly(void *arg)
{
	struct writer *w = arg;
	w->k->gate = &w->gate;
	w->k->cut = (int64_t)w->came;
	kit_tus(w->k, "PATCH", url, w->headers, data, LONG);
	return NULL;
}

/* A checked PATCH of which some bytes have come and that waits for more. */
static void writer_start(struct writer *w, size_t came)
{
	*w = (struct writer){.k = kit_client(k), .came = came};
	snprintf(w->headers, sizeof w->headers, "Upload-Offset: 0\n%s", sum("crc32c", data, LONG));
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

static struct upload row(void)
{
	struct upload u;
	arena_reset(k->a);
	assert_int_equal(store_upload_by_id(kit_house(k)->db, k->a, url + strlen("/files/"), &u), ERR_OK);
	return u;
}

/* The row does not move before the match, whatever has come: it is what another process sees when this one dies now. */
static void a_running_body_is_not_published(void **state)
{
	(void)state;
	struct writer w;
	created("Upload-Length: 9437184\n");
	assert_int_equal(LONG, 9437184);
	writer_start(&w, LONG);
	assert_int_equal(row().offset, 0);
	assert_false(row().writing);
	gate_open(&w.gate);
	assert_int_equal(writer_end(&w), 204);
	content_is(data, LONG);
}

static void a_displaced_body_leaves_nothing(void **state)
{
	(void)state;
	struct writer w;
	created("Upload-Length: 9437184\n");
	writer_start(&w, LONG - 10);
	is_at("0", "9437184");
	assert_int_equal(writer_end(&w), 409);
	assert_int_equal(row().offset, 0);
	writer_start(&w, LONG - 10);
	EXPECT(k, 204, patch(0, sum("crc32", data + 5, 1000), data + 5, 1000));
	assert_true(writer_end(&w) >= 409);
	is_at("1000", "9437184");
}

static void a_stop_leaves_nothing(void **state)
{
	(void)state;
	struct writer w;
	created("Upload-Length: 9437184\n");
	writer_start(&w, LONG - 10);
	app_stop_bodies(k->app);
	assert_int_equal(writer_end(&w), 503);
	kit_restart(k, settings);
	is_at("0", "9437184");
}

/* ---- with a creation ---- */

static void check_082_creation(void **state)
{
	(void)state;
	char line[300];
	int64_t before = uploads();
	int parts = kit_parts(k);
	for (int whole = 0; whole < 2; whole++) {
		size_t n = whole ? 1000 : 400;
		snprintf(line, sizeof line, "Upload-Length: 1000\n%s", sum("sha1", data, n));
		EXPECT(k, 460, kit_tus(k, "POST", "/files/", line, data + 1, n));
		HEADER(k, "Location", NULL);
		k->chunked = true;
		EXPECT(k, 460, kit_tus(k, "POST", "/files/", line, data, n - 1));
		assert_int_equal(uploads(), before);
		assert_int_equal(kit_parts(k), parts);
		EXPECT(k, 201, kit_tus(k, "POST", "/files/", line, data, n));
		HEADER(k, "Upload-Offset", whole ? "1000" : "400");
		snprintf(url, sizeof url, "%s", kit_h(k, "Location"));
		if (!whole)
			EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	}
	content_is(data, 1000);
	/* Of no data it is that of nothing. */
	snprintf(line, sizeof line, "Upload-Length: 10\n%s", sum("sha1", data, 10));
	EXPECT(k, 460, kit_tus(k, "POST", "/files/", line, NULL, 0));
	snprintf(line, sizeof line, "Upload-Length: 0\n%s", sum("sha1", data, 10));
	EXPECT(k, 460, kit_tus(k, "POST", "/files/", line, NULL, 0));
	assert_int_equal(uploads(), before);
	snprintf(line, sizeof line, "Upload-Length: 0\n%s", sum("sha1", "", 0));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", line, NULL, 0));
	/* A cut one stays, empty: its client learns nothing of it. */
	snprintf(line, sizeof line, "Upload-Length: 1000\n%s", sum("sha1", data, 1000));
	k->cut = 500;
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", line, data, 1000));
	HEADER(k, "Upload-Offset", "0");
}

/* ---- chunks ---- */

static int chunk_post(const char *sid, const char *headers, const void *p, size_t n)
{
	char at[100], all[500];
	snprintf(at, sizeof at, "/files/%s/chunks/", sid);
	snprintf(all, sizeof all, "Upload-Metadata: chunkIndex MA==,totalChunks MQ==\nUpload-Length: 1000\n%s", headers);
	return kit_tus(k, "POST", at, all, p, n);
}

static void chunks(void **state)
{
	(void)state;
	EXPECT(k, 201, chunk_post("c1", "", NULL, 0));
	snprintf(url, sizeof url, "/files/c1/chunks/0");
	EXPECT(k, 204, patch(0, sum("sha1", data, 400), data, 400));
	EXPECT(k, 460, patch(400, sum("sha1", data, 600), data + 400, 600));
	EXPECT(k, 400, patch(400, "Upload-Checksum: sha2 x\n", data + 400, 600));
	is_at("400", "1000");
	EXPECT(k, 204, patch(400, sum("sha1", data + 400, 600), data + 400, 600));
	HEADER(k, "Upload-Offset", "1000");
	/* Again, now that it is complete: the bytes and the checksum must be right. */
	EXPECT(k, 204, patch(400, sum("sha1", data + 400, 600), data + 400, 600));
	HEADER(k, "Upload-Offset", "1000");
	EXPECT(k, 460, patch(400, sum("sha1", data, 600), data + 400, 600));
	EXPECT(k, 409, patch(400, sum("sha1", data, 600), data, 600));
	EXPECT(k, 460, patch(1000, sum("sha1", "x", 1), "", 0));
	EXPECT(k, 204, patch(1000, sum("sha1", "", 0), "", 0));
	k->chunked = true;
	EXPECT(k, 460, patch(1000, sum("sha1", "x", 1), "", 0));
	k->cut = 100;
	EXPECT(k, 408, patch(400, sum("sha1", data + 400, 600), data + 400, 600));
}

static void chunk_with_data(void **state)
{
	(void)state;
	EXPECT(k, 460, chunk_post("c2", sum("sha256", data, 999), data, 1000));
	HEADER(k, "Location", NULL);
	EXPECT(k, 404, kit_tus(k, "HEAD", "/files/c2/chunks/0", NULL, NULL, 0));
	EXPECT(k, 460, chunk_post("c2", sum("sha256", data, 999), NULL, 0));
	EXPECT(k, 400, chunk_post("c2", "Upload-Checksum: sha256 AAAA\n", data, 1000));
	EXPECT(k, 201, chunk_post("c2", sum("sha256", data, 1000), data, 1000));
	HEADER(k, "Upload-Offset", "1000");
	EXPECT(k, 200, kit_tus(k, "HEAD", "/files/c2/chunks/0", NULL, NULL, 0));
}

/* ---- Content-Digest ---- */

/* "sha-256=:...:" of these bytes. */
static const char *field(const char *key, const char *alg, const void *p, size_t n)
{
	static char text[4][200];
	static int turn;
	char *t = text[turn++ % 4];
	snprintf(t, 200, "%s=:%s:", key, base64_of(alg, p, n));
	return t;
}

static int patch_digest(int64_t offset, const char *value, const void *p, size_t n)
{
	char line[520];
	snprintf(line, sizeof line, "Content-Digest: %s\n", value);
	return patch(offset, line, p, n);
}

static void content_digest(void **state)
{
	(void)state;
	char both[500];
	created("Upload-Length: 100\n");
	EXPECT(k, 460, patch_digest(0, field("sha-256", "sha256", data, 11), data, 10));
	EXPECT(k, 460, patch_digest(0, field("sha-512", "sha512", data, 11), data, 10));
	snprintf(both, sizeof both, "%s, %s", field("sha-512", "sha512", data, 10), field("sha-256", "sha256", data, 11));
	EXPECT(k, 460, patch_digest(0, both, data, 10));
	/* in two lines */
	snprintf(both, sizeof both, "Content-Digest: %s\nContent-Digest: %s\n", field("sha-512", "sha512", data, 10), field("sha-256", "sha256", data, 11));
	EXPECT(k, 460, patch(0, both, data, 10));
	/* besides the other header */
	snprintf(both, sizeof both, "%sContent-Digest: %s\n", sum("crc32", data, 10), field("sha-256", "sha256", data, 11));
	EXPECT(k, 460, patch(0, both, data, 10));
	snprintf(both, sizeof both, "%sContent-Digest: %s\n", sum("sha256", data, 11), field("sha-256", "sha256", data, 10));
	EXPECT(k, 460, patch(0, both, data, 10));
	is_at("0", "100");
	snprintf(both, sizeof both, "%sContent-Digest: %s, %s\n", sum("sha256", data, 10), field("sha-256", "sha256", data, 10), field("sha-512", "sha512", data, 10));
	EXPECT(k, 204, patch(0, both, data, 10));
	EXPECT(k, 204, patch_digest(10, field("sha-256", "sha256", data + 10, 10), data + 10, 10));
	is_at("20", "100");
}

/* Ignored: other algorithms, and a field that is malformed anywhere. Refused: what no bytes can have. */
static void content_digest_fields(void **state)
{
	(void)state;
	static const char good[] = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";
	const struct { const char *format; int status; } rows[] = {
		{"md5=:AAAA:, unknown=:AAAA:", 204}, {"sha-256=%.43s=", 204}, {"sha-256=:%.43s=:, ", 204}, {"sha-256=:%.43s=:,x=\"", 204}, {"sha-256", 204},
		{"sha-256=1", 204}, {"sha-256=(:%.43s=:)", 204}, {"SHA-256=:%.43s=:", 204}, {"", 204},
		{"sha-256=:%.40s:", 400}, {"sha-256=::", 400}, {"sha-512=:%.43s=:", 400}, {"sha-256=:%.43sAAAA:", 400}, {"sha-256=:%.41s:", 400},
		{"sha-256=:%.43s=:", 460}, {"sha-256=:%.43s:", 460}, {"x=1, sha-256=:%.43s=:;p=1", 460}, {"sha-256=1, sha-256=:%.43s=:", 460},
	};
	char value[300];
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		created("Upload-Length: 10\n");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(value, sizeof value, rows[i].format, good);
#pragma GCC diagnostic pop
		EXPECT(k, rows[i].status, patch_digest(0, value, data, 10));
		is_at(rows[i].status == 204 ? "10" : "0", "10");
	}
}

/* Also what comes by no protocol at all is not taken for what it is not. */
static void a_plain_body(void **state)
{
	(void)state;
	char line[300];
	int64_t before = uploads();
	int parts = kit_parts(k);
	for (int chunked = 0; chunked < 2; chunked++) {
		for (size_t n = 0; n < 20; n += 10) {
			snprintf(line, sizeof line, "Content-Digest: %s\n", field("sha-256", "sha256", data, n + 1));
			k->chunked = chunked;
			EXPECT(k, 460, kit_raw(k, "PUT", "/upload/a.bin", line, data, n));
			k->chunked = chunked;
			EXPECT(k, 460, kit_raw(k, "PUT", "/upload/a.bin", sum("crc32", data, n + 1), data, n));
			snprintf(line, sizeof line, "Content-Digest: %s\n", field("sha-256", "sha256", data, n));
			k->chunked = chunked;
			EXPECT(k, 201, kit_raw(k, "PUT", "/upload/a.bin", line, data, n));
			assert_int_equal(kit_int(k, "size"), n);
		}
	}
	EXPECT(k, 400, kit_raw(k, "PUT", "/upload/a.bin", "Content-Digest: sha-256=:AAAA:\n", data, 10));
	assert_int_equal(uploads(), before);
	assert_int_equal(kit_parts(k), parts);
}

/* ---- switched off ---- */

static void without_extensions(void **state)
{
	(void)state;
	struct kit *was = k, *bare = KIT("TUS_EXTENSIONS_OFF=checksum, termination,creation-with-upload,creation-defer-length,concatenation");
	k = bare;
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0));
	HEADER(k, "Tus-Extension", "creation,expiration");
	HEADER(k, "Tus-Checksum-Algorithm", NULL);
	EXPECT(k, 200, kit_get(k, "/api/config"));
	assert_int_equal(json_len(json_get(kit_json(k), "tus_extensions")), 2);
	assert_int_equal(json_len(json_get(kit_json(k), "tus_checksum_algorithms")), 0);
	EXPECT(k, 400, kit_tus(k, "POST", "/files/", "Upload-Defer-Length: 1\n", NULL, 0));
	EXPECT(k, 415, kit_tus(k, "POST", "/files/", "Upload-Length: 10\n", data, 10));
	k->chunked = true;
	EXPECT(k, 415, kit_tus(k, "POST", "/files/", "Upload-Length: 10\n", data, 10));
	EXPECT(k, 400, kit_tus(k, "POST", "/files/", "Upload-Concat: partial\nUpload-Length: 10\n", NULL, 0));
	created("Upload-Length: 10\n");
	EXPECT(k, 405, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	assert_null(strstr(kit_h(k, "Allow"), "DELETE"));
	EXPECT(k, 400, patch(0, sum("sha1", data, 10), data, 10));
	is_at("0", "10");
	EXPECT(k, 400, kit_tus(k, "POST", "/files/", "Upload-Length: 10\nUpload-Checksum: sha1 x\n", NULL, 0));
	EXPECT(k, 204, patch(0, "", data, 10));
	EXPECT(k, 201, chunk_post("c3", "", NULL, 0));
	EXPECT(k, 405, kit_tus(k, "DELETE", "/files/c3/chunks/0", NULL, NULL, 0));
	/* that is no upload but a session */
	EXPECT(k, 200, kit_raw(k, "DELETE", "/files/c3", NULL, NULL, 0));
	kit_done(bare);
	k = was;
}

static void one_extension_off(void **state)
{
	(void)state;
	struct kit *bare = KIT("TUS_EXTENSIONS_OFF=termination");
	EXPECT(bare, 204, kit_raw(bare, "OPTIONS", "/files/", NULL, NULL, 0));
	HEADER(bare, "Tus-Extension", "creation,creation-with-upload,creation-defer-length,expiration,checksum,concatenation,concatenation-unfinished");
	kit_done(bare);
}

/* Check 122. */
static void only_complete_parts(void **state)
{
	(void)state;
	struct kit *was = k, *bare = KIT("TUS_EXTENSIONS_OFF=concatenation-unfinished");
	char final[300];
	k = bare;
	EXPECT(k, 204, kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0));
	assert_null(strstr(kit_h(k, "Tus-Extension"), "unfinished"));
	created("Upload-Concat: partial\nUpload-Length: 10\n");
	snprintf(final, sizeof final, "Upload-Concat: final;%s\n", url);
	EXPECT(k, 400, kit_tus(k, "POST", "/files/", final, NULL, 0));
	EXPECT(k, 204, patch(0, "", data, 10));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", final, NULL, 0));
	kit_done(bare);
	k = was;
}

/* A final upload has no data of its own either. */
static void checksum_of_a_final_one(void **state)
{
	(void)state;
	char final[500];
	created("Upload-Concat: partial\nUpload-Length: 10\n");
	EXPECT(k, 204, patch(0, sum("sha1", data, 10), data, 10));
	snprintf(final, sizeof final, "Upload-Concat: final;%s\n%s", url, sum("sha1", data, 10));
	EXPECT(k, 460, kit_tus(k, "POST", "/files/", final, NULL, 0));
	snprintf(final, sizeof final, "Upload-Concat: final;%s\n%s", url, sum("sha1", "", 0));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", final, NULL, 0));
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(check_101_102_109_announced), T(check_103_106_malformed), T(check_104_105_mismatch_and_match), T(other_errors_come_first), T(check_107_cut),
		T(check_108_empty), T(deferred_length), T(after_a_cut_body), T(a_running_body_is_not_published), T(a_displaced_body_leaves_nothing), T(a_stop_leaves_nothing),
		T(check_082_creation), T(chunks), T(chunk_with_data), T(content_digest), T(content_digest_fields), T(a_plain_body), T(without_extensions), T(one_extension_off),
		T(only_complete_parts), T(checksum_of_a_final_one),
	};
	return cmocka_run_group_tests_name("checksum", tests, begin, end);
}
