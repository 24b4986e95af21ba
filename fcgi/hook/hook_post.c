/*
 * hook_post.c - a hook that is a URL: a signed POST of the event; 2xx is success. The only file that knows libcurl.
 */
#include <curl/curl.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/version.h"
#include "hook/hook.h"

#define CONNECT_S 10

enum err hook_post_init(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? ERR_OK : ERR_INTERNAL;
}

static size_t discard(char *p, size_t size, size_t n, void *arg)
{
	(void)p, (void)arg;
	return size * n;
}

static bool header(struct curl_slist **list, const char *text)
{
	struct curl_slist *more = text ? curl_slist_append(*list, text) : NULL;
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
	curl_easy_setopt(h, CURLOPT_URL, c->hook_url);
#if LIBCURL_VERSION_NUM >= 0x075500
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
#else
	curl_easy_setopt(h, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(h, CURLOPT_TIMEOUT, (long)c->hook_timeout);
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)(c->hook_timeout < CONNECT_S ? c->hook_timeout : CONNECT_S));
	curl_easy_setopt(h, CURLOPT_USERAGENT, "tus-fcgi/" TUS_FCGI_VERSION);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, list);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, discard);
	curl_easy_setopt(h, CURLOPT_ERRORBUFFER, error);
}

bool hook_post(const struct config *c, struct arena *a, const struct event *e, const char *body, const char **why)
{
	char error[CURL_ERROR_SIZE] = "";
	struct curl_slist *list = NULL;
	long status = 0;
	CURL *h = curl_easy_init();
	*why = "no memory for the request";
	if (h && headers(c, a, e, body, &list)) {
		options(h, c, body, list, error);
		CURLcode rc = curl_easy_perform(h);
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
		if (rc != CURLE_OK) {
			status = 0;
			*why = arena_strdup(a, *error ? error : curl_easy_strerror(rc));
		} else {
			*why = arena_printf(a, "the answer was %ld", status);
		}
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(h);
	return status >= 200 && status < 300;
}
