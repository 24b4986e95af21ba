/*
 * test_name.c - ids, disk names, media types and metadata, most of all the hostile ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "model/name.h"

#define COUNT(rows) (sizeof rows / sizeof *rows)
#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID22 "AZaz09-_AZaz09-_AZaz09"

static struct arena *arena;

static int setup(void **state)
{
	(void)state;
	arena = arena_open(4 << 20);
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

/* --- ids --- */

static void session_ids(void **state)
{
	static const char *const good[] = {
		"a", "0", "sess_1700000000000_abc", "manual_1700000000000", "A.b-c_d", "a.", "a-", "a_", "1.2.3", A64 A64, "123e4567-e89b-12d3-a456-426614174000",
	};
	static const char *const hostile[] = {
		NULL, "", ".", "..", "...", ".a", "-a", "_a", "a..b", "a..", "..a", "../a", "a/../b", "a/b", "/a", "/", "a/", "//", "\\", "a\\b", "..\\a", "%2e", "%2e%2e",
		"%2E%2E%2Fa", "a%00", "a%2fb", "%", "a b", " a", "a ", "a\tb", "a\n", "a\r\nb", "\na", "a\x01", "a\x7f", "a\x80", "\xff", "a\xc3\xa4", "\xc3\xa4",
		"a\xe2\x80\xae" "b", "\xef\xbb\xbf" "a", "a\xc0\xae", "\xc0\xaf", "a\xed\xa0\x80", "a:b", "C:a", "a;b", "a'b", "a\"b", "a`b", "a$b", "$(id)", "a|b", "a&b", "a<b",
		"a>b", "a*b", "a?b", "a#b", "a=b", "a+b", "a,b", "a@b", "a~b", "a!b", "a(b", "a[b", "a{b", "a^b", "~root", "-rf", "a.b..c", A64 A64 "a", A64 A64 A64,
	};
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (!name_session_id(good[i], false))
			fail_msg("refused %s", good[i]);
	assert_true(COUNT(hostile) >= 60);
	for (size_t i = 0; i < COUNT(hostile); i++)
		if (name_session_id(hostile[i], false) || name_session_id(hostile[i], true))
			fail_msg("took %s", show(hostile[i]));
}

