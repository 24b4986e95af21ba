/* num.h - strict numbers: what a header or a field may hold, and nothing more. */
#ifndef BASE_NUM_H
#define BASE_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* 1 to 19 decimal digits and nothing else (no sign, blank, point), at most 2^63-1. */
bool num_u63(const char *s, int64_t *out);
/* The same with an optional leading '-'. */
bool num_i64(const char *s, int64_t *out);
/* Digits with an optional unit: K, M, G, T (powers of 1024), also KB/KiB and so on. For settings. */
bool num_size(const char *s, int64_t *out);
/* true|false|1|0|yes|no|on|off, any case. */
bool num_bool(const char *s, bool *out);

#endif
