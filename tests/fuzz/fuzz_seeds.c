/*
 * fuzz_seeds.c - drives a target without libFuzzer: each file of the folders given, and small changes of it.
 *
 *   NAME [-n CHANGES] DIR...    prints how many inputs it ran
 */
#include <dirent.h>

#include "fuzz.h"

#define INPUT_MAX (1 << 20)

static uint32_t state;
static long runs;

static uint32_t any(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return below ? state % below : 0;
}

/* Some bytes are changed, taken out, doubled, or the end is cut off. */
static size_t change(const uint8_t *p, size_t n, uint8_t *out)
{
	memcpy(out, p, n);
	for (uint32_t times = 1 + any(4); n > 0 && times > 0; times--) {
		size_t at = any((uint32_t)n), len = 1 + any(8);
		if (len > n - at)
			len = n - at;
		switch (any(5)) {
		case 0:
			out[at] = (uint8_t)any(256);
			break;
		case 1:
			out[at] ^= (uint8_t)(1u << any(8));
			break;
		case 2:
			memmove(out + at, out + at + len, n - at - len);
			n -= len;
			break;
		case 3:
			if (n + len <= INPUT_MAX) {
				memmove(out + at + len, out + at, n - at);
				n += len;
			}
			break;
		default:
			n = any(8) ? n : at;
		}
	}
	return n;
}

/* A buffer of its own size, so that a sanitizer sees each step beyond it. */
static void run(const uint8_t *p, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);
	MUST(exact);
	memcpy(exact, p, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	runs++;
}

static void run_file(const char *path, int changes)
{
	static uint8_t in[INPUT_MAX], out[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	MUST(f);
	size_t n = fread(in, 1, sizeof in, f);
	fclose(f);
	run(in, n);
	for (int i = 0; i < changes; i++) {
		state = 2463534242u + (uint32_t)i * 7919u + (uint32_t)n;
		size_t changed = change(in, n, out);
		run(out, changed);
	}
}

static void run_dir(const char *dir, int changes)
{
	struct dirent **list;
	char path[4096];
	int n = scandir(dir, &list, NULL, alphasort);
	MUST(n > 2);
	for (int i = 0; i < n; i++) {
		if (list[i]->d_name[0] != '.') {
			snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name);
			run_file(path, changes);
		}
		free(list[i]);
	}
	free(list);
}

int main(int argc, char **argv)
{
	int changes = 0, i = 1;
	if (argc > 2 && strcmp(argv[1], "-n") == 0) {
		changes = atoi(argv[2]);
		i = 3;
	}
	for (; i < argc; i++)
		run_dir(argv[i], changes);
	printf("%ld inputs\n", runs);
	return runs > 0 ? 0 : 1;
}
