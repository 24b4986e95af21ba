/*
 * gw_cgi.c - the plain CGI door: variables, standard input, standard output; one request.
 *
 * A web server tells a CGI program of a client's end with SIGTERM and the end of the pipe, in any order. What is still in the pipe
 * was received and is kept; only waiting for more is over. stop() from another thread means the same. Both write to a pipe
 * that is polled beside standard input.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/log.h"

#define REST_BYTES ((int64_t)1 << 30)   /* of a refused body: read, because some servers lose the answer if it is not */
#define REST_MS 30000
#define UNKNOWN_REST_MS 2000                /* the same where nothing says that there is a body */

extern char **environ;

struct cgi {
	struct gw_door door;
	int wake[2];                    /* a byte in it: no more waiting */
};
static struct cgi cgi;

static void wake(void)
{
	int before = errno;
	if (write(cgi.wake[1], "", 1) < 0)
		(void)0;   /* a full pipe wakes as well */
	errno = before;
}

static void on_term(int sig)
{
	(void)sig;
	wake();
}

/* >0: bytes or the end are there; 0: not within ms; -1: not there, and it is not to be waited for */
static int wait_input(int ms)
{
	struct pollfd p[2] = {{.fd = 0, .events = POLLIN}, {.fd = cgi.wake[0], .events = POLLIN}};
	int n;
	while ((n = poll(p, 2, ms)) < 0 && errno == EINTR)
		continue;
	if (p[0].revents || n < 0)
		return 1;   /* a failed poll must not lose bytes: read waits instead */
	return p[1].revents ? -1 : 0;
}

static ssize_t end_with(struct source *s, bool complete)
{
	s->complete = complete;
	cgi.door.cut = !complete && s->length >= 0;
	return cgi.door.cut ? -1 : 0;
}

static ssize_t body_read(struct source *s, void *buf, size_t n)
{
	ssize_t got;
	if (cgi.door.cut || s->complete)
		return cgi.door.cut ? -1 : 0;
	if (s->length >= 0 && (int64_t)n > s->length - s->taken)
		n = (size_t)(s->length - s->taken);
	if (n == 0)
		return end_with(s, true);
	if (wait_input(-1) < 0) {
		cgi.door.cut = true;
		return -1;
	}
	while ((got = read(0, buf, n)) < 0 && errno == EINTR)
		continue;
	if (got <= 0)
		return end_with(s, false);
	s->taken += got;
	return got;
}

static void body_stop(struct source *s)
{
	(void)s;
	wake();
}

static bool door_ready(struct gw_door *d, int ms)
{
	(void)d;
	return wait_input(ms) != 0;
}

static bool door_write(struct gw_door *d, const void *buf, size_t n)
{
	const char *p = buf;
	(void)d;
	while (n > 0) {
		ssize_t put = write(1, p, n);
		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		p += put;
		n -= (size_t)put;
	}
	return true;
}

/* The server must not wait for work that comes after the answer. */
static void close_output(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, 1);
		close(null);
	}
}

static void door_finish(struct gw_door *d)
{
	const struct source *s = &d->body;
	if (!s->complete && !d->cut && s->taken != s->length)
		gw_drain(d, REST_BYTES, s->length < 0 ? UNKNOWN_REST_MS : REST_MS, REST_MS);
	close_output();
}

static bool prepare(void)
{
	struct sigaction term = {.sa_handler = on_term};
	if (pipe2(cgi.wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	cgi.door = (struct gw_door){
		.body = {.read = body_read, .stop = body_stop, .length = -1, .self = &cgi},
		.write = door_write, .ready = door_ready, .finish = door_finish,
	};
	return true;
}

int gateway_cgi_once(const struct gateway_app *app)
{
	struct arena *a = arena_open(1 << 20);
	if (!a || !prepare()) {
		log_event(LOG_ERROR, "gateway", "cannot begin", "errno", LI(errno), NULL);
		return 1;
	}
	gw_answer(app, &cgi.door, a, environ);
	arena_close(a);
	return 0;
}
