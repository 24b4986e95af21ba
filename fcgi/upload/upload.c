/*
 * upload.c - whole uploads: create, look up, remove.
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

/* The length is known as soon as each part has one. */
static enum err parts_of(struct arena *a, const struct create_cmd *cmd, struct upload_new *in)
{
	int64_t *n = arena_alloc(a, (size_t)cmd->nparts * sizeof *n);
	if (!n)
		return ERR_NOMEM;
	in->length = 0;
	for (int i = 0; i < cmd->nparts; i++) {
		n[i] = cmd->part[i].n;
		in->length = plan_sum(in->length, cmd->part[i].length);
	}
	in->part = n;
	in->nparts = cmd->nparts;
	return ERR_OK;
}

enum err upload_create(struct house *h, struct arena *a, const struct create_cmd *cmd, struct upload *out)
{
	unsigned char random[16];
	char id[24], repr[WHOLE_PROMISE];
	int64_t now = clock_now();

	struct upload_new in = {.id = id, .owner = cmd->owner, .meta = cmd->meta, .length = cmd->length, .now = now, .is_explicit = cmd->is_explicit,
		.expires = plan_expiry(now, h->cfg->expiration, 0), .concat = cmd->concat, .concat_text = cmd->concat_text};
	enum err e = cmd->concat == CONCAT_FINAL ? parts_of(a, cmd, &in) : ERR_OK;
	if (!e)
		e = plan_create(in.length, h->cfg->tus_max_size);
	/* The bytes of a final one are there, and most of them need no second place. */
	if (!e)
		e = space_begin(h, cmd->concat == CONCAT_FINAL ? 0 : in.length);
	if (e)
		return e;
	digest_random(random, sizeof random);
	name_upload_id_make(random, id);
	if (whole_promise(cmd, repr))
		in.repr = repr;
	e = store_upload_create(h->db, a, &in, out);
	if (!e && h->cfg->reserve_space && in.length > 0 && cmd->concat != CONCAT_FINAL)
		e = reserve(h, a, out);
	if (e)
		return e;
	metrics_add(h->metrics, M_UPLOADS_TOTAL, 1);
	return in.length == 0 && !cmd->is_explicit && cmd->concat != CONCAT_FINAL ? complete_empty(h, a, out) : ERR_OK;
}

/* Expired is expired, whether the reaper has come by or not. */
static bool expired(const struct upload *u)
{
	bool may = u->state == UPLOAD_OPEN || (u->state == UPLOAD_COMPLETE && u->concat == CONCAT_PARTIAL);
	return may && u->concat != CONCAT_FINAL && u->expires > 0 && u->expires <= clock_now();
}

enum err upload_find(struct house *h, struct arena *a, const char *id, struct upload *out)
{
	enum err e = store_upload_by_id(h->db, a, id, out);
	if (e)
		return e;
	if (out->state == UPLOAD_GONE)
		return ERR_GONE;
	if (!expired(out))
		return ERR_OK;
	/* A complete part lives on with the final uploads that wait for others, and the reaper will say so. */
	bool named = false;
	if (out->state == UPLOAD_COMPLETE)
		e = store_part_named(h->db, out->n, &named);
	return e || named ? e : ERR_GONE;
}

enum err upload_settle(struct house *h, struct arena *a, struct upload *u, bool at_length, struct append_out *out)
{
	enum err e = ERR_OK;
	struct digest_wants wants;
	int wait_ms = at_length || h->cfg->lock_wait_ms < SETTLE_MS ? SETTLE_MS : (int)h->cfg->lock_wait_ms;
	*out = (struct append_out){0};
	/* Whoever brings the bytes of a final one together writes for nobody who asks. */
	if (u->state == UPLOAD_OPEN && u->concat != CONCAT_FINAL) {
		/* If nobody writes, somebody may have done so since u was read. */
		hold_ask(h->holds, HOLD_UPLOAD(u->n), wait_ms);
		e = store_upload_by_n(h->db, a, u->n, u);
	}
	/* The draft would rather be told nothing than what will be true no more. */
	if (!e && !at_length && u->state == UPLOAD_OPEN && hold_ask(h->holds, HOLD_UPLOAD(u->n), 0))
		e = ERR_LOCKED;
	/* Who is told that all bytes are there sends no more of them. */
	bool full = !e && u->state == UPLOAD_OPEN && u->offset == u->length && (at_length || !u->is_explicit);
	/* To find out whether they are right takes longer than he waits. That they are all there would be taken for that they are right. */
	if (full && u->repr) {
		upload_promised(u, &wants);
		out->finish_upload = u->n;
		return wants.n > 0 ? ERR_LOCKED : ERR_OK;
	}
	if (full && upload_end_full(h, a, u->n, out) == ERR_OK)
		e = store_upload_by_n(h->db, a, u->n, u);
	return e;
}

