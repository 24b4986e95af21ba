/*
 * supervise_leave.c - workers of former teams: asked to end, waited for, killed if they are late.
 */
#include "supervise_leave.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"

#define KILLED_LOOK_US 1000000

bool leavers_take(struct leavers *l, const struct team *t)
{
	const struct config *c = t->c;
	int64_t until = clock_mono_us() + c->reload_wait * 1000000 + (c->shutdown_wait_ms + KILL_AFTER_MS) * 1000;
	struct leaver *all = realloc(l->all, (size_t)(l->n + t->n) * sizeof *all);
	if (!all)
		return false;
	l->all = all;
	for (int i = 0; i < t->n; i++) {
		if (t->w[i].pid == 0)
			continue;
		kill(t->w[i].pid, SIGUSR1);
		all[l->n++] = (struct leaver){t->w[i].pid, until};
	}
	return true;
}

void leavers_forget(struct leavers *l, pid_t pid)
{
	for (int i = 0; i < l->n; i++)
		if (l->all[i].pid == pid) {
			l->all[i] = l->all[--l->n];
			return;
		}
}

void leavers_look(struct leavers *l, int64_t now, int64_t *next)
{
	for (int i = 0; i < l->n; i++) {
		struct leaver *x = &l->all[i];
		if (x->until <= now) {
			log_event(LOG_WARN, "supervisor", "a worker of old settings did not end in time", "pid_killed", LI(x->pid), NULL);
			kill(x->pid, SIGKILL);
			x->until = now + KILLED_LOOK_US;
		}
		if (x->until < *next)
			*next = x->until;
	}
}

void leavers_signal(const struct leavers *l, int sig)
{
	for (int i = 0; i < l->n; i++)
		kill(l->all[i].pid, sig);
}
