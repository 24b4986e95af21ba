/*
 * shim_fail.c - the k-th call fails. Tactic for tests that link it; see shim_fail.h.
 */
#include "shim_fail.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RANGES 4096
#define RUBBISH 0xdb

/* Bytes of a file that no good sync has made durable yet. */
struct range {
	dev_t dev;
	ino_t ino;
	int64_t at, n;
};

static struct shim_fail plan;
static int seen[SHIM_POINT_MAX + 1], counted, failed;
static int64_t lost;
static struct range dirty[RANGES];
static int ndirty;
static __thread bool here;
static __thread int in_exec;

void shim_fail_arm(const struct shim_fail *f)
{
	plan = f ? *f : (struct shim_fail){0};
	memset(seen, 0, sizeof seen);
	counted = failed = ndirty = 0;
	lost = 0;
}

int shim_fail_disarm(int *out)
{
	int n = counted;
	if (out)
		*out = failed;
	plan = (struct shim_fail){0};
	ndirty = 0;
	return n;
}

void shim_fail_here(bool yes)
{
	here = yes;
}

bool shim_fail_is_here(void)
{
	return here;
}

int shim_fail_seen(unsigned point)
{
	return seen[point];
}

int64_t shim_fail_lost(void)
{
	return lost;
}

static bool due(unsigned point)
{
	if (!here)
		return false;
	seen[point]++;
	if (!(plan.points & SHIM_BIT(point)))
		return false;
	counted++;
	if (counted != plan.k && !(plan.forever && counted > plan.k))
		return false;
	failed++;
	return true;
}

bool shim_fail_alloc(void)
{
	return due(SHIM_ALLOC);
}

/* ---- what is not durable ---- */

static bool same_file(const struct range *r, const struct stat *st)
{
	return r->dev == st->st_dev && r->ino == st->st_ino;
}

static void remember(const struct shim_call *c, int64_t n)
{
	struct stat st;
	struct range *last = ndirty ? &dirty[ndirty - 1] : NULL;
	int64_t at = c->at;
	if (n <= 0 || !c->path || strstr(c->path, SHIM_FAIL_SPARED) || fstat(c->fd, &st) < 0)
		return;
	if (at < 0)
		at = lseek(c->fd, 0, SEEK_CUR) - n;
	/* of a copy the offset has moved on, or not: the caller's own */
	if (last && same_file(last, &st) && last->at + last->n == at)
		last->n += n;
	else if (ndirty < RANGES)
		dirty[ndirty++] = (struct range){st.st_dev, st.st_ino, at, n};
}

static void forget(int fd)
{
	struct stat st;
	int kept = 0;
	if (fstat(fd, &st) < 0)
		return;
	for (int i = 0; i < ndirty; i++)
		if (!same_file(&dirty[i], &st))
			dirty[kept++] = dirty[i];
	ndirty = kept;
}

static void lose(int fd)
{
	static unsigned char rubbish[65536];
	char path[64];
	struct stat st;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	int w = open(path, O_WRONLY | O_CLOEXEC);
	memset(rubbish, RUBBISH, sizeof rubbish);
	for (int i = 0; w >= 0 && i < ndirty; i++)
		for (int64_t done = 0, n; same_file(&dirty[i], &st) && done < dirty[i].n; done += n) {
			n = dirty[i].n - done < (int64_t)sizeof rubbish ? dirty[i].n - done : (int64_t)sizeof rubbish;
			/* what was cut off meanwhile stays so */
			if (dirty[i].at + done + n > st.st_size)
				break;
			if (pwrite(w, rubbish, (size_t)n, dirty[i].at + done) != n)
				break;
			lost += n;
		}
	if (w >= 0)
		close(w);
	/* The kernel tells it once and calls the pages clean. */
	forget(fd);
}

/* ---- the tactic ---- */

static bool before(struct shim_call *c)
{
	if (((c->point == SHIM_STEP || c->point == SHIM_COMMIT) && in_exec) || !due(c->point))
		return true;
	if (plan.code == SHIM_FAIL_SHORT) {
		c->len = (c->len + 1) / 2;
		return true;
	}
	if (c->point == SHIM_STEP || c->point == SHIM_COMMIT)
		c->len = plan.code;
	else if (c->point == SHIM_FSYNC || c->point == SHIM_FDATASYNC)
		lose(c->fd);
	errno = plan.code;
	return false;
}

static void after(const struct shim_call *c, int64_t rc)
{
	if (c->point == SHIM_WRITE || c->point == SHIM_COPY)
		remember(c, rc);
	else if ((c->point == SHIM_FSYNC || c->point == SHIM_FDATASYNC) && rc == 0)
		forget(c->fd);
}

const struct shim_tactic shim_fail_tactic = {.name = "fail", .before = before, .after = after};

/* sqlite3_exec asks the statement why a step failed, which knows nothing of it: so it fails as a whole or not at all. */
typedef struct sqlite3 sqlite3;
int sqlite3_exec(sqlite3 *db, const char *text, int (*row)(void *, int, char **, char **), void *arg, char **why);

int sqlite3_exec(sqlite3 *db, const char *text, int (*row)(void *, int, char **, char **), void *arg, char **why)
{
	static __typeof__(&sqlite3_exec) real;
	struct shim_call c = {.point = SHIM_STEP, .fd = -1, .path = text};
	if (!before(&c))
		return (int)c.len;
	if (!real)
		real = (__typeof__(&sqlite3_exec))dlsym(RTLD_NEXT, "sqlite3_exec");
	in_exec++;
	int rc = real(db, text, row, arg, why);
	in_exec--;
	return rc;
}
