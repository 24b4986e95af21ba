/*
 * clone_priv.h - what the files of cloning share.
 */
#ifndef UPLOAD_CLONE_PRIV_H
#define UPLOAD_CLONE_PRIV_H

#include "upload/clone.h"
#include "upload/upload_priv.h"

#define CLONE_PAGE 64
#define CLONE_SCRATCH (16 << 20)

struct clone {
	struct house *from;
	struct store *rows;
	struct blobs *to;
	struct clone_count *count;
	struct arena *a;            /* of one row */
	int fd;                     /* part file that is being written, -1 if none */
	int64_t file;
};

/* Bytes are not there: counted and logged, and the copying goes on. */
enum err clone_damaged(struct clone *c, const char *what, int64_t n);
/* n bytes at `at` of an open file become those at `to_at` of part file `file`. A source that is too short is damage, and what there is of it is copied. */
enum err clone_part(struct clone *c, int fd, int64_t at, int64_t n, int64_t file, int64_t to_at);
/* A chunk that is complete now, and the file that holds it. ERR_GONE: it is not, or it is shorter than `least`. */
enum err clone_chunk_now(struct clone *c, int64_t session, int64_t idx, int64_t least, struct chunk *now, int *fd);
/* Where the bytes of a whole upload are that has no part file any more. ERR_GONE: nowhere. */
enum err clone_whole_open(struct clone *c, const struct upload *u, int *fd);
/* Where those of a part are that a final upload took meanwhile; *at: its byte 0. ERR_GONE: nowhere. */
enum err clone_part_of_final(struct clone *c, const struct upload *u, int64_t *at, int *fd);
/* In the copied rows the final uploads are gone that wait for this part, whose bytes are nowhere. */
enum err clone_finals_vanish(struct clone *c, const struct upload *part);
enum err clone_sessions(struct clone *c);
enum err clone_recordings(struct clone *c);
/* What the living ledger says of something now: its finished file's sid, disk, and n unless it has no row. ERR_NOT_FOUND: deleted. */
typedef enum err clone_live(struct clone *c, const void *what, struct recording *now);
/* Opens a finished file that others may rename, remove or replace meanwhile. ERR_GONE: deleted; ERR_NOT_FOUND: it ought to be there; ERR_AGAIN: it never stood still. */
enum err clone_done_open(struct clone *c, clone_live *live, const void *what, struct recording *now, int *fd);

#endif
