/*
 * clock.h - what time it is, and how HTTP and JSON write it.
 *
 * Wall time may be shifted for tests (setting TEST_CLOCK_OFFSET, seconds); monotonic time never is.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_now(void);          /* seconds since 1970, UTC, shifted */
int64_t clock_now_ms(void);       /* the same in milliseconds */
int64_t clock_mono_us(void);      /* monotonic microseconds */
void clock_shift(int64_t seconds);

#define CLOCK_HTTP_LEN 30         /* "Sun, 06 Nov 1994 08:49:37 GMT" and a NUL (RFC 9110 5.6.7), never localised */
void clock_http(int64_t t, char out[CLOCK_HTTP_LEN]);
/* 0 if s is not an IMF-fixdate (obsolete forms are not read). */
int64_t clock_http_parse(const char *s);
#define CLOCK_ISO_LEN 25          /* "2026-11-22T06:04:02.023Z" and a NUL */
void clock_iso(int64_t ms, char out[CLOCK_ISO_LEN]);

#endif
