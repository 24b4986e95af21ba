/*
 * proto_ext.h - the tus extensions: what is announced is what is on.
 */
#ifndef PROTO_EXT_H
#define PROTO_EXT_H

#include "proto/proto.h"

enum tus_ext { EXT_CREATION, EXT_CREATION_WITH_UPLOAD, EXT_CREATION_DEFER_LENGTH, EXT_EXPIRATION, EXT_TERMINATION, EXT_CHECKSUM,
	EXT_CONCATENATION, EXT_CONCATENATION_UNFINISHED, EXT__MAX };

bool ext_on(const struct config *cfg, enum tus_ext x);
/* As in Tus-Extension. */
const char *ext_name(enum tus_ext x);
/* All that are on, comma-separated without blanks (a client splits without trimming). From the arena; NULL when memory is out. */
const char *ext_names(struct arena *a, const struct config *cfg);

#endif
