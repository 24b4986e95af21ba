/*
 * source.h - a stream of bytes that comes from outside and may break off.
 *
 * The body of a request as the rooms below the gateway see it: no FastCGI, no CGI. Tests give a memory source.
 */
#ifndef BASE_SOURCE_H
#define BASE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct source {
	/* Takes what is there, at most n bytes; waits only when nothing is. >0 bytes, 0 end, -1 cut off (peer gone, timed out,
	 * or stopped). After 0 or -1 every further call returns the same. */
	ssize_t (*read)(struct source *s, void *buf, size_t n);
	/* Makes a read that waits, now or later, return -1 soon. Called from another thread; must be safe while read runs.
	 * May be NULL (nothing to stop). */
	void (*stop)(struct source *s);
	/* Announced size in bytes (CONTENT_LENGTH), -1 if unknown. read never gives more than this. */
	int64_t length;
	/* Bytes given so far. */
	int64_t taken;
	/* Set by read when it returns 0: the end is proven to be the true end (length reached, or the FastCGI stream's own
	 * end record). Plain CGI without a length proves nothing and leaves it false. */
	bool complete;
	/* Set with -1: it came too slowly, or not at all, and we ended it. */
	bool timed_out;
	/* For the one who made the source. */
	void *self;
};

/* A source over n bytes in memory. piece > 0: at most piece bytes a read. cut: the end is -1 instead of 0. */
struct source_mem {
	struct source s;
	const unsigned char *p;
	size_t n, piece;
	bool cut;
};
void source_mem_init(struct source_mem *m, const void *p, size_t n);

#endif
