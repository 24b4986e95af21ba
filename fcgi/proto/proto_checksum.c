/*
 * proto_checksum.c - checksums of request bodies: their headers.
 */
#include "proto/proto_checksum.h"

#include <string.h>

#include "base/b64.h"
#include "base/text.h"
#include "http/sf.h"
#include "proto/proto_ext.h"

#define BASE64_MAX B64_ENCODED(DIGEST_LEN_MAX)

enum err checksum_read(const char *value, struct digest_want *out, const char **why)
{
	unsigned char bytes[B64_DECODED(BASE64_MAX)];
	size_t name = strcspn(value, " "), n;
	*out = (struct digest_want){.alg = digest_by_tus(value, name)};
	*why = "must be an algorithm, a blank and the Base64 of the checksum";
	if (!value[name])
		return ERR_INVALID;
	*why = "no algorithm that is offered here";
	if (!out->alg)
		return ERR_INVALID;
	const char *text = value + name + 1;
	*why = "not the Base64 of a checksum of this algorithm";
	if (strlen(text) >= BASE64_MAX || !b64_decode(text, strlen(text), bytes, &n) || n != out->alg->len)
		return ERR_INVALID;
	memcpy(out->value, bytes, n);
	return ERR_OK;
}

/* RFC 9651 4.2.7: padding may be missing. */
static bool decode_padded(const char *text, size_t n, unsigned char *out, size_t *outn)
{
	char padded[BASE64_MAX + 3];
	if (n >= BASE64_MAX)
		return false;
	memcpy(padded, text, n);
	while (n % 4)
		padded[n++] = '=';
	return b64_decode(padded, n, out, outn);
}

static bool wanted(const struct digest_wants *w, const struct digest_want *one)
{
	for (int i = 0; i < w->n; i++)
		if (w->v[i].alg == one->alg && memcmp(w->v[i].value, one->value, one->alg->len) == 0)
			return true;
	return false;
}

enum err digest_field_read(const char *value, struct digest_wants *out, const char **why)
{
	unsigned char bytes[B64_DECODED(BASE64_MAX + 3)];
	struct digest_wants all = *out;
	struct sf_member m;
	size_t n;
	for (int i = 0; i < digest_algs_n; i++) {
		struct digest_want one = {.alg = &digest_algs[i]};
		int found = one.alg->field ? sf_dict_get(value, one.alg->field, &m) : 0;
		if (found < 0 || (found && m.type != SF_BYTES))
			return ERR_OK;
		if (!found)
			continue;
		*why = "a value has not the length of a digest of its algorithm";
		if (!decode_padded(m.raw, m.raw_n, bytes, &n) || n != one.alg->len)
			return ERR_INVALID;
		memcpy(one.value, bytes, n);
		if (!wanted(&all, &one))
			all.v[all.n++] = one;
	}
	*out = all;
	return ERR_OK;
}

/* The lines of a field as one (RFC 9110 5.2); NULL: absent, or memory is out (*failed). */
static const char *joined(struct call *c, const char *name, bool *failed)
{
	const char *all = NULL;
	for (int i = 0; i < c->req->nheader && !*failed; i++) {
		if (!text_eq_nocase(c->req->header[i].name, name))
			continue;
		all = all ? arena_printf(c->a, "%s, %s", all, c->req->header[i].value) : c->req->header[i].value;
		*failed = !all;
	}
	return all;
}

static enum err tus_checksum(struct call *c, struct digest_wants *out)
{
	const char *value = http_header(c->req, "Upload-Checksum"), *why;
	if (!value)
		return ERR_OK;
	/* Bytes that somebody wants checked are not taken unchecked. */
	if (!ext_on(c->house->cfg, EXT_CHECKSUM))
		return call_refuse(c, ERR_INVALID, "Upload-Checksum is not offered here");
	if (http_header_count(c->req, "Upload-Checksum") > 1)
		return call_refuse(c, ERR_INVALID, "Upload-Checksum is given more than once");
	if (checksum_read(value, &out->v[0], &why))
		return call_refuse(c, ERR_INVALID, "Upload-Checksum: %s", why);
	out->n = 1;
	return ERR_OK;
}

static enum err add_digests(struct call *c, const char *name, struct digest_wants *out)
{
	const char *why;
	bool failed = false;
	const char *value = joined(c, name, &failed);
	if (failed)
		return ERR_NOMEM;
	return value && digest_field_read(value, out, &why) ? call_refuse(c, ERR_INVALID, "%s: %s", name, why) : ERR_OK;
}

enum err call_digests(struct call *c, struct digest_wants *out)
{
	out->n = 0;
	enum err e = tus_checksum(c, out);
	return e ? e : add_digests(c, "Content-Digest", out);
}

/* ---- of the whole ---- */

/* Preference of an algorithm: 0 to 10, 0 is "not this one"; -1: it is not named, or the field is malformed. */
static int64_t preference(const char *value, const struct digest_alg *alg)
{
	struct sf_member m;
	bool found = value && alg->field && sf_dict_get(value, alg->field, &m) > 0;
	return found && m.type == SF_INTEGER && m.integer >= 0 && m.integer <= 10 ? m.integer : -1;
}

const struct digest_alg *digest_field_preferred(const char *value)
{
	const struct digest_alg *best = NULL;
	int64_t most = 0;
	for (int i = 0; i < digest_algs_n; i++) {
		int64_t p = preference(value, &digest_algs[i]);
		if (p > most) {
			most = p;
			best = &digest_algs[i];
		}
	}
	return best;
}

enum err call_repr_digests(struct call *c, struct digest_wants *out)
{
	out->n = 0;
	return add_digests(c, "Repr-Digest", out);
}

/* Without memory it is as if nobody had asked. */
static const char *want_repr(struct call *c)
{
	bool failed = false;
	return joined(c, "Want-Repr-Digest", &failed);
}

const struct digest_alg *call_repr_preferred(struct call *c)
{
	return digest_field_preferred(want_repr(c));
}

bool call_repr_unwanted(struct call *c, const struct digest_alg *alg)
{
	return preference(want_repr(c), alg) == 0;
}

void call_repr_tell(struct call *c, const struct digest_want *told)
{
	char base64[B64_ENCODED(DIGEST_LEN_MAX)];
	if (!told->alg || !told->alg->field)
		return;
	b64_encode(told->value, told->alg->len, base64);
	http_res_addf(c->res, c->a, "Repr-Digest", "%s=:%s:", told->alg->field, base64);
}

const char *checksum_names(struct arena *a)
{
	const char *all = "";
	for (int i = 0; all && i < digest_algs_n; i++)
		all = arena_printf(a, "%s%s%s", all, i ? "," : "", digest_algs[i].tus);
	return all;
}
