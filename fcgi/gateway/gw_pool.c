/*
 * gw_pool.c - the threads of a FastCGI worker: one a request, growing on demand, and their orderly end.
 *
 * A few threads always wait in accept; when one takes a request and too few are left, another is started. Threads stay (an idle
 * one costs some KiB). The listening socket belongs to all workers, so it cannot be shut down to wake those that wait in accept:
 * they are sent a signal whose handler does nothing, again and again, because one may come just before accept begins.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define SPARE 3              /* threads in accept; more than one, because accept includes reading the request's head */
#define WAKE SIGUSR2
#define WAKE_US 2000
#define SHORTAGE_US 20000
#define GIVE_UP_US 100000    /* between two tries to start a thread */

struct thread {
	pthread_t id;
	bool accepting, ended;
};

static struct pool {
	pthread_mutex_t mu;
	const struct gateway_app *app;
	struct gateway_pool conf;
	struct thread *thread;
	int n, idle, ended;
	int64_t retry_at;        /* when a thread could not be started */
	bool broken;
} pool = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void *serve(void *arg);

/* Both with the mutex held. */
static void start_thread(void)
{
	pthread_attr_t attr;
	if (pool.n == pool.conf.max_threads || clock_mono_us() < pool.retry_at)
		return;
	struct thread *t = &pool.thread[pool.n];
	*t = (struct thread){0};
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, (size_t)pool.conf.stack_kib * 1024);
	int rc = pthread_create(&t->id, &attr, serve, t);
	pthread_attr_destroy(&attr);
	if (rc == 0) {
		pool.n++;
		pool.idle++;
		return;
	}
	log_event(LOG_WARN, "gateway", "no more threads", "have", LI(pool.n), "errno", LI(rc), NULL);
	pool.retry_at = clock_mono_us() + GIVE_UP_US;
}

static void refill(void)
{
	while (pool.idle < SPARE) {
		int before = pool.n;
		start_thread();
		if (pool.n == before)
			return;
	}
}

static enum gw_accept accept_one(struct thread *me, struct gw_conn *c)
{
	sigset_t wake;
	sigemptyset(&wake);
	sigaddset(&wake, WAKE);
	pthread_mutex_lock(&pool.mu);
	me->accepting = true;
	pthread_mutex_unlock(&pool.mu);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	enum gw_accept got = gateway_stopping() ? GW_RETRY : gw_conn_accept(c);
	pthread_sigmask(SIG_BLOCK, &wake, NULL);
	pthread_mutex_lock(&pool.mu);
	me->accepting = false;
	if (got == GW_REQUEST) {
		pool.idle--;
		if (!gateway_stopping())
			refill();
	}
	pthread_mutex_unlock(&pool.mu);
	return got;
}

static void report_broken(void)
{
	pthread_mutex_lock(&pool.mu);
	bool first = !pool.broken;
	pool.broken = true;
	pthread_mutex_unlock(&pool.mu);
	if (!first)
		return;
	log_event(LOG_ERROR, "gateway", "the listening socket failed", NULL);
	kill(getpid(), SIGTERM);
}

static void serve_requests(struct thread *me, struct gw_conn *c)
{
	while (!gateway_stopping()) {
		switch (accept_one(me, c)) {
		case GW_REQUEST:
			gw_conn_serve(c, pool.app);
			pthread_mutex_lock(&pool.mu);
			pool.idle++;
			pthread_mutex_unlock(&pool.mu);
			break;
		case GW_WAIT:
			usleep(SHORTAGE_US);
			break;
		case GW_BROKEN:
			report_broken();
			return;
		case GW_RETRY:
			break;
		}
	}
}

static void *serve(void *arg)
{
	struct thread *me = arg;
	struct gw_conn *c;
	while (!(c = gw_conn_open(pool.conf.arena_max)) && !gateway_stopping())
		usleep(SHORTAGE_US);
	if (c) {
		serve_requests(me, c);
		gw_conn_close(c);
	}
	pthread_mutex_lock(&pool.mu);
	me->ended = true;
	pool.ended++;
	pthread_mutex_unlock(&pool.mu);
	return NULL;
}

static void wake_up(int sig)
{
	(void)sig;
}

/* Everything is blocked but what a fault of the program raises in its own thread. */
static void block_signals(void)
{
	static const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t all;
	sigfillset(&all);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		sigdelset(&all, own[i]);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	struct sigaction sa = {.sa_handler = wake_up};   /* no SA_RESTART: accept must end */
	sigaction(WAKE, &sa, NULL);
}

static void wait_for_stop(void)
{
	static const int stop[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};
	const struct timespec second = {.tv_sec = 1};
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
		sigaddset(&set, stop[i]);
	while (sigtimedwait(&set, NULL, &second) < 0)
		if (errno == EAGAIN && pool.app->tick)
			pool.app->tick(pool.app->self);
}

/* Wakes those that wait in accept until nobody is left or the time is over; tells how many are left. */
static int wind_up(int64_t until_us)
{
	for (;;) {
		pthread_mutex_lock(&pool.mu);
		int left = pool.n - pool.ended;
		for (int i = 0; i < pool.n; i++)
			if (pool.thread[i].accepting && !pool.thread[i].ended)
				pthread_kill(pool.thread[i].id, WAKE);
		pthread_mutex_unlock(&pool.mu);
		if (left == 0 || clock_mono_us() >= until_us)
			return left;
		usleep(WAKE_US);
	}
}

static int stop_all(void)
{
	int64_t now = clock_mono_us(), wait = (int64_t)pool.conf.shutdown_wait_ms * 1000;
	gw_stopping_set();
	gw_fcgi_stop();
	int left = wind_up(now + wait / 4);
	if (left > 0) {
		if (pool.app->stop_bodies)
			pool.app->stop_bodies(pool.app->self);
		left = wind_up(now + wait);
	}
	if (left > 0) {
		log_event(LOG_WARN, "gateway", "stopping with requests in flight", "threads", LI(left), NULL);
		return left;
	}
	for (int i = 0; i < pool.n; i++)
		pthread_join(pool.thread[i].id, NULL);
	free(pool.thread);
	return 0;
}

int gateway_fcgi_serve(const struct gateway_app *app, const struct gateway_pool *conf)
{
	if (!gateway_is_fcgi())
		return -1;
	block_signals();
	gw_linger_start();
	mallopt(M_ARENA_MAX, 4);   /* an arena a thread would hold much memory for nothing */
	pool.app = app;
	pool.conf = *conf;
	pool.thread = calloc((size_t)conf->max_threads, sizeof *pool.thread);
	if (!pool.thread)
		return -1;
	pthread_mutex_lock(&pool.mu);
	refill();
	pthread_mutex_unlock(&pool.mu);
	wait_for_stop();
	int left = stop_all();
	return left == 0 && pool.broken ? -1 : left;
}
