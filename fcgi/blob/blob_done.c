/*
 * blob_done.c - finished files under their names: opening, second names, removal.
 *
 * Every function may be cut at any point and run again: a name appears by rename or link only after its bytes are synced, and the
 * folder is synced before the caller may say so to anybody.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob/blob.h"
#include "blob/blob_priv.h"

void blob_name_check(const char *name)
{
	assert(name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

void blob_name_join(char out[NAME_MAX + 1], const char *before, const char *name, const char *after)
{
	int n = snprintf(out, NAME_MAX + 1, "%s%s%s", before, name, after);
	assert(n > 0 && n <= NAME_MAX);
	(void)n;
}

int blob_completed(const struct blobs *b, const char *sid, bool make)
{
	blob_name_check(sid);
	int parent = blob_dir(b->done, sid, make);
	if (parent < 0)
		return -1;
	int fd = blob_dir(parent, "completed", make);
	int no = errno;
	close(parent);
	errno = no;
	return fd;
}

bool blob_link_refused(int no)
{
	return no == EXDEV || no == EPERM || no == EMLINK || no == EOPNOTSUPP;
}

enum err blob_copy_to(int from, int64_t n, int to, const char *to_name, bool cut)
{
	int fd = blob_openat(to, to_name, O_RDWR | O_CREAT);
	if (fd < 0)
		return errno == ENOENT ? ERR_AGAIN : blob_fail("making a copy", errno);
	enum err e = blob_copy_resume(from, fd, n);
	if (!e && cut && ftruncate(fd, n) < 0)
		e = blob_fail("ftruncate of a copy", errno);
	/* fsync: the cut must be durable, too. */
	if (!e && fsync(fd) < 0)
		e = blob_fail("fsync of a copy", errno);
	close(fd);
	return e;
}

enum err blob_done_open(struct blobs *b, const char *sid, const char *disk, int *fd)
{
	blob_name_check(disk);
	*fd = -1;
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	*fd = blob_openat(folder, disk, O_RDONLY);
	enum err e = *fd < 0 ? blob_fail("opening a finished file", errno) : ERR_OK;
	close(folder);
	return e;
}

static enum err cut_at(int folder, const char *disk, int64_t size)
{
	struct stat st;
	int fd = blob_openat(folder, disk, O_RDWR);
	if (fd < 0)
		return blob_fail("opening a finished file", errno);
	bool done = fstat(fd, &st) == 0 && (st.st_size <= size || ftruncate(fd, size) == 0);
	enum err e = done ? ERR_OK : blob_fail("cutting a finished file", errno);
	close(fd);
	return e;
}

enum err blob_done_cut(struct blobs *b, const char *sid, const char *disk, int64_t size)
{
	blob_name_check(disk);
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	enum err e = cut_at(folder, disk, size);
	close(folder);
	return e;
}

/* The name is taken: by this very file, which is success, or by another. */
static enum err taken(int folder, int from, const char *new_disk)
{
	struct stat mine, theirs;
	if (fstat(from, &mine) < 0 || fstatat(folder, new_disk, &theirs, AT_SYMLINK_NOFOLLOW) < 0)
		return blob_fail("looking at a second name", errno);
	return mine.st_dev == theirs.st_dev && mine.st_ino == theirs.st_ino ? ERR_OK : ERR_CONFLICT;
}

/* Where links are refused: a copy under a temporary name, which takes the new one only if it is free. */
static enum err copy_name(int folder, int from, const char *new_disk)
{
	char temp[NAME_MAX + 1];
	struct stat st;
	blob_name_join(temp, ".", new_disk, BLOB_LINK_SUFFIX);
	if (fstat(from, &st) < 0)
		return blob_fail("looking at a finished file", errno);
	unlinkat(folder, temp, 0);
	enum err e = blob_copy_to(from, st.st_size, folder, temp, true);
	if (!e && renameat2(folder, temp, folder, new_disk, RENAME_NOREPLACE) < 0)
		e = errno == EEXIST ? ERR_CONFLICT : blob_fail("renaming a second name", errno);
	unlinkat(folder, temp, 0);
	return e;
}

