/*
 * ctl_doctor_upload.c - real uploads: does a body arrive, is what was sent kept when it breaks off, does HEAD tell the truth. All are deleted.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/clock.h"
#include "base/num.h"
#include "base/text.h"
#include "ctl_doctor.h"

#define NAME "tusctl-doctor.txt"
#define METADATA_MIN 64
#define LENGTH (1 << 20)
#define FIRST (160 << 10)         /* more than mod_fcgid takes as it comes */
#define PAUSED (64 << 10)
#define HALF (256 << 10)
#define SETTLE_MS 300
#define SETTLE_MAX_MS 3000
#define FILE_LEN (64 << 10)

static const char *bytes(struct doctor *d)
{
	char *s = arena_alloc(d->c->a, LENGTH);
	if (s)
		memset(s, 't', LENGTH);
	return s;
}

/* ---- making one ---- */

static const char *metadata(struct doctor *d, size_t bytes)
{
	char name[B64_ENCODED(sizeof NAME)];
	b64_encode(NAME, strlen(NAME), name);
	char *text = arena_printf(d->c->a, "filename %s", name);
	size_t n = text ? strlen(text) : 0;
	if (bytes <= n + 16)
		return text;
	size_t fill = (bytes - n - strlen(",note ")) / 4 * 4;
	char *x = arena_alloc(d->c->a, fill + 1);
	if (x)
		memset(x, 'A', fill);
	return arena_printf(d->c->a, "%s,note %s", text, x);
}

static struct ctl_answer create(struct doctor *d, int64_t length, size_t metadata_bytes)
{
	struct ctl_ask a = doctor_upload_ask(d, "POST", doctor_path(d, "/files/"), 0, 0);
	a.length = 0;
	a.headers = arena_printf(d->c->a, "Upload-Length: %lld\r\nUpload-Metadata: %s\r\n", (long long)length, metadata(d, metadata_bytes));
	return ctl_http_ask(&d->http, &a);
}

/* The path to ask for. An absolute URL must lead back here, a path must be below ours. */
static const char *place(struct doctor *d, const struct ctl_answer *r)
{
	const char *location = ctl_http_header(&d->http, r, "Location", 0), *path = location, *want = doctor_path(d, "/files/");
	size_t n = strlen(d->http.origin);
	if (location && strncmp(location, d->http.origin, n) == 0)
		path = location + n;
	if (path && text_starts(path, want) && path[strlen(want)])
		return path;
	doctor_find(d, F_LOCATION, "POST %s is answered with Location: %s", want, location ? location : "(none)");
	const char *id = location ? strrchr(location, '/') : NULL;
	return id && id[1] ? arena_printf(d->c->a, "%s%s", want, id + 1) : NULL;
}

static const char *made(struct doctor *d, int64_t length, size_t metadata_bytes, struct ctl_answer *r)
{
	*r = create(d, length, metadata_bytes);
	const char *path = r->ours && r->status == 201 ? place(d, r) : NULL;
	if (path && d->made_n < DOCTOR_UPLOADS)
		d->made[d->made_n++] = path;
	return path;
}

static void not_made(struct doctor *d, const struct ctl_answer *r)
{
	const char *said = doctor_said(d, r);
	if (r->ours && (r->status == 401 || r->status == 403))
		doctor_find(d, F_KEY, "POST /files/: %s", said);
	else if (r->ours && r->status == 507)
		doctor_find(d, F_SPACE, "POST /files/: %s", said);
	else if (r->status != 201)
		doctor_find(d, F_CREATE, "POST /files/: %s %.300s", said, r->ours ? r->body : "");
	doctor_untried(d, "bodies: whether they arrive, and are kept when they break off", "no upload could be made");
}

/* ---- asking one ---- */

static struct ctl_answer head(struct doctor *d, const char *path)
{
	struct ctl_ask a = doctor_upload_ask(d, "HEAD", path, 0, 0);
	return ctl_http_ask(&d->http, &a);
}

static int64_t number_in(struct doctor *d, const struct ctl_answer *r, const char *name)
{
	int64_t n;
	const char *text = ctl_http_header(&d->http, r, name, 0);
	return text && num_u63(text, &n) ? n : -1;
}

