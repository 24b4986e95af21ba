/* test_text.c - text, buffer, numbers and Base64: tables of edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/b64.h"
#include "base/num.h"
#include "base/text.h"

#define N(a) (sizeof(a) / sizeof *(a))

static void buffer(void **state)
{
	struct buf b;
	char big[1000];

	(void)state;
	memset(big, 'x', sizeof big);
	buf_init(&b, 1000);
	assert_null(b.p);
	buf_add(&b, "", 0);
	assert_string_equal(b.p, "");
	buf_puts(&b, "abc");
	buf_printf(&b, "%d", 12);
	assert_string_equal(b.p, "abc12");
	buf_add(&b, big, 995);
	assert_false(b.failed);
	assert_int_equal(b.n, 1000);
	assert_int_equal(b.p[1000], 0);
	buf_puts(&b, "y");
	assert_true(b.failed);
	buf_add(&b, "", 0);
	assert_int_equal(b.n, 1000);
	buf_clear(&b);
	assert_false(b.failed);
	assert_string_equal(b.p, "");
	buf_printf(&b, "%1001d", 1);
	assert_true(b.failed);
	assert_string_equal(b.p, "");
	buf_free(&b);
	assert_null(b.p);
	buf_init(&b, SIZE_MAX);
	buf_add(&b, big, sizeof big);
	assert_int_equal(b.n, 1000);
	buf_free(&b);
}

static void equality(void **state)
{
	(void)state;
	assert_true(text_eq(NULL, NULL));
	assert_false(text_eq(NULL, ""));
	assert_false(text_eq("a", "A"));
	assert_true(text_eq_nocase("Upload-Offset", "uPLOAD-oFFSET"));
	assert_false(text_eq_nocase("abc", "ab"));
	assert_false(text_eq_nocase("[", "{"));
	assert_false(text_eq_nocase("\xc4", "\xe4"));
	assert_true(text_eq_nocase(NULL, NULL));
	assert_true(text_starts("abc", "ab"));
	assert_true(text_starts("abc", ""));
	assert_false(text_starts("a", "ab"));
	assert_false(text_starts(NULL, ""));
	assert_true(text_starts_nocase("Bearer x", "bearer "));
	assert_false(text_starts_nocase("Bear", "bearer"));
}

static void utf8(void **state)
{
	static const struct {
		const char *s;
		size_t n;
		bool good;
		const char *clean;
	} row[] = {
		{"", 0, true, ""},
		{"abc", 3, true, "abc"},
		{"a\0b", 3, false, NULL},
		{"\xc3\xa4", 2, true, "\xc3\xa4"},
		{"\xc3\xa4", 1, false, "\xef\xbf\xbd"},
		{"\x80", 1, false, "\xef\xbf\xbd"},
		{"\xc0\x80", 2, false, "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc1\xbf", 2, false, "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xc2\x80", 2, true, "\xc2\x80"},
		{"\xe0\x9f\xbf", 3, false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe0\xa0\x80", 3, true, "\xe0\xa0\x80"},
		{"\xed\x9f\xbf", 3, true, "\xed\x9f\xbf"},
		{"\xed\xa0\x80", 3, false, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xee\x80\x80", 3, true, "\xee\x80\x80"},
		{"\xe2\x82", 2, false, "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe2\x82z", 3, false, "\xef\xbf\xbd\xef\xbf\xbdz"},
		{"\xf0\x8f\xbf\xbf", 4, false, NULL},
		{"\xf0\x90\x80\x80", 4, true, "\xf0\x90\x80\x80"},
		{"\xf4\x8f\xbf\xbf", 4, true, "\xf4\x8f\xbf\xbf"},
		{"\xf4\x90\x80\x80", 4, false, NULL},
		{"\xf5\x80\x80\x80", 4, false, NULL},
		{"\xf0\x9f\x8e", 3, false, NULL},
		{"\xff", 1, false, "\xef\xbf\xbd"},
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct buf b;

		assert_int_equal(text_is_utf8(row[i].s, row[i].n), row[i].good);
		buf_init(&b, 100);
		text_utf8_clean(&b, row[i].s, row[i].n);
		if (row[i].clean)
			assert_string_equal(b.p ? b.p : "", row[i].clean);
		buf_free(&b);
	}
}

static void trim(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {{" \ta b\t ", "a b"}, {"", ""}, {"  ", ""}, {"a", "a"}, {"\na", "\na"}};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		size_t n = strlen(row[i].in);
		const char *s = text_trim(row[i].in, &n);

		assert_int_equal(n, strlen(row[i].out));
		assert_memory_equal(s, row[i].out, n);
	}
}

static void percent(void **state)
{
	static const struct {
		const char *in;
		bool plus;
		const char *out;   /* NULL: refused */
	} row[] = {
		{"a%20b", false, "a b"}, {"a+b", false, "a+b"}, {"a+b", true, "a b"}, {"%C3%a4", false, "\xc3\xa4"},
		{"%", false, NULL}, {"%4", false, NULL}, {"%4g", false, NULL}, {"%00", false, NULL}, {"a%2", false, NULL},
		{"%2B+", true, "+ "}, {"", false, ""}, {"%%20", false, NULL}, {"%-1", false, NULL},
	};
	struct buf b;
	char out[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		assert_int_equal(text_percent_decode(row[i].in, strlen(row[i].in), row[i].plus, out, &n), row[i].out != NULL);
		if (row[i].out) {
			assert_string_equal(out, row[i].out);
			assert_int_equal(n, strlen(row[i].out));
		}
	}
	buf_init(&b, 100);
	text_percent_encode(&b, "a/\xc3\xa4 ~%?\0", 9, true);
	assert_string_equal(b.p, "a/%C3%A4%20~%25%3F%00");
	buf_clear(&b);
	text_percent_encode(&b, "a/b", 3, false);
	assert_string_equal(b.p, "a%2Fb");
	buf_free(&b);
}

