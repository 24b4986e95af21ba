/* test_json.c - building and reading JSON; what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_open(1 << 20);
	return arena ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	arena_close(arena);
	return 0;
}

static void build(void **state)
{
	struct json *o = json_obj(), *a = json_arr(), *in = json_obj();

	(void)state;
	json_put_str(o, "s", "a/\"b\"\n");
	json_put_str(o, "none", NULL);
	json_put_str(o, "bad", "x\xffy\xed\xa0\x80");
	json_put_int(o, "min", INT64_MIN);
	json_put_int(o, "max", INT64_MAX);
	json_put_double(o, "d", 0.1);
	json_put_double(o, "nan", NAN);
	json_put_bool(o, "t", true);
	json_put_bool(o, "f", false);
	json_put_null(o, "n");
	json_put(o, "a", a);
	json_add_int(a, 1);
	json_add_str(a, "two");
	json_add(a, in);
	json_put_int(in, "x", 3);
	assert_string_equal(json_text(o, arena),
		"{\"s\":\"a/\\\"b\\\"\\n\",\"none\":null,\"bad\":\"x\xef\xbf\xbdy\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\","
		"\"min\":-9223372036854775808,\"max\":9223372036854775807,\"d\":0.1,\"nan\":null,\"t\":true,\"f\":false,\"n\":null,"
		"\"a\":[1,\"two\",{\"x\":3}]}");
	json_free(o);
}

static void failure_is_remembered(void **state)
{
	struct json *o = json_obj(), *in = json_obj();
	struct arena *small = arena_open(4);

	(void)state;
	json_put_int(NULL, "a", 1);
	json_put_str(NULL, "a", "x");
	json_put(NULL, "a", json_obj());
	json_add_str(NULL, "x");
	assert_null(json_text(NULL, arena));
	json_put(o, "in", in);
	assert_non_null(json_text(o, arena));
	assert_null(json_text(o, small));
	/* As if making the sub-value had failed, two levels down and after it was put in. */
	json_put(in, "lost", NULL);
	assert_null(json_text(o, arena));
	json_put_int(o, "later", 1);
	assert_null(json_text(o, arena));
	json_free(o);
	json_free(NULL);
	arena_close(small);
}

static const char *nested(int depth, const char *inside)
{
	static char s[256];

	memset(s, '[', (size_t)depth);
	strcpy(s + depth, inside);
	memset(s + strlen(s), 0, sizeof s - strlen(s));
	memset(s + strlen(s), ']', (size_t)depth);
	return s;
}

static bool parses(const char *s)
{
	struct json *j = json_parse(s, strlen(s));

	json_free(j);
	return j != NULL;
}

static void accepted(void **state)
{
	static const char *const good[] = {
		"{}", "[]", "1", "-1", "0", "\"x\"", "true", "false", "null", " {\"a\" : [1, 2.5, \"\\u00e4\"]}\r\n\t ",
		"\"\\\\\"", "\"\\\"[[[[\"", "1e3", "9223372036854775807", "\"N I\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		if (!parses(good[i]))
			fail_msg("refused: %s", good[i]);
	}
	assert_true(parses(nested(32, "1")));
	assert_true(parses(nested(32, "")));
	assert_false(parses(nested(33, "1")));
	assert_false(parses(nested(33, "")));
}

static void refused(void **state)
{
	static const char *const bad[] = {
		"", " ", "{", "}", "[1,]", "{\"a\":1,}", "{a:1}", "{'a':1}", "'a'", "[1] x", "{}{}", "1 2", "tru", "True", "NULL", "NaN", "Infinity",
		"-Infinity", "\"a", "\"a\nb\"", "\"\x01\"", "\"\xff\"", "/* c */ 1", "[1 2]", "01", "+1", "\"\\x41\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		if (parses(bad[i]))
			fail_msg("accepted: %s", bad[i]);
	}
	assert_null(json_parse("{}\0", 3));
	assert_null(json_parse("\0{}", 3));
	assert_null(json_parse("[1]", 2));
}

static bool collect(const char *key, const struct json *v, void *arg)
{
	strcat(arg, key);
	return json_type(v) != JSON_NULL;
}

static void reading(void **state)
{
	static const char text[] = "{\"s\":\"x\",\"i\":-5,\"big\":18446744073709551615,\"low\":-9223372036854775809,\"top\":9223372036854775807,\"d\":1.5,\"b\":true,\"a\":[1,null,3],\"n\":null,\"z\":\"a\\u0000b\"}";
	struct json *j = json_parse(text, sizeof text - 1);
	char keys[32] = "";
	int64_t i = 0;
	bool b = false;

	(void)state;
	assert_int_equal(json_type(j), JSON_OBJECT);
	assert_int_equal(json_len(j), 10);
	assert_string_equal(json_str(json_get(j, "s")), "x");
	assert_true(json_int(json_get(j, "i"), &i) && i == -5);
	assert_false(json_int(json_get(j, "big"), &i));
	assert_false(json_int(json_get(j, "low"), &i));
	assert_true(json_int(json_get(j, "top"), &i) && i == INT64_MAX);
	assert_false(json_int(json_get(j, "d"), &i));
	assert_false(json_int(json_get(j, "s"), &i));
	assert_true(json_bool(json_get(j, "b"), &b) && b);
	assert_false(json_bool(json_get(j, "i"), &b));
	assert_null(json_str(json_get(j, "i")));
	assert_null(json_str(json_get(j, "z")));
	assert_int_equal(json_len(json_get(j, "a")), 3);
	assert_true(json_int(json_at(json_get(j, "a"), 2), &i) && i == 3);
	assert_int_equal(json_type(json_at(json_get(j, "a"), 1)), JSON_NULL);
	assert_non_null(json_at(json_get(j, "a"), 1));
	assert_null(json_at(json_get(j, "a"), 3));
	assert_non_null(json_get(j, "n"));
	assert_null(json_get(j, "absent"));
	assert_null(json_get(json_get(j, "absent"), "x"));
	assert_null(json_get(json_get(j, "n"), "x"));
	assert_int_equal(json_len(json_get(j, "n")), 0);
	json_each(j, collect, keys);
	assert_string_equal(keys, "sibiglowtopdban");
	json_free(j);
	j = json_parse("null", 4);
	assert_int_equal(json_type(j), JSON_NULL);
	assert_string_equal(json_text(j, arena), "null");
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(build), cmocka_unit_test(failure_is_remembered), cmocka_unit_test(accepted),
		cmocka_unit_test(refused), cmocka_unit_test(reading),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
