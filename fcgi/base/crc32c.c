/* crc32c.c - CRC-32C by SSE 4.2 or by eight tables, eight bytes a step in both. */
#include "base/crc32c.h"

#include <pthread.h>
#include <string.h>

#define POLYNOMIAL 0x82f63b78u      /* reflected */

/* table[k][b]: the CRC of byte b with k zero bytes behind it. */
static uint32_t table[8][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void tables_make(void)
{
	for (uint32_t b = 0; b < 256; b++) {
		uint32_t c = b;
		for (int bit = 0; bit < 8; bit++)
			c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
		table[0][b] = c;
	}
	for (int k = 1; k < 8; k++)
		for (int b = 0; b < 256; b++)
			table[k][b] = table[0][table[k - 1][b] & 255] ^ table[k - 1][b] >> 8;
}

static uint32_t eight_bytes(uint32_t c, const unsigned char *u)
{
	c ^= (uint32_t)u[0] | (uint32_t)u[1] << 8 | (uint32_t)u[2] << 16 | (uint32_t)u[3] << 24;
	return table[7][c & 255] ^ table[6][c >> 8 & 255] ^ table[5][c >> 16 & 255] ^ table[4][c >> 24]
		^ table[3][u[4]] ^ table[2][u[5]] ^ table[1][u[6]] ^ table[0][u[7]];
}

uint32_t crc32c_tables(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *u = p;
	uint32_t c = ~crc;
	pthread_once(&tables_once, tables_make);
	for (; n >= 8; u += 8, n -= 8)
		c = eight_bytes(c, u);
	for (; n; u++, n--)
		c = table[0][(c ^ *u) & 255] ^ c >> 8;
	return ~c;
}

#if defined(__x86_64__)

bool crc32c_has_instruction(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t crc32c_instruction(uint32_t crc, const void *p, size_t n)
{
	const unsigned char *u = p;
	uint64_t c = (uint32_t)~crc, word;
	for (; n >= sizeof word; u += sizeof word, n -= sizeof word) {
		memcpy(&word, u, sizeof word);
		c = __builtin_ia32_crc32di(c, word);
	}
	for (; n; u++, n--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *u);
	return ~(uint32_t)c;
}

#else

bool crc32c_has_instruction(void)
{
	return false;
}

uint32_t crc32c_instruction(uint32_t crc, const void *p, size_t n)
{
	return crc32c_tables(crc, p, n);
}

#endif

uint32_t crc32c(uint32_t crc, const void *p, size_t n)
{
	return crc32c_has_instruction() ? crc32c_instruction(crc, p, n) : crc32c_tables(crc, p, n);
}
