/* arena.c - a chain of blocks; a request's memory is handed out from the newest one and never given back singly. */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 8192
#define ALIGN alignof(max_align_t)

struct block {
	struct block *older;
	size_t cap, used;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *newest, *first;
	size_t max, used;
};

static struct block *block_new(size_t cap, struct block *older)
{
	struct block *b = malloc(sizeof *b + cap);

	if (b) {
		b->older = older;
		b->cap = cap;
		b->used = 0;
	}
	return b;
}

struct arena *arena_open(size_t max)
{
	struct arena *a = calloc(1, sizeof *a);

	if (!a)
		return NULL;
	a->max = max;
	a->first = a->newest = block_new(BLOCK, NULL);
	if (!a->first) {
		free(a);
		return NULL;
	}
	return a;
}

void arena_reset(struct arena *a)
{
	while (a->newest != a->first) {
		struct block *b = a->newest;

		a->newest = b->older;
		free(b);
	}
	a->first->used = 0;
	a->used = 0;
}

void arena_close(struct arena *a)
{
	if (!a)
		return;
	arena_reset(a);
	free(a->first);
	free(a);
}

/* Room without zeroing. A big piece gets a block of its own; the rest of the block before is given up. */
static void *take(struct arena *a, size_t n)
{
	size_t room = (n + ALIGN - 1) & ~(ALIGN - 1);
	struct block *b = a->newest;
	void *p;

	if (n > a->max || room < n || a->used > a->max - n)
		return NULL;
	if (b->cap - b->used < room) {
		b = block_new(room > BLOCK ? room : BLOCK, b);
		if (!b)
			return NULL;
		a->newest = b;
	}
	p = b->data + b->used;
	b->used += room;
	a->used += n;
	return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p = take(a, n);

	return p ? memset(p, 0, n) : NULL;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *p = n < SIZE_MAX ? take(a, n + 1) : NULL;

	if (!p)
		return NULL;
	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p = NULL;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n >= 0 && (p = take(a, (size_t)n + 1)))
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;

	va_start(ap, fmt);
	p = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return p;
}

size_t arena_used(const struct arena *a)
{
	return a->used;
}
