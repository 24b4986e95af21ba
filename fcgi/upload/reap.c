/*
 * reap.c - what time demands: expiry, recovery of abandoned recordings, interrupted finishing, orphan files, forgetting.
 *
 * Nothing with a living writer is touched. Contiguous data is never dropped by time: it becomes a finished file under a recovered name.
 */
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/reap.h"

#define BATCH_MAX 100
#define FULL_AGE 10             /* seconds */
#define ORPHAN_AGE 3600
#define TURN_US 1000000
#define FORGET_ROWS 200         /* in one transaction */

static void complain(const char *what, int64_t n, enum err e, struct reap_count *count)
{
	/* Somebody is at it. */
	if (e == ERR_LOCKED)
		return;
	count->failed++;
	log_event(LOG_ERROR, "reap", what, "row", LI(n), "reason", LS(err_code(e)), NULL);
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
		int64_t runs_at = runs_offered(h, &s) ? s.updated : 0;
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
			e = runs_offer(h, &s, count);
			break;
		}
	}
	writers_release(&w);
	return e;
}

/* ---- turns ---- */

/* A kind of work: where its rows are found, what is done with each. */
struct work {
	enum err (*next)(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found);
	enum err (*one)(struct house *h, struct arena *a, int64_t n, struct reap_count *count);
	size_t mark;               /* in struct reap_turns */
	const char *failed;
};

/* Whoever is about to complete one needs no help. */
static enum err next_full_upload(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	return store_full_uploads(s, now - FULL_AGE, m, n, max, found);
}

static enum err next_joining(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_joining(s, m, n, max, found);
}

static enum err next_finishing_upload(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_finishing_uploads(s, m, n, max, found);
}

static enum err next_finishing_session(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_finishing_sessions(s, m, n, max, found);
}

static enum err next_plain(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_plain_recordings(s, m, n, max, found);
}

#define MARK(name) offsetof(struct reap_turns, name)
static const struct work works[] = {
	{next_full_upload, reap_full, MARK(full_uploads), "completing an upload failed"},
	{next_joining, reap_join, MARK(joining_uploads), "making a final upload of its parts failed"},
	{next_finishing_upload, reap_finish_upload, MARK(finishing_uploads), "finishing an upload failed"},
	{next_finishing_session, reap_finish_session, MARK(finishing_sessions), "finishing a session failed"},
	{store_due_sessions, reap_session, MARK(due_sessions), "an abandoned session could not be settled"},
	{store_due_uploads, reap_upload, MARK(due_uploads), "expiring an upload failed"},
	{store_due_partials, reap_partial, MARK(due_partials), "expiring a part failed"},
};

/* The last, for it may read long files. */
static const struct work digest_work = {next_plain, reap_digest, MARK(plain_recordings), "the digest of a finished file could not be made"};

#define INTERRUPTED 4           /* kinds at the beginning that end what a process began */

/* The process ends; whoever comes next goes on. */
static bool stopping(const struct house *h)
{
	return __atomic_load_n(&h->stopping, __ATOMIC_RELAXED);
}

/* Rows that fail count for nothing: within a second it goes on until limit rows are done or all were looked at. */
static enum err work_some(struct house *h, struct arena *a, const struct work *w, int limit, struct reap_count *count)
{
	struct store_mark *mark = (struct store_mark *)((char *)&h->turns + w->mark);
	int64_t n[BATCH_MAX], until = clock_mono_us() + TURN_US;
	int found = limit, done = 0;
	bool behind_all = mark->at || mark->n;
	while (found == limit && done < limit) {
		enum err e = w->next(h->db, clock_now(), mark, n, limit, &found);
		/* The last time ended with the last row: from the beginning. */
		if (!e && found == 0 && behind_all)
			e = w->next(h->db, clock_now(), mark, n, limit, &found);
		if (e)
			return e;
		behind_all = false;
		for (int i = 0; i < found && !stopping(h); i++) {
			enum err one = w->one(h, a, n[i], count);
			arena_reset(a);
			done += !one;
			if (one)
				complain(w->failed, n[i], one, count);
		}
		if (clock_mono_us() > until || stopping(h))
			break;
	}
	return ERR_OK;
}

static enum err forget_some(struct house *h)
{
	int64_t until = clock_mono_us() + TURN_US;
	bool more = true;
	enum err e = ERR_OK;
	while (!e && more && clock_mono_us() < until)
		e = store_forget(h->db, clock_now(), clock_now() - h->cfg->gone_retention, FORGET_ROWS, &more);
	return e;
}

/* ---- files that lost their name ---- */

static enum err empty_trash(struct house *h, struct arena *a)
{
	struct trash t[BATCH_MAX];
	int found = 0;
	enum err e = store_trash(h->db, a, t, BATCH_MAX, &found);
	for (int i = 0; !e && i < found; i++)
		if (finished_remove(h, t[i].sid, t[i].disk))
			log_event(LOG_ERROR, "reap", "a finished file that nobody names cannot be removed", "sid", LS(t[i].sid), "file", LS(t[i].disk), NULL);
	arena_reset(a);
	return e;
}

/* ---- orphans ---- */

struct scan {
	struct house *h;
	struct reap_count *count;
};

static bool scan_file(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct scan *s = arg;
	bool removed = false;
	(void)size;
	if (age >= ORPHAN_AGE && file_remove_orphan(s->h, file, NULL, &removed) == ERR_OK && removed)
		s->count->orphans++;
	return !stopping(s->h);
}

static bool scan_copy(void *arg, int64_t file, const char *sid, int64_t age)
{
	struct scan *s = arg;
	bool removed = false;
	if (age >= ORPHAN_AGE && file_remove_orphan(s->h, file, sid, &removed) == ERR_OK && removed)
		s->count->orphans++;
	return true;
}

/* Copies are made between two devices only: on one nobody needs to go through all finished files for them. */
static enum err scan_files(struct scan *s)
{
	enum err e = blob_each(s->h->blobs, scan_file, s);
	return e || blobs_same_device(s->h->blobs) ? e : blob_each_copy(s->h->blobs, scan_copy, s);
}

enum err reap_interrupted(struct house *h, int limit, bool *all, struct reap_count *count)
{
	struct arena *a = arena_open(4 << 20);
	*count = (struct reap_count){0};
	enum err e = a ? ERR_OK : ERR_NOMEM;
	*all = true;
	for (int i = 0; !e && i < INTERRUPTED; i++) {
		const struct store_mark *mark = (const struct store_mark *)((const char *)&h->turns + works[i].mark);
		e = work_some(h, a, &works[i], limit < BATCH_MAX ? limit : BATCH_MAX, count);
		*all &= !mark->at && !mark->n;
	}
	*all &= !e;
	arena_close(a);
	return e;
}

enum err reap(struct house *h, int limit, bool scan, struct reap_count *count)
{
	struct scan sc = {h, count};
	struct arena *a = arena_open(4 << 20);
	*count = (struct reap_count){0};
	if (!a)
		return ERR_NOMEM;
	if (limit > BATCH_MAX)
		limit = BATCH_MAX;
	enum err e = ERR_OK;
	for (size_t i = 0; !e && i < sizeof works / sizeof *works; i++)
		e = work_some(h, a, &works[i], limit, count);
	if (!e)
		e = empty_trash(h, a);
	if (!e && scan)
		e = scan_files(&sc);
	if (!e)
		e = forget_some(h);
	if (!e && digest_is_wanted(h))
		e = work_some(h, a, &digest_work, BATCH_MAX, count);
	store_idle(h->db);
	arena_close(a);
	return e;
}
