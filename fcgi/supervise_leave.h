/*
 * supervise_leave.h - workers of former teams, which end with their last request.
 */
#ifndef SUPERVISE_LEAVE_H
#define SUPERVISE_LEAVE_H

#include "supervise_priv.h"

struct leavers {
	struct leaver {
		pid_t pid;
		int64_t until;          /* then it is killed */
	} *all;
	int n;
};

/* Tells the workers that run to take no more requests, and takes them over. false: no memory, nobody was told. */
bool leavers_take(struct leavers *l, const struct team *t);
/* pid has ended. */
void leavers_forget(struct leavers *l, pid_t pid);
/* Kills who is late. *next becomes the time of the next look, if that is sooner. */
void leavers_look(struct leavers *l, int64_t now, int64_t *next);
void leavers_signal(const struct leavers *l, int sig);

#endif
