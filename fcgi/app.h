/*
 * app.h - the hall: everything wired together, and one way in.
 */
#ifndef APP_H
#define APP_H

#include <stdbool.h>

#include "base/config.h"
#include "base/err.h"
#include "http/msg.h"

struct app;

/* Opens the rooms: folders, database, locks, counters. once: plain CGI. cfg must outlive the app. Logs why on failure. */
enum err app_open(const struct config *cfg, bool once, struct app **out);
void app_close(struct app *app);
/* Makes the folders of cfg that are not there. */
enum err app_make_dirs(const struct config *cfg);
/* Answers one request; fits struct gateway_app. */
void app_handle(void *app, struct http_req *req, struct http_res *res);
/* The process ends: bodies that wait are stopped, what came of them is kept (503). */
void app_stop_bodies(void *app);
/* So many threads serve, or may: the reserve is kept free of bodies also where they are fewer than THREADS. From any thread. */
void app_threads(void *app, int n);
/* About once a second, from one thread at a time, beside requests: the lazy reaper. After app_stop_bodies it ends with the row that it is at. */
void app_tick(void *app);
/* Plain CGI: the descriptor that says somebody wants something of this process, and reading it; they fit struct gateway_app. */
int app_wake_fd(void *app);
void app_wake(void *app);
/* For tools that work on the same rows. */
struct house *app_house(struct app *app);

#endif
