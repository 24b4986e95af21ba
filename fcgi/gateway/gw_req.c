/*
 * gw_req.c - CGI variables become a request (RFC 3875 4.1), whatever web server made them.
 *
 * The servers agree on REQUEST_URI only (raw, undecoded, whole), so it decides; SCRIPT_NAME and PATH_INFO mean something else on
 * every one and are decoded. All strings are copied, because libfcgi's die with the connection.
 */
#include "gateway/gw.h"

#include <ctype.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"

static ssize_t empty_read(struct source *s, void *buf, size_t n)
{
	(void)s, (void)buf, (void)n;
	return 0;
}

static struct source empty = {.read = empty_read, .complete = true};

/* Fields that RFC 9110 5.3 lets a client send in several lines: joined. Any other that comes twice is refused, since two of
 * our servers pass both (and one puts a spoofed Upload_Offset first), two others join them. */
static const char *const lists[] = {
	"Accept", "Accept-Charset", "Accept-Encoding", "Accept-Language", "Access-Control-Request-Headers", "Cache-Control",
	"Connection", "Forwarded", "If-Match", "If-None-Match", "Pragma", "Te", "Trailer", "Upgrade", "Via", "X-Forwarded-For",
};

struct fill {
	struct arena *a;
	char *const *envp;
	struct http_header *header;
	int n;
	const char *fault;
};

