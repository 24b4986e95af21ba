/*
 * blob_priv.h - what the files of this room share: folders, the errno border, the part file's place.
 *
 * Folders are entered one by one with O_NOFOLLOW, so that a symbolic link planted anywhere below the two roots is refused.
 */
#ifndef BLOB_PRIV_H
#define BLOB_PRIV_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define PART_NAME_LEN 32          /* "9223372036854775807.part" and a NUL */
#define SHARD_FILES 1000          /* part files a shard */
#define KNOWN_SHARDS 64
#define FOLDER_TRIES 16           /* a removal may take the emptied folder away between our entering and our rename */
#define BLOB_FILE_MODE 0640
#define BLOB_DIR_MODE 0750

struct blobs {
	int parts;                 /* <parts_dir>/parts */
	int done;                  /* <done_dir> */
	atomic_bool same_device;
	/* Shards whose folder entry is known to be durable, direct-mapped, number + 1. They are never removed. */
	atomic_int_least64_t known[KNOWN_SHARDS];
};

/* Logs a failure with its errno, once, and translates it. ENOENT is an answer, not a failure: it is not logged. */
enum err blob_fail(const char *what, int no);

/* Opens folder name below parent; make: makes it if absent, and its entry is durable on return. -1 and errno. */
int blob_dir(int parent, const char *name, bool make);
/* fsync of a folder; file systems that cannot sync folders (EINVAL) count as synced. */
enum err blob_dir_sync(int dir);
/* Opens the folder of part file `file` and gives the file's name in it. -1 and errno. */
int blob_shard(struct blobs *b, int64_t file, bool make, char name[PART_NAME_LEN]);
/* openat of a regular file, never through a link, never waiting for a pipe's other end. -1 and errno. */
int blob_openat(int dir, const char *name, int flags);
/* Makes the first n bytes of `to` equal to those of `from`, keeping the equal prefix that is there. Not synced. */
enum err blob_copy_resume(int from, int to, int64_t n);

/* "1234.part" -> 1234, only as we write it and in its own shard. */
bool blob_part_number(const char *name, int64_t shard, int64_t *file);

#define BLOB_NOTE_SUFFIX ".meta.json"
#define BLOB_NOTE_NEW_SUFFIX BLOB_NOTE_SUFFIX ".new"
#define BLOB_LINK_SUFFIX ".link"
#define BLOB_COPY_SUFFIX ".copy"
#define COPY_NAME_LEN 48          /* ".9223372036854775807.copy" and a NUL */
/* Asserts that a name was checked by model/name.h. */
void blob_name_check(const char *name);
void blob_name_join(char out[NAME_MAX + 1], const char *before, const char *name, const char *after);
/* Opens <done>/<sid>/completed. -1 and errno. */
int blob_completed(const struct blobs *b, const char *sid, bool make);
/* Links may not be made here: another device, a file system without links, or too many of them. */
bool blob_link_refused(int no);
/* Makes to_name in folder `to` a synced copy of the first n bytes of from; what is there already is kept as far as it is equal. cut: a
 * longer copy is shortened. The name itself is not synced. ERR_AGAIN if the folder was removed meanwhile. */
enum err blob_copy_to(int from, int64_t n, int to, const char *to_name, bool cut);

#endif
