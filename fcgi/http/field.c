/*
 * field.c - reading and writing single header fields and forms.
 */
#include "http/field.h"

#include <string.h>

#include "base/text.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
	return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* Whether the n bytes at p are this text, without case. */
static bool span_is(const char *p, size_t n, const char *text)
{
	return strlen(text) == n && text_starts_nocase(p, text);
}

bool field_media_type_is(const char *content_type, const char *type)
{
	if (!content_type)
		return false;
	size_t n = strcspn(content_type, ";");
	const char *p = text_trim(content_type, &n);
	return span_is(p, n, type);
}

bool field_list_has(const char *list, const char *token)
{
	while (list) {
		size_t all = strcspn(list, ","), n = all;
		const char *p = text_trim(list, &n);
		if (span_is(p, n, token))
			return true;
		list = list[all] ? list + all + 1 : NULL;
	}
	return false;
}

/* Where the quoted text whose opening quote is before p ends: at its closing quote, or NULL. */
static const char *quoted_end(const char *p)
{
	for (; *p && *p != '"'; p++)
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			p++;
	return *p ? p : NULL;
}

int field_param_next(const char **p, struct field_param *out)
{
	const char *s = *p;
	do {
		s = skip_blanks(s);
		if (*s == '\0')
			return 0;
		if (*s != ';')
			return -1;
		s = skip_blanks(s + 1);
	} while (*s == ';' || *s == '\0');
	size_t n = strcspn(s, "=; \t\"");
	*out = (struct field_param){ .name = s, .name_n = n };
	s = skip_blanks(s + n);
	if (n == 0 || *s != '=')
		return -1;
	s = skip_blanks(s + 1);
	out->quoted = *s == '"';
	out->value = s + out->quoted;
	const char *end = out->quoted ? quoted_end(out->value) : s + strcspn(s, ";\"");
	if (!end || (!out->quoted && *end == '"'))
		return -1;
	out->value_n = (size_t)(end - out->value);
	if (!out->quoted)
		out->value = text_trim(out->value, &out->value_n);
	*p = end + out->quoted;
	return 1;
}

bool field_param_is(const struct field_param *param, const char *name)
{
	return span_is(param->name, param->name_n, name);
}

size_t field_unquote(const struct field_param *param, char *out)
{
	const char *s = param->value;
	size_t n = 0;
	for (size_t i = 0; i < param->value_n; i++) {
		if (param->quoted && s[i] == '\\' && i + 1 < param->value_n && (s[i + 1] == '"' || s[i + 1] == '\\'))
			i++;
		out[n++] = s[i];
	}
	out[n] = '\0';
	return n;
}

bool field_ext_value(const struct field_param *param, char *out)
{
	static const char charset[] = "UTF-8'";
	size_t n = field_unquote(param, out), from = sizeof charset - 1;
	if (!text_starts_nocase(out, charset))
		return false;
	const char *language_end = strchr(out + from, '\'');
	if (!language_end)
		return false;
	from = (size_t)(language_end + 1 - out);
	/* Decoding shrinks, so it may work in place behind the reader. */
	return text_percent_decode(out + from, n - from, false, out, &n) && text_is_utf8(out, n);
}

bool field_host(const char *host, char *out, size_t size)
{
	if (!host)
		return false;
	bool literal = *host == '[';
	size_t n = literal ? strcspn(host, "]") + 1 : strcspn(host, ":");
	if (literal && (n < 4 || n > strlen(host)))
		return false;
	for (size_t i = literal; i + literal < n; i++) {
		bool good = literal ? is_digit(host[i]) || (host[i] && strchr("abcdefABCDEF:.", host[i]))
			: is_alnum(host[i]) || host[i] == '-' || host[i] == '_' || (host[i] == '.' && i > 0 && host[i - 1] != '.');
		if (!good)
			return false;
	}
	const char *port = host + n;
	size_t digits = *port == ':' ? strspn(port + 1, "0123456789") : 0;
	bool end = *port == ':' ? port[1 + digits] == '\0' && digits <= 5 : *port == '\0';
	if (!end || n == 0 || n >= size)
		return false;
	for (size_t i = 0; i < n; i++)
		out[i] = host[i] >= 'A' && host[i] <= 'Z' ? (char)(host[i] + ('a' - 'A')) : host[i];
	out[n] = '\0';
	return true;
}

bool field_host_listed(const struct config_list *list, const char *host)
{
	size_t n = strlen(host);
	if (list->any)
		return true;
	for (int i = 0; i < list->n; i++) {
		const char *want = list->v[i];
		size_t m = strlen(want);
		if (text_eq_nocase(want, host))
			return true;
		if (m > 2 && want[0] == '*' && want[1] == '.' && n > m - 1 && text_eq_nocase(want + 1, host + n - (m - 1)))
			return true;
	}
	return false;
}

/* Digits at *p, which moves behind them; -1 if there are none. Too large a number is the largest one: still well-formed, only out of reach. */
static int64_t range_number(const char **p)
{
	int64_t v = 0;
	const char *s = *p;
	for (; is_digit(*s); s++)
		v = v > (INT64_MAX - 9) / 10 ? INT64_MAX : v * 10 + (*s - '0');
	int64_t result = s == *p ? -1 : v;
	*p = s;
	return result;
}

