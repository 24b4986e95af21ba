/*
 * store.h - the ledger: rows of uploads, sessions, chunks, recordings and keys. SQL lives only behind this header.
 *
 * Every write verb is one operation of the leader commit: it is queued, and whoever finds nobody committing becomes the leader, takes the
 * process's one writing handle and the OFD lock on meta.lock, runs the queue in one transaction (a SAVEPOINT an operation; synchronous FULL
 * if any member needs it, else NORMAL), commits and wakes the others. An operation that answers an error is rolled back alone; a failed COMMIT fails all
 * members and moves nothing. Read verbs borrow one of a few reading handles for one statement set. No verb is called with a lock of another room held
 * that another verb's caller may wait for.
 *
 * FULL/NORMAL below says how durable a verb is when it returns ("level normal"; at level full all are FULL).
 * Texts in results belong to the arena given. Times are seconds (UTC). Errors: ERR_NOT_FOUND, ERR_NO_SPACE (disk or quota full), ERR_BUSY,
 * ERR_NOMEM, ERR_INTERNAL (logged), and those named at the verb.
 */
#ifndef DB_STORE_H
#define DB_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/event.h"
#include "model/session.h"
#include "model/upload.h"

struct store;

struct store_options {
	const char *dir;       /* holds tus.db, meta.lock, init.lock */
	bool full;             /* durability level full */
	bool once;             /* plain CGI: no checkpoint on close, persistent WAL */
	int readers;           /* reading handles at most, 4 */
	int batch;             /* operations that share a commit at most; 0: 256. 1 is for measuring what sharing is worth */
	unsigned events, hook; /* EVENT_BITs of the kinds that are written to the outbox; that are to be delivered, and so written too */
	int64_t events_keep;   /* seconds after which events are forgotten */
};
/* Opens, creates or migrates (init.lock; PRAGMA user_version; application_id 0x74757331; a newer version is refused with ERR_CONFLICT). */
enum err store_open(const struct store_options *o, struct store **out);
void store_close(struct store *s);
/* A small write and commit succeed. */
enum err store_writable(struct store *s);
/* What was committed before is as durable as level full has it. FULL. */
enum err store_pin(struct store *s);

/* A number for a part file, never given twice. NORMAL (a row that uses it is committed later, so it is lost only together with that row). */
enum err store_file_next(struct store *s, int64_t *file);
/* Whether any row needs this part file: of an OPEN or FINISHING upload, a chunk, a session that is neither finished nor GONE. Who is about to make a finished one go
 * on holds the file (HOLD_FILE). */
enum err store_file_known(struct store *s, int64_t file, bool *known);

/* ---- whole uploads (/files/{id}, and single-request uploads) ---- */

struct upload_new {
	const char *id, *owner, *meta;      /* meta NULL if none */
	int64_t length;                     /* LENGTH_UNKNOWN if deferred */
	int64_t now, expires;
	bool is_explicit;                   /* as in struct upload */
	const char *repr;                   /* as in struct upload */
	enum upload_concat concat;
	const char *concat_text;            /* of a FINAL one */
	const int64_t *part;                /* of a FINAL one: rows of its parts in order */
	int nparts;
};
/* Inserts an OPEN row with a fresh part file number. ERR_GONE: a part is not there any more. FULL. */
enum err store_upload_create(struct store *s, struct arena *a, const struct upload_new *in, struct upload *out);
/* ERR_NOT_FOUND. A GONE row is returned as such. */
enum err store_upload_by_id(struct store *s, struct arena *a, const char *id, struct upload *out);
enum err store_upload_by_n(struct store *s, struct arena *a, int64_t n, struct upload *out);

struct upload_move {
	int64_t n, old, offset;             /* compare-and-set: only if OPEN and the offset is old */
	bool writing;                       /* published in the middle of a body */
	int64_t now, expires;               /* expires < 0: leave */
	bool full;
	bool make_explicit;                 /* from now on the client says when it is complete */
	bool resumed, interrupted;          /* events to write: the body goes on after an interruption; it broke off */
};
/* Moves the offset. ERR_OFFSET: the row is not at old, or not OPEN. NORMAL, or FULL if asked. For chunks expires goes to the session row. */
enum err store_upload_move(struct store *s, const struct upload_move *m);
/* Sets a deferred length once. ERR_OFFSET if it is set (unless equal: success) or the offset is beyond it. FULL. */
enum err store_upload_length(struct store *s, int64_t n, int64_t length);
/* Whole uploads: compare-and-set old -> length and OPEN -> FINISHING, of a partial one OPEN -> COMPLETE. ERR_OFFSET. FULL. */
enum err store_upload_closing(struct store *s, int64_t n, int64_t old, int64_t length, int64_t now);

