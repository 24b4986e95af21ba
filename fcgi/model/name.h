/*
 * name.h - grammars of names: ids, disk names, metadata, media types. Pure.
 */
#ifndef MODEL_NAME_H
#define MODEL_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define SESSION_ID_MAX 128
#define DISK_NAME_MAX 200
#define META_PAIRS_MAX 256

/* [A-Za-z0-9][A-Za-z0-9._-]{0,127} without ".."; uuid: 8-4-4-4-12 hex digits only. */
bool name_session_id(const char *s, bool uuid);
/* "_" and 22 characters [A-Za-z0-9_-]. */
bool name_upload_id(const char *s);
/* Makes one from 16 random bytes; out holds 24 bytes. */
void name_upload_id_make(const unsigned char random[16], char out[24]);

/* A display name made fit for the disk: '/', '\\', control characters (also those of direction and line) and bad UTF-8 become '_'; no leading
 * dots or outer blanks; at most DISK_NAME_MAX bytes, cut before the extension on a character boundary; never empty; never the name of
 * another file's note ("x.meta.json" -> "x.meta.json_"). Doing it twice changes nothing more. From the arena; NULL when memory is out. */
const char *name_disk(struct arena *a, const char *display);
/* "a.webm", 2 -> "a (2).webm", within DISK_NAME_MAX. disk comes from name_disk. */
const char *name_numbered(struct arena *a, const char *disk, int number);
/* name and tag, the name so short that the disk name keeps the tag whole, with any extension. From the arena. */
const char *name_tagged(struct arena *a, const char *name, const char *tag);
/* Display name of the finished recording: name + "." + ext, or name as it is if ext is NULL or empty (a leading dot of ext counts once).
 * Not yet fit for the disk. From the arena. */
const char *name_recording(struct arena *a, const char *name, const char *ext);

/* Safe media type by extension; application/octet-stream if unknown. Never text/html, SVG or another type that a browser runs. */
const char *name_media_type(const char *disk);

/* Upload-Metadata (tus 1.0.0): pairs with decoded values. */
struct meta_pair {
	const char *key;
	const char *value;      /* decoded, NUL-terminated, from the arena */
	size_t len;             /* may hold any bytes */
};
struct meta {
	struct meta_pair *pair;
	int n;
};
/* ERR_INVALID: bad key, bad Base64, duplicate key, trailing comma (checks 69-76), more than META_PAIRS_MAX pairs; *why then says what.
 * Empty text or NULL: no pairs. */
enum err meta_parse(struct arena *a, const char *text, struct meta *out, const char **why);
/* Value of a key as text; NULL if absent or if it holds a NUL. */
const char *meta_get(const struct meta *m, const char *key);

#endif
