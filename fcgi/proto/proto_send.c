/*
 * proto_send.c - a finished file as an answer: validators, one range, and who sends the bytes (RFC 9110 13 and 14).
 */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/field.h"
#include "model/name.h"
#include "proto/proto_checksum.h"

/* What the request's conditions come to. */
enum send_plan { SEND_ALL, SEND_RANGE, SEND_NOT_MODIFIED, SEND_FAILED, SEND_BAD_RANGE };

struct sending {
	const char *etag;
	int64_t modified;
	int64_t first, last;
};

static int64_t date_header(const struct call *c, const char *name)
{
	const char *value = http_header(c->req, name);
	return value ? clock_http_parse(value) : 0;
}

/* In the order of RFC 9110 13.2.2. A date in If-Range counts as no match: it is no strong validator, and the whole file is never wrong. */
static enum send_plan plan_send(const struct call *c, int64_t size, struct sending *s)
{
	const char *match = http_header(c->req, "If-Match"), *none = http_header(c->req, "If-None-Match");
	const char *if_range = http_header(c->req, "If-Range");
	int64_t unmodified = date_header(c, "If-Unmodified-Since"), since = date_header(c, "If-Modified-Since");
	if (match ? !field_etag_match(match, s->etag, false) : unmodified > 0 && s->modified > unmodified)
		return SEND_FAILED;
	if (none ? field_etag_match(none, s->etag, true) : since > 0 && s->modified <= since)
		return SEND_NOT_MODIFIED;
	if (c->req->method != HTTP_GET || (if_range && !field_etag_match(if_range, s->etag, false)))
		return SEND_ALL;
	switch (field_range(http_header(c->req, "Range"), size, &s->first, &s->last)) {
	case RANGE_ONE:
		return SEND_RANGE;
	case RANGE_BAD:
		return SEND_BAD_RANGE;
	case RANGE_NONE:
		break;
	}
	return SEND_ALL;
}

/* Another finished file, even under the same name, has another number; an upload that is still being published has none yet. */
static const char *etag_of(struct call *c, const struct recording *r)
{
	return arena_printf(c->a, "\"%s%llx-%llx-%llx\"", r->n ? "" : "u", (unsigned long long)(r->n ? r->n : r->upload), (unsigned long long)r->size,
		(unsigned long long)r->created);
}

static void describe_file(struct call *c, const struct recording *r)
{
	http_res_set(c->res, "Content-Type", name_media_type(r->disk));
	/* Never inline: what was uploaded must not run on this origin. */
	http_res_set(c->res, "Content-Disposition", field_disposition(c->a, r->disk));
}

static void describe_version(struct call *c, const struct sending *s)
{
	char *date = arena_alloc(c->a, CLOCK_HTTP_LEN);
	if (date)
		clock_http(s->modified, date);
	http_res_set(c->res, "ETag", s->etag);
	http_res_set(c->res, "Last-Modified", date);
	http_res_set(c->res, "Cache-Control", "private, max-age=0, must-revalidate");
	http_res_set(c->res, "Accept-Ranges", "bytes");
}

/* Of the whole file, also where a part of it is sent (RFC 9530 3). Whoever says that he prefers others gets it all the same, for we have no others. */
static void describe_digest(struct call *c, const struct recording *r)
{
	struct digest_want told = {.alg = digest_by_tus("sha256", 6)};
	if (r->sha256 && text_unhex(r->sha256, told.value, DIGEST_SHA256_LEN) && !call_repr_unwanted(c, told.alg))
		call_repr_tell(c, &told);
}

/* The web server sends it, and does validators and ranges itself. */
static enum err send_by_server(struct call *c, const struct recording *r)
{
	struct buf b;
	const char *path = arena_printf(c->a, "%s/completed/%s", r->sid, r->disk);
	if (!path)
		return ERR_NOMEM;
	buf_init(&b, 4096);
	buf_puts(&b, c->house->cfg->x_accel_prefix);
	text_percent_encode(&b, path, strlen(path), true);
	http_res_set(c->res, "X-Accel-Redirect", b.failed ? NULL : arena_strdup(c->a, b.p));
	buf_free(&b);
	describe_file(c, r);
	describe_digest(c, r);
	http_res_set(c->res, "Cache-Control", "private, max-age=0, must-revalidate");
	return call_empty(c, 200);
}

/* The answer takes fd over, unless there will be another one because a header did not fit in memory. */
static enum err attach(struct call *c, int status, int fd, int64_t from, int64_t n)
{
	if (c->res->failed) {
		blob_close(fd);
		return ERR_NOMEM;
	}
	c->res->file_fd = fd;
	c->res->file_off = from;
	c->res->file_len = c->res->head_len = n;
	return call_empty(c, status);
}

static enum err send_self(struct call *c, const struct recording *r, int fd)
{
	struct sending s = {.etag = etag_of(c, r), .modified = r->created};
	enum send_plan plan = s.etag ? plan_send(c, r->size, &s) : SEND_ALL;
	if (plan == SEND_BAD_RANGE) {
		blob_close(fd);
		http_res_addf(c->res, c->a, "Content-Range", "bytes */%lld", (long long)r->size);
		return ERR_RANGE;
	}
	describe_version(c, &s);
	if (plan == SEND_FAILED || plan == SEND_NOT_MODIFIED) {
		blob_close(fd);
		if (plan == SEND_NOT_MODIFIED)
			describe_digest(c, r);
		return call_empty(c, plan == SEND_FAILED ? 412 : 304);
	}
	describe_file(c, r);
	describe_digest(c, r);
	if (plan == SEND_RANGE) {
		http_res_addf(c->res, c->a, "Content-Range", "bytes %lld-%lld/%lld", (long long)s.first, (long long)s.last, (long long)r->size);
		return attach(c, 206, fd, s.first, s.last - s.first + 1);
	}
	/* Only what the ledger counts, even if the file is longer. */
	return attach(c, 200, fd, 0, r->size);
}

enum err send_recording(struct call *c, const struct recording *r, int fd)
{
	int64_t size;
	/* Without a number it is not published yet, and the web server could not find it; a file that goes on behind its recording it would send whole. */
	if (c->house->cfg->sendfile == SENDFILE_X_ACCEL && r->n > 0 && blob_fd_size(fd, &size) == ERR_OK && size == r->size) {
		blob_close(fd);
		return send_by_server(c, r);
	}
	return send_self(c, r, fd);
}
