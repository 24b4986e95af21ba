/*
 * clone_done.c - the finished files of a copied ledger, with their notes.
 */
#include "base/clock.h"
#include "upload/clone_priv.h"

/* Its file is nowhere: deleted with its row, or it ought to be there. */
static enum err recording_lost(struct clone *c, const struct recording *r)
{
	struct recording now;
	enum err e = store_recording_get(c->from->db, c->a, r->sid, r->disk, &now);
	return e == ERR_NOT_FOUND ? ERR_GONE : e ? e : ERR_NOT_FOUND;
}

/* The finished file under the name that it has now. A reopened recording that was finished anew begins with the same bytes. */
static enum err recording_source(struct clone *c, const struct recording *r, struct recording *now, int *fd)
{
	*now = *r;
	enum err e = blob_done_open(c->from->blobs, r->sid, r->disk, fd);
	if (e != ERR_NOT_FOUND || !c->from->db)
		return e;
	/* Only a session's file is ever renamed. */
	e = r->session ? store_recording_of_session(c->from->db, c->a, r->session, now) : ERR_NOT_FOUND;
	if (!e)
		e = blob_done_open(c->from->blobs, now->sid, now->disk, fd);
	return e == ERR_NOT_FOUND ? recording_lost(c, r) : e;
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

static enum err recording_clone(struct clone *c, const struct recording *r)
{
	struct recording now;
	int64_t size = 0;
	int fd;
	enum err e = recording_source(c, r, &now, &fd);
	if (e == ERR_GONE) {
		c->count->vanished++;
		return store_recording_delete(c->rows, r->n, clock_now());
	}
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
