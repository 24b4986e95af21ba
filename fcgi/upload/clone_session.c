/*
 * clone_session.c - the complete chunks of a copied ledger's sessions, wherever their bytes are by now.
 */
#include "base/clock.h"
#include "upload/clone_priv.h"

/* Of a session that was FINISHING in the copy. While it has the same part file, its finished file begins with the same bytes; joined into another, as after a chunk
 * was replaced, it does not. */
static enum err session_live(struct clone *c, const void *what, struct recording *now)
{
	const struct session *s = what;
	struct session live;
	enum err e = store_session_by_n(c->from->db, c->a, s->n, &live);
	*now = (struct recording){.sid = s->sid, .disk = s->out_name};
	if (!e && live.state != SESSION_GONE && live.file != s->file)
		return ERR_AGAIN;
	return e || live.state == SESSION_FINISHING ? e : store_recording_of_session(c->from->db, c->a, s->n, now);
}

/* Its part file may have its finished name already, but no row. */
static enum err published_open(struct clone *c, const struct session *s, int *fd)
{
	struct recording now;
	return c->from->db ? clone_done_open(c, session_live, s, &now, fd) : blob_done_open(c->from->blobs, s->sid, s->out_name, fd);
}

static enum err chunk_source(struct clone *c, const struct session *s, const struct chunk *k, struct chunk *now, int *fd)
{
	*now = *k;
	enum err e = blob_open(c->from->blobs, k->file, false, fd);
	if (e == ERR_NOT_FOUND && c->from->db) {
		e = clone_chunk_now(c, k->session, k->idx, k->length, now, fd);
		if (!e && now->length != k->length) {
			blob_close(*fd);
			e = ERR_AGAIN;
		}
	}
	if ((e == ERR_NOT_FOUND || e == ERR_GONE || e == ERR_AGAIN) && s->state == SESSION_FINISHING && s->out_name && k->file == s->file) {
		*now = *k;
		enum err published = published_open(c, s, fd);
		e = published ? e : ERR_OK;
	}
	return e;
}

/* Only a join in place writes over a complete chunk, over one that was replaced: where there may have been one, the copy must be what the chunk is now. ERR_AGAIN: it is not. */
static enum err chunk_unjoined(struct clone *c, const struct session *s, const struct chunk *k)
{
	struct session live;
	struct chunk now;
	int fd;
	bool same = false;
	if (!c->from->db || s->state != SESSION_RECEIVING || s->finished)
		return ERR_OK;
	enum err e = store_session_by_n(c->from->db, c->a, s->n, &live);
	if (!e && live.state == SESSION_RECEIVING && !live.finished)
		return ERR_OK;
	e = clone_chunk_now(c, s->n, k->idx, k->length, &now, &fd);
	if (e)
		return e;
	if (now.length == k->length)
		e = blob_equal(c->fd, k->base, fd, now.base, k->length, &same);
	blob_close(fd);
	return e || same ? e : ERR_AGAIN;
}

static enum err chunk_clone(struct clone *c, const struct session *s, const struct chunk *k)
{
	struct chunk now;
	int fd;
	if (k->length == 0)
		return ERR_OK;
	enum err e = chunk_source(c, s, k, &now, &fd);
	if (e == ERR_NOT_FOUND || (e == ERR_GONE && !c->from->db))
		return clone_damaged(c, "the bytes of a chunk are not there", s->n);
	if (e)
		return e;
	e = clone_part(c, fd, now.base, k->length, k->file, k->base);
	blob_close(fd);
	return e ? e : chunk_unjoined(c, s, k);
}

static enum err chunks_clone(struct clone *c, const struct session *s)
{
	struct chunk page[CLONE_PAGE];
	int64_t from = 0;
	int found = CLONE_PAGE;
	enum err e = ERR_OK;
	while (!e && found == CLONE_PAGE) {
		e = store_chunks(c->rows, s->n, from, page, CLONE_PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			from = page[i].idx + 1;
			e = chunk_clone(c, s, &page[i]);
			arena_reset(c->a);
		}
	}
	return e;
}

/* A chunk of it is nowhere. Either all of it went, and goes from the copy too, or the chunk was replaced. */
static enum err session_vanished(struct clone *c, const struct session *s)
{
	struct session now;
	int64_t file;
	enum err e = store_session_by_n(c->from->db, c->a, s->n, &now);
	if (!e && now.state != SESSION_GONE)
		return ERR_AGAIN;
	if (e && e != ERR_NOT_FOUND)
		return e;
	c->count->vanished++;
	e = s->state == SESSION_FINISHING ? store_session_failed(c->rows, s->n, true) : ERR_OK;
	return e ? e : store_session_gone(c->rows, s->n, clock_now(), true, false, &file);
}

enum err clone_sessions(struct clone *c)
{
	struct session page[CLONE_PAGE];
	int64_t after = 0;
	int found = CLONE_PAGE;
	enum err e = ERR_OK;
	struct arena *a = arena_open(CLONE_SCRATCH);
	if (!a)
		return ERR_NOMEM;
	while (!e && found == CLONE_PAGE) {
		arena_reset(a);
		e = store_list_sessions(c->rows, a, after, true, page, CLONE_PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			after = page[i].n;
			e = chunks_clone(c, &page[i]);
			c->count->sessions += !e;
			if (e == ERR_GONE)
				e = session_vanished(c, &page[i]);
			arena_reset(c->a);
		}
	}
	arena_close(a);
	return e;
}
