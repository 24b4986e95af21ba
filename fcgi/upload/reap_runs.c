/*
 * reap_runs.c - what can be watched of a recording with holes: each contiguous run of chunks becomes a finished file of its own.
 */
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/reap.h"

#define RUNS_MAX 100            /* of a session: the longest ones. The chunks of all stay for their retention */
#define RUNS_A_CALL 8           /* others want the reaper too */
#define SCRATCH_MAX (4 << 20)
#define PAGE 256
#define NAMES_MAX 1000          /* of one run whose chunks were replaced again and again */

static void day_of(int64_t t, char out[11])
{
	time_t sec = (time_t)t;
	struct tm tm;
	gmtime_r(&sec, &tm);
	strftime(out, 11, "%Y-%m-%d", &tm);
}

const char *recovered_name(struct arena *a, const struct session *s, const char *what)
{
	char day[11];
	day_of(s->started, day);
	const char *tag = arena_printf(a, " recovered %s%s", day, what);
	const char *text = tag ? name_tagged(a, s->name ? s->name : "recording", tag) : NULL;
	return text ? name_recording(a, text, s->format ? s->format : "webm") : NULL;
}

/* ---- finding runs ---- */

struct run {
	int64_t first, last, bytes;
	bool made;                 /* just now */
};
struct runs {
	struct run v[RUNS_MAX];
	int n;
};

static void runs_add(struct runs *r, const struct run *one)
{
	int least = 0;
	if (r->n < RUNS_MAX) {
		r->v[r->n++] = *one;
		return;
	}
	for (int i = 1; i < RUNS_MAX; i++)
		if (r->v[i].bytes < r->v[least].bytes)
			least = i;
	if (one->bytes > r->v[least].bytes)
		r->v[least] = *one;
}

static enum err runs_find(struct house *h, const struct session *s, struct runs *r)
{
	struct chunk page[PAGE];
	struct run now = {.first = -1, .last = -1};
	int found = PAGE;
	while (found == PAGE) {
		enum err e = store_chunks(h->db, s->n, now.last + 1, page, PAGE, &found);
		if (e)
			return e;
		for (int i = 0; i < found; i++) {
			if (now.first >= 0 && page[i].idx != now.last + 1)
				runs_add(r, &now);
			if (now.first < 0 || page[i].idx != now.last + 1)
				now = (struct run){.first = page[i].idx};
			now.last = page[i].idx;
			now.bytes += page[i].length;
		}
	}
	if (now.first >= 0)
		runs_add(r, &now);
	return ERR_OK;
}

/* ---- making files ---- */

/* The caller holds the file's number. */
static enum err run_publish(struct house *h, const struct session *s, const struct run *run, int64_t file, struct recording *r)
{
	enum err e = chunks_copy(h, s, run->first, run->last, file, &r->size);
	if (e)
		return e;
	/* Chunks were replaced meanwhile, or deleted with their session. */
	e = r->size == run->bytes ? blob_publish(h->blobs, file, r->size, false, s->sid, r->disk) : ERR_AGAIN;
	if (!e)
		e = note_write(h, r, NULL);
	if (!e)
		e = store_recording_add(h->db, r, true, s->n);
	if (e == ERR_OFFSET)
		e = ERR_AGAIN;
	/* Still there after a copy to another device, and after an error. */
	blob_remove(h->blobs, file);
	return e;
}

static enum err run_make(struct house *h, const struct session *s, const struct run *run, struct recording *r)
{
	struct hold *making = NULL;
	int64_t file;
	enum err e = space_check(h, run->bytes);
	if (!e)
		e = file_take(h, &file, &making);
	if (!e)
		e = run_publish(h, s, run, file, r);
	hold_drop(making);
	return e;
}

/* Whether the finished file of r is what the run is now. */
static enum err run_same(struct house *h, const struct session *s, const struct run *run, const struct recording *r, bool *same)
{
	int fd;
	*same = false;
	if (r->size != run->bytes)
		return ERR_OK;
	enum err e = blob_done_open(h->blobs, r->sid, r->disk, &fd);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = chunks_equal(h, s, run->first, run->last, fd, same);
	blob_close(fd);
	return e;
}

/* Its disk name: the first number under which there is nothing. *done: one before has its bytes; they are looked at only if asked, else the first name that is
 * somebody's is taken for its own. */
static enum err run_name(struct house *h, struct arena *a, const struct session *s, const struct run *run, bool look, struct recording *r, bool *done)
{
	struct recording have;
	const char *disk = r->disk = name_disk(a, r->name);
	*done = false;
	for (int number = 2; r->disk && number < NAMES_MAX; number++) {
		enum err e = store_recording_get(h->db, a, s->sid, r->disk, &have);
		if (e)
			return e == ERR_NOT_FOUND ? ERR_OK : e;
		*done = !look;
		if (look)
			e = run_same(h, s, run, &have, done);
		if (e || *done)
			return e;
		r->disk = name_numbered(a, disk, number);
	}
	return r->disk ? ERR_CONFLICT : ERR_NOMEM;
}

