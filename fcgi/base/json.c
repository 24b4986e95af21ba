/* json.c - the border to json-c. A struct json is a json_object; JSON null, which json-c writes as NULL, is a mark of ours,
 * so that "null" and "absent" stay apart. */
/* Two of json-c's types have the names of two functions of ours; in this file they bear others. */
#define json_type jsonc_type
#define json_bool jsonc_bool
#include <json-c/json.h>
#undef json_type
#undef json_bool

#include "base/json.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/text.h"

#define DEPTH 32

static char null_mark;
#define NULL_VALUE ((struct json *)(void *)&null_mark)

static struct json *wrap(json_object *o)
{
	return o ? (struct json *)o : NULL_VALUE;
}

/* NULL for NULL and for the null mark: json-c takes both as null. */
static json_object *raw(const struct json *j)
{
	return j == NULL_VALUE ? NULL : (json_object *)j;
}

/* --- building --- */

struct json *json_obj(void)
{
	return (struct json *)json_object_new_object();
}

struct json *json_arr(void)
{
	return (struct json *)json_object_new_array();
}

static int serialize_failure(json_object *o, struct printbuf *pb, int level, int flags)
{
	(void)o, (void)pb, (void)level, (void)flags;
	return -1;
}

/* An object that lacks a member must never become text: its writer is replaced by one that fails, which makes the writing of
 * everything around it fail, too. */
static void fail(json_object *o)
{
	if (o)
		json_object_set_serializer(o, serialize_failure, NULL, NULL);
}

/* Takes v over. made: v is a value (a NULL v then is null), not the sign of a failed allocation. */
static void put(struct json *o, const char *key, json_object *v, bool made)
{
	json_object *to = raw(o);
	int bad;

	assert(!to || json_object_is_type(to, key ? json_type_object : json_type_array));
	bad = !to || !made;
	if (!bad)
		bad = key ? json_object_object_add(to, key, v) : json_object_array_add(to, v);
	if (bad) {
		json_object_put(v);
		fail(to);
	}
}

static json_object *make_str(const char *v)
{
	size_t n = strlen(v);
	json_object *o = NULL;
	struct buf b;

	if (text_is_utf8(v, n))
		return json_object_new_string_len(v, (int)n);
	buf_init(&b, n * 3);
	text_utf8_clean(&b, v, n);
	if (!b.failed)
		o = json_object_new_string_len(b.p, (int)b.n);
	buf_free(&b);
	return o;
}

static void put_made(struct json *o, const char *key, json_object *v)
{
	put(o, key, v, v != NULL);
}

void json_put_str(struct json *o, const char *key, const char *v)
{
	if (v)
		put_made(o, key, make_str(v));
	else
		json_put_null(o, key);
}

void json_put_int(struct json *o, const char *key, int64_t v)
{
	put_made(o, key, json_object_new_int64(v));
}

void json_put_double(struct json *o, const char *key, double v)
{
	static char format[] = "%.15g";   /* json-c's own 17 digits write 0.1 as 0.10000000000000001 */
	json_object *d;

	if (!isfinite(v)) {
		json_put_null(o, key);
		return;
	}
	d = json_object_new_double(v);
	if (d)
		json_object_set_serializer(d, json_object_double_to_json_string, format, NULL);
	put_made(o, key, d);
}

void json_put_bool(struct json *o, const char *key, bool v)
{
	put_made(o, key, json_object_new_boolean(v));
}

void json_put_null(struct json *o, const char *key)
{
	put(o, key, NULL, true);
}

void json_put(struct json *o, const char *key, struct json *v)
{
	put(o, key, raw(v), v != NULL);
}

void json_add_int(struct json *a, int64_t v)
{
	json_put_int(a, NULL, v);
}

void json_add_str(struct json *a, const char *v)
{
	json_put_str(a, NULL, v);
}

void json_add(struct json *a, struct json *v)
{
	json_put(a, NULL, v);
}

char *json_text(const struct json *j, struct arena *a)
{
	const char *s;
	size_t n;

	if (!j)
		return NULL;
	/* json-c leaves out what it has no memory for, and remembers it in errno alone. */
	errno = 0;
	s = json_object_to_json_string_length(raw(j), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &n);
	return s && errno != ENOMEM ? arena_strndup(a, s, n) : NULL;
}

void json_free(struct json *j)
{
	json_object_put(raw(j));
}

/* --- reading --- */

