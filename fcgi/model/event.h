/*
 * event.h - what has happened to an upload or a session, for those who act on it; and when a delivery is tried again. Pure.
 */
#ifndef MODEL_EVENT_H
#define MODEL_EVENT_H

#include <stdint.h>

/* The numbers stand in rows. */
enum event_kind {
	EVENT_NONE,
	EVENT_CREATED,            /* an upload, or a take of a session (with its first chunk) */
	EVENT_RESUMED,            /* the first bytes after an interruption; without a chunk index: a finished or forgotten take receives again */
	EVENT_INTERRUPTED,        /* a body broke off; what came is kept */
	EVENT_COMPLETED,          /* the finished file is there under its name (again, if it was renamed) */
	EVENT_RECOVERED,          /* likewise, made because nobody came back; a session with holes gives one file a run */
	EVENT_EXPIRED,
	EVENT_DELETED,
	EVENT_REJECTED,           /* a creation was refused */
	EVENT__KINDS
};
#define EVENT_BIT(kind) (1u << (kind))
#define EVENTS_ALL (EVENT_BIT(EVENT__KINDS) - EVENT_BIT(EVENT_CREATED))

enum event_hook { EVENT_UNWANTED, EVENT_WAITING, EVENT_DELIVERED };

/* A row of the outbox. Texts belong to the arena they were read into; NULL if there is none, but subject and owner. */
struct event {
	int64_t n;                /* rising; after a power cut a number that nobody was told of may be given again */
	int64_t time;             /* seconds UTC */
	enum event_kind kind;
	const char *subject;      /* id of a whole upload or of a session; "" of a refused creation without one */
	int64_t take;             /* 0: whole upload */
	int64_t idx;              /* chunk, -1: none */
	const char *owner;
	int64_t size, length;     /* bytes there; announced, -1 unknown */
	int64_t chunks;           /* complete ones of a session */
	const char *name, *disk;  /* display name; disk name of the finished file */
	const char *meta;         /* Upload-Metadata as received, or a JSON object (begins with '{') */
	const char *reason;       /* error code of EVENT_REJECTED */
	enum event_hook hook;
	int64_t tries, next, delivered;
};

/* "completed"; static. */
const char *event_name(enum event_kind kind);
/* EVENT_NONE if there is none of that name. */
enum event_kind event_named(const char *name);

#define EVENT_RETRY_MAX_MS 600000
/* Milliseconds until delivery number tries + 1 if number `tries` (from 1) failed: a second, doubled each time up to ten minutes, and up to a quarter less by
 * `random` so that many do not come at once. */
int64_t plan_event_retry(int64_t tries, uint32_t random);

#endif
