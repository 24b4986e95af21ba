/*
 * test_supervise_hooks.c - the process that tells the hook, among the workers: what it gives to the command, which signals it hears, what its end costs others.
 */
#include <dirent.h>
#include <errno.h>

#include "pool_kit.h"

static struct pool *p;
static struct answer a;

static int begin(void **state)
{
	(void)state;
	p = pool_blank();
	return 0;
}

static int end(void **state)
{
	(void)state;
	pool_done(p);
	return 0;
}

static const char *in_dir(const char *name)
{
	static char path[2][300];
	static int turn;
	turn = !turn;
	snprintf(path[turn], sizeof path[turn], "%s/%s", p->dir, name);
	return path[turn];
}

static bool there(const char *name)
{
	return access(in_dir(name), F_OK) == 0;
}

/* A pool whose hook is a script that runs in p->dir; settings: more members of CONFIG_FILE, each with a comma before it. */
static void serve(const char *script, const char *settings)
{
	char text[1024];
	snprintf(text, sizeof text, "#!/bin/sh\ncd %s\n%s\n", p->dir, script);
	pool_write(in_dir("hook"), text);
	assert_int_equal(chmod(in_dir("hook"), 0700), 0);
	snprintf(text, sizeof text, "{\"WORKERS\": 1, \"HOOK_COMMAND\": \"%s\"%s}", in_dir("hook"), settings);
	pool_write(p->file, text);
	pool_spawn(p);
	UNTIL("the pool answers", peer_do(p, &a, "GET", "/health", NULL, NULL) == 200);
	pool_hears(p, "\"delivering\"", 1);
}

static void complete_one(void)
{
	char url[64];
	peer_create(p, 3, url);
	int fd = peer_patch(p, url, 0, 3);
	assert_true(peer_record(fd, 5, "abc", 3) && peer_record(fd, 5, "", 0));
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
}

/* The descriptor of a process that leads to the settings, as a path; "" if there is none. */
static const char *settings_of(pid_t pid)
{
	static char path[400];
	char dir[64], to[256];
	snprintf(dir, sizeof dir, "/proc/%d/fd", (int)pid);
	DIR *d = opendir(dir);
	bool found = false;
	for (struct dirent *e; d && !found && (e = readdir(d));) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		ssize_t n = readlink(path, to, sizeof to - 1);
		to[n > 0 ? n : 0] = '\0';
		found = strstr(to, "memfd:settings") != NULL;
	}
	if (d)
		closedir(d);
	return found ? path : "";
}

static void the_settings_are_for_workers_only_and_for_reading(void **state)
{
	(void)state;
	serve("for f in /proc/$$/fd/*; do readlink $f; done > got; mv got links", ", \"SECRET_KEY\": \"a secret of sixteen characters\"");
	complete_one();
	UNTIL("the command runs", there("links"));
	char *links = pool_read(in_dir("links"));
	assert_non_null(strstr(links, "memfd:event"));
	assert_null(strstr(links, "memfd:settings"));
	free(links);

	int fd = open(settings_of(pool_member(p, "hooks")), O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "{", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

static void a_delivery_outlives_signals_to_everybody(void **state)
{
	(void)state;
	static const int sigs[] = {SIGHUP, SIGQUIT};
	serve("echo begun >> begun; until [ -e go ]; do sleep 0.01; done; echo heard >> heard", ", \"SHUTDOWN_WAIT_MS\": 20000");
	pid_t hooks = pool_member(p, "hooks");
	complete_one();
	UNTIL("the command runs", there("begun"));
	for (size_t i = 0; i < sizeof sigs / sizeof *sigs; i++)
		kill(hooks, sigs[i]);
	/* nothing tells that a signal was passed over: what it could have ended would have been begun anew, after the end of its process */
	pool_write(in_dir("go"), "");
	pool_hears(p, "a worker ended", 1);
	assert_int_equal(pool_lines(p, "\"exit\":0,\"signal\":0"), 1);
	assert_int_equal(pool_lines(p, "\"delivered\""), 1);
	char *heard = pool_read(in_dir("heard"));
	assert_string_equal(heard, "heard\n");
	free(heard);
}

/* SIGHUP alone ends nothing. */
static void new_settings_are_the_supervisors_matter(void **state)
{
	(void)state;
	serve("touch heard", "");
	pid_t hooks = pool_member(p, "hooks");
	kill(hooks, SIGHUP);
	complete_one();
	UNTIL("the command runs", there("heard"));
	assert_int_equal(pool_pid(p, "hooks"), hooks);
	assert_int_equal(pool_lines(p, "a worker ended"), 0);
}

static void a_hook_that_dies_uses_up_no_workers_restarts(void **state)
{
	(void)state;
	serve("exit 0", ", \"RESTARTS_PER_MINUTE\": 2");
	for (int i = 1; i <= 3; i++) {
		UNTIL("the hooks process", pool_pid(p, "hooks") > 0);
		kill(pool_pid(p, "hooks"), SIGKILL);
		pool_hears(p, "a worker ended", i);
	}
	pid_t worker = pool_member(p, "worker-0");
	kill(worker, SIGKILL);
	pool_hears(p, "a worker ended", 4);
	UNTIL("another worker", pool_pid(p, "worker-0") > 0 && pool_pid(p, "worker-0") != worker);
	assert_int_equal(peer_do(p, &a, "GET", "/health", NULL, NULL), 200);
	/* and has a bound of its own */
	assert_int_equal(pool_pid(p, "hooks"), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_settings_are_for_workers_only_and_for_reading), T(a_delivery_outlives_signals_to_everybody), T(new_settings_are_the_supervisors_matter),
		T(a_hook_that_dies_uses_up_no_workers_restarts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
