/*
 * blob_done.c - finished files: publishing a part file under its name, and back; notes, second names, removal.
 *
 * Every function may be cut at any point and run again: a name appears by rename or link only after its bytes are synced, and the
 * folder is synced before the caller may say so to anybody.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

#define NOTE_SUFFIX ".meta.json"
#define FOLDER_TRIES 16               /* a removal may take the emptied folder away between our entering and our rename */

static void name_check(const char *name)
{
	assert(name && *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0);
}

static void name_join(char out[NAME_MAX + 1], const char *before, const char *name, const char *after)
{
	int n = snprintf(out, NAME_MAX + 1, "%s%s%s", before, name, after);
	assert(n > 0 && n <= NAME_MAX);
	(void)n;
}

/* Opens <done>/<sid>/completed. -1 and errno. */
static int completed(const struct blobs *b, const char *sid, bool make)
{
	name_check(sid);
	int parent = blob_dir(b->done, sid, make);
	if (parent < 0)
		return -1;
	int fd = blob_dir(parent, "completed", make);
	int no = errno;
	close(parent);
	errno = no;
	return fd;
}

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

/* Links may not be made here: another device, a file system without links, or too many of them. */
static bool link_refused(int no)
{
	return no == EXDEV || no == EPERM || no == EMLINK || no == EOPNOTSUPP;
}

/* Makes to_name in to a synced copy of the first n bytes of from; what is there already is kept as far as it is equal. cut: a longer
 * copy is shortened. The name itself is not synced. */
static enum err copy_to(int from, int64_t n, int to, const char *to_name, bool cut)
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

/* ---- publishing ---- */

