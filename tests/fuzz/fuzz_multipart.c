/*
 * fuzz_multipart.c - a form says the same however its bytes arrive. The first byte of the input chooses the pieces, the second whether its end comes.
 */
#include "base/source.h"
#include "base/text.h"
#include "fuzz.h"
#include "http/multipart.h"

/* Everything that was said, as one text. */
static enum err part_begin(void *arg, const struct multipart_part *part)
{
	MUST(strlen(part->name) < MULTIPART_NAME_MAX && strlen(part->filename) < MULTIPART_FILENAME_MAX && strlen(part->type) < sizeof part->type);
	buf_printf(arg, "<%s|%d|%s|%s>", part->name, part->is_file, part->filename, part->type);
	return ERR_OK;
}

static enum err part_data(void *arg, const void *p, size_t n)
{
	MUST(n > 0);
	buf_add(arg, p, n);
	return ERR_OK;
}

static enum err part_end(void *arg)
{
	buf_puts(arg, "</>");
	return ERR_OK;
}

static enum err said(const uint8_t *p, size_t n, size_t piece, bool cut, const char *boundary, struct buf *out)
{
	struct source_mem b;
	struct multipart_handler h = {part_begin, part_data, part_end, out};
	const char *why = NULL;
	source_mem_init(&b, p, n);
	b.piece = piece;
	b.cut = cut;
	buf_init(out, 8 << 20);
	enum err e = multipart_read(&b.s, boundary, &h, &why);
	MUST(e == ERR_OK || e == ERR_CUT || e == ERR_INVALID);
	MUST(e != ERR_INVALID || why);
	return e;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char boundary[71], type[120];
	if (n < 2)
		return 0;
	/* the first line is the boundary */
	const uint8_t *line = memchr(p + 2, '\n', n - 2);
	size_t len = line ? (size_t)(line - p) - 2 : 0;
	snprintf(type, sizeof type, "multipart/form-data; boundary=%.*s", (int)(len < 80 ? len : 80), (const char *)p + 2);
	if (!multipart_boundary(type, boundary))
		strcpy(boundary, "b");
	const uint8_t *body = line ? line + 1 : p + 2;
	size_t size = n - (size_t)(body - p);
	struct buf whole, split;
	enum err first = said(body, size, 0, p[1] & 1, boundary, &whole);
	enum err second = said(body, size, 1 + p[0], p[1] & 1, boundary, &split);
	MUST(first == second);
	/* a part that breaks off may have been handed on up to different places */
	if (first == ERR_OK)
		MUST(whole.n == split.n && (whole.n == 0 || memcmp(whole.p, split.p, whole.n) == 0));
	buf_free(&whole);
	buf_free(&split);
	return 0;
}
