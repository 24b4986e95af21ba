/*
 * reading.c - one file read once, for all the digests that somebody wants of it.
 */
#include "upload/reading.h"

#include <stdlib.h>

#define READ_BUFFER (256 << 10)

static void reading_drop(struct reading *r)
{
	digest_check_drop(&r->check);
	for (int i = 0; i < 2; i++)
		if (r->told[i].alg)
			digest_drop(&r->d[i]);
}

enum err reading_begin(struct reading *r, const struct digest_wants *wants, const struct digest_alg *one, const struct digest_alg *other)
{
	const struct digest_alg *algs[] = {one, other};
	*r = (struct reading){0};
	enum err e = digest_check_begin(&r->check, wants);
	for (int i = 0; !e && i < 2; i++) {
		e = algs[i] ? digest_begin(&r->d[i], algs[i]) : ERR_OK;
		r->told[i].alg = e ? NULL : algs[i];
	}
	if (e)
		reading_drop(r);
	return e;
}

static void reading_add(struct reading *r, const void *p, size_t n)
{
	digest_check_add(&r->check, p, n);
	for (int i = 0; i < 2; i++)
		if (r->told[i].alg)
			digest_add(&r->d[i], p, n);
}

enum err reading_end(struct reading *r, enum err e)
{
	if (e) {
		reading_drop(r);
		return e;
	}
	for (int i = 0; i < 2; i++)
		if (r->told[i].alg)
			digest_end(&r->d[i], r->told[i].value);
	return digest_check_end(&r->check);
}

enum err reading_file(const struct house *h, int fd, int64_t at, int64_t n, struct reading *r)
{
	unsigned char *buf = malloc(READ_BUFFER);
	enum err e = buf ? ERR_OK : ERR_NOMEM;
	for (int64_t done = 0; !e && done < n;) {
		size_t want = n - done < READ_BUFFER ? (size_t)(n - done) : READ_BUFFER;
		ssize_t got = blob_read(fd, buf, want, at + done);
		if (__atomic_load_n(&h->stopping, __ATOMIC_RELAXED))
			e = ERR_STOPPING;
		else if (got <= 0)
			e = ERR_INTERNAL;
		else
			reading_add(r, buf, (size_t)got);
		done += got;
	}
	free(buf);
	return e;
}
