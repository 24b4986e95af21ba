/*
 * commit.c - how many acknowledged operations a second the ledger gives to many clients at level FULL, with and without sharing a commit.
 *
 *   commit [--dir DIR] [--seconds S] [--clients 1,4,16,64]      prints one line of JSON a measurement
 *
 * A client is a thread that calls a verb of the store and waits until it is durable, again and again. Verbs: `create` (a 201) and `chunk`
 * (a chunk is complete; its row was reserved before the clock starts). Not shared: one operation a transaction. The last lines are the same create
 * as a POST over raw FastCGI to one worker process and to two.
 * DIR should lie on the disk that is meant; a new folder is made in it and removed.
 */
#include <pthread.h>

#include "base/clock.h"
#include "../contract/doors_kit.h"
#include "../contract/store_kit.h"

#define CLIENTS_MAX 256
#define ROWS_A_SECOND 40000          /* more chunks than any disk completes */

struct client {
	pthread_t id;
	struct store *s;
	bool chunk;
	int number, run;
	int64_t session, *row, rows, until, done;
};

static void die(const char *what, enum err e)
{
	fprintf(stderr, "commit: %s: %s\n", what, err_code(e));
	exit(1);
}

static void create_one(struct client *c, struct arena *a)
{
	char id[64];
	struct upload u;
	snprintf(id, sizeof id, "_r%dc%dn%lld", c->run, c->number, (long long)c->done);
	struct upload_new in = {.id = id, .owner = "", .length = 1000, .now = NOW, .expires = NOW + DAY};
	enum err e = store_upload_create(c->s, a, &in, &u);
	if (e)
		die("create", e);
}

static void chunk_one(struct client *c)
{
	struct chunk_ended out;
	struct chunk_end in = {.upload = c->row[c->done], .old = 0, .length = 1000, .now = NOW, .expires = NOW + DAY};
	enum err e = store_chunk_done(c->s, &in, &out);
	if (e)
		die("chunk", e);
}

static void *work(void *arg)
{
	struct client *c = arg;
	struct arena *a = arena_open(1 << 20);
	while (clock_mono_us() < c->until && !(c->chunk && c->done == c->rows)) {
		if (c->chunk)
			chunk_one(c);
		else
			create_one(c, a);
		arena_reset(a);
		c->done++;
	}
	arena_close(a);
	return NULL;
}

static void *reserve(void *arg)
{
	struct client *c = arg;
	struct arena *a = arena_open(1 << 20);
	char sid[64];
	snprintf(sid, sizeof sid, "r%dc%d", c->run, c->number);
	for (int64_t i = 0; i < c->rows; i++) {
		struct chunk_want w = kit_want(sid, SESSION_LIVE, 0, i, 1000);
		struct chunk_reserved r;
		enum err e = store_chunk_reserve(c->s, a, &w, &r);
		if (e)
			die("reserve", e);
		c->row[i] = r.u.n;
		arena_reset(a);
	}
	arena_close(a);
	return NULL;
}

static void all(struct client *c, int n, void *(*f)(void *))
{
	for (int i = 0; i < n; i++)
		if (pthread_create(&c[i].id, NULL, f, &c[i]) != 0)
			die("thread", ERR_NOMEM);
	for (int i = 0; i < n; i++)
		pthread_join(c[i].id, NULL);
}

/* Operations a second of n clients. */
static double measure(struct store *s, bool chunk, int n, double seconds)
{
	static int run;
	static struct client c[CLIENTS_MAX];
	int64_t rows = (int64_t)(ROWS_A_SECOND * seconds / (n < 16 ? 4 : 1)) / n, done = 0;
	run++;
	for (int i = 0; i < n; i++) {
		c[i] = (struct client){.s = s, .chunk = chunk, .number = i, .run = run, .rows = rows};
		if (chunk && !(c[i].row = calloc((size_t)rows, sizeof *c[i].row)))
			die("rows", ERR_NOMEM);
	}
	if (chunk)
		all(c, n, reserve);
	int64_t from = clock_mono_us();
	for (int i = 0; i < n; i++)
		c[i].until = from + (int64_t)(seconds * 1e6);
	all(c, n, work);
	int64_t us = clock_mono_us() - from;
	for (int i = 0; i < n; i++) {
		done += c[i].done;
		free(c[i].row);
	}
	return (double)done * 1e6 / (double)us;
}

