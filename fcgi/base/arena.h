/*
 * arena.h - memory of one request: taken piece by piece, given back at once.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* max: bytes that the arena may hand out in total before it answers NULL. NULL if out of memory. */
struct arena *arena_open(size_t max);
/* Frees everything taken; the arena stays usable (keeps its first block). */
void arena_reset(struct arena *a);
void arena_close(struct arena *a);

/* Zeroed memory aligned for any type; NULL when max is passed or memory is out. */
void *arena_alloc(struct arena *a, size_t n);
/* Copies with a closing NUL; NULL as above. arena_strdup(a, NULL) is NULL. */
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap);
/* Bytes handed out since the last reset. */
size_t arena_used(const struct arena *a);

#endif
