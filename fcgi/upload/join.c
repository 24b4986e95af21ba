/*
 * join.c - one file of many chunks.
 *
 * A recording whose chunks were all placed needs nothing of this. Otherwise parked chunks are copied to their places in the part file, if every placed chunk
 * lies where it will lie in the end (so no acknowledged byte is overwritten) and no finished file shares the part; else everything goes into a new part file.
 * Re-runnable: chunk rows change after the copy is durable, and parked files go after that.
 */
#include <string.h>

#include "base/log.h"
#include "upload/upload_priv.h"

#define PAGE 256

/* Calls f for chunks [first, last] in order with their final positions. */
static enum err each_chunk(struct house *h, const struct session *s, int64_t first, int64_t last,
	enum err (*f)(void *arg, const struct chunk *c, int64_t pos), void *arg, int64_t *end)
{
	struct chunk page[PAGE];
	int64_t from = first, pos = 0;
	int found = PAGE;
	while (found == PAGE) {
		enum err e = store_chunks(h->db, s->n, from, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			if (page[i].idx > last) {
				found = 0;
				break;
			}
			e = f(arg, &page[i], pos);
			pos += page[i].length;
			from = page[i].idx + 1;
		}
		if (e)
			return e;
	}
	*end = pos;
	return ERR_OK;
}

struct places {
	int64_t file;
	int64_t parked;            /* bytes outside it */
};

static enum err check_place(void *arg, const struct chunk *c, int64_t pos)
{
	struct places *p = arg;
	if (c->file != p->file)
		p->parked += c->length;
	return c->file != p->file || c->base == pos ? ERR_OK : ERR_CONFLICT;
}

struct copy {
	struct house *h;
	int to;
	int64_t skip;              /* chunks of this part file lie right already, 0: none do */
	int from;                  /* last source, kept open for the next chunk */
	int64_t from_file;
};

static enum err copy_source(struct copy *c, int64_t file)
{
	if (c->from >= 0 && c->from_file == file)
		return ERR_OK;
	if (c->from >= 0)
		blob_close(c->from);
	c->from = -1;
	c->from_file = file;
	return blob_open(c->h->blobs, file, false, &c->from);
}

static enum err copy_chunk(void *arg, const struct chunk *chunk, int64_t pos)
{
	struct copy *c = arg;
	int64_t copied = 0;
	if (chunk->length == 0 || (c->skip && chunk->file == c->skip))
		return ERR_OK;
	enum err e = copy_source(c, chunk->file);
	if (!e)
		e = blob_copy(c->from, chunk->base, c->to, pos, chunk->length, &copied);
	if (!e && copied != chunk->length) {
		log_event(LOG_ERROR, "upload", "a chunk is shorter than its row", "session", LI(chunk->session), "idx", LI(chunk->idx), NULL);
		e = ERR_INTERNAL;
	}
	metrics_add(c->h->metrics, M_BYTES_JOINED, copied);
	return e;
}

static enum err copy_all(struct house *h, const struct session *s, int64_t first, int64_t last, int64_t file, int64_t skip, int64_t *size)
{
	struct copy c = {.h = h, .skip = skip, .from = -1};
	enum err e = blob_open(h->blobs, file, true, &c.to);
	if (e)
		return e;
	e = each_chunk(h, s, first, last, copy_chunk, &c, size);
	if (!e)
		e = blob_sync(c.to);
	if (c.from >= 0)
		blob_close(c.from);
	blob_close(c.to);
	return e;
}

enum err chunks_copy(struct house *h, const struct session *s, int64_t first, int64_t last, int64_t file, int64_t *size)
{
	enum err e = copy_all(h, s, first, last, file, 0, size);
	/* A half copy on a full disk would keep it full. */
	if (e)
		blob_remove(h->blobs, file);
	return e;
}

static enum err equal_chunk(void *arg, const struct chunk *chunk, int64_t pos)
{
	struct copy *c = arg;
	bool same = true;
	enum err e = chunk->length > 0 ? copy_source(c, chunk->file) : ERR_OK;
	if (!e && chunk->length > 0)
		e = blob_equal(c->from, chunk->base, c->to, pos, chunk->length, &same);
	return e || same ? e : ERR_CONFLICT;
}

enum err chunks_equal(struct house *h, const struct session *s, int64_t first, int64_t last, int fd, bool *equal)
{
	struct copy c = {.h = h, .to = fd, .from = -1};
	int64_t end;
	enum err e = each_chunk(h, s, first, last, equal_chunk, &c, &end);
	if (c.from >= 0)
		blob_close(c.from);
	*equal = !e;
	return e == ERR_CONFLICT ? ERR_OK : e;
}

/* A reopened session's part file is the finished file too: it must stay as it is until the new one is there. *need: bytes to be copied. */
static bool in_place(struct house *h, const struct session *s, int64_t *need)
{
	struct places places = {.file = s->file};
	struct recording r;
	int64_t end;
	struct arena *a = arena_open(64 << 10);
	bool shared = !a || store_recording_of_session(h->db, a, s->n, &r) != ERR_NOT_FOUND;
	arena_close(a);
	bool here = !shared && each_chunk(h, s, 0, s->top, check_place, &places, &end) == ERR_OK;
	*need = here ? places.parked : s->bytes;
	return here;
}

/* Copies what is to be copied, durable. On an error nothing new is left. */
static enum err join_copy(struct house *h, const struct session *s, bool here, int64_t file)
{
	int64_t size;
	enum err e = here ? copy_all(h, s, 0, s->top, file, file, &size) : chunks_copy(h, s, 0, s->top, file, &size);
	if (e || size == s->bytes)
		return e;
	/* Less than was acknowledged never becomes a recording in silence. */
	log_event(LOG_ERROR, "upload", "the chunks of a session are not what it says", "session", LI(s->n), "bytes", LI(size), "acknowledged", LI(s->bytes), NULL);
	if (!here)
		blob_remove(h->blobs, file);
	return ERR_INTERNAL;
}

enum err session_join(struct house *h, struct session *s)
{
	int64_t file = s->file, need;
	struct hold *making = NULL;
	bool here = in_place(h, s, &need);
	enum err e = need > 0 ? space_check(h, need) : ERR_OK;
	if (!e && !here)
		e = file_take(h, &file, &making);
	if (!e)
		e = join_copy(h, s, here, file);
	/* From here on rows may name the new file, also after an error. */
	if (!e)
		e = store_session_joined(h->db, s->n, file);
	hold_drop(making);
	if (e)
		return e;
	s->file = file;
	s->parked = 0;
	return ERR_OK;
}
