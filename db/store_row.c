/*
 * store_row.c - rows into structs: one reader a table, in the order of the column lists of store_sql.c.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

struct cols {
	sqlite3_stmt *st;
	struct arena *a;
	int at;
	bool nomem;
};

static int64_t col_int(struct cols *c)
{
	return sqlite3_column_int64(c->st, c->at++);
}

static const char *col_text(struct cols *c)
{
	const char *s = (const char *)sqlite3_column_text(c->st, c->at++);
	if (!s || !c->a)
		return NULL;
	const char *copy = arena_strdup(c->a, s);
	if (!copy)
		c->nomem = true;
	return copy;
}

enum err row_upload(sqlite3_stmt *st, struct arena *a, struct upload *out)
{
	struct cols c = {.st = st, .a = a};
	out->n = col_int(&c);
	out->kind = sqlite3_column_type(st, 1) == SQLITE_NULL ? UPLOAD_CHUNK : UPLOAD_WHOLE;
	out->id = col_text(&c);
	out->owner = col_text(&c);
	out->state = (enum upload_state)col_int(&c);
	out->session = col_int(&c);
	out->idx = col_int(&c);
	out->file = col_int(&c);
	out->base = col_int(&c);
	out->length = col_int(&c);
	out->offset = col_int(&c);
	out->writing = col_int(&c) != 0;
	out->meta = col_text(&c);
	out->created = col_int(&c);
	out->updated = col_int(&c);
	out->expires = col_int(&c);
	out->own = (enum upload_own)col_int(&c);
	out->concat = (enum upload_concat)col_int(&c);
	out->concat_text = col_text(&c);
	out->is_explicit = col_int(&c) != 0;
	out->repr = col_text(&c);
	return c.nomem ? ERR_NOMEM : ERR_OK;
}

enum err row_session(sqlite3_stmt *st, struct arena *a, bool brief, struct session *out)
{
	struct cols c = {.st = st, .a = a};
	out->n = col_int(&c);
	out->sid = col_text(&c);
	out->take = col_int(&c);
	out->owner = col_text(&c);
	out->state = (enum session_state)col_int(&c);
	out->kind = (enum session_kind)col_int(&c);
	out->total = col_int(&c);
	out->chunk_size = col_int(&c);
	out->file = col_int(&c);
	out->next_idx = col_int(&c);
	out->next_base = col_int(&c);
	out->done = col_int(&c);
	out->top = col_int(&c);
	out->bytes = col_int(&c);
	out->parked = col_int(&c);
	out->size = col_int(&c);
	out->name = col_text(&c);
	out->format = col_text(&c);
	out->meta = brief ? (c.at++, NULL) : col_text(&c);
	out->out_name = col_text(&c);
	out->out_title = col_text(&c);
	out->goal = (enum session_state)col_int(&c);
	out->cancelled = col_int(&c) != 0;
	out->size_mismatch = col_int(&c) != 0;
	out->started = col_int(&c);
	out->updated = col_int(&c);
	out->finished = col_int(&c);
	out->expires = col_int(&c);
	return c.nomem ? ERR_NOMEM : ERR_OK;
}

enum err row_recording(sqlite3_stmt *st, struct arena *a, struct recording *out, bool *run)
{
	struct cols c = {.st = st, .a = a};
	out->n = col_int(&c);
	out->sid = col_text(&c);
	out->session = col_int(&c);
	out->upload = col_int(&c);
	out->take = col_int(&c);
	out->owner = col_text(&c);
	out->name = col_text(&c);
	out->disk = col_text(&c);
	out->meta = col_text(&c);
	out->size = col_int(&c);
	out->created = col_int(&c);
	out->recovered = col_int(&c) != 0;
	bool is_run = col_int(&c) != 0;
	if (run)
		*run = is_run;
	out->sha256 = col_text(&c);
	return c.nomem ? ERR_NOMEM : ERR_OK;
}

enum err row_event(sqlite3_stmt *st, struct arena *a, struct event *out)
{
	struct cols c = {.st = st, .a = a};
	out->n = col_int(&c);
	out->time = col_int(&c);
	out->kind = (enum event_kind)col_int(&c);
	out->subject = col_text(&c);
	out->take = col_int(&c);
	out->idx = col_int(&c);
	out->owner = col_text(&c);
	out->size = col_int(&c);
	out->length = col_int(&c);
	out->chunks = col_int(&c);
	out->name = col_text(&c);
	out->disk = col_text(&c);
	out->meta = col_text(&c);
	out->reason = col_text(&c);
	out->hook = (enum event_hook)col_int(&c);
	out->tries = col_int(&c);
	out->next = col_int(&c);
	out->delivered = col_int(&c);
	return c.nomem ? ERR_NOMEM : ERR_OK;
}

void row_chunk(sqlite3_stmt *st, struct chunk *out)
{
	struct cols c = {.st = st};
	out->session = col_int(&c);
	out->idx = col_int(&c);
	out->file = col_int(&c);
	out->base = col_int(&c);
	out->length = col_int(&c);
}

static enum err one_upload(struct dbh *h, enum sql q, const struct bind *b, struct arena *a, struct upload *out)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, q, b, &st);
	if (e)
		return e;
	e = row_upload(st, a, out);
	sql_end(st);
	return e;
}

enum err get_upload(struct dbh *h, struct arena *a, int64_t n, struct upload *out)
{
	return one_upload(h, SQL_UPLOAD_BY_N, BINDS(I(n)), a, out);
}

enum err get_chunk_upload(struct dbh *h, struct arena *a, int64_t session, int64_t idx, struct upload *out)
{
	return one_upload(h, SQL_UPLOAD_BY_CHUNK, BINDS(I(session), I(idx)), a, out);
}

enum err get_session(struct dbh *h, struct arena *a, int64_t n, struct session *out)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_SESSION_BY_N, BINDS(I(n)), &st);
	if (e)
		return e;
	e = row_session(st, a, false, out);
	sql_end(st);
	return e;
}

enum err get_chunk(struct dbh *h, int64_t session, int64_t idx, struct chunk *out)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_CHUNK_GET, BINDS(I(session), I(idx)), &st);
	if (e)
		return e;
	row_chunk(st, out);
	sql_end(st);
	return ERR_OK;
}

enum err get_recording(struct dbh *h, enum sql q, const struct bind *b, struct arena *a, struct recording *out, bool *run)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, q, b, &st);
	if (e)
		return e;
	e = row_recording(st, a, out, run);
	sql_end(st);
	return e;
}

enum err get_numbers(struct dbh *h, enum sql q, const struct bind *b, int64_t *out, int max, int *found)
{
	sqlite3_stmt *st;
	*found = 0;
	enum err e = sql_row(h, q, b, &st);
	for (; !e && *found < max; e = sql_more(h, q, st))
		out[(*found)++] = sqlite3_column_int64(st, 0);
	if (!e)
		sql_end(st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}
