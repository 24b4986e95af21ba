/*
 * guard.c - host, scheme, origin, identity, protocol version.
 */
#include "guard.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"
#include "http/field.h"

/* TUS.md 4.7: what browsers may send to us and read from us. No wildcards: they do not work with credentials. */
#define CORS_METHODS "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
#define CORS_ALLOW "Authorization, Content-Type, Origin, X-Requested-With, X-Request-ID, X-HTTP-Method-Override, X-API-Key, Tus-Resumable, Upload-Length, " \
	"Upload-Offset, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Checksum, Upload-Complete, Upload-Incomplete, " \
	"Upload-Draft-Interop-Version, Content-Digest, Repr-Digest, Want-Repr-Digest, Content-Disposition, Incremental"
#define CORS_EXPOSE "Location, Upload-Offset, Upload-Length, Upload-Metadata, Upload-Defer-Length, Upload-Concat, Upload-Expires, Tus-Resumable, Tus-Version, " \
	"Tus-Extension, Tus-Max-Size, Tus-Checksum-Algorithm, Upload-Complete, Upload-Incomplete, Upload-Draft-Interop-Version, Upload-Limit, Repr-Digest, " \
	"Retry-After, X-Request-ID, ETag, Content-Range, Accept-Ranges, Content-Disposition"
#define CORS_MAX_AGE "86400"
#define ASKED_MAX 1024

/* ---- keys ---- */

static bool key_line(const char *line, struct api_key *k)
{
	char name[128], role[32], hex[80];
	if (sscanf(line, "%127s %31s %79s", name, role, hex) != 3 || !text_unhex(hex, k->hash, sizeof k->hash))
		return false;
	/* A misspelt role would be a lesser one in silence. */
	if (strcmp(role, "user") != 0 && strcmp(role, "admin") != 0)
		return false;
	k->name = strdup(name);
	k->role = strdup(role);
	return k->name && k->role;
}

enum err guard_keys_load(const char *path, struct guard_keys *out)
{
	char *line = NULL;
	size_t cap = 0;
	int number = 0;
	enum err e = ERR_OK;
	*out = (struct guard_keys){0};
	if (!path || !*path)
		return ERR_OK;
	FILE *f = fopen(path, "re");
	if (!f) {
		log_event(LOG_ERROR, "guard", "API_KEYS_FILE cannot be read", "path", LS(path), NULL);
		return ERR_INVALID;
	}
	while (!e && getline(&line, &cap, f) > 0) {
		number++;
		if (line[strspn(line, " \t\r\n")] == '\0' || line[0] == '#')
			continue;
		struct api_key *bigger = realloc(out->v, (size_t)(out->n + 1) * sizeof *bigger);
		if (!bigger) {
			e = ERR_NOMEM;
			break;
		}
		out->v = bigger;
		memset(&out->v[out->n], 0, sizeof *out->v);
		e = key_line(line, &out->v[out->n++]) ? ERR_OK : ERR_INVALID;
	}
	if (e)
		log_event(LOG_ERROR, "guard", "API_KEYS_FILE: a line must be: name, user or admin, sha256hex", "path", LS(path), "line", LI(number), NULL);
	free(line);
	fclose(f);
	return e;
}

void guard_keys_free(struct guard_keys *k)
{
	for (int i = 0; i < k->n; i++) {
		free((char *)k->v[i].name);
		free((char *)k->v[i].role);
	}
	free(k->v);
	*k = (struct guard_keys){0};
}

/* ---- method, host, scheme ---- */

enum err guard_override(struct http_req *req)
{
	const char *name = http_header(req, "X-HTTP-Method-Override");
	if (!name || !*name || req->nseg < 1 || strcmp(req->seg[0], "files") != 0)
		return ERR_OK;
	req->method = http_method_parse(name);
	req->method_text = name;
	return req->method == HTTP_OTHER ? ERR_METHOD : ERR_OK;
}

