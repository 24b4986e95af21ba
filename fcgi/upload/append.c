/*
 * append.c - one PATCH: hold, load, plan, write, sync, move the row.
 */
#include "base/clock.h"
#include "upload/append.h"

/* With its bytes it lives on, unless the operator gave it one term from the beginning. A session's always slides. */
static int64_t expiry_next(const struct house *h, const struct upload *u)
{
	if (u->kind == UPLOAD_WHOLE && h->cfg->expiration_mode == EXPIRATION_ABSOLUTE)
		return u->expires;
	return plan_expiry(clock_now(), h->cfg->expiration, u->expires);
}

enum err append_move(struct append *ap, int64_t offset, bool writing, bool interrupted)
{
	int64_t expires = expiry_next(ap->h, &ap->u);
	struct upload_move m = {.n = ap->u.n, .old = ap->at, .offset = offset, .writing = writing, .now = clock_now(), .expires = expires,
		.resumed = ap->resumed && offset > ap->at, .interrupted = interrupted, .make_explicit = ap->end != END_AT_LENGTH};
	m.full = ap->u.is_explicit || m.make_explicit;
	enum err e = store_upload_move(ap->h->db, &m);
	if (e)
		return e;
	metrics_add(ap->h->metrics, M_BYTES_RECEIVED, offset - ap->at);
	ap->at = offset;
	ap->resumed = ap->resumed && !m.resumed;
	ap->u.expires = expires;
	ap->out->offset = offset;
	ap->out->expires = expires;
	return ERR_OK;
}

/* The row stays where it is: at its length it would be a complete upload that nobody completes, should this process die now. */
static enum err append_say_resumed(struct append *ap)
{
	struct upload_move m = {.n = ap->u.n, .old = ap->at, .offset = ap->at, .writing = true, .now = clock_now(), .expires = -1, .resumed = true};
	enum err e = store_upload_move(ap->h->db, &m);
	ap->resumed = ap->resumed && e;
	return e;
}

static enum err append_publish(void *arg, int64_t stored)
{
	struct append *ap = arg;
	/* At its length it would be complete but for the word of a client who has said it already, should this process die now. */
	if (ap->end == END_WITH_BODY && ap->u.offset + stored == ap->plan.length)
		return ERR_OK;
	return append_move(ap, ap->u.offset + stored, true, false);
}

enum err append_allowed(struct append *ap)
{
	if (ap->u.kind != UPLOAD_CHUNK)
		return ap->u.state == UPLOAD_OPEN || ap->u.offset == ap->u.length ? ERR_OK : ERR_GONE;
	struct session s;
	enum err e = store_session_by_n(ap->h->db, ap->a, ap->u.session, &s);
	if (e)
		return e;
	if (s.state == SESSION_FINISHING)
		return ERR_LOCKED;
	if (s.state == SESSION_GONE)
		return ERR_GONE;
	/* Expiry is the session's. */
	ap->u.expires = ap->out->expires = s.expires;
	return s.state == SESSION_RECEIVING || ap->u.file != s.file ? ERR_OK : ERR_AGAIN;
}

/* Why a body ended before its end, if it did. */
static enum err append_reason(const struct append *ap, const struct poured *got)
{
	if (got->err)
		return got->err;
	if (got->displaced)
		return __atomic_load_n(&ap->h->stopping, __ATOMIC_RELAXED) ? ERR_STOPPING : ERR_DISPLACED;
	return got->cut ? ERR_CUT : ERR_OK;
}

/* Only what is wanted as it came may give a deferred upload its length, so a checked body gives it at its end. */
static enum err append_length(struct append *ap)
{
	enum err e = ap->plan.set_length ? store_upload_length(ap->h->db, ap->u.n, ap->plan.length) : ERR_OK;
	if (e)
		return e;
	ap->plan.set_length = false;
	ap->u.length = ap->out->length = ap->plan.length;
	return ERR_OK;
}

/* Of a checked body that was cut, displaced, too slow, too long or had no room nothing counts, and neither does one that does not match: the row stays, and
 * what was written beyond it is scrap. A match proves an end that nothing else does. */
static enum err append_judge(struct append *ap, struct poured *got, struct digest_check *check)
{
	enum err reason = append_reason(ap, got);
	if (!reason && got->over)
		reason = ERR_TOO_LARGE;
	if (reason) {
		digest_check_drop(check);
		return reason;
	}
	enum err e = digest_check_end(check);
	got->proven |= !e;
	return e ? e : append_length(ap);
}

/* Whether that was the last of it. A body that was the last one by the client's word may have ended only where it says, too. */
static bool append_ends(struct append *ap, const struct poured *got, int64_t end)
{
	if (ap->end == END_NEVER || got->err)
		return false;
	if (ap->end == END_WITH_BODY && ap->plan.length == LENGTH_UNKNOWN && got->proven && !got->cut && !got->displaced)
		ap->plan.length = end;
	return ap->plan.length != LENGTH_UNKNOWN && end == ap->plan.length;
}

/* The body has ended somehow; what is stored becomes the row's, and the first reason to say no is returned. */
static enum err append_settle(struct append *ap, const struct poured *got)
{
	int64_t end = ap->u.offset + got->stored;
	enum err reason = append_reason(ap, got), e = ERR_OK;
	bool whole;

