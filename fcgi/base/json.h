/*
 * json.h - JSON values; the only file that knows json-c.
 *
 * Building: json_obj(), then json_put_* into it (which take over sub-values), then json_text() and json_free().
 * Putting into NULL, or running out of memory, is silent until json_text(), which then returns NULL.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct json;
enum json_type { JSON_NULL, JSON_BOOL, JSON_INT, JSON_DOUBLE, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json *json_obj(void);
struct json *json_arr(void);
void json_put_str(struct json *o, const char *key, const char *v);   /* v NULL gives null; bytes that are not UTF-8 become U+FFFD */
void json_put_int(struct json *o, const char *key, int64_t v);
void json_put_double(struct json *o, const char *key, double v);
void json_put_bool(struct json *o, const char *key, bool v);
void json_put_null(struct json *o, const char *key);
void json_put(struct json *o, const char *key, struct json *v);       /* takes v over */
void json_add_int(struct json *a, int64_t v);
void json_add_str(struct json *a, const char *v);
void json_add(struct json *a, struct json *v);                        /* takes v over */
/* Compact text, from the arena. NULL when out of memory. Slashes are not escaped. */
char *json_text(const struct json *j, struct arena *a);
void json_free(struct json *j);

/* The whole of s must be one value (RFC 8259), at most depth 32. ERR_INVALID: it is not; ERR_NOMEM. Free with json_free; NULL on an error. */
enum err json_read(const char *s, size_t n, struct json **out);
/* The same; NULL on any error. */
struct json *json_parse(const char *s, size_t n);
enum json_type json_type(const struct json *j);
const struct json *json_get(const struct json *o, const char *key);   /* NULL if absent or not an object */
const char *json_str(const struct json *j);                           /* NULL if not a string or if it holds a NUL; lives as long as j */
bool json_int(const struct json *j, int64_t *out);
bool json_bool(const struct json *j, bool *out);
size_t json_len(const struct json *a);                                /* members of an array or object */
const struct json *json_at(const struct json *a, size_t i);
/* Calls f for every member in order; stops when f returns false. */
void json_each(const struct json *o, bool (*f)(const char *key, const struct json *v, void *arg), void *arg);

#endif
