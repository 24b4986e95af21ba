/*
 * supervise.h - the supervisor of a pool: one listening socket, several workers that may die.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include "base/config.h"

/* Takes the lock of RUN_DIR, listens on SOCKET (mode 0660), runs WORKERS copies of this program with the socket as descriptor 0,
 * replaces those that end, and on SIGTERM, SIGINT or SIGQUIT ends them all. Process ids stand in RUN_DIR: supervisor.pid, worker-N.pid.
 * SIGHUP reads CONFIG_FILE (and files that NAME_FILE names) anew: new workers serve with the new settings, and the old ones end when their
 * requests have, within RELOAD_WAIT. Settings that are wrong, need a restart (socket and folders), or with which no worker gets ready, change
 * nothing. Returns the exit status. */
int supervise(const struct config *c);

/* In the environment of a worker on trial: the descriptor into which it writes its pid_t when it waits for requests. */
#define READY_FD "TUS_READY_FD"

#endif