/* ---- concatenation ---- */

/* What an OPEN final upload waits for. Without parts (it left that state): all 0. */
struct parts_sum {
	int64_t parts, ready, running;      /* ready: all bytes there, also of a deleted one; running: may still grow. The others are lost. */
	int64_t length;                     /* sum, LENGTH_UNKNOWN while one of them has none */
	int64_t expires;                    /* latest of those that run */
};
enum err store_parts_sum(struct store *s, int64_t final, struct parts_sum *out);
/* Its parts in order from place `from` (0, 1, ...) on, without texts, at most max; *found how many. */
enum err store_parts(struct store *s, int64_t final, int64_t from, struct upload *out, int max, int *found);
/* OPEN final uploads that name this partial one, with rows above `after`, at most max. */
enum err store_part_finals(struct store *s, int64_t part, int64_t after, int64_t *n, int max, int *found);
/* Whether there is one. */
enum err store_part_named(struct store *s, int64_t part, bool *yes);
/* The part file of its first part, which has it alone, becomes that of an OPEN final upload which has no bytes yet; they share it from now on. *file and *offset: of the
 * final one now. ERR_OFFSET: one of the two is not like that. NORMAL. */
enum err store_final_adopt(struct store *s, int64_t final, int64_t part, int64_t now, int64_t *file, int64_t *offset);
/* A part's bytes lie durable in the final upload's file too, at its offset `old` and up to `offset`: moves that, and a part that had its own file points there; *old_file: that
 * one, which nobody needs any more (remove it), 0 if there is none. ERR_OFFSET: not OPEN, or not at old. FULL. */
struct part_taken {
	int64_t final, part, old, offset, base, now;   /* base: where the part's byte 0 lies in the file */
};
enum err store_final_took(struct store *s, const struct part_taken *t, int64_t *old_file);
/* Whether parts of a final upload lie in this part file. */
enum err store_file_shared(struct store *s, int64_t file, bool *yes);
/* New expiry of a whole upload. NORMAL. */
enum err store_upload_expires(struct store *s, int64_t n, int64_t expires);

struct recording {
	int64_t n;
	const char *sid;                    /* session id, or id of a whole upload */
	int64_t session, upload;            /* row it was made from, 0 if none (any more) */
	int64_t take;
	const char *owner;
	const char *name;                   /* display name */
	const char *disk;                   /* file name on disk and in the URL; unique a sid */
	const char *meta;                   /* JSON object text or NULL */
	int64_t size, created;
	bool recovered;
	const char *sha256;                 /* of the whole file, 64 hex digits; NULL while not computed */
};
/* FINISHING -> COMPLETE with its recording row (n, session, upload, take are set here). Again: success, nothing changes. expires 0. NORMAL. */
enum err store_upload_finished(struct store *s, int64_t n, const struct recording *r, int64_t now);
/* Marks a FINISHING upload whose bytes are missing for good, so that nobody tries again (expires -1), or takes the mark away. ERR_OFFSET: not FINISHING. NORMAL. */
enum err store_upload_failed(struct store *s, int64_t n, bool failed);
/* Any state but GONE -> GONE; its recording row goes too. *was: the row as it was (file to remove), disk: recording's disk name or NULL. finishing (maybe NULL): the name under
 * which the file of a FINISHING one without a recording may be published already; it goes to the trash, and to *disk.
 * only_expired: ERR_CONFLICT unless OPEN, or partial and COMPLETE, and expires in (0, now]. A complete partial one that an OPEN final one names keeps its part file (store_file_known). FULL unless only_expired and empty. */
enum err store_upload_gone(struct store *s, struct arena *a, int64_t n, int64_t now, bool only_expired, const char *finishing, struct upload *was, const char **disk);

/* ---- sessions ---- */

/* Takes of sid, newest first, those that are GONE behind all others, at most max; *found how many. The client metadata may be long: only the first has it, meta of the others is NULL. ERR_NOT_FOUND if none. */
enum err store_session_takes(struct store *s, struct arena *a, const char *sid, struct session *out, int max, int *found);
enum err store_session_by_n(struct store *s, struct arena *a, int64_t n, struct session *out);
/* Missing indices below total, as ranges [first, last]; at most max of them; *missing counts all indices. */
struct range { int64_t first, last; };
enum err store_session_missing(struct store *s, int64_t n, int64_t total, struct range *out, int max, int *found, int64_t *missing);

