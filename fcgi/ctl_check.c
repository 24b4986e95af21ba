/*
 * ctl_check.c - tusctl check: whether the ledger and the files say the same, in both directions.
 *
 * The pool may be writing meanwhile, and a row read a moment ago may be history when its file is looked at. Therefore a finding counts only
 * if a second look over everything finds it again. Rows are read before files: bytes are durable before a row speaks of them.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl.h"

#define PAGE 100
#define FINDINGS_MAX 1000       /* told one by one; more are counted */
#define FAULTS_MAX 100
#define MEMORY_MAX (256 << 20)
#define YOUNG 3600              /* seconds that a part file may be without a row: a body is coming in (the reaper leaves it alone as long) */

struct finding {
	const char *what, *where, *detail;
};

/* One look over everything. */
struct look {
	struct house *h;
	struct arena *a;            /* findings live here */
	struct arena *page;         /* rows, emptied page by page */
	struct finding *v;
	int n;
	int64_t sessions, uploads, recordings, parts, young;
	bool failed;                /* memory ran out */
};

static void __attribute__((format(printf, 4, 5))) finding(struct look *l, const char *what, const char *where, const char *fmt, ...)
{
	va_list ap;
	if (l->n == FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	struct finding f = {what, arena_strdup(l->a, where), arena_vprintf(l->a, fmt, ap)};
	va_end(ap);
	if (f.where && f.detail)
		l->v[l->n++] = f;
	else
		l->failed = true;
}

static const char *named(struct look *l, const char *kind, const char *id, int64_t n)
{
	const char *s = arena_printf(l->page, "%s %s (row %lld)", kind, id ? id : "?", (long long)n);
	return s ? s : kind;
}

/* The ledger cannot be read there: a finding, too. */
static void unreadable(struct look *l, const char *where, enum err e)
{
	if (e)
		finding(l, "ledger", where, "cannot be read: %s", err_sentence(e));
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
				part_holds(l, arena_printf(l->page, "%s chunk %lld", where, (long long)c->idx), c->file, part_size(l, c->file),
					c->base + c->length);
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

static void check_session(struct look *l, int64_t n)
{
	struct store_audit t;
	struct recording r;
	enum err e = store_session_audit(l->h->db, l->page, n, &t);
	if (e == ERR_NOT_FOUND)
		return;
	const char *where = named(l, "session", t.s.sid, n);
	unreadable(l, where, e);
	if (e)
		return;
	const struct session *s = &t.s;
	if (s->state == SESSION_GONE) {
		same(l, where, "chunk-rows", 0, t.chunks);
		return;
	}
	/* Chunk rows of a finished session go piece by piece once its time has come. */
	if (!finished(s) || s->expires == 0 || s->expires > clock_now())
		check_counts(l, where, &t);
	if (!finished(s)) {
		check_chunks(l, where, s);
		return;
	}
	e = store_recording_of_session(l->h->db, l->page, n, &r);
	if (e == ERR_NOT_FOUND)
		finding(l, "recording-missing", where, "it is finished, but no recording row is there");
	else
		unreadable(l, where, e);
}

static void check_sessions(struct look *l)
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
	if (u->state != UPLOAD_OPEN)
		return false;
	if (u->kind == UPLOAD_WHOLE)
		return true;
	return !store_session_by_n(l->h->db, l->page, u->session, &s) && (s.state == SESSION_RECEIVING || s.state == SESSION_FAILED);
}

static void check_upload(struct look *l, const struct upload *u)
{
	struct recording r;
	const char *where = named(l, "upload", u->id ? u->id : "of a chunk", u->n);
	if (u->offset > 0 && grows(l, u))
		part_holds(l, where, u->file, part_size(l, u->file), u->base + u->offset);
	if (u->state != UPLOAD_COMPLETE)
		return;
	enum err e = store_recording_of_upload(l->h->db, l->page, u->n, &r);
	if (e == ERR_NOT_FOUND)
		finding(l, "recording-missing", where, "it is complete, but no recording row is there");
	else
		unreadable(l, where, e);
}

static void check_uploads(struct look *l)
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
	const char *where = arena_printf(l->page, "recording %s/%s (row %lld)", r->sid, r->disk, (long long)r->n);
	int64_t size = done_size(l, r->sid, r->disk);
	if (size < 0)
		finding(l, "file-missing", where, "the finished file is not there or cannot be read");
	else if (size < r->size)
		finding(l, "file-short", where, "the finished file has %lld bytes of %lld", (long long)size, (long long)r->size);
}

