/*
 * ctl_import_tree.c - reading the folder of a WaveForge session. Nothing is written there, and no link is followed.
 *
 *   {sid}/session_info.json                         a note, written in place and so perhaps torn
 *   {sid}/chunks/chunk_{index}.bin                  chunks
 *   {sid}/temp/shard_{index/1000}/{index}.part      chunks, as older ones stored them
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"
#include "ctl_import.h"

#define JSON_MAX (4 << 20)

/* ---- opening ---- */

int import_dir(int at, const char *name)
{
	return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int import_file(int at, const char *name)
{
	struct stat st;
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int no_dots(const struct dirent *d)
{
	return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

int import_names(int dir, struct dirent ***names)
{
	return scandirat(dir, ".", names, no_dots, alphasort);
}

void import_names_free(struct dirent **names, int n)
{
	for (int i = 0; i < n; i++)
		free(names[i]);
	if (n >= 0)
		free(names);
}

/* ---- notes ---- */

struct json *import_json(int at, const char *name, struct arena *a)
{
	int64_t size;
	int fd = import_file(at, name);
	if (fd < 0)
		return NULL;
	char *text = !blob_fd_size(fd, &size) && size <= JSON_MAX ? arena_alloc(a, (size_t)size + 1) : NULL;
	ssize_t n = text ? blob_read(fd, text, (size_t)size, 0) : -1;
	close(fd);
	struct json *j = n > 0 ? json_parse(text, (size_t)n) : NULL;
	if (j && json_type(j) != JSON_OBJECT) {
		json_free(j);
		return NULL;
	}
	return j;
}

static const char *text_of(const struct json *j, const char *key, struct arena *a)
{
	const char *s = json_str(json_get(j, key));
	return s && *s ? arena_strdup(a, s) : NULL;
}

void import_info(int dir, struct arena *a, struct import_info *out)
{
	struct json *j = import_json(dir, "session_info.json", a);
	const struct json *client = json_get(j, "client_metadata");
	int64_t chunk_size = out->hint.chunk_size;
	*out = (struct import_info){.hint = {.known = j != NULL, .chunk_size = chunk_size}};
	if (json_int(json_get(j, "total_chunks"), &out->hint.total) && out->hint.total < 0)
		out->hint.total = 0;
	/* Only a tus client names the chunk in its metadata. */
	out->hint.tus = json_get(client, "chunkIndex") || json_get(client, "sessionId");
	out->name = text_of(j, "recording_name", a);
	out->format = text_of(j, "format", a);
	out->meta = client && json_type(client) == JSON_OBJECT && json_len(client) ? json_text(client, a) : NULL;
	json_free(j);
}

/* ---- chunk files ---- */

static bool add(struct import_chunks *l, const struct import_chunk *c)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		struct import_chunk *v = realloc(l->v, cap * sizeof *v);
		if (!v)
			return false;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n++] = *c;
	return true;
}

static void chunk_name(char out[64], int where, int64_t idx)
{
	if (where == IMPORT_CHUNKS)
		snprintf(out, 64, "chunk_%lld.bin", (long long)idx);
	else
		snprintf(out, 64, "%lld.part", (long long)idx);
}

/* Only as it was written: one index has one name. */
static bool chunk_number(const char *name, int where, int64_t *idx)
{
	char digits[32], again[64];
	const char *begin = where == IMPORT_CHUNKS && text_starts(name, "chunk_") ? name + 6 : name;
	size_t n = strspn(begin, "0123456789");
	if (n == 0 || n >= sizeof digits)
		return false;
	memcpy(digits, begin, n);
	digits[n] = '\0';
	if (!num_u63(digits, idx))
		return false;
	chunk_name(again, where, *idx);
	return strcmp(again, name) == 0;
}

static enum err collect_folder(int dir, const char *path, int where, struct arena *a, const struct import_left *left, struct import_chunks *out)
{
	struct dirent **names;
	enum err e = ERR_OK;
	int n = import_names(dir, &names);
	for (int i = 0; i < n; i++) {
		struct import_chunk c = {.where = where};
		const char *name = names[i]->d_name;
		int fd = chunk_number(name, where, &c.idx) ? import_file(dir, name) : -1;
		if (fd < 0)
			left->tell(left->arg, arena_printf(a, "%s/%s", path, name), "not the file of a chunk");
		else if (blob_fd_size(fd, &c.size) || !add(out, &c))
			e = ERR_NOMEM;
		if (fd >= 0)
			close(fd);
	}
	import_names_free(names, n);
	return n < 0 ? ERR_INTERNAL : e;
}

static enum err collect_legacy(int temp, struct arena *a, const struct import_left *left, struct import_chunks *out)
{
	struct dirent **names;
	enum err e = ERR_OK;
	int n = import_names(temp, &names);
	for (int i = 0; !e && i < n; i++) {
		const char *path = arena_printf(a, "temp/%s", names[i]->d_name);
		int dir = text_starts(names[i]->d_name, "shard_") ? import_dir(temp, names[i]->d_name) : -1;
		if (dir < 0)
			left->tell(left->arg, path, "not a folder of chunks");
		else
			e = collect_folder(dir, path, IMPORT_LEGACY, a, left, out);
		if (dir >= 0)
			close(dir);
	}
	import_names_free(names, n);
	return n < 0 ? ERR_INTERNAL : e;
}

static int by_index(const void *x, const void *y)
{
	const struct import_chunk *a = x, *b = y;
	return a->idx != b->idx ? (a->idx > b->idx) - (a->idx < b->idx) : a->where - b->where;
}

static void only_once(struct import_chunks *l)
{
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++)
		if (n == 0 || l->v[i].idx != l->v[n - 1].idx)
			l->v[n++] = l->v[i];
	l->n = n;
}

enum err import_collect(int dir, struct arena *a, const struct import_left *left, struct import_chunks *out)
{
	int chunks = import_dir(dir, "chunks"), temp = import_dir(dir, "temp");
	enum err e = chunks < 0 ? ERR_OK : collect_folder(chunks, "chunks", IMPORT_CHUNKS, a, left, out);
	if (!e && temp >= 0)
		e = collect_legacy(temp, a, left, out);
	if (chunks >= 0)
		close(chunks);
	if (temp >= 0)
		close(temp);
	if (out->n)
		qsort(out->v, out->n, sizeof *out->v, by_index);
	only_once(out);
	return e;
}

int import_chunk_open(int dir, const struct import_chunk *c)
{
	char folder[64] = "chunks", name[64];
	int fd = -1, temp = -1, below;
	if (c->where == IMPORT_LEGACY)
		snprintf(folder, sizeof folder, "shard_%04lld", (long long)(c->idx / 1000));
	temp = c->where == IMPORT_LEGACY ? import_dir(dir, "temp") : dup(dir);
	below = temp < 0 ? -1 : import_dir(temp, folder);
	chunk_name(name, c->where, c->idx);
	if (below >= 0) {
		fd = import_file(below, name);
		close(below);
	}
	if (temp >= 0)
		close(temp);
	return fd;
}
