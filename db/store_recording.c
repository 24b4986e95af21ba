/*
 * store_recording.c - finished files: their rows and their names.
 */
#include <sqlite3.h>
#include <string.h>

#include "base/clock.h"
#include "db/store_priv.h"
#include "model/name.h"

#define NUMBERS_MAX 100000

/* ---- reading ---- */

static enum err read_one(struct store *s, enum sql q, const struct bind *b, struct arena *a, struct recording *out)
{
	struct dbh *h;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = get_recording(h, q, b, a, out, NULL);
	reader_give(s, h);
	return e;
}

enum err store_recording_get(struct store *s, struct arena *a, const char *sid, const char *disk, struct recording *out)
{
	return read_one(s, SQL_REC_GET, BINDS(T(sid), T(disk)), a, out);
}

enum err store_recording_by_n(struct store *s, struct arena *a, int64_t n, struct recording *out)
{
	return read_one(s, SQL_REC_BY_N, BINDS(I(n)), a, out);
}

enum err store_recording_of_session(struct store *s, struct arena *a, int64_t session, struct recording *out)
{
	return read_one(s, SQL_REC_OF_SESSION, BINDS(I(session)), a, out);
}

enum err store_recording_of_upload(struct store *s, struct arena *a, int64_t upload, struct recording *out)
{
	return read_one(s, SQL_REC_OF_UPLOAD, BINDS(I(upload)), a, out);
}

static enum err list_read(struct dbh *h, struct arena *a, const struct bind *b, struct recording *out, int *found)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, SQL_REC_LIST, b, &st);
	for (; !e; e = sql_more(h, SQL_REC_LIST, st)) {
		e = row_recording(st, a, &out[*found], NULL);
		if (e) {
			sql_end(st);
			return e;
		}
		++*found;
	}
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err store_recordings(struct store *s, struct arena *a, const char *owner, int64_t before, struct recording *out, int max, int *found)
{
	struct dbh *h;
	*found = 0;
	enum err e = reader_take(s, &h);
	if (e)
		return e;
	e = list_read(h, a, BINDS(T(owner), I(before > 0 ? before : INT64_MAX), I(max)), out, found);
	reader_give(s, h);
	return e;
}

/* ---- names ---- */

static enum err name_look(struct dbh *h, const struct bind *owner, const struct bind *name, bool *owned, bool *trash)
{
	int64_t n = 0, m = 0;
	enum err e = sql_int(h, SQL_NAME_OWNED, owner, &n);
	if (!e)
		e = sql_int(h, SQL_TRASH_HAS, name, &m);
	*owned = n != 0;
	*trash = m != 0;
	return e;
}

enum err name_taken(struct dbh *h, const char *sid, const char *disk, int64_t recording, int64_t session, bool *taken)
{
	bool owned, trash;
	enum err e = name_look(h, BINDS(T(sid), T(disk), I(recording), I(session)), BINDS(T(sid), T(disk)), &owned, &trash);
	*taken = owned || trash;
	return e;
}

enum err name_claimed(struct dbh *h, const char *sid, const char *disk, bool *yes)
{
	bool owned, trash;
	enum err e = name_look(h, BINDS(T(sid), T(disk), I(0), I(0)), BINDS(T(sid), T(disk)), &owned, &trash);
	*yes = trash && !owned;
	return e;
}

enum err name_free(struct dbh *h, struct arena *a, const char *sid, const char *title, int64_t recording, int64_t session, const char **out)
{
	const char *disk = name_disk(a, title), *name = disk;
	for (int number = 2; name && number < NUMBERS_MAX; number++) {
		bool taken;
		enum err e = name_taken(h, sid, name, recording, session, &taken);
		if (e || !taken) {
			*out = name;
			return e;
		}
		name = name_numbered(a, disk, number);
	}
	return name ? ERR_CONFLICT : ERR_NOMEM;
}

/* ---- writing ---- */

enum err recording_insert(struct tx *t, const struct recording *r, const char *sid, int64_t session, int64_t upload, int64_t take, bool run)
{
	return sql_run(t->h, SQL_REC_ADD, BINDS(T(sid), I(session), I(upload), I(take), I(run), T(r->owner), T(r->name), T(r->disk), T(r->meta),
		I(r->size), I(r->created), I(r->recovered), T(r->sha256)));
}

struct add {
	const struct recording *r;
	bool claimed;
	int64_t of;
};

