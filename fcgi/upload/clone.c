/*
 * clone.c - copying the bytes that copied rows speak of, out of a world that goes on.
 *
 * Rows come first, bytes afterwards: what lies below a row's offset is not overwritten while its upload lives, so it is still there, under this
 * name or another. Only three things can come between: a file got its finished name, was joined into another, or went for good. The living ledger
 * tells which. A finished file is copied, never linked: reopened, it grows in place.
 */
#include "base/clock.h"
#include "base/log.h"
#include "upload/clone_priv.h"

/* ---- part files ---- */

static enum err part_end(struct clone *c)
{
	enum err e = c->fd >= 0 ? blob_sync(c->fd) : ERR_OK;
	blob_close(c->fd);
	c->fd = -1;
	return e;
}

static enum err part_begin(struct clone *c, int64_t file)
{
	if (c->fd >= 0 && c->file == file)
		return ERR_OK;
	enum err e = part_end(c);
	c->file = file;
	return e ? e : blob_open(c->to, file, true, &c->fd);
}

enum err clone_damaged(struct clone *c, const char *what, int64_t n)
{
	c->count->damaged++;
	log_event(LOG_ERROR, "clone", what, "row", LI(n), NULL);
	return ERR_OK;
}

enum err clone_part(struct clone *c, int fd, int64_t at, int64_t n, int64_t file, int64_t to_at)
{
	int64_t copied = 0, size = 0;
	enum err e = part_begin(c, file);
	if (!e)
		e = blob_fd_size(fd, &size);
	int64_t there = size > at ? size - at : 0;
	if (!e)
		e = blob_copy(fd, at, c->fd, to_at, there < n ? there : n, &copied);
	c->count->part_bytes += copied;
	return !e && copied < n ? clone_damaged(c, "a file is shorter than its rows say", file) : e;
}

/* ---- uploads ---- */

/* Nothing of it is acknowledged in the copy: its client begins anew, as it already has. */
static enum err upload_vanished(struct clone *c, const struct upload *u)
{
	struct upload was;
	const char *disk;
	if (u->kind != UPLOAD_WHOLE) {
		c->count->vanished++;
		return store_upload_shorten(c->rows, u->n, u->offset, 0);
	}
	enum err e = store_upload_gone(c->rows, c->a, u->n, clock_now(), false, NULL, &was, &disk);
	c->count->vanished += !e;
	/* A part that was gone already, and kept for final uploads, or one of these that went with it. */
	if (e == ERR_GONE)
		e = ERR_OK;
	return e || u->concat != CONCAT_PARTIAL ? e : clone_finals_vanish(c, u);
}

static enum err upload_live(struct clone *c, const void *what, struct recording *now)
{
	const struct upload *u = what;
	struct upload live = *u;
	enum err e = c->from->db ? store_upload_by_n(c->from->db, c->a, u->n, &live) : ERR_OK;
	if (e || live.state == UPLOAD_GONE)
		return e ? e : ERR_NOT_FOUND;
	e = c->from->db ? store_recording_of_upload(c->from->db, c->a, u->n, now) : ERR_NOT_FOUND;
	if (e != ERR_NOT_FOUND)
		return e;
	/* It has its name, but not yet its row. */
	*now = (struct recording){.sid = u->id, .disk = upload_disk(c->a, u)};
	return now->disk ? ERR_OK : ERR_NOMEM;
}

enum err clone_whole_open(struct clone *c, const struct upload *u, int *fd)
{
	struct recording now;
	return clone_done_open(c, upload_live, u, &now, fd);
}

static enum err chunk_now(struct clone *c, int64_t session, int64_t idx, int64_t least, struct chunk *now, int *fd)
{
	struct session s;
	enum err e = c->from->db ? store_session_by_n(c->from->db, c->a, session, &s) : ERR_NOT_FOUND;
	if (!e)
		e = store_chunk_get(c->from->db, session, idx, now);
	if (!e && now->length < least)
		e = ERR_NOT_FOUND;
	if (!e)
		e = chunk_open(c->from, &s, now, fd);
	return e;
}

enum err clone_chunk_now(struct clone *c, int64_t session, int64_t idx, int64_t least, struct chunk *now, int *fd)
{
	enum err e = chunk_now(c, session, idx, least, now, fd);
	/* Just being finished, which is mostly a matter of milliseconds. */
	if (e == ERR_LOCKED && session_wait(c->from, session) == ERR_OK)
		e = chunk_now(c, session, idx, least, now, fd);
	return e == ERR_NOT_FOUND ? ERR_GONE : e == ERR_LOCKED ? ERR_AGAIN : e;
}

