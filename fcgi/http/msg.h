/*
 * msg.h - an HTTP request and its answer as plain values.
 *
 * The gateway makes the request; whoever handles it fills the answer; the gateway sends it. Nothing here does input or output.
 */
#ifndef HTTP_MSG_H
#define HTTP_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/source.h"

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_PUT, HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS, HTTP_OTHER
};
const char *http_method_name(enum http_method m);
enum http_method http_method_parse(const char *s);   /* case-sensitive (RFC 9110 9.1); HTTP_OTHER if unknown */

#define HTTP_SEGS_MAX 8

struct http_header {
	const char *name;    /* as in the protocol, any case: "Upload-Offset" */
	const char *value;   /* trimmed of outer blanks */
};

struct http_req {
	enum http_method method;
	const char *method_text;
	const char *target;          /* raw request target: path and query as sent */
	const char *query;           /* after '?', NULL if none */
	/* Path segments as sent (not decoded), base path and leading '/' cut. "/files/a/" gives {"files","a"} and slash. */
	const char *seg[HTTP_SEGS_MAX];
	int nseg;                    /* -1: empty segment inside, "." or "..", too many, or outside the base path: 404 */
	bool slash;                  /* one closing '/' */
	const struct http_header *header;
	int nheader;
	struct source *body;         /* never NULL */
	const char *content_type;    /* NULL if none */
	const char *host;            /* Host header, NULL if none */
	const char *remote_user;     /* REMOTE_USER of the web server (a parameter, never a header) */
	const char *remote_addr;
	bool https;                  /* HTTPS parameter is "on" or "1", or REQUEST_SCHEME https */
	const char *gateway_error;   /* the gateway could not make sense of it (two entries of one single header ...): 400 with this text */
	struct arena *arena;         /* lives until the answer is sent and res->after has run */
};

/* Value of a header, name without case; NULL if absent. */
const char *http_header(const struct http_req *r, const char *name);
/* How often it is there. */
int http_header_count(const struct http_req *r, const char *name);
/* Cuts target (also absolute-form "http://host/path") into seg, nseg, slash, query (from the arena). base_path "" or "/x". */
void http_req_route(struct http_req *r, const char *base_path);
/* Value of a query parameter (the first of that name), decoded as forms are ('+' is a blank), from the arena; "" if it has no '='; NULL if absent
 * or badly encoded. */
const char *http_query(const struct http_req *r, const char *name);

#define HTTP_RES_HEADERS 40

struct http_res {
	int status;                  /* 0 until set */
	struct http_header header[HTTP_RES_HEADERS];
	int nheader;
	/* One of: text (from the arena or static), or a piece of a file. HEAD and 204 send neither. */
	const char *body;
	size_t body_len;
	int file_fd;                 /* -1 if none; the gateway closes it */
	int64_t file_off, file_len;
	/* Content-Length to announce on HEAD answers, -1 if none; otherwise follows from the body. */
	int64_t head_len;
	/* For the error exit: public detail (NULL: the error's sentence), and more JSON members, text like "\"a\":1" or NULL. */
	const char *detail;
	const char *extra;
	/* Work for after the answer has left (finishing, reaping). NULL if none. */
	void (*after)(void *arg);
	void *after_arg;
	/* A header had no value because memory ran out: an answer without it would mislead, so the error exit says ERR_NOMEM instead. */
	bool failed;
};
void http_res_init(struct http_res *r);
/* Adds a header; value must live as long as the answer (arena or static). NULL sets failed. A value with control characters other than
 * a tab, or more than HTTP_RES_HEADERS headers, is a mistake of ours (assert). */
void http_res_add(struct http_res *r, const char *name, const char *value);
/* Replaces all of this name, or adds. */
void http_res_set(struct http_res *r, const char *name, const char *value);
const char *http_res_get(const struct http_res *r, const char *name);
void http_res_addf(struct http_res *r, struct arena *a, const char *name, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
