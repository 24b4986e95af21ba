/*
 * ctl_http_answer.c - reads an answer of HTTP/1.1: status line, headers, body, with a time until which it has to be there.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "ctl_http.h"

#define ANSWER_MAX (1 << 20)

static const char *header_in(struct arena *a, const char *head, const char *name, int nth)
{
	size_t n = strlen(name);
	for (const char *p = strstr(head, "\r\n"); p; p = strstr(p, "\r\n")) {
		p += 2;
		if (strncasecmp(p, name, n) != 0 || p[n] != ':' || nth-- > 0)
			continue;
		size_t len = strcspn(p + n + 1, "\r");
		const char *v = text_trim(p + n + 1, &len);
		return arena_strndup(a, v, len);
	}
	return NULL;
}

const char *ctl_http_header(struct ctl_http *h, const struct ctl_answer *r, const char *name, int n)
{
	return header_in(h->a, r->head, name, n);
}

/* The data of a chunked body, in its place. */
static size_t unchunk(char *p, size_t n)
{
	char *from = p, *end = p + n, *to = p;
	while (from < end) {
		char *data;
		size_t len = strtoul(from, &data, 16);
		data = memchr(data, '\n', (size_t)(end - data));
		if (!data || len == 0 || len > (size_t)(end - data - 1))
			break;
		memmove(to, data + 1, len);
		to += len;
		from = data + 1 + len;
		from += strspn(from, "\r\n");
	}
	*to = '\0';
	return (size_t)(to - p);
}

static void read_body(struct ctl_conn *c, struct ctl_answer *r, struct buf *b, size_t at, int64_t until)
{
	struct arena *a = c->h->a;
	const char *length = header_in(a, r->head, "Content-Length", 0), *coding = header_in(a, r->head, "Transfer-Encoding", 0);
	size_t want = length ? strtoul(length, NULL, 10) : SIZE_MAX;
	if (c->bodiless || r->status == 204 || r->status == 304)
		return;
	while (b->n - at < want && ctl_http_more(c, b, until))
		;
	char *body = arena_strndup(a, b->p + at, b->n - at);
	if (!body)
		return;
	r->body = body;
	r->body_len = coding && strcasecmp(coding, "chunked") == 0 ? unchunk(body, b->n - at) : b->n - at;
}

/* Status line and headers of the next answer: where its body begins, 0 if none comes. */
static size_t read_head(struct ctl_conn *c, struct ctl_answer *r, struct buf *b, size_t from, int64_t until)
{
	char *end;
	while (!b->p || b->n <= from || !(end = strstr(b->p + from, "\r\n\r\n")))
		if (!ctl_http_more(c, b, until))
			return 0;
	r->head = arena_strndup(c->h->a, b->p + from, (size_t)(end + 2 - (b->p + from)));
	if (!r->head || !text_starts(r->head, "HTTP/1.") || strlen(r->head) < 12)
		return 0;
	r->status = (int)strtol(r->head + 9, NULL, 10);
	return (size_t)(end + 4 - b->p);
}

struct ctl_answer ctl_http_answer(struct ctl_conn *c, int ms)
{
	struct ctl_answer r = {.head = "", .body = "", .why = "no answer came"};
	int64_t until = clock_mono_us() / 1000 + ms;
	struct buf b;
	buf_init(&b, ANSWER_MAX);
	size_t at = read_head(c, &r, &b, 0, until);
	while (at && r.status >= 100 && r.status < 200) {
		r.continued = true;
		r.status = 0;
		at = read_head(c, &r, &b, at, until);
	}
	if (at) {
		read_body(c, &r, &b, at, until);
		r.ours = text_eq(header_in(c->h->a, r.head, "X-Request-ID", 0), c->h->id);
	} else {
		r.status = 0;
		r.head = "";
	}
	buf_free(&b);
	return r;
}
