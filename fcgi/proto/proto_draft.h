/*
 * proto_draft.h - the IETF draft "Resumable Uploads for HTTP" (draft-ietf-httpbis-resumable-upload), interop versions 3 to 8, on the uploads of tus.
 *
 * A request speaks the draft if it has the draft's completeness field (on the URLs that create), its media type or Upload-Draft-Interop-Version. An upload
 * that the draft has created is the draft's also for who names no protocol at all. Tus-Resumable without that media type means tus, whatever else is there.
 * The version that is named, if we know it, is spoken and repeated; else it is the newest, and nothing is repeated: so the final RFC will be served, too.
 *
 * FastCGI and CGI cannot send interim responses. So 104 is never sent, and a client that waits for it sends its upload as one that cannot be resumed;
 * one that creates with "?0" and then appends resumes as it likes. The answer to OPTIONS says so (Upload-Draft-Interim-Responses).
 */
#ifndef PROTO_DRAFT_H
#define PROTO_DRAFT_H

#include "base/digest.h"
#include "proto/proto.h"

#define DRAFT_TYPE "application/partial-upload"
#define DRAFT_PROBLEM_TYPE "application/problem+json"

/* What a version is. Section names are those of its last draft. */
struct draft {
	int version;                /* interop version */
	const char *complete;       /* the completeness field: Upload-Complete, or Upload-Incomplete (3) */
	bool sense;                 /* its value on a complete upload */
	bool absent_ends;           /* an append without it is the last one (3) */
	bool length_ends;           /* and so is an empty one without it that tells a length that is reached (tus-js-client) */
	bool partial_type;          /* PATCH must be application/partial-upload (6 and later) */
	bool pure, pure_length;     /* HEAD and DELETE must not have Upload-Offset or the completeness field (3 to 6), HEAD not Upload-Length (6) */
	bool gone_is_unknown;       /* what is gone is 404 (3 to 6) */
	bool replays;               /* a valid append to a complete upload gets the final answer again; else it is refused (6, 7) */
	bool spoils;                /* passing the length makes the upload unusable (7 and later) */
	int appended;               /* status of an append that is not the last one */
	const char *lifetime;       /* the limit that says how long the upload stays; NULL: no Upload-Limit at all (3 to 5) */
};

/* ---- proto_draft.c ---- */

/* Decides whether the request speaks the draft, and which: sets c->draft. creates: on a URL that creates uploads. An error: that cannot be said now. */
enum err draft_meet(struct call *c, bool creates);
/* The request speaks the newest version, which it need not say. */
void draft_speak_newest(struct call *c);
/* Upload-Limit and company, of an OPTIONS answer for a URL that creates uploads. */
void draft_announce(struct call *c);
/* The completeness that the request tells. false: not given, malformed or twice, which is the same. */
bool draft_flag(const struct call *c, bool *complete);
/* Upload-Length or Upload-Offset, if it is one non-negative Integer. */
bool draft_integer(const struct call *c, const char *name, int64_t *out);
/* What the body must have (RFC 9530); ERR_INVALID: no bytes can have it. */
enum err draft_digests(struct call *c, struct digest_wants *out);
/* The same of the whole (Repr-Digest). */
enum err draft_repr_digests(struct call *c, struct digest_wants *out);
/* The bytes have not what this header said of them: problem digest-mismatched-values. */
enum err draft_mismatched(struct call *c, const char *header, const struct digest_wants *wants);
/* Completeness of the answer. */
void draft_complete(struct call *c, bool complete);
/* Upload-Offset of the answer, if known (>= 0). */
void draft_offset(struct call *c, int64_t offset);
/* Upload-Limit; remaining: seconds that the upload will be kept, 0 if for ever. */
void draft_limit(struct call *c, int64_t remaining);
/* The upload's row: offset, completeness, length, limits, no-store. */
void draft_describe(struct call *c, const struct upload *u);
/* type, title and status of an error in o (RFC 9457), and the headers that an error in the draft has. */
void draft_problem(struct call *c, enum err e, struct json *o);
/* Versions that are spoken: a list of numbers. */
struct json *draft_versions(void);

/* ---- proto_draft_create.c ---- */

/* Creation by POST or PUT. name: file name from the path, NULL if there is none. */
enum err draft_create(struct call *c, const char *name);
/* A form that claims to be all of an upload is served as a form; then c->draft is NULL. false: it claims to be a part of one. */
bool draft_declines(struct call *c);
/* The length as this request tells it, LENGTH_UNKNOWN if it does not: Upload-Length, and for a last body where it ends. ERR_INVALID: they differ. */
enum err draft_length(struct call *c, bool last, int64_t offset, int64_t *length);
/* The answer to the last of an upload, and again to whoever missed it: it follows from the row. */
enum err draft_final(struct call *c, const struct upload *u);
/* The whole has not what its creator said of it. */
enum err draft_broken(struct call *c, const struct upload *u);
/* The lengths differ: problem inconsistent-upload-length. */
enum err draft_inconsistent(struct call *c);
/* Whether a body that was too large passes the length of the upload (length may be unknown), rather than a limit of ours. */
bool draft_passes_length(const struct append_cmd *cmd, int64_t length);

/* ---- proto_draft_upload.c ---- */

enum err draft_query(struct call *c);    /* HEAD, and GET while it is not complete */
enum err draft_append(struct call *c);
enum err draft_delete(struct call *c);
/* Whether a GET of u asks where to go on, not for the bytes. One that gets the bytes is told the state, too. */
bool draft_asks(struct call *c, const struct upload *u);

#endif
