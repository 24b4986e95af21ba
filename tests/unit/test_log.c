/* test_log.c - a log line is one JSON object, whatever is thrown at it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/json.h"
#include "base/log.h"

static int ends[2], real_stderr;

static int setup(void **state)
{
	(void)state;
	real_stderr = dup(2);
	return pipe(ends);
}

/* Calls f with fd 2 being a pipe; gives what one read finds there. */
static const char *caught(void (*f)(void))
{
	static char out[65536];
	ssize_t n;

	dup2(ends[1], 2);
	write(ends[1], "|", 1);
	f();
	dup2(real_stderr, 2);
	n = read(ends[0], out, sizeof out - 1);
	out[n] = 0;
	return out + 1;
}

static void plain_line(void)
{
	log_event(LOG_WARN, "store", "commit failed", "code", LS("SQLITE_FULL"), "rows", LI(-3), "min", LI(INT64_MIN), "none", LS(NULL), NULL);
}

static void plain(void **state)
{
	const char *s = caught(plain_line);
	struct json *j = json_parse(s, strlen(s));
	int64_t v;

	(void)state;
	assert_int_equal(s[strlen(s) - 1], '\n');
	assert_int_equal(strchr(s, '\n') - s, strlen(s) - 1);
	assert_int_equal(strncmp(s, "{\"ts\":\"20", 9), 0);
	assert_string_equal(json_str(json_get(j, "level")), "warning");
	assert_string_equal(json_str(json_get(j, "room")), "store");
	assert_string_equal(json_str(json_get(j, "msg")), "commit failed");
	assert_string_equal(json_str(json_get(j, "code")), "SQLITE_FULL");
	assert_true(json_int(json_get(j, "pid"), &v) && v == getpid());
	assert_true(json_int(json_get(j, "rows"), &v) && v == -3);
	assert_non_null(strstr(s, ",\"min\":-9223372036854775808,"));
	assert_int_equal(json_type(json_get(j, "none")), JSON_NULL);
	json_free(j);
}

static void nasty_line(void)
{
	log_event(LOG_ERROR, "x", "a\"b\\c\nd\x01\x7f", "bad", LS("\xff\xc3"), "c1", LS("\xc2\x9b"), "good", LS("\xc3\xa4\xc2\xa0"), NULL);
}

static void nasty(void **state)
{
	const char *s = caught(nasty_line);

	(void)state;
	assert_non_null(strstr(s, "\"msg\":\"a\\\"b\\\\c\\u000ad\\u0001\\u007f\",\"bad\":\"\xef\xbf\xbd\xef\xbf\xbd\",\"c1\":\"\\u009b\",\"good\":\"\xc3\xa4\xc2\xa0\"}\n"));
}

static char *big;

static void long_line(void)
{
	log_event(LOG_ERROR, "x", big, "one", LS(big), "two", LS(big), "three", LS(big), "four", LS(big), "five", LI(5), NULL);
	log_event(LOG_ERROR, "x", big, "five", LI(5), NULL);
}

static void long_values(void **state)
{
	const char *s, *second;
	struct json *j;
	int64_t v;

	(void)state;
	/* 3-byte characters, so that a cut inside one would show as an unreadable line. */
	big = malloc(30001);
	for (int i = 0; i < 10000; i++)
		memcpy(big + 3 * i, "\xe2\x82\xac", 4);
	s = caught(long_line);
	second = strchr(s, '\n') + 1;
	assert_true(second - s <= 8192);
	j = json_parse(s, (size_t)(second - s));
	assert_non_null(j);
	assert_true(strlen(json_str(json_get(j, "msg"))) > 1900);
	assert_non_null(json_get(j, "two"));
	json_free(j);
	j = json_parse(second, strlen(second));
	assert_true(json_int(json_get(j, "five"), &v) && v == 5);
	json_free(j);
	free(big);
}

static void silent_lines(void)
{
	log_level_set(LOG_ERROR);
	log_event(LOG_WARN, "x", "not seen", NULL);
	log_level_set(LOG_DEBUG);
	errno = EIO;
	log_event(LOG_DEBUG, "x", "seen", NULL);
	assert_int_equal(errno, EIO);
	log_level_set(LOG_INFO);
	log_event(LOG_DEBUG, "x", "not seen", NULL);
}

static void count(enum log_level level, void *arg)
{
	((int *)arg)[level]++;
}

static void levels(void **state)
{
	int seen[4] = {0};
	const char *s;

	(void)state;
	log_watch(count, seen);
	s = caught(silent_lines);
	log_watch(NULL, NULL);
	assert_null(strstr(s, "not seen"));
	assert_non_null(strstr(s, "\"msg\":\"seen\""));
	assert_int_equal(seen[LOG_DEBUG], 2);
	assert_int_equal(seen[LOG_WARN], 1);
	assert_int_equal(seen[LOG_ERROR], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain), cmocka_unit_test(nasty), cmocka_unit_test(long_values), cmocka_unit_test(levels),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