struct chunk_want {
	const char *sid, *owner;
	struct take_want take;
	int64_t chunk_size;                 /* declared, 0 if not; binds only a new take */
	const char *name, *format, *client_meta;  /* NULL if not given; the first given binds */
	int64_t idx, length;                /* length maybe LENGTH_UNKNOWN */
	const char *meta;                   /* Upload-Metadata, NULL if none */
	int64_t held;                       /* upload row that the caller holds, 0 if none */
	int64_t spool;                      /* part file that has the bytes already, 0 if none: then parked there */
	int64_t max_chunks, max_size;
	bool any_owner;                     /* may go into a take of another owner */
	bool only_new;                      /* nothing that is there is touched: ERR_CONFLICT where the chunk is complete or has a byte, or its take is finished */
	int64_t now, expires;               /* for the session */
	bool full;
	/* Called inside the transaction when a new upload row was made, before anybody can see it: the place to take its hold without waiting.
	 * May be called again (another try); an error undoes the reservation. What it took stays with the caller, whatever the verb returns. */
	enum err (*on_new)(void *arg, int64_t upload);
	void *arg;
};
/* A new, empty take with everything in w bound but no chunk (idx, length, held, spool are ignored). FULL. */
enum err store_session_create(struct store *s, struct arena *a, const struct chunk_want *w, struct session *out);
struct chunk_reserved {
	struct session s;
	struct upload u;                    /* the row to fill: OPEN, offset 0 */
	bool has_done;                      /* the chunk is complete already: the bytes of u will be compared with */
	struct chunk done;
	bool new_session;
	int64_t old_file;                   /* a parked file of the replaced row that nothing names any more (remove it), 0 if none */
	int64_t reopen;                     /* with ERR_AGAIN: session row to reopen first, 0 if none */
};
/* Finds or makes the take (plan_take), binds first-given values, gives the chunk its slot (plan_slot) and a row to fill, or resets the row that the caller
 * holds. The frontier then moves on over rows that are there already for next_idx, next_idx + 1 ... with a known length (complete chunks, or unfinished rows). NORMAL, FULL if asked or if a row with offset > 0 is reset (its bytes are about to be overwritten).
 * ERR_AGAIN with reopen: see there. ERR_AGAIN with u.n set: an unfinished row exists that the caller does not hold.
 * ERR_LOCKED: the take is FINISHING. ERR_INVALID: idx or total above max_chunks. ERR_UNPROCESSABLE: idx >= total. ERR_CONFLICT: a total below what is there, or (tus) another total
 * than the bound one. ERR_NO_SPACE: the session would pass max_size. ERR_FORBIDDEN: the take belongs to another owner, who is not anonymous. */
enum err store_chunk_reserve(struct store *s, struct arena *a, const struct chunk_want *w, struct chunk_reserved *out);

/* The unfinished row of a chunk; ERR_NOT_FOUND. */
enum err store_chunk_upload(struct store *s, struct arena *a, int64_t session, int64_t idx, struct upload *out);
/* A complete chunk; ERR_NOT_FOUND. */
enum err store_chunk_get(struct store *s, int64_t session, int64_t idx, struct chunk *out);
/* Its Upload-Metadata as received, NULL if none. */
enum err store_chunk_meta(struct store *s, struct arena *a, int64_t session, int64_t idx, const char **out);
/* Complete chunks with idx >= from in order, at most max; *found how many. */
enum err store_chunks(struct store *s, int64_t session, int64_t from, struct chunk *out, int max, int *found);
/* Calls f for every part file number that unfinished or parked chunks of the session name, other than its own part file. */
enum err store_session_files(struct store *s, int64_t session, bool (*f)(void *arg, int64_t file), void *arg);

/* Row numbers of the unfinished chunks of a session, at most max; *found how many. */
enum err store_session_uploads(struct store *s, int64_t session, int64_t *n, int max, int *found);

