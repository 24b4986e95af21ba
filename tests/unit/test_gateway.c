/*
 * test_gateway.c - both doors with a small application behind them: a FastCGI server in a child process that we talk records to,
 * and the CGI door between two pipes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "gateway/gateway.h"

#define PATIENCE_MS 10000       /* for what must happen at once: only a broken program waits so long */

extern char **environ;

/* ---- the application ---- */

static struct {
	char dir[64], file[96];
	int tell[2];                /* one byte from the child each time something began or was done */
	int want[2];                /* a byte to the CGI child: let go of your bodies */
	pthread_mutex_t mu;
	struct source *held[8];     /* bodies that stop_bodies ends */
	bool lasting, stopped;      /* a tick lasts until then */
	bool scarce;                /* threads can be started only until there are THERE */
	int started;
	int descriptors;            /* its limit, 0: as it is */
} app = {.mu = PTHREAD_MUTEX_INITIALIZER};

static void tell(char c)
{
	if (write(app.tell[1], &c, 1) != 1)
		_exit(9);
}

static void hold(struct source *s, bool on)
{
	pthread_mutex_lock(&app.mu);
	for (int i = 0; i < 8; i++)
		if (app.held[i] == (on ? NULL : s)) {
			app.held[i] = on ? s : NULL;
			break;
		}
	pthread_mutex_unlock(&app.mu);
}

static void stop_bodies(void *self)
{
	(void)self;
	pthread_mutex_lock(&app.mu);
	app.stopped = true;
	for (int i = 0; i < 8; i++)
		if (app.held[i])
			app.held[i]->stop(app.held[i]);
	pthread_mutex_unlock(&app.mu);
}

static void *stopper(void *s)
{
	((struct source *)s)->stop(s);
	return NULL;
}

static void say(struct http_req *req, struct http_res *res, int status, const char *text)
{
	res->status = status;
	http_res_add(res, "Content-Type", "text/plain");
	res->body = arena_strdup(req->arena, text);
	res->body_len = strlen(text);
}

