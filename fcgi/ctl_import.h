/*
 * ctl_import.h - what the files of tusctl import share: a look at one session's folder of another back end.
 */
#ifndef CTL_IMPORT_H
#define CTL_IMPORT_H

#include <dirent.h>

#include "ctl.h"
#include "upload/import.h"

/* Where a chunk file lies: struct import_chunk's `where`. */
enum { IMPORT_CHUNKS, IMPORT_LEGACY };

/* session_info.json, as far as it can be read; texts live in the arena given. */
struct import_info {
	struct import_hint hint;
	const char *name, *format, *meta;   /* NULL if it does not say */
};

/* What is not taken is told through this. */
struct import_left {
	void (*tell)(void *arg, const char *where, const char *why);
	void *arg;
};

/* Opens a folder, or a regular file for reading, below `at`, never through a link. -1. */
int import_dir(int at, const char *name);
int import_file(int at, const char *name);
/* Names in a folder, sorted, without "." and ".."; free with import_names_free. -1 on failure. */
int import_names(int dir, struct dirent ***names);
void import_names_free(struct dirent **names, int n);
/* A small JSON object from a file; NULL if it is not there, torn, or no object. Free with json_free. */
struct json *import_json(int at, const char *name, struct arena *a);
void import_info(int dir, struct arena *a, struct import_info *out);

struct import_chunks {
	struct import_chunk *v;
	size_t n, cap;
};
/* The chunk files of a session's folder, ascending, each index once. Free with free(out->v). */
enum err import_collect(int dir, struct arena *a, const struct import_left *left, struct import_chunks *out);
/* Opens the file of one. -1. */
int import_chunk_open(int dir, const struct import_chunk *c);

/* ---- one run ---- */

struct import {
	struct ctl *c;
	struct house *h;
	struct arena *page;         /* of one session, and one for each of its chunks */
	struct arena *chunk;
	struct ctl_lists lists;
	bool dry, in_place;         /* in_place: the folder is that of our own finished files */
	const char *sid;            /* of the session that is looked at */
	int64_t finished, sessions, chunks, bytes, already, left, failed;
};

/* One line of what is told. left: it stays where it is, for ever; below: `where` is in the folder of the session that is looked at. failed: the next run tries again. */
void import_row(struct import *im, const char *what, const char *where, const char *detail);
void import_left_there(struct import *im, const char *where, const char *why);
void import_left_below(void *im, const char *where, const char *why);
void import_failed(struct import *im, const char *where, enum err e);

/* The finished files of the session's folder `dir`, which has so many chunk files; *listed: how many are, or will be, recordings. */
void import_finished_files(struct import *im, int dir, size_t chunk_files, int *listed);
/* Why chunks of the session are not wanted: they are for one that is receiving, or that nobody here has heard of. NULL: they may come. */
const char *import_closed(struct import *im, int listed);
void import_chunks_of(struct import *im, int dir, struct import_chunks *l);

#endif
