/*
 * ctl_http.c - the client of ctl_http.h. libcurl makes the connection (names, TLS, certificates); what is said on it is said here.
 *
 * As for the hook, the library is loaded when it is needed: no other command needs it.
 */
#include "ctl_http.h"

#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/version.h"
#include "hook/hook_curl.h"

#define CONNECT_S 10L
#define SEND_MS 10000
#define ANSWER_MS 10000

static struct curl_lib lib;

/* ---- the URL ---- */

static bool take_apart(struct ctl_http *h, const char *url)
{
	h->https = text_starts(url, "https://");
	if (!h->https && !text_starts(url, "http://"))
		return false;
	const char *host = url + (h->https ? 8 : 7);
	size_t n = strcspn(host, "/?#");
	const char *path = host + n;
	size_t m = strlen(path);
	while (m > 0 && path[m - 1] == '/')
		m--;
	h->host = arena_strndup(h->a, host, n);
	h->origin = arena_strndup(h->a, url, (size_t)(path - url));
	h->base = arena_strndup(h->a, path, m);
	if (n == 0 || !h->host || !h->origin || !h->base || strpbrk(path, "?#"))
		return false;
	for (const char *p = url; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == '@')
			return false;
	return true;
}

bool ctl_http_init(struct ctl_http *h, struct arena *a, const char *url, bool *usage, const char **why)
{
	unsigned char random[6];
	char hex[2 * sizeof random + 1];
	h->a = a;
	*usage = !take_apart(h, url);
	*why = "the URL must be http:// or https://, a host, and a path if there is one";
	if (*usage)
		return false;
	digest_random(random, sizeof random);
	text_hex(random, sizeof random, hex);
	h->id = arena_printf(a, "tusctl-doctor-%s", hex);
	*why = "out of memory";
	return h->id && curl_lib_load(&lib, why);
}

/* ---- connecting ---- */

static CURL *handle(struct ctl_http *h, const char *url, long version, char *error)
{
	CURL *curl = lib.easy_init();
	if (!curl)
		return NULL;
	lib.easy_setopt(curl, CURLOPT_URL, url);
	lib.easy_setopt(curl, CURLOPT_NOPROXY, "*");
	lib.easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	lib.easy_setopt(curl, CURLOPT_HTTP_VERSION, version);
	lib.easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	lib.easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, h->insecure ? 0L : 1L);
	lib.easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, h->insecure ? 0L : 2L);
	lib.easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
	return curl;
}

static CURL *connected(struct ctl_http *h, const char **why)
{
	char *error = arena_alloc(h->a, CURL_ERROR_SIZE);
	CURL *curl = error ? handle(h, h->origin, CURL_HTTP_VERSION_1_1, error) : NULL;
	*why = "no memory";
	if (!curl)
		return NULL;
	lib.easy_setopt(curl, CURLOPT_CONNECT_ONLY, 1L);
	CURLcode rc = lib.easy_perform(curl);
	if (rc == CURLE_OK)
		return curl;
	*why = *error ? error : lib.easy_strerror(rc);
	lib.easy_cleanup(curl);
	if ((rc != CURLE_PEER_FAILED_VERIFICATION && rc != CURLE_SSL_CACERT_BADFILE) || h->insecure)
		return NULL;
	h->no_roots = rc == CURLE_SSL_CACERT_BADFILE;
	h->tls_fault = h->no_roots ? NULL : *why;
	h->insecure = true;
	return connected(h, why);
}

static bool ready(struct ctl_conn *c, short what, int64_t until)
{
	curl_socket_t fd = CURL_SOCKET_BAD;
	int64_t left = until - clock_mono_us() / 1000;
	if (left <= 0 || lib.easy_getinfo(c->curl, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK || fd == CURL_SOCKET_BAD)
		return false;
	struct pollfd p = {.fd = fd, .events = what};
	return poll(&p, 1, (int)left) > 0;
}

bool ctl_http_send(struct ctl_conn *c, const char *p, size_t n)
{
	int64_t until = clock_mono_us() / 1000 + SEND_MS;
	while (n > 0) {
		size_t sent = 0;
		CURLcode rc = lib.easy_send(c->curl, p, n, &sent);
		if (rc != CURLE_OK && (rc != CURLE_AGAIN || !ready(c, POLLOUT, until)))
			return false;
		p += sent;
		n -= sent;
	}
	return true;
}

static char *head_text(struct ctl_http *h, const struct ctl_ask *ask)
{
	const char *key = h->key && !ask->no_key ? arena_printf(h->a, "X-API-Key: %s\r\n", h->key) : "";
	const char *length = ask->length >= 0 ? arena_printf(h->a, "Content-Length: %lld\r\n", (long long)ask->length) : "";
	return arena_printf(h->a, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: tusctl/" TUS_FCGI_VERSION "\r\nConnection: close\r\nX-Request-ID: %s\r\n"
		"Tus-Resumable: 1.0.0\r\n%s%s%s\r\n", ask->method, ask->path, h->host, h->id, key, length, ask->headers ? ask->headers : "");
}

struct ctl_conn *ctl_http_begin(struct ctl_http *h, const struct ctl_ask *ask, const char **why)
{
	struct ctl_conn *c = arena_alloc(h->a, sizeof *c);
	char *head = head_text(h, ask);
	*why = "no memory";
	if (!c || !head)
		return NULL;
	c->h = h;
	c->bodiless = text_eq(ask->method, "HEAD");
	c->curl = connected(h, why);
	if (!c->curl)
		return NULL;
	/* Whoever refuses a body may close before all of it is sent, and has answered. */
	if (ctl_http_send(c, head, strlen(head)) && ask->send > 0)
		(void)ctl_http_send(c, ask->body, ask->send);
	return c;
}

void ctl_http_close(struct ctl_conn *c)
{
	if (c && c->curl)
		lib.easy_cleanup(c->curl);
}

bool ctl_http_more(struct ctl_conn *c, struct buf *b, int64_t until)
{
	char p[16384];
	for (;;) {
		size_t n = 0;
		CURLcode rc = lib.easy_recv(c->curl, p, sizeof p, &n);
		if (rc == CURLE_AGAIN && ready(c, POLLIN, until))
			continue;
		if (rc != CURLE_OK || n == 0)
			return false;
		buf_add(b, p, n);
		return !b->failed;
	}
}

struct ctl_answer ctl_http_ask(struct ctl_http *h, const struct ctl_ask *ask)
{
	struct ctl_answer r = {.head = "", .body = ""};
	struct ctl_conn *c = ctl_http_begin(h, ask, &r.why);
	if (c)
		r = ctl_http_answer(c, ANSWER_MS);
	ctl_http_close(c);
	return r;
}

/* ---- HTTP/2 ---- */

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
	(void)p, (void)arg;
	return size * n;
}

bool ctl_http_is_2(struct ctl_http *h)
{
	char error[CURL_ERROR_SIZE] = "";
	long version = 0;
	const char *url = arena_printf(h->a, "%s%s/health", h->origin, h->base);
	CURL *curl = url ? handle(h, url, CURL_HTTP_VERSION_2TLS, error) : NULL;
	if (!curl)
		return false;
	lib.easy_setopt(curl, CURLOPT_TIMEOUT, CONNECT_S);
	lib.easy_setopt(curl, CURLOPT_WRITEFUNCTION, discard);
	if (lib.easy_perform(curl) != CURLE_OK || lib.easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version) != CURLE_OK)
		version = 0;
	lib.easy_cleanup(curl);
	return version == CURL_HTTP_VERSION_2_0;
}
