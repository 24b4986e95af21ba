/*
 * multipart.h - multipart/form-data (RFC 7578, RFC 2046 5.1) as a stream: constant memory whatever the body.
 *
 * The parser pulls from a source and pushes events. It never looks at more than its one buffer, works for any way in which the bytes arrive,
 * and knows the true end (the closing boundary) from a body that was cut.
 */
#ifndef HTTP_MULTIPART_H
#define HTTP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/source.h"

#define MULTIPART_NAME_MAX 256      /* bytes of a field name, with its NUL */
/* Of a file name. Windows and macOS allow 255 characters, which are up to 765 bytes of UTF-8; a refusal would cost a recording. */
#define MULTIPART_FILENAME_MAX 1024
#define MULTIPART_HEADER_MAX 8192   /* bytes of one part's header block */
#define MULTIPART_PARTS_MAX 1000
#define MULTIPART_PREAMBLE_MAX 65536    /* bytes before the first boundary: a body without any is not read to its end */
#define MULTIPART_EPILOGUE_MAX 1048576  /* bytes read after the last one, so that the peer sees its body taken */

struct multipart_part {
	char name[MULTIPART_NAME_MAX];      /* of the field, escapes of browsers undone */
	bool is_file;                       /* has a filename parameter, even an empty one */
	char filename[MULTIPART_FILENAME_MAX];  /* as sent: %22, %0D, %0A of browsers are undone; filename* (RFC 8187) wins. May hold anything: never a path */
	char type[128];                     /* Content-Type of the part, "" if none; cut if longer */
};

struct multipart_handler {
	/* A part begins. An error stops the parser, which returns it. */
	enum err (*begin)(void *arg, const struct multipart_part *part);
	/* Bytes of the part, n > 0. */
	enum err (*data)(void *arg, const void *p, size_t n);
	/* The part ended with its boundary. */
	enum err (*end)(void *arg);
	void *arg;
};

/* The boundary parameter of a Content-Type (1-70 characters, quoted or not). false: not multipart/form-data, or no usable boundary. */
bool multipart_boundary(const char *content_type, char out[71]);

/* Reads body up to the closing boundary (the epilogue is read and ignored, up to a bound) and returns ERR_OK; ERR_CUT: the body ended or broke before it;
 * ERR_INVALID: malformed (*why then says what, static); or an error from a handler. On an error the rest of the body is not read. */
enum err multipart_read(struct source *body, const char *boundary, const struct multipart_handler *h, const char **why);

#endif
