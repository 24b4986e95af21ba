/*
 * ctl_check_files.c - tusctl check, file by file: whether a row names it.
 *
 * A file is made before its row, so a young one without a row is only counted.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl_check.h"

#define TAKES_MAX 16
#define NOTE_SUFFIX ".meta.json"

/* ---- part files ---- */

static bool check_part(void *arg, int64_t file, int64_t size, int64_t age)
{
	struct look *l = arg;
	bool known = true;
	l->parts++;
	l->about = (struct about){.file = file};
	enum err e = store_file_known(l->h->db, file, &known);
	unreadable(l, "part files", e);
	if (e)
		return false;
	if (!known && age < CHECK_YOUNG)
		l->young++;
	else if (!known)
		finding(l, "orphan-part", arena_printf(l->page, "part file %lld", (long long)file), "no row names it (%lld bytes)", (long long)size);
	arena_reset(l->page);
	return true;
}

void check_parts(struct look *l)
{
	enum err e = blob_each(l->h->blobs, check_part, l);
	if (e)
		finding(l, "folders", "part files", "%s", err_sentence(e));
}

/* ---- names ---- */

/* It has its name, but its row is only about to be written. */
static enum err being_finished(struct look *l, const char *sid, const char *disk, bool *yes)
{
	struct session *takes = arena_alloc(l->page, TAKES_MAX * sizeof *takes);
	struct upload u;
	int found = 0;
	*yes = false;
	enum err e = takes ? store_session_takes(l->h->db, l->page, sid, takes, TAKES_MAX, &found) : ERR_NOMEM;
	for (int i = 0; !e && i < found; i++)
		*yes |= (takes[i].state == SESSION_FINISHING || takes[i].state == SESSION_FAILED) && text_eq(takes[i].out_name, disk);
	if (e != ERR_NOT_FOUND)
		return e;
	e = store_upload_by_id(l->h->db, l->page, sid, &u);
	*yes = !e && u.state == UPLOAD_FINISHING;
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

static enum err listed(struct look *l, const char *sid, const char *disk, bool *yes)
{
	struct recording r;
	enum err e = store_recording_get(l->h->db, l->page, sid, disk, &r);
	*yes = !e;
	if (e != ERR_NOT_FOUND)
		return e;
	/* Removed, but for the file: the reaper's. */
	e = store_trash_has(l->h->db, sid, disk, yes);
	return e || *yes ? e : being_finished(l, sid, disk, yes);
}

static const char *file_named(struct look *l, const struct blob_found *x)
{
	const char *s = arena_printf(l->page, "file %s%s%s", x->where, *x->where ? "/" : "", x->name);
	return s ? s : "file";
}

static void check_done(struct look *l, const struct blob_found *x)
{
	bool yes = true;
	enum err e = listed(l, x->where, x->name, &yes);
	unreadable(l, file_named(l, x), e);
	if (!e && !yes)
		finding(l, "file-unlisted", file_named(l, x), "a finished file without a row (%lld bytes)", (long long)x->size);
}

static void check_note(struct look *l, const struct blob_found *x)
{
	char disk[256];
	int fd;
	size_t n = strlen(x->name) - strlen(NOTE_SUFFIX);
	if (n >= sizeof disk)
		return;
	memcpy(disk, x->name, n);
	disk[n] = '\0';
	bool yes = true;
	enum err e = listed(l, x->where, disk, &yes);
	unreadable(l, file_named(l, x), e);
	if (e || yes)
		return;
	if (blob_done_open(l->h->blobs, x->where, disk, &fd) == ERR_NOT_FOUND)
		finding(l, "note-alone", file_named(l, x), "a note about a finished file that is not there");
	else
		blob_close(fd);
}

static bool check_name(void *arg, const struct blob_found *x)
{
	struct look *l = arg;
	bool young = clock_now() - x->changed < CHECK_YOUNG;
	l->about = (struct about){.where = x->where, .name = x->name};
	if (x->kind == BLOB_FOUND_STRANGER)
		finding(l, "stranger", file_named(l, x), "nobody here gives such a name");
	else if (x->kind == BLOB_FOUND_TEMP && !young)
		finding(l, "leftover", file_named(l, x), "somebody who did not end his work left it (%lld bytes)", (long long)x->size);
	else if (x->kind == BLOB_FOUND_TEMP)
		l->young++;
	else if (young)
		;   /* its row may come any moment */
	else if (x->kind == BLOB_FOUND_DONE)
		check_done(l, x);
	else
		check_note(l, x);
	arena_reset(l->page);
	return true;
}

void check_names(struct look *l)
{
	blob_survey(l->h->blobs, check_name, l);
}
