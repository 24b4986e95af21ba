/*
 * test_pause.c - a worker that stood still (stopped, or its machine suspended) does not hold it against the client. TEST_ALL=1: it takes seconds.
 */
#include "pool_kit.h"
#include "long_form.h"

static struct pool *p;

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

#define PIECE 3000       /* bytes each 125 ms: half as fast again as is asked for */
#define PIECE_MS 125

static bool send_for(int fd, int ms)
{
	char piece[PIECE] = {0};
	for (; ms > 0; ms -= PIECE_MS) {
		if (!peer_record(fd, 5, piece, sizeof piece))
			return false;
		usleep(PIECE_MS * 1000);
	}
	return true;
}

static void a_worker_that_stood_still_cuts_nobody(void **state)
{
	static const char *const env[] = {"WORKERS=1", "READ_TIMEOUT=1", "MIN_RATE=16000", NULL};
	static struct answer a;
	char url[64];
	(void)state;
	long_form();
	p->env = env;
	pool_spawn(p);
	UNTIL("the pool answers", peer_do(p, &a, "GET", "/health", NULL, NULL) == 200);
	peer_create(p, 46 * PIECE, url);
	int fd = peer_patch(p, url, 0, 46 * PIECE);
	pid_t worker = pool_member(p, "worker-0");
	assert_true(send_for(fd, 500));
	/* What comes meanwhile is more than one read takes, and less than the time would ask for if it were the client's. */
	kill(worker, SIGSTOP);
	assert_true(send_for(fd, 4500));
	kill(worker, SIGCONT);
	assert_true(send_for(fd, 750));
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(peer_offset(p, url), 46 * PIECE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(a_worker_that_stood_still_cuts_nobody, begin, end)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
