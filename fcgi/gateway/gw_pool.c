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
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define SPARE 3              /* threads in accept */
#define WAKE SIGUSR2
#define WAKE_US 2000
#define SHORTAGE_US 20000
#define DRAIN_LOOK_US 20000
#define STOOD_US 3000000     /* between two looks, of which one comes each second */
#define FIRST_MS 1000        /* for the first byte of a connection; a web server sends it at once */
#define FIRST_SCARCE_MS 50   /* the same while no thread waits in accept */
#define GIVE_UP_US 100000    /* between two tries to start a thread */

struct thread {
	pthread_t id;
	struct gw_conn *conn;
	bool accepting, ended;
};

static atomic_bool closing;      /* nobody accepts any more */

static struct pool {
	pthread_mutex_t mu;
	const struct gateway_app *app;
	struct gateway_pool conf;
	struct thread *thread;
	int n, idle, ended;
	int64_t retry_at;        /* when a thread could not be started */
	int told;                /* the application: how many threads it has */
	bool broken;
} pool = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void *serve(void *arg);

/* All three with the mutex held. */
static void tell_threads(int n)
{
	if (n != pool.told && pool.app->threads)
		pool.app->threads(pool.app->self, n);
	pool.told = n;
}

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
		tell_threads(pool.conf.max_threads);
		return;
	}
	tell_threads(pool.n);
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

/* Only accept itself can be woken: whoever has a connection serves it. first_ms: how long its first byte may take. */
static enum gw_accept accept_one(struct thread *me, struct gw_conn *c, int *first_ms)
{
	sigset_t wake;
	sigemptyset(&wake);
	sigaddset(&wake, WAKE);
	pthread_mutex_lock(&pool.mu);
	me->accepting = true;
	pthread_mutex_unlock(&pool.mu);
	pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	enum gw_accept got = atomic_load(&closing) ? GW_RETRY : gw_conn_accept(c);
	pthread_sigmask(SIG_BLOCK, &wake, NULL);
	pthread_mutex_lock(&pool.mu);
	me->accepting = false;
	if (got == GW_REQUEST) {
		pool.idle--;
		if (!atomic_load(&closing))
			refill();
		*first_ms = pool.idle > 0 ? FIRST_MS : FIRST_SCARCE_MS;
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
	int first_ms = FIRST_SCARCE_MS;
	while (!atomic_load(&closing)) {
		switch (accept_one(me, c, &first_ms)) {
		case GW_REQUEST:
			if (gw_conn_head(c, first_ms))
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

static void set_conn(struct thread *me, struct gw_conn *c)
{
	pthread_mutex_lock(&pool.mu);
	me->conn = c;
	pthread_mutex_unlock(&pool.mu);
}

/* Peers that let a thread wait too long. If nobody has looked for a while, this process stood still, and perhaps the peers with it: the time begins anew. */
static void watch_all(void)
{
	static int64_t looked;
	int64_t now = clock_mono_us();
	bool stood = now - looked > STOOD_US;
	looked = now;
	pthread_mutex_lock(&pool.mu);
	for (int i = 0; i < pool.n; i++)
		if (pool.thread[i].conn)
			gw_conn_watch(pool.thread[i].conn, stood);
	if (pool.told < pool.conf.max_threads && !atomic_load(&closing))
		start_thread();   /* whether there are enough again */
	pthread_mutex_unlock(&pool.mu);
}

static void *serve(void *arg)
{
	struct thread *me = arg;
	struct gw_conn *c;
	while (!(c = gw_conn_open(pool.conf.arena_max)) && !atomic_load(&closing))
		usleep(SHORTAGE_US);
	if (c) {
		set_conn(me, c);
		serve_requests(me, c);
		set_conn(me, NULL);
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

static void stop_signals(sigset_t *set)
{
	static const int stop[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};
	struct sigaction was;
	sigemptyset(set);
	for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
		sigaddset(set, stop[i]);
	/* Whoever started us with it ignored (nohup; a supervisor, which answers it itself) means that we ignore it. */
	if (sigaction(SIGHUP, NULL, &was) == 0 && was.sa_handler == SIG_IGN)
		sigdelset(set, SIGHUP);
}

/* Once, when there is somebody to serve. */
static void tell_ready(void)
{
	static bool told;
	pthread_mutex_lock(&pool.mu);
	bool serves = pool.n > 0;
	pthread_mutex_unlock(&pool.mu);
	if (told || !serves)
		return;
	told = true;
	if (pool.app->ready)
		pool.app->ready(pool.app->self);
}

/* Whether running requests may be waited for. */
static bool wait_for_stop(const sigset_t *set)
{
	const struct timespec second = {.tv_sec = 1};
	int sig;
	watch_all();   /* so that standing still in the first second is noticed, too */
	tell_ready();
	while ((sig = sigtimedwait(set, NULL, &second)) < 0) {
		bool due = errno == EAGAIN;
		watch_all();
		tell_ready();
		if (due)
			gw_tick(pool.app);
	}
	return sig == SIGUSR1 || sig == SIGHUP;
}

/* Wakes those that wait in accept; tells how many threads are left, that of a tick among them. */
static int wake_all(void)
{
	pthread_mutex_lock(&pool.mu);
	int left = pool.n - pool.ended;
	for (int i = 0; i < pool.n; i++)
		if (pool.thread[i].accepting && !pool.thread[i].ended)
			pthread_kill(pool.thread[i].id, WAKE);
	pthread_mutex_unlock(&pool.mu);
	return left + gw_tick_left();
}

/* Until nobody is left or the time is over. */
static int wind_up(int64_t until_us)
{
	int left;
	while ((left = wake_all()) > 0 && clock_mono_us() < until_us)
		usleep(WAKE_US);
	return left;
}

static bool stops(int sig)
{
	return sig == SIGTERM || sig == SIGINT || sig == SIGQUIT;
}

/* Waits for the end of running requests, until a stop comes or the time is over. */
static void drain(const sigset_t *set)
{
	const struct timespec look = {.tv_nsec = DRAIN_LOOK_US * 1000};
	int64_t until = clock_mono_us() + (int64_t)pool.conf.drain_s * 1000000;
	log_event(LOG_INFO, "gateway", "no more requests are accepted", NULL);
	/* A reload of everybody comes as two signals: only what means a stop ends the waiting. */
	while (wake_all() > 0 && clock_mono_us() < until && !stops(sigtimedwait(set, NULL, &look)))
		watch_all();
}

static int stop_all(void)
{
	int64_t now = clock_mono_us(), wait = (int64_t)pool.conf.shutdown_wait_ms * 1000;
	gw_stopping_set();
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
	gw_tick_join();
	free(pool.thread);
	return 0;
}

int gateway_fcgi_serve(const struct gateway_app *app, const struct gateway_pool *conf)
{
	if (!gateway_is_fcgi())
		return -1;
	block_signals();
	gw_linger_start();
	gw_drainers_of(conf->max_threads);
	mallopt(M_ARENA_MAX, 4);   /* an arena a thread would hold much memory for nothing */
	pool.app = app;
	pool.conf = *conf;
	pool.told = conf->max_threads;
	pool.thread = calloc((size_t)conf->max_threads, sizeof *pool.thread);
	if (!pool.thread)
		return -1;
	pthread_mutex_lock(&pool.mu);
	refill();
	pthread_mutex_unlock(&pool.mu);
	sigset_t set;
	stop_signals(&set);
	bool patient = wait_for_stop(&set);
	atomic_store(&closing, true);
	gw_tick_close();
	if (patient)
		drain(&set);
	int left = stop_all();
	return left == 0 && pool.broken ? -1 : left;
}
