/*
 * recording.c - finished files: open, rename, remove, and the note that lies beside each.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

#define NAME_TRIES 1000
#define NOTE_MAX (1 << 20)

#define TAKES_MAX 16

/* Whether a take of sid is being finished under this name. */
static enum err finishing_as(struct house *h, struct arena *a, const char *sid, const char *disk, int64_t *n)
{
	struct session *takes = arena_alloc(a, TAKES_MAX * sizeof *takes);
	int found;
	*n = 0;
	enum err e = takes ? store_session_takes(h->db, a, sid, takes, TAKES_MAX, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++)
		if (takes[i].state == SESSION_FINISHING && takes[i].out_name && strcmp(takes[i].out_name, disk) == 0)
			*n = takes[i].n;
	return e;
}

enum err recording_find(struct house *h, struct arena *a, const char *sid, const char *disk, struct recording *out)
{
	int64_t n;
	enum err e = store_recording_get(h->db, a, sid, disk, out);
	if (e != ERR_NOT_FOUND)
		return e;
	e = finishing_as(h, a, sid, disk, &n);
	if (e)
		return e;
	/* Without a take under way it may have been finished between our two looks. Only waiting: who asks may be anybody. */
	if (n && session_wait(h, n))
		return ERR_LOCKED;
	e = store_recording_get(h->db, a, sid, disk, out);
	return e == ERR_NOT_FOUND && n ? ERR_LOCKED : e;
}

enum err recording_open(struct house *h, const struct recording *r, int *fd)
{
	return blob_done_open(h->blobs, r->sid, r->disk, fd);
}

/* FNV-1a. Two names with one number only wait for each other. */
static int64_t name_number(const char *sid, const char *disk)
{
	uint64_t x = 14695981039346656037u;
	const char *const parts[] = {sid, "/", disk};
	for (int i = 0; i < 3; i++)
		for (const char *p = parts[i]; *p; p++)
			x = (x ^ (unsigned char)*p) * 1099511628211u;
	return (int64_t)(x >> 16);
}

/* A name is in the trash until a remover takes it out, and is given to nobody until that: so while he holds it and sees it there, the file is no recording's. Without
 * the hold a second remover would come late and remove the next recording of that name. */
