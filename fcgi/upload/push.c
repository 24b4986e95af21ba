/*
 * push.c - a whole upload whose bytes are brought (by a form's parser), not fetched from a body.
 *
 * Its row stays at offset 0 until the end, because nobody knows its address: what is cut leaves nothing, and what a crash leaves expires.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

struct upload_push {
	struct house *h;
	struct arena *a;
	struct upload u;
	struct hold *hold;
	int fd;
	int64_t max, size;
	int64_t looked;             /* at the free space */
	bool finished;
};

enum err upload_push_open(struct house *h, struct arena *a, const struct create_cmd *cmd, int64_t max, struct source *body, struct upload_push **out)
{
	struct create_cmd open_ended = *cmd;
	struct upload_push *p = calloc(1, sizeof *p);
	if (!p)
		return ERR_NOMEM;
	*p = (struct upload_push){.h = h, .a = a, .fd = -1, .max = max, .looked = SPACE_UNSEEN};
	open_ended.length = LENGTH_UNKNOWN;
	enum err e = upload_create(h, a, &open_ended, &p->u);
	if (e) {
		free(p);
		return e;
	}
	*out = p;
	/* Only a shutdown can want it. */
	e = hold_take(h->holds, HOLD_UPLOAD(p->u.n), body, HOLD_NO_OFFSET, false, 0, &p->hold, NULL);
	return e ? e : blob_open(h->blobs, p->u.file, true, &p->fd);
}

enum err upload_push_data(struct upload_push *p, const void *data, size_t n)
{
	size_t written;
	if (p->size + (int64_t)n > p->max)
		return ERR_TOO_LARGE;
	enum err e = space_look(p->h, &p->looked, p->size);
	if (e)
		return e;
	e = blob_write(p->fd, data, n, p->size, &written);
	p->size += (int64_t)written;
	return e;
}

enum err upload_push_end(struct upload_push *p)
{
	enum err e = blob_sync(p->fd);
	/* Many files of one form wait for its end: none keeps a descriptor. */
	blob_close(p->fd);
	p->fd = -1;
	return e;
}

enum err upload_push_finish(struct upload_push *p, struct upload *u, int64_t *finish_upload)
{
	struct house *h = p->h;
	*finish_upload = 0;
	enum err e = store_upload_closing(h->db, p->u.n, 0, p->size, clock_now());
	if (e)
		return e;
	p->finished = true;
	p->u.state = UPLOAD_FINISHING;
	p->u.length = p->u.offset = p->size;
	*u = p->u;
	metrics_add(h->metrics, M_BYTES_RECEIVED, p->size);
	metrics_add(h->metrics, M_UPLOADS_COMPLETED, 1);
	if (!blobs_same_device(h->blobs)) {
		*finish_upload = p->u.n;
		return ERR_OK;
	}
	/* The row says that every byte is durable: what fails now is done again by the reaper. */
	const char *sha256 = NULL;
	whole_check(h, p->a, &p->u, p->size, NULL, &(struct digest_want){0}, &sha256);
	if (digest_is_wanted(h) && !sha256)
		*finish_upload = p->u.n;
	e = upload_finish_held(h, p->a, &p->u, sha256);
	if (e)
		log_event(LOG_ERROR, "upload", "finishing failed, will be retried", "upload", LI(p->u.n), "reason", LS(err_code(e)), NULL);
	return ERR_OK;
}

/* Row first: a file without a row is scrap that the reaper removes. */
static void discard(struct upload_push *p)
{
	struct upload was;
	const char *disk;
	enum err e = store_upload_gone(p->h->db, p->a, p->u.n, clock_now(), false, NULL, &was, &disk);
	if (e) {
		log_event(LOG_WARN, "upload", "discarding failed, the reaper will", "upload", LI(p->u.n), "reason", LS(err_code(e)), NULL);
		return;
	}
	metrics_add(p->h->metrics, M_UPLOADS_FAILED, 1);
	blob_remove(p->h->blobs, p->u.file);
}

void upload_push_close(struct upload_push *p)
{
	if (!p)
		return;
	blob_close(p->fd);
	if (!p->finished)
		discard(p);
	hold_drop(p->hold);
	free(p);
}