struct place {
	int shard, folder;             /* descriptors */
	const char *part, *disk;       /* names in them */
	int64_t file, size;
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

static enum err publish_copy(const struct place *p, int part)
{
	char temp[48];
	bool yes;
	snprintf(temp, sizeof temp, ".%lld.copy", (long long)p->file);
	enum err e = is_published(p, part, &yes);
	if (!e && !yes) {
		e = copy_to(part, p->size, p->folder, temp, true);
		if (!e && renameat(p->folder, temp, p->folder, p->disk) < 0)
			e = errno == ENOENT ? ERR_AGAIN : blob_fail("renaming a copy to its finished name", errno);
	} else if (!e) {
		unlinkat(p->folder, temp, 0);
	}
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
	enum err e = other ? ERR_OK : publish_rename(p, part, &other);
	if (e || !other)
		return e;
	atomic_store(&b->same_device, false);
	return publish_copy(p, part);
}

static enum err publish_once(struct blobs *b, struct place *p, const char *sid)
{
	p->folder = completed(b, sid, true);
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

enum err blob_publish(struct blobs *b, int64_t file, int64_t size, const char *sid, const char *disk)
{
	assert(file >= 0 && size >= 0);
	name_check(disk);
	char part[PART_NAME_LEN];
	struct place p = {.part = part, .disk = disk, .file = file, .size = size};
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
	else if (errno != EEXIST && !link_refused(errno))
		e = blob_fail("linking a finished file back", errno);
	else if (fstat(from, &st) < 0)
		e = blob_fail("fstat of a finished file", errno);
	else
		/* An earlier run's copy may have grown since: it is completed, never cut. */
		e = copy_to(from, st.st_size, shard, part, false);
	close(from);
	return e ? e : blob_dir_sync(shard);
}

enum err blob_unpublish(struct blobs *b, const char *sid, const char *disk, int64_t file)
{
	assert(file >= 0);
	name_check(disk);
	char part[PART_NAME_LEN];
	int folder = completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	int shard = blob_shard(b, file, true, part);
	enum err e = shard < 0 ? blob_fail("opening a shard", errno) : unpublish_at(folder, disk, shard, part);
	if (shard >= 0)
		close(shard);
	close(folder);
	return e;
}

/* ---- notes, names, removal ---- */

static enum err note_at(int folder, const char *disk, const char *text)
{
	char name[NAME_MAX + 1], temp[NAME_MAX + 1];
	name_join(name, "", disk, NOTE_SUFFIX);
	name_join(temp, ".", disk, NOTE_SUFFIX ".new");
	if (unlinkat(folder, temp, 0) < 0 && errno != ENOENT)
		return blob_fail("removing an old note", errno);
	int fd = blob_openat(folder, temp, O_RDWR | O_CREAT);
	if (fd < 0)
		return errno == ENOENT ? ERR_AGAIN : blob_fail("making a note", errno);
	size_t written;
	enum err e = blob_write(fd, text, strlen(text), 0, &written);
	if (!e)
		e = blob_sync(fd);
	close(fd);
	if (!e && renameat(folder, temp, folder, name) < 0)
		e = errno == ENOENT ? ERR_AGAIN : blob_fail("renaming a note", errno);
	if (e)
		unlinkat(folder, temp, 0);
	return e ? e : blob_dir_sync(folder);
}

enum err blob_note(struct blobs *b, const char *sid, const char *disk, const char *text)
{
	name_check(disk);
	enum err e = ERR_AGAIN;
	for (int i = 0; i < FOLDER_TRIES && e == ERR_AGAIN; i++) {
		int folder = completed(b, sid, true);
		if (folder < 0) {
			e = errno == ENOENT ? ERR_AGAIN : blob_fail("opening a session's folder", errno);
			continue;
		}
		e = note_at(folder, disk, text);
		close(folder);
	}
	return e;
}

enum err blob_done_open(struct blobs *b, const char *sid, const char *disk, int *fd)
{
	name_check(disk);
	*fd = -1;
	int folder = completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	*fd = blob_openat(folder, disk, O_RDONLY);
	enum err e = *fd < 0 ? blob_fail("opening a finished file", errno) : ERR_OK;
	close(folder);
	return e;
}

/* By a temporary name and rename, so that an existing name changes at once or not at all. */
static enum err link_at(int folder, const char *disk, const char *new_disk)
{
	char temp[NAME_MAX + 1];
	struct stat st;
	name_join(temp, ".", new_disk, ".link");
	int from = blob_openat(folder, disk, O_RDONLY);
	if (from < 0)
		return blob_fail("opening a finished file", errno);
	enum err e = ERR_OK;
	unlinkat(folder, temp, 0);
	if (linkat(folder, disk, folder, temp, 0) < 0) {
		if (!link_refused(errno) || fstat(from, &st) < 0)
			e = blob_fail("linking a finished file", errno);
		else
			e = copy_to(from, st.st_size, folder, temp, true);
	}
	close(from);
	if (!e && renameat(folder, temp, folder, new_disk) < 0)
		e = blob_fail("renaming a second name", errno);
	/* Left over after a failure, or where new_disk was this file already: rename(2) does nothing then. */
	unlinkat(folder, temp, 0);
	return e ? e : blob_dir_sync(folder);
}

enum err blob_done_link(struct blobs *b, const char *sid, const char *disk, const char *new_disk)
{
	name_check(disk);
	name_check(new_disk);
	int folder = completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	enum err e = link_at(folder, disk, new_disk);
	close(folder);
	return e;
}

static enum err remove_name(int dir, const char *name, int flags)
{
	if (unlinkat(dir, name, flags) == 0 || errno == ENOENT || (flags && (errno == ENOTEMPTY || errno == EEXIST)))
		return ERR_OK;
	return blob_fail("removing a finished file", errno);
}

static enum err remove_at(const struct blobs *b, const char *sid, int parent, int folder, const char *disk)
{
	char note[NAME_MAX + 1];
	name_join(note, "", disk, NOTE_SUFFIX);
	enum err e = remove_name(folder, disk, 0);
	if (!e)
		e = remove_name(folder, note, 0);
	if (!e)
		e = blob_dir_sync(folder);
	if (!e)
		e = remove_name(parent, "completed", AT_REMOVEDIR);
	return e ? e : remove_name(b->done, sid, AT_REMOVEDIR);
}

enum err blob_done_remove(struct blobs *b, const char *sid, const char *disk)
{
	name_check(sid);
	name_check(disk);
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
