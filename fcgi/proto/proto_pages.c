/*
 * proto_pages.c - the server about itself: what clients may send it, whether it is well, what it has done.
 */
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/version.h"
#include "proto/proto_draft.h"
#include "proto/proto_ext.h"

#define METRICS_MAX (512 << 10)
#define MIB 1048576.0

/* ---- GET /api/config ---- */

/* The method that clients shall use first; one that is switched off cannot be it. */
static const char *default_method(const struct config *cfg)
{
	bool custom = cfg->default_method == METHOD_CUSTOM;
	if (custom && !cfg->custom_enabled && cfg->tus_enabled)
		custom = false;
	if (!custom && !cfg->tus_enabled && cfg->custom_enabled)
		custom = true;
	return custom ? "custom" : "tus";
}

static struct json *methods_json(const struct config *cfg)
{
	struct json *list = json_arr();
	if (cfg->tus_enabled)
		json_add_str(list, "tus");
	if (cfg->custom_enabled)
		json_add_str(list, "custom");
	return list;
}

static struct json *extensions_json(const struct config *cfg)
{
	struct json *list = json_arr();
	for (int x = 0; cfg->tus_enabled && x < EXT__MAX; x++)
		if (ext_on(cfg, (enum tus_ext)x))
			json_add_str(list, ext_name((enum tus_ext)x));
	return list;
}

/* By their names in Upload-Checksum, or in Content-Digest. */
static struct json *algorithms_json(bool on, bool field)
{
	struct json *list = json_arr();
	for (int i = 0; on && i < digest_algs_n; i++)
		if (!field || digest_algs[i].field)
			json_add_str(list, field ? digest_algs[i].field : digest_algs[i].tus);
	return list;
}

enum err page_config(struct call *c)
{
	const struct config *cfg = c->house->cfg;
	const struct { const char *key; int64_t value; } limits[] = {
		{"max_size", cfg->tus_max_size}, {"max_chunk_size", cfg->max_chunk_size}, {"max_file_size", cfg->max_file_size},
		{"max_upload_size", cfg->max_upload_size}, {"max_patch_size", cfg->max_patch_size}, {"max_metadata_size", cfg->max_metadata},
	};
	struct json *o = json_obj();
	json_put_int(o, "chunk_size", cfg->chunk_size);
	json_put_int(o, "tus_chunk_size", cfg->tus_chunk_size);
	json_put(o, "upload_methods", methods_json(cfg));
	json_put_str(o, "default_upload_method", default_method(cfg));
	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		json_put_int(o, limits[i].key, limits[i].value);
	json_put_str(o, "tus_version", TUS_VERSION);
	json_put(o, "tus_extensions", extensions_json(cfg));
	json_put(o, "tus_checksum_algorithms", algorithms_json(cfg->tus_enabled && ext_on(cfg, EXT_CHECKSUM), false));
	json_put(o, "content_digest_algorithms", algorithms_json(true, true));
	json_put_int(o, "expiration", cfg->expiration);
	if (cfg->ietf_draft)
		json_put(o, "ietf_draft", draft_versions());
	return call_json(c, 200, o);
}

/* ---- GET /health ---- */

static void put_now(struct json *o)
{
	char iso[CLOCK_ISO_LEN];
	clock_iso(clock_now_ms(), iso);
	json_put_str(o, "timestamp", iso);
}

struct checkup {
	bool db, parts_and_done, space;
	int64_t db_us, folders_us;          /* how long the trial writes took */
	int64_t parts_free, done_free;
	struct store_stats stats;
};

static void check_up(struct call *c, struct checkup *k)
{
	struct house *h = c->house;
	int64_t from = clock_mono_us();
	memset(k, 0, sizeof *k);
	k->db = store_writable(h->db) == ERR_OK && store_stats(h->db, &k->stats) == ERR_OK;
	k->db_us = clock_mono_us() - from;
	from = clock_mono_us();
	k->parts_and_done = blobs_writable(h->blobs) == ERR_OK;
	k->folders_us = clock_mono_us() - from;
	k->space = blobs_free_space(h->blobs, &k->parts_free, &k->done_free) == ERR_OK && k->parts_free >= h->cfg->min_free
		&& k->done_free >= h->cfg->min_free;
}

static struct json *database_json(const struct checkup *k)
{
	struct json *o = json_obj();
	json_put_bool(o, "writable", k->db);
	json_put_double(o, "write_ms", (double)k->db_us / 1000);
	json_put_int(o, "pages", k->stats.db_pages);
	json_put_int(o, "wal_bytes", k->stats.wal_bytes);
	return o;
}

