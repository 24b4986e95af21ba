/*
 * session.c - a recording as a whole: complete, cancel, look at.
 */
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

#define TAKES_MAX 16

/* ---- completing ---- */

/* Which take a completion means: the manual upload's, or the newest other one. */
static struct session *take_for(struct session *takes, int n, bool manual)
{
	for (int i = 0; i < n; i++)
		if (takes[i].state != SESSION_GONE && (takes[i].kind == SESSION_MANUAL) == manual)
			return &takes[i];
	for (int i = 0; i < n; i++)
		if (takes[i].state != SESSION_GONE)
			return &takes[i];
	return NULL;
}

static enum err missing_of(struct house *h, const struct session *s, int64_t total, struct complete_out *out)
{
	int max = (int)(sizeof out->missing / sizeof *out->missing);
	enum err e = store_session_missing(h->db, s->n, total, out->missing, max, &out->nmissing, &out->missing_count);
	return e ? e : ERR_CONFLICT;
}

static enum err complete_receiving(struct house *h, const struct complete_cmd *cmd, struct complete_out *out)
{
	struct session *s = &out->s;
	int64_t total = plan_total(s, cmd->total);
	if (!plan_whole(s, total))
		return missing_of(h, s, total, out);
	struct session_close c = {.n = s->n, .total = cmd->total, .name = cmd->name, .meta = cmd->meta, .goal = SESSION_COMPLETE, .now = clock_now(),
		.size_mismatch = cmd->file_size >= 0 && cmd->file_size != s->bytes};
	if (c.size_mismatch)
		log_event(LOG_WARN, "upload", "the client's size differs", "sid", LS(s->sid), "client", LI(cmd->file_size), "ours", LI(s->bytes), NULL);
	enum err e = store_session_close(h->db, &c);
	/* Bytes of a chunk behind the last complete one were acknowledged: it is what is missing. */
	if (e == ERR_CONFLICT)
		return missing_of(h, s, s->top + 1, out);
	if (!e)
		session_finish_soon(h, s->n, session_is_quick(h, s), &out->finish_session);
	return e;
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static enum err complete_again(struct house *h, struct arena *a, const struct complete_cmd *cmd, struct complete_out *out)
{
	struct session *s = &out->s;
	struct recording r, renamed;
	/* A recovered file may have stopped short of what the client knows it recorded. */
	if (cmd->total > s->top)
		return missing_of(h, s, cmd->total, out);
	enum err e = store_recording_of_session(h->db, a, s->n, &r);
	if (e)
		return e;
	out->already = true;
	out->file_name = r.name;
	if (s->state == SESSION_COMPLETE && (!cmd->name || same_text(cmd->name, r.name)))
		return ERR_OK;
	e = recording_rename(h, a, s, cmd->name ? cmd->name : r.name, cmd->meta, &renamed);
	if (!e)
		out->file_name = renamed.name;
	return e;
}

enum err session_wait(struct house *h, int64_t n)
{
	struct hold *hold;
	enum err e = hold_take(h->holds, HOLD_SESSION(n), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (!e)
		hold_drop(hold);
	return e;
}

enum err session_await(struct house *h, struct arena *a, int64_t n, bool *long_work)
{
	struct session s;
	*long_work = false;
	enum err e = session_wait(h, n);
	if (!e)
		e = store_session_by_n(h->db, a, n, &s);
	if (e)
		return e;
	*long_work = s.state == SESSION_FINISHING && !session_is_quick(h, &s);
	return *long_work ? ERR_OK : session_finish(h, n);
}

/* Another request has closed it. */
static enum err complete_finishing(struct house *h, struct arena *a, const struct complete_cmd *cmd, struct complete_out *out)
{
	bool long_work;
	enum err e = session_await(h, a, out->s.n, &long_work);
	if (e || !long_work)
		return e ? e : ERR_AGAIN;
	/* Under another name it comes once it is there. */
	if (cmd->name && !same_text(cmd->name, out->s.out_title))
		return ERR_LOCKED;
	out->finish_session = out->s.n;
	return ERR_OK;
}

static enum err complete_state(struct house *h, struct arena *a, const struct complete_cmd *cmd, struct complete_out *out)
{
	switch (out->s.state) {
	case SESSION_RECEIVING:
		return complete_receiving(h, cmd, out);
	case SESSION_COMPLETE:
	case SESSION_RECOVERED:
		return complete_again(h, a, cmd, out);
	case SESSION_FINISHING:
		return complete_finishing(h, a, cmd, out);
	case SESSION_FAILED:
		return ERR_INTERNAL;
	case SESSION_GONE:
		break;
	}
	return ERR_GONE;
}

enum err session_complete(struct house *h, struct arena *a, const struct complete_cmd *cmd, struct complete_out *out)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	enum err e = ERR_AGAIN;
	int found;
	if (!takes)
		return ERR_NOMEM;
	for (int tries = 0; e == ERR_AGAIN && tries < 4; tries++) {
		memset(out, 0, sizeof *out);
		e = store_session_takes(h->db, a, cmd->sid, takes, TAKES_MAX, &found);
		if (e)
			return e;
		struct session *s = take_for(takes, found, cmd->manual);
		if (!s)
			return ERR_GONE;
		out->s = *s;
		out->file_name = cmd->name;
		e = complete_state(h, a, cmd, out);
		/* It was closed or reopened between our look and our step. */
		if (e == ERR_OFFSET)
			e = ERR_AGAIN;
	}
	return e == ERR_AGAIN ? ERR_LOCKED : e;
}

enum err session_find(struct house *h, struct arena *a, const char *sid, struct session_view *v)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	int found;
	memset(v, 0, sizeof *v);
	v->missing = arena_alloc(a, SESSION_RANGES_MAX * sizeof *v->missing);
	if (!takes || !v->missing)
		return ERR_NOMEM;
	enum err e = store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found);
	if (e)
		return e;
	int i = 0;
	while (i < found && takes[i].state == SESSION_GONE)
		i++;
	if (i == found)
		return ERR_GONE;
	v->s = takes[i];
	v->total = plan_total(&v->s, 0);
	if (plan_whole(&v->s, v->total))
		return ERR_OK;
	return store_session_missing(h->db, v->s.n, v->total, v->missing, SESSION_RANGES_MAX, &v->nmissing, &v->missing_count);
}

