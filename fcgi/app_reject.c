/*
 * app_reject.c - a refused creation becomes an event: for operators who ask why somebody cannot upload.
 *
 * It must cost nothing that counts: a few a minute, none when the disk has no room left for rows, and no answer depends on it.
 */
#include <string.h>
#include <sys/statvfs.h>

#include "app_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "model/name.h"

#define PER_MINUTE 60
#define ROOM_BYTES (4 << 20)

/* What can be said of an upload that never began. Passing trouble (busy, locked, cut) is none. */
static bool is_refusal(enum err e)
{
	static const enum err list[] = {ERR_INVALID, ERR_UNAUTHENTICATED, ERR_FORBIDDEN, ERR_TOO_LARGE, ERR_MEDIA_TYPE, ERR_UNPROCESSABLE, ERR_NO_SPACE};
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i] == e)
			return true;
	return false;
}

/* Strangers send what they like as often as they like. Two threads at a minute's turn may both count anew: a few more then. */
static bool within_rate(struct app *app)
{
	int64_t minute = clock_mono_us() / 60000000 + 1;
	if (__atomic_exchange_n(&app->reject_minute, minute, __ATOMIC_RELAXED) != minute)
		__atomic_store_n(&app->rejects, 0, __ATOMIC_RELAXED);
	return __atomic_fetch_add(&app->rejects, 1, __ATOMIC_RELAXED) < PER_MINUTE;
}

static bool has_room(const char *dir)
{
	struct statvfs v;
	return statvfs(dir, &v) == 0 && (uint64_t)v.f_bavail * v.f_frsize > ROOM_BYTES;
}

void app_note_rejected(struct app *app, const struct call *c, const struct route *r, enum err e)
{
	if (!(r->flags & ROUTE_BEGINS) || !is_refusal(e) || !within_rate(app) || !has_room(app->cfg->db_dir))
		return;
	const char *length = http_header(c->req, "Upload-Length");
	struct event ev = {.time = clock_now(), .idx = -1, .owner = c->owner, .length = LENGTH_UNKNOWN, .reason = err_code(e)};
	ev.subject = c->param[0] && strstr(r->pattern, "{sid}") && name_session_id(c->param[0], false) ? c->param[0] : "";
	if (!length || !num_u63(length, &ev.length))
		ev.length = c->req->body->length;
	enum err x = store_event_rejected(app->house.db, &ev);
	if (x)
		log_event(LOG_WARN, "app", "a refusal was not noted", "request_id", LS(c->request_id), "reason", LS(err_code(x)), NULL);
}
