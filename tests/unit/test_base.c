/* test_base.c - the small things of the ground floor: errors, memory source, arena, digests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/source.h"
#include "base/text.h"

static void errors(void **state)
{
	static const struct {
		int no;
		enum err e;
	} border[] = {
		{0, ERR_OK}, {ENOSPC, ERR_NO_SPACE}, {EDQUOT, ERR_NO_SPACE}, {EFBIG, ERR_NO_SPACE}, {ENOENT, ERR_NOT_FOUND},
		{EMFILE, ERR_BUSY}, {ENFILE, ERR_BUSY}, {ENOMEM, ERR_NOMEM}, {EIO, ERR_INTERNAL}, {EACCES, ERR_INTERNAL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof border / sizeof *border; i++)
		assert_int_equal(err_from_errno(border[i].no), border[i].e);
	for (int e = 0; e < ERR__MAX; e++) {
		assert_true(err_status((enum err)e) >= 200 && err_status((enum err)e) < 600);
		assert_true(*err_code((enum err)e) && *err_sentence((enum err)e));
		for (int f = 0; f < e; f++)
			assert_string_not_equal(err_code((enum err)e), err_code((enum err)f));
	}
	assert_int_equal(err_status(ERR_OFFSET), 409);
	assert_string_equal(err_code(ERR_OFFSET), "offset_mismatch");
	assert_int_equal(err_status((enum err)ERR__MAX), 500);
	assert_int_equal(err_status((enum err)-1), 500);
}

static void source_whole(void **state)
{
	struct source_mem m;
	char b[16];

	(void)state;
	source_mem_init(&m, "hello", 5);
	assert_int_equal(m.s.length, 5);
	m.piece = 2;
	assert_int_equal(m.s.read(&m.s, b, sizeof b), 2);
	assert_int_equal(m.s.read(&m.s, b, 1), 1);
	assert_memory_equal(b, "l", 1);
	assert_int_equal(m.s.read(&m.s, b, sizeof b), 2);
	assert_false(m.s.complete);
	for (int i = 0; i < 2; i++)
		assert_int_equal(m.s.read(&m.s, b, sizeof b), 0);
	assert_true(m.s.complete);
	assert_int_equal(m.s.taken, 5);
}

static void source_cut(void **state)
{
	struct source_mem m;
	char b[16];

	(void)state;
	source_mem_init(&m, "hello", 5);
	m.cut = true;
	assert_int_equal(m.s.read(&m.s, b, sizeof b), 5);
	for (int i = 0; i < 2; i++)
		assert_int_equal(m.s.read(&m.s, b, sizeof b), -1);
	assert_false(m.s.complete);
	source_mem_init(&m, NULL, 0);
	assert_int_equal(m.s.read(&m.s, b, sizeof b), 0);
	assert_true(m.s.complete);
}

static void arena_bounds(void **state)
{
	struct arena *a = arena_open(100000);
	char *p, *q;

	(void)state;
	for (int round = 0; round < 3; round++) {
		p = arena_alloc(a, 3);
		q = arena_alloc(a, 20000);
		assert_non_null(p);
		assert_non_null(q);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_int_equal((uintptr_t)q % _Alignof(max_align_t), 0);
		for (int i = 0; i < 20000; i++)
			assert_int_equal(q[i], 0);
		memset(q, 1, 20000);
		assert_int_equal(arena_used(a), 20003);
		assert_null(arena_alloc(a, 100000 - 20003 + 1));
		assert_null(arena_alloc(a, SIZE_MAX));
		assert_null(arena_alloc(a, SIZE_MAX - 3));
		assert_non_null(arena_alloc(a, 100000 - 20003));
		assert_null(arena_alloc(a, 1));
		assert_null(arena_printf(a, "x"));
		assert_null(arena_strdup(a, ""));
		arena_reset(a);
		assert_int_equal(arena_used(a), 0);
	}
	arena_close(a);
	a = arena_open(SIZE_MAX);
	assert_null(arena_alloc(a, SIZE_MAX - 3));
	arena_close(a);
	arena_close(NULL);
}

static void arena_text(void **state)
{
	struct arena *a = arena_open(1 << 20);
	char big[20001];

	(void)state;
	memset(big, 'b', 20000);
	big[20000] = 0;
	assert_null(arena_strdup(a, NULL));
	assert_string_equal(arena_strdup(a, "abc"), "abc");
	assert_string_equal(arena_strndup(a, "abc", 2), "ab");
	assert_string_equal(arena_strndup(a, "abc", 0), "");
	assert_string_equal(arena_printf(a, "%d-%s", 7, "x"), "7-x");
	assert_string_equal(arena_printf(a, "%s", big), big);
	assert_int_equal(arena_used(a), 4 + 3 + 1 + 4 + 20001);
	arena_close(a);
}

static void digests(void **state)
{
	static const struct {
		const char *in, *hex;
	} known[] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	};
	unsigned char sum[DIGEST_SHA256_LEN], r[2][64] = {{0}};
	char hex[2 * sizeof sum + 1];

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		digest_sha256(known[i].in, strlen(known[i].in), sum);
		text_hex(sum, sizeof sum, hex);
		assert_string_equal(hex, known[i].hex);
	}
	assert_true(digest_equal("abcd", "abcx", 3));
	assert_false(digest_equal("abcd", "abcx", 4));
	digest_random(r[0], 64);
	digest_random(r[1], 64);
	assert_memory_not_equal(r[0], r[1], 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors), cmocka_unit_test(source_whole), cmocka_unit_test(source_cut),
		cmocka_unit_test(arena_bounds), cmocka_unit_test(arena_text), cmocka_unit_test(digests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