/* ---- cancelling ---- */

/* A reopened take writes behind the bytes of its recording, into the same file: what was cancelled goes from there, too. Nobody writes any more. */
static void cut_back(struct house *h, int64_t n)
{
	struct recording r;
	struct arena *a = arena_open(64 << 10);
	if (a && store_recording_of_session(h->db, a, n, &r) == ERR_OK)
		finished_cut(h, a, &r);
	arena_close(a);
}

static enum err cancel_take(struct house *h, const struct session *s, bool finishing)
{
	struct writers w;
	struct file_list files = {0};
	int64_t file = 0;
	enum err e = writers_stop(h, s->n, true, &w);
	if (e)
		return e;
	int cut = w.n;
	e = file_list_session(h, s->n, &files);
	if (!e)
		e = finishing ? store_session_given_up(h->db, s->n, clock_now(), &file) : store_session_gone(h->db, s->n, clock_now(), true, false, &file);
	if (!e) {
		metrics_add(h->metrics, M_UPLOADS_FAILED, cut);
		if (file) {
			cut_back(h, s->n);
			file_list_add(&files, file);
			blob_copy_remove(h->blobs, file, s->sid);
		}
	} else {
		files.n = 0;
	}
	file_list_remove(h, &files);
	writers_release(&w);
	return e;
}

/* A finishing that waits for space waits for ever if the disk stays full: removing must work then. One that can succeed does so here, and is a finished
 * recording. Under the session's hold: nobody publishes a file of it meanwhile or afterwards. */
static enum err give_up_held(struct house *h, struct arena *a, const struct session *s, bool *cancelled)
{
	bool published = false;
	enum err e = session_finish_held(h, a, s->n);
	if (e != ERR_NO_SPACE && e != ERR_NOT_FOUND && e != ERR_INTERNAL)
		return e;
	/* A recording that is finished anew may have its new bytes already, be it since just now: what was finished is not given up. */
	struct session now;
	enum err seen = store_session_by_n(h->db, a, s->n, &now);
	if (!seen)
		seen = session_overtakes(h, a, &now, &published);
	if (seen || published)
		return e;
	e = cancel_take(h, s, true);
	*cancelled = !e;
	/* The file may have got its name, but no row. What stays of it is the reaper's. */
	if (!e && s->out_name)
		finished_remove(h, s->sid, s->out_name);
	return e;
}

static enum err cancel_finishing(struct house *h, struct arena *a, const struct session *s, bool *cancelled)
{
	struct hold *hold;
	*cancelled = false;
	enum err e = hold_take(h->holds, HOLD_SESSION(s->n), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	e = give_up_held(h, a, s, cancelled);
	hold_drop(hold);
	return e;
}

enum err session_cancel(struct house *h, struct arena *a, const char *sid)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	int found, cancelled = 0, finished = 0;
	if (!takes)
		return ERR_NOMEM;
	enum err e = store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found);
	for (int i = 0; !e && i < found; i++) {
		bool open = takes[i].state == SESSION_RECEIVING || takes[i].state == SESSION_FAILED;
		bool gone = false;
		if (open) {
			e = cancel_take(h, &takes[i], false);
			gone = !e;
		} else if (takes[i].state == SESSION_FINISHING) {
			e = cancel_finishing(h, a, &takes[i], &gone);
		}
		cancelled += gone;
		finished += !gone && takes[i].state != SESSION_GONE;
	}
	if (e || cancelled)
		return e;
	return finished ? ERR_CONFLICT : ERR_GONE;
}
