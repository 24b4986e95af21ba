/*
 * app.c - the hall: opens the rooms, leads every request through the guards to its route, turns errors into answers, writes one log line.
 */
#include "app.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "guard.h"
#include "routes.h"
#include "upload/ballast.h"

#define REAP_ROWS 20
#define SCAN_EVERY 60       /* reaps between two looks for orphan files */
#define REAP_ONE_IN 100     /* requests of plain CGI */

struct app {
	const struct config *cfg;
	struct house house;
	struct guard_keys keys;
	bool once;
	int64_t started;
	int body_max, begin_max;    /* slots of this process */
	int bodies, begins;         /* in use, atomic */
	int64_t next_reap, reaps;
};

/* ---- opening ---- */

static enum err make_dirs(const char *path)
{
	char *p = strdup(path);
	enum err e = p ? ERR_OK : ERR_NOMEM;
	for (char *s = p; p && !e && s; ) {
		s = strchr(s + 1, '/');
		if (s)
			*s = '\0';
		if (mkdir(p, 0750) && errno != EEXIST) {
			log_event(LOG_ERROR, "app", "a folder cannot be made", "path", LS(p), "why", LS(strerror(errno)), NULL);
			e = err_from_errno(errno);
		}
		if (s)
			*s = '/';
	}
	free(p);
	return e;
}

static void set_slots(struct app *app)
{
	const struct config *cfg = app->cfg;
	int64_t workers = cfg->workers > 0 ? cfg->workers : 1;
	app->body_max = app->once ? 1 : (int)(cfg->threads - cfg->reserve_threads);
	app->begin_max = app->body_max;
	if (cfg->max_uploads > 0 && (cfg->max_uploads + workers - 1) / workers < app->begin_max)
		app->begin_max = (int)((cfg->max_uploads + workers - 1) / workers);
}

static void count_line(enum log_level level, void *arg)
{
	if (level == LOG_WARN)
		metrics_add(arg, M_LOG_WARN, 1);
	else if (level == LOG_ERROR)
		metrics_add(arg, M_LOG_ERROR, 1);
}

static enum err open_rooms(struct app *app)
{
	const struct config *cfg = app->cfg;
	const char *const dirs[] = {cfg->data_dir, cfg->db_dir, cfg->parts_dir, cfg->done_dir, cfg->run_dir};
	struct store_options so = {.dir = cfg->db_dir, .full = cfg->durability == DURABILITY_FULL, .once = app->once, .readers = 4};
	char path[4096];
	enum err e = ERR_OK;
	for (size_t i = 0; !e && i < sizeof dirs / sizeof *dirs; i++)
		e = make_dirs(dirs[i]);
	if (!e)
		ballast_open(cfg);
	if (!e)
		e = store_open(&so, &app->house.db);
	if (!e)
		e = blobs_open(cfg->parts_dir, cfg->done_dir, &app->house.blobs);
	if (!e)
		e = holds_open(cfg->run_dir, !app->once, &app->house.holds);
	if (!e)
		e = guard_keys_load(cfg->api_keys_file, &app->keys);
	if (e)
		return e;
	snprintf(path, sizeof path, "%s/metrics", cfg->run_dir);
	app->house.metrics = metrics_open(path, route_count() + 1);
	if (!app->house.metrics)
		return ERR_NOMEM;
	log_watch(count_line, app->house.metrics);
	return ERR_OK;
}

enum err app_open(const struct config *cfg, bool once, struct app **out)
{
	struct app *app = calloc(1, sizeof *app);
	if (!app)
		return ERR_NOMEM;
	app->cfg = app->house.cfg = cfg;
	app->once = once;
	app->started = clock_now();
	log_level_set((enum log_level)cfg->log_level);
	clock_shift(cfg->test_clock_offset);
	set_slots(app);
	enum err e = open_rooms(app);
	if (e) {
		log_event(LOG_ERROR, "app", "cannot start", "reason", LS(err_code(e)), NULL);
		app_close(app);
		return e;
	}
	if (!once)
		log_event(LOG_INFO, "app", blobs_same_device(app->house.blobs) ? "finishing is a rename" : "finishing is a copy to another device",
			"parts", LS(cfg->parts_dir), "done", LS(cfg->done_dir), NULL);
	*out = app;
	return ERR_OK;
}

void app_close(struct app *app)
{
	if (!app)
		return;
	log_watch(NULL, NULL);
	if (app->house.metrics)
		metrics_close(app->house.metrics);
	guard_keys_free(&app->keys);
	if (app->house.holds)
		holds_close(app->house.holds);
	if (app->house.blobs)
		blobs_close(app->house.blobs);
	if (app->house.db)
		store_close(app->house.db);
	free(app);
}

struct house *app_house(struct app *app)
{
	return &app->house;
}