static void check_recordings(struct look *l)
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

/* ---- files without rows ---- */

static bool check_part(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct look *l = arg;
	bool known = true;
	l->parts++;
	enum err e = store_file_known(l->h->db, file, &known);
	unreadable(l, "part files", e);
	if (e)
		return false;
	if (!known && age < YOUNG)
		l->young++;
	else if (!known)
		finding(l, "orphan-part", arena_printf(l->page, "part file %lld", (long long)file), "no row names it (%lld bytes)", (long long)size);
	arena_reset(l->page);
	return true;
}

/* ---- all of it ---- */

static void look_over(struct look *l)
{
	const char *fault[FAULTS_MAX];
	int found = 0;
	enum err e = store_faults(l->h->db, l->page, fault, FAULTS_MAX, &found);
	for (int i = 0; i < found; i++)
		finding(l, "database", fault[i], "%s", "");
	unreadable(l, "database", e);
	arena_reset(l->page);
	check_sessions(l);
	check_uploads(l);
	check_recordings(l);
	e = blob_each(l->h->blobs, check_part, l);
	if (e)
		finding(l, "folders", "part files", "%s", err_sentence(e));
}

static bool look_all(struct look *l, struct house *h)
{
	*l = (struct look){.h = h, .a = arena_open(MEMORY_MAX), .page = arena_open(MEMORY_MAX)};
	l->v = calloc(FINDINGS_MAX, sizeof *l->v);
	if (!l->a || !l->page || !l->v)
		return false;
	look_over(l);
	return !l->failed;
}

static void look_close(struct look *l)
{
	if (l->a)
		arena_close(l->a);
	if (l->page)
		arena_close(l->page);
	free(l->v);
}

/* What only the first look found was the pool at work. */
static void confirm(struct look *first, const struct look *second)
{
	int kept = 0;
	for (int i = 0; i < first->n; i++) {
		const struct finding *f = &first->v[i];
		bool again = false;
		for (int j = 0; j < second->n && !again; j++)
			again = text_eq(f->what, second->v[j].what) && text_eq(f->where, second->v[j].where);
		if (again)
			first->v[kept++] = *f;
	}
	first->n = kept;
}

static void tell(struct ctl *c, const struct look *l)
{
	static const struct ctl_column cols[] = {{"what", 17}, {"where", 56}, {"detail", 0}};
	struct ctl_lists lists = {.c = c};
	ctl_list_begin(&lists, "findings", cols);
	for (int i = 0; i < l->n; i++) {
		struct json *o = json_obj();
		json_put_str(o, "what", l->v[i].what);
		json_put_str(o, "where", l->v[i].where);
		json_put_str(o, "detail", l->v[i].detail);
		ctl_list_row(&lists, c->a, o);
		arena_reset(c->a);
	}
	ctl_list_end(&lists);
	struct json *o = json_obj();
	json_put_bool(o, "sound", l->n == 0);
	json_put_int(o, "sessions", l->sessions);
	json_put_int(o, "uploads", l->uploads);
	json_put_int(o, "recordings", l->recordings);
	json_put_int(o, "part_files", l->parts);
	/* Bodies that come in, or came when a process was killed: the reaper removes them when they are old. */
	json_put_int(o, "young_files", l->young);
	json_put_bool(o, "more_findings", l->n == FINDINGS_MAX);
	ctl_list_beside(&lists, "summary", o);
	ctl_lists_end(&lists);
}

int ctl_check(struct ctl *c)
{
	struct look first = {0}, second = {0};
	if (c->argc > 0)
		return CTL_USAGE;
	bool looked = look_all(&first, c->house);
	if (looked && first.n > 0) {
		looked = look_all(&second, c->house);
		confirm(&first, &second);
	}
	int rc = looked ? (first.n == 0 ? CTL_OK : CTL_FAILED) : ctl_fail("check", ERR_NOMEM);
	if (looked)
		tell(c, &first);
	look_close(&second);
	look_close(&first);
	return rc;
}
