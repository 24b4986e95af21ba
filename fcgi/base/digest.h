/*
 * digest.h - digests, message authentication, random bytes; the only file that knows OpenSSL and zlib.
 *
 * A digest value is the bytes that the algorithm's definition names. Of the two CRCs it is the number as 4 bytes, most significant first (that of
 * "123456789" is cb f4 39 26 for crc32, e3 06 92 83 for crc32c).
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define DIGEST_SHA256_LEN 32
#define DIGEST_LEN_MAX 64

void digest_sha256(const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN]);
/* HMAC (RFC 2104) with SHA-256. */
void digest_hmac_sha256(const void *key, size_t nkey, const void *p, size_t n, unsigned char out[DIGEST_SHA256_LEN]);
/* Equal in a time that does not depend on the contents. */
bool digest_equal(const void *a, const void *b, size_t n);
/* n bytes from the kernel's generator; ends the process if there are none. */
void digest_random(void *p, size_t n);

/* ---- streams ---- */

/* An algorithm; the table's order is the order of preference. */
struct digest_alg {
	const char *tus;            /* name in Upload-Checksum and Tus-Checksum-Algorithm */
	const char *field;          /* key in Content-Digest and Repr-Digest (RFC 9530), NULL if we do not take it there */
	size_t len;                 /* bytes of a value */
	const void *(*evp)(void);   /* OpenSSL's method, or */
	uint32_t (*crc)(uint32_t crc, const void *p, size_t n);
};
extern const struct digest_alg digest_algs[];
extern const int digest_algs_n;
/* By exact name of n bytes; NULL: none of ours. */
const struct digest_alg *digest_by_tus(const char *name, size_t n);
const struct digest_alg *digest_by_field(const char *name, size_t n);

struct digest {
	const struct digest_alg *alg;
	void *evp;
	uint32_t crc;
};
/* ERR_NOMEM; ERR_INTERNAL: the library does not offer it. Whoever began ends or drops it. */
enum err digest_begin(struct digest *d, const struct digest_alg *alg);
void digest_add(struct digest *d, const void *p, size_t n);
/* alg->len bytes. */
void digest_end(struct digest *d, unsigned char out[DIGEST_LEN_MAX]);
void digest_drop(struct digest *d);

/* ---- what bytes must have ---- */

struct digest_want {
	const struct digest_alg *alg;
	unsigned char value[DIGEST_LEN_MAX];
};
/* Upload-Checksum, sha-256 and sha-512. */
#define DIGEST_WANTS_MAX 3
struct digest_wants {
	struct digest_want v[DIGEST_WANTS_MAX];
	int n;
};
/* Digests of a stream that is to have all wanted values. */
struct digest_check {
	const struct digest_wants *wants;
	struct digest d[DIGEST_WANTS_MAX];
};
/* As digest_begin; after an error nothing is to be dropped. wants must live as long as the check. */
enum err digest_check_begin(struct digest_check *k, const struct digest_wants *wants);
void digest_check_add(struct digest_check *k, const void *p, size_t n);
/* The bytes have ended: ERR_CHECKSUM if any value is another. Ends the check. */
enum err digest_check_end(struct digest_check *k);
void digest_check_drop(struct digest_check *k);
/* The same for bytes at hand. */
enum err digest_check_bytes(const struct digest_wants *wants, const void *p, size_t n);

/* As text to be kept: "sha256 Base64,sha512 Base64", in this order; and back (false: anything else). */
#define DIGEST_WANTS_TEXT (DIGEST_WANTS_MAX * 128)
void digest_wants_text(const struct digest_wants *wants, char out[DIGEST_WANTS_TEXT]);
bool digest_wants_parse(const char *text, struct digest_wants *out);

#endif
