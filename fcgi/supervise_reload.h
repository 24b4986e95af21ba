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
/* Frees what the team has; its processes are not touched. */
void team_free(struct team *t);

#endif
