/*
 * told.c - what a client was told of its uploads, and whether it still holds.
 */
#include "told.h"

#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "base/source.h"
#include "fuzz.h"
#include "gateway/gateway.h"
#include "http/field.h"

#define TOLD_MAX 3

static struct told {
	char path[512];
	char *bytes;                /* of which it was told that they are there */
	int64_t n;
	bool gone, whole;
} told[TOLD_MAX];
static int count;
static struct app *app;
static const struct config *cfg;
static struct arena *arena;

static void ask(const char *method, const char *path, struct http_res *res)
{
	char line[600], with[40];
	struct source_mem body;
	struct http_req req;
	snprintf(line, sizeof line, "REQUEST_URI=%s", path);
	snprintf(with, sizeof with, "REQUEST_METHOD=%s", method);
	char *env[] = {with, line, "REMOTE_ADDR=127.0.0.1", "HTTP_HOST=localhost", "HTTP_TUS_RESUMABLE=1.0.0", NULL};
	arena_reset(arena);
	gateway_req_from_env(&req, arena, env, cfg->base_path);
	source_mem_init(&body, "", 0);
	req.body = &body.s;
	http_res_init(res);
	app_handle(app, &req, res);
	if (res->after)
		res->after(res->after_arg);
}

static int64_t number(const struct http_res *res, const char *name)
{
	int64_t n = -1;
	const char *value = http_res_get(res, name);
	MUST(!value || num_u63(value, &n));
	return n;
}

static void downloaded(const struct told *t)
{
	struct http_res res;
	ask("GET", t->path, &res);
	MUST(res.status == 200);
	int64_t n = res.file_fd >= 0 ? res.file_len : (int64_t)res.body_len;
	char *bytes = malloc((size_t)n + 1);
	MUST(bytes && n == t->n);
	if (res.file_fd >= 0) {
		MUST(pread(res.file_fd, bytes, (size_t)n, res.file_off) == n);
		MUST(memcmp(bytes, t->bytes, (size_t)n) == 0);
		close(res.file_fd);
	} else {
		MUST(n == 0);
	}
	free(bytes);
}

static void compare(struct told *t, const struct http_req *req, const char *body, size_t n)
{
	struct http_res res;
	ask("HEAD", t->path, &res);
	if (res.status != 200) {
		MUST(res.status == 404 || res.status == 410);
		/* Who sends more than the length by the IETF draft loses the upload. */
		MUST(req->method == HTTP_DELETE || (req->method == HTTP_PATCH && field_media_type_is(req->content_type, "application/partial-upload")));
		t->gone = true;
		return;
	}
	int64_t now = number(&res, "Upload-Offset"), length = number(&res, "Upload-Length");
	MUST(now >= t->n);
	MUST(now - t->n <= (int64_t)n);
	MUST(length < 0 || now <= length);
	t->bytes = realloc(t->bytes, (size_t)now + 1);
	MUST(t->bytes);
	memcpy(t->bytes + t->n, body, (size_t)(now - t->n));
	t->n = now;
	if (now == length && !t->whole)
		downloaded(t);
	t->whole = now == length;
}

void told_begin(struct app *a, const struct config *c)
{
	app = a;
	cfg = c;
	count = 0;
	arena = arena_open(1 << 20);
	MUST(arena);
}

void told_after(const struct http_req *req, const char *body, size_t n, const char *made)
{
	for (int i = 0; i < count; i++)
		if (!told[i].gone)
			compare(&told[i], req, body, n);
	if (!made || count == TOLD_MAX)
		return;
	struct told *t = &told[count++];
	*t = (struct told){0};
	snprintf(t->path, sizeof t->path, "%s", made);
	compare(t, req, body, n);
	MUST(!t->gone);
}

void told_end(void)
{
	for (int i = 0; i < count; i++) {
		if (told[i].whole && !told[i].gone)
			downloaded(&told[i]);
		free(told[i].bytes);
	}
	arena_close(arena);
}
