/*
 * test_field.c - single header fields and forms, among them what clients and attackers really send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "http/field.h"

#define COUNT(rows) (sizeof rows / sizeof *rows)

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

static const char *show(const char *s)
{
	return s ? s : "NULL";
}

static void media_types(void **state)
{
	static const struct { const char *value; bool is; } rows[] = {
		{ "application/offset+octet-stream", true }, { "Application/Offset+Octet-Stream", true },
		{ "application/offset+octet-stream; charset=x", true }, { " application/offset+octet-stream\t;x", true },
		{ "application/offset+octet-stream;", true }, { "application/offset+octet-streamx", false }, { "application/offset+octet-strea", false },
		{ "application/offset+octet-stream, text/plain", false }, { "x;application/offset+octet-stream", false }, { "", false }, { NULL, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (field_media_type_is(rows[i].value, "application/offset+octet-stream") != rows[i].is)
			fail_msg("%s", show(rows[i].value));
}

static void lists(void **state)
{
	static const struct { const char *list; bool has; } rows[] = {
		{ "gzip", true }, { "a, GZip ,b", true }, { "a,gzip", true }, { "gzip,", true }, { ",,\tgzip", true },
		{ "gzi", false }, { "gzipx", false }, { "x-gzip", false }, { "a gzip", false }, { "", false }, { ",", false }, { NULL, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (field_list_has(rows[i].list, "gzip") != rows[i].has)
			fail_msg("%s", show(rows[i].list));
}

static void parameters(void **state)
{
	/* The parameters written as "name=value|"; then "0" at a good end, "-1" at a bad one. */
	static const struct { const char *value, *want; } rows[] = {
		{ "", "0" }, { ";", "0" }, { " ; ; ", "0" }, { "; a=b", "a=b|0" }, { ";a=b;c=\"d;e\" ; f=", "a=b|c=d;e|f=|0" }, { ";a = \"b\"", "a=b|0" },
		{ ";a=\"x\\\"y\\\\z\\w\"", "a=x\"y\\z\\w|0" }, { ";a=\"\"", "a=|0" }, { ";a=b c ;d=e", "a=b c|d=e|0" }, { ";a=\"b\\\\\";c=d", "a=b\\|c=d|0" },
		{ "x", "-1" }, { ";a", "-1" }, { ";=b", "-1" }, { ";a=\"b", "-1" }, { ";a=\"b\\\"", "-1" }, { ";a=b\"c", "-1" }, { ";a=\"b\"c", "a=b|-1" },
		{ ";\"a\"=b", "-1" }, { ";a;b=c", "-1" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char got[200] = "", value[100];
		const char *p = rows[i].value;
		struct field_param param;
		int more;
		while ((more = field_param_next(&p, &param)) == 1) {
			size_t n = field_unquote(&param, value);
			assert_int_equal(n, strlen(value));
			snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s=%s|", (int)param.name_n, param.name, value);
		}
		snprintf(got + strlen(got), sizeof got - strlen(got), "%d", more);
		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s", rows[i].value, got);
	}
}

