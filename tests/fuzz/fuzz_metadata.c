/*
 * fuzz_metadata.c - Upload-Metadata: what is accepted means the same when it is written anew.
 */
#include "base/arena.h"
#include "base/b64.h"
#include "base/text.h"
#include "fuzz.h"
#include "model/name.h"

static const char *written(struct arena *a, const struct meta *m)
{
	struct buf b;
	char text[1 << 16];
	buf_init(&b, 16 << 20);
	for (int i = 0; i < m->n; i++) {
		MUST(m->pair[i].len < sizeof text / 2);
		b64_encode(m->pair[i].value, m->pair[i].len, text);
		buf_printf(&b, "%s%s %s", i ? "," : "", m->pair[i].key, text);
	}
	const char *out = arena_strndup(a, b.p ? b.p : "", b.n);
	buf_free(&b);
	return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_open(32 << 20);
	struct meta m, again;
	const char *why = NULL;
	char *s = fuzz_text(p, n < 20000 ? n : 20000);
	MUST(a);
	enum err e = meta_parse(a, s, &m, &why);
	MUST(e == ERR_OK || e == ERR_INVALID || e == ERR_NOMEM);
	MUST(e != ERR_INVALID || why);
	if (!e) {
		MUST(m.n <= META_PAIRS_MAX);
		MUST(meta_parse(a, written(a, &m), &again, &why) == ERR_OK);
		MUST(again.n == m.n);
		for (int i = 0; i < m.n; i++)
			MUST(strcmp(m.pair[i].key, again.pair[i].key) == 0 && m.pair[i].len == again.pair[i].len &&
			     memcmp(m.pair[i].value, again.pair[i].value, m.pair[i].len) == 0);
		meta_get(&m, "filename");
	}
	arena_close(a);
	free(s);
	return 0;
}
