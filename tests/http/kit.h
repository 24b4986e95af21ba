/*
 * kit.h - the whole house without a web server: an app over a scratch folder, requests from literals, bodies that come whole, in pieces, cut or late.
 *
 * A kit is one client. Its last answer stands in it until the next request. kit_client gives a second client of the same app, for another thread.
 */
#ifndef TESTS_HTTP_KIT_H
#define TESTS_HTTP_KIT_H

#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "upload/upload.h"

#define KIT_HEADERS 32
#define KIT_ENV 40
#define OCTETS "Content-Type: application/offset+octet-stream\n"

/* ---- bodies ---- */

/* A body that waits after some bytes until it is opened or stopped. */
struct gate {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool waiting, open, stopped;
};

struct kit_body {
	struct source s;
	const unsigned char *p;
	size_t n, piece, split;
	bool cut, unproven;
	struct gate *gate;
};

struct kit {
	char dir[256];
	struct config *cfg;
	struct app *app;
	bool guest;                 /* shares the app of another kit */
	struct arena *a;
	/* how the next request goes; forgotten after it */
	size_t piece;               /* bytes a read at most, 0: all at once */
	size_t split;               /* no read crosses this position, 0: none */
	int64_t cut;                /* bytes that come before the body breaks off, -1: it does not */
	bool chunked;               /* no announced length */
	bool unproven;              /* nor a proof of its end (plain CGI) */
	bool https;
	const char *user, *addr;    /* REMOTE_USER; REMOTE_ADDR (127.0.0.1) */
	const char *host;           /* testserver; "" none */
	struct gate *gate;
	void (*around)(bool begin); /* called before and after the house itself works; NULL: not asked. Not forgotten */
	/* the last answer */
	struct http_res res;
	int status;
	char *body;
	size_t len;
	struct json *json;
	int64_t taken;              /* bytes of its body that were read */
};