enum err guard_host(const struct config *cfg, const struct http_req *req)
{
	static int warned;
	char host[256];
	if (cfg->allowed_hosts.any)
		return ERR_OK;
	bool good = req->host && field_host(req->host, host, sizeof host);
	if (good && field_host_listed(&cfg->allowed_hosts, host))
		return ERR_OK;
	if (!__atomic_exchange_n(&warned, 1, __ATOMIC_RELAXED))
		log_event(LOG_ERROR, "guard", "refusing requests for a host that ALLOWED_HOSTS does not list", "host", LS(req->host ? req->host : ""), NULL);
	return ERR_MISDIRECTED;
}

static bool from_trusted_proxy(const struct config *cfg, const struct http_req *req)
{
	if (!req->remote_addr)
		return false;
	if (cfg->trusted_proxies.any)
		return true;
	for (int i = 0; i < cfg->trusted_proxies.n; i++)
		if (strcmp(cfg->trusted_proxies.v[i], req->remote_addr) == 0)
			return true;
	return false;
}

bool guard_is_https(const struct config *cfg, const struct http_req *req)
{
	const char *proto = http_header(req, "X-Forwarded-Proto");
	return req->https || (proto && text_eq_nocase(proto, "https") && from_trusted_proxy(cfg, req));
}

enum err guard_https(const struct config *cfg, const struct http_req *req)
{
	return !cfg->force_https || guard_is_https(cfg, req) ? ERR_OK : ERR_FORBIDDEN;
}

/* ---- origin ---- */

/* 127.0.0.0/8 as four numbers: a name like 127.example.org is anybody's. */
static bool loopback_quad(const char *s)
{
	struct in_addr in;
	return inet_pton(AF_INET, s, &in) == 1 && (ntohl(in.s_addr) >> 24) == 127;
}

static bool loopback_origin(const char *origin)
{
	char name[256];
	size_t scheme = text_starts(origin, "http://") ? 7 : text_starts(origin, "https://") ? 8 : 0;
	return scheme && field_host(origin + scheme, name, sizeof name)
		&& (text_eq(name, "localhost") || text_eq(name, "[::1]") || loopback_quad(name));
}

