/*
 * multipart.c - multipart/form-data as a stream.
 *
 * Everything turns on one search: the delimiter is CRLF "--" boundary, and bytes are given away as soon as they cannot begin one. The CRLF
 * that ends the header block, and an imagined one before the body, stay in the window as possible beginnings of a delimiter, so that the first
 * boundary and a part without a body need no cases of their own.
 */
#include "http/multipart.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/field.h"

#define WINDOW 65536
#define BOUNDARY_MAX 70
#define PADDING_MAX 1024  /* blanks after a boundary; more of them are data */

struct parser {
	struct source *body;
	const struct multipart_handler *h;
	const char **why;
	char delim[4 + BOUNDARY_MAX + 1];
	size_t delim_n;
	char *buf;
	size_t from, to;       /* the window: bytes read and not yet given away */
	size_t skip;           /* bytes at its start that belong to a delimiter or to nobody: never given away */
	bool in_part;          /* false: preamble, which nobody gets */
	size_t preamble;
	int parts;
};

bool multipart_boundary(const char *content_type, char out[71])
{
	if (!field_media_type_is(content_type, "multipart/form-data"))
		return false;
	struct field_param param;
	bool found = false;
	for (const char *p = content_type + strcspn(content_type, ";"); field_param_next(&p, &param) == 1; ) {
		if (!field_param_is(&param, "boundary"))
			continue;
		/* Two boundaries: whoever looks at this body besides us might take the other one. */
		if (found || param.value_n > BOUNDARY_MAX)
			return false;
		field_unquote(&param, out);
		found = true;
	}
	size_t n = found ? strlen(out) : 0;
	for (size_t i = 0; i < n; i++)
		if (out[i] < 0x20 || out[i] > 0x7e)
			return false;
	return n > 0 && out[n - 1] != ' ';
}

static enum err invalid(struct parser *p, const char *why)
{
	*p->why = why;
	return ERR_INVALID;
}

/* Reads on. The window keeps its bytes but may move. */
static enum err fill(struct parser *p)
{
	if (p->from > 0) {
		memmove(p->buf, p->buf + p->from, p->to - p->from);
		p->to -= p->from;
		p->from = 0;
	}
	/* What waits in the window is a delimiter with padding or a header block, both far smaller. */
	assert(p->to < WINDOW);
	ssize_t n = p->body->read(p->body, p->buf + p->to, WINDOW - p->to);
	if (n <= 0)
		return ERR_CUT;
	p->to += (size_t)n;
	return ERR_OK;
}

/* Gives the first n bytes of the window away. */
static enum err give(struct parser *p, size_t n)
{
	size_t skip = n < p->skip ? n : p->skip;
	const char *data = p->buf + p->from + skip;
	p->from += n;
	p->skip -= skip;
	n -= skip;
	if (n == 0)
		return ERR_OK;
	if (p->in_part)
		return p->h->data(p->h->arg, data, n);
	p->preamble += n;
	return p->preamble > MULTIPART_PREAMBLE_MAX ? invalid(p, "multipart: no boundary at the beginning") : ERR_OK;
}

/* How many bytes at the start of the window cannot belong to a delimiter that begins in it and goes on behind it. A delimiter has its only CR in
 * front, so the last CR decides. */
static size_t safe(const struct parser *p)
{
	const char *w = p->buf + p->from;
	size_t n = p->to - p->from, tail = n < p->delim_n ? n : p->delim_n - 1;
	const char *cr = memrchr(w + n - tail, '\r', tail);
	if (!cr || memcmp(cr, p->delim, (size_t)(w + n - cr)) != 0)
		return n;
	return (size_t)(cr - w);
}

enum kind { KIND_MORE, KIND_DATA, KIND_PART, KIND_CLOSE };

