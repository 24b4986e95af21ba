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
};

struct gateway_pool {
	int max_threads;        /* grows on demand to this */
	int stack_kib;          /* 256 */
	size_t arena_max;       /* bytes a request may take, 1 MiB */
	int shutdown_wait_ms;
};

/* Serves the listening socket on fd 0 with libfcgi until SIGTERM or SIGINT. Blocks these signals in all threads and waits for
 * them itself; then stops accepting (the shared socket is left alone), gives running requests shutdown_wait_ms, calls
 * stop_bodies so that waiting body reads end, and returns. stopping() tells handlers (503). Returns 0, or -1 if fd 0 is no socket. */
int gateway_fcgi_serve(const struct gateway_app *app, const struct gateway_pool *pool);
/* Whether fd 0 is a listening socket (pool, mod_fcgid, spawn-fcgi, systemd). */
bool gateway_is_fcgi(void);
/* Serves one request from CGI/1.1 environment and standard input (RFC 3875), without libfcgi; reads the body to its end before
 * returning (bounded). Returns the exit status. */
int gateway_cgi_once(const struct gateway_app *app);
bool gateway_stopping(void);

/* For tests and both doors: fills req from a CGI variable list ("NAME=VALUE", NULL-terminated); strings are copied into the arena. */
void gateway_req_from_env(struct http_req *req, struct arena *a, char *const *envp, const char *base_path);

#endif
