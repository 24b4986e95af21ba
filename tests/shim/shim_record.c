/*
 * shim_record.c - writes down every change of a file, with its bytes and in its order. Tactic `record`; SHIM_LOG names the file that all processes append to.
 *
 * A change is written down when it has been made. A sync is written down twice: when it begins, for it covers what had been made by then, and when it has ended,
 * for it counts from there on. Files are known by inode and birth, names by path. One record: struct record, path, path2, bytes; each in one write, so that
 * none is torn.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "shim.h"

#define MAGIC 0x31434552u       /* "REC1" */
#define SYNC_BEGINS 100

struct record {
	uint32_t magic, kind;       /* enum shim_point, SYNC_BEGINS */
	uint64_t ino;
	int64_t at, len;            /* of a truncation the size; of an open its flags */
	uint32_t n1, n2;            /* bytes of the paths */
	uint64_t bytes;             /* of data behind them */
	uint64_t token;             /* of a sync: both its records have the same */
};

static int log_fd = -1;
static __thread uint64_t token;

static bool record_open(void)
{
	const char *path = getenv("SHIM_LOG");
	log_fd = path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
	return log_fd >= 0;
}

static void put(struct record *r, const char *p1, const char *p2, const void *data)
{
	r->magic = MAGIC;
	r->n1 = p1 ? (uint32_t)strlen(p1) : 0;
	r->n2 = p2 ? (uint32_t)strlen(p2) : 0;
	struct iovec v[] = {{r, sizeof *r}, {(void *)p1, r->n1}, {(void *)p2, r->n2}, {(void *)data, r->bytes}};
	/* the system call itself: our own writev would take it to pieces */
	if (syscall(SYS_writev, log_fd, v, 4) < 0)
		abort();
}

/* Inode and time of birth in 53 bits (a double holds them): the number of a removed file is given again before its removal is written down. */
static uint64_t identity(int fd, const char *path, int flags)
{
	struct statx st;
	if (statx(fd, path, flags | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) != 0)
		return 0;
	uint64_t born = (uint64_t)st.stx_btime.tv_sec * 1000000000u + st.stx_btime.tv_nsec;
	return ((st.stx_ino * 0x9e3779b97f4a7c15u) ^ (born * 0xc2b2ae3d27d4eb4fu)) >> 11;
}

static uint64_t inode_of(int fd)
{
	return identity(fd, "", AT_EMPTY_PATH);
}

static uint64_t inode_at(const char *path)
{
	return path ? identity(AT_FDCWD, path, 0) : 0;
}

static bool record_before(struct shim_call *c)
{
	if (c->point == SHIM_FSYNC || c->point == SHIM_FDATASYNC) {
		struct record r = {.kind = SYNC_BEGINS, .ino = inode_of(c->fd), .token = token = ((uint64_t)gettid() << 32) + (uint32_t)token + 1};
		put(&r, c->path, NULL, NULL);
	}
	return true;
}

static void wrote(const struct shim_call *c, int64_t n)
{
	struct record r = {.kind = SHIM_WRITE, .ino = inode_of(c->fd), .at = c->at, .len = n, .bytes = (uint64_t)n};
	if (r.at < 0)
		r.at = lseek(c->fd, 0, SEEK_CUR) - n;
	put(&r, c->path, NULL, c->data);
}

/* The target is open for writing only, perhaps. */
static void copied(const struct shim_call *c, int64_t n)
{
	void *data = malloc((size_t)n);
	int fd = open(c->path, O_RDONLY | O_CLOEXEC);
	struct shim_call w = *c;
	w.data = data;
	if (!data || fd < 0 || pread(fd, data, (size_t)n, c->at >= 0 ? c->at : lseek(c->fd, 0, SEEK_CUR) - n) != n)
		abort();
	wrote(&w, n);
	close(fd);
	free(data);
}

static void record_after(const struct shim_call *c, int64_t rc)
{
	struct record r = {.kind = c->point, .at = c->at, .len = c->len};
	if (rc < 0)
		return;
	switch (c->point) {
	case SHIM_WRITE:
		if (rc > 0)
			wrote(c, rc);
		return;
	case SHIM_COPY:
		if (rc > 0)
			copied(c, rc);
		return;
	case SHIM_OPEN:
		r.ino = inode_of((int)rc);
		r.len = c->flags;
		if (!(c->flags & (O_CREAT | O_TRUNC)))
			return;
		break;
	case SHIM_TRUNCATE:
	case SHIM_ALLOCATE:
		r.ino = inode_of(c->fd);
		break;
	case SHIM_FSYNC:
	case SHIM_FDATASYNC:
		r.ino = inode_of(c->fd);
		r.token = token;
		break;
	case SHIM_RENAME:
	case SHIM_LINK:
		r.ino = inode_at(c->path2);
		break;
	case SHIM_UNLINK:
	case SHIM_MKDIR:
		break;
	default:
		return;
	}
	put(&r, c->path, c->path2, NULL);
}

const struct shim_tactic shim_record = {.name = "record", .open = record_open, .before = record_before, .after = record_after};
