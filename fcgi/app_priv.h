/*
 * app_priv.h - what the files of the hall share.
 */
#ifndef APP_PRIV_H
#define APP_PRIV_H

#include "app.h"
#include "guard.h"
#include "routes.h"
#include "upload/upload.h"

struct app {
	const struct config *cfg;
	struct house house;
	struct guard_keys keys;
	bool once;
	int64_t started;
	int body_max, begin_max;    /* slots of this process; body_max atomic */
	int bodies, begins;         /* in use, atomic */
	bool recovered;             /* what was begun to be finished, by earlier processes or unfinished, was looked at; the tick's own */
	bool unfinished;            /* finishing for which no thread was free is left to the tick, atomic */
	int64_t reject_minute, rejects;   /* refusals noted in this minute, atomic */
	int64_t next_reap, next_look, reaps;
};

/* Writes an event if e refuses a creation (app_reject.c). */
void app_note_rejected(struct app *app, const struct call *c, const struct route *r, enum err e);

#endif
