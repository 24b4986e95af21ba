/*
 * fuzz_sf.c - structured fields: an Item, or a Dictionary member by member, whose parts lie in the field and parse again by themselves.
 */
#include "fuzz.h"
#include "http/sf.h"

#define INTEGER_MAX 999999999999999

static void item(const char *s)
{
	int64_t v = INT64_MIN;
	bool b;
	bool integer = sf_integer(s, &v), boolean = sf_boolean(s, &b);
	MUST(!(integer && boolean));
	MUST(integer == (v != INT64_MIN) && (!integer || (v <= INTEGER_MAX && v >= -INTEGER_MAX)));
}

/* A member alone is a Dictionary of the same member. */
static void again(const struct sf_member *m)
{
	struct sf_member same;
	bool bytes = m->type == SF_BYTES;
	char *s = malloc(m->key_n + m->raw_n + 4);
	MUST(s);
	sprintf(s, "%.*s%s%s%.*s%s", (int)m->key_n, m->key, m->raw_n || bytes ? "=" : "", bytes ? ":" : "", (int)m->raw_n, m->raw, bytes ? ":" : "");
	const char *p = s;
	MUST(sf_dict_next(&p, &same) == 1 && !*p);
	MUST(same.type == m->type && same.raw_n == m->raw_n && memcmp(same.raw, m->raw, m->raw_n) == 0 && same.key_n == m->key_n);
	free(s);
}

static void dictionary(const char *s)
{
	struct sf_member m;
	const char *p = s, *end = s + strlen(s);
	int more, members = 0;
	while ((more = sf_dict_next(&p, &m)) == 1) {
		MUST(m.key_n > 0 && m.key >= s && m.key + m.key_n <= end && m.raw >= s && m.raw + m.raw_n <= end && p > m.key && p <= end);
		again(&m);
		members++;
	}
	MUST(more == 0 || more == -1);
	int got = sf_dict_get(s, "sha-256", &m);
	MUST((got < 0) == (more < 0) && (got <= 0 || members > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *s = fuzz_text(p, n);
	item(s);
	dictionary(s);
	free(s);
	return 0;
}
