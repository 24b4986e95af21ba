/*
 * proto_plain.c - uploads without a protocol: a form with files, or one raw body under a name. One request, all or nothing.
 */
#include <string.h>

#include "base/b64.h"
#include "base/text.h"
#include "http/field.h"
#include "http/multipart.h"
#include "model/name.h"
#include "proto/proto_checksum.h"
#include "proto/proto_draft.h"

#define FILES_MAX 100
#define UNDO_MEMORY (256 << 10)

struct plain_file {
	const char *name, *type;    /* type "" if not given */
	struct upload_push *push;
	struct upload u;            /* as soon as it is complete */
};

struct plain {
	struct call *c;
	struct plain_file *file;
	int n, complete;
	struct form *form;
};

/* ---- answers ---- */

static void put_file(struct call *c, struct json *o, const struct plain_file *f)
{
	const char *disk = name_disk(c->a, f->name);
	json_put_str(o, "upload_id", f->u.id);
	json_put_str(o, "filename", f->name);
	json_put_int(o, "size", f->u.length);
	json_put_str(o, "content_type", *f->type ? f->type : name_media_type(f->name));
	json_put_str(o, "url", disk ? recording_url(c, f->u.id, disk) : NULL);
	json_put_str(o, "file_url", call_url(c, "/files/%s", f->u.id));
}

static enum err created(struct call *c, const struct plain_file *file, int n)
{
	struct json *o = json_obj(), *list = json_arr();
	json_put_str(o, "status", "success");
	for (int i = 0; i < n; i++) {
		struct json *entry = json_obj();
		put_file(c, entry, &file[i]);
		json_add(list, entry);
	}
	if (n == 1) {
		put_file(c, o, file);
		http_res_set(c->res, "Location", call_url(c, "/files/%s", file->u.id));
	}
	json_put(o, "files", list);
	return call_json(c, 201, o);
}

enum err plain_created(struct call *c, const struct upload *u, const char *name, const char *type)
{
	struct plain_file f = {.name = name, .type = type, .u = *u};
	return created(c, &f, 1);
}

/* ---- what an upload is told of itself ---- */

static char *base64(struct arena *a, const char *s)
{
	char *out = arena_alloc(a, B64_ENCODED(strlen(s)));
	if (out)
		b64_encode(s, strlen(s), out);
	return out;
}

/* Upload-Metadata text, as a tus client would send it. NULL when memory is out. */
static const char *metadata_of(struct arena *a, const struct plain_file *f)
{
	const char *name = base64(a, f->name), *type = base64(a, f->type);
	if (!name || !type)
		return NULL;
	return *f->type ? arena_printf(a, "filename %s,filetype %s", name, type) : arena_printf(a, "filename %s", name);
}

static enum err too_large(struct call *c)
{
	return call_refuse(c, ERR_TOO_LARGE, "A file is at most %lld bytes", (long long)c->house->cfg->max_file_size);
}

/* A body whose announced length alone is too much is not read. */
static enum err admit_body(struct call *c)
{
	int64_t max = c->house->cfg->max_upload_size;
	return c->req->body->length > max ? call_refuse(c, ERR_TOO_LARGE, "A request is at most %lld bytes", (long long)max) : ERR_OK;
}

/* A body that was cut because this process ends is not the client's fault. */
static enum err cut_reason(const struct house *h)
{
	return __atomic_load_n(&h->stopping, __ATOMIC_RELAXED) ? ERR_STOPPING : ERR_CUT;
}

/* ---- POST: a form ---- */

static enum err file_begin(void *arg, const struct form_file *f)
{
	struct plain *p = arg;
	struct call *c = p->c;
	struct plain_file *file;
	if (p->n == FILES_MAX)
		return call_refuse(c, ERR_UNPROCESSABLE, "More than %d files", FILES_MAX);
	file = &p->file[p->n];
	file->name = arena_strdup(c->a, *f->filename ? f->filename : "upload");
	file->type = arena_strdup(c->a, f->type);
	struct create_cmd cmd = {.owner = c->owner, .meta = file->name && file->type ? metadata_of(c->a, file) : NULL};
	if (!cmd.meta)
		return ERR_NOMEM;
	p->n++;
	return upload_push_open(c->house, c->a, &cmd, c->house->cfg->max_file_size, c->req->body, &file->push);
}

static enum err file_data(void *arg, const void *data, size_t n)
{
	struct plain *p = arg;
	struct call *c = p->c;
	if (c->req->body->taken > c->house->cfg->max_upload_size)
		return call_refuse(c, ERR_TOO_LARGE, "A request is at most %lld bytes", (long long)c->house->cfg->max_upload_size);
	enum err e = upload_push_data(p->file[p->n - 1].push, data, n);
	return e == ERR_TOO_LARGE ? too_large(c) : e;
}

