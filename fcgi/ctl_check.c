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
#define YOUNG 3600              /* seconds that a part file may be without a row: a body is coming in (the reaper leaves it alone as long) */

void finding(struct look *l, const char *what, const char *where, const char *fmt, ...)
{
	va_list ap;
	if (l->n == FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	struct finding f = {what, arena_strdup(l->a, where), arena_vprintf(l->a, fmt, ap)};
	va_end(ap);
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

/* ---- files without rows ---- */

static bool check_part(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct look *l = arg;
	bool known = true;
	l->parts++;
	enum err e = store_file_known(l->h->db, file, &known);
	unreadable(l, "part files", e);
	if (e)
		return false;
	if (!known && age < YOUNG)
		l->young++;
	else if (!known)
		finding(l, "orphan-part", arena_printf(l->page, "part file %lld", (long long)file), "no row names it (%lld bytes)", (long long)size);
	arena_reset(l->page);
	return true;
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
	e = blob_each(l->h->blobs, check_part, l);
	if (e)
		finding(l, "folders", "part files", "%s", err_sentence(e));
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

static void tell(struct ctl *c, const struct look *l)
{
	static const struct ctl_column cols[] = {{"what", 17}, {"where", 56}, {"detail", 0}};
	struct ctl_lists lists = {.c = c};
	ctl_list_begin(&lists, "findings", cols);
	for (int i = 0; i < l->n; i++) {
		struct json *o = json_obj();
		json_put_str(o, "what", l->v[i].what);
		json_put_str(o, "where", l->v[i].where);
		json_put_str(o, "detail", l->v[i].detail);
		ctl_list_row(&lists, c->a, o);
		arena_reset(c->a);
	}
	ctl_list_end(&lists);
	struct json *o = json_obj();
	json_put_bool(o, "sound", l->n == 0);
	json_put_int(o, "sessions", l->sessions);
	json_put_int(o, "uploads", l->uploads);
	json_put_int(o, "recordings", l->recordings);
	json_put_int(o, "part_files", l->parts);
	/* Bodies that come in, or came when a process was killed: the reaper removes them when they are old. */
	json_put_int(o, "young_files", l->young);
	json_put_bool(o, "more_findings", l->n == FINDINGS_MAX);
	ctl_list_beside(&lists, "summary", o);
	ctl_lists_end(&lists);
}

int ctl_check(struct ctl *c)
{
	struct look first = {0}, second = {0};
	if (c->argc > 0)
		return CTL_USAGE;
	bool looked = look_all(&first, c->house);
	if (looked && first.n > 0) {
		looked = look_all(&second, c->house);
		confirm(&first, &second);
	}
	int rc = looked ? (first.n == 0 ? CTL_OK : CTL_FAILED) : ctl_fail("check", ERR_NOMEM);
	if (looked)
		tell(c, &first);
	look_close(&second);
	look_close(&first);
	return rc;
}