static void hosts(void **state)
{
	static const struct { const char *value, *want; } rows[] = {
		{ "example.com", "example.com" }, { "Example.COM:8443", "example.com" }, { "a_b-c.d", "a_b-c.d" }, { "127.0.0.1:80", "127.0.0.1" },
		{ "localhost:", "localhost" }, { "[::1]", "[::1]" }, { "[FE80::A]:443", "[fe80::a]" }, { "[::ffff:1.2.3.4]", "[::ffff:1.2.3.4]" },
		{ "example.com.", "example.com." },
		{ "", NULL }, { NULL, NULL }, { ":80", NULL }, { "a:b", NULL }, { "a:80:80", NULL }, { "a:123456", NULL }, { "a b", NULL }, { " a", NULL },
		{ "a/b", NULL }, { "a@b", NULL }, { "a,b", NULL }, { "a\\b", NULL }, { "a%41", NULL }, { "a\"", NULL }, { "\xc3\xa4", NULL }, { "a\x01", NULL },
		{ "[::1", NULL }, { "[]", NULL }, { "[::1]x", NULL }, { "[::1]:", "[::1]" }, { "[g::1]", NULL }, { "[::1%25eth0]", NULL }, { "::1", NULL },
		{ ".a", NULL }, { "a..b", NULL },
		{ "0123456789.0123456789.0123456789", NULL }, { "0123456789.0123456789.012345678", "0123456789.0123456789.012345678" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char out[32] = "";
		bool ok = field_host(rows[i].value, out, sizeof out);
		if (!text_eq(ok ? out : NULL, rows[i].want))
			fail_msg("%s: %s", show(rows[i].value), out);
	}
}

static void ranges(void **state)
{
	static const struct { const char *value; int64_t size; enum field_range want; int64_t first, last; } rows[] = {
		{ "bytes=0-", 10, RANGE_ONE, 0, 9 }, { "bytes=0-0", 10, RANGE_ONE, 0, 0 }, { "bytes=3-5", 10, RANGE_ONE, 3, 5 }, { "bytes=9-", 10, RANGE_ONE, 9, 9 },
		{ "bytes=5-100", 10, RANGE_ONE, 5, 9 }, { "bytes=-5", 10, RANGE_ONE, 5, 9 }, { "bytes=-10", 10, RANGE_ONE, 0, 9 }, { "bytes=-11", 10, RANGE_ONE, 0, 9 },
		{ "BYTES=1-2", 10, RANGE_ONE, 1, 2 }, { "bytes=0-99999999999999999999999", 10, RANGE_ONE, 0, 9 }, { "bytes=007-8", 10, RANGE_ONE, 7, 8 },
		{ "bytes=-99999999999999999999999", 10, RANGE_ONE, 0, 9 }, { "bytes=5000000000-5000000001", 6000000000, RANGE_ONE, 5000000000, 5000000001 },
		{ "bytes=10-", 10, RANGE_BAD, 0, 0 }, { "bytes=10-20", 10, RANGE_BAD, 0, 0 }, { "bytes=-0", 10, RANGE_BAD, 0, 0 },
		{ "bytes=99999999999999999999999-", 10, RANGE_BAD, 0, 0 }, { "bytes=9223372036854775807-", 10, RANGE_BAD, 0, 0 },
		{ "bytes=0-", 0, RANGE_BAD, 0, 0 }, { "bytes=0-5", 0, RANGE_BAD, 0, 0 }, { "bytes=-0", 0, RANGE_BAD, 0, 0 }, { "bytes=-5", 0, RANGE_NONE, 0, 0 },
		{ "bytes=5-2", 10, RANGE_NONE, 0, 0 }, { "bytes=", 10, RANGE_NONE, 0, 0 }, { "bytes=-", 10, RANGE_NONE, 0, 0 }, { "bytes=5", 10, RANGE_NONE, 0, 0 },
		{ "bytes=0-1,3-4", 10, RANGE_NONE, 0, 0 }, { "bytes=0-1,", 10, RANGE_NONE, 0, 0 }, { "bytes= 0-1", 10, RANGE_NONE, 0, 0 }, { "bytes=0 -1", 10, RANGE_NONE, 0, 0 },
		{ "bytes=0-1 ", 10, RANGE_NONE, 0, 0 }, { "bytes=+0-1", 10, RANGE_NONE, 0, 0 }, { "bytes=0--1", 10, RANGE_NONE, 0, 0 }, { "bytes=--1", 10, RANGE_NONE, 0, 0 },
		{ "bytes=a-b", 10, RANGE_NONE, 0, 0 }, { "bytes=0x1-2", 10, RANGE_NONE, 0, 0 }, { "bytes 0-1", 10, RANGE_NONE, 0, 0 }, { "items=0-1", 10, RANGE_NONE, 0, 0 },
		{ "bytes", 10, RANGE_NONE, 0, 0 }, { "", 10, RANGE_NONE, 0, 0 }, { NULL, 10, RANGE_NONE, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int64_t first = 0, last = 0;
		enum field_range got = field_range(rows[i].value, rows[i].size, &first, &last);
		if (got != rows[i].want || (got == RANGE_ONE && (first != rows[i].first || last != rows[i].last)))
			fail_msg("%s of %lld: %d %lld-%lld", show(rows[i].value), (long long)rows[i].size, got, (long long)first, (long long)last);
	}
}

static void etags(void **state)
{
	static const struct { const char *list, *etag; bool weak, match; } rows[] = {
		{ "\"a\"", "\"a\"", false, true }, { "\"b\", \"a\"", "\"a\"", false, true }, { "\"b\",\"a\",", "\"a\"", false, true }, { "*", "\"a\"", false, true },
		{ " * ", "\"a\"", true, true }, { "*", NULL, false, true },
		{ "W/\"a\"", "\"a\"", true, true }, { "W/\"a\"", "\"a\"", false, false }, { "\"a\"", "W/\"a\"", true, true }, { "\"a\"", "W/\"a\"", false, false },
		{ "W/\"a\"", "W/\"a\"", false, false }, { "\"x,y\", \"a\"", "\"a\"", false, true }, { "\"x, \"a\", y\"", "\"a\"", false, false }, { "\"\"", "\"\"", false, true },
		{ "\"A\"", "\"a\"", true, false }, { "\"ab\"", "\"a\"", true, false }, { "a", "\"a\"", true, false }, { "\"a", "\"a\"", true, false },
		{ "w/\"a\"", "\"a\"", true, false }, { "\"*\"", "\"a\"", true, false }, { "*, \"b\"", "\"a\"", true, false }, { "", "\"a\"", true, false },
		{ "Wed, 21 Oct 2015 07:28:00 GMT", "\"a\"", true, false }, { NULL, "\"a\"", true, false }, { "\"a\"", NULL, true, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (field_etag_match(rows[i].list, rows[i].etag, rows[i].weak) != rows[i].match)
			fail_msg("%s in %s", show(rows[i].etag), show(rows[i].list));
}

static void dispositions_written(void **state)
{
	static const struct { const char *name, *want; } rows[] = {
		{ "a.webm", "attachment; filename=\"a.webm\"; filename*=UTF-8''a.webm" },
		{ "my rec.webm", "attachment; filename=\"my rec.webm\"; filename*=UTF-8''my%20rec.webm" },
		{ "\xc3\x84\xe2\x82\xac.wav", "attachment; filename=\"__.wav\"; filename*=UTF-8''%C3%84%E2%82%AC.wav" },
		{ "a\"b\\c%41;'.x", "attachment; filename=\"a_b_c_41;'.x\"; filename*=UTF-8''a%22b%5Cc%2541%3B%27.x" },
		{ "a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y" },
		{ "", "attachment; filename=\"\"; filename*=UTF-8''" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = field_disposition(arena, rows[i].name);
		assert_string_equal(got, rows[i].want);
		assert_string_equal(field_disposition_name(arena, got), rows[i].name);
	}
}

static void dispositions_read(void **state)
{
	static const struct { const char *value, *want; } rows[] = {
		{ "attachment; filename=a.webm", "a.webm" }, { "inline;FileName=\"a b.webm\";x=y", "a b.webm" }, { "attachment; filename=\"C:\\dir\\x.wav\"", "C:\\dir\\x.wav" },
		{ "attachment; filename=\"a\"; filename*=UTF-8''%E2%82%AC", "\xe2\x82\xac" }, { "attachment; filename*=utf-8'de'b; filename=a", "b" },
		{ "attachment; filename=a; filename*=iso-8859-1''%E4", "a" }, { "attachment; filename=a; filename*=UTF-8''%FF", "a" },
		{ "attachment; filename=a; filename*=UTF-8''%00", "a" }, { "attachment; filename=a; filename*=UTF-8''%4", "a" }, { "attachment; filename=a; filename*=UTF-8'x", "a" },
		{ "attachment; filename=a; filename=b", "a" }, { "attachment; filename=\"\"", "" }, { "attachment; filename*=x", NULL },
		{ "attachment; filename=\"%41\"", "%41" }, { "attachment; filename=a; broken", "a" },
		{ "attachment", NULL }, { "filename=a", NULL }, { "attachment; filename", NULL }, { "attachment; filename=\"a", NULL }, { "", NULL }, { NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *got = field_disposition_name(arena, rows[i].value);
		if (!text_eq(got, rows[i].want))
			fail_msg("%s: %s", show(rows[i].value), show(got));
	}
}

static void forms(void **state)
{
	static const struct { const char *text; size_t n; enum err err; const char *want; } rows[] = {
		{ "a=1&b=2", 7, ERR_OK, "a:1|b:2|" }, { "a=1&b=2", 5, ERR_OK, "a:1|b:|" }, { "", 0, ERR_OK, "" }, { "&&&", 3, ERR_OK, "" }, { "a", 1, ERR_OK, "a:|" },
		{ "=", 1, ERR_OK, ":|" }, { "a=b=c", 5, ERR_OK, "a:b=c|" }, { "a+b=c%2B+d", 10, ERR_OK, "a b:c+ d|" }, { "a=1&a=2", 7, ERR_OK, "a:1|a:2|" },
		{ "m=%7B%22a%22%3A1%7D", 19, ERR_OK, "m:{\"a\":1}|" }, { "a=%", 3, ERR_INVALID, "" }, { "a=%4", 4, ERR_INVALID, "" }, { "a=%41", 4, ERR_INVALID, "" },
		{ "%g1=x", 5, ERR_INVALID, "" }, { "a=%00", 5, ERR_INVALID, "" }, { "a=\0b", 4, ERR_INVALID, "" }, { "a\0=b", 4, ERR_INVALID, "" },
		{ "1&2&3&4", 7, ERR_OK, "1:|2:|3:|4:|" }, { "1&2&3&4&", 8, ERR_OK, "1:|2:|3:|4:|" }, { "1&2&3&4&5", 9, ERR_INVALID, "1:|2:|3:|4:|" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct form_pair pair[4];
		char got[200] = "";
		int found = -1;
		enum err e = field_form(arena, rows[i].text, rows[i].n, pair, 4, &found);
		for (int k = 0; k < found; k++)
			snprintf(got + strlen(got), sizeof got - strlen(got), "%s:%s|", pair[k].name, pair[k].value);
		if (e != rows[i].err || strcmp(got, rows[i].want) != 0)
			fail_msg("%s: %s %s", rows[i].text, err_code(e), got);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(media_types),
		cmocka_unit_test(lists),
		cmocka_unit_test(parameters),
		cmocka_unit_test(hosts),
		cmocka_unit_test(ranges),
		cmocka_unit_test(etags),
		cmocka_unit_test(dispositions_written),
		cmocka_unit_test(dispositions_read),
		cmocka_unit_test(forms),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