/* Reads all and tells how it went: bytes, sum of them, what ended it, most bytes of a read. */
static void echo(struct http_req *req, struct http_res *res, bool stop)
{
	static __thread unsigned char piece[65536];
	unsigned long sum = 0;
	ssize_t n, most = 0, again;
	pthread_t t;
	bool held = strcmp(req->seg[0], "hold") == 0, told = held || strcmp(req->seg[0], "deaf") == 0;
	if (held)
		hold(req->body, true);
	while ((n = req->body->read(req->body, piece, sizeof piece)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			sum += piece[i];
		most = n > most ? n : most;
		if (told && req->body->taken == n)
			tell('h');
		if (stop) {
			pthread_create(&t, NULL, stopper, req->body);
			pthread_join(t, NULL);
			stop = false;
		}
	}
	again = req->body->read(req->body, piece, 1);
	if (held)
		hold(req->body, false);
	say(req, res, 200, arena_printf(req->arena, "taken=%lld sum=%lu end=%zd again=%zd complete=%d timed_out=%d most=%zd", (long long)req->body->taken, sum, n,
	                                again, req->body->complete, req->body->timed_out, most));
}

static void after(void *arg)
{
	(void)arg;
	tell('a');
}

static void handle(void *self, struct http_req *req, struct http_res *res)
{
	const char *what = req->nseg > 0 ? req->seg[0] : "";
	(void)self;
	if (req->gateway_error)
		say(req, res, 400, req->gateway_error);
	else if (strcmp(what, "plenty") == 0)
		__atomic_store_n(&app.scarce, false, __ATOMIC_RELAXED);
	else if (strcmp(what, "early") == 0)
		say(req, res, 409, "no");
	else if (strcmp(what, "status") == 0)
		say(req, res, atoi(req->seg[1]), "");
	else if (strcmp(what, "none") == 0)
		say(req, res, 204, "must not be sent");
	else if (strcmp(what, "nothing") == 0)
		(void)0;
	else if (strcmp(what, "file") == 0) {
		res->status = 206;
		res->file_fd = open(app.file, O_RDONLY | O_CLOEXEC);
		res->file_off = 10;
		res->file_len = 200000;
		res->head_len = 200000;
	} else {
		res->after = strcmp(what, "after") == 0 ? after : NULL;
		echo(req, res, strcmp(what, "stop") == 0);
	}
}

static bool is_stopped(void)
{
	pthread_mutex_lock(&app.mu);
	bool stopped = app.stopped;
	pthread_mutex_unlock(&app.mu);
	return stopped;
}

static void tick(void *self)
{
	(void)self;
	tell('t');
	for (int64_t end = clock_mono_us() + PATIENCE_MS * 1000; app.lasting && !is_stopped() && clock_mono_us() < end;)
		usleep(1000);
}

/* What others want of a process of one thread: a byte means that the bodies must end. */
static int wake_fd(void *self)
{
	(void)self;
	return app.want[0];
}

static void wake(void *self)
{
	char c;
	if (read(app.want[0], &c, 1) == 1)
		stop_bodies(self);
}

static void threads(void *self, int n)
{
	(void)self;
	tell((char)('0' + n));
}

static const struct gateway_app gate = {.threads = threads, .handle = handle, .base_path = "", .stop_bodies = stop_bodies, .tick = tick,
	.wake_fd = wake_fd, .wake = wake};
static const struct gateway_app hasty = {.handle = handle, .base_path = "", .read_timeout_ms = 100};

/* ---- the child ---- */

#define THERE 5                 /* one of them looks after answered connections */

int pthread_create(pthread_t *id, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
	if (__atomic_load_n(&app.scarce, __ATOMIC_RELAXED) && app.started >= THERE)
		return EAGAIN;
	app.started++;
	return real(id, attr, run, arg);
}

static struct {
	struct sockaddr_un at;
	pid_t pid;
} server;

static int setup(void **state)
{
	(void)state;
	const char *tmp = getenv("TMPDIR");
	signal(SIGPIPE, SIG_IGN);
	snprintf(app.dir, sizeof app.dir, "%.40s/gate-XXXXXX", tmp && strlen(tmp) <= 40 ? tmp : "/tmp");
	if (!mkdtemp(app.dir))
		return -1;
	snprintf(app.file, sizeof app.file, "%s/file", app.dir);
	int fd = open(app.file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	for (int i = 0; i < 30001; i++)
		if (write(fd, "0123456789", 10) != 10)
			return -1;
	return close(fd);
}

static int teardown(void **state)
{
	(void)state;
	unlink(app.file);
	return rmdir(app.dir);
}

static int start_with(int threads, int drain_s, int shutdown_wait_ms)
{
	server.at = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(server.at.sun_path, sizeof server.at.sun_path, "%s/s", app.dir);
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (pipe2(app.tell, O_CLOEXEC) != 0 || bind(s, (struct sockaddr *)&server.at, sizeof server.at) != 0 || listen(s, 512) != 0)
		return -1;
	server.pid = fork();
	if (server.pid == 0) {
		if (app.descriptors)
			setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)app.descriptors, (rlim_t)app.descriptors});
		const struct gateway_pool pool = {.max_threads = threads, .stack_kib = 256, .arena_max = 1 << 20,
			.drain_s = drain_s, .shutdown_wait_ms = shutdown_wait_ms};
		dup2(s, 0);
		_exit(gateway_fcgi_serve(&gate, &pool) == 0 ? 0 : 1);
	}
	close(s);
	close(app.tell[1]);
	return server.pid > 0 ? 0 : -1;
}

static int start(void **state)
{
	(void)state;
	return start_with(220, 0, 1000);
}

static int start_few(void **state)
{
	(void)state;
	return start_with(8, 0, 1000);
}

static int start_scarce(void **state)
{
	app.scarce = true;
	int rc = start_few(state);
	app.scarce = false;
	return rc;
}

/* Running requests may go on after SIGUSR1, and hardly at all after a stop. */
static int start_patient(void **state)
{
	(void)state;
	return start_with(8, 60, 100);
}

/* Ends the server; its exit status, and how long it took. */
static int64_t stop_server(int sig, int *status)
{
	int64_t begin = clock_mono_us();
	kill(server.pid, sig);
	waitpid(server.pid, status, 0);
	server.pid = 0;
	return (clock_mono_us() - begin) / 1000;
}

