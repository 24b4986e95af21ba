/*
 * shim_kill.c - ends a process at a chosen call. Tactic `kill`; SHIM_STATE names a file that all processes and the driver share.
 *
 * The driver arms by writing point, side, victim and last the countdown; the call that brings it to zero kills. Words are 32 bits, little endian
 * as the machine has them, at the offsets of struct state. Only workers and plain CGI count: the supervisor (--serve) makes no upload durable. The parent
 * of a plain CGI process is a web server: nothing of ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "shim.h"

enum victim { SELF, PARENT };

struct state {
	uint32_t size;                          /* of this, written by the first process: a driver can check what it talks to */
	uint32_t points;                        /* SHIM_POINT_MAX */
	uint32_t point, side;                   /* side 0: before the call, 1: after it */
	uint32_t victim;
	uint32_t left;                          /* calls to go; 0: not armed */
	uint32_t seen[SHIM_POINT_MAX][2];
	uint32_t killed[SHIM_POINT_MAX][2];     /* processes ended there */
};
static struct state *state;
static bool has_supervisor;

/* The supervisor is this program too. */
static bool is_supervisor(void)
{
	char text[4096];
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
	if (fd >= 0)
		close(fd);
	return n > 0 && memmem(text, (size_t)n, "--serve", 7);
}

static bool kill_open(void)
{
	const char *path = getenv("SHIM_STATE");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || ftruncate(fd, sizeof *state) != 0)
		return false;
	struct state *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (s == MAP_FAILED)
		return false;
	s->size = sizeof *s;
	s->points = SHIM_POINT_MAX;
	has_supervisor = !getenv("GATEWAY_INTERFACE");
	if (!is_supervisor())
		state = s;
	return true;
}

static bool due(enum shim_point p, uint32_t side)
{
	__atomic_add_fetch(&state->seen[p][side], 1, __ATOMIC_RELAXED);
	uint32_t left = __atomic_load_n(&state->left, __ATOMIC_ACQUIRE);
	while (left > 0 && state->point == p && state->side == side && (state->victim == SELF || has_supervisor))
		if (__atomic_compare_exchange_n(&state->left, &left, left - 1, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			return left == 1;
	return false;
}

static void visit(enum shim_point p, uint32_t side)
{
	if (!state || !due(p, side))
		return;
	bool self = state->victim == SELF;
	__atomic_add_fetch(&state->killed[p][side], 1, __ATOMIC_RELAXED);
	kill(self ? getpid() : getppid(), SIGKILL);
	if (self)
		pause();   /* the signal is on its way: nothing of this thread happens any more */
}

static bool kill_before(struct shim_call *c)
{
	visit(c->point, 0);
	return true;
}

static void kill_after(const struct shim_call *c, int64_t rc)
{
	(void)rc;
	visit(c->point, 1);
}

const struct shim_tactic shim_kill = {.name = "kill", .open = kill_open, .before = kill_before, .after = kill_after};
