/*
 * routes.c - the site map.
 */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct route routes[] = {
	/* tus */
	{HTTP_OPTIONS, "/files/",                      ROUTE_PUBLIC,                            tus_options},
	{HTTP_POST,    "/files/",                      ROUTE_TUS | ROUTE_DRAFT | ROUTE_BODY | ROUTE_BEGINS, tus_create},
	{HTTP_OPTIONS, "/files/{id}",                  ROUTE_PUBLIC,                            tus_options},
	{HTTP_HEAD,    "/files/{id}",                  ROUTE_TUS | ROUTE_DRAFT,                 tus_head},
	{HTTP_PATCH,   "/files/{id}",                  ROUTE_TUS | ROUTE_DRAFT | ROUTE_BODY,    tus_patch},
	{HTTP_DELETE,  "/files/{id}",                  ROUTE_TUS | ROUTE_DRAFT,                 tus_delete},
	{HTTP_GET,     "/files/{id}",                  ROUTE_DRAFT | ROUTE_DOWNLOAD,            tus_get},
	/* a recording: its session and its chunks */
	{HTTP_OPTIONS, "/files/{sid}",                 ROUTE_PUBLIC,                            tus_options},
	{HTTP_DELETE,  "/files/{sid}",                 0,                                       session_delete},
	{HTTP_HEAD,    "/files/{sid}",                 ROUTE_TUS,                               tus_unknown},
	{HTTP_PATCH,   "/files/{sid}",                 ROUTE_TUS,                               tus_unknown},
	{HTTP_GET,     "/files/{sid}",                 0,                                       tus_unknown},
	{HTTP_GET,     "/files/{sid}/status",          0,                                       session_status},
	{HTTP_POST,    "/files/{sid}/assemble",        0,                                       session_assemble},
	{HTTP_OPTIONS, "/files/{sid}/chunks/",         ROUTE_PUBLIC,                            tus_options},
	{HTTP_POST,    "/files/{sid}/chunks/",         ROUTE_TUS | ROUTE_BODY | ROUTE_BEGINS,   chunk_tus_create},
	{HTTP_OPTIONS, "/files/{sid}/chunks/{index}",  ROUTE_PUBLIC,                            tus_options},
	{HTTP_HEAD,    "/files/{sid}/chunks/{index}",  ROUTE_TUS,                               chunk_tus_head},
	{HTTP_PATCH,   "/files/{sid}/chunks/{index}",  ROUTE_TUS | ROUTE_BODY,                  chunk_tus_patch},
	{HTTP_DELETE,  "/files/{sid}/chunks/{index}",  ROUTE_TUS,                               chunk_tus_delete},
	/* the recorder's fallback */
	{HTTP_POST,    "/upload/chunk",                ROUTE_BODY | ROUTE_BEGINS,               fallback_chunk},
	{HTTP_GET,     "/api/verify/{any}/{index}",    0,                                       fallback_verify},
	{HTTP_POST,    "/recording/complete",          ROUTE_BODY,                               fallback_complete},
	/* uploads without a protocol */
	{HTTP_POST,    "/upload",                      ROUTE_DRAFT | ROUTE_BODY | ROUTE_BEGINS, plain_post},
	{HTTP_PUT,     "/upload/{name}",               ROUTE_DRAFT | ROUTE_BODY | ROUTE_BEGINS, plain_put},
	{HTTP_POST,    "/api/v1/uploads",              ROUTE_BODY | ROUTE_BEGINS,               plain_post},
	{HTTP_POST,    "/api/v1/uploads/multiple",     ROUTE_BODY | ROUTE_BEGINS,               plain_post},
	{HTTP_POST,    "/chunked-upload/init",         ROUTE_BODY | ROUTE_BEGINS,               chunked_init},
	{HTTP_POST,    "/chunked-upload/chunk",        ROUTE_BODY,                              chunked_chunk},
	{HTTP_POST,    "/chunked-upload/complete",     ROUTE_BODY,                               chunked_complete},
	{HTTP_GET,     "/chunked-upload/status/{sid}", 0,                                       chunked_status},
	/* finished files */
	{HTTP_GET,     "/recordings/",                 0,                                       recordings_list},
	{HTTP_GET,     "/recordings/{any}/{file}",     ROUTE_DOWNLOAD,                          recordings_get},
	{HTTP_HEAD,    "/recordings/{any}/{file}",     0,                                       recordings_get},
	{HTTP_DELETE,  "/recordings/{any}/{file}",     0,                                       recordings_delete},
	/* the server itself */
	{HTTP_GET,     "/api/config",                  ROUTE_PUBLIC,                            page_config},
	{HTTP_GET,     "/health",                      ROUTE_PUBLIC | ROUTE_ANY_HOST,           page_health},
	{HTTP_HEAD,    "/health",                      ROUTE_PUBLIC | ROUTE_ANY_HOST,           page_health},
	{HTTP_GET,     "/metrics",                     0,                                       page_metrics},
};
#define ROUTES ((int)(sizeof routes / sizeof *routes))

static bool segment_fits(const char *want, size_t n, const char *have)
{
	if (want[0] != '{')
		return strlen(have) == n && memcmp(want, have, n) == 0;
	if (n == 4 && memcmp(want, "{id}", 4) == 0)
		return have[0] == '_';
	if (n == 5 && memcmp(want, "{sid}", 5) == 0)
		return have[0] != '_';
	return true;
}

/* A closing slash is as good with as without, on every route. */
static bool fits(const char *pattern, const struct http_req *req, const char *param[3])
{
	int i = 0, p = 0;
	const char *s = pattern + 1;
	while (*s) {
		size_t n = strcspn(s, "/");
		if (i == req->nseg || !segment_fits(s, n, req->seg[i]))
			return false;
		if (s[0] == '{')
			param[p++] = req->seg[i];
		i++;
		s += n;
		s += *s == '/';
	}
	return i == req->nseg;
}

int route_find(struct http_req *req, const char *param[3], const char **allow)
{
	struct buf b;
	buf_init(&b, 256);
	for (int i = 0; req->nseg >= 0 && i < ROUTES; i++) {
		if (!fits(routes[i].pattern, req, param))
			continue;
		if (routes[i].method == req->method) {
			buf_free(&b);
			return i;
		}
		buf_printf(&b, "%s%s", b.n ? ", " : "", http_method_name(routes[i].method));
	}
	*allow = arena_strdup(req->arena, b.n ? b.p : "");
	buf_free(&b);
	return ROUTE_NONE;
}

bool route_creates(const struct http_req *req)
{
	const char *param[3];
	for (int i = 0; req->nseg >= 0 && i < ROUTES; i++)
		if ((routes[i].flags & ROUTE_DRAFT) && (routes[i].flags & ROUTE_BEGINS) && fits(routes[i].pattern, req, param))
			return true;
	return false;
}

const struct route *route_at(int i)
{
	return &routes[i];
}

int route_count(void)
{
	return ROUTES;
}

const char *route_label(int i)
{
	return i >= 0 && i < ROUTES ? routes[i].pattern : "unmatched";
}
