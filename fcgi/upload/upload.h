/*
 * upload.h - the verbs: what one can do with an upload and with a recording in chunks. The waist of the house: every protocol above
 * speaks in these, every store below serves them.
 *
 * Errors not named at a verb: ERR_NOT_FOUND, ERR_GONE, ERR_LOCKED (held and not handed over in time), ERR_NO_SPACE, ERR_BUSY, ERR_NOMEM,
 * ERR_INTERNAL. Texts in results belong to the arena given.
 */
#ifndef UPLOAD_UPLOAD_H
#define UPLOAD_UPLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"
#include "base/metrics.h"
#include "base/source.h"
#include "blob/blob.h"
#include "db/store.h"
#include "model/session.h"
#include "model/upload.h"
#include "upload/hold.h"

/* What the verbs work with; one a process. */
struct house {
	const struct config *cfg;
	struct store *db;
	struct blobs *blobs;
	struct holds *holds;
	struct metrics *metrics;
	bool stopping;              /* set, atomically, before waiting bodies are stopped for a shutdown */
	struct reap_turns {
		struct store_mark due_uploads, due_partials, joining_uploads, plain_recordings, due_sessions, full_uploads, finishing_uploads, finishing_sessions;
	} turns;                    /* reap's own: where it goes on next time */
};

/* ---- whole uploads ---- */

struct create_cmd {
	const char *owner;
	const char *meta;           /* Upload-Metadata text, NULL if none */
	int64_t length;             /* LENGTH_UNKNOWN if deferred; of a FINAL one ignored */
	bool is_explicit;           /* complete only when its client says so, not at its length (IETF draft) */
	enum upload_concat concat;
	const char *concat_text;    /* of a FINAL one: Upload-Concat as received */
	const struct upload *part;  /* its parts in order: PARTIAL rows */
	int nparts;
	const struct digest_wants *repr;   /* what the whole must have when it is complete: else ERR_CHECKSUM, and it is GONE. NULL: anything */
	const struct digest_alg *tell;     /* as of the append that completes it, whichever that is */
};
/* A new upload under a fresh id. Length 0 is complete at once, unless it is explicit. A FINAL one is OPEN until it has the bytes of its parts, which upload_finish
 * brings. ERR_TOO_LARGE above TUS_MAX_SIZE; ERR_NO_SPACE if it cannot fit. */
enum err upload_create(struct house *h, struct arena *a, const struct create_cmd *cmd, struct upload *out);
/* The row as it is; asks nobody. A GONE row is ERR_GONE. */
enum err upload_find(struct house *h, struct arena *a, const char *id, struct upload *out);
struct append_out;
/* For HEAD: asks a living writer to let go, waits at most 200 ms for his last publication, reads the row. Waits for no lock. An upload that has all its bytes and
 * whose process died before it was complete is completed; one that is explicit only if whoever asks takes its length for its end (at_length: tus).
 * Who does not (the draft) waits for the writer as long as a newcomer would, and gets ERR_LOCKED if he is still there. Who does gets it as long as all bytes are there
 * and nobody has found out whether they are what was promised.
 * ERR_NOT_FOUND: a chunk, and it is complete now. out: only what is to be finished later. */
enum err upload_settle(struct house *h, struct arena *a, struct upload *u, bool at_length, struct append_out *out);
/* Display name of a whole upload, from the usual metadata keys. From the arena, or static. */
const char *upload_title(struct arena *a, const struct upload *u);

struct append_out {
	int64_t offset, length;     /* as the row says now, also on errors where they are known (offset -1 if not) */
	int64_t expires;
	bool complete;              /* every byte is durable, and no other will come; also if it was so before */
	bool proven;                /* the body's end was proven to be its true end */
	int64_t finish_upload, finish_session;   /* rows whose finishing copies data, or a part that others may wait for: run finish_later for
	                                          * them after the answer; 0 if none */
	struct digest_want told;    /* with complete: the digest of the whole that the append or the creation wished to be told; alg NULL: none, or it could not be had */
};
/* Appends the body to upload row n (whole or chunk): holds it, plans, writes, syncs, moves the row; completes it as cmd->end says. What is told of an explicit
 * upload is durable at every level. ERR_OFFSET, ERR_INVALID, ERR_TOO_LARGE as plan_append; ERR_INVALID also: the body ended elsewhere than the length says,
 * what came is kept; ERR_DISPLACED: another request took over, what came is kept; ERR_CUT: the body ended early, what came is kept; ERR_CHECKSUM: the body has
 * not what cmd->wants. Of a body with cmd->wants nothing is kept unless it came whole and matches, whatever the error, not even its length; ERR_STOPPING:
 * likewise, because this process ends;
 * ERR_AGAIN: the row is not there any more, look it up anew; ERR_NO_SPACE: what fitted is kept. */
