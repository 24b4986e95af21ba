/*
 * put.c - the fallback's chunk: a body whose place may be known only when it has ended.
 *
 * Up to 64 KiB stay in memory (every live chunk): one reservation, one write, one sync, one commit. A longer one goes straight to its slot if the
 * fields came first and nothing of the chunk is there; else into a spool file, which becomes the parked file of the chunk without a copy.
 */
#include <stdlib.h>
#include <string.h>

#include "upload/upload_priv.h"

#define MEMORY_MAX (64 << 10)
#define TAKES_MAX 16

enum put_mode { PUT_MEMORY, PUT_SLOT, PUT_SPOOL };

struct chunk_put {
	struct house *h;
	struct arena *a;
	struct source *body;
	enum put_mode mode;
	const struct chunk_cmd *hint;
	struct take_want hint_take;
	unsigned char *mem;
	size_t cap;
	int64_t size;
	int64_t looked;          /* at the free space */
	int fd;
	int64_t at;              /* position of byte 0 in fd */
	int64_t spool;           /* part file number of PUT_SPOOL */
	struct hold *spool_hold;
	struct chunk_reserved r; /* of PUT_SLOT */
	struct hold *hold;
	bool ended;
};

enum err chunk_put_open(struct house *h, struct arena *a, struct source *body, struct chunk_put **out)
{
	struct chunk_put *p = calloc(1, sizeof *p);
	if (!p)
		return ERR_NOMEM;
	p->h = h;
	p->a = a;
	p->body = body;
	p->fd = -1;
	p->looked = SPACE_UNSEEN;
	*out = p;
	return ERR_OK;
}

void chunk_put_hint(struct chunk_put *p, const struct chunk_cmd *cmd)
{
	p->hint = cmd;
	p->hint_take = cmd->take;
}

/* The take that the chunk would go into and the complete chunk there, if any. ERR_NOT_FOUND: a new take. */
static enum err take_of(struct house *h, struct arena *a, const struct chunk_cmd *cmd, struct session *s)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	int found;
	if (!takes)
		return ERR_NOMEM;
	enum err e = store_session_takes(h->db, a, cmd->sid, takes, TAKES_MAX, &found);
	if (e)
		return e;
	for (int i = 0; i < found; i++)
		if (plan_take(&takes[i], &cmd->take, cmd->idx) != TAKE_SKIP) {
			*s = takes[i];
			return ERR_OK;
		}
	return ERR_NOT_FOUND;
}

/* A slot that may end anywhere exists only at the frontier, and only where nothing of the chunk would be lost if the body were cut. */
static bool slot_free(struct chunk_put *p)
{
	struct session s;
	struct upload u;
	struct chunk c;
	const struct chunk_cmd *cmd = p->hint;
	if (!cmd)
		return false;
	enum err e = take_of(p->h, p->a, cmd, &s);
	if (e == ERR_NOT_FOUND)
		return cmd->idx == 0;
	return !e && s.state == SESSION_RECEIVING && s.chunk_size == 0 && s.next_idx == cmd->idx && (s.total == 0 || cmd->idx < s.total)
		&& store_chunk_upload(p->h->db, p->a, s.n, cmd->idx, &u) == ERR_NOT_FOUND
		&& store_chunk_get(p->h->db, s.n, cmd->idx, &c) == ERR_NOT_FOUND;
}

static enum err open_slot(struct chunk_put *p)
{
	struct chunk_cmd cmd = *p->hint;
	cmd.length = LENGTH_UNKNOWN;
	enum err e = chunk_reserve(p->h, p->a, &cmd, 0, false, p->body, &p->r, &p->hold);
	if (e)
		return e;
	p->mode = PUT_SLOT;
	p->at = p->r.u.base;
	return blob_open(p->h->blobs, p->r.u.file, true, &p->fd);
}

