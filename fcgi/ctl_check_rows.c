/*
 * ctl_check_rows.c - tusctl check, row by row: counters against what is counted, and every acknowledged byte against its file.
 *
 * Rows are read before files: bytes are durable before a row speaks of them.
 */
#include <unistd.h>

#include "base/clock.h"
#include "ctl_check.h"

#define PAGE 100

static const char *named(struct look *l, const char *kind, const char *id, int64_t n)
{
	const char *s = arena_printf(l->page, "%s %s (row %lld)", kind, id ? id : "?", (long long)n);
	return s ? s : kind;
}

/* -1: it is not there. */
static int64_t part_size(struct look *l, int64_t file)
{
	int64_t size = -1;
	enum err e = blob_size(l->h->blobs, file, &size);
	return e ? -1 : size;
}

static int64_t done_size(struct look *l, const char *sid, const char *disk)
{
	int fd;
	if (blob_done_open(l->h->blobs, sid, disk, &fd))
		return -1;
	int64_t size = lseek(fd, 0, SEEK_END);
	blob_close(fd);
	return size;
}

static void part_holds(struct look *l, const char *where, int64_t file, int64_t size, int64_t need)
{
	if (size < 0)
		finding(l, "part-missing", where, "part file %lld is not there or cannot be read", (long long)file);
	else if (size < need)
		finding(l, "part-short", where, "part file %lld has %lld bytes, %lld are acknowledged", (long long)file, (long long)size, (long long)need);
}

/* ---- sessions ---- */

static void same(struct look *l, const char *where, const char *what, int64_t row, int64_t counted)
{
	if (row != counted)
		finding(l, what, where, "the session says %lld, counted are %lld", (long long)row, (long long)counted);
}

static void check_counts(struct look *l, const char *where, const struct store_audit *t)
{
	const struct session *s = &t->s;
	same(l, where, "bitmap", s->done, t->bits);
	same(l, where, "bitmap-count", t->bits, t->bits_noted);
	same(l, where, "chunk-rows", s->done, t->chunks);
	same(l, where, "bytes", s->bytes, t->bytes);
	same(l, where, "top", s->top, t->top);
	same(l, where, "parked", s->parked, t->parked);
	if (t->unmarked >= 0)
		finding(l, "bitmap-bit", where, "chunk %lld has a row but no bit", (long long)t->unmarked);
	if (t->overlapping >= 0)
		finding(l, "overlap", where, "chunk %lld begins before the one below it ends", (long long)t->overlapping);
}

/* Its part file may have become the finished file already. */
static int64_t session_file_size(struct look *l, const struct session *s)
{
	int64_t size = part_size(l, s->file);
	return size < 0 && s->state == SESSION_FINISHING && s->out_name ? done_size(l, s->sid, s->out_name) : size;
}

static void check_parked(struct look *l, const char *where, const struct chunk *c)
{
	int64_t size = part_size(l, c->file);
	if (size < c->base + c->length)
		part_holds(l, arena_printf(l->page, "%s chunk %lld", where, (long long)c->idx), c->file, size, c->base + c->length);
}

static void check_chunks(struct look *l, const char *where, const struct session *s)
{
	struct chunk page[PAGE];
	int64_t from = 0, own = session_file_size(l, s), own_need = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_chunks(l->h->db, s->n, from, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			const struct chunk *c = &page[i];
			from = c->idx + 1;
			if (c->file != s->file)
				check_parked(l, where, c);
			else if (c->length > 0 && c->base + c->length > own_need)
				own_need = c->base + c->length;
		}
	}
	unreadable(l, where, e);
	if (own_need > 0)
		part_holds(l, where, s->file, own, own_need);
}

static bool finished(const struct session *s)
{
	return s->state == SESSION_COMPLETE || s->state == SESSION_RECOVERED;
}

/* A recording that ought to be finished long since, or that never will be. */
static void check_ending(struct look *l, const char *where, const struct session *s)
{
	if (s->state == SESSION_FAILED)
		finding(l, "session-failed", where, "it could not be finished");
	else if (s->state == SESSION_FINISHING && clock_now() - s->updated > CHECK_BUSY)
		finding(l, "finishing", where, "it is being finished since %lld seconds", (long long)(clock_now() - s->updated));
}

