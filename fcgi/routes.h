/*
 * routes.h - the site map: one row a route, with what must hold before its function is called.
 */
#ifndef ROUTES_H
#define ROUTES_H

#include "proto/proto.h"

enum route_flag {
	ROUTE_TUS      = 1 << 0,   /* Tus-Resumable must be right (checks 2-6) */
	ROUTE_BODY     = 1 << 1,   /* takes a body slot if a body comes, and keeps it until the work after the answer is done */
	ROUTE_BEGINS   = 1 << 2,   /* begins an upload: counts against MAX_CONCURRENT_UPLOADS */
	ROUTE_DOWNLOAD = 1 << 3,   /* sends a body: takes a slot too */
	ROUTE_PUBLIC   = 1 << 4,   /* needs no identity even with REQUIRE_AUTH */
	ROUTE_ANY_HOST = 1 << 5,   /* answers whatever the Host header and scheme (probes) */
	ROUTE_DRAFT    = 1 << 6,   /* the IETF draft is spoken here, too; with ROUTE_BEGINS: it creates uploads */
};

struct route {
	enum http_method method;
	const char *pattern;       /* "/files/{id}"; {id}: begins with '_'; {sid}: does not; other braces: anything */
	unsigned flags;
	enum err (*handle)(struct call *c);
};

#define ROUTE_NONE (-1)
/* Index of the row that fits, and its parameters; ROUTE_NONE: *allow then lists the methods of rows that fit but for the method ("" if none does). From the arena. */
int route_find(struct http_req *req, const char *param[3], const char **allow);
const struct route *route_at(int i);
/* Whether the IETF draft can create an upload at this path, by any method. */
bool route_creates(const struct http_req *req);
int route_count(void);
/* The pattern, for logs and metrics; "unmatched" for ROUTE_NONE. */
const char *route_label(int i);

#endif
