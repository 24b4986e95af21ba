/*
 * blob_file.c - part files: opening, writing, reading, syncing, copying, comparing, removing.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

#define WRITE_BACK (256 * 1024)           /* start write-back whenever this much is new: 1.5 times quicker to the sync's end */
#define COPY_BUFFER (64 * 1024)
#define COPY_STEP (8 * 1024 * 1024)       /* a copy_file_range call: short enough for write-back to keep up */

int blob_openat(int dir, const char *name, int flags)
{
	int fd = openat(dir, name, flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, BLOB_FILE_MODE);
	struct stat st;
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* An empty file may have been made by one who died before its entry was synced. One with bytes had an opener who got past here. */
static enum err entry_durable(int dir, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return blob_fail("fstat of a part file", errno);
	return st.st_size ? ERR_OK : blob_dir_sync(dir);
}

enum err blob_open(struct blobs *b, int64_t file, bool write, int *fd)
{
	assert(file >= 0);
	char name[PART_NAME_LEN];
	*fd = -1;
	int dir = blob_shard(b, file, write, name);
	if (dir < 0)
		return blob_fail("opening a shard", errno);
	enum err e = ERR_OK;
	int f = blob_openat(dir, name, write ? O_RDWR | O_CREAT : O_RDONLY);
	if (f < 0)
		e = blob_fail("opening a part file", errno);
	else if (write)
		e = entry_durable(dir, f);
	close(dir);
	if (e && f >= 0)
		close(f);
	else if (!e)
		*fd = f;
	return e;
}

void blob_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* A write that crosses a multiple of WRITE_BACK starts the disk on everything below it: no state to keep, whatever the pieces. */
static void start_write_back(int fd, int64_t from, int64_t to)
{
	int64_t low = from - from % WRITE_BACK, high = to - to % WRITE_BACK;
	if (high > low)
		sync_file_range(fd, low, high - low, SYNC_FILE_RANGE_WRITE);
}

enum err blob_write(int fd, const void *p, size_t n, int64_t at, size_t *written)
{
	const char *c = p;
	enum err e = ERR_OK;
	*written = 0;
	while (*written < n) {
		ssize_t w = pwrite(fd, c + *written, n - *written, at + (int64_t)*written);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			e = blob_fail("writing data", w < 0 ? errno : EIO);
			break;
		}
		*written += (size_t)w;
	}
	start_write_back(fd, at, at + (int64_t)*written);
	return e;
}

static bool allocate(int fd, int64_t at, int64_t n)
{
	int rc;
	while ((rc = fallocate(fd, FALLOC_FL_KEEP_SIZE, at, n)) < 0 && errno == EINTR)
		continue;
	return rc == 0;
}

static void give_back(int fd, int64_t at, int64_t n)
{
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, at, n);
}

enum err blob_reserve(int fd, int64_t at, int64_t n, bool *done)
{
	*done = allocate(fd, at, n);
	if (*done || errno == EOPNOTSUPP || errno == ENOSYS)
		return ERR_OK;
	enum err e = blob_fail("reserving space", errno);
	give_back(fd, at, n);
	return e;
}

/* No call tells it on every file system, but allocating what is there changes nothing. A file that has fewer bytes is not asked, so that nobody sees
 * the disk full for a moment. */
bool blob_reserved(int fd, int64_t at, int64_t n)
{
	struct stat before, after;
	if (fstat(fd, &before) < 0 || (int64_t)before.st_blocks * 512 < n)
		return false;
	bool there = allocate(fd, at, n) && fstat(fd, &after) == 0 && after.st_blocks == before.st_blocks;
	if (!there)
		give_back(fd, at, n);
	return there;
}

ssize_t blob_read(int fd, void *p, size_t n, int64_t at)
{
	ssize_t r;
	do
		r = pread(fd, p, n, at);
	while (r < 0 && errno == EINTR);
	return r;
}

/* Not repeated on failure: after a failed sync the kernel may count the lost pages as clean, so a second one would lie. */
enum err blob_sync(int fd)
{
	return fdatasync(fd) < 0 ? blob_fail("fdatasync", errno) : ERR_OK;
}

