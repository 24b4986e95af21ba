/* num.c - numbers read strictly: what strtoll would forgive (blanks, signs, rests) is refused. */
#include "base/num.h"

#include <string.h>

#include "base/text.h"

/* Reads digits up to end, which may be anything that follows; NULL if there is none, or more than 2^63-1 or 19 digits. */
static const char *digits(const char *s, uint64_t max, uint64_t *out)
{
	const char *p = s;
	uint64_t v = 0;

	while (*p >= '0' && *p <= '9') {
		/* 19 digits are below 2^64, so v cannot wrap before it is compared. */
		if (p - s == 19)
			return NULL;
		v = v * 10 + (uint64_t)(*p++ - '0');
	}
	*out = v;
	return p == s || v > max ? NULL : p;
}

bool num_u63(const char *s, int64_t *out)
{
	uint64_t v;
	const char *end = s ? digits(s, INT64_MAX, &v) : NULL;

	if (!end || *end)
		return false;
	*out = (int64_t)v;
	return true;
}

bool num_i64(const char *s, int64_t *out)
{
	uint64_t v;
	const char *end;

	if (!s || *s != '-')
		return num_u63(s, out);
	end = digits(s + 1, (uint64_t)INT64_MAX + 1, &v);
	if (!end || *end)
		return false;
	*out = (int64_t)(0 - v);
	return true;
}

bool num_size(const char *s, int64_t *out)
{
	static const char units[] = "kmgt";
	uint64_t v;
	const char *end = s ? digits(s, INT64_MAX, &v) : NULL;

	if (!end)
		return false;
	if (*end) {
		const char *u = strchr(units, *end | 32);
		int shift = u && *u ? (int)(u - units + 1) * 10 : 0;

		if (!shift || v > (uint64_t)INT64_MAX >> shift)
			return false;
		if (end[1] && !text_eq_nocase(end + 1, "b") && !text_eq_nocase(end + 1, "ib"))
			return false;
		v <<= shift;
	}
	*out = (int64_t)v;
	return true;
}

bool num_bool(const char *s, bool *out)
{
	static const char *const words[] = {"false", "true", "0", "1", "no", "yes", "off", "on"};

	for (unsigned i = 0; s && i < sizeof words / sizeof *words; i++) {
		if (text_eq_nocase(s, words[i])) {
			*out = i & 1;
			return true;
		}
	}
	return false;
}
