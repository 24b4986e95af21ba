/*
 * proto_concat.h - Upload-Concat (tus 1.0.0, concatenation).
 */
#ifndef PROTO_CONCAT_H
#define PROTO_CONCAT_H

#include "proto/proto.h"

#define CONCAT_TEXT_MAX 8000    /* HEAD repeats it in one header, and Apache takes no longer line than 8 KiB from a program */
#define CONCAT_PARTS_MAX 1000

/* One URL of a list: of an upload below the base path, absolute or relative to /files/ (RFC 3986). host (256 bytes) becomes its host in lower case without port, ""
 * if it names none; id (24 bytes) the upload's. false: anything else. */
bool concat_url(const char *url, size_t n, const char *base_path, char *host, char *id);
/* The next URL of "final;URL URL ...": *at begins behind the semicolon and moves on. NULL at the end. */
const char *concat_next(const char **at, size_t *n);
/* Upload-Concat of a creation into cmd (concat, concat_text, part, nparts); nothing if there is none. ERR_INVALID with a detail: another word, a foreign host, no part,
 * something that is no part. ERR_NOT_FOUND, ERR_GONE, ERR_FORBIDDEN, ERR_UNAUTHENTICATED: of a part. */
enum err concat_read(struct call *c, struct create_cmd *cmd);
/* What HEAD tells of it. */
void concat_describe(struct call *c, const struct upload *u);

#endif
