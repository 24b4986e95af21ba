/* digest.c - the border to OpenSSL, and to the kernel's random numbers. */
#include "base/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

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
