/*
 * test_space.c - what keeps a disk from filling: the low-water mark, which stops what begins and not what runs; reservations, which are made
 * wholly or not at all; and a quota, which is a full disk by another name.
 */
#include "disk_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static int64_t allocated(int64_t file)
{
	char path[400];
	struct stat st = {0};
	snprintf(path, sizeof path, "%s/tus_uploads/parts/shard_%04lld/%lld.part", disk, (long long)(file / 1000), (long long)file);
	return stat(path, &st) == 0 ? (int64_t)st.st_blocks * 512 : -1;
}

/* ---- the low-water mark ---- */

static int begin_upload(void)
{
	return kit_tus(k, "POST", "/files/", "Upload-Length: 100000\n", NULL, 0);
}

static int begin_unknown(void)
{
	return kit_tus(k, "POST", "/files/", "Upload-Defer-Length: 1\n", NULL, 0);
}

static int begin_with_data(void)
{
	return kit_tus(k, "POST", "/files/", "Upload-Length: 4\nContent-Type: application/offset+octet-stream\n", "abcd", 4);
}

static int begin_form(void)
{
	struct form_text f;
	form_begin(&f);
	form_add_file(&f, "file", "a.bin", NULL, "abcd", 4);
	return form_send(k, "/upload", NULL, &f);
}

static int begin_recording(void)
{
	static int n;
	char sid[32];
	snprintf(sid, sizeof sid, "new-%d", n++);
	return kit_chunk(k, sid, 0, 0, "abcd", 4, n % 2);
}

static int begin_tus_chunk(void)
{
	return kit_tus(k, "POST", "/files/other/chunks/", "Upload-Length: 100\nUpload-Metadata: chunkIndex MA==\n", NULL, 0);
}

static const struct { const char *what; int (*begin)(void); int good; } beginnings[] = {
	{"an upload", begin_upload, 201}, {"one of unknown length", begin_unknown, 201}, {"one with data", begin_with_data, 201},
	{"a form", begin_form, 201}, {"a recording", begin_recording, 200}, {"a recording, file first", begin_recording, 200},
	{"a tus chunk", begin_tus_chunk, 201},
};

static void below_the_mark_nothing_begins(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=2097152", "LOW_WATER=8388608");
	size_t n = 4 * MIB;
	unsigned char *p = kit_bytes(k, n, 1);
	char *url = created((int64_t)n);
	EXPECT(k, 204, patch(url, 0, p, 1000));
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, 1000, false));

	fill(7 * MIB);
	int parts = kit_parts(k);
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (beginnings[i].begin() != 507)
			fail_msg("%s begins: %d %s", beginnings[i].what, k->status, k->body);
	assert_int_equal(kit_parts(k), parts);

	/* what runs goes on to its end */
	EXPECT(k, 200, kit_chunk(k, "rec", 1, 0, p + 1000, 300000, true));
	EXPECT(k, 201, kit_tus(k, "POST", "/files/rec/chunks/", "Upload-Length: 1000\nUpload-Metadata: chunkIndex Mg==\n", NULL, 0));
	EXPECT(k, 204, patch("/files/rec/chunks/2", 0, p, 1000));
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	EXPECT(k, 204, patch(url, 1000, p + 1000, n - 1000));
	gives(url, p, n);
	assert_true(room() >= 2 * MIB);

	unfill();
	for (size_t i = 0; i < sizeof beginnings / sizeof *beginnings; i++)
		if (beginnings[i].begin() != beginnings[i].good)
			fail_msg("%s does not begin: %d %s", beginnings[i].what, k->status, k->body);
	test_free(p);
	free(url);
}

static void the_mark_is_twice_the_reserve(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=4194304");
	fill(7 * MIB);
	EXPECT(k, 507, begin_upload());
	unfill();
	fill(9 * MIB);
	EXPECT(k, 201, begin_upload());
}

/* ---- reservations ---- */

static void a_reservation_keeps_its_room(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=2097152", "LOW_WATER=0", "RESERVE_SPACE=true");
	size_t n = 6 * MIB;
	unsigned char *p = kit_bytes(k, n, 2);
	int64_t before = room();
	char *url = created((int64_t)n);
	assert_in_range(before - room(), n, n + MIB);
	EXPECT(k, 204, patch(url, 0, p, 100000));
	assert_int_equal(offset_now(url), 100000);
	/* others take all the rest, but not this; 64 KiB are for the ledger */
	fill(64 << 10);
	EXPECT(k, 204, patch(url, 100000, p + 100000, 3 * MIB));
	EXPECT(k, 204, patch(url, 3 * MIB + 100000, p + 3 * MIB + 100000, n - 3 * MIB - 100000));
	gives(url, p, n);
	unfill();
	EXPECT(k, 204, kit_tus(k, "DELETE", url, NULL, NULL, 0));
	assert_in_range(before - room(), 0, MIB / 2);
	test_free(p);
	free(url);
}

