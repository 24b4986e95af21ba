/*
 * session.h - a recording in chunks: takes, slots, completeness. Pure rules on plain rows.
 *
 * A session id may have several takes (live and manual chunks of one id never mix); a row is one take.
 * A chunk is *placed* if its base in the take's part file is known when it starts, else *parked* in a file of its own.
 */
#ifndef MODEL_SESSION_H
#define MODEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "model/upload.h"

enum session_state {
	SESSION_RECEIVING,   /* chunks come in */
	SESSION_FINISHING,   /* the file is being made; chunks wait (423) */
	SESSION_COMPLETE,    /* finished by the client or by its last chunk */
	SESSION_RECOVERED,   /* finished by the reaper; a late chunk or completion goes on from it */
	SESSION_GONE,        /* cancelled or expired; remembered for a while */
	SESSION_FAILED       /* could not be finished; kept for the operator */
};
/* How its first chunk came: by tus, by the fallback without a total (live recorder), by the fallback with one (manual upload). Live chunks and
 * those of a known total have the same indices and other bytes, so they never share a take. */
enum session_kind { SESSION_TUS, SESSION_LIVE, SESSION_MANUAL };

struct session {
	int64_t n;                 /* row number; names the finish lock */
	const char *sid;           /* public id, chosen by the client */
	int64_t take;              /* 1, 2, ... */
	const char *owner;
	enum session_state state;
	enum session_kind kind;
	int64_t total;             /* chunks, 0 unknown; the first one given binds */
	int64_t chunk_size;        /* declared size of all chunks but the last, 0 if not declared */
	int64_t file;              /* its part file */
	int64_t next_idx, next_base;  /* frontier: slots below are given, next_base is the base of chunk next_idx */
	int64_t done;              /* complete chunks = bits set */
	int64_t top;               /* highest complete index + 1 */
	int64_t bytes;             /* sum of the lengths of complete chunks */
	int64_t parked;            /* complete chunks that lie outside the part file */
	int64_t size;              /* of the finished file */
	const char *name, *format; /* recording_name and format as first given */
	const char *meta;          /* client metadata: a JSON object text, NULL if none */
	const char *out_name;      /* chosen file name while finishing and after, NULL before */
	const char *out_title;     /* the display name that it was made from */
	enum session_state goal;   /* while finishing: COMPLETE or RECOVERED */
	bool cancelled;            /* gone: by DELETE (true) or by time */
	bool size_mismatch;        /* the client's fileSize did not match */
	int64_t started, updated, finished, expires;
};

/* A complete chunk. Its bytes are [base, base+length) of part file `file`. */
struct chunk {
	int64_t session, idx, file, base, length;
};

/* What a new chunk says of its session. */
struct take_want {
	enum session_kind kind;    /* how it comes */
	int64_t total;             /* 0 if not given */
};
enum take_plan { TAKE_USE, TAKE_REOPEN, TAKE_SKIP };
/* Whether a chunk that wants w may go into take s (asked from the newest take to the oldest; if all say SKIP a new take is made).
 * USE also for a finished take whose chunk idx is there already (idx < s->top): it will be compared. REOPEN: finished, and the chunk
 * extends it. SKIP: another kind, another total, gone, or failed. */
enum take_plan plan_take(const struct session *s, const struct take_want *w, int64_t idx);

struct slot {
	bool parked;
	int64_t base;              /* of a placed chunk */
	int64_t next_idx, next_base;  /* frontier afterwards */
};
/* Where chunk idx of this length (maybe unknown) lies. old: its unfinished upload row or NULL; done: its complete chunk or NULL.
 * tip_free: nothing lies in the part file at the frontier (chunk next_idx has no row there), so the slot before it may still change its size.
 * The store then moves the frontier on over chunks that are there already with a known length (parked ones: their place stays free for
 * them), so that one chunk that came early does not park all that follow. */
void plan_slot(const struct session *s, int64_t idx, int64_t length, const struct upload *old, const struct chunk *done, bool tip_free, struct slot *out);
/* Frontier after an open-ended placed chunk has ended with this length. */
void plan_slot_closed(const struct session *s, int64_t idx, int64_t base, int64_t length, struct slot *out);

/* Total to finish with: given (>0), else the bound one, else top. */
int64_t plan_total(const struct session *s, int64_t given);
/* Whether every chunk 0..total-1 is there. Right because bits only exist for indices below MAX_CHUNKS and top is kept. */
bool plan_whole(const struct session *s, int64_t total);
/* The finished file is the part file as it is: nothing parked, frontier at total (or equal sizes declared). */
bool plan_constant_time(const struct session *s);

/* What the reaper does with a session that is past its time. */
enum reap_plan { REAP_KEEP, REAP_DROP, REAP_RECOVER, REAP_RECOVER_RUNS };
/* runs_at: when contiguous runs of it were last offered as recovered files, 0 if never. Contiguous data is recovered at once; one with holes
 * offers its runs, and its chunks stay `retention` seconds after the last one came. */
enum reap_plan plan_reap(const struct session *s, int64_t now, int64_t retention, int64_t runs_at);

#endif
