/*
 * doors_kit.h - the real programs, spoken to as a web server would: two FastCGI workers on sockets of their own over one data folder, so that a
 * test knows which process a request meets, and plain CGI. What goes wrong in the kit itself ends the program.
 *
 * The programs are those beside the calling program's own build folder.
 */
#ifndef TESTS_DOORS_KIT_H
#define TESTS_DOORS_KIT_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define DOORS_PATIENCE_S 8           /* for what must happen at once: only a broken program waits so long */

enum door { DOOR_A, DOOR_B, DOOR_CGI };

struct doors {
	char dir[80], data[96], bin[4096];
	char wait[32];                   /* LOCK_WAIT_MS=n */
	struct sockaddr_un at[2];
	pid_t worker[2];
};

/* A request that is not answered yet. */
struct asked {
	enum door door;
	int in, out;                     /* one socket, or two pipes */
	pid_t pid;                       /* of plain CGI */
};

struct told {
	int status;                      /* 0: cut off */
	int64_t offset;                  /* Upload-Offset, -1 if none */
	char text[8192];
};

static inline void doors_die(const char *what)
{
	perror(what);
	exit(3);
}

static inline void doors_program(const struct doors *d, const char *name, char out[4200])
{
	snprintf(out, 4200, "%s/%s", d->bin, name);
}

/* Settings of all of them; then `more` of one request. */
static inline int doors_env(const struct doors *d, char data[400], char **env)
{
	static const char *const own[] = {"LOG_LEVEL=error", "MIN_FREE_SPACE=0", "ENVIRONMENT=development", "THREADS=96", "RESERVE_THREADS=16",
		"REAP_INTERVAL=0"};
	int n = 0;
	snprintf(data, 400, "DATA_DIR=%s", d->data);
	env[n++] = data;
	env[n++] = (char *)d->wait;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		env[n++] = (char *)own[i];
	env[n] = NULL;
	return n;
}

static inline pid_t doors_spawn(const char *program, int in, int out, char **env)
{
	pid_t pid;
	char *argv[] = {(char *)program, NULL};
	posix_spawn_file_actions_t fa;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, 0);
	if (out >= 0)
		posix_spawn_file_actions_adddup2(&fa, out, 1);
	if (posix_spawn(&pid, program, &fa, NULL, argv, env) != 0)
		doors_die(program);
	posix_spawn_file_actions_destroy(&fa);
	return pid;
}

static inline void doors_worker(struct doors *d, int i)
{
	char program[4200], data[400], *env[16];
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	d->at[i] = (struct sockaddr_un){.sun_family = AF_UNIX};
	strcpy(d->at[i].sun_path, d->dir);
	strcat(d->at[i].sun_path, i ? "/b" : "/a");
	if (s < 0 || bind(s, (struct sockaddr *)&d->at[i], sizeof d->at[i]) != 0 || listen(s, 512) != 0)
		doors_die(d->at[i].sun_path);
	doors_program(d, "tus-fcgi", program);
	doors_env(d, data, env);
	d->worker[i] = doors_spawn(program, s, -1, env);
	close(s);
}

static inline void doors_open(struct doors *d, const char *top, int lock_wait_ms)
{
	*d = (struct doors){0};
	signal(SIGPIPE, SIG_IGN);
	snprintf(d->dir, sizeof d->dir, "%.60s/doors-XXXXXX", strlen(top) <= 60 ? top : "/tmp");
	if (!mkdtemp(d->dir))
		doors_die(d->dir);
	snprintf(d->data, sizeof d->data, "%.80s/data", d->dir);
	snprintf(d->wait, sizeof d->wait, "LOCK_WAIT_MS=%d", lock_wait_ms);
	ssize_t n = readlink("/proc/self/exe", d->bin, sizeof d->bin - 16);
	if (n <= 0)
		doors_die("/proc/self/exe");
	d->bin[n] = '\0';
	strcpy(strrchr(d->bin, '/'), "/../..");
	for (int i = 0; i < 2; i++)
		doors_worker(d, i);
}

