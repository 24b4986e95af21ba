/*
 * hook.h - the consumer of the outbox: tells one hook (a command, or a URL) what happened.
 *
 * Each event is delivered at least once, and those of one subject in order: a failed one keeps back only its own subject, and is tried again after 1, 2, 4 ...
 * seconds, up to ten minutes. What is due stands in rows, so no restart forgets it. A data folder has one consumer at a time (hooks.lock beside the database).
 * It never stands in the way of a request: it is a process of its own that borrows the write lock for two short commits a delivery.
 */
#ifndef HOOK_HOOK_H
#define HOOK_HOOK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/json.h"
#include "db/store.h"
#include "model/event.h"

/* Whether a hook is set. */
bool hook_is_set(const struct config *c);
/* Which events are written, which wait for the hook, how long they are kept. */
void hook_store_options(const struct config *c, struct store_options *o);

/* The process of the pool (`tus-fcgi --hooks`): delivers until SIGTERM, SIGINT, SIGQUIT or SIGUSR1 (the pool has new settings); then what runs has
 * SHUTDOWN_WAIT_MS. SIGHUP says nothing to it. While another consumer has the folder it waits. Returns the exit status. */
int hooks_serve(const struct config *c);

struct hooks_count {
	int64_t delivered, failed;
	int64_t waiting;            /* still, afterwards */
	bool busy;                  /* another consumer has the folder: nothing was done */
};
/* Delivers what is due, each event once, and returns: for installations without a pool. */
enum err hooks_once(const struct config *c, struct store *s, struct hooks_count *out);

/* ---- for this room and tusctl ---- */

/* What is told of an event: see the README. NULL values are members with null, so that all events look alike. */
struct json *event_json(const struct config *c, const struct event *e);
/* Where the finished file of an event lies; NULL if it has none. From the arena. */
const char *event_path(const struct config *c, struct arena *a, const struct event *e);
/* Names the event for ever: a consumer that has seen it ignores it. From the arena. */
const char *event_id(struct arena *a, const struct event *e);

/* One delivery: whether it was accepted, else *why (from the arena). */
bool hook_run(const struct config *c, struct arena *a, const struct event *e, const char *body, const char **why);
bool hook_post(const struct config *c, struct arena *a, const struct event *e, const char *body, const char **why);
/* "sha256=" and the HMAC of "timestamp.body" in hex. */
#define HOOK_SIGNATURE_LEN 72
void hook_sign(const char *secret, int64_t timestamp, const char *body, struct arena *a, char out[HOOK_SIGNATURE_LEN]);
/* Before threads begin: loads libcurl if the hook is a URL. ERR_INTERNAL (logged): there is none. */
enum err hook_post_init(const struct config *c);

#endif
