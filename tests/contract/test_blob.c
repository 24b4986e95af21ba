/*
 * test_blob.c - the contract of blob/blob.h, for one device and for two.
 *
 * Some calls of the C library are replaced in this program: the order of syncs and renames is written into a journal, and writes and
 * copies can be made to come up short or to be refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "blob/blob.h"

/* ---- the replaced calls ---- */

static char journal[2048];
static int journal_on;
static int write_trouble;         /* 1: every call writes at most 7 bytes, every second one is interrupted */
static int copy_error = -1;       /* -1: real; 0: says "end of file"; else errno */

static void journal_add(const char *what, int fd)
{
	char link[64], path[512];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, sizeof path - 1);
	path[n < 0 ? 0 : n] = '\0';
	const char *base = strrchr(path, '/');
	size_t at = strlen(journal);
	snprintf(journal + at, sizeof journal - at, "%s %s;", what, base ? base + 1 : "?");
}

int fsync(int fd)
{
	if (journal_on)
		journal_add("fsync", fd);
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	if (journal_on)
		journal_add("fdatasync", fd);
	return (int)syscall(SYS_fdatasync, fd);
}

int renameat(int from, const char *a, int to, const char *b)
{
	if (journal_on)
		journal_add("rename", to);
	return (int)syscall(SYS_renameat2, from, a, to, b, 0);
}

ssize_t pwrite(int fd, const void *p, size_t n, off_t at)
{
	if (write_trouble) {
		if (++write_trouble % 2) {
			errno = EINTR;
			return -1;
		}
		n = n < 7 ? n : 7;
	}
	return syscall(SYS_pwrite64, fd, p, n, at);
}

ssize_t copy_file_range(int in, off64_t *in_at, int out, off64_t *out_at, size_t n, unsigned flags)
{
	if (copy_error == 0)
		return 0;
	if (copy_error > 0) {
		errno = copy_error;
		return -1;
	}
	return syscall(SYS_copy_file_range, in, in_at, out, out_at, n, flags);
}

/* ---- the scratch folders ---- */

struct fix {
	char parts[64], done[64];
	bool two;
	struct blobs *b;
};
static bool want_two;

