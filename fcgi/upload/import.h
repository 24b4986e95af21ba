/*
 * import.h - verbs for bytes that another back end has stored: they are taken in only where nothing is yet.
 *
 * What a client has sent since is never touched by them: a chunk that is there, or has a byte, stays as it is. Each verb may die at any point and be run again.
 */
#ifndef UPLOAD_IMPORT_H
#define UPLOAD_IMPORT_H

#include "model/import.h"
#include "upload/upload.h"

/* Chunk cmd->idx from the open file fd, whole or as far as it is there; c as plan_import left it. *have: it was there already. dry: only says so.
 * ERR_AGAIN: the file is not what c says, somebody writes it. Errors as chunk_put_end and chunk_create. */
enum err import_chunk(struct house *h, struct arena *a, const struct chunk_cmd *cmd, const struct import_chunk *c, int fd, bool dry, bool *have);
/* A finished file from the open file fd under r->sid and r->disk, with its row r and, unless it is in its place already (in_place), a note (chunks: how many were in it).
 * ERR_CONFLICT: another file has this name. *have and dry as above. */
enum err import_finished(struct house *h, struct arena *a, const struct recording *r, int64_t chunks, int fd, bool in_place, bool dry, bool *have);
/* What was taken in so far is as durable as what a client was told. */
enum err import_end(struct house *h);

#endif
