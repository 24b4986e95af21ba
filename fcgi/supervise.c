/*
 * supervise.c - binds, forks, execs, waits, restarts.
 *
 * The socket is bound under a temporary name and renamed, so that a web server never meets a name that refuses connections, and
 * it stays while workers come and go, so that a restart keeps the queue. A worker is this same program, executed anew with the
 * socket as descriptor 0, as any other starter of FastCGI programs would do it.
 */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "hook/hook.h"

#define BACKLOG 4096            /* a full queue of a unix socket is an instant 502 */
#define MINUTE_US 60000000
#define BACKOFF_FIRST_US 100000
#define BACKOFF_MOST_US 5000000
#define LIVED_US 2000000        /* a worker that lived so long starts again without delay */
#define KILL_AFTER_MS 500       /* beyond the time that workers give themselves */

struct worker {
	pid_t pid;                  /* 0: not running */
	int64_t started, start_at, backoff;
};

struct pool {
	const struct config *c;
	int sock, lock;
	struct worker *w;
	int n;
	int hooks;                  /* which of them delivers events instead of serving, -1: none */
	int64_t starts[CONFIG_RESTARTS_MAX];   /* times of the last restarts: a ring of RESTARTS_PER_MINUTE */
	unsigned nstarts;
};

static int fail(const char *what, const char *path)
{
	log_event(LOG_ERROR, "supervisor", what, "path", LS(path), "error", LS(strerror(errno)), NULL);
	return 1;
}

static bool make_dir(const char *path)
{
	char part[4096];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return false;
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			mkdir(part, 0750);
			*p = '/';
		}
	struct stat st;
	return mkdir(part, 0750) == 0 || (errno == EEXIST && stat(part, &st) == 0 && S_ISDIR(st.st_mode));
}

/* "" as name: of the supervisor */
static void pid_path(const struct pool *p, int i, char *out, size_t size)
{
	if (i < 0)
		snprintf(out, size, "%s/supervisor.pid", p->c->run_dir);
	else if (i == p->hooks)
		snprintf(out, size, "%s/hooks.pid", p->c->run_dir);
	else
		snprintf(out, size, "%s/worker-%d.pid", p->c->run_dir, i);
}

static void write_pid(const struct pool *p, int i, pid_t pid)
{
	char path[4200];
	pid_path(p, i, path, sizeof path);
	FILE *f = fopen(path, "we");
	if (!f || fprintf(f, "%d\n", (int)pid) < 0)
		fail("cannot write a pid file", path);
	if (f)
		fclose(f);
}

static void drop_pid(const struct pool *p, int i)
{
	char path[4200];
	pid_path(p, i, path, sizeof path);
	unlink(path);
}

static bool take_lock(struct pool *p)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/supervisor.lock", p->c->run_dir);
	p->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (p->lock < 0 || flock(p->lock, LOCK_EX | LOCK_NB) != 0) {
		fail(p->lock >= 0 && errno == EWOULDBLOCK ? "another supervisor serves this folder" : "cannot take the lock", path);
		return false;
	}
	return true;
}

static bool listen_at(struct pool *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (snprintf(a.sun_path, sizeof a.sun_path, "%s.%d", p->c->socket, (int)getpid()) >= (int)sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return false;
	}
	p->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->sock < 0)
		return false;
	unlink(a.sun_path);
	mode_t before = umask(0117);
	int rc = bind(p->sock, (struct sockaddr *)&a, sizeof a);
	umask(before);
	if (rc == 0 && listen(p->sock, BACKLOG) == 0 && rename(a.sun_path, p->c->socket) == 0)
		return true;
	rc = errno;
	unlink(a.sun_path);
	errno = rc;
	return false;
}

static void become_worker(const struct pool *p, int i, pid_t parent)
{
	char *const argv[] = {"tus-fcgi", i == p->hooks ? "--hooks" : NULL, NULL};
	int in = i == p->hooks ? open("/dev/null", O_RDONLY) : p->sock;
	sigset_t none;
	sigemptyset(&none);
	/* whoever kills the supervisor without a word must not leave workers */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent || dup2(in, 0) != 0)
		_exit(1);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv("/proc/self/exe", argv);
	fail("cannot execute a worker", "/proc/self/exe");
	_exit(1);
}

static void start_worker(struct pool *p, int i)
{
	struct worker *w = &p->w[i];
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become_worker(p, i, parent);
	w->started = clock_mono_us();
	w->pid = pid > 0 ? pid : 0;
	if (pid > 0)
		write_pid(p, i, pid);
	else
		w->start_at = w->started + BACKOFF_MOST_US;
}

