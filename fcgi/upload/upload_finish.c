/*
 * upload_finish.c - whole uploads with all their bytes: names, publishing, reading.
 */
#include "base/clock.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

const char *upload_title(struct arena *a, const struct upload *u)
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

/* Whether there is room for what is not copied yet. The parts may be as full as they like: it is finishing that makes room there. */
static enum err rest_fits(struct house *h, int64_t file, int64_t size, const char *sid)
{
	int64_t parts, done, there;
	enum err e = blob_copy_size(h->blobs, file, sid, &there);
	if (!e)
		e = blobs_free_space(h->blobs, &parts, &done);
	if (e || done - (size - there) >= h->cfg->min_free)
		return e;
	/* What an earlier run has left would keep the disk full. */
	blob_copy_remove(h->blobs, file, sid);
	return ERR_NO_SPACE;
}

/* Between two devices it is a copy, which may not take what is kept free; unless it is there already. */
static enum err copy_fits(struct house *h, int64_t file, int64_t size, const char *sid, const char *disk)
{
	int64_t there = -1;
	int fd;
	if (blobs_same_device(h->blobs))
		return ERR_OK;
	if (blob_done_open(h->blobs, sid, disk, &fd) == ERR_OK) {
		blob_fd_size(fd, &there);
		blob_close(fd);
	}
	return there == size ? ERR_OK : rest_fits(h, file, size, sid);
}

enum err part_publish(struct house *h, int64_t file, int64_t size, bool keep, const char *sid, const char *disk)
{
	int fd;
	/* A part file is made by its first byte. */
	enum err e = size == 0 ? blob_open(h->blobs, file, true, &fd) : ERR_OK;
	if (e)
		return e;
	if (size == 0)
		blob_close(fd);
	e = copy_fits(h, file, size, sid, disk);
	return e ? e : blob_publish(h->blobs, file, size, keep, sid, disk);
}

enum err upload_finish_held(struct house *h, struct arena *a, const struct upload *u, const char *sha256)
{
	struct recording r = {.sid = u->id, .upload = u->n, .owner = u->owner, .size = u->length, .created = clock_now(), .sha256 = sha256};
	r.name = upload_title(a, u);
	r.disk = name_disk(a, r.name);
	if (!r.disk)
		return ERR_NOMEM;
	bool shared = false;
	enum err e = u->concat == CONCAT_FINAL ? store_file_shared(h->db, u->file, &shared) : ERR_OK;
	if (!e)
		e = part_publish(h, u->file, u->length, shared, u->id, r.disk);
	if (!e)
		e = note_write(h, &r, NULL);
	if (!e)
		e = store_upload_finished(h->db, u->n, &r, clock_now());
	if (e)
		return e;
	metrics_add(h->metrics, M_FINISHED, 1);
	/* Still there after a copy to another device. */
	return upload_file_drop(h, u);
}

static enum err finish_row(struct house *h, struct arena *a, int64_t n)
{
	struct upload u;
	struct hold *hold;
	enum err e = hold_take(h->holds, HOLD_UPLOAD(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (!e) {
		e = store_upload_by_n(h->db, a, n, &u);
		if (!e && u.state == UPLOAD_FINISHING)
			e = upload_finish_held(h, a, &u, NULL);
		hold_drop(hold);
	}
	return e;
}

enum err upload_finish(struct house *h, int64_t n)
{
	struct append_out out = {0};
	struct upload u;
	struct arena *a = arena_open(256 << 10);
	if (!a)
		return ERR_NOMEM;
	enum err e = store_upload_by_n(h->db, a, n, &u);
	if (!e && u.concat == CONCAT_PARTIAL)
		e = part_finals_join(h, a, n);
	else if (!e && u.concat == CONCAT_FINAL && u.state == UPLOAD_OPEN)
		e = final_join(h, a, n);
	else if (!e && u.repr && u.state == UPLOAD_OPEN && u.offset == u.length)
		e = upload_end_full(h, a, n, &out);
	else if (!e)
		e = finish_row(h, a, n);
	if (!e && out.finish_upload)
		e = finish_row(h, a, n);
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

