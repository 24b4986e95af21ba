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
#define OPEN_TRIES 5
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

/* Whether the file under its name is the one that the row speaks of. */
static enum err is_its_own(struct house *h, struct arena *a, const struct recording *r, bool *yes)
{
	struct recording now;
	struct session s;
	bool newer = false;
	*yes = true;
	if (r->n == 0)
		return ERR_OK;
	enum err e = store_recording_by_n(h->db, a, r->n, &now);
	*yes = !e && strcmp(now.disk, r->disk) == 0;
	if (e || !*yes || !r->session)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = store_session_by_n(h->db, a, r->session, &s);
	if (!e && s.out_name && strcmp(s.out_name, r->disk) == 0)
		e = session_overtakes(h, a, &s, &newer);
	*yes = !newer;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err recording_open(struct house *h, struct arena *a, struct recording *r, int *fd)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		bool yes;
		enum err e = blob_done_open(h->blobs, r->sid, r->disk, fd);
		if (e)
			return e;
		e = is_its_own(h, a, r, &yes);
		if (!e && yes)
			return ERR_OK;
		blob_close(*fd);
		*fd = -1;
		if (!e && r->session)
			e = session_wait(h, r->session);
		if (!e)
			e = store_recording_get(h->db, a, r->sid, r->disk, r);
		if (e)
			return e;
	}
	return ERR_LOCKED;
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
	if (r->sha256)
		json_put_str(o, "sha256", r->sha256);
	if (s && s->size_mismatch)
		json_put_bool(o, "size_mismatch", true);
	char *text = json_text(o, a);
	json_free(o);
	return text;
}

enum err note_begin(struct house *h, const struct recording *r, const struct session *s)
{
	/* Of its own: a request that finishes many files would run out of the one it has. */
	struct arena *a = arena_open(NOTE_MAX);
	const char *text = a ? note_text(a, r, s) : NULL;
	enum err e = text ? blob_note_begin(h->blobs, r->sid, r->disk, text) : ERR_NOMEM;
	arena_close(a);
	return e;
}

enum err note_write(struct house *h, const struct recording *r, const struct session *s)
{
	enum err e = note_begin(h, r, s);
	return e ? e : blob_note_end(h->blobs, r->sid, r->disk);
}

/* A free disk name. */
static enum err claim_free(struct house *h, struct arena *a, const struct recording *r, const char *wanted, struct recording *out, struct hold **claim)
{
	enum err e = ERR_CONFLICT;
	out->disk = wanted;
	for (int number = 2; e == ERR_CONFLICT && number < NAME_TRIES; number++) {
		e = finished_claim(h, r->sid, out->disk, true, claim);
		if (e == ERR_CONFLICT)
			out->disk = name_numbered(a, wanted, number);
		if (!out->disk)
			return ERR_NOMEM;
	}
	return e == ERR_CONFLICT ? ERR_BUSY : e;
}

/* Both names are there until the row has changed: whichever the row names, the file is found. */
static enum err rename_linked(struct house *h, const struct session *s, const struct recording *r, const char *meta, const struct recording *out)
{
	enum err e = strcmp(out->disk, r->disk) != 0 ? blob_done_link(h->blobs, r->sid, r->disk, out->disk) : ERR_OK;
	if (!e)
		e = note_write(h, out, s);
	return e ? e : store_recording_rename(h->db, r->n, out->name, out->disk, meta);
}

static enum err rename_held(struct house *h, struct arena *a, const struct session *s, const struct recording *r, const char *name, const char *meta, struct recording *out)
{
	struct hold *claim = NULL;
	const char *wanted = name_disk(a, name);
	if (!wanted)
		return ERR_NOMEM;
	*out = *r;
	out->name = name;
	out->recovered = false;
	if (meta)
		out->meta = meta;
	bool moves = strcmp(wanted, r->disk) != 0;
	enum err e = moves ? claim_free(h, a, r, wanted, out, &claim) : ERR_OK;
	if (!e)
		e = rename_linked(h, s, r, meta, out);
	if (claim)
		finished_settle(h, r->sid, out->disk, claim);
	/* What stays of the old name is the reaper's: it is renamed. */
	if (!e && moves)
		finished_remove(h, r->sid, r->disk);
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

/* A chunk that is complete since we listed it may be a take of its own by now. */
static void remove_unnamed(struct house *h, struct file_list *files)
{
	bool removed;
	for (int i = 0; i < files->n; i++)
		file_remove_orphan(h, files->v[i], NULL, &removed);
	files->n = 0;
	file_list_remove(h, files);
}

enum err recording_remove(struct house *h, struct arena *a, const struct recording *r)
{
	struct file_list files = {0};
	struct session s;
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
	/* What cannot be removed now is the reaper's: it is deleted, and whoever asked again would hear that there is none. */
	if (!e)
		finished_remove(h, r->sid, r->disk);
	else
		files.n = 0;
	remove_unnamed(h, &files);
	return e;
}
