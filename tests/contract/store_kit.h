/*
 * store_kit.h - what the contract tests of a store share: a scratch folder, an open store, short forms of the commonest commands.
 */
#ifndef TESTS_STORE_KIT_H
#define TESTS_STORE_KIT_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/text.h"
#include "db/store.h"

#define NOW 1000000
#define DAY 86400

struct kit {
	char dir[256];
	struct store *s;
	struct arena *a;
};

static inline int kit_unlink(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

/* Memory is as good as a disk here, and faster. */
static inline void kit_dir(char out[256])
{
	const char *top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	snprintf(out, 256, "%s/store-XXXXXX", top);
	assert_non_null(mkdtemp(out));
}

static inline void kit_rmdir(const char *dir)
{
	nftw(dir, kit_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline struct store *kit_store(const char *dir, bool once)
{
	struct store *s = NULL;
	struct store_options o = {.dir = dir, .once = once, .readers = 4};
	assert_int_equal(store_open(&o, &s), ERR_OK);
	return s;
}

static inline int kit_open(void **state)
{
	struct kit *k = calloc(1, sizeof *k);
	log_level_set(LOG_ERROR);
	kit_dir(k->dir);
	k->s = kit_store(k->dir, false);
	k->a = arena_open(64 << 20);
	*state = k;
	return 0;
}

static inline int kit_close(void **state)
{
	struct kit *k = *state;
	store_close(k->s);
	arena_close(k->a);
	kit_rmdir(k->dir);
	free(k);
	return 0;
}

static inline void kit_reopen(struct kit *k)
{
	store_close(k->s);
	k->s = kit_store(k->dir, false);
}

static inline struct upload kit_upload(struct kit *k, const char *id, int64_t length)
{
	struct upload u;
	struct upload_new in = {.id = id, .owner = "user:ann", .meta = "filename YQ==", .length = length, .now = NOW, .expires = NOW + DAY};
	assert_int_equal(store_upload_create(k->s, k->a, &in, &u), ERR_OK);
	return u;
}

static inline enum err kit_move(struct kit *k, int64_t n, int64_t old, int64_t offset)
{
	struct upload_move m = {.n = n, .old = old, .offset = offset, .now = NOW + 5, .expires = -1};
	return store_upload_move(k->s, &m);
}

static inline struct upload kit_upload_now(struct kit *k, int64_t n)
{
	struct upload u;
	assert_int_equal(store_upload_by_n(k->s, k->a, n, &u), ERR_OK);
	return u;
}

static inline struct session kit_session_now(struct kit *k, int64_t n)
{
	struct session s;
	assert_int_equal(store_session_by_n(k->s, k->a, n, &s), ERR_OK);
	return s;
}

static inline struct chunk_want kit_want(const char *sid, enum session_kind kind, int64_t total, int64_t idx, int64_t length)
{
	return (struct chunk_want){.sid = sid, .owner = "", .take = {.kind = kind, .total = total}, .idx = idx, .length = length,
		.max_chunks = 1000000, .max_size = (int64_t)1 << 40, .now = NOW, .expires = NOW + DAY};
}

static inline enum err kit_end(struct kit *k, int64_t upload, int64_t old, int64_t length, bool equal, struct chunk_ended *out)
{
	struct chunk_end e = {.upload = upload, .old = old, .length = length, .equal = equal, .now = NOW + 10, .expires = NOW + DAY};
	return store_chunk_done(k->s, &e, out);
}

/* A whole chunk: reserved, filled, done. */
static inline struct chunk_ended kit_chunk(struct kit *k, const char *sid, enum session_kind kind, int64_t total, int64_t idx, int64_t length)
{
	struct chunk_want w = kit_want(sid, kind, total, idx, length);
	struct chunk_reserved r;
	struct chunk_ended out;
	assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, length, false, &out), ERR_OK);
	return out;
}

static inline enum err kit_finish(struct kit *k, int64_t n, const char *disk, int64_t size, const char **old_disk)
{
	struct recording r = {.owner = "", .name = disk, .disk = disk, .size = size, .created = NOW + 20};
	return store_session_finished(k->s, k->a, n, &r, NOW + 20, NOW + 7 * DAY, old_disk);
}

#endif
