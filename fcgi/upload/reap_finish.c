/*
 * reap_finish.c - completing and finishing that was interrupted: run again, or given up where acknowledged bytes are missing for good.
 */
#include <unistd.h>

#include "base/log.h"
#include "upload/reap.h"

/* Size of the finished file that the part file may have become already. */
static enum err published_size(struct house *h, const char *sid, const char *disk, int64_t *size)
{
	int fd;
	enum err e = disk ? blob_done_open(h->blobs, sid, disk, &fd) : ERR_NOT_FOUND;
	if (e)
		return e;
	*size = lseek(fd, 0, SEEK_END);
	blob_close(fd);
	return *size < 0 ? ERR_INTERNAL : ERR_OK;
}

/* ---- sessions ---- */

static enum err file_size(struct house *h, const struct session *s, int64_t file, int64_t *size)
{
	enum err e = blob_size(h->blobs, file, size);
	if (e == ERR_NOT_FOUND && file == s->file)
		e = published_size(h, s->sid, s->out_name, size);
	if (e == ERR_NOT_FOUND)
		*size = 0;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err session_bytes_missing(struct house *h, const struct session *s, bool *missing)
{
	struct chunk page[64];
	int64_t from = 0, bytes = 0, file = -1, size = 0;
	int found = 64;
	enum err e = ERR_OK;
	*missing = false;
	while (!e && !*missing && found == 64) {
		e = store_chunks(h->db, s->n, from, page, 64, &found);
		for (int i = 0; !e && !*missing && i < found; i++) {
			const struct chunk *c = &page[i];
			from = c->idx + 1;
			bytes += c->length;
			if (c->length > 0 && c->file != file)
				e = file_size(h, s, file = c->file, &size);
			*missing = !e && c->length > 0 && size < c->base + c->length;
		}
	}
	if (!e && !*missing)
		*missing = bytes != s->bytes;
	return e;
}

/* It is for the operator now, and chunks that come again begin a new take. */
static enum err give_up_session(struct house *h, struct arena *a, int64_t n)
{
	struct hold *hold;
	struct session s;
	bool missing = false;
	enum err e = hold_take(h->holds, HOLD_SESSION(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = store_session_by_n(h->db, a, n, &s);
	if (!e && s.state == SESSION_FINISHING)
		e = session_bytes_missing(h, &s, &missing);
	if (!e && missing)
		e = store_session_failed(h->db, n, true);
	if (!e && missing)
		log_event(LOG_ERROR, "reap", "a recording cannot be finished: acknowledged bytes are missing", "sid", LS(s.sid), "take", LI(s.take), "row", LI(n), NULL);
	hold_drop(hold);
	return e;
}

enum err reap_finish_session(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	enum err e = session_finish(h, n);
	count->finished += !e;
	if (e == ERR_NOT_FOUND || e == ERR_INTERNAL)
		give_up_session(h, a, n);
	return e;
}

/* ---- whole uploads ---- */

enum err upload_bytes_missing(struct house *h, struct arena *a, const struct upload *u, bool *missing)
{
	int64_t size = 0;
	enum err e = blob_size(h->blobs, u->file, &size);
	if (e == ERR_NOT_FOUND)
		e = published_size(h, u->id, upload_disk(a, u), &size);
	*missing = e == ERR_NOT_FOUND || (!e && size < u->length);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

/* The row stays as it is for the operator, and for a client that asks; only nobody tries again. */
static enum err give_up_upload(struct house *h, struct arena *a, int64_t n)
{
	struct hold *hold;
	struct upload u;
	bool missing = false;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = store_upload_by_n(h->db, a, n, &u);
	if (!e && u.state == UPLOAD_FINISHING)
		e = upload_bytes_missing(h, a, &u, &missing);
	if (!e && missing)
		e = store_upload_failed(h->db, n, true);
	if (!e && missing)
		log_event(LOG_ERROR, "reap", "an upload cannot be finished: acknowledged bytes are missing", "id", LS(u.id), "row", LI(n), NULL);
	hold_drop(hold);
	return e;
}

enum err reap_finish_upload(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	enum err e = upload_finish(h, n);
	count->finished += !e;
	if (e == ERR_NOT_FOUND || e == ERR_INTERNAL)
		give_up_upload(h, a, n);
	return e;
}

/* ---- finished without a digest ---- */

enum err reap_digest(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	(void)a, (void)count;
	enum err e = recording_digest(h, n);
	/* It is not there any more, or its file is lost, which others say; or we end. */
	return e == ERR_NOT_FOUND || e == ERR_STOPPING ? ERR_OK : e;
}

/* ---- complete but for the word ---- */

enum err reap_full(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	struct append_out out;
	enum err e = upload_end_full(h, a, n, &out);
	/* It has not what its creator announced, and is gone. */
	if (e == ERR_CHECKSUM)
		return ERR_OK;
	if (!e && out.finish_upload)
		e = upload_finish(h, out.finish_upload);
	if (!e && out.finish_session)
		e = session_finish(h, out.finish_session);
	count->finished += !e && out.complete;
	return e;
}
