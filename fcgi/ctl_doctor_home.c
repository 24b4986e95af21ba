/*
 * ctl_doctor_home.c - is the application there, what does it say of itself, and what does this machine say of its data.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"
#include "base/version.h"
#include "ctl_doctor.h"

#define SKEW_MAX_S 60

/* ---- is it there ---- */

static bool leave(struct doctor *d)
{
	d->stop = true;
	return false;
}

/* Where it might be instead. */
static const char *elsewhere(struct doctor *d)
{
	struct ctl_answer r = ctl_http_ask(&d->http, &(struct ctl_ask){.method = "GET", .path = "/health", .length = -1});
	return *d->http.base && r.ours && r.status == 200 ? "; it answers at /health, without the path of the URL" : "";
}

/* An answer of the application to somebody else: a URL that nobody has asked for yet gets a fresh one. */
static bool is_cached(struct doctor *d, const struct ctl_answer *r)
{
	if (r->status != 200 || !ctl_http_header(&d->http, r, "X-Request-ID", 0))
		return false;
	return doctor_get(d, arena_printf(d->c->a, "/health?%s", d->http.id), NULL).ours;
}

static bool not_ours(struct doctor *d, const struct ctl_answer *r)
{
	const char *said = doctor_said(d, r), *to = ctl_http_header(&d->http, r, "Location", 0);
	if (r->status == 0)
		d->unreachable = true;
	else if (r->status >= 502 && r->status <= 504)
		doctor_find(d, F_POOL_AWAY, "GET /health: %s", said);
	else if (r->status == 401 || r->status == 407)
		doctor_find(d, F_LOGIN, "GET /health: %s", said);
	else if (r->status >= 300 && r->status < 400)
		doctor_find(d, F_REDIRECT, "GET /health leads to %s", to ? to : "nowhere");
	else if (is_cached(d, r))
		doctor_find(d, F_ANSWERS_CACHED, "GET /health is answered with what somebody else was answered");
	else
		doctor_find(d, F_BASE_PATH, "GET %s/health: %s%s%s", d->http.base, said,
			r->status == 200 ? " without the X-Request-ID of the request" : "", elsewhere(d));
	if (d->unreachable)
		doctor_untried(d, "anything", said);
	return leave(d);
}

static bool is_there(struct doctor *d)
{
	struct ctl_answer r = doctor_get(d, "/health", NULL);
	if (d->http.tls_fault)
		doctor_find(d, F_TLS_CERTIFICATE, "%s", d->http.tls_fault);
	if (d->http.no_roots)
		doctor_untried(d, "the certificate", "this machine has no certificates to check it by (ca-certificates)");
	if (!r.ours)
		return not_ours(d, &r);
	if (r.status == 200)
		return true;
	doctor_find(d, F_BASE_PATH, "GET %s/health: the application answered %d, for its own BASE_PATH is another one%s", d->http.base, r.status, elsewhere(d));
	return leave(d);
}

static int64_t number(const struct json *o, const char *key, int64_t otherwise)
{
	int64_t n;
	return json_int(json_get(o, key), &n) ? n : otherwise;
}

static bool offers(const struct json *o, const char *extension)
{
	const struct json *list = json_get(o, "tus_extensions");
	for (size_t i = 0; i < json_len(list); i++)
		if (text_eq(json_str(json_at(list, i)), extension))
			return true;
	return false;
}

void doctor_home(struct doctor *d)
{
	if (!is_there(d))
		return;
	struct ctl_answer r = doctor_get(d, "/api/config", NULL);
	if (r.status == 421)
		doctor_find(d, F_HOST_REFUSED, "Host: %s is answered with 421", d->http.host);
	else if (r.ours && r.status == 403)
		doctor_find(d, F_HTTPS_WANTED, "GET /api/config over %s: %s", d->http.https ? "https" : "http", doctor_said(d, &r));
	else if (!r.ours || r.status != 200)
		doctor_find(d, F_BASE_PATH, "GET %s/api/config: %s, though /health is there", d->http.base, doctor_said(d, &r));
	struct json *o = r.status == 200 ? json_parse(r.body, r.body_len) : NULL;
	d->stop = d->faults > (d->found[F_TLS_CERTIFICATE] ? 1 : 0);
	d->max_size = number(o, "max_size", 1 << 30);
	d->max_patch = number(o, "max_patch_size", 0);
	if (d->max_patch <= 0 || d->max_patch > d->max_size)
		d->max_patch = d->max_size;
	d->max_metadata = number(o, "max_metadata_size", 0);
	d->expiration = number(o, "expiration", 0);
	d->deletes = offers(o, "termination");
	json_free(o);
}

/* ---- what it says of itself ---- */

