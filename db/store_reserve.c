/*
 * store_reserve.c - a chunk asks for its place: which take, which slot, which row.
 */
#include <sqlite3.h>

#include "base/text.h"
#include "db/store_priv.h"

#define TAKES_SEEN 64

struct reserve {
	const struct chunk_want *w;
	struct arena *a;
	struct chunk_reserved *out;
	bool full;                      /* acknowledged bytes are about to be overwritten: do it again, FULL */
};

/* ---- the take ---- */

static enum err take_new(struct tx *t, const struct reserve *r, struct session *s)
{
	const struct chunk_want *w = r->w;
	*s = (struct session){.sid = w->sid, .owner = w->owner, .state = SESSION_RECEIVING, .kind = w->take.kind, .total = w->take.total,
		.chunk_size = w->chunk_size, .name = w->name, .format = w->format, .expires = w->expires};
	r->out->new_session = true;
	return session_add(t, s, w->now, w->expires);
}

/* Asked in here and not before: the take may have been made, or become the newest, since the caller looked. */
static bool take_is_ours(const struct chunk_want *w, const struct session *s)
{
	return w->any_owner || text_eq(s->owner, OWNER_ANONYMOUS) || text_eq(s->owner, w->owner);
}

/* The newest take that this chunk may go into; ERR_NOT_FOUND if none. */
static enum err take_find(struct tx *t, const struct reserve *r, struct session *s)
{
	sqlite3_stmt *st;
	enum take_plan plan = TAKE_SKIP;
	enum err e = sql_row(t->h, SQL_SESSION_TAKES, BINDS(T(r->w->sid), I(TAKES_SEEN)), &st);
	while (!e) {
		e = row_session(st, t->tmp, true, s);
		plan = plan_take(s, &r->w->take, r->w->idx);
		if (e || plan != TAKE_SKIP) {
			sql_end(st);
			break;
		}
		e = sql_more(t->h, SQL_SESSION_TAKES, st);
	}
	if (!e && !take_is_ours(r->w, s))
		return ERR_FORBIDDEN;
	if (!e && plan == TAKE_REOPEN && r->w->only_new)
		return ERR_CONFLICT;
	if (!e && plan == TAKE_REOPEN) {
		r->out->reopen = s->n;
		e = get_session(t->h, r->a, s->n, &r->out->s);
		return e ? e : ERR_AGAIN;
	}
	return e;
}

/* Whether the chunk's words agree with what is bound. */
static enum err take_check(const struct chunk_want *w, const struct session *s)
{
	if (s->state == SESSION_FINISHING || s->state == SESSION_FAILED)
		return ERR_LOCKED;
	if (w->take.total > 0 && (s->total > 0 ? s->total != w->take.total : s->top > w->take.total))
		return ERR_CONFLICT;
	if (s->total > 0 && w->idx >= s->total)
		return ERR_UNPROCESSABLE;
	return ERR_OK;
}

/* ---- the slot and the row ---- */

struct place {
	bool has_old;
	struct upload old;              /* the unfinished row, held by the caller */
	int64_t file, base;
	bool own;
};

static enum err size_check(const struct chunk_want *w, const struct session *s, const struct chunk_reserved *out)
{
	int64_t bytes = s->bytes - (out->has_done ? out->done.length : 0);
	int64_t more = w->length == LENGTH_UNKNOWN ? 0 : w->length;
	return w->max_size > 0 && more > w->max_size - bytes ? ERR_NO_SPACE : ERR_OK;
}

