/* source.c - the memory source: a body made of bytes at hand, for tests and for small bodies already read. */
#include "base/source.h"

#include <string.h>

static ssize_t mem_read(struct source *s, void *buf, size_t n)
{
	struct source_mem *m = s->self;
	size_t left = m->n - (size_t)s->taken;

	if (left == 0) {
		s->complete = !m->cut;
		return m->cut ? -1 : 0;
	}
	if (n > left)
		n = left;
	if (m->piece && n > m->piece)
		n = m->piece;
	if (n)
		memcpy(buf, m->p + s->taken, n);
	s->taken += (int64_t)n;
	return (ssize_t)n;
}

void source_mem_init(struct source_mem *m, const void *p, size_t n)
{
	*m = (struct source_mem){.s = {.read = mem_read, .length = (int64_t)n, .self = m}, .p = p, .n = n};
}
