/*
 * test_gateway_slow.c - what the FastCGI door holds against a slow peer, and what it does not: one connection, served by a thread of this program, over which
 * the test watches step by step; and the pace of a body.
 */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

#include "gateway/gw.h"
#include "pool_kit.h"

#define TIMEOUT_MS 2

static struct scene {
	struct pool at;             /* only its socket */
	struct gw_conn *conn;
	pthread_t thread;
	pid_t tid;
	sem_t came, stands;         /* bytes came; the thread stands still */
	int go_on[2];
	ssize_t end;
	int64_t taken;
	bool timed_out, complete;
} s;

static void await(sem_t *sem)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += PATIENCE_MS / 1000;
	assert_int_equal(sem_timedwait(sem, &t), 0);
}

/* ---- the thread that serves ---- */

static void handle(void *self, struct http_req *req, struct http_res *res)
{
	char piece[64];
	(void)self;
	while ((s.end = req->body->read(req->body, piece, sizeof piece)) > 0)
		sem_post(&s.came);
	s.taken = req->body->taken;
	s.timed_out = req->body->timed_out;
	s.complete = req->body->complete;
	res->status = 204;
}

static const struct gateway_app app = {.handle = handle, .base_path = "", .read_timeout_ms = TIMEOUT_MS};

static void *serve(void *arg)
{
	(void)arg;
	s.tid = gettid();
	if (gw_conn_accept(s.conn) == GW_REQUEST && gw_conn_head(s.conn, PATIENCE_MS))
		gw_conn_serve(s.conn, &app);
	return NULL;
}

static void stand_still(int sig)
{
	char c;
	int before = errno;
	(void)sig;
	sem_post(&s.stands);
	while (read(s.go_on[0], &c, 1) < 0 && errno == EINTR)
		continue;
	errno = before;
}

static int begin(void **state)
{
	char dir[256];
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct sigaction sa = {.sa_handler = stand_still, .sa_flags = SA_RESTART};
	(void)state;
	s = (struct scene){0};
	kit_dir(dir);
	snprintf(s.at.dir, sizeof s.at.dir, "%.199s", dir);
	snprintf(s.at.socket, sizeof s.at.socket, "%.90s/s", dir);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", s.at.socket);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a) | listen(listener, 8), 0);
	assert_int_equal(dup2(listener, 0), 0);
	close(listener);
	assert_true(gateway_is_fcgi());
	sem_init(&s.came, 0, 0);
	sem_init(&s.stands, 0, 0);
	assert_int_equal(pipe2(s.go_on, O_CLOEXEC) | sigaction(SIGUSR1, &sa, NULL), 0);
	s.conn = gw_conn_open(1 << 20);
	return s.conn ? pthread_create(&s.thread, NULL, serve, NULL) : -1;
}

static int end(void **state)
{
	(void)state;
	gw_conn_close(s.conn);
	close(s.go_on[0]);
	close(s.go_on[1]);
	kit_rmdir(s.at.dir);
	return 0;
}

static bool sleeps(void)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)s.tid);
	return pool_state(path) == 'S';
}

/* A request of 10 bytes of which 5 have come, and whose time for the next one is over. */
static int late(void)
{
	int fd = peer_ask(&s.at, "PATCH", "/x", 10, NULL);
	peer_record(fd, 5, "01234", 5);
	await(&s.came);
	UNTIL("it waits for more", sleeps());
	usleep(2 * TIMEOUT_MS * 1000);
	return fd;
}

static void ends(int fd, int64_t taken, bool complete, bool timed_out)
{
	static struct answer a;
	peer_answer(fd, &a);
	pthread_join(s.thread, NULL);
	assert_int_equal(a.status, 204);
	assert_int_equal(s.taken, taken);
	assert_int_equal(s.end, complete ? 0 : -1);
	assert_int_equal(s.complete, complete);
	assert_int_equal(s.timed_out, timed_out);
}

/* ---- waiting ---- */

