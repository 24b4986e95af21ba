/*
 * proto.h - translators: headers and forms become commands for the workshop, results become answers. One function a route.
 *
 * A handler returns ERR_OK with the answer filled in, or an error: the hall turns it into status, JSON body and headers, and keeps the headers that
 * the handler has added (an Upload-Offset on a 409, say). c->res->detail may give a better sentence than the error's own.
 */
#ifndef PROTO_PROTO_H
#define PROTO_PROTO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "http/msg.h"
#include "upload/upload.h"

#define TUS_VERSION "1.0.0"
#define TUS_TYPE "application/offset+octet-stream"

struct call {
	struct house *house;
	struct http_req *req;
	struct http_res *res;
	struct arena *a;
	const char *param[3];       /* path segments that matched {..}, raw (not percent-decoded) */
	const char *owner;          /* who asks: OWNER_ANONYMOUS, "user:NAME" or "key:NAME" */
	bool admin;                 /* may act on all rows */
	bool trusted;               /* anonymous, but in development and from this machine: nothing is hidden */
	const char *request_id;
	int64_t started;            /* of this process, seconds */
	const char *(*route_label)(int);   /* names of the routes, for /metrics */
	const struct draft *draft;  /* the dialect of the IETF draft that this request speaks; NULL: it does not. proto_draft.h */
	const char *problem;        /* of an error in it: name of its problem type, NULL if it has none of its own */
	/* For a request without a body that has to read a long file before it is answered: takes a slot as if a body came. false: none is free (ERR_BUSY). */
	bool (*slot)(struct call *c);
	void *hall;                 /* whose slots those are */
};

/* ---- proto_common.c: what several dialects need ---- */

/* Whether the caller may touch a row of this owner: own rows and anonymous ones, admins all. guarded: even an anonymous row needs an identity.
 * ERR_UNAUTHENTICATED, ERR_FORBIDDEN. */
