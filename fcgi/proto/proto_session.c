/*
 * proto_session.c - a recording as a whole: status, assembly, cancelling.
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "model/name.h"
#include "proto/proto_session.h"

#define MISSING_MAX 1000

static const char *const state_names[] = {
	[SESSION_RECEIVING] = "receiving", [SESSION_FINISHING] = "finishing", [SESSION_COMPLETE] = "complete",
	[SESSION_RECOVERED] = "recovered", [SESSION_GONE] = "gone", [SESSION_FAILED] = "failed",
};

const char *session_state_name(enum session_state s)
{
	return state_names[s];
}

void put_time(struct json *o, const char *key, int64_t seconds)
{
	char iso[CLOCK_ISO_LEN];
	if (seconds <= 0) {
		json_put_null(o, key);
		return;
	}
	clock_iso(seconds * 1000, iso);
	json_put_str(o, key, iso);
}

bool put_missing(struct json *o, const struct range *range, int n, int64_t count)
{
	struct json *list = json_arr(), *ranges = json_arr();
	int64_t listed = 0;
	for (int i = 0; i < n; i++) {
		struct json *pair = json_arr();
		json_add_int(pair, range[i].first);
		json_add_int(pair, range[i].last);
		json_add(ranges, pair);
		for (int64_t idx = range[i].first; idx <= range[i].last && listed < MISSING_MAX; idx++, listed++)
			json_add_int(list, idx);
	}
	json_put(o, "missing_chunks", list);
	json_put(o, "missing_ranges", ranges);
	json_put_bool(o, "missing_truncated", listed < count);
	return listed == count;
}

const char *missing_extra(struct call *c, const struct range *range, int n, int64_t count)
{
	struct json *o = json_obj();
	put_missing(o, range, n, count);
	json_put_int(o, "missing_count", count);
	char *text = json_text(o, c->a);
	json_free(o);
	if (!text)
		return NULL;
	/* Members without the braces. */
	text[strlen(text) - 1] = '\0';
	return text + 1;
}

static enum err find(struct call *c, bool guarded, struct session_view *v)
{
	if (!name_session_id(c->param[0], false))
		return call_refuse(c, ERR_NOT_FOUND, "Session not found");
	enum err e = session_find(c->house, c->a, c->param[0], v);
	if (e == ERR_NOT_FOUND)
		return call_refuse(c, e, "Session not found");
	return e ? e : call_may(c, v->s.owner, guarded);
}

enum err session_status(struct call *c)
{
	struct session_view v;
	enum err e = find(c, false, &v);
	if (e)
		return e;
	const struct session *s = &v.s;
	bool finished = s->state == SESSION_COMPLETE || s->state == SESSION_RECOVERED;
	struct json *o = json_obj();
	json_put_str(o, "session_id", s->sid);
	json_put_int(o, "total_chunks", finished ? v.total : s->total);
	json_put_int(o, "uploaded_chunks", s->done);
	put_missing(o, v.missing, v.nmissing, v.missing_count);
	json_put_bool(o, "assembled", finished);
	put_time(o, "started_at", s->started);
	put_time(o, "assembled_at", finished ? s->finished : 0);
	json_put_str(o, "recording_name", s->name ? s->name : "recording");
	json_put_str(o, "format", s->format ? s->format : "webm");
	json_put_str(o, "state", session_state_name(s->state));
	json_put_int(o, "take", s->take);
	json_put_int(o, "bytes", s->bytes);
	json_put_bool(o, "size_mismatch", s->size_mismatch);
	put_time(o, "expires_at", s->state == SESSION_RECEIVING ? s->expires : 0);
	if (s->state == SESSION_FINISHING)
		json_put_str(o, "finishing_by", plan_constant_time(s) && blobs_same_device(c->house->blobs) ? "rename" : "copy");
	if (finished && s->out_name) {
		struct buf b;
		buf_init(&b, 4096);
		buf_printf(&b, "%s/recordings/%s/", c->house->cfg->base_path, s->sid);
		text_percent_encode(&b, s->out_name, strlen(s->out_name), false);
		json_put_str(o, "file_url", b.p);
		buf_free(&b);
		json_put_str(o, "file_name", s->out_name);
	}
	return call_json(c, 200, o);
}

enum err session_assemble(struct call *c)
{
	struct session_view v;
	struct complete_out out;
	enum err e = find(c, false, &v);
	if (e)
		return e;
	struct complete_cmd cmd = {.sid = v.s.sid, .file_size = -1, .manual = v.s.kind == SESSION_MANUAL};
	e = session_complete(c->house, c->a, &cmd, &out);
	if (e == ERR_CONFLICT) {
		c->res->extra = missing_extra(c, out.missing, out.nmissing, out.missing_count);
		return call_refuse(c, e, "Cannot assemble - %lld chunks missing", (long long)out.missing_count);
	}
	if (e)
		return e;
	call_later(c, 0, out.finish_session);
	struct json *o = json_obj();
	json_put_str(o, "message", "Assembly started");
	json_put_str(o, "session_id", c->param[0]);
	return call_json(c, 200, o);
}

enum err session_delete(struct call *c)
{
	struct session_view v;
	enum err e = find(c, true, &v);
	if (!e)
		e = session_cancel(c->house, c->a, c->param[0]);
	if (e == ERR_CONFLICT)
		return call_refuse(c, e, "The recording is finished; DELETE %s/{file} removes it", call_url(c, "/recordings/%s", c->param[0]));
	if (e == ERR_GONE)
		return call_refuse(c, ERR_NOT_FOUND, "Session not found");
	if (e)
		return e;
	struct json *o = json_obj();
	json_put_str(o, "message", "Upload cancelled");
	json_put_str(o, "session_id", c->param[0]);
	return call_json(c, 200, o);
}
