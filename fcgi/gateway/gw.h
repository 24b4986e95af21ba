/*
 * gw.h - inside the gateway: what a door is to the code that both doors share.
 */
#ifndef GATEWAY_GW_H
#define GATEWAY_GW_H

#include "gateway/gateway.h"

#define GW_PIECE 65536              /* bytes that move at once */
#define GW_DRAIN (1 << 20)          /* an unread rest of a body up to this is read before the answer */
#define GW_DRAIN_MS 5000            /* but not for longer than this */
#define GW_DRAIN_IDLE_MS 200        /* and only while it comes: a client that waits for the answer first must get it */
#define GW_DRAINERS 4               /* and by so many threads of a process at once: a crowd of refused bodies must not take all */
#define GW_DRAINERS_OF 16           /* nor by more than one of so many threads */

/* How fast a body comes: bytes against the time that was spent waiting for them, so that a slow disk of ours is not the client's fault. */
struct gw_pace {
	int64_t min_rate, window_us;        /* bytes a second, averaged over so much waiting; either 0: any pace will do */
	int64_t waited_us, bytes;
};

/* One request at one door. The door fills it and hands it to gw_answer. */
struct gw_door {
	struct source body;                                                /* length is set by gw_answer */
	struct gw_pace pace;
	bool cut;                                                          /* the body ended with -1 */
	bool (*write)(struct gw_door *d, const void *p, size_t n);         /* false: the peer is gone; nobody is told */
	bool (*more)(struct gw_door *d);                                   /* bytes of the body are there that were not read yet. May be NULL. */
	bool (*ready)(struct gw_door *d, int ms);                          /* before a read that throws away: it would not wait, or ends after about ms */
	void (*finish)(struct gw_door *d);                                 /* the answer is complete: let it leave */
};

/* One request from variables to answer: fill, handle, drain, send, finish, after. The arena is reset at the end. */
void gw_answer(const struct gateway_app *app, struct gw_door *d, struct arena *a, char *const *envp);
/* A wait for the peer has ended, after more than half a window and 3 s only if this process stood still. */
void gw_pace_waited(struct gw_pace *p, int64_t us);
/* So many bytes came. Ends the body (cut) if it comes too slowly, but not while more of it is there; what came counts. */
void gw_pace_came(struct gw_door *d, size_t n);
/* For a pool of so many threads: how many of them may drain at once. */
void gw_drainers_of(int threads);
/* Reads at most max bytes of the body and throws them away, for at most ms, and no longer than idle_ms without a byte. */
void gw_drain(struct gw_door *d, int64_t max, int ms, int idle_ms);
/* Writes the CGI form of an answer (Status first). Closes res->file_fd. */
void gw_send(struct gw_door *d, const struct http_req *req, struct http_res *res);
/* gateway_req_from_env that also tells CONTENT_LENGTH, -1 if unknown. */
void gw_req_fill(struct http_req *req, struct arena *a, char *const *envp, const char *base_path, int64_t *length);

/* The thread pool (gw_pool.c) calls these of the FastCGI door (gw_fcgi.c). */
struct gw_conn;
enum gw_accept { GW_REQUEST, GW_RETRY, GW_WAIT, GW_BROKEN };           /* GW_WAIT: out of descriptors or memory for a moment */
struct gw_conn *gw_conn_open(size_t arena_max);
void gw_conn_close(struct gw_conn *c);
/* Waits for the next connection (GW_REQUEST). A signal that is not blocked ends the waiting (GW_RETRY). */
enum gw_accept gw_conn_accept(struct gw_conn *c);
/* Reads the head of its request, whose first byte must come within first_ms. false: there is none, and the connection is closed. */
bool gw_conn_head(struct gw_conn *c, int first_ms);
void gw_conn_serve(struct gw_conn *c, const struct gateway_app *app);
/* From another thread, now and then: ends a wait for the peer that has lasted too long. anew: its time begins now. */
void gw_conn_watch(struct gw_conn *c, bool anew);

void gw_stopping_set(void);

/* The ticks of the application (gw_tick.c), one at a time, each in a thread that is not the caller's. */
/* It is time for one; nothing happens if the last one still lasts. From one thread, with all signals blocked. */
void gw_tick(const struct gateway_app *app);
/* No more begin. */
void gw_tick_close(void);
/* After gw_tick_close: 1 while the last one lasts, else 0; then gw_tick_join waits for hardly anything. */
int gw_tick_left(void);
void gw_tick_join(void);

/* Answered connections that wait for the peer's close (gw_linger.c). Begun once a process, with all signals blocked; without it, or where it
 * is not ready, libfcgi waits itself. */
void gw_linger_start(void);
bool gw_linger_ready(void);
/* Takes fd: the answer is written, nothing more will be. Returns within a few milliseconds. */
void gw_linger(int fd);

#endif
