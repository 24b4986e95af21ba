/*
 * ctl_import_take.c - tusctl import, session by session: which finished files and which chunks are taken in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl_import.h"
#include "model/name.h"

#define NOTE_SUFFIX ".meta.json"

/* ---- finished files ---- */

/* What its note says of it: *size -1 if there is no whole one. */
static struct json *note_of(struct import *im, int folder, const char *disk, int64_t *size, int64_t *chunks)
{
	const char *name = arena_printf(im->page, "%s" NOTE_SUFFIX, disk);
	struct json *note = name ? import_json(folder, name, im->page) : NULL;
	*size = -1;
	*chunks = 1;
	json_int(json_get(note, "file_size_bytes"), size);
	json_int(json_get(note, "total_chunks"), chunks);
	return note;
}

static enum err take_finished(struct import *im, struct recording *r, const struct json *note, int64_t chunks, int fd, bool *have)
{
	const char *name = json_str(json_get(note, "file_name"));
	const struct json *meta = json_get(note, "client_metadata");
	if (name && *name)
		r->name = name;
	if (meta && json_type(meta) == JSON_OBJECT)
		r->meta = json_text(meta, im->page);
	return import_finished(im->h, im->page, r, chunks, fd, im->in_place, im->dry, have);
}

/* Assembling writes under the final name and the note behind it; the chunks go last. So beside chunks a file without a note that agrees may be half. */
static bool may_be_half(int64_t noted, int64_t size, size_t chunk_files)
{
	return chunk_files > 0 && noted != size;
}

static void finished_file(struct import *im, int folder, const char *disk, size_t chunk_files, int *listed)
{
	struct recording r = {.sid = im->sid, .disk = disk, .name = disk, .owner = OWNER_ANONYMOUS, .take = 1};
	const char *where = arena_printf(im->page, "%s/completed/%s", im->sid, disk);
	struct stat st;
	int64_t noted, chunks;
	bool have = false;
	int fd = import_file(folder, disk);
	if (fd < 0 || fstat(fd, &st) < 0 || !text_eq(name_disk(im->page, disk), disk)) {
		import_left_there(im, where, fd < 0 ? "not a regular file" : "its name cannot be kept");
		if (fd >= 0)
			close(fd);
		return;
	}
	struct json *note = note_of(im, folder, disk, &noted, &chunks);
	r.size = st.st_size;
	r.created = st.st_mtime;
	bool half = may_be_half(noted, r.size, chunk_files);
	enum err e = half ? ERR_OK : take_finished(im, &r, note, chunks, fd, &have);
	close(fd);
	json_free(note);
	if (half) {
		import_left_there(im, where, "perhaps half assembled: its chunks are there and count");
		return;
	}
	++*listed;
	im->finished += !e && !have;
	im->already += !e && have;
	if (e == ERR_CONFLICT)
		import_left_there(im, where, "another file has this name here");
	else if (e)
		import_failed(im, where, e);
	else if (!have)
		import_row(im, "finished", where, noted >= 0 && noted != r.size ? "its note says another size" : arena_printf(im->page, "%lld bytes", (long long)r.size));
}

static bool is_note(const char *name)
{
	size_t n = strlen(name), suffix = strlen(NOTE_SUFFIX);
	return n > suffix && strcmp(name + n - suffix, NOTE_SUFFIX) == 0;
}

void import_finished_files(struct import *im, int dir, size_t chunk_files, int *listed)
{
	struct dirent **names;
	int folder = import_dir(dir, "completed");
	if (folder < 0)
		return;
	int n = import_names(folder, &names);
	for (int i = 0; i < n; i++)
		/* What is just being made in our own folder begins with a dot. */
		if (!is_note(names[i]->d_name) && !(im->in_place && names[i]->d_name[0] == '.'))
			finished_file(im, folder, names[i]->d_name, chunk_files, listed);
	if (n < 0)
		import_failed(im, im->sid, ERR_INTERNAL);
	import_names_free(names, n);
	close(folder);
}

