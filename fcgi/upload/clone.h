/*
 * clone.h - a second world from the rows of one moment: a backup made of a living one, or a restored one made of a backup.
 */
#ifndef UPLOAD_CLONE_H
#define UPLOAD_CLONE_H

#include "upload/upload.h"

struct clone_count {
	int64_t sessions, uploads, recordings;   /* rows whose bytes were copied */
	int64_t part_bytes, done_bytes;
	int64_t vanished;           /* deleted or begun anew meanwhile: the copied rows say so, too */
	int64_t damaged;            /* bytes that rows speak of are not there */
};

/* Copies every byte that `rows` (a copied ledger, nobody else's) speaks of from the files of `from` to `to`, durable. from->db: the living ledger, which says where
 * a file has gone since the rows were copied; NULL where nothing moves. ERR_AGAIN: what was replaced meanwhile cannot be had any more, copy the rows anew. */
enum err clone_files(struct house *from, struct store *rows, struct blobs *to, struct clone_count *count);

#endif