static int rm_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static void rm_tree(const char *path)
{
	nftw(path, rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void scratch(char out[64], const char *root)
{
	snprintf(out, 64, "%s/blob-XXXXXX", root);
	assert_non_null(mkdtemp(out));
}

static const char *tmp_root(void)
{
	const char *t = getenv("TMPDIR");
	return t && strlen(t) < 40 ? t : "/tmp";
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof *f);
	f->two = want_two;
	scratch(f->parts, tmp_root());
	scratch(f->done, f->two ? "/dev/shm" : tmp_root());
	journal[0] = '\0';
	journal_on = write_trouble = 0;
	copy_error = -1;
	assert_int_equal(blobs_open(f->parts, f->done, &f->b), ERR_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	blobs_close(f->b);
	rm_tree(f->parts);
	rm_tree(f->done);
	free(f);
	return 0;
}

static char *path(char *out, const char *root, const char *rest)
{
	snprintf(out, 512, "%s/%s", root, rest);
	return out;
}

/* Writes a file as a foreign program would, with the folders above it. NULL contents: nothing. */
static void put(const char *root, const char *rest, const char *text)
{
	char p[512];
	if (!text)
		return;
	path(p, root, rest);
	for (char *s = p + strlen(root) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(p, 0750);
		*s = '/';
	}
	FILE *f = fopen(p, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static bool there(const char *root, const char *rest)
{
	char p[512];
	struct stat st;
	return lstat(path(p, root, rest), &st) == 0;
}

/* The contents of a file, "" if absent. */
static const char *get(const char *root, const char *rest)
{
	static char text[4096];
	char p[512];
	FILE *f = fopen(path(p, root, rest), "r");
	size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
	text[n] = '\0';
	if (f)
		fclose(f);
	return text;
}

static void part_make(struct blobs *b, int64_t file, const char *text)
{
	int fd;
	size_t w;
	assert_int_equal(blob_open(b, file, true, &fd), ERR_OK);
	assert_int_equal(blob_write(fd, text, strlen(text), 0, &w), ERR_OK);
	assert_int_equal(w, strlen(text));
	blob_close(fd);
}

/* ---- part files ---- */

static void test_roots_are_made(void **state)
{
	struct fix *f = *state;
	char a[512], c[512];
	struct blobs *b;
	path(a, f->parts, "x/y/z");
	path(c, f->done, "u/v");
	assert_int_equal(blobs_open(a, c, &b), ERR_OK);
	assert_int_equal(blobs_same_device(b), !f->two);
	int64_t free_parts = 0, free_done = 0;
	assert_int_equal(blobs_free_space(b, &free_parts, &free_done), ERR_OK);
	assert_true(free_parts > 0 && free_done > 0);
	assert_int_equal(blobs_writable(b), ERR_OK);
	blobs_close(b);
	put(f->parts, "file", "x");
	path(a, f->parts, "file/below");
	assert_int_equal(blobs_open(a, c, &b), ERR_INTERNAL);
	assert_null(b);
}

static void test_open_write_read(void **state)
{
	struct fix *f = *state;
	int fd, again;
	size_t w;
	int64_t size;
	char buf[16];
	assert_int_equal(blob_open(f->b, 1234, false, &fd), ERR_NOT_FOUND);
	assert_int_equal(blob_size(f->b, 1234, &size), ERR_NOT_FOUND);
	assert_int_equal(blob_remove(f->b, 1234), ERR_OK);
	assert_int_equal(blob_open(f->b, 1234, true, &fd), ERR_OK);
	assert_true(there(f->parts, "parts/shard_0001/1234.part"));
	assert_int_equal(blob_open(f->b, 1235, false, &again), ERR_NOT_FOUND);
	assert_int_equal(blob_write(fd, "world", 5, 6, &w), ERR_OK);
	assert_int_equal(blob_write(fd, "hello ", 6, 0, &w), ERR_OK);
	assert_int_equal(blob_sync(fd), ERR_OK);
	assert_int_equal(blob_open(f->b, 1234, false, &again), ERR_OK);
	assert_int_equal(blob_read(again, buf, sizeof buf, 0), 11);
	assert_memory_equal(buf, "hello world", 11);
	assert_int_equal(blob_read(again, buf, 4, 6), 4);
	assert_int_equal(blob_read(again, buf, sizeof buf, 11), 0);
	assert_int_equal(blob_write(again, "x", 1, 0, &w), ERR_INTERNAL);
	assert_int_equal(w, 0);
	blob_close(again);
	blob_close(fd);
	assert_int_equal(blob_size(f->b, 1234, &size), ERR_OK);
	assert_int_equal(size, 11);
	assert_int_equal(blob_remove(f->b, 1234), ERR_OK);
	assert_int_equal(blob_size(f->b, 1234, &size), ERR_NOT_FOUND);
}

static void test_short_and_interrupted_writes(void **state)
{
	struct fix *f = *state;
	write_trouble = 1;
	part_make(f->b, 3, "a text that is longer than seven bytes");
	write_trouble = 0;
	assert_string_equal(get(f->parts, "parts/shard_0000/3.part"), "a text that is longer than seven bytes");
}

/* What must be durable before blob_open returns; what is known costs nothing the second time. */
static void test_entries_are_durable(void **state)
{
	struct fix *f = *state;
	int fd;
	journal_on = 1;
	assert_int_equal(blob_open(f->b, 5000, true, &fd), ERR_OK);
	assert_string_equal(journal, "fsync parts;fsync shard_0005;");
	blob_close(fd);
	journal[0] = '\0';
	assert_int_equal(blob_open(f->b, 5001, true, &fd), ERR_OK);
	assert_string_equal(journal, "fsync shard_0005;");
	blob_close(fd);
	part_make(f->b, 5000, "bytes");
	journal[0] = '\0';
	assert_int_equal(blob_open(f->b, 5000, true, &fd), ERR_OK);
	assert_string_equal(journal, "");
	blob_close(fd);
	/* A shard that another process has made but maybe not yet synced, and one that is in use. */
	put(f->parts, "parts/shard_0006/x", "");
	put(f->parts, "parts/shard_0007/x", "x");
	char p[512];
	unlink(path(p, f->parts, "parts/shard_0006/x"));
	assert_int_equal(blob_open(f->b, 6000, true, &fd), ERR_OK);
	assert_string_equal(journal, "fsync parts;fsync shard_0006;");
	blob_close(fd);
	journal[0] = '\0';
	assert_int_equal(blob_open(f->b, 7000, true, &fd), ERR_OK);
	assert_string_equal(journal, "fsync shard_0007;");
	blob_close(fd);
}

static void test_copy_and_equal(void **state)
{
	struct fix *f = *state;
	static const int errors[] = {-1, 0, EXDEV, EINVAL, ENOSYS, EOPNOTSUPP};
	static unsigned char data[300000], back[300000];
	int a, c;
	size_t w;
	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	assert_int_equal(blob_open(f->b, 1, true, &a), ERR_OK);
	assert_int_equal(blob_write(a, data, sizeof data, 10, &w), ERR_OK);
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
		int64_t copied;
		bool equal;
		copy_error = errors[i];
		assert_int_equal(blob_open(f->b, 2, true, &c), ERR_OK);
		assert_int_equal(blob_copy(a, 10, c, 5, sizeof data, &copied), ERR_OK);
		assert_int_equal(copied, sizeof data);
		assert_int_equal(blob_read(c, back, sizeof back, 5), sizeof back);
		assert_memory_equal(data, back, sizeof back);
		assert_int_equal(blob_equal(a, 10, c, 5, sizeof data, &equal), ERR_OK);
		assert_true(equal);
		/* beyond the source's end: what there was is copied and counted */
		assert_int_equal(blob_copy(a, 10, c, 5, sizeof data + 1, &copied), ERR_INTERNAL);
		assert_int_equal(copied, sizeof data);
		assert_int_equal(blob_equal(a, 10, c, 5, sizeof data + 1, &equal), ERR_OK);
		assert_false(equal);
		assert_int_equal(blob_write(c, "#", 1, 5 + 299999, &w), ERR_OK);
		assert_int_equal(blob_equal(a, 10, c, 5, sizeof data, &equal), ERR_OK);
		assert_false(equal);
		blob_close(c);
		assert_int_equal(blob_remove(f->b, 2), ERR_OK);
	}
	blob_close(a);
}

/* ---- publishing ---- */

#define RIGHT "the right contents"
#define WRONG "some other content"          /* of the same length */

/* From every state in which an earlier run may have been cut, a run leads to the finished file. */
static void test_publish_from_every_state(void **state)
{
	struct fix *f = *state;
	static const char *parts[] = {NULL, RIGHT, RIGHT " and a tail"};
	static const char *targets[] = {NULL, RIGHT, WRONG, "short", RIGHT " and more"};
	static const char *copies[] = {NULL, "", "the right", WRONG, RIGHT, RIGHT " and more"};
	int64_t file = 100;
	for (size_t p = 0; p < 3; p++) for (size_t t = 0; t < 5; t++) for (size_t c = 0; c < 6; c++, file++) {
		char part[64], target[64], copy[64], sid[16];
		snprintf(sid, sizeof sid, "s%lld", (long long)file);
		snprintf(part, sizeof part, "parts/shard_0000/%lld.part", (long long)file);
		snprintf(target, sizeof target, "%s/completed/a.webm", sid);
		snprintf(copy, sizeof copy, "%s/completed/.%lld.copy", sid, (long long)file);
		put(f->parts, part, parts[p]);
		put(f->done, target, targets[t]);
		put(f->done, copy, copies[c]);
		enum err want = parts[p] || t == 1 || t == 2 ? ERR_OK : ERR_NOT_FOUND;
		for (int run = 0; run < 2; run++) {
			enum err e = blob_publish(f->b, file, strlen(RIGHT), false, sid, "a.webm");
			if (e != want)
				fail_msg("part %zu target %zu copy %zu run %d: %s", p, t, c, run, err_code(e));
			if (parts[p])
				assert_string_equal(get(f->done, target), RIGHT);
			assert_int_equal(there(f->parts, part), parts[p] && f->two);
			if (parts[p] && f->two)
				assert_false(there(f->done, copy));
		}
	}
	part_make(f->b, 1, "short");
	assert_int_equal(blob_publish(f->b, 1, 6, false, "s", "a.webm"), ERR_INTERNAL);
	assert_string_equal(get(f->parts, "parts/shard_0000/1.part"), "short");
	assert_false(there(f->done, "s/completed/a.webm"));
}

static void test_publish_is_durable(void **state)
{
	struct fix *f = *state;
	part_make(f->b, 1, RIGHT);
	journal_on = 1;
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "sid", "a"), ERR_OK);
	journal_on = 0;
	char want[256], *done = strrchr(f->done, '/') + 1;
	if (f->two)
		snprintf(want, sizeof want, "fsync %s;fsync sid;fsync .1.copy;rename completed;fsync completed;", done);
	else
		snprintf(want, sizeof want, "fsync %s;fsync sid;fdatasync 1.part;rename completed;fsync completed;fsync shard_0000;", done);
	assert_string_equal(journal, want);
	/* cut after the rename, before the folders were synced: the next run makes up for it */
	if (f->two)
		return;
	journal[0] = '\0';
	journal_on = 1;
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "sid", "a"), ERR_OK);
	assert_string_equal(journal, "fsync completed;fsync shard_0000;");
}