static void check_session(struct look *l, int64_t n)
{
	struct store_audit t;
	struct recording r;
	l->about = (struct about){.session = n};
	enum err e = store_session_audit(l->h->db, l->page, n, &t);
	if (e == ERR_NOT_FOUND)
		return;
	const char *where = named(l, "session", t.s.sid, n);
	unreadable(l, where, e);
	if (e)
		return;
	const struct session *s = &t.s;
	if (s->state == SESSION_GONE) {
		/* Its rows are dropped piece by piece until its expiry says that none is left. */
		if (s->expires >= 0)
			same(l, where, "chunk-rows", 0, t.chunks);
		return;
	}
	check_counts(l, where, &t);
	if (!finished(s)) {
		check_chunks(l, where, s);
		check_ending(l, where, s);
		return;
	}
	e = store_recording_of_session(l->h->db, l->page, n, &r);
	if (e == ERR_NOT_FOUND)
		finding(l, "recording-missing", where, "it is finished, but no recording row is there");
	else
		unreadable(l, where, e);
}

void check_sessions(struct look *l)
{
	struct session page[PAGE];
	int64_t after = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_list_sessions(l->h->db, l->page, after, false, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			after = page[i].n;
			l->sessions++;
			check_session(l, after);
			/* Texts of the page are not used after this. */
			arena_reset(l->page);
		}
	}
	unreadable(l, "sessions", e);
}

/* ---- uploads ---- */

/* Unfinished chunks of a session in the making are only waiting to be dropped. */
static bool grows(struct look *l, const struct upload *u)
{
	struct session s;
	/* A part needs its bytes as long as its row says so, even one that is gone. */
	if (u->concat == CONCAT_PARTIAL && u->state != UPLOAD_OPEN)
		return u->own != OWN_NOT;
	if (u->state != UPLOAD_OPEN)
		return false;
	if (u->kind == UPLOAD_WHOLE)
		return true;
	return !store_session_by_n(l->h->db, l->page, u->session, &s) && (s.state == SESSION_RECEIVING || s.state == SESSION_FAILED);
}

static void check_upload(struct look *l, const struct upload *u)
{
	struct recording r;
	l->about = (struct about){.upload = u->n};
	const char *where = named(l, "upload", u->id ? u->id : "of a chunk", u->n);
	if (u->offset > 0 && grows(l, u))
		part_holds(l, where, u->file, part_size(l, u->file), u->base + u->offset);
	if (u->state == UPLOAD_FINISHING && u->expires < 0)
		finding(l, "upload-lost", where, "all %lld bytes are acknowledged, but they are not there", (long long)u->length);
	else if (u->state == UPLOAD_FINISHING && clock_now() - u->updated > CHECK_BUSY)
		finding(l, "finishing", where, "it is being finished since %lld seconds", (long long)(clock_now() - u->updated));
	if (u->state != UPLOAD_COMPLETE || u->concat == CONCAT_PARTIAL)
		return;
	enum err e = store_recording_of_upload(l->h->db, l->page, u->n, &r);
	if (e == ERR_NOT_FOUND)
		finding(l, "recording-missing", where, "it is complete, but no recording row is there");
	else
		unreadable(l, where, e);
}

void check_uploads(struct look *l)
{
	struct upload page[PAGE];
	int64_t after = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_list_uploads(l->h->db, l->page, after, false, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			check_upload(l, &page[i]);
			after = page[i].n;
			l->uploads++;
		}
		arena_reset(l->page);
	}
	unreadable(l, "uploads", e);
}

/* ---- finished files ---- */

static void check_recording(struct look *l, const struct recording *r)
{
	l->about = (struct about){0};
	const char *where = arena_printf(l->page, "recording %s/%s (row %lld)", r->sid, r->disk, (long long)r->n);
	int64_t size = done_size(l, r->sid, r->disk);
	if (size < 0)
		finding(l, "file-missing", where, "the finished file is not there or cannot be read");
	else if (size < r->size)
		finding(l, "file-short", where, "the finished file has %lld bytes of %lld", (long long)size, (long long)r->size);
}

void check_recordings(struct look *l)
{
	struct recording page[PAGE];
	int64_t before = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_recordings(l->h->db, l->page, NULL, before, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			check_recording(l, &page[i]);
			before = page[i].n;
			l->recordings++;
		}
		arena_reset(l->page);
	}
	unreadable(l, "recordings", e);
}
