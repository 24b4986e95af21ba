/*
 * proto_draft.c - the IETF draft: its versions in one table, who speaks it, and what all its answers have.
 */
#include "proto/proto_draft.h"

#include <string.h>

#include "base/b64.h"
#include "base/clock.h"
#include "http/field.h"
#include "http/sf.h"
#include "model/name.h"
#include "proto/proto_checksum.h"
#include "proto/proto_tus.h"

#define INTEROP "Upload-Draft-Interop-Version"
#define TYPE_URI "https://iana.org/assignments/http-problem-types#"
#define SF_INTEGER_MAX INT64_C(999999999999999)

#define OLD .pure = true, .gone_is_unknown = true, .appended = 201
#define COMPLETE .complete = "Upload-Complete", .sense = true
static const struct draft drafts[] = {
	/* -01 */        {.version = 3, OLD, .complete = "Upload-Incomplete", .absent_ends = true, .replays = true},
	/* -02 */        {.version = 4, OLD, COMPLETE, .replays = true},
	/* -03 */        {.version = 5, OLD, COMPLETE, .replays = true, .length_ends = true},
	/* -04, -05 */   {.version = 6, OLD, COMPLETE, .length_ends = true, .partial_type = true, .pure_length = true, .lifetime = "expires"},
	/* -06 to -08 */ {.version = 7, COMPLETE, .partial_type = true, .spoils = true, .appended = 204, .lifetime = "max-age"},
	/* -09 to -12 */ {.version = 8, COMPLETE, .partial_type = true, .spoils = true, .appended = 204, .lifetime = "max-age", .replays = true},
};
#define DRAFTS ((int)(sizeof drafts / sizeof *drafts))
#define NEWEST (&drafts[DRAFTS - 1])

/* Problem types by name: those of the draft, and of "HTTP Problem Types for Digest Fields". */
static const struct {
	const char *name, *title;
} problems[] = {
	{"mismatching-upload-offset", "offset from request does not match offset of resource"},
	{"inconsistent-upload-length", "inconsistent length values for upload"},
	{"completed-upload", "upload is already completed"},
	{"digest-mismatched-values", "Mismatched digest values"},
	{"digest-invalid-values", "Invalid digest values"},
};

struct json *draft_versions(void)
{
	struct json *list = json_arr();
	for (int i = 0; i < DRAFTS; i++)
		json_add_int(list, drafts[i].version);
	return list;
}

/* ---- what a request says ---- */

static bool single(const struct http_req *req, const char *name)
{
	return http_header_count(req, name) == 1;
}

bool draft_integer(const struct call *c, const char *name, int64_t *out)
{
	int64_t v;
	if (!single(c->req, name) || !sf_integer(http_header(c->req, name), &v) || v < 0)
		return false;
	*out = v;
	return true;
}

static bool flag_of(const struct http_req *req, const struct draft *d, bool *complete)
{
	bool v;
	if (!single(req, d->complete) || !sf_boolean(http_header(req, d->complete), &v))
		return false;
	*complete = v == d->sense;
	return true;
}

bool draft_flag(const struct call *c, bool *complete)
{
	return flag_of(c->req, c->draft, complete);
}

/* The version that the request names, NULL if it names none that we know. */
static const struct draft *named(const struct call *c)
{
	int64_t version;
	if (!draft_integer(c, INTEROP, &version))
		return NULL;
	for (int i = 0; i < DRAFTS; i++)
		if (drafts[i].version == version)
			return &drafts[i];
	return NULL;
}

/* Who names no version speaks the newest, or the only one that has this field. */
static const struct draft *unnamed(const struct http_req *req)
{
	bool complete;
	return !flag_of(req, NEWEST, &complete) && flag_of(req, &drafts[0], &complete) ? &drafts[0] : NEWEST;
}

/* Nothing says which protocol this is: a HEAD or DELETE needs no header of the draft. The upload knows who made it, as long as it is remembered. Who cannot
 * be asked is not taken for the other: as HEAD of tus has it, all bytes are the end. */
static enum err made_by_draft(struct call *c, bool *yes)
{
	struct upload u = {0};
	enum http_method m = c->req->method;
	*yes = false;
	if (m != HTTP_HEAD && m != HTTP_DELETE && (m != HTTP_PATCH || field_media_type_is(c->req->content_type, TUS_TYPE)))
		return ERR_OK;
	if (!c->param[0] || !name_upload_id(c->param[0]))
		return ERR_OK;
	enum err e = upload_find(c->house, c->a, c->param[0], &u);
	*yes = u.is_explicit;
	return e == ERR_NOT_FOUND || e == ERR_GONE ? ERR_OK : e;
}

static enum err speaks(struct call *c, const struct draft *d, bool creates, bool *yes)
{
	bool complete, version = http_header(c->req, INTEROP) != NULL;
	bool partial = c->req->method == HTTP_PATCH && field_media_type_is(c->req->content_type, DRAFT_TYPE);
	*yes = partial;
	if (http_header(c->req, "Tus-Resumable"))
		return ERR_OK;
	/* A PUT or POST to /upload that does not ask for an upload resource is what it always was. */
	*yes |= flag_of(c->req, d, &complete) || (version && (!creates || strcmp(c->req->seg[0], "files") == 0));
	return *yes || creates ? ERR_OK : made_by_draft(c, yes);
}

