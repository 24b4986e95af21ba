/* metrics.c - the shared cells: a header that names the layout, then 64-bit cells that are only ever added to. */
#include "base/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"

#define METHODS 8

static const int statuses[] = {200, 201, 204, 206, 304, 307, 400, 401, 403, 404, 405, 409, 410, 412, 413, 415, 416, 421, 422, 423, 429,
	431, 460, 500, 503, 507};
#define STATUSES (sizeof statuses / sizeof *statuses + 1)   /* and one for all others */

static const struct {
	int64_t us;
	const char *le;
} buckets[] = {
	{1000, "0.001"}, {5000, "0.005"}, {10000, "0.01"}, {50000, "0.05"}, {100000, "0.1"}, {500000, "0.5"}, {1000000, "1"},
	{5000000, "5"}, {10000000, "10"}, {60000000, "60"}, {INT64_MAX, "+Inf"},
};
#define BUCKETS (sizeof buckets / sizeof *buckets)
#define HIST (BUCKETS + 1)                                  /* and the sum in microseconds */

/* Compared as a whole: any difference is another layout. version counts changes that the sizes do not show. */
struct layout {
	char magic[8];
	int64_t version, counters, routes, methods, statuses, buckets, errs;
};

struct metrics {
	size_t size;
	int routes;
	struct layout *layout;   /* start of the mapping */
	int64_t *counter;        /* [metric] */
	int64_t *request;        /* [route][method][status] */
	int64_t *hist;           /* [route][bucket, sum] */
	int64_t *reject;         /* [err] */
};

static struct layout layout_of(int routes)
{
	return (struct layout){"tusstat", 1, M__MAX, routes, METHODS, STATUSES, BUCKETS, ERR__MAX};
}

static size_t size_of(int routes)
{
	size_t cells = M__MAX + (size_t)routes * (METHODS * STATUSES + HIST) + ERR__MAX;

	return sizeof(struct layout) + cells * sizeof(int64_t);
}

/* --- the file --- */

static bool fits(int fd, const struct layout *want)
{
	struct layout have;
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_size == (off_t)size_of((int)want->routes) &&
		pread(fd, &have, sizeof have, 0) == sizeof have && memcmp(&have, want, sizeof have) == 0;
}

/* Replaces by rename, never in place: older processes may still have the file of another layout mapped, and would be killed
 * if it shrank under them. */