enum err upload_file_drop(struct house *h, const struct upload *u)
{
	bool known = false;
	enum err e = u->concat == CONCAT_NONE ? ERR_OK : store_file_known(h->db, u->file, &known);
	return e || known ? e : blob_remove(h->blobs, u->file);
}

enum err upload_gone_held(struct house *h, struct arena *a, struct upload *u, bool only_expired)
{
	struct file_list kept = {0};
	const char *disk = NULL;
	enum err e = u->concat == CONCAT_FINAL ? final_kept_files(h, u->n, &kept) : ERR_OK;
	/* The finished file of one that was interrupted between publishing and its last commit has no row yet, but its name is known. */
	if (!e)
		e = store_upload_gone(h->db, a, u->n, clock_now(), only_expired, only_expired ? NULL : upload_disk(a, u), u, &disk);
	if (!e) {
		if (u->state == UPLOAD_OPEN)
			metrics_add(h->metrics, M_UPLOADS_FAILED, 1);
		/* Rows first: a file without a row is scrap that the reaper removes, a row without its file would be a lie. */
		upload_file_drop(h, u);
		blob_copy_remove(h->blobs, u->file, u->id);
		if (disk)
			finished_remove(h, u->id, disk);
	}
	final_kept_drop(h, &kept, !e);
	return e;
}

static enum err remove_one(struct house *h, struct arena *a, const char *id, bool only_open)
{
	struct upload u;
	struct hold *hold;
	bool asked = false;

	enum err e = upload_find(h, a, id, &u);
	if (e)
		return e;
	e = hold_take(h->holds, HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, true, (int)h->cfg->lock_wait_ms, &hold, &asked);
	if (e)
		return e;
	if (only_open)
		e = store_upload_by_n(h->db, a, u.n, &u);
	if (!e && only_open && u.state != UPLOAD_OPEN)
		e = ERR_CONFLICT;
	if (!e)
		e = upload_gone_held(h, a, &u, false);
	hold_drop(hold);
	/* Who waits for a part that will never come waits no longer. */
	if (!e && u.concat == CONCAT_PARTIAL && u.state == UPLOAD_OPEN)
		part_finals_join(h, a, u.n);
	return e;
}

enum err upload_remove(struct house *h, struct arena *a, const char *id)
{
	return remove_one(h, a, id, false);
}

enum err upload_spoil(struct house *h, struct arena *a, const char *id)
{
	return remove_one(h, a, id, true);
}

/* Nothing is left of an upload that nobody knows the address of. */
static void discard(struct house *h, struct arena *a, const struct upload *u)
{
	enum err e = upload_remove(h, a, u->id);
	if (e && e != ERR_GONE)
		log_event(LOG_WARN, "upload", "discarding failed, the reaper will", "upload", LI(u->n), "reason", LS(err_code(e)), NULL);
}

enum err upload_store(struct house *h, struct arena *a, const struct create_cmd *cmd, const struct digest_wants *wants, struct source *body, struct upload *u,
	struct append_out *out)
{
	struct append_cmd ac = {.offset = 0, .length = LENGTH_UNKNOWN, .body = body->length, .max_size = h->cfg->tus_max_size, .wants = *wants};
	enum err e = body->length == 0 ? digest_check_bytes(wants, "", 0) : ERR_OK;
	if (!e)
		e = upload_create(h, a, cmd, u);
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
		ac.body = ac.wants.n = 0;
		e = upload_append(h, a, u->n, &ac, &nothing.s, out);
	}
	if (!e && !out->complete)
		e = ERR_CUT;
	if (e)
		discard(h, a, u);
	return e;
}