/* ---- one request ---- */

static bool slot_take(int *used, int max)
{
	if (__atomic_add_fetch(used, 1, __ATOMIC_RELAXED) <= max)
		return true;
	__atomic_sub_fetch(used, 1, __ATOMIC_RELAXED);
	return false;
}

static void slot_give(int *used, bool taken)
{
	if (taken)
		__atomic_sub_fetch(used, 1, __ATOMIC_RELAXED);
}

/* A slot that lasts until the answer has left. */
struct lasting {
	int *used;
	void (*then)(void *arg);
	void *arg;
};

static void lasting_end(void *arg)
{
	struct lasting *l = arg;
	slot_give(l->used, true);
	if (l->then)
		l->then(l->arg);
}

/* A file is sent after the handler has returned: its slot is given back then. */
static bool slot_lasts(struct call *c, int *used)
{
	struct lasting *l = c->res->file_fd >= 0 ? arena_alloc(c->a, sizeof *l) : NULL;
	if (!l)
		return false;
	*l = (struct lasting){used, c->res->after, c->res->after_arg};
	c->res->after = lasting_end;
	c->res->after_arg = l;
	return true;
}

/* Bodies and downloads may not take the last threads: HEAD, status and the like always find one. */
static enum err admitted(struct app *app, struct call *c, const struct route *r)
{
	bool has_body = c->req->body->length != 0;
	bool slot = (r->flags & ROUTE_DOWNLOAD) || ((r->flags & ROUTE_BODY) && has_body);
	bool begins = (r->flags & ROUTE_BEGINS) && has_body;
	if (slot && !slot_take(&app->bodies, app->body_max))
		return ERR_BUSY;
	enum err e = begins && !slot_take(&app->begins, app->begin_max) ? ERR_BUSY : ERR_OK;
	if (!e) {
		e = r->handle(c);
		if (e == ERR_NO_SPACE && c->req->method == HTTP_DELETE && ballast_spend(app->cfg))
			e = r->handle(c);
		slot_give(&app->begins, begins);
	}
	if (slot && !(e == ERR_OK && slot_lasts(c, &app->bodies)))
		slot_give(&app->bodies, true);
	return e;
}

static enum err unmatched(struct call *c, const char *allow)
{
	if (c->req->method == HTTP_OPTIONS) {
		if (*allow)
			http_res_addf(c->res, c->a, "Allow", "%s, OPTIONS", allow);
		return call_empty(c, 204);
	}
	if (!*allow)
		return ERR_NOT_FOUND;
	http_res_add(c->res, "Allow", allow);
	return ERR_METHOD;
}

static enum err guarded(struct app *app, struct call *c, const struct route *r)
{
	const struct config *cfg = app->cfg;
	unsigned flags = r ? r->flags : 0;
	enum err e = ERR_OK;
	if (!(flags & ROUTE_ANY_HOST))
		e = guard_host(cfg, c->req);
	if (!e && !(flags & ROUTE_ANY_HOST)) {
		e = guard_https(cfg, c->req);
		if (e)
			return call_refuse(c, e, "HTTPS is required");
	}
	if (e || c->req->method == HTTP_OPTIONS)
		return e;
	if (flags & ROUTE_TUS)
		e = guard_tus(c);
	if (!e)
		e = guard_identity(cfg, app->house.db, &app->keys, c);
	if (!e && cfg->require_auth && !(flags & ROUTE_PUBLIC) && !c->owner[0])
		e = ERR_UNAUTHENTICATED;
	return e;
}

/* tus-js-client answers any failed HEAD but 423 by starting again from byte 0: our own passing trouble must not cost the client its upload. */
static enum err spare_head(const struct call *c, const struct route *r, enum err e)
{
	if (c->req->method != HTTP_HEAD || !(r->flags & ROUTE_TUS) || err_status(e) < 500)
		return e;
	log_event(LOG_ERROR, "app", "HEAD failed, answering locked", "request_id", LS(c->request_id), "reason", LS(err_code(e)), NULL);
	return ERR_LOCKED;
}

static enum err serve(struct app *app, struct call *c, int *route)
{
	const char *allow = "";
	if (c->req->gateway_error)
		return call_refuse(c, ERR_INVALID, "%s", c->req->gateway_error);
	enum err e = guard_override(c->req);
	if (e)
		return e;
	*route = route_find(c->req, c->param, &allow);
	const struct route *r = *route == ROUTE_NONE ? NULL : route_at(*route);
	e = guarded(app, c, r);
	if (e)
		return e;
	return r ? spare_head(c, r, admitted(app, c, r)) : unmatched(c, allow);
}

/* ---- answers ---- */

static const char *retry_after(enum err e)
{
	switch (err_status(e)) {
	case 423:
		return "1";
	case 429:
	case 503:
		return "2";
	case 507:
		return "30";
	default:
		return NULL;
	}
}