static int stop(void **state)
{
	int status = 0;
	(void)state;
	if (server.pid > 0)
		stop_server(SIGTERM, &status);
	close(app.tell[0]);
	unlink(server.at.sun_path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Waits until the child tells this. */
static void hear(char want)
{
	char c;
	struct pollfd p = {.fd = app.tell[0], .events = POLLIN};
	int64_t end = clock_mono_us() + PATIENCE_MS * 1000;
	do {
		assert_true(clock_mono_us() < end);
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		assert_int_equal(read(app.tell[0], &c, 1), 1);
	} while (c != want);
}

/* ---- a web server ---- */

static void put(int fd, const void *p, size_t n)
{
	while (n > 0) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
		if (w <= 0)
			return;
		p = (const char *)p + w;
		n -= (size_t)w;
	}
}

static void record(int fd, int type, const void *p, size_t n)
{
	static const char zero[8];
	size_t pad = -n & 7;
	unsigned char h[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n, (unsigned char)pad, 0};
	put(fd, h, sizeof h);
	put(fd, p, n);
	put(fd, zero, pad);
}

static size_t param(char *out, const char *name, const char *value)
{
	size_t a = strlen(name), b = strlen(value);
	out[0] = (char)a;
	out[1] = (char)b;
	memcpy(out + 2, name, a);
	memcpy(out + 2 + a, value, b);
	return 2 + a + b;
}

/* A request without its body; length NULL: no CONTENT_LENGTH. */
static int ask(const char *method, const char *uri, const char *length)
{
	char params[1024];
	size_t n = 0;
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&server.at, sizeof server.at), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	record(fd, 1, "\0\1\0\0\0\0\0\0", 8);
	n += param(params + n, "REQUEST_METHOD", method);
	n += param(params + n, "REQUEST_URI", uri);
	if (length)
		n += param(params + n, "CONTENT_LENGTH", length);
	record(fd, 4, params, n);
	record(fd, 4, "", 0);
	return fd;
}

static bool get(int fd, void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, (char *)p + got, n - got, 0);
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/* The whole answer up to END_REQUEST, closed by a NUL; "" if it broke off. Free it. */
static char *answer(int fd, size_t *size)
{
	size_t cap = 1 << 20, n = 0;
	char *out = calloc(1, cap), skip[65536 + 256];
	unsigned char h[8];
	bool whole = false;
	while (!whole && get(fd, h, 8)) {
		size_t len = (size_t)h[4] << 8 | h[5];
		assert_true(n + len < cap);
		if (!get(fd, h[1] == 6 ? out + n : skip, len) || !get(fd, skip, h[6]))
			break;
		n += h[1] == 6 ? len : 0;
		whole = h[1] == 3;
	}
	out[whole ? n : 0] = '\0';
	if (size)
		*size = n;
	close(fd);
	return out;
}

static void expect(int fd, const char *const *parts)
{
	char *a = answer(fd, NULL);
	for (; *parts; parts++)
		if (!strstr(a, *parts))
			fail_msg("no '%s' in: %s", *parts, a);
	free(a);
}
#define EXPECT(fd, ...) expect(fd, (const char *const[]){__VA_ARGS__, NULL})

static unsigned long sum_of(size_t n)
{
	unsigned long sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += i % 251;
	return sum;
}

/* Body bytes number first to first+n, in records of at most piece bytes. */
static void send_body(int fd, size_t first, size_t n, size_t piece)
{
	unsigned char buf[32768];
	for (size_t at = first, take; at < first + n; at += take) {
		take = first + n - at < piece ? first + n - at : piece;
		for (size_t i = 0; i < take; i++)
			buf[i] = (unsigned char)((at + i) % 251);
		record(fd, 5, buf, take);
	}
}

/* ---- FastCGI ---- */

static void whole_bodies(void **state)
{
	static const struct { size_t n, piece; bool length; } rows[] = {
		{0, 1, true}, {1, 1, true}, {5, 5, true}, {8192, 8192, true}, {100000, 7, true}, {300000, 32768, true}, {70000, 1000, false}, {0, 1, false},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char length[24], want[128];
		snprintf(length, sizeof length, "%zu", rows[i].n);
		snprintf(want, sizeof want, "taken=%zu sum=%lu end=0 again=0 complete=1", rows[i].n, sum_of(rows[i].n));
		int fd = ask("PATCH", "/echo", rows[i].length ? length : "");
		send_body(fd, 0, rows[i].n, rows[i].piece);
		record(fd, 5, "", 0);
		EXPECT(fd, "Status: 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ", want);
	}
}

