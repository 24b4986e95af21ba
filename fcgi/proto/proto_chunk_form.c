/*
 * proto_chunk_form.c - a form that carries one chunk: judged as soon as its fields are known, stored when its end is proven.
 */
#include <string.h>

#include "proto/proto.h"

static bool listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names;
}

static bool place_known(const struct chunk_form *f)
{
	for (const char *const *name = f->first; *name; name++)
		if (!form_field(f->form, *name))
			return false;
	return true;
}

static enum err file_begin(void *arg, const struct form_file *file)
{
	struct chunk_form *f = arg;
	f->in_file = listed(f->files, file->name);
	if (!f->in_file)
		return ERR_OK;
	if (f->put)
		return call_refuse(f->c, ERR_UNPROCESSABLE, "%s: given more than once", f->files[0]);
	enum err e = chunk_put_open(f->c->house, f->c->a, f->c->req->body, &f->put);
	/* Known fields are judged before the body is read. */
	if (e || !place_known(f))
		return e;
	e = f->command(f);
	if (e)
		return e;
	f->hint = f->cmd;
	f->hint.take = f->likely;
	chunk_put_hint(f->put, &f->hint);
	return ERR_OK;
}

static enum err file_data(void *arg, const void *p, size_t n)
{
	struct chunk_form *f = arg;
	enum err e = f->in_file ? chunk_put_data(f->put, p, n) : ERR_OK;
	if (e == ERR_TOO_LARGE)
		return call_refuse(f->c, e, "A chunk is at most %lld bytes", (long long)f->c->house->cfg->max_chunk_size);
	return e;
}

static enum err file_end(void *arg)
{
	(void)arg;
	return ERR_OK;
}

static enum err read_and_put(struct chunk_form *f, struct chunk_put_out *out)
{
	struct form_sink sink = {.begin = file_begin, .data = file_data, .end = file_end, .arg = f};
	enum err e = form_read(f->c, &sink, &f->form);
	if (e == ERR_CUT && f->put)
		return chunk_put_reason(f->put);
	if (e)
		return e;
	e = f->command(f);
	if (!e && !f->put)
		e = form_missing(f->c, f->files[0]);
	return e ? e : chunk_put_end(f->put, &f->cmd, out);
}

enum err chunk_form_store(struct chunk_form *f, struct chunk_put_out *out)
{
	enum err e = read_and_put(f, out);
	chunk_put_close(f->put);
	if (!e)
		call_later(f->c, 0, out->finish_session);
	return e;
}
