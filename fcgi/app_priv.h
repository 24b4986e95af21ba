/*
 * app_priv.h - what the files of the hall share.
 */
#ifndef APP_PRIV_H
#define APP_PRIV_H

#include "app.h"
#include "guard.h"
#include "upload/upload.h"

struct app {
	const struct config *cfg;
	struct house house;
	struct guard_keys keys;
	bool once;
	int64_t started;
	int body_max, begin_max;    /* slots of this process */
	int bodies, begins;         /* in use, atomic */
	bool recovered;             /* what earlier processes had begun to finish was looked at */
	int64_t next_reap, reaps;
};

#endif