enum err draft_meet(struct call *c, bool creates)
{
	bool yes;
	if (!c->house->cfg->ietf_draft)
		return ERR_OK;
	const struct draft *d = named(c);
	const struct draft *as = d ? d : unnamed(c->req);
	enum err e = speaks(c, as, creates, &yes);
	if (e || !yes)
		return e;
	c->draft = as;
	if (d)
		http_res_addf(c->res, c->a, INTEROP, "%d", d->version);
	return ERR_OK;
}

void draft_speak_newest(struct call *c)
{
	c->draft = NEWEST;
}

enum err draft_digests(struct call *c, struct digest_wants *out)
{
	enum err e = call_digests(c, out);
	if (e == ERR_INVALID)
		c->problem = "digest-invalid-values";
	return e;
}

enum err draft_repr_digests(struct call *c, struct digest_wants *out)
{
	enum err e = call_repr_digests(c, out);
	if (e == ERR_INVALID)
		c->problem = "digest-invalid-values";
	return e;
}

/* ---- what answers say ---- */

void draft_complete(struct call *c, bool complete)
{
	http_res_set(c->res, c->draft->complete, complete == c->draft->sense ? "?1" : "?0");
}

static void limit(struct call *c, const struct draft *d, int64_t remaining)
{
	struct buf b;
	const struct config *cfg = c->house->cfg;
	int64_t max = cfg->tus_max_size < SF_INTEGER_MAX ? cfg->tus_max_size : SF_INTEGER_MAX;
	if (!d->lifetime)
		return;
	buf_init(&b, 256);
	buf_printf(&b, "max-size=%lld", (long long)max);
	if (cfg->max_patch_size > 0)
		buf_printf(&b, ", max-append-size=%lld", (long long)cfg->max_patch_size);
	if (remaining > 0)
		buf_printf(&b, ", %s=%lld", d->lifetime, (long long)remaining);
	http_res_set(c->res, "Upload-Limit", b.failed ? NULL : arena_strdup(c->a, b.p));
	buf_free(&b);
}

void draft_limit(struct call *c, int64_t remaining)
{
	limit(c, c->draft, remaining);
}

void draft_announce(struct call *c)
{
	if (!c->house->cfg->ietf_draft)
		return;
	const struct draft *d = named(c);
	if (d)
		http_res_addf(c->res, c->a, INTEROP, "%d", d->version);
	limit(c, d ? d : NEWEST, c->house->cfg->expiration);
	http_res_set(c->res, "Accept-Patch", DRAFT_TYPE);
	http_res_set(c->res, "Upload-Draft-Interim-Responses", "?0");
}

void draft_offset(struct call *c, int64_t offset)
{
	if (offset >= 0)
		http_res_set(c->res, "Upload-Offset", arena_printf(c->a, "%lld", (long long)offset));
}

void draft_describe(struct call *c, const struct upload *u)
{
	int64_t now = clock_now();
	draft_offset(c, u->offset);
	draft_complete(c, u->state != UPLOAD_OPEN);
	if (u->length != LENGTH_UNKNOWN)
		http_res_addf(c->res, c->a, "Upload-Length", "%lld", (long long)u->length);
	draft_limit(c, u->state == UPLOAD_OPEN && u->expires > now ? u->expires - now : 0);
	http_res_set(c->res, "Cache-Control", "no-store");
}

enum err draft_mismatched(struct call *c, const char *header, const struct digest_wants *wants)
{
	char value[B64_ENCODED(DIGEST_LEN_MAX)];
	const char *list = "";
	for (int i = 0; list && i < wants->n; i++) {
		const struct digest_want *w = &wants->v[i];
		b64_encode(w->value, w->alg->len, value);
		list = arena_printf(c->a, "%s%s{\"algorithm\":\"%s\",\"provided_digest\":\":%s:\",\"header\":\"%s\"}", list, i ? "," : "",
			w->alg->field ? w->alg->field : w->alg->tus, value, header);
	}
	c->res->extra = list ? arena_printf(c->a, "\"mismatched_digests\":[%s]", list) : NULL;
	c->problem = "digest-mismatched-values";
	return call_refuse(c, ERR_INVALID, "The bytes have not the digest of %s", header);
}

/* Only what is about sending bytes speaks of completeness; an error never comes from what would be done with all of them. */
void draft_problem(struct call *c, enum err e, struct json *o)
{
	enum http_method m = c->req->method;
	const char *type = NULL, *title = err_sentence(e);
	for (size_t i = 0; c->problem && i < sizeof problems / sizeof *problems; i++)
		if (strcmp(problems[i].name, c->problem) == 0) {
			type = arena_printf(c->a, TYPE_URI "%s", c->problem);
			title = problems[i].title;
		}
	json_put_str(o, "type", type ? type : "about:blank");
	json_put_str(o, "title", title);
	json_put_int(o, "status", err_status(e));
	if (m == HTTP_POST || m == HTTP_PUT || m == HTTP_PATCH)
		draft_complete(c, false);
	if (e == ERR_TOO_LARGE)
		draft_limit(c, 0);
}
