/*
 * shim.h - stands between a program and the calls that change files, for tests that kill, fail, slow or record them.
 *
 * Two ways in: as build/tests/shim.so by LD_PRELOAD (environment below), or linked into a C test, whose definitions then come before libc's for every
 * library of the process (shim_use). What happens at a call is a tactic's; each has a file of its own, and this file knows none of its rules.
 *
 *   SHIM=name          the tactic of shim.so: kill, record, slow ...; unset or empty: calls pass untouched
 *   SHIM_ROOT=dir:dir  only files below these count (absolute, no links in them); unset: all do
 *   SHIM_EXE=name:name only programs of these names (default tus-fcgi:upload.cgi:tusctl); others of the process tree pass untouched
 */
#ifndef TESTS_SHIM_H
#define TESTS_SHIM_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

/* name, as reports print it */
#define SHIM_POINTS(X) \
	X(SHIM_OPEN, "open")            /* any open for writing or creating; path */ \
	X(SHIM_WRITE, "write")          /* write, pwrite, writev, pwritev: fd, path, data, len, at (-1: at the file's position or end) */ \
	X(SHIM_COPY, "copy")            /* copy_file_range: fd and path are the target's, path2 the source's, len, at */ \
	X(SHIM_TRUNCATE, "truncate")    /* ftruncate: len is the new size */ \
	X(SHIM_ALLOCATE, "allocate")    /* fallocate, posix_fallocate: at, len */ \
	X(SHIM_FSYNC, "fsync")          /* also of folders */ \
	X(SHIM_FDATASYNC, "fdatasync") \
	X(SHIM_RENAME, "rename")        /* path -> path2 */ \
	X(SHIM_LINK, "link")            /* path -> path2 */ \
	X(SHIM_UNLINK, "unlink")        /* path; also rmdir */ \
	X(SHIM_MKDIR, "mkdir") \
	X(SHIM_COMMIT, "commit")        /* sqlite3_step of COMMIT */ \
	X(SHIM_STEP, "step")            /* sqlite3_step of anything else; path is the SQL text */

enum shim_point {
#define X(id, name) id,
	SHIM_POINTS(X)
#undef X
	SHIM_POINT_MAX
};
const char *shim_point_name(enum shim_point p);

struct shim_call {
	enum shim_point point;
	int fd;                         /* -1: none */
	const char *path, *path2;       /* absolute; NULL: none, or not known */
	const void *data;               /* of writes in one piece, else NULL */
	int64_t len, at;
	int flags;                      /* of open */
};

struct shim_tactic {
	const char *name;
	bool (*open)(void);             /* once, when the tactic is chosen by SHIM; false: it cannot work, the process ends. NULL: nothing to do */
	/* Before the call, on its thread. false: the call is not made and fails with errno as set (SQLite: call->len is the result code). May shorten call->len of a
	 * write. May not return. */
	bool (*before)(struct shim_call *call);
	/* After it: rc as the call gave it (for sqlite3_step its result). May not return. NULL: not asked. */
	void (*after)(const struct shim_call *call, int64_t rc);
};
extern const struct shim_tactic *const shim_tactics[];   /* those of shim.so; NULL ends */

/* Chooses a tactic for this process; NULL: none. root NULL: all files count, else colon-separated folders. Not while other threads make calls. */
void shim_use(const struct shim_tactic *t, const char *root);
/* Calls of this thread pass untouched between these (they nest). A tactic's own calls do anyway. */
void shim_pause(void);
void shim_resume(void);

#endif
