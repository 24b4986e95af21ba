/*
 * reap.h - what the files of the reaper share.
 */
#ifndef UPLOAD_REAP_H
#define UPLOAD_REAP_H

#include "upload/upload_priv.h"

/* Display name of a recovered file; what: "" or a word about it. NULL: out of memory. */
const char *recovered_name(struct arena *a, const struct session *s, const char *what);
/* Makes finished files of the contiguous runs of a session with holes, a few a call; when all are made, its chunks have one retention left. What was offered and then
 * replaced is offered again, under a number. Errors are passing trouble (ERR_BUSY: with a name, the other runs were gone on with; ERR_LOCKED: somebody is at it); a run
 * that fails for good is logged and passed over. */
enum err runs_offer(struct house *h, const struct session *s, struct reap_count *count);
/* All its runs were offered, and nothing came since. */
bool runs_offered(const struct house *h, const struct session *s);

/* Completes an upload that has all its bytes, and finishes what that makes whole. */
enum err reap_full(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
/* Runs the finishing of a row again; one that cannot succeed any more is given up. */
enum err reap_finish_upload(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
enum err reap_finish_session(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
/* An unfinished upload, or a complete part, that is due: expires, unless a final upload still lives by it. */
enum err reap_upload(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
enum err reap_partial(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
/* recording_digest; what is not there any more is done. */
enum err reap_digest(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
/* final_join. */
enum err reap_join(struct house *h, struct arena *a, int64_t n, struct reap_count *count);

#endif