enum field_range field_range(const char *value, int64_t size, int64_t *first, int64_t *last)
{
	static const char unit[] = "bytes=";
	if (!text_starts_nocase(value, unit))
		return RANGE_NONE;
	const char *p = value + sizeof unit - 1;
	int64_t from = range_number(&p);
	if (*p++ != '-')
		return RANGE_NONE;
	int64_t to = range_number(&p);
	if (*p != '\0' || (from < 0 && to < 0) || (from >= 0 && to >= 0 && to < from))
		return RANGE_NONE;
	if (from < 0 && size == 0 && to > 0)
		return RANGE_NONE;
	if (from >= size || (from < 0 && to == 0))
		return RANGE_BAD;
	*first = from >= 0 ? from : to < size ? size - to : 0;
	*last = from >= 0 && to >= 0 && to < size ? to : size - 1;
	return RANGE_ONE;
}

/* The entity tag at p, quotes included, without its W/. NULL if there is none; *n is its length. */
static const char *etag_at(const char *p, bool *weak, size_t *n)
{
	*weak = p[0] == 'W' && p[1] == '/';
	p += *weak ? 2 : 0;
	const char *end = *p == '"' ? strchr(p + 1, '"') : NULL;
	if (!end)
		return NULL;
	*n = (size_t)(end + 1 - p);
	return p;
}

bool field_etag_match(const char *list, const char *etag, bool weak)
{
	bool ours_weak, theirs_weak;
	size_t ours_n, n;
	const char *ours = etag ? etag_at(etag, &ours_weak, &ours_n) : NULL;
	if (!list)
		return false;
	size_t all = strlen(list);
	const char *trimmed = text_trim(list, &all);
	if (span_is(trimmed, all, "*"))
		return true;
	for (const char *p = list; ours; ) {
		p += strspn(p, " \t,");
		const char *theirs = etag_at(p, &theirs_weak, &n);
		if (!theirs)
			return false;
		if (n == ours_n && memcmp(theirs, ours, n) == 0 && (weak || !(ours_weak || theirs_weak)))
			return true;
		p = theirs + n;
	}
	return false;
}

const char *field_disposition(struct arena *a, const char *filename)
{
	struct buf b;
	buf_init(&b, 8 * strlen(filename) + 64);
	buf_puts(&b, "attachment; filename=\"");
	/* Agents differ over escapes in the plain form and some undo %41 there, so it has neither. */
	for (const unsigned char *p = (const unsigned char *)filename; *p; p++)
		if (*p < 0x80 || *p >= 0xc0)
			buf_add(&b, *p < 0x20 || *p >= 0x7f || strchr("\"\\%", *p) ? "_" : (const char *)p, 1);
	buf_puts(&b, "\"; filename*=UTF-8''");
	text_percent_encode(&b, filename, strlen(filename), false);
	const char *out = b.failed ? NULL : arena_strdup(a, b.p);
	buf_free(&b);
	return out;
}

const char *field_disposition_name(struct arena *a, const char *value)
{
	struct field_param param;
	char *plain = NULL;
	if (!value)
		return NULL;
	for (const char *p = value + strcspn(value, ";"); field_param_next(&p, &param) == 1; ) {
		bool ext = field_param_is(&param, "filename*");
		if (!ext && (plain || !field_param_is(&param, "filename")))
			continue;
		char *out = arena_alloc(a, param.value_n + 1);
		if (!out)
			return NULL;
		if (ext && field_ext_value(&param, out))
			return out;
		if (!ext) {
			field_unquote(&param, out);
			plain = out;
		}
	}
	return plain;
}

/* The n bytes at p decoded. ERR_INVALID: badly encoded, or a NUL. */
static enum err form_decode(struct arena *a, const char *p, size_t n, const char **out)
{
	char *text = arena_alloc(a, n + 1);
	if (!text)
		return ERR_NOMEM;
	*out = text;
	return !memchr(p, '\0', n) && text_percent_decode(p, n, true, text, &n) ? ERR_OK : ERR_INVALID;
}

enum err field_form(struct arena *a, const char *text, size_t n, struct form_pair *out, int max, int *found)
{
	*found = 0;
	for (const char *p = text, *stop = text + n; p < stop; ) {
		const char *end = memchr(p, '&', (size_t)(stop - p));
		end = end ? end : stop;
		const char *equals = memchr(p, '=', (size_t)(end - p));
		const char *name_end = equals ? equals : end, *value = equals ? equals + 1 : end;
		if (end > p) {
			if (*found == max)
				return ERR_INVALID;
			struct form_pair *pair = &out[*found];
			enum err e = form_decode(a, p, (size_t)(name_end - p), &pair->name);
			if (!e)
				e = form_decode(a, value, (size_t)(end - value), &pair->value);
			if (e)
				return e;
			++*found;
		}
		p = end + 1;
	}
	return ERR_OK;
}