/* The one place where an error becomes an answer. Headers that the handler has set stay. */
static void refuse(struct call *c, enum err e)
{
	struct json *o = json_obj();
	const char *again = retry_after(e);
	json_put_str(o, "detail", c->res->detail ? c->res->detail : err_sentence(e));
	json_put_str(o, "code", err_code(e));
	json_put_str(o, "request_id", c->request_id);
	char *text = json_text(o, c->a);
	json_free(o);
	if (text && c->res->extra) {
		text[strlen(text) - 1] = '\0';
		text = arena_printf(c->a, "%s,%s}", text, c->res->extra);
	}
	c->res->status = err_status(e);
	c->res->body = text ? text : "{\"detail\":\"Out of memory\",\"code\":\"no_memory\"}";
	c->res->body_len = strlen(c->res->body);
	if (c->res->file_fd >= 0)
		close(c->res->file_fd);
	c->res->file_fd = -1;
	http_res_set(c->res, "Content-Type", "application/json");
	http_res_set(c->res, "Cache-Control", "no-store");
	if (again)
		http_res_set(c->res, "Retry-After", again);
	if (e == ERR_UNAUTHENTICATED)
		http_res_set(c->res, "WWW-Authenticate", "Bearer realm=\"tus-fcgi\"");
}

static const char *request_id(const struct http_req *req, struct arena *a)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	const char *given = http_header(req, "X-Request-ID");
	unsigned char random[8];
	char *id;
	if (given && *given && strlen(given) <= 64 && given[strspn(given, good)] == '\0')
		return given;
	id = arena_alloc(a, 2 * sizeof random + 1);
	if (!id)
		return "-";
	digest_random(random, sizeof random);
	text_hex(random, sizeof random, id);
	return id;
}

static void write_log(const struct call *c, int route, enum err e, int64_t us)
{
	int status = c->res->status;
	enum log_level level = status >= 500 && status != 503 && status != 507 ? LOG_ERROR : LOG_INFO;
	log_event(level, "http", "request", "request_id", LS(c->request_id), "method", LS(c->req->method_text), "route", LS(route_label(route)),
		"target", LS(c->req->target), "status", LI(status), "reason", LS(e ? err_code(e) : ""), "detail", LS(c->res->detail ? c->res->detail : ""),
		"us", LI(us), "in", LI(c->req->body->taken), "owner", LS(c->owner ? c->owner : ""), "remote", LS(c->req->remote_addr ? c->req->remote_addr : ""), NULL);
}

static void reap_some(void *arg)
{
	struct app *app = arg;
	struct reap_count count;
	ballast_reap(&app->house, 5, false, &count);
}

void app_handle(void *self, struct http_req *req, struct http_res *res)
{
	struct app *app = self;
	struct call c = {.house = &app->house, .req = req, .res = res, .a = req->arena, .owner = OWNER_ANONYMOUS, .started = app->started,
		.route_label = route_label};
	int64_t from = clock_mono_us();
	int route = ROUTE_NONE;

	c.request_id = request_id(req, c.a);
	guard_cors(app->cfg, &c);
	enum err e = serve(app, &c, &route);
	if (!e && res->failed)
		e = ERR_NOMEM;
	if (e)
		refuse(&c, e);
	guard_headers(app->cfg, &c, guard_is_https(app->cfg, req));
	if (app->once && !res->after && clock_mono_us() % REAP_ONE_IN == 0) {
		res->after = reap_some;
		res->after_arg = app;
	}
	int64_t us = clock_mono_us() - from;
	metrics_request(app->house.metrics, route == ROUTE_NONE ? route_count() : route, (int)req->method, res->status, us, (int)e);
	write_log(&c, route, e, us);
}

/* ---- the process ---- */

void app_stop_bodies(void *self)
{
	struct app *app = self;
	__atomic_store_n(&app->house.stopping, true, __ATOMIC_RELAXED);
	holds_stop_all(app->house.holds);
}

int app_wake_fd(void *self)
{
	return holds_fd(((struct app *)self)->house.holds);
}

void app_wake(void *self)
{
	holds_poll(((struct app *)self)->house.holds);
}

void app_tick(void *self)
{
	struct app *app = self;
	struct reap_count count;
	int64_t now = clock_mono_us() / 1000000;
	if (app->cfg->reap_interval <= 0 || now < app->next_reap)
		return;
	app->next_reap = now + app->cfg->reap_interval;
	enum err e = ballast_reap(&app->house, REAP_ROWS, app->reaps++ % SCAN_EVERY == 0, &count);
	if (e)
		log_event(LOG_WARN, "app", "reaping failed", "reason", LS(err_code(e)), NULL);
}
