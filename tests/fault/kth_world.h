/*
 * kth_world.h - what a client was told, and whether it is so: the model of test_kth.c, with a comparison of every byte.
 *
 * One trial is one upload or one session. All trials of an operation share a house, so what one leaks the next ones meet.
 */
#ifndef TESTS_KTH_WORLD_H
#define TESTS_KTH_WORLD_H

#include "tests/http/kit.h"
#include "tests/shim/shim_fail.h"
#include "upload/upload_priv.h"

#define QUIET ((enum log_level)(LOG_ERROR + 1))     /* it fails on purpose */
#define BYTES (10 << 20)
#define CHUNKS 4
#define FORM_NAME "f.bin"

/* A chunk as its recorder knows it. */
struct told_chunk {
	bool done;                  /* acknowledged */
	const unsigned char *p;     /* its bytes, if it is there at all */
	size_t n;
	const unsigned char *or_p;  /* or these, while a replacement is not answered */
	size_t or_n;
};

static struct trial {
	int i;
	char sid[24];
	char url[300];              /* of an upload; "": none was told */
	int64_t told;               /* the highest offset that a client was told */
	const unsigned char *p;
	size_t n;                   /* bytes of the upload */
	struct told_chunk c[CHUNKS];
	int chunks;                 /* of the session */
	char name[64];              /* of its recording */
	bool removed;               /* a removal was acknowledged */
	bool ended;                 /* a completion was */
} t;

static struct kit *k;
static unsigned char *bytes;

static void trial_begin(int i)
{
	t = (struct trial){.i = i, .p = bytes + i * 7 % 4096};
	snprintf(t.sid, sizeof t.sid, "r%d", i);
	strcpy(t.name, "take.webm");
}

/* An answer while something fails: true: yes. Only passing trouble may be answered otherwise: on 400, 404, 410, 413 and 422 clients give up. */
static bool said_yes(void)
{
	static const int passing[] = {408, 423, 500, 503, 507};
	if (k->status / 100 == 2)
		return true;
	for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
		if (k->status == passing[i])
			return false;
	fail_msg("answered %d: %.200s", k->status, k->body);
	return false;
}

#define SAID_YES(call) ((void)(call), said_yes())

static void compare(int fd, int64_t at, const unsigned char *p, size_t n, const char *what)
{
	unsigned char *have = test_malloc(n + 1);
	size_t got = 0;
	for (ssize_t r; got < n && (r = pread(fd, have + got, n - got, at + (int64_t)got)) > 0;)
		got += (size_t)r;
	size_t same = 0;
	while (same < got && have[same] == p[same])
		same++;
	test_free(have);
	if (same < n)
		fail_msg("%s: byte %zu of %zu is %s", what, same, n, same < got ? "wrong" : "missing");
}

static void gives(const char *url, const unsigned char *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, url));
	if (k->len != n || memcmp(k->body, p, n) != 0)
		fail_msg("%s: %zu bytes, expected these %zu", url, k->len, n);
}

/* ---- uploads ---- */

static int patch(int64_t offset, const unsigned char *p, size_t n, const char *more)
{
	char text[128];
	snprintf(text, sizeof text, "Upload-Offset: %lld\n%s", (long long)offset, more);
	int status = kit_tus(k, "PATCH", t.url, text, p, n);
	const char *told = kit_h(k, "Upload-Offset");
	if (told && atoll(told) > t.told)
		t.told = atoll(told);
	return status;
}

static int create(const char *headers, const void *p, size_t n)
{
	int status = kit_tus(k, "POST", "/files/", headers, p, n);
	if (status == 201) {
		snprintf(t.url, sizeof t.url, "%s", strstr(kit_h(k, "Location"), "/files/"));
		t.told = kit_h(k, "Upload-Offset") ? atoll(kit_h(k, "Upload-Offset")) : 0;
	}
	return status;
}

static void create_now(size_t n)
{
	char text[64];
	snprintf(text, sizeof text, "Upload-Length: %zu\n", n);
	t.n = n;
	EXPECT(k, 201, create(text, NULL, 0));
}

/* Every byte below the row's offset is right, and the offset is not below what was told. */
static void upload_true(void)
{
	struct upload u;
	int fd;
	if (!t.url[0])
		return;
	EXPECT(k, 200, kit_tus(k, "HEAD", t.url, NULL, NULL, 0));
	int64_t now = atoll(kit_h(k, "Upload-Offset"));
	if (now < t.told || now > (int64_t)t.n)
		fail_msg("HEAD says %lld of %zu, %lld was told", (long long)now, t.n, (long long)t.told);
	t.told = now;
	assert_int_equal(upload_find(kit_house(k), k->a, strrchr(t.url, '/') + 1, &u), ERR_OK);
	if (u.state != UPLOAD_OPEN) {
		/* an empty one has no file before it has its name */
		if (t.n > 0 || u.state == UPLOAD_COMPLETE || kit_get(k, t.url) != 423)
			gives(t.url, t.p, t.n);
	} else if (u.offset > 0) {
		assert_int_equal(blob_open(kit_house(k)->blobs, u.file, false, &fd), ERR_OK);
		compare(fd, u.base, t.p, (size_t)u.offset, "part of an upload");
		blob_close(fd);
	}
}

