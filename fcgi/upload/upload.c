/*
 * upload.c - whole uploads: create, look up, remove, publish.
 */
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

#define SETTLE_MS 200

/* At least mark bytes are free now, and min_free when need bytes more are stored. */
static enum err space_above(struct house *h, int64_t mark, int64_t need)
{
	int64_t parts, done;
	enum err e = blobs_free_space(h->blobs, &parts, &done);
	if (e)
		return e;
	int64_t least = blobs_same_device(h->blobs) || parts < done ? parts : done;
	return least < mark || least - need < h->cfg->min_free ? ERR_NO_SPACE : ERR_OK;
}

enum err space_check(struct house *h, int64_t length)
{
	return space_above(h, h->cfg->min_free, length > 0 ? length : 0);
}

enum err space_begin(struct house *h, int64_t length)
{
	return space_above(h, h->cfg->low_water, length > 0 ? length : 0);
}

/* All or nothing: an upload that could not be reserved is not there. */
static enum err reserve(struct house *h, struct arena *a, const struct upload *u)
{
	struct upload was;
	const char *disk;
	int fd;
	bool reserved;
	enum err e = blob_open(h->blobs, u->file, true, &fd);
	if (!e) {
		e = blob_reserve(fd, u->base, u->length, &reserved);
		blob_close(fd);
	}
	if (e && store_upload_gone(h->db, a, u->n, clock_now(), false, NULL, &was, &disk) == ERR_OK)
		blob_remove(h->blobs, u->file);
	return e;
}

/* A fresh upload of length 0 has every byte it will ever have. */
static enum err complete_empty(struct house *h, struct arena *a, struct upload *u)
{
	struct source_mem nothing;
	struct append_out out;
	struct append_cmd cmd = {.offset = 0, .length = LENGTH_UNKNOWN, .body = 0, .max_size = h->cfg->tus_max_size};
	source_mem_init(&nothing, "", 0);
	enum err e = upload_append(h, a, u->n, &cmd, &nothing.s, &out);
	if (e)
		return e;
	if (out.finish_upload)
		upload_finish(h, out.finish_upload);
	return store_upload_by_n(h->db, a, u->n, u);
}

enum err upload_create(struct house *h, struct arena *a, const struct create_cmd *cmd, struct upload *out)
{
	unsigned char random[16];
	char id[24];
	int64_t now = clock_now();

	enum err e = plan_create(cmd->length, h->cfg->tus_max_size);
	if (!e)
		e = space_begin(h, cmd->length);
	if (e)
		return e;
	digest_random(random, sizeof random);
	name_upload_id_make(random, id);
	struct upload_new in = {.id = id, .owner = cmd->owner, .meta = cmd->meta, .length = cmd->length, .now = now,
		.expires = plan_expiry(now, h->cfg->expiration, 0)};
	e = store_upload_create(h->db, a, &in, out);
	if (e)
		return e;
	if (h->cfg->reserve_space && cmd->length > 0)
		e = reserve(h, a, out);
	if (e)
		return e;
	metrics_add(h->metrics, M_UPLOADS_TOTAL, 1);
	return cmd->length == 0 ? complete_empty(h, a, out) : ERR_OK;
}

/* Expired is expired, whether the reaper has come by or not. */
static bool expired(const struct upload *u)
{
	return u->state == UPLOAD_OPEN && u->expires > 0 && u->expires <= clock_now();
}

enum err upload_find(struct house *h, struct arena *a, const char *id, struct upload *out)
{
	enum err e = store_upload_by_id(h->db, a, id, out);
	if (e)
		return e;
	return out->state == UPLOAD_GONE || expired(out) ? ERR_GONE : ERR_OK;
}

enum err upload_settle(struct house *h, struct arena *a, struct upload *u, struct append_out *out)
{
	enum err e = ERR_OK;
	*out = (struct append_out){0};
	if (u->state == UPLOAD_OPEN && hold_ask(h->holds, HOLD_UPLOAD(u->n), SETTLE_MS))
		e = store_upload_by_n(h->db, a, u->n, u);
	/* Who is told that all bytes are there sends no more of them. */
	if (!e && u->state == UPLOAD_OPEN && u->offset == u->length && upload_end_full(h, a, u->n, out) == ERR_OK)
		e = store_upload_by_n(h->db, a, u->n, u);
	return e;
}

/* Display name of a whole upload, from the usual metadata keys. */
static const char *upload_title(struct arena *a, const struct upload *u)
{
	static const char *const keys[] = {"filename", "name", "fileName", "recordingName"};
	struct meta meta;
	const char *why, *value;
	if (!u->meta || meta_parse(a, u->meta, &meta, &why))
		return "upload";
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		value = meta_get(&meta, keys[i]);
		if (value && *value)
			return value;
	}
	return "upload";
}

const char *upload_disk(struct arena *a, const struct upload *u)
{
	return name_disk(a, upload_title(a, u));
}

enum err upload_remove(struct house *h, struct arena *a, const char *id)
{
	struct upload u;
	struct hold *hold;
	const char *disk = NULL;
	bool asked = false;

