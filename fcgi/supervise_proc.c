/*
 * supervise_proc.c - what a supervisor asks of the system: a lock, a socket, pid files, copies of the settings, processes.
 *
 * The socket is bound under a temporary name and renamed, so that a web server never meets a name that refuses connections, and
 * it stays while workers come and go, so that a restart keeps the queue. A worker is this same program, executed anew with the
 * socket as descriptor 0, as any other starter of FastCGI programs would do it.
 */
#include "supervise_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "supervise.h"

#define BACKLOG 4096            /* a full queue of a unix socket is an instant 502 */
#define SETTINGS_MAX (1 << 20)

int proc_fail(const char *what, const char *path)
{
	log_event(LOG_ERROR, "supervisor", what, "path", LS(path), "error", LS(strerror(errno)), NULL);
	return 1;
}

bool proc_make_dir(const char *path)
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

int proc_lock(const char *run_dir)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/supervisor.lock", run_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	proc_fail(fd >= 0 && errno == EWOULDBLOCK ? "another supervisor serves this folder" : "cannot take the lock", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

int proc_listen(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (snprintf(a.sun_path, sizeof a.sun_path, "%s.%d", path, (int)getpid()) >= (int)sizeof a.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(a.sun_path);
	mode_t before = umask(0117);
	int rc = bind(fd, (struct sockaddr *)&a, sizeof a);
	umask(before);
	if (rc == 0 && listen(fd, BACKLOG) == 0 && rename(a.sun_path, path) == 0)
		return fd;
	rc = errno;
	unlink(a.sun_path);
	close(fd);
	errno = rc;
	return -1;
}

void proc_note(const char *run_dir, const char *name, pid_t pid)
{
	char path[4200];
	snprintf(path, sizeof path, "%s/%s.pid", run_dir, name);
	if (pid == 0) {
		unlink(path);
		return;
	}
	FILE *f = fopen(path, "we");
	if (!f || fprintf(f, "%d\n", (int)pid) < 0)
		proc_fail("cannot write a pid file", path);
	if (f)
		fclose(f);
}

bool proc_settings_copy(const char *file, int *fd)
{
	*fd = -1;
	if (!file)
		return true;
	int from = open(file, O_RDONLY | O_CLOEXEC), to = memfd_create("settings", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ssize_t n = from < 0 || to < 0 ? -1 : 1;
	for (size_t have = 0; n > 0 && have <= SETTINGS_MAX; have += (size_t)n)
		n = sendfile(to, from, NULL, SETTINGS_MAX);
	/* those who read it have it open for writing, too */
	if (n >= 0 && fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0)
		n = -1;
	int why = errno;
	if (from >= 0)
		close(from);
	if (n >= 0) {
		*fd = to;
		return true;
	}
	if (to >= 0)
		close(to);
	errno = why;
	return false;
}

const char *proc_settings_path(int fd, char out[32])
{
	snprintf(out, 32, "/proc/self/fd/%d", fd);
	return out;
}

static void become(const struct team *t, int in, const char *option, pid_t parent)
{
	char *const argv[] = {"tus-fcgi", (char *)option, NULL};
	char path[32];
	sigset_t ask;
	sigemptyset(&ask);
	sigaddset(&ask, SIGUSR1);   /* "end with your requests": it waits until the worker is ready to hear it */
	if (in < 0)
		in = open("/dev/null", O_RDONLY | O_CLOEXEC);
	/* whoever kills the supervisor without a word must not leave workers */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent || dup2(in, 0) != 0)
		_exit(1);
	if (t->settings >= 0 && (fcntl(t->settings, F_SETFD, 0) != 0 || setenv("CONFIG_FILE", proc_settings_path(t->settings, path), 1) != 0))
		_exit(1);
	snprintf(path, sizeof path, "%d", t->ready[1]);
	if (t->ready[1] >= 0 && (fcntl(t->ready[1], F_SETFD, 0) != 0 || setenv(READY_FD, path, 1) != 0))
		_exit(1);
	/* A reload that everybody is told of is the supervisor's alone: the settings may be wrong, and then the old workers go on. */
	if (!option)
		signal(SIGHUP, SIG_IGN);
	sigprocmask(SIG_SETMASK, &ask, NULL);
	execv("/proc/self/exe", argv);
	proc_fail("cannot execute a worker", "/proc/self/exe");
	_exit(1);
}

pid_t proc_start(const struct team *t, int in, const char *option)
{
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(t, in, option, parent);
	return pid;
}