/* When a worker that ended now may start again: at once if it had lived, later each time if not, never more than RESTARTS_PER_MINUTE. */
static void plan_restart(struct pool *p, struct worker *w)
{
	int64_t now = clock_mono_us(), *oldest = &p->starts[p->nstarts++ % p->c->restarts];
	if (now - w->started >= LIVED_US)
		w->backoff = 0;
	w->start_at = now + w->backoff;
	w->backoff = w->backoff == 0 ? BACKOFF_FIRST_US : w->backoff * 2;
	if (w->backoff > BACKOFF_MOST_US)
		w->backoff = BACKOFF_MOST_US;
	if (*oldest != 0 && w->start_at < *oldest + MINUTE_US)
		w->start_at = *oldest + MINUTE_US;
	*oldest = w->start_at;
}

static int reap(struct pool *p, bool restart)
{
	int status, left = 0;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (int i = 0; i < p->n; i++)
			if (p->w[i].pid == pid) {
				p->w[i].pid = 0;
				drop_pid(p, i);
				if (!restart)
					continue;
				log_event(LOG_WARN, "supervisor", "a worker ended", "worker", LI(i), "pid_ended", LI(pid), "exit",
				          LI(WIFEXITED(status) ? WEXITSTATUS(status) : -1), "signal", LI(WIFSIGNALED(status) ? WTERMSIG(status) : 0), NULL);
				plan_restart(p, &p->w[i]);
			}
	for (int i = 0; i < p->n; i++)
		left += p->w[i].pid != 0;
	return left;
}

/* Starts what is due; microseconds until the next is. */
static int64_t start_due(struct pool *p)
{
	int64_t now = clock_mono_us(), next = MINUTE_US;
	for (int i = 0; i < p->n; i++) {
		if (p->w[i].pid == 0 && p->w[i].start_at <= now)
			start_worker(p, i);
		if (p->w[i].pid == 0 && p->w[i].start_at - now < next)
			next = p->w[i].start_at - now;
	}
	return next > 0 ? next : 0;
}

static int wait_signal(const sigset_t *set, int64_t us)
{
	const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	return sigtimedwait(set, NULL, &t);
}

static void run(struct pool *p, const sigset_t *set)
{
	for (;;) {
		int sig = wait_signal(set, start_due(p));
		if (sig > 0 && sig != SIGCHLD)
			return;
		reap(p, true);
	}
}

static void kill_all(const struct pool *p, int sig)
{
	for (int i = 0; i < p->n; i++)
		if (p->w[i].pid > 0)
			kill(p->w[i].pid, sig);
}

static void end_all(struct pool *p, const sigset_t *set)
{
	int64_t until = clock_mono_us() + (p->c->shutdown_wait_ms + KILL_AFTER_MS) * 1000, now;
	kill_all(p, SIGTERM);
	while (reap(p, false) > 0) {
		if ((now = clock_mono_us()) >= until) {
			log_event(LOG_WARN, "supervisor", "workers did not end in time", NULL);
			kill_all(p, SIGKILL);
			until = now + 1000000;
		}
		wait_signal(set, until - now);
	}
}

static void catch_signals(sigset_t *set)
{
	static const int sigs[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT};
	sigemptyset(set);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaddset(set, sigs[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int supervise(const struct config *c)
{
	struct pool p = {.c = c, .n = (int)c->workers + hook_is_set(c), .hooks = hook_is_set(c) ? (int)c->workers : -1, .sock = -1, .lock = -1};
	sigset_t set;
	if (!make_dir(c->run_dir))
		return fail("cannot make the folder", c->run_dir);
	if (!take_lock(&p))
		return 1;
	p.w = calloc((size_t)p.n, sizeof *p.w);
	if (!p.w)
		return fail("no memory", c->run_dir);
	catch_signals(&set);
	int rc = 0;
	if (listen_at(&p)) {
		write_pid(&p, -1, getpid());
		log_event(LOG_INFO, "supervisor", "serving", "socket", LS(c->socket), "workers", LI(p.n), NULL);
		run(&p, &set);
		unlink(c->socket);   /* before the workers end: who connects now would wait for nobody */
		end_all(&p, &set);
		drop_pid(&p, -1);
	} else {
		rc = fail("cannot listen", c->socket);
	}
	free(p.w);
	if (p.sock >= 0)
		close(p.sock);
	close(p.lock);
	return rc;
}
