/*
 * chunk_complete.c - the last byte of a chunk is durable: compare with a complete one, set the bit, finish what is whole.
 */
#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

static enum err same_bytes(struct house *h, const struct session *s, const struct upload *u, const struct chunk *c, bool *equal)
{
	int mine, theirs;
	*equal = false;
	if (c->length != u->offset)
		return ERR_OK;
	enum err e = blob_open(h->blobs, u->file, false, &mine);
	if (e == ERR_NOT_FOUND)
		return u->offset == 0 ? (*equal = true, ERR_OK) : ERR_AGAIN;
	if (e)
		return e;
	e = chunk_open(h, s, c, &theirs);
	if (!e) {
		e = blob_equal(mine, u->base, theirs, c->base, c->length, equal);
		blob_close(theirs);
	}
	blob_close(mine);
	/* A complete chunk whose bytes cannot be found is replaced by ours. */
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

bool session_is_quick(const struct house *h, const struct session *s)
{
	return plan_constant_time(s) && blobs_same_device(h->blobs);
}

void session_finish_soon(struct house *h, int64_t n, bool quick, int64_t *later)
{
	if (!quick) {
		*later = n;
		return;
	}
	*later = digest_is_wanted(h) ? n : 0;
	enum err e = session_finish(h, n);
	if (e)
		log_event(LOG_ERROR, "upload", "finishing failed, will be retried", "session", LI(n), "reason", LS(err_code(e)), NULL);
}

enum err chunk_complete(struct house *h, struct arena *a, const struct upload *u, int64_t length, int64_t *finish_session, bool *equal)
{
	struct session s;
	struct chunk have;
	struct upload full = *u;
	struct chunk_ended ended = {0};
	int64_t now = clock_now();

	*equal = false;
	enum err e = store_session_by_n(h->db, a, u->session, &s);
	if (e)
		return e;
	full.offset = length;
	e = store_chunk_get(h->db, u->session, u->idx, &have);
	if (!e)
		e = same_bytes(h, &s, &full, &have, equal);
	else if (e == ERR_NOT_FOUND)
		e = ERR_OK;
	if (e)
		return e;
	struct chunk_end end = {.upload = u->n, .old = u->offset, .length = length, .equal = *equal, .max_size = h->cfg->tus_max_size, .now = now, .expires = now + h->cfg->expiration};
	e = store_chunk_done(h->db, &end, &ended);
	if (e)
		return e;
	metrics_add(h->metrics, M_UPLOADS_COMPLETED, 1);
	if (ended.old_file)
		blob_remove(h->blobs, ended.old_file);
	if (ended.finishing)
		session_finish_soon(h, ended.session, ended.constant_time, finish_session);
	return ERR_OK;
}
