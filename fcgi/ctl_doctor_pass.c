/*
 * ctl_doctor_pass.c - what the web server lets pass: methods, headers, bodies, what pages need. No upload is made for it.
 *
 * Who answered is told by X-Request-ID, so a request for an upload that nobody has is as good as one for a real one.
 */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl_doctor.h"

#define NOBODY "/files/_tusctl-doctor"
#define BODY_WAIT_MS 1500
#define BODY_LATE_MS 300
#define LONG_HEADER 8000
#define LONG_METADATA 4096

static struct ctl_answer ask(struct doctor *d, const char *method, const char *path, const char *headers)
{
	bool has_body = !text_eq(method, "HEAD") && !text_eq(method, "GET") && !text_eq(method, "OPTIONS") && !text_eq(method, "DELETE");
	return ctl_http_ask(&d->http, &(struct ctl_ask){.method = method, .path = doctor_path(d, path), .headers = headers, .length = has_body ? 0 : -1});
}

/* ---- methods ---- */

static bool override_passes(struct doctor *d)
{
	struct ctl_answer r = ask(d, "POST", NOBODY, "X-HTTP-Method-Override: DELETE\r\n");
	return r.ours && r.status != 405;
}

void doctor_methods(struct doctor *d)
{
	static const char *const list[] = {"HEAD", "PATCH", "DELETE", "OPTIONS", "PUT"};
	const char *blocked = "";
	bool tus = false, no_patch = false;
	for (int i = 0; i < 5; i++) {
		struct ctl_answer r = ask(d, list[i], NOBODY, NULL);
		if (r.ours)
			continue;
		blocked = arena_printf(d->c->a, "%s%s%s (%s)", blocked, *blocked ? ", " : "", list[i], doctor_said(d, &r));
		tus = tus || i < 3;
		no_patch = no_patch || i == 1;
	}
	if (!*blocked)
		return;
	d->posts_only = tus && override_passes(d);
	d->no_patch = no_patch && !d->posts_only;
	doctor_find(d, F_METHOD_BLOCKED, "%s%s", blocked, !tus ? "" : d->posts_only ? "; POST with X-HTTP-Method-Override passes, if clients can be told to use it"
		: "; POST with X-HTTP-Method-Override does not pass either");
}

/* ---- headers ---- */

static char *filler(struct doctor *d, size_t n)
{
	char *s = arena_alloc(d->c->a, n + 1);
	if (s)
		memset(s, 'x', n);
	return s;
}

void doctor_headers(struct doctor *d)
{
	const char *headers = arena_printf(d->c->a, "X-Tus-Doctor: %s\r\nX-Tus-Doctor-2: %s\r\n", filler(d, LONG_HEADER), filler(d, LONG_METADATA));
	struct ctl_answer r = doctor_get(d, "/health", headers);
	if (!r.ours)
		doctor_find(d, F_REQUEST_HEADERS, "headers of %d and %d bytes: %s", LONG_HEADER, LONG_METADATA, doctor_said(d, &r));
}

/* A key that nobody has is refused in other words than none. */
static bool key_was_seen(const struct ctl_answer *r)
{
	return r->ours && r->status == 401 && strstr(r->body, "key is not known");
}

void doctor_authorization(struct doctor *d)
{
	struct ctl_ask a = {.method = "GET", .path = doctor_path(d, "/recordings/"), .headers = "Authorization: Bearer tusctl-doctor\r\n", .length = -1, .no_key = true};
	struct ctl_answer r = ctl_http_ask(&d->http, &a);
	if (key_was_seen(&r))
		return;
	a.headers = "X-API-Key: tusctl-doctor\r\n";
	struct ctl_answer by_key = ctl_http_ask(&d->http, &a);
	if (key_was_seen(&by_key))
		doctor_find(d, F_AUTHORIZATION_LOST, "a key in X-API-Key arrives, the same in Authorization does not (%s)", doctor_said(d, &r));
	else
		doctor_untried(d, "whether Authorization arrives", doctor_said(d, &r));
}

/* ---- pages of other origins ---- */

/* Whether the page may read it; tells of a doubled header. */
static bool readable(struct doctor *d, const char *what, const struct ctl_answer *r)
{
	const char *first = ctl_http_header(&d->http, r, "Access-Control-Allow-Origin", 0);
	if (ctl_http_header(&d->http, r, "Access-Control-Allow-Origin", 1))
		doctor_find(d, F_CORS_TWICE, "%s", what);
	return first && (text_eq(first, d->origin) || text_eq(first, "*"));
}

static bool lists(const char *list, const char *name)
{
	return list && (strcasestr(list, name) || text_eq(list, "*"));
}

static void preflight(struct doctor *d, const char *origin)
{
	struct ctl_answer r = ask(d, "OPTIONS", "/files/", arena_printf(d->c->a,
		"%sAccess-Control-Request-Method: PATCH\r\nAccess-Control-Request-Headers: upload-offset, tus-resumable\r\n", origin));
	const char *methods = ctl_http_header(&d->http, &r, "Access-Control-Allow-Methods", 0), *headers = ctl_http_header(&d->http, &r, "Access-Control-Allow-Headers", 0);
	bool good = r.status >= 200 && r.status < 300 && readable(d, "OPTIONS /files/", &r) && lists(methods, "PATCH") && lists(headers, "Upload-Offset");
	if (!good)
		doctor_find(d, F_PREFLIGHT, "OPTIONS /files/ for a PATCH: %s", doctor_said(d, &r));
}

