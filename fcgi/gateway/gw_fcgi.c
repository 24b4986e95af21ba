/*
 * gw_fcgi.c - the FastCGI door: one connection of libfcgi as a body to read and an answer to write.
 *
 * The only file that knows libfcgi. What it does about the library's habits:
 * - FCGX_GetStr waits until its whole buffer is full, so bytes of a slow client would wait in memory. FCGX_GetChar waits for
 *   one byte only; what came with it lies between the public fields rdNext and stop.
 * - The library reads 8 KiB at once. FIONREAD tells whether the next 8 KiB can be had without waiting.
 * - A cut body and a protocol error are one thing to it: FCGX_GetError is not 0.
 * - FCGX_Finish_r waits for the peer's close; gw_linger.c does that in the place of the serving thread.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

/* What may come before the next byte of content: the padding of a record (at most 7 bytes, as all servers align to 8), a header. */
#define BEFORE_CONTENT 16
#define END_RECORD 8

struct gw_conn {
	struct gw_door door;
	FCGX_Request fcgi;
	struct arena *arena;
};

static bool init(void)
{
	/* Milliseconds that a connection without bytes, and one that the peer does not close, may hold a thread. */
	setenv("LIBFCGI_IS_AF_UNIX_KEEPER_POLL_TIMEOUT", "1000", 0);
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	if (FCGX_Init() != 0)
		return false;
	/* FCGX_Init puts its own handler even over SIG_IGN, so this comes after it. */
	signal(SIGPIPE, SIG_IGN);
	return true;
}

bool gateway_is_fcgi(void)
{
	return init() && !FCGX_IsCGI();   /* which would initialize the library its own way */
}

void gw_fcgi_stop(void)
{
	FCGX_ShutdownPending();
}

static int waits_in_socket(const struct gw_conn *c)
{
	int n = 0;
	return ioctl(c->fcgi.ipcFd, FIONREAD, &n) == 0 ? n : 0;
}

/* Waits for the next byte of content. false: end or error. */
static bool refill(FCGX_Stream *in)
{
	if (in->rdNext < in->stop)
		return true;
	int c = FCGX_GetChar(in);
	if (c == EOF)
		return false;
	FCGX_UnGetChar(c, in);
	return true;
}

static size_t take(FCGX_Stream *in, char *buf, size_t n)
{
	size_t there = (size_t)(in->stop - in->rdNext);
	if (there > n)
		there = n;
	memcpy(buf, in->rdNext, there);
	in->rdNext += there;
	return there;
}

/* What the end of the stream means. */
static ssize_t ended(struct gw_conn *c)
{
	struct source *s = &c->door.body;
	s->complete = s->length >= 0 ? s->taken == s->length : FCGX_GetError(c->fcgi.in) == 0;
	c->door.cut = !s->complete;
	return s->complete ? 0 : -1;
}

static ssize_t body_read(struct source *s, void *buf, size_t n)
{
	struct gw_conn *c = s->self;
	FCGX_Stream *in = c->fcgi.in;
	size_t got = 0;
	if (s->complete || c->door.cut)
		return s->complete ? 0 : -1;
	if (s->length >= 0 && (int64_t)n > s->length - s->taken)
		n = (size_t)(s->length - s->taken);
	while (got < n && (got == 0 || in->rdNext < in->stop || waits_in_socket(c) >= BEFORE_CONTENT)) {
		if (!refill(in))
			break;
		got += take(in, (char *)buf + got, n - got);
	}
	s->taken += (int64_t)got;
	if (s->taken == s->length && in->rdNext == in->stop && waits_in_socket(c) >= END_RECORD)
		FCGX_GetChar(in);   /* so that closing finds nothing unread */
	return got > 0 ? (ssize_t)got : ended(c);
}

/* The descriptor is that of the running request, because a source is valid only inside handle. */
static void body_stop(struct source *s)
{
	struct gw_conn *c = s->self;
	shutdown(c->fcgi.ipcFd, SHUT_RD);
}

/* libfcgi may have read the body into a buffer of its own, which poll does not see; so the read itself is given the time limit. It then
 * counts as cut, which is no loss: only what is thrown away is read this way. */
static bool door_ready(struct gw_door *d, int ms)
{
	struct gw_conn *c = d->body.self;
	struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1};
	setsockopt(c->fcgi.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	return true;
}

static bool door_write(struct gw_door *d, const void *p, size_t n)
{
	struct gw_conn *c = d->body.self;
	return FCGX_PutStr(p, (int)n, c->fcgi.out) == (int)n;
}

/* A detached request is closed without waiting for the peer; a second descriptor keeps the connection for that. */
static void door_finish(struct gw_door *d)
{
	struct gw_conn *c = d->body.self;
	int keep = gw_linger_ready() && !c->fcgi.keepConnection ? fcntl(c->fcgi.ipcFd, F_DUPFD_CLOEXEC, 0) : -1;
	if (keep >= 0)
		FCGX_Detach(&c->fcgi);
	FCGX_Finish_r(&c->fcgi);
	if (keep >= 0)
		gw_linger(keep);
}

struct gw_conn *gw_conn_open(size_t arena_max)
{
	struct gw_conn *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	FCGX_InitRequest(&c->fcgi, 0, FCGI_FAIL_ACCEPT_ON_INTR);   /* cannot fail; a request without it would own descriptor 0 */
	c->arena = arena_open(arena_max);
	if (c->arena)
		return c;
	gw_conn_close(c);
	return NULL;
}

void gw_conn_close(struct gw_conn *c)
{
	FCGX_Free(&c->fcgi, 1);
	if (c->arena)
		arena_close(c->arena);
	free(c);
}

enum gw_accept gw_conn_accept(struct gw_conn *c)
{
	int rc = FCGX_Accept_r(&c->fcgi);
	if (rc == 0)
		return GW_REQUEST;
	switch (-rc) {
	case EBADF: case EINVAL: case ENOTSOCK: case EOPNOTSUPP:
		return GW_BROKEN;
	case EMFILE: case ENFILE: case ENOMEM: case ENOBUFS:
		return GW_WAIT;
	default:
		return GW_RETRY;
	}
}

void gw_conn_serve(struct gw_conn *c, const struct gateway_app *app)
{
	c->door = (struct gw_door){
		.body = {.read = body_read, .stop = body_stop, .length = -1, .self = c},
		.write = door_write, .ready = door_ready, .finish = door_finish,
	};
	gw_answer(app, &c->door, c->arena, c->fcgi.envp);
}
