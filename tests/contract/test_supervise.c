/*
 * test_supervise.c - the supervisor as an administrator meets it: reloads, wrong settings, workers and supervisors that die or stand still.
 */
#include <errno.h>

#include "pool_scene.h"
#include "long_form.h"

static int64_t chunk_size(void)
{
	assert_int_equal(peer_do(p, &a, "GET", "/api/config", NULL, NULL), 200);
	const char *at = strstr(a.text, "\"chunk_size\":");
	assert_non_null(at);
	return atoll(at + 13);
}

static void reload(const char *settings)
{
	pool_write(p->file, settings);
	kill(p->pid, SIGHUP);
}

static void a_reload_refuses_nobody_and_cuts_nobody(void **state)
{
	(void)state;
	char url[64];
	SERVE("{\"CHUNK_SIZE\": 1000, \"WORKERS\": 2}");
	assert_int_equal(chunk_size(), 1000);
	pid_t old[2] = {pool_member(p, "worker-0"), pool_member(p, "worker-1")};
	peer_create(p, 10, url);
	int fd = peer_patch(p, url, 0, 10);
	assert_true(peer_record(fd, 5, "01234", 5));
	peer_taken(fd);

	reload("{\"CHUNK_SIZE\": 2000, \"WORKERS\": 3}");
	int asked = 0;
	UNTIL("new settings, and an answer to everybody meanwhile", (asked++, peer_do(p, &a, "GET", "/health", NULL, NULL) != 200)
		|| pool_lines(p, "serving with new settings"));
	assert_int_equal(a.status, 200);
	/* an old worker that waits in accept may still win one race */
	pool_hears(p, "no more requests are accepted", 1);
	for (int i = 0; i < 20; i++, asked++)
		assert_int_equal(peer_do(p, &a, "GET", "/health", NULL, NULL), 200);
	UNTIL("one old worker ends", pool_gone(old[0]) || pool_gone(old[1]));
	for (int i = 0; i < 20; i++)
		assert_int_equal(chunk_size(), 2000);
	assert_true(asked > 20);
	assert_true(pool_pid(p, "worker-2") > 0);
	assert_true(pool_pid(p, "worker-0") != old[0]);

	/* the body that was running goes on to its end, and with it its worker */
	assert_false(pool_gone(old[0]) && pool_gone(old[1]));
	assert_true(peer_record(fd, 5, "56789", 5) && peer_record(fd, 5, "", 0));
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(peer_offset(p, url), 10);
	UNTIL("the old workers end", pool_gone(old[0]) && pool_gone(old[1]));
	assert_int_equal(pool_stop(p, SIGTERM), 0);
	assert_int_equal(pool_lines(p, "did not end in time"), 0);
}

static void wrong_settings_change_nothing(void **state)
{
	(void)state;
	static const struct { const char *settings, *line; } wrong[] = {
		{"{\"CHUNK_SIZE\": 2000,", "not a JSON object"}, {"{\"CHUNK_SIZE\": \"many\"}", "CHUNK_SIZE=many"},
		{"{\"CHUNK_SIZE\": 2000, \"RUN_DIR\": \"/nowhere\"}", "this setting needs a restart"},
		{"{\"CHUNK_SIZE\": 2000, \"API_KEYS_FILE\": \"/nowhere/keys\"}", "cannot live with the new settings"},
	};
	SERVE("{\"CHUNK_SIZE\": 1000, \"WORKERS\": 1}");
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		pid_t worker = pool_member(p, "worker-0");
		/* some tell everybody, each in his own way */
		kill(worker, SIGHUP);
		kill(p->pid, SIGUSR1);
		reload(wrong[i].settings);
		pool_hears(p, wrong[i].line, 1);
		assert_int_equal(chunk_size(), 1000);
		assert_int_equal(pool_lines(p, "no more requests are accepted"), 0);
		assert_int_equal(pool_pid(p, "worker-0"), worker);
		/* one that is started now has the old ones as well */
		kill(worker, SIGKILL);
		UNTIL("another worker", pool_pid(p, "worker-0") != worker && pool_pid(p, "worker-0") > 0);
		assert_int_equal(chunk_size(), 1000);
	}
	reload("{\"CHUNK_SIZE\": 3000, \"WORKERS\": 1}");
	pool_hears(p, "serving with new settings", 1);
	pool_hears(p, "no more requests are accepted", 1);
	UNTIL("the new settings", chunk_size() == 3000);
}

