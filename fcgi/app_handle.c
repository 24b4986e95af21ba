/*
 * app_handle.c - one request's way through the hall: guards, slots, route; then the one place where an error becomes an answer, and one log line.
 */
#include <string.h>
#include <unistd.h>

#include "app_priv.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "proto/proto_draft.h"
#include "routes.h"
#include "upload/ballast.h"

#define REAP_ONE_IN 100     /* requests of plain CGI */

/* ---- the way in ---- */

static bool slot_take(int *used, const int *max)
{
	if (__atomic_add_fetch(used, 1, __ATOMIC_RELAXED) <= __atomic_load_n(max, __ATOMIC_RELAXED))
		return true;
	__atomic_sub_fetch(used, 1, __ATOMIC_RELAXED);
	return false;
}

static void slot_give(int *used, bool taken)
{
	if (taken)
		__atomic_sub_fetch(used, 1, __ATOMIC_RELAXED);
}

/* A slot that lasts until the answer has left and what comes after it is done. */
struct lasting {
	int *used;
	void (*then)(void *arg);
	void *arg;
};

static void lasting_end(void *arg)
{
	struct lasting *l = arg;
	if (l->then)
		l->then(l->arg);
	slot_give(l->used, true);
}

static bool slot_lasts(struct call *c, int *used)
{
	struct lasting *l = arena_alloc(c->a, sizeof *l);
	if (!l)
		return false;
	*l = (struct lasting){used, c->res->after, c->res->after_arg};
	c->res->after = lasting_end;
	c->res->after_arg = l;
	return true;
}

/* To finish may mean to copy a whole recording, which keeps a thread for longer than a body may. Whoever came without one gets a slot for that only if there is
 * one: what was answered is in the ledger, and the tick's own thread is as good for the rest. */
static bool slot_for_after(struct app *app, struct call *c)
{
	if (slot_take(&app->bodies, &app->body_max))
		return true;
	c->res->after = NULL;
	__atomic_store_n(&app->unfinished, true, __ATOMIC_RELEASE);
	return false;
}

/* The slot of one request. */
struct hall {
	struct app *app;
	bool slot;
};

static bool slot_for_call(struct call *c)
{
	struct hall *l = c->hall;
	l->slot = l->slot || slot_take(&l->app->bodies, &l->app->body_max);
	return l->slot;
}

/* Bodies, downloads and finishing may not take the last threads: HEAD, status and the like always find one. */
static enum err admitted(struct app *app, struct call *c, const struct route *r)
{
	struct hall hall = {app, false};
	bool has_body = c->req->body->length != 0;
	bool begins = (r->flags & ROUTE_BEGINS) && has_body;
	c->hall = &hall;
	c->slot = slot_for_call;
	if (((r->flags & ROUTE_DOWNLOAD) || ((r->flags & ROUTE_BODY) && has_body)) && !slot_for_call(c))
		return ERR_BUSY;
	enum err e = begins && !slot_take(&app->begins, &app->begin_max) ? ERR_BUSY : ERR_OK;
	if (!e) {
		e = r->handle(c);
		if (e == ERR_NO_SPACE && c->req->method == HTTP_DELETE && ballast_spend(app->cfg))
			e = r->handle(c);
		slot_give(&app->begins, begins);
	}
	if (!hall.slot && c->res->after)
		hall.slot = slot_for_after(app, c);
	bool more = c->res->after || (!e && c->res->file_fd >= 0);
	if (hall.slot && !(more && slot_lasts(c, &app->bodies)))
		slot_give(&app->bodies, true);
	return e;
}

static enum err unmatched(struct call *c, const char *allow)
{
	if (c->req->method == HTTP_OPTIONS) {
		if (*allow)
			http_res_addf(c->res, c->a, "Allow", "%s, OPTIONS", allow);
		if (route_creates(c->req))
			draft_announce(c);
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
	if (flags & ROUTE_DRAFT)
		e = draft_meet(c, flags & ROUTE_BEGINS);
	if (!e && (flags & ROUTE_TUS) && !c->draft)
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
	return r ? admitted(app, c, r) : unmatched(c, allow);
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
	if (c->draft)
		draft_problem(c, e, o);
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
	http_res_set(c->res, "Content-Type", c->draft ? DRAFT_PROBLEM_TYPE : "application/json");
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
	/* On a 408 clients give up (tus-js-client goes on after 409, 423 and 5xx only); who is merely slow shall try again. */
	if (e == ERR_CUT && req->body->timed_out)
		e = ERR_SLOW;
	if (!e && res->failed)
		e = ERR_NOMEM;
	if (route != ROUTE_NONE)
		e = spare_head(&c, route_at(route), e);
	if (e && route != ROUTE_NONE)
		app_note_rejected(app, &c, route_at(route), e);
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