struct chunk_end {
	int64_t upload, old;                /* row and its offset: compare-and-set */
	int64_t length;                     /* of the whole chunk, all durable */
	bool equal;                         /* the same bytes as the complete chunk that is there */
	int64_t max_size;                   /* of the whole session, 0: no bound */
	int64_t now, expires;
};
struct chunk_ended {
	int64_t session;                    /* row that has the chunk now (a new take if a finished one was contradicted) */
	bool finishing;                     /* it was the last one: this caller must run the finishing */
	bool constant_time;                 /* finishing will be a rename */
	int64_t old_file;                   /* part file that nothing names any more, 0 if none */
};
/* The chunk is complete: its row replaces the upload row, its bit is set, counters and frontier move; the last one of a known total turns the session to FINISHING
 * (goal COMPLETE, out_name from name and format). A complete chunk with other bytes is replaced (RECEIVING) or begins a new take (COMPLETE, RECOVERED). FULL.
 * ERR_OFFSET: the row is gone or not at old. ERR_LOCKED: FINISHING. ERR_NO_SPACE: the session would grow beyond max_size (many chunks may have been reserved while it was small). */
enum err store_chunk_done(struct store *s, const struct chunk_end *e, struct chunk_ended *out);
/* Drops an unfinished chunk row that the caller holds. *file: parked file to remove, or 0. FULL. */
enum err store_chunk_drop(struct store *s, int64_t upload, int64_t *file);

struct session_close {
	int64_t n;
	int64_t total;                      /* given, 0 if not */
	const char *name;                   /* display name of the result; NULL: keep out_name, else from name and format */
	const char *meta;                   /* JSON object text, NULL: keep */
	enum session_state goal;            /* SESSION_COMPLETE or SESSION_RECOVERED */
	bool size_mismatch;
	int64_t now;
};
/* RECEIVING -> FINISHING (disk name chosen: unique a sid, numbered) in one transaction, so that exactly one caller sees ERR_OK. FULL.
 * ERR_CONFLICT: chunks are missing (unfinished rows with offset > 0 count as such when no total is known,
 * but not for goal RECOVERED). ERR_AGAIN: already FINISHING. ERR_LOCKED: FAILED. ERR_GONE. COMPLETE or RECOVERED: ERR_OFFSET. The total given does not bind: a later chunk may
 * still extend the recording. */
enum err store_session_close(struct store *s, const struct session_close *c);
/* All chunks lie, durable, one after the other in part file `file` (the session's, or a fresh one), and where they lay before: their rows follow in bounded
 * transactions, the session's row in the last. FULL. Re-runnable with another file at any point. After an error some rows may name `file`; it is known then.
 * ERR_OFFSET: not FINISHING. ERR_INTERNAL: the rows are not what the session says. */
enum err store_session_joined(struct store *s, int64_t n, int64_t file);
/* FINISHING -> goal, with its recording row (replacing an earlier one of this session row); unfinished chunk rows go. Again: success. NORMAL. old_disk: the disk name of the replaced
 * recording if it differs (remove it), else NULL. Many unfinished rows go in bounded transactions before the last one. */
enum err store_session_finished(struct store *s, struct arena *a, int64_t n, const struct recording *r, int64_t now, int64_t expires, const char **old_disk);
/* FINISHING -> FAILED, or back. */
enum err store_session_failed(struct store *s, int64_t n, bool failed);
/* COMPLETE, RECOVERED or (by time) GONE -> RECEIVING; RECEIVING: success. ERR_LOCKED: FINISHING, FAILED. ERR_GONE: cancelled. ERR_BUSY: gone, and store_forget has still rows of it to drop. FULL. */
enum err store_session_reopened(struct store *s, int64_t n, int64_t now, int64_t expires);
/* RECEIVING, FAILED -> GONE, and all its chunks with it (nobody finds one any more; the rows of a large session are dropped by store_forget). COMPLETE, RECOVERED,
 * FINISHING: ERR_CONFLICT. only_expired: ERR_CONFLICT unless expires <= now. FULL unless only_expired and nothing of it was acknowledged.
 * *file: the session's part file (remove it, and what store_session_files named before). */
enum err store_session_gone(struct store *s, int64_t n, int64_t now, bool cancelled, bool only_expired, int64_t *file);
/* The same, cancelled, for a FINISHING one too, whose finishing the caller keeps off (HOLD_SESSION); its out_name goes to the trash. FULL. */
enum err store_session_given_up(struct store *s, int64_t n, int64_t now, int64_t *file);

/* ---- finished files ---- */

