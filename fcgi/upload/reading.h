/*
 * reading.h - digests of a whole file in one reading.
 */
#ifndef UPLOAD_READING_H
#define UPLOAD_READING_H

#include "base/digest.h"
#include "upload/upload_priv.h"

/* What the bytes of one file are for: to be compared with what they must have, and to be told of. */
struct reading {
	struct digest_check check;
	struct digest d[2];             /* SHA-256 for the ledger, and another for a client */
	struct digest_want told[2];     /* alg NULL: not made */
};

/* one and other may be NULL. wants must live as long as the reading. Whoever began it ends it. */
enum err reading_begin(struct reading *r, const struct digest_wants *wants, const struct digest_alg *one, const struct digest_alg *other);
/* n bytes of an open file, from position at. ERR_STOPPING: the process ends and does not wait for that. */
enum err reading_file(const struct house *h, int fd, int64_t at, int64_t n, struct reading *r);
/* e: how reading_file ended, which is returned if it is an error; else r->told are there. ERR_CHECKSUM: the bytes have not what they must have. */
enum err reading_end(struct reading *r, enum err e);

#endif