/* A ledger of its own for every measurement, so that none pays for the rows of another. */
static void report(const char *top, bool chunk, int n, bool shared, double seconds)
{
	char dir[4096];
	struct store *s;
	snprintf(dir, sizeof dir, "%s/commit-XXXXXX", top);
	if (!mkdtemp(dir))
		die(dir, ERR_INTERNAL);
	struct store_options o = {.dir = dir, .readers = 4, .batch = shared ? 0 : 1};
	enum err e = store_open(&o, &s);
	if (e)
		die("open", e);
	double rate = measure(s, chunk, n, seconds);
	store_close(s);
	kit_rmdir(dir);
	printf("{\"verb\":\"%s\",\"clients\":%d,\"shared\":%s,\"per_s\":%.1f}\n", chunk ? "chunk" : "create", n, shared ? "true" : "false", rate);
	fflush(stdout);
}

/* ---- through workers ---- */

struct visitor {
	pthread_t id;
	const struct doors *d;
	enum door door;
	int64_t until, done;
};

static void *visit(void *arg)
{
	struct visitor *v = arg;
	char uri[128];
	for (; clock_mono_us() < v->until; v->done++)
		doors_create_at(v->d, v->door, 1000, uri);
	return NULL;
}

static void report_pool(const char *top, int workers, int n, double seconds)
{
	static struct doors d;
	static struct visitor v[CLIENTS_MAX];
	int64_t done = 0;
	char uri[128];
	doors_open(&d, top, 1000);
	for (int i = 0; i < 2; i++)
		doors_create_at(&d, (enum door)i, 1000, uri);   /* both are up */
	int64_t from = clock_mono_us();
	for (int i = 0; i < n; i++) {
		v[i] = (struct visitor){.d = &d, .door = (enum door)(i % workers), .until = from + (int64_t)(seconds * 1e6)};
		if (pthread_create(&v[i].id, NULL, visit, &v[i]) != 0)
			die("thread", ERR_NOMEM);
	}
	for (int i = 0; i < n; i++) {
		pthread_join(v[i].id, NULL);
		done += v[i].done;
	}
	int64_t us = clock_mono_us() - from;
	doors_close(&d);
	printf("{\"verb\":\"POST, %d process%s\",\"clients\":%d,\"shared\":true,\"per_s\":%.1f}\n", workers, workers > 1 ? "es" : "", n, (double)done * 1e6 / (double)us);
	fflush(stdout);
}

/* ---- */

static int next_count(const char **p)
{
	int n = atoi(*p);
	*p += strcspn(*p, ",");
	*p += **p == ',';
	if (n < 1 || n > CLIENTS_MAX)
		die("1 to 256 clients", ERR_INVALID);
	return n;
}

int main(int argc, char **argv)
{
	const char *top = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", *clients = "1,4,16,64";
	double seconds = 1;
	for (int i = 1; i + 1 < argc; i += 2) {
		if (!strcmp(argv[i], "--dir"))
			top = argv[i + 1];
		else if (!strcmp(argv[i], "--seconds"))
			seconds = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--clients"))
			clients = argv[i + 1];
	}
	log_level_set(LOG_ERROR);
	for (int chunk = 0; chunk < 2; chunk++)
		for (const char *p = clients; *p;) {
			int n = next_count(&p);
			for (int shared = 1; shared >= 0; shared--)
				report(top, chunk, n, shared, seconds);
		}
	for (int workers = 1; workers <= 2; workers++)
		for (const char *p = clients; *p;)
			report_pool(top, workers, next_count(&p), seconds);
	return 0;
}