enum err upload_append(struct house *h, struct arena *a, int64_t n, const struct append_cmd *cmd, struct source *body, struct append_out *out);
/* DELETE: cuts a writer, frees the space; 404 or 410 from now on. */
enum err upload_remove(struct house *h, struct arena *a, const char *id);
/* The same to an upload that is not complete; ERR_CONFLICT if it is. */
enum err upload_spoil(struct house *h, struct arena *a, const char *id);
/* A new upload with the whole body (PUT /upload/name), which has what it must have. After an error nothing is left of it. */
enum err upload_store(struct house *h, struct arena *a, const struct create_cmd *cmd, const struct digest_wants *wants, struct source *body, struct upload *u,
	struct append_out *out);
/* A new upload whose bytes are brought piece by piece (a file in a form). Free with upload_push_close, whatever happened (also after a failed open, if
 * *p is set then): what was not finished leaves nothing. */
struct upload_push;
/* cmd->length is ignored; max: bytes at most. body: what to stop when this process ends. */
enum err upload_push_open(struct house *h, struct arena *a, const struct create_cmd *cmd, int64_t max, struct source *body, struct upload_push **p);
/* ERR_TOO_LARGE above max. */
enum err upload_push_data(struct upload_push *p, const void *data, size_t n);
/* All bytes came: they are durable now, but the upload is still nobody's. */
enum err upload_push_end(struct upload_push *p);
/* After upload_push_end: the upload is complete. *finish_upload: see append_out. To undo it afterwards: close it, then upload_remove. */
enum err upload_push_finish(struct upload_push *p, struct upload *u, int64_t *finish_upload);
void upload_push_close(struct upload_push *p);
/* Opens the bytes of an upload for reading: the finished file, or the part while it is FINISHING. ERR_CONFLICT while it is OPEN. */
enum err upload_open(struct house *h, struct arena *a, const struct upload *u, int *fd, struct recording *rec);

/* ---- recordings in chunks ---- */

struct chunk_cmd {
	const char *sid, *owner;
	bool any_owner;             /* may write into anybody's session */
	bool only_new;              /* as in struct chunk_want */
	struct take_want take;
	int64_t chunk_size;         /* declared, 0 if not */
	const char *name, *format;  /* NULL if not given */
	const char *client_meta;    /* JSON object text, NULL if not given */
	int64_t idx, length;        /* length maybe LENGTH_UNKNOWN */
	const char *meta;           /* Upload-Metadata text, NULL if none */
};
/* A new, empty take of sid with total, declared size and names bound (idx and length are ignored). ERR_NO_SPACE, ERR_CONFLICT if the sid is taken. */
enum err session_open(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct session *out);
/* tus creation of a chunk: a fresh upload, replacing an unfinished one of the same index. Errors as store_chunk_reserve, and ERR_TOO_LARGE above MAX_CHUNK_SIZE.
 * *finish_session: see append_out; of an empty chunk that was the last one. */
enum err chunk_create(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct upload *u, int64_t *finish_session);

struct chunk_view {
	struct session s;
	bool open;                  /* there is an unfinished upload row: u */
	struct upload u;
	bool done;                  /* there is a complete chunk: c */
	struct chunk c;
};
/* Chunk idx of sid: the unfinished row in the newest take that has one, else the complete chunk in the newest take that has it. ERR_NOT_FOUND: no session, or
 * nothing of this chunk (then v->s is set and v->s.n > 0); ERR_GONE: all takes are (v->s is the newest). */
enum err chunk_find(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk_view *v);
/* Whether a complete chunk is there, in any take (newest first). */
enum err chunk_verify(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk *c);
/* PATCH on a chunk that is complete: the same bytes are accepted again (*after then lies behind them) and nothing is written; else ERR_OFFSET.
 * Of cmd the offset and what the body must have count; ERR_CHECKSUM. */
enum err chunk_compare(struct house *h, struct arena *a, const struct chunk_view *v, const struct append_cmd *cmd, struct source *body, int64_t *after);
/* Drops an unfinished chunk. */
enum err chunk_remove(struct house *h, struct arena *a, const struct chunk_view *v);

/* The fallback. A chunk body comes in pieces before it is known where it belongs (form fields may follow the file). */
struct chunk_put;
/* body: what to stop when another request wants the chunk. Free with chunk_put_close, whatever happened: what was not ended leaves nothing. */
enum err chunk_put_open(struct house *h, struct arena *a, struct source *body, struct chunk_put **out);
/* The fields came first: a long body may go straight to its slot. Optional; the cmd that ends it has the same sid and idx, and costs a copy if its take differs. */
void chunk_put_hint(struct chunk_put *p, const struct chunk_cmd *cmd);
/* ERR_TOO_LARGE above MAX_CHUNK_SIZE. */
enum err chunk_put_data(struct chunk_put *p, const void *data, size_t n);
struct chunk_put_out {
	bool exists;                /* the same bytes were there already */
	int64_t size;
	int64_t finish_session;     /* see append_out */
};
/* The body is proven complete: makes the chunk durable and sets its bit. */
enum err chunk_put_end(struct chunk_put *p, const struct chunk_cmd *cmd, struct chunk_put_out *out);
void chunk_put_close(struct chunk_put *p);
/* Why the body broke off, if it was we who ended it: ERR_DISPLACED, ERR_STOPPING; else ERR_CUT. */
enum err chunk_put_reason(const struct chunk_put *p);