/* What web servers refuse by themselves: a length that is no number, a transfer coding that nobody knows. */
static void own_errors(struct doctor *d, const char *origin)
{
	static const char *const wrong[] = {"Content-Length: 1x\r\n", "Transfer-Encoding: braille\r\n"};
	int tried = 0;
	for (int i = 0; i < 2; i++) {
		struct ctl_answer r = ctl_http_ask(&d->http, &(struct ctl_ask){.method = "POST", .path = doctor_path(d, "/files/"), .length = -1,
			.headers = arena_printf(d->c->a, "%s%s", origin, wrong[i])});
		if (r.ours || r.status < 400)
			continue;
		tried++;
		if (!readable(d, "an error of the web server", &r))
			doctor_find(d, F_CORS_ERRORS, "POST /files/ with %.*s: %s, without Access-Control-Allow-Origin: %s", (int)strcspn(wrong[i], "\r"), wrong[i], doctor_said(d, &r),
				d->origin);
	}
	if (!tried)
		doctor_untried(d, "whether pages can read the web server's own errors", "none could be provoked");
}

void doctor_pages(struct doctor *d)
{
	const char *origin = arena_printf(d->c->a, "Origin: %s\r\n", d->origin ? d->origin : "");
	struct ctl_answer r = d->origin ? doctor_get(d, "/health", origin) : (struct ctl_answer){.head = ""};
	if (!d->origin || !readable(d, "GET /health", &r)) {
		doctor_untried(d, "whether pages of another origin can use it", d->origin
			? arena_printf(d->c->a, "the application does not allow %s (CORS_ORIGINS); name one that it does by --origin", d->origin) : "name one by --origin");
		return;
	}
	preflight(d, origin);
	own_errors(d, origin);
}

/* ---- bodies that are announced and never sent ---- */

/* true: it was not refused. An answer of the application, or none yet, means that the web server would take it. */
static bool body_passes(struct doctor *d, int64_t size, struct ctl_answer *r)
{
	struct ctl_ask a = doctor_upload_ask(d, "PATCH", doctor_path(d, NOBODY), 0, size);
	struct ctl_conn *c = ctl_http_begin(&d->http, &a, &r->why);
	*r = c ? ctl_http_answer(c, BODY_WAIT_MS) : (struct ctl_answer){.head = "", .body = "", .why = r->why};
	ctl_http_close(c);
	return r->status == 0 || r->ours || r->status >= 500;
}

void doctor_body_limit(struct doctor *d)
{
	struct ctl_answer first, r;
	int64_t size = d->max_patch;
	if (d->no_patch || body_passes(d, size, &first))
		return;
	do
		size /= 4;
	while (size > 1024 && !body_passes(d, size, &r));
	if (size <= 1024)
		doctor_find(d, F_BODY_REFUSED, "a PATCH with Content-Length %lld, and one with %lld: %s", (long long)d->max_patch, (long long)size, doctor_said(d, &first));
	else
		doctor_find(d, F_BODY_LIMIT, "a PATCH with Content-Length %lld, which the application takes: %s; %lld passes", (long long)d->max_patch,
			doctor_said(d, &first), (long long)size);
}

void doctor_chunked(struct doctor *d)
{
	static const char body[] = "5\r\nhello\r\n0\r\n\r\n";
	struct ctl_ask a = doctor_upload_ask(d, "PATCH", doctor_path(d, NOBODY), 0, -1);
	struct ctl_answer r = {.head = "", .body = ""};
	a.headers = arena_printf(d->c->a, "%sTransfer-Encoding: chunked\r\n", a.headers);
	struct ctl_conn *c = ctl_http_begin(&d->http, &a, &r.why);
	if (!c)
		return;
	/* What comes together with the headers may pass where more would not. */
	r = ctl_http_answer(c, BODY_LATE_MS);
	if (r.status == 0 && ctl_http_send(c, body, strlen(body)))
		r = ctl_http_answer(c, BODY_WAIT_MS);
	ctl_http_close(c);
	if (!r.ours)
		doctor_find(d, F_CHUNKED_REFUSED, "a PATCH with Transfer-Encoding: chunked: %s", doctor_said(d, &r));
}

void doctor_expect(struct doctor *d)
{
	struct ctl_ask a = doctor_upload_ask(d, "PATCH", doctor_path(d, NOBODY), 0, 5);
	struct ctl_answer r = {.head = "", .body = ""};
	a.headers = arena_printf(d->c->a, "%sExpect: 100-continue\r\n", a.headers);
	struct ctl_conn *c = ctl_http_begin(&d->http, &a, &r.why);
	if (c)
		r = ctl_http_answer(c, BODY_WAIT_MS);
	ctl_http_close(c);
	if (!r.continued && !r.ours)
		doctor_find(d, F_EXPECT, "a PATCH with Expect: 100-continue: %s", doctor_said(d, &r));
}