static void numbers(void **state)
{
	static const struct {
		bool (*f)(const char *, int64_t *);
		const char *in;
		bool good;
		int64_t v;
	} row[] = {
		{num_u63, "0", true, 0}, {num_u63, "007", true, 7}, {num_u63, "9223372036854775807", true, INT64_MAX},
		{num_u63, "9223372036854775808", false, 0}, {num_u63, "9999999999999999999", false, 0},
		{num_u63, "0000000000000000001", true, 1}, {num_u63, "00000000000000000001", false, 0},
		{num_u63, "18446744073709551617", false, 0}, {num_u63, "", false, 0}, {num_u63, NULL, false, 0},
		{num_u63, "+1", false, 0}, {num_u63, "-0", false, 0}, {num_u63, " 1", false, 0}, {num_u63, "1 ", false, 0},
		{num_u63, "1.0", false, 0}, {num_u63, "0x1", false, 0}, {num_u63, "1e3", false, 0},
		{num_i64, "-1", true, -1}, {num_i64, "-0", true, 0}, {num_i64, "-9223372036854775808", true, INT64_MIN},
		{num_i64, "-9223372036854775809", false, 0}, {num_i64, "12", true, 12}, {num_i64, "-", false, 0},
		{num_i64, "--1", false, 0}, {num_i64, "+1", false, 0}, {num_i64, NULL, false, 0},
		{num_size, "10", true, 10}, {num_size, "1k", true, 1024}, {num_size, "1KB", true, 1024}, {num_size, "2MiB", true, 2 << 20},
		{num_size, "1G", true, 1 << 30}, {num_size, "8388607T", true, INT64_C(8388607) << 40}, {num_size, "8388608T", false, 0},
		{num_size, "1P", false, 0}, {num_size, "K", false, 0}, {num_size, "1 K", false, 0}, {num_size, "1KBs", false, 0},
		{num_size, "1.5G", false, 0}, {num_size, "1b", false, 0}, {num_size, "-1", false, 0}, {num_size, "1\x0b", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		int64_t v = 0;

		assert_int_equal(row[i].f(row[i].in, &v), row[i].good);
		assert_int_equal(v, row[i].v);
	}
}

static void booleans(void **state)
{
	static const char *const yes[] = {"true", "TRUE", "1", "Yes", "on"}, *const no[] = {"false", "0", "no", "OFF"},
		*const bad[] = {"", "2", "t", "truee", " true", "y"};
	bool v;

	(void)state;
	for (size_t i = 0; i < N(yes); i++)
		assert_true(num_bool(yes[i], &v) && v);
	for (size_t i = 0; i < N(no); i++)
		assert_true(num_bool(no[i], &v) && !v);
	for (size_t i = 0; i < N(bad); i++)
		assert_false(num_bool(bad[i], &v));
	assert_false(num_bool(NULL, &v));
}

static void base64(void **state)
{
	static const struct {
		const char *text, *std, *url;
	} pair[] = {
		{"", "", ""}, {"f", "Zg==", "Zg"}, {"fo", "Zm8=", "Zm8"}, {"foo", "Zm9v", "Zm9v"}, {"foob", "Zm9vYg==", "Zm9vYg"},
		{"fooba", "Zm9vYmE=", "Zm9vYmE"}, {"foobar", "Zm9vYmFy", "Zm9vYmFy"}, {"\xfb\xff\xfe", "+//+", "-__-"},
	};
	static const char *const bad[] = {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Z=g=", "Zg= ", " Zg=", "Zm9\n", "Zm9-", "=", "Zm9v="};
	char out[32];
	size_t n;

	(void)state;
	for (size_t i = 0; i < N(pair); i++) {
		size_t len = strlen(pair[i].text);

		b64_encode(pair[i].text, len, out);
		assert_string_equal(out, pair[i].std);
		assert_true(strlen(out) < B64_ENCODED(len));
		b64url_encode(pair[i].text, len, out);
		assert_string_equal(out, pair[i].url);
		assert_true(b64_decode(pair[i].std, strlen(pair[i].std), out, &n));
		assert_int_equal(n, len);
		assert_memory_equal(out, pair[i].text, len);
	}
	for (size_t i = 0; i < N(bad); i++)
		assert_false(b64_decode(bad[i], strlen(bad[i]), out, &n));
	/* Not canonical: the unused bits are not zero. Clients send that; it is read. */
	assert_true(b64_decode("Zh==", 4, out, &n) && n == 1 && out[0] == 'f');
	assert_false(b64_decode("Zm9v\0Zm9", 8, out, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buffer), cmocka_unit_test(equality), cmocka_unit_test(utf8), cmocka_unit_test(trim),
		cmocka_unit_test(percent), cmocka_unit_test(numbers), cmocka_unit_test(booleans), cmocka_unit_test(base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
