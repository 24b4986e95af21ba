/*
 * gw_cgi.c - the plain CGI door: variables, standard input, standard output; one request.
 *
 * A web server tells a CGI program of a client's end with SIGTERM and the end of the pipe, in any order. What is still in the pipe
 * was received and is kept; only waiting for more is over. stop() means the same. Both write to a pipe that is polled beside
 * standard input. So is the application's own descriptor: there is no other thread that could hear what others want of us.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define REST_BYTES ((int64_t)1 << 30)   /* of a refused body: read, because some servers lose the answer if it is not */
#define REST_MS 30000
#define UNKNOWN_REST_MS 2000                /* the same where nothing says that there is a body */
#define TURNS 8                             /* of a wait for the client */

extern char **environ;

struct cgi {
	struct gw_door door;
	const struct gateway_app *app;
	int app_fd;                     /* -1: none */
	int wake[2];                    /* a byte in it: no more waiting */
	bool stopped;                   /* by us: the client is still there */
	volatile sig_atomic_t ended;    /* by the server: nobody is there */
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
	cgi.ended = 1;
	wake();
}

static void hear_app(short revents)
{
	if (revents & POLLIN)
		cgi.app->wake(cgi.app->self);
	else
		cgi.app_fd = -1;   /* broken: polling it on would only burn time */
}

/* >0: bytes or the end are there; 0: not within ms; -1: not there, and it is not to be waited for */
static int wait_turn(int ms)
{
	int64_t until = clock_mono_us() + (int64_t)ms * 1000;
	for (;;) {
		struct pollfd p[3] = {{.fd = 0, .events = POLLIN}, {.fd = cgi.wake[0], .events = POLLIN}, {.fd = cgi.app_fd, .events = POLLIN}};
		int64_t left = ms < 0 ? -1 : (until - clock_mono_us() + 999) / 1000;
		int n = poll(p, 3, ms < 0 ? -1 : left > 0 ? (int)left : 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n > 0 && p[2].revents)
			hear_app(p[2].revents);
		if (n < 0 || p[0].revents)
			return 1;   /* a failed poll must not lose bytes: read waits instead */
		if (p[1].revents)
			return -1;
		if (n == 0)
			return 0;
	}
}

/* The same in turns, of which standing still (a stopped process, a suspended machine) uses up one: neither that nor the client's sleep beside us is its silence. *us: how
 * long the client let us wait. */
static int wait_input(int ms, int64_t *us)
{
	int came = 0, each = (ms + TURNS - 1) / TURNS;
	*us = 0;
	if (ms <= 0)
		return wait_turn(-1);
	for (int turn = 0; turn < TURNS && came == 0; turn++) {
		int64_t from = clock_mono_us();
		came = wait_turn(each);
		int64_t lasted = clock_mono_us() - from, most = (int64_t)each * 1000;
		*us += lasted < most ? lasted : most;
	}
	return came;
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
	int64_t waited;
	int came = wait_input(cgi.app->read_timeout_ms, &waited);
	if (came <= 0) {
		cgi.door.cut = true;
		s->timed_out = came == 0;
		return -1;
	}
	gw_pace_waited(&cgi.door.pace, waited);
	while ((got = read(0, buf, n)) < 0 && errno == EINTR)
		continue;
	if (got <= 0)
		return end_with(s, false);
	s->taken += got;
	gw_pace_came(&cgi.door, (size_t)got);
	return got;
}

static void body_stop(struct source *s)
{
	(void)s;
	cgi.stopped = true;
	wake();
}

static bool door_more(struct gw_door *d)
{
	int n = 0;
	(void)d;
	return ioctl(0, FIONREAD, &n) == 0 && n > 0;
}

static bool door_ready(struct gw_door *d, int ms)
{
	(void)d;
	return wait_turn(ms) != 0;
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

/* We have stopped reading, the client may still send: what it sends now is read away, or the server would lose our answer. */
static void read_again(struct gw_door *d)
{
	char bytes[16];
	while (read(cgi.wake[0], bytes, sizeof bytes) > 0)
		continue;
	d->cut = false;
	if (cgi.ended)   /* it may have written just before */
		wake();
}

static void door_finish(struct gw_door *d)
{
	const struct source *s = &d->body;
	if (cgi.stopped)
		read_again(d);
	if (!s->complete && !d->cut && s->taken != s->length)
		gw_drain(d, REST_BYTES, s->length < 0 ? UNKNOWN_REST_MS : REST_MS, cgi.stopped ? GW_DRAIN_IDLE_MS : REST_MS);
	close_output();
}

static bool prepare(const struct gateway_app *app)
{
	struct sigaction term = {.sa_handler = on_term};
	if (pipe2(cgi.wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigaction(SIGTERM, &term, NULL);
	signal(SIGPIPE, SIG_IGN);
	cgi.app = app;
	cgi.app_fd = app->wake_fd && app->wake ? app->wake_fd(app->self) : -1;
	cgi.door = (struct gw_door){
		.pace = {.min_rate = app->min_rate, .window_us = 2000 * (int64_t)app->read_timeout_ms},
		.body = {.read = body_read, .stop = body_stop, .length = -1, .self = &cgi},
		.write = door_write, .more = door_more, .ready = door_ready, .finish = door_finish,
	};
	return true;
}

int gateway_cgi_once(const struct gateway_app *app)
{
	struct arena *a = arena_open(1 << 20);
	if (!a || !prepare(app)) {
		log_event(LOG_ERROR, "gateway", "cannot begin", "errno", LI(errno), NULL);
		return 1;
	}
	gw_answer(app, &cgi.door, a, environ);
	arena_close(a);
	return 0;
}
