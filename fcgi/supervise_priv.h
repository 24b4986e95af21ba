/*
 * supervise_priv.h - what the supervisor's policy (supervise.c) and its dealings with the system (supervise_proc.c) share.
 */
#ifndef SUPERVISE_PRIV_H
#define SUPERVISE_PRIV_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/config.h"

#define KILL_AFTER_MS 500       /* beyond the time that workers give themselves */

struct worker {
	pid_t pid;                  /* 0: not running */
	int64_t started, start_at, backoff;
	bool ready;                 /* on trial: it has told that it waits for requests */
};

/* The workers of one reading of the settings. */
struct team {
	const struct config *c;
	struct config *own;         /* c, if it is ours to free */
	int settings;               /* descriptor of the CONFIG_FILE as it was read; -1: there is none */
	struct worker *w;
	int n;
	int ready[2];               /* pipe from workers on trial: their pids when they are ready; -1: nobody is on trial */
	int hooks;                  /* which of them delivers events instead of serving, -1: none */
};

#define TEAM_NONE ((struct team){.settings = -1, .ready = {-1, -1}, .hooks = -1})

/* Makes path and its parents (0750). */
bool proc_make_dir(const char *path);
/* The lock of RUN_DIR: there is one supervisor. -1: logged. */
int proc_lock(const char *run_dir);
/* A socket that listens under path, which leads to it from the first moment on. -1: errno says why. */
int proc_listen(const char *path);
/* Writes a process id into RUN_DIR/name.pid; 0 removes the file. */
void proc_note(const char *run_dir, const char *name, pid_t pid);
/* A copy of the file that CONFIG_FILE names, so that every worker of a team, also one that starts later, reads the same. false: errno says why. */
bool proc_settings_copy(const char *file, int *fd);
/* The path under which that copy is read, by this process and by those that it starts. */
const char *proc_settings_path(int fd, char out[32]);
/* Starts this program anew with descriptor 0 = in (-1: /dev/null), the settings of the team, where to say that it is ready, and option (NULL: none) as its argument; it gets SIGTERM when this
 * process dies. The pid, -1 on failure. */
pid_t proc_start(const struct team *t, int in, const char *option);
/* Writes a line of the log. Returns 1, an exit status. */
int proc_fail(const char *what, const char *path);

#endif
