/*
 * store_upload.c - rows of uploads: whole ones from their creation to their end, and what whole ones and chunks share.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* ---- reading ---- */

enum err store_upload_by_id(struct store *s, struct arena *a, const char *id, struct upload *out)
{
	struct dbh *h;
	sqlite3_stmt *st;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_UPLOAD_BY_ID, BINDS(T(id)), &st);
	if (!e) {
		e = row_upload(st, a, out);
		sql_end(st);
	}
	reader_give(s, h);
	return e;
}

enum err store_upload_by_n(struct store *s, struct arena *a, int64_t n, struct upload *out)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_upload(h, a, n, out);
	reader_give(s, h);
	return e;
}

enum err store_file_known(struct store *s, int64_t file, bool *known)
{
	struct dbh *h;
	int64_t yes = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_int(h, SQL_FILE_KNOWN, BINDS(I(file)), &yes);
	reader_give(s, h);
	*known = yes != 0;
	return e;
}

/* ---- creating ---- */

struct create {
	const struct upload_new *in;
	struct arena *a;
	struct upload *out;
};

static enum err create_run(struct tx *t, void *arg)
{
	struct create *c = arg;
	const struct upload_new *in = c->in;
	int64_t file;
	enum err e = file_next(t, &file);
	if (!e)
		e = sql_run(t->h, SQL_UPLOAD_ADD, BINDS(T(in->id), T(in->owner), I_OR_NULL(false, 0), I_OR_NULL(false, 0), I(file), I(0), I(1),
			I(in->length), T(in->meta), I(in->now), I(in->expires), I(in->concat), T(in->concat_text), I(in->is_explicit), T(in->repr)));
	if (!e)
		e = get_upload(t->h, c->a, sqlite3_last_insert_rowid(t->h->db), c->out);
	if (!e)
		e = parts_add(t, c->out->n, in);
	return e ? e : event_upload(t, EVENT_CREATED, c->out, NULL, in->now);
}

enum err store_upload_create(struct store *s, struct arena *a, const struct upload_new *in, struct upload *out)
{
	struct create c = {.in = in, .a = a, .out = out};
	return store_do(s, create_run, &c, true);
}

/* ---- growing ---- */

/* A chunk lives as long as its session, so its sign of life goes there. */
static enum err move_expiry(struct tx *t, const struct upload_move *m)
{
	struct upload u;
	struct session s;
	enum err e = get_upload(t->h, NULL, m->n, &u);
	if (e)
		return e;
	if (u.kind == UPLOAD_WHOLE)
		return sql_run(t->h, SQL_UPLOAD_EXPIRES, BINDS(I(m->n), I(m->expires)));
	e = get_session(t->h, NULL, u.session, &s);
	return e ? e : session_slide(t, &s, m->now, m->expires);
}

static enum err move_run(struct tx *t, void *arg)
{
	const struct upload_move *m = arg;
	enum err e = sql_hit(t->h, SQL_UPLOAD_MOVE, BINDS(I(m->n), I(m->old), I(m->offset), I(m->writing), I(m->now), I(m->make_explicit)));
	if (e == ERR_NOT_FOUND)
		return ERR_OFFSET;
	if (!e)
		e = event_body(t, m);
	return e || m->expires < 0 ? e : move_expiry(t, m);
}

enum err store_upload_move(struct store *s, const struct upload_move *m)
{
	struct upload_move copy = *m;
	return store_do(s, move_run, &copy, m->full);
}

struct length {
	int64_t n, length;
};

/* The open-ended slot of a chunk at the frontier is closed by its length. */
static enum err length_frontier(struct tx *t, const struct upload *u)
{
	struct session s;
	enum err e = get_session(t->h, NULL, u->session, &s);
	if (e || s.state != SESSION_RECEIVING)
		return e;
	e = frontier_step(t, &s);
	return e ? e : sql_run(t->h, SQL_SESSION_FRONTIER, BINDS(I(s.n), I(s.next_idx), I(s.next_base)));
}

static enum err length_run(struct tx *t, void *arg)
{
	const struct length *l = arg;
	struct upload u;
	enum err e = get_upload(t->h, NULL, l->n, &u);
	if (e)
		return e;
	if (u.state != UPLOAD_OPEN || l->length < u.offset)
		return ERR_OFFSET;
	if (u.length != LENGTH_UNKNOWN)
		return u.length == l->length ? ERR_OK : ERR_OFFSET;
	e = sql_run(t->h, SQL_UPLOAD_LENGTH, BINDS(I(l->n), I(l->length)));
	return e || u.kind != UPLOAD_CHUNK ? e : length_frontier(t, &u);
}

enum err store_upload_length(struct store *s, int64_t n, int64_t length)
{
	struct length l = {.n = n, .length = length};
	return store_do(s, length_run, &l, true);
}

/* ---- ending ---- */

struct closing {
	int64_t n, old, length, now;
};

