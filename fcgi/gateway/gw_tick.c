/*
 * gw_tick.c - the ticks of a pool: one thread beside the serving ones, so that the main thread, which hears signals and watches the peers, never waits for
 * what a tick does (it may copy a whole recording).
 */
#include "gateway/gw.h"

#include <pthread.h>

#include "base/log.h"

#define STACK (1024 * 1024)   /* the deepest work of the application is done here, and only once a process */

static struct {
	pthread_mutex_t mu;
	pthread_cond_t changed;
	const struct gateway_app *app;
	pthread_t id;
	bool begun, due, closing, ended;
} ticker = {.mu = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void *tick_on(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&ticker.mu);
	while (!ticker.closing) {
		if (!ticker.due) {
			pthread_cond_wait(&ticker.changed, &ticker.mu);
			continue;
		}
		pthread_mutex_unlock(&ticker.mu);
		ticker.app->tick(ticker.app->self);
		pthread_mutex_lock(&ticker.mu);
		ticker.due = false;   /* what fell due meanwhile was this one */
	}
	ticker.ended = true;
	pthread_mutex_unlock(&ticker.mu);
	return NULL;
}

/* With the mutex held. What fails now is tried again with the next tick. */
static void begin(void)
{
	pthread_attr_t attr;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK);
	int rc = pthread_create(&ticker.id, &attr, tick_on, NULL);
	pthread_attr_destroy(&attr);
	ticker.begun = rc == 0;
	if (rc)
		log_event(LOG_WARN, "gateway", "no thread for the ticks", "errno", LI(rc), NULL);
}

void gw_tick(const struct gateway_app *app)
{
	if (!app->tick)
		return;
	pthread_mutex_lock(&ticker.mu);
	ticker.app = app;
	ticker.due = true;
	if (!ticker.begun)
		begin();
	pthread_cond_signal(&ticker.changed);
	pthread_mutex_unlock(&ticker.mu);
}

void gw_tick_close(void)
{
	pthread_mutex_lock(&ticker.mu);
	ticker.closing = true;
	pthread_cond_signal(&ticker.changed);
	pthread_mutex_unlock(&ticker.mu);
}

int gw_tick_left(void)
{
	pthread_mutex_lock(&ticker.mu);
	int left = ticker.begun && !ticker.ended;
	pthread_mutex_unlock(&ticker.mu);
	return left;
}

void gw_tick_join(void)
{
	if (ticker.begun)
		pthread_join(ticker.id, NULL);
}
