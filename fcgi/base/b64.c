/* b64.c - Base64 in both alphabets. */
#include "base/b64.h"

#include <stdint.h>

static const char standard[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool b64_decode(const char *s, size_t n, void *out, size_t *outn)
{
	unsigned char *o = out;
	size_t pad = 0, len = 0;
	uint32_t bits = 0;

	if (n % 4)
		return false;
	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	for (size_t i = 0; i < n - pad; i++) {
		int v = value(s[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		/* Of every four characters the second, third and fourth complete a byte. */
		if (i % 4)
			o[len++] = (unsigned char)(bits >> (6 - i % 4 * 2));
	}
	*outn = len;
	return true;
}

/* Returns the end of what it wrote; without padding if pad is 0. */
static char *encode(const unsigned char *p, size_t n, const char *abc, char pad, char *out)
{
	for (; n >= 3; p += 3, n -= 3) {
		*out++ = abc[p[0] >> 2];
		*out++ = abc[(p[0] & 3) << 4 | p[1] >> 4];
		*out++ = abc[(p[1] & 15) << 2 | p[2] >> 6];
		*out++ = abc[p[2] & 63];
	}
	if (n) {
		*out++ = abc[p[0] >> 2];
		*out++ = abc[(p[0] & 3) << 4 | (n == 2 ? p[1] >> 4 : 0)];
		if (n == 2)
			*out++ = abc[(p[1] & 15) << 2];
		for (; pad && n < 3; n++)
			*out++ = pad;
	}
	return out;
}

void b64_encode(const void *p, size_t n, char *out)
{
	*encode(p, n, standard, '=', out) = 0;
}

void b64url_encode(const void *p, size_t n, char *out)
{
	*encode(p, n, url, 0, out) = 0;
}
