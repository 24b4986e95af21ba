/*
 * pool_kit.h - a pool of the real program in a scratch folder, and a web server of a few lines that talks FastCGI records to it.
 */
#ifndef TESTS_POOL_KIT_H
#define TESTS_POOL_KIT_H

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store_kit.h"

#define PATIENCE_MS 20000       /* for what must happen at once: only a broken program waits so long */

struct pool {
	char dir[200], socket[100], log[300], file[300];
	const char *const *env;
	pid_t pid;
};

static inline const char *pool_program(void)
{
	static char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	assert_true(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../../tus-fcgi");
	return path;
}

static inline void pool_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

/* The text of a file: free it. */
static inline char *pool_read(const char *path)
{
	struct stat st = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) < 0)
		st.st_size = 0;
	char *text = calloc(1, (size_t)st.st_size + 1);
	if (st.st_size > 0 && read(fd, text, (size_t)st.st_size) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	return text;
}

/* How many lines of the log have this. */
static inline int pool_lines(const struct pool *p, const char *what)
{
	char *text = pool_read(p->log);
	int n = 0;
	for (const char *s = text; (s = strstr(s, what)); s += strlen(what))
		n++;
	free(text);
	return n;
}

#define UNTIL(what, condition) do { \
	int64_t end_ = clock_mono_us() + PATIENCE_MS * 1000; \
	while (!(condition)) { \
		if (clock_mono_us() > end_) \
			fail_msg("in vain: %s", what); \
		usleep(2000); \
	} \
} while (0)

static inline void pool_hears(const struct pool *p, const char *what, int times)
{
	UNTIL(what, pool_lines(p, what) >= times);
}

/* Starts a supervisor in p->dir; the log goes on. */
static inline void pool_spawn(struct pool *p)
{
	char data[300], file[320];
	char *env[24] = {data, "MIN_FREE_SPACE=0", "ENVIRONMENT=development", "LOG_LEVEL=info", "REAP_INTERVAL=0"};
	char *argv[] = {(char *)pool_program(), "--serve", NULL};
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none;
	int n = 5;
	snprintf(data, sizeof data, "DATA_DIR=%s", p->dir);
	snprintf(file, sizeof file, "CONFIG_FILE=%s", p->file);
	if (access(p->file, F_OK) == 0)
		env[n++] = file;
	for (int i = 0; p->env && p->env[i]; i++)
		env[n++] = (char *)p->env[i];
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 2, p->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawnattr_init(&at);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETSIGMASK);
	assert_int_equal(posix_spawn(&p->pid, argv[0], &fa, &at, argv, env), 0);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
}

/* A number that a file in run/ holds, 0 if there is none. */
static inline pid_t pool_pid(const struct pool *p, const char *name)
{
	char path[400];
	snprintf(path, sizeof path, "%s/run/%s.pid", p->dir, name);
	char *text = pool_read(path);
	pid_t pid = (pid_t)atoi(text);
	free(text);
	return pid;
}

/* The same, once it is there: a pool serves as soon as its first process does, and 0 would be our own process group. */
static inline pid_t pool_member(const struct pool *p, const char *name)
{
	UNTIL(name, pool_pid(p, name) > 0);
	return pool_pid(p, name);
}