static int make(int dir, const char *name, const struct layout *want)
{
	char temp[NAME_MAX + 1];
	struct buf b;
	int fd;

	buf_init(&b, NAME_MAX);
	buf_printf(&b, ".%s.new", name);
	if (b.failed) {
		buf_free(&b);
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(temp, b.p, b.n + 1);
	buf_free(&b);
	unlinkat(dir, temp, 0);
	fd = openat(dir, temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (fd < 0)
		return -1;
	/* posix_fallocate: on a full disk this fails here, instead of a signal at the first addition. */
	errno = posix_fallocate(fd, 0, (off_t)size_of((int)want->routes));
	if (errno || pwrite(fd, want, sizeof *want, 0) != sizeof *want || renameat(dir, temp, dir, name) < 0) {
		unlinkat(dir, temp, 0);
		close(fd);
		return -1;
	}
	return fd;
}

/* Descriptor of a file of this layout, -1 with errno. The lock on the folder lets one process at a time look and make. */
static int open_file(const char *path, const struct layout *want)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	const char *name = slash ? slash + 1 : path;
	int dir = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, fd = -1;

	free(folder);
	if (dir < 0)
		return -1;
	if (flock(dir, LOCK_EX) == 0) {
		fd = openat(dir, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0 && !fits(fd, want)) {
			close(fd);
			fd = -1;
			errno = ENOENT;
		}
		if (fd < 0 && errno == ENOENT)
			fd = make(dir, name, want);
	}
	close(dir);
	return fd;
}

static void *map(const char *path, const struct layout *want, size_t size)
{
	int fd = path ? open_file(path, want) : -1;
	void *p = MAP_FAILED;

	if (fd >= 0) {
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	if (p == MAP_FAILED) {
		if (path)
			log_event(LOG_WARN, "metrics", "counters are not shared", "file", LS(path), "reason", LS(strerror(errno)), NULL);
		p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		if (p != MAP_FAILED)
			memcpy(p, want, sizeof *want);
	}
	return p;
}

struct metrics *metrics_open(const char *path, int routes)
{
	struct layout want = layout_of(routes);
	struct metrics *m = calloc(1, sizeof *m);
	void *p;

	if (!m)
		return NULL;
	m->size = size_of(routes);
	m->routes = routes;
	p = map(path, &want, m->size);
	if (p == MAP_FAILED) {
		free(m);
		return NULL;
	}
	m->layout = p;
	m->counter = (int64_t *)(m->layout + 1);
	m->request = m->counter + M__MAX;
	m->hist = m->request + (size_t)routes * METHODS * STATUSES;
	m->reject = m->hist + (size_t)routes * HIST;
	return m;
}

void metrics_close(struct metrics *m)
{
	if (!m)
		return;
	munmap(m->layout, m->size);
	free(m);
}

/* --- counting --- */

static void add(int64_t *cell, int64_t v)
{
	__atomic_fetch_add(cell, v, __ATOMIC_RELAXED);
}

static int64_t get(const int64_t *cell)
{
	return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static int64_t *request_cell(const struct metrics *m, int route, int method, size_t status)
{
	return &m->request[((size_t)route * METHODS + (size_t)method) * STATUSES + status];
}

void metrics_add(struct metrics *m, enum metric c, int64_t v)
{
	if (m)
		add(&m->counter[c], v);
}

int64_t metrics_get(const struct metrics *m, enum metric c)
{
	return m ? get(&m->counter[c]) : 0;
}

void metrics_request(struct metrics *m, int route, int method, int status, int64_t us, int err)
{
	size_t s = 0, b = 0;

	if (!m)
		return;
	if (err > 0 && err < ERR__MAX)
		add(&m->reject[err], 1);
	if (route < 0 || route >= m->routes)
		return;
	if (method < 0 || method >= METHODS)
		method = METHODS - 1;
	while (s < STATUSES - 1 && statuses[s] != status)
		s++;
	while (us > buckets[b].us)
		b++;
	add(request_cell(m, route, method, s), 1);
	add(&m->hist[(size_t)route * HIST + b], 1);
	add(&m->hist[(size_t)route * HIST + BUCKETS], us > 0 ? us : 0);
}

/* --- Prometheus text --- */

static void head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void label(struct buf *out, const char *name, const char *value)
{
	buf_printf(out, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			buf_puts(out, "\\");
		buf_add(out, value, 1);
	}
	buf_puts(out, "\"");
}

static void counters_text(const struct metrics *m, struct buf *out)
{
#define METRICS_ROW(e, name, labels, help) {name, labels, help},
	static const struct {
		const char *name, *labels, *help;
	} rows[] = {METRICS_TABLE(METRICS_ROW)};
#undef METRICS_ROW

	for (int i = 0; i < M__MAX; i++) {
		/* Rows of one name stand together and share their head. */
		if (i == 0 || !text_eq(rows[i].name, rows[i - 1].name))
			head(out, rows[i].name, "counter", rows[i].help);
		buf_puts(out, rows[i].name);
		if (*rows[i].labels)
			buf_printf(out, "{%s}", rows[i].labels);
		buf_printf(out, " %lld\n", (long long)get(&m->counter[i]));
	}
}

static void requests_text(const struct metrics *m, struct buf *out, const char *route, int r, const char *(*method_name)(int))
{
	for (int method = 0; method < METHODS; method++) {
		for (size_t s = 0; s < STATUSES; s++) {
			int64_t v = get(request_cell(m, r, method, s));

			if (!v)
				continue;
			buf_puts(out, "waveforge_http_requests_total{");
			label(out, "route", route);
			buf_puts(out, ",");
			label(out, "method", method_name(method));
			if (s < STATUSES - 1)
				buf_printf(out, ",status=\"%d\"} %lld\n", statuses[s], (long long)v);
			else
				buf_printf(out, ",status=\"other\"} %lld\n", (long long)v);
		}
	}
}

static void histogram_text(const struct metrics *m, struct buf *out, const char *route, int r)
{
	const int64_t *h = m->hist + (size_t)r * HIST;
	int64_t here[BUCKETS], total = 0, sum = get(h + BUCKETS);

	for (size_t b = 0; b < BUCKETS; b++)
		total += here[b] = get(h + b);
	if (!total)
		return;
	/* The count is the last bucket, read once, so that the two are always equal. */
	total = 0;
	for (size_t b = 0; b < BUCKETS; b++) {
		total += here[b];
		buf_puts(out, "waveforge_http_request_duration_seconds_bucket{");
		label(out, "route", route);
		buf_printf(out, ",le=\"%s\"} %lld\n", buckets[b].le, (long long)total);
	}
	buf_puts(out, "waveforge_http_request_duration_seconds_sum{");
	label(out, "route", route);
	buf_printf(out, "} %lld.%06lld\nwaveforge_http_request_duration_seconds_count{", (long long)(sum / 1000000), (long long)(sum % 1000000));
	label(out, "route", route);
	buf_printf(out, "} %lld\n", (long long)total);
}

void metrics_text(const struct metrics *m, struct buf *out, const char *(*route_label)(int), const char *(*method_name)(int))
{
	if (!m)
		return;
	counters_text(m, out);
	head(out, "waveforge_http_requests_total", "counter", "Answered requests");
	for (int r = 0; r < m->routes; r++)
		requests_text(m, out, route_label(r), r, method_name);
	head(out, "waveforge_http_request_duration_seconds", "histogram", "Time from the parameters to the sent answer");
	for (int r = 0; r < m->routes; r++)
		histogram_text(m, out, route_label(r), r);
	head(out, "waveforge_rejects_total", "counter", "Requests that ended in an error, by reason");
	for (int e = 0; e < ERR__MAX; e++)
		if (get(&m->reject[e]))
			buf_printf(out, "waveforge_rejects_total{reason=\"%s\"} %lld\n", err_code((enum err)e), (long long)get(&m->reject[e]));
}
