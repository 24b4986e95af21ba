/*
 * slots_model.h - what a session must hold, by contents alone: takes, chunks, halves, finished files. It knows nothing of places on the disk.
 */
#ifndef TESTS_SLOTS_MODEL_H
#define TESTS_SLOTS_MODEL_H

#include "kit.h"

#define CHUNKS 12
#define VERSIONS 4
#define LONGEST 140000
#define TAKES 12
#define RECS 48
#define SMALL 65536
#define TWO_DAYS 172800

/* ---- the model ---- */

struct piece {
	bool there;
	int v;
	int64_t n;
};

struct half {
	bool there;
	int v;
	int64_t length, offset;     /* length -1: not known yet */
};

enum state { RECEIVING, COMPLETE, RECOVERED, GONE };

struct take {
	enum session_kind kind;
	enum state state;
	int64_t total;
	bool offered;               /* its runs were offered, and nothing came since; it stays a month */
	struct piece chunk[CHUNKS];
	struct half half[CHUNKS];
};

/* A finished file. */
struct rec {
	int take;                   /* number, from 1 */
	int first, last;            /* of a run; else first is -1 */
	int number;                 /* of the run's files that were made of other bytes, from 1 */
	char name[160];             /* display name, "" not looked at */
	int n;
	struct { int idx; struct piece p; } part[CHUNKS];
};

struct world {
	struct kit *k;
	char sid[40];
	struct take take[TAKES];
	int n;                      /* takes */
	struct rec rec[RECS];
	int nrec;
	int named;
	int64_t shift;
	char script[4096];          /* as far as it was run */
	const char *title;
	bool thorough;
};

static unsigned char stream[CHUNKS][VERSIONS][LONGEST];

static void streams_fill(void)
{
	for (int i = 0; i < CHUNKS; i++)
		for (int v = 0; v < VERSIONS; v++)
			kit_fill(stream[i][v], LONGEST, (uint32_t)(i * VERSIONS + v + 1));
	/* Versions 0 and 1 begin alike, so that comparing must go on. */
	for (int i = 0; i < CHUNKS; i++)
		memcpy(stream[i][1], stream[i][0], 50);
}

static void wrong(struct world *w, const char *fmt, ...)
{
	va_list ap;
	char text[600];
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	print_error("%s\n  script: %s\n  %s\n  last answer %d: %.300s\n", w->title, w->script, text, w->k->status, w->k->body ? w->k->body : "");
	fail();
}

static void want_status(struct world *w, int want)
{
	if (w->k->status != want)
		wrong(w, "status %d, expected %d", w->k->status, want);
}

static int done_of(const struct take *t)
{
	int n = 0;
	for (int i = 0; i < CHUNKS; i++)
		n += t->chunk[i].there;
	return n;
}

static int top_of(const struct take *t)
{
	int top = 0;
	for (int i = 0; i < CHUNKS; i++)
		if (t->chunk[i].there)
			top = i + 1;
	return top;
}

static int64_t bytes_of(const struct take *t)
{
	int64_t n = 0;
	for (int i = 0; i < CHUNKS; i++)
		n += t->chunk[i].there ? t->chunk[i].n : 0;
	return n;
}

/* Live chunks and those of a total never share a take; a tus chunk may go with either. */
static bool fits(const struct take *t, enum session_kind kind, int64_t total, int idx)
{
	bool within = t->total == 0 || idx < t->total;
	bool agrees = t->total > 0 ? t->total == total : top_of(t) <= total;
	if (kind == SESSION_LIVE)
		return t->kind == SESSION_LIVE || (t->kind == SESSION_TUS && within);
	if (kind == SESSION_MANUAL)
		return t->kind != SESSION_LIVE && agrees;
	return t->kind == SESSION_TUS || (total > 0 ? t->kind == SESSION_MANUAL && agrees : within);
}

/* The take that a chunk belongs to; NULL: a new one. *reopen: it is finished, and the chunk extends it. */
static struct take *take_of(struct world *w, enum session_kind kind, int64_t total, int idx, bool *reopen)
{
	for (int i = w->n - 1; i >= 0; i--) {
		struct take *t = &w->take[i];
		*reopen = false;
		if (t->state == GONE || !fits(t, kind, total, idx))
			continue;
		if (t->state != RECEIVING)
			*reopen = idx >= top_of(t) && !(t->total > 0 && idx >= t->total);
		return t;
	}
	return NULL;
}

