/*
 * field.h - reading and writing single header fields and forms.
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

/* Whether a Content-Type is this media type (without case; parameters allowed). content_type may be NULL. */
bool field_media_type_is(const char *content_type, const char *type);
/* Whether a comma-separated list holds a token (without case). */
bool field_list_has(const char *list, const char *token);
/* Host header without port, lower case, IPv6 brackets kept; false if malformed. */
bool field_host(const char *host, char *out, size_t size);

enum field_range { RANGE_NONE, RANGE_ONE, RANGE_BAD };
/* Range (RFC 9110 14): one byte range of a file of this size. Several ranges, another unit or a malformed field count as NONE (ignored as 14.2 allows);
 * BAD: unsatisfiable (416). */
enum field_range field_range(const char *value, int64_t size, int64_t *first, int64_t *last);
/* Whether an If-None-Match, If-Match or If-Range list names this entity tag (weak: weak comparison, RFC 9110 8.8.3.2). "*" matches. */
bool field_etag_match(const char *list, const char *etag, bool weak);

/* Content-Disposition attachment with an ASCII filename and filename* (RFC 6266, RFC 8187). From the arena. */
const char *field_disposition(struct arena *a, const char *filename);
/* filename or filename* of a Content-Disposition; NULL if none. From the arena. */
const char *field_disposition_name(struct arena *a, const char *value);

struct form_pair { const char *name, *value; };
/* application/x-www-form-urlencoded text; at most max pairs; from the arena. ERR_INVALID: bad escapes or too many. */
enum err field_form(struct arena *a, const char *text, size_t n, struct form_pair *out, int max, int *found);

#endif
