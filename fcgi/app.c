/*
 * app.c - the hall's house-keeping: opens and closes the rooms, and what a process does beside answering. One request: app_handle.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "app_priv.h"
#include "base/clock.h"
#include "base/log.h"
#include "hook/hook.h"
#include "routes.h"
#include "upload/ballast.h"

#define REAP_ROWS 20
#define LOOK_AGAIN_S 60      /* between two looks for what is to be finished */
#define SCAN_EVERY 60       /* reaps between two looks for orphan files */

/* ---- opening ---- */

static enum err make_dirs(const char *path)
{
	char *p = strdup(path);
	enum err e = p ? ERR_OK : ERR_NOMEM;
	for (char *s = p; p && !e && s; ) {
		s = strchr(s + 1, '/');
		if (s)
			*s = '\0';
		if (mkdir(p, 0750) && errno != EEXIST) {
			log_event(LOG_ERROR, "app", "a folder cannot be made", "path", LS(p), "why", LS(strerror(errno)), NULL);
			e = err_from_errno(errno);
		}
		if (s)
			*s = '/';
	}
	free(p);
	return e;
}

void app_threads(void *self, int n)
{
	struct app *app = self;
	const struct config *cfg = app->cfg;
	int64_t slots = (n < cfg->threads ? n : cfg->threads) - cfg->reserve_threads;
	__atomic_store_n(&app->body_max, slots > 1 ? (int)slots : 1, __ATOMIC_RELAXED);
}

static void set_slots(struct app *app)
{
	const struct config *cfg = app->cfg;
	int64_t workers = cfg->workers > 0 ? cfg->workers : 1;
	app_threads(app, app->once ? 1 : (int)cfg->threads);
	app->begin_max = app->body_max;
	if (cfg->max_uploads > 0 && (cfg->max_uploads + workers - 1) / workers < app->begin_max)
		app->begin_max = (int)((cfg->max_uploads + workers - 1) / workers);
}

static void count_line(enum log_level level, void *arg)
{
	if (level == LOG_WARN)
		metrics_add(arg, M_LOG_WARN, 1);
	else if (level == LOG_ERROR)
		metrics_add(arg, M_LOG_ERROR, 1);
}

enum err app_make_dirs(const struct config *cfg)
{
	const char *const dirs[] = {cfg->data_dir, cfg->db_dir, cfg->parts_dir, cfg->done_dir, cfg->run_dir};
	enum err e = ERR_OK;
	for (size_t i = 0; !e && i < sizeof dirs / sizeof *dirs; i++)
		e = make_dirs(dirs[i]);
	return e;
}

static enum err open_rooms(struct app *app)
{
	const struct config *cfg = app->cfg;
	struct store_options so = {.dir = cfg->db_dir, .full = cfg->durability == DURABILITY_FULL, .once = app->once, .readers = 4};
	hook_store_options(cfg, &so);
	char path[4096];
	enum err e = app_make_dirs(cfg);
	if (!e)
		ballast_open(cfg);
	if (!e)
		e = store_open(&so, &app->house.db);
	if (!e)
		e = blobs_open(cfg->parts_dir, cfg->done_dir, &app->house.blobs);
	if (!e)
		e = holds_open(cfg->run_dir, !app->once, &app->house.holds);
	if (!e)
		e = guard_keys_load(cfg->api_keys_file, &app->keys);
	if (e)
		return e;
	snprintf(path, sizeof path, "%s/metrics", cfg->run_dir);
	app->house.metrics = metrics_open(path, route_count() + 1);
	if (!app->house.metrics)
		return ERR_NOMEM;
	log_watch(count_line, app->house.metrics);
	return ERR_OK;
}

enum err app_open(const struct config *cfg, bool once, struct app **out)
{
	struct app *app = calloc(1, sizeof *app);
	if (!app)
		return ERR_NOMEM;
	app->cfg = app->house.cfg = cfg;
	app->once = once;
	app->started = clock_now();
	log_level_set((enum log_level)cfg->log_level);
	clock_shift(cfg->test_clock_offset);
	set_slots(app);
	enum err e = open_rooms(app);
	if (e) {
		log_event(LOG_ERROR, "app", "cannot start", "reason", LS(err_code(e)), NULL);
		app_close(app);
		return e;
	}
	if (!once)
		log_event(LOG_INFO, "app", blobs_same_device(app->house.blobs) ? "finishing is a rename" : "finishing is a copy to another device",
			"parts", LS(cfg->parts_dir), "done", LS(cfg->done_dir), NULL);
	*out = app;
	return ERR_OK;
}

void app_close(struct app *app)
{
	if (!app)
		return;
	log_watch(NULL, NULL);
	if (app->house.metrics)
		metrics_close(app->house.metrics);
	guard_keys_free(&app->keys);
	if (app->house.holds)
		holds_close(app->house.holds);
	if (app->house.blobs)
		blobs_close(app->house.blobs);
	if (app->house.db)
		store_close(app->house.db);
	free(app);
}

struct house *app_house(struct app *app)
{
	return &app->house;
}

/* ---- the process ---- */

void app_stop_bodies(void *self)
{
	struct app *app = self;
	__atomic_store_n(&app->house.stopping, true, __ATOMIC_RELAXED);
	holds_stop_all(app->house.holds);
}

int app_wake_fd(void *self)
{
	return holds_fd(((struct app *)self)->house.holds);
}

void app_wake(void *self)
{
	holds_poll(((struct app *)self)->house.holds);
}

/* What a process that was killed had begun to finish is ended at the start of the next one, however seldom the reaper comes; so is what no thread was free for, and
 * what somebody else was at, or what failed, at the last look. */
static void recover(struct app *app)
{
	struct reap_count count;
	enum err e = reap_interrupted(&app->house, REAP_ROWS, &app->recovered, &count);
	if (e)
		log_event(LOG_WARN, "app", "recovery failed", "reason", LS(err_code(e)), NULL);
}

void app_tick(void *self)
{
	struct app *app = self;
	struct reap_count count;
	int64_t now = clock_mono_us() / 1000000;
	if (__atomic_exchange_n(&app->unfinished, false, __ATOMIC_ACQUIRE) || now >= app->next_look)
		app->recovered = false;
	if (!app->recovered) {
		app->next_look = now + LOOK_AGAIN_S;
		recover(app);
	}
	if (app->cfg->reap_interval <= 0 || now < app->next_reap)
		return;
	app->next_reap = now + app->cfg->reap_interval;
	enum err e = ballast_reap(&app->house, REAP_ROWS, app->reaps++ % SCAN_EVERY == 0, &count);
	if (e)
		log_event(LOG_WARN, "app", "reaping failed", "reason", LS(err_code(e)), NULL);
}
