/*
 * file_digest.c - digests of whole files: of finished ones, computed once, after the answer; and what an upload's client said of the whole, before it is complete.
 */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "upload/reading.h"

#define CHEAP (1 << 20)
#define NOTE_MAX (1 << 20)
#define NOTE ".meta.json"

static const struct digest_alg *sha256(void)
{
	return digest_by_tus("sha256", 6);
}

/* ---- before an upload is complete ---- */

#define TELL "tell-"

bool whole_promise(const struct create_cmd *cmd, char out[WHOLE_PROMISE])
{
	bool wants = cmd->repr && cmd->repr->n > 0;
	snprintf(out, WHOLE_PROMISE, "%s%s%s", cmd->tell ? TELL : "", cmd->tell ? cmd->tell->tus : "", cmd->tell && wants ? "," : "");
	if (wants)
		digest_wants_text(cmd->repr, out + strlen(out));
	return *out;
}

static bool promise_read(const char *text, const struct digest_alg **tell, struct digest_wants *wants)
{
	wants->n = 0;
	if (text && text_starts(text, TELL)) {
		text += sizeof TELL - 1;
		size_t n = strcspn(text, ",");
		*tell = digest_by_tus(text, n);
		text += n + (text[n] == ',');
	}
	return !text || !*text || digest_wants_parse(text, wants);
}

void upload_promised(const struct upload *u, struct digest_wants *out)
{
	const struct digest_alg *tell;
	if (!promise_read(u->repr, &tell, out))
		out->n = 0;
}

static enum err whole_read(struct house *h, const struct upload *u, int64_t length, struct reading *r)
{
	int fd = -1;
	/* A part file is made by its first byte. */
	enum err e = length > 0 ? blob_open(h->blobs, u->file, false, &fd) : ERR_OK;
	if (!e)
		e = reading_file(h, fd, u->base, length, r);
	blob_close(fd);
	return reading_end(r, e);
}

enum err whole_check(struct house *h, struct arena *a, const struct upload *u, int64_t length, const struct digest_alg *tell, struct digest_want *told,
	const char **hex)
{
	char text[2 * DIGEST_SHA256_LEN + 1];
	struct digest_wants wants;
	struct reading r;
	*told = (struct digest_want){0};
	*hex = NULL;
	if (!promise_read(u->repr, &tell, &wants))
		return ERR_INTERNAL;
	if (wants.n == 0 && !tell && !digest_is_cheap(h, length))
		return ERR_OK;
	/* Who reads it once need not read it again. */
	bool keep = digest_is_wanted(h) || tell == sha256();
	enum err e = reading_begin(&r, &wants, keep ? sha256() : NULL, tell);
	if (!e)
		e = whole_read(h, u, length, &r);
	if (!e && tell)
		*told = r.told[1];
	if (!e && keep) {
		text_hex(r.told[0].value, DIGEST_SHA256_LEN, text);
		*hex = arena_strdup(a, text);
	}
	/* To tell it is a courtesy. */
	return wants.n || e == ERR_STOPPING ? e : ERR_OK;
}

bool digest_is_wanted(const struct house *h)
{
	return h->cfg->file_digest == FILE_DIGEST_SHA256;
}

bool digest_is_cheap(const struct house *h, int64_t length)
{
	return digest_is_wanted(h) && length <= CHEAP;
}

/* ---- finished files ---- */

static enum err file_sha256(struct house *h, struct arena *a, struct recording *r, struct reading *in)
{
	static const struct digest_wants nothing;
	int fd;
	enum err e = recording_open(h, a, r, &fd);
	if (e)
		return e;
	e = reading_begin(in, &nothing, sha256(), NULL);
	/* What the row counts, even if the file goes on. */
	if (!e)
		e = reading_end(in, reading_file(h, fd, 0, r->size, in));
	blob_close(fd);
	return e;
}

