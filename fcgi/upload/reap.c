/*
 * reap.c - what time demands: expiry, recovery of abandoned recordings, interrupted finishing, orphan files, forgetting.
 *
 * Nothing with a living writer is touched. Contiguous data is never dropped by time: it becomes a finished file under a recovered name.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

#define BATCH_MAX 100
#define ORPHAN_AGE 3600

static void complain(const char *what, int64_t n, enum err e, struct reap_count *count)
{
	if (e == ERR_LOCKED)
		return;
	count->failed++;
	log_event(LOG_ERROR, "reap", what, "row", LI(n), "reason", LS(err_code(e)), NULL);
}

/* ---- whole uploads ---- */

static enum err expire_upload(struct house *h, struct arena *a, int64_t n)
{
	struct hold *hold;
	struct upload u;
	const char *disk;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = store_upload_gone(h->db, a, n, clock_now(), true, &u, &disk);
	if (!e) {
		metrics_add(h->metrics, M_UPLOADS_FAILED, 1);
		blob_remove(h->blobs, u.file);
	}
	hold_drop(hold);
	return e;
}

static enum err reap_uploads(struct house *h, struct arena *a, int limit, struct reap_count *count)
{
	int64_t n[BATCH_MAX];
	int found = 0;
	enum err e = store_due_uploads(h->db, clock_now(), n, limit, &found);
	for (int i = 0; !e && i < found; i++) {
		enum err one = expire_upload(h, a, n[i]);
		arena_reset(a);
		if (!one)
			count->expired++;
		else if (one != ERR_CONFLICT)
			complain("expiring an upload failed", n[i], one, count);
	}
	return e;
}

/* ---- sessions ---- */

static enum err drop_session(struct house *h, const struct session *s, struct writers *w, struct reap_count *count)
{
	struct file_list files = {0};
	int64_t file = 0;
	enum err e = file_list_session(h, s->n, &files);
	if (!e)
		e = store_session_gone(h->db, s->n, clock_now(), false, true, &file);
	if (e) {
		free(files.v);
		return e;
	}
	if (file)
		file_list_add(&files, file);
	file_list_remove(h, &files);
	metrics_add(h->metrics, M_UPLOADS_FAILED, w->n);
	count->expired++;
	return ERR_OK;
}

static void day_of(int64_t t, char out[11])
{
	time_t sec = (time_t)t;
	struct tm tm;
	gmtime_r(&sec, &tm);
	strftime(out, 11, "%Y-%m-%d", &tm);
}

static const char *recovered_name(struct arena *a, const struct session *s, const char *what)
{
	char day[11];
	day_of(s->started, day);
	return name_recording(a, arena_printf(a, "%s recovered %s%s", s->name ? s->name : "recording", day, what), s->format ? s->format : "webm");
}

static enum err recover_session(struct house *h, struct arena *a, const struct session *s, struct writers *w, struct reap_count *count)
{
	struct session_close c = {.n = s->n, .total = s->top, .name = recovered_name(a, s, ""), .goal = SESSION_RECOVERED, .now = clock_now()};
	if (!c.name)
		return ERR_NOMEM;
	enum err e = store_session_close(h->db, &c);
	/* Finishing takes the holds itself. */
	writers_release(w);
	if (!e)
		e = session_finish(h, s->n);
	if (!e)
		count->recovered++;
	return e;
}

/* One contiguous run becomes a file of its own; its chunks stay where they are. */
static enum err recover_run(struct house *h, struct arena *a, const struct session *s, int64_t first, int64_t last)
{
	int64_t file, size;
	struct recording r = {.sid = s->sid, .take = s->take, .owner = s->owner, .meta = s->meta, .created = clock_now(), .recovered = true}, have;
	/* Two takes may have the same run. */
	const char *take = s->take > 1 ? arena_printf(a, " take %lld", (long long)s->take) : "";
	r.name = recovered_name(a, s, arena_printf(a, "%s chunks %lld-%lld", take, (long long)first, (long long)last));
	r.disk = r.name ? name_disk(a, r.name) : NULL;
	if (!r.disk)
		return ERR_NOMEM;
	enum err e = store_recording_get(h->db, a, s->sid, r.disk, &have);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_file_next(h->db, &file);
	if (!e)
		e = chunks_copy(h, s, first, last, file, &size);
	if (e)
		return e;
	r.size = size;
	e = blob_publish(h->blobs, file, size, s->sid, r.disk);
	if (!e)
		e = note_write(h, &r, NULL);
	if (!e)
		e = store_recording_add(h->db, &r);
	if (!e)
		metrics_add(h->metrics, M_RECOVERED, 1);
	blob_remove(h->blobs, file);
	return e;
}

