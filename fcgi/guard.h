/*
 * guard.h - what must hold before a route's function is called; and the headers that every answer carries.
 */
#ifndef GUARD_H
#define GUARD_H

#include "base/config.h"
#include "db/store.h"
#include "http/msg.h"
#include "proto/proto.h"

/* Keys from API_KEYS_FILE: lines "name role sha256hex", '#' comments. */
struct guard_keys {
	struct api_key *v;
	int n;
};
/* ERR_INVALID (logged) for a malformed file; a NULL path gives no keys. */
enum err guard_keys_load(const char *path, struct guard_keys *out);
void guard_keys_free(struct guard_keys *k);

/* X-HTTP-Method-Override decides on tus URLs (check 11). ERR_METHOD for an unknown name. */
enum err guard_override(struct http_req *req);
/* CORS headers of this answer, for a preflight too. */
void guard_cors(const struct config *cfg, struct call *c);
/* Host header among ALLOWED_HOSTS: else ERR_MISDIRECTED (421), never 400. */
enum err guard_host(const struct config *cfg, const struct http_req *req);
/* FORCE_HTTPS: ERR_FORBIDDEN over plain http; X-Forwarded-Proto counts only from TRUSTED_PROXIES. */
enum err guard_https(const struct config *cfg, const struct http_req *req);
/* Who asks: REMOTE_USER, else a key. Sets owner, admin, trusted. ERR_UNAUTHENTICATED: a key that nobody has. */
enum err guard_identity(const struct config *cfg, struct store *db, const struct guard_keys *keys, struct call *c);
/* Tus-Resumable (checks 2-6). */
enum err guard_tus(struct call *c);
/* nosniff and company, Tus-Resumable on tus URLs, X-Request-ID. */
void guard_headers(const struct config *cfg, struct call *c, bool https);
bool guard_is_https(const struct config *cfg, const struct http_req *req);

#endif
