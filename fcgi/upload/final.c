/*
 * final.c - one upload of many: a final upload takes the bytes of its parts (tus 1.0.0, concatenation).
 *
 * Its row says how much of them lies, durable, in its part file. The file of the first part becomes that of the final one where nobody else uses it; the others are
 * copied behind it one by one, and each part's row points to the copy before its own file goes. So at most one part lies on the disk twice, every row is right at every
 * moment, and whoever dies leaves a row that says where to go on. The finished file is a second name of that part file as long as a part lies in it, so that to
 * delete the one leaves the others as they are.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/upload_priv.h"

#define SLICE (64 << 20)        /* bytes between two looks at who wants it */
#define PAGE 64                 /* parts */
#define MOVED_TRIES 3
#define TURN_MS 100
#define QUICK_BYTES (4 << 20)
#define QUICK_PARTS 4           /* each is synced by itself */

enum err final_length(struct house *h, const struct upload *u, int64_t *length)
{
	struct parts_sum sum;
	*length = u->length;
	if (u->length != LENGTH_UNKNOWN)
		return ERR_OK;
	enum err e = store_parts_sum(h->db, u->n, &sum);
	if (!e && sum.parts > 0)
		*length = sum.length;
	return e;
}

bool final_is_quick(struct house *h, const struct upload *u)
{
	struct parts_sum sum;
	return store_parts_sum(h->db, u->n, &sum) == ERR_OK && sum.ready == sum.parts && sum.parts <= QUICK_PARTS && sum.length <= QUICK_BYTES;
}

enum err final_is_due(struct house *h, const struct upload *u, bool *due)
{
	struct parts_sum sum;
	*due = false;
	enum err e = store_parts_sum(h->db, u->n, &sum);
	if (e || sum.ready == sum.parts)
		return e;
	/* The time of a part that runs may be over, and yet somebody writes it: who expires it ends the waiting, too. */
	*due = sum.ready + sum.running < sum.parts;
	int64_t now = clock_now();
	return *due ? ERR_OK : store_upload_expires(h->db, u->n, sum.expires > now ? sum.expires : now + h->cfg->expiration);
}

/* ---- bytes ---- */

struct join {
	struct house *h;
	struct upload u;
	struct hold *hold;
	int fd;                     /* of the part file of u, -1 while not open */
};

static bool join_wanted(const struct join *j)
{
	/* In plain CGI nobody else reads what others ask for. */
	holds_poll(j->h->holds);
	return hold_wanted(j->hold, NULL) || __atomic_load_n(&j->h->stopping, __ATOMIC_RELAXED);
}

/* Opens the bytes of a part. Another final upload may just have taken them to another place. */
static enum err part_open(struct join *j, struct upload *part, int *fd)
{
	enum err e = blob_open(j->h->blobs, part->file, false, fd);
	for (int i = 0; e == ERR_NOT_FOUND && i < MOVED_TRIES; i++) {
		e = store_upload_by_n(j->h->db, NULL, part->n, part);
		if (!e)
			e = blob_open(j->h->blobs, part->file, false, fd);
	}
	return e;
}

/* Copies the part's bytes from `done` on; *done follows. ERR_LOCKED: somebody wants the final upload. */
static enum err part_copy(struct join *j, int from, const struct upload *part, int64_t pos, int64_t *done)
{
	enum err e = ERR_OK;
	while (!e && *done < part->length) {
		int64_t n = part->length - *done < SLICE ? part->length - *done : SLICE, copied = 0;
		if (join_wanted(j))
			return ERR_LOCKED;
		e = blob_copy(from, part->base + *done, j->fd, j->u.base + pos + *done, n, &copied);
		*done += copied;
		metrics_add(j->h->metrics, M_BYTES_JOINED, copied);
		if (!e && copied != n) {
			log_event(LOG_ERROR, "upload", "a part is shorter than its row", "upload", LI(part->n), NULL);
			e = ERR_INTERNAL;
		}
	}
	return e;
}

/* What came before it was wanted elsewhere, or before the disk was full, is not copied again. */
static enum err join_keep(struct join *j, int64_t offset)
{
	struct upload_move m = {.n = j->u.n, .old = j->u.offset, .offset = offset, .now = clock_now(), .expires = -1};
	enum err e = offset > j->u.offset ? blob_sync(j->fd) : ERR_OK;
	if (!e && offset > j->u.offset)
		e = store_upload_move(j->h->db, &m);
	if (!e)
		j->u.offset = offset;
	return e;
}

static enum err part_took(struct join *j, const struct upload *part, int64_t pos)
{
	struct part_taken t = {.final = j->u.n, .part = part->n, .old = j->u.offset, .offset = pos + part->length, .base = j->u.base + pos, .now = clock_now()};
	int64_t old_file;
	enum err e = blob_sync(j->fd);
	if (!e)
		e = store_final_took(j->h->db, &t, &old_file);
	if (e)
		return e;
	j->u.offset = t.offset;
	if (old_file)
		blob_remove(j->h->blobs, old_file);
	return ERR_OK;
}

/* Opens what is there of the whole. It goes on from where the row stands, so all below must be there. */
static enum err join_open(struct join *j)
{
	int64_t size;
	enum err e = j->fd < 0 ? blob_open(j->h->blobs, j->u.file, true, &j->fd) : ERR_OK;
	if (!e)
		e = blob_fd_size(j->fd, &size);
	if (e || size >= j->u.offset)
		return e;
	log_event(LOG_ERROR, "upload", "a final upload is shorter than its row", "upload", LI(j->u.n), NULL);
	return ERR_INTERNAL;
}