/* An unfinished chunk may have been begun anew over the same bytes while they were copied: then they are not what the row speaks of. */
static enum err chunk_unchanged(struct clone *c, const struct upload *u, bool *yes)
{
	struct upload live;
	struct chunk now;
	int fd;
	*yes = true;
	if (!c->from->db)
		return ERR_OK;
	enum err e = store_upload_by_n(c->from->db, c->a, u->n, &live);
	*yes = !e && live.offset >= u->offset && live.file == u->file && live.base == u->base;
	if (e != ERR_NOT_FOUND)
		return e;
	e = clone_chunk_now(c, u->session, u->idx, u->offset, &now, &fd);
	if (e)
		return e == ERR_GONE ? ERR_OK : e;
	e = blob_equal(c->fd, u->base, fd, now.base, u->offset, yes);
	blob_close(fd);
	return e;
}

static enum err chunk_upload_copy(struct clone *c, const struct upload *u)
{
	struct chunk now;
	int fd;
	bool same = true;
	int64_t at = u->base;
	enum err e = blob_open(c->from->blobs, u->file, false, &fd);
	if (e == ERR_NOT_FOUND) {
		e = clone_chunk_now(c, u->session, u->idx, u->offset, &now, &fd);
		if (!e)
			at = now.base;
	}
	if (e)
		return e;
	e = clone_part(c, fd, at, u->offset, u->file, u->base);
	blob_close(fd);
	if (!e)
		e = chunk_unchanged(c, u, &same);
	return e || same ? e : ERR_GONE;
}

static enum err whole_upload_copy(struct clone *c, const struct upload *u)
{
	int fd;
	int64_t at = u->base;
	enum err e = blob_open(c->from->blobs, u->file, false, &fd);
	if (e == ERR_NOT_FOUND)
		e = u->concat == CONCAT_PARTIAL ? clone_part_of_final(c, u, &at, &fd) : clone_whole_open(c, u, &fd);
	if (e)
		return e;
	e = clone_part(c, fd, at, u->offset, u->file, u->base);
	blob_close(fd);
	return e;
}

/* Unfinished chunks of a take that is finished or gone only wait to be dropped. */
static bool is_needed(struct clone *c, const struct upload *u)
{
	struct session s;
	return u->offset > 0 && (u->kind == UPLOAD_WHOLE || (!store_session_by_n(c->rows, c->a, u->session, &s)
		&& (s.state == SESSION_RECEIVING || s.state == SESSION_FINISHING || s.state == SESSION_FAILED)));
}

static enum err upload_clone(struct clone *c, const struct upload *u)
{
	if (!is_needed(c, u))
		return ERR_OK;
	enum err e = u->kind == UPLOAD_WHOLE ? whole_upload_copy(c, u) : chunk_upload_copy(c, u);
	c->count->uploads += !e;
	if (e == ERR_GONE && c->from->db)
		return upload_vanished(c, u);
	return e == ERR_NOT_FOUND || e == ERR_GONE ? clone_damaged(c, "the bytes of an upload are not there", u->n) : e;
}

static enum err uploads_clone(struct clone *c)
{
	struct upload page[CLONE_PAGE];
	int64_t after = 0;
	int found = CLONE_PAGE;
	enum err e = ERR_OK;
	struct arena *a = arena_open(CLONE_SCRATCH);
	if (!a)
		return ERR_NOMEM;
	while (!e && found == CLONE_PAGE) {
		arena_reset(a);
		e = store_list_uploads(c->rows, a, after, true, page, CLONE_PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			after = page[i].n;
			e = upload_clone(c, &page[i]);
			arena_reset(c->a);
		}
	}
	arena_close(a);
	return e;
}

enum err clone_files(struct house *from, struct store *rows, struct blobs *to, struct clone_count *count)
{
	struct clone c = {.from = from, .rows = rows, .to = to, .count = count, .a = arena_open(CLONE_SCRATCH), .fd = -1};
	*count = (struct clone_count){0};
	if (!c.a)
		return ERR_NOMEM;
	enum err e = uploads_clone(&c);
	if (!e)
		e = clone_sessions(&c);
	if (!e)
		e = clone_recordings(&c);
	enum err end = part_end(&c);
	arena_close(c.a);
	return e ? e : end;
}
