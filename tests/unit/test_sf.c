/*
 * test_sf.c - structured fields: what is an Integer, a Boolean, a Dictionary, and what is none and therefore ignored as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "http/sf.h"

#define COUNT(rows) (sizeof rows / sizeof *rows)
#define NONE INT64_MIN

static void integers(void **state)
{
	(void)state;
	static const struct { const char *text; int64_t is; } rows[] = {
		{"0", 0}, {"42", 42}, {"-42", -42}, {"00", 0}, {"-0", 0}, {"  7 ", 7}, {"7;a", 7}, {"7;a=1;b=\"x\"; c=?0", 7}, {"999999999999999", 999999999999999},
		{"-999999999999999", -999999999999999}, {"1000000000000000", NONE}, {"", NONE}, {"-", NONE}, {"+5", NONE}, {"5.0", NONE}, {"0x5", NONE}, {"1 2", NONE},
		{"1, 1", NONE}, {"\"1\"", NONE}, {"1;", NONE}, {"1;A", NONE}, {"1;a=", NONE}, {"?1", NONE}, {"@1", NONE}, {"\t1", NONE}, {"1e3", NONE}, {"--1", NONE},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t v = NONE;
		bool good = sf_integer(rows[i].text, &v);
		if (good != (rows[i].is != NONE) || v != rows[i].is)
			fail_msg("'%s': %d %lld", rows[i].text, good, (long long)v);
	}
	int64_t stays = 5;
	assert_false(sf_integer(NULL, &stays));
	assert_int_equal(stays, 5);
}

static void booleans(void **state)
{
	(void)state;
	static const struct { const char *text; int is; } rows[] = {
		{"?1", 1}, {"?0", 0}, {" ?1 ", 1}, {"?1;x=2", 1}, {"?0;x", 0}, {"?2", -1}, {"?", -1}, {"1", -1}, {"true", -1}, {"?1?", -1}, {"?1, ?1", -1}, {"", -1},
		{"?10", -1}, {"? 1", -1}, {"?1;", -1},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool v = false;
		bool good = sf_boolean(rows[i].text, &v);
		if (good != (rows[i].is >= 0) || (good && v != (rows[i].is == 1)))
			fail_msg("'%s': %d %d", rows[i].text, good, v);
	}
}

/* All members of a Dictionary as "key/type/raw" with blanks between; "bad" if it is malformed anywhere. */
static const char *members(const char *text)
{
	static char out[500];
	static const char types[] = "INTEGER DECIMAL STRING TOKEN BYTES BOOLEAN DATE DISPLAY LIST";
	struct sf_member m;
	const char *p = text;
	int more;
	*out = '\0';
	while ((more = sf_dict_next(&p, &m)) == 1) {
		const char *type = types;
		for (int i = 0; i < (int)m.type; i++)
			type += strcspn(type, " ") + 1;
		size_t n = strlen(out);
		snprintf(out + n, sizeof out - n, "%s%.*s/%.3s/%.*s", n ? " " : "", (int)m.key_n, m.key, type, (int)m.raw_n, m.raw);
	}
	return more < 0 ? "bad" : out;
}

static void dictionaries(void **state)
{
	(void)state;
	static const struct { const char *text, *is; } rows[] = {
		{"", ""}, {"   ", ""}, {"a=1", "a/INT/1"}, {"a", "a/BOO/"}, {"a=1, b=?0", "a/INT/1 b/BOO/?0"}, {"a=1\t,\t b", "a/INT/1 b/BOO/"},
		{"max-size=1234567890, min-size=0", "max-size/INT/1234567890 min-size/INT/0"},
		{"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", "sha-256/BYT/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
		{"sha-256=::", "sha-256/BYT/"}, {"a=1.5", "a/DEC/1.5"}, {"a=\"x\\\"y\"", "a/STR/\"x\\\"y\""}, {"a=tok/en:*", "a/TOK/tok/en:*"}, {"a=@1659578233", "a/DAT/@1659578233"},
		{"a=%\"f%c3%bc\"", "a/DIS/%\"f%c3%bc\""}, {"a=(1 2 \"x\";q);p=1, b", "a/LIS/(1 2 \"x\";q) b/BOO/"}, {"a=()", "a/LIS/()"}, {"*k_-.*=1", "*k_-.*/INT/1"},
		{"a;x=1, b", "a/BOO/ b/BOO/"}, {"a=1;x;y=:YQ==:", "a/INT/1"}, {"a=1, a=2", "a/INT/1 a/INT/2"}, {"a=1.123", "a/DEC/1.123"},
		{"A=1", "bad"}, {"a=1,", "bad"}, {"a=1, ,b", "bad"}, {",a", "bad"}, {"a=1 b", "bad"}, {"a=", "bad"}, {"=1", "bad"}, {"a=:x", "bad"}, {"a=:x!:", "bad"},
		{"a=:YQ===:", "bad"}, {"a=\"x", "bad"}, {"a=\"\\n\"", "bad"}, {"a=\"\x01\"", "bad"}, {"a=(1", "bad"}, {"a=(1\"x\")", "bad"}, {"a=1.", "bad"}, {"a=1.1234", "bad"},
		{"a=1234567890123.1", "bad"}, {"a=%\"f%C3\"", "bad"}, {"a=%f", "bad"}, {"a=%\"f%c\"", "bad"}, {"a=@1.5", "bad"}, {"a=?2", "bad"}, {"a=1;B", "bad"}, {"\ta=1", "bad"},
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (strcmp(members(rows[i].text), rows[i].is) != 0)
			fail_msg("'%s': '%s', expected '%s'", rows[i].text, members(rows[i].text), rows[i].is);
}

static void the_last_of_a_key_counts(void **state)
{
	(void)state;
	struct sf_member m;
	assert_int_equal(sf_dict_get("a=1, b=2, a=3", "a", &m), 1);
	assert_int_equal(m.integer, 3);
	assert_int_equal(sf_dict_get("a=1, ab=2", "b", &m), 0);
	assert_int_equal(sf_dict_get("", "a", &m), 0);
	/* Malformed behind the member that is asked for: all of it is ignored. */
	assert_int_equal(sf_dict_get("a=1, b=!", "a", &m), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers),
		cmocka_unit_test(booleans),
		cmocka_unit_test(dictionaries),
		cmocka_unit_test(the_last_of_a_key_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