static int64_t offset_of(struct doctor *d, const char *path)
{
	struct ctl_answer r = head(d, path);
	return number_in(d, &r, "Upload-Offset");
}

/* A PATCH that pauses, if it shall, after `first` bytes. */
static struct ctl_answer patch(struct doctor *d, const char *path, int64_t offset, int64_t length, size_t first, int pause_ms)
{
	struct ctl_answer r = {.head = "", .body = ""};
	const char *body = bytes(d);
	struct ctl_ask a = doctor_upload_ask(d, "PATCH", path, offset, length);
	a.body = body;
	a.send = body ? first : 0;
	struct ctl_conn *c = ctl_http_begin(&d->http, &a, &r.why);
	if (!c)
		return r;
	if (pause_ms > 0)
		r = ctl_http_answer(c, pause_ms);
	if (r.status == 0) {
		if (body && (size_t)length > first)
			(void)ctl_http_send(c, body, (size_t)length - first);
		r = ctl_http_answer(c, 10000);
	}
	ctl_http_close(c);
	return r;
}

/* ---- what is tried with one ---- */

static bool arrives(struct doctor *d, const char *path)
{
	struct ctl_answer r = patch(d, path, 0, FIRST, FIRST, 0);
	bool good = r.ours && r.status == 204;
	if (!good && !r.ours && (r.status == 413 || r.status == 500))
		doctor_find(d, F_BODY_LIMIT, "a PATCH of %d bytes: %s", FIRST, doctor_said(d, &r));
	else if (!good)
		doctor_find(d, F_BODY_REFUSED, "a PATCH of %d bytes: %s", FIRST, doctor_said(d, &r));
	return good;
}

static void tells_truth(struct doctor *d, const char *path)
{
	struct ctl_answer r = head(d, path);
	int64_t at = number_in(d, &r, "Upload-Offset");
	const char *cache = ctl_http_header(&d->http, &r, "Cache-Control", 0);
	if (r.status == 200 && at != FIRST)
		doctor_find(d, F_ANSWERS_CACHED, "after a PATCH that was answered with Upload-Offset: %d HEAD tells %lld", FIRST, (long long)at);
	if (r.status == 200 && (!cache || !strcasestr(cache, "no-store")))
		doctor_find(d, F_NO_STORE_LOST, "HEAD has Cache-Control: %s", cache ? cache : "(none)");
}

static int64_t pauses(struct doctor *d, const char *path)
{
	struct ctl_answer r = patch(d, path, FIRST, PAUSED, PAUSED / 2, (int)d->pause_s * 1000);
	if (!(r.ours && r.status == 204))
		doctor_find(d, F_BODY_TIMEOUT, "a PATCH that paused for %lld s: %s", (long long)d->pause_s, doctor_said(d, &r));
	return number_in(d, &r, "Upload-Offset");
}

/* What comes together with the end of a connection nobody hands over (nginx: up to client_body_buffer_size), so the end comes a little later. HEAD would end the writer, and with it what the web server has not handed over yet: so it waits a little first. */
static void keeps_half(struct doctor *d, const char *path, int64_t from)
{
	const char *body = bytes(d), *why = "";
	struct ctl_ask a = doctor_upload_ask(d, "PATCH", path, from, LENGTH - from);
	a.body = body;
	a.send = body ? HALF : 0;
	struct ctl_conn *c = ctl_http_begin(&d->http, &a, &why);
	if (!c)
		return;
	(void)ctl_http_answer(c, SETTLE_MS);
	ctl_http_close(c);
	int64_t at = from;
	for (int ms = 0; at <= from && ms < SETTLE_MAX_MS; ms += SETTLE_MS) {
		poll(NULL, 0, SETTLE_MS);
		at = offset_of(d, path);
	}
	if (at <= from)
		doctor_find(d, F_BODY_BUFFERED, "a PATCH of %lld bytes broke off after %d; HEAD says that nothing was kept", (long long)(LENGTH - from), HALF);
}