static void full_reads_of_a_fast_client(void **state)
{
	(void)state;
	/* all of it lies in the socket before the request is accepted: the server is stopped meanwhile */
	kill(server.pid, SIGSTOP);
	int fd = ask("PATCH", "/echo", "90000");
	send_body(fd, 0, 90000, 30000);
	record(fd, 5, "", 0);
	kill(server.pid, SIGCONT);
	EXPECT(fd, "taken=90000 ", "most=65536");
}

static void bytes_of_a_slow_client_do_not_wait(void **state)
{
	(void)state;
	int fd = ask("PATCH", "/hold", "1000");
	send_body(fd, 0, 3, 3);
	hear('h');     /* the handler has them, though no more has come */
	send_body(fd, 3, 997, 100);
	record(fd, 5, "", 0);
	EXPECT(fd, "taken=1000 ", "complete=1");
}

static void never_more_than_the_length(void **state)
{
	(void)state;
	int fd = ask("PATCH", "/echo", "10");
	send_body(fd, 0, 25, 25);
	record(fd, 5, "", 0);
	EXPECT(fd, "taken=10 sum=45 end=0 again=0 complete=1");
}

static void cut_bodies(void **state)
{
	(void)state;
	/* half-closed: the answer can still be read. With and without a known length, and an end record that comes too early. */
	static const char *const length[] = {"1000", "", "1000"};
	for (int i = 0; i < 3; i++) {
		int fd = ask("PATCH", "/echo", length[i]);
		send_body(fd, 0, 600, 100);
		if (i == 2)
			record(fd, 5, "", 0);
		shutdown(fd, SHUT_WR);
		EXPECT(fd, "taken=600 ", "end=-1 again=-1 complete=0");
	}
}

static void peer_that_vanishes(void **state)
{
	(void)state;
	for (int i = 0; i < 20; i++) {
		int fd = ask("PATCH", "/after", "100000");
		send_body(fd, 0, 600, 100);
		close(fd);
		hear('a');     /* what was received was handled, and the thread lives */
	}
	EXPECT(ask("GET", "/early", NULL), "Status: 409");
}

static void stopped_body_keeps_what_came(void **state)
{
	(void)state;
	int fd = ask("PATCH", "/stop", "1000");
	send_body(fd, 0, 600, 600);
	EXPECT(fd, "taken=600 ", "end=-1 again=-1 complete=0");
}

static void answers_before_the_body(void **state)
{
	(void)state;
	/* a long body is not waited for; a short one is read first */
	EXPECT(ask("PATCH", "/early", "50000000"), "Status: 409 Conflict\r\n", "Content-Length: 2\r\n", "\r\n\r\nno");
	int fd = ask("PATCH", "/early", "1000");
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 50), 0);
	send_body(fd, 0, 1000, 500);
	record(fd, 5, "", 0);
	EXPECT(fd, "Status: 409 Conflict\r\n");
}

static void shapes_of_answers(void **state)
{
	(void)state;
	static const struct { const char *method, *uri, *want, *not; } rows[] = {
		{"GET", "/early", "Content-Length: 2\r\n\r\nno", "Status: 200"},
		{"HEAD", "/early", "Content-Type: text/plain\r\n\r\n", "Content-Length"},
		{"HEAD", "/file", "Content-Length: 200000\r\n\r\n", "0123"},
		{"GET", "/none", "Status: 204 No Content\r\n\r\n", "Content"},
		{"GET", "/nothing", "Status: 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", NULL},
		{"DELETE", "/echo", "taken=0", NULL},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		int fd = ask(rows[i].method, rows[i].uri, NULL);
		record(fd, 5, "", 0);
		char *a = answer(fd, NULL);
		char *body = strstr(a, "\r\n\r\n");
		if (strncmp(a, "Status: ", 8) != 0 || !strstr(a, rows[i].want) || (rows[i].not && strstr(strchr(a, '\n'), rows[i].not)))
			fail_msg("%s %s: %s", rows[i].method, rows[i].uri, a);
		if (strcmp(rows[i].method, "HEAD") == 0)
			assert_string_equal(body, "\r\n\r\n");
		free(a);
	}
	EXPECT(ask("PATCH", "/echo", "12x"), "Status: 400", "Content-Length is not a number");
}