static void test_unpublish_and_grow(void **state)
{
	struct fix *f = *state;
	int fd;
	size_t w;
	char part[] = "parts/shard_0000/2.part", done[] = "sid/completed/a.webm";
	assert_int_equal(blob_unpublish(f->b, "sid", "a.webm", 2), ERR_NOT_FOUND);
	part_make(f->b, 1, RIGHT);
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "sid", "a.webm"), ERR_OK);
	if (f->two)
		put(f->parts, part, "the ri");         /* a run that was cut in its copy */
	for (int run = 0; run < 2; run++) {
		assert_int_equal(blob_unpublish(f->b, "sid", "a.webm", 2), ERR_OK);
		assert_string_equal(get(f->parts, part), RIGHT);
		assert_string_equal(get(f->done, done), RIGHT);
	}
	assert_int_equal(blob_open(f->b, 2, true, &fd), ERR_OK);
	assert_int_equal(blob_write(fd, ", longer", 8, strlen(RIGHT), &w), ERR_OK);
	blob_close(fd);
	assert_int_equal(blob_unpublish(f->b, "sid", "a.webm", 2), ERR_OK);
	assert_string_equal(get(f->parts, part), RIGHT ", longer");
	for (int run = 0; run < 2; run++) {
		assert_int_equal(blob_publish(f->b, 2, strlen(RIGHT) + 8, false, "sid", "a.webm"), ERR_OK);
		assert_string_equal(get(f->done, done), RIGHT ", longer");
		assert_int_equal(there(f->parts, part), f->two);
	}
}

