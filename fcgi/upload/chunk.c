/*
 * chunk.c - one chunk of a recording: find it, give it a row to fill, complete it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

#define TAKES_MAX 16
#define RESERVE_TRIES 10
#define COMPARE_BUFFER (64 << 10)

enum err chunk_open(struct house *h, const struct session *s, const struct chunk *c, int *fd)
{
	bool published = (s->state == SESSION_COMPLETE || s->state == SESSION_RECOVERED) && c->file == s->file;
	if (published && s->out_name)
		return blob_done_open(h->blobs, s->sid, s->out_name, fd);
	return blob_open(h->blobs, c->file, false, fd);
}

static bool session_expired(const struct session *s)
{
	return s->state == SESSION_RECEIVING && s->expires > 0 && s->expires <= clock_now();
}

enum err chunk_find(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk_view *v)
{
	int found;
	memset(v, 0, sizeof *v);
	enum err e = store_session_takes(h->db, a, sid, &v->s, 1, &found);
	if (e)
		return e;
	if (v->s.state == SESSION_GONE || session_expired(&v->s))
		return ERR_GONE;
	e = store_chunk_upload(h->db, a, v->s.n, idx, &v->u);
	if (e && e != ERR_NOT_FOUND)
		return e;
	v->open = e == ERR_OK;
	e = store_chunk_get(h->db, v->s.n, idx, &v->c);
	if (e && e != ERR_NOT_FOUND)
		return e;
	v->done = e == ERR_OK;
	return v->open || v->done ? ERR_OK : ERR_NOT_FOUND;
}

enum err chunk_verify(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk *c)
{
	struct session takes[TAKES_MAX];
	int found;
	enum err e = store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found);
	for (int i = 0; !e && i < found; i++) {
		e = store_chunk_get(h->db, takes[i].n, idx, c);
		if (e != ERR_NOT_FOUND)
			return e;
		e = ERR_OK;
	}
	return e ? e : ERR_NOT_FOUND;
}

static enum err session_reopen(struct house *h, struct arena *a, int64_t n)
{
	struct hold *hold;
	struct session s;
	struct recording r;
	int64_t now = clock_now();
	enum err e = hold_take(h->holds, HOLD_SESSION(n), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	e = store_session_by_n(h->db, a, n, &s);
	if (!e && (s.state == SESSION_COMPLETE || s.state == SESSION_RECOVERED)) {
		e = store_recording_of_session(h->db, a, n, &r);
		if (!e)
			e = blob_unpublish(h->blobs, r.sid, r.disk, s.file);
		if (!e)
			e = store_session_reopened(h->db, n, now, now + h->cfg->expiration);
		if (!e)
			log_event(LOG_INFO, "upload", "session goes on", "sid", LS(s.sid), "take", LI(s.take), NULL);
	}
	hold_drop(hold);
	return e;
}

static void want_of(struct house *h, const struct chunk_cmd *cmd, struct chunk_want *w)
{
	int64_t now = clock_now();
	*w = (struct chunk_want){.sid = cmd->sid, .owner = cmd->owner, .take = cmd->take, .chunk_size = cmd->chunk_size, .name = cmd->name,
		.format = cmd->format, .client_meta = cmd->client_meta, .idx = cmd->idx, .length = cmd->length, .meta = cmd->meta,
		.max_chunks = h->cfg->max_chunks, .max_size = h->cfg->tus_max_size, .now = now,
		/* A session without a byte is soon forgotten; bytes prolong it. */
		.expires = now + h->cfg->abandoned_after};
}

enum err session_open(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct session *out)
{
	struct chunk_want w;
	int found;
	enum err e = store_session_takes(h->db, a, cmd->sid, out, 1, &found);
	if (e != ERR_NOT_FOUND)
		return e ? e : ERR_CONFLICT;
	e = space_check(h, 0);
	if (e)
		return e;
	want_of(h, cmd, &w);
	return store_session_create(h->db, a, &w, out);
}

/* A reservation on its way: the row it holds, if any. */
struct reserving {
	struct house *h;
	struct source *body;
	struct hold *hold;
};

static void let_go(struct reserving *r)
{
	if (r->hold)
		hold_drop(r->hold);
	r->hold = NULL;
}

/* A new row is held before it can be seen: else a rival could take it, and its file, between the commit and our hold. */
static enum err hold_new(void *arg, int64_t n)
{
	struct reserving *r = arg;
	let_go(r);
	return hold_take(r->h->holds, HOLD_UPLOAD(n), r->body, HOLD_NO_OFFSET, false, 0, &r->hold, NULL);
}

/* One more obstacle out of the way: a finished take to reopen, or an unfinished row that somebody else may hold. */
static enum err clear_way(struct reserving *r, struct arena *a, const struct chunk_reserved *out, int64_t *held)
{
	bool asked = false;
	if (out->reopen)
		return session_reopen(r->h, a, out->reopen);
	let_go(r);
	*held = 0;
	enum err e = hold_take(r->h->holds, HOLD_UPLOAD(out->u.n), r->body, HOLD_NO_OFFSET, true, (int)r->h->cfg->lock_wait_ms, &r->hold, &asked);
	if (e)
		return e;
	if (asked)
		metrics_add(r->h->metrics, M_HANDOVERS, 1);
	*held = out->u.n;
	return ERR_OK;
}

