/*
 * supervise.c - keeps workers running, replaces them when settings change, ends them.
 *
 * A reload never refuses a connection and never cuts a body without need: a second team starts on the same socket, and only when it has
 * proven that it can serve is the first one told to take no more requests and to end with those that it has. If the second team dies at once
 * or is not ready in time (settings may be well-formed and still useless), the first one stays.
 */
#include "supervise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "supervise_leave.h"
#include "supervise_reload.h"

#define MINUTE_US 60000000
#define BACKOFF_FIRST_US 100000
#define BACKOFF_MOST_US 5000000
#define LIVED_US 2000000        /* a worker that lived so long starts again without delay */
#define TRIAL_US 1000000        /* a new team must live so long */
#define READY_US 30000000       /* and be ready within this time */
#define READY_LOOK_US 20000

/* Times of the last restarts: a ring of RESTARTS_PER_MINUTE. */
struct restarts {
	int64_t at[CONFIG_RESTARTS_MAX];
	unsigned n;
};

struct pool {
	struct team team, next;     /* next.n 0: no reload is going on */
	int64_t tried;              /* since when next is on trial */
	bool reload;                /* asked for */
	char *file;                 /* CONFIG_FILE, NULL if not given */
	int sock, lock;
	struct leavers leavers;
	struct restarts serving, delivering;   /* a hook that cannot live must not use up those of the workers that serve */
};

/* ---- one worker ---- */

static void note(const struct team *t, int i, pid_t pid)
{
	char name[32] = "hooks";
	if (i != t->hooks)
		snprintf(name, sizeof name, "worker-%d", i);
	proc_note(t->c->run_dir, name, pid);
}

static void start_worker(const struct pool *p, const struct team *t, struct worker *w)
{
	pid_t pid = w - t->w == t->hooks ? proc_start(t, -1, "--hooks") : proc_start(t, p->sock, NULL);
	w->started = clock_mono_us();
	w->pid = pid > 0 ? pid : 0;
	if (pid < 0)
		w->start_at = w->started + BACKOFF_MOST_US;
}

/* When a worker that ended now may start again: at once if it had lived, later each time if not, never more than so many a minute. */
static void plan_restart(struct restarts *r, int64_t most, struct worker *w)
{
	int64_t now = clock_mono_us(), *oldest = &r->at[r->n++ % most];
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

static void log_end(int i, pid_t pid, int status, int64_t start_at)
{
	int64_t wait = start_at - clock_mono_us();
	log_event(LOG_WARN, "supervisor", "a worker ended", "worker", LI(i), "pid_ended", LI(pid), "exit",
	          LI(WIFEXITED(status) ? WEXITSTATUS(status) : -1), "signal", LI(WIFSIGNALED(status) ? WTERMSIG(status) : 0),
	          "again_in_ms", LI(wait > 0 ? wait / 1000 : 0), NULL);
}

static void ended(struct pool *p, pid_t pid, int status, bool restart)
{
	int i = team_find(&p->team, pid);
	if (i >= 0) {
		p->team.w[i].pid = 0;
		note(&p->team, i, 0);
		if (restart) {
			plan_restart(i == p->team.hooks ? &p->delivering : &p->serving, p->team.c->restarts, &p->team.w[i]);
			log_end(i, pid, status, p->team.w[i].start_at);
		}
	} else if ((i = team_find(&p->next, pid)) >= 0) {
		p->next.w[i].pid = 0;
	} else {
		leavers_forget(&p->leavers, pid);
	}
}

/* How many are left. */
static int reap(struct pool *p, bool restart)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		ended(p, pid, status, restart);
	return team_alive(&p->team) + team_alive(&p->next) + p->leavers.n;
}

/* ---- what is due ---- */

static void sooner(int64_t *next, int64_t at)
{
	if (at < *next)
		*next = at;
}

static void start_due(struct pool *p, int64_t now, int64_t *next)
{
	for (int i = 0; i < p->team.n; i++) {
		struct worker *w = &p->team.w[i];
		if (w->pid == 0 && w->start_at <= now) {
			start_worker(p, &p->team, w);
			if (w->pid)
				note(&p->team, i, w->pid);
		}
		if (w->pid == 0)
			sooner(next, w->start_at);
	}
}

/* ---- reload ---- */

static void trial_begin(struct pool *p)
{
	p->reload = false;
	if (!team_read(&p->next, p->team.c, p->file)) {
		log_event(LOG_ERROR, "supervisor", "the old settings stay", NULL);
		return;
	}
	for (int i = 0; i < p->next.n; i++)
		if (i != p->next.hooks)     /* it has work for one: it starts when the old one has been told to end */
			start_worker(p, &p->next, &p->next.w[i]);
	p->tried = clock_mono_us();
}