static void who_is_late_is_cut_by_us(void **state)
{
	(void)state;
	int fd = late();
	gw_conn_watch(s.conn, false);
	ends(fd, 5, false, true);
}

static void who_ends_is_not_cut_by_us(void **state)
{
	(void)state;
	int fd = late();
	shutdown(fd, SHUT_WR);
	ends(fd, 5, false, false);
}

/* We stood still, and the peer with us. */
static void the_time_begins_anew(void **state)
{
	(void)state;
	int fd = late();
	gw_conn_watch(s.conn, true);
	peer_record(fd, 5, "56789", 5);
	ends(fd, 10, true, false);
}

/* Only our thread stood still, which is not the peer's fault. The thread sanitizer keeps its signal back for as long as it waits. */
static void bytes_that_lie_there_are_not_late(void **state)
{
	(void)state;
#ifdef __SANITIZE_THREAD__
	print_message("skipped: the thread sanitizer keeps signals back\n");
	shutdown(peer_ask(&s.at, "PATCH", "/x", 0, NULL), SHUT_WR);
	pthread_join(s.thread, NULL);
	skip();
#endif
	int fd = late();
	pthread_kill(s.thread, SIGUSR1);
	await(&s.stands);
	peer_record(fd, 5, "567", 3);
	gw_conn_watch(s.conn, false);
	assert_int_equal(write(s.go_on[1], "", 1), 1);
	await(&s.came);
	peer_record(fd, 5, "89", 2);
	ends(fd, 10, true, false);
}

/* ---- the pace ---- */

#define LENGTH 1000000

/* A thousand bytes a second, looked at after two seconds of waiting. */
static struct gw_door paced(void)
{
	return (struct gw_door){.pace = {.min_rate = 1000, .window_us = 2000000}, .body = {.length = LENGTH}};
}

/* Whether the body goes on when n bytes have come after so many waits. */
static bool goes_on(int waits, int64_t each_us, size_t n)
{
	struct gw_door d = paced();
	while (waits-- > 0)
		gw_pace_waited(&d.pace, each_us);
	d.body.taken = (int64_t)n;
	gw_pace_came(&d, n);
	assert_int_equal(d.cut, d.body.timed_out);
	return !d.cut;
}

static void a_pace_is_bytes_by_time_of_waiting(void **state)
{
	const int64_t second = 1000000;
	(void)state;
	assert_true(goes_on(1, second, 1));            /* too early to tell */
	assert_true(goes_on(2, second, 2000));
	assert_false(goes_on(2, second, 1999));
	assert_true(goes_on(100, second, 100000));
	assert_false(goes_on(100, second, 99999));
	assert_true(goes_on(9999, second, LENGTH));    /* the end, however late */
}

static void a_pace_is_forgotten_when_it_was_looked_at(void **state)
{
	struct gw_door d = paced();
	(void)state;
	for (int i = 0; i < 2; i++) {
		gw_pace_waited(&d.pace, 1000000);
		gw_pace_waited(&d.pace, 1000000);
		gw_pace_came(&d, 2500);
		assert_false(d.cut);
		assert_int_equal(d.pace.waited_us, 0);
		assert_int_equal(d.pace.bytes, 0);
	}
}

/* A wait of an hour was not one for the client. */
static void a_process_that_stood_still_did_not_wait(void **state)
{
	const int64_t hour = 3600000000;
	(void)state;
	assert_true(goes_on(9, hour, 1));
	/* One that was ended a little late was, for half a window. */
	assert_true(goes_on(2, 1500000, 2000));
	assert_false(goes_on(2, 1500000, 1999));
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_is_late_is_cut_by_us), T(who_ends_is_not_cut_by_us), T(the_time_begins_anew), T(bytes_that_lie_there_are_not_late),
		cmocka_unit_test(a_pace_is_bytes_by_time_of_waiting), cmocka_unit_test(a_pace_is_forgotten_when_it_was_looked_at),
		cmocka_unit_test(a_process_that_stood_still_did_not_wait),
	};
	return cmocka_run_group_tests_name("slow peers of the gateway", tests, NULL, NULL);
}