static void a_reservation_that_fails_leaves_nothing(void **state)
{
	(void)state;
	skip_without_disk();
	/* the check of free space lets it pass, and the disk does not: the reserve is none, and somebody is quicker */
	HOUSE("MIN_FREE_SPACE=0", "LOW_WATER=0", "RESERVE_SPACE=true");
	fill(5 * MIB);
	int64_t before = room();
	struct create_cmd cmd = {.owner = "", .length = before - 4096};
	struct upload u;
	struct rlimit was, small = {.rlim_cur = 2 * MIB, .rlim_max = RLIM_INFINITY};
	getrlimit(RLIMIT_FSIZE, &was);
	small.rlim_max = was.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	enum err e = upload_create(kit_house(k), k->a, &cmd, &u);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(e, ERR_NO_SPACE);
	assert_int_equal(kit_parts(k), 0);
	assert_in_range(before - room(), 0, 256 << 10);     /* a row that says gone */
	assert_int_equal(upload_find(kit_house(k), k->a, u.id, &u), ERR_GONE);
	/* and where only a part of it was had, that is given back */
	int fd = open(path_of("piece"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	bool done = true;
	before = room();
	assert_int_equal(blob_reserve(fd, 0, 2 * before, &done), ERR_NO_SPACE);
	assert_false(done);
	assert_in_range(before - room(), 0, 4096);
	close(fd);
	unlink(path_of("piece"));
	/* too late for a chunk: what fits is kept */
	unfill();
	EXPECT(k, 201, kit_tus(k, "POST", "/files/rec/chunks/", "Upload-Length: 4194304\nUpload-Metadata: chunkIndex MA==\n", NULL, 0));
	fill(MIB);
	unsigned char *p = kit_bytes(k, 4 * MIB, 3);
	EXPECT(k, 507, patch("/files/rec/chunks/0", 0, p, 4 * MIB));
	int64_t told = atoll(kit_h(k, "Upload-Offset"));
	assert_in_range(told, 0, MIB);
	unfill();
	EXPECT(k, 204, patch("/files/rec/chunks/0", told, p + told, (size_t)(4 * MIB - told)));
	test_free(p);
}

static void chunks_reserve_their_place(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=2097152", "LOW_WATER=0", "RESERVE_SPACE=true");
	unsigned char *p = kit_bytes(k, 3 * MIB, 4);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/rec/chunks/", "Upload-Length: 3145728\nUpload-Metadata: chunkIndex MA==\n", NULL, 0));
	EXPECT(k, 204, patch("/files/rec/chunks/0", 0, p, 1000));
	assert_true(allocated(1) >= 3 * MIB);
	fill(64 << 10);
	EXPECT(k, 204, patch("/files/rec/chunks/0", 1000, p + 1000, 3 * MIB - 1000));
	unfill();
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	gives("/recordings/rec/rec.webm", p, 3 * MIB);
	test_free(p);
}

/* Reserving ends where everybody's room ends: what is kept free for removing and for others stays free. */
static void a_chunk_reserves_not_what_is_kept_free(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=4194304", "LOW_WATER=0", "RESERVE_SPACE=true");
	unsigned char *p = kit_bytes(k, 3 * MIB, 5);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/rec/chunks/", "Upload-Length: 3145728\nUpload-Metadata: chunkIndex MA==\n", NULL, 0));
	fill(6 * MIB);
	EXPECT(k, 204, patch("/files/rec/chunks/0", 0, p, 1000));
	assert_true(room() >= 5 * MIB);
	EXPECT(k, 507, patch("/files/rec/chunks/0", 1000, p + 1000, 3 * MIB - 1000));
	assert_true(room() >= 3 * MIB);
	int64_t told = offset_now("/files/rec/chunks/0");
	unfill();
	EXPECT(k, 204, patch("/files/rec/chunks/0", told, p + told, (size_t)(3 * MIB - told)));
	EXPECT(k, 200, kit_complete(k, "rec", "rec.webm", NULL));
	gives("/recordings/rec/rec.webm", p, 3 * MIB);
	test_free(p);
}

/* ---- a quota ---- */

/* Stands before the C library's: what a part file may still take, -1: no quota. */
static int64_t quota = -1;

static bool is_part(int fd)
{
	char link[40], path[400];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n > 0 ? n : 0] = '\0';
	return strstr(path, ".part") != NULL;
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (quota >= 0 && is_part(fd)) {
		n = (int64_t)n > quota ? (size_t)quota : n;
		if (n == 0) {
			errno = EDQUOT;
			return -1;
		}
		quota -= (int64_t)n;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

static void a_quota_is_a_full_disk(void **state)
{
	(void)state;
	skip_without_disk();
	HOUSE("MIN_FREE_SPACE=0");
	size_t n = 4 * MIB;
	unsigned char *p = kit_bytes(k, n, 5);
	char *url = created((int64_t)n);
	quota = 2 * MIB + 100;
	EXPECT(k, 507, patch(url, 0, p, n));
	assert_string_equal(kit_h(k, "Upload-Offset"), "2097252");
	assert_int_equal(offset_now(url), 2 * MIB + 100);
	EXPECT(k, 507, kit_chunk(k, "rec", 0, 0, p, 1000, false));
	EXPECT(k, 507, kit_chunk(k, "rec", 0, 0, p, MIB, true));
	quota = -1;
	EXPECT(k, 200, kit_chunk(k, "rec", 0, 0, p, 1000, false));
	EXPECT(k, 204, patch(url, 2 * MIB + 100, p + 2 * MIB + 100, n - 2 * MIB - 100));
	gives(url, p, n);
	test_free(p);
	free(url);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(below_the_mark_nothing_begins), T(the_mark_is_twice_the_reserve), T(a_reservation_keeps_its_room),
		T(a_reservation_that_fails_leaves_nothing), T(chunks_reserve_their_place), T(a_chunk_reserves_not_what_is_kept_free), T(a_quota_is_a_full_disk),
	};
	return cmocka_run_group_tests(tests, own_mounts, NULL);
}
