/*
 * fuzz_checksum.c - Upload-Checksum, Content-Digest and Repr-Digest: what is accepted is a value of one of our algorithms, and means the same when it is written anew.
 */
#include "base/b64.h"
#include "fuzz.h"
#include "proto/proto_checksum.h"

#define TEXT_MAX 200

static void upload_checksum(const char *s)
{
	struct digest_want w, again;
	const char *why = NULL;
	char text[TEXT_MAX], base64[B64_ENCODED(DIGEST_LEN_MAX)];
	enum err e = checksum_read(s, &w, &why);
	MUST(e == ERR_OK || (e == ERR_INVALID && why));
	if (e)
		return;
	MUST(w.alg >= digest_algs && w.alg < digest_algs + digest_algs_n);
	b64_encode(w.value, w.alg->len, base64);
	snprintf(text, sizeof text, "%s %s", w.alg->tus, base64);
	MUST(strlen(text) == strlen(s));
	MUST(checksum_read(text, &again, &why) == ERR_OK);
	MUST(again.alg == w.alg && memcmp(again.value, w.value, w.alg->len) == 0);
}

static void digest_field(const char *s)
{
	struct digest_wants all = {.n = 0}, again = {.n = 0};
	const char *why = NULL;
	char text[DIGEST_WANTS_MAX * TEXT_MAX] = "", base64[B64_ENCODED(DIGEST_LEN_MAX)];
	enum err e = digest_field_read(s, &all, &why);
	MUST(e == ERR_OK || (e == ERR_INVALID && why && all.n == 0));
	MUST(all.n >= 0 && all.n < DIGEST_WANTS_MAX);
	for (int i = 0; i < all.n; i++) {
		MUST(all.v[i].alg->field);
		b64_encode(all.v[i].value, all.v[i].alg->len, base64);
		snprintf(text + strlen(text), TEXT_MAX, "%s%s=:%s:", i ? ", " : "", all.v[i].alg->field, base64);
	}
	MUST(digest_field_read(text, &again, &why) == ERR_OK);
	MUST(again.n == all.n);
	for (int i = 0; i < all.n; i++)
		MUST(again.v[i].alg == all.v[i].alg && memcmp(again.v[i].value, all.v[i].value, all.v[i].alg->len) == 0);
	/* What is asked for twice is asked for once. */
	if (!e && digest_field_read(s, &again, &why) == ERR_OK)
		MUST(again.n == all.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *s = fuzz_text(p, n < 10000 ? n : 10000);
	upload_checksum(s);
	digest_field(s);
	free(s);
	return 0;
}
