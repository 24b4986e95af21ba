/*
 * test_fault.c - a full disk, at every step: answers are 507, offsets are true, nothing acknowledged is lost, removing works, and with room
 * everything goes on.
 */
#include "disk_kit.h"

/* ---- the reserve ---- */

static void running_bodies_stop_at_the_reserve(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=8388608", "LOW_WATER=0");
	size_t n = 12 * MIB;
	unsigned char *p = kit_bytes(k, n, 1);
	char *url = created((int64_t)n);
	fill(12 * MIB);     /* now 4 MiB lie above the reserve */
	EXPECT(k, 507, patch(url, 0, p, n));
	int64_t told = kit_h(k, "Upload-Offset") ? atoll(kit_h(k, "Upload-Offset")) : -1;
	assert_in_range(told, 3 * MIB, 6 * MIB);
	assert_in_range(room(), 6 * MIB, 9 * MIB);
	assert_int_equal(offset_now(url), told);
	/* no small step leads further */
	EXPECT(k, 507, patch(url, told, p + told, 1000));
	assert_int_equal(offset_now(url), told);
	/* what is complete already stays so, and a body without a byte needs no room */
	EXPECT(k, 204, patch(url, told, NULL, 0));
	unfill();
	EXPECT(k, 204, patch(url, told, p + told, n - (size_t)told));
	gives(url, p, n);
	test_free(p);
	free(url);
}

static void fallback_stops_at_the_reserve(void **state)
{
	(void)state;
	skip_without_disk();
	static const size_t sizes[] = {1000, 60000, 3 * MIB};     /* kept in memory; written as it comes */
	HOUSE("MIN_FREE_SPACE=8388608", "LOW_WATER=0");
	fill(8 * MIB + MIB / 2);
	/* the last half MiB: a short chunk fits, a long one only begins */
	unsigned char *p = kit_bytes(k, sizes[2], 2);
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, sizes[0], false));
	EXPECT(k, 507, kit_chunk(k, "rec", 1, 0, p, sizes[2], false));
	EXPECT(k, 507, kit_chunk(k, "rec", 1, 0, p, sizes[2], true));
	unfill();
	fill(7 * MIB);
	for (int i = 0; i < 6; i++)
		EXPECT(k, 507, kit_chunk(k, "rec", 1, 0, p, sizes[i / 2], i % 2));
	EXPECT(k, 200, kit_get(k, "/files/rec/status"));
	assert_int_equal(kit_parts(k), 1);
	assert_true(room() > 6 * MIB);
	/* the same chunk again is no new byte */
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, sizes[0], false));
	unfill();
	EXPECT(k, 200, kit_chunk(k, "rec", 1, 0, p, sizes[2], false));
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	test_free(p);
}

static void forms_stop_at_the_reserve(void **state)
{
	(void)state;
	skip_without_disk();
	struct form_text f;
	HOUSE("MIN_FREE_SPACE=8388608", "LOW_WATER=0");
	unsigned char *p = kit_bytes(k, 6 * MIB, 3);
	fill(10 * MIB);
	form_begin(&f);
	form_add_file(&f, "file", "a.bin", NULL, p, 6 * MIB);
	EXPECT(k, 507, form_send(k, "/upload", NULL, &f));
	assert_int_equal(kit_parts(k), 0);
	assert_in_range(room(), 9 * MIB, 10 * MIB);
	unfill();
	form_begin(&f);
	form_add_file(&f, "file", "a.bin", NULL, p, 6 * MIB);
	EXPECT(k, 201, form_send(k, "/upload", NULL, &f));
	test_free(p);
}

/* ---- removing on a disk without a byte ---- */

/* Each makes something of about 1 MiB; and its URL. */
static void make_upload(char *url, const unsigned char *p)
{
	char *u = created(2 * MIB);
	EXPECT(k, 204, patch(u, 0, p, MIB));
	strcpy(url, u);
	free(u);
}

static void make_whole(char *url, const unsigned char *p)
{
	char *u = created(MIB);
	EXPECT(k, 204, patch(u, 0, p, MIB));
	strcpy(url, u);
	free(u);
}

