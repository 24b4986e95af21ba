/*
 * shim.c - the calls themselves: one wrapper each, which tells the tactic what is about to happen to which file.
 */
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

typedef struct sqlite3_stmt sqlite3_stmt;

static const struct shim_tactic *tactic;
static char roots[4096];
static __thread int paused;

const char *shim_point_name(enum shim_point p)
{
	static const char *const names[] = {
#define X(id, name) name,
		SHIM_POINTS(X)
#undef X
	};
	return names[p];
}

void shim_pause(void)
{
	paused++;
}

void shim_resume(void)
{
	paused--;
}

void shim_use(const struct shim_tactic *t, const char *root)
{
	snprintf(roots, sizeof roots, "%s", root ? root : "");
	__atomic_store_n(&tactic, t, __ATOMIC_RELEASE);
}

/* ---- which calls count ---- */

static bool below(const char *dir, size_t n, const char *path)
{
	return n > 0 && strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static bool counts(const char *path)
{
	if (!roots[0])
		return true;
	for (const char *r = roots; path && *r; r += strcspn(r, ":"), r += *r == ':')
		if (below(r, strcspn(r, ":"), path))
			return true;
	return false;
}

/* SQL has no path; everything else has one of a root, or does not count. */
static bool enter(struct shim_call *c)
{
	const struct shim_tactic *t = __atomic_load_n(&tactic, __ATOMIC_ACQUIRE);
	if (!t || paused)
		return true;
	int e = errno;
	paused++;
	bool on = !t->before || t->before(c);
	paused--;
	if (on)
		errno = e;
	return on;
}

static void leave(const struct shim_call *c, int64_t rc)
{
	const struct shim_tactic *t = __atomic_load_n(&tactic, __ATOMIC_ACQUIRE);
	if (!t || paused || !t->after)
		return;
	int e = errno;
	paused++;
	t->after(c, rc);
	paused--;
	errno = e;
}

static bool watched(void)
{
	return __atomic_load_n(&tactic, __ATOMIC_ACQUIRE) && !paused;
}

/* ---- paths ---- */

static const char *path_of_fd(int fd, char out[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, PATH_MAX - 1);
	if (n < 0)
		return NULL;
	out[n] = '\0';
	return out;
}

static const char *path_at(int dir, const char *name, char out[PATH_MAX])
{
	char base[PATH_MAX];
	int fd;
	if (sscanf(name, "/proc/self/fd/%d", &fd) == 1)
		return path_of_fd(fd, out);
	if (name[0] == '/')
		return snprintf(out, PATH_MAX, "%s", name) < PATH_MAX ? out : NULL;
	if (dir == AT_FDCWD ? !getcwd(base, sizeof base) : !path_of_fd(dir, base))
		return NULL;
	return snprintf(out, PATH_MAX, name[0] ? "%s/%s" : "%s%s", base, name) < PATH_MAX ? out : NULL;
}

/* ---- wrappers ---- */

/* The function that would have been called without us. */
#define REAL(name) \
	static __typeof__(&name) real; \
	if (!__atomic_load_n(&real, __ATOMIC_RELAXED)) \
		__atomic_store_n(&real, (__typeof__(&name))dlsym(RTLD_NEXT, #name), __ATOMIC_RELAXED)

/* Around a call that c describes: `call` is made unless the tactic fails it. */
#define AROUND(c, type, call) do { \
	if (!enter(&(c))) \
		return (type)-1; \
	type rc_ = (call); \
	leave(&(c), (int64_t)rc_); \
	return rc_; \
} while (0)

#define ON_FD(kind, ...) \
	char path_[PATH_MAX]; \
	struct shim_call c = {.point = (kind), .fd = fd, .path = watched() ? path_of_fd(fd, path_) : NULL, __VA_ARGS__}; \
	bool on_ = watched() && counts(c.path)

ssize_t write(int fd, const void *data, size_t n)
{
	REAL(write);
	ON_FD(SHIM_WRITE, .data = data, .len = (int64_t)n, .at = -1);
	if (!on_)
		return real(fd, data, n);
	AROUND(c, ssize_t, real(fd, data, (size_t)c.len));
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at)
{
	REAL(pwrite);
	ON_FD(SHIM_WRITE, .data = data, .len = (int64_t)n, .at = at);
	if (!on_)
		return real(fd, data, n, at);
	AROUND(c, ssize_t, real(fd, data, (size_t)c.len, at));
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at)
{
	return pwrite(fd, data, n, at);
}

/* A tactic sees one piece as it is; several come to it joined nowhere, so a shortened call writes the first piece only. */
ssize_t pwritev(int fd, const struct iovec *v, int n, off_t at)
{
	REAL(pwritev);
	if (!watched())
		return real(fd, v, n, at);
	ssize_t all = 0;
	for (int i = 0; i < n; i++) {
		ssize_t w = pwrite(fd, v[i].iov_base, v[i].iov_len, at + all);
		if (w < 0)
			return all ? all : -1;
		all += w;
		if ((size_t)w < v[i].iov_len)
			break;
	}
	return all;
}

ssize_t writev(int fd, const struct iovec *v, int n)
{
	REAL(writev);
	char path[PATH_MAX];
	if (!watched() || !counts(path_of_fd(fd, path)))
		return real(fd, v, n);
	ssize_t all = 0;
	for (int i = 0; i < n; i++) {
		ssize_t w = write(fd, v[i].iov_base, v[i].iov_len);
		if (w < 0)
			return all ? all : -1;
		all += w;
		if ((size_t)w < v[i].iov_len)
			break;
	}
	return all;
}

ssize_t copy_file_range(int in, off_t *in_at, int fd, off_t *at, size_t n, unsigned flags)
{
	REAL(copy_file_range);
	char from[PATH_MAX];
	ON_FD(SHIM_COPY, .len = (int64_t)n, .at = at ? *at : -1);
	if (!on_)
		return real(in, in_at, fd, at, n, flags);
	c.path2 = path_of_fd(in, from);
	AROUND(c, ssize_t, real(in, in_at, fd, at, (size_t)c.len, flags));
}

int ftruncate(int fd, off_t size)
{
	REAL(ftruncate);
	ON_FD(SHIM_TRUNCATE, .len = size);
	if (!on_)
		return real(fd, size);
	AROUND(c, int, real(fd, size));
}

int ftruncate64(int fd, off_t size)
{
	return ftruncate(fd, size);
}

int fallocate(int fd, int mode, off_t at, off_t n)
{
	REAL(fallocate);
	ON_FD(SHIM_ALLOCATE, .len = n, .at = at, .flags = mode);
	if (!on_)
		return real(fd, mode, at, n);
	AROUND(c, int, real(fd, mode, at, n));
}

int fallocate64(int fd, int mode, off_t at, off_t n)
{
	return fallocate(fd, mode, at, n);
}

/* It gives the error as its result. */
int posix_fallocate(int fd, off_t at, off_t n)
{
	REAL(posix_fallocate);
	ON_FD(SHIM_ALLOCATE, .len = n, .at = at);
	if (!on_)
		return real(fd, at, n);
	if (!enter(&c))
		return errno;
	int rc = real(fd, at, n);
	leave(&c, rc ? -1 : 0);
	return rc;
}

int posix_fallocate64(int fd, off_t at, off_t n)
{
	return posix_fallocate(fd, at, n);
}

int fsync(int fd)
{
	REAL(fsync);
	ON_FD(SHIM_FSYNC);
	if (!on_)
		return real(fd);
	AROUND(c, int, real(fd));
}

int fdatasync(int fd)
{
	REAL(fdatasync);
	ON_FD(SHIM_FDATASYNC);
	if (!on_)
		return real(fd);
	AROUND(c, int, real(fd));
}

#define ON_NAME(kind, dir, name, ...) \
	char path_[PATH_MAX]; \
	struct shim_call c = {.point = (kind), .fd = -1, .path = watched() ? path_at(dir, name, path_) : NULL, __VA_ARGS__}; \
	bool on_ = watched() && counts(c.path)

#define CHANGES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

static mode_t mode_of(int flags, va_list ap)
{
	return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? (mode_t)va_arg(ap, int) : 0;
}

static int open_at(int dir, const char *name, int flags, mode_t mode)
{
	REAL(openat);
	ON_NAME(SHIM_OPEN, dir, name, .flags = flags);
	if (!on_ || !(flags & CHANGES))
		return real(dir, name, flags, mode);
	AROUND(c, int, real(dir, name, flags, mode));
}

int openat(int dir, const char *name, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(dir, name, flags, mode);
}

int open(const char *name, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(AT_FDCWD, name, flags, mode);
}

int openat64(int dir, const char *name, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(dir, name, flags, mode);
}

int open64(const char *name, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	mode_t mode = mode_of(flags, ap);
	va_end(ap);
	return open_at(AT_FDCWD, name, flags, mode);
}

int creat(const char *name, mode_t mode)
{
	return open_at(AT_FDCWD, name, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

#define TO_NAME(dir, name) \
	char path2_[PATH_MAX]; \
	if (on_) \
		c.path2 = path_at(dir, name, path2_)

int renameat2(int old_dir, const char *old, int new_dir, const char *new, unsigned flags)
{
	REAL(renameat2);
	ON_NAME(SHIM_RENAME, old_dir, old);
	TO_NAME(new_dir, new);
	if (!on_)
		return real(old_dir, old, new_dir, new, flags);
	AROUND(c, int, real(old_dir, old, new_dir, new, flags));
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	return renameat2(old_dir, old, new_dir, new, 0);
}

int rename(const char *old, const char *new)
{
	return renameat2(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int linkat(int old_dir, const char *old, int new_dir, const char *new, int flags)
{
	REAL(linkat);
	ON_NAME(SHIM_LINK, old_dir, old);
	TO_NAME(new_dir, new);
	if (!on_)
		return real(old_dir, old, new_dir, new, flags);
	AROUND(c, int, real(old_dir, old, new_dir, new, flags));
}

int link(const char *old, const char *new)
{
	return linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

int unlinkat(int dir, const char *name, int flags)
{
	REAL(unlinkat);
	ON_NAME(SHIM_UNLINK, dir, name);
	if (!on_)
		return real(dir, name, flags);
	AROUND(c, int, real(dir, name, flags));
}

int unlink(const char *name)
{
	return unlinkat(AT_FDCWD, name, 0);
}

int rmdir(const char *name)
{
	return unlinkat(AT_FDCWD, name, AT_REMOVEDIR);
}

int mkdirat(int dir, const char *name, mode_t mode)
{
	REAL(mkdirat);
	ON_NAME(SHIM_MKDIR, dir, name);
	if (!on_)
		return real(dir, name, mode);
	AROUND(c, int, real(dir, name, mode));
}

int mkdir(const char *name, mode_t mode)
{
	return mkdirat(AT_FDCWD, name, mode);
}

/* ---- SQLite: only where the program has it ---- */

extern const char *sqlite3_sql(sqlite3_stmt *st) __attribute__((weak));
int sqlite3_step(sqlite3_stmt *st);

int sqlite3_step(sqlite3_stmt *st)
{
	REAL(sqlite3_step);
	const char *text = watched() && sqlite3_sql ? sqlite3_sql(st) : NULL;
	if (!text)
		return real(st);
	struct shim_call c = {.point = strcmp(text, "COMMIT") == 0 ? SHIM_COMMIT : SHIM_STEP, .fd = -1, .path = text, .len = 1 /* SQLITE_ERROR */};
	if (!enter(&c))
		return (int)c.len;
	int rc = real(st);
	leave(&c, rc);
	return rc;
}

/* ---- by LD_PRELOAD ---- */

static bool program_counts(void)
{
	char exe[PATH_MAX];
	const char *names = getenv("SHIM_EXE");
	ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
	if (n < 0)
		return false;
	exe[n] = '\0';
	const char *base = strrchr(exe, '/') ? strrchr(exe, '/') + 1 : exe;
	for (const char *p = names ? names : "tus-fcgi:upload.cgi:tusctl"; *p; p += strcspn(p, ":"), p += *p == ':')
		if (strlen(base) == strcspn(p, ":") && strncmp(p, base, strlen(base)) == 0)
			return true;
	return false;
}

#pragma weak shim_tactics   /* a C test has no list */

__attribute__((constructor)) static void from_environment(void)
{
	const char *name = getenv("SHIM");
	if (!name || !*name || !program_counts())
		return;
	for (int i = 0; shim_tactics && shim_tactics[i]; i++)
		if (strcmp(shim_tactics[i]->name, name) == 0) {
			if (shim_tactics[i]->open && !shim_tactics[i]->open())
				_exit(99);
			shim_use(shim_tactics[i], getenv("SHIM_ROOT"));
			return;
		}
	dprintf(2, "shim: no tactic %s\n", name);
	_exit(99);
}