/* 'R', 'S', 'T'... of a process or thread as its stat file (which has no size) tells; 0: it is gone. */
static inline char pool_state(const char *stat_file)
{
	char text[512] = "";
	int fd = open(stat_file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
	const char *at = strrchr(text, ')');
	if (fd >= 0)
		close(fd);
	return n > 0 && at && at[1] ? at[2] : 0;
}

static inline bool pool_gone(pid_t pid)
{
	return kill(pid, 0) < 0;
}

/* Ends the supervisor; its exit status as of waitpid. */
static inline int pool_stop(struct pool *p, int sig)
{
	int status = -1;
	kill(p->pid, sig);
	UNTIL("the supervisor ends", waitpid(p->pid, &status, WNOHANG) == p->pid);
	p->pid = 0;
	return status;
}

static inline struct pool *pool_blank(void)
{
	struct pool *p = calloc(1, sizeof *p);
	char dir[256];
	kit_dir(dir);
	snprintf(p->dir, sizeof p->dir, "%.199s", dir);
	assert_true(snprintf(p->socket, sizeof p->socket, "%.80s/run/tus.sock", p->dir) < 96);
	snprintf(p->log, sizeof p->log, "%s/log", p->dir);
	snprintf(p->file, sizeof p->file, "%s/settings.json", p->dir);
	return p;
}

static inline void pool_done(struct pool *p)
{
	if (p->pid)
		pool_stop(p, SIGTERM);
	kit_rmdir(p->dir);
	free(p);
}

/* ---- a web server ---- */

static inline bool peer_put(int fd, const void *p, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t w = send(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
		if (w <= 0)
			return false;
		done += (size_t)w;
	}
	return true;
}

static inline bool peer_record(int fd, int type, const void *p, size_t n)
{
	unsigned char h[8] = {1, (unsigned char)type, 0, 1, (unsigned char)(n >> 8), (unsigned char)n};
	return peer_put(fd, h, sizeof h) && peer_put(fd, p, n);
}

/* Waits until somebody has read all that was sent. */
static inline void peer_taken(int fd)
{
	int left = 1;
	UNTIL("what was sent is read", ioctl(fd, TIOCOUTQ, &left) == 0 && left == 0);
}

static inline int peer_connect(const struct pool *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(a.sun_path, sizeof a.sun_path, "%s", p->socket);
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		close(fd);
		return -1;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	return fd;
}

static inline size_t peer_param(char *out, const char *name, const char *value)
{
	size_t a = strlen(name), b = strlen(value);
	assert_true(a < 128 && b < 128);
	out[0] = (char)a;
	out[1] = (char)b;
	memcpy(out + 2, name, a);
	memcpy(out + 2 + a, value, b);
	return 2 + a + b;
}

/* A request without its body. length < 0: CONTENT_LENGTH is empty, as nginx sends it. more: NAME, value, ..., NULL. */
static inline int peer_ask(const struct pool *p, const char *method, const char *uri, int64_t length, const char *const *more)
{
	char params[2048], text[32] = "";
	size_t n = 0;
	int fd = peer_connect(p);
	if (fd < 0)
		return -1;
	if (length >= 0)
		snprintf(text, sizeof text, "%lld", (long long)length);
	peer_record(fd, 1, "\0\1\0\0\0\0\0\0", 8);
	n += peer_param(params + n, "REQUEST_METHOD", method);
	n += peer_param(params + n, "REQUEST_URI", uri);
	n += peer_param(params + n, "CONTENT_LENGTH", text);
	n += peer_param(params + n, "HTTP_HOST", "localhost");
	n += peer_param(params + n, "REMOTE_ADDR", "127.0.0.1");
	n += peer_param(params + n, "HTTP_TUS_RESUMABLE", "1.0.0");
	for (int i = 0; more && more[i]; i += 2)
		n += peer_param(params + n, more[i], more[i + 1]);
	peer_record(fd, 4, params, n);
	peer_record(fd, 4, "", 0);
	return fd;
}

static inline bool peer_get(int fd, void *p, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t r = recv(fd, (char *)p + got, n - got, 0);
		if (r <= 0)
			return false;
		got += (size_t)r;
	}
	return true;
}

struct answer {
	int status;                 /* 0: it broke off */
	char text[65536];
};

static inline void peer_answer(int fd, struct answer *a)
{
	unsigned char h[8] = {0};
	char skip[65536 + 256];
	size_t n = 0;
	while (h[1] != 3 && peer_get(fd, h, 8)) {
		size_t len = (size_t)h[4] << 8 | h[5];
		bool keep = h[1] == 6 && n + len < sizeof a->text;
		if (!peer_get(fd, keep ? a->text + n : skip, len) || !peer_get(fd, skip, h[6]))
			break;
		n += keep ? len : 0;
	}
	a->text[n] = '\0';
	a->status = h[1] == 3 && strncmp(a->text, "Status: ", 8) == 0 ? atoi(a->text + 8) : 0;
	close(fd);
}

/* One request with the whole body. */
static inline int peer_do(const struct pool *p, struct answer *a, const char *method, const char *uri, const char *body, const char *const *more)
{
	size_t n = body ? strlen(body) : 0;
	a->status = 0;
	int fd = peer_ask(p, method, uri, (int64_t)n, more);
	if (fd < 0)
		return -1;
	if (n)
		peer_record(fd, 5, body, n);
	peer_record(fd, 5, "", 0);
	peer_answer(fd, a);
	return a->status;
}
#define MORE(...) (const char *const[]){__VA_ARGS__, NULL}

/* A header of the answer as a number, -1 if there is none. */
static inline int64_t peer_number(const struct answer *a, const char *name)
{
	const char *at = strcasestr(a->text, name);
	return at ? atoll(at + strlen(name) + 1) : -1;
}

/* A new upload; its path. */
static inline void peer_create(const struct pool *p, int64_t length, char url[64])
{
	static struct answer a;
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)length);
	assert_int_equal(peer_do(p, &a, "POST", "/files/", NULL, MORE("HTTP_UPLOAD_LENGTH", text)), 201);
	const char *at = strstr(a.text, "/files/_");
	assert_non_null(at);
	snprintf(url, 64, "%.*s", (int)strcspn(at, "\r\n"), at);
}

/* A PATCH whose body has not come yet. */
static inline int peer_patch(const struct pool *p, const char *url, int64_t offset, int64_t length)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)offset);
	return peer_ask(p, "PATCH", url, length, MORE("HTTP_UPLOAD_OFFSET", text, "CONTENT_TYPE", "application/offset+octet-stream"));
}

static inline int64_t peer_offset(const struct pool *p, const char *url)
{
	static struct answer a;
	assert_int_equal(peer_do(p, &a, "HEAD", url, NULL, NULL), 200);
	return peer_number(&a, "Upload-Offset:");
}

#endif
