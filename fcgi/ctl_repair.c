/*
 * ctl_repair.c - tusctl check --repair: one function a kind of finding, each of which loses nothing that is still there.
 *
 * Everything is looked at once more under the hold that its writer would need, for the pool may be at work.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/text.h"
#include "ctl_check.h"
#include "model/name.h"

#define NOTE_MAX 65536

static struct hold *held(struct house *h, int64_t key)
{
	struct hold *hold = NULL;
	return hold_take(h->holds, key, NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL) ? NULL : hold;
}

/* ---- counters ---- */

static const char *recount(struct look *l, const struct about *x, const struct permits *may)
{
	(void)may;
	struct hold *hold = held(l->h, HOLD_SESSION(x->session));
	enum err e = hold ? store_session_recount(l->h->db, x->session) : ERR_LOCKED;
	hold_drop(hold);
	return e ? NULL : "counters and bitmap are those of the chunk rows";
}

/* ---- bytes that are not there ---- */

/* Bytes of u that are in its file, durable. */
static enum err durable_of(struct house *h, const struct upload *u, int64_t *n)
{
	int fd;
	int64_t size = 0;
	enum err e = blob_open(h->blobs, u->file, false, &fd);
	*n = 0;
	if (e)
		return e == ERR_NOT_FOUND ? ERR_OK : e;
	e = blob_sync(fd);
	blob_close(fd);
	if (!e)
		e = blob_size(h->blobs, u->file, &size);
	if (!e && size > u->base)
		*n = size - u->base;
	return e;
}

static const char *shorten_held(struct look *l, int64_t n)
{
	struct upload u;
	int64_t there;
	enum err e = store_upload_by_n(l->h->db, l->page, n, &u);
	if (!e && u.state != UPLOAD_OPEN)
		e = ERR_OFFSET;
	if (!e)
		e = durable_of(l->h, &u, &there);
	if (!e && there >= u.offset)
		return "nothing is missing any more";
	if (!e)
		e = store_upload_shorten(l->h->db, n, u.offset, there);
	if (e)
		return NULL;
	fprintf(stderr, "tusctl: BYTES ARE LOST: upload row %lld had acknowledged %lld bytes and has %lld now; its client has to send the others again\n",
		(long long)n, (long long)u.offset, (long long)there);
	return arena_printf(l->a, "offset %lld taken back to %lld: acknowledged bytes are lost", (long long)u.offset, (long long)there);
}

/* Only if it was asked for: a folder that is not mounted looks like bytes that are lost. */
static const char *shorten(struct look *l, const struct about *x, const struct permits *may)
{
	if (!x->upload || !may->shorten)
		return NULL;
	struct hold *hold = held(l->h, HOLD_UPLOAD(x->upload));
	const char *done = hold ? shorten_held(l, x->upload) : NULL;
	hold_drop(hold);
	return done;
}

/* ---- finishing ---- */

static const char *finish(struct look *l, const struct about *x, const struct permits *may)
{
	(void)may;
	enum err e = x->session ? session_finish(l->h, x->session) : upload_finish(l->h, x->upload);
	return e ? NULL : "finished";
}

/* Given up once; somebody may have brought the bytes back. */
static const char *revive_upload(struct look *l, const struct about *x, const struct permits *may)
{
	struct upload u;
	bool missing = true;
	enum err e = store_upload_by_n(l->h->db, l->page, x->upload, &u);
	if (!e && u.state == UPLOAD_FINISHING)
		e = upload_bytes_missing(l->h, l->page, &u, &missing);
	if (!e && !missing)
		e = store_upload_failed(l->h->db, x->upload, false);
	return e || missing ? NULL : finish(l, x, may);
}

static const char *revive_session(struct look *l, const struct about *x, const struct permits *may)
{
	struct session s;
	bool missing = true;
	enum err e = store_session_by_n(l->h->db, l->page, x->session, &s);
	/* One that had rows for all its chunks: it may only become what was sent. */
	if (!e && s.state == SESSION_FAILED && s.done == s.top)
		e = session_bytes_missing(l->h, &s, &missing);
	if (!e && !missing)
		e = store_session_failed(l->h->db, x->session, false);
	return e || missing ? NULL : finish(l, x, may);
}

/* ---- files ---- */

static const char *remove_part(struct look *l, const struct about *x, const struct permits *may)
{
	bool removed = false;
	(void)may;
	return file_remove_orphan(l->h, x->file, NULL, &removed) || !removed ? NULL : "removed";
}

