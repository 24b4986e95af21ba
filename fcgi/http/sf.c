/*
 * sf.c - parsing Structured Field Values, by the algorithms of RFC 9651 section 4.2.
 */
#include "http/sf.h"

#include <string.h>

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define KEY_REST LOWER DIGITS "_-.*"
#define TOKEN_REST UPPER LOWER DIGITS "!#$%&'*+-.^_`|~:/"
#define BASE64 UPPER LOWER DIGITS "+/"
#define INTEGER_DIGITS 15
#define DECIMAL_DIGITS 12
#define FRACTION_DIGITS 3

/* Every reader moves *p behind what it has read; false: malformed, and *p means nothing any more. */

static void skip_sp(const char **p)
{
	*p += strspn(*p, " ");
}

static bool in(char c, const char *set)
{
	return c && strchr(set, c);
}

/* 4.2.4: an Integer or a Decimal. */
static bool read_number(const char **p, struct sf_member *out)
{
	bool minus = **p == '-';
	*p += minus;
	size_t whole = strspn(*p, DIGITS);
	const char *point = *p + whole;
	out->type = *point == '.' ? SF_DECIMAL : SF_INTEGER;
	if (whole == 0 || whole > (out->type == SF_DECIMAL ? DECIMAL_DIGITS : INTEGER_DIGITS))
		return false;
	out->integer = 0;
	for (; *p < point; ++*p)
		out->integer = 10 * out->integer + (**p - '0');
	if (minus)
		out->integer = -out->integer;
	if (out->type == SF_INTEGER)
		return true;
	size_t fraction = strspn(point + 1, DIGITS);
	*p = point + 1 + fraction;
	return fraction > 0 && fraction <= FRACTION_DIGITS;
}

/* 4.2.5 */
static bool read_string(const char **p)
{
	for (++*p; **p != '"'; ++*p) {
		if (**p == '\\' && *++*p != '"' && **p != '\\')
			return false;
		if ((unsigned char)**p < 0x20 || (unsigned char)**p > 0x7e)
			return false;
	}
	++*p;
	return true;
}

/* 4.2.10: percent-encoded with lower-case digits. */
static bool read_display(const char **p)
{
	if (*++*p != '"')
		return false;
	for (++*p; **p != '"'; ++*p) {
		if ((unsigned char)**p < 0x20 || (unsigned char)**p > 0x7e)
			return false;
		if (**p != '%')
			continue;
		if (!in((*p)[1], DIGITS "abcdef") || !in((*p)[2], DIGITS "abcdef"))
			return false;
		*p += 2;
	}
	++*p;
	return true;
}

/* 4.2.7: the text between the colons may be Base64; who decodes it finds out. */
static bool read_bytes(const char **p, struct sf_member *out)
{
	size_t n = strspn(++*p, BASE64);
	size_t padding = strspn(*p + n, "=");
	out->raw = *p;
	out->raw_n = n + padding;
	*p += out->raw_n;
	return padding <= 2 && *(*p)++ == ':';
}

/* 4.2.3.1: a bare item. */
static bool read_bare(const char **p, struct sf_member *out)
{
	const char *from = *p;
	bool good = true, bytes = *from == ':';
	if (*from == '-' || in(*from, DIGITS)) {
		good = read_number(p, out);
	} else if (*from == '"') {
		out->type = SF_STRING;
		good = read_string(p);
	} else if (bytes) {
		out->type = SF_BYTES;
		good = read_bytes(p, out);
	} else if (*from == '?') {
		out->type = SF_BOOLEAN;
		out->boolean = from[1] == '1';
		good = from[1] == '1' || from[1] == '0';
		*p += good ? 2 : 0;
	} else if (*from == '@') {
		++*p;
		good = read_number(p, out) && out->type == SF_INTEGER;
		out->type = SF_DATE;
	} else if (*from == '%') {
		out->type = SF_DISPLAY;
		good = read_display(p);
	} else {
		out->type = SF_TOKEN;
		good = in(*from, UPPER LOWER "*");
		*p += strspn(*p, TOKEN_REST);
	}
	if (!bytes) {
		out->raw = from;
		out->raw_n = (size_t)(*p - from);
	}
	return good;
}

/* 4.2.3.3 */
static bool read_key(const char **p, struct sf_member *out)
{
	if (!in(**p, LOWER "*"))
		return false;
	out->key = *p;
	out->key_n = strspn(*p, KEY_REST);
	*p += out->key_n;
	return true;
}

/* 4.2.3.2: parameters are read and forgotten. */
static bool read_parameters(const char **p)
{
	struct sf_member ignored;
	while (**p == ';') {
		++*p;
		skip_sp(p);
		if (!read_key(p, &ignored))
			return false;
		if (**p == '=' && !(++*p, read_bare(p, &ignored)))
			return false;
	}
	return true;
}

static bool read_item(const char **p, struct sf_member *out)
{
	return read_bare(p, out) && read_parameters(p);
}

/* 4.2.1.2 */
static bool read_inner_list(const char **p, struct sf_member *out)
{
	struct sf_member ignored;
	const char *from = (*p)++;
	for (skip_sp(p); **p != ')'; skip_sp(p))
		if (!read_item(p, &ignored) || (**p != ' ' && **p != ')'))
			return false;
	++*p;
	out->type = SF_LIST;
	out->raw = from;
	out->raw_n = (size_t)(*p - from);
	return read_parameters(p);
}

/* A field that is one Item, blanks around it (4.2). */
static bool field_item(const char *text, struct sf_member *out)
{
	if (!text)
		return false;
	skip_sp(&text);
	if (!read_item(&text, out))
		return false;
	skip_sp(&text);
	return !*text;
}

bool sf_integer(const char *text, int64_t *out)
{
	struct sf_member m;
	if (!field_item(text, &m) || m.type != SF_INTEGER)
		return false;
	*out = m.integer;
	return true;
}

bool sf_boolean(const char *text, bool *out)
{
	struct sf_member m;
	if (!field_item(text, &m) || m.type != SF_BOOLEAN)
		return false;
	*out = m.boolean;
	return true;
}

/* What stands behind a member: another one, or nothing. */
static bool read_comma(const char **p)
{
	*p += strspn(*p, " \t");
	if (!**p)
		return true;
	if (*(*p)++ != ',')
		return false;
	*p += strspn(*p, " \t");
	return **p != '\0';
}

/* 4.2.2 */
int sf_dict_next(const char **p, struct sf_member *out)
{
	skip_sp(p);
	if (!**p)
		return 0;
	if (!read_key(p, out))
		return -1;
	if (**p == '=') {
		++*p;
		if (!(**p == '(' ? read_inner_list(p, out) : read_item(p, out)))
			return -1;
	} else {
		out->type = SF_BOOLEAN;
		out->boolean = true;
		out->raw = *p;
		out->raw_n = 0;
		if (!read_parameters(p))
			return -1;
	}
	return read_comma(p) ? 1 : -1;
}

int sf_dict_get(const char *text, const char *key, struct sf_member *out)
{
	struct sf_member m;
	int more, found = 0;
	while ((more = sf_dict_next(&text, &m)) == 1)
		if (sf_key_is(&m, key)) {
			*out = m;
			found = 1;
		}
	return more < 0 ? -1 : found;
}

bool sf_key_is(const struct sf_member *m, const char *key)
{
	return strlen(key) == m->key_n && memcmp(m->key, key, m->key_n) == 0;
}
