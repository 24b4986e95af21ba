/*
 * test_msg.c - requests and answers as values: methods, headers, cutting of targets, queries.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "http/msg.h"

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

static void methods(void **state)
{
	(void)state;
	for (int m = HTTP_GET; m < HTTP_OTHER; m++)
		assert_int_equal(http_method_parse(http_method_name((enum http_method)m)), m);
	static const char *const other[] = { "get", "Patch", "", " GET", "GET ", "GETX", "OTHER", "TRACE", "CONNECT" };
	for (size_t i = 0; i < sizeof other / sizeof *other; i++)
		assert_int_equal(http_method_parse(other[i]), HTTP_OTHER);
	assert_int_equal(http_method_parse(NULL), HTTP_OTHER);
	assert_string_equal(http_method_name(HTTP_OTHER), "OTHER");
	assert_string_equal(http_method_name((enum http_method)99), "OTHER");
}

static void headers(void **state)
{
	(void)state;
	static const struct http_header h[] = { { "Upload-Offset", "5" }, { "upload-offset", "6" }, { "Host", "" } };
	const struct http_req r = { .header = h, .nheader = 3 };
	assert_string_equal(http_header(&r, "UPLOAD-OFFSET"), "5");
	assert_string_equal(http_header(&r, "host"), "");
	assert_null(http_header(&r, "Upload-Offse"));
	assert_null(http_header(&r, "Upload-Offset2"));
	assert_null(http_header(&r, ""));
	assert_int_equal(http_header_count(&r, "upload-Offset"), 2);
	assert_int_equal(http_header_count(&r, "Host"), 1);
	assert_int_equal(http_header_count(&r, "Range"), 0);
}

/* The outcome of a route as text: "files|a/" is two segments and a closing slash; "-" is nseg -1. */
static const char *route(const char *target, const char *base, const char **query)
{
	static char out[2048];
	struct http_req r = { .target = target, .arena = arena };
	size_t n = 0;
	http_req_route(&r, base);
	*query = r.query;
	if (r.nseg < 0) {
		assert_false(r.slash);
		return "-";
	}
	assert_in_range(r.nseg, 0, HTTP_SEGS_MAX);
	out[0] = '\0';
	for (int i = 0; i < r.nseg; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", i ? "|" : "", r.seg[i]);
	snprintf(out + n, sizeof out - n, "%s", r.slash ? "/" : "");
	return out;
}

static void routes(void **state)
{
	static const struct { const char *target, *base, *want, *query; } rows[] = {
		{ "/", "", "/", NULL },
		{ "", "", "", NULL },
		{ "/files", "", "files", NULL },
		{ "/files/", "", "files/", NULL },
		{ "/files/a/chunks/7", "", "files|a|chunks|7", NULL },
		{ "/files/a?x=1&y=/../", "", "files|a", "x=1&y=/../" },
		{ "/files/?", "", "files/", "" },
		{ "?a=b", "", "", "a=b" },
		{ "/a?b?c", "", "a", "b?c" },
		{ "/1/2/3/4/5/6/7/8", "", "1|2|3|4|5|6|7|8", NULL },
		{ "/1/2/3/4/5/6/7/8/", "", "1|2|3|4|5|6|7|8/", NULL },
		{ "/1/2/3/4/5/6/7/8/9", "", "-", NULL },
		/* absolute-form */
		{ "http://host/files/a?q", "", "files|a", "q" },
		{ "HTTPS://host:8443/files/", "", "files/", NULL },
		{ "http://host", "", "", NULL },
		{ "http://host?q", "", "", "q" },
		{ "http:///a", "", "a", NULL },
		{ "http://user@host/x/a", "/x", "a", NULL },
		{ "ftp://host/a", "", "-", NULL },
		/* base path */
		{ "/x", "/x", "", NULL },
		{ "/x/", "/x", "/", NULL },
		{ "/x/files/a/", "/x", "files|a/", NULL },
		{ "/x/files", "/x/", "files", NULL },
		{ "/x/y/files", "/x/y", "files", NULL },
		{ "/x?q", "/x", "", "q" },
		{ "/xy/files", "/x", "-", NULL },
		{ "/xy", "/x", "-", NULL },
		{ "/files", "/x", "-", NULL },
		{ "/", "/x", "-", NULL },
		{ "/X/files", "/x", "-", NULL },
		{ "/x/../files", "/x", "-", NULL },
		{ "/%78/files", "/x", "-", NULL },
		{ "/x//files", "/x", "-", NULL },
		{ "/files", NULL, "files", NULL },
		/* what is no path of ours */
		{ "//", "", "-", NULL },
		{ "//files", "", "-", NULL },
		{ "/files//a", "", "-", NULL },
		{ "/files/a//", "", "-", NULL },
		{ "/.", "", "-", NULL },
		{ "/..", "", "-", NULL },
		{ "/../", "", "-", NULL },
		{ "/files/.", "", "-", NULL },
		{ "/files/../a", "", "-", NULL },
		{ "/files/./a", "", "-", NULL },
		{ "*", "", "-", NULL },
		{ "files", "", "-", NULL },
		{ "\\files", "", "-", NULL },
		{ NULL, "", "-", NULL },
		/* nothing is decoded; the grammars of ids refuse these later */
		{ "/files/%2e%2e/a", "", "files|%2e%2e|a", NULL },
		{ "/files/a%2Fb", "", "files|a%2Fb", NULL },
		{ "/files/a%00", "", "files|a%00", NULL },
		{ "/files/...", "", "files|...", NULL },
		{ "/files/.a", "", "files|.a", NULL },
		{ "/files/..\\a", "", "files|..\\a", NULL },
		{ "/files/a;b#c", "", "files|a;b#c", NULL },
		{ "/files/\xff", "", "files|\xff", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *query = "unset", *got = route(rows[i].target, rows[i].base, &query);
		if (strcmp(got, rows[i].want) != 0 || !text_eq(query, rows[i].query))
			fail_msg("%s: %s ? %s", rows[i].target ? rows[i].target : "NULL", got, query ? query : "NULL");
	}
}

static void route_forgets_an_earlier_one(void **state)
{
	(void)state;
	struct http_req r = { .target = "/a/?q", .arena = arena };
	http_req_route(&r, "");
	r.target = "/b";
	http_req_route(&r, "");
	assert_int_equal(r.nseg, 1);
	assert_string_equal(r.seg[0], "b");
	assert_false(r.slash);
	assert_null(r.query);
}

static void queries(void **state)
{
	static const struct { const char *query, *name, *want; } rows[] = {
		{ "a=1&b=2", "a", "1" }, { "a=1&b=2", "b", "2" }, { "a=1&a=2", "a", "1" }, { "a", "a", "" }, { "a&b=2", "a", "" }, { "a=", "a", "" },
		{ "a=x=y", "a", "x=y" }, { "a=%20+%2B", "a", "  +" }, { "%61=1", "a", "1" }, { "&&a=1&", "a", "1" }, { "x=%zz&a=1", "a", "1" },
		{ "%zz=1&a=2", "a", "2" }, { "a=%C3%A4", "a", "\xc3\xa4" },
		{ "ab=1", "a", NULL }, { "", "a", NULL }, { NULL, "a", NULL }, { "A=1", "a", NULL }, { "a=%", "a", NULL }, { "a=%4", "a", NULL },
		{ "a=%00", "a", NULL }, { "a=%4&a=1", "a", NULL }, { "b=a", "a", NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct http_req r = { .query = rows[i].query, .arena = arena };
		const char *got = http_query(&r, rows[i].name);
		if (!text_eq(got, rows[i].want))
			fail_msg("%s: %s", rows[i].query, got ? got : "NULL");
	}
}

static void answers(void **state)
{
	(void)state;
	struct http_res r;
	memset(&r, 0xaa, sizeof r);
	http_res_init(&r);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.file_fd, -1);
	assert_int_equal(r.head_len, -1);
	assert_null(r.body);
	assert_null(http_res_get(&r, "Vary"));
	http_res_add(&r, "Vary", "Origin");
	http_res_add(&r, "Vary", "Accept");
	http_res_addf(&r, arena, "Upload-Offset", "%d", 7);
	assert_int_equal(r.nheader, 3);
	assert_string_equal(http_res_get(&r, "vary"), "Origin");
	assert_string_equal(http_res_get(&r, "UPLOAD-OFFSET"), "7");
	http_res_set(&r, "vary", "*");
	assert_int_equal(r.nheader, 2);
	assert_string_equal(http_res_get(&r, "Vary"), "*");
	http_res_set(&r, "X-Tab", "a\tb \xc3\xa4");
	assert_int_equal(r.nheader, 3);
	assert_false(r.failed);
}

static void a_header_without_memory_fails_the_answer(void **state)
{
	(void)state;
	struct http_res r;
	struct arena *small = arena_open(1);
	http_res_init(&r);
	http_res_addf(&r, small, "Location", "%s", "/files/_aaaaaaaaaaaaaaaaaaaaaaaaaa");
	assert_true(r.failed);
	assert_int_equal(r.nheader, 0);
	arena_close(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(methods),
		cmocka_unit_test(headers),
		cmocka_unit_test(routes),
		cmocka_unit_test(route_forgets_an_earlier_one),
		cmocka_unit_test(queries),
		cmocka_unit_test(answers),
		cmocka_unit_test(a_header_without_memory_fails_the_answer),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