static void test_note_link_open_remove(void **state)
{
	struct fix *f = *state;
	int fd;
	char buf[64];
	assert_int_equal(blob_done_open(f->b, "sid", "a", &fd), ERR_NOT_FOUND);
	assert_int_equal(blob_done_link(f->b, "sid", "a", "b"), ERR_NOT_FOUND);
	assert_int_equal(blob_done_remove(f->b, "sid", "a"), ERR_OK);
	assert_int_equal(blob_note(f->b, "sid", "a", "{}"), ERR_OK);
	assert_int_equal(blob_note(f->b, "sid", "a", "{\"x\":1}"), ERR_OK);
	assert_string_equal(get(f->done, "sid/completed/a.meta.json"), "{\"x\":1}");
	part_make(f->b, 1, RIGHT);
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "sid", "a"), ERR_OK);
	assert_int_equal(blob_done_open(f->b, "sid", "a", &fd), ERR_OK);
	assert_int_equal(blob_read(fd, buf, sizeof buf, 0), strlen(RIGHT));
	blob_close(fd);
	/* another file's name is never taken away */
	put(f->done, "sid/completed/b", "old");
	assert_int_equal(blob_done_link(f->b, "sid", "a", "b"), ERR_CONFLICT);
	assert_string_equal(get(f->done, "sid/completed/b"), "old");
	assert_int_equal(blob_done_remove(f->b, "sid", "b"), ERR_OK);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(blob_done_link(f->b, "sid", "a", "b"), ERR_OK);
		assert_string_equal(get(f->done, "sid/completed/b"), RIGHT);
		assert_false(there(f->done, "sid/completed/.b.link"));
	}
	assert_int_equal(blob_done_link(f->b, "sid", "a", "a"), ERR_OK);
	for (int run = 0; run < 2; run++) {
		assert_int_equal(blob_done_remove(f->b, "sid", "a"), ERR_OK);
		assert_false(there(f->done, "sid/completed/a") || there(f->done, "sid/completed/a.meta.json"));
		assert_string_equal(get(f->done, "sid/completed/b"), RIGHT);
	}
	/* and with it what somebody who died has left of a note and of a name */
	assert_int_equal(blob_note_begin(f->b, "sid", "b", "{}"), ERR_OK);
	assert_false(there(f->done, "sid/completed/b.meta.json"));
	put(f->done, "sid/completed/.b.link", "ri");
	assert_int_equal(blob_done_remove(f->b, "sid", "b"), ERR_OK);
	assert_false(there(f->done, "sid"));
}

