/*
 * fuzz_request.c - the whole house, from CGI variables to rows and bytes: a dialogue of requests.
 *
 * Requests are divided by a line "====". Each: "METHOD target", lines "NAME: value" (as header HTTP_NAME, or =NAME for a variable as it is), an empty line,
 * the body. "$" at the beginning of a target is the path of the last Location; "@@" in a target or a body is the last upload_id. Headers X-Piece and X-Cut
 * say how the body comes. No input may cause an answer of 500, and what a client was told of its uploads stays true (told.h).
 * FUZZ_TELL=1 prints the dialogue.
 */
#include <ftw.h>
#include <unistd.h>

#include "app.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/source.h"
#include "base/text.h"
#include "fuzz.h"
#include "gateway/gateway.h"
#include "told.h"
#include "upload/upload.h"

#define INPUTS_A_HOUSE 2000
#define VARIABLES 64

static char dir[64], last[512], last_id[64];
static struct config *cfg;
static struct app *app;
static long inputs;

static int drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static void house_close(void)
{
	app_close(app);
	config_free(cfg);
	nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
	app = NULL;
}

static void house_open(void)
{
	static bool registered;
	char data[100];
	snprintf(dir, sizeof dir, "%s/fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir));
	snprintf(data, sizeof data, "DATA_DIR=%s", dir);
	char *env[] = {data, "REAP_INTERVAL=0", "MIN_FREE_SPACE=0", "LOG_LEVEL=error", "LOCK_WAIT_MS=20", NULL};
	cfg = config_load(env, stderr);
	MUST(cfg && app_open(cfg, false, &app) == ERR_OK);
	log_level_set((enum log_level)(LOG_ERROR + 1));
	if (!registered)
		atexit(house_close);
	registered = true;
}

/* One request as a list of variables. */
struct call_text {
	char *env[VARIABLES + 1];
	int n;
	struct source_mem body;
};

static void variable(struct call_text *c, const char *name, const char *value)
{
	char *s = NULL;
	if (c->n < VARIABLES && asprintf(&s, "%s=%s", name, value) >= 0)
		c->env[c->n++] = s;
}

static void header(struct call_text *c, char *line)
{
	char *value = strchr(line, ':'), name[200] = "HTTP_";
	if (!value)
		return;
	*value++ = '\0';
	value += *value == ' ';
	if (strcmp(line, "X-Piece") == 0)
		c->body.piece = (size_t)atoi(value);
	else if (strcmp(line, "X-Cut") == 0)
		c->body.cut = true;
	else if (line[0] == '=')
		variable(c, line + 1, value);
	else {
		snprintf(name + 5, sizeof name - 5, "%s", line);
		for (char *p = name; *p; p++)
			*p = *p == '-' ? '_' : (char)(*p >= 'a' && *p <= 'z' ? *p - 32 : *p);
		variable(c, strcmp(name, "HTTP_CONTENT_TYPE") == 0 ? "CONTENT_TYPE" : name, value);
	}
}

static void first_line(struct call_text *c, char *line)
{
	char *target = strchr(line, ' '), full[3000];
	if (target)
		*target++ = '\0';
	variable(c, "REQUEST_METHOD", line);
	if (target && target[0] == '$')
		snprintf(full, sizeof full, "%s%s", last, target + 1);
	else
		snprintf(full, sizeof full, "%s", target ? target : "/");
	variable(c, "REQUEST_URI", full);
	variable(c, "REMOTE_ADDR", "127.0.0.1");
	variable(c, "HTTP_HOST", "localhost");
}

/* Takes a request apart in place; its text is NUL-terminated at end. */
static void taken_apart(struct call_text *c, char *text, char *end)
{
	char *line = text;
	bool first = true;
	while (line < end && *line != '\n') {
		char *next = memchr(line, '\n', (size_t)(end - line));
		if (next)
			*next = '\0';
		if (first)
			first_line(c, line);
		else
			header(c, line);
		first = false;
		line = next ? next + 1 : end;
	}
	line = line < end ? line + 1 : end;
	c->body.p = (const unsigned char *)line;
	c->body.n = (size_t)(end - line);
	c->body.s.length = c->body.cut ? (int64_t)c->body.n + 10 : (int64_t)c->body.n;
}

static bool known(int status)
{
	static const int statuses[] = {200, 201, 204, 206, 304, 400, 401, 403, 404, 405, 408, 409, 410, 411, 412, 413, 414, 415, 416, 421, 422, 423, 431, 501, 503, 507};
	for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (statuses[i] == status)
			return true;
	return false;
}

/* The path of a new resource, NULL if none was made. */
static const char *answered(const struct http_req *req, struct http_res *res)
{
	const char *made = NULL, *id;
	const char *location = http_res_get(res, "Location");
	if (!known(res->status))
		fprintf(stderr, "%s %s: %d %.300s\n", req->method_text, req->target, res->status, res->body ? res->body : "");
	MUST(known(res->status));
	for (int i = 0; i < res->nheader; i++)
		MUST(!strpbrk(res->header[i].name, "\r\n: ") && !strpbrk(res->header[i].value, "\r\n"));
	if (getenv("FUZZ_TELL"))
		fprintf(stderr, "%s %s: %d %.100s\n", req->method_text, req->target, res->status, res->body ? res->body : "");
	if (res->status == 201 && location) {
		const char *path = strstr(location, "://") ? strchr(strstr(location, "://") + 3, '/') : location;
		snprintf(last, sizeof last, "%s", path ? path : "/");
		made = last;
	}
	if (res->body && (id = strstr(res->body, "\"upload_id\":\"")))
		snprintf(last_id, sizeof last_id, "%.*s", (int)strcspn(id + 13, "\""), id + 13);
	if (res->file_fd >= 0)
		close(res->file_fd);
	res->file_fd = -1;
	if (res->after)
		res->after(res->after_arg);
	return made;
}

/* text with last_id for each "@@", NUL-terminated; *n is its size before and after. */
static char *with_id(struct arena *a, const char *text, size_t *n)
{
	struct buf b;
	const char *end = text + *n, *at;
	buf_init(&b, 1 << 18);
	while ((at = memmem(text, (size_t)(end - text), "@@", 2))) {
		buf_add(&b, text, (size_t)(at - text));
		buf_puts(&b, last_id);
		text = at + 2;
	}
	buf_add(&b, text, (size_t)(end - text));
	char *out = arena_strndup(a, b.p ? b.p : "", b.n);
	*n = b.n;
	buf_free(&b);
	MUST(out);
	return out;
}

/* A tus upload of its own, which goes on under its own path. */
static bool is_upload(const struct http_req *req, const char *made)
{
	return made && req->nseg == 1 && strcmp(req->seg[0], "files") == 0 && strncmp(made, "/files/_", 8) == 0;
}

static void request(struct arena *a, char *text, char *end)
{
	struct call_text c = {0};
	struct http_req req;
	struct http_res res;
	size_t n = (size_t)(end - text);
	text = with_id(a, text, &n);
	source_mem_init(&c.body, "", 0);
	taken_apart(&c, text, text + n);
	gateway_req_from_env(&req, a, c.env, cfg->base_path);
	req.body = &c.body.s;
	http_res_init(&res);
	app_handle(app, &req, &res);
	const char *made = answered(&req, &res);
	told_after(&req, (const char *)c.body.p, c.body.n, is_upload(&req, made) ? made : NULL);
	for (int i = 0; i < c.n; i++)
		free(c.env[i]);
	arena_reset(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_open(1 << 20);
	char *s = fuzz_text(p, n), *at = s, *end = s + n;
	if (inputs++ % INPUTS_A_HOUSE == 0) {
		if (app)
			house_close();
		house_open();
	}
	strcpy(last, "/files/");
	strcpy(last_id, "x");
	told_begin(app, cfg);
	MUST(a);
	for (int i = 0; at < end && i < 20; i++) {
		char *next = memmem(at, (size_t)(end - at), "\n====\n", 6);
		if (next)
			*next = '\0';
		request(a, at, next ? next : end);
		at = next ? next + 6 : end;
	}
	told_end();
	arena_close(a);
	free(s);
	return 0;
}
