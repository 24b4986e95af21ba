/*
 * hook_run.c - a hook that is a command: no shell, the event on its input, its facts in the environment, exit 0 is success.
 *
 * The command knows nothing of our settings, for some are secret: it gets the environment that any program needs, and what this event is about.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "hook/hook.h"

#define ARGS_MAX 64
#define ENV_MAX 24

static bool split(struct arena *a, const char *command, char *argv[ARGS_MAX + 1])
{
	char *text = arena_strdup(a, command), *rest;
	int n = 0;
	for (char *w = text ? strtok_r(text, " \t", &rest) : NULL; w && n < ARGS_MAX; w = strtok_r(NULL, " \t", &rest))
		argv[n++] = w;
	argv[n] = NULL;
	return n > 0;
}

/* NULL is left out, and so is what memory was out for: the event on the input has all of it. */
static void put(struct arena *a, char **env, int *n, const char *name, const char *value)
{
	char *text = value ? arena_printf(a, "%s=%s", name, value) : NULL;
	if (text)
		env[(*n)++] = text;
}

static void environment(const struct config *c, struct arena *a, const struct event *e, char *env[ENV_MAX + 1])
{
	static const char *const kept[] = {"PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR"};
	int n = 0;
	for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
		put(a, env, &n, kept[i], getenv(kept[i]));
	put(a, env, &n, "TUS_EVENT", event_name(e->kind));
	put(a, env, &n, "TUS_EVENT_ID", event_id(a, e));
	put(a, env, &n, "TUS_EVENT_TIME", arena_printf(a, "%" PRId64, e->time));
	put(a, env, &n, "TUS_SUBJECT", e->subject);
	put(a, env, &n, "TUS_TAKE", e->take > 0 ? arena_printf(a, "%" PRId64, e->take) : NULL);
	put(a, env, &n, "TUS_CHUNK", e->idx >= 0 ? arena_printf(a, "%" PRId64, e->idx) : NULL);
	put(a, env, &n, "TUS_OWNER", e->owner);
	put(a, env, &n, "TUS_SIZE", arena_printf(a, "%" PRId64, e->size));
	put(a, env, &n, "TUS_NAME", e->name);
	put(a, env, &n, "TUS_FILE", e->disk);
	put(a, env, &n, "TUS_PATH", event_path(c, a, e));
	put(a, env, &n, "TUS_REASON", e->reason);
	env[n] = NULL;
}

/* A file in memory: no pipe that fills up, and a command that does not read harms nobody. */
static int input(const char *body)
{
	int fd = memfd_create("event", MFD_CLOEXEC);
	size_t n = strlen(body), at = 0;
	while (fd >= 0 && at < n) {
		ssize_t w = write(fd, body + at, n - at);
		if (w < 0 && errno != EINTR) {
			close(fd);
			return -1;
		}
		at += w > 0 ? (size_t)w : 0;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Between fork and exec: nothing that takes a lock. */
static void become(char *const argv[], char *const env[], int in, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	setpgid(0, 0);
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* Else the next consumer would begin the same delivery beside it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent || dup2(in, 0) != 0 || dup2(2, 1) != 1)
		_exit(126);
	/* The supervisor's copy of the settings, and whatever else we were started with. */
	if (close_range(3, ~0U, 0) != 0)
		_exit(126);
	execve(argv[0], argv, env);
	_exit(127);
}

/* Until it ends; false: the time is over. */
static bool wait_end(pid_t pid, int64_t until)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return false;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int rc = 0;
	for (int64_t left; rc <= 0 && (left = until - clock_mono_us()) > 0;)
		rc = poll(&p, 1, (int)(left / 1000) + 1);
	close(fd);
	return rc > 0;
}

bool hook_run(const struct config *c, struct arena *a, const struct event *e, const char *body, const char **why)
{
	char *argv[ARGS_MAX + 1], *env[ENV_MAX + 1];
	int in = input(body), status = 0;
	*why = "no memory or no process for the command";
	if (in < 0 || !split(a, c->hook_command, argv)) {
		if (in >= 0)
			close(in);
		return false;
	}
	environment(c, a, e, env);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(argv, env, in, parent);
	close(in);
	if (pid < 0)
		return false;
	bool ended = wait_end(pid, clock_mono_us() + c->hook_timeout * 1000000);
	if (!ended) {
		/* With whatever it has started. */
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ended && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	*why = !ended ? "the command took too long" : WIFSIGNALED(status) ? arena_printf(a, "the command ended by signal %d", WTERMSIG(status))
		: arena_printf(a, "the command ended with status %d", WEXITSTATUS(status));
	return false;
}
