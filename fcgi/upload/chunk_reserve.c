/*
 * chunk_reserve.c - a chunk gets its row: obstacles are cleared, and the row is held before anybody can see it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

#define TAKES_MAX 16
#define RESERVE_TRIES 10

/* Its finished file becomes its part file again. No row names that yet, so it is held: to the reaper it is an orphan. */
static enum err reopen_held(struct house *h, struct arena *a, const struct session *s)
{
	struct hold *making;
	struct recording r;
	int64_t now = clock_now();
	enum err e = hold_take(h->holds, HOLD_FILE(s->file), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &making, NULL);
	if (e)
		return e;
	e = store_recording_of_session(h->db, a, s->n, &r);
	if (!e)
		e = blob_unpublish(h->blobs, r.sid, r.disk, s->file);
	if (!e)
		e = store_session_reopened(h->db, s->n, now, now + h->cfg->expiration);
	hold_drop(making);
	return e;
}

static enum err session_reopen(struct house *h, struct arena *a, int64_t n)
{
	struct hold *hold;
	struct session s;
	enum err e = hold_take(h->holds, HOLD_SESSION(n), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	e = store_session_by_n(h->db, a, n, &s);
	if (!e && (s.state == SESSION_COMPLETE || s.state == SESSION_RECOVERED)) {
		e = reopen_held(h, a, &s);
		if (!e)
			log_event(LOG_INFO, "upload", "session goes on", "sid", LS(s.sid), "take", LI(s.take), NULL);
	}
	hold_drop(hold);
	return e;
}

static void want_of(struct house *h, const struct chunk_cmd *cmd, struct chunk_want *w)
{
	int64_t now = clock_now();
	*w = (struct chunk_want){.sid = cmd->sid, .owner = cmd->owner, .any_owner = cmd->any_owner, .only_new = cmd->only_new,
		.take = cmd->take, .chunk_size = cmd->chunk_size, .name = cmd->name, .format = cmd->format, .client_meta = cmd->client_meta, .idx = cmd->idx, .length = cmd->length, .meta = cmd->meta,
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
	e = space_begin(h, 0);
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
	enum err e;
	if (out->reopen) {
		e = session_reopen(r->h, a, out->reopen);
		/* It was deleted meanwhile: the next look finds no such take. */
		return e == ERR_NOT_FOUND || e == ERR_GONE ? ERR_OK : e;
	}
	let_go(r);
	*held = 0;
	e = hold_take(r->h->holds, HOLD_UPLOAD(out->u.n), r->body, HOLD_NO_OFFSET, true, (int)r->h->cfg->lock_wait_ms, &r->hold, &asked);
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
	bool long_work;
	enum err e = takes ? store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++)
		if (takes[i].state == SESSION_FINISHING)
			/* Why it fails is nothing to tell a chunk. */
			return session_await(h, a, takes[i].n, &long_work) || long_work ? ERR_LOCKED : ERR_AGAIN;
	return e ? e : ERR_LOCKED;
}

/* A recording that is not there yet begins with its first chunk. */
static enum err may_begin(struct house *h, struct arena *a, const char *sid)
{
	struct session s;
	int found;
	enum err e = space_begin(h, 0);
	if (e != ERR_NO_SPACE)
		return e;
	return store_session_takes(h->db, a, sid, &s, 1, &found) == ERR_NOT_FOUND ? ERR_NO_SPACE : ERR_OK;
}

enum err chunk_reserve(struct house *h, struct arena *a, const struct chunk_cmd *cmd, int64_t spool, bool full, struct source *body,
	struct chunk_reserved *out, struct hold **hold)
{
	struct reserving r = {.h = h, .body = body};
	struct chunk_want w;
	enum err e = may_begin(h, a, cmd->sid);
	bool awaited = false;

	if (e)
		return e;
	e = ERR_AGAIN;
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

enum err chunk_create(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct upload *u, int64_t *finish_session)
{
	struct chunk_reserved r;
	struct hold *hold;
	bool equal;
	*finish_session = 0;
	enum err e = plan_create(cmd->length, h->cfg->max_chunk_size);
	if (!e)
		e = space_check(h, cmd->length);
	if (!e)
		e = chunk_reserve(h, a, cmd, 0, true, NULL, &r, &hold);
	if (e)
		return e;
	*u = r.u;
	/* Expiry is the session's. */
	u->expires = r.s.expires;
	if (cmd->length == 0)
		e = chunk_complete(h, a, u, 0, finish_session, &equal);
	hold_drop(hold);
	return e;
}