/* It is sent back, so it may hold only what an origin can: a scheme, a host, a port (RFC 6454 6.2). */
static bool origin_sane(const char *origin)
{
	return origin && *origin && strlen(origin) <= 512
		&& origin[strspn(origin, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._~:/[]%")] == '\0';
}

static bool origin_allowed(const struct config *cfg, const char *origin)
{
	if (cfg->cors_origins.any)
		return true;
	for (int i = 0; i < cfg->cors_origins.n; i++)
		if (text_eq_nocase(cfg->cors_origins.v[i], origin))
			return true;
	return cfg->environment == ENV_DEVELOPMENT && loopback_origin(origin);
}

static bool header_names(const char *s)
{
	return strlen(s) <= ASKED_MAX && s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_, ")] == '\0';
}

void guard_cors(const struct config *cfg, struct call *c)
{
	const char *origin = http_header(c->req, "Origin");
	const char *asked = http_header(c->req, "Access-Control-Request-Headers");
	bool preflight = c->req->method == HTTP_OPTIONS;
	http_res_add(c->res, "Vary", preflight ? "Origin, Access-Control-Request-Method, Access-Control-Request-Headers" : "Origin");
	if (!origin_sane(origin) || !origin_allowed(cfg, origin))
		return;
	/* A list names whom we trust with credentials; "*" trusts everybody, so without. */
	if (cfg->cors_origins.any) {
		http_res_add(c->res, "Access-Control-Allow-Origin", "*");
	} else {
		http_res_add(c->res, "Access-Control-Allow-Origin", origin);
		http_res_add(c->res, "Access-Control-Allow-Credentials", "true");
	}
	http_res_add(c->res, "Access-Control-Expose-Headers", CORS_EXPOSE);
	if (!preflight)
		return;
	http_res_add(c->res, "Access-Control-Allow-Methods", CORS_METHODS);
	if (asked && *asked && header_names(asked))
		http_res_addf(c->res, c->a, "Access-Control-Allow-Headers", "%s, %s", CORS_ALLOW, asked);
	else
		http_res_add(c->res, "Access-Control-Allow-Headers", CORS_ALLOW);
	http_res_add(c->res, "Access-Control-Max-Age", CORS_MAX_AGE);
}

/* ---- identity ---- */

static bool loopback_peer(const struct http_req *req)
{
	const char *a = req->remote_addr;
	return a && (text_starts(a, "127.") || text_eq(a, "::1") || text_starts(a, "unix:"));
}

static const char *key_of(const struct config *cfg, const struct http_req *req)
{
	const char *key = http_header(req, cfg->api_key_header), *auth;
	if (key && *key)
		return key;
	auth = http_header(req, "Authorization");
	return auth && text_starts_nocase(auth, "Bearer ") ? auth + 7 + strspn(auth + 7, " ") : NULL;
}

static enum err key_find(struct store *db, const struct guard_keys *keys, const char *key, struct arena *a, struct api_key *out)
{
	unsigned char hash[DIGEST_SHA256_LEN];
	digest_sha256(key, strlen(key), hash);
	for (int i = 0; i < keys->n; i++)
		if (digest_equal(keys->v[i].hash, hash, sizeof hash)) {
			*out = keys->v[i];
			return ERR_OK;
		}
	return store_key_find(db, a, hash, out);
}

enum err guard_identity(const struct config *cfg, struct store *db, const struct guard_keys *keys, struct call *c)
{
	struct api_key k;
	const char *key = key_of(cfg, c->req);
	c->owner = OWNER_ANONYMOUS;
	if (c->req->remote_user && *c->req->remote_user) {
		c->owner = arena_printf(c->a, "user:%s", c->req->remote_user);
		return c->owner ? ERR_OK : ERR_NOMEM;
	}
	if (key) {
		enum err e = key_find(db, keys, key, c->a, &k);
		if (e)
			return e == ERR_NOT_FOUND ? call_refuse(c, ERR_UNAUTHENTICATED, "This key is not known") : e;
		c->owner = arena_printf(c->a, "key:%s", k.name);
		c->admin = strcmp(k.role, "admin") == 0;
		return c->owner ? ERR_OK : ERR_NOMEM;
	}
	c->trusted = cfg->environment == ENV_DEVELOPMENT && loopback_peer(c->req);
	return ERR_OK;
}

/* ---- protocol version and common headers ---- */

enum err guard_tus(struct call *c)
{
	const char *version = http_header(c->req, "Tus-Resumable");
	if (!version && c->req->method == HTTP_HEAD)
		return ERR_OK;
	if (version && strcmp(version, TUS_VERSION) == 0 && http_header_count(c->req, "Tus-Resumable") == 1)
		return ERR_OK;
	http_res_set(c->res, "Tus-Version", TUS_VERSION);
	return call_refuse(c, ERR_TUS_VERSION, version ? "Tus-Resumable %s is not supported" : "Tus-Resumable is missing", version);
}

void guard_headers(const struct config *cfg, struct call *c, bool https)
{
	struct http_res *res = c->res;
	if (c->req->nseg > 0 && strcmp(c->req->seg[0], "files") == 0)
		http_res_set(res, "Tus-Resumable", TUS_VERSION);
	http_res_set(res, "X-Content-Type-Options", "nosniff");
	http_res_set(res, "X-Frame-Options", "DENY");
	http_res_set(res, "X-XSS-Protection", "1; mode=block");
	if (cfg->hsts && https)
		http_res_set(res, "Strict-Transport-Security", "max-age=31536000; includeSubDomains");
	http_res_set(res, "X-Request-ID", c->request_id);
}