static enum err open_spool(struct chunk_put *p)
{
	enum err e = file_take(p->h, &p->spool, &p->spool_hold);
	if (e)
		return e;
	p->mode = PUT_SPOOL;
	return blob_open(p->h->blobs, p->spool, true, &p->fd);
}

static enum err put_write(struct chunk_put *p, const void *data, size_t n)
{
	size_t written;
	enum err e = blob_write(p->fd, data, n, p->at + p->size, &written);
	p->size += (int64_t)written;
	return e;
}

/* The body outgrows memory. */
static enum err spill(struct chunk_put *p)
{
	size_t n = (size_t)p->size;
	enum err e = slot_free(p) ? open_slot(p) : open_spool(p);
	if (e)
		return e;
	p->size = 0;
	e = n ? put_write(p, p->mem, n) : ERR_OK;
	free(p->mem);
	p->mem = NULL;
	return e;
}

static enum err put_memory(struct chunk_put *p, const void *data, size_t n)
{
	size_t need = (size_t)p->size + n;
	if (need > p->cap) {
		size_t cap = need < MEMORY_MAX / 4 ? MEMORY_MAX / 4 : MEMORY_MAX;
		unsigned char *bigger = realloc(p->mem, cap);
		if (!bigger)
			return ERR_NOMEM;
		p->mem = bigger;
		p->cap = cap;
	}
	memcpy(p->mem + p->size, data, n);
	p->size += (int64_t)n;
	return ERR_OK;
}

enum err chunk_put_data(struct chunk_put *p, const void *data, size_t n)
{
	if (p->size + (int64_t)n > p->h->cfg->max_chunk_size)
		return ERR_TOO_LARGE;
	if (p->mode == PUT_MEMORY && p->size + (int64_t)n <= MEMORY_MAX)
		return put_memory(p, data, n);
	enum err e = space_look(p->h, &p->looked, p->size);
	if (!e && p->mode == PUT_MEMORY)
		e = spill(p);
	if (!e && p->hold && hold_wanted(p->hold, &(int64_t){0}))
		return chunk_put_reason(p);
	/* A slot was given before the length was known. */
	if (!e && p->mode == PUT_SLOT && p->size + (int64_t)n > p->h->cfg->tus_max_size - p->r.s.bytes)
		return ERR_NO_SPACE;
	return e ? e : put_write(p, data, n);
}

enum err chunk_put_reason(const struct chunk_put *p)
{
	int64_t offset;
	if (__atomic_load_n(&p->h->stopping, __ATOMIC_RELAXED))
		return ERR_STOPPING;
	return p->hold && hold_wanted(p->hold, &offset) ? ERR_DISPLACED : ERR_CUT;
}

/* The same bytes are there already: found without a single write. */
static enum err memory_exists(struct chunk_put *p, const struct chunk_cmd *cmd, bool *exists)
{
	struct session s;
	struct chunk c;
	int fd;
	*exists = false;
	enum err e = take_of(p->h, p->a, cmd, &s);
	if (!e)
		e = store_chunk_get(p->h->db, s.n, cmd->idx, &c);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	/* A chunk without a byte may have no file. */
	*exists = c.length == 0 && p->size == 0;
	if (*exists || c.length != p->size)
		return ERR_OK;
	e = chunk_open(p->h, &s, &c, &fd);
	if (e)
		return e;
	unsigned char *have = malloc((size_t)p->size + 1);
	int64_t got = 0;
	ssize_t n = have ? 1 : 0;
	while (n > 0 && got < p->size) {
		n = blob_read(fd, have + got, (size_t)(p->size - got), c.base + got);
		got += n > 0 ? n : 0;
	}
	*exists = have && got == p->size && (p->size == 0 || memcmp(have, p->mem, (size_t)p->size) == 0);
	blob_close(fd);
	free(have);
	return have ? ERR_OK : ERR_NOMEM;
}

