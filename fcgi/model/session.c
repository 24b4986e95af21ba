/*
 * session.c - which take a chunk belongs to, where its bytes lie, when a recording is whole, what becomes of an old one.
 */
#include "model/session.h"

#include <stddef.h>

/* The recorder's live chunks carry no total, its manual uploads of the same recording do. tus chunks may do either, and the fallback of a tus client
 * sends the three fields without a total even where its tus chunks gave one: such a chunk goes with the total, as long as its index does. */
static bool take_fits(const struct session *s, const struct take_want *w, int64_t idx)
{
	bool within = s->total == 0 || idx < s->total;
	bool agrees = s->total > 0 ? s->total == w->total : s->top <= w->total;
	switch (w->kind) {
	case SESSION_TUS:
		if (w->total > 0)
			return s->kind == SESSION_TUS || (s->kind == SESSION_MANUAL && agrees);
		return s->kind == SESSION_TUS || within;
	case SESSION_LIVE:
		return s->kind == SESSION_LIVE || (s->kind == SESSION_TUS && within);
	case SESSION_MANUAL:
		return s->kind != SESSION_LIVE && agrees;
	}
	return false;
}

enum take_plan plan_take(const struct session *s, const struct take_want *w, int64_t idx)
{
	if (!take_fits(s, w, idx))
		return TAKE_SKIP;
	switch (s->state) {
	case SESSION_RECEIVING:
	case SESSION_FINISHING:
		return TAKE_USE;
	case SESSION_COMPLETE:
	case SESSION_RECOVERED:
		return idx < s->top || (s->total > 0 && idx >= s->total) ? TAKE_USE : TAKE_REOPEN;
	case SESSION_GONE:
	case SESSION_FAILED:
		break;
	}
	return TAKE_SKIP;
}

static bool placed(const struct session *s, const struct upload *u)
{
	return u->file == s->file;
}

/* Nothing was placed behind this unfinished chunk, so its slot may still change its size. */
static bool at_tip(const struct session *s, const struct upload *u, bool tip_free)
{
	if (s->chunk_size > 0)
		return false;
	if (u->length == LENGTH_UNKNOWN)
		return u->idx == s->next_idx && u->base == s->next_base;
	return tip_free && u->idx == s->next_idx - 1 && u->base + u->length == s->next_base;
}

static void slot_placed(const struct session *s, int64_t idx, int64_t base, int64_t length, struct slot *out)
{
	out->parked = false;
	out->base = base;
	if (s->chunk_size > 0)
		return;
	out->next_idx = length == LENGTH_UNKNOWN ? idx : idx + 1;
	out->next_base = length == LENGTH_UNKNOWN ? base : base + length;
}

static bool fits_declared(const struct session *s, int64_t idx, int64_t length)
{
	bool last = s->total > 0 && idx == s->total - 1;
	return length == s->chunk_size || (last && length != LENGTH_UNKNOWN && length < s->chunk_size);
}

void plan_slot(const struct session *s, int64_t idx, int64_t length, const struct upload *old, const struct chunk *done, bool tip_free, struct slot *out)
{
	*out = (struct slot){.parked = true, .base = 0, .next_idx = s->next_idx, .next_base = s->next_base};
	if (done)
		return;
	if (old) {
		if (!placed(s, old))
			return;
		if (length != LENGTH_UNKNOWN && old->length == length) {
			out->parked = false;
			out->base = old->base;
		} else if (at_tip(s, old, tip_free)) {
			slot_placed(s, idx, old->base, length, out);
		}
		return;
	}
	if (s->chunk_size > 0) {
		if (fits_declared(s, idx, length))
			slot_placed(s, idx, idx * s->chunk_size, length, out);
	} else if (idx == s->next_idx) {
		slot_placed(s, idx, s->next_base, length, out);
	}
}

void plan_slot_closed(const struct session *s, int64_t idx, int64_t base, int64_t length, struct slot *out)
{
	*out = (struct slot){.parked = false, .base = base, .next_idx = s->next_idx, .next_base = s->next_base};
	if (s->chunk_size == 0 && idx == s->next_idx && base == s->next_base)
		slot_placed(s, idx, base, length, out);
}

int64_t plan_total(const struct session *s, int64_t given)
{
	if (given > 0)
		return given;
	return s->total > 0 ? s->total : s->top;
}

bool plan_whole(const struct session *s, int64_t total)
{
	/* `done` counts distinct indices and `top` bounds them: only together they prove that there is no hole. */
	return total > 0 && s->done == total && s->top == total;
}

bool plan_constant_time(const struct session *s)
{
	return s->parked == 0 && s->done == s->top && (s->chunk_size > 0 || (s->next_idx == s->top && s->next_base == s->bytes));
}

enum reap_plan plan_reap(const struct session *s, int64_t now, int64_t retention, int64_t runs_at)
{
	if (s->state != SESSION_RECEIVING || s->expires == 0 || s->expires > now)
		return REAP_KEEP;
	if (s->done == 0)
		return REAP_DROP;
	if (s->done == s->top)
		return REAP_RECOVER;
	if (runs_at < s->updated)
		return REAP_RECOVER_RUNS;
	return now - s->updated >= retention ? REAP_DROP : REAP_KEEP;
}