/* What the delimiter at the start of the window is, by the bytes that follow it; *n is its whole length. MORE: they are not all here. */
static enum kind classify(const struct parser *p, size_t *n)
{
	const char *s = p->buf + p->from;
	size_t end = p->to - p->from, i = p->delim_n;
	if (i < end && s[i] == '-') {
		*n = i + 2;
		return i + 1 == end ? KIND_MORE : s[i + 1] == '-' ? KIND_CLOSE : KIND_DATA;
	}
	while (i < end && i - p->delim_n < PADDING_MAX && (s[i] == ' ' || s[i] == '\t'))
		i++;
	*n = i + 2;
	if (i == end || (s[i] == '\r' && i + 1 == end))
		return KIND_MORE;
	return s[i] == '\r' && s[i + 1] == '\n' ? KIND_PART : KIND_DATA;
}

/* Gives bytes away up to the next delimiter and takes it out of the window. */
static enum err to_delimiter(struct parser *p, enum kind *kind)
{
	for (;;) {
		const char *w = p->buf + p->from;
		const char *hit = memmem(w, p->to - p->from, p->delim, p->delim_n);
		enum err e = give(p, hit ? (size_t)(hit - w) : safe(p));
		size_t n = 0;
		*kind = hit ? classify(p, &n) : KIND_MORE;
		if (!e && *kind == KIND_MORE)
			e = fill(p);
		else if (!e && *kind == KIND_DATA)
			e = give(p, p->delim_n);
		if (e)
			return e;
		if (*kind == KIND_PART || *kind == KIND_CLOSE) {
			p->from += n;
			p->skip = 0;
			return ERR_OK;
		}
	}
}

/* The next line of a header block, without its CRLF and NUL-terminated in the window. The empty line is NULL and stays in the window, because
 * it may begin a delimiter. *used counts the bytes of the block. */
static enum err header_line(struct parser *p, char **line, size_t *used)
{
	for (;;) {
		char *s = p->buf + p->from;
		size_t there = p->to - p->from;
		char *lf = memchr(s, '\n', there);
		size_t n = lf ? (size_t)(lf + 1 - s) : there;
		if (*used + n > MULTIPART_HEADER_MAX)
			return invalid(p, "multipart: the headers of a part are too large");
		if (!lf) {
			enum err e = fill(p);
			if (e)
				return e;
			continue;
		}
		if (lf == s || lf[-1] != '\r' || memchr(s, '\0', n) || memchr(s, '\r', n - 2))
			return invalid(p, "multipart: a header line is malformed");
		*used += n;
		if (n == 2) {
			*line = NULL;
			p->skip = 2;
		} else {
			*line = s;
			lf[-1] = '\0';
			p->from += n;
		}
		return ERR_OK;
	}
}

/* Undoes what browsers do to quotes and line ends in names (HTML, "multipart/form-data encoding algorithm"). They leave '%' itself alone. */
static void undo_escapes(char *s)
{
	static const struct { const char *from; char to; } escape[] = { { "%22", '"' }, { "%0d", '\r' }, { "%0a", '\n' } };
	char *out = s;
	while (*s) {
		size_t i = 0;
		while (i < 3 && !text_starts_nocase(s, escape[i].from))
			i++;
		*out++ = i < 3 ? escape[i].to : *s;
		s += i < 3 ? 3 : 1;
	}
	*out = '\0';
}

static bool copy_text(char *out, size_t size, const char *s)
{
	size_t n = strlen(s);
	if (n < size)
		memcpy(out, s, n + 1);
	return n < size;
}

/* What has been seen of a part's Content-Disposition. */
struct seen {
	bool disposition, name, ext;
};

static enum err disposition_param(struct parser *p, const struct field_param *param, struct multipart_part *part, struct seen *seen)
{
	char text[MULTIPART_HEADER_MAX + 1];
	bool fits = true;
	if (field_param_is(param, "filename*")) {
		part->is_file = true;
		if (field_ext_value(param, text)) {
			seen->ext = true;
			fits = copy_text(part->filename, sizeof part->filename, text);
		}
	} else if (field_param_is(param, "name") || (field_param_is(param, "filename") && !seen->ext)) {
		bool name = field_param_is(param, "name");
		field_unquote(param, text);
		undo_escapes(text);
		seen->name |= name;
		part->is_file |= !name;
		fits = name ? copy_text(part->name, sizeof part->name, text) : copy_text(part->filename, sizeof part->filename, text);
	}
	return fits ? ERR_OK : invalid(p, "multipart: the name of a part is too long");
}

