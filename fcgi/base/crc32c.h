/*
 * crc32c.h - CRC-32C (Castagnoli; RFC 3720 appendix B.4), which zlib does not have.
 */
#ifndef BASE_CRC32C_H
#define BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The CRC of what gave crc (0 at first), followed by n bytes at p. By the processor's own instruction where it has one, else by tables. */
uint32_t crc32c(uint32_t crc, const void *p, size_t n);
/* The two ways, for tests. crc32c_instruction must not be called unless crc32c_has_instruction says so. */
uint32_t crc32c_tables(uint32_t crc, const void *p, size_t n);
uint32_t crc32c_instruction(uint32_t crc, const void *p, size_t n);
bool crc32c_has_instruction(void);

#endif