static void long_metadata(struct doctor *d)
{
	struct ctl_answer r;
	size_t size = d->max_metadata < 4096 ? (size_t)d->max_metadata : 4096;
	const char *path = made(d, LENGTH, size, &r);
	if (!path) {
		doctor_find(d, r.ours ? F_CREATE : F_REQUEST_HEADERS, "POST /files/ with %zu bytes of Upload-Metadata: %s", size, doctor_said(d, &r));
		return;
	}
	r = head(d, path);
	if (!r.ours)
		doctor_find(d, F_ANSWER_HEADERS, "HEAD, whose answer repeats %zu bytes of Upload-Metadata: %s", size, doctor_said(d, &r));
}

/* ---- a finished file ---- */

static struct ctl_answer download(struct doctor *d, const char *path, const char *headers)
{
	return ctl_http_ask(&d->http, &(struct ctl_ask){.method = "GET", .path = path, .headers = headers, .length = -1});
}

static void finished(struct doctor *d)
{
	struct ctl_answer r;
	const char *path = made(d, FILE_LEN, 0, &r);
	if (!path || patch(d, path, 0, FILE_LEN, FILE_LEN, 0).status != 204) {
		doctor_untried(d, "downloads", "no file could be finished");
		return;
	}
	r = download(d, path, "Accept-Encoding: gzip\r\n");
	if (ctl_http_header(&d->http, &r, "Content-Encoding", 0))
		doctor_find(d, F_COMPRESSED, "GET of a file: Content-Encoding: %s", ctl_http_header(&d->http, &r, "Content-Encoding", 0));
	r = download(d, path, NULL);
	if (r.status == 200 && number_in(d, &r, "Content-Length") != FILE_LEN)
		doctor_find(d, F_LENGTH_LOST, "GET of a file of %d bytes has no such Content-Length", FILE_LEN);
	r = download(d, path, "Range: bytes=10-19\r\n");
	if (r.status != 206 || r.body_len != 10)
		doctor_find(d, F_RANGE_LOST, "GET of 10 bytes of a file: %s with %zu bytes", doctor_said(d, &r), r.body_len);
}

/* ---- all ---- */

static void bodies(struct doctor *d, const char *path)
{
	static const char broken[] = "whether a body that breaks off is kept";
	int64_t at = -1;
	if (d->no_patch || !arrives(d, path)) {
		doctor_untried(d, broken, "not even a whole one arrives");
		return;
	}
	tells_truth(d, path);
	at = pauses(d, path);
	if (at < 0)
		doctor_untried(d, broken, "a PATCH failed before");
	else if (d->found[F_ANSWERS_CACHED])
		doctor_untried(d, broken, "HEAD does not tell the truth");
	else
		keeps_half(d, path, at);
}

void doctor_uploads(struct doctor *d)
{
	struct ctl_answer r;
	if (d->max_patch < LENGTH || d->max_metadata < METADATA_MIN) {
		doctor_untried(d, "bodies: whether they arrive, and are kept when they break off", "TUS_MAX_SIZE, MAX_PATCH_SIZE or MAX_METADATA_SIZE is too small for that");
		return;
	}
	const char *path = made(d, LENGTH, 0, &r);
	if (!path) {
		not_made(d, &r);
		return;
	}
	(void)offset_of(d, path);   /* what a cache would keep */
	bodies(d, path);
	long_metadata(d);
	if (d->finish)
		finished(d);
	else
		doctor_untried(d, "downloads: compression, Content-Length, Range", "they need a finished file, of which a hook is told; --finish makes one and deletes it");
}

void doctor_clean(struct doctor *d)
{
	for (int i = 0; i < d->made_n; i++) {
		struct ctl_ask a = doctor_upload_ask(d, "DELETE", d->made[i], 0, 0);
		struct ctl_answer r = d->deletes ? ctl_http_ask(&d->http, &a) : (struct ctl_answer){.why = "the extension termination is off"};
		if (r.status != 204)
			doctor_find(d, F_LEFT_BEHIND, "%s: %s; it expires after %" PRId64 " s", d->made[i], doctor_said(d, &r), d->expiration);
	}
}