static enum err file_end(void *arg)
{
	struct plain *p = arg;
	return upload_push_end(p->file[p->n - 1].push);
}

/* The closing boundary has come: what was received is what was sent. */
static enum err complete_all(struct plain *p)
{
	enum err e = ERR_OK;
	int64_t later;
	for (; !e && p->complete < p->n; ) {
		struct plain_file *f = &p->file[p->complete];
		e = upload_push_finish(f->push, &f->u, &later);
		if (e)
			break;
		p->complete++;
		call_later(p->c, later, 0);
	}
	return e;
}

static enum err receive_form(struct plain *p)
{
	struct form_sink sink = {.begin = file_begin, .data = file_data, .end = file_end, .arg = p};
	enum err e = form_read(p->c, &sink, &p->form);
	if (e)
		return e == ERR_CUT ? cut_reason(p->c->house) : e;
	return p->n > 0 ? complete_all(p) : call_refuse(p->c, ERR_UNPROCESSABLE, "The form has no file");
}

/* All or nothing: after an error nothing stays of the files that were complete already. */
static void close_all(struct plain *p, enum err e)
{
	for (int i = 0; i < p->n; i++)
		upload_push_close(p->file[i].push);
	if (!e)
		return;
	p->c->res->after = NULL;
	/* The request's own memory may be what ran out. */
	struct arena *a = p->complete ? arena_open(UNDO_MEMORY) : NULL;
	for (int i = 0; a && i < p->complete; i++) {
		upload_remove(p->c->house, a, p->file[i].u.id);
		arena_reset(a);
	}
	arena_close(a);
}

enum err plain_post(struct call *c)
{
	char boundary[71];
	struct plain p = {.c = c};
	bool form = multipart_boundary(c->req->content_type, boundary);
	if (c->draft && !form)
		return draft_create(c, NULL);
	if (c->draft && !draft_declines(c))
		return call_refuse(c, ERR_MEDIA_TYPE, "A form comes in one request");
	if (!form)
		return call_refuse(c, ERR_MEDIA_TYPE, "A form is expected (multipart/form-data); PUT takes a raw body");
	enum err e = admit_body(c);
	if (e)
		return e;
	p.file = arena_alloc(c->a, FILES_MAX * sizeof *p.file);
	if (!p.file)
		return ERR_NOMEM;
	e = receive_form(&p);
	if (!e)
		e = created(c, p.file, p.n);
	close_all(&p, e);
	return e;
}

/* ---- PUT: a raw body ---- */

/* A body of unknown length that may not become longer than max. */
struct capped {
	struct source s;
	struct source *inner;
	int64_t max;
	bool over;
};

static ssize_t capped_read(struct source *s, void *buf, size_t n)
{
	struct capped *cap = s->self;
	ssize_t got = cap->over ? -1 : cap->inner->read(cap->inner, buf, n);
	s->complete = cap->inner->complete;
	if (got > 0)
		s->taken += got;
	cap->over |= s->taken > cap->max;
	return cap->over ? -1 : got;
}

static void capped_stop(struct source *s)
{
	struct capped *cap = s->self;
	cap->inner->stop(cap->inner);
}

static void capped_init(struct capped *cap, struct source *inner, int64_t max)
{
	*cap = (struct capped){.inner = inner, .max = max};
	cap->s = (struct source){.read = capped_read, .stop = inner->stop ? capped_stop : NULL, .length = inner->length, .self = cap};
}

static int64_t smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

enum err plain_put(struct call *c)
{
	const struct config *cfg = c->house->cfg;
	struct plain_file f = {.name = call_name(c, c->param[0]), .type = c->req->content_type ? c->req->content_type : ""};
	struct digest_wants wants;
	struct append_out out;
	struct capped body;
	if (!f.name)
		return call_refuse(c, ERR_INVALID, "The path must end with a file name");
	if (c->draft)
		return draft_create(c, f.name);
	enum err e = admit_body(c);
	if (!e)
		e = call_digests(c, &wants);
	if (e)
		return e;
	capped_init(&body, c->req->body, smaller(cfg->max_file_size, cfg->max_upload_size));
	if (body.s.length > body.max)
		return too_large(c);
	/* -1 is both an unknown length and LENGTH_UNKNOWN. */
	struct create_cmd cmd = {.owner = c->owner, .meta = metadata_of(c->a, &f), .length = body.s.length};
	if (!cmd.meta)
		return ERR_NOMEM;
	e = upload_store(c->house, c->a, &cmd, &wants, &body.s, &f.u, &out);
	if (e)
		return body.over ? too_large(c) : e == ERR_CUT ? cut_reason(c->house) : e;
	call_later(c, out.finish_upload, 0);
	f.u.length = out.length;
	return created(c, &f, 1);
}