/* Never over an existing name: another recording may have taken it since the caller looked. */
static enum err link_at(int folder, const char *disk, const char *new_disk)
{
	int from = blob_openat(folder, disk, O_RDONLY);
	if (from < 0)
		return blob_fail("opening a finished file", errno);
	enum err e = ERR_OK;
	if (linkat(folder, disk, folder, new_disk, 0) < 0) {
		if (errno == EEXIST)
			e = taken(folder, from, new_disk);
		else if (blob_link_refused(errno))
			e = copy_name(folder, from, new_disk);
		else
			e = blob_fail("linking a finished file", errno);
	}
	close(from);
	return e ? e : blob_dir_sync(folder);
}

enum err blob_done_link(struct blobs *b, const char *sid, const char *disk, const char *new_disk)
{
	blob_name_check(disk);
	blob_name_check(new_disk);
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	enum err e = link_at(folder, disk, new_disk);
	close(folder);
	return e;
}

static enum err put_at(int folder, const char *disk, int from, int64_t size)
{
	char temp[NAME_MAX + 1];
	blob_name_join(temp, ".", disk, BLOB_LINK_SUFFIX);
	enum err e = blob_copy_to(from, size, folder, temp, true);
	if (!e && renameat(folder, temp, folder, disk) < 0)
		e = blob_fail("renaming a finished file", errno);
	if (e)
		unlinkat(folder, temp, 0);
	return e ? e : blob_dir_sync(folder);
}

enum err blob_done_put(struct blobs *b, const char *sid, const char *disk, int from, int64_t size)
{
	blob_name_check(disk);
	int folder = blob_completed(b, sid, true);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	enum err e = put_at(folder, disk, from, size);
	close(folder);
	return e;
}

static enum err remove_name(int dir, const char *name, int flags)
{
	if (unlinkat(dir, name, flags) == 0 || errno == ENOENT || (flags && (errno == ENOTEMPTY || errno == EEXIST)))
		return ERR_OK;
	return blob_fail("removing a finished file", errno);
}

/* The file, its note, and what somebody who died has left of a second name or of a note. */
static enum err remove_all(int folder, const char *disk)
{
	static const char *const parts[][2] = {{"", ""}, {"", BLOB_NOTE_SUFFIX}, {".", BLOB_NOTE_NEW_SUFFIX}, {".", BLOB_LINK_SUFFIX}};
	char name[NAME_MAX + 1];
	enum err e = ERR_OK;
	for (size_t i = 0; !e && i < sizeof parts / sizeof *parts; i++) {
		blob_name_join(name, parts[i][0], disk, parts[i][1]);
		e = remove_name(folder, name, 0);
	}
	return e;
}

static enum err remove_at(const struct blobs *b, const char *sid, int parent, int folder, const char *disk)
{
	enum err e = remove_all(folder, disk);
	if (!e)
		e = blob_dir_sync(folder);
	if (!e)
		e = remove_name(parent, "completed", AT_REMOVEDIR);
	return e ? e : remove_name(b->done, sid, AT_REMOVEDIR);
}

enum err blob_done_remove(struct blobs *b, const char *sid, const char *disk)
{
	blob_name_check(sid);
	blob_name_check(disk);
	int parent = blob_dir(b->done, sid, false);
	if (parent < 0)
		return errno == ENOENT ? ERR_OK : blob_fail("opening a session's folder", errno);
	enum err e = ERR_OK;
	int folder = blob_dir(parent, "completed", false);
	if (folder >= 0)
		e = remove_at(b, sid, parent, folder, disk);
	else if (errno == ENOENT)
		e = remove_name(b->done, sid, AT_REMOVEDIR);
	else
		e = blob_fail("opening a session's folder", errno);
	if (folder >= 0)
		close(folder);
	close(parent);
	return e;
}
