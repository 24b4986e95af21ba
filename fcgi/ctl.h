/*
 * ctl.h - what the files of tusctl share: a command's surroundings and how it speaks.
 *
 * Everything that a command tells is JSON objects: --json prints them as they are, else they become lines of a table or "key  value"
 * lines. So both forms always say the same.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "upload/upload.h"

enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_UNTRIED = 3 };   /* exit codes; untried leaves as 2 too, without the usage */

struct ctl {
	const struct config *cfg;
	struct house *house;        /* NULL for commands that need no rows */
	struct arena *a;            /* of the command; big loops use one of their own */
	bool json;
	int argc;                   /* what stands behind the command, flags taken out */
	char **argv;
};

/* ---- commands: an exit code ---- */

int ctl_list(struct ctl *c);
int ctl_show(struct ctl *c);
int ctl_check(struct ctl *c);
int ctl_key(struct ctl *c);
int ctl_events(struct ctl *c);
int ctl_hooks(struct ctl *c);
int ctl_backup(struct ctl *c);
int ctl_restore(struct ctl *c);
int ctl_doctor(struct ctl *c);
int ctl_import(struct ctl *c);

/* ---- arguments ---- */

/* Takes `--name` out of the arguments; whether it was there. */
bool ctl_flag(struct ctl *c, const char *name);
/* Takes `--name N` out: false if N is no number from 1 on. Absent: *n stays. */
bool ctl_number(struct ctl *c, const char *name, int64_t *n);

/* ---- speaking (ctl_out.c) ---- */

/* "tusctl: what: the error's sentence" to stderr; CTL_FAILED. */
int ctl_fail(const char *what, enum err e);
/* One object: as JSON, or a line a member. Takes it over. */
void ctl_object(struct ctl *c, struct json *o);

struct ctl_column {
	const char *key;
	int width;                  /* 0: the last one, as wide as it is; negative: to the right */
};
/* Named lists of objects, written while they are made: {"first":[...],"second":[...]}, or tables with the name as heading. */
struct ctl_lists {
	struct ctl *c;
	const struct ctl_column *cols;
	int lists, rows;            /* begun so far; rows of the present list */
};
void ctl_list_begin(struct ctl_lists *l, const char *name, const struct ctl_column *cols);
/* Takes o over. Memory for its text comes from a, which the caller empties now and then. */
void ctl_list_row(struct ctl_lists *l, struct arena *a, struct json *o);
void ctl_list_end(struct ctl_lists *l);
/* One object beside the lists. Takes it over. */
void ctl_list_beside(struct ctl_lists *l, const char *name, struct json *o);
void ctl_lists_end(struct ctl_lists *l);

/* A moment as "2026-11-22T06:04:02Z"; 0 gives null. */
void ctl_put_time(struct json *o, const char *key, int64_t t);
const char *ctl_session_state(enum session_state s);
const char *ctl_upload_state(enum upload_state s);

#endif
