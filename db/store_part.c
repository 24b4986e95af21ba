/*
 * store_part.c - uploads made of uploads: what a final one is made of, and where its parts' bytes lie.
 */
#include <sqlite3.h>

#include "db/store_priv.h"

/* ---- inside the operations of others ---- */

/* Whoever removes a part at the same moment came before or comes after. */
enum err parts_add(struct tx *t, int64_t final, const struct upload_new *in)
{
	enum err e = ERR_OK;
	for (int i = 0; i < in->nparts && !e; i++)
		e = sql_hit(t->h, SQL_PART_ADD, BINDS(I(final), I(i), I(in->part[i])));
	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}

enum err parts_drop(struct tx *t, int64_t final)
{
	enum err e = sql_run(t->h, SQL_PARTS_RELEASE, BINDS(I(final)));
	return e ? e : sql_run(t->h, SQL_PARTS_DROP, BINDS(I(final)));
}

/* ---- reading ---- */

enum err store_parts_sum(struct store *s, int64_t final, struct parts_sum *out)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*out = (struct parts_sum){0};
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_PARTS_SUM, BINDS(I(final)), &st);
	if (!e) {
		out->parts = sqlite3_column_int64(st, 0);
		out->ready = sqlite3_column_int64(st, 1);
		out->running = sqlite3_column_int64(st, 2);
		out->length = sqlite3_column_int64(st, 4) < 0 ? LENGTH_UNKNOWN : sqlite3_column_int64(st, 3);
		out->expires = sqlite3_column_int64(st, 5);
		sql_end(st);
	}
	reader_give(s, h);
	return e;
}

enum err store_parts(struct store *s, int64_t final, int64_t from, struct upload *out, int max, int *found)
{
	struct dbh *h;
	sqlite3_stmt *st;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_PARTS, BINDS(I(final), I(from), I(max)), &st);
	for (; !e; e = sql_more(h, SQL_PARTS, st))
		row_upload(st, NULL, &out[(*found)++]);
	reader_give(s, h);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_part_finals(struct store *s, int64_t part, int64_t after, int64_t *n, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_numbers(h, SQL_PART_FINALS, BINDS(I(part), I(after), I(max)), n, max, found);
	reader_give(s, h);
	return e;
}

static enum err is_there(struct store *s, enum sql q, int64_t n, bool *yes)
{
	struct dbh *h;
	int64_t there = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_int(h, q, BINDS(I(n)), &there);
	reader_give(s, h);
	*yes = there != 0;
	return e;
}

enum err store_part_named(struct store *s, int64_t part, bool *yes)
{
	return is_there(s, SQL_PART_NAMED, part, yes);
}

enum err store_file_shared(struct store *s, int64_t file, bool *yes)
{
	return is_there(s, SQL_FILE_SHARED, file, yes);
}

/* ---- bytes come together ---- */

struct adopt {
	int64_t final, part, now;
	int64_t file, offset;
};

static enum err adopt_run(struct tx *t, void *arg)
{
	struct adopt *ad = arg;
	struct upload p;
	enum err e = get_upload(t->h, NULL, ad->part, &p);
	if (e)
		return e;
	if (p.concat != CONCAT_PARTIAL || p.state != UPLOAD_COMPLETE || p.own != OWN_ALONE || p.base != 0)
		return ERR_OFFSET;
	ad->file = p.file;
	ad->offset = p.length;
	e = sql_hit(t->h, SQL_FINAL_ADOPT, BINDS(I(ad->final), I(p.file), I(p.length), I(ad->now)));
	return e == ERR_NOT_FOUND ? ERR_OFFSET : e ? e : sql_run(t->h, SQL_PART_TAKEN, BINDS(I(p.n), I(p.file), I(0)));
}

enum err store_final_adopt(struct store *s, int64_t final, int64_t part, int64_t now, int64_t *file, int64_t *offset)
{
	struct adopt ad = {.final = final, .part = part, .now = now};
	enum err e = store_do(s, adopt_run, &ad, false);
	*file = ad.file;
	*offset = ad.offset;
	return e;
}

struct took {
	const struct part_taken *t;
	int64_t old_file;
};

static enum err took_run(struct tx *t, void *arg)
{
	struct took *k = arg;
	const struct part_taken *p = k->t;
	struct upload final, part;
	k->old_file = 0;
	enum err e = sql_hit(t->h, SQL_UPLOAD_MOVE, BINDS(I(p->final), I(p->old), I(p->offset), I(false), I(p->now), I(false)));
	if (!e)
		e = get_upload(t->h, NULL, p->final, &final);
	if (!e)
		e = get_upload(t->h, NULL, p->part, &part);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OFFSET : e;
	if (part.own != OWN_ALONE)
		return ERR_OK;
	k->old_file = part.file;
	return sql_run(t->h, SQL_PART_TAKEN, BINDS(I(part.n), I(final.file), I(p->base)));
}

enum err store_final_took(struct store *s, const struct part_taken *t, int64_t *old_file)
{
	struct took k = {.t = t};
	enum err e = store_do(s, took_run, &k, true);
	*old_file = e ? 0 : k.old_file;
	return e;
}

/* ---- time ---- */

struct expires {
	int64_t n, at;
};

static enum err expires_run(struct tx *t, void *arg)
{
	const struct expires *x = arg;
	return sql_run(t->h, SQL_UPLOAD_EXPIRES, BINDS(I(x->n), I(x->at)));
}

enum err store_upload_expires(struct store *s, int64_t n, int64_t expires)
{
	struct expires x = {n, expires};
	return store_do(s, expires_run, &x, false);
}