/* What json-c lets pass although it is told to be strict: control characters in strings, NaN, Infinity, keys in single
 * quotes, one level too many. */
static bool strict(const char *s, size_t n)
{
	bool in = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)s[i] < 0x20 && (in || !strchr("\t\n\r", s[i]) || !s[i]))
			return false;
		if (in && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			in = !in;
		else if (!in && (s[i] == 'N' || s[i] == 'I' || s[i] == '\''))
			return false;
		else if (!in && (s[i] == '[' || s[i] == '{') && ++depth > DEPTH)
			return false;
		else if (!in && (s[i] == ']' || s[i] == '}'))
			depth--;
	}
	return true;
}

/* json-c forgets a member or gives a null for the value when memory is out; what it never forgets is errno. */
static enum err parse(const char *s, size_t n, json_object **o)
{
	json_tokener *t = json_tokener_new_ex(DEPTH + 2);
	if (!t)
		return ERR_NOMEM;
	errno = 0;
	json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	*o = json_tokener_parse_ex(t, s, (int)n);
	/* A number ends only where something else begins. */
	if (!*o && json_tokener_get_error(t) == json_tokener_continue)
		*o = json_tokener_parse_ex(t, "", 1);
	enum err e = errno == ENOMEM ? ERR_NOMEM : json_tokener_get_error(t) == json_tokener_success ? ERR_OK : ERR_INVALID;
	json_tokener_free(t);
	return e;
}

enum err json_read(const char *s, size_t n, struct json **out)
{
	json_object *o = NULL;
	*out = NULL;
	/* json-c takes a blank after the value for trailing text. */
	while (n && s[n - 1] && strchr(" \t\n\r", s[n - 1]))
		n--;
	if (n == 0 || n > INT32_MAX || !strict(s, n))
		return ERR_INVALID;
	enum err e = parse(s, n, &o);
	if (e)
		json_object_put(o);
	else
		*out = wrap(o);
	return e;
}

struct json *json_parse(const char *s, size_t n)
{
	struct json *j;
	return json_read(s, n, &j) ? NULL : j;
}

enum json_type json_type(const struct json *j)
{
	switch (json_object_get_type(raw(j))) {
	case json_type_boolean: return JSON_BOOL;
	case json_type_int:     return JSON_INT;
	case json_type_double:  return JSON_DOUBLE;
	case json_type_string:  return JSON_STRING;
	case json_type_array:   return JSON_ARRAY;
	case json_type_object:  return JSON_OBJECT;
	default:                return JSON_NULL;
	}
}

const struct json *json_get(const struct json *o, const char *key)
{
	json_object *v;

	if (json_type(o) != JSON_OBJECT || !json_object_object_get_ex(raw(o), key, &v))
		return NULL;
	return wrap(v);
}

const char *json_str(const struct json *j)
{
	const char *s;

	if (json_type(j) != JSON_STRING)
		return NULL;
	s = json_object_get_string(raw(j));
	return strlen(s) == (size_t)json_object_get_string_len(raw(j)) ? s : NULL;
}

bool json_int(const struct json *j, int64_t *out)
{
	int64_t v;

	if (json_type(j) != JSON_INT)
		return false;
	/* json-c makes the nearest number of what lies outside: a limit of it is not to be told from its overflow. */
	v = json_object_get_int64(raw(j));
	if (v == INT64_MIN || (v == INT64_MAX && json_object_get_uint64(raw(j)) != INT64_MAX))
		return false;
	*out = v;
	return true;
}

bool json_bool(const struct json *j, bool *out)
{
	if (json_type(j) != JSON_BOOL)
		return false;
	*out = json_object_get_boolean(raw(j));
	return true;
}

size_t json_len(const struct json *a)
{
	switch (json_type(a)) {
	case JSON_ARRAY:  return json_object_array_length(raw(a));
	case JSON_OBJECT: return (size_t)json_object_object_length(raw(a));
	default:          return 0;
	}
}

const struct json *json_at(const struct json *a, size_t i)
{
	if (json_type(a) != JSON_ARRAY || i >= json_len(a))
		return NULL;
	return wrap(json_object_array_get_idx(raw(a), i));
}

void json_each(const struct json *o, bool (*f)(const char *key, const struct json *v, void *arg), void *arg)
{
	if (json_type(o) != JSON_OBJECT)
		return;
	json_object_object_foreach(raw(o), key, v) {
		if (!f(key, wrap(v), arg))
			return;
	}
}
