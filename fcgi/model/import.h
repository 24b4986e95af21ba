/*
 * import.h - what the chunk files of a WaveForge session say of it. Pure.
 *
 * Such a file only says how many bytes are there: nothing tells whether they are the whole chunk, and the notes beside them may be torn. So a chunk counts as
 * whole unless it is plainly too short, or may have been on its way by tus; and nothing is finished on that ground alone: a client's word is awaited.
 */
#ifndef MODEL_IMPORT_H
#define MODEL_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/session.h"

/* What session_info.json says, as far as it can be read. */
struct import_hint {
	bool known;             /* it can be */
	bool tus;               /* chunks came by tus */
	int64_t total;          /* chunks, 0 if it does not say */
	int64_t chunk_size;     /* what clients are told to cut recordings into (CHUNK_SIZE) */
};

struct import_chunk {
	int64_t idx, size;      /* of the file */
	int where;              /* the caller's own: which folder it lies in */
	/* set by plan_import */
	bool whole;             /* else it goes on behind its bytes */
	int64_t length;         /* of the whole chunk: its size, or what the others have, or LENGTH_UNKNOWN */
};

/* v: n files, ascending, each idx once. Files without a byte that are not whole are nothing to go on from: the caller leaves them. *take: the take for all of them;
 * its total is 0 when all chunks up to it seem to be there, so that none of them finishes the recording. */
void plan_import(struct import_chunk *v, size_t n, const struct import_hint *hint, struct take_want *take);

#endif
