/*
 * recording.c - finished files: open, rename, remove, and the note that lies beside each.
 */
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "model/name.h"
#include "upload/upload_priv.h"

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
	/* Without a take under way it may have been finished between our two looks. */
	return n && session_await(h, n) ? ERR_LOCKED : store_recording_get(h->db, a, sid, disk, out);
}

enum err recording_open(struct house *h, const struct recording *r, int *fd)
{
	return blob_done_open(h->blobs, r->sid, r->disk, fd);
}

const char *note_text(struct arena *a, const struct recording *r, const struct session *s)
{
	char iso[CLOCK_ISO_LEN];
	struct json *o = json_obj();
	const char *meta = r->meta ? r->meta : s ? s->meta : NULL;
	struct json *client = meta ? json_parse(meta, strlen(meta)) : NULL;

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

enum err recording_rename(struct house *h, struct arena *a, const struct session *s, const struct recording *r, const char *name, const char *meta, struct recording *out)
{
	*out = *r;
	out->name = name;
	out->recovered = false;
	if (meta)
		out->meta = meta;
	const char *wanted = name_disk(a, name);
	if (!wanted)
		return ERR_NOMEM;
	out->disk = r->disk;
	bool moves = strcmp(wanted, r->disk) != 0;
	enum err e = moves ? store_recording_free_name(h->db, a, r->sid, wanted, &out->disk) : ERR_OK;
	/* Both names are there until the row has changed: whichever the row names, the file is found. */
	if (!e && moves)
		e = blob_done_link(h->blobs, r->sid, r->disk, out->disk);
	if (!e)
		e = blob_note(h->blobs, r->sid, out->disk, note_text(a, out, s));
	if (!e)
		e = store_recording_rename(h->db, r->n, out->name, out->disk, meta);
	if (!e && moves)
		e = blob_done_remove(h->blobs, r->sid, r->disk);
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
		e = blob_done_remove(h->blobs, r->sid, r->disk);
		file_list_remove(h, &files);
	} else {
		files.n = 0;
		file_list_remove(h, &files);
	}
	return e;
}
