/*
 * supervise_reload.c - new settings: read, compared, refused or accepted.
 */
#include "supervise_reload.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "hook/hook.h"

/* Old and new workers serve the same socket, folders and locks. */
#define FIXED(name, member) {name, offsetof(struct config, member)}
static const struct { const char *name; size_t at; } fixed[] = {
	FIXED("TUS_UPLOAD_DIR", parts_dir), FIXED("TUS_SESSION_DIR", db_dir), FIXED("UPLOAD_DIR", done_dir), FIXED("RUN_DIR", run_dir),
	FIXED("SOCKET", socket),
};

static const char *text_at(const struct config *c, size_t at)
{
	return *(char *const *)((const char *)c + at);
}

/* A line of the log for each line of text. */
static void log_lines(const char *text)
{
	for (size_t n; *text; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		char line[1024];
		snprintf(line, sizeof line, "%.*s", (int)(n < sizeof line ? n : sizeof line - 1), text);
		log_event(LOG_ERROR, "supervisor", "a setting is wrong", "reason", LS(line), NULL);
	}
}

static struct config *load(const struct team *t)
{
	char path[32], *text = NULL;
	size_t size;
	FILE *err = open_memstream(&text, &size);
	if (!err)
		return NULL;
	if (t->settings >= 0)
		setenv("CONFIG_FILE", proc_settings_path(t->settings, path), 1);
	struct config *c = config_load(environ, err);
	fclose(err);
	if (text)
		log_lines(text);
	free(text);
	return c;
}

static bool fits(const struct config *old, const struct config *new)
{
	bool ok = true;
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (!text_eq(text_at(old, fixed[i].at), text_at(new, fixed[i].at))) {
			log_event(LOG_ERROR, "supervisor", "this setting needs a restart", "setting", LS(fixed[i].name), NULL);
			ok = false;
		}
	return ok;
}

bool team_read(struct team *t, const struct config *old, const char *file)
{
	*t = TEAM_NONE;
	if (!proc_settings_copy(file, &t->settings))
		return proc_fail("cannot read the settings", file), false;
	t->c = t->own = load(t);
	if (t->c && fits(old, t->c) && team_room(t)) {
		if (pipe2(t->ready, O_CLOEXEC | O_NONBLOCK) == 0)
			return true;
		proc_fail("cannot make a pipe", t->c->run_dir);
	}
	team_free(t);
	return false;
}

bool team_room(struct team *t)
{
	t->n = (int)t->c->workers + hook_is_set(t->c);
	t->hooks = hook_is_set(t->c) ? t->n - 1 : -1;
	t->w = calloc((size_t)t->n, sizeof *t->w);
	return t->w != NULL;
}

int team_alive(const struct team *t)
{
	int n = 0;
	for (int i = 0; i < t->n; i++)
		n += t->w[i].pid != 0;
	return n;
}

int team_find(const struct team *t, pid_t pid)
{
	for (int i = 0; i < t->n; i++)
		if (t->w[i].pid == pid)
			return i;
	return -1;
}

void team_signal(const struct team *t, int sig)
{
	for (int i = 0; i < t->n; i++)
		if (t->w[i].pid > 0)
			kill(t->w[i].pid, sig);
}

int team_ready(struct team *t)
{
	pid_t pid;
	int n = 0;
	while (read(t->ready[0], &pid, sizeof pid) == sizeof pid) {
		int i = team_find(t, pid);
		if (i >= 0)
			t->w[i].ready = true;
	}
	for (int i = 0; i < t->n; i++)
		n += t->w[i].pid != 0 && t->w[i].ready;
	return n;
}

void team_tried(struct team *t)
{
	for (int i = 0; i < 2; i++) {
		if (t->ready[i] >= 0)
			close(t->ready[i]);
		t->ready[i] = -1;
	}
}

void team_free(struct team *t)
{
	team_tried(t);
	config_free(t->own);
	free(t->w);
	if (t->settings >= 0)
		close(t->settings);
	*t = TEAM_NONE;
}
