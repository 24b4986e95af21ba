/* digest.c - the border to OpenSSL and zlib, and to the kernel's random numbers. */
#include "base/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <zlib.h>

#include "base/b64.h"
#include "base/crc32c.h"

void digest_sha256(const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN])
{
	/* Fails only when memory is out or the library is broken: no digest must ever be invented then. */
	if (EVP_Digest(p, n, out, NULL, EVP_sha256(), NULL) != 1)
		abort();
}

void digest_hmac_sha256(const void *key, size_t nkey, const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN])
{
	if (!HMAC(EVP_sha256(), key, (int)nkey, p, n, out, NULL))
		abort();
}

bool digest_equal(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}

void digest_random(void *p, size_t n)
{
	unsigned char *u = p;

	while (n) {
		ssize_t got = getrandom(u, n, 0);

		if (got < 0 && errno != EINTR)
			abort();
		if (got > 0) {
			u += got;
			n -= (size_t)got;
		}
	}
}

/* ---- streams ---- */

#define EVP(name) static const void *evp_##name(void) { return EVP_##name(); }
EVP(sha1)
EVP(sha256)
EVP(sha512)
EVP(md5)
#undef EVP

static uint32_t zlib_crc32(uint32_t crc, const void *p, size_t n)
{
	return (uint32_t)crc32_z(crc, p, n);
}

const struct digest_alg digest_algs[] = {
	{"sha1", NULL, 20, evp_sha1, NULL},
	{"sha256", "sha-256", 32, evp_sha256, NULL},
	{"sha512", "sha-512", 64, evp_sha512, NULL},
	{"md5", NULL, 16, evp_md5, NULL},
	{"crc32", NULL, 4, NULL, zlib_crc32},
	{"crc32c", NULL, 4, NULL, crc32c},
};
const int digest_algs_n = sizeof digest_algs / sizeof *digest_algs;

static bool named(const char *have, const char *name, size_t n)
{
	return have && strlen(have) == n && memcmp(have, name, n) == 0;
}

const struct digest_alg *digest_by_tus(const char *name, size_t n)
{
	for (int i = 0; i < digest_algs_n; i++)
		if (named(digest_algs[i].tus, name, n))
			return &digest_algs[i];
	return NULL;
}

const struct digest_alg *digest_by_field(const char *name, size_t n)
{
	for (int i = 0; i < digest_algs_n; i++)
		if (named(digest_algs[i].field, name, n))
			return &digest_algs[i];
	return NULL;
}

enum err digest_begin(struct digest *d, const struct digest_alg *alg)
{
	*d = (struct digest){.alg = alg};
	if (alg->crc)
		return ERR_OK;
	d->evp = EVP_MD_CTX_new();
	if (!d->evp)
		return ERR_NOMEM;
	if (EVP_DigestInit_ex(d->evp, alg->evp(), NULL) == 1)
		return ERR_OK;
	digest_drop(d);
	return ERR_INTERNAL;
}

void digest_add(struct digest *d, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (d->alg->crc)
		d->crc = d->alg->crc(d->crc, p, n);
	else if (EVP_DigestUpdate(d->evp, p, n) != 1)
		abort();
}

void digest_end(struct digest *d, unsigned char out[DIGEST_LEN_MAX])
{
	if (d->alg->crc) {
		for (int i = 0; i < 4; i++)
			out[i] = (unsigned char)(d->crc >> (24 - 8 * i));
	} else if (EVP_DigestFinal_ex(d->evp, out, NULL) != 1) {
		abort();
	}
	digest_drop(d);
}

void digest_drop(struct digest *d)
{
	EVP_MD_CTX_free(d->evp);
	d->evp = NULL;
}

/* ---- what bytes must have ---- */

enum err digest_check_begin(struct digest_check *k, const struct digest_wants *wants)
{
	enum err e = ERR_OK;
	*k = (struct digest_check){.wants = wants};
	for (int i = 0; !e && i < wants->n; i++)
		e = digest_begin(&k->d[i], wants->v[i].alg);
	if (e)
		digest_check_drop(k);
	return e;
}

void digest_check_add(struct digest_check *k, const void *p, size_t n)
{
	for (int i = 0; i < k->wants->n; i++)
		digest_add(&k->d[i], p, n);
}

enum err digest_check_end(struct digest_check *k)
{
	unsigned char have[DIGEST_LEN_MAX];
	enum err e = ERR_OK;
	for (int i = 0; i < k->wants->n; i++) {
		digest_end(&k->d[i], have);
		if (!digest_equal(have, k->wants->v[i].value, k->wants->v[i].alg->len))
			e = ERR_CHECKSUM;
	}
	return e;
}

void digest_check_drop(struct digest_check *k)
{
	for (int i = 0; i < k->wants->n; i++)
		digest_drop(&k->d[i]);
}

enum err digest_check_bytes(const struct digest_wants *wants, const void *p, size_t n)
{
	struct digest_check k;
	enum err e = digest_check_begin(&k, wants);
	if (e)
		return e;
	digest_check_add(&k, p, n);
	return digest_check_end(&k);
}

void digest_wants_text(const struct digest_wants *wants, char out[DIGEST_WANTS_TEXT])
{
	char base64[B64_ENCODED(DIGEST_LEN_MAX)];
	size_t n = 0;
	out[0] = '\0';
	for (int i = 0; i < wants->n; i++) {
		b64_encode(wants->v[i].value, wants->v[i].alg->len, base64);
		n += (size_t)snprintf(out + n, DIGEST_WANTS_TEXT - n, "%s%s %s", i ? "," : "", wants->v[i].alg->tus, base64);
	}
}

static bool want_parse(const char *text, size_t n, struct digest_want *out)
{
	unsigned char bytes[B64_DECODED(B64_ENCODED(DIGEST_LEN_MAX))];
	size_t name = strcspn(text, " "), got;
	if (name >= n || n - name > B64_ENCODED(DIGEST_LEN_MAX))
		return false;
	*out = (struct digest_want){.alg = digest_by_tus(text, name)};
	if (!out->alg || !b64_decode(text + name + 1, n - name - 1, bytes, &got) || got != out->alg->len)
		return false;
	memcpy(out->value, bytes, got);
	return true;
}

bool digest_wants_parse(const char *text, struct digest_wants *out)
{
	out->n = 0;
	for (;;) {
		size_t n = strcspn(text, ",");
		if (out->n == DIGEST_WANTS_MAX || !want_parse(text, n, &out->v[out->n]))
			return false;
		out->n++;
		if (!text[n])
			return true;
		text += n + 1;
	}
}
