/*
 * finished_name.c - who may remove a finished file, and who may make one under a name that the ledger has not given yet.
 *
 * A name without an owner is in the trash, written there by the change that took the owner away, and is given to nobody until a remover takes it out.
 * Who gives a file a name before its row can say so puts the name there himself: if he dies, the file is scrap like any other.
 */
#include <string.h>

#include "upload/upload_priv.h"

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

enum err finished_hold(struct house *h, const char *sid, const char *disk, struct hold **hold)
{
	return hold_take(h->holds, HOLD_NAME(name_number(sid, disk)), NULL, HOLD_NO_OFFSET, false, 0, hold, NULL);
}

/* Under the hold: without it a second remover would come late and remove the next recording of that name. */
static enum err remove_held(struct house *h, const char *sid, const char *disk)
{
	bool there = false;
	enum err e = store_trash_has(h->db, sid, disk, &there);
	if (e || !there)
		return e;
	e = blob_done_remove(h->blobs, sid, disk);
	/* What cannot be noted is removed by the reaper once more. */
	if (!e)
		store_trash_done(h->db, sid, disk);
	return e;
}

enum err finished_remove(struct house *h, const char *sid, const char *disk)
{
	struct hold *hold;
	enum err e = finished_hold(h, sid, disk, &hold);
	if (e)
		return e == ERR_LOCKED ? ERR_OK : e;   /* somebody is at it; else the reaper comes */
	e = remove_held(h, sid, disk);
	hold_drop(hold);
	return e;
}

static enum err nothing_there(struct house *h, const char *sid, const char *disk)
{
	int fd;
	enum err e = blob_done_open(h->blobs, sid, disk, &fd);
	if (!e)
		blob_close(fd);
	return e == ERR_NOT_FOUND ? ERR_OK : e ? e : ERR_CONFLICT;
}

static enum err claim_held(struct house *h, const char *sid, const char *disk, bool unused)
{
	/* It may be there still from somebody who died, or could not go on. A file that cannot be removed keeps its name. */
	bool there = false;
	enum err e = store_trash_has(h->db, sid, disk, &there);
	if (e)
		return e;
	if (there && remove_held(h, sid, disk))
		return ERR_CONFLICT;
	e = unused ? nothing_there(h, sid, disk) : ERR_OK;
	return e ? e : store_name_claim(h->db, sid, disk);
}

enum err finished_claim(struct house *h, const char *sid, const char *disk, bool unused, struct hold **claim)
{
	enum err e = finished_hold(h, sid, disk, claim);
	if (e)
		return e == ERR_LOCKED ? ERR_CONFLICT : e;
	e = claim_held(h, sid, disk, unused);
	if (e) {
		hold_drop(*claim);
		*claim = NULL;
	}
	return e;
}

void finished_settle(struct house *h, const char *sid, const char *disk, struct hold *claim)
{
	remove_held(h, sid, disk);
	hold_drop(claim);
}

enum err finished_drop(struct house *h, const char *sid, const char *disk)
{
	struct hold *claim;
	enum err e = finished_claim(h, sid, disk, false, &claim);
	if (!e)
		finished_settle(h, sid, disk, claim);
	return e;
}

void finished_cut(struct house *h, struct arena *a, const struct recording *r)
{
	struct recording now;
	struct hold *hold;
	if (finished_hold(h, r->sid, r->disk, &hold))
		return;
	/* Under the hold the name passes to no other recording. */
	if (store_recording_by_n(h->db, a, r->n, &now) == ERR_OK && strcmp(now.disk, r->disk) == 0)
		blob_done_cut(h->blobs, r->sid, r->disk, r->size);
	hold_drop(hold);
}
