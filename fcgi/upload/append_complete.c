/*
 * append_complete.c - the last byte is there: whether the whole is what it must be, and what becomes of it.
 */
#include "base/clock.h"
#include "base/log.h"
#include "upload/append.h"

/* Bytes that are not what their client said at the beginning are nobody's: no further append could make them right. */
static enum err append_unwanted(struct append *ap)
{
	struct upload u = ap->u;
	enum err e = upload_gone_held(ap->h, ap->a, &u, false);
	log_event(LOG_WARN, "upload", "an upload has not the digest that its creator announced", "id", LS(u.id), "reason", LS(err_code(e)), NULL);
	*ap->out = (struct append_out){.offset = -1, .length = LENGTH_UNKNOWN};
	return e ? e : ERR_CHECKSUM;
}

/* All bytes are there, but whether they are right could not be found out now: who completes it later finds out. */
static enum err append_postpone(struct append *ap, enum err why)
{
	enum err e = ap->plan.length > ap->at ? append_move(ap, ap->plan.length, true, true) : ERR_OK;
	return e ? e : why;
}

static enum err complete_whole(struct append *ap)
{
	const char *sha256;
	struct digest_want told;
	enum err e = whole_check(ap->h, ap->a, &ap->u, ap->plan.length, ap->tell, &told, &sha256);
	if (e)
		return e == ERR_CHECKSUM ? append_unwanted(ap) : append_postpone(ap, e);
	e = store_upload_closing(ap->h->db, ap->u.n, ap->at, ap->plan.length, clock_now());
	if (e)
		return e;
	metrics_add(ap->h->metrics, M_UPLOADS_COMPLETED, 1);
	ap->u.length = ap->u.offset = ap->plan.length;
	ap->out->told = told;
	if (ap->u.concat == CONCAT_PARTIAL) {
		ap->out->finish_upload = ap->u.n;
		return ERR_OK;
	}
	ap->u.state = UPLOAD_FINISHING;
	if (!blobs_same_device(ap->h->blobs)) {
		ap->out->finish_upload = ap->u.n;
		return ERR_OK;
	}
	/* Every byte is durable and the row says so: what fails now is done again by the reaper, and the client need not know. */
	e = upload_finish_held(ap->h, ap->a, &ap->u, sha256);
	/* Unless it was told just now. */
	if (digest_is_wanted(ap->h) && !sha256)
		ap->out->finish_upload = ap->u.n;
	if (e)
		log_event(LOG_ERROR, "upload", "finishing failed, will be retried", "upload", LI(ap->u.n), "reason", LS(err_code(e)), NULL);
	return ERR_OK;
}

enum err append_complete(struct append *ap)
{
	enum err e;
	bool equal;
	if (ap->u.state != UPLOAD_OPEN)
		e = ERR_OK;
	else if (ap->u.kind == UPLOAD_WHOLE)
		e = complete_whole(ap);
	else {
		struct upload u = ap->u;
		u.offset = ap->at;
		e = chunk_complete(ap->h, ap->a, &u, ap->plan.length, &ap->out->finish_session, &equal);
		if (!e)
			metrics_add(ap->h->metrics, M_CHUNKS_TUS, 1);
	}
	if (e)
		return e;
	metrics_add(ap->h->metrics, M_BYTES_RECEIVED, ap->plan.length - ap->at);
	ap->out->complete = true;
	/* A part that no final upload took is nobody's in the end. */
	if (ap->u.concat != CONCAT_PARTIAL)
		ap->out->expires = 0;
	ap->out->offset = ap->out->length = ap->plan.length;
	return ERR_OK;
}

enum err upload_end_full(struct house *h, struct arena *a, int64_t n, struct append_out *out)
{
	struct append ap = {.h = h, .a = a, .out = out};
	struct hold *hold;
	*out = (struct append_out){.offset = -1, .length = LENGTH_UNKNOWN};
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = store_upload_by_n(h->db, a, n, &ap.u);
	if (!e && ap.u.state == UPLOAD_OPEN && ap.u.offset == ap.u.length) {
		ap.at = ap.plan.length = ap.u.length;
		e = append_allowed(&ap);
		if (!e)
			e = append_complete(&ap);
	}
	hold_drop(hold);
	return e;
}
