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
enum err clone_recordings(struct clone *c);

#endif
