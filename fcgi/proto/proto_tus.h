/*
 * proto_tus.h - what /files/{id} and the chunk URLs share of tus.
 */
#ifndef PROTO_TUS_H
#define PROTO_TUS_H

#include "model/name.h"
#include "proto/proto.h"

/* Upload-Expires, if there is an expiry. */
void tus_expires(struct call *c, int64_t expires);
/* Upload-Offset, if known (>= 0). */
void tus_offset(struct call *c, int64_t offset);
/* Upload-Metadata as text and as pairs; an empty header counts as absent (check 75). ERR_INVALID, ERR_HEADERS (431) above max bytes. */
enum err tus_metadata(struct call *c, int64_t max, const char **text, struct meta *meta);
enum err tus_creation_length(struct call *c, int64_t *length);
/* Whether data came with a creation, and what it must have; without data what is announced is checked at once (ERR_CHECKSUM). */
enum err tus_creation_body(struct call *c, int64_t length, bool *has_body, struct digest_wants *wants);
/* ERR_METHOD if uploads cannot be terminated. */
enum err tus_termination(struct call *c);
enum err tus_patch_command(struct call *c, int64_t max_size, struct append_cmd *cmd);
/* The answer of a PATCH from what the append came to. */
enum err tus_patched(struct call *c, enum err e, const struct append_out *out);
/* Offset, length or its deferral, metadata, no-store: the answer of a HEAD. */
void tus_describe(struct call *c, int64_t offset, int64_t length, const char *meta);

#endif
