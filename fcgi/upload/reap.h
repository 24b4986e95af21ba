/*
 * reap.h - what the files of the reaper share.
 */
#ifndef UPLOAD_REAP_H
#define UPLOAD_REAP_H

#include "upload/upload_priv.h"

/* Display name of a recovered file; what: "" or a word about it. NULL: out of memory. */
const char *recovered_name(struct arena *a, const struct session *s, const char *what);
/* Makes finished files of the contiguous runs of a session with holes, a few a call; the caller holds the session. *made: how many; *all: there is nothing left to be
 * done. An error is passing trouble (ERR_BUSY: with a name, the other runs were gone on with; ERR_AGAIN: chunks changed meanwhile); a run that fails for good is
 * logged and passed over. What was offered and then replaced is offered again, under a number. */
enum err recover_runs(struct house *h, const struct session *s, int *made, bool *all);

/* Completes an upload that has all its bytes, and finishes what that makes whole. */
enum err reap_full(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
/* Runs the finishing of a row again; one that cannot succeed any more is given up. */
enum err reap_finish_upload(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
enum err reap_finish_session(struct house *h, struct arena *a, int64_t n, struct reap_count *count);

#endif