static enum err run_claimed(struct house *h, const struct session *s, const struct run *run, struct recording *r)
{
	/* Whoever had the name may still be about to lose it, or to get it. */
	struct hold *claim;
	enum err e = finished_claim(h, s->sid, r->disk, false, &claim);
	if (e)
		return e == ERR_CONFLICT ? ERR_BUSY : e;
	e = run_make(h, s, run, r);
	finished_settle(h, s->sid, r->disk, claim);
	return e;
}

static enum err recover_run(struct house *h, struct arena *a, const struct session *s, struct run *run, bool look)
{
	struct recording r = {.sid = s->sid, .take = s->take, .owner = s->owner, .meta = s->meta, .created = clock_now(), .recovered = true};
	bool done;
	/* Two takes may have the same run. */
	const char *take = s->take > 1 ? arena_printf(a, " take %lld", (long long)s->take) : "";
	const char *what = take ? arena_printf(a, "%s chunks %lld-%lld", take, (long long)run->first, (long long)run->last) : NULL;
	r.name = what ? recovered_name(a, s, what) : NULL;
	if (!r.name)
		return ERR_NOMEM;
	enum err e = run_name(h, a, s, run, look, &r, &done);
	if (!e && !done)
		e = run_claimed(h, s, run, &r);
	run->made = !e && !done;
	if (run->made)
		metrics_add(h->metrics, M_RECOVERED, 1);
	return e;
}

static bool passing(enum err e)
{
	return e == ERR_NO_SPACE || e == ERR_NOMEM || e == ERR_AGAIN;
}

/* One round over the runs; look: over those that had their names before. ERR_BUSY: one cannot have its name yet, maybe for long, and keeps up no others. */
static enum err recover_round(struct house *h, struct arena *a, const struct session *s, struct runs *r, bool look, int *made, bool *all)
{
	enum err busy = ERR_OK;
	int i = 0;
	for (; i < r->n && *made < RUNS_A_CALL; i++) {
		struct run *run = &r->v[i];
		enum err e = run->made ? ERR_OK : recover_run(h, a, s, run, look);
		*made += run->made && !e;
		arena_reset(a);
		if (passing(e))
			return e;
		if (e == ERR_BUSY)
			busy = e;
		else if (e)
			log_event(LOG_ERROR, "reap", "a run could not be recovered, its chunks stay", "row", LI(s->n), "first", LI(run->first),
				"last", LI(run->last), "reason", LS(err_code(e)), NULL);
	}
	*all = i == r->n;
	return busy;
}

/* A name may be that of older bytes, from before a chunk was replaced. That is read when all have names, for it may be much, and else would be read at each call. */
static enum err recover_some(struct house *h, struct arena *a, const struct session *s, struct runs *r, int *made, bool *all)
{
	enum err e = recover_round(h, a, s, r, false, made, all);
	if ((e && e != ERR_BUSY) || !*all)
		return e;
	enum err again = recover_round(h, a, s, r, true, made, all);
	return again ? again : e;
}

/* Makes what is missing, a few a call. *made: how many; *all: there is nothing left to be done. */
static enum err recover_runs(struct house *h, const struct session *s, int *made, bool *all)
{
	struct runs *r = calloc(1, sizeof *r);
	struct arena *a = arena_open(SCRATCH_MAX);
	*made = 0;
	*all = false;
	enum err e = r && a ? runs_find(h, s, r) : ERR_NOMEM;
	if (!e)
		e = recover_some(h, a, s, r, made, all);
	arena_close(a);
	free(r);
	return e;
}

/* ---- offering ---- */

/* When a session with holes expires of which all runs were offered: one retention after the last chunk, and at no time that a chunk sets. That it was offered
 * is told by nothing else. */
static int64_t offered_expires(const struct house *h, const struct session *s)
{
	int64_t after = h->cfg->session_retention;
	while (after == h->cfg->expiration || after == h->cfg->abandoned_after)
		after++;
	return s->updated + after;
}

bool runs_offered(const struct house *h, const struct session *s)
{
	return s->expires == offered_expires(h, s);
}

/* Its chunks stay where they are, one retention after the last one came. */
enum err runs_offer(struct house *h, const struct session *s, struct reap_count *count)
{
	struct hold *hold;
	bool all = false;
	int made = 0;
	enum err e = hold_take(h->holds, HOLD_SESSION(s->n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e;
	e = recover_runs(h, s, &made, &all);
	if (!e && all)
		e = store_session_expires(h->db, s->n, offered_expires(h, s));
	hold_drop(hold);
	count->recovered += made > 0 || (!e && all);
	return e == ERR_AGAIN ? ERR_LOCKED : e;
}
