/*
 * proto_session.h - how sessions look in JSON, for all routes that show them.
 */
#ifndef PROTO_SESSION_H
#define PROTO_SESSION_H

#include "proto/proto.h"

const char *session_state_name(enum session_state s);
/* "2026-11-22T06:04:02.000Z", or null for 0. */
void put_time(struct json *o, const char *key, int64_t seconds);
/* missing_chunks (at most 1,000 ints), missing_ranges, missing_truncated. */
bool put_missing(struct json *o, const struct range *range, int n, int64_t count);
/* The same as members for an error's JSON body. From the arena. */
const char *missing_extra(struct call *c, const struct range *range, int n, int64_t count);

#endif
