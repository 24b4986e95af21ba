/*
 * ctl_doctor.c - tusctl doctor: tries an installation from outside, through its web server, and says what is wrong.
 *
 * What can be found is a row of ctl_doctor_table.c; what is tried is a row of the table below.
 */
#include "ctl_doctor.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/config.h"
#include "base/text.h"

#define PAUSE_S 3

static void (*const checks[])(struct doctor *d) = {
	doctor_home, doctor_methods, doctor_headers, doctor_authorization, doctor_pages, doctor_body_limit, doctor_chunked, doctor_expect, doctor_uploads,
	doctor_clock, doctor_health, doctor_http_2,
};

/* ---- what was found ---- */

static void put_change(struct json *o, const char *server, const char *text)
{
	if (text)
		json_put_str(o, server, text);
}

void doctor_find(struct doctor *d, enum finding f, const char *fmt, ...)
{
	const struct finding_row *row = &doctor_findings[f];
	va_list ap;
	if (d->found[f])
		return;
	d->found[f] = true;
	va_start(ap, fmt);
	const char *seen = arena_vprintf(d->c->a, fmt, ap);
	va_end(ap);
	struct json *o = json_obj();
	json_put_str(o, "code", row->code);
	json_put_str(o, "what", row->what);
	json_put_str(o, "seen", seen);
	put_change(o, "nginx", row->nginx);
	put_change(o, "Apache", row->apache);
	put_change(o, "lighttpd", row->lighttpd);
	put_change(o, "or", row->other);
	json_add(row->kind == FAULT ? d->faults_told : d->facts_told, o);
	d->faults += row->kind == FAULT;
}

void doctor_untried(struct doctor *d, const char *what, const char *why)
{
	struct json *o = json_obj();
	json_put_str(o, "what", what);
	json_put_str(o, "why", why);
	json_add(d->untried, o);
}

const char *doctor_said(struct doctor *d, const struct ctl_answer *r)
{
	const char *who = r->ours ? "the application" : "the web server";
	return r->status ? arena_printf(d->c->a, "%s answered %d", who, r->status) : r->why ? r->why : "no answer came";
}

/* ---- asking ---- */

const char *doctor_path(struct doctor *d, const char *path)
{
	return arena_printf(d->c->a, "%s%s", d->http.base, path);
}

struct ctl_answer doctor_get(struct doctor *d, const char *path, const char *headers)
{
	return ctl_http_ask(&d->http, &(struct ctl_ask){.method = "GET", .path = doctor_path(d, path), .headers = headers, .length = -1});
}

struct ctl_ask doctor_upload_ask(struct doctor *d, const char *method, const char *path, int64_t offset, int64_t length)
{
	bool patch = text_eq(method, "PATCH"), disguised = d->posts_only && !text_eq(method, "POST");
	struct ctl_ask ask = {.method = disguised ? "POST" : method, .path = path, .length = patch || disguised ? length : -1};
	ask.headers = arena_printf(d->c->a, "%s%s%s", disguised ? arena_printf(d->c->a, "X-HTTP-Method-Override: %s\r\n", method) : "",
		patch ? arena_printf(d->c->a, "Upload-Offset: %lld\r\n", (long long)offset) : "", patch ? "Content-Type: application/offset+octet-stream\r\n" : "");
	return ask;
}

/* ---- the command ---- */

static bool text_arg(struct ctl *c, const char *name, const char **value)
{
	for (int i = 0; i < c->argc; i++) {
		if (!text_eq(c->argv[i], name))
			continue;
		if (i + 1 >= c->argc)
			return false;
		*value = c->argv[i + 1];
		memmove(&c->argv[i], &c->argv[i + 2], (size_t)(c->argc - i - 2) * sizeof *c->argv);
		c->argc -= 2;
		return true;
	}
	return true;
}

/* Both go into headers as they are. */
static bool is_line(const char *s)
{
	for (; s && *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return false;
	return true;
}

static bool arguments(struct doctor *d)
{
	struct ctl *c = d->c;
	d->http.insecure = ctl_flag(c, "--insecure");
	d->finish = ctl_flag(c, "--finish");
	return text_arg(c, "--key", &d->http.key) && text_arg(c, "--origin", &d->origin) && ctl_number(c, "--pause", &d->pause_s) && d->pause_s <= 3600
		&& is_line(d->http.key) && is_line(d->origin) && c->argc == 1;
}

static void tell(struct doctor *d)
{
	struct json *o = json_obj();
	json_put_str(o, "url", arena_printf(d->c->a, "%s%s/", d->http.origin, d->http.base));
	json_put_int(o, "faults", d->faults);
	json_put(o, "fault", d->faults_told);
	json_put(o, "fact", d->facts_told);
	json_put(o, "untried", d->untried);
	ctl_object(d->c, o);
}

int ctl_doctor(struct ctl *c)
{
	struct doctor d = {.c = c, .pause_s = PAUSE_S};
	const char *why;
	bool usage;
	if (!arguments(&d))
		return CTL_USAGE;
	if (!ctl_http_init(&d.http, c->a, c->argv[0], &usage, &why)) {
		fprintf(stderr, "tusctl: doctor: %s\n", why);
		return usage ? CTL_USAGE : CTL_UNTRIED;
	}
	if (!d.origin && !c->cfg->cors_origins.any && c->cfg->cors_origins.n > 0)
		d.origin = c->cfg->cors_origins.v[0];
	signal(SIGPIPE, SIG_IGN);
	d.faults_told = json_arr();
	d.facts_told = json_arr();
	d.untried = json_arr();
	for (size_t i = 0; i < sizeof checks / sizeof *checks && !d.stop; i++)
		checks[i](&d);
	doctor_clean(&d);
	doctor_machine(&d);
	doctor_untried(&d, "what HEAD is answered while the pool is away", "this needs the pool to be away; the shipped files turn 502, 503 and 504 into 423");
	tell(&d);
	return d.unreachable ? CTL_UNTRIED : d.faults ? CTL_FAILED : CTL_OK;
}
