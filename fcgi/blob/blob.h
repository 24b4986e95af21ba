/*
 * blob.h - bytes: numbered part files that grow, and finished files under names. The only room that touches data files.
 *
 * Part file 1234 is <parts>/parts/shard_0001/1234.part (1000 a shard). A finished file is <done>/<sid>/completed/<disk>, with
 * <disk>.meta.json beside it. All names are opened below a directory descriptor with O_NOFOLLOW and O_CLOEXEC; <sid> and <disk>
 * have been checked by model/name.h (asserted here: no '/', not "." or "..", not empty).
 * A directory that was made is durable (fsync of its parent) before anything in it is.
 */
#ifndef BLOB_BLOB_H
#define BLOB_BLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

struct blobs;

/* Makes the two folders if absent (mode 0750). */
enum err blobs_open(const char *parts_dir, const char *done_dir, struct blobs **out);
void blobs_close(struct blobs *b);
/* Whether publishing is a rename (one device) or a copy. */
bool blobs_same_device(const struct blobs *b);
/* Bytes free for us on each file system. */
enum err blobs_free_space(const struct blobs *b, int64_t *parts, int64_t *done);
/* Whether a small file can be made, synced and removed in both folders. */
enum err blobs_writable(const struct blobs *b);

/* Opens part file `file`. write: read-write, made if absent (its entry durable on return). else read only: ERR_NOT_FOUND if absent. */
enum err blob_open(struct blobs *b, int64_t file, bool write, int *fd);
void blob_close(int fd);
/* Writes all n bytes at position at, or as many as fit: *written says how many. ERR_NO_SPACE, ERR_INTERNAL. Starts write-back early. */
enum err blob_write(int fd, const void *p, size_t n, int64_t at, size_t *written);
/* Allocates what is not yet there of n bytes at position at; the file's size stays. *done false: the file system cannot do that. On failure
 * (ERR_NO_SPACE, ERR_INTERNAL) nothing of the range stays allocated, and bytes that stood in it are gone. */
enum err blob_reserve(int fd, int64_t at, int64_t n, bool *done);
/* Whether n bytes at position at are all allocated. If not, none of them is afterwards, and bytes that stood in them are gone. */
bool blob_reserved(int fd, int64_t at, int64_t n);
/* Reads up to n bytes; -1 on failure, 0 at the end. */
ssize_t blob_read(int fd, void *p, size_t n, int64_t at);
/* fdatasync. */
enum err blob_sync(int fd);
/* Copies n bytes by copy_file_range, or by read and write where that is refused. *copied says how many. Not synced.
 * The two ranges do not overlap. */
enum err blob_copy(int from, int64_t from_at, int to, int64_t to_at, int64_t n, int64_t *copied);
/* Whether n bytes in two files are equal; a short file is unequal. */
enum err blob_equal(int a, int64_t a_at, int b, int64_t b_at, int64_t n, bool *equal);
/* Removes a part file; absent is success. */
enum err blob_remove(struct blobs *b, int64_t file);
/* ERR_NOT_FOUND if absent. */
enum err blob_size(struct blobs *b, int64_t file, int64_t *size);

/* Makes part file `file` the finished file <sid>/completed/<disk> of exactly size bytes (a longer part is cut first; a shorter one is
 * ERR_INTERNAL): sync, rename, sync of the folders. On another device: a copy to a temporary name that resumes by comparing what
 * a run that died has left, then rename; an error leaves none. The part stays for the caller to remove. An existing file of that name is replaced. Re-runnable at any point: if the
 * part is gone and the finished file has the size, that is success; if neither is there, ERR_NOT_FOUND. keep: the part stays, for others lie in it: both names
 * are one file then, or the finished file is a copy where links are refused; nobody writes into it any more. */
enum err blob_publish(struct blobs *b, int64_t file, int64_t size, bool keep, const char *sid, const char *disk);
/* Bytes of the copy that a publication which died has left; 0 if there is none. */
enum err blob_copy_size(struct blobs *b, int64_t file, const char *sid, int64_t *size);
/* Removes it. Absent is success. */
enum err blob_copy_remove(struct blobs *b, int64_t file, const char *sid);
/* Makes the finished file a part file again, under both names (link; a copy on another device). Re-runnable. */
enum err blob_unpublish(struct blobs *b, const char *sid, const char *disk, int64_t file);
/* Writes <disk>.meta.json (temporary name, sync, rename). */
enum err blob_note(struct blobs *b, const char *sid, const char *disk, const char *text);
/* The same in two steps: begun it has its temporary name, and takes the place of an older one when it is ended. */
enum err blob_note_begin(struct blobs *b, const char *sid, const char *disk, const char *text);
enum err blob_note_end(struct blobs *b, const char *sid, const char *disk);
/* Nothing is left of one that was only begun; a failure is only logged. */
void blob_note_drop(struct blobs *b, const char *sid, const char *disk);
/* Bytes of an open file. */
enum err blob_fd_size(int fd, int64_t *size);
enum err blob_done_open(struct blobs *b, const char *sid, const char *disk, int *fd);
/* Removes what it has behind size, if it is longer. ERR_NOT_FOUND. */
enum err blob_done_cut(struct blobs *b, const char *sid, const char *disk, int64_t size);
/* Makes the first size bytes of an open file the finished file <sid>/completed/<disk>, durable; one of that name is replaced. */
enum err blob_done_put(struct blobs *b, const char *sid, const char *disk, int from, int64_t size);
/* Gives the finished file (not its note) a second name (link, or copy where links are refused), durable. ERR_CONFLICT: another file has that name. */
enum err blob_done_link(struct blobs *b, const char *sid, const char *disk, const char *new_disk);
/* Removes the finished file and its note, and the folders if they are empty then. Absent is success. */
enum err blob_done_remove(struct blobs *b, const char *sid, const char *disk);

/* A name that is no part file. */
enum blob_found_kind {
	BLOB_FOUND_DONE,       /* a finished file of a session or upload */
	BLOB_FOUND_NOTE,       /* <disk>.meta.json */
	BLOB_FOUND_TEMP,       /* given until a file is whole: somebody is at it, or died */
	BLOB_FOUND_STRANGER    /* not ours */
};
struct blob_found {
	enum blob_found_kind kind;
	const char *where;     /* sid; below the parts "parts" or the shard; "" for the root of the finished files */
	const char *name;
	int64_t size, changed; /* bytes; when its inode last changed, seconds */
};
/* Calls f for every such name, also while others work. Stops when f returns false. */
enum err blob_survey(struct blobs *b, bool (*f)(void *arg, const struct blob_found *x), void *arg);
/* Calls f for every copy under way: the part file's number, seconds since its last change. f may remove it. Stops when f returns false. */
enum err blob_each_copy(struct blobs *b, bool (*f)(void *arg, int64_t file, const char *sid, int64_t age), void *arg);
/* Removes the note of a finished file that is not there; *removed: it was alone. ERR_INVALID: no name of a note. */
enum err blob_note_remove(struct blobs *b, const char *sid, const char *note, bool *removed);
/* Removes one that blob_survey called TEMP. ERR_INVALID: it is none. */
enum err blob_temp_remove(struct blobs *b, const char *where, const char *name);
/* Whether two names of finished files are one file. */
enum err blob_done_same(struct blobs *b, const char *sid, const char *disk, const char *other, bool *same);

/* Calls f for every part file: number, size, seconds since its last change. f may remove it. Stops when f returns false. */
enum err blob_each(struct blobs *b, bool (*f)(void *arg, int64_t file, int64_t size, int64_t age), void *arg);

#endif