static void make_session(char *url, const unsigned char *p)
{
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, MIB, false));
	strcpy(url, "/files/rec");
}

static void make_chunk(char *url, const unsigned char *p)
{
	EXPECT(k, 201, kit_tus(k, "POST", "/files/rec/chunks/", "Upload-Length: 2097152\nUpload-Metadata: chunkIndex MA==\n", NULL, 0));
	strcpy(url, "/files/rec/chunks/0");
	EXPECT(k, 204, patch(url, 0, p, MIB));
}

static void make_recording(char *url, const unsigned char *p)
{
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, MIB, false));
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	strcpy(url, "/recordings/rec/rec.webm");
}

static const struct {
	const char *what;
	void (*make)(char *url, const unsigned char *p);
	int64_t frees;
} removable[] = {
	{"an unfinished upload", make_upload, MIB}, {"a finished upload", make_whole, MIB}, {"a session", make_session, MIB},
	{"a chunk", make_chunk, 0},     /* its place in the session's file is for the next one */
	{"a recording", make_recording, MIB},
};

static void removing_works_on_a_full_disk(void **state)
{
	(void)state;
	skip_without_disk();
	unsigned char *p = test_malloc(MIB);
	kit_fill(p, MIB, 4);
	HOUSE("MIN_FREE_SPACE=0");
	for (size_t i = 0; i < sizeof removable / sizeof *removable; i++) {
		char url[300];
		struct reap_count c;
		assert_int_equal(ballast_reap(kit_house(k), 100, false, &c), ERR_OK);
		assert_true(ballast());
		removable[i].make(url, p);
		fill(0);
		assert_int_equal(room(), 0);
		/* the ledger cannot grow, and a creation gets no ballast */
		EXPECT(k, 507, kit_tus(k, "POST", "/files/", "Upload-Length: 10\n", NULL, 0));
		assert_true(ballast());
		kit_tus(k, "DELETE", url, NULL, NULL, 0);
		if (k->status / 100 != 2)
			fail_msg("DELETE of %s: %d %s", removable[i].what, k->status, k->body);
		assert_false(ballast());
		/* the ballast and what was removed, but for some pages of the ledger */
		if (room() < BALLAST_BYTES + removable[i].frees - 128 * 1024)
			fail_msg("%s: only %lld bytes were freed", removable[i].what, (long long)room());
		unfill();
	}
	test_free(p);
}

static void time_works_on_a_full_disk(void **state)
{
	(void)state;
	skip_without_disk();
	struct reap_count c;
	unsigned char *p = test_malloc(MIB);
	kit_fill(p, MIB, 5);
	HOUSE("MIN_FREE_SPACE=0", "TUS_EXPIRATION=60");
	char *url = created(2 * MIB);
	EXPECT(k, 204, patch(url, 0, p, MIB));
	fill(0);
	clock_shift(120);
	assert_int_equal(ballast_reap(kit_house(k), 100, false, &c), ERR_OK);
	assert_int_equal(c.expired, 1);
	assert_int_equal(c.failed, 0);
	assert_true(room() > BALLAST_BYTES + MIB / 2);
	EXPECT(k, 410, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	/* it is made anew when it can be spared, not before */
	unfill();
	fill(MIB + MIB / 2);
	ballast_reap(kit_house(k), 100, false, &c);
	assert_false(ballast());
	unfill();
	ballast_reap(kit_house(k), 100, false, &c);
	assert_true(ballast());
	test_free(p);
	free(url);
}

/* A process that begins on a full disk (every request of plain CGI) can at least remove. */
static void opening_works_on_a_full_disk(void **state)
{
	(void)state;
	skip_without_disk();
	unsigned char *p = test_malloc(MIB);
	kit_fill(p, MIB, 6);
	for (int once = 0; once < 2; once++) {
		HOUSE("MIN_FREE_SPACE=0");
		char *url = created(2 * MIB);
		EXPECT(k, 204, patch(url, 0, p, MIB));
		app_close(k->app);
		k->app = NULL;
		fill(0);
		assert_int_equal(app_open(k->cfg, once, &k->app), ERR_OK);
		log_level_set(QUIET);
		assert_int_equal(offset_now(url), MIB);
		EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
		assert_true(room() > BALLAST_BYTES + MIB / 2);
		free(url);
		unfill();
		kit_stop(k);
		arena_close(k->a);
		free(k->body);
		json_free(k->json);
		free(k);
		k = NULL;
	}
	test_free(p);
}

/* ---- without a reserve: the disk itself says no, in the middle ---- */

static void what_fits_is_kept_and_told(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=0");
	size_t n = 8 * MIB;
	unsigned char *p = kit_bytes(k, n, 7);
	/* so little that the ledger has no room either, and more */
	static const int64_t left[] = {0, 4096, 100000, MIB, 3 * MIB};
	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		char *url = created((int64_t)n);
		EXPECT(k, 204, patch(url, 0, p, 300000));
		fill(left[i]);
		EXPECT(k, 507, patch(url, 300000, p + 300000, n - 300000));
		int64_t told = atoll(kit_h(k, "Upload-Offset"));
		assert_in_range(told, 300000, 300000 + left[i]);
		assert_int_equal(offset_now(url), told);
		unfill();
		EXPECT(k, 204, patch(url, told, p + told, n - (size_t)told));
		gives(url, p, n);
		EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
		free(url);
	}
	test_free(p);
}

