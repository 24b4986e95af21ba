/*
 * store_session.c - takes: reading, making, and the states that they pass through but finishing.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

#define STEPS_MAX 4096          /* of the frontier in one operation: others wait for it */

/* ---- reading ---- */

static enum err takes_read(struct dbh *h, struct arena *a, const char *sid, struct session *out, int max, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_SESSION_TAKES, BINDS(T(sid), I(max)), &st);
	if (e)
		return e;
	for (; !e; e = sql_more(h, SQL_SESSION_TAKES, st)) {
		e = row_session(st, a, *found > 0, &out[*found]);
		if (e) {
			sql_end(st);
			return e;
		}
		++*found;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_session_takes(struct store *s, struct arena *a, const char *sid, struct session *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = takes_read(h, a, sid, out, max, found);
	reader_give(s, h);
	return e;
}

enum err store_session_by_n(struct store *s, struct arena *a, int64_t n, struct session *out)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_session(h, a, n, out);
	reader_give(s, h);
	return e;
}

enum err store_session_uploads(struct store *s, int64_t session, int64_t *n, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_numbers(h, SQL_SESSION_UPLOADS, BINDS(I(session), I(max)), n, max, found);
	reader_give(s, h);
	return e;
}

/* ---- shared pieces ---- */

enum err session_add(struct tx *t, struct session *s, int64_t now, int64_t expires)
{
	int64_t last = 0;
	enum err e = sql_int(t->h, SQL_SESSION_TAKE_LAST, BINDS(T(s->sid)), &last);
	if (!e)
		e = file_next(t, &s->file);
	s->take = last + 1;
	if (!e)
		e = sql_run(t->h, SQL_SESSION_ADD, BINDS(T(s->sid), I(s->take), T(s->owner), I(s->kind), I(s->total), I(s->chunk_size), I(s->file),
			T(s->name), T(s->format), I(now), I(expires)));
	s->n = sqlite3_last_insert_rowid(t->h->db);
	return e ? e : event_session(t, EVENT_CREATED, s, NULL, now);
}

enum err session_slide(struct tx *t, const struct session *s, int64_t now, int64_t expires)
{
	if (s->state != SESSION_RECEIVING)
		return ERR_OK;
	int64_t next = plan_expiry(now, expires - now, s->expires);
	return next == s->expires ? ERR_OK : sql_run(t->h, SQL_SESSION_EXPIRES, BINDS(I(s->n), I(next)));
}

/* Length of chunk next_idx if it is known and, being placed, it lies where it must. ERR_NOT_FOUND: the frontier stays. */
static enum err length_at_frontier(struct tx *t, const struct session *s, int64_t *length)
{
	struct chunk c;
	struct upload u;
	enum err e = get_chunk(t->h, s->n, s->next_idx, &c);
	if (e == ERR_NOT_FOUND) {
		e = get_chunk_upload(t->h, NULL, s->n, s->next_idx, &u);
		c = (struct chunk){.file = u.file, .base = u.base, .length = u.length};
	}
	if (e)
		return e;
	*length = c.length;
	return c.length == LENGTH_UNKNOWN || (c.file == s->file && c.base != s->next_base) ? ERR_NOT_FOUND : ERR_OK;
}