/* Keys that come through a pipe: a worker waits for them before it serves, and the end that is returned says for how long. */
static int reload_with_slow_keys(void)
{
	char keys[300], settings[400];
	int fd;
	snprintf(keys, sizeof keys, "%s/keys", p->dir);
	snprintf(settings, sizeof settings, "{\"CHUNK_SIZE\": 2000, \"WORKERS\": 1, \"API_KEYS_FILE\": \"%s\"}", keys);
	unlink(keys);
	assert_int_equal(mkfifo(keys, 0600), 0);
	reload(settings);
	UNTIL("a new worker reads its keys", (fd = open(keys, O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0);
	return fd;
}

/* A team is not adopted for not having died yet. */
static void a_reload_waits_for_workers_that_serve(void **state)
{
	(void)state;
	SERVE("{\"CHUNK_SIZE\": 1000, \"WORKERS\": 1}");
	pid_t old = pool_member(p, "worker-0");
	int keys = reload_with_slow_keys();
	usleep(1100000);
	assert_int_equal(chunk_size(), 1000);
	assert_int_equal(pool_lines(p, "serving with new settings"), 0);
	assert_true(write(keys, "no key\n", 7) == 7);
	close(keys);
	pool_hears(p, "cannot live with the new settings", 1);
	assert_int_equal(pool_pid(p, "worker-0"), old);
	assert_int_equal(chunk_size(), 1000);

	/* slow and good */
	close(reload_with_slow_keys());
	pool_hears(p, "serving with new settings", 1);
	pool_hears(p, "no more requests are accepted", 1);
	UNTIL("the new settings", chunk_size() == 2000);
}

/* TEST_ALL=1: it takes half a minute. */
static void a_reload_waits_not_for_ever(void **state)
{
	(void)state;
	long_form();
	SERVE("{\"CHUNK_SIZE\": 1000, \"WORKERS\": 1}");
	pid_t old = pool_member(p, "worker-0");
	int keys = reload_with_slow_keys();
	sleep(29);
	pool_hears(p, "not ready in time", 1);
	/* nobody reads the pipe any more: the worker has ended */
	UNTIL("the new worker ends", write(keys, "\n", 1) < 0 && errno == EPIPE);
	close(keys);
	assert_int_equal(pool_pid(p, "worker-0"), old);
	assert_int_equal(chunk_size(), 1000);
}

static void a_reload_waits_so_long_and_no_longer(void **state)
{
	(void)state;
	char url[64];
	SERVE("{\"RELOAD_WAIT\": 0, \"SHUTDOWN_WAIT_MS\": 1000, \"WORKERS\": 1}");
	pid_t old = pool_member(p, "worker-0");
	peer_create(p, 10, url);
	int fd = peer_patch(p, url, 0, 10);
	assert_true(peer_record(fd, 5, "01234", 5));
	peer_taken(fd);
	reload("{\"RELOAD_WAIT\": 0, \"WORKERS\": 1}");
	UNTIL("the old worker ends", pool_gone(old));
	peer_answer(fd, &a);
	assert_int_equal(a.status, 503);
	assert_int_equal(peer_offset(p, url), 5);
}

static void a_stop_publishes_what_came(void **state)
{
	(void)state;
	char url[64];
	SERVE(NULL, "WORKERS=1", "SHUTDOWN_WAIT_MS=1000");
	peer_create(p, 10, url);
	int fd = peer_patch(p, url, 0, 10);
	assert_true(peer_record(fd, 5, "0123456", 7));
	peer_taken(fd);
	assert_int_equal(pool_stop(p, SIGTERM), 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 503);
	assert_int_equal(pool_lines(p, "requests in flight"), 0);
	assert_int_equal(access(p->socket, F_OK), -1);
	pool_spawn(p);
	UNTIL("the pool answers", peer_do(p, &a, "GET", "/health", NULL, NULL) == 200);
	assert_int_equal(peer_offset(p, url), 7);
}

/* libfcgi catches SIGTERM as soon as it is initialized, long before anybody listens. */
static void a_stop_is_heard_while_workers_begin(void **state)
{
	(void)state;
	static const char *const env[] = {"WORKERS=3", "SHUTDOWN_WAIT_MS=5000", NULL};
	p->env = env;
	for (int i = 0; i < 24; i++) {
		pool_spawn(p);
		pool_hears(p, "\"serving\"", i + 1);
		usleep((useconds_t)i * 300);
		assert_int_equal(pool_stop(p, SIGTERM), 0);
	}
	assert_int_equal(pool_lines(p, "did not end in time"), 0);
}

static void crashed_workers_restart_at_most_so_often(void **state)
{
	(void)state;
	SERVE(NULL, "WORKERS=1", "RESTARTS_PER_MINUTE=3");
	for (int i = 1; i <= 4; i++) {
		UNTIL("a worker", pool_pid(p, "worker-0") > 0);
		kill(pool_pid(p, "worker-0"), SIGKILL);
		pool_hears(p, "a worker ended", i);
	}
	char *text = pool_read(p->log);
	const char *last = NULL;
	int64_t wait[8], n = 0;
	for (const char *s = text; (s = strstr(s, "\"again_in_ms\":")); last = s, s++)
		wait[n++] = atoll(s + 14);
	free(text);
	assert_non_null(last);
	assert_int_equal(n, 4);
	for (int i = 0; i < 3; i++)
		assert_in_range(wait[i], 0, 2000);
	assert_in_range(wait[3], 50000, 60000);
	/* the socket stays: who comes meanwhile waits, and is not refused */
	int fd = peer_connect(p);
	assert_true(fd >= 0);
	close(fd);
}

static bool stands_still(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	return pool_state(path) == 'T';
}

/* Who can still be asked of an orphan: the test, as the reaper of its descendants. */
static void a_killed_supervisor_keeps_nobody_out(void **state)
{
	(void)state;
	char url[64];
	int status = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	SERVE(NULL, "WORKERS=2", "SHUTDOWN_WAIT_MS=3000");
	peer_create(p, 10, url);
	pid_t stopped = pool_member(p, "worker-0"), other = pool_member(p, "worker-1");
	/* one that stands still while it begins keeps out who begins after it */
	pool_hears(p, "finishing is a rename", 2);
	kill(stopped, SIGSTOP);
	UNTIL("it stands still", stands_still(stopped));
	pool_stop(p, SIGKILL);
	/* one worker ends by itself; the other stands still, with all its locks and its mailbox */
	UNTIL("a worker without supervisor ends", waitpid(other, &status, WNOHANG) == other);
	assert_int_equal(waitpid(stopped, &status, WNOHANG), 0);
	int64_t from = clock_mono_us();
	pool_spawn(p);
	pool_hears(p, "\"serving\"", 2);     /* the name leads to its own socket now: that of the other one would let us wait */
	UNTIL("the next one serves", peer_do(p, &a, "GET", "/health", NULL, NULL) == 200);
	assert_in_range((clock_mono_us() - from) / 1000, 0, 3000);
	int fd = peer_patch(p, url, 0, 10);
	peer_record(fd, 5, "0123456789", 10);
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	kill(stopped, SIGCONT);
	UNTIL("it ends when it goes on", waitpid(stopped, &status, WNOHANG) == stopped);
	assert_int_equal(peer_offset(p, url), 10);
	prctl(PR_SET_CHILD_SUBREAPER, 0);
}

/* A URL holds a key often, and a command may: neither is shown by those who start, deliver, fail and end. */
static void a_hook_is_no_secret_of_the_log(void **state)
{
	static const char *const hooks[] = {"HOOK_URL=http://user:s3cret@127.0.0.1:1/in?key=s3cret", "HOOK_COMMAND=/nowhere/s3cret --key s3cret"};
	static const char *env[] = {"WORKERS=1", "HOOK_EVENTS=created", "LOG_LEVEL=debug", NULL, NULL};
	char url[64];
	(void)state;
	for (int i = 0; i < 2; i++) {
		env[3] = hooks[i];
		serve(NULL, env);
		peer_create(p, 10, url);
		pool_hears(p, "\"delivering\"", i + 1);
		pool_hears(p, "\"not delivered\"", i + 1);
		assert_int_equal(pool_stop(p, SIGTERM), 0);
		assert_int_equal(pool_lines(p, "s3cret"), 0);
	}
}

static void one_supervisor_a_folder(void **state)
{
	(void)state;
	SERVE(NULL, "WORKERS=1");
	struct pool second = *p;
	int status = -1;
	pool_spawn(&second);
	UNTIL("the second one ends", waitpid(second.pid, &status, WNOHANG) == second.pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_int_equal(pool_lines(p, "another supervisor serves this folder"), 1);
	assert_int_equal(peer_do(p, &a, "GET", "/health", NULL, NULL), 200);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		T(one_supervisor_a_folder), T(a_reload_refuses_nobody_and_cuts_nobody), T(wrong_settings_change_nothing), T(a_reload_waits_so_long_and_no_longer),
		T(a_reload_waits_for_workers_that_serve), T(a_reload_waits_not_for_ever),
		T(a_stop_publishes_what_came), T(a_stop_is_heard_while_workers_begin), T(crashed_workers_restart_at_most_so_often), T(a_killed_supervisor_keeps_nobody_out),
		T(a_hook_is_no_secret_of_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
