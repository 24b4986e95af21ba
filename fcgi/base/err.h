/*
 * err.h - every way in which something can fail, once.
 *
 * A function that can fail returns enum err; ERR_OK is zero. Borders translate foreign errors (errno, SQLite codes)
 * into this list. The same row gives the HTTP status, the machine-readable code and the public sentence, so that there is
 * one place to read what a client is told. The private reason goes to the log, from the place that knows it.
 *
 * Status policy (the WaveForge recorder deletes its data on 400, 413 and 422): these three only for what can never
 * succeed; passing trouble is 408, 409, 423, 429, 503 or 507.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*    name                  status  code                      public sentence */
#define ERR_TABLE(X)                                                                                             \
	X(ERR_OK,               200, "ok",                     "OK")                                              \
	X(ERR_INVALID,          400, "invalid_request",        "The request is malformed")                        \
	X(ERR_UNAUTHENTICATED,  401, "unauthenticated",        "This needs an identity")                          \
	X(ERR_FORBIDDEN,        403, "forbidden",              "Not allowed")                                     \
	X(ERR_NOT_FOUND,        404, "not_found",              "Not found")                                       \
	X(ERR_METHOD,           405, "method_not_allowed",     "Method Not Allowed")                              \
	X(ERR_OFFSET,           409, "offset_mismatch",        "Upload offset mismatch")                          \
	X(ERR_CONFLICT,         409, "conflict",               "In conflict with the present state")              \
	X(ERR_DISPLACED,        409, "displaced",              "Another request took over this upload")           \
	X(ERR_GONE,             410, "gone",                   "No longer available")                             \
	X(ERR_TUS_VERSION,      412, "tus_version",            "Unsupported Tus-Resumable version")               \
	X(ERR_TOO_LARGE,        413, "too_large",              "Larger than the permitted maximum")               \
	X(ERR_MEDIA_TYPE,       415, "media_type",             "Unsupported media type")                          \
	X(ERR_RANGE,            416, "range_not_satisfiable",  "Range not satisfiable")                           \
	X(ERR_MISDIRECTED,      421, "unknown_host",           "This host name is not served here")               \
	X(ERR_UNPROCESSABLE,    422, "unprocessable",          "A field is missing or has a wrong value")         \
	X(ERR_LOCKED,           423, "locked",                 "In use by another request")                       \
	X(ERR_RATE,             429, "rate_limited",           "Too many requests")                               \
	X(ERR_HEADERS,          431, "headers_too_large",      "A header is too large")                           \
	X(ERR_CHECKSUM,         460, "checksum_mismatch",      "The bytes that came do not have the digest that was announced") \
	X(ERR_INTERNAL,         500, "internal",               "Internal error")                                  \
	X(ERR_NOMEM,            503, "no_memory",              "Out of memory, try again")                        \
	X(ERR_BUSY,             503, "busy",                   "Busy, try again")                                 \
	X(ERR_STOPPING,         503, "stopping",               "The server is stopping, try again")               \
	X(ERR_CUT,              408, "body_cut",               "The request body ended early")                    \
	X(ERR_SLOW,             503, "body_too_slow",          "The request body came too slowly; what came may have been kept") \
	X(ERR_NO_SPACE,         507, "no_space",               "Not enough storage")                              \
	X(ERR_AGAIN,            503, "again",                  "The state changed meanwhile, try again")

#define ERR_ENUM(name, status, code, sentence) name,
enum err { ERR_TABLE(ERR_ENUM) ERR__MAX };
#undef ERR_ENUM

/* HTTP status of an error; 200 for ERR_OK. */
int err_status(enum err e);
/* Stable machine-readable code, e.g. "offset_mismatch". Static. */
const char *err_code(enum err e);
/* Sentence for clients. Static. */
const char *err_sentence(enum err e);
/* Border for errno values: ENOSPC, EDQUOT, EFBIG -> ERR_NO_SPACE; ENOENT -> ERR_NOT_FOUND; EMFILE, ENFILE -> ERR_BUSY;
 * ENOMEM -> ERR_NOMEM; all others ERR_INTERNAL. */
enum err err_from_errno(int no);

#endif
