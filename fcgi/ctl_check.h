/*
 * ctl_check.h - what tusctl check found, and the parts of one look over everything.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "upload/upload.h"

/* Seconds that a file may be without a row, or a row be finishing: somebody is at work (the reaper leaves part files alone as long). */
#define CHECK_YOUNG 3600
#define CHECK_BUSY 60

/* What a finding is about; a repair begins there. 0 and NULL: nothing of this kind. */
struct about {
	int64_t session, upload, file;   /* row, row, part file */
	const char *where, *name;        /* of a file, as in struct blob_found */
};

struct finding {
	const char *what, *where, *detail;
	const char *repaired;            /* what was done about it, NULL if nothing */
	struct about about;
};

/* One look over everything. */
struct look {
	struct house *h;
	struct arena *a;            /* findings live here */
	struct arena *page;         /* rows, emptied page by page */
	struct about about;         /* of what is looked at now: finding() notes it */
	struct finding *v;
	int n;
	int64_t sessions, uploads, recordings, parts, young;
	bool failed;                /* memory ran out */
};

/* Texts are copied. */
void finding(struct look *l, const char *what, const char *where, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* The ledger cannot be read there: a finding, too. ERR_OK: nothing. */
void unreadable(struct look *l, const char *where, enum err e);

/* Rows against each other and against files (ctl_check_rows.c). */
void check_sessions(struct look *l);
void check_uploads(struct look *l);
void check_recordings(struct look *l);
/* Files against rows (ctl_check_files.c). */
void check_parts(struct look *l);
void check_names(struct look *l);

/* What is done only if it was asked for. */
struct permits {
	bool adopt;                 /* files without a row may become recordings */
	bool shorten;               /* offsets may be taken back to the bytes that are there */
};
/* What has been done about a finding, NULL if nothing could be: it loses nothing that is there (ctl_repair.c). */
const char *repair(struct look *l, const struct finding *f, const struct permits *may);

#endif