static const char *remove_leftover(struct look *l, const struct about *x, const struct permits *may)
{
	(void)may;
	return blob_temp_remove(l->h->blobs, x->where, x->name) ? NULL : "removed";
}

static const char *remove_note(struct look *l, const struct about *x, const struct permits *may)
{
	bool removed = false;
	(void)may;
	return blob_note_remove(l->h->blobs, x->where, x->name, &removed) || !removed ? NULL : "removed";
}

/* ---- finished files without a row ---- */

struct adoption {
	struct look *l;
	struct json *note;
	struct recording r;
};

/* Its owner was the session's or the upload's; where both are forgotten nobody is. */
static void adopt_owner(struct adoption *ad)
{
	struct session s;
	struct upload u;
	int found;
	ad->r.owner = OWNER_ANONYMOUS;
	if (!store_session_takes(ad->l->h->db, ad->l->page, ad->r.sid, &s, 1, &found))
		ad->r.owner = s.owner;
	else if (!store_upload_by_id(ad->l->h->db, ad->l->page, ad->r.sid, &u))
		ad->r.owner = u.owner;
}

static void adopt_note(struct adoption *ad)
{
	char *text = arena_alloc(ad->l->page, NOTE_MAX);
	int fd;
	const char *note = arena_printf(ad->l->page, "%s.meta.json", ad->r.disk);
	if (!text || !note || blob_done_open(ad->l->h->blobs, ad->r.sid, note, &fd))
		return;
	ssize_t n = blob_read(fd, text, NOTE_MAX, 0);
	blob_close(fd);
	ad->note = n > 0 ? json_parse(text, (size_t)n) : NULL;
	const char *name = json_str(json_get(ad->note, "file_name"));
	const struct json *meta = json_get(ad->note, "client_metadata");
	if (name)
		ad->r.name = name;
	if (meta && json_type(meta) == JSON_OBJECT)
		ad->r.meta = json_text(meta, ad->l->page);
	json_bool(json_get(ad->note, "recovered"), &ad->r.recovered);
	json_int(json_get(ad->note, "take"), &ad->r.take);
}

/* A second name that a renaming left behind: the file stays under the one that its row has. */
static bool second_name(struct look *l, const struct about *x)
{
	struct recording page[100];
	int64_t before = 0;
	int found = 100;
	bool same = false;
	while (!same && found == 100 && !store_recordings(l->h->db, l->page, NULL, before, page, 100, &found))
		for (int i = 0; i < found && !same; i++) {
			before = page[i].n;
			if (text_eq(page[i].sid, x->where))
				blob_done_same(l->h->blobs, x->where, x->name, page[i].disk, &same);
		}
	return same;
}

static const char *adopt_file(struct look *l, const struct about *x, const struct permits *may)
{
	struct adoption ad = {.l = l, .r = {.sid = x->where, .disk = x->name, .name = x->name, .take = 1, .created = clock_now()}};
	int fd;
	if (second_name(l, x))
		return finished_drop(l->h, x->where, x->name) ? NULL : "removed: the same file has another name";
	if (!may->adopt || (!name_session_id(x->where, false) && !name_upload_id(x->where)) || !text_eq(name_disk(l->page, x->name), x->name))
		return NULL;
	if (blob_done_open(l->h->blobs, x->where, x->name, &fd))
		return NULL;
	enum err e = blob_fd_size(fd, &ad.r.size);
	blob_close(fd);
	adopt_owner(&ad);
	adopt_note(&ad);
	if (!e)
		e = store_recording_add(l->h->db, &ad.r, false, 0);
	json_free(ad.note);
	return e ? NULL : "adopted as a recording";
}

/* ---- the table ---- */

static const struct {
	const char *what;
	const char *(*repair)(struct look *l, const struct about *x, const struct permits *may);
} repairs[] = {
	{"bitmap", recount}, {"bitmap-count", recount}, {"bitmap-bit", recount}, {"chunk-rows", recount}, {"bytes", recount}, {"top", recount},
	{"parked", recount},
	{"part-short", shorten}, {"part-missing", shorten},
	{"finishing", finish}, {"upload-lost", revive_upload}, {"session-failed", revive_session},
	{"orphan-part", remove_part}, {"leftover", remove_leftover}, {"note-alone", remove_note}, {"file-unlisted", adopt_file},
};

const char *repair(struct look *l, const struct finding *f, const struct permits *may)
{
	for (size_t i = 0; i < sizeof repairs / sizeof *repairs; i++)
		if (text_eq(repairs[i].what, f->what)) {
			const char *done = repairs[i].repair(l, &f->about, may);
			arena_reset(l->page);
			return done;
		}
	return NULL;
}