enum err frontier_step(struct tx *t, struct session *s)
{
	enum err e = ERR_OK;
	/* With a declared chunk size every base is known without a frontier. */
	for (int i = 0; i < STEPS_MAX && s->chunk_size == 0; i++) {
		int64_t length;
		struct slot slot;
		e = length_at_frontier(t, s, &length);
		if (e)
			break;
		plan_slot_closed(s, s->next_idx, s->next_base, length, &slot);
		s->next_idx = slot.next_idx;
		s->next_base = slot.next_base;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* ---- states ---- */

struct failed {
	int64_t n;
	bool failed;
};

static enum err failed_run(struct tx *t, void *arg)
{
	const struct failed *f = arg;
	struct session s;
	enum session_state from = f->failed ? SESSION_FINISHING : SESSION_FAILED, to = f->failed ? SESSION_FAILED : SESSION_FINISHING;
	enum err e = get_session(t->h, NULL, f->n, &s);
	if (e || s.state == to)
		return e;
	return s.state == from ? sql_run(t->h, SQL_SESSION_STATE, BINDS(I(f->n), I(to))) : ERR_OFFSET;
}

enum err store_session_failed(struct store *s, int64_t n, bool failed)
{
	struct failed f = {.n = n, .failed = failed};
	return store_do(s, failed_run, &f, false);
}

struct reopened {
	int64_t n, now, expires;
};

static enum err restart(struct tx *t, const struct reopened *r, bool left)
{
	int64_t file;
	/* Its old chunks must not come back. */
	if (left)
		return ERR_BUSY;
	enum err e = file_next(t, &file);
	return e ? e : sql_run(t->h, SQL_SESSION_RESTART, BINDS(I(r->n), I(r->now), I(r->expires), I(file)));
}

static enum err reopen(struct tx *t, const struct reopened *r, const struct session *s)
{
	switch (s->state) {
	case SESSION_RECEIVING:
		return ERR_OK;
	case SESSION_COMPLETE:
	case SESSION_RECOVERED:
		return sql_run(t->h, SQL_SESSION_REOPEN, BINDS(I(r->n), I(r->now), I(r->expires)));
	case SESSION_GONE:
		return s->cancelled ? ERR_GONE : restart(t, r, s->expires < 0);
	case SESSION_FINISHING:
	case SESSION_FAILED:
		break;
	}
	return ERR_LOCKED;
}

static enum err reopened_run(struct tx *t, void *arg)
{
	const struct reopened *r = arg;
	struct session s;
	enum err e = get_session(t->h, t->tmp, r->n, &s);
	if (!e)
		e = reopen(t, r, &s);
	return e || s.state == SESSION_RECEIVING ? e : event_session(t, EVENT_RESUMED, &s, NULL, r->now);
}

enum err store_session_reopened(struct store *s, int64_t n, int64_t now, int64_t expires)
{
	struct reopened r = {.n = n, .now = now, .expires = expires};
	return store_do(s, reopened_run, &r, true);
}

struct sgone {
	int64_t n, now;
	bool cancelled, only_expired, finishing;
	int64_t *file;
	bool full;                      /* acknowledged bytes are about to be removed: do it again, FULL */
};

/* The caller removes the files at once: a power cut must not bring back rows that speak of their bytes. */
static enum err sgone_bytes(struct tx *t, const struct session *s, bool *any)
{
	int64_t ahead = 0;
	enum err e = sql_int(t->h, SQL_UPLOAD_AHEAD, BINDS(I(s->n), I(0)), &ahead);
	*any = s->done > 0 || ahead;
	return e;
}

static enum err sgone_run(struct tx *t, void *arg)
{
	struct sgone *g = arg;
	struct session s;
	bool bytes;
	enum err e = get_session(t->h, t->tmp, g->n, &s);
	if (e)
		return e;
	if (s.state == SESSION_GONE)
		return ERR_GONE;
	if (s.state != SESSION_RECEIVING && s.state != SESSION_FAILED && !(s.state == SESSION_FINISHING && g->finishing))
		return ERR_CONFLICT;
	if (g->only_expired && (s.expires <= 0 || s.expires > g->now))
		return ERR_CONFLICT;
	e = sgone_bytes(t, &s, &bytes);
	if (e)
		return e;
	g->full = bytes && !t->full;
	if (g->full)
		return ERR_AGAIN;
	*g->file = s.file;
	e = event_session(t, g->only_expired ? EVENT_EXPIRED : EVENT_DELETED, &s, NULL, g->now);
	return e ? e : session_vanish(t, g->n, g->cancelled, g->now);
}

enum err store_session_gone(struct store *s, int64_t n, int64_t now, bool cancelled, bool only_expired, int64_t *file)
{
	struct sgone g = {.n = n, .now = now, .cancelled = cancelled, .only_expired = only_expired, .file = file};
	enum err e = store_do(s, sgone_run, &g, !only_expired);
	return e == ERR_AGAIN && g.full ? store_do(s, sgone_run, &g, true) : e;
}

enum err store_session_given_up(struct store *s, int64_t n, int64_t now, int64_t *file)
{
	struct sgone g = {.n = n, .now = now, .cancelled = true, .finishing = true, .file = file};
	return store_do(s, sgone_run, &g, true);
}

static enum err expires_run(struct tx *t, void *arg)
{
	const struct reopened *r = arg;
	return sql_hit(t->h, SQL_SESSION_EXPIRES, BINDS(I(r->n), I(r->expires)));
}

enum err store_session_expires(struct store *s, int64_t n, int64_t expires)
{
	struct reopened r = {.n = n, .expires = expires};
	return store_do(s, expires_run, &r, false);
}

/* ---- an empty take ---- */

struct created {
	const struct chunk_want *w;
	struct arena *a;
	struct session *out;
};

static enum err create_run(struct tx *t, void *arg)
{
	const struct created *c = arg;
	const struct chunk_want *w = c->w;
	struct session s = {.sid = w->sid, .owner = w->owner, .kind = w->take.kind, .total = w->take.total, .chunk_size = w->chunk_size, .name = w->name,
		.format = w->format};
	enum err e = session_add(t, &s, w->now, w->expires);
	if (!e)
		e = sql_run(t->h, SQL_SESSION_RESERVE, BINDS(I(s.n), I(s.total), I(0), I(0), T(w->name), T(w->format), T(w->client_meta), I(w->now)));
	return e ? e : get_session(t->h, c->a, s.n, c->out);
}

enum err store_session_create(struct store *s, struct arena *a, const struct chunk_want *w, struct session *out)
{
	struct created c = {.w = w, .a = a, .out = out};
	return store_do(s, create_run, &c, true);
}
