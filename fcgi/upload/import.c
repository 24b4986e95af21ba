/*
 * import.c - chunks and finished files of another back end: read from its files, written by the verbs that serve clients.
 */
#include "upload/import.h"
#include "upload/upload_priv.h"

#define PIECE (64 << 10)

/* ---- a file as a body ---- */

struct file_source {
	struct source s;
	int fd;
};

static ssize_t file_read(struct source *s, void *buf, size_t n)
{
	struct file_source *f = s->self;
	int64_t left = s->length - s->taken;
	if ((int64_t)n > left)
		n = (size_t)left;
	ssize_t got = n ? blob_read(f->fd, buf, n, s->taken) : 0;
	s->complete = n == 0;
	if (n && got <= 0)
		return -1;
	s->taken += got;
	return got;
}

/* ---- chunks ---- */

/* There already: whole, or a byte of it. */
static enum err is_there(struct house *h, struct arena *a, const struct chunk_cmd *cmd, bool *have)
{
	struct chunk_view v;
	enum err e = chunk_find(h, a, cmd->sid, cmd->idx, &v);
	*have = !e && (v.done || v.u.offset > 0);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err put_all(struct chunk_put *p, struct arena *a, int fd, int64_t size)
{
	char *piece = arena_alloc(a, PIECE);
	enum err e = piece ? ERR_OK : ERR_NOMEM;
	for (int64_t at = 0; !e && at < size;) {
		ssize_t n = blob_read(fd, piece, size - at < PIECE ? (size_t)(size - at) : PIECE, at);
		e = n > 0 ? chunk_put_data(p, piece, (size_t)n) : ERR_AGAIN;
		at += n;
	}
	return e;
}

static enum err take_whole(struct house *h, struct arena *a, const struct chunk_cmd *cmd, int fd, int64_t size)
{
	struct chunk_put *p;
	struct chunk_put_out out = {0};
	enum err e = chunk_put_open(h, a, NULL, &p);
	if (e)
		return e;
	chunk_put_hint(p, cmd);
	e = put_all(p, a, fd, size);
	if (!e)
		e = chunk_put_end(p, cmd, &out);
	chunk_put_close(p);
	if (!e)
		finish_later(h, 0, out.finish_session);
	return e;
}

static enum err take_part(struct house *h, struct arena *a, const struct chunk_cmd *cmd, int fd, int64_t size)
{
	struct file_source body = {.s = {.read = file_read, .length = size}, .fd = fd};
	struct append_cmd append = {.length = LENGTH_UNKNOWN, .body = size, .max_size = h->cfg->tus_max_size};
	struct append_out out;
	struct upload u;
	int64_t finish_session;
	body.s.self = &body;
	enum err e = chunk_create(h, a, cmd, &u, &finish_session);
	return e ? e : upload_append(h, a, u.n, &append, &body.s, &out);
}

enum err import_chunk(struct house *h, struct arena *a, const struct chunk_cmd *cmd, const struct import_chunk *c, int fd, bool dry, bool *have)
{
	struct chunk_cmd fresh = *cmd;
	int64_t size;
	fresh.idx = c->idx;
	fresh.length = c->length;
	fresh.only_new = true;
	enum err e = is_there(h, a, &fresh, have);
	if (!e && !*have)
		e = blob_fd_size(fd, &size);
	if (e || *have)
		return e;
	if (size != c->size)
		return ERR_AGAIN;
	if (dry)
		return ERR_OK;
	e = c->whole ? take_whole(h, a, &fresh, fd, size) : take_part(h, a, &fresh, fd, size);
	/* A client came between our look and our writing. */
	*have = e == ERR_CONFLICT || e == ERR_OFFSET;
	return *have ? ERR_OK : e;
}

/* ---- finished files ---- */

static enum err same_file(struct house *h, const struct recording *r, const struct recording *have, int fd, bool *same)
{
	int mine;
	*same = false;
	if (have->size != r->size)
		return ERR_OK;
	enum err e = blob_done_open(h->blobs, r->sid, r->disk, &mine);
	if (e)
		return e;
	e = blob_equal(fd, 0, mine, 0, r->size, same);
	blob_close(mine);
	return e;
}

static enum err finished_there(struct house *h, struct arena *a, const struct recording *r, int fd, bool in_place, bool *have)
{
	struct recording row;
	*have = false;
	enum err e = store_recording_get(h->db, a, r->sid, r->disk, &row);
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	*have = in_place;
	if (!in_place)
		e = same_file(h, r, &row, fd, have);
	return e || *have ? e : ERR_CONFLICT;
}

/* The caller has claimed the name. */
static enum err bring(struct house *h, const struct recording *r, int64_t chunks, int fd)
{
	struct session whole = {.top = chunks};
	enum err e = space_check(h, r->size);
	if (!e)
		e = blob_done_put(h->blobs, r->sid, r->disk, fd, r->size);
	if (!e)
		e = note_write(h, r, &whole);
	return e ? e : store_recording_add(h->db, r, true, 0);
}

enum err import_finished(struct house *h, struct arena *a, const struct recording *r, int64_t chunks, int fd, bool in_place, bool dry, bool *have)
{
	struct hold *claim;
	enum err e = finished_there(h, a, r, fd, in_place, have);
	if (e || *have || dry)
		return e;
	if (in_place) {
		e = blob_sync(fd);
		return e ? e : store_recording_add(h->db, r, false, 0);
	}
	e = finished_claim(h, r->sid, r->disk, true, &claim);
	if (e)
		return e;
	e = bring(h, r, chunks, fd);
	finished_settle(h, r->sid, r->disk, claim);
	return e;
}

enum err import_end(struct house *h)
{
	return store_pin(h->db);
}