static enum err end_memory(struct chunk_put *p, const struct chunk_cmd *cmd, struct chunk_put_out *out)
{
	struct chunk_reserved r;
	int64_t size = p->size;
	enum err e = memory_exists(p, cmd, &out->exists);
	if (e || out->exists)
		return e;
	e = space_check(p->h, size);
	if (!e)
		e = chunk_reserve(p->h, p->a, cmd, 0, false, NULL, &r, &p->hold);
	if (e)
		return e;
	if (size > 0) {
		p->at = r.u.base;
		p->size = 0;
		e = blob_open(p->h->blobs, r.u.file, true, &p->fd);
		if (!e)
			e = put_write(p, p->mem, (size_t)size);
		if (!e)
			e = blob_sync(p->fd);
	}
	p->size = size;
	return e ? e : chunk_complete(p->h, p->a, &r.u, size, &out->finish_session, &out->exists);
}

static enum err end_slot(struct chunk_put *p, struct chunk_put_out *out)
{
	enum err e = blob_sync(p->fd);
	return e ? e : chunk_complete(p->h, p->a, &p->r.u, p->size, &out->finish_session, &out->exists);
}

/* The fields behind the file name another take than those before it: the bytes move on as a spool file. */
static enum err slot_to_spool(struct chunk_put *p)
{
	int64_t copied, file, size = p->size;
	int slot = p->fd;
	p->fd = -1;
	enum err e = open_spool(p);
	if (!e)
		e = blob_copy(slot, p->at, p->fd, 0, size, &copied);
	blob_close(slot);
	p->at = 0;
	if (!e)
		e = store_chunk_drop(p->h->db, p->r.u.n, &file);
	hold_drop(p->hold);
	p->hold = NULL;
	return e;
}

static bool same_take(const struct take_want *a, const struct take_want *b)
{
	return a->kind == b->kind && a->total == b->total;
}

static enum err end_spool(struct chunk_put *p, const struct chunk_cmd *cmd, struct chunk_put_out *out)
{
	struct chunk_reserved r;
	enum err e = blob_sync(p->fd);
	if (!e)
		e = chunk_reserve(p->h, p->a, cmd, p->spool, false, NULL, &r, &p->hold);
	if (e)
		return e;
	/* From here on a row names the spool file. */
	p->spool = 0;
	return chunk_complete(p->h, p->a, &r.u, p->size, &out->finish_session, &out->exists);
}

enum err chunk_put_end(struct chunk_put *p, const struct chunk_cmd *cmd, struct chunk_put_out *out)
{
	struct chunk_cmd sized = *cmd;
	enum err e = ERR_OK;
	*out = (struct chunk_put_out){.size = p->size};
	sized.length = p->size;
	if (p->mode == PUT_SLOT && !same_take(&p->hint_take, &cmd->take))
		e = slot_to_spool(p);
	if (e)
		return e;
	switch (p->mode) {
	case PUT_MEMORY:
		e = end_memory(p, &sized, out);
		break;
	case PUT_SLOT:
		e = end_slot(p, out);
		break;
	case PUT_SPOOL:
		e = end_spool(p, &sized, out);
		break;
	}
	if (e)
		return e;
	p->ended = true;
	if (!out->exists) {
		metrics_add(p->h->metrics, M_CHUNKS_CUSTOM, 1);
		metrics_add(p->h->metrics, M_BYTES_RECEIVED, p->size);
	}
	return ERR_OK;
}

void chunk_put_close(struct chunk_put *p)
{
	int64_t file = 0;
	if (!p)
		return;
	if (p->fd >= 0)
		blob_close(p->fd);
	if (!p->ended && p->mode == PUT_SLOT && p->hold && store_chunk_drop(p->h->db, p->r.u.n, &file) == ERR_OK) {
		metrics_add(p->h->metrics, M_UPLOADS_FAILED, 1);
		if (file)
			blob_remove(p->h->blobs, file);
	}
	if (p->spool)
		blob_remove(p->h->blobs, p->spool);
	hold_drop(p->spool_hold);
	if (p->hold)
		hold_drop(p->hold);
	free(p->mem);
	free(p);
}
