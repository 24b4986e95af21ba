/*
 * msg.c - a request and its answer as plain values: looking up headers, cutting the target, filling the answer.
 */
#include "http/msg.h"

#include <assert.h>
#include <string.h>

#include "base/text.h"

static const char *const method_names[] = {
	[HTTP_GET] = "GET", [HTTP_HEAD] = "HEAD", [HTTP_POST] = "POST", [HTTP_PUT] = "PUT",
	[HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE", [HTTP_OPTIONS] = "OPTIONS", [HTTP_OTHER] = "OTHER",
};

const char *http_method_name(enum http_method m)
{
	return method_names[m <= HTTP_OTHER ? m : HTTP_OTHER];
}

enum http_method http_method_parse(const char *s)
{
	for (int m = 0; s && m < HTTP_OTHER; m++)
		if (strcmp(s, method_names[m]) == 0)
			return (enum http_method)m;
	return HTTP_OTHER;
}

const char *http_header(const struct http_req *r, const char *name)
{
	for (int i = 0; i < r->nheader; i++)
		if (text_eq_nocase(r->header[i].name, name))
			return r->header[i].value;
	return NULL;
}

int http_header_count(const struct http_req *r, const char *name)
{
	int n = 0;
	for (int i = 0; i < r->nheader; i++)
		n += text_eq_nocase(r->header[i].name, name);
	return n;
}

/* The path of absolute-form "http://host/path" (RFC 9112 3.2.2), which a server must understand; any other target as it is. */
static const char *skip_authority(const char *target)
{
	static const char *const scheme[] = { "http://", "https://" };
	for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++)
		if (text_starts_nocase(target, scheme[i])) {
			const char *host = target + strlen(scheme[i]);
			return host + strcspn(host, "/?");
		}
	return target;
}

/* What is left of path after base, which must end at a segment border; NULL if path lies outside. */
static const char *strip_base(const char *path, const char *base)
{
	size_t n = strlen(base);
	while (n > 0 && base[n - 1] == '/')
		n--;
	if (strncmp(path, base, n) != 0 || (path[n] != '/' && path[n] != '\0'))
		return NULL;
	return path + n;
}

/* "" or "/a/b" or "/a/b/" into seg. false if a segment is not one, there are too many, or memory is out. */
static bool cut_segments(struct http_req *r, const char *p)
{
	while (*p == '/') {
		p++;
		if (*p == '\0') {
			r->slash = true;
			return true;
		}
		size_t n = strcspn(p, "/");
		bool dots = (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.');
		char *seg = n > 0 && !dots && r->nseg < HTTP_SEGS_MAX ? arena_strndup(r->arena, p, n) : NULL;
		if (!seg)
			return false;
		r->seg[r->nseg++] = seg;
		p += n;
	}
	return true;
}

void http_req_route(struct http_req *r, const char *base_path)
{
	r->nseg = -1;
	r->slash = false;
	r->query = NULL;
	char *path = r->target ? arena_strdup(r->arena, skip_authority(r->target)) : NULL;
	if (!path)
		return;
	char *question = strchr(path, '?');
	if (question) {
		*question = '\0';
		r->query = question + 1;
	}
	const char *inside = strip_base(path, base_path ? base_path : "");
	if (!inside)
		return;
	r->nseg = 0;
	if (!cut_segments(r, inside)) {
		r->nseg = -1;
		r->slash = false;
	}
}

/* Percent-decoded as forms do ('+' is a blank), since that is what URLSearchParams and HTML forms write; NULL if badly encoded. */
static const char *decode(struct arena *a, const char *p, size_t n)
{
	char *out = arena_alloc(a, n + 1);
	return out && text_percent_decode(p, n, true, out, &n) ? out : NULL;
}

const char *http_query(const struct http_req *r, const char *name)
{
	for (const char *p = r->query; p; ) {
		size_t n = strcspn(p, "&");
		size_t key = strcspn(p, "=&");
		const char *k = decode(r->arena, p, key);
		if (k && strcmp(k, name) == 0)
			return key < n ? decode(r->arena, p + key + 1, n - key - 1) : "";
		p = p[n] == '&' ? p + n + 1 : NULL;
	}
	return NULL;
}

void http_res_init(struct http_res *r)
{
	memset(r, 0, sizeof *r);
	r->file_fd = -1;
	r->head_len = -1;
}

/* A field value has no control characters but the tab (RFC 9110 5.5); a line feed would be a header of somebody else's choice. */
static bool value_ok(const char *s)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			return false;
	return true;
}

void http_res_add(struct http_res *r, const char *name, const char *value)
{
	if (!value) {
		r->failed = true;
		return;
	}
	assert(value_ok(value));
	assert(r->nheader < HTTP_RES_HEADERS);
	r->header[r->nheader++] = (struct http_header){ name, value };
}

void http_res_set(struct http_res *r, const char *name, const char *value)
{
	int kept = 0;
	for (int i = 0; i < r->nheader; i++)
		if (!text_eq_nocase(r->header[i].name, name))
			r->header[kept++] = r->header[i];
	r->nheader = kept;
	http_res_add(r, name, value);
}

const char *http_res_get(const struct http_res *r, const char *name)
{
	for (int i = 0; i < r->nheader; i++)
		if (text_eq_nocase(r->header[i].name, name))
			return r->header[i].value;
	return NULL;
}

void http_res_addf(struct http_res *r, struct arena *a, const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *value = arena_vprintf(a, fmt, ap);
	va_end(ap);
	http_res_add(r, name, value);
}
