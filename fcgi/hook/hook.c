/*
 * hook.c - who takes which event when: a few threads, each with one delivery at a time.
 *
 * A claim is a FULL commit before the delivery: the next try is set beforehand, so that a consumer that dies is a failed try; and whatever the event tells of is
 * on the disk when somebody is told.
 */
#include "hook/hook.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

#define SLOTS 4                 /* deliveries at a time */
#define DUE_ROWS (2 * SLOTS)    /* those under way may be among them */
#define LOOK_MS 200
#define MEMORY_MAX (8 << 20)

struct consumer {
	const struct config *c;
	struct store *s;
	int64_t before;             /* deliver only what was due then; 0: whatever becomes due */
	pthread_mutex_t mu;
	pthread_cond_t wake;
	bool stop;
	int64_t look_at;            /* monotonic ms: nobody need look at the rows before */
	int64_t running[SLOTS];     /* numbers of the events under way, 0: none */
	int live;
};

static int64_t mono_ms(void)
{
	return clock_mono_us() / 1000;
}

static int64_t retry_at(int64_t tries)
{
	uint32_t random;
	digest_random(&random, sizeof random);
	return clock_now_ms() + plan_event_retry(tries, random);
}

/* ---- one delivery ---- */

static bool deliver(const struct consumer *h, struct arena *a, const struct event *e, const char **why)
{
	struct json *o = event_json(h->c, e);
	const char *body = json_text(o, a);
	json_free(o);
	*why = "no memory for the event";
	if (!body)
		return false;
	return h->c->hook_command ? hook_run(h->c, a, e, body, why) : hook_post(h->c, a, e, body, why);
}

/* Whether it was accepted. What becomes of the row if it cannot be written: the claim stands, so it is delivered again. */
static bool settle(const struct consumer *h, struct arena *a, const struct event *e)
{
	const char *why;
	int64_t tries = e->tries + 1, from = clock_mono_us();
	bool ok = deliver(h, a, e, &why);
	enum err x = ok ? store_event_delivered(h->s, e->n, clock_now()) : store_event_retry(h->s, e->n, retry_at(tries));
	log_event(ok ? LOG_INFO : LOG_WARN, "hook", ok ? "delivered" : "not delivered", "event", LI(e->n), "kind", LS(event_name(e->kind)), "subject", LS(e->subject),
		"try", LI(tries), "us", LI(clock_mono_us() - from), "why", LS(ok || !why ? "" : why), "row", LS(x ? err_code(x) : ""), NULL);
	return ok;
}

static bool is_running(const struct consumer *h, int64_t n)
{
	for (int i = 0; i < SLOTS; i++)
		if (h->running[i] == n)
			return true;
	return false;
}

/* The next event that nobody delivers, claimed. ERR_NOT_FOUND: none is due. With mu held, so that two never take the same. */
static enum err take(struct consumer *h, struct arena *a, struct event *out)
{
	struct event *due = arena_alloc(a, DUE_ROWS * sizeof *due);
	int found = 0;
	enum err e = due ? store_events_due(h->s, a, h->before ? h->before : clock_now_ms(), due, DUE_ROWS, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++) {
		if (is_running(h, due[i].n))
			continue;
		*out = due[i];
		e = store_event_claim(h->s, due[i].n, retry_at(due[i].tries + 1));
		if (e != ERR_NOT_FOUND)
			return e;
		e = ERR_OK;
	}
	return e ? e : ERR_NOT_FOUND;
}

/* ---- the process of the pool ---- */

struct worker {
	struct consumer *h;
	int slot;
};

/* Waits until rows are to be looked at; false: the end. With mu held. */
static bool wait_look(struct consumer *h)
{
	int64_t left;
	while (!h->stop && (left = h->look_at - mono_ms()) > 0) {
		int64_t at = clock_mono_us() + left * 1000;
		struct timespec t = {.tv_sec = at / 1000000, .tv_nsec = at % 1000000 * 1000};
		pthread_cond_timedwait(&h->wake, &h->mu, &t);
	}
	return !h->stop;
}

/* One thread looks every LOOK_MS; where something was found, the others look at once. */
static void *work(void *arg)
{
	struct worker *w = arg;
	struct consumer *h = w->h;
	struct event e;
	struct arena *a = arena_open(MEMORY_MAX);
	pthread_mutex_lock(&h->mu);
	while (a && wait_look(h)) {
		h->look_at = mono_ms() + LOOK_MS;
		arena_reset(a);
		if (take(h, a, &e) != ERR_OK)
			continue;
		h->running[w->slot] = e.n;
		h->look_at = 0;
		pthread_cond_signal(&h->wake);
		pthread_mutex_unlock(&h->mu);
		settle(h, a, &e);
		pthread_mutex_lock(&h->mu);
		h->running[w->slot] = 0;
		/* The next of its subject may be due. */
		h->look_at = 0;
		pthread_cond_signal(&h->wake);
	}
	h->live--;
	pthread_cond_broadcast(&h->wake);
	pthread_mutex_unlock(&h->mu);
	if (a)
		arena_close(a);
	return NULL;
}

