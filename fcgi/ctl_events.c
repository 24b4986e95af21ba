/*
 * ctl_events.c - tusctl events: the outbox as a table or as lines of JSON; tusctl hooks: delivers what is due, for installations without a pool.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>

#include "ctl.h"
#include "hook/hook.h"

#define PAGE 100
#define FOLLOW_MS 200
#define LIMIT 100

/* ---- events ---- */

struct events {
	struct ctl *c;
	struct ctl_lists l;
	bool follow;
	int64_t after, left;
};

static const struct ctl_column cols[] = {{"n", 6}, {"time", 20}, {"event", 11}, {"subject", 36}, {"take", 4}, {"size", 12}, {"hook", 9}, {"file", 0}};

static struct json *row(struct ctl *c, const struct event *e)
{
	static const char *const hook[] = {[EVENT_UNWANTED] = NULL, [EVENT_WAITING] = "waiting", [EVENT_DELIVERED] = "delivered"};
	struct json *o = event_json(c->cfg, e);
	json_put_str(o, "hook", hook[e->hook]);
	json_put_int(o, "tries", e->tries);
	ctl_put_time(o, "delivered", e->delivered);
	return o;
}

/* Who follows wants each event as soon as it is there, so a line each; else it is one list like every other. */
static void tell(struct events *v, struct arena *a, const struct event *e)
{
	struct json *o = row(v->c, e);
	if (!v->follow || !v->c->json) {
		ctl_list_row(&v->l, a, o);
		return;
	}
	const char *text = json_text(o, a);
	puts(text ? text : "null");
	json_free(o);
}

/* What is there behind `after`, until nothing is or `left` are told. */
static enum err some(struct events *v, struct arena *a)
{
	struct event e[PAGE];
	int found = PAGE;
	enum err x = ERR_OK;
	while (!x && found > 0 && v->left > 0) {
		arena_reset(a);
		x = store_events(v->c->house->db, a, v->after, e, v->left < PAGE ? (int)v->left : PAGE, &found);
		for (int i = 0; !x && i < found; i++)
			tell(v, a, &e[i]);
		if (!x && found > 0) {
			v->after = e[found - 1].n;
			v->left -= found;
		}
	}
	return x;
}

/* Until the limit, or until nobody reads. */
static enum err follow(struct events *v, struct arena *a)
{
	const struct timespec pause = {.tv_nsec = FOLLOW_MS * 1000000L};
	enum err e = some(v, a);
	while (!e && v->left > 0 && fflush(stdout) == 0) {
		nanosleep(&pause, NULL);
		e = some(v, a);
	}
	return e;
}

int ctl_events(struct ctl *c)
{
	struct events v = {.c = c, .l = {.c = c}, .follow = ctl_flag(c, "--follow")};
	v.left = v.follow ? INT64_MAX : LIMIT;
	if (!ctl_number(c, "--after", &v.after) || !ctl_number(c, "--limit", &v.left) || c->argc > 0)
		return CTL_USAGE;
	struct arena *a = arena_open(64 << 20);
	if (!a)
		return ctl_fail("events", ERR_NOMEM);
	bool list = !v.follow || !c->json;
	if (list)
		ctl_list_begin(&v.l, "events", cols);
	enum err e = v.follow ? follow(&v, a) : some(&v, a);
	if (list) {
		ctl_list_end(&v.l);
		ctl_lists_end(&v.l);
	}
	arena_close(a);
	return e ? ctl_fail("events", e) : CTL_OK;
}

/* ---- hooks ---- */

int ctl_hooks(struct ctl *c)
{
	struct hooks_count n;
	if (c->argc > 0)
		return CTL_USAGE;
	if (!hook_is_set(c->cfg)) {
		fprintf(stderr, "tusctl: neither HOOK_COMMAND nor HOOK_URL is set\n");
		return CTL_FAILED;
	}
	signal(SIGPIPE, SIG_IGN);
	enum err e = hooks_once(c->cfg, c->house->db, &n);
	if (e)
		return ctl_fail("hooks", e);
	struct json *o = json_obj();
	json_put_int(o, "delivered", n.delivered);
	json_put_int(o, "failed", n.failed);
	json_put_int(o, "waiting", n.waiting);
	json_put_bool(o, "busy", n.busy);
	ctl_object(c, o);
	return n.failed ? CTL_FAILED : CTL_OK;
}