static void session_ids_uuid(void **state)
{
	static const struct { const char *s; bool ok; } rows[] = {
		{ "123e4567-e89b-12d3-a456-426614174000", true }, { "123E4567-E89B-12D3-A456-42661417400F", true }, { "00000000-0000-0000-0000-000000000000", true },
		{ "123e4567-e89b-12d3-a456-42661417400", false }, { "123e4567-e89b-12d3-a456-4266141740000", false }, { "123e4567e89b12d3a456426614174000", false },
		{ "g23e4567-e89b-12d3-a456-426614174000", false }, { "123e4567-e89b-12d3-a456_426614174000", false }, { "123e456-7e89b-12d3-a456-426614174000", false },
		{ "{123e4567-e89b-12d3-a456-426614174000}", false }, { "sess_1", false }, { "a", false }, { "1", false }, { "123e4567-", false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (name_session_id(rows[i].s, true) != rows[i].ok)
			fail_msg("%s", rows[i].s);
}

static void upload_ids(void **state)
{
	static const struct { const char *s; bool ok; } rows[] = {
		{ "_" ID22, true }, { "______________________-", true }, { ID22, false }, { "A" ID22, false }, { "_" ID22 "A", false }, { "_AZaz09-_AZaz09-_AZaz0", false },
		{ "_AZaz09-_AZaz09-_AZaz0/", false }, { "_../../../../../../../etc", false }, { "_AZaz09-_AZaz09-_AZaz0%", false }, { "_AZaz09-_AZaz09-_AZaz0.", false },
		{ "_AZaz09-_AZaz09-_AZaz0\xff", false }, { "_AZaz09-_AZaz09+_AZaz09", false }, { "_AZaz09-_AZaz09=_AZaz09", false }, { "_", false }, { "", false }, { NULL, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (name_upload_id(rows[i].s) != rows[i].ok)
			fail_msg("%s", show(rows[i].s));
	unsigned char random[16];
	char id[24];
	for (int c = 0; c < 256; c++) {
		memset(random, c, sizeof random);
		name_upload_id_make(random, id);
		assert_true(name_upload_id(id));
		assert_false(name_session_id(id, false));
	}
	name_upload_id_make((const unsigned char *)"\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f", id);
	assert_string_equal(id, "_AAECAwQFBgcICQoLDA0ODw");
}

/* --- disk names --- */

static const struct { const char *display, *want; } disk_names[] = {
	{ "a.webm", "a.webm" }, { "My rec (1).webm", "My rec (1).webm" }, { "Sequence 20:11:19.webm", "Sequence 20:11:19.webm" }, { "\xc3\x84\xe2\x82\xac\xf0\x9f\x8e\xa4.wav", "\xc3\x84\xe2\x82\xac\xf0\x9f\x8e\xa4.wav" },
	{ "%2e%2e%2fa", "%2e%2e%2fa" }, { "a~b$c'd\"e;f|g*h?", "a~b$c'd\"e;f|g*h?" }, { "-rf", "-rf" }, { "CON.wav", "CON.wav" },
	{ NULL, "unnamed" }, { "", "unnamed" }, { ".", "unnamed" }, { "..", "unnamed" }, { "...", "unnamed" }, { " ", "unnamed" }, { " . . ", "unnamed" },
	{ ".htaccess", "htaccess" }, { "..a", "a" }, { " .a", "a" }, { ". a", "a" }, { ".meta.json", "meta.json" }, { " a ", "a" }, { "a. ", "a." }, { "a.", "a." },
	{ "/", "_" }, { "\\", "_" }, { "//", "__" }, { "a/b", "a_b" }, { "a\\b", "a_b" }, { "/etc/passwd", "_etc_passwd" }, { "../../etc/passwd", "_.._etc_passwd" },
	{ "..\\..\\boot.ini", "_.._boot.ini" }, { "C:\\dir\\x.wav", "C:_dir_x.wav" }, { "./a", "_a" }, { "/..", "_.." }, { "a/.", "a_." },
	{ "a\nb", "a_b" }, { "a\r\nX: y", "a__X: y" }, { "a\tb", "a_b" }, { "\x01", "_" }, { "a\x1f\x7f", "a__" }, { "a\x1b[31m", "a_[31m" }, { "\n.a", "_.a" },
	{ "a\xc2\x80\xc2\x9f", "a__" }, { "a\xc2\xa0", "a\xc2\xa0" }, { "\xe2\x80\xae" "gpj.exe", "_gpj.exe" }, { "a\xe2\x80\xaa\xe2\x80\xab\xe2\x80\xac\xe2\x80\xad\xe2\x80\xae", "a_____" },
	{ "a\xe2\x81\xa6\xe2\x81\xa7\xe2\x81\xa8\xe2\x81\xa9", "a____" }, { "a\xe2\x80\xa8\xe2\x80\xa9" "b", "a__b" }, { "a\xe2\x80\xa7\xe2\x80\xaf", "a\xe2\x80\xa7\xe2\x80\xaf" },
	{ "a\xe2\x81\xa5\xe2\x81\xaa", "a\xe2\x81\xa5\xe2\x81\xaa" }, { "\xff", "_" }, { "a\xffz", "a_z" }, { "a\xc3", "a_" }, { "a\xc3/", "a__" }, { "\xe2\x82", "__" },
	{ "\xc0\xae\xc0\xae\xc0\xaf", "______" }, { "\xc0\xaf", "__" }, { "\xe0\x80\xaf", "___" }, { "\xed\xa0\x80", "___" }, { "\xf4\x90\x80\x80", "____" }, { "\xf8\x88\x80\x80\x80", "_____" },
	{ "\xf0\x9f\x8e", "___" }, { "a\x80" "b", "a_b" },
	{ "x.webm.meta.json", "x.webm.meta.json_" }, { "x.META.Json", "x.META.Json_" }, { "x.meta.json_", "x.meta.json_" }, { "x.meta.json ", "x.meta.json_" },
	{ "x.meta.jso", "x.meta.jso" }, { "meta.json", "meta.json" }, { "x/meta.json", "x_meta.json" },
};

static void disk_names_table(void **state)
{
	(void)state;
	assert_true(COUNT(disk_names) >= 60);
	for (size_t i = 0; i < COUNT(disk_names); i++) {
		const char *got = name_disk(arena, disk_names[i].display);
		if (strcmp(got, disk_names[i].want) != 0)
			fail_msg("%s: %s", show(disk_names[i].display), got);
	}
}

static char *repeat(const char *unit, size_t times, const char *tail)
{
	size_t n = strlen(unit);
	char *out = arena_alloc(arena, n * times + strlen(tail) + 1);
	for (size_t i = 0; i < times; i++)
		memcpy(out + i * n, unit, n);
	strcpy(out + n * times, tail);
	return out;
}

static void disk_names_overlong(void **state)
{
	/* unit repeated, then tail: how many units are left of it, and the tail */
	static const struct { const char *unit; size_t times; const char *tail; size_t left; const char *end; } rows[] = {
		{ "a", 200, "", 200, "" }, { "a", 201, "", 200, "" }, { "a", 5000, ".webm", 195, ".webm" }, { "a", 195, ".webm", 195, ".webm" }, { "a", 196, ".webm", 195, ".webm" },
		{ "\xc3\xa4", 5000, ".webm", 97, ".webm" }, { "\xe2\x82\xac", 5000, "", 66, "" }, { "\xe2\x82\xac", 80, ".wav", 65, ".wav" }, { "\xf0\x9f\x8e\xa4", 60, ".mp3", 49, ".mp3" },
		{ "a", 300, ".thisextensioniswaytoolong", 200, "" }, { "a", 300, ".", 200, "" }, { "a", 300, ".x y", 200, "" },
		{ "a", 186, ".meta.json", 186, ".meta.json_" }, { "a", 190, ".meta.json", 190, ".meta.jso_" }, { "a", 189, ".meta.json", 189, ".meta.json_" },
		{ "a", 300, ".0123456789abcdef", 183, ".0123456789abcdef" }, { "a", 300, ".0123456789abcdefg", 200, "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *want = repeat(rows[i].unit, rows[i].left, rows[i].end);
		const char *got = name_disk(arena, repeat(rows[i].unit, rows[i].times, rows[i].tail));
		if (strcmp(got, want) != 0)
			fail_msg("row %zu: %zu bytes, %s", i, strlen(got), got);
	}
	/* A cut that makes the ending of a note must not make a note. */
	const char *cut = name_disk(arena, repeat("a", 190, ".metaXXXXX.json"));
	assert_string_equal(cut, repeat("a", 190, ".meta.jso_"));
}

/* What every disk name promises, of random bytes. */
static void check_disk_name(const char *got)
{
	size_t n = strlen(got);
	assert_in_range(n, 1, DISK_NAME_MAX);
	assert_true(text_is_utf8(got, n));
	assert_true(got[0] != '.' && got[0] != ' ' && got[n - 1] != ' ');
	assert_null(strpbrk(got, "/\\\n\r\x7f"));
	assert_false(n >= 10 && text_eq_nocase(got + n - 10, ".meta.json"));
	assert_string_equal(name_disk(arena, got), got);
}

static void disk_names_of_anything(void **state)
{
	static const char *const bits[] = { ".", "..", "/", "\\", " ", "a", ".meta.json", ".webm", "\xe2\x80\xae", "\xc3\xa4", "\xc3", "\xff", "\x01", "_", "aaaaaaaaaaaaaaaaaaaaaaaa", "\xf0\x9f\x8e\xa4" };
	uint64_t seed = 42;
	(void)state;
	for (int round = 0; round < 20000; round++) {
		char name[1024] = "";
		size_t n = 0;
		for (int k = (int)(seed >> 40) % 20; k >= 0; k--) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			const char *bit = bits[(seed >> 33) % COUNT(bits)];
			memcpy(name + n, bit, strlen(bit));
			n += strlen(bit);
		}
		check_disk_name(name_disk(arena, name));
		arena_reset(arena);
	}
}

static void numbered(void **state)
{
	static const struct { const char *disk; int number; const char *want; } rows[] = {
		{ "a.webm", 2, "a (2).webm" }, { "a", 2, "a (2)" }, { "a.b.webm", 10, "a.b (10).webm" }, { "a.", 3, "a. (3)" }, { "No. 5 in C", 2, "No. 5 in C (2)" },
		{ "x.meta.json_", 2, "x.meta (2).json_" }, { "a (2).webm", 3, "a (2) (3).webm" }, { "\xc3\xa4.wav", 2147483647, "\xc3\xa4 (2147483647).wav" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(name_numbered(arena, rows[i].disk, rows[i].number), rows[i].want);
	for (size_t i = 0; i < COUNT(disk_names); i++)
		check_disk_name(name_numbered(arena, disk_names[i].want, 1000000));
	assert_string_equal(name_numbered(arena, repeat("a", 195, ".webm"), 12), repeat("a", 190, " (12).webm"));
	assert_string_equal(name_numbered(arena, repeat("\xe2\x82\xac", 66, ""), 2), repeat("\xe2\x82\xac", 65, " (2)"));
}

static void tagged(void **state)
{
	(void)state;
	assert_string_equal(name_tagged(arena, "a", " chunks 1-2"), "a chunks 1-2");
	assert_string_equal(name_tagged(arena, repeat("\xe2\x82\xac", 66, ""), " chunks 1-2"), repeat("\xe2\x82\xac", 57, " chunks 1-2"));
	assert_string_equal(name_disk(arena, name_recording(arena, name_tagged(arena, repeat("a", 250, ""), " 1"), "a234567890123456")), repeat("a", 181, " 1.a234567890123456"));
	assert_string_equal(name_tagged(arena, "a", repeat("b", 250, "")), repeat("b", 250, ""));
}

static void recordings(void **state)
{
	static const struct { const char *name, *ext, *want; } rows[] = {
		{ "Take 1", "webm", "Take 1.webm" }, { "Take 1", ".webm", "Take 1.webm" }, { "a.webm", NULL, "a.webm" }, { "a.webm", "", "a.webm" }, { "a", ".", "a" },
		{ "My.take.v2", "wav", "My.take.v2.wav" }, { NULL, "webm", ".webm" }, { NULL, NULL, "" }, { "a", "../x", "a./x" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(name_recording(arena, rows[i].name, rows[i].ext), rows[i].want);
}

static void media_types(void **state)
{
	static const struct { const char *disk, *want; } rows[] = {
		{ "a.webm", "audio/webm" }, { "a.WAV", "audio/wav" }, { "a.mp3", "audio/mpeg" }, { "a.ogg", "audio/ogg" }, { "a.oga", "audio/ogg" }, { "a.opus", "audio/ogg" },
		{ "a.m4a", "audio/mp4" }, { "a.mp4", "video/mp4" }, { "a.flac", "audio/flac" }, { "a.aac", "audio/aac" }, { "a.png", "image/png" }, { "a.jpg", "image/jpeg" },
		{ "a.JPEG", "image/jpeg" }, { "a.gif", "image/gif" }, { "a.webp", "image/webp" }, { "a.pdf", "application/pdf" }, { "a.txt", "text/plain; charset=utf-8" },
		{ "a.zip", "application/zip" }, { "a.json", "application/json" }, { "a.html.webm", "audio/webm" },
	};
	static const char *const octets[] = {
		"a.html", "a.HTM", "a.xhtml", "a.svg", "a.xml", "a.js", "a.mjs", "a.css", "a.swf", "a.php", "a.webm.html", "a.webm ", "a.webm_", "a", "webm", "", "a.", ".", NULL, "a.webm/x",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_string_equal(name_media_type(rows[i].disk), rows[i].want);
	for (size_t i = 0; i < COUNT(octets); i++)
		assert_string_equal(name_media_type(octets[i]), "application/octet-stream");
}

/* --- Upload-Metadata --- */

static const char *meta_show(const struct meta *m)
{
	static char out[4096];
	size_t n = 0;
	out[0] = '\0';
	for (int i = 0; i < m->n; i++)
		n += (size_t)snprintf(out + n, sizeof out - n, "%s=%s|", m->pair[i].key, m->pair[i].value);
	return out;
}

static void metadata(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		/* checks 69, 72, 74, 75 */
		{ NULL, "" }, { "", "" }, { " ", "" }, { "a YQ==", "a=a|" }, { "a", "a=|" }, { "a ", "a=|" }, { "a ,b Yg==", "a=|b=b|" }, { "a,b", "a=|b=|" },
		{ "a YQ==,b Yg==", "a=a|b=b|" }, { "a YQ==, b Yg==", "a=a|b=b|" }, { "a YQ==,\t b Yg==", "a=a|b=b|" }, { " a YQ==", "a=a|" }, { "file-name_1.x YQ==", "file-name_1.x=a|" },
		{ "filename 4oKsIHgud2VibQ==,type", "filename=\xe2\x82\xac x.webm|type=|" }, { "a+/=? YQ==", "a+/=?=a|" }, { "a DQo=", "a=\r\n|" }, { "A YQ==,a Yg==", "A=a|a=b|" },
		/* check 70 */
		{ ",", NULL }, { ",a YQ==", NULL }, { "a YQ==,,b Yg==", NULL }, { "\xc3\xa4 YQ==", NULL }, { "a\x80 YQ==", NULL }, { "a\x01 YQ==", NULL }, { "a\x7f YQ==", NULL }, { "a\tYQ==", NULL },
		/* check 71 */
		{ "a YQ", NULL }, { "a YQ=", NULL }, { "a Y", NULL }, { "a Y-_=", NULL }, { "a YQ==x", NULL }, { "a Y Q=", NULL }, { "a  YQ==", NULL }, { "a YQ== ", NULL }, { "a ====", NULL }, { "a =", NULL },
		{ "a \xff", NULL }, { "a YQ== b Yg==", NULL },
		/* checks 73, 74 */
		{ "a YQ==,a YQ==", NULL }, { "a,a", NULL }, { "a,b,a", NULL }, { "a YQ==,", NULL }, { "a YQ==, ", NULL }, { "a,", NULL }, { "a ,", NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct meta m;
		const char *why = "unset";
		enum err e = meta_parse(arena, rows[i].text, &m, &why);
		if (e != (rows[i].want ? ERR_OK : ERR_INVALID) || (why == NULL) != (e == ERR_OK) || (!e && strcmp(meta_show(&m), rows[i].want) != 0))
			fail_msg("%s: %s %s", show(rows[i].text), err_code(e), e ? show(why) : meta_show(&m));
	}
}

static void metadata_of_any_bytes(void **state)
{
	(void)state;
	struct meta m;
	const char *why;
	assert_int_equal(meta_parse(arena, "nul YQBi,text YWI=,none", &m, &why), ERR_OK);
	assert_int_equal(m.n, 3);
	assert_int_equal(m.pair[0].len, 3);
	assert_memory_equal(m.pair[0].value, "a\0b", 4);
	assert_null(meta_get(&m, "nul"));
	assert_string_equal(meta_get(&m, "text"), "ab");
	assert_string_equal(meta_get(&m, "none"), "");
	assert_null(meta_get(&m, "Text"));
	assert_null(meta_get(&m, "tex"));
	assert_null(meta_get(&m, ""));
	assert_int_equal(meta_parse(arena, NULL, &m, &why), ERR_OK);
	assert_null(meta_get(&m, "text"));
}

static void metadata_has_a_bound(void **state)
{
	(void)state;
	for (int n = META_PAIRS_MAX; n <= META_PAIRS_MAX + 1; n++) {
		struct buf b;
		struct meta m;
		const char *why;
		buf_init(&b, 1 << 20);
		for (int i = 0; i < n; i++)
			buf_printf(&b, "%sk%d YQ==", i ? "," : "", i);
		assert_int_equal(meta_parse(arena, b.p, &m, &why), n <= META_PAIRS_MAX ? ERR_OK : ERR_INVALID);
		buf_free(&b);
	}
	struct arena *small = arena_open(16);
	struct meta m;
	const char *why;
	assert_int_equal(meta_parse(small, "a YQ==", &m, &why), ERR_NOMEM);
	arena_close(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(session_ids),
		cmocka_unit_test(session_ids_uuid),
		cmocka_unit_test(upload_ids),
		cmocka_unit_test(disk_names_table),
		cmocka_unit_test(disk_names_overlong),
		cmocka_unit_test(disk_names_of_anything),
		cmocka_unit_test(numbered),
		cmocka_unit_test(tagged), cmocka_unit_test(recordings),
		cmocka_unit_test(media_types),
		cmocka_unit_test(metadata),
		cmocka_unit_test(metadata_of_any_bytes),
		cmocka_unit_test(metadata_has_a_bound),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
