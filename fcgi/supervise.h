/*
 * supervise.h - the supervisor of a pool: one listening socket, several workers that may die.
 */
#ifndef SUPERVISE_H
#define SUPERVISE_H

#include "base/config.h"

/* Takes the lock of RUN_DIR, listens on SOCKET (mode 0660), runs WORKERS copies of this program with the socket as descriptor 0,
 * replaces those that end, and on SIGTERM, SIGINT, SIGHUP or SIGQUIT ends them all. Process ids stand in RUN_DIR: supervisor.pid,
 * worker-N.pid. Returns the exit status. */
int supervise(const struct config *c);

#endif