	ap->out->proven = got->proven;
	/* A body that passes the length is wrong as a whole: it must not complete the upload. */
	if (got->over)
		return ERR_TOO_LARGE;
	if (got->displaced && got->leave_row)
		return reason;
	whole = append_ends(ap, got, end);
	/* What comes next says only that it is complete. */
	if (whole && ap->resumed && end > ap->at)
		e = append_say_resumed(ap);
	if (whole)
		return e ? e : append_complete(ap);
	bool kept = end > ap->u.offset;
	if (end != ap->at || ap->u.writing || (reason && kept))
		e = append_move(ap, end, reason != ERR_OK, reason && kept);
	if (!e && !reason && ap->end == END_WITH_BODY)
		e = got->proven ? ERR_INVALID : ERR_CUT;
	return e ? e : reason;
}

/* What was reserved before, at creation or by an earlier request, is there. What is not is taken as by everybody: not from what is kept free. Where that
 * fails, what fits is kept as ever. */
static bool append_reserved(const struct append *ap, const struct pour *p)
{
	bool reserved = false;
	if (!ap->h->cfg->reserve_space || ap->plan.length == LENGTH_UNKNOWN)
		return false;
	if (space_check(ap->h, p->room) != ERR_OK)
		return blob_reserved(p->fd, p->at, p->room);
	return blob_reserve(p->fd, p->at, p->room, &reserved) == ERR_OK && reserved;
}

static enum err append_pour(struct append *ap, struct source *body, struct hold *hold)
{
	struct pour p = {.h = ap->h, .at = ap->plan.at, .room = ap->plan.room, .body = body, .hold = hold,
		.buffer = (size_t)ap->h->cfg->stream_buffer, .row_offset = ap->u.offset, .arg = ap};
	struct poured got = {0};
	struct digest_check check;
	enum err e = digest_check_begin(&check, ap->wants);
	if (e)
		return e;
	e = blob_open(ap->h->blobs, ap->u.file, true, &p.fd);
	if (e) {
		digest_check_drop(&check);
		return e;
	}
	if (ap->wants->n)
		p.check = &check;
	else
		p.publish = append_publish;
	p.reserved = append_reserved(ap, &p);
	pour_body(&p, &got);
	blob_close(p.fd);
	if (p.check)
		e = append_judge(ap, &got, &check);
	return e ? e : append_settle(ap, &got);
}

/* The body is empty, or there is no room for a single byte: the upload has its length, and the body must be empty. An empty last body is the length if none is known. */
static enum err append_nothing(struct append *ap, struct source *body)
{
	unsigned char byte;
	ssize_t got = body->length == 0 ? 0 : body->read(body, &byte, 1);
	if (got > 0)
		return ERR_TOO_LARGE;
	if (got < 0 && (ap->wants->n || ap->end != END_AT_LENGTH))
		return ERR_CUT;
	enum err e = digest_check_bytes(ap->wants, "", 0);
	if (!e)
		e = append_length(ap);
	if (e || ap->plan.room > 0 || ap->end == END_NEVER)
		return e;
	ap->out->proven = true;
	if (ap->end == END_WITH_BODY && ap->plan.length == LENGTH_UNKNOWN)
		ap->plan.length = ap->u.offset;
	return ap->u.offset == ap->plan.length ? append_complete(ap) : ERR_TOO_LARGE;
}

/* Told only that it has its length, the row would say no more than that: whoever comes by would complete it, against its client's word. */
static enum err append_goes_on(struct append *ap)
{
	bool full = ap->end == END_NEVER && ap->plan.length == ap->u.offset;
	return full && ap->u.state == UPLOAD_OPEN && !ap->u.is_explicit ? append_move(ap, ap->at, ap->u.writing, false) : ERR_OK;
}

static enum err append_held(struct append *ap, const struct append_cmd *cmd, struct source *body, struct hold *hold)
{
	enum err e = append_allowed(ap);
	if (!e)
		e = plan_append(&ap->u, cmd, &ap->plan);
	if (!e)
		e = append_goes_on(ap);
	if (!e && cmd->wants.n == 0)
		e = append_length(ap);
	if (e)
		return e;
	ap->resumed = ap->u.writing && ap->u.offset > 0 && body->length != 0;
	if (ap->resumed)
		metrics_add(ap->h->metrics, M_RESUME_COUNT, 1);
	return ap->plan.room == 0 || body->length == 0 ? append_nothing(ap, body) : append_pour(ap, body, hold);
}

enum err upload_append(struct house *h, struct arena *a, int64_t n, const struct append_cmd *cmd, struct source *body, struct append_out *out)
{
	struct append ap = {.h = h, .a = a, .out = out, .end = cmd->end, .wants = &cmd->wants, .tell = cmd->tell};
	struct hold *hold;
	bool asked = false;

	*out = (struct append_out){.offset = -1, .length = LENGTH_UNKNOWN};
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), body, cmd->offset, true, (int)h->cfg->lock_wait_ms, &hold, &asked);
	if (e)
		return e;
	if (asked)
		metrics_add(h->metrics, M_HANDOVERS, 1);
	e = store_upload_by_n(h->db, a, n, &ap.u);
	if (e == ERR_NOT_FOUND)
		e = ERR_AGAIN;
	if (!e) {
		ap.at = out->offset = ap.u.offset;
		out->length = ap.u.length;
		out->expires = ap.u.expires;
		out->complete = ap.u.state == UPLOAD_FINISHING || ap.u.state == UPLOAD_COMPLETE;
		e = append_held(&ap, cmd, body, hold);
	}
	if (e == ERR_DISPLACED && hold_ping_pong(hold))
		e = ERR_LOCKED;
	hold_drop(hold);
	return e;
}
