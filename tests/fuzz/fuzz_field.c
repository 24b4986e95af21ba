/*
 * fuzz_field.c - single header fields and forms. The first byte chooses the field, the next two a size or a list.
 */
#include "base/arena.h"
#include "fuzz.h"
#include "http/field.h"

static void range(const char *s, int64_t size)
{
	int64_t first = -1, last = -1;
	if (field_range(s, size, &first, &last) == RANGE_ONE)
		MUST(first >= 0 && first <= last && last < size);
}

static void params(const char *s)
{
	struct field_param f;
	const char *at = s, *end = s + strlen(s);
	int more;
	at += strcspn(s, ";");
	while ((more = field_param_next(&at, &f)) == 1) {
		char *out = malloc(f.value_n + 1);
		MUST(out && f.name >= s && f.name + f.name_n <= end && f.value >= s && f.value + f.value_n <= end && at <= end);
		MUST(field_unquote(&f, out) <= f.value_n);
		field_ext_value(&f, out);
		field_param_is(&f, "filename");
		free(out);
	}
	MUST(more == 0 || more == -1);
}

static void host(const char *s)
{
	char out[64];
	if (field_host(s, out, sizeof out))
		MUST(out[0] && strlen(out) < sizeof out && !strpbrk(out, "/?#@ \t\r\n"));
}

static void disposition(struct arena *a, const char *s)
{
	field_disposition_name(a, s);
	const char *made = field_disposition(a, s);
	MUST(made && !strpbrk(made, "\r\n"));
	MUST(field_disposition_name(a, made));
}

static void form(struct arena *a, const char *s, size_t n)
{
	struct form_pair pair[16];
	int found = 0;
	enum err e = field_form(a, s, n, pair, 16, &found);
	MUST(e == ERR_OK || e == ERR_INVALID);
	MUST(found >= 0 && found <= 16);
	for (int i = 0; !e && i < found; i++)
		MUST(pair[i].name && pair[i].value);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 3)
		return 0;
	struct arena *a = arena_open(16 << 20);
	char *s = fuzz_text(p + 3, n - 3);
	int64_t size = p[1] * 256 + p[2];
	MUST(a);
	switch (p[0] % 6) {
	case 0: range(s, size); break;
	case 1: params(s); break;
	case 2: host(s); break;
	case 3: disposition(a, s); break;
	case 4: form(a, s, strlen(s)); break;
	default:
		field_etag_match(s, "\"abc\"", p[1] & 1);
		field_list_has(s, "close");
		field_media_type_is(s, "application/json");
	}
	arena_close(a);
	free(s);
	return 0;
}