static void every_error_has_its_phrase(void **state)
{
	(void)state;
	for (int e = 0; e < ERR__MAX; e++) {
		char uri[32], bare[32];
		snprintf(uri, sizeof uri, "/status/%d", err_status((enum err)e));
		snprintf(bare, sizeof bare, "Status: %d Status\r\n", err_status((enum err)e));
		char *a = answer(ask("GET", uri, NULL), NULL);
		if (strncmp(a, bare, 12) != 0 || strstr(a, bare))
			fail_msg("%s: %s", uri, a);
		free(a);
	}
}

static void pieces_of_files(void **state)
{
	size_t n;
	(void)state;
	char *a = answer(ask("GET", "/file", NULL), &n);
	char *body = strstr(a, "\r\n\r\n0123456789");
	assert_non_null(strstr(a, "Status: 206 Partial Content\r\nContent-Length: 200000\r\n"));
	assert_non_null(body);
	assert_int_equal(n - (size_t)(body + 4 - a), 200000);
	free(a);
}

static void work_after_the_answer(void **state)
{
	(void)state;
	int fd = ask("POST", "/after", "3");
	send_body(fd, 0, 3, 3);
	record(fd, 5, "", 0);
	EXPECT(fd, "taken=3 ");
	hear('a');
}

static void two_hundred_at_once(void **state)
{
	enum { MANY = 200 };
	int fd[MANY];
	(void)state;
	for (int i = 0; i < MANY; i++) {
		fd[i] = ask("PATCH", i % 2 ? "/echo" : "/after", "2000");
		send_body(fd[i], 0, 500, 500);
	}
	EXPECT(ask("GET", "/early", NULL), "Status: 409");     /* a thread is left for others */
	for (int i = 0; i < MANY; i++) {
		send_body(fd[i], 500, 1500, 500);
		record(fd[i], 5, "", 0);
	}
	for (int i = 0; i < MANY; i++)
		EXPECT(fd[i], "taken=2000 ", "complete=1");
}

/* Peers that are refused and then neither send their bodies nor close, many more than there are threads, keep no other request waiting. */
static void a_crowd_of_silent_refused_bodies(void **state)
{
	enum { CROWD = 200 };
	int crowd[CROWD];
	(void)state;
	for (int i = 0; i < CROWD; i++)
		crowd[i] = ask("POST", "/early", "1000");
	int64_t from = clock_mono_us();
	int fd = ask("GET", "/short", "0");
	record(fd, 5, "", 0);
	expect(fd, (const char *const[]){"Status: 200 OK\r\n", NULL});
	int64_t ms = (clock_mono_us() - from) / 1000;
	if (ms > 2000)
		fail_msg("answered after %lld ms", (long long)ms);
	for (int i = 0; i < CROWD; i++) {
		char *text = answer(crowd[i], NULL);
		assert_non_null(strstr(text, "Status: 409"));
		free(text);
		close(crowd[i]);
	}
}

static int start_narrow(void **state)
{
	app.descriptors = 96;
	int rc = start_few(state);
	app.descriptors = 0;
	return rc;
}

/* Answered connections that wait for their peers leave descriptors for others. */
static void a_crowd_and_few_descriptors(void **state)
{
	a_crowd_of_silent_refused_bodies(state);
}

/* A pool whose threads cannot be started tells so, and when they can be after all. */
static void threads_that_are_not_there(void **state)
{
	(void)state;
	int first = ask("PATCH", "/hold", "1000"), second = ask("PATCH", "/hold", "1000");
	hear('4');
	EXPECT(ask("GET", "/plenty", NULL), "Status: 500");
	hear('8');
	close(first);
	close(second);
}

static int start_lasting(void **state)
{
	app.lasting = true;
	int rc = start(state);
	app.lasting = false;
	return rc;
}

