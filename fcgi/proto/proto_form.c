/*
 * proto_form.c - a form of text fields and files, read as a stream.
 */
#include <string.h>

#include "base/num.h"
#include "base/text.h"
#include "http/field.h"
#include "http/multipart.h"
#include "proto/proto.h"

#define FIELDS_MAX 64
#define TEXT_MAX (64 << 10)

struct form {
	struct call *c;
	const struct form_sink *sink;
	struct form_pair field[FIELDS_MAX];
	int n;
	bool in_file;
	struct buf text;            /* of the text field under way */
	size_t text_total;
	const char *name;
};

const char *form_field(const struct form *f, const char *name)
{
	for (int i = 0; f && i < f->n; i++)
		if (strcmp(f->field[i].name, name) == 0)
			return f->field[i].value;
	return NULL;
}

enum err form_missing(struct call *c, const char *name)
{
	return call_refuse(c, ERR_UNPROCESSABLE, "%s: field required", name);
}

enum err form_number(struct call *c, const struct form *f, const char *name, bool required, int64_t *out)
{
	const char *value = form_field(f, name);
	*out = 0;
	if (!value || !*value)
		return required ? form_missing(c, name) : ERR_OK;
	if (!num_u63(value, out))
		return call_refuse(c, ERR_UNPROCESSABLE, "%s: value is not a valid non-negative integer", name);
	return ERR_OK;
}

static enum err part_begin(void *arg, const struct multipart_part *part)
{
	struct form *f = arg;
	struct form_file file;
	f->in_file = part->is_file;
	if (!part->is_file) {
		if (f->n == FIELDS_MAX)
			return call_refuse(f->c, ERR_TOO_LARGE, "More than %d fields", FIELDS_MAX);
		buf_clear(&f->text);
		f->name = arena_strdup(f->c->a, part->name);
		return f->name ? ERR_OK : ERR_NOMEM;
	}
	if (!f->sink)
		return ERR_OK;
	file = (struct form_file){.name = part->name, .filename = part->filename, .type = part->type};
	return f->sink->begin(f->sink->arg, &file);
}

static enum err part_data(void *arg, const void *p, size_t n)
{
	struct form *f = arg;
	if (f->in_file)
		return f->sink ? f->sink->data(f->sink->arg, p, n) : ERR_OK;
	f->text_total += n;
	if (f->text_total > TEXT_MAX)
		return call_refuse(f->c, ERR_TOO_LARGE, "The text fields are longer than %d bytes together", TEXT_MAX);
	buf_add(&f->text, p, n);
	return f->text.failed ? ERR_NOMEM : ERR_OK;
}

static enum err part_end(void *arg)
{
	struct form *f = arg;
	if (f->in_file)
		return f->sink ? f->sink->end(f->sink->arg) : ERR_OK;
	struct form_pair *pair = &f->field[f->n];
	pair->name = f->name;
	pair->value = arena_strndup(f->c->a, f->text.n ? f->text.p : "", f->text.n);
	if (!pair->value)
		return ERR_NOMEM;
	f->n++;
	return ERR_OK;
}

static enum err read_multipart(struct form *f, const char *boundary)
{
	const char *why = NULL;
	struct multipart_handler h = {.begin = part_begin, .data = part_data, .end = part_end, .arg = f};
	buf_init(&f->text, TEXT_MAX + 1);
	enum err e = multipart_read(f->c->req->body, boundary, &h, &why);
	buf_free(&f->text);
	if (e == ERR_INVALID && why)
		return call_refuse(f->c, e, "multipart/form-data: %s", why);
	return e;
}

static enum err read_urlencoded(struct form *f)
{
	char *text;
	size_t n;
	enum err e = call_small_body(f->c, TEXT_MAX, &text, &n);
	return e ? e : field_form(f->c->a, text, n, f->field, FIELDS_MAX, &f->n);
}

static const char *json_scalar(struct arena *a, const struct json *v)
{
	int64_t number;
	bool yes;
	if (json_str(v))
		return arena_strdup(a, json_str(v));
	if (json_int(v, &number))
		return arena_printf(a, "%lld", (long long)number);
	return json_bool(v, &yes) ? yes ? "true" : "false" : NULL;
}

/* A member that is no text, number or truth value is no field. */
static bool json_member(const char *key, const struct json *v, void *arg)
{
	struct form *f = arg;
	struct form_pair pair = {arena_strdup(f->c->a, key), json_scalar(f->c->a, v)};
	if (pair.name && pair.value && f->n < FIELDS_MAX)
		f->field[f->n++] = pair;
	return f->n < FIELDS_MAX;
}

static enum err read_json(struct form *f)
{
	char *text;
	size_t n;
	enum err e = call_small_body(f->c, TEXT_MAX, &text, &n);
	if (e)
		return e;
	struct json *o;
	e = json_read(text, n, &o);
	if (e == ERR_NOMEM)
		return e;
	if (!o || json_type(o) != JSON_OBJECT)
		e = call_refuse(f->c, o ? ERR_UNPROCESSABLE : ERR_INVALID, o ? "A JSON object is expected" : "This is not JSON");
	else
		json_each(o, json_member, f);
	json_free(o);
	return e;
}

static struct form *form_open(struct call *c, const struct form_sink *sink)
{
	struct form *f = arena_alloc(c->a, sizeof *f);
	if (f) {
		f->c = c;
		f->sink = sink;
	}
	return f;
}

enum err form_read_any(struct call *c, const struct form_sink *sink, struct form **out)
{
	if (!field_media_type_is(c->req->content_type, "application/json"))
		return form_read(c, sink, out);
	*out = form_open(c, sink);
	return *out ? read_json(*out) : ERR_NOMEM;
}

enum err form_read(struct call *c, const struct form_sink *sink, struct form **out)
{
	char boundary[71];
	struct form *f = *out = form_open(c, sink);
	if (!f)
		return ERR_NOMEM;
	if (field_media_type_is(c->req->content_type, "application/x-www-form-urlencoded"))
		return read_urlencoded(f);
	if (!multipart_boundary(c->req->content_type, boundary))
		return call_refuse(c, ERR_UNPROCESSABLE, "A form is expected (multipart/form-data)");
	return read_multipart(f, boundary);
}