/* ---- half-done sessions ---- */

/* Whether it has been finished here: a recording of it is listed. */
static bool finished_here(struct import *im)
{
	struct recording r;
	struct dirent **names;
	const char *path = arena_printf(im->page, "%s/%s/completed", im->h->cfg->done_dir, im->sid);
	int folder = path ? import_dir(-1, path) : -1;
	int n = folder < 0 ? -1 : import_names(folder, &names);
	bool yes = false;
	for (int i = 0; i < n && !yes; i++)
		yes = !store_recording_get(im->h->db, im->page, im->sid, names[i]->d_name, &r);
	import_names_free(n < 0 ? NULL : names, n);
	if (folder >= 0)
		close(folder);
	return yes;
}

const char *import_closed(struct import *im, int listed)
{
	struct session *s = arena_alloc(im->page, sizeof *s);
	int found;
	if (listed > 0 || finished_here(im))
		return "chunks of a recording that is finished";
	enum err e = s ? store_session_takes(im->h->db, im->page, im->sid, s, 1, &found) : ERR_NOMEM;
	if (e)
		return e == ERR_NOT_FOUND ? NULL : err_sentence(e);
	if (s->state == SESSION_RECEIVING && s->expires > 0 && s->expires <= clock_now())
		return "chunks of a session that has expired here";
	return s->state == SESSION_RECEIVING ? NULL : arena_printf(im->page, "chunks of a session that is %s here", ctl_session_state(s->state));
}

struct taken {
	int64_t whole, parts, bytes, already;
};

static void one_chunk(struct import *im, int dir, const struct chunk_cmd *cmd, const struct import_chunk *c, struct taken *t)
{
	bool have = false;
	if (!c->whole && c->size == 0)
		return;
	int fd = import_chunk_open(dir, c);
	enum err e = fd < 0 ? ERR_AGAIN : import_chunk(im->h, im->chunk, cmd, c, fd, im->dry, &have);
	if (fd >= 0)
		close(fd);
	arena_reset(im->chunk);
	if (e) {
		import_failed(im, arena_printf(im->page, "%s, chunk %lld", im->sid, (long long)c->idx), e);
		return;
	}
	t->already += have;
	t->whole += !have && c->whole;
	t->parts += !have && !c->whole;
	t->bytes += have ? 0 : c->size;
}

static void tell_session(struct import *im, const struct taken *t, int64_t total)
{
	const char *parts = t->parts ? arena_printf(im->page, ", %lld in part", (long long)t->parts) : "";
	const char *of = total ? arena_printf(im->page, " of %lld", (long long)total) : "";
	im->sessions += t->whole + t->parts > 0;
	im->chunks += t->whole + t->parts;
	im->bytes += t->bytes;
	im->already += t->already;
	if (t->whole + t->parts > 0)
		import_row(im, "session", im->sid, arena_printf(im->page, "chunks taken: %lld%s%s (%lld bytes)", (long long)t->whole, of ? of : "", parts ? parts : "", (long long)t->bytes));
}

void import_chunks_of(struct import *im, int dir, struct import_chunks *l)
{
	struct import_info info = {.hint = {.chunk_size = im->h->cfg->chunk_size}};
	struct taken t = {0};
	import_info(dir, im->page, &info);
	/* A count that we could not keep is none. */
	if (info.hint.total > im->h->cfg->max_chunks)
		info.hint.total = 0;
	struct chunk_cmd cmd = {.sid = im->sid, .owner = OWNER_ANONYMOUS, .any_owner = true, .name = info.name, .format = info.format, .client_meta = info.meta};
	plan_import(l->v, l->n, &info.hint, &cmd.take);
	for (size_t i = 0; i < l->n; i++)
		one_chunk(im, dir, &cmd, &l->v[i], &t);
	tell_session(im, &t, info.hint.total);
}
