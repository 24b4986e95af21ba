/* b64.h - Base64 (RFC 4648). */
#ifndef BASE_B64_H
#define BASE_B64_H

#include <stdbool.h>
#include <stddef.h>

/* Room that decoding n characters or encoding n bytes may need (the latter with a NUL). */
#define B64_DECODED(n) ((n) / 4 * 3 + 3)
#define B64_ENCODED(n) (((n) + 2) / 3 * 4 + 1)

/* Section 4, padded, canonical or not; no blanks. The empty text gives 0 bytes. false: not Base64. */
bool b64_decode(const char *s, size_t n, void *out, size_t *outn);
void b64_encode(const void *p, size_t n, char *out);
/* Section 5, without padding (URL and file name safe). */
void b64url_encode(const void *p, size_t n, char *out);

#endif
