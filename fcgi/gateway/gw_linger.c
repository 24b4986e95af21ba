/*
 * gw_linger.c - answered connections that wait for the peer's close, looked after by one thread, so that no serving thread waits for them.
 *
 * Closing a socket while bytes lie unread in it resets it, and web servers then give 502 instead of our answer; so what still comes is
 * read and thrown away until the peer closes. Apache closes only when its client speaks again, which a silent one never does: with libfcgi's own
 * waiting a crowd of refused bodies took all threads for seconds.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define AT_ONCE_MS 5                 /* nearly every peer has closed by then */
#define IDLE_US 2000000              /* without a byte */
#define MOST_US 60000000             /* in all */
#define CONNECTIONS_MAX 1024
#define DESCRIPTORS_OF 8             /* and no more than one of so many descriptors: uploads need the others */
#define LOOK_MS 500
#define TURN (1 << 20)               /* bytes of one connection before the others are looked at */
#define STACK (128 * 1024)

struct ending {
	int fd;
	int64_t since, heard;
	struct ending *next;
};

static struct {
	pthread_mutex_t mu;
	int epoll;                       /* -1: no thread */
	int n, max;
	struct ending *first;            /* handed over, not yet looked at */
} linger = {.mu = PTHREAD_MUTEX_INITIALIZER, .epoll = -1};

/* Throws away what came. false: the peer has closed, or failed. */
static bool waits(int fd, bool *heard)
{
	char trash[16384];
	ssize_t n;
	for (size_t got = 0; got < TURN && (n = recv(fd, trash, sizeof trash, MSG_DONTWAIT)) != 0; got += (size_t)n) {
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		*heard = true;
	}
	return n != 0;
}

static void end(struct ending **at)
{
	struct ending *e = *at;
	*at = e->next;
	close(e->fd);
	free(e);
	pthread_mutex_lock(&linger.mu);
	linger.n--;
	pthread_mutex_unlock(&linger.mu);
}

/* The looking thread's own list and what was handed over since: reading from a peer keeps nobody waiting who hands over. */
static struct ending *with_new(struct ending *own)
{
	pthread_mutex_lock(&linger.mu);
	struct ending *all = linger.first, **last = &all;
	linger.first = NULL;
	pthread_mutex_unlock(&linger.mu);
	while (*last)
		last = &(*last)->next;
	*last = own;
	return all;
}

/* Ends what has closed or waited long enough. */
static void look(struct ending **own)
{
	int64_t now = clock_mono_us();
	for (struct ending **at = own; *at;) {
		struct ending *e = *at;
		bool heard = false;
		if (!waits(e->fd, &heard) || now - e->since > MOST_US || (!heard && now - e->heard > IDLE_US)) {
			end(at);
			continue;
		}
		if (heard)
			e->heard = now;
		at = &e->next;
	}
}

static void *look_after(void *arg)
{
	struct epoll_event ev[16];
	struct ending *own = NULL;
	(void)arg;
	for (;;) {
		epoll_wait(linger.epoll, ev, 16, LOOK_MS);
		own = with_new(own);
		look(&own);
	}
	return NULL;
}

void gw_linger_start(void)
{
	pthread_t id;
	pthread_attr_t attr;
	struct rlimit r;
	linger.max = CONNECTIONS_MAX;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur / DESCRIPTORS_OF < CONNECTIONS_MAX)
		linger.max = (int)(r.rlim_cur / DESCRIPTORS_OF);
	linger.epoll = epoll_create1(EPOLL_CLOEXEC);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (linger.epoll >= 0 && pthread_create(&id, &attr, look_after, NULL) != 0) {
		close(linger.epoll);
		linger.epoll = -1;
	}
	pthread_attr_destroy(&attr);
}

bool gw_linger_ready(void)
{
	return linger.epoll >= 0;
}

static bool hand_over(int fd)
{
	struct ending *e = malloc(sizeof *e);
	struct epoll_event ev = {.events = EPOLLIN | EPOLLRDHUP, .data.fd = fd};
	if (!e)
		return false;
	pthread_mutex_lock(&linger.mu);
	bool taken = linger.n < linger.max && epoll_ctl(linger.epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
	if (taken) {
		int64_t now = clock_mono_us();
		*e = (struct ending){fd, now, now, linger.first};
		linger.first = e;
		linger.n++;
	}
	pthread_mutex_unlock(&linger.mu);
	if (!taken)
		free(e);
	return taken;
}

void gw_linger(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
	bool heard = false;
	shutdown(fd, SHUT_WR);
	if ((poll(&p, 1, AT_ONCE_MS) > 0 && !waits(fd, &heard)) || !hand_over(fd))
		close(fd);
}
