/*
 * store_list.c - reading for tools: whole tables page by page, and the ledger counted anew.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

#define SEG_BYTES 512
#define SEG_BITS (SEG_BYTES * 8)

/* ---- pages of rows ---- */

static enum err list_uploads(struct dbh *h, struct arena *a, const struct bind *b, struct upload *out, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_LIST_UPLOADS, b, &st);
	for (; !e; e = sql_more(h, SQL_LIST_UPLOADS, st)) {
		e = row_upload(st, a, &out[*found]);
		if (e) {
			sql_end(st);
			return e;
		}
		++*found;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_list_uploads(struct store *s, struct arena *a, int64_t after, bool unfinished, struct upload *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = list_uploads(h, a, BINDS(I(after), I(unfinished), I(max)), out, found);
	reader_give(s, h);
	return e;
}

static enum err list_sessions(struct dbh *h, struct arena *a, const struct bind *b, struct session *out, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_LIST_SESSIONS, b, &st);
	for (; !e; e = sql_more(h, SQL_LIST_SESSIONS, st)) {
		e = row_session(st, a, false, &out[*found]);
		if (e) {
			sql_end(st);
			return e;
		}
		++*found;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_list_sessions(struct store *s, struct arena *a, int64_t after, bool unfinished, struct session *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = list_sessions(h, a, BINDS(I(after), I(unfinished), I(max)), out, found);
	reader_give(s, h);
	return e;
}

/* ---- a session counted ---- */

/* The bitmap of a session, walked upwards beside its chunk rows. */
struct marks {
	struct dbh *h;
	sqlite3_stmt *st;
	struct store_audit *out;
	bool open;                      /* st stands on segment seg */
	int64_t seg;
	const unsigned char *bits;
};

static enum err marks_here(struct marks *m, enum err e)
{
	m->open = !e;
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	m->seg = sqlite3_column_int64(m->st, 0);
	m->bits = sqlite3_column_blob(m->st, 2);
	if (sqlite3_column_bytes(m->st, 2) != SEG_BYTES)
		return ERR_INTERNAL;
	m->out->bits_noted += sqlite3_column_int64(m->st, 1);
	for (int i = 0; i < SEG_BYTES; i++)
		m->out->bits += __builtin_popcount(m->bits[i]);
	return ERR_OK;
}

static enum err marks_open(struct marks *m, int64_t session)
{
	return marks_here(m, sql_row(m->h, SQL_SEGS, BINDS(I(session), I(INT64_MAX)), &m->st));
}

/* To the first segment that is not below seg. */
static enum err marks_to(struct marks *m, int64_t seg)
{
	enum err e = ERR_OK;
	while (!e && m->open && m->seg < seg)
		e = marks_here(m, sql_more(m->h, SQL_SEGS, m->st));
	return e;
}

static bool marked(const struct marks *m, int64_t idx)
{
	int64_t bit = idx % SEG_BITS;
	return m->open && m->seg == idx / SEG_BITS && (m->bits[bit / 8] >> (bit % 8) & 1);
}

static enum err audit_chunk(struct marks *m, sqlite3_stmt *st, int64_t *end)
{
	struct store_audit *out = m->out;
	int64_t idx = sqlite3_column_int64(st, 0), base = sqlite3_column_int64(st, 1), length = sqlite3_column_int64(st, 2);
	bool parked = sqlite3_column_int64(st, 3) != 0;
	enum err e = marks_to(m, idx / SEG_BITS);
	if (e)
		return e;
	out->chunks++;
	out->bytes += length;
	out->top = idx + 1;
	out->parked += parked;
	if (out->unmarked < 0 && !marked(m, idx))
		out->unmarked = idx;
	if (parked)
		return ERR_OK;
	if (out->overlapping < 0 && base < *end)
		out->overlapping = idx;
	*end = base + length;
	return ERR_OK;
}

static enum err audit_chunks(struct marks *m, int64_t session)
{
	sqlite3_stmt *st;
	int64_t end = 0;
	enum err e = sql_row(m->h, SQL_AUDIT_CHUNKS, BINDS(I(session)), &st);
	for (; !e; e = sql_more(m->h, SQL_AUDIT_CHUNKS, st)) {
		e = audit_chunk(m, st, &end);
		if (e) {
			sql_end(st);
			return e;
		}
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err audit(struct dbh *h, struct arena *a, int64_t n, struct store_audit *out)
{
	struct marks m = {.h = h, .out = out};
	enum err e = get_session(h, a, n, &out->s);
	if (!e)
		e = marks_open(&m, n);
	if (!e)
		e = audit_chunks(&m, n);
	if (!e)
		e = marks_to(&m, INT64_MAX);
	if (m.open)
		sql_end(m.st);
	return e;
}

enum err store_session_audit(struct store *s, struct arena *a, int64_t n, struct store_audit *out)
{
	struct dbh *h;
	*out = (struct store_audit){.unmarked = -1, .overlapping = -1};
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	/* Three statements, one moment: what a writer commits meanwhile is not seen. */
	e = sql_run(h, SQL_SNAPSHOT, NO_BINDS);
	if (!e) {
		e = audit(h, a, n, out);
		sql_run(h, SQL_COMMIT, NO_BINDS);
	}
	reader_give(s, h);
	return e;
}

/* ---- faults ---- */

static enum err sentences(struct dbh *h, enum sql q, struct arena *a, const char **out, int max, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, q, NO_BINDS, &st);
	for (; !e; e = sql_more(h, q, st)) {
		const char *text = (const char *)sqlite3_column_text(st, 0);
		if (!text || sqlite3_stricmp(text, "ok") == 0)
			continue;
		if (*found == max)
			break;
		out[*found] = arena_strdup(a, text);
		if (!out[*found]) {
			sql_end(st);
			return ERR_NOMEM;
		}
		++*found;
	}
	if (!e)
		sql_end(st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_faults(struct store *s, struct arena *a, const char **out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sentences(h, SQL_QUICK_CHECK, a, out, max, found);
	if (!e)
		e = sentences(h, SQL_LOST, a, out, max, found);
	reader_give(s, h);
	return e;
}