/* ---- what must not be ---- */

static void plant(const char *target, const char *root, const char *rest)
{
	char p[512];
	assert_int_equal(symlink(target, path(p, root, rest)), 0);
}

static void test_links_are_refused(void **state)
{
	struct fix *f = *state;
	int fd;
	int64_t size;
	char outside[512];
	put(f->done, "outside/completed/secret", "secret");
	put(f->parts, "parts/shard_0000/1.part", RIGHT);
	path(outside, f->done, "outside/completed/secret");
	plant(outside, f->parts, "parts/shard_0000/2.part");
	assert_int_equal(blob_open(f->b, 2, true, &fd), ERR_INTERNAL);
	assert_int_equal(blob_open(f->b, 2, false, &fd), ERR_INTERNAL);
	assert_int_equal(blob_size(f->b, 2, &size), ERR_INTERNAL);
	plant(f->done, f->parts, "parts/shard_0001");
	assert_int_equal(blob_open(f->b, 1000, true, &fd), ERR_INTERNAL);
	plant("outside", f->done, "sid");
	assert_int_equal(blob_done_open(f->b, "sid", "secret", &fd), ERR_INTERNAL);
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "sid", "a"), ERR_INTERNAL);
	assert_int_equal(blob_note(f->b, "sid", "a", "x"), ERR_INTERNAL);
	assert_int_equal(blob_done_remove(f->b, "sid", "secret"), ERR_INTERNAL);
	put(f->done, "s2/x", "");
	plant("../outside/completed", f->done, "s2/completed");
	assert_int_equal(blob_done_open(f->b, "s2", "secret", &fd), ERR_INTERNAL);
	assert_int_equal(blob_done_remove(f->b, "s2", "secret"), ERR_INTERNAL);
	/* a link as target is replaced, not followed */
	put(f->done, "s3/completed/x", "");
	plant("../../outside/completed/secret", f->done, "s3/completed/a");
	assert_int_equal(blob_done_open(f->b, "s3", "a", &fd), ERR_INTERNAL);
	assert_int_equal(blob_publish(f->b, 1, strlen(RIGHT), false, "s3", "a"), ERR_OK);
	assert_string_equal(get(f->done, "outside/completed/secret"), "secret");
	assert_string_equal(get(f->done, "s3/completed/a"), RIGHT);
	/* a pipe would make the opener wait */
	assert_int_equal(mkfifo(path(outside, f->parts, "parts/shard_0000/3.part"), 0600), 0);
	assert_int_equal(blob_open(f->b, 3, false, &fd), ERR_INTERNAL);
}