/* The chunk's take is being finished, which is mostly a matter of milliseconds. ERR_AGAIN: it was. */
static enum err await_take(struct house *h, struct arena *a, const char *sid)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	int found;
	enum err e = takes ? store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++)
		if (takes[i].state == SESSION_FINISHING)
			/* Why it fails is nothing to tell a chunk. */
			return session_await(h, takes[i].n) ? ERR_LOCKED : ERR_AGAIN;
	return e ? e : ERR_LOCKED;
}

enum err chunk_reserve(struct house *h, struct arena *a, const struct chunk_cmd *cmd, int64_t spool, bool full, struct source *body,
	struct chunk_reserved *out, struct hold **hold)
{
	struct reserving r = {.h = h, .body = body};
	struct chunk_want w;
	enum err e = ERR_AGAIN;
	bool awaited = false;

	want_of(h, cmd, &w);
	w.spool = spool;
	w.full = full;
	w.on_new = hold_new;
	w.arg = &r;
	for (int tries = 0; e == ERR_AGAIN && tries < RESERVE_TRIES; tries++) {
		memset(out, 0, sizeof *out);
		e = store_chunk_reserve(h->db, a, &w, out);
		if (e == ERR_AGAIN && (out->reopen || out->u.n)) {
			enum err blocked = clear_way(&r, a, out, &w.held);
			if (blocked)
				e = blocked;
		} else if (e == ERR_LOCKED && !awaited) {
			/* Who finishes it may be waiting for what we hold. */
			let_go(&r);
			w.held = 0;
			e = await_take(h, a, cmd->sid);
			awaited = true;
		}
	}
	if (e)
		let_go(&r);
	*hold = r.hold;
	if (e)
		return e == ERR_AGAIN ? ERR_LOCKED : e;
	metrics_add(h->metrics, M_UPLOADS_TOTAL, 1);
	if (out->old_file)
		blob_remove(h->blobs, out->old_file);
	return ERR_OK;
}

enum err chunk_create(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct upload *u)
{
	struct chunk_reserved r;
	struct hold *hold;
	enum err e = plan_create(cmd->length, h->cfg->max_chunk_size);
	if (!e)
		e = space_check(h, cmd->length);
	if (!e)
		e = chunk_reserve(h, a, cmd, 0, true, NULL, &r, &hold);
	if (e)
		return e;
	*u = r.u;
	if (cmd->length == 0) {
		int64_t later = 0;
		bool equal;
		e = chunk_complete(h, a, u, 0, &later, &equal);
		if (!e && later)
			e = session_finish(h, later);
	}
	hold_drop(hold);
	return e;
}

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

void session_finish_soon(struct house *h, int64_t n, bool constant_time, int64_t *later)
{
	if (!constant_time || !blobs_same_device(h->blobs)) {
		*later = n;
		return;
	}
	*later = 0;
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
	struct chunk_end end = {.upload = u->n, .old = u->offset, .length = length, .equal = *equal, .now = now, .expires = now + h->cfg->expiration};
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

/* Compares one piece; false when it differs or the file ends. */
static bool same_piece(int fd, const unsigned char *p, size_t n, int64_t at, unsigned char *mine)
{
	size_t have = 0;
	while (have < n) {
		ssize_t got = blob_read(fd, mine + have, n - have, at + (int64_t)have);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return memcmp(p, mine, n) == 0;
}

static enum err compare_body(int fd, const struct chunk *c, int64_t offset, struct source *body, unsigned char *buf, int64_t *after)
{
	int64_t at = offset;
	for (;;) {
		ssize_t got = body->read(body, buf, COMPARE_BUFFER);
		if (got < 0)
			return ERR_CUT;
		if (got == 0)
			break;
		if (at + got > c->length)
			return ERR_TOO_LARGE;
		if (!same_piece(fd, buf, (size_t)got, c->base + at, buf + COMPARE_BUFFER))
			return ERR_OFFSET;
		at += got;
	}
	*after = at;
	return ERR_OK;
}

enum err chunk_compare(struct house *h, struct arena *a, const struct chunk_view *v, int64_t offset, struct source *body, int64_t *after)
{
	int fd;
	(void)a;
	*after = v->c.length;
	if (offset > v->c.length)
		return ERR_OFFSET;
	if (body->length == 0) {
		*after = offset;
		return offset == v->c.length ? ERR_OK : ERR_OFFSET;
	}
	enum err e = chunk_open(h, &v->s, &v->c, &fd);
	if (e)
		return e;
	unsigned char *buf = malloc(2 * COMPARE_BUFFER);
	e = buf ? compare_body(fd, &v->c, offset, body, buf, after) : ERR_NOMEM;
	free(buf);
	blob_close(fd);
	return e;
}

enum err chunk_remove(struct house *h, struct arena *a, const struct chunk_view *v)
{
	struct hold *hold;
	int64_t file = 0;
	(void)a;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(v->u.n), NULL, HOLD_NO_OFFSET, true, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	e = store_chunk_drop(h->db, v->u.n, &file);
	if (!e) {
		metrics_add(h->metrics, M_UPLOADS_FAILED, 1);
		if (file)
			blob_remove(h->blobs, file);
	}
	hold_drop(hold);
	return e;
}