enum err finished_remove(struct house *h, const char *sid, const char *disk)
{
	struct hold *hold;
	bool there = false;
	enum err e = hold_take(h->holds, HOLD_NAME(name_number(sid, disk)), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e == ERR_LOCKED ? ERR_OK : e;   /* somebody is at it; else the reaper comes */
	e = store_trash_has(h->db, sid, disk, &there);
	if (!e && there)
		e = blob_done_remove(h->blobs, sid, disk);
	/* What cannot be noted is removed by the reaper once more. */
	if (!e && there)
		store_trash_done(h->db, sid, disk);
	hold_drop(hold);
	return e;
}

/* From the arena; NULL when it is full. */
static const char *note_text(struct arena *a, const struct recording *r, const struct session *s)
{
	char iso[CLOCK_ISO_LEN];
	struct json *o = json_obj();
	const char *meta = r->meta ? r->meta : s ? s->meta : NULL;
	struct json *client = NULL;

	if (meta && json_read(meta, strlen(meta), &client) == ERR_NOMEM) {
		json_free(o);
		return NULL;
	}
	clock_iso(r->created * 1000, iso);
	json_put_str(o, "file_name", r->name);
	json_put_str(o, "session_id", r->sid);
	json_put_int(o, "file_size_bytes", r->size);
	json_put_int(o, "total_chunks", s ? s->top : 1);
	json_put(o, "missing_chunks", json_arr());
	json_put(o, "client_metadata", client ? client : json_obj());
	json_put_str(o, "assembled_at", iso);
	json_put_str(o, "stored_name", r->disk);
	json_put_int(o, "take", r->take);
	json_put_bool(o, "recovered", r->recovered);
	if (s && s->size_mismatch)
		json_put_bool(o, "size_mismatch", true);
	char *text = json_text(o, a);
	json_free(o);
	return text;
}

enum err note_write(struct house *h, const struct recording *r, const struct session *s)
{
	/* Of its own: a request that finishes many files would run out of the one it has. */
	struct arena *a = arena_open(NOTE_MAX);
	const char *text = a ? note_text(a, r, s) : NULL;
	enum err e = text ? blob_note(h->blobs, r->sid, r->disk, text) : ERR_NOMEM;
	arena_close(a);
	return e;
}

/* A free disk name, linked: whoever else chose the same name finds it taken and takes the next number. */
static enum err link_free(struct house *h, struct arena *a, const struct recording *r, const char *wanted, struct recording *out)
{
	const char *name = wanted;
	enum err e = ERR_CONFLICT;
	for (int number = 2; e == ERR_CONFLICT && number < NAME_TRIES; number++) {
		e = store_recording_free_name(h->db, a, r->sid, name, &out->disk);
		if (!e)
			e = blob_done_link(h->blobs, r->sid, r->disk, out->disk);
		if (e == ERR_CONFLICT)
			name = name_numbered(a, wanted, number);
		if (!name)
			return ERR_NOMEM;
	}
	return e;
}

/* The ledger gives the recording no new name: the link under it goes, unless it has become somebody else's. */
static void unlink_refused(struct house *h, const char *sid, const char *disk)
{
	if (store_trash_add(h->db, sid, disk) == ERR_OK)
		finished_remove(h, sid, disk);
}

static enum err rename_held(struct house *h, struct arena *a, const struct session *s, const struct recording *r, const char *name, const char *meta, struct recording *out)
{
	const char *wanted = name_disk(a, name);
	if (!wanted)
		return ERR_NOMEM;
	*out = *r;
	out->name = name;
	out->recovered = false;
	if (meta)
		out->meta = meta;
	bool moves = strcmp(wanted, r->disk) != 0;
	/* Both names are there until the row has changed: whichever the row names, the file is found. */
	enum err e = moves ? link_free(h, a, r, wanted, out) : ERR_OK;
	if (!e)
		e = note_write(h, out, s);
	if (!e)
		e = store_recording_rename(h->db, r->n, out->name, out->disk, meta);
	if (!e && moves)
		e = finished_remove(h, r->sid, r->disk);
	else if (moves && (e == ERR_LOCKED || e == ERR_CONFLICT || e == ERR_NOT_FOUND))
		unlink_refused(h, r->sid, out->disk);
	return e;
}

enum err recording_rename(struct house *h, struct arena *a, const struct session *s, const char *name, const char *meta, struct recording *out)
{
	struct hold *hold;
	struct recording r;
	enum err e = hold_take(h->holds, HOLD_SESSION(s->n), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL);
	if (e)
		return e;
	/* Two equal completions come together: the second one finds the work done. */
	e = store_recording_of_session(h->db, a, s->n, &r);
	if (!e && !r.recovered && strcmp(r.name, name) == 0)
		*out = r;
	else if (!e)
		e = rename_held(h, a, s, &r, name, meta, out);
	hold_drop(hold);
	return e;
}

enum err recording_remove(struct house *h, struct arena *a, const struct recording *r)
{
	struct file_list files = {0};
	struct session s;
	(void)a;
	if (r->session) {
		/* The chunk rows go with it, and what they name. */
		enum err e = store_session_by_n(h->db, a, r->session, &s);
		if (!e && s.state == SESSION_FINISHING)
			return ERR_LOCKED;
		if (!e)
			file_list_session(h, r->session, &files);
		if (!e)
			file_list_add(&files, s.file);
	}
	enum err e = store_recording_delete(h->db, r->n, clock_now());
	if (!e) {
		e = finished_remove(h, r->sid, r->disk);
		file_list_remove(h, &files);
	} else {
		files.n = 0;
		file_list_remove(h, &files);
	}
	return e;
}
