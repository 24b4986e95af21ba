/*
 * shim_fail.h - makes the k-th call of some kinds fail, for tests that are linked with shim.c, shim_fail.c and shim_alloc.c.
 *
 * Only calls of a thread that has called shim_fail_here(true) count, so that the rest of the test (and other threads) is left alone. Points are those of
 * shim.h, and allocations: malloc, calloc, realloc of the whole process, also those of libraries.
 */
#ifndef TESTS_SHIM_FAIL_H
#define TESTS_SHIM_FAIL_H

#include "shim.h"

#define SHIM_ALLOC SHIM_POINT_MAX               /* an allocation */
#define SHIM_BIT(point) (1u << (point))

/* Instead of an errno: a write or copy does half of what it was asked to, at least one byte. */
#define SHIM_FAIL_SHORT (-1)

struct shim_fail {
	unsigned points;                            /* SHIM_BIT of those that count */
	int k;                                      /* the k-th of them fails, from 1 */
	bool forever;                               /* and all after it */
	int code;                                   /* errno; SHIM_FAIL_SHORT; for SHIM_STEP and SHIM_COMMIT the result code */
};

extern const struct shim_tactic shim_fail_tactic;
/* Begins to count from 0; NULL: nothing fails, all calls of all points are counted (shim_fail_seen). */
void shim_fail_arm(const struct shim_fail *f);
/* Nothing fails or counts any more. Returns how many calls of the armed points there were, and *failed how many of them failed (NULL: not asked). */
int shim_fail_disarm(int *failed);
/* Calls of this thread count from here on, or no more. */
void shim_fail_here(bool yes);
bool shim_fail_is_here(void);
/* Calls of one point since shim_fail_arm. */
int shim_fail_seen(unsigned point);

/* A failed sync means that what was written to the file since its last good one may be gone: the kernel forgets it and calls the pages clean. So it is gone here:
 * those bytes are overwritten with rubbish. Of files whose path has this in it nothing is lost (the ledger's, which are SQLite's to defend). */
#define SHIM_FAIL_SPARED "/tus.db"
/* Bytes that failed syncs have taken since shim_fail_arm. */
int64_t shim_fail_lost(void);

/* shim_alloc.c asks: is this allocation to fail? */
bool shim_fail_alloc(void);

#endif