/* The folder's one consumer. block: waits for it. < 0: not had. */
static int lock_take(const struct config *c, bool block)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/hooks.lock", c->db_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660), rc = -1;
	while (fd >= 0 && (rc = flock(fd, LOCK_EX | (block ? 0 : LOCK_NB))) != 0 && errno == EINTR)
		;
	if (fd < 0 || rc != 0) {
		if (fd < 0 || errno != EWOULDBLOCK)
			log_event(LOG_ERROR, "hook", "cannot take the lock", "path", LS(path), "error", LS(strerror(errno)), NULL);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static bool start(struct consumer *h, struct worker w[SLOTS])
{
	pthread_attr_t attr;
	pthread_t t;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_mutex_lock(&h->mu);
	for (int i = 0; i < SLOTS; i++) {
		w[i] = (struct worker){h, i};
		h->live += pthread_create(&t, &attr, work, &w[i]) == 0;
	}
	pthread_mutex_unlock(&h->mu);
	pthread_attr_destroy(&attr);
	return h->live > 0;
}

/* Whether all threads ended in time. */
static bool finish(struct consumer *h)
{
	int64_t until = clock_mono_us() + h->c->shutdown_wait_ms * 1000;
	const struct timespec t = {.tv_sec = until / 1000000, .tv_nsec = until % 1000000 * 1000};
	pthread_mutex_lock(&h->mu);
	h->stop = true;
	pthread_cond_broadcast(&h->wake);
	while (h->live > 0 && pthread_cond_timedwait(&h->wake, &h->mu, &t) == 0)
		;
	bool all = h->live == 0;
	pthread_mutex_unlock(&h->mu);
	return all;
}

static void consumer_init(struct consumer *h)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&h->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&h->mu, NULL);
}

static int serve(struct consumer *h)
{
	struct worker w[SLOTS];
	static const int stop[] = {SIGTERM, SIGINT, SIGQUIT, SIGUSR1};
	sigset_t set;
	int sig;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof stop / sizeof *stop; i++)
		sigaddset(&set, stop[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	consumer_init(h);
	if (!start(h, w))
		return 1;
	log_event(LOG_INFO, "hook", "delivering", "by", LS(h->c->hook_command ? "command" : "POST"), NULL);   /* either may hold a secret */
	sigwait(&set, &sig);
	if (!finish(h))
		_exit(0);   /* the delivery that runs counts as failed: it was claimed, and comes again */
	return 0;
}

int hooks_serve(const struct config *c)
{
	struct store_options o = {.dir = c->db_dir, .full = c->durability == DURABILITY_FULL, .readers = 2};
	struct consumer h = {.c = c};
	if (!hook_is_set(c)) {
		log_event(LOG_ERROR, "hook", "neither HOOK_COMMAND nor HOOK_URL is set", NULL);
		return 1;
	}
	hook_store_options(c, &o);
	clock_shift(c->test_clock_offset);
	/* Sent to everybody it asks for new settings: the supervisor hears it, and says SIGUSR1 when it has them. */
	sigset_t hangup;
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, NULL);
	/* A signal ends the waiting. */
	int lock = lock_take(c, true);
	if (lock < 0)
		return 1;
	int rc = 1;
	if (hook_post_init(c) == ERR_OK && store_open(&o, &h.s) == ERR_OK)
		rc = serve(&h);
	store_close(h.s);
	close(lock);
	return rc;
}

/* ---- once ---- */

static enum err all_due(struct consumer *h, struct arena *a, struct hooks_count *out)
{
	struct event e;
	for (;;) {
		arena_reset(a);
		enum err x = take(h, a, &e);
		if (x)
			return x == ERR_NOT_FOUND ? ERR_OK : x;
		if (settle(h, a, &e))
			out->delivered++;
		else
			out->failed++;
	}
}

enum err hooks_once(const struct config *c, struct store *s, struct hooks_count *out)
{
	struct consumer h = {.c = c, .s = s, .before = clock_now_ms()};
	*out = (struct hooks_count){0};
	int lock = lock_take(c, false);
	if (lock < 0) {
		out->busy = errno == EWOULDBLOCK;
		return out->busy ? ERR_OK : ERR_INTERNAL;
	}
	struct arena *a = arena_open(MEMORY_MAX);
	enum err e = a ? hook_post_init(c) : ERR_NOMEM;
	if (!e)
		e = all_due(&h, a, out);
	if (!e)
		e = store_events_waiting(s, &out->waiting);
	if (a)
		arena_close(a);
	close(lock);
	return e;
}
