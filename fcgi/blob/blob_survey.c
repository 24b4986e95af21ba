/*
 * blob_survey.c - every name below the two roots that is no part file: finished files, notes, leftovers of processes that died, strangers.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

struct survey {
	bool (*f)(void *arg, const struct blob_found *x);
	void *arg;
	bool go_on;
};

static bool ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n > m && strcmp(s + n - m, suffix) == 0;
}

/* Names that this room gives to a file until it is whole. */
static bool is_temp(const char *name)
{
	return text_starts(name, ".writable-")
		|| (*name == '.' && (ends(name, BLOB_COPY_SUFFIX) || ends(name, BLOB_LINK_SUFFIX) || ends(name, BLOB_NOTE_NEW_SUFFIX)));
}

static enum blob_found_kind kind_in_completed(const char *name)
{
	if (is_temp(name))
		return BLOB_FOUND_TEMP;
	if (*name == '.')
		return BLOB_FOUND_STRANGER;
	return ends(name, BLOB_NOTE_SUFFIX) ? BLOB_FOUND_NOTE : BLOB_FOUND_DONE;
}

static void tell(struct survey *s, int dir, enum blob_found_kind kind, const char *where, const char *name)
{
	struct stat st;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	struct blob_found x = {.kind = S_ISREG(st.st_mode) ? kind : BLOB_FOUND_STRANGER, .where = where, .name = name, .size = st.st_size,
		.changed = st.st_ctim.tv_sec};
	s->go_on = s->f(s->arg, &x);
}

/* Calls f for the names in a folder. One that vanished meanwhile is empty. */
static void each_name(struct survey *s, int parent, const char *folder, void (*f)(struct survey *s, int dir, const char *folder, const char *name))
{
	int fd = blob_dir(parent, folder, false);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; s->go_on && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			f(s, dirfd(d), folder, e->d_name);
	closedir(d);
}

/* ---- parts ---- */

static void shard_name(struct survey *s, int dir, const char *folder, const char *name)
{
	int64_t shard, file;
	if (!num_u63(folder + 6, &shard) || !blob_part_number(name, shard, &file))
		tell(s, dir, BLOB_FOUND_STRANGER, folder, name);
}

static void parts_name(struct survey *s, int dir, const char *folder, const char *name)
{
	int64_t shard;
	(void)folder;
	if (text_starts(name, "shard_") && num_u63(name + 6, &shard))
		each_name(s, dir, name, shard_name);
	else
		tell(s, dir, is_temp(name) ? BLOB_FOUND_TEMP : BLOB_FOUND_STRANGER, "parts", name);
}

/* ---- finished files ---- */

struct below {
	struct survey s;                /* first: each_name hands it back */
	const char *sid;
};

static void completed_name(struct survey *s, int dir, const char *folder, const char *name)
{
	(void)folder;
	tell(s, dir, kind_in_completed(name), ((struct below *)s)->sid, name);
}

static void sid_name(struct survey *s, int dir, const char *folder, const char *name)
{
	((struct below *)s)->sid = folder;
	if (strcmp(name, "completed") == 0)
		each_name(s, dir, name, completed_name);
}

/* What else lies beside the folders of sessions is the operator's own. */
static void done_name(struct survey *s, int dir, const char *folder, const char *name)
{
	struct stat st;
	(void)folder;
	if (is_temp(name))
		tell(s, dir, BLOB_FOUND_TEMP, "", name);
	else if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		each_name(s, dir, name, sid_name);
}

enum err blob_survey(struct blobs *b, bool (*f)(void *arg, const struct blob_found *x), void *arg)
{
	struct below below = {.s = {f, arg, true}};
	each_name(&below.s, b->parts, ".", parts_name);
	each_name(&below.s, b->done, ".", done_name);
	return ERR_OK;
}

/* ---- copies to another device ---- */

struct copies {
	bool (*f)(void *arg, int64_t file, const char *sid, int64_t age);
	void *arg;
};

static bool copy_number(const char *name, int64_t *file)
{
	char digits[COPY_NAME_LEN];
	size_t n = strlen(name), around = 1 + strlen(BLOB_COPY_SUFFIX);
	if (!ends(name, BLOB_COPY_SUFFIX) || n <= around || n >= sizeof digits)
		return false;
	memcpy(digits, name + 1, n - around);
	digits[n - around] = '\0';
	return num_u63(digits, file);
}

static bool tell_copy(void *arg, const struct blob_found *x)
{
	const struct copies *c = arg;
	int64_t file;
	return x->kind != BLOB_FOUND_TEMP || !*x->where || !copy_number(x->name, &file) || c->f(c->arg, file, x->where, clock_now() - x->changed);
}

enum err blob_each_copy(struct blobs *b, bool (*f)(void *arg, int64_t file, const char *sid, int64_t age), void *arg)
{
	struct copies c = {f, arg};
	struct below below = {.s = {tell_copy, &c, true}};
	each_name(&below.s, b->done, ".", done_name);
	return ERR_OK;
}

/* ---- removing ---- */

enum err blob_temp_remove(struct blobs *b, const char *where, const char *name)
{
	if (!is_temp(name) || strchr(name, '/'))
		return ERR_INVALID;
	bool sid = *where && strcmp(where, "parts") != 0;
	int dir = sid ? blob_completed(b, where, false) : *where ? b->parts : b->done;
	if (dir < 0)
		return errno == ENOENT ? ERR_OK : blob_fail("opening a session's folder", errno);
	enum err e = unlinkat(dir, name, 0) == 0 || errno == ENOENT ? ERR_OK : blob_fail("removing a leftover", errno);
	if (sid)
		close(dir);
	return e;
}

/* The file beside it is looked for in the same folder, and only the note is ever removed: at worst a file that comes now lacks one. */
enum err blob_note_remove(struct blobs *b, const char *sid, const char *note, bool *removed)
{
	char disk[NAME_MAX + 1];
	size_t n = strlen(note), suffix = strlen(BLOB_NOTE_SUFFIX);
	*removed = false;
	if (n <= suffix || n > NAME_MAX || strcmp(note + n - suffix, BLOB_NOTE_SUFFIX) != 0 || strchr(note, '/'))
		return ERR_INVALID;
	memcpy(disk, note, n - suffix);
	disk[n - suffix] = '\0';
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return errno == ENOENT ? ERR_OK : blob_fail("opening a session's folder", errno);
	enum err e = ERR_OK;
	if (faccessat(folder, disk, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
		*removed = unlinkat(folder, note, 0) == 0;
		e = *removed || errno == ENOENT ? ERR_OK : blob_fail("removing a note", errno);
	}
	close(folder);
	return e;
}

enum err blob_done_same(struct blobs *b, const char *sid, const char *disk, const char *other, bool *same)
{
	struct stat one, two;
	int folder = blob_completed(b, sid, false);
	*same = false;
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	if (fstatat(folder, disk, &one, AT_SYMLINK_NOFOLLOW) == 0 && fstatat(folder, other, &two, AT_SYMLINK_NOFOLLOW) == 0)
		*same = one.st_dev == two.st_dev && one.st_ino == two.st_ino;
	close(folder);
	return ERR_OK;
}
