/*
 * fuzz.h - what the fuzz targets share. A target is one file: it takes any bytes, and ends the process if something that must hold does not.
 *
 * Under clang libFuzzer drives it (`make fuzz`); else fuzz_seeds.c does, with the files in seeds/NAME and small changes of them, so that every target
 * is run by every compiler in the everyday tests.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define MUST(what) do { \
	if (!(what)) { \
		fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #what); \
		abort(); \
	} \
} while (0)

/* NUL-terminated copy; free it. */
static inline char *fuzz_text(const uint8_t *p, size_t n)
{
	char *s = malloc(n + 1);
	MUST(s);
	if (n)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

#endif
