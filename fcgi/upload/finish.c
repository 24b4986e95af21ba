/*
 * finish.c - the one way from a FINISHING session to a finished file; re-runnable after a crash at any point.
 *
 * Whoever finishes holds the session, and before a byte moves he keeps out all writers of its unfinished chunks.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

#define WRITERS_MAX 65536

/* ---- part files and writers of a session ---- */

void file_list_add(struct file_list *l, int64_t file)
{
	if (l->n == l->cap) {
		int cap = l->cap ? l->cap * 2 : 64;
		int64_t *bigger = realloc(l->v, (size_t)cap * sizeof *bigger);
		if (!bigger)
			return;  /* the file has no row then: the reaper takes it */
		l->v = bigger;
		l->cap = cap;
	}
	l->v[l->n++] = file;
}

static bool file_list_take(void *arg, int64_t file)
{
	file_list_add(arg, file);
	return true;
}

enum err file_list_session(struct house *h, int64_t session, struct file_list *l)
{
	return store_session_files(h->db, session, file_list_take, l);
}

void file_list_remove(struct house *h, struct file_list *l)
{
	for (int i = 0; i < l->n; i++)
		blob_remove(h->blobs, l->v[i]);
	free(l->v);
	*l = (struct file_list){0};
}

static enum err writers_hold(struct house *h, const int64_t *n, int found, bool ask, struct writers *w)
{
	enum err e = ERR_OK;
	w->v = calloc((size_t)found, sizeof *w->v);
	if (!w->v)
		return ERR_NOMEM;
	for (int i = 0; !e && i < found; i++) {
		e = hold_take(h->holds, HOLD_UPLOAD(n[i]), NULL, HOLD_NO_OFFSET, ask, ask ? (int)h->cfg->lock_wait_ms : 0, &w->v[w->n], NULL);
		if (!e)
			w->n++;
	}
	if (e)
		writers_release(w);
	return e;
}

enum err writers_stop(struct house *h, int64_t session, bool ask, struct writers *w)
{
	int64_t few[16], *n = few;
	int found, max = sizeof few / sizeof *few;
	*w = (struct writers){0};
	enum err e = store_session_uploads(h->db, session, n, max, &found);
	if (!e && found == max) {
		n = calloc(WRITERS_MAX, sizeof *n);
		e = n ? store_session_uploads(h->db, session, n, WRITERS_MAX, &found) : ERR_NOMEM;
	}
	if (!e && found > 0)
		e = writers_hold(h, n, found, ask, w);
	if (n != few)
		free(n);
	return e;
}

void writers_release(struct writers *w)
{
	for (int i = 0; i < w->n; i++)
		hold_drop(w->v[i]);
	free(w->v);
	*w = (struct writers){0};
}

/* ---- finishing ---- */

static enum err finish_publish(struct house *h, struct arena *a, struct session *s)
{
	struct file_list files = {0};
	const char *old_disk = NULL;
	int64_t now = clock_now();
	int64_t keep = h->cfg->session_retention > 0 ? h->cfg->session_retention : h->cfg->expiration;
	struct recording r = {.sid = s->sid, .session = s->n, .take = s->take, .owner = s->owner, .name = s->out_title ? s->out_title : s->out_name,
		.disk = s->out_name, .meta = s->meta, .size = s->bytes, .created = now, .recovered = s->goal == SESSION_RECOVERED};

	/* What needs room comes first, then the file, and its row next to it: one that is finished anew takes the place of the file that the row speaks of. */
	enum err e = note_begin(h, &r, s);
	if (!e)
		e = file_list_session(h, s->n, &files);
	if (!e)
		e = part_publish(h, s->file, s->bytes, false, s->sid, s->out_name);
	if (e)
		blob_note_drop(h->blobs, s->sid, s->out_name);
	else
		e = blob_note_end(h->blobs, s->sid, s->out_name);
	if (!e)
		e = store_session_finished(h->db, a, s->n, &r, now, now + keep, &old_disk);
	if (e) {
		free(files.v);
		return e;
	}
	file_list_add(&files, s->file);
	file_list_remove(h, &files);
	if (old_disk)
		finished_remove(h, s->sid, old_disk);
	metrics_add(h->metrics, s->goal == SESSION_RECOVERED ? M_RECOVERED : M_FINISHED, 1);
	log_event(LOG_INFO, "upload", "recording finished", "sid", LS(s->sid), "take", LI(s->take), "bytes", LI(s->bytes), "chunks", LI(s->top), NULL);
	return ERR_OK;
}

/* Between two devices the part stays until the row is there. */
static enum err copy_overtakes(struct house *h, const struct session *s, const struct recording *r, int part, bool *yes)
{
	int64_t size;
	int fd;
	*yes = false;
	enum err e = blob_done_open(h->blobs, r->sid, r->disk, &fd);
	if (e)
		return e;
	e = blob_fd_size(fd, &size);
	if (!e && size != r->size)
		*yes = true;
	else if (!e && size == s->bytes)
		e = blob_equal(part, 0, fd, 0, size, yes);
	blob_close(fd);
	return e;
}

enum err session_overtakes(struct house *h, struct arena *a, const struct session *s, bool *yes)
{
	struct recording r;
	int fd;
	*yes = false;
	/* Before its bytes lie together it has no file to publish. */
	if (s->state != SESSION_FINISHING || !s->out_name || !plan_constant_time(s))
		return ERR_OK;
	enum err e = store_recording_get(h->db, a, s->sid, s->out_name, &r);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = blob_open(h->blobs, s->file, false, &fd);
	*yes = e == ERR_NOT_FOUND;
	if (e)
		return *yes ? ERR_OK : e;
	if (!blobs_same_device(h->blobs))
		e = copy_overtakes(h, s, &r, fd, yes);
	blob_close(fd);
	return e;
}

enum err session_finish_held(struct house *h, struct arena *a, int64_t n)
{
	struct session s;
	struct writers w;
	struct file_list parked = {0};
	enum err e = store_session_by_n(h->db, a, n, &s);
	if (e || s.state != SESSION_FINISHING)
		return e;
	e = writers_stop(h, n, true, &w);
	if (e)
		return e;
	if (!plan_constant_time(&s)) {
		int64_t old = s.file;
		e = file_list_session(h, n, &parked);
		if (!e)
			e = session_join(h, &s);
		if (!e && s.file != old)
			file_list_add(&parked, old);
	}
	if (!e)
		e = finish_publish(h, a, &s);
	if (e)
		parked.n = 0;
	file_list_remove(h, &parked);
	writers_release(&w);
	return e;
}

enum err session_finish(struct house *h, int64_t n)
{
	struct hold *hold;
	struct arena *a = arena_open(1 << 20);
	if (!a)
		return ERR_NOMEM;
	enum err e = hold_take(h->holds, HOLD_SESSION(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (!e) {
		e = session_finish_held(h, a, n);
		hold_drop(hold);
	}
	arena_close(a);
	return e;
}
