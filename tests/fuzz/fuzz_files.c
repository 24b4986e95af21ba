/*
 * fuzz_files.c - files that a stranger may have left where the program looks: counters and keys. The first byte chooses.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/metrics.h"
#include "fuzz.h"
#include "guard.h"

static char dir[64];

static void leave(void)
{
	rmdir(dir);
}

static const char *left(const uint8_t *p, size_t n)
{
	static char path[80];
	if (!dir[0]) {
		snprintf(dir, sizeof dir, "%s/fuzz-files-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
		MUST(mkdtemp(dir));
		atexit(leave);
		snprintf(path, sizeof path, "%s/f", dir);
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	close(fd);
	return path;
}

static void gone(const char *path)
{
	unlink(path);
}

static void counters(const char *path)
{
	struct metrics *m = metrics_open(path, 5);
	MUST(m);
	int64_t before = metrics_get(m, M_FINISHED);
	metrics_add(m, M_FINISHED, 3);
	metrics_request(m, 2, 1, 200, 1000, 0);
	MUST(metrics_get(m, M_FINISHED) == before + 3);
	metrics_close(m);
}

static void keys(const char *path)
{
	struct guard_keys k = {0};
	enum err e = guard_keys_load(path, &k);
	MUST(e == ERR_OK || e == ERR_INVALID || e == ERR_NOMEM);
	for (int i = 0; !e && i < k.n; i++)
		MUST(k.v[i].name && k.v[i].name[0] && k.v[i].role && (strcmp(k.v[i].role, "user") == 0 || strcmp(k.v[i].role, "admin") == 0));
	guard_keys_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n < 1 || n > 100000)
		return 0;
	log_level_set((enum log_level)(LOG_ERROR + 1));
	const char *path = left(p + 1, n - 1);
	if (p[0] & 1)
		counters(path);
	else
		keys(path);
	gone(path);
	return 0;
}
