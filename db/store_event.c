/*
 * store_event.c - the outbox: rows that tell what happened, and the state of their delivery.
 *
 * event_add is called by the other verbs inside their own transactions, so an event is there exactly if the change is.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* ---- writing, inside the operation that the event tells of ---- */

enum err event_add(struct tx *t, const struct event *e)
{
	if (!(t->events & EVENT_BIT(e->kind)))
		return ERR_OK;
	int64_t hook = t->hook & EVENT_BIT(e->kind) ? EVENT_WAITING : EVENT_UNWANTED;
	return sql_run(t->h, SQL_EVENT_ADD, BINDS(I(e->time), I(e->kind), T(e->subject), I(e->take), I(e->idx), T(e->owner), I(e->size), I(e->length),
		I(e->chunks), T(e->name), T(e->disk), T(e->meta), T(e->reason), I(hook)));
}

enum err event_upload(struct tx *t, enum event_kind kind, const struct upload *u, const struct recording *r, int64_t now)
{
	struct event e = {.time = now, .kind = kind, .subject = u->id, .idx = -1, .owner = u->owner, .size = u->offset, .length = u->length, .meta = u->meta};
	/* An ingredient is nobody's business; the final upload is told of. */
	if (u->concat == CONCAT_PARTIAL)
		return ERR_OK;
	if (r) {
		e.size = r->size;
		e.name = r->name;
		e.disk = r->disk;
	}
	return event_add(t, &e);
}

enum err event_session(struct tx *t, enum event_kind kind, const struct session *s, const struct recording *r, int64_t now)
{
	struct event e = {.time = now, .kind = kind, .subject = s->sid, .take = s->take, .idx = -1, .owner = s->owner, .size = s->bytes, .length = LENGTH_UNKNOWN,
		.chunks = s->done, .name = s->name, .meta = s->meta};
	if (r) {
		e.size = e.length = r->size;
		e.name = r->name;
		e.disk = r->disk;
		e.meta = r->meta ? r->meta : s->meta;
	}
	return event_add(t, &e);
}

enum err event_recording(struct tx *t, enum event_kind kind, const struct recording *r, const char *name, const char *disk, int64_t now)
{
	struct event e = {.time = now, .kind = kind, .subject = r->sid, .take = r->take, .idx = -1, .owner = r->owner, .size = r->size, .length = r->size,
		.name = name, .disk = disk, .meta = r->meta};
	return event_add(t, &e);
}

/* A chunk is told of as part of its session. */
static enum err body_subject(struct tx *t, const struct upload *u, struct event *e)
{
	struct session s;
	if (u->kind == UPLOAD_WHOLE) {
		e->subject = u->id;
		e->idx = -1;
		return ERR_OK;
	}
	enum err x = get_session(t->h, t->tmp, u->session, &s);
	e->subject = s.sid;
	e->take = s.take;
	e->chunks = s.done;
	e->idx = u->idx;
	return x;
}

enum err event_body(struct tx *t, const struct upload_move *m)
{
	struct upload u;
	if (!(m->resumed && t->events & EVENT_BIT(EVENT_RESUMED)) && !(m->interrupted && t->events & EVENT_BIT(EVENT_INTERRUPTED)))
		return ERR_OK;
	enum err x = get_upload(t->h, t->tmp, m->n, &u);
	if (x || u.concat == CONCAT_PARTIAL)
		return x;
	/* Without the metadata: a client may break off after every byte. */
	struct event e = {.time = m->now, .kind = EVENT_RESUMED, .owner = u.owner, .size = m->old, .length = u.length};
	x = body_subject(t, &u, &e);
	if (!x && m->resumed)
		x = event_add(t, &e);
	e.kind = EVENT_INTERRUPTED;
	e.size = m->offset;
	return x || !m->interrupted ? x : event_add(t, &e);
}

/* ---- one that stands alone ---- */

static enum err rejected_run(struct tx *t, void *arg)
{
	return event_add(t, arg);
}

enum err store_event_rejected(struct store *s, const struct event *e)
{
	struct event copy = *e;
	if (!(s->events & EVENT_BIT(EVENT_REJECTED)))
		return ERR_OK;
	copy.kind = EVENT_REJECTED;
	return store_do(s, rejected_run, &copy, false);
}

/* ---- reading ---- */

static enum err events_read(struct store *s, struct arena *a, enum sql q, const struct bind *b, struct event *out, int *found)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, q, b, &st);
	while (!e) {
		e = row_event(st, a, &out[*found]);
		if (e) {
			sql_end(st);
			break;
		}
		++*found;
		e = sql_more(h, q, st);
	}
	reader_give(s, h);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_events(struct store *s, struct arena *a, int64_t after, struct event *out, int max, int *found)
{
	return events_read(s, a, SQL_EVENTS, BINDS(I(after), I(max)), out, found);
}

enum err store_events_due(struct store *s, struct arena *a, int64_t now_ms, struct event *out, int max, int *found)
{
	/* Nothing is ever put off longer than that: a later time is that of a clock which was wrong. */
	return events_read(s, a, SQL_EVENTS_DUE, BINDS(I(now_ms), I(max), I(2 * EVENT_RETRY_MAX_MS)), out, found);
}

enum err store_events_waiting(struct store *s, int64_t *waiting)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_int(h, SQL_EVENTS_WAITING, NO_BINDS, waiting);
	reader_give(s, h);
	return e;
}

/* ---- delivery ---- */

struct delivery {
	int64_t n, at;
};

static enum err claim_run(struct tx *t, void *arg)
{
	const struct delivery *d = arg;
	return sql_hit(t->h, SQL_EVENT_CLAIM, BINDS(I(d->n), I(d->at)));
}

enum err store_event_claim(struct store *s, int64_t n, int64_t next_ms)
{
	struct delivery d = {.n = n, .at = next_ms};
	return store_do(s, claim_run, &d, true);
}

static enum err delivered_run(struct tx *t, void *arg)
{
	const struct delivery *d = arg;
	return sql_hit(t->h, SQL_EVENT_DELIVERED, BINDS(I(d->n), I(d->at)));
}

enum err store_event_delivered(struct store *s, int64_t n, int64_t now)
{
	struct delivery d = {.n = n, .at = now};
	return store_do(s, delivered_run, &d, false);
}

static enum err retry_run(struct tx *t, void *arg)
{
	const struct delivery *d = arg;
	return sql_hit(t->h, SQL_EVENT_RETRY, BINDS(I(d->n), I(d->at)));
}

enum err store_event_retry(struct store *s, int64_t n, int64_t next_ms)
{
	struct delivery d = {.n = n, .at = next_ms};
	return store_do(s, retry_run, &d, false);
}
