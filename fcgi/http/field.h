/*
 * field.h - reading and writing single header fields and forms.
 */
#ifndef HTTP_FIELD_H
#define HTTP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/err.h"

/* Whether a Content-Type is this media type (without case; parameters allowed). content_type may be NULL. */
bool field_media_type_is(const char *content_type, const char *type);
/* Parameters "; name=value" of a field, one by one. *p points behind the part before the first ';' and moves on. name and value lie in the field and
 * are not terminated. 1: one more; 0: none left; -1: malformed. */
struct field_param {
	const char *name, *value;
	size_t name_n, value_n;
	bool quoted;                 /* value still has its escapes: field_unquote */
};
int field_param_next(const char **p, struct field_param *out);
/* The value without escapes and NUL-terminated; out holds value_n + 1 bytes. Of a quoted value only \" and \\ are escapes, because some browsers send
 * file names with bare backslashes (C:\dir\x.wav). Returns its length. */
size_t field_unquote(const struct field_param *param, char *out);
bool field_param_is(const struct field_param *param, const char *name);   /* without case */
/* Decodes an RFC 8187 value (UTF-8''a%20b) into out, which holds value_n + 1 bytes. false: another charset, bad escapes, not UTF-8 or a NUL. */
bool field_ext_value(const struct field_param *param, char *out);

/* Whether a comma-separated list holds a token (without case). */
bool field_list_has(const char *list, const char *token);
/* Host header without port, lower case, IPv6 brackets kept; false if malformed. */
bool field_host(const char *host, char *out, size_t size);
/* Whether a list of hosts has this one; "*.example.org" stands for every name below example.org. */
bool field_host_listed(const struct config_list *list, const char *host);

enum field_range { RANGE_NONE, RANGE_ONE, RANGE_BAD };
/* Range (RFC 9110 14): one byte range of a file of this size. Several ranges, another unit or a malformed field count as NONE (ignored as 14.2 allows),
 * and so does the end of an empty file, which is satisfiable but has no range to name. BAD: unsatisfiable (416). value may be NULL. */
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