static struct json *storage_json(struct call *c, const struct checkup *k)
{
	struct json *o = json_obj();
	json_put_bool(o, "parts_writable", k->parts_and_done);
	json_put_double(o, "write_ms", (double)k->folders_us / 1000);
	json_put_int(o, "parts_free_bytes", k->parts_free);
	json_put_int(o, "done_free_bytes", k->done_free);
	json_put_int(o, "total_recordings", k->stats.recordings);
	json_put_double(o, "total_size_mb", (double)k->stats.stored_bytes / MIB);
	json_put_double(o, "available_space_mb", (double)k->done_free / MIB);
	json_put_bool(o, "same_device", blobs_same_device(c->house->blobs));
	return o;
}

static struct json *process_json(void)
{
	struct rusage use;
	struct json *o = json_obj();
	getrusage(RUSAGE_SELF, &use);
	json_put_int(o, "pid", getpid());
	json_put_double(o, "cpu_seconds", (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6);
	json_put_double(o, "max_memory_mb", (double)use.ru_maxrss / 1024);
	return o;
}

static enum err health_detail(struct call *c)
{
	struct checkup k;
	check_up(c, &k);
	bool well = k.db && k.parts_and_done && k.space;
	struct json *o = json_obj(), *uploads = json_obj();
	json_put_int(uploads, "active_sessions", k.stats.active_sessions);
	json_put_int(uploads, "active_uploads", k.stats.active_uploads);
	json_put_str(o, "status", well ? "ok" : "degraded");
	put_now(o);
	json_put_str(o, "version", TUS_FCGI_VERSION);
	json_put_int(o, "uptime", clock_now() - c->started);
	json_put(o, "database", database_json(&k));
	json_put(o, "storage", storage_json(c, &k));
	json_put(o, "uploads", uploads);
	json_put(o, "process", process_json());
	return call_json(c, well ? 200 : 503, o);
}

/* Asked every second by clients that wait for us, so it touches neither disk nor database unless it is told to. */
enum err page_health(struct call *c)
{
	const char *detail = c->req->method == HTTP_GET ? http_query(c->req, "detail") : NULL;
	if (detail && strcmp(detail, "1") == 0) {
		enum err e = call_identified(c);
		return e ? e : health_detail(c);
	}
	struct json *o = json_obj();
	json_put_str(o, "status", "ok");
	put_now(o);
	return call_json(c, 200, o);
}

/* ---- GET /metrics ---- */

static const char *method_name(int m)
{
	return http_method_name((enum http_method)m);
}

static void gauge(struct buf *b, const char *name, const char *help, int64_t value)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s gauge\n%s %lld\n", name, help, name, name, (long long)value);
}

/* A value that cannot be had is left out: 0 would be a lie that no alarm hears. */
static void gauges_text(struct call *c, struct buf *b)
{
	struct store_stats s;
	int64_t parts, done;
	if (store_stats(c->house->db, &s) == ERR_OK) {
		gauge(b, "waveforge_tus_active_sessions", "Sessions that receive chunks or are being finished", s.active_sessions);
		gauge(b, "waveforge_tus_storage_bytes", "Bytes of finished files and of unfinished uploads", s.stored_bytes);
		gauge(b, "waveforge_recordings", "Finished files", s.recordings);
		gauge(b, "waveforge_active_uploads", "Unfinished uploads", s.active_uploads);
		gauge(b, "waveforge_db_pages", "Pages of the database", s.db_pages);
		gauge(b, "waveforge_wal_bytes", "Size of the write-ahead log", s.wal_bytes);
	}
	if (blobs_free_space(c->house->blobs, &parts, &done) == ERR_OK) {
		buf_puts(b, "# HELP waveforge_free_bytes Space left for unfinished and for finished files\n# TYPE waveforge_free_bytes gauge\n");
		buf_printf(b, "waveforge_free_bytes{dir=\"parts\"} %lld\nwaveforge_free_bytes{dir=\"done\"} %lld\n", (long long)parts, (long long)done);
	}
	gauge(b, "waveforge_uptime_seconds", "Since this process was started", clock_now() - c->started);
}

enum err page_metrics(struct call *c)
{
	struct buf b;
	enum err e = call_identified(c);
	if (e)
		return e;
	buf_init(&b, METRICS_MAX);
	metrics_text(c->house->metrics, &b, c->route_label, method_name);
	gauges_text(c, &b);
	c->res->body = b.failed ? NULL : arena_strndup(c->a, b.p, b.n);
	c->res->body_len = b.n;
	buf_free(&b);
	if (!c->res->body) {
		c->res->body_len = 0;
		return ERR_NOMEM;
	}
	http_res_set(c->res, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
	http_res_set(c->res, "Cache-Control", "no-store");
	return call_empty(c, 200);
}
