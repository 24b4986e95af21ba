/*
 * ctl_check.h - what tusctl check found, and the parts of one look over everything.
 */
#ifndef CTL_CHECK_H
#define CTL_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "upload/upload.h"

struct finding {
	const char *what, *where, *detail;
};

/* One look over everything. */
struct look {
	struct house *h;
	struct arena *a;            /* findings live here */
	struct arena *page;         /* rows, emptied page by page */
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

#endif