/* Whatever a tick does, signals are heard, and what is asked of it is that it ends. */
static void ticks(void **state)
{
	int status;
	(void)state;
	int fd = ask("PATCH", "/hold", "1000");
	send_body(fd, 0, 600, 600);
	hear('t');
	int64_t ms = stop_server(SIGTERM, &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(ms < 900);
	EXPECT(fd, "taken=600 ", "end=-1");
}

static void ends_when_idle(void **state)
{
	static const int sigs[] = {SIGTERM, SIGINT, SIGUSR1};
	for (int i = 0; i < 3; i++) {
		int status;
		EXPECT(ask("GET", "/early", NULL), "Status: 409");
		int64_t ms = stop_server(sigs[i], &status);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		assert_true(ms < 200);
		if (i == 2)
			break;
		stop(state);
		assert_int_equal(start(state), 0);
	}
}

static void ends_with_a_body_in_flight(void **state)
{
	int status;
	(void)state;
	int fd = ask("PATCH", "/hold", "1000");
	send_body(fd, 0, 600, 600);
	hear('h');
	int64_t ms = stop_server(SIGTERM, &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(ms < 900);
	EXPECT(fd, "taken=600 ", "end=-1");     /* stopped, kept and answered */
}

static void ends_although_a_request_does_not(void **state)
{
	int status;
	(void)state;
	int fd = ask("PATCH", "/deaf", "1000");     /* a body that stop_bodies does not know */
	send_body(fd, 0, 600, 600);
	hear('h');
	stop_server(SIGTERM, &status);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	close(fd);
}

/* Whether the server has taken all signals that it was sent. */
static bool has_heard(void)
{
	char path[64], line[128];
	unsigned long long pending = 1;
	snprintf(path, sizeof path, "/proc/%d/status", (int)server.pid);
	FILE *f = fopen(path, "re");
	while (f && fgets(line, sizeof line, f))
		sscanf(line, "ShdPnd: %llx", &pending);
	if (f)
		fclose(f);
	return pending == 0;
}

static void signals(int sig)
{
	kill(server.pid, sig);
	for (int64_t end = clock_mono_us() + PATIENCE_MS * 1000; !has_heard(); usleep(500))
		assert_true(clock_mono_us() < end);
}

/* Whether the body of fd is still waited for, after time enough to stop it. */
static bool is_waited_for(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	return poll(&p, 1, 150) == 0;
}

/* A reload may come twice, and in two forms: whoever drains goes on. */
static void another_reload_ends_no_body(void **state)
{
	int status;
	(void)state;
	int fd = ask("PATCH", "/hold", "1000");
	send_body(fd, 0, 600, 600);
	hear('h');
	signals(SIGUSR1);
	signals(SIGHUP);
	signals(SIGUSR1);
	assert_true(is_waited_for(fd));
	send_body(fd, 600, 400, 400);
	record(fd, 5, "", 0);
	EXPECT(fd, "taken=1000 ", "complete=1");
	waitpid(server.pid, &status, 0);
	server.pid = 0;
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void a_stop_ends_the_draining(void **state)
{
	static const int stops[] = {SIGTERM, SIGINT, SIGQUIT};
	for (int i = 0; i < 3; i++) {
		int status;
		int fd = ask("PATCH", "/hold", "1000");
		send_body(fd, 0, 600, 600);
		hear('h');
		signals(SIGHUP);
		assert_in_range(stop_server(stops[i], &status), 0, PATIENCE_MS);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		EXPECT(fd, "taken=600 ", "end=-1");
		if (i == 2)
			break;
		stop(state);
		assert_int_equal(start_patient(state), 0);
	}
}

/* ---- CGI ---- */

struct cgi_run {
	pid_t pid;
	int in, out;
};

static struct cgi_run cgi_of(const struct gateway_app *gateway, char *const *env)
{
	int in[2], out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC) | pipe2(app.tell, O_CLOEXEC) | pipe2(app.want, O_CLOEXEC), 0);
	pid_t pid = fork();
	if (pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		close(in[1]);
		environ = (char **)env;
		_exit(gateway_cgi_once(gateway));
	}
	close(in[0]);
	close(out[1]);
	close(app.tell[1]);
	return (struct cgi_run){pid, in[1], out[0]};
}

static struct cgi_run cgi(char *const *env)
{
	return cgi_of(&gate, env);
}

static void cgi_expect(struct cgi_run r, const char *want)
{
	static char a[300000];
	size_t n = 0;
	ssize_t got;
	int status;
	bool ended;
	struct pollfd p = {.fd = r.out, .events = POLLIN};
	while ((ended = poll(&p, 1, PATIENCE_MS) == 1) && (got = read(r.out, a + n, sizeof a - 1 - n)) > 0)
		n += (size_t)got;
	a[n] = '\0';
	if (!ended)
		fail_msg("does not end after: %s", a);
	close(r.out);
	close(app.tell[0]);
	close(app.want[0]);
	close(app.want[1]);
	waitpid(r.pid, &status, 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	if (!strstr(a, want))
		fail_msg("no '%s' in: %s", want, a);
}

static void put_bytes(int fd, size_t n)
{
	while (n-- > 0)
		if (write(fd, "x", 1) != 1)
			return;
}

static void cgi_bodies(void **state)
{
	static const struct { const char *length; size_t sent; const char *want; } rows[] = {
		{"CONTENT_LENGTH=100", 100, "taken=100 sum=12000 end=0 again=0 complete=1"},
		{"CONTENT_LENGTH=100", 60, "taken=60 sum=7200 end=-1 again=-1 complete=0"},
		{"CONTENT_LENGTH=100", 130, "taken=100 sum=12000 end=0 again=0 complete=1"},
		{"CONTENT_LENGTH=0", 0, "taken=0 sum=0 end=0 again=0 complete=1"},
		{"CONTENT_LENGTH=", 60, "taken=60 sum=7200 end=0 again=0 complete=0"},     /* an end that proves nothing */
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/echo", (char *)rows[i].length, NULL};
		struct cgi_run r = cgi(env);
		put_bytes(r.in, rows[i].sent);
		close(r.in);
		cgi_expect(r, rows[i].want);
	}
}

static void cgi_reads_what_it_refuses(void **state)
{
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/early", "CONTENT_LENGTH=3000000", NULL};
	static char piece[100000];
	(void)state;
	struct cgi_run r = cgi(env);
	for (int i = 0; i < 30; i++)
		assert_int_equal(write(r.in, piece, sizeof piece), (ssize_t)sizeof piece);
	/* the pipe stays open: it is the length that says that this was all */
	cgi_expect(r, "Status: 409 Conflict\r\n");
	close(r.in);
}

static void cgi_term_keeps_what_came(void **state)
{
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/hold", "CONTENT_LENGTH=1000", NULL};
	(void)state;
	struct cgi_run r = cgi(env);
	put_bytes(r.in, 600);
	hear('h');
	kill(r.pid, SIGTERM);     /* the pipe stays open */
	cgi_expect(r, "taken=600 sum=72000 end=-1 again=-1 complete=0");
	close(r.in);
}

static void cgi_stop_ends_waiting(void **state)
{
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/stop", "CONTENT_LENGTH=1000", NULL};
	(void)state;
	struct cgi_run r = cgi(env);
	put_bytes(r.in, 600);
	cgi_expect(r, "end=-1 again=-1 complete=0");
	close(r.in);
}

/* Cut by us, not by the client; what came is kept. */
static void cgi_cuts_who_is_silent(void **state)
{
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/echo", "CONTENT_LENGTH=1000", NULL};
	(void)state;
	struct cgi_run r = cgi_of(&hasty, env);
	put_bytes(r.in, 600);
	cgi_expect(r, "taken=600 sum=72000 end=-1 again=-1 complete=0 timed_out=1");
	close(r.in);
	r = cgi(env);
	put_bytes(r.in, 600);
	close(r.in);
	cgi_expect(r, "complete=0 timed_out=0");
}

/* The application's own descriptor is heard while the client is silent; what came before is kept. */
static void cgi_hears_the_application(void **state)
{
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/hold", "CONTENT_LENGTH=1000", NULL};
	(void)state;
	struct cgi_run r = cgi(env);
	put_bytes(r.in, 600);
	hear('h');
	assert_int_equal(write(app.want[1], "", 1), 1);
	cgi_expect(r, "taken=600 sum=72000 end=-1 again=-1 complete=0");
	close(r.in);
}

/* Stopped for longer than it may wait, in the midst of a body: whoever sends it has perhaps stood still as well, and goes on. */
static void cgi_that_was_stopped_waits_on(void **state)
{
	const struct gateway_app brief = {.handle = handle, .base_path = "", .read_timeout_ms = 400};
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/hold", "CONTENT_LENGTH=1000", NULL};
	int status;
	(void)state;
	struct cgi_run r = cgi_of(&brief, env);
	put_bytes(r.in, 600);
	hear('h');
	kill(r.pid, SIGSTOP);
	assert_int_equal(waitpid(r.pid, &status, WUNTRACED), r.pid);
	usleep(600000);
	kill(r.pid, SIGCONT);
	usleep(100000);
	put_bytes(r.in, 400);
	cgi_expect(r, "taken=1000 sum=120000 end=0 again=0 complete=1");
	close(r.in);
}

/* Stopped again and again, for less than it may wait: that is not the client's slowness either. */
static void cgi_counts_no_pause_of_its_own(void **state)
{
	const struct gateway_app brief = {.handle = handle, .base_path = "", .read_timeout_ms = 200, .min_rate = 10000};
	char *env[] = {"REQUEST_METHOD=PATCH", "REQUEST_URI=/hold", "CONTENT_LENGTH=1000", NULL};
	int status;
	(void)state;
	struct cgi_run r = cgi_of(&brief, env);
	put_bytes(r.in, 700);
	hear('h');
	for (int i = 0; i < 3; i++) {
		kill(r.pid, SIGSTOP);
		assert_int_equal(waitpid(r.pid, &status, WUNTRACED), r.pid);
		usleep(190000);
		kill(r.pid, SIGCONT);
		usleep(20000);
		put_bytes(r.in, 100);
	}
	cgi_expect(r, "taken=1000 sum=120000 end=0 again=0 complete=1");
	close(r.in);
}

static void cgi_file_and_after(void **state)
{
	char *file[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/file", "CONTENT_LENGTH=0", NULL};
	char *later[] = {"REQUEST_METHOD=GET", "REQUEST_URI=/after", "CONTENT_LENGTH=0", NULL};
	(void)state;
	cgi_expect(cgi(file), "Status: 206 Partial Content\r\nContent-Length: 200000\r\n\r\n0123456789");
	struct cgi_run r = cgi(later);
	hear('a');
	cgi_expect(r, "taken=0");
}

#define SERVED(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(whole_bodies), SERVED(full_reads_of_a_fast_client), SERVED(bytes_of_a_slow_client_do_not_wait),
		SERVED(never_more_than_the_length), SERVED(cut_bodies), SERVED(peer_that_vanishes), SERVED(stopped_body_keeps_what_came),
		SERVED(answers_before_the_body), SERVED(shapes_of_answers), SERVED(every_error_has_its_phrase), SERVED(pieces_of_files),
		SERVED(work_after_the_answer), SERVED(two_hundred_at_once),
		cmocka_unit_test_setup_teardown(a_crowd_of_silent_refused_bodies, start_few, stop),
		cmocka_unit_test_setup_teardown(ticks, start_lasting, stop), SERVED(ends_when_idle), SERVED(ends_with_a_body_in_flight),
		SERVED(ends_although_a_request_does_not),
		cmocka_unit_test_setup_teardown(a_crowd_and_few_descriptors, start_narrow, stop),
		cmocka_unit_test_setup_teardown(threads_that_are_not_there, start_scarce, stop),
		cmocka_unit_test_setup_teardown(another_reload_ends_no_body, start_patient, stop),
		cmocka_unit_test_setup_teardown(a_stop_ends_the_draining, start_patient, stop),
		cmocka_unit_test(cgi_bodies), cmocka_unit_test(cgi_reads_what_it_refuses), cmocka_unit_test(cgi_term_keeps_what_came),
		cmocka_unit_test(cgi_stop_ends_waiting), cmocka_unit_test(cgi_cuts_who_is_silent), cmocka_unit_test(cgi_that_was_stopped_waits_on), cmocka_unit_test(cgi_counts_no_pause_of_its_own),
		cmocka_unit_test(cgi_hears_the_application), cmocka_unit_test(cgi_file_and_after),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
