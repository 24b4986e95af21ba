/*
 * upload.h - the atom: one upload, a byte sequence that grows; and the rules for growing it. Pure.
 */
#ifndef MODEL_UPLOAD_H
#define MODEL_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/err.h"

#define LENGTH_UNKNOWN (-1)
#define OWNER_ANONYMOUS ""

enum upload_kind { UPLOAD_WHOLE, UPLOAD_CHUNK };
/* OPEN grows; FINISHING has all bytes, durable, and is being published; COMPLETE is a finished file; GONE was deleted or expired. */
enum upload_state { UPLOAD_OPEN, UPLOAD_FINISHING, UPLOAD_COMPLETE, UPLOAD_GONE };

/* Concatenation (tus 1.0.0). A PARTIAL one is an ingredient: COMPLETE with all its bytes, it becomes no finished file and expires as before. A FINAL one is OPEN
 * while it waits for its parts or takes their bytes; nobody appends to it. */
enum upload_concat { CONCAT_NONE, CONCAT_PARTIAL, CONCAT_FINAL };
/* Who needs the part file: nobody on account of this row; this row alone; this one and others (it belongs to a final upload that took the bytes). */
enum upload_own { OWN_NOT, OWN_ALONE, OWN_SHARED };

/* A row of the ledger. Bytes [0, offset) lie durable at [base, base+offset) of part file `file`. Texts belong to the arena they were read into. */
struct upload {
	int64_t n;                /* row number, never reused; names the lock byte */
	const char *id;           /* public id "_..." of a whole upload; NULL for a chunk */
	const char *owner;        /* OWNER_ANONYMOUS, "user:NAME" or "key:NAME" */
	enum upload_kind kind;
	enum upload_state state;
	int64_t session, idx;     /* of a chunk: session row and index; else 0, 0 */
	int64_t file, base;       /* part file number and where byte 0 lies */
	int64_t length;           /* bytes, LENGTH_UNKNOWN while deferred */
	int64_t offset;           /* bytes durable */
	bool writing;             /* a body was published in its middle and has not ended cleanly: the next one resumes */
	const char *meta;         /* Upload-Metadata as received, NULL if none */
	int64_t created, updated, expires;   /* seconds; expires 0 = never, -1 = FINISHING, but bytes are missing for good */
	enum upload_own own;
	enum upload_concat concat;
	const char *concat_text;  /* Upload-Concat of a FINAL one as received, else NULL */
	bool is_explicit;         /* complete only when its client says so, not at its length (IETF draft) */
	const char *repr;         /* what the whole must have, and what is to be told of it when it is complete (whole_promise), NULL: nothing; it is read then */
};

/* When an append completes its upload. */
enum append_end {
	END_AT_LENGTH,            /* as soon as it has its length (tus) */
	END_NEVER,                /* not even then: the client will say so (IETF draft, more to come) */
	END_WITH_BODY,            /* with the true end of this body, which is the length if none is known (IETF draft, the last one) */
};

/* What a PATCH asks for. */
struct append_cmd {
	int64_t offset;           /* Upload-Offset */
	int64_t length;           /* Upload-Length given with it, LENGTH_UNKNOWN if not */
	int64_t body;             /* announced body size, -1 unknown */
	int64_t max_size;         /* largest upload, bytes */
	int64_t max_body;         /* largest single body, bytes, 0 = no bound */
	const struct digest_alg *tell;   /* the answer tells this digest of the whole if the body completes it, which costs reading it; NULL: none */
	struct digest_wants wants;   /* what the body must have; n 0: anything. A checked body counts whole and matching, or not at all */
	enum append_end end;      /* END_WITH_BODY: length is offset + body if that is announced */
};

struct append_plan {
	int64_t at;               /* position in the part file of the first byte to write */
	int64_t room;             /* bytes that may be stored at most; a further byte is ERR_TOO_LARGE */
	bool set_length;          /* length becomes cmd->length first */
	int64_t length;           /* length afterwards, maybe unknown */
};

/* Whether u takes bytes of a client at all, whoever is at it. ERR_GONE gone; ERR_FORBIDDEN a final upload. */
enum err plan_takes(const struct upload *u);
/* Whether and where cmd may append to u (tus 1.0.0 PATCH, creation-defer-length; checks 35-49, 86-93).
 * ERR_GONE gone; ERR_FORBIDDEN a final upload; ERR_OFFSET offset differs; ERR_INVALID length changed or below the offset; ERR_TOO_LARGE body or length too long. */
enum err plan_append(const struct upload *u, const struct append_cmd *cmd, struct append_plan *plan);

/* Sum of two lengths: unknown if one is, INT64_MAX if it is no number of ours any more. */
int64_t plan_sum(int64_t a, int64_t b);

/* Whether an upload of this length may be created. ERR_TOO_LARGE if above max. */
enum err plan_create(int64_t length, int64_t max_size);

/* When to publish the offset inside a running body (DESIGN "Never lose a byte"): new bytes and milliseconds since the last
 * publication, and whether this process has a timed publication left in this second. */
bool plan_publish(int64_t new_bytes, int64_t ms, bool budget);

/* Sliding expiry that spares index writes: the new value, or the old one if it would move by less than a tenth of ttl. */
int64_t plan_expiry(int64_t now, int64_t ttl, int64_t old);

#endif
