/*
 * hold.h - who may write an upload now: holding and hand-over, across threads, processes and plain CGI.
 *
 * In a process a table entry, between processes one byte of one of 64 lock files (OFD locks; one descriptor a file and process; freed by
 * the kernel at death, never broken by time). A newcomer asks the holder to let go: in this process through the table, else by a datagram
 * "want <key> <offset> <since>" to every mailbox RUN_DIR/mbox/<name>. Who came later wins: <since> is when the newcomer came (monotonic
 * microseconds, one clock a host), and a holder that came after it stays. So neither a late datagram nor a HEAD that still waits can
 * displace the writer that followed, and two waiting newcomers do not chase each other.
 * The holder's waiting body read is ended by source->stop, called under the table's mutex, so that the source cannot be gone or be reused
 * meanwhile; therefore stop must not call this room.
 */
#ifndef UPLOAD_HOLD_H
#define UPLOAD_HOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"

/* Keys: the row number of an upload, or of a session (for finishing); the number of a part file that no row names yet; a number made of a finished file's name;
 * the row number of a finished file (for reading it). */
#define HOLD_UPLOAD(n) (n)
#define HOLD_SESSION(n) ((int64_t)1 << 40 | (n))
#define HOLD_FILE(n) ((int64_t)1 << 41 | (n))
#define HOLD_NAME(n) ((int64_t)1 << 42 | ((n) & 0xffffffffff))
#define HOLD_DIGEST(n) ((int64_t)1 << 43 | (n))
#define HOLD_NO_OFFSET (-1)

struct holds;
struct hold;

/* Opens RUN_DIR/locks/00..3f and a mailbox of this process (a thread reads it), removes mailboxes that nobody reads. thread: false for
 * plain CGI, which must call holds_poll (lock files are then opened at need). Not to be carried across fork. */
enum err holds_open(const char *run_dir, bool thread, struct holds **out);
/* No hold may be left. */
void holds_close(struct holds *h);

/* Takes key, asking a present holder to let go and retrying (1, 2, 5, 10, 20 ms ...) for at most wait_ms: ERR_LOCKED, *out is NULL then.
 * body: what to stop when somebody wants it from us (NULL: nothing). offset: the offset that we go on from (HOLD_NO_OFFSET if none): a
 * holder whose row stands there lets go without moving it. wait_ms 0 with ask false: a plain try. *asked (may be NULL) says that a holder
 * was asked. */
enum err hold_take(struct holds *h, int64_t key, struct source *body, int64_t offset, bool ask, int wait_ms, struct hold **out, bool *asked);
/* Lets go; afterwards nobody calls body->stop. NULL is allowed. */
void hold_drop(struct hold *hold);
/* Somebody wants it: stop reading and let go. *offset (may be NULL) then is where the newcomer goes on from, or HOLD_NO_OFFSET. Cheap
 * while nobody does. */
bool hold_wanted(const struct hold *hold, int64_t *offset);
/* This key was displaced before in the last 10 s (in this process): answer 423 and not 409, so that two writers do not play ping-pong. */
bool hold_ping_pong(const struct hold *hold);

/* For HEAD: if somebody holds key, asks him to let go and waits at most wait_ms until he has. Takes nothing. true: there was a holder. */
bool hold_ask(struct holds *h, int64_t key, int wait_ms);
/* Ends all waiting bodies of this process, and those that come later (shutdown). */
void holds_stop_all(struct holds *h);
/* Plain CGI: reads the mailbox without waiting; its descriptor for poll. */
void holds_poll(struct holds *h);
int holds_fd(const struct holds *h);

#endif
