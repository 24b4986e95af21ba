/*
 * append.h - what the files of an append share.
 */
#ifndef UPLOAD_APPEND_H
#define UPLOAD_APPEND_H

#include "upload/upload_priv.h"

/* Work of one append, from the hold to the row. */
struct append {
	struct house *h;
	struct arena *a;
	struct upload u;
	struct append_plan plan;
	struct append_out *out;
	enum append_end end;
	int64_t at;             /* the row's offset as this append has moved it */
	bool resumed;           /* goes on after an interruption, which the next move says */
	const struct digest_wants *wants;   /* n 0: none */
	const struct digest_alg *tell;
};

/* Compare-and-set of the row from where this append left it. */
enum err append_move(struct append *ap, int64_t offset, bool writing, bool interrupted);
/* Nobody writes into a session's part file unless the session, re-read under the hold, is receiving. */
enum err append_allowed(struct append *ap);
/* All plan.length bytes are durable: the upload is complete, or (ERR_CHECKSUM) gone. */
enum err append_complete(struct append *ap);

#endif
