/*
 * store_chunk.c - a chunk becomes complete, is looked up, or is given up.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

#define FILES_AT_ONCE 256

/* ---- reading ---- */

enum err store_chunk_upload(struct store *s, struct arena *a, int64_t session, int64_t idx, struct upload *out)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_chunk_upload(h, a, session, idx, out);
	reader_give(s, h);
	return e;
}

enum err store_chunk_get(struct store *s, int64_t session, int64_t idx, struct chunk *out)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_chunk(h, session, idx, out);
	reader_give(s, h);
	return e;
}

enum err store_chunk_meta(struct store *s, struct arena *a, int64_t session, int64_t idx, const char **out)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*out = NULL;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_CHUNK_META, BINDS(I(session), I(idx)), &st);
	if (!e) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		*out = arena_strdup(a, text);
		e = text && !*out ? ERR_NOMEM : ERR_OK;
		sql_end(st);
	}
	reader_give(s, h);
	return e;
}

static enum err chunks_read(struct dbh *h, int64_t session, int64_t from, struct chunk *out, int max, int *found)
{
	sqlite3_stmt *st;
	*found = 0;
	enum err e = sql_row(h, SQL_CHUNK_FROM, BINDS(I(session), I(from), I(max)), &st);
	for (; !e; e = sql_more(h, SQL_CHUNK_FROM, st))
		row_chunk(st, &out[(*found)++]);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_chunks(struct store *s, int64_t session, int64_t from, struct chunk *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = chunks_read(h, session, from, out, max, found);
	reader_give(s, h);
	return e;
}

/* Some files from index `from` on; *next: where to go on, -1 at the end. */
static enum err files_read(struct dbh *h, enum sql q, int64_t session, int64_t from, int64_t *file, int *found, int64_t *next)
{
	sqlite3_stmt *st;
	*found = 0;
	*next = -1;
	enum err e = sql_row(h, q, BINDS(I(session), I(from), I(FILES_AT_ONCE)), &st);
	for (; !e; e = sql_more(h, q, st)) {
		file[(*found)++] = sqlite3_column_int64(st, 1);
		if (*found == FILES_AT_ONCE)
			*next = sqlite3_column_int64(st, 0) + 1;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* f may go to the disk, so it is called without a handle. */
static enum err files_each(struct store *s, enum sql q, int64_t session, bool (*f)(void *arg, int64_t file), void *arg, bool *more)
{
	int64_t file[FILES_AT_ONCE], next = 0;
	int found;
	while (next >= 0 && *more) {
		struct dbh *h;
		enum err e = reader_take(s, &h);
		if (e)
			return e;
		e = files_read(h, q, session, next, file, &found, &next);
		reader_give(s, h);
		if (e)
			return e;
		for (int i = 0; i < found && *more; i++)
			*more = f(arg, file[i]);
	}
	return ERR_OK;
}

enum err store_session_files(struct store *s, int64_t session, bool (*f)(void *arg, int64_t file), void *arg)
{
	bool more = true;
	enum err e = files_each(s, SQL_CHUNK_FILES, session, f, arg, &more);
	return e ? e : files_each(s, SQL_UPLOAD_FILES, session, f, arg, &more);
}

/* ---- completing ---- */

struct done {
	const struct chunk_end *e;
	struct chunk_ended *out;
};

/* The chunk row takes the place of the one before, if there was one; its bit and the counters follow. */
static enum err done_put(struct tx *t, const struct done *d, const struct upload *u, struct session *s, const struct chunk *prior)
{
	bool parked = u->file != s->file, fresh = false;
	int64_t length = d->e->length;
	enum err e = sql_run(t->h, SQL_CHUNK_PUT, BINDS(I(s->n), I(u->idx), I(u->file), I(u->base), I(length), I(parked), T(u->meta)));
	if (!e)
		e = bit_set(t, s->n, u->idx, &fresh);
	if (e)
		return e;
	if (prior) {
		bool was_parked = prior->file != s->file;
		s->bytes -= prior->length;
		s->parked -= was_parked;
		d->out->old_file = was_parked && prior->file != u->file ? prior->file : 0;
	}
	s->bytes += length;
	if (d->e->max_size > 0 && s->bytes > d->e->max_size && length > (prior ? prior->length : 0))
		return ERR_NO_SPACE;
	s->parked += parked;
	s->done += fresh;
	if (u->idx >= s->top)
		s->top = u->idx + 1;
	e = frontier_step(t, s);
	return e ? e : sql_run(t->h, SQL_SESSION_DONE, BINDS(I(s->n), I(s->next_idx), I(s->next_base), I(s->done), I(s->top), I(s->bytes),
		I(s->parked), I(d->e->now)));
}

/* Other bytes for a chunk of a finished take: what is finished stays, a new take begins with this chunk. */
static enum err done_new_take(struct tx *t, const struct done *d, const struct upload *u, struct session *s)
{
	struct session fresh = {.sid = s->sid, .owner = u->owner, .state = SESSION_RECEIVING, .kind = s->kind, .chunk_size = s->chunk_size,
		.total = s->kind == SESSION_LIVE ? 0 : s->total, .name = s->name, .format = s->format, .expires = d->e->expires};
	enum err e = session_add(t, &fresh, d->e->now, d->e->expires);
	*s = fresh;
	return e ? e : done_put(t, d, u, s, NULL);
}

static enum err done_load(struct tx *t, const struct chunk_end *e, struct upload *u, struct session *s)
{
	enum err x = get_upload(t->h, t->tmp, e->upload, u);
	if (!x && (u->kind != UPLOAD_CHUNK || u->state != UPLOAD_OPEN || u->offset != e->old ||
	           (u->length != LENGTH_UNKNOWN && u->length != e->length)))
		return ERR_OFFSET;
	if (!x)
		x = get_session(t->h, t->tmp, u->session, s);
	if (x)
		return x == ERR_NOT_FOUND ? ERR_OFFSET : x;
	if (s->state == SESSION_GONE)
		return ERR_OFFSET;
	return s->state == SESSION_FINISHING || s->state == SESSION_FAILED ? ERR_LOCKED : ERR_OK;
}

/* All there? Then this caller, and no other, runs the finishing. */
static enum err done_whole(struct tx *t, const struct done *d, struct session *s)
{
	if (s->state != SESSION_RECEIVING || s->total <= 0 || !plan_whole(s, s->total))
		return ERR_OK;
	struct session_close c = {.n = s->n, .goal = SESSION_COMPLETE, .size_mismatch = s->size_mismatch, .now = d->e->now};
	enum err e = session_finishing(t, s, &c);
	d->out->finishing = !e;
	d->out->constant_time = !e && plan_constant_time(s);
	return e;
}

static enum err done_run(struct tx *t, void *arg)
{
	const struct done *d = arg;
	struct upload u;
	struct session s;
	struct chunk prior;
	*d->out = (struct chunk_ended){0};
	enum err e = done_load(t, d->e, &u, &s);
	if (e)
		return e;
	e = get_chunk(t->h, s.n, u.idx, &prior);
	if (e && e != ERR_NOT_FOUND)
		return e;
	bool there = !e;
	if (d->e->equal && !there)
		return ERR_OFFSET;
	e = sql_run(t->h, SQL_UPLOAD_DROP, BINDS(I(u.n)));
	if (e)
		return e;
	if (d->e->equal)
		d->out->old_file = u.file != s.file ? u.file : 0;
	else if (s.state != SESSION_RECEIVING)
		e = done_new_take(t, d, &u, &s);
	else
		e = done_put(t, d, &u, &s, there ? &prior : NULL);
	d->out->session = s.n;
	/* Runs of a session with holes were offered: what came now is to be offered, too, and before its retention ends. */
	if (!d->e->equal && s.expires > d->e->expires)
		s.expires = 0;
	if (!e)
		e = session_slide(t, &s, d->e->now, d->e->expires);
	return e ? e : done_whole(t, d, &s);
}

enum err store_chunk_done(struct store *s, const struct chunk_end *e, struct chunk_ended *out)
{
	struct done d = {.e = e, .out = out};
	return store_do(s, done_run, &d, true);
}

/* ---- giving up ---- */

struct drop {
	int64_t upload, *file;
};

static enum err drop_run(struct tx *t, void *arg)
{
	const struct drop *d = arg;
	struct upload u;
	struct session s;
	enum err e = get_upload(t->h, NULL, d->upload, &u);
	if (!e && u.kind != UPLOAD_CHUNK)
		e = ERR_NOT_FOUND;
	if (!e)
		e = get_session(t->h, NULL, u.session, &s);
	if (e)
		return e;
	*d->file = u.file != s.file ? u.file : 0;
	return sql_run(t->h, SQL_UPLOAD_DROP, BINDS(I(u.n)));
}

enum err store_chunk_drop(struct store *s, int64_t upload, int64_t *file)
{
	struct drop d = {.upload = upload, .file = file};
	*file = 0;
	return store_do(s, drop_run, &d, true);
}
