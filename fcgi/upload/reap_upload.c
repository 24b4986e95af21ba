/*
 * reap_upload.c - whole uploads whose time is over, and final ones whose parts have all come.
 */
#include "base/clock.h"
#include "upload/reap.h"

static enum err expire_row(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	struct hold *hold;
	struct upload u;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = store_upload_by_n(h->db, a, n, &u);
	if (!e)
		e = upload_gone_held(h, a, &u, true);
	count->expired += !e;
	hold_drop(hold);
	/* Who waits for a part that will never come waits no longer. */
	if (!e && u.concat == CONCAT_PARTIAL && u.state == UPLOAD_OPEN)
		part_finals_join(h, a, n);
	/* It is not due any more. */
	return e == ERR_CONFLICT ? ERR_OK : e;
}

/* A final upload lives as long as one of its parts may still grow, and its complete parts as long as it does. */
static enum err expire_final(struct house *h, struct arena *a, const struct upload *u, struct reap_count *count)
{
	bool due;
	enum err e = final_is_due(h, u, &due);
	return e || !due ? e : expire_row(h, a, u->n, count);
}

enum err reap_partial(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	bool named;
	enum err e = store_part_named(h->db, n, &named);
	if (!e && named)
		return store_upload_expires(h->db, n, clock_now() + h->cfg->expiration);
	return e ? e : expire_row(h, a, n, count);
}

enum err reap_upload(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	struct upload u;
	enum err e = store_upload_by_n(h->db, a, n, &u);
	if (e)
		return e;
	return u.concat == CONCAT_FINAL ? expire_final(h, a, &u, count) : expire_row(h, a, n, count);
}

enum err reap_join(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	(void)count;
	return final_join(h, a, n);
}