/* Whether nothing lies in the part file at the frontier: an open-ended chunk may have been placed there, and the slot before it must not grow over it. */
static enum err tip_is_free(struct tx *t, const struct session *s, bool *out)
{
	struct upload u;
	struct chunk c;
	*out = false;
	enum err e = get_chunk_upload(t->h, NULL, s->n, s->next_idx, &u);
	if (!e && u.file == s->file)
		return ERR_OK;
	if (e && e != ERR_NOT_FOUND)
		return e;
	e = get_chunk(t->h, s->n, s->next_idx, &c);
	*out = e == ERR_NOT_FOUND || (!e && c.file != s->file);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* A parked chunk keeps its file unless its bytes lie in another one already. */
static enum err place_find(struct tx *t, const struct chunk_want *w, struct session *s, struct chunk_reserved *out, struct place *p)
{
	struct slot slot;
	bool tip_free = true;
	enum err e = p->has_old ? tip_is_free(t, s, &tip_free) : ERR_OK;
	if (e)
		return e;
	plan_slot(s, w->idx, w->length, p->has_old ? &p->old : NULL, out->has_done ? &out->done : NULL, tip_free, &slot);
	bool receiving = s->state == SESSION_RECEIVING;
	bool old_parked = p->has_old && p->old.file != s->file;
	if (receiving) {
		s->next_idx = slot.next_idx;
		s->next_base = slot.next_base;
	}
	p->own = slot.parked || w->spool || old_parked || !receiving;
	p->base = p->own ? 0 : slot.base;
	p->file = !p->own ? s->file : w->spool ? w->spool : old_parked ? p->old.file : 0;
	e = p->file ? ERR_OK : file_next(t, &p->file);
	out->old_file = old_parked && p->old.file != p->file ? p->old.file : 0;
	return e;
}

static enum err row_write(struct tx *t, const struct reserve *r, const struct session *s, const struct place *p, int64_t *n)
{
	const struct chunk_want *w = r->w;
	if (p->has_old) {
		*n = p->old.n;
		return sql_run(t->h, SQL_UPLOAD_RESET, BINDS(I(*n), I(p->file), I(p->base), I(p->own), I(w->length), T(w->meta), I(w->now)));
	}
	enum err e = sql_run(t->h, SQL_UPLOAD_ADD, BINDS(T(NULL), T(w->owner), I(s->n), I(w->idx), I(p->file), I(p->base), I(p->own), I(w->length),
		T(w->meta), I(w->now), I(0), I(CONCAT_NONE), T(NULL), I(0), T(NULL)));
	*n = sqlite3_last_insert_rowid(t->h->db);
	return e || !w->on_new ? e : w->on_new(w->arg, *n);
}

/* First given values bind, the frontier and the expiry move. A finished take stays as it is: the chunk will only be compared. */
static enum err take_write(struct tx *t, const struct chunk_want *w, struct session *s)
{
	if (s->state != SESSION_RECEIVING)
		return ERR_OK;
	enum err e = frontier_step(t, s);
	if (!e)
		e = sql_run(t->h, SQL_SESSION_RESERVE, BINDS(I(s->n), I(s->total), I(s->next_idx), I(s->next_base), T(w->name), T(w->format),
			T(w->client_meta), I(w->now)));
	return e ? e : session_slide(t, s, w->now, w->expires);
}

static enum err optional(enum err e, bool *there)
{
	*there = !e;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err reserve_in(struct tx *t, struct reserve *r, struct session *s)
{
	const struct chunk_want *w = r->w;
	struct chunk_reserved *out = r->out;
	struct place p = {0};
	int64_t n = 0;
	enum err e = optional(get_chunk_upload(t->h, r->a, s->n, w->idx, &p.old), &p.has_old);
	if (e)
		return e;
	if (p.has_old && p.old.offset > 0 && w->only_new)
		return ERR_CONFLICT;
	if (p.has_old && p.old.n != w->held) {
		out->u = p.old;
		e = get_session(t->h, r->a, s->n, &out->s);
		return e ? e : ERR_AGAIN;
	}
	if (p.has_old && p.old.offset > 0 && !t->full) {
		r->full = true;
		return ERR_AGAIN;
	}
	e = optional(get_chunk(t->h, s->n, w->idx, &out->done), &out->has_done);
	if (!e && out->has_done && w->only_new)
		return ERR_CONFLICT;
	if (!e)
		e = size_check(w, s, out);
	if (!e)
		e = place_find(t, w, s, out, &p);
	if (!e)
		e = row_write(t, r, s, &p, &n);
	if (!e)
		e = take_write(t, w, s);
	if (!e)
		e = get_upload(t->h, r->a, n, &out->u);
	return e ? e : get_session(t->h, r->a, s->n, &out->s);
}

static enum err reserve_run(struct tx *t, void *arg)
{
	struct reserve *r = arg;
	const struct chunk_want *w = r->w;
	struct session s;
	*r->out = (struct chunk_reserved){0};
	r->full = false;
	if (w->idx < 0 || w->idx >= w->max_chunks || w->take.total > w->max_chunks)
		return ERR_INVALID;
	if (w->take.total > 0 && w->idx >= w->take.total)
		return ERR_UNPROCESSABLE;
	enum err e = take_find(t, r, &s);
	if (e == ERR_NOT_FOUND)
		e = take_new(t, r, &s);
	if (!e)
		e = take_check(w, &s);
	if (e)
		return e;
	if (s.total == 0)
		s.total = w->take.total;
	return reserve_in(t, r, &s);
}

enum err store_chunk_reserve(struct store *s, struct arena *a, const struct chunk_want *w, struct chunk_reserved *out)
{
	struct reserve r = {.w = w, .a = a, .out = out};
	enum err e = store_do(s, reserve_run, &r, w->full);
	return e == ERR_AGAIN && r.full ? store_do(s, reserve_run, &r, true) : e;
}
