/*
 * hook_post.c - a hook that is a URL: a signed POST of the event; 2xx is success.
 */
#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/version.h"
#include "hook/hook.h"
#include "hook/hook_curl.h"

#define CONNECT_S 10

static struct curl_lib lib;

enum err hook_post_init(const struct config *c)
{
	const char *why;
	if (!c->hook_url || lib.global_init)
		return ERR_OK;
	if (curl_lib_load(&lib, &why))
		return ERR_OK;
	log_event(LOG_ERROR, "hook", "HOOK_URL needs libcurl", "why", LS(why), NULL);
	return ERR_INTERNAL;
}

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
	(void)p, (void)arg;
	return size * n;
}

static bool header(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = text ? lib.slist_append(*list, text) : NULL;
	if (more)
		*list = more;
	return more;
}

/* The id lets the receiver ignore what it has had; the time, which is signed too, lets it ignore what somebody repeats. */
static bool headers(const struct config *c, struct arena *a, const struct event *e, const char *body, struct curl_slist **list)
{
	char signature[HOOK_SIGNATURE_LEN];
	int64_t now = clock_now();
	hook_sign(c->hook_secret ? c->hook_secret : c->secret_key ? c->secret_key : "", now, body, a, signature);
	return *signature && header(list, "Content-Type: application/json") && header(list, "Expect:")
		&& header(list, arena_printf(a, "X-Tus-Event: %s", event_name(e->kind)))
		&& header(list, arena_printf(a, "X-Tus-Event-Id: %s", event_id(a, e)))
		&& header(list, arena_printf(a, "X-Tus-Timestamp: %" PRId64, now))
		&& header(list, arena_printf(a, "X-Tus-Signature: %s", signature));
}

static void options(CURL *h, const struct config *c, const char *body, struct curl_slist *list, char *error)
{
	lib.easy_setopt(h, CURLOPT_URL, c->hook_url);
#if LIBCURL_VERSION_NUM >= 0x075500
	lib.easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	lib.easy_setopt(h, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	lib.easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	lib.easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	lib.easy_setopt(h, CURLOPT_TIMEOUT, (long)c->hook_timeout);
	lib.easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)(c->hook_timeout < CONNECT_S ? c->hook_timeout : CONNECT_S));
	lib.easy_setopt(h, CURLOPT_USERAGENT, "tus-fcgi/" TUS_FCGI_VERSION);
	lib.easy_setopt(h, CURLOPT_HTTPHEADER, list);
	lib.easy_setopt(h, CURLOPT_POSTFIELDS, body);
	lib.easy_setopt(h, CURLOPT_WRITEFUNCTION, discard);
	lib.easy_setopt(h, CURLOPT_ERRORBUFFER, error);
}

bool hook_post(const struct config *c, struct arena *a, const struct event *e, const char *body, const char **why)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *list = NULL;
	long status = 0;
	CURL *h = lib.easy_init();
	*why = "no memory for the request";
	if (h && headers(c, a, e, body, &list)) {
		options(h, c, body, list, error);
		CURLcode rc = lib.easy_perform(h);
		lib.easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		if (rc != CURLE_OK) {
			status = 0;
			*why = arena_strdup(a, *error ? error : lib.easy_strerror(rc));
		} else {
			*why = arena_printf(a, "the answer was %ld", status);
		}
	}
	lib.slist_free_all(list);
	lib.easy_cleanup(h);
	return status >= 200 && status < 300;
}
