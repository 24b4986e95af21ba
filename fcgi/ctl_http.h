/*
 * ctl_http.h - an HTTP/1.1 client for tusctl doctor: each request on a connection of its own, byte by byte, so that one can stop in the middle.
 */
#ifndef CTL_HTTP_H
#define CTL_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

struct ctl_http {
	struct arena *a;            /* of everything below and of all answers */
	const char *origin;         /* scheme://host[:port] */
	const char *host;           /* host[:port] */
	const char *base;           /* path without a slash at its end */
	const char *id;             /* X-Request-ID of every request: the application repeats it, a web server does not */
	const char *key;            /* X-API-Key, or NULL */
	bool https, insecure;       /* insecure: the certificate does not count */
	const char *tls_fault;      /* what was wrong with the certificate; insecure is set then, to go on */
	bool no_roots;              /* this machine has no certificates to check it by; the same */
};

struct ctl_answer {
	int status;                 /* 0: there was none */
	bool ours;                  /* by the application, not by the web server */
	bool continued;             /* 100 Continue came before */
	const char *head;           /* status line and headers; "" without an answer */
	const char *body;
	size_t body_len;
	const char *why;            /* without an answer: the reason */
};

/* One request. length: Content-Length, -1 for none; only `send` bytes of body are sent. headers: whole lines, each with its CRLF, or NULL. */
struct ctl_ask {
	const char *method, *path, *headers;
	const char *body;
	int64_t length;
	size_t send;
	bool no_key;
};

struct ctl_conn {
	struct ctl_http *h;
	void *curl;                 /* of ctl_http.c alone */
	bool bodiless;              /* it was a HEAD */
};

/* Takes the URL apart and loads the library. false: *why says what is wrong; *usage if it is the URL. */
bool ctl_http_init(struct ctl_http *h, struct arena *a, const char *url, bool *usage, const char **why);
/* Connects and sends; NULL with *why. The connection must be closed. */
struct ctl_conn *ctl_http_begin(struct ctl_http *h, const struct ctl_ask *ask, const char **why);
bool ctl_http_send(struct ctl_conn *c, const char *p, size_t n);
/* Adds what has come: false at the end, or when there is no time left (clock_mono_us() / 1000). */
bool ctl_http_more(struct ctl_conn *c, struct buf *b, int64_t until);
/* Waits for the answer at most so long. */
struct ctl_answer ctl_http_answer(struct ctl_conn *c, int ms);
/* c may be NULL. */
void ctl_http_close(struct ctl_conn *c);

/* All of it; waits 10 s for the answer at most. */
struct ctl_answer ctl_http_ask(struct ctl_http *h, const struct ctl_ask *ask);
/* The n-th header (from 0) of that name, or NULL. From the arena. */
const char *ctl_http_header(struct ctl_http *h, const struct ctl_answer *r, const char *name, int n);
/* Whether HTTP/2 is spoken there. */
bool ctl_http_is_2(struct ctl_http *h);

#endif
