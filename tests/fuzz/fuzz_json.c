/*
 * fuzz_json.c - JSON of clients and of operators: what is accepted means the same when it is written anew; settings are taken or refused.
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/config.h"
#include "base/json.h"
#include "fuzz.h"

static void settings(const uint8_t *p, size_t n)
{
	static FILE *silence;
	char name[64];
	int fd = memfd_create("settings", MFD_CLOEXEC);
	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	silence = silence ? silence : fopen("/dev/null", "w");
	snprintf(name, sizeof name, "CONFIG_FILE=/proc/self/fd/%d", fd);
	char *env[] = {name, "DATA_DIR=/nowhere", NULL};
	struct config *c = config_load(env, silence);
	if (c) {
		MUST(c->workers >= 1 && c->threads >= 1 && c->tus_max_size >= 1);
		config_print(c, silence);
	}
	config_free(c);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct arena *a = arena_open(64 << 20);
	struct json *j = json_parse((const char *)p, n);
	MUST(a);
	if (j) {
		const char *text = json_text(j, a);
		MUST(text);
		struct json *again = json_parse(text, strlen(text));
		MUST(again);
		MUST(strcmp(text, json_text(again, a)) == 0);
		json_free(again);
	}
	json_free(j);
	arena_close(a);
	settings(p, n);
	return 0;
}