/* "2026-11-22T06:04:02.023Z"; 0 if it is none. */
static int64_t iso_time(const char *s)
{
	struct tm t = {0};
	const char *end = s ? strptime(s, "%Y-%m-%dT%H:%M:%S", &t) : NULL;
	return end && (*end == '.' || *end == 'Z') ? (int64_t)timegm(&t) : 0;
}

static void compare(struct doctor *d, const char *whose, int64_t theirs)
{
	int64_t apart = theirs - clock_now();
	if (theirs > 0 && llabs(apart) > SKEW_MAX_S)
		doctor_find(d, F_CLOCK, "the clock of %s is %" PRId64 " s %s this machine's", whose, (int64_t)llabs(apart), apart > 0 ? "ahead of" : "behind");
}

void doctor_clock(struct doctor *d)
{
	struct ctl_answer r = doctor_get(d, "/health", NULL);
	const char *date = ctl_http_header(&d->http, &r, "Date", 0);
	struct json *o = r.ours ? json_parse(r.body, r.body_len) : NULL;
	compare(d, "the web server", date ? clock_http_parse(date) : 0);
	compare(d, "the application", iso_time(json_str(json_get(o, "timestamp"))));
	json_free(o);
}

static void storage(struct doctor *d, const struct json *o, int status)
{
	const struct json *disk = json_get(o, "storage");
	int64_t parts = number(disk, "parts_free_bytes", 0), done = number(disk, "done_free_bytes", 0);
	bool database = false, folders = false;
	json_bool(json_get(json_get(o, "database"), "writable"), &database);
	json_bool(json_get(disk, "parts_writable"), &folders);
	if (database && folders && status != 200)
		doctor_find(d, F_SPACE, "%" PRId64 " bytes are free for unfinished and %" PRId64 " for finished files", parts, done);
	else if (status != 200)
		doctor_find(d, F_UNWELL, "the database is%s writable, the folders are%s", database ? "" : " not", folders ? "" : " not");
}

void doctor_health(struct doctor *d)
{
	struct ctl_answer r = doctor_get(d, "/health?detail=1", NULL);
	struct json *o = r.ours && (r.status == 200 || r.status == 503) ? json_parse(r.body, r.body_len) : NULL;
	const char *version = json_str(json_get(o, "version"));
	if (version) {
		storage(d, o, r.status);
		if (!text_eq(version, TUS_FCGI_VERSION))
			doctor_find(d, F_VERSIONS, "the server is %s, tusctl is " TUS_FCGI_VERSION, version);
	} else {
		doctor_untried(d, "the server's version, its free space, whether it can write", "it tells them only to who has a key (--key)");
	}
	json_free(o);
}

void doctor_http_2(struct doctor *d)
{
	if (d->http.https && ctl_http_is_2(&d->http))
		doctor_find(d, F_HTTP_2, "the server chose h2");
}

/* ---- this machine ---- */

/* Where locks or shared memory are not to be relied on (statfs(2)). */
static const char *shared_file_system(const char *dir)
{
	static const struct { uint32_t magic; const char *name; } list[] = {
		{0x6969, "NFS"}, {0x517b, "SMB"}, {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"}, {0x65735546, "FUSE"}, {0x01021997, "9P"},
	};
	struct statfs s;
	if (statfs(dir, &s) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if ((uint32_t)s.f_type == list[i].magic)
			return list[i].name;
	return NULL;
}

/* The file's bytes 18 and 19 are 2 in WAL mode (SQLite's file format, 1.3.3); the store falls back to a journal where it cannot have it. */
static bool without_wal(const char *path, bool *there)
{
	unsigned char head[20] = {0};
	FILE *f = fopen(path, "re");
	size_t n = f ? fread(head, 1, sizeof head, f) : 0;
	if (f)
		fclose(f);
	*there = n == sizeof head;
	return *there && head[18] != 2;
}

static void local_space(struct doctor *d, const char *dir)
{
	struct statvfs v;
	if (statvfs(dir, &v) == 0 && (int64_t)v.f_bavail * (int64_t)v.f_frsize < d->c->cfg->min_free)
		doctor_find(d, F_SPACE, "%s has %lld bytes free", dir, (long long)v.f_bavail * (long long)v.f_frsize);
}

void doctor_machine(struct doctor *d)
{
	const struct config *cfg = d->c->cfg;
	const char *path = arena_printf(d->c->a, "%s/tus.db", cfg->db_dir), *shared;
	bool there = false, journal = path && without_wal(path, &there);
	if (!there) {
		doctor_untried(d, "the file system of the data", "there is no readable database in the settings' folder on this machine (--data, --config)");
		return;
	}
	shared = shared_file_system(cfg->db_dir);
	if (shared)
		doctor_find(d, F_NO_WAL, "%s is on %s", cfg->db_dir, shared);
	else if (journal)
		doctor_find(d, F_NO_WAL, "%s is not in WAL mode", path);
	local_space(d, cfg->parts_dir);
	local_space(d, cfg->done_dir);
}
