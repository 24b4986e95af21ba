/*
 * chunk.c - one chunk of a recording: find it, open its bytes, compare what is sent again, drop it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "upload/upload_priv.h"

#define TAKES_MAX 16
#define COMPARE_BUFFER (64 << 10)

static enum err open_where(struct house *h, const struct session *s, const struct chunk *c, int *fd)
{
	bool published = (s->state == SESSION_COMPLETE || s->state == SESSION_RECOVERED) && c->file == s->file;
	if (published && s->out_name)
		return blob_done_open(h->blobs, s->sid, s->out_name, fd);
	return blob_open(h->blobs, c->file, false, fd);
}

enum err chunk_open(struct house *h, const struct session *s, const struct chunk *c, int *fd)
{
	struct session now = *s;
	enum err e = open_where(h, s, c, fd);
	if (e != ERR_NOT_FOUND)
		return e;
	/* It was being finished or renamed while we looked: once more with the session as it is now. */
	struct arena *a = arena_open(256 << 10);
	e = a ? store_session_by_n(h->db, a, s->n, &now) : ERR_NOMEM;
	if (!e)
		e = open_where(h, &now, c, fd);
	/* Not found in a receiving session is a loss; elsewhere the chunk row has moved on too. */
	if (e == ERR_NOT_FOUND && now.state != SESSION_RECEIVING)
		e = ERR_LOCKED;
	arena_close(a);
	return e;
}

static bool session_expired(const struct session *s)
{
	return s->state == SESSION_RECEIVING && s->expires > 0 && s->expires <= clock_now();
}

/* What take v->s has of the chunk. */
static enum err look_into(struct house *h, struct arena *a, int64_t idx, struct chunk_view *v)
{
	enum err e = store_chunk_upload(h->db, a, v->s.n, idx, &v->u);
	if (e && e != ERR_NOT_FOUND)
		return e;
	v->open = e == ERR_OK;
	e = store_chunk_get(h->db, v->s.n, idx, &v->c);
	if (e && e != ERR_NOT_FOUND)
		return e;
	v->done = e == ERR_OK;
	return ERR_OK;
}

enum err chunk_find(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk_view *v)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	struct chunk_view here, best = {0};
	int found = 0;
	memset(v, 0, sizeof *v);
	enum err e = takes ? store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found) : ERR_NOMEM;
	if (e)
		return e;
	v->s = takes[0];
	for (int i = 0; i < found && !best.open; i++) {
		if (takes[i].state == SESSION_GONE || session_expired(&takes[i]))
			continue;
		here = (struct chunk_view){.s = takes[i]};
		e = look_into(h, a, idx, &here);
		if (e)
			return e;
		if (!best.s.n || here.open || (here.done && !best.done))
			best = here;
	}
	if (!best.s.n)
		return ERR_GONE;
	*v = best;
	return v->open || v->done ? ERR_OK : ERR_NOT_FOUND;
}

enum err chunk_verify(struct house *h, struct arena *a, const char *sid, int64_t idx, struct chunk *c)
{
	struct session takes[TAKES_MAX];
	int found;
	enum err e = store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found);
	for (int i = 0; !e && i < found; i++) {
		e = store_chunk_get(h->db, takes[i].n, idx, c);
		if (e != ERR_NOT_FOUND)
			return e;
		e = ERR_OK;
	}
	return e ? e : ERR_NOT_FOUND;
}

/* Compares one piece; false when it differs or the file ends. */
static bool same_piece(int fd, const unsigned char *p, size_t n, int64_t at, unsigned char *mine)
{
	size_t have = 0;
	while (have < n) {
		ssize_t got = blob_read(fd, mine + have, n - have, at + (int64_t)have);
		if (got <= 0)
			return false;
		have += (size_t)got;
	}
	return memcmp(p, mine, n) == 0;
}

static enum err compare_body(int fd, const struct chunk *c, int64_t offset, struct source *body, unsigned char *buf, struct digest_check *check, int64_t *after)
{
	int64_t at = offset;
	for (;;) {
		ssize_t got = body->read(body, buf, COMPARE_BUFFER);
		if (got < 0)
			return ERR_CUT;
		if (got == 0)
			break;
		if (at + got > c->length)
			return ERR_TOO_LARGE;
		if (!same_piece(fd, buf, (size_t)got, c->base + at, buf + COMPARE_BUFFER))
			return ERR_OFFSET;
		digest_check_add(check, buf, (size_t)got);
		at += got;
	}
	*after = at;
	return ERR_OK;
}

static enum err compare_checked(struct house *h, const struct chunk_view *v, int64_t offset, struct source *body, struct digest_check *check, int64_t *after)
{
	int fd;
	if (v->c.length == 0) {
		unsigned char byte;
		return body->read(body, &byte, 1) > 0 ? ERR_TOO_LARGE : ERR_OK;
	}
	enum err e = chunk_open(h, &v->s, &v->c, &fd);
	if (e)
		return e;
	unsigned char *buf = malloc(2 * COMPARE_BUFFER);
	e = buf ? compare_body(fd, &v->c, offset, body, buf, check, after) : ERR_NOMEM;
	free(buf);
	blob_close(fd);
	return e;
}

enum err chunk_compare(struct house *h, struct arena *a, const struct chunk_view *v, const struct append_cmd *cmd, struct source *body, int64_t *after)
{
	struct digest_check check;
	(void)a;
	*after = v->c.length;
	if (cmd->offset > v->c.length)
		return ERR_OFFSET;
	if (body->length == 0) {
		*after = cmd->offset;
		return cmd->offset == v->c.length ? digest_check_bytes(&cmd->wants, "", 0) : ERR_OFFSET;
	}
	enum err e = digest_check_begin(&check, &cmd->wants);
	if (e)
		return e;
	e = compare_checked(h, v, cmd->offset, body, &check, after);
	if (e)
		digest_check_drop(&check);
	else if ((e = digest_check_end(&check)))
		*after = v->c.length;
	return e;
}

enum err chunk_remove(struct house *h, struct arena *a, const struct chunk_view *v)
{
	struct hold *hold;
	int64_t file = 0;
	(void)a;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(v->u.n), NULL, HOLD_NO_OFFSET, true, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	e = store_chunk_drop(h->db, v->u.n, &file);
	if (!e) {
		metrics_add(h->metrics, M_UPLOADS_FAILED, 1);
		if (file)
			blob_remove(h->blobs, file);
	}
	hold_drop(hold);
	return e;
}