static enum err copy_by_buffer(int from, int64_t from_at, int to, int64_t to_at, int64_t n, int64_t *copied)
{
	char *buf = malloc(COPY_BUFFER);
	enum err e = buf ? ERR_OK : ERR_NOMEM;
	while (!e && *copied < n) {
		size_t want = n - *copied < COPY_BUFFER ? (size_t)(n - *copied) : COPY_BUFFER, w;
		ssize_t r = blob_read(from, buf, want, from_at + *copied);
		if (r <= 0) {
			e = blob_fail("reading to copy", r < 0 ? errno : ENODATA);
			break;
		}
		e = blob_write(to, buf, (size_t)r, to_at + *copied, &w);
		*copied += (int64_t)w;
	}
	free(buf);
	return e;
}

/* Reasons to copy by hand: other file system, no such call, or refused for these two files. */
static bool copy_refused(int no)
{
	return no == EXDEV || no == EINVAL || no == ENOSYS || no == EOPNOTSUPP || no == EPERM;
}

enum err blob_copy(int from, int64_t from_at, int to, int64_t to_at, int64_t n, int64_t *copied)
{
	*copied = 0;
	while (*copied < n) {
		off64_t in = from_at + *copied, out = to_at + *copied;
		size_t step = n - *copied < COPY_STEP ? (size_t)(n - *copied) : COPY_STEP;
		ssize_t c = copy_file_range(from, &in, to, &out, step, 0);
		if (c < 0 && errno == EINTR)
			continue;
		/* 0 is the end of the file, or a file system that pretends: reading tells. */
		if (c == 0 || (c < 0 && copy_refused(errno)))
			return copy_by_buffer(from, from_at, to, to_at, n, copied);
		if (c < 0)
			return blob_fail("copy_file_range", errno);
		start_write_back(to, to_at + *copied, to_at + *copied + c);
		*copied += c;
	}
	return ERR_OK;
}

/* How many of n bytes are equal, counted up to the first difference or short end. */
static enum err equal_prefix(int a, int64_t a_at, int b, int64_t b_at, int64_t n, int64_t *same)
{
	char *buf = malloc(2 * COPY_BUFFER);
	*same = 0;
	if (!buf)
		return ERR_NOMEM;
	char *other = buf + COPY_BUFFER;
	enum err e = ERR_OK;
	while (*same < n) {
		size_t want = n - *same < COPY_BUFFER ? (size_t)(n - *same) : COPY_BUFFER;
		ssize_t ra = blob_read(a, buf, want, a_at + *same);
		ssize_t rb = ra <= 0 ? ra : blob_read(b, other, (size_t)ra, b_at + *same);
		if (ra < 0 || rb < 0)
			e = blob_fail("reading to compare", errno);
		if (ra <= 0 || rb <= 0)
			break;
		ssize_t i = 0;
		if (memcmp(buf, other, (size_t)rb) == 0)
			i = rb;
		else
			while (buf[i] == other[i])
				i++;
		*same += i;
		if (i < rb)
			break;
	}
	free(buf);
	return e;
}

enum err blob_equal(int a, int64_t a_at, int b, int64_t b_at, int64_t n, bool *equal)
{
	int64_t same;
	enum err e = equal_prefix(a, a_at, b, b_at, n, &same);
	*equal = !e && same == n;
	return e;
}

enum err blob_copy_resume(int from, int to, int64_t n)
{
	int64_t same, copied;
	enum err e = equal_prefix(from, 0, to, 0, n, &same);
	return e ? e : blob_copy(from, same, to, same, n - same, &copied);
}

enum err blob_remove(struct blobs *b, int64_t file)
{
	assert(file >= 0);
	char name[PART_NAME_LEN];
	int dir = blob_shard(b, file, false, name);
	if (dir < 0)
		return errno == ENOENT ? ERR_OK : blob_fail("opening a shard", errno);
	enum err e = ERR_OK;
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		e = blob_fail("removing a part file", errno);
	close(dir);
	return e;
}

enum err blob_fd_size(int fd, int64_t *size)
{
	struct stat st;
	*size = 0;
	if (fstat(fd, &st) < 0)
		return blob_fail("fstat of a file", errno);
	*size = st.st_size;
	return ERR_OK;
}

enum err blob_size(struct blobs *b, int64_t file, int64_t *size)
{
	int fd;
	enum err e = blob_open(b, file, false, &fd);
	if (e)
		return e;
	e = blob_fd_size(fd, size);
	close(fd);
	return e;
}
