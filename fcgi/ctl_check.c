/*
 * ctl_check.c - tusctl check: whether the ledger and the files say the same, in both directions.
 *
 * The pool may be writing meanwhile, and a row read a moment ago may be history when its file is looked at. Therefore a finding counts only
 * if a second look over everything finds it again.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "ctl.h"
#include "ctl_check.h"

#define FINDINGS_MAX 1000       /* told one by one; it ends there */
#define FAULTS_MAX 100
#define MEMORY_MAX (256 << 20)

void finding(struct look *l, const char *what, const char *where, const char *fmt, ...)
{
	va_list ap;
	if (l->n == FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	struct finding f = {what, arena_strdup(l->a, where), arena_vprintf(l->a, fmt, ap), NULL, l->about};
	va_end(ap);
	f.about.where = f.about.where ? arena_strdup(l->a, f.about.where) : NULL;
	f.about.name = f.about.name ? arena_strdup(l->a, f.about.name) : NULL;
	if (f.where && f.detail)
		l->v[l->n++] = f;
	else
		l->failed = true;
}

void unreadable(struct look *l, const char *where, enum err e)
{
	if (e)
		finding(l, "ledger", where, "cannot be read: %s", err_sentence(e));
}

/* ---- all of it ---- */

static void look_over(struct look *l)
{
	const char *fault[FAULTS_MAX];
	int found = 0;
	enum err e = store_faults(l->h->db, l->page, fault, FAULTS_MAX, &found);
	for (int i = 0; i < found; i++)
		finding(l, "database", fault[i], "%s", "");
	unreadable(l, "database", e);
	arena_reset(l->page);
	check_sessions(l);
	check_uploads(l);
	check_recordings(l);
	check_parts(l);
	check_names(l);
}

static bool look_all(struct look *l, struct house *h)
{
	*l = (struct look){.h = h, .a = arena_open(MEMORY_MAX), .page = arena_open(MEMORY_MAX)};
	l->v = calloc(FINDINGS_MAX, sizeof *l->v);
	if (!l->a || !l->page || !l->v)
		return false;
	look_over(l);
	return !l->failed;
}

static void look_close(struct look *l)
{
	if (l->a)
		arena_close(l->a);
	if (l->page)
		arena_close(l->page);
	free(l->v);
}

/* What only the first look found was the pool at work. */
static void confirm(struct look *first, const struct look *second)
{
	int kept = 0;
	for (int i = 0; i < first->n; i++) {
		const struct finding *f = &first->v[i];
		bool again = false;
		for (int j = 0; j < second->n && !again; j++)
			again = text_eq(f->what, second->v[j].what) && text_eq(f->where, second->v[j].where);
		if (again)
			first->v[kept++] = *f;
	}
	first->n = kept;
}

/* Looks until two looks agree. */
static bool look_twice(struct look *l, struct house *h)
{
	struct look second = {0};
	bool looked = look_all(l, h);
	if (looked && l->n > 0) {
		looked = look_all(&second, h);
		confirm(l, &second);
	}
	look_close(&second);
	return looked;
}

static int repair_all(struct look *l, const struct permits *may)
{
	int done = 0;
	for (int i = 0; i < l->n; i++) {
		l->v[i].repaired = repair(l, &l->v[i], may);
		done += l->v[i].repaired != NULL;
	}
	return done;
}

static void tell_findings(struct ctl *c, struct ctl_lists *lists, const char *name, const struct look *l, bool repairs)
{
	static const struct ctl_column found[] = {{"what", 17}, {"where", 56}, {"detail", 0}};
	static const struct ctl_column repaired[] = {{"what", 17}, {"where", 56}, {"repaired", 0}};
	ctl_list_begin(lists, name, repairs ? repaired : found);
	for (int i = 0; i < l->n; i++) {
		if (repairs && !l->v[i].repaired)
			continue;
		struct json *o = json_obj();
		json_put_str(o, "what", l->v[i].what);
		json_put_str(o, "where", l->v[i].where);
		json_put_str(o, "detail", l->v[i].detail);
		if (repairs)
			json_put_str(o, "repaired", l->v[i].repaired);
		ctl_list_row(lists, c->a, o);
		arena_reset(c->a);
	}
	ctl_list_end(lists);
}

/* l: what is there (after repairs: what is left); before: what was repaired, NULL if nothing was to be. */
static void tell(struct ctl *c, const struct look *l, const struct look *before, int repaired)
{
	struct ctl_lists lists = {.c = c};
	if (before)
		tell_findings(c, &lists, "repairs", before, true);
	tell_findings(c, &lists, "findings", l, false);
	struct json *o = json_obj();
	json_put_bool(o, "sound", l->n == 0);
	json_put_int(o, "sessions", l->sessions);
	json_put_int(o, "uploads", l->uploads);
	json_put_int(o, "recordings", l->recordings);
	json_put_int(o, "part_files", l->parts);
	/* Bodies that come in, or came when a process was killed: the reaper removes them when they are old. */
	json_put_int(o, "young_files", l->young);
	json_put_bool(o, "more_findings", l->n == FINDINGS_MAX);
	if (before)
		json_put_int(o, "repaired", repaired);
	ctl_list_beside(&lists, "summary", o);
	ctl_lists_end(&lists);
}

int ctl_check(struct ctl *c)
{
	struct look first = {0}, left = {0};
	int repaired = 0;
	struct permits may = {.adopt = ctl_flag(c, "--adopt"), .shorten = ctl_flag(c, "--shorten")};
	bool repairs = ctl_flag(c, "--repair");
	if (c->argc > 0 || ((may.adopt || may.shorten) && !repairs))
		return CTL_USAGE;
	bool looked = look_twice(&first, c->house);
	if (looked && repairs)
		repaired = repair_all(&first, &may);
	if (looked && repairs)
		looked = look_twice(&left, c->house);
	const struct look *now = repairs ? &left : &first;
	int rc = looked ? (now->n == 0 ? CTL_OK : CTL_FAILED) : ctl_fail("check", ERR_NOMEM);
	if (looked)
		tell(c, now, repairs ? &first : NULL, repaired);
	look_close(&left);
	look_close(&first);
	return rc;
}