/* The note as it is, with one member more: what else stands in it was true when the file was made. NULL: there is none that can be read. */
static const char *note_with(struct house *h, struct arena *a, const struct recording *r, const char *hex)
{
	char *text = arena_alloc(a, NOTE_MAX);
	const char *name = arena_printf(a, "%s" NOTE, r->disk);
	struct json *note = NULL;
	int fd;
	if (!text || !name || blob_done_open(h->blobs, r->sid, name, &fd))
		return NULL;
	ssize_t n = blob_read(fd, text, NOTE_MAX, 0);
	blob_close(fd);
	if (n > 0 && n < NOTE_MAX)
		note = json_parse(text, (size_t)n);
	if (json_type(note) == JSON_OBJECT)
		json_put_str(note, "sha256", hex);
	const char *out = json_type(note) == JSON_OBJECT ? json_text(note, a) : NULL;
	json_free(note);
	return out;
}

/* Under the hold of its name nobody removes the file, and with it the note that is just being written. */
static enum err note_named(struct house *h, struct arena *a, const struct recording *r, const char *hex)
{
	struct recording now;
	struct hold *name;
	enum err e = finished_hold(h, r->sid, r->disk, &name);
	if (e)
		return e;
	e = store_recording_get(h->db, a, r->sid, r->disk, &now);
	if (!e && now.n != r->n)
		e = ERR_NOT_FOUND;
	if (!e) {
		const char *text = note_with(h, a, r, hex);
		now.sha256 = hex;
		e = text ? blob_note(h->blobs, r->sid, r->disk, text) : note_write(h, &now, NULL);
	}
	/* The note first: a row with a digest has a note with it. */
	if (!e)
		e = store_recording_digest(h->db, r->n, hex);
	hold_drop(name);
	return e;
}

/* Who renames the recording of a session, or finishes it anew, writes notes too. */
static enum err note_digest(struct house *h, struct arena *a, const struct recording *r, const char *hex)
{
	struct recording now;
	struct session s;
	struct hold *hold = NULL;
	enum err e = r->session ? hold_take(h->holds, HOLD_SESSION(r->session), NULL, HOLD_NO_OFFSET, false, (int)h->cfg->lock_wait_ms, &hold, NULL) : ERR_OK;
	if (!e)
		e = store_recording_by_n(h->db, a, r->n, &now);
	if (!e)
		e = note_named(h, a, &now, hex);
	hold_drop(hold);
	/* Who came to finish it meanwhile has been sent away. */
	if (r->session && store_session_by_n(h->db, a, r->session, &s) == ERR_OK && s.state == SESSION_FINISHING)
		session_finish(h, r->session);
	return e;
}

enum err recording_digest(struct house *h, int64_t n)
{
	struct recording r;
	struct hold *hold;
	struct reading in;
	char hex[2 * DIGEST_SHA256_LEN + 1];
	struct arena *a = arena_open(4 * NOTE_MAX);
	if (!a)
		return ERR_NOMEM;
	/* Others need not read it a second time. */
	enum err e = hold_take(h->holds, HOLD_DIGEST(n), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (!e) {
		e = store_recording_by_n(h->db, a, n, &r);
		if (!e && !r.sha256) {
			e = file_sha256(h, a, &r, &in);
			if (!e && r.n == n) {
				text_hex(in.told[0].value, DIGEST_SHA256_LEN, hex);
				e = note_digest(h, a, &r, hex);
			}
		}
		hold_drop(hold);
	}
	arena_close(a);
	return e;
}

/* ---- after an answer ---- */

static void digest_later(struct house *h, enum err found, const struct recording *r)
{
	enum err e = found ? found : r->sha256 ? ERR_OK : recording_digest(h, r->n);
	/* There is none yet, or somebody else is at it, or we end: the reaper comes by. */
	if (e && e != ERR_NOT_FOUND && e != ERR_LOCKED && e != ERR_STOPPING)
		log_event(LOG_WARN, "upload", "the digest of a finished file could not be made, the reaper will try", "recording", LI(found ? 0 : r->n), "reason", LS(err_code(e)), NULL);
}

void finish_later(struct house *h, int64_t upload, int64_t session)
{
	struct recording r;
	if (upload)
		upload_finish(h, upload);
	if (session)
		session_finish(h, session);
	struct arena *a = digest_is_wanted(h) ? arena_open(2 * NOTE_MAX) : NULL;
	if (a && upload)
		digest_later(h, store_recording_of_upload(h->db, a, upload, &r), &r);
	if (a && session)
		digest_later(h, store_recording_of_session(h->db, a, session, &r), &r);
	if (a)
		arena_close(a);
}