static enum err disposition(struct parser *p, const char *value, struct multipart_part *part, struct seen *seen)
{
	if (seen->disposition || !field_media_type_is(value, "form-data"))
		return invalid(p, "multipart: a part needs one Content-Disposition: form-data");
	seen->disposition = true;
	struct field_param param;
	int more;
	for (const char *s = value + strcspn(value, ";"); (more = field_param_next(&s, &param)) == 1; ) {
		enum err e = disposition_param(p, &param, part, seen);
		if (e)
			return e;
	}
	return more < 0 ? invalid(p, "multipart: a Content-Disposition is malformed") : ERR_OK;
}

static enum err header(struct parser *p, char *line, struct multipart_part *part, struct seen *seen)
{
	char *colon = strchr(line, ':');
	if (!colon || colon == line || *line == ' ' || *line == '\t')
		return invalid(p, "multipart: a header line is malformed");
	*colon = '\0';
	size_t n = strlen(colon + 1);
	char *value = (char *)text_trim(colon + 1, &n);
	value[n] = '\0';
	if (text_eq_nocase(line, "Content-Disposition"))
		return disposition(p, value, part, seen);
	if (text_eq_nocase(line, "Content-Type")) {
		n = n < sizeof part->type ? n : sizeof part->type - 1;
		memcpy(part->type, value, n);
		part->type[n] = '\0';
	}
	return ERR_OK;
}

static enum err part_headers(struct parser *p, struct multipart_part *part)
{
	struct seen seen = { false, false, false };
	size_t used = 0;
	memset(part, 0, sizeof *part);
	for (;;) {
		char *line = NULL;
		enum err e = header_line(p, &line, &used);
		if (!e && !line)
			return seen.name ? ERR_OK : invalid(p, "multipart: a part has no name");
		if (!e)
			e = header(p, line, part, &seen);
		if (e)
			return e;
	}
}

static enum err part_read(struct parser *p, enum kind *kind)
{
	struct multipart_part part;
	if (++p->parts > MULTIPART_PARTS_MAX)
		return invalid(p, "multipart: too many parts");
	enum err e = part_headers(p, &part);
	if (!e)
		e = p->h->begin(p->h->arg, &part);
	if (!e)
		e = to_delimiter(p, kind);
	return e ? e : p->h->end(p->h->arg);
}

/* The web server wants its body read; what it is does not matter, nor whether it is cut. */
static void epilogue(struct parser *p)
{
	size_t n = p->to - p->from;
	ssize_t got = 1;
	while (got > 0 && n < MULTIPART_EPILOGUE_MAX) {
		got = p->body->read(p->body, p->buf, WINDOW);
		n += got > 0 ? (size_t)got : 0;
	}
}

enum err multipart_read(struct source *body, const char *boundary, const struct multipart_handler *h, const char **why)
{
	struct parser p = { .body = body, .h = h, .why = why };
	size_t n = strlen(boundary);
	assert(n > 0 && n <= BOUNDARY_MAX);
	*why = NULL;
	memcpy(p.delim, "\r\n--", 4);
	memcpy(p.delim + 4, boundary, n);
	p.delim_n = n + 4;
	p.buf = malloc(WINDOW);
	if (!p.buf)
		return ERR_NOMEM;
	memcpy(p.buf, "\r\n", 2);
	p.to = p.skip = 2;
	enum kind kind;
	enum err e = to_delimiter(&p, &kind);
	p.in_part = true;
	while (!e && kind == KIND_PART)
		e = part_read(&p, &kind);
	if (!e)
		epilogue(&p);
	free(p.buf);
	return e;
}
