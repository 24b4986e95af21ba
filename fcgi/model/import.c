/*
 * import.c - which chunk files are whole, and what kind of session they are of.
 */
#include "model/import.h"

/* The size that recordings were cut into: what two files have, or clients are told, or a file that others follow has; 0: cannot be said. Only the last chunk is
 * smaller, and only one on its way is. */
static int64_t full_size(const struct import_chunk *v, size_t n, int64_t told)
{
	int64_t most = 0;
	size_t times = 0, at = 0;
	for (size_t i = 0; i < n; i++) {
		if (v[i].size > most) {
			most = v[i].size;
			times = 0;
			at = i;
		}
		times += v[i].size == most;
	}
	return times > 1 || most == told || at + 1 < n ? most : 0;
}

/* A live recorder's chunks have all sizes; those of a cut recording have one. */
static bool is_cut_evenly(const struct import_chunk *v, size_t n, int64_t full)
{
	for (size_t i = 0; i + 1 < n; i++)
		if (v[i].size != full)
			return false;
	return n > 1;
}

static void plan_one(struct import_chunk *c, bool last, int64_t full, bool tus)
{
	c->whole = true;
	c->length = c->size;
	if (c->size == full && full > 0)
		return;
	if (full > 0 && !last) {
		c->whole = false;
		c->length = full;
	} else if (tus) {
		c->whole = false;
		c->length = LENGTH_UNKNOWN;
	}
}

void plan_import(struct import_chunk *v, size_t n, const struct import_hint *hint, struct take_want *take)
{
	int64_t full = full_size(v, n, hint->chunk_size), total = hint->total, whole = 0;
	int64_t top = n ? v[n - 1].idx : -1;
	if (!hint->known || total <= top)
		total = 0;
	bool sized = hint->known ? hint->total > 0 || hint->tus : is_cut_evenly(v, n, full);
	for (size_t i = 0; i < n; i++) {
		bool last = total > 0 ? v[i].idx == total - 1 : i + 1 == n;
		plan_one(&v[i], last, sized ? full : 0, hint->known && hint->tus);
		whole += v[i].whole;
	}
	*take = (struct take_want){.kind = SESSION_TUS, .total = whole < total ? total : 0};
	/* Where it is not known how chunks came, a tus take has room for all that may follow. */
	if (hint->known && !hint->tus && hint->total == 0)
		take->kind = SESSION_LIVE;
	else if (take->total > 0 && !hint->tus)
		take->kind = SESSION_MANUAL;
}
