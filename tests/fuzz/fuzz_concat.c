/*
 * fuzz_concat.c - the list of Upload-Concat: what is taken for an upload of ours is one, and nobody else's.
 */
#include "fuzz.h"
#include "model/name.h"
#include "proto/proto_concat.h"

static void one_url(const char *url, size_t n, const char *base)
{
	char host[256], id[24], again[600];
	if (!concat_url(url, n, base, host, id))
		return;
	MUST(name_upload_id(id));
	MUST(memmem(url, n, id, strlen(id)));
	MUST(strlen(host) < sizeof host);
	for (const char *h = host; *h; h++)
		MUST(*h != '/' && *h != '@' && !(*h >= 'A' && *h <= 'Z'));
	/* Written in the plainest way it means the same. */
	char host2[256], id2[24];
	int len = *host ? snprintf(again, sizeof again, "https://%s%s/files/%s", host, base, id) : snprintf(again, sizeof again, "%s/files/%s", base, id);
	MUST(concat_url(again, (size_t)len, base, host2, id2));
	MUST(strcmp(host, host2) == 0 && strcmp(id, id2) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *s = fuzz_text(p, n < 20000 ? n : 20000);
	const char *at = s, *url, *last = s;
	size_t len;
	while ((url = concat_next(&at, &len))) {
		MUST(url >= last && len > 0 && url + len == at && !memchr(url, ' ', len));
		last = at;
		one_url(url, len, "");
		one_url(url, len, "/up");
	}
	MUST(*at == '\0');
	free(s);
	return 0;
}
