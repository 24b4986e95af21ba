/*
 * upload.c - the plain CGI door: one request, then the process ends. For hosts that run nothing else.
 *
 * Settings come from the environment that the web server gives and from the file that CONFIG_FILE names there. Arguments are
 * ignored: they may be a client's query string.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "app.h"
#include "base/config.h"
#include "base/log.h"
#include "gateway/gateway.h"

/* Without an application: an answer that lets every client try again and none begin anew. */
static void unavailable(void *self, struct http_req *req, struct http_res *res)
{
	static const char body[] = "{\"detail\":\"The upload service cannot start\",\"code\":\"unavailable\"}";
	(void)self;
	res->status = req->method == HTTP_HEAD ? 423 : 503;
	http_res_add(res, "Retry-After", "60");
	http_res_add(res, "Cache-Control", "no-store");
	http_res_add(res, "Content-Type", "application/json");
	res->body = body;
	res->body_len = sizeof body - 1;
}

int main(void)
{
	/* A limit on file sizes is an answer (507), not the end. */
	signal(SIGXFSZ, SIG_IGN);
	struct app *app = NULL;
	struct config *c = config_load(environ, stderr);
	enum err e = c ? app_open(c, true, &app) : ERR_INTERNAL;
	struct gateway_app door = {.handle = app_handle, .self = app, .base_path = c ? c->base_path : ""};
	if (!e) {
		door.wake_fd = app_wake_fd;
		door.wake = app_wake;
		door.read_timeout_ms = (int)c->read_timeout * 1000;
		door.min_rate = c->min_rate;
	} else {
		log_event(LOG_ERROR, "cgi", "cannot start", "reason", LS(err_code(e)), NULL);
		door.handle = unavailable;
	}
	int rc = gateway_cgi_once(&door);
	if (app)
		app_close(app);
	if (c)
		config_free(c);
	return rc;
}