static const char *raw(char *const *envp, const char *name)
{
	size_t n = strlen(name);
	for (; *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

/* Not empty, or NULL. */
static const char *var(char *const *envp, const char *name)
{
	const char *v = raw(envp, name);
	return v && *v ? v : NULL;
}

/* After an internal redirect Apache keeps a variable under REDIRECT_. */
static const char *var_or_redirect(char *const *envp, const char *name)
{
	char old[64] = "REDIRECT_";
	const char *v = var(envp, name);
	return v ? v : var(envp, strncat(old, name, sizeof old - 10));
}

static const char *copy_trimmed(struct arena *a, const char *v)
{
	size_t n = strlen(v);
	v = text_trim(v, &n);
	return arena_strndup(a, v, n);
}

/* UPLOAD_OFFSET -> Upload-Offset */
static const char *field_name(struct arena *a, const char *v, size_t n)
{
	char *name = arena_strndup(a, v, n);
	for (size_t i = 0; name && i < n; i++)
		name[i] = v[i] == '_' ? '-' : (char)(i && v[i - 1] != '_' ? tolower((unsigned char)v[i]) : v[i]);
	return name;
}

static bool is_list(const char *name)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		if (text_eq_nocase(lists[i], name))
			return true;
	return false;
}

static void add(struct fill *f, const char *name, const char *value)
{
	for (int i = 0; name && value && i < f->n; i++) {
		struct http_header *h = &f->header[i];
		if (!text_eq_nocase(h->name, name))
			continue;
		if (is_list(name))
			value = h->value = arena_printf(f->a, "%s, %s", h->value, value);
		else if (!f->fault)
			f->fault = arena_printf(f->a, "The header %s was sent more than once", name);
		if (value && is_list(name))
			return;
	}
	if (!name || !value)
		f->fault = "The header fields are too large";
	else
		f->header[f->n++] = (struct http_header){name, value};
}

/* Name and length of the header field that a variable carries; false: it carries none. */
static bool field_of(const char *env, const char **name, size_t *n)
{
	const char *eq = strchr(env, '=');
	if (!eq || !text_starts(env, "HTTP_") || eq == env + 5)
		return false;
	*name = env + 5;
	*n = (size_t)(eq - *name);
	/* some servers send these besides the CGI names, which count */
	return !(*n == 14 && strncmp(*name, "CONTENT_LENGTH", 14) == 0) && !(*n == 12 && strncmp(*name, "CONTENT_TYPE", 12) == 0);
}

static void fill_headers(struct fill *f)
{
	int most = 3;
	size_t n;
	const char *name, *v;
	for (char *const *e = f->envp; *e; e++)
		most += field_of(*e, &name, &n);
	f->header = arena_alloc(f->a, (size_t)most * sizeof *f->header);
	if (!f->header) {
		f->fault = "The header fields are too large";
		return;
	}
	for (char *const *e = f->envp; *e; e++)
		if (field_of(*e, &name, &n))
			add(f, field_name(f->a, name, n), copy_trimmed(f->a, name + n + 1));
	if ((v = var(f->envp, "CONTENT_TYPE")) || (v = var(f->envp, "HTTP_CONTENT_TYPE")))
		add(f, "Content-Type", copy_trimmed(f->a, v));
	if ((v = var(f->envp, "CONTENT_LENGTH")))
		add(f, "Content-Length", copy_trimmed(f->a, v));
	if (!var(f->envp, "HTTP_AUTHORIZATION") && (v = var(f->envp, "REDIRECT_HTTP_AUTHORIZATION")))
		add(f, "Authorization", copy_trimmed(f->a, v));
}

static int64_t content_length(struct fill *f)
{
	int64_t n = -1;
	const char *v = var(f->envp, "CONTENT_LENGTH");
	if (v && !num_u63(v, &n) && !f->fault)
		f->fault = "Content-Length is not a number";
	return n;
}

/* Decoded parts of a path, encoded again. */
static const char *path_target(struct fill *f)
{
	struct buf b;
	const char *script = raw(f->envp, "SCRIPT_NAME"), *info = raw(f->envp, "PATH_INFO"), *query = var(f->envp, "QUERY_STRING");
	buf_init(&b, 64 * 1024);
	if (script)
		text_percent_encode(&b, script, strlen(script), true);
	if (info)
		text_percent_encode(&b, info, strlen(info), true);
	if (query)
		buf_printf(&b, "?%s", query);
	const char *t = arena_strdup(f->a, b.p && !b.failed ? b.p : "/");
	buf_free(&b);
	return t;
}

static const char *target(struct fill *f)
{
	const char *uri = var(f->envp, "REQUEST_URI"), *before = var(f->envp, "REDIRECT_URL"), *query = var(f->envp, "REDIRECT_QUERY_STRING");
	if (!uri && before)
		return arena_printf(f->a, query ? "%s?%s" : "%s", before, query);
	if (!uri)
		return path_target(f);
	return arena_strdup(f->a, uri);
}

static bool is_https(char *const *envp)
{
	const char *https = var(envp, "HTTPS"), *scheme = var(envp, "REQUEST_SCHEME");
	return (https && (text_eq_nocase(https, "on") || text_eq_nocase(https, "1"))) || (scheme && text_eq_nocase(scheme, "https"));
}

static const char *text_or_empty(struct fill *f, const char *s)
{
	if (!s)
		f->fault = "The header fields are too large";
	return s ? s : "";
}

void gw_req_fill(struct http_req *req, struct arena *a, char *const *envp, const char *base_path, int64_t *length)
{
	struct fill f = {.a = a, .envp = envp};
	/* an ErrorDocument is asked for with GET; what the client asked for is kept aside */
	const char *method = var(envp, "REDIRECT_REQUEST_METHOD");
	if (!method)
		method = var(envp, "REQUEST_METHOD");
	*req = (struct http_req){.arena = a, .body = &empty};
	fill_headers(&f);
	*length = content_length(&f);
	req->method_text = text_or_empty(&f, arena_strdup(a, method ? method : ""));
	req->method = http_method_parse(req->method_text);
	req->target = text_or_empty(&f, target(&f));
	req->header = f.header;
	req->nheader = f.n;
	req->content_type = http_header(req, "Content-Type");
	req->host = http_header(req, "Host");
	req->remote_user = arena_strdup(a, var_or_redirect(envp, "REMOTE_USER"));
	req->remote_addr = arena_strdup(a, var(envp, "REMOTE_ADDR"));
	req->https = is_https(envp);
	req->gateway_error = f.fault;
	http_req_route(req, base_path);
}

void gateway_req_from_env(struct http_req *req, struct arena *a, char *const *envp, const char *base_path)
{
	int64_t length;
	gw_req_fill(req, a, envp, base_path, &length);
}