static enum err recover_runs(struct house *h, struct arena *a, const struct session *s, struct reap_count *count)
{
	struct chunk page[64];
	int64_t first = -1, last = -1, from = 0;
	int found = 64;
	enum err e = ERR_OK;
	while (!e && found == 64) {
		e = store_chunks(h->db, s->n, from, page, 64, &found);
		for (int i = 0; !e && i < found; i++) {
			if (first >= 0 && page[i].idx != last + 1) {
				e = recover_run(h, a, s, first, last);
				first = -1;
			}
			if (first < 0)
				first = page[i].idx;
			last = page[i].idx;
			from = last + 1;
		}
	}
	if (!e && first >= 0)
		e = recover_run(h, a, s, first, last);
	if (!e)
		e = store_session_expires(h->db, s->n, s->updated + h->cfg->session_retention);
	if (!e)
		count->recovered++;
	return e;
}

static enum err reap_session(struct house *h, struct arena *a, int64_t n, struct reap_count *count)
{
	struct session s;
	struct writers w;
	int64_t retention = h->cfg->session_retention;
	enum err e = writers_stop(h, n, false, &w);
	if (e)
		return e;
	e = store_session_by_n(h->db, a, n, &s);
	if (!e) {
		/* Once its runs were offered, a session with holes expires exactly one retention after its last chunk. */
		int64_t runs_at = s.expires == s.updated + retention ? s.updated : 0;
		switch (plan_reap(&s, clock_now(), retention, runs_at)) {
		case REAP_KEEP:
			break;
		case REAP_DROP:
			e = drop_session(h, &s, &w, count);
			break;
		case REAP_RECOVER:
			e = recover_session(h, a, &s, &w, count);
			break;
		case REAP_RECOVER_RUNS:
			e = recover_runs(h, a, &s, count);
			break;
		}
	}
	writers_release(&w);
	return e;
}

static enum err reap_sessions(struct house *h, struct arena *a, int limit, struct reap_count *count)
{
	int64_t n[BATCH_MAX];
	int found = 0;
	enum err e = store_due_sessions(h->db, clock_now(), n, limit, &found);
	for (int i = 0; !e && i < found; i++) {
		enum err one = reap_session(h, a, n[i], count);
		arena_reset(a);
		if (one)
			complain("an abandoned session could not be settled", n[i], one, count);
	}
	return e;
}

/* ---- the rest ---- */

static enum err reap_finishing(struct house *h, int limit, struct reap_count *count)
{
	int64_t uploads[BATCH_MAX], sessions[BATCH_MAX];
	int nu = 0, ns = 0;
	enum err e = store_finishing(h->db, uploads, &nu, sessions, &ns, limit), one;
	for (int i = 0; !e && i < nu; i++) {
		one = upload_finish(h, uploads[i]);
		if (one)
			complain("finishing an upload failed", uploads[i], one, count);
		else
			count->finished++;
	}
	for (int i = 0; !e && i < ns; i++) {
		one = session_finish(h, sessions[i]);
		if (one)
			complain("finishing a session failed", sessions[i], one, count);
		else
			count->finished++;
	}
	return e;
}

struct scan {
	struct house *h;
	struct reap_count *count;
};

static bool scan_file(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct scan *s = arg;
	bool known = true;
	(void)size;
	if (age < ORPHAN_AGE || store_file_known(s->h->db, file, &known) || known)
		return true;
	if (blob_remove(s->h->blobs, file) == ERR_OK)
		s->count->orphans++;
	return true;
}

enum err reap(struct house *h, int limit, bool scan, struct reap_count *count)
{
	struct scan sc = {h, count};
	bool more = false;
	struct arena *a = arena_open(4 << 20);
	*count = (struct reap_count){0};
	if (!a)
		return ERR_NOMEM;
	if (limit > BATCH_MAX)
		limit = BATCH_MAX;
	enum err e = reap_finishing(h, limit, count);
	if (!e)
		e = reap_sessions(h, a, limit, count);
	if (!e)
		e = reap_uploads(h, a, limit, count);
	if (!e && scan)
		e = blob_each(h->blobs, scan_file, &sc);
	if (!e)
		e = store_forget(h->db, clock_now(), clock_now() - h->cfg->gone_retention, limit, &more);
	store_idle(h->db);
	arena_close(a);
	return e;
}
