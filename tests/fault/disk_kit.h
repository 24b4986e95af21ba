/*
 * disk_kit.h - a house whose data folder is a small file system in memory, in a name space of its own (root only), which can be filled.
 */
#ifndef TESTS_DISK_KIT_H
#define TESTS_DISK_KIT_H

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "tests/http/kit.h"
#include "upload/ballast.h"

#define MIB (1 << 20)
#define DISK (24 * MIB)
#define QUIET ((enum log_level)(LOG_ERROR + 1))     /* it fails on purpose */

static struct kit *k;
static char disk[256];
static const char *no_disk;     /* why there is none */

static inline int own_mounts(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		no_disk = strerror(errno);
	return 0;
}

static inline void skip_without_disk(void)
{
	if (!no_disk)
		return;
	print_message("skipped: mounting a small file system: %s\n", no_disk);
	skip();
}

static inline int begin(void **state)
{
	char size[32];
	(void)state;
	if (no_disk)
		return 0;
	kit_dir(disk);
	snprintf(size, sizeof size, "size=%d", DISK);
	if (mount("none", disk, "tmpfs", 0, size) < 0) {
		no_disk = strerror(errno);
		rmdir(disk);
	}
	return 0;
}

static inline int end(void **state)
{
	(void)state;
	if (k)
		kit_done(k);
	k = NULL;
	if (!no_disk) {
		umount2(disk, MNT_DETACH);
		rmdir(disk);
	}
	return 0;
}

/* A house on the small disk. */
static inline void house(const char *const *env)
{
	k = kit_blank();
	strcpy(k->dir, disk);
	kit_start(k, env);
	log_level_set(QUIET);
}
#define HOUSE(...) do { static const char *const env_[] = {__VA_ARGS__ __VA_OPT__(,) NULL}; house(env_); } while (0)

static inline int64_t room(void)
{
	struct statvfs v;
	assert_int_equal(statvfs(disk, &v), 0);
	return (int64_t)(v.f_bavail * v.f_frsize);
}

static inline const char *path_of(const char *name)
{
	static char path[300];
	snprintf(path, sizeof path, "%s/%s", disk, name);
	return path;
}

/* Somebody else takes all the disk but so much. */
static inline void fill(int64_t leave)
{
	int fd = open(path_of("others"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int64_t n = room() - leave;
	assert_true(fd >= 0 && n > 0);
	assert_int_equal(posix_fallocate(fd, 0, n), 0);
	close(fd);
}

static inline void unfill(void)
{
	assert_int_equal(unlink(path_of("others")), 0);
}

static inline bool ballast(void)
{
	return access(path_of("tus_sessions/ballast"), F_OK) == 0;
}

/* ---- uploads ---- */

static inline char *created(int64_t length)
{
	char text[64];
	snprintf(text, sizeof text, "Upload-Length: %lld\n", (long long)length);
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", text, NULL, 0));
	char *url = strdup(strstr(kit_h(k, "Location"), "/files/"));
	assert_non_null(url);
	return url;
}

static inline int patch(const char *url, int64_t offset, const void *p, size_t n)
{
	char text[64];
	snprintf(text, sizeof text, "Upload-Offset: %lld\n", (long long)offset);
	return kit_tus(k, "PATCH", url, text, p, n);
}

static inline int64_t offset_now(const char *url)
{
	EXPECT(k, 200, kit_tus(k, "HEAD", url, NULL, NULL, 0));
	return atoll(kit_h(k, "Upload-Offset"));
}

static inline void gives(const char *url, const void *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, url));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

#endif
