/*
 * gw_fcgi.c - the FastCGI door: one connection of libfcgi as a body to read and an answer to write.
 *
 * The only file that knows libfcgi. What it does about the library's habits:
 * - FCGX_GetStr waits until its whole buffer is full, so bytes of a slow client would wait in memory. FCGX_GetChar waits for
 *   one byte only; what came with it lies between the public fields rdNext and stop.
 * - The library reads 8 KiB at once. FIONREAD tells whether the next 8 KiB can be had without waiting.
 * - A cut body and a protocol error are one thing to it: FCGX_GetError is not 0.
 * - Its accept is one with reading the request's head, and a signal that ends the one would cut the other; so connections are accepted here
 *   and handed over as one that is kept (keepConnection), which is how the library would read a second request from it.
 * - It takes EINTR for a cut, and a read with SO_RCVTIMEO gives EINTR when a stopped process goes on. So body reads have no time limit of
 *   their own; the main thread looks at them (gw_conn_watch) and shuts down what has waited too long.
 * - FCGX_Finish_r waits for the peer's close; gw_linger.c does that in the place of the serving thread.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/clock.h"

/* What may come before the next byte of content: the padding of a record (at most 7 bytes, as all servers align to 8), a header. */
#define BEFORE_CONTENT 16
#define END_RECORD 8
#define HEAD_MS 5000        /* between two pieces of a request's head, which a web server sends at once */
#define LOOK_MS 100

struct gw_conn {
	struct gw_door door;
	FCGX_Request fcgi;
	struct arena *arena;
	int peer;                   /* an accepted connection whose head is not read yet */
	const struct gateway_app *app;
	pthread_mutex_t mu;         /* for: */
	int64_t since;              /* when the wait for the peer began that goes on; 0: none does. The descriptor is open then. */
	int64_t most_us;            /* how long it may last */
	int how;                    /* what ends it: SHUT_RD, SHUT_RDWR */
};

static bool init(void)
{
	/* Milliseconds that a connection which the peer does not close may hold a thread. */
	setenv("LIBFCGI_OS_CLOSE_POLL_TIMEOUT", "200", 0);
	/* FCGX_Init catches these with handlers of its own, which would swallow a stop that comes while the process still begins. */
	sigset_t stop, before;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &stop, &before);
	bool ok = FCGX_Init() == 0;
	signal(SIGTERM, SIG_DFL);
	signal(SIGUSR1, SIG_DFL);
	signal(SIGPIPE, SIG_IGN);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ok;
}

bool gateway_is_fcgi(void)
{
	return init() && !FCGX_IsCGI();   /* which would initialize the library its own way */
}

/* The longest wait of one read or write. 0: none. */
static void limit(int fd, int what, int64_t ms)
{
	const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	setsockopt(fd, SOL_SOCKET, what, &t, sizeof t);
}

static int waits_in_socket(const struct gw_conn *c)
{
	int n = 0;
	return ioctl(c->fcgi.ipcFd, FIONREAD, &n) == 0 ? n : 0;
}

static void wait_begin(struct gw_conn *c, int ms, int how)
{
	int64_t now = clock_mono_us();
	pthread_mutex_lock(&c->mu);
	c->since = ms > 0 ? now : 0;
	c->most_us = (int64_t)ms * 1000;
	c->how = how;
	pthread_mutex_unlock(&c->mu);
}

/* How long it was one for the peer. */
static int64_t wait_end(struct gw_conn *c)
{
	pthread_mutex_lock(&c->mu);
	int64_t us = c->since ? clock_mono_us() - c->since : 0;
	c->since = 0;
	pthread_mutex_unlock(&c->mu);
	return us;
}

void gw_conn_watch(struct gw_conn *c, bool anew)
{
	int64_t now = clock_mono_us();
	pthread_mutex_lock(&c->mu);
	/* What lies in the socket waits for us, not we for it. */
	if (c->since && (anew || (c->how == SHUT_RD && waits_in_socket(c) > 0)))
		c->since = now;
	if (c->since && now - c->since > c->most_us) {
		c->door.body.timed_out |= c->how == SHUT_RD;
		shutdown(c->fcgi.ipcFd, c->how);
	}
	pthread_mutex_unlock(&c->mu);
}

/* Waits for the next byte of content. false: end or error. */
static bool refill(struct gw_conn *c)
{
	FCGX_Stream *in = c->fcgi.in;
	if (in->rdNext < in->stop)
		return true;
	wait_begin(c, c->app->read_timeout_ms, SHUT_RD);
	int first = FCGX_GetChar(in);
	gw_pace_waited(&c->door.pace, wait_end(c));
	if (first == EOF)
		return false;
	FCGX_UnGetChar(first, in);
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
		if (!refill(c))
			break;
		got += take(in, (char *)buf + got, n - got);
	}
	s->taken += (int64_t)got;
	gw_pace_came(&c->door, got);
	if (s->taken == s->length && in->rdNext == in->stop && waits_in_socket(c) >= END_RECORD)
		FCGX_GetChar(in);   /* so that closing finds nothing unread */
	return got > 0 ? (ssize_t)got : ended(c);
}