static enum err part_bring(struct join *j, struct upload *part, int64_t pos)
{
	int64_t done = j->u.offset - pos;
	int from;
	enum err e = space_check(j->h, part->length - done);
	if (!e)
		e = join_open(j);
	if (!e)
		e = part_open(j, part, &from);
	if (e)
		return e;
	e = part_copy(j, from, part, pos, &done);
	blob_close(from);
	if (!e)
		return part_took(j, part, pos);
	enum err kept = join_keep(j, pos + done);
	return kept ? kept : e;
}

/* No byte of the first part is copied if its file may be continued. What its row says and its file lacks would become a hole. */
static bool first_adopted(struct join *j, const struct upload *part)
{
	int64_t file, offset, size;
	if (j->u.offset > 0 || blob_size(j->h->blobs, part->file, &size) || size < part->base + part->length)
		return false;
	if (store_final_adopt(j->h->db, j->u.n, part->n, clock_now(), &file, &offset))
		return false;
	j->u.file = file;
	j->u.offset = offset;
	return true;
}

static enum err parts_bring(struct join *j)
{
	struct upload page[PAGE];
	int64_t from = 0, pos = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_parts(j->h->db, j->u.n, from, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++, from++) {
			int64_t end = pos + page[i].length;
			if (end > j->u.offset && !first_adopted(j, &page[i]))
				e = part_bring(j, &page[i], pos);
			pos = end;
		}
	}
	return e;
}

/* ---- the whole ---- */

static enum err final_give_up(struct house *h, struct arena *a, struct upload *u, const char *why)
{
	log_event(LOG_WARN, "upload", "a final upload cannot be made", "id", LS(u->id), "why", LS(why), NULL);
	return upload_gone_held(h, a, u, false);
}

static enum err join_finish(struct join *j, struct arena *a, int64_t length)
{
	struct file_list kept = {0};
	enum err e = final_kept_files(j->h, j->u.n, &kept);
	if (!e)
		e = store_upload_closing(j->h->db, j->u.n, j->u.offset, length, clock_now());
	/* Bytes of deleted parts that were copied here lie elsewhere for nobody now. */
	final_kept_drop(j->h, &kept, !e);
	if (e)
		return e;
	metrics_add(j->h->metrics, M_UPLOADS_COMPLETED, 1);
	j->u.state = UPLOAD_FINISHING;
	j->u.length = length;
	return upload_finish_held(j->h, a, &j->u, NULL);
}

static enum err join_held(struct join *j, struct arena *a)
{
	struct parts_sum sum;
	enum err e = store_parts_sum(j->h->db, j->u.n, &sum);
	if (e)
		return e;
	if (sum.ready + sum.running < sum.parts)
		return final_give_up(j->h, a, &j->u, "a part is gone");
	/* One whose length was known is as long as it may be, whatever the maximum is now. */
	if (j->u.length == LENGTH_UNKNOWN && sum.length > j->h->cfg->tus_max_size)
		return final_give_up(j->h, a, &j->u, "its parts are too long");
	if (sum.running > 0)
		return ERR_OK;
	e = parts_bring(j);
	return e ? e : join_finish(j, a, sum.length);
}

enum err final_join(struct house *h, struct arena *a, int64_t n)
{
	struct join j = {.h = h, .fd = -1};
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, TURN_MS, &j.hold, NULL);
	if (e)
		return e;
	e = store_upload_by_n(h->db, a, n, &j.u);
	if (!e && j.u.concat == CONCAT_FINAL && j.u.state == UPLOAD_OPEN)
		e = join_held(&j, a);
	if (j.fd >= 0)
		blob_close(j.fd);
	hold_drop(j.hold);
	return e;
}

enum err part_finals_join(struct house *h, struct arena *a, int64_t part)
{
	int64_t n[PAGE], after = 0;
	int found = PAGE;
	enum err e = ERR_OK, first = ERR_OK;
	while (!e && found == PAGE) {
		e = store_part_finals(h->db, part, after, n, PAGE, &found);
		for (int i = 0; !e && i < found; i++) {
			enum err one = final_join(h, a, after = n[i]);
			first = first ? first : one;
		}
	}
	return e ? e : first;
}

/* ---- bytes that are kept for it alone ---- */

enum err final_kept_files(struct house *h, int64_t final, struct file_list *kept)
{
	struct upload page[PAGE];
	int64_t from = 0;
	int found = PAGE;
	enum err e = ERR_OK;
	while (!e && found == PAGE) {
		e = store_parts(h->db, final, from, page, PAGE, &found);
		for (int i = 0; !e && i < found; i++)
			if (page[i].state == UPLOAD_GONE && page[i].own != OWN_NOT)
				file_list_add(kept, page[i].file);
		from += found;
	}
	return e;
}

void final_kept_drop(struct house *h, struct file_list *kept, bool remove)
{
	bool known;
	for (int i = 0; remove && i < kept->n; i++)
		if (store_file_known(h->db, kept->v[i], &known) == ERR_OK && !known)
			blob_remove(h->blobs, kept->v[i]);
	free(kept->v);
	*kept = (struct file_list){0};
}
