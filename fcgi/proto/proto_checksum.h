/*
 * proto_checksum.h - what the bytes of a request, or of a whole file, are said to have: Upload-Checksum (tus 1.0.0, extension checksum), Content-Digest and
 * Repr-Digest (RFC 9530).
 */
#ifndef PROTO_CHECKSUM_H
#define PROTO_CHECKSUM_H

#include "base/digest.h"
#include "proto/proto.h"

/* A value of Upload-Checksum: name, one blank, padded Base64. ERR_INVALID with the reason in *why (static): anything else, or an algorithm that we do not have. */
enum err checksum_read(const char *value, struct digest_want *out, const char **why);
/* Adds what a Content-Digest or Repr-Digest asks of our algorithms. Other algorithms are ignored (RFC 9530 2), and so is a malformed field as a whole (RFC 9651 4.2);
 * ERR_INVALID: a value of ours that no bytes can have, its length being wrong. */
enum err digest_field_read(const char *value, struct digest_wants *out, const char **why);

/* What this request says of its body. ERR_INVALID with a detail. */
enum err call_digests(struct call *c, struct digest_wants *out);
/* Of a Want-Repr-Digest (RFC 9530 4) the algorithm of ours that is preferred most; NULL: none is wanted, or the field is malformed. */
const struct digest_alg *digest_field_preferred(const char *value);

/* What Repr-Digest says of the whole. As call_digests. */
enum err call_repr_digests(struct call *c, struct digest_wants *out);
/* What Want-Repr-Digest prefers; NULL: nothing that we have. */
const struct digest_alg *call_repr_preferred(struct call *c);
/* Whether Want-Repr-Digest forbids this one. */
bool call_repr_unwanted(struct call *c, const struct digest_alg *alg);
/* Repr-Digest of the answer. */
void call_repr_tell(struct call *c, const struct digest_want *told);
/* The names for Tus-Checksum-Algorithm, comma-separated without blanks. From the arena; NULL when memory is out. */
const char *checksum_names(struct arena *a);

#endif
