/*
 * supervise_reload.h - teams of workers: one for each reading of the settings.
 */
#ifndef SUPERVISE_RELOAD_H
#define SUPERVISE_RELOAD_H

#include "supervise_priv.h"

/* Reads the settings anew (file: what CONFIG_FILE named at the start, NULL if nothing) and makes room for their workers. false: they are
 * wrong, or change what only a restart can change; the log says what. */
bool team_read(struct team *t, const struct config *old, const char *file);
/* Room for the workers of t->c. */
bool team_room(struct team *t);
/* How many of its processes run; which one has this pid, -1 if none; a signal to all. */
int team_alive(const struct team *t);
int team_find(const struct team *t, pid_t pid);
void team_signal(const struct team *t, int sig);
/* How many workers of a team on trial have said that they are ready, and live. */
int team_ready(struct team *t);
/* The trial is over. */
void team_tried(struct team *t);
/* Frees what the team has; its processes are not touched. */
void team_free(struct team *t);

#endif