static void test_names_are_asserted(void **state)
{
	struct fix *f = *state;
	static const char *bad[] = {"", ".", "..", "a/b", "/", "../x"};
	for (size_t i = 0; i < 2 * sizeof bad / sizeof *bad; i++) {
		const char *sid = i % 2 ? "sid" : bad[i / 2], *disk = i % 2 ? bad[i / 2] : "disk";
		pid_t pid = fork();
		if (pid == 0) {
			int fd;
			setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
			signal(SIGABRT, SIG_DFL);
			freopen("/dev/null", "w", stderr);
			blob_done_open(f->b, sid, disk, &fd);
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

/* ---- all part files ---- */

struct seen {
	struct blobs *b;
	int n, stop_after;
	int64_t sum, bytes, age;
};

static bool see(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct seen *s = arg;
	s->n++;
	s->sum += file;
	s->bytes += size;
	s->age = age;
	assert_int_equal(blob_remove(s->b, file), ERR_OK);
	return s->n != s->stop_after;
}

static void test_each(void **state)
{
	struct fix *f = *state;
	static const int64_t files[] = {0, 1, 999, 1000, 123456789};
	for (size_t i = 0; i < 5; i++)
		part_make(f->b, files[i], "four");
	static const char *foreign[] = {"2.part.x", "x.part", "01.part", "-1.part", "1000.part", ".part", "part", "7.parts"};
	for (size_t i = 0; i < 8; i++) {
		char name[64];
		snprintf(name, sizeof name, "parts/shard_0000/%s", foreign[i]);
		put(f->parts, name, "foreign");
	}
	struct seen s = {.b = f->b, .stop_after = 2};
	assert_int_equal(blob_each(f->b, see, &s), ERR_OK);
	assert_int_equal(s.n, 2);
	clock_shift(100);
	s.stop_after = 0;
	assert_int_equal(blob_each(f->b, see, &s), ERR_OK);
	clock_shift(0);
	assert_int_equal(s.n, 5);
	assert_int_equal(s.sum, 0 + 1 + 999 + 1000 + 123456789);
	assert_int_equal(s.bytes, 20);
	assert_in_range(s.age, 99, 160);
	assert_true(there(f->parts, "parts/shard_0000/7.parts"));
}

/* ---- full disk ---- */

static void test_full_disk(void **state)
{
	struct fix *f = *state;
	char small[64];
	int fd, to;
	size_t written;
	int64_t copied;
	struct blobs *b;
	scratch(small, tmp_root());
	if (mount("none", small, "tmpfs", 0, "size=1m") < 0) {
		print_message("test_full_disk skipped: mounting a small tmpfs: %s\n", strerror(errno));
		rmdir(small);
		return;
	}
	size_t big = 2 * 1024 * 1024;
	char *data = malloc(big), *back = malloc(big);
	for (size_t i = 0; i < big; i++)
		data[i] = (char)(i * 31 + i / 4096);
	enum err opened = blobs_open(small, f->done, &b), e = opened, e2 = opened, e3 = opened, e4 = opened;
	ssize_t r = 0;
	if (!opened && !(opened = blob_open(b, 1, true, &fd))) {
		e = blob_write(fd, data, big, 0, &written);
		r = blob_read(fd, back, big, 0);
		size_t more;
		e2 = blob_write(fd, data, 65536, (int64_t)big, &more);
		blob_close(fd);
		/* room is found again by removing */
		blob_remove(b, 1);
		opened = blob_open(b, 1, true, &fd);
		blob_write(fd, data, 300000, 0, &more);
		if (!opened && !(opened = blob_open(b, 2, true, &to))) {
			blob_write(to, data, 500000, 0, &more);
			e3 = blob_copy(fd, 0, to, 500000, 300000, &copied);
			copy_error = EINVAL;
			e4 = blob_copy(fd, 0, to, 500000, 300000, &copied);
			blob_close(to);
		}
		blob_close(fd);
	}
	blobs_close(b);
	int gone = umount(small);
	rmdir(small);
	assert_int_equal(gone, 0);
	assert_int_equal(opened, ERR_OK);
	assert_int_equal(e, ERR_NO_SPACE);
	assert_int_equal(e2, ERR_NO_SPACE);
	assert_int_equal(e3, ERR_NO_SPACE);
	assert_int_equal(e4, ERR_NO_SPACE);
	assert_in_range(copied, 100000, 299999);
	assert_in_range(written, 500000, 1024 * 1024);
	assert_int_equal(r, written);
	assert_memory_equal(data, back, written);
	free(data);
	free(back);
}

/* ---- several at once ---- */

struct worker {
	struct blobs *b;
	int i;
	enum err e;
};

/* All in one session, so that one removes the folder that the other is about to use. */
static void *work(void *arg)
{
	struct worker *w = arg;
	for (int k = 0; k < 40 && !w->e; k++) {
		int64_t file = w->i * 500 + k;
		char disk[32];
		int fd;
		size_t n;
		snprintf(disk, sizeof disk, "f%lld", (long long)file);
		w->e = blob_open(w->b, file, true, &fd);
		if (!w->e) {
			w->e = blob_write(fd, disk, strlen(disk), 0, &n);
			blob_close(fd);
		}
		if (!w->e)
			w->e = blob_publish(w->b, file, (int64_t)strlen(disk), false, "sid", disk);
		if (!w->e)
			w->e = blob_note(w->b, "sid", disk, "{}");
		if (!w->e)
			w->e = blob_done_remove(w->b, "sid", disk);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct fix *f = *state;
	struct worker w[4];
	pthread_t t[4];
	for (int i = 0; i < 4; i++) {
		w[i] = (struct worker){f->b, i, ERR_OK};
		assert_int_equal(pthread_create(&t[i], NULL, work, &w[i]), 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(w[i].e, ERR_OK);
	assert_false(there(f->done, "sid"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
static const struct CMUnitTest tests[] = {
	T(test_roots_are_made), T(test_open_write_read), T(test_short_and_interrupted_writes), T(test_entries_are_durable),
	T(test_copy_and_equal), T(test_publish_from_every_state), T(test_publish_is_durable), T(test_unpublish_and_grow),
	T(test_note_link_open_remove), T(test_links_are_refused), T(test_names_are_asserted), T(test_each), T(test_full_disk),
	T(test_threads),
};

static bool two_devices(void)
{
	struct stat a, b;
	return stat(tmp_root(), &a) == 0 && stat("/dev/shm", &b) == 0 && a.st_dev != b.st_dev && access("/dev/shm", W_OK) == 0;
}

int main(void)
{
	log_level_set(LOG_ERROR + 1);
	int failed = cmocka_run_group_tests_name("blob, one device", tests, NULL, NULL);
	want_two = true;
	if (two_devices())
		failed += cmocka_run_group_tests_name("blob, two devices", tests, NULL, NULL);
	else
		print_message("two devices skipped: %s and /dev/shm are not two writable file systems\n", tmp_root());
	return failed;
}
