/*
 * proto_concat.c - Upload-Concat: partial, or final with the list of its parts.
 */
#include "proto/proto_concat.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/field.h"
#include "model/name.h"
#include "proto/proto_ext.h"

#define FINAL "final;"
#define HOST_MAX 256
#define ID_SIZE 24

/* ---- grammar ---- */

const char *concat_next(const char **at, size_t *n)
{
	const char *url = *at + strspn(*at, " ");
	*n = strcspn(url, " ");
	*at = url + *n;
	return *n ? url : NULL;
}

/* Behind the scheme of an absolute URL, or at the host of "//host/path"; NULL if it is neither. */
static const char *authority(const char *url, size_t n)
{
	static const char *const scheme[] = {"http://", "https://", "//"};
	for (size_t i = 0; i < sizeof scheme / sizeof *scheme; i++)
		if (n > strlen(scheme[i]) && strncasecmp(url, scheme[i], strlen(scheme[i])) == 0)
			return url + strlen(scheme[i]);
	return NULL;
}

static bool authority_host(const char *from, const char *to, char *host)
{
	char text[HOST_MAX];
	size_t n = (size_t)(to - from);
	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, from, n);
	text[n] = '\0';
	return field_host(text, host, HOST_MAX);
}

/* "/base/files/ID" from an absolute path, "ID" from one that is relative to the collection. */
static bool path_id(const char *path, size_t n, const char *base_path, char *id)
{
	static const char files[] = "/files/";
	size_t base = strlen(base_path);
	if (n > 0 && path[0] == '/') {
		if (n < base + sizeof files || memcmp(path, base_path, base) != 0 || memcmp(path + base, files, sizeof files - 1) != 0)
			return false;
		path += base + sizeof files - 1;
		n -= base + sizeof files - 1;
	}
	if (n > 1 && path[n - 1] == '/')
		n--;
	if (n >= ID_SIZE)
		return false;
	memcpy(id, path, n);
	id[n] = '\0';
	return name_upload_id(id);
}

bool concat_url(const char *url, size_t n, const char *base_path, char *host, char *id)
{
	const char *at = authority(url, n), *end = url + n;
	host[0] = '\0';
	if (!at)
		return path_id(url, n, base_path, id);
	const char *path = memchr(at, '/', (size_t)(end - at));
	return path && authority_host(at, path, host) && path_id(path, (size_t)(end - path), base_path, id);
}

/* ---- one creation ---- */

/* What the client calls us, or what the operator does. A port says nothing: in front of us others may listen. */
static bool own_host(const struct call *c, const char *host)
{
	char asked[HOST_MAX];
	if (!*host || (c->req->host && field_host(c->req->host, asked, sizeof asked) && text_eq(host, asked)))
		return true;
	return !c->house->cfg->allowed_hosts.any && field_host_listed(&c->house->cfg->allowed_hosts, host);
}

static enum err part_find(struct call *c, const char *url, size_t n, struct upload *part)
{
	char host[HOST_MAX], id[ID_SIZE];
	if (!concat_url(url, n, c->house->cfg->base_path, host, id))
		return call_refuse(c, ERR_INVALID, "Upload-Concat: not a URL of an upload here: %.*s", n < 200 ? (int)n : 200, url);
	if (!own_host(c, host))
		return call_refuse(c, ERR_INVALID, "Upload-Concat: a part lies on another host");
	enum err e = upload_find(c->house, c->a, id, part);
	if (!e)
		e = call_may(c, part->owner, false);
	if (e == ERR_NOT_FOUND || e == ERR_GONE)
		return call_refuse(c, e, "Upload-Concat: part %s is not there", id);
	if (!e && part->concat != CONCAT_PARTIAL)
		return call_refuse(c, ERR_INVALID, "Upload-Concat: %s is not a partial upload", id);
	if (!e && part->state == UPLOAD_OPEN && !ext_on(c->house->cfg, EXT_CONCATENATION_UNFINISHED))
		return call_refuse(c, ERR_INVALID, "Upload-Concat: part %s is not complete", id);
	return e;
}

static enum err parts_find(struct call *c, const char *list, struct create_cmd *cmd)
{
	const char *at = list, *url;
	size_t n;
	while (concat_next(&at, &n))
		cmd->nparts++;
	if (cmd->nparts == 0)
		return call_refuse(c, ERR_INVALID, "Upload-Concat: final without parts");
	if (cmd->nparts > CONCAT_PARTS_MAX)
		return call_refuse(c, ERR_INVALID, "Upload-Concat: more than %d parts", CONCAT_PARTS_MAX);
	struct upload *part = arena_alloc(c->a, (size_t)cmd->nparts * sizeof *part);
	if (!part)
		return ERR_NOMEM;
	cmd->part = part;
	at = list;
	enum err e = ERR_OK;
	while (!e && (url = concat_next(&at, &n)))
		e = part_find(c, url, n, part++);
	return e;
}

enum err concat_read(struct call *c, struct create_cmd *cmd)
{
	const char *value = http_header(c->req, "Upload-Concat");
	if (!value)
		return ERR_OK;
	if (!ext_on(c->house->cfg, EXT_CONCATENATION))
		return call_refuse(c, ERR_INVALID, "Upload-Concat is not offered here");
	if (http_header_count(c->req, "Upload-Concat") > 1)
		return call_refuse(c, ERR_INVALID, "Upload-Concat is given more than once");
	if (strlen(value) > CONCAT_TEXT_MAX)
		return call_refuse(c, ERR_HEADERS, "Upload-Concat is longer than %d bytes", CONCAT_TEXT_MAX);
	if (text_eq(value, "partial")) {
		cmd->concat = CONCAT_PARTIAL;
		return ERR_OK;
	}
	if (!text_starts(value, FINAL))
		return call_refuse(c, ERR_INVALID, "Upload-Concat must be partial, or final; and the URLs of the parts");
	if (c->req->body->length > 0)
		return call_refuse(c, ERR_FORBIDDEN, "A final upload takes no data of its own");
	cmd->concat = CONCAT_FINAL;
	cmd->concat_text = value;
	return parts_find(c, value + strlen(FINAL), cmd);
}

void concat_describe(struct call *c, const struct upload *u)
{
	if (u->concat != CONCAT_NONE)
		http_res_set(c->res, "Upload-Concat", u->concat == CONCAT_PARTIAL ? "partial" : u->concat_text);
}