enum err store_recording_get(struct store *s, struct arena *a, const char *sid, const char *disk, struct recording *out);
enum err store_recording_by_n(struct store *s, struct arena *a, int64_t n, struct recording *out);
/* The finished file of a session row, else its newest recovered run. */
enum err store_recording_of_session(struct store *s, struct arena *a, int64_t session, struct recording *out);
enum err store_recording_of_upload(struct store *s, struct arena *a, int64_t upload, struct recording *out);
/* Newest first, below n `before` (0: from the newest), of this owner or anonymous (owner NULL: all). */
enum err store_recordings(struct store *s, struct arena *a, const char *owner, int64_t before, struct recording *out, int max, int *found);
/* New name, metadata (NULL: keep) and recovered = false; the session becomes COMPLETE with out_name. Another disk name must be claimed
 * (store_name_claim), else ERR_CONFLICT. ERR_LOCKED: its session is being finished anew. FULL. */
enum err store_recording_rename(struct store *s, int64_t n, const char *name, const char *disk, const char *meta);
/* A recovered run of a session with holes: a recording of its own, which finishing, renaming or deleting the session's leaves alone. Its disk
 * name must be claimed, or, for a file that is there already (claimed false), be free; else ERR_CONFLICT. of: the session row whose chunks it
 * was made of, 0 if none: one that does not receive any more, deleted perhaps, gets no runs (ERR_OFFSET). NORMAL. */
enum err store_recording_add(struct store *s, const struct recording *r, bool claimed, int64_t of);
/* The digest of its file, 64 hex digits. ERR_NOT_FOUND: no such row. NORMAL: it can be computed again. */
enum err store_recording_digest(struct store *s, int64_t n, const char *sha256);
/* Removes the row; its session or upload becomes GONE (cancelled) as by store_session_gone, but a run goes alone. ERR_LOCKED: the session is FINISHING. FULL. */
enum err store_recording_delete(struct store *s, int64_t n, int64_t now);

/* Names that recordings have lost (dropped, renamed, replaced), at most max: their files are to be removed, then forgotten here. Until that they are given to
 * no other recording. The verb that takes a name away puts it here in its own transaction. */
struct trash {
	const char *sid, *disk;
};
enum err store_trash(struct store *s, struct arena *a, struct trash *out, int max, int *found);
enum err store_trash_has(struct store *s, const char *sid, const char *disk, bool *yes);
/* A name that is nobody's goes to the trash before a file gets it; store_recording_add and store_recording_rename take it out. ERR_CONFLICT: it is somebody's, or
 * in the trash already. FULL. */
enum err store_name_claim(struct store *s, const char *sid, const char *disk);
/* The file is gone. NORMAL: who forgets this removes it once more. */
enum err store_trash_done(struct store *s, const char *sid, const char *disk);

/* ---- time ---- */

/* Rows that want work, at most max; *found how many. They come in turns, so that rows which fail again and again do not keep the others from being
 * looked at: the caller keeps the mark (all zero at first), the next call goes on behind it. Fewer than max: that was the end, the mark is zero again. */
struct store_mark {
	int64_t at, n;
};
enum err store_due_uploads(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found);       /* OPEN whole uploads past expires */
enum err store_due_partials(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found);      /* complete partial ones past expires */
enum err store_joining(struct store *s, struct store_mark *m, int64_t *n, int max, int *found);                        /* OPEN final ones */
enum err store_due_sessions(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found);      /* RECEIVING past expires */
/* Without those that store_upload_failed marked. */
/* OPEN rows that have all their bytes since before `before`, and whose client has nothing more to say: their process died before it completed them. */
enum err store_full_uploads(struct store *s, int64_t before, struct store_mark *m, int64_t *n, int max, int *found);
enum err store_finishing_uploads(struct store *s, struct store_mark *m, int64_t *n, int max, int *found);
enum err store_finishing_sessions(struct store *s, struct store_mark *m, int64_t *n, int max, int *found);
/* Finished files whose digest is not computed. */
enum err store_plain_recordings(struct store *s, struct store_mark *m, int64_t *n, int max, int *found);
/* New expiry of a session (kept with holes). NORMAL. */
enum err store_session_expires(struct store *s, int64_t n, int64_t expires);
/* Forgets, at most max rows: what is left of sessions that are GONE; GONE rows with updated <= gone_before; finished sessions with expires <= now (in one step
 * the take is GONE and its recording is linked to it no more, then its rows go). *more: there are others, call again. NORMAL. */
enum err store_forget(struct store *s, int64_t now, int64_t gone_before, int max, bool *more);
/* ---- events: the outbox ----
 *
 * The verbs above write them, in the transaction of the change: created (an upload, a take), resumed and interrupted (store_upload_move; resumed also
 * store_session_reopened), completed and recovered (the finished verbs, store_recording_add, and store_recording_rename: completed), expired and deleted
 * (the gone verbs, store_recording_delete). A complete chunk is no event. store_forget drops them when they are events_keep old; those that wait for a
 * hook stay as long as a hook is set. */

