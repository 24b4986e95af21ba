/*
 * store_key.c - keys of clients, by the hash of the key.
 */
#include <sqlite3.h>
#include <string.h>

#include "db/store_priv.h"

static enum err row_key(sqlite3_stmt *st, struct arena *a, struct api_key *out)
{
	const void *hash = sqlite3_column_blob(st, 2);
	out->name = arena_strdup(a, (const char *)sqlite3_column_text(st, 0));
	out->role = arena_strdup(a, (const char *)sqlite3_column_text(st, 1));
	out->created = sqlite3_column_int64(st, 3);
	if (!hash || !out->name || !out->role)
		return ERR_NOMEM;
	memcpy(out->hash, hash, sizeof out->hash);
	return ERR_OK;
}

enum err store_key_find(struct store *s, struct arena *a, const unsigned char hash[32], struct api_key *out)
{
	struct dbh *h;
	sqlite3_stmt *st;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = sql_row(h, SQL_KEY_FIND, BINDS(B(hash, 32)), &st);
	if (!e) {
		e = row_key(st, a, out);
		sql_end(st);
	}
	reader_give(s, h);
	return e;
}

static enum err keys_read(struct dbh *h, struct arena *a, struct api_key *out, int max, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_KEYS, BINDS(I(max)), &st);
	for (; !e; e = sql_more(h, SQL_KEYS, st)) {
		e = row_key(st, a, &out[*found]);
		if (e) {
			sql_end(st);
			return e;
		}
		++*found;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_keys(struct store *s, struct arena *a, struct api_key *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = keys_read(h, a, out, max, found);
	reader_give(s, h);
	return e;
}

struct key_op {
	const struct api_key *key;
	const char *name;
};

static enum err add_run(struct tx *t, void *arg)
{
	const struct api_key *k = ((struct key_op *)arg)->key;
	return sql_run(t->h, SQL_KEY_ADD, BINDS(T(k->name), T(k->role), B(k->hash, 32), I(k->created)));
}

enum err store_key_add(struct store *s, const struct api_key *k)
{
	struct key_op o = {.key = k};
	return store_do(s, add_run, &o, true);
}

static enum err remove_run(struct tx *t, void *arg)
{
	return sql_hit(t->h, SQL_KEY_DROP, BINDS(T(((struct key_op *)arg)->name)));
}

enum err store_key_remove(struct store *s, const char *name)
{
	struct key_op o = {.name = name};
	return store_do(s, remove_run, &o, true);
}