static enum err receives(struct tx *t, int64_t session)
{
	struct session s;
	enum err e = get_session(t->h, NULL, session, &s);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OFFSET : e;
	return s.state == SESSION_RECEIVING ? ERR_OK : ERR_OFFSET;
}

static enum err add_run(struct tx *t, void *arg)
{
	const struct add *a = arg;
	const struct recording *r = a->r;
	bool yes = false;
	enum err e = a->of ? receives(t, a->of) : ERR_OK;
	if (!e)
		e = a->claimed ? name_claimed(t->h, r->sid, r->disk, &yes) : name_taken(t->h, r->sid, r->disk, 0, 0, &yes);
	if (e || yes != a->claimed)
		return e ? e : ERR_CONFLICT;
	e = recording_insert(t, r, r->sid, r->session, 0, r->take, true);
	return e ? e : event_recording(t, EVENT_RECOVERED, r, r->name, r->disk, r->created);
}

enum err store_recording_add(struct store *s, const struct recording *r, bool claimed, int64_t of)
{
	struct add a = {.r = r, .claimed = claimed, .of = of};
	return store_do(s, add_run, &a, false);
}

struct rename {
	int64_t n;
	const char *name, *disk, *meta;
};

static enum err rename_run(struct tx *t, void *arg)
{
	const struct rename *n = arg;
	struct recording r;
	bool run, mine = true;
	enum err e = get_recording(t->h, SQL_REC_BY_N, BINDS(I(n->n)), t->tmp, &r, &run);
	if (e)
		return e;
	int64_t session = run ? 0 : r.session;
	/* One that is being finished anew is about to publish under the name that it has. */
	struct session s = {.state = SESSION_COMPLETE};
	if (session)
		e = get_session(t->h, NULL, session, &s);
	if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e || s.state == SESSION_FINISHING)
		return e ? e : ERR_LOCKED;
	if (strcmp(n->disk, r.disk) != 0)
		e = name_claimed(t->h, r.sid, n->disk, &mine);
	if (!e && !mine)
		return ERR_CONFLICT;
	if (!e)
		e = sql_run(t->h, SQL_REC_RENAME, BINDS(I(r.n), T(n->name), T(n->disk), T(n->meta)));
	if (n->meta)
		r.meta = n->meta;
	if (!e)
		e = event_recording(t, EVENT_COMPLETED, &r, n->name, n->disk, clock_now());
	return e ? e : sql_run(t->h, SQL_SESSION_RENAMED, BINDS(I(session), T(n->disk), T(n->name)));
}

enum err store_recording_rename(struct store *s, int64_t n, const char *name, const char *disk, const char *meta)
{
	struct rename r = {.n = n, .name = name, .disk = disk, .meta = meta};
	return store_do(s, rename_run, &r, true);
}

struct digested {
	int64_t n;
	const char *sha256;
};

static enum err digest_run(struct tx *t, void *arg)
{
	const struct digested *d = arg;
	enum err e = sql_run(t->h, SQL_REC_DIGEST, BINDS(I(d->n), T(d->sha256)));
	return e || sqlite3_changes(t->h->db) ? e : ERR_NOT_FOUND;
}

enum err store_recording_digest(struct store *s, int64_t n, const char *sha256)
{
	struct digested d = {.n = n, .sha256 = sha256};
	return store_do(s, digest_run, &d, false);
}

struct delete {
	int64_t n, now;
};

/* With the file goes what it was made from: a chunk that is sent again begins a new take. A run goes alone, its session lives on. */
static enum err delete_run(struct tx *t, void *arg)
{
	const struct delete *d = arg;
	struct recording r;
	struct session s;
	bool run;
	enum err e = get_recording(t->h, SQL_REC_BY_N, BINDS(I(d->n)), t->tmp, &r, &run);
	if (!e)
		e = sql_run(t->h, SQL_REC_DROP, BINDS(I(r.n)));
	if (!e)
		e = event_recording(t, EVENT_DELETED, &r, r.name, r.disk, d->now);
	if (e || run)
		return e;
	if (r.upload)
		return sql_run(t->h, SQL_UPLOAD_GONE, BINDS(I(r.upload), I(d->now)));
	e = get_session(t->h, NULL, r.session, &s);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	if (s.state == SESSION_FINISHING)
		return ERR_LOCKED;
	return session_vanish(t, s.n, true, d->now);
}

enum err store_recording_delete(struct store *s, int64_t n, int64_t now)
{
	struct delete d = {.n = n, .now = now};
	return store_do(s, delete_run, &d, true);
}
