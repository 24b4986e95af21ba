/*
 * clone_done.c - the finished files of a copied ledger, with their notes.
 */
#include <string.h>

#include "base/clock.h"
#include "upload/clone_priv.h"

#define OPEN_TRIES 5

/* A name may pass to another recording at any moment: only if the ledger says the same before and after the file is opened is it the right one. */
enum err clone_done_open(struct clone *c, clone_live *live, const void *what, struct recording *now, int *fd)
{
	struct recording after;
	for (int i = 0; i < OPEN_TRIES; i++) {
		enum err e = live(c, what, now);
		if (e)
			return e == ERR_NOT_FOUND ? ERR_GONE : e;
		enum err opened = blob_done_open(c->from->blobs, now->sid, now->disk, fd);
		if (opened && opened != ERR_NOT_FOUND)
			return opened;
		e = live(c, what, &after);
		if (!e && after.n == now->n && strcmp(after.disk, now->disk) == 0)
			return opened;
		if (!opened)
			blob_close(*fd);
	}
	return ERR_AGAIN;
}

static bool is_ending(const struct session *s)
{
	return s->state == SESSION_FINISHING || s->state == SESSION_FAILED;
}

/* While its session keeps its part file a finished file only grows: one that is joined, as after a chunk was replaced, gets another. A session that was being finished
 * when the rows were copied is finished there anew, unless its recording is a later one by now. */
static enum err same_bytes(struct clone *c, const struct recording *r, const struct recording *now, const struct session *live)
{
	struct session was;
	enum err e = store_session_by_n(c->rows, c->a, r->session, &was);
	if (e && e != ERR_NOT_FOUND)
		return e;
	bool stood = !e && !is_ending(&was);
	if (stood && was.file == live->file)
		return ERR_OK;
	/* The name is given to the new file before the row is. */
	return now->n == r->n && !(stood && is_ending(live)) ? ERR_OK : ERR_AGAIN;
}

/* Renamed perhaps, or finished anew, when it begins with the same bytes. */
static enum err recording_live(struct clone *c, const void *what, struct recording *now)
{
	const struct recording *r = what;
	struct session live;
	enum err e = store_recording_by_n(c->from->db, c->a, r->n, now);
	if (!r->session || (e && e != ERR_NOT_FOUND))
		return e;
	enum err s = store_session_by_n(c->from->db, c->a, r->session, &live);
	if (s)
		return s == ERR_NOT_FOUND ? e : s;
	if (e && live.state != SESSION_GONE)
		e = store_recording_of_session(c->from->db, c->a, r->session, now);
	if (!e && now->n < r->n)
		e = ERR_NOT_FOUND;
	return e ? e : same_bytes(c, r, now, &live);
}

static enum err recording_source(struct clone *c, const struct recording *r, struct recording *now, int *fd)
{
	*now = *r;
	return c->from->db ? clone_done_open(c, recording_live, r, now, fd) : blob_done_open(c->from->blobs, r->sid, r->disk, fd);
}

/* The note tells people what the row tells us: a file without one is whole. */
static enum err note_clone(struct clone *c, const struct recording *r, const struct recording *now)
{
	const char *name = arena_printf(c->a, "%s.meta.json", now->disk);
	int64_t size;
	int fd;
	if (!name || blob_done_open(c->from->blobs, now->sid, name, &fd))
		return ERR_OK;
	enum err e = blob_fd_size(fd, &size);
	char *text = e || size > CLONE_SCRATCH / 2 ? NULL : arena_alloc(c->a, (size_t)size + 1);
	ssize_t n = text ? blob_read(fd, text, (size_t)size, 0) : -1;
	blob_close(fd);
	if (n < 0)
		return ERR_OK;
	text[n] = '\0';
	return blob_note(c->to, r->sid, r->disk, text);
}

/* Deleted, and with it what it was made of: a session that is being finished in the copy has nothing to be finished any more. */
static enum err recording_vanished(struct clone *c, const struct recording *r)
{
	enum err e = r->session ? store_session_failed(c->rows, r->session, true) : ERR_OK;
	c->count->vanished++;
	return e && e != ERR_OFFSET && e != ERR_NOT_FOUND ? e : store_recording_delete(c->rows, r->n, clock_now());
}

static enum err recording_clone(struct clone *c, const struct recording *r)
{
	struct recording now;
	int64_t size = 0;
	int fd;
	enum err e = recording_source(c, r, &now, &fd);
	if (e == ERR_GONE)
		return recording_vanished(c, r);
	if (e)
		return e == ERR_NOT_FOUND ? clone_damaged(c, "a finished file is not there", r->n) : e;
	e = blob_fd_size(fd, &size);
	if (!e && size < r->size)
		clone_damaged(c, "a finished file is too short", r->n);
	size = size < r->size ? size : r->size;
	if (!e)
		e = blob_done_put(c->to, r->sid, r->disk, fd, size);
	blob_close(fd);
	if (!e)
		e = note_clone(c, r, &now);
	c->count->recordings += !e;
	c->count->done_bytes += e ? 0 : size;
	return e;
}

enum err clone_recordings(struct clone *c)
{
	struct recording page[CLONE_PAGE];
	int64_t before = 0;
	int found = CLONE_PAGE;
	enum err e = ERR_OK;
	struct arena *a = arena_open(CLONE_SCRATCH);
	if (!a)
		return ERR_NOMEM;
	while (!e && found == CLONE_PAGE) {
		arena_reset(a);
		e = store_recordings(c->rows, a, NULL, before, page, CLONE_PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			before = page[i].n;
			e = recording_clone(c, &page[i]);
			arena_reset(c->a);
		}
	}
	arena_close(a);
	return e;
}
