/*
 * blob_root.c - the two roots of the byte store and the folders below them.
 *
 * Durability of folders rests on one habit: nothing is put into a folder before the folder's own entry is synced. So a folder that
 * holds something is known to be durable, whoever made it; only an empty one costs an fsync of its parent.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

enum err blob_fail(const char *what, int no)
{
	enum err e = err_from_errno(no);
	if (e != ERR_NOT_FOUND)
		log_event(e == ERR_NO_SPACE ? LOG_WARN : LOG_ERROR, "blob", what, "errno", LI(no), "reason", LS(strerror(no)), NULL);
	return e;
}

enum err blob_dir_sync(int dir)
{
	if (fsync(dir) == 0 || errno == EINVAL)
		return ERR_OK;
	return blob_fail("fsync of a folder", errno);
}

static bool dir_used(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	bool used = false;
	for (struct dirent *e; !used && (e = readdir(d));)
		used = strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return used;
}

static int dir_open(int parent, const char *name)
{
	return openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int blob_dir(int parent, const char *name, bool make)
{
	int fd = dir_open(parent, name);
	if (fd < 0 && errno == ENOENT && make) {
		if (mkdirat(parent, name, BLOB_DIR_MODE) < 0 && errno != EEXIST)
			return -1;
		fd = dir_open(parent, name);
	}
	if (fd >= 0 && make && !dir_used(fd) && blob_dir_sync(parent) != ERR_OK) {
		close(fd);
		errno = EIO;
		return -1;
	}
	return fd;
}

int blob_shard(struct blobs *b, int64_t file, bool make, char name[PART_NAME_LEN])
{
	int64_t number = file / SHARD_FILES;
	char shard[PART_NAME_LEN];
	snprintf(shard, sizeof shard, "shard_%04lld", (long long)number);
	snprintf(name, PART_NAME_LEN, "%lld.part", (long long)file);
	atomic_int_least64_t *known = &b->known[number % KNOWN_SHARDS];
	if (make && atomic_load(known) == number + 1) {
		int fd = blob_dir(b->parts, shard, false);
		if (fd >= 0 || errno != ENOENT)
			return fd;
	}
	int fd = blob_dir(b->parts, shard, make);
	if (fd >= 0 && make)
		atomic_store(known, number + 1);
	return fd;
}

/* Syncs the entry of an open root folder in its parent; a parent that we may not read is the operator's, made long ago. */
static enum err root_sync(int dir)
{
	int parent = openat(dir, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent < 0)
		return ERR_OK;
	enum err e = blob_dir_sync(parent);
	close(parent);
	return e;
}

/* One folder at a path of the operator's choice; links in the path are his business and are followed. -1 and errno. */
static int root_enter(const char *path, bool make)
{
	if (make && mkdir(path, BLOB_DIR_MODE) < 0 && errno != EEXIST)
		return -1;
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && !dir_used(fd) && root_sync(fd) != ERR_OK) {
		close(fd);
		errno = EIO;
		return -1;
	}
	return fd;
}

/* The folder at path, made with its parents if absent. */
static int root_open(const char *path)
{
	int fd = root_enter(path, false);
	char *copy = fd < 0 && errno == ENOENT ? strdup(path) : NULL;
	if (!copy)
		return fd;
	for (char *slash = copy; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (access(copy, F_OK) < 0 && (fd = root_enter(copy, true)) >= 0)
			close(fd);
		*slash = '/';
	}
	fd = root_enter(path, true);
	int no = errno;
	free(copy);
	errno = no;
	return fd;
}

static bool one_device(int a, int b)
{
	struct stat sa, sb;
	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev;
}

enum err blobs_open(const char *parts_dir, const char *done_dir, struct blobs **out)
{
	struct blobs *b = calloc(1, sizeof *b);
	*out = NULL;
	if (!b)
		return ERR_NOMEM;
	int root = root_open(parts_dir);
	b->parts = root < 0 ? -1 : blob_dir(root, "parts", true);
	int no = errno;
	if (root >= 0)
		close(root);
	errno = no;
	b->done = b->parts < 0 ? -1 : root_open(done_dir);
	if (b->done < 0) {
		enum err e = blob_fail("opening the data folders", errno);
		blobs_close(b);
		return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
	}
	atomic_init(&b->same_device, one_device(b->parts, b->done));
	*out = b;
	return ERR_OK;
}

void blobs_close(struct blobs *b)
{
	if (!b)
		return;
	if (b->parts >= 0)
		close(b->parts);
	if (b->done >= 0)
		close(b->done);
	free(b);
}

bool blobs_same_device(const struct blobs *b)
{
	return atomic_load(&b->same_device);
}

static enum err free_space(int dir, int64_t *out)
{
	struct statvfs v;
	if (fstatvfs(dir, &v) < 0)
		return blob_fail("fstatvfs", errno);
	*out = (int64_t)(v.f_bavail * v.f_frsize);
	return ERR_OK;
}

enum err blobs_free_space(const struct blobs *b, int64_t *parts, int64_t *done)
{
	enum err e = free_space(b->parts, parts);
	return e ? e : free_space(b->done, done);
}

/* The name is of its own, because several processes may try at the same moment. */
static enum err dir_writable(int dir)
{
	unsigned char r[8];
	char hex[2 * sizeof r + 1], name[40];
	digest_random(r, sizeof r);
	text_hex(r, sizeof r, hex);
	snprintf(name, sizeof name, ".writable-%s", hex);
	int fd = blob_openat(dir, name, O_RDWR | O_CREAT | O_EXCL);
	if (fd < 0)
		return blob_fail("making a probe file", errno);
	size_t written;
	enum err e = blob_write(fd, hex, sizeof hex, 0, &written);
	if (!e)
		e = blob_sync(fd);
	close(fd);
	if (unlinkat(dir, name, 0) < 0 && !e)
		e = blob_fail("removing a probe file", errno);
	return e;
}

enum err blobs_writable(const struct blobs *b)
{
	enum err e = dir_writable(b->parts);
	return e ? e : dir_writable(b->done);
}