struct complete_cmd {
	const char *sid;
	const char *name;           /* display name of the result, NULL: from the session */
	const char *meta;           /* JSON object text, NULL if none */
	bool manual;                /* metadata.manualUpload: the take of the manual upload */
	int64_t total;              /* chunks, 0 if not given */
	int64_t file_size;          /* what the client believes, -1 if not given or not comparable (wav) */
};
struct complete_out {
	struct session s;
	bool already;               /* it was complete before (renamed if another name was given) */
	const char *file_name;
	int64_t finish_session;
	struct range missing[64];   /* with ERR_CONFLICT */
	int nmissing;
	int64_t missing_count;
};
/* Closes a session: ERR_CONFLICT with the missing chunks if it is not whole. Idempotent. */
enum err session_complete(struct house *h, struct arena *a, const struct complete_cmd *cmd, struct complete_out *out);
/* Newest take that is not GONE, else ERR_GONE; missing ranges below its total. */
struct session_view {
	struct session s;
	int64_t total;
	struct range *missing;
	int nmissing;
	int64_t missing_count;
};
#define SESSION_RANGES_MAX 1000
enum err session_find(struct house *h, struct arena *a, const char *sid, struct session_view *v);
/* Cancels what is unfinished, also a recording in the making that cannot be made now. ERR_CONFLICT if there is only a finished recording (or one in the making). */
enum err session_cancel(struct house *h, struct arena *a, const char *sid);

/* ---- finished files ---- */

/* The finished file of sid under its disk name. One that is just being finished is waited for; ERR_LOCKED if that lasts. */
enum err recording_find(struct house *h, struct arena *a, const char *sid, const char *disk, struct recording *out);
/* Its file; r follows the row if that changes meanwhile. ERR_LOCKED: it is being finished anew, and that lasts. */
enum err recording_open(struct house *h, struct arena *a, struct recording *r, int *fd);
enum err recording_remove(struct house *h, struct arena *a, const struct recording *r);

/* ---- finishing and time ---- */

/* Makes the finished file of a FINISHING upload or session row. Re-runnable at any point; ERR_LOCKED if somebody is at it. One that has all its bytes but is still OPEN, because they were not checked,
 * is checked and completed. An OPEN final upload takes the bytes of its parts before, if all are there (else: success, it waits); of a partial one, the final ones that name it are looked at. */
enum err upload_finish(struct house *h, int64_t n);
enum err session_finish(struct house *h, int64_t n);
/* Both, of rows that are not 0, and the digest of the finished file if FILE_DIGEST wants it. For after an answer. */
void finish_later(struct house *h, int64_t upload, int64_t session);
/* The digest of finished file row n, into its row and its note, unless it is there. ERR_LOCKED: somebody is at it; ERR_STOPPING. */
enum err recording_digest(struct house *h, int64_t n);
bool digest_is_wanted(const struct house *h);
/* What the whole of u must have when it is complete. */
void upload_promised(const struct upload *u, struct digest_wants *out);
/* Length of a final upload as far as its parts tell it: LENGTH_UNKNOWN while one has none. */
enum err final_length(struct house *h, const struct upload *u, int64_t *length);
/* Whether all parts of a final upload are there and so small that their bytes may be brought before the answer. */
bool final_is_quick(struct house *h, const struct upload *u);

struct reap_count {
	int64_t expired, recovered, finished, orphans, failed;
};
/* Whether acknowledged bytes of a FINISHING or FAILED row are not in its files, or rows are missing: what no time heals. An error: that cannot be said now. */
enum err session_bytes_missing(struct house *h, const struct session *s, bool *missing);
enum err upload_bytes_missing(struct house *h, struct arena *a, const struct upload *u, bool *missing);
/* Ends interrupted finishing only, some rows of each kind a call; *all: every row was looked at. For the start of a process; for one thread of it. */
enum err reap_interrupted(struct house *h, int limit, bool *all, struct reap_count *count);
/* Does what time demands, at most limit rows of each kind: expires unfinished uploads, recovers or drops abandoned sessions, ends interrupted finishing, removes orphan
 * part files (only if scan), forgets old rows. Rows that fail take turns with the others. A session whose acknowledged bytes are missing for good becomes FAILED,
 * such an upload is left alone from then on (store_upload_failed).
 * For one thread of a process. */
enum err reap(struct house *h, int limit, bool scan, struct reap_count *count);
/* Removes a part file, or (copy_of, else NULL) the half copy of it among the finished files of that sid, unless somebody makes it just now, or a row names it.
 * *removed says whether. */
enum err file_remove_orphan(struct house *h, int64_t file, const char *copy_of, bool *removed);
/* Removes a finished file, unless its name is somebody's: ERR_CONFLICT. */
enum err finished_drop(struct house *h, const char *sid, const char *disk);

#endif