static void adopt(struct pool *p)
{
	for (int i = 0; i < p->team.n; i++)
		note(&p->team, i, 0);
	team_free(&p->team);
	p->team = p->next;
	team_tried(&p->team);
	p->next = TEAM_NONE;
	p->serving = p->delivering = (struct restarts){0};
	for (int i = 0; i < p->team.n; i++)
		if (p->team.w[i].pid)
			note(&p->team, i, p->team.w[i].pid);
	log_level_set((enum log_level)p->team.c->log_level);
	log_event(LOG_INFO, "supervisor", "serving with new settings", "workers", LI(p->team.c->workers), "ending", LI(p->leavers.n), NULL);
}

/* Whoever is not ready yet has no requests to end with. */
static void give_up(struct pool *p)
{
	log_event(LOG_ERROR, "supervisor", "workers are not ready in time with the new settings, the old ones stay", NULL);
	if (!leavers_take(&p->leavers, &p->next))
		return;
	team_signal(&p->next, SIGTERM);
	team_free(&p->next);
}

static void trial_step(struct pool *p, int64_t now, int64_t *next)
{
	if (p->next.n == 0) {
		if (p->reload)
			trial_begin(p);
		if (p->next.n == 0)
			return;
	}
	if (team_alive(&p->next) == 0) {
		log_event(LOG_ERROR, "supervisor", "workers cannot live with the new settings, the old ones stay", NULL);
		team_free(&p->next);
		*next = now;
	} else if (now < p->tried + TRIAL_US || (team_ready(&p->next) < team_alive(&p->next) && now < p->tried + READY_US)) {
		sooner(next, now + READY_LOOK_US);
	} else if (team_ready(&p->next) == 0) {
		give_up(p);
		sooner(next, now + READY_LOOK_US);
	} else if (leavers_take(&p->leavers, &p->team)) {
		adopt(p);
		*next = now;
	}
}

/* Does what is due; microseconds until something is again. */
static int64_t step(struct pool *p)
{
	int64_t now = clock_mono_us(), next = now + MINUTE_US;
	trial_step(p, now, &next);
	start_due(p, now, &next);
	leavers_look(&p->leavers, now, &next);
	return next > now ? next - now : 0;
}

/* ---- the life of a pool ---- */

static int wait_signal(const sigset_t *set, int64_t us)
{
	const struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
	return sigtimedwait(set, NULL, &t);
}

static void run(struct pool *p, const sigset_t *set)
{
	for (;;) {
		int sig = wait_signal(set, step(p));
		if (sig == SIGHUP)
			p->reload = true;
		else if (sig > 0 && sig != SIGCHLD && sig != SIGUSR1)   /* that one is for workers */
			return;
		reap(p, true);
	}
}

static void kill_all(const struct pool *p, int sig)
{
	team_signal(&p->team, sig);
	team_signal(&p->next, sig);
	leavers_signal(&p->leavers, sig);
}

static void end_all(struct pool *p, const sigset_t *set)
{
	int64_t until = clock_mono_us() + (p->team.c->shutdown_wait_ms + KILL_AFTER_MS) * 1000, now;
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
	static const int sigs[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1};
	sigemptyset(set);
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		sigaddset(set, sigs[i]);
	sigprocmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int serve(struct pool *p, const struct config *c)
{
	sigset_t set;
	catch_signals(&set);
	p->sock = proc_listen(c->socket);
	if (p->sock < 0)
		return proc_fail("cannot listen", c->socket);
	proc_note(c->run_dir, "supervisor", getpid());
	log_event(LOG_INFO, "supervisor", "serving", "socket", LS(c->socket), "workers", LI(c->workers), NULL);
	run(p, &set);
	unlink(c->socket);   /* before the workers end: who connects now would wait for nobody */
	end_all(p, &set);
	proc_note(c->run_dir, "supervisor", 0);
	close(p->sock);
	return 0;
}

int supervise(const struct config *c)
{
	const char *file = getenv("CONFIG_FILE");
	struct pool p = {.team = TEAM_NONE, .next = TEAM_NONE, .file = file && *file ? strdup(file) : NULL};
	p.team.c = c;
	if (!proc_make_dir(c->run_dir))
		return proc_fail("cannot make the folder", c->run_dir);
	p.lock = proc_lock(c->run_dir);
	if (p.lock < 0)
		return 1;
	int rc;
	if (!proc_settings_copy(p.file, &p.team.settings))
		rc = proc_fail("cannot read the settings", p.file);
	else
		rc = team_room(&p.team) ? serve(&p, c) : proc_fail("no memory", c->run_dir);
	team_free(&p.team);
	team_free(&p.next);
	free(p.leavers.all);
	free(p.file);
	close(p.lock);
	return rc;
}
