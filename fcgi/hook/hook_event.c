/*
 * hook_event.c - how an event looks to those outside, and what the settings say about events.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "hook/hook.h"

bool hook_is_set(const struct config *c)
{
	return c->hook_command || c->hook_url;
}

static unsigned hook_mask(const struct config *c)
{
	unsigned mask = 0;
	if (!hook_is_set(c))
		return 0;
	if (c->hook_events.any)
		return EVENTS_ALL;
	for (int i = 0; i < c->hook_events.n; i++) {
		enum event_kind k = event_named(c->hook_events.v[i]);
		mask |= k ? EVENT_BIT(k) : 0;
	}
	return mask;
}

void hook_store_options(const struct config *c, struct store_options *o)
{
	o->hook = hook_mask(c);
	o->events = c->event_retention > 0 ? EVENTS_ALL : o->hook;
	o->events_keep = c->event_retention;
}

const char *event_id(struct arena *a, const struct event *e)
{
	return arena_printf(a, "%" PRId64 "-%" PRId64, e->n, e->time);
}

const char *event_path(const struct config *c, struct arena *a, const struct event *e)
{
	bool there = e->disk && (e->kind == EVENT_COMPLETED || e->kind == EVENT_RECOVERED);
	return there ? arena_printf(a, "%s/%s/completed/%s", c->done_dir, e->subject, e->disk) : NULL;
}

static void put_time(struct json *o, const char *key, int64_t t)
{
	char iso[CLOCK_ISO_LEN];
	clock_iso(t * 1000, iso);
	/* Rows know whole seconds. */
	strcpy(strchr(iso, '.'), "Z");
	json_put_str(o, key, t > 0 ? iso : NULL);
}

static void put_known(struct json *o, const char *key, bool known, int64_t v)
{
	if (known)
		json_put_int(o, key, v);
	else
		json_put_null(o, key);
}

/* The metadata of a session is JSON already. */
static void put_meta(struct json *o, const struct event *e)
{
	bool object = e->meta && e->meta[0] == '{';
	struct json *meta = object ? json_parse(e->meta, strlen(e->meta)) : NULL;
	json_put_str(o, "upload_metadata", object ? NULL : e->meta);
	if (meta)
		json_put(o, "metadata", meta);
	else
		json_put_null(o, "metadata");
}

struct json *event_json(const struct config *c, const struct event *e)
{
	struct arena *a = arena_open(64 << 10);
	struct json *o = json_obj();
	if (!a || !o) {
		json_free(o);
		if (a)
			arena_close(a);
		return NULL;
	}
	json_put_str(o, "id", event_id(a, e));
	json_put_int(o, "n", e->n);
	put_time(o, "time", e->time);
	json_put_str(o, "event", event_name(e->kind));
	json_put_str(o, "subject", e->subject);
	put_known(o, "take", e->take > 0, e->take);
	put_known(o, "chunk", e->idx >= 0, e->idx);
	json_put_str(o, "owner", e->owner);
	json_put_int(o, "size", e->size);
	put_known(o, "length", e->length >= 0, e->length);
	put_known(o, "chunks", e->take > 0, e->chunks);
	json_put_str(o, "name", e->name);
	json_put_str(o, "file", e->disk);
	json_put_str(o, "path", event_path(c, a, e));
	put_meta(o, e);
	json_put_str(o, "reason", e->reason);
	arena_close(a);
	return o;
}

void hook_sign(const char *secret, int64_t timestamp, const char *body, struct arena *a, char out[HOOK_SIGNATURE_LEN])
{
	unsigned char mac[DIGEST_SHA256_LEN];
	const char *text = arena_printf(a, "%" PRId64 ".%s", timestamp, body);
	*out = '\0';
	if (!text)
		return;
	digest_hmac_sha256(secret, strlen(secret), text, strlen(text), mac);
	strcpy(out, "sha256=");
	text_hex(mac, sizeof mac, out + strlen(out));
}