static inline void gate_init(struct gate *g)
{
	*g = (struct gate){.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
}

static inline void gate_open(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->open = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

/* Waits until somebody reads at the gate. */
static inline void gate_reached(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (!g->waiting)
		pthread_cond_wait(&g->changed, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static inline void gate_stop(struct source *s)
{
	struct gate *g = ((struct kit_body *)s->self)->gate;
	if (!g)
		return;
	pthread_mutex_lock(&g->lock);
	g->stopped = true;
	pthread_cond_broadcast(&g->changed);
	pthread_mutex_unlock(&g->lock);
}

static inline bool gate_pass(struct gate *g)
{
	pthread_mutex_lock(&g->lock);
	g->waiting = true;
	pthread_cond_broadcast(&g->changed);
	while (!g->open && !g->stopped)
		pthread_cond_wait(&g->changed, &g->lock);
	bool pass = g->open && !g->stopped;
	pthread_mutex_unlock(&g->lock);
	return pass;
}

static inline ssize_t kit_read(struct source *s, void *buf, size_t n)
{
	struct kit_body *b = s->self;
	size_t left = b->n - (size_t)s->taken;
	if (left == 0) {
		if (b->gate && !gate_pass(b->gate))
			b->cut = true;
		s->complete = !b->cut && !b->unproven;
		return b->cut ? -1 : 0;
	}
	if (n > left)
		n = left;
	if (b->piece && n > b->piece)
		n = b->piece;
	if ((size_t)s->taken < b->split && (size_t)s->taken + n > b->split)
		n = b->split - (size_t)s->taken;
	memcpy(buf, b->p + s->taken, n);
	s->taken += (int64_t)n;
	return (ssize_t)n;
}

static inline void kit_body_init(const struct kit *k, struct kit_body *b, const void *p, size_t n)
{
	*b = (struct kit_body){.p = p, .n = n, .piece = k->piece, .split = k->split, .unproven = k->unproven, .gate = k->gate};
	b->s = (struct source){.read = kit_read, .stop = gate_stop, .length = k->chunked ? -1 : (int64_t)n, .self = b};
	if (k->cut >= 0) {
		b->n = (size_t)k->cut < n ? (size_t)k->cut : n;
		b->cut = !k->gate;
	}
}

/* ---- opening and closing ---- */

static inline int kit_unlink(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

/* Memory is as good as a disk here, and faster. */
static inline void kit_dir(char out[256])
{
	const char *top = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	snprintf(out, 256, "%s/house-XXXXXX", top);
	assert_non_null(mkdtemp(out));
}

static inline void kit_forget(struct kit *k)
{
	k->piece = k->split = 0;
	k->cut = -1;
	k->chunked = k->unproven = k->https = false;
	k->user = NULL;
	k->addr = "127.0.0.1";
	k->host = "testserver";
	k->gate = NULL;
}

static inline bool kit_given(const char *const *more, const char *own)
{
	size_t n = strcspn(own, "=") + 1;
	for (int i = 0; more && more[i]; i++)
		if (strncmp(more[i], own, n) == 0)
			return true;
	return false;
}

static inline void kit_start(struct kit *k, const char *const *more)
{
	static const char *const own[] = {"ENVIRONMENT=development", "REAP_INTERVAL=0", "LOG_LEVEL=error", "MIN_FREE_SPACE=0"};
	char data[300];
	char *env[KIT_ENV] = {data};
	int n = 1;
	snprintf(data, sizeof data, "DATA_DIR=%s", k->dir);
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (!kit_given(more, own[i]))
			env[n++] = (char *)own[i];
	for (int i = 0; more && more[i]; i++)
		env[n++] = (char *)more[i];
	k->cfg = config_load(env, stderr);
	assert_non_null(k->cfg);
	assert_int_equal(app_open(k->cfg, false, &k->app), ERR_OK);
}

static inline struct kit *kit_blank(void)
{
	struct kit *k = calloc(1, sizeof *k);
	assert_non_null(k);
	k->a = arena_open(1 << 20);
	kit_forget(k);
	return k;
}

/* env: settings besides the kit's own, "NAME=VALUE", NULL-terminated, or NULL. */
static inline struct kit *kit_env(const char *const *env)
{
	struct kit *k = kit_blank();
	kit_dir(k->dir);
	kit_start(k, env);
	return k;
}

#define KIT(...) kit_env((const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

static inline struct kit *kit_client(const struct kit *of)
{
	struct kit *k = kit_blank();
	k->app = of->app;
	k->cfg = of->cfg;
	k->guest = true;
	return k;
}

static inline void kit_stop(struct kit *k)
{
	app_close(k->app);
	config_free(k->cfg);
	k->app = NULL;
	k->cfg = NULL;
}

/* The process ends and another one begins over the same data. */
static inline void kit_restart(struct kit *k, const char *const *env)
{
	kit_stop(k);
	kit_start(k, env);
}

static inline void kit_done(struct kit *k)
{
	free(k->body);
	json_free(k->json);
	arena_close(k->a);
	if (!k->guest) {
		kit_stop(k);
		clock_shift(0);
		nftw(k->dir, kit_unlink, 16, FTW_DEPTH | FTW_PHYS);
	}
	free(k);
}

static inline struct house *kit_house(const struct kit *k)
{
	return app_house(k->app);
}

/* ---- asking ---- */

/* Lines "Name: value". */
static inline int kit_headers(struct kit *k, const char *text, struct http_header *h)
{
	int n = 0;
	while (text && *text) {
		size_t line = strcspn(text, "\n"), name = strcspn(text, ":"), len = line - name - 1;
		const char *value = text_trim(text + name + 1, &len);
		assert_true(name < line && n < KIT_HEADERS);
		h[n++] = (struct http_header){arena_strndup(k->a, text, name), arena_strndup(k->a, value, len)};
		text += line + (text[line] == '\n');
	}
	return n;
}

static inline void kit_take_file(struct kit *k)
{
	k->len = (size_t)k->res.file_len;
	k->body = malloc(k->len + 1);
	assert_non_null(k->body);
	for (size_t got = 0; got < k->len;) {
		ssize_t n = pread(k->res.file_fd, k->body + got, k->len - got, k->res.file_off + (off_t)got);
		assert_true(n > 0);
		got += (size_t)n;
	}
	k->body[k->len] = '\0';
}

static inline void kit_around(const struct kit *k, bool begin)
{
	if (k->around)
		k->around(begin);
}

/* What a door would send. */
static inline void kit_take_answer(struct kit *k, enum http_method m)
{
	bool bodiless = m == HTTP_HEAD || k->res.status == 204 || k->res.status == 304;
	k->status = k->res.status;
	k->len = 0;
	if (!bodiless && k->res.file_fd >= 0) {
		kit_take_file(k);
	} else {
		k->len = bodiless ? 0 : k->res.body_len;
		k->body = malloc(k->len + 1);
		assert_non_null(k->body);
		if (k->len)
			memcpy(k->body, k->res.body, k->len);
		k->body[k->len] = '\0';
	}
	if (k->res.file_fd >= 0)
		close(k->res.file_fd);
	k->res.file_fd = -1;
	kit_around(k, true);
	if (k->res.after)
		k->res.after(k->res.after_arg);
	kit_around(k, false);
}

/* One request; headers: lines "Name: value"; nothing is added but Host. Returns the status. */
static inline int kit_raw(struct kit *k, const char *method, const char *target, const char *headers, const void *body, size_t n)
{
	struct http_header h[KIT_HEADERS + 1];
	struct http_req req = {.method = http_method_parse(method), .method_text = method, .target = target, .remote_user = k->user,
		.remote_addr = k->addr, .https = k->https, .arena = k->a};
	struct kit_body b;
	free(k->body);
	json_free(k->json);
	k->body = NULL;
	k->json = NULL;
	arena_reset(k->a);
	/* A door refuses a body that is longer than what it has been told; the app sees such a one only without an announced length. */
	kit_body_init(k, &b, body ? body : "", n);
	req.nheader = kit_headers(k, headers, h);
	if (*k->host)
		h[req.nheader++] = (struct http_header){"Host", k->host};
	req.header = h;
	req.body = &b.s;
	req.content_type = http_header(&req, "Content-Type");
	req.host = http_header(&req, "Host");
	http_req_route(&req, k->cfg->base_path);
	http_res_init(&k->res);
	kit_around(k, true);
	app_handle(k->app, &req, &k->res);
	kit_around(k, false);
	kit_take_answer(k, req.method);
	k->taken = b.s.taken;
	kit_forget(k);
	return k->status;
}

/* The same as a tus client speaks: with its version, and PATCH with its type. */
static inline int kit_tus(struct kit *k, const char *method, const char *target, const char *headers, const void *body, size_t n)
{
	char all[9000];
	bool typed = strcmp(method, "PATCH") == 0 || (strcmp(method, "POST") == 0 && (n > 0 || k->chunked));
	snprintf(all, sizeof all, "Tus-Resumable: 1.0.0\n%s%s", typed && !(headers && strstr(headers, "Content-Type:")) ? OCTETS : "", headers ? headers : "");
	return kit_raw(k, method, target, all, body, n);
}

static inline int kit_get(struct kit *k, const char *target)
{
	return kit_raw(k, "GET", target, NULL, NULL, 0);
}

static inline const char *kit_h(const struct kit *k, const char *name)
{
	return http_res_get(&k->res, name);
}

/* ---- looking at the answer ---- */

static inline void kit_expect(const struct kit *k, int status, const char *file, int line)
{
	if (k->status == status)
		return;
	print_error("status %d, expected %d: %.300s\n", k->status, status, k->body ? k->body : "");
	_fail(file, line);
}

#define EXPECT(k, status_, call) ((void)(call), kit_expect(k, status_, __FILE__, __LINE__))

static inline void kit_expect_header(const struct kit *k, const char *name, const char *value, const char *file, int line)
{
	const char *have = kit_h(k, name);
	if (text_eq(have, value))
		return;
	print_error("%s: '%s', expected '%s' (status %d: %.300s)\n", name, have ? have : "(absent)", value ? value : "(absent)", k->status, k->body);
	_fail(file, line);
}

/* value NULL: absent. */
#define HEADER(k, name, value) kit_expect_header(k, name, value, __FILE__, __LINE__)

static inline const struct json *kit_json(struct kit *k)
{
	if (!k->json)
		k->json = json_parse(k->body, k->len);
	if (!k->json) {
		print_error("not JSON: %.300s\n", k->body);
		fail();
	}
	return k->json;
}

static inline int64_t kit_int(struct kit *k, const char *key)
{
	int64_t v = INT64_MIN;
	if (!json_int(json_get(kit_json(k), key), &v))
		print_error("no number %s in %.300s\n", key, k->body);
	return v;
}

static inline const char *kit_str(struct kit *k, const char *key)
{
	const char *s = json_str(json_get(kit_json(k), key));
	return s ? s : "(none)";
}

static inline bool kit_bool(struct kit *k, const char *key)
{
	bool v = false;
	if (!json_bool(json_get(kit_json(k), key), &v))
		print_error("no truth value %s in %.300s\n", key, k->body);
	return v;
}

/* ---- forms ---- */

#define FORM_BOUNDARY "----kit7MA4YWxk"
#define FORM_TYPE "Content-Type: multipart/form-data; boundary=" FORM_BOUNDARY "\n"

struct form_text {
	struct buf b;
};

static inline void form_begin(struct form_text *f)
{
	buf_init(&f->b, 64 << 20);
}

static inline void form_add(struct form_text *f, const char *name, const char *value)
{
	buf_printf(&f->b, "--" FORM_BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n%s\r\n", name, value);
}

static inline void form_add_int(struct form_text *f, const char *name, int64_t value)
{
	char text[24];
	snprintf(text, sizeof text, "%lld", (long long)value);
	form_add(f, name, text);
}

static inline void form_add_file(struct form_text *f, const char *name, const char *filename, const char *type, const void *p, size_t n)
{
	buf_printf(&f->b, "--" FORM_BOUNDARY "\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n", name, filename);
	if (type)
		buf_printf(&f->b, "Content-Type: %s\r\n", type);
	buf_puts(&f->b, "\r\n");
	buf_add(&f->b, p, n);
	buf_puts(&f->b, "\r\n");
}

/* Sends the form, with its closing boundary, and frees it. */
static inline int form_send(struct kit *k, const char *target, const char *headers, struct form_text *f)
{
	char all[1024];
	buf_puts(&f->b, "--" FORM_BOUNDARY "--\r\n");
	assert_false(f->b.failed);
	snprintf(all, sizeof all, FORM_TYPE "%s", headers ? headers : "");
	int status = kit_raw(k, "POST", target, all, f->b.p, f->b.n);
	buf_free(&f->b);
	return status;
}

/* The recorder's chunk: total 0: a live one. file_first: the fields follow the file. */
static inline int kit_chunk(struct kit *k, const char *sid, int64_t idx, int64_t total, const void *p, size_t n, bool file_first)
{
	struct form_text f;
	form_begin(&f);
	if (file_first)
		form_add_file(&f, "file", "blob", "audio/webm", p, n);
	form_add(&f, "session_id", sid);
	form_add_int(&f, "chunk_index", idx);
	if (total > 0)
		form_add_int(&f, "total_chunks", total);
	if (!file_first)
		form_add_file(&f, "file", "blob", "audio/webm", p, n);
	return form_send(k, "/upload/chunk", NULL, &f);
}

/* meta: a JSON object text or NULL. */
static inline int kit_complete(struct kit *k, const char *sid, const char *file_name, const char *meta)
{
	struct form_text f;
	form_begin(&f);
	form_add(&f, "session_id", sid);
	form_add(&f, "file_name", file_name);
	if (meta)
		form_add(&f, "metadata", meta);
	return form_send(k, "/recording/complete", NULL, &f);
}

/* ---- bytes and time ---- */

/* Different for each seed, and no two offsets alike for long. */
static inline void kit_fill(unsigned char *p, size_t n, uint32_t seed)
{
	uint32_t x = seed * 2654435761u + 1;
	for (size_t i = 0; i < n; i++) {
		if (i % 4 == 0)
			x = (x ^ (x << 13)) * 2246822519u + (uint32_t)i;
		p[i] = (unsigned char)(x >> (8 * (i % 4)));
	}
}

static inline unsigned char *kit_bytes(struct kit *k, size_t n, uint32_t seed)
{
	(void)k;
	unsigned char *p = test_malloc(n + 1);
	kit_fill(p, n, seed);
	return p;
}

static inline struct reap_count kit_reap(const struct kit *k)
{
	struct reap_count c;
	assert_int_equal(reap(kit_house(k), 100, true, &c), ERR_OK);
	return c;
}

static inline bool kit_count_part(void *arg, int64_t file, int64_t size, int64_t age)
{
	(void)file, (void)size, (void)age;
	++*(int *)arg;
	return true;
}

/* Part files on the disk. */
static inline int kit_parts(const struct kit *k)
{
	int n = 0;
	assert_int_equal(blob_each(kit_house(k)->blobs, kit_count_part, &n), ERR_OK);
	return n;
}

#endif