static inline int doors_unlink(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static inline void doors_close(struct doors *d)
{
	for (int i = 0; i < 2; i++) {
		kill(d->worker[i], SIGCONT);
		kill(d->worker[i], SIGTERM);
	}
	for (int i = 0; i < 2; i++)
		waitpid(d->worker[i], NULL, 0);
	nftw(d->dir, doors_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- FastCGI records ---- */

static inline void doors_put(int fd, const void *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);
		if (w <= 0)
			return;                  /* the peer has ended it: its answer tells */
		p = (const char *)p + w;
		n -= (size_t)w;
	}
}

static inline void doors_record(int fd, int type, const void *p, size_t n)
{
	char out[8 + 65536 + 8] = {1, (char)type, 0, 1, (char)(n >> 8), (char)n, (char)(-n & 7), 0};
	if (n)
		memcpy(out + 8, p, n);
	doors_put(fd, out, 8 + n + (-n & 7));
}

static inline size_t doors_param(char *out, const char *pair)
{
	size_t a = strcspn(pair, "="), b = strlen(pair) - a - 1;
	out[0] = (char)a;
	out[1] = (char)b;
	memcpy(out + 2, pair, a);
	memcpy(out + 2 + a, pair + a + 1, b);
	return 2 + a + b;
}

static inline bool doors_get(int fd, void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, (char *)p + got, n - got, 0);
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

/* ---- requests ---- */

static inline void doors_connect(const struct doors *d, struct asked *r, char *const *vars)
{
	char params[2048];
	size_t n = 0;
	const struct timeval patience = {.tv_sec = DOORS_PATIENCE_S};
	r->in = r->out = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (connect(r->in, (const struct sockaddr *)&d->at[r->door], sizeof d->at[0]) != 0)
		doors_die("connect");
	setsockopt(r->in, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	for (int i = 0; vars[i]; i++)
		n += doors_param(params + n, vars[i]);
	doors_record(r->in, 1, "\0\1\0\0\0\0\0\0", 8);
	doors_record(r->in, 4, params, n);
	doors_record(r->in, 4, "", 0);
}

static inline void doors_cgi(const struct doors *d, struct asked *r, char *const *vars)
{
	char program[4200], data[400], *env[40];
	int in[2], out[2], n = doors_env(d, data, env);
	for (int i = 0; vars[i]; i++)
		env[n++] = vars[i];
	env[n] = NULL;
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		doors_die("pipe");
	doors_program(d, "upload.cgi", program);
	r->pid = doors_spawn(program, in[0], out[1], env);
	close(in[0]);
	close(out[1]);
	r->in = in[1];
	r->out = out[0];
}

/* A request without its body. offset and upload_length: -1 if not to be sent. */
static inline struct asked doors_ask(const struct doors *d, enum door door, const char *method, const char *uri, int64_t length, int64_t offset,
	int64_t upload_length)
{
	struct asked r = {.door = door};
	char m[64], u[256], l[64], o[64], ul[64], *vars[16] = {m, u, l, "GATEWAY_INTERFACE=CGI/1.1", "SERVER_NAME=localhost", "HTTP_HOST=localhost",
		"HTTP_TUS_RESUMABLE=1.0.0", "CONTENT_TYPE=application/offset+octet-stream"};
	int n = 8;
	snprintf(m, sizeof m, "REQUEST_METHOD=%s", method);
	snprintf(u, sizeof u, "REQUEST_URI=%s", uri);
	snprintf(l, sizeof l, "CONTENT_LENGTH=%lld", (long long)length);
	snprintf(o, sizeof o, "HTTP_UPLOAD_OFFSET=%lld", (long long)offset);
	snprintf(ul, sizeof ul, "HTTP_UPLOAD_LENGTH=%lld", (long long)upload_length);
	if (offset >= 0)
		vars[n++] = o;
	if (upload_length >= 0)
		vars[n++] = ul;
	vars[n] = NULL;
	if (door == DOOR_CGI)
		doors_cgi(d, &r, vars);
	else
		doors_connect(d, &r, vars);
	return r;
}

/* At most 65535 bytes of its body. */
static inline void doors_send(const struct asked *r, const void *p, size_t n)
{
	if (r->door == DOOR_CGI)
		doors_put(r->in, p, n);
	else
		doors_record(r->in, 5, p, n);
}

static inline void doors_read_records(int fd, char *text, size_t max)
{
	unsigned char h[8];
	char piece[65536 + 256];
	size_t n = 0;
	bool whole = false;
	while (!whole && doors_get(fd, h, 8)) {
		size_t len = (size_t)h[4] << 8 | h[5];
		if (!doors_get(fd, piece, len + h[6]))
			break;
		if (h[1] == 6 && n + len < max) {
			memcpy(text + n, piece, len);
			n += len;
		}
		whole = h[1] == 3;
	}
	text[whole ? n : 0] = '\0';
}

static inline void doors_read_pipe(int fd, char *text, size_t max)
{
	size_t n = 0;
	ssize_t got;
	while (n < max - 1 && (got = read(fd, text + n, max - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
}

/* Reads the answer to its end and closes. */
static inline void doors_answer(struct asked *r, struct told *t)
{
	if (r->door == DOOR_CGI)
		doors_read_pipe(r->out, t->text, sizeof t->text);
	else
		doors_read_records(r->out, t->text, sizeof t->text);
	const char *at = strstr(t->text, "\r\nUpload-Offset: ");
	t->status = strncmp(t->text, "Status: ", 8) == 0 ? atoi(t->text + 8) : 0;
	t->offset = at ? atoll(at + 17) : -1;
	close(r->in);
	if (r->door == DOOR_CGI) {
		close(r->out);
		waitpid(r->pid, NULL, 0);
	}
}

static inline void doors_do(const struct doors *d, enum door door, const char *method, const char *uri, struct told *t)
{
	struct asked r = doors_ask(d, door, method, uri, 0, -1, -1);
	doors_send(&r, "", 0);
	doors_answer(&r, t);
}

/* A new upload; its path. */
static inline void doors_create_at(const struct doors *d, enum door door, int64_t length, char uri[128])
{
	struct told t;
	struct asked r = doors_ask(d, door, "POST", "/files/", 0, -1, length);
	doors_send(&r, "", 0);
	doors_answer(&r, &t);
	const char *at = strstr(t.text, "\r\nLocation: ");
	if (t.status != 201 || !at) {
		fprintf(stderr, "POST: %s\n", t.text);
		exit(3);
	}
	snprintf(uri, 128, "%.*s", (int)strcspn(at + 12, "\r"), at + 12);
}

static inline void doors_create(const struct doors *d, int64_t length, char uri[128])
{
	doors_create_at(d, DOOR_A, length, uri);
}

/* ---- the part file; a test has one upload at a time ---- */

static char doors_part_name[512];

static inline int doors_part_look(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)f;
	size_t n = strlen(path);
	if (flag != FTW_F || n < 5 || strcmp(path + n - 5, ".part") != 0)
		return 0;
	snprintf(doors_part_name, sizeof doors_part_name, "%s", path);
	return 1;
}

/* Its bytes, at most max; -1: there is none. */
static inline ssize_t doors_part(const struct doors *d, char *out, size_t max)
{
	char dir[400];
	snprintf(dir, sizeof dir, "%s/tus_uploads", d->data);
	if (nftw(dir, doors_part_look, 16, FTW_PHYS) != 1)
		return -1;
	int fd = open(doors_part_name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, max) : -1;
	if (fd >= 0)
		close(fd);
	return n;
}

/* Waits until the part file has n bytes. */
static inline void doors_part_wait(const struct doors *d, ssize_t n)
{
	static char piece[1 << 17];
	for (int64_t end = clock_mono_us() + DOORS_PATIENCE_S * 1000000; doors_part(d, piece, sizeof piece) < n; usleep(100))
		if (clock_mono_us() > end) {
			fprintf(stderr, "the bytes do not arrive\n");
			exit(3);
		}
}

/* Stops a worker, and waits until it has stopped. */
static inline void doors_freeze(const struct doors *d, int i)
{
	int status;
	kill(d->worker[i], SIGSTOP);
	if (waitpid(d->worker[i], &status, WUNTRACED) != d->worker[i] || !WIFSTOPPED(status))
		doors_die("the worker does not stop");
}

#endif
