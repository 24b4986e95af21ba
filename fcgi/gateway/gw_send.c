/*
 * gw_send.c - one request through a door, and the one form of an answer that every web server understands.
 *
 * CGI answers have the same text at both doors. Status comes first, because a bare Location would be taken for a redirect.
 * The body is read before the first byte of the answer or not at all: nginx stops sending it once it saw the answer, and a
 * reader that waits for more would wait for ever.
 */
#include "gateway/gw.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#define HEAD_MAX (64 * 1024)
#define PACE_LATE_US 3000000    /* so much later than it is due a wait that lasts too long is ended, at most */

static atomic_bool stopping;
static atomic_int drainers;
static int drainers_max = 1;

bool gateway_stopping(void)
{
	return atomic_load_explicit(&stopping, memory_order_relaxed);
}

void gw_stopping_set(void)
{
	atomic_store(&stopping, true);
}

/* nginx passes our line on as it is, and some clients insist on a phrase. */
static const struct { int status; const char *phrase; } phrases[] = {
	{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"}, {206, "Partial Content"},
	{301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"}, {304, "Not Modified"}, {307, "Temporary Redirect"},
	{308, "Permanent Redirect"}, {400, "Bad Request"}, {401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"},
	{405, "Method Not Allowed"}, {406, "Not Acceptable"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"}, {413, "Content Too Large"}, {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"},
	{421, "Misdirected Request"}, {422, "Unprocessable Content"}, {423, "Locked"}, {429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"}, {460, "Checksum Mismatch"}, {500, "Internal Server Error"},
	{501, "Not Implemented"}, {503, "Service Unavailable"}, {507, "Insufficient Storage"},
};

static const char *phrase_of(int status)
{
	for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Status";
}

static bool bodiless(int status)
{
	return status == 204 || status == 304;
}

static int64_t body_length(const struct http_res *res)
{
	return res->file_fd >= 0 ? res->file_len : (int64_t)res->body_len;
}

/* nginx passes even Content-Length: 0 of a 204 on, so what must not be there is not sent. */
static bool sends_header(const struct http_res *res, const char *name)
{
	if (text_eq_nocase(name, "Content-Length"))
		return false;
	return !(bodiless(res->status) && text_eq_nocase(name, "Content-Type"));
}

static void put_head(struct buf *b, const struct http_req *req, const struct http_res *res)
{
	int64_t length = req->method == HTTP_HEAD ? res->head_len : body_length(res);
	buf_printf(b, "Status: %d %s\r\n", res->status, phrase_of(res->status));
	for (int i = 0; i < res->nheader; i++)
		if (sends_header(res, res->header[i].name))
			buf_printf(b, "%s: %s\r\n", res->header[i].name, res->header[i].value);
	if (length >= 0 && !bodiless(res->status))
		buf_printf(b, "Content-Length: %lld\r\n", (long long)length);
	buf_puts(b, "\r\n");
}

static void send_file(struct gw_door *d, const struct http_res *res)
{
	char *piece = malloc(GW_PIECE);
	int64_t off = res->file_off, end = res->file_off + res->file_len;
	while (piece && off < end) {
		ssize_t n = pread(res->file_fd, piece, end - off < GW_PIECE ? (size_t)(end - off) : GW_PIECE, off);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			log_event(LOG_ERROR, "gateway", "a file ended while it was sent", "errno", LI(n < 0 ? errno : 0), "left", LI(end - off), NULL);
			break;
		}
		if (!d->write(d, piece, (size_t)n))
			break;
		off += n;
	}
	free(piece);
}

void gw_send(struct gw_door *d, const struct http_req *req, struct http_res *res)
{
	struct buf head;
	if (res->status < 200) {
		log_event(LOG_ERROR, "gateway", "no status was set", "status", LI(res->status), NULL);
		res->status = 500;
	}
	buf_init(&head, HEAD_MAX);
	put_head(&head, req, res);
	bool ok = !head.failed && d->write(d, head.p, head.n);
	if (head.failed)
		log_event(LOG_ERROR, "gateway", "the head of an answer is too large", NULL);
	if (ok && req->method != HTTP_HEAD && !bodiless(res->status)) {
		if (res->file_fd >= 0)
			send_file(d, res);
		else if (res->body_len > 0)
			d->write(d, res->body, res->body_len);
	}
	buf_free(&head);
	if (res->file_fd >= 0)
		close(res->file_fd);
	res->file_fd = -1;
}

void gw_drain(struct gw_door *d, int64_t max, int ms, int idle_ms)
{
	char piece[8192];
	int64_t now = clock_mono_us(), deadline = now + (int64_t)ms * 1000, idle = now + (int64_t)idle_ms * 1000;
	/* Behind the last byte a peer may keep the connection open. */
	if (d->body.length >= 0 && max > d->body.length - d->body.taken)
		max = d->body.length - d->body.taken;
	while (max > 0 && !gateway_stopping()) {
		now = clock_mono_us();
		int64_t left = ((deadline < idle ? deadline : idle) - now) / 1000;
		/* short turns, so that a stop is noticed */
		if (left <= 0)
			return;
		if (!d->ready(d, left < 100 ? (int)left : 100))
			continue;
		ssize_t n = d->body.read(&d->body, piece, max < (int64_t)sizeof piece ? (size_t)max : sizeof piece);
		if (n <= 0)
			return;
		max -= n;
		idle = clock_mono_us() + (int64_t)idle_ms * 1000;
	}
}

void gw_drainers_of(int threads)
{
	int n = threads / GW_DRAINERS_OF;
	drainers_max = n < 1 ? 1 : n > GW_DRAINERS ? GW_DRAINERS : n;
}

static void drain_rest(struct gw_door *d)
{
	int64_t rest = d->body.length - d->body.taken;
	if (rest <= 0 || rest > GW_DRAIN || d->cut)
		return;
	if (atomic_fetch_add(&drainers, 1) < drainers_max)
		gw_drain(d, rest, GW_DRAIN_MS, GW_DRAIN_IDLE_MS);
	atomic_fetch_sub(&drainers, 1);
}

void gw_pace_waited(struct gw_pace *p, int64_t us)
{
	/* Whose wait was not ended in time, stood still, and perhaps the client with it. */
	int64_t most = p->window_us / 2;
	if (us <= most + PACE_LATE_US)
		p->waited_us += us < most ? us : most;
}

void gw_pace_came(struct gw_door *d, size_t n)
{
	struct gw_pace *p = &d->pace;
	p->bytes += (int64_t)n;
	if (p->min_rate == 0 || p->window_us == 0 || p->waited_us < p->window_us)
		return;
	if (d->body.taken != d->body.length && p->bytes < p->min_rate * (p->waited_us / 1000) / 1000) {
		if (d->more && d->more(d))
			return;   /* it is we who are behind: that counts, too, before it is judged */
		d->cut = d->body.timed_out = true;
	}
	p->waited_us = p->bytes = 0;
}

void gw_answer(const struct gateway_app *app, struct gw_door *d, struct arena *a, char *const *envp)
{
	struct http_req req;
	struct http_res res;
	gw_req_fill(&req, a, envp, app->base_path, &d->body.length);
	req.body = &d->body;
	http_res_init(&res);
	app->handle(app->self, &req, &res);
	drain_rest(d);
	gw_send(d, &req, &res);
	d->finish(d);
	if (res.after)
		res.after(res.after_arg);
	arena_reset(a);
}
