/*
 * hold.c - the table of what this process holds: taking, asking, letting go.
 *
 * The table comes first and the lock file second, and both under the mutex (trying a lock does not wait), so that a key is in the table
 * exactly while this process has its byte. A waiter for a holder in this process sleeps on the chain's condition; one for another
 * process tries again, for the kernel has no lock wait with an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/hold.h"
#include "upload/hold_priv.h"

#define PING_PONG_US (10 * 1000000)

static const int64_t retry_us[] = {1000, 2000, 5000, 10000, 20000};

/* ---- opening and closing ---- */

static void table_open(struct holds *h)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&h->mu, NULL);
	h->locks = h->mbox = h->in = h->wake = -1;
	for (int i = 0; i < HOLD_FILES; i++) {
		pthread_cond_init(&h->freed[i], &attr);
		h->lock_fd[i] = -1;
	}
	pthread_condattr_destroy(&attr);
}

static int run_open(const char *run_dir)
{
	if (mkdir(run_dir, 0750) < 0 && errno != EEXIST)
		return -1;
	return open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

enum err holds_open(const char *run_dir, bool thread, struct holds **out)
{
	*out = NULL;
	struct holds *h = calloc(1, sizeof *h);
	if (!h)
		return ERR_NOMEM;
	table_open(h);
	int run = run_open(run_dir);
	enum err e = ERR_OK;
	if (run < 0) {
		log_event(LOG_ERROR, "hold", "opening the run folder", "reason", LS(strerror(errno)), NULL);
		e = ERR_INTERNAL;
	}
	if (!e)
		e = hold_lock_open(h, run, thread);
	if (!e)
		e = hold_mail_open(h, run, run_dir, thread);
	if (run >= 0)
		close(run);
	if (e)
		holds_close(h);
	else
		*out = h;
	return e;
}

void holds_close(struct holds *h)
{
	if (!h)
		return;
	hold_mail_close(h);
	hold_lock_close(h);
	for (int i = 0; i < HOLD_FILES; i++)
		pthread_cond_destroy(&h->freed[i]);
	pthread_mutex_destroy(&h->mu);
	free(h);
}

/* ---- the table; all under the mutex ---- */

static struct hold *find(struct holds *h, int64_t key)
{
	struct hold *e = h->chain[HOLD_SLOT(key)];
	while (e && e->key != key)
		e = e->next;
	return e;
}

/* Whether key was displaced a short while ago; remembers that it is now. A later key may push an older one out: it only costs
 * a 409 where a 423 would have been better. */
static bool displaced_again(struct holds *h, int64_t key, int64_t now)
{
	unsigned i = (unsigned)((uint64_t)key * 0x9E3779B97F4A7C15u >> 56) % HOLD_RECENT;
	bool again = h->recent[i].key == key && h->recent[i].at && now - h->recent[i].at < PING_PONG_US;
	h->recent[i].key = key;
	h->recent[i].at = now;
	return again;
}

static void let_go(struct hold *e)
{
	atomic_store(&e->wanted, true);
	if (e->body && e->body->stop)
		e->body->stop(e->body);
}

/* false: the holder came later and stays. */
static bool mark(struct hold *e, int64_t offset, int64_t since)
{
	if (e->since > since)
		return false;
	/* A HEAD has no offset to say, and does not take back what a PATCH has said. */
	if (offset != HOLD_NO_OFFSET)
		e->offset = offset;
	if (!atomic_load(&e->wanted)) {
		e->ping_pong = displaced_again(e->h, e->key, clock_mono_us());
		let_go(e);
	}
	return true;
}

static enum err enter(struct holds *h, struct hold *e)
{
	if (find(h, e->key))
		return ERR_LOCKED;
	enum err r = hold_lock_try(h, e->key);
	if (r)
		return r;
	e->serial = ++h->serial;
	e->next = h->chain[HOLD_SLOT(e->key)];
	h->chain[HOLD_SLOT(e->key)] = e;
	if (h->stopping && e->body)
		let_go(e);
	return ERR_OK;
}

static void leave(struct holds *h, struct hold *e)
{
	struct hold **at = &h->chain[HOLD_SLOT(e->key)];
	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	hold_lock_free(h, e->key);
	pthread_cond_broadcast(&h->freed[HOLD_SLOT(e->key)]);
}

static void wait_freed(struct holds *h, int64_t key, int64_t until)
{
	struct timespec t = {until / 1000000, until % 1000000 * 1000};
	pthread_cond_timedwait(&h->freed[HOLD_SLOT(key)], &h->mu, &t);
}

/* ---- taking ---- */

struct patience {
	int64_t since, until;
	unsigned tries;
};

/* Nobody here has the key, so another process has: asks it and lets some time pass. The mutex is free meanwhile. */
static void ask_others(struct holds *h, int64_t key, bool ask, int64_t offset, struct patience *p)
{
	pthread_mutex_unlock(&h->mu);
	if (ask)
		hold_mail_ask(h, key, offset, p->since);
	int64_t us = retry_us[p->tries], left = p->until - clock_mono_us();
	if (p->tries + 1 < sizeof retry_us / sizeof *retry_us)
		p->tries++;
	if (left > 0)
		hold_mail_pause(h, us < left ? us : left);
	pthread_mutex_lock(&h->mu);
}

static struct patience patience(int wait_ms)
{
	int64_t now = clock_mono_us();
	return (struct patience){.since = now, .until = now + (int64_t)wait_ms * 1000};
}

enum err hold_take(struct holds *h, int64_t key, struct source *body, int64_t offset, bool ask, int wait_ms, struct hold **out, bool *asked)
{
	struct patience p = patience(wait_ms);
	bool told = false;
	struct hold *e = calloc(1, sizeof *e);
	*out = NULL;
	if (asked)
		*asked = false;
	if (!e)
		return ERR_NOMEM;
	*e = (struct hold){.h = h, .key = key, .since = p.since, .body = body, .offset = HOLD_NO_OFFSET};
	pthread_mutex_lock(&h->mu);
	enum err r;
	for (bool last = false; (r = enter(h, e)) == ERR_LOCKED && !last;) {
		struct hold *holder = find(h, key);
		last = clock_mono_us() >= p.until;
		if (!holder) {
			told |= ask;
			ask_others(h, key, ask, offset, &p);
		} else {
			told |= ask && mark(holder, offset, p.since);
			if (!last)
				wait_freed(h, key, p.until);
		}
	}
	pthread_mutex_unlock(&h->mu);
	if (asked)
		*asked = told;
	if (r)
		free(e);
	else
		*out = e;
	return r;
}

void hold_drop(struct hold *hold)
{
	if (!hold)
		return;
	pthread_mutex_lock(&hold->h->mu);
	leave(hold->h, hold);
	pthread_mutex_unlock(&hold->h->mu);
	free(hold);
}

/* ---- being asked, and asking without taking ---- */

void hold_want(struct holds *h, int64_t key, int64_t offset, int64_t since)
{
	pthread_mutex_lock(&h->mu);
	struct hold *e = find(h, key);
	if (e)
		mark(e, offset, since);
	pthread_mutex_unlock(&h->mu);
}

bool hold_wanted(const struct hold *hold, int64_t *offset)
{
	if (!atomic_load(&hold->wanted))
		return false;
	pthread_mutex_lock(&hold->h->mu);
	if (offset)
		*offset = hold->offset;
	pthread_mutex_unlock(&hold->h->mu);
	return true;
}

bool hold_ping_pong(const struct hold *hold)
{
	pthread_mutex_lock(&hold->h->mu);
	bool yes = hold->ping_pong;
	pthread_mutex_unlock(&hold->h->mu);
	return yes;
}

/* A holder in this process: waits for this very hold, not for the next one of the same key. */
static void ask_here(struct holds *h, struct hold *e, const struct patience *p)
{
	int64_t key = e->key;
	uint64_t serial = e->serial;
	if (!mark(e, HOLD_NO_OFFSET, p->since))
		return;
	while ((e = find(h, key)) && e->serial == serial && clock_mono_us() < p->until)
		wait_freed(h, key, p->until);
}

bool hold_ask(struct holds *h, int64_t key, int wait_ms)
{
	struct patience p = patience(wait_ms);
	pthread_mutex_lock(&h->mu);
	struct hold *e = find(h, key);
	bool held = e || hold_lock_foreign(h, key);
	if (e)
		ask_here(h, e, &p);
	else if (held)
		do
			ask_others(h, key, true, HOLD_NO_OFFSET, &p);
		while (clock_mono_us() < p.until && !find(h, key) && hold_lock_foreign(h, key));
	pthread_mutex_unlock(&h->mu);
	return held;
}

void holds_stop_all(struct holds *h)
{
	pthread_mutex_lock(&h->mu);
	h->stopping = true;
	for (int i = 0; i < HOLD_FILES; i++)
		for (struct hold *e = h->chain[i]; e; e = e->next)
			let_go(e);
	pthread_mutex_unlock(&h->mu);
}