/* A refused creation; kind and n are set here. NORMAL. */
enum err store_event_rejected(struct store *s, const struct event *e);
/* Events with n > after in order, at most max; *found how many. */
enum err store_events(struct store *s, struct arena *a, int64_t after, struct event *out, int max, int *found);
/* Events to be delivered now: each is the earliest waiting one of its subject. */
enum err store_events_due(struct store *s, struct arena *a, int64_t now_ms, struct event *out, int max, int *found);
/* How many wait for their delivery. */
enum err store_events_waiting(struct store *s, int64_t *waiting);
/* A delivery begins: counts it, and should nobody say how it ended, the next is due at next_ms. FULL, so that nobody is told of what a power cut takes back.
 * ERR_NOT_FOUND: it does not wait any more. */
enum err store_event_claim(struct store *s, int64_t n, int64_t next_ms);
/* It ended well: NORMAL, so a power cut may have it delivered again. Or not: next try at next_ms. ERR_NOT_FOUND as above. */
enum err store_event_delivered(struct store *s, int64_t n, int64_t now);
enum err store_event_retry(struct store *s, int64_t n, int64_t next_ms);

/* Gives an own connection the chance to checkpoint (under the write lock) when the WAL is large. */
void store_idle(struct store *s);

struct store_stats {
	int64_t active_sessions;            /* RECEIVING or FINISHING */
	int64_t active_uploads;             /* OPEN rows */
	int64_t recordings;
	int64_t stored_bytes;               /* finished files, complete chunks of unfinished sessions, offsets of OPEN rows */
	int64_t db_pages, wal_bytes;
};
enum err store_stats(struct store *s, struct store_stats *out);

/* ---- keys ---- */

struct api_key {
	const char *name, *role;            /* role: "user" or "admin" */
	unsigned char hash[32];             /* SHA-256 of the key */
	int64_t created;
};
enum err store_key_add(struct store *s, const struct api_key *k);   /* ERR_CONFLICT if the name is taken. FULL */
enum err store_key_find(struct store *s, struct arena *a, const unsigned char hash[32], struct api_key *out);
enum err store_keys(struct store *s, struct arena *a, struct api_key *out, int max, int *found);
enum err store_key_remove(struct store *s, const char *name);

/* ---- for tools ---- */

/* Rows with n > after in order, at most max; *found how many. unfinished: only uploads that are OPEN or FINISHING, only sessions that are RECEIVING,
 * FINISHING or FAILED. */
enum err store_list_uploads(struct store *s, struct arena *a, int64_t after, bool unfinished, struct upload *out, int max, int *found);
enum err store_list_sessions(struct store *s, struct arena *a, int64_t after, bool unfinished, struct session *out, int max, int *found);

/* A session and what its chunk rows and its bitmap say when they are counted, all of one moment. */
struct store_audit {
	struct session s;
	int64_t chunks, bytes, top, parked; /* of the chunk rows: to be compared with s.done, s.bytes, s.top, s.parked */
	int64_t bits;                       /* set in the bitmap */
	int64_t bits_noted;                 /* the sum of what its segments say of themselves */
	int64_t unmarked;                   /* lowest index with a chunk row but no bit, -1 if none */
	int64_t overlapping;                /* lowest index of a placed chunk that begins before the placed one below it ends, -1 if none */
};
enum err store_session_audit(struct store *s, struct arena *a, int64_t n, struct store_audit *out);
/* Sets counters and bitmap of a session to what its chunk rows say, in one transaction; the caller holds it. The highest index is never lowered, so that a chunk whose
 * row was lost is missing from then on. ERR_CONFLICT: not RECEIVING. FULL. */
enum err store_session_recount(struct store *s, int64_t n);
/* Takes back the offset of an OPEN upload whose bytes are lost: the promise is broken then, and the caller has to say so. ERR_OFFSET: not at old, or not shorter. FULL. */
enum err store_upload_shorten(struct store *s, int64_t n, int64_t old, int64_t offset);
/* A copy of the whole ledger as of one moment, synced, in file `path` (replaced; nothing is left of a failed one), while others write. */
enum err store_snapshot(struct store *s, const char *path);
/* Faults of the database itself as sentences, at most max: damaged pages, rows that belong to a row that is not there. */
enum err store_faults(struct store *s, struct arena *a, const char **out, int max, int *found);

#endif