/* A recording meets the full disk at every step, and goes on from each when there is room. */
static void a_recording_survives_every_step(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=0");
	enum { CHUNKS = 6, SIZE = 200000 };
	unsigned char *p = kit_bytes(k, CHUNKS * SIZE, 8);
	for (int i = 0; i < CHUNKS; i++) {
		size_t n = i % 2 ? SIZE : SIZE / 4;
		fill(i % 3 * 4096);
		EXPECT(k, 507, kit_chunk(k, "rec", i, 0, p + (size_t)i * SIZE, n, i == 3));
		unfill();
		EXPECT(k, 200, kit_chunk(k, "rec", i, 0, p + (size_t)i * SIZE, n, i == 3));
	}
	fill(0);
	EXPECT(k, 507, kit_complete(k, "rec", "rec.webm", NULL));
	EXPECT(k, 200, kit_get(k, "/files/rec/status"));
	unfill();
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	fill(0);
	EXPECT(k, 200, kit_get(k, "/recordings/rec/rec.webm"));
	size_t at = 0;
	for (int i = 0; i < CHUNKS; i++) {
		size_t n = i % 2 ? SIZE : SIZE / 4;
		assert_true(at + n <= k->len);
		assert_memory_equal(k->body + at, p + (size_t)i * SIZE, n);
		at += n;
	}
	assert_int_equal(k->len, at);
	unfill();
	test_free(p);
}

/* A last byte on a full disk: the upload is complete or it is not, never in between. */
static void the_last_byte(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=0");
	unsigned char *p = kit_bytes(k, 100000, 9);
	for (int pages = 0; pages < 24; pages++) {
		char *url = created(100000);
		EXPECT(k, 204, patch(url, 0, p, 90000));
		fill(pages * 4096);
		int status = patch(url, 90000, p + 90000, 10000);
		int64_t now = offset_now(url);
		if (status == 204)
			assert_int_equal(now, 100000);
		else if (status != 507)
			fail_msg("%d pages: %d", pages, status);
		unfill();
		struct reap_count c;
		assert_int_equal(ballast_reap(kit_house(k), 100, false, &c), ERR_OK);
		assert_int_equal(c.failed, 0);
		if (now < 100000)
			EXPECT(k, 204, patch(url, now, p + now, (size_t)(100000 - now)));
		gives(url, p, 100000);
		EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
		free(url);
	}
	test_free(p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(running_bodies_stop_at_the_reserve), T(fallback_stops_at_the_reserve), T(forms_stop_at_the_reserve), T(removing_works_on_a_full_disk),
		T(time_works_on_a_full_disk), T(opening_works_on_a_full_disk), T(what_fits_is_kept_and_told), T(a_recording_survives_every_step),
		T(the_last_byte),
	};
	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
