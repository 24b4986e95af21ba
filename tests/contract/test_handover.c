/*
 * test_handover.c - two clients at once on one upload, through real programs: whoever comes later gets it, whoever had it is told so, no byte is lost.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "handover_kit.h"

#define ROUNDS 3
#define WAIT_MS 150                  /* a stopped holder costs this */

static struct doors doors;

static int opened(void **state)
{
	(void)state;
	doors_open(&doors, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp", WAIT_MS);
	return 0;
}

static int closed(void **state)
{
	(void)state;
	doors_close(&doors);
	return 0;
}

static void all_methods(enum door newcomer, enum hand_client client)
{
	for (int m = 0; m < HAND_METHOD__MAX; m++)
		for (int i = 0; i < (client == HAND_STOPPED ? 1 : ROUNDS); i++) {
			struct hand h = {.newcomer = newcomer, .client = client, .method = (enum hand_method)m, .wait_ms = WAIT_MS};
			hand_try(&doors, &h);
			if (h.wrong[0])
				fail_msg("%s: %s", hand_method_names[m], h.wrong);
		}
}

/* Nobody else: whichever door a request takes, it finds what came through the others. */
static void alone(void **state)
{
	char uri[128], piece[100];
	struct told t;
	(void)state;
	memset(piece, 'a', sizeof piece);
	doors_create(&doors, 3 * sizeof piece, uri);
	for (int door = DOOR_A; door <= DOOR_CGI; door++) {
		int64_t at = door * (int64_t)sizeof piece;
		struct asked r = doors_ask(&doors, (enum door)door, "PATCH", uri, sizeof piece, at, -1);
		doors_send(&r, piece, sizeof piece);
		if (door != DOOR_CGI)
			doors_send(&r, "", 0);
		doors_answer(&r, &t);
		assert_int_equal(t.status, 204);
		assert_int_equal(t.offset, at + (int64_t)sizeof piece);
	}
	doors_do(&doors, DOOR_A, "HEAD", uri, &t);
	assert_int_equal(t.offset, 3 * sizeof piece);
	doors_do(&doors, DOOR_B, "DELETE", uri, &t);
	assert_int_equal(t.status, 204);
}

#define CASE(name, door, client) static void name(void **state) { (void)state; all_methods(door, client); }
CASE(same_process_silent, DOOR_A, HAND_SILENT)
CASE(same_process_slow, DOOR_A, HAND_SLOW)
CASE(other_process_silent, DOOR_B, HAND_SILENT)
CASE(other_process_slow, DOOR_B, HAND_SLOW)
CASE(other_process_stopped, DOOR_B, HAND_STOPPED)
CASE(plain_cgi_silent, DOOR_CGI, HAND_SILENT)
CASE(plain_cgi_slow, DOOR_CGI, HAND_SLOW)
CASE(plain_cgi_stopped, DOOR_CGI, HAND_STOPPED)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(alone),
		cmocka_unit_test(same_process_silent), cmocka_unit_test(same_process_slow), cmocka_unit_test(other_process_silent),
		cmocka_unit_test(other_process_slow), cmocka_unit_test(other_process_stopped), cmocka_unit_test(plain_cgi_silent),
		cmocka_unit_test(plain_cgi_slow), cmocka_unit_test(plain_cgi_stopped),
	};
	return cmocka_run_group_tests(tests, opened, closed);
}
