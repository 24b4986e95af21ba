/*
 * test_pace.c - who is slow: a pace is bytes against the time that was spent waiting for them, and nothing else.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway/gw.h"

#define MS 1000
#define SECOND (1000 * MS)

/* 1000 bytes a second, judged over waits of 20 s: READ_TIMEOUT=10, MIN_RATE=1000. */
static struct gw_door door;
static bool there;

static bool more(struct gw_door *d)
{
	(void)d;
	return there;
}

static int begin(void **state)
{
	(void)state;
	there = false;
	door = (struct gw_door){.more = more, .pace = {.min_rate = 1000, .window_us = 20 * SECOND}, .body = {.length = 10000000}};
	return 0;
}

/* Pieces of n bytes, for each of which was waited; how many until the body is cut, or all. */
static int come(int pieces, int64_t us, size_t n)
{
	for (int i = 1; i <= pieces; i++) {
		gw_pace_waited(&door.pace, us);
		door.body.taken += (int64_t)n;
		gw_pace_came(&door, n);
		if (door.cut)
			return i;
	}
	return pieces;
}

static void who_is_slow_is_cut(void **state)
{
	(void)state;
	assert_int_equal(come(1000, 500 * MS, 450), 40);
	assert_true(door.body.timed_out);
}

static void who_is_fast_enough_is_not(void **state)
{
	(void)state;
	come(1000, 500 * MS, 550);
	assert_false(door.cut);
}

/* Stopped or suspended for longer than a silence may last, again and again. */
static void standing_still_is_nobodys_pace(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++) {
		assert_int_equal(come(3, 500 * MS, 550), 3);
		come(1, (i % 2 ? 25 : 3600) * (int64_t)SECOND, 550);
		assert_false(door.cut);
	}
	assert_int_equal(come(1000, 500 * MS, 450) < 1000, 1);
}

/* A wait that was due to be ended, and was so a moment late, is a wait. */
static void a_late_end_is_no_excuse(void **state)
{
	(void)state;
	assert_int_equal(come(1000, 11 * SECOND, 450), 2);
}

/* What came while we were away is read in pieces: the first says nothing of the others. */
static void what_is_there_counts(void **state)
{
	(void)state;
	come(2, 9 * SECOND, 100);
	there = true;
	come(1, 2 * SECOND, 8192);
	assert_false(door.cut);
	come(1, 0, 8192);
	assert_false(door.cut);
	there = false;
	come(1, 0, 8192);
	assert_false(door.cut);
}

static void what_is_there_saves_nobody_for_long(void **state)
{
	(void)state;
	there = true;
	come(50, SECOND, 10);
	assert_false(door.cut);
	there = false;
	assert_int_equal(come(10, 0, 10), 1);
	assert_true(door.cut);
}

#define T(f) cmocka_unit_test_setup(f, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(who_is_slow_is_cut), T(who_is_fast_enough_is_not), T(standing_still_is_nobodys_pace), T(a_late_end_is_no_excuse), T(what_is_there_counts),
		T(what_is_there_saves_nobody_for_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