static void finish_rows(void)
{
	struct reap_count c = kit_reap(k);
	if (c.failed)
		fail_msg("%lld rows cannot be settled", (long long)c.failed);
}

/* Goes on to the end, without a failure. */
static void upload_end(void)
{
	if (!t.url[0])
		create_now(t.n);
	upload_true();
	if (t.told < (int64_t)t.n) {
		char text[64];
		snprintf(text, sizeof text, "Upload-Length: %zu\n", t.n);
		EXPECT(k, 204, patch(t.told, t.p + t.told, t.n - (size_t)t.told, text));
	}
	finish_rows();
	gives(t.url, t.p, t.n);
	EXPECT(k, 204, kit_tus(k, "DELETE", t.url, NULL, NULL, 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", t.url, NULL, NULL, 0));
}

/* ---- sessions ---- */

static void chunk_is(int i, const unsigned char *p, size_t n)
{
	t.c[i] = (struct told_chunk){.p = p, .n = n};
	if (t.chunks <= i)
		t.chunks = i + 1;
}

static int chunk_send(int i, int total, bool file_first)
{
	struct told_chunk *c = &t.c[i];
	return kit_chunk(k, t.sid, i, total, c->p, c->n, file_first);
}

static void chunk_now(int i, int total)
{
	EXPECT(k, 200, chunk_send(i, total, false));
	t.c[i].done = true;
}

static bool chunk_has(const struct chunk_view *v, const unsigned char *p, size_t n)
{
	int fd;
	if (v->c.length != (int64_t)n)
		return false;
	enum err e = chunk_open(kit_house(k), &v->s, &v->c, &fd);
	/* between its part file and its name */
	if (e == ERR_LOCKED && v->s.state == SESSION_FINISHING)
		return true;
	assert_int_equal(e, ERR_OK);
	unsigned char *have = test_malloc(n + 1);
	ssize_t got = pread(fd, have, n, v->c.base);
	bool same = got == (ssize_t)n && memcmp(have, p, n) == 0;
	test_free(have);
	blob_close(fd);
	return same;
}

/* What was acknowledged is there, and nothing that is there is wrong. */
static void session_true(void)
{
	for (int i = 0; i < t.chunks; i++) {
		struct told_chunk *c = &t.c[i];
		struct chunk_view v;
		arena_reset(k->a);
		enum err e = chunk_find(kit_house(k), k->a, t.sid, i, &v);
		if (e != ERR_OK && e != ERR_NOT_FOUND)
			fail_msg("chunk %d: %s", i, err_code(e));
		bool there = e == ERR_OK && v.done;
		if (c->done && !there)
			fail_msg("chunk %d was acknowledged and is not there", i);
		if (there && !chunk_has(&v, c->p, c->n) && !(c->or_p && chunk_has(&v, c->or_p, c->or_n)))
			fail_msg("chunk %d has wrong bytes", i);
		c->done = there && (c->done || !c->or_p);
	}
}

static void recording_is(const char *name)
{
	char url[300];
	size_t n = 0;
	for (int i = 0; i < t.chunks; i++)
		n += t.c[i].n;
	unsigned char *all = test_malloc(n + 1);
	n = 0;
	for (int i = 0; i < t.chunks; n += t.c[i++].n)
		memcpy(all + n, t.c[i].p, t.c[i].n);
	snprintf(url, sizeof url, "/recordings/%s/%s", t.sid, name);
	gives(url, all, n);
	test_free(all);
}

static void recording_drop(const char *name)
{
	char url[300];
	snprintf(url, sizeof url, "/recordings/%s/%s", t.sid, name);
	EXPECT(k, 200, kit_raw(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 404, kit_get(k, url));
}

static void send_rest(int total)
{
	for (int i = 0; i < t.chunks; i++)
		if (!t.c[i].done || t.c[i].or_p)
			chunk_now(i, total);
}

/* The recorder sends what is not acknowledged and completes. */
static void session_end(void)
{
	send_rest(0);
	EXPECT(k, 200, kit_complete(k, t.sid, t.name, NULL));
	finish_rows();
	recording_is(t.name);
	recording_drop(t.name);
}

#endif
