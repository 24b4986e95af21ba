/*
 * proto_common.c - what several dialects need: who may, how to answer, how to read a number or a name.
 */
#include <stdio.h>
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "model/name.h"
#include "proto/proto.h"

enum err call_identified(const struct call *c)
{
	return c->owner[0] || c->trusted ? ERR_OK : ERR_UNAUTHENTICATED;
}

enum err call_may(const struct call *c, const char *owner, bool guarded)
{
	bool anonymous_row = !owner || !owner[0];
	if (c->admin || c->trusted)
		return ERR_OK;
	if (!c->owner[0])
		return anonymous_row && !guarded ? ERR_OK : ERR_UNAUTHENTICATED;
	return anonymous_row || strcmp(owner, c->owner) == 0 ? ERR_OK : ERR_FORBIDDEN;
}

enum err call_json(struct call *c, int status, struct json *j)
{
	char *text = json_text(j, c->a);
	json_free(j);
	if (!text)
		return ERR_NOMEM;
	c->res->status = status;
	c->res->body = text;
	c->res->body_len = strlen(text);
	c->res->head_len = (int64_t)c->res->body_len;
	http_res_set(c->res, "Content-Type", "application/json");
	http_res_set(c->res, "Cache-Control", "no-store");
	return ERR_OK;
}

enum err call_empty(struct call *c, int status)
{
	c->res->status = status;
	return ERR_OK;
}

enum err call_refuse(struct call *c, enum err e, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	c->res->detail = arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	return e;
}

enum err call_number(struct call *c, const char *header, bool *given, int64_t *out)
{
	const char *value = http_header(c->req, header);
	*given = value != NULL;
	if (!value)
		return ERR_OK;
	if (http_header_count(c->req, header) > 1)
		return call_refuse(c, ERR_INVALID, "%s is given more than once", header);
	if (!num_u63(value, out))
		return call_refuse(c, ERR_INVALID, "%s must be a non-negative integer", header);
	return ERR_OK;
}

enum err call_may_read(struct call *c, const struct upload *u, bool tell)
{
	bool reads = (u->repr || tell) && u->state == UPLOAD_OPEN && c->req->body->length == 0;
	return !reads || c->slot(c) ? ERR_OK : ERR_BUSY;
}

struct later {
	struct house *house;
	int64_t upload, session;
	struct later *next;
};

/* What fails here is still FINISHING in the ledger: the reaper does it again. */
static void run_later(void *arg)
{
	for (struct later *l = arg; l; l = l->next)
		finish_later(l->house, l->upload, l->session);
}

void call_later(struct call *c, int64_t upload, int64_t session)
{
	struct later *l;
	if (!upload && !session)
		return;
	l = arena_alloc(c->a, sizeof *l);
	if (!l)
		return;
	*l = (struct later){c->house, upload, session, c->res->after ? c->res->after_arg : NULL};
	c->res->after = run_later;
	c->res->after_arg = l;
}

const char *call_name(struct call *c, const char *segment)
{
	size_t n = strlen(segment), out;
	char *name = arena_alloc(c->a, n + 1);
	if (!name || !text_percent_decode(segment, n, false, name, &out))
		return NULL;
	name[out] = '\0';
	bool bad = out == 0 || strlen(name) != out || strchr(name, '/') || !text_is_utf8(name, out);
	return bad ? NULL : name;
}

const char *call_url(struct call *c, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *path = arena_vprintf(c->a, fmt, ap);
	va_end(ap);
	return path ? arena_printf(c->a, "%s%s", c->house->cfg->base_path, path) : NULL;
}

enum err call_small_body(struct call *c, size_t max, char **text, size_t *n)
{
	struct source *body = c->req->body;
	if (body->length > (int64_t)max)
		return ERR_TOO_LARGE;
	char *p = arena_alloc(c->a, (body->length >= 0 ? (size_t)body->length : max) + 1);
	if (!p)
		return ERR_NOMEM;
	*n = 0;
	*text = p;
	for (;;) {
		char spare;
		bool full = *n == (body->length >= 0 ? (size_t)body->length : max);
		ssize_t got = full ? body->read(body, &spare, 1) : body->read(body, p + *n, (body->length >= 0 ? (size_t)body->length : max) - *n);
		if (got < 0)
			return ERR_CUT;
		if (got == 0)
			break;
		if (full)
			return ERR_TOO_LARGE;
		*n += (size_t)got;
	}
	p[*n] = '\0';
	return body->length >= 0 && (int64_t)*n < body->length ? ERR_CUT : ERR_OK;
}

enum err call_session_id(struct call *c, const char *sid)
{
	bool uuid = c->house->cfg->session_ids == SESSION_ID_UUID;
	if (name_session_id(sid, uuid))
		return ERR_OK;
	return call_refuse(c, ERR_INVALID, uuid ? "A session id must be a UUID" : "A session id must be 1 to 128 letters, digits, '.', '_' or '-', begin with a letter or digit, and not hold '..'");
}
