/*
 * clone_concat.c - cloning the parts of final uploads that took the bytes, or were finished, since the rows were copied.
 */
#include "base/clock.h"
#include "upload/clone_priv.h"

/* The living row says where they are, while it needs them. */
static enum err part_now(struct clone *c, const struct upload *u, int64_t *at, int *fd)
{
	struct upload now;
	enum err e = store_upload_by_n(c->from->db, NULL, u->n, &now);
	if (!e && now.own == OWN_NOT)
		e = ERR_NOT_FOUND;
	*at = e ? 0 : now.base;
	return e ? e : blob_open(c->from->blobs, now.file, false, fd);
}

/* Of one that was still growing when the rows were copied the living row knows it. ERR_NOT_FOUND: nobody does. */
static enum err part_length(struct clone *c, const struct upload *part, int64_t *length)
{
	struct upload now = *part;
	enum err e = part->length == LENGTH_UNKNOWN ? store_upload_by_n(c->from->db, NULL, part->n, &now) : ERR_OK;
	*length = now.length;
	return e || now.length != LENGTH_UNKNOWN ? e : ERR_NOT_FOUND;
}

/* Where the first byte of a part stands in a final upload, whose parts the copied rows name. */
static enum err part_place(struct clone *c, int64_t final, int64_t part, int64_t *pos)
{
	struct upload page[CLONE_PAGE];
	int64_t from = 0, length;
	int found = CLONE_PAGE;
	*pos = 0;
	while (found == CLONE_PAGE) {
		enum err e = store_parts(c->rows, final, from, page, CLONE_PAGE, &found);
		if (e)
			return e;
		for (int i = 0; i < found; i++) {
			if (page[i].n == part)
				return ERR_OK;
			e = part_length(c, &page[i], &length);
			if (e)
				return e;
			*pos += length;
		}
		from += found;
	}
	return ERR_NOT_FOUND;
}

/* A part that is gone lives on in the final uploads that waited for it. */
static enum err in_final(struct clone *c, int64_t final, const struct upload *u, int64_t *at, int *fd)
{
	struct upload f;
	enum err e = store_upload_by_n(c->from->db, c->a, final, &f);
	if (!e)
		e = part_place(c, final, u->n, at);
	if (e)
		return e;
	if (f.offset < *at + u->length)
		return ERR_NOT_FOUND;
	e = blob_open(c->from->blobs, f.file, false, fd);
	return e == ERR_NOT_FOUND ? clone_whole_open(c, &f, fd) : e;
}

/* In the living ledger they are not there any more: they were, as long as they needed it. */
enum err clone_finals_vanish(struct clone *c, const struct upload *part)
{
	struct upload was;
	const char *disk;
	int64_t final[CLONE_PAGE];
	int found = CLONE_PAGE;
	enum err e = ERR_OK;
	while (!e && found == CLONE_PAGE) {
		e = store_part_finals(c->rows, part->n, 0, final, CLONE_PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			e = store_upload_gone(c->rows, c->a, final[i], clock_now(), false, NULL, &was, &disk);
			c->count->vanished += !e;
		}
	}
	return e;
}

enum err clone_part_of_final(struct clone *c, const struct upload *u, int64_t *at, int *fd)
{
	int64_t final[CLONE_PAGE];
	int found = 0;
	if (!c->from->db)
		return ERR_NOT_FOUND;
	enum err e = part_now(c, u, at, fd);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_part_finals(c->rows, u->n, 0, final, CLONE_PAGE, &found);
	if (e)
		return e;
	e = ERR_GONE;
	for (int i = 0; i < found && (e == ERR_GONE || e == ERR_NOT_FOUND); i++)
		e = in_final(c, final[i], u, at, fd);
	return e == ERR_NOT_FOUND ? ERR_GONE : e;
}
