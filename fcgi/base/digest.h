/*
 * digest.h - digests, message authentication, random bytes; the only file that knows OpenSSL.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_SHA256_LEN 32

void digest_sha256(const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN]);
/* HMAC (RFC 2104) with SHA-256. */
void digest_hmac_sha256(const void *key, size_t nkey, const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN]);
/* Equal in a time that does not depend on the contents. */
bool digest_equal(const void *a, const void *b, size_t n);
/* n bytes from the kernel's generator; ends the process if there are none. */
void digest_random(void *p, size_t n);

#endif
