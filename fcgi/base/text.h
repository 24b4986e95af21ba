/*
 * text.h - small helpers on text and a growing buffer that is born with a maximum.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *p;      /* always NUL-terminated once anything was added; NULL before */
	size_t n;     /* bytes in use, without the NUL */
	size_t cap, max;
	bool failed;  /* an addition passed max or memory ran out; later additions do nothing */
};
void buf_init(struct buf *b, size_t max);
void buf_free(struct buf *b);
void buf_clear(struct buf *b);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

bool text_eq(const char *a, const char *b);         /* NULL equals only NULL */
bool text_eq_nocase(const char *a, const char *b);  /* ASCII case only, whatever the locale */
bool text_starts(const char *s, const char *prefix);
bool text_starts_nocase(const char *s, const char *prefix);
bool text_is_utf8(const char *s, size_t n);         /* well-formed UTF-8 without NUL */
/* Bytes of the well-formed UTF-8 character at s (1 to 4; NUL counts as one), 0 if there is none or n is too short. */
size_t text_utf8_len(const char *s, size_t n);
/* Adds s with every byte that is not UTF-8 replaced by U+FFFD. */
void text_utf8_clean(struct buf *b, const char *s, size_t n);
/* Trims blanks and tabs at both ends: returns the new start and sets *n. */
const char *text_trim(const char *s, size_t *n);

/* Percent-decoding (RFC 3986 2.1) into out, which holds at least strlen(s)+1 bytes. false: bad escape or %00. '+' stays '+'
 * unless plus_is_blank (urlencoded forms). */
bool text_percent_decode(const char *s, size_t n, bool plus_is_blank, char *out, size_t *outn);
/* Percent-encodes everything but RFC 3986 unreserved characters, and '/' if keep_slash. */
void text_percent_encode(struct buf *b, const char *s, size_t n, bool keep_slash);
/* Lower-case hex; out holds 2n+1 bytes. */
void text_hex(const void *p, size_t n, char *out);
/* s must be exactly 2n hex digits of any case. */
bool text_unhex(const char *s, void *out, size_t n);

#endif
