/*
 * store_bitmap.c - the chunk bitmap: SQL functions on one segment, and the walk that finds what is missing.
 *
 * A segment is 512 bytes, so that setting a bit rewrites one page whatever the length of the recording.
 */
#include <sqlite3.h>
#include <string.h>

#include "db/store_priv.h"

#define SEG_BYTES 512
#define SEG_BITS (SEG_BYTES * 8)

/* The arguments of both functions: a segment and a bit number in it. */
static const unsigned char *bit_args(sqlite3_context *c, sqlite3_value **v, int *at)
{
	const unsigned char *bits = sqlite3_value_blob(v[0]);
	sqlite3_int64 i = sqlite3_value_int64(v[1]);
	if (!bits || sqlite3_value_bytes(v[0]) != SEG_BYTES || i < 0 || i >= SEG_BITS) {
		sqlite3_result_error(c, "bit out of range", -1);
		return NULL;
	}
	*at = (int)i;
	return bits;
}

static void sql_get_bit(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	int i;
	const unsigned char *bits = bit_args(c, v, &i);
	if (bits)
		sqlite3_result_int(c, bits[i / 8] >> (i % 8) & 1);
}

static void sql_set_bit(sqlite3_context *c, int n, sqlite3_value **v)
{
	(void)n;
	int i;
	unsigned char copy[SEG_BYTES];
	const unsigned char *bits = bit_args(c, v, &i);
	if (!bits)
		return;
	memcpy(copy, bits, SEG_BYTES);
	copy[i / 8] |= (unsigned char)(1u << (i % 8));
	sqlite3_result_blob(c, copy, SEG_BYTES, SQLITE_TRANSIENT);
}

enum err bit_functions(sqlite3 *db)
{
	int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC;
	int rc = sqlite3_create_function(db, "get_bit", 2, flags, NULL, sql_get_bit, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function(db, "set_bit", 2, flags, NULL, sql_set_bit, NULL, NULL);
	return sql_err(db, rc, -1, "function not made");
}

enum err bit_set(struct tx *t, int64_t session, int64_t idx, bool *fresh)
{
	int64_t seg = idx / SEG_BITS, bit = idx % SEG_BITS;
	enum err e = sql_hit(t->h, SQL_BIT_SET, BINDS(I(session), I(seg), I(bit)));
	if (e == ERR_NOT_FOUND) {
		/* Either the bit was set, or its segment is not there yet. */
		e = sql_hit(t->h, SQL_SEG_ADD, BINDS(I(session), I(seg)));
		if (!e)
			e = sql_hit(t->h, SQL_BIT_SET, BINDS(I(session), I(seg), I(bit)));
	}
	*fresh = !e;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* Missing indices as they are found, in order. */
struct gaps {
	struct range *out;
	int max, found;
	int64_t missing, total;
	struct range open;              /* the range that may still grow; first > last: none */
};

static void gaps_flush(struct gaps *g)
{
	if (g->open.first <= g->open.last && g->found < g->max)
		g->out[g->found++] = g->open;
	g->open = (struct range){0, -1};
}

static void gaps_add(struct gaps *g, int64_t first, int64_t last)
{
	if (last >= g->total)
		last = g->total - 1;
	if (first > last)
		return;
	g->missing += last - first + 1;
	if (g->open.first <= g->open.last && g->open.last + 1 == first) {
		g->open.last = last;
		return;
	}
	gaps_flush(g);
	g->open = (struct range){first, last};
}

static void gaps_segment(struct gaps *g, int64_t base, const unsigned char *bits)
{
	for (int i = 0; i < SEG_BYTES; i++) {
		int64_t at = base + i * 8;
		if (bits[i] == 0xff)
			continue;
		if (bits[i] == 0) {
			gaps_add(g, at, at + 7);
			continue;
		}
		for (int b = 0; b < 8; b++)
			if (!(bits[i] >> b & 1))
				gaps_add(g, at + b, at + b);
	}
}

static enum err missing_read(struct dbh *h, int64_t n, struct gaps *g)
{
	sqlite3_stmt *st;
	int64_t next = 0;               /* first index not looked at */
	enum err e = sql_row(h, SQL_SEGS, BINDS(I(n), I((g->total - 1) / SEG_BITS)), &st);
	for (; !e; e = sql_more(h, SQL_SEGS, st)) {
		int64_t base = sqlite3_column_int64(st, 0) * SEG_BITS;
		gaps_add(g, next, base - 1);
		if (sqlite3_column_int64(st, 1) < SEG_BITS)
			gaps_segment(g, base, sqlite3_column_blob(st, 2));
		next = base + SEG_BITS;
	}
	gaps_add(g, next, g->total - 1);
	gaps_flush(g);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_session_missing(struct store *s, int64_t n, int64_t total, struct range *out, int max, int *found, int64_t *missing)
{
	struct gaps g = {.out = out, .max = max, .total = total, .open = {0, -1}};
	*found = 0;
	*missing = 0;
	if (total <= 0)
		return ERR_OK;
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = missing_read(h, n, &g);
	reader_give(s, h);
	*found = g.found;
	*missing = g.missing;
	return e;
}
