/*
 * test_digest.c - digests against the vectors of their definitions, in one piece and in many; both ways of CRC-32C against each other.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/digest.h"
#include "base/text.h"

static const char *hex_of(const char *alg, const void *p, size_t n, size_t piece)
{
	static char hex[2 * DIGEST_LEN_MAX + 1];
	unsigned char value[DIGEST_LEN_MAX];
	struct digest d;
	const struct digest_alg *a = digest_by_tus(alg, strlen(alg));
	assert_non_null(a);
	assert_int_equal(digest_begin(&d, a), ERR_OK);
	for (size_t at = 0; at < n; at += piece)
		digest_add(&d, (const char *)p + at, n - at < piece ? n - at : piece);
	digest_end(&d, value);
	text_hex(value, a->len, hex);
	return hex;
}

static void vectors(void **state)
{
	(void)state;
	static const struct { const char *alg, *text, *hex; } rows[] = {
		/* FIPS 180-4's examples, RFC 1321 A.5, the check values of the CRCs; and nothing */
		{"sha1", "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
		{"sha256", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"sha512", "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
		{"md5", "message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"crc32", "123456789", "cbf43926"},
		{"crc32c", "123456789", "e3069283"},
		{"sha1", "", "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
		{"sha256", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"md5", "", "d41d8cd98f00b204e9800998ecf8427e"},
		{"crc32", "", "00000000"},
		{"crc32c", "", "00000000"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		for (size_t piece = 1; piece <= 10; piece += 3)
			assert_string_equal(hex_of(rows[i].alg, rows[i].text, strlen(rows[i].text), piece), rows[i].hex);
}

/* RFC 3720 B.4, whose values are written least significant byte first. */
static void crc32c_of_rfc_3720(void **state)
{
	(void)state;
	unsigned char zeros[32] = {0}, ones[32], up[32], down[32];
	for (int i = 0; i < 32; i++) {
		ones[i] = 0xff;
		up[i] = (unsigned char)i;
		down[i] = (unsigned char)(31 - i);
	}
	const struct { const unsigned char *p; uint32_t crc; } rows[] = {{zeros, 0x8a9136aa}, {ones, 0x62a8ab43}, {up, 0x46dd794e}, {down, 0x113fdb5c}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(crc32c(0, rows[i].p, 32), rows[i].crc);
		assert_int_equal(crc32c_tables(0, rows[i].p, 32), rows[i].crc);
	}
	static const unsigned char read_pdu[48] = {0x01, 0xc0, [16] = 0x14, [22] = 0x04, [27] = 0x14, [31] = 0x18, 0x28, [40] = 0x02};
	assert_int_equal(crc32c_tables(0, read_pdu, sizeof read_pdu), 0xd9963a56);
	assert_int_equal(crc32c(0, read_pdu, sizeof read_pdu), 0xd9963a56);
}

/* Every length and alignment around the eight bytes of a step, continued from another CRC. */
static void both_ways_agree(void **state)
{
	(void)state;
	unsigned char bytes[300];
	if (!crc32c_has_instruction())
		skip();
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 167 + (i >> 3));
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; n < 270; n++) {
			uint32_t whole = crc32c_instruction((uint32_t)(from * n), bytes + from, n);
			assert_int_equal(crc32c_tables((uint32_t)(from * n), bytes + from, n), whole);
			assert_int_equal(crc32c_tables(crc32c_instruction((uint32_t)(from * n), bytes + from, n / 3), bytes + from + n / 3, n - n / 3), whole);
		}
}

static void names(void **state)
{
	(void)state;
	assert_ptr_equal(digest_by_field("sha-256", 7), digest_by_tus("sha256", 6));
	assert_ptr_equal(digest_by_field("sha-512", 7), digest_by_tus("sha512", 6));
	assert_null(digest_by_field("sha256", 6));
	assert_null(digest_by_tus("sha-256", 7));
	assert_null(digest_by_tus("SHA1", 4));
	assert_null(digest_by_tus("sha", 3));
	assert_null(digest_by_tus("", 0));
	for (int i = 0; i < digest_algs_n; i++)
		assert_true(digest_algs[i].len <= DIGEST_LEN_MAX);
}

static void want(struct digest_wants *w, const char *alg, const char *text)
{
	struct digest d;
	struct digest_want *one = &w->v[w->n++];
	one->alg = digest_by_tus(alg, strlen(alg));
	assert_int_equal(digest_begin(&d, one->alg), ERR_OK);
	digest_add(&d, text, strlen(text));
	digest_end(&d, one->value);
}

/* All values must be those of the bytes, whichever differs. */
static void checks(void **state)
{
	(void)state;
	struct digest_wants none = {.n = 0}, good = {.n = 0}, first = {.n = 0}, last = {.n = 0};
	want(&good, "crc32", "abc");
	want(&good, "sha512", "abc");
	want(&first, "crc32", "abd");
	want(&first, "sha512", "abc");
	want(&last, "crc32", "abc");
	want(&last, "sha512", "abd");
	assert_int_equal(digest_check_bytes(&none, "abc", 3), ERR_OK);
	assert_int_equal(digest_check_bytes(&good, "abc", 3), ERR_OK);
	assert_int_equal(digest_check_bytes(&first, "abc", 3), ERR_CHECKSUM);
	assert_int_equal(digest_check_bytes(&last, "abc", 3), ERR_CHECKSUM);
	assert_int_equal(digest_check_bytes(&good, "ab", 2), ERR_CHECKSUM);
	struct digest_check k;
	assert_int_equal(digest_check_begin(&k, &good), ERR_OK);
	digest_check_add(&k, "a", 1);
	digest_check_add(&k, "", 0);
	digest_check_add(&k, "bc", 2);
	assert_int_equal(digest_check_end(&k), ERR_OK);
	assert_int_equal(digest_check_begin(&k, &good), ERR_OK);
	digest_check_drop(&k);
}

static void kept_as_text(void **state)
{
	(void)state;
	char text[DIGEST_WANTS_TEXT], again[DIGEST_WANTS_TEXT];
	struct digest_wants w = {.n = 0}, back;
	want(&w, "sha256", "abc");
	want(&w, "sha512", "abc");
	want(&w, "crc32", "abc");
	digest_wants_text(&w, text);
	assert_true(digest_wants_parse(text, &back));
	assert_int_equal(back.n, 3);
	digest_wants_text(&back, again);
	assert_string_equal(again, text);
	assert_int_equal(digest_check_bytes(&back, "abc", 3), ERR_OK);
	static const char *const bad[] = {"", "sha256", "sha256 ", "sha256 AAAA", "crc32 NSRBwg==,", ",crc32 NSRBwg==", "crc64 NSRBwg==", "crc32 NSRBwg=", "crc32  NSRBwg==",
		"crc32 NSRBwg==,crc32 NSRBwg==,crc32 NSRBwg==,crc32 NSRBwg=="};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(digest_wants_parse(bad[i], &back));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors), cmocka_unit_test(crc32c_of_rfc_3720), cmocka_unit_test(both_ways_agree), cmocka_unit_test(names), cmocka_unit_test(checks),
		cmocka_unit_test(kept_as_text),
	};
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
