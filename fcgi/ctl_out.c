/*
 * ctl_out.c - how tusctl speaks: JSON objects as JSON, or as tables and "key  value" lines.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl.h"

int ctl_fail(const char *what, enum err e)
{
	fprintf(stderr, "tusctl: %s: %s\n", what, err_sentence(e));
	return CTL_FAILED;
}

void ctl_put_time(struct json *o, const char *key, int64_t t)
{
	char iso[CLOCK_ISO_LEN];
	if (t <= 0) {
		json_put_null(o, key);
		return;
	}
	clock_iso(t * 1000, iso);
	/* Rows know whole seconds. */
	snprintf(strchr(iso, '.'), 2, "Z");
	json_put_str(o, key, iso);
}

const char *ctl_session_state(enum session_state s)
{
	static const char *const name[] = {
		[SESSION_RECEIVING] = "receiving", [SESSION_FINISHING] = "finishing", [SESSION_COMPLETE] = "complete",
		[SESSION_RECOVERED] = "recovered", [SESSION_GONE] = "gone", [SESSION_FAILED] = "failed",
	};
	return name[s];
}

const char *ctl_upload_state(enum upload_state s)
{
	static const char *const name[] = {
		[UPLOAD_OPEN] = "open", [UPLOAD_FINISHING] = "finishing", [UPLOAD_COMPLETE] = "complete", [UPLOAD_GONE] = "gone",
	};
	return name[s];
}

/* ---- values as text ---- */

/* Names come from clients: what could steer a terminal must not reach it. */
static char *plain(char *s)
{
	for (char *p = s; p && *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
		/* U+0080 to U+009F */
		if ((unsigned char)*p == 0xc2 && (unsigned char)p[1] >= 0x80 && (unsigned char)p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
	return s;
}

static const char *value_text(struct arena *a, const struct json *v)
{
	bool yes;
	char *s;
	switch (json_type(v)) {
	case JSON_NULL:
		return "-";
	case JSON_BOOL:
		return json_bool(v, &yes) && yes ? "yes" : "no";
	case JSON_STRING:
		s = plain(arena_strdup(a, json_str(v)));
		return s && *s ? s : "-";
	default:
		s = plain(json_text(v, a));
		return s ? s : "-";
	}
}

struct lines {
	struct arena *a;
	const char *indent;
};

static bool line(const char *key, const struct json *v, void *arg);

/* An array of objects is a block for each; one of numbers and texts stays on its line. */
static bool blocks(const char *key, const struct json *v, struct lines *l)
{
	if (json_type(v) != JSON_ARRAY || json_len(v) == 0 || json_type(json_at(v, 0)) != JSON_OBJECT)
		return false;
	struct lines in = {l->a, arena_printf(l->a, "%s  ", l->indent)};
	for (size_t i = 0; i < json_len(v); i++) {
		printf("%s%s:\n", l->indent, key);
		json_each(json_at(v, i), line, &in);
	}
	return true;
}

static bool line(const char *key, const struct json *v, void *arg)
{
	struct lines *l = arg;
	if (json_type(v) == JSON_OBJECT && json_len(v) > 0) {
		struct lines in = {l->a, arena_printf(l->a, "%s  ", l->indent)};
		printf("%s%s:\n", l->indent, key);
		json_each(v, line, &in);
	} else if (!blocks(key, v, l)) {
		printf("%s%-14s %s\n", l->indent, key, value_text(l->a, v));
	}
	return true;
}

void ctl_object(struct ctl *c, struct json *o)
{
	if (c->json) {
		const char *text = json_text(o, c->a);
		puts(text ? text : "null");
	} else {
		struct lines l = {c->a, ""};
		json_each(o, line, &l);
	}
	json_free(o);
}

/* ---- lists ---- */

static void cell(const struct ctl_column *col, const char *text)
{
	if (col->width == 0)
		printf("%s\n", text);
	else
		printf("%*s  ", -col->width, text);
}

void ctl_list_begin(struct ctl_lists *l, const char *name, const struct ctl_column *cols)
{
	l->cols = cols;
	l->rows = 0;
	if (l->c->json)
		printf("%s\"%s\":[", l->lists ? "," : "{", name);
	else
		printf("%s%s\n", l->lists ? "\n" : "", name);
	l->lists++;
}

static void table_row(const struct ctl_lists *l, struct arena *a, const struct json *o)
{
	for (const struct ctl_column *col = l->cols; ; col++) {
		cell(col, value_text(a, json_get(o, col->key)));
		if (col->width == 0)
			return;
	}
}

static void table_head(const struct ctl_lists *l)
{
	for (const struct ctl_column *col = l->cols; ; col++) {
		cell(col, col->key);
		if (col->width == 0)
			return;
	}
}

void ctl_list_row(struct ctl_lists *l, struct arena *a, struct json *o)
{
	if (l->c->json) {
		const char *text = json_text(o, a);
		printf("%s%s", l->rows ? "," : "", text ? text : "null");
	} else {
		if (l->rows == 0)
			table_head(l);
		table_row(l, a, o);
	}
	l->rows++;
	json_free(o);
}

void ctl_list_end(struct ctl_lists *l)
{
	if (l->c->json)
		fputs("]", stdout);
	else if (l->rows == 0)
		puts("none");
}

void ctl_list_beside(struct ctl_lists *l, const char *name, struct json *o)
{
	struct lines lines = {l->c->a, ""};
	if (l->c->json) {
		const char *text = json_text(o, l->c->a);
		printf("%s\"%s\":%s", l->lists ? "," : "{", name, text ? text : "null");
	} else {
		printf("%s%s\n", l->lists ? "\n" : "", name);
		json_each(o, line, &lines);
	}
	l->lists++;
	json_free(o);
}

void ctl_lists_end(struct ctl_lists *l)
{
	if (l->c->json)
		puts("}");
}