static enum err closing_run(struct tx *t, void *arg)
{
	const struct closing *c = arg;
	enum err e = sql_hit(t->h, SQL_UPLOAD_CLOSING, BINDS(I(c->n), I(c->old), I(c->length), I(c->now)));
	return e == ERR_NOT_FOUND ? ERR_OFFSET : e ? e : parts_drop(t, c->n);
}

enum err store_upload_closing(struct store *s, int64_t n, int64_t old, int64_t length, int64_t now)
{
	struct closing c = {.n = n, .old = old, .length = length, .now = now};
	return store_do(s, closing_run, &c, true);
}

struct finished {
	int64_t n, now;
	const struct recording *r;
};

static enum err finished_run(struct tx *t, void *arg)
{
	const struct finished *f = arg;
	struct upload u;
	enum err e = get_upload(t->h, t->tmp, f->n, &u);
	if (e || u.state == UPLOAD_COMPLETE)
		return e;
	if (u.kind != UPLOAD_WHOLE || u.state != UPLOAD_FINISHING)
		return u.state == UPLOAD_GONE ? ERR_GONE : ERR_OFFSET;
	e = recording_insert(t, f->r, u.id, 0, f->n, 0, false);
	if (!e)
		e = event_upload(t, EVENT_COMPLETED, &u, f->r, f->now);
	return e ? e : sql_run(t->h, SQL_UPLOAD_COMPLETE, BINDS(I(f->n), I(f->now)));
}

enum err store_upload_finished(struct store *s, int64_t n, const struct recording *r, int64_t now)
{
	struct finished f = {.n = n, .now = now, .r = r};
	return store_do(s, finished_run, &f, false);
}

struct lost {
	int64_t n;
	bool failed;
};

static enum err lost_run(struct tx *t, void *arg)
{
	const struct lost *l = arg;
	enum err e = sql_hit(t->h, SQL_UPLOAD_FAILED, BINDS(I(l->n), I(l->failed ? -1 : 0)));
	return e == ERR_NOT_FOUND ? ERR_OFFSET : e;
}

enum err store_upload_failed(struct store *s, int64_t n, bool failed)
{
	struct lost l = {.n = n, .failed = failed};
	return store_do(s, lost_run, &l, false);
}

struct gone {
	int64_t n, now;
	bool only_expired;
	struct arena *a;
	struct upload *was;
	const char **disk;
	const char *finishing;          /* name that the file of a FINISHING one may have already, NULL */
	bool full;                      /* acknowledged bytes are about to be removed: do it again, FULL */
};

static enum err gone_recording(struct tx *t, const struct gone *g)
{
	struct recording r;
	*g->disk = NULL;
	enum err e = get_recording(t->h, SQL_REC_OF_UPLOAD, BINDS(I(g->n)), g->a, &r, NULL);
	if (e && e != ERR_NOT_FOUND)
		return e;
	bool there = !e;
	e = event_upload(t, g->only_expired ? EVENT_EXPIRED : EVENT_DELETED, g->was, there ? &r : NULL, g->now);
	if (e)
		return e;
	if (!there && g->was->state == UPLOAD_FINISHING && g->finishing) {
		*g->disk = g->finishing;
		return sql_run(t->h, SQL_TRASH_ADD, BINDS(T(g->was->id), T(g->finishing)));
	}
	if (!there)
		return ERR_OK;
	*g->disk = r.disk;
	return sql_run(t->h, SQL_REC_DROP, BINDS(I(r.n)));
}

static enum err gone_run(struct tx *t, void *arg)
{
	struct gone *g = arg;
	struct upload *u = g->was;
	enum err e = get_upload(t->h, g->a, g->n, u);
	if (e)
		return e;
	if (u->kind != UPLOAD_WHOLE)
		return ERR_NOT_FOUND;
	if (u->state == UPLOAD_GONE)
		return ERR_GONE;
	if (g->only_expired && ((u->state != UPLOAD_OPEN && u->concat != CONCAT_PARTIAL) || u->expires <= 0 || u->expires > g->now))
		return ERR_CONFLICT;
	g->full = u->offset > 0 && !t->full;
	if (g->full)
		return ERR_AGAIN;
	e = gone_recording(t, g);
	if (!e)
		e = sql_run(t->h, SQL_UPLOAD_GONE, BINDS(I(g->n), I(g->now)));
	return e || u->concat != CONCAT_FINAL ? e : parts_drop(t, g->n);
}

enum err store_upload_gone(struct store *s, struct arena *a, int64_t n, int64_t now, bool only_expired, const char *finishing, struct upload *was, const char **disk)
{
	struct gone g = {.n = n, .now = now, .only_expired = only_expired, .finishing = finishing, .a = a, .was = was, .disk = disk};
	enum err e = store_do(s, gone_run, &g, !only_expired);
	return e == ERR_AGAIN && g.full ? store_do(s, gone_run, &g, true) : e;
}
