/*
 * kth_join.h - the operations of test_kth.c on uploads that are made of uploads.
 */
#ifndef TESTS_KTH_JOIN_H
#define TESTS_KTH_JOIN_H

#include "kth_ops.h"

#define JOIN_PARTS 3

/* What the client of a trial knows of its parts and their whole. */
static struct joining {
	struct {
		char url[64];
		size_t at, n;
		int64_t told;
		bool gone;
	} part[JOIN_PARTS];
	char whole[64];
	size_t n;
	bool gone;
} j;

static void partial_create(int i, size_t at, size_t n)
{
	char text[100];
	snprintf(text, sizeof text, "Upload-Concat: partial\nUpload-Length: %zu\n", n);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", text, NULL, 0));
	snprintf(j.part[i].url, sizeof j.part[i].url, "%s", strstr(kit_h(k, "Location"), "/files/"));
	j.part[i].at = at;
	j.part[i].n = n;
}

static int partial_patch(int i, size_t n)
{
	char text[60];
	snprintf(text, sizeof text, "Upload-Offset: %lld\n", (long long)j.part[i].told);
	int status = kit_tus(k, "PATCH", j.part[i].url, text, t.p + j.part[i].at + j.part[i].told, n);
	if (status == 204)
		j.part[i].told += (int64_t)n;
	return status;
}

static int whole_create(void)
{
	char text[300];
	snprintf(text, sizeof text, "Upload-Concat: final;%s %s %s\n", j.part[0].url, j.part[1].url, j.part[2].url);
	int status = kit_tus(k, "POST", "/files/", text, NULL, 0);
	if (status == 201)
		snprintf(j.whole, sizeof j.whole, "%s", strstr(kit_h(k, "Location"), "/files/"));
	return status;
}

/* ---- before ---- */

static void join_parts(void)
{
	static const size_t sizes[JOIN_PARTS] = {SMALL, LARGE, 77};
	j = (struct joining){0};
	for (int i = 0; i < JOIN_PARTS; i++) {
		partial_create(i, j.n, sizes[i]);
		EXPECT(k, 204, partial_patch(i, sizes[i] - (i == 1)));
		j.n += sizes[i];
	}
}

static void join_ready(void)
{
	join_parts();
	EXPECT(k, 204, partial_patch(1, 1));
}

static void join_waits(void)
{
	join_parts();
	EXPECT(k, 201, whole_create());
}

static void join_keeps(void)
{
	join_waits();
	EXPECT(k, 204, kit_tus(k, "DELETE", j.part[0].url, NULL, NULL, 0));
	j.part[0].gone = true;
}

static void join_done(void)
{
	join_ready();
	EXPECT(k, 201, whole_create());
}

/* ---- what is done ---- */

static void act_join(void)
{
	SAID_YES(whole_create());
}

static void act_join_last(void)
{
	SAID_YES(partial_patch(1, 1));
}

static void act_part_delete(void)
{
	j.part[0].gone = SAID_YES(kit_tus(k, "DELETE", j.part[0].url, NULL, NULL, 0));
}

static void act_whole_delete(void)
{
	j.gone = SAID_YES(kit_tus(k, "DELETE", j.whole, NULL, NULL, 0));
}

/* ---- what must be true ---- */

/* Its row's bytes, wherever they lie now. */
static void row_true(const char *url, const unsigned char *p)
{
	struct upload u;
	int fd;
	assert_int_equal(store_upload_by_id(kit_house(k)->db, k->a, strrchr(url, '/') + 1, &u), ERR_OK);
	if (u.offset == 0 || u.own == OWN_NOT)
		return;
	assert_int_equal(blob_open(kit_house(k)->blobs, u.file, false, &fd), ERR_OK);
	compare(fd, u.base, p, (size_t)u.offset, url);
	blob_close(fd);
}

static void part_true(int i)
{
	kit_tus(k, "HEAD", j.part[i].url, NULL, NULL, 0);
	if (k->status == 410)
		j.part[i].gone = true;
	else if (k->status != 200 || j.part[i].gone)
		fail_msg("HEAD of a part %s: %d", j.part[i].gone ? "that was removed" : "that lives", k->status);
	if (j.part[i].gone)
		return;
	int64_t now = atoll(kit_h(k, "Upload-Offset"));
	if (now < j.part[i].told)
		fail_msg("a part has %lld bytes, %lld were told", (long long)now, (long long)j.part[i].told);
	j.part[i].told = now;
	row_true(j.part[i].url, t.p + j.part[i].at);
}

static void whole_true(void)
{
	if (!j.whole[0])
		return;
	kit_tus(k, "HEAD", j.whole, NULL, NULL, 0);
	if (k->status == 410)
		j.gone = true;
	else if (k->status != 200 || j.gone)
		fail_msg("HEAD of a final upload %s: %d", j.gone ? "that was removed" : "that lives", k->status);
	if (j.gone)
		return;
	const char *offset = kit_h(k, "Upload-Offset");
	if (offset && atoll(offset) != (long long)j.n)
		fail_msg("a final upload has offset %s", offset);
	if (offset)
		gives(j.whole, t.p, j.n);
	else
		row_true(j.whole, t.p);
}

static void join_true(void)
{
	whole_true();
	for (int i = 0; i < JOIN_PARTS; i++)
		part_true(i);
}

/* Only what was to be removed may be gone. */
static void join_true_but_first(void)
{
	join_true();
	assert_false(j.gone || j.part[1].gone || j.part[2].gone);
}

static void whole_drop(const char *url)
{
	EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", url, NULL, NULL, 0));
}

static void join_end(void)
{
	if (j.part[1].told < (int64_t)j.part[1].n)
		EXPECT(k, 204, partial_patch(1, j.part[1].n - (size_t)j.part[1].told));
	if (!j.whole[0])
		EXPECT(k, 201, whole_create());
	finish_rows();
	join_true();
	if (!j.gone) {
		gives(j.whole, t.p, j.n);
		whole_drop(j.whole);
	}
	for (int i = 0; i < JOIN_PARTS; i++)
		if (!j.part[i].gone)
			whole_drop(j.part[i].url);
}

static void part_delete_end(void)
{
	if (!j.part[0].gone)
		whole_drop(j.part[0].url);
	j.part[0].gone = true;
	join_end();
}

static void whole_delete_end(void)
{
	if (!j.gone)
		whole_drop(j.whole);
	j.gone = true;
	join_end();
}

#endif