static bool door_more(struct gw_door *d)
{
	const struct gw_conn *c = d->body.self;
	return c->fcgi.in->rdNext < c->fcgi.in->stop || waits_in_socket(c) >= BEFORE_CONTENT;
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
	limit(c->fcgi.ipcFd, SO_RCVTIMEO, ms > 0 ? ms : 1);
	return true;
}

static bool door_write(struct gw_door *d, const void *p, size_t n)
{
	struct gw_conn *c = d->body.self;
	wait_begin(c, c->app->send_timeout_ms, SHUT_RDWR);
	int put = FCGX_PutStr(p, (int)n, c->fcgi.out);
	wait_end(c);
	return put == (int)n;
}

/* A detached request is closed without waiting for the peer; a second descriptor keeps the connection for that. */
static void door_finish(struct gw_door *d)
{
	struct gw_conn *c = d->body.self;
	int keep = gw_linger_ready() && !c->fcgi.keepConnection ? fcntl(c->fcgi.ipcFd, F_DUPFD_CLOEXEC, 0) : -1;
	if (keep >= 0)
		FCGX_Detach(&c->fcgi);
	limit(c->fcgi.ipcFd, SO_SNDTIMEO, c->app->send_timeout_ms);   /* the last bytes leave, and the descriptor is closed */
	FCGX_Finish_r(&c->fcgi);
	if (keep >= 0)
		gw_linger(keep);
}

struct gw_conn *gw_conn_open(size_t arena_max)
{
	struct gw_conn *c = calloc(1, sizeof *c);
	if (!c)
		return NULL;
	pthread_mutex_init(&c->mu, NULL);
	FCGX_InitRequest(&c->fcgi, -1, FCGI_FAIL_ACCEPT_ON_INTR);   /* cannot fail; the library has no socket to accept from */
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
	pthread_mutex_destroy(&c->mu);
	free(c);
}

enum gw_accept gw_conn_accept(struct gw_conn *c)
{
	if (c->fcgi.ipcFd >= 0) {   /* the peer has asked to keep it */
		c->peer = c->fcgi.ipcFd;
		return GW_REQUEST;
	}
	c->peer = accept4(0, NULL, NULL, SOCK_CLOEXEC);
	if (c->peer >= 0)
		return GW_REQUEST;
	struct pollfd p = {.fd = 0, .events = POLLIN};
	switch (errno) {
	case EAGAIN:   /* whoever made the socket wants no waiting in accept */
		poll(&p, 1, LOOK_MS);
		return GW_RETRY;
	case EBADF: case EINVAL: case ENOTSOCK: case EOPNOTSUPP:
		return GW_BROKEN;
	case EMFILE: case ENFILE: case ENOMEM: case ENOBUFS:
		return GW_WAIT;
	default:
		return GW_RETRY;
	}
}

static bool speaks(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int n = 0;
	do {
		n = poll(&p, 1, ms < LOOK_MS ? ms : LOOK_MS);
		ms -= LOOK_MS;
	} while (n <= 0 && ms > 0 && !gateway_stopping());
	return n > 0;
}

bool gw_conn_head(struct gw_conn *c, int first_ms)
{
	int on = 1;
	if (!speaks(c->peer, first_ms)) {
		close(c->peer);
		c->fcgi.ipcFd = -1;
		return false;
	}
	setsockopt(c->peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);   /* fails on a unix socket, which needs none */
	limit(c->peer, SO_RCVTIMEO, HEAD_MS);
	c->fcgi.ipcFd = c->peer;
	c->fcgi.keepConnection = 1;
	return FCGX_Accept_r(&c->fcgi) == 0;   /* if not, the library has closed it */
}

void gw_conn_serve(struct gw_conn *c, const struct gateway_app *app)
{
	limit(c->fcgi.ipcFd, SO_RCVTIMEO, 0);
	c->app = app;
	c->door = (struct gw_door){
		.pace = {.min_rate = app->min_rate, .window_us = 2000 * (int64_t)app->read_timeout_ms},
		.body = {.read = body_read, .stop = body_stop, .length = -1, .self = c},
		.write = door_write, .more = door_more, .ready = door_ready, .finish = door_finish,
	};
	gw_answer(app, &c->door, c->arena, c->fcgi.envp);
}
