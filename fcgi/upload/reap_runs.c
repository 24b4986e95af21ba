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
	e = blob_publish(h->blobs, file, r->size, s->sid, r->disk);
	if (!e)
		e = note_write(h, r, NULL);
	if (!e)
		e = store_recording_add(h->db, r, true);
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

static enum err recover_run(struct house *h, struct arena *a, const struct session *s, const struct run *run, int *made)
{
	struct recording r = {.sid = s->sid, .take = s->take, .owner = s->owner, .meta = s->meta, .created = clock_now(), .recovered = true}, have;
	/* Two takes may have the same run. */
	const char *take = s->take > 1 ? arena_printf(a, " take %lld", (long long)s->take) : "";
	const char *what = take ? arena_printf(a, "%s chunks %lld-%lld", take, (long long)run->first, (long long)run->last) : NULL;
	r.name = what ? recovered_name(a, s, what) : NULL;
	r.disk = r.name ? name_disk(a, r.name) : NULL;
	if (!r.disk)
		return ERR_NOMEM;
	enum err e = store_recording_get(h->db, a, s->sid, r.disk, &have);
	if (e != ERR_NOT_FOUND)
		return e;
	/* Whoever had the name may still be about to lose it, or to get it. */
	struct hold *claim;
	e = finished_claim(h, s->sid, r.disk, false, &claim);
	if (e)
		return e == ERR_CONFLICT ? ERR_BUSY : e;
	e = run_make(h, s, run, &r);
	finished_settle(h, s->sid, r.disk, claim);
	if (!e) {
		++*made;
		metrics_add(h->metrics, M_RECOVERED, 1);
	}
	return e;
}

static bool passing(enum err e)
{
	return e == ERR_NO_SPACE || e == ERR_BUSY || e == ERR_NOMEM;
}

static enum err recover_some(struct house *h, struct arena *a, const struct session *s, const struct runs *r, int *made, bool *all)
{
	int i = 0;
	for (; i < r->n && *made < RUNS_A_CALL; i++) {
		enum err e = recover_run(h, a, s, &r->v[i], made);
		arena_reset(a);
		if (passing(e))
			return e;
		if (e)
			log_event(LOG_ERROR, "reap", "a run could not be recovered, its chunks stay", "row", LI(s->n), "first", LI(r->v[i].first),
				"last", LI(r->v[i].last), "reason", LS(err_code(e)), NULL);
	}
	*all = i == r->n;
	return ERR_OK;
}

enum err recover_runs(struct house *h, const struct session *s, int *made, bool *all)
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