	enum err e = upload_find(h, a, id, &u);
	if (e)
		return e;
	e = hold_take(h->holds, HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, true, (int)h->cfg->lock_wait_ms, &hold, &asked);
	if (e)
		return e;
	/* The finished file of one that was interrupted between publishing and its last commit has no row yet, but its name is known. */
	e = store_upload_gone(h->db, a, u.n, clock_now(), false, upload_disk(a, &u), &u, &disk);
	if (!e) {
		if (u.state == UPLOAD_OPEN)
			metrics_add(h->metrics, M_UPLOADS_FAILED, 1);
		/* Rows first: a file without a row is scrap that the reaper removes, a row without its file would be a lie. */
		blob_remove(h->blobs, u.file);
		blob_copy_remove(h->blobs, u.file, u.id);
		if (disk)
			finished_remove(h, u.id, disk);
	}
	hold_drop(hold);
	return e;
}

/* Between two devices it is a copy, which may not take what is kept free; unless it is there already. */
static enum err copy_fits(struct house *h, int64_t size, const char *sid, const char *disk)
{
	int64_t there = -1;
	int fd;
	if (blobs_same_device(h->blobs))
		return ERR_OK;
	if (blob_done_open(h->blobs, sid, disk, &fd) == ERR_OK) {
		blob_fd_size(fd, &there);
		blob_close(fd);
	}
	return there == size ? ERR_OK : space_check(h, size);
}

enum err part_publish(struct house *h, int64_t file, int64_t size, const char *sid, const char *disk)
{
	int fd;
	/* A part file is made by its first byte. */
	enum err e = size == 0 ? blob_open(h->blobs, file, true, &fd) : ERR_OK;
	if (e)
		return e;
	if (size == 0)
		blob_close(fd);
	e = copy_fits(h, size, sid, disk);
	return e ? e : blob_publish(h->blobs, file, size, sid, disk);
}

enum err upload_finish_held(struct house *h, struct arena *a, const struct upload *u)
{
	struct recording r = {.sid = u->id, .upload = u->n, .owner = u->owner, .size = u->length, .created = clock_now()};
	r.name = upload_title(a, u);
	r.disk = name_disk(a, r.name);
	if (!r.disk)
		return ERR_NOMEM;
	enum err e = part_publish(h, u->file, u->length, u->id, r.disk);
	if (!e)
		e = note_write(h, &r, NULL);
	if (!e)
		e = store_upload_finished(h->db, u->n, &r, clock_now());
	if (e)
		return e;
	metrics_add(h->metrics, M_FINISHED, 1);
	/* Still there after a copy to another device. */
	return blob_remove(h->blobs, u->file);
}

enum err upload_finish(struct house *h, int64_t n)
{
	struct upload u;
	struct hold *hold;
	struct arena *a = arena_open(256 << 10);
	if (!a)
		return ERR_NOMEM;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (!e) {
		e = store_upload_by_n(h->db, a, n, &u);
		if (!e && u.state == UPLOAD_FINISHING)
			e = upload_finish_held(h, a, &u);
		hold_drop(hold);
	}
	arena_close(a);
	return e;
}

enum err upload_open(struct house *h, struct arena *a, const struct upload *u, int *fd, struct recording *rec)
{
	*rec = (struct recording){.sid = u->id, .upload = u->n, .owner = u->owner, .size = u->length, .created = u->updated};
	rec->name = upload_title(a, u);
	rec->disk = name_disk(a, rec->name);
	if (u->state == UPLOAD_OPEN)
		return ERR_CONFLICT;
	if (u->state == UPLOAD_FINISHING && blob_open(h->blobs, u->file, false, fd) == ERR_OK)
		return ERR_OK;
	struct recording row;
	enum err e = store_recording_of_upload(h->db, a, u->n, &row);
	if (!e)
		*rec = row;
	/* It has its name, but not yet its row: somebody is between the two, or died there. A file has its name only once it is whole. */
	else if (e == ERR_NOT_FOUND && u->state == UPLOAD_FINISHING && rec->disk)
		e = ERR_OK;
	if (!e)
		e = recording_open(h, a, rec, fd);
	/* Acknowledged, and on its way: an empty upload has no part file before it is finished. */
	return e == ERR_NOT_FOUND && u->state == UPLOAD_FINISHING && u->length == 0 ? ERR_LOCKED : e;
}

/* Nothing is left of an upload that nobody knows the address of. */
static void discard(struct house *h, struct arena *a, const struct upload *u)
{
	enum err e = upload_remove(h, a, u->id);
	if (e)
		log_event(LOG_WARN, "upload", "discarding failed, the reaper will", "upload", LI(u->n), "reason", LS(err_code(e)), NULL);
}

enum err upload_store(struct house *h, struct arena *a, const struct create_cmd *cmd, struct source *body, bool keep_cut, struct upload *u, struct append_out *out)
{
	struct append_cmd ac = {.offset = 0, .length = LENGTH_UNKNOWN, .body = body->length, .max_size = h->cfg->tus_max_size};
	enum err e = upload_create(h, a, cmd, u);
	if (e)
		return e;
	if (u->state != UPLOAD_OPEN) {
		*out = (struct append_out){.length = u->length, .offset = u->offset, .complete = true, .proven = true};
		return ERR_OK;
	}
	e = upload_append(h, a, u->n, &ac, body, out);
	/* The length was not announced: it is what came, if the end is the true end. */
	if (!e && !out->complete && cmd->length == LENGTH_UNKNOWN && out->proven) {
		struct source_mem nothing;
		source_mem_init(&nothing, "", 0);
		ac.offset = ac.length = out->offset;
		ac.body = 0;
		e = upload_append(h, a, u->n, &ac, &nothing.s, out);
	}
	if (!e && !out->complete && !keep_cut)
		e = ERR_CUT;
	if (e && !keep_cut)
		discard(h, a, u);
	return e;
}
