/*
 * blob_publish.c - a part file becomes a finished file under its name, and a finished file a part file again.
 *
 * Either may be cut at any point and run again: the name appears only after the bytes are synced, and what a run finds of an earlier
 * one tells it where to go on.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

/* The file's stat without following a link; false if it is absent or no regular file. */
static bool stat_at(int dir, const char *name, struct stat *st)
{
	return fstatat(dir, name, st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st->st_mode);
}

static bool is_same_file(int da, const char *a, int db, const char *b)
{
	struct stat sa, sb;
	return stat_at(da, a, &sa) && stat_at(db, b, &sb) && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* ---- publishing ---- */

struct place {
	int shard, folder;             /* descriptors */
	const char *part, *disk;       /* names in them */
	int64_t file, size;
	bool keep;                     /* the part stays, under both names */
};

/* Whether the finished file is there with its right size (and contents, if a part is open to compare with). */
static enum err is_published(const struct place *p, int part, bool *yes)
{
	struct stat st;
	*yes = stat_at(p->folder, p->disk, &st) && st.st_size == p->size;
	if (!*yes || part < 0)
		return ERR_OK;
	int fd = blob_openat(p->folder, p->disk, O_RDONLY);
	if (fd < 0)
		return blob_fail("opening a finished file", errno);
	enum err e = blob_equal(part, 0, fd, 0, p->size, yes);
	if (!e && *yes)
		e = blob_sync(fd);
	close(fd);
	return e;
}

/* The part is gone: an earlier run has renamed it, maybe without living long enough to sync the folders. */
static enum err publish_again(const struct place *p)
{
	bool yes;
	enum err e = is_published(p, -1, &yes);
	if (e)
		return e;
	if (!yes)
		return ERR_NOT_FOUND;
	e = blob_dir_sync(p->folder);
	return e || p->shard < 0 ? e : blob_dir_sync(p->shard);
}

/* One device. *other is set if the kernel says that it is none. */
static enum err publish_rename(const struct place *p, int part, bool *other)
{
	enum err e = blob_sync(part);
	if (e)
		return e;
	/* After an unpublish both names are the same file, and rename(2) of such a pair does nothing. */
	if (is_same_file(p->shard, p->part, p->folder, p->disk)) {
		if (unlinkat(p->shard, p->part, 0) < 0 && errno != ENOENT)
			return blob_fail("removing a published part", errno);
	} else if (renameat(p->shard, p->part, p->folder, p->disk) < 0) {
		*other = errno == EXDEV;
		return *other ? ERR_OK : errno == ENOENT ? ERR_AGAIN : blob_fail("renaming a part to its finished name", errno);
	}
	e = blob_dir_sync(p->folder);
	return e ? e : blob_dir_sync(p->shard);
}

/* The finished file becomes a second name of the part. *other: the kernel will not have that. */
static enum err publish_link(const struct place *p, int part, bool *other)
{
	enum err e = blob_sync(part);
	if (e)
		return e;
	if (!is_same_file(p->shard, p->part, p->folder, p->disk)) {
		if (unlinkat(p->folder, p->disk, 0) < 0 && errno != ENOENT)
			return blob_fail("removing an old finished file", errno);
		if (linkat(p->shard, p->part, p->folder, p->disk, 0) < 0) {
			*other = blob_link_refused(errno);
			return *other ? ERR_OK : errno == ENOENT ? ERR_AGAIN : blob_fail("giving a part its finished name", errno);
		}
	}
	return blob_dir_sync(p->folder);
}

static void copy_name(int64_t file, char temp[COPY_NAME_LEN])
{
	snprintf(temp, COPY_NAME_LEN, ".%lld" BLOB_COPY_SUFFIX, (long long)file);
}

static enum err publish_copy(const struct place *p, int part)
{
	char temp[COPY_NAME_LEN];
	bool yes;
	copy_name(p->file, temp);
	enum err e = is_published(p, part, &yes);
	if (!e && !yes) {
		e = blob_copy_to(part, p->size, p->folder, temp, true);
		if (!e && renameat(p->folder, temp, p->folder, p->disk) < 0)
			e = errno == ENOENT ? ERR_AGAIN : blob_fail("renaming a copy to its finished name", errno);
	}
	/* A half copy on a full disk would keep it full. */
	if (e || yes)
		unlinkat(p->folder, temp, 0);
	return e ? e : blob_dir_sync(p->folder);
}

static enum err publish_part(struct blobs *b, const struct place *p, int part)
{
	struct stat st;
	if (fstat(part, &st) < 0)
		return blob_fail("fstat of a part file", errno);
	if (st.st_size < p->size) {
		log_event(LOG_ERROR, "blob", "a part file is shorter than its ledger says", "file", LI(p->file), "size", LI(st.st_size),
			"wanted", LI(p->size), NULL);
		return ERR_INTERNAL;
	}
	/* fsync: fdatasync need not make a cut durable. */
	if (st.st_size > p->size && (ftruncate(part, p->size) < 0 || fsync(part) < 0))
		return blob_fail("cutting a part file", errno);
	bool other = !blobs_same_device(b);
	enum err e = other ? ERR_OK : p->keep ? publish_link(p, part, &other) : publish_rename(p, part, &other);
	if (e || !other)
		return e;
	/* A file system without links may still rename. */
	if (!p->keep)
		atomic_store(&b->same_device, false);
	return publish_copy(p, part);
}

static enum err publish_once(struct blobs *b, struct place *p, const char *sid)
{
	p->folder = blob_completed(b, sid, true);
	if (p->folder < 0)
		return errno == ENOENT ? ERR_AGAIN : blob_fail("opening a session's folder", errno);
	int part = p->shard < 0 ? -1 : blob_openat(p->shard, p->part, O_RDWR);
	enum err e;
	if (part >= 0)
		e = publish_part(b, p, part);
	else if (errno == ENOENT)
		e = publish_again(p);
	else
		e = blob_fail("opening a part file", errno);
	blob_close(part);
	close(p->folder);
	return e;
}

enum err blob_publish(struct blobs *b, int64_t file, int64_t size, bool keep, const char *sid, const char *disk)
{
	assert(file >= 0 && size >= 0);
	blob_name_check(disk);
	char part[PART_NAME_LEN];
	struct place p = {.part = part, .disk = disk, .file = file, .size = size, .keep = keep};
	p.shard = blob_shard(b, file, false, part);
	if (p.shard < 0 && errno != ENOENT)
		return blob_fail("opening a shard", errno);
	enum err e = ERR_AGAIN;
	for (int i = 0; i < FOLDER_TRIES && e == ERR_AGAIN; i++)
		e = publish_once(b, &p, sid);
	if (p.shard >= 0)
		close(p.shard);
	return e;
}

enum err blob_copy_size(struct blobs *b, int64_t file, const char *sid, int64_t *size)
{
	char temp[COPY_NAME_LEN];
	int fd;
	*size = 0;
	copy_name(file, temp);
	enum err e = blob_done_open(b, sid, temp, &fd);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = blob_fd_size(fd, size);
	blob_close(fd);
	return e;
}

enum err blob_copy_remove(struct blobs *b, int64_t file, const char *sid)
{
	char temp[COPY_NAME_LEN];
	copy_name(file, temp);
	return blobs_same_device(b) ? ERR_OK : blob_done_remove(b, sid, temp);
}

/* ---- and back ---- */

static enum err unpublish_at(int folder, const char *disk, int shard, const char *part)
{
	struct stat st;
	int from = blob_openat(folder, disk, O_RDONLY);
	if (from < 0)
		return blob_fail("opening a finished file", errno);
	enum err e = ERR_OK;
	if (linkat(folder, disk, shard, part, 0) == 0 || (errno == EEXIST && is_same_file(folder, disk, shard, part)))
		;
	else if (errno != EEXIST && !blob_link_refused(errno))
		e = blob_fail("linking a finished file back", errno);
	else if (fstat(from, &st) < 0)
		e = blob_fail("fstat of a finished file", errno);
	else
		/* An earlier run's copy may have grown since: it is completed, never cut. */
		e = blob_copy_to(from, st.st_size, shard, part, false);
	close(from);
	return e ? e : blob_dir_sync(shard);
}

enum err blob_unpublish(struct blobs *b, const char *sid, const char *disk, int64_t file)
{
	assert(file >= 0);
	blob_name_check(disk);
	char part[PART_NAME_LEN];
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	int shard = blob_shard(b, file, true, part);
	enum err e = shard < 0 ? blob_fail("opening a shard", errno) : unpublish_at(folder, disk, shard, part);
	if (shard >= 0)
		close(shard);
	close(folder);
	return e;
}