static struct take *take_add(struct world *w, enum session_kind kind, int64_t total)
{
	assert_true(w->n < TAKES);
	struct take *t = &w->take[w->n++];
	*t = (struct take){.kind = kind, .total = total};
	return t;
}

/* 0, or the status that the server must answer. Makes, reopens and binds. */
static int reserve(struct world *w, enum session_kind kind, int64_t total, int idx, struct take **out)
{
	bool reopen = false;
	if (total > 0 && idx >= total)
		return 422;
	struct take *t = take_of(w, kind, total, idx, &reopen);
	if (!t)
		t = take_add(w, kind, total);
	if (reopen) {
		t->state = RECEIVING;
		t->offered = false;
	}
	if (total > 0 && (t->total > 0 ? t->total != total : top_of(t) > total))
		return 409;
	if (t->total > 0 && idx >= t->total)
		return 422;
	if (t->state == RECEIVING && t->total == 0)
		t->total = total;
	*out = t;
	return 0;
}

static struct rec *rec_of(struct world *w, int take)
{
	for (int i = 0; i < w->nrec; i++)
		if (w->rec[i].take == take && w->rec[i].first < 0)
			return &w->rec[i];
	return NULL;
}

static struct rec *rec_add(struct world *w, int take, int first, int last)
{
	assert_true(w->nrec < RECS);
	struct rec *r = &w->rec[w->nrec++];
	*r = (struct rec){.take = take, .first = first, .last = last};
	return r;
}

static void rec_fill(struct rec *r, const struct take *t, int first, int last)
{
	r->n = 0;
	for (int i = first; i <= last; i++) {
		assert_true(t->chunk[i].there);
		r->part[r->n].idx = i;
		r->part[r->n++].p = t->chunk[i];
	}
}

static void finish(struct world *w, struct take *t, enum state state, const char *name)
{
	int number = (int)(t - w->take) + 1;
	struct rec *r = rec_of(w, number);
	if (!r)
		r = rec_add(w, number, -1, -1);
	rec_fill(r, t, 0, top_of(t) - 1);
	if (name)
		snprintf(r->name, sizeof r->name, "%s", name);
	memset(t->half, 0, sizeof t->half);
	t->state = state;
}

static bool whole(const struct take *t, int64_t total)
{
	return total > 0 && done_of(t) == total && top_of(t) == total;
}

static bool equal(const struct piece *p, int idx, int v, int64_t n)
{
	return p->there && p->n == n && memcmp(stream[idx][p->v], stream[idx][v], (size_t)n) == 0;
}

static void complete(struct world *w, struct take *t, int idx, int v, int64_t n)
{
	t->half[idx].there = false;
	if (!equal(&t->chunk[idx], idx, v, n)) {
		if (t->state != RECEIVING)
			t = take_add(w, t->kind, t->kind == SESSION_LIVE ? 0 : t->total);
		t->chunk[idx] = (struct piece){true, v, n};
		t->offered = false;
	}
	if (t->state == RECEIVING && t->total > 0 && whole(t, t->total))
		finish(w, t, COMPLETE, NULL);
}

static struct take *newest_living(struct world *w)
{
	for (int i = w->n - 1; i >= 0; i--)
		if (w->take[i].state != GONE)
			return &w->take[i];
	return NULL;
}

/* The take that the tus URL of a chunk means: one with an unfinished upload of it, else one that has it, else the newest; the gone do not count. */
static struct take *addressed(struct world *w, int idx)
{
	for (int pass = 0; pass < 2; pass++)
		for (int i = w->n - 1; i >= 0; i--)
			if (w->take[i].state != GONE && (pass == 0 ? w->take[i].half[idx].there : w->take[i].chunk[idx].there))
				return &w->take[i];
	struct take *t = newest_living(w);
	return t || !w->n ? t : &w->take[w->n - 1];
}

#endif
