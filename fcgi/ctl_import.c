/*
 * ctl_import.c - tusctl import: the recordings and half-done sessions of a WaveForge upload folder become ours.
 *
 * Finished files first, each with its row; then the chunks of sessions that have none. Everything is looked at where it lies and decided anew, so a run
 * that died is simply run again, and a second run finds nothing more to do. Bytes are those of the files, whatever the notes beside them say.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "ctl_import.h"
#include "model/name.h"

#define PAGE_MAX (64 << 20)

/* ---- telling ---- */

void import_row(struct import *im, const char *what, const char *where, const char *detail)
{
	struct json *o = json_obj();
	json_put_str(o, "what", what);
	json_put_str(o, "where", where);
	json_put_str(o, "detail", detail);
	ctl_list_row(&im->lists, im->page, o);
}

void import_left_there(struct import *im, const char *where, const char *why)
{
	im->left++;
	import_row(im, "left", where, why);
}

void import_left_below(void *arg, const char *where, const char *why)
{
	struct import *im = arg;
	import_left_there(im, arena_printf(im->page, "%s/%s", im->sid, where ? where : "?"), why);
}

void import_failed(struct import *im, const char *where, enum err e)
{
	im->failed++;
	import_row(im, "failed", where, err_sentence(e));
}

/* ---- the tree ---- */

static void strangers(struct import *im, int dir)
{
	static const char *const known[] = {"session_info.json", "chunks", "completed", "temp"};
	struct dirent **names;
	int n = import_names(dir, &names), ours = 0;
	for (int i = 0; i < n; i++) {
		bool is = false;
		for (size_t k = 0; k < sizeof known / sizeof *known; k++)
			is |= strcmp(names[i]->d_name, known[k]) == 0;
		ours += is;
		struct stat st;
		bool link = fstatat(dir, names[i]->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode);
		if (!is || link)
			import_left_below(im, names[i]->d_name, link ? "a link" : "nothing that a session has");
	}
	if (n >= 0 && !ours)
		import_left_there(im, im->sid, "no session");
	import_names_free(names, n);
}

static void session_folder(struct import *im, int dir)
{
	struct import_left left = {import_left_below, im};
	struct import_chunks l = {0};
	int listed = 0;
	strangers(im, dir);
	enum err e = import_collect(dir, im->page, &left, &l);
	if (e)
		import_failed(im, im->sid, e);
	import_finished_files(im, dir, l.n, &listed);
	const char *closed = l.n && !e ? import_closed(im, listed) : NULL;
	if (closed)
		import_left_below(im, "chunks", closed);
	else if (l.n && !e)
		import_chunks_of(im, dir, &l);
	free(l.v);
}

static void one_name(struct import *im, int root, const char *name)
{
	/* Our own folder also has what is just being made, and whole uploads. */
	if (im->in_place && (name[0] == '.' || name_upload_id(name)))
		return;
	int dir = import_dir(root, name);
	im->sid = name;
	if (dir < 0)
		import_left_there(im, name, "not a folder");
	else if (!name_session_id(name, false))
		import_left_there(im, name, "its name is no session id");
	else
		session_folder(im, dir);
	if (dir >= 0)
		close(dir);
	arena_reset(im->page);
}

static bool same_folder(int dir, const char *path)
{
	struct stat a, b;
	return fstat(dir, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static void summary(struct import *im)
{
	struct json *o = json_obj();
	json_put_int(o, "finished", im->finished);
	json_put_int(o, "sessions", im->sessions);
	json_put_int(o, "chunks", im->chunks);
	json_put_int(o, "bytes", im->bytes);
	json_put_int(o, "already", im->already);
	json_put_int(o, "left", im->left);
	json_put_int(o, "failed", im->failed);
	json_put_bool(o, "dry_run", im->dry);
	ctl_list_beside(&im->lists, "summary", o);
	ctl_lists_end(&im->lists);
}

static int import_all(struct import *im, int root)
{
	static const struct ctl_column cols[] = {{"what", 10}, {"where", 48}, {"detail", 0}};
	struct dirent **names;
	int n = import_names(root, &names);
	if (n < 0)
		return ctl_fail("import", ERR_INTERNAL);
	im->in_place = same_folder(root, im->h->cfg->done_dir);
	im->lists = (struct ctl_lists){.c = im->c};
	ctl_list_begin(&im->lists, "imported", cols);
	for (int i = 0; i < n; i++)
		one_name(im, root, names[i]->d_name);
	import_names_free(names, n);
	ctl_list_end(&im->lists);
	enum err e = im->dry ? ERR_OK : import_end(im->h);
	summary(im);
	if (e)
		return ctl_fail("import", e);
	return im->failed ? CTL_FAILED : CTL_OK;
}

int ctl_import(struct ctl *c)
{
	struct import im = {.c = c, .h = c->house, .dry = ctl_flag(c, "--dry-run")};
	if (c->argc != 1)
		return CTL_USAGE;
	int root = open(c->argv[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0) {
		fprintf(stderr, "tusctl: import: %s is no folder that can be read\n", c->argv[0]);
		return CTL_FAILED;
	}
	im.page = arena_open(PAGE_MAX);
	im.chunk = arena_open(PAGE_MAX);
	int rc = im.page && im.chunk ? import_all(&im, root) : ctl_fail("import", ERR_NOMEM);
	if (im.page)
		arena_close(im.page);
	if (im.chunk)
		arena_close(im.chunk);
	close(root);
	return rc;
}
