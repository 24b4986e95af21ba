/* test_clock.c - dates in and out, whatever the locale; the shift of the wall clock. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"

static const struct {
	int64_t t;
	const char *http, *iso;
} row[] = {
	{784111777, "Sun, 06 Nov 1994 08:49:37 GMT", "1994-11-06T08:49:37.000Z"},
	{0, "Thu, 01 Jan 1970 00:00:00 GMT", "1970-01-01T00:00:00.000Z"},
	{951782400, "Tue, 29 Feb 2000 00:00:00 GMT", "2000-02-29T00:00:00.000Z"},
	{4102444799, "Thu, 31 Dec 2099 23:59:59 GMT", "2099-12-31T23:59:59.000Z"},
	{253402300799, "Fri, 31 Dec 9999 23:59:59 GMT", "9999-12-31T23:59:59.000Z"},
};

static void dates(void **state)
{
	char http[CLOCK_HTTP_LEN], iso[CLOCK_ISO_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		clock_http(row[i].t, http);
		assert_string_equal(http, row[i].http);
		assert_int_equal(clock_http_parse(http), row[i].t);
		clock_iso(row[i].t * 1000, iso);
		assert_string_equal(iso, row[i].iso);
	}
	clock_iso(1795327442023, iso);
	assert_string_equal(iso, "2026-11-22T06:04:02.023Z");
	clock_http(INT64_MAX, http);
	assert_string_equal(http, "Fri, 31 Dec 9999 23:59:59 GMT");
	clock_http(-5, http);
	assert_string_equal(http, row[1].http);
	clock_iso(-5, iso);
	assert_string_equal(iso, row[1].iso);
}

static void dates_localised(void **state)
{
	static const char *const names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ja_JP.UTF-8", "C.UTF-8"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (setlocale(LC_ALL, names[i]))
			dates(state);
	}
	setlocale(LC_ALL, "C");
}

static void not_dates(void **state)
{
	static const char *const bad[] = {
		"", "x", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Mon, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 6 Nov 1994 08:49:37 GMT ",
		"Thu, 31 Feb 2000 00:00:00 GMT", "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:49:60 GMT", "Sun, 06 Nov 1994 08-49-37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT, x",
		"Sun, -6 Nov 1994 08:49:37 GMT", "Sun, 06 Xyz 1994 08:49:37 GMT", "Wed, 31 Dec 1969 23:59:59 GMT",
	};

	(void)state;
	assert_int_equal(clock_http_parse(NULL), 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(clock_http_parse(bad[i]), 0);
}

static void shifting(void **state)
{
	int64_t wall = clock_now(), mono = clock_mono_us();

	(void)state;
	assert_true(wall > 1700000000);
	clock_shift(100000);
	assert_in_range(clock_now() - wall, 100000, 100010);
	assert_in_range(clock_now_ms() / 1000 - wall, 100000, 100010);
	assert_in_range(clock_mono_us() - mono, 0, 10000000);
	clock_shift(0);
	assert_in_range(clock_now() - wall, 0, 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dates), cmocka_unit_test(dates_localised), cmocka_unit_test(not_dates), cmocka_unit_test(shifting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
