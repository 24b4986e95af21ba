/*
 * gateway.h - the doors: FastCGI and plain CGI give the same request and take the same answer.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "http/msg.h"

/* What stands behind the doors. */
struct gateway_app {
	/* Answers one request. req and res live until after() has run; the body may be read only here. Never fails. */
	void (*handle)(void *self, struct http_req *req, struct http_res *res);
	void *self;
	const char *base_path;
	/* How long one read of a body, or one write of an answer, may wait for the peer; 0: for ever. A body that waits longer, or whose bytes come
	 * at less than min_rate (bytes a second, averaged over twice read_timeout_ms of waiting; 0: any), is cut. Plain CGI leaves
	 * answers that nobody takes to its web server. */
	int read_timeout_ms, send_timeout_ms;
	int64_t min_rate;
	/* Ends every body read that waits, now and later: called once, from the main thread, when a pool stops. May be NULL. */
	void (*stop_bodies)(void *self);
	/* Called once, by the main thread of a pool: requests are waited for. May be NULL. */
	void (*ready)(void *self);
	/* Called about once a second by a thread of its own, beside requests and stop_bodies, never at the same time twice. One that lasts keeps nobody waiting;
	 * at a stop it is waited for as a request is. May be NULL. */
	void (*tick)(void *self);
	/* A pool has only so many threads, because no more can be started, or it can have max_threads after all. Called with a mutex held. May be NULL. */
	void (*threads)(void *self, int n);
	/* For a process of one thread (plain CGI): a descriptor that is polled while a body is waited for, -1 if none; and what to call when
	 * it can be read, which may stop the body. May be NULL. */
	int (*wake_fd)(void *self);
	void (*wake)(void *self);
};

struct gateway_pool {
	int max_threads;        /* grows on demand to this */
	int stack_kib;          /* 256 */
	size_t arena_max;       /* bytes a request may take, 1 MiB */
	int shutdown_wait_ms;
	int drain_s;            /* how long running requests may go on after SIGUSR1 or SIGHUP */
};

/* Serves the listening socket on fd 0 with libfcgi until SIGTERM, SIGINT, SIGHUP, SIGQUIT or SIGUSR1. Blocks the signals in all
 * threads and waits for these itself. Then it stops accepting (the shared socket is left alone), lets
 * running requests go on for a quarter of shutdown_wait_ms, calls stop_bodies so that waiting body reads end, and waits for the
 * answers until shutdown_wait_ms is over. gateway_stopping() tells handlers meanwhile (503). SIGUSR1 and SIGHUP (unless it is ignored at the start) ask for less: no more is
 * accepted, but the end of running requests is waited for, for drain_s, before all that.
 * Returns how many threads still run: if not 0, the caller must end the process without closing what they use.
 * -1: fd 0 is no listening socket, or it failed. */
int gateway_fcgi_serve(const struct gateway_app *app, const struct gateway_pool *pool);
/* Whether fd 0 is a listening socket (pool, mod_fcgid, spawn-fcgi, systemd). */
bool gateway_is_fcgi(void);
/* Serves one request from CGI/1.1 environment and standard input (RFC 3875), without libfcgi; reads the body to its end before
 * returning (bounded). Returns the exit status. */
int gateway_cgi_once(const struct gateway_app *app);
bool gateway_stopping(void);

/* For tests and both doors (which then set the body; here it is an empty one): fills req from a CGI variable list ("NAME=VALUE", NULL-terminated); strings are copied into the arena. */
void gateway_req_from_env(struct http_req *req, struct arena *a, char *const *envp, const char *base_path);

#endif
