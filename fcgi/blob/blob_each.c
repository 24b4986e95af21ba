/*
 * blob_each.c - walking over all part files, for the reaper that looks for files without a row.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "blob/blob.h"
#include "blob/blob_priv.h"

struct walk {
	bool (*f)(void *arg, int64_t file, int64_t size, int64_t age);
	void *arg;
	bool go_on;
};

/* A file of another name or in another shard is not ours. */
bool blob_part_number(const char *name, int64_t shard, int64_t *file)
{
	char digits[PART_NAME_LEN];
	size_t n = strlen(name);
	if (n < 6 || n >= sizeof digits || strcmp(name + n - 5, ".part") != 0)
		return false;
	memcpy(digits, name, n - 5);
	digits[n - 5] = '\0';
	return num_u63(digits, file) && *file / SHARD_FILES == shard && (digits[0] != '0' || n == 6);
}

/* Age by ctime: a part file that was linked back from a finished file keeps its old mtime, but has only just come. */
static void walk_file(struct walk *w, int dir, const char *name, int64_t shard)
{
	int64_t file;
	struct stat st;
	if (blob_part_number(name, shard, &file) && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
		w->go_on = w->f(w->arg, file, st.st_size, clock_now() - st.st_ctim.tv_sec);
}

static void walk_shard(struct walk *w, int parts, const char *name, int64_t shard)
{
	int fd = blob_dir(parts, name, false);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; w->go_on && (e = readdir(d));)
		walk_file(w, dirfd(d), e->d_name, shard);
	closedir(d);
}

enum err blob_each(struct blobs *b, bool (*f)(void *arg, int64_t file, int64_t size, int64_t age), void *arg)
{
	struct walk w = {f, arg, true};
	/* A descriptor of its own: a duplicate would share its position with other walkers. */
	int fd = openat(b->parts, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		enum err e = blob_fail("listing the shards", errno);
		if (fd >= 0)
			close(fd);
		return e;
	}
	for (struct dirent *e; w.go_on && (e = readdir(d));) {
		int64_t shard;
		if (text_starts(e->d_name, "shard_") && num_u63(e->d_name + 6, &shard))
			walk_shard(&w, b->parts, e->d_name, shard);
	}
	closedir(d);
	return ERR_OK;
}