enum err call_may(const struct call *c, const char *owner, bool guarded);
/* An identity is needed for what follows. */
enum err call_identified(const struct call *c);
/* Answers with JSON; frees j. Cache-Control no-store. */
enum err call_json(struct call *c, int status, struct json *j);
/* Answers without a body. */
enum err call_empty(struct call *c, int status);
/* Says why, for the client, and returns e: return call_refuse(c, ERR_INVALID, "Upload-Length must be ..."). */
enum err call_refuse(struct call *c, enum err e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A header that must be one non-negative integer. absent: *out stays. ERR_INVALID with a detail: twice, or not a number (checks 10, 13). */
enum err call_number(struct call *c, const char *header, bool *given, int64_t *out);
/* An append to u may end with reading the whole of it (struct upload repr, or to tell its digest), which takes a slot even if it brings no body. ERR_BUSY. */
enum err call_may_read(struct call *c, const struct upload *u, bool tell);
/* Finishing that copies data runs after the answer has left. Rows 0: none. May be called several times. */
void call_later(struct call *c, int64_t upload, int64_t session);
/* A path segment that is a name: percent-decoded, UTF-8 without NUL and '/'. NULL: it is not. */
const char *call_name(struct call *c, const char *segment);
/* Url of a path below the base path: "/base" + path. */
const char *call_url(struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads a small body (forms, JSON) whole; ERR_TOO_LARGE above max, ERR_CUT. NUL-terminated, from the arena. */
enum err call_small_body(struct call *c, size_t max, char **text, size_t *n);
/* A session id from a path or a field; ERR_INVALID with a detail if it is none. */
enum err call_session_id(struct call *c, const char *sid);

/* ---- handlers ---- */

/* proto_tus.c */
enum err tus_options(struct call *c);
enum err tus_create(struct call *c);
enum err tus_head(struct call *c);
enum err tus_patch(struct call *c);
enum err tus_delete(struct call *c);
enum err tus_get(struct call *c);
enum err tus_unknown(struct call *c);
/* proto_chunk.c */
enum err chunk_tus_create(struct call *c);
enum err chunk_tus_head(struct call *c);
enum err chunk_tus_patch(struct call *c);
enum err chunk_tus_delete(struct call *c);
/* proto_session.c */
enum err session_status(struct call *c);
enum err session_assemble(struct call *c);
enum err session_delete(struct call *c);
/* proto_fallback.c */
enum err fallback_chunk(struct call *c);
enum err fallback_verify(struct call *c);
enum err fallback_complete(struct call *c);
/* proto_plain.c */
enum err plain_post(struct call *c);
enum err plain_put(struct call *c);
/* The answer to a single file: where it is and what it is called. u is complete; type "" if not known. */
enum err plain_created(struct call *c, const struct upload *u, const char *name, const char *type);
/* proto_chunked.c */
enum err chunked_init(struct call *c);
enum err chunked_chunk(struct call *c);
enum err chunked_complete(struct call *c);
enum err chunked_status(struct call *c);
/* proto_recordings.c */
enum err recordings_list(struct call *c);
enum err recordings_get(struct call *c);      /* GET and HEAD */
enum err recordings_delete(struct call *c);
/* Where a finished file is served: /recordings/{sid}/{disk}, encoded, below the base path. From the arena; NULL when memory is out. */
const char *recording_url(struct call *c, const char *sid, const char *disk);
/* proto_send.c */
/* Answers with a file of this name and size: Range, ETag, If-None-Match, If-Range, If-Match, safe type, attachment, nosniff; by own sending or X-Accel-Redirect
 * (only if it is the finished file `r`). Takes fd over. */
enum err send_recording(struct call *c, const struct recording *r, int fd);
/* proto_pages.c */
enum err page_config(struct call *c);
enum err page_health(struct call *c);         /* GET and HEAD */
enum err page_metrics(struct call *c);

/* proto_form.c: a form that carries one chunk or file, multipart with any field order, in constant memory. */
struct form_file {
	const char *name;           /* of the field */
	const char *filename;       /* as sent: anything; never a path */
	const char *type;           /* Content-Type of the part, "" if none */
};
struct form_sink {
	/* A file part begins; its bytes; its end. The text fields before it are readable with form_field. */
	enum err (*begin)(void *arg, const struct form_file *f);
	enum err (*data)(void *arg, const void *p, size_t n);
	enum err (*end)(void *arg);
	void *arg;
};
struct form;
/* Reads the whole body: multipart/form-data, or urlencoded (no files then). Text fields up to 64 KiB together are kept in the arena. sink NULL: files are ignored.
 * *out is set before the first event. ERR_UNPROCESSABLE: not a form; ERR_INVALID: malformed; ERR_CUT; ERR_TOO_LARGE: fields too long; or an error of the sink. */
enum err form_read(struct call *c, const struct form_sink *sink, struct form **out);
/* The same, or a JSON object, whose texts, whole numbers and truth values are the fields. */
enum err form_read_any(struct call *c, const struct form_sink *sink, struct form **out);
/* Value of a text field; NULL if it is not there (yet). */
const char *form_field(const struct form *f, const char *name);
/* Says that a field is missing: ERR_UNPROCESSABLE. */
enum err form_missing(struct call *c, const char *name);
/* A field that is a non-negative integer; 0 if it is absent or empty. ERR_UNPROCESSABLE: it is none, or is missing though required. */
enum err form_number(struct call *c, const struct form *f, const char *name, bool required, int64_t *out);

/* proto_chunk_form.c: a form that carries one chunk, whatever its fields are called. */
struct chunk_form {
	struct call *c;
	const char *const *files;   /* names under which the chunk may come; NULL-terminated */
	const char *const *first;   /* fields without which it is not known where the chunk belongs; NULL-terminated */
	/* Makes cmd and likely (the take to expect if more fields may follow) from the fields that are there, and says who may not. */
	enum err (*command)(struct chunk_form *f);
	struct chunk_cmd cmd;
	struct take_want likely;
	struct form *form;
	/* its own */
	struct chunk_cmd hint;
	struct chunk_put *put;
	bool in_file;
};
/* Reads the form and stores its chunk. Nothing is left of a chunk whose form did not come to its end. */
enum err chunk_form_store(struct chunk_form *f, struct chunk_put_out *out);

#endif
