/*
 * test_cgi.c - the plain CGI program as a web server runs it: one process a request, several of them on one upload.
 *
 * The program is the one beside this test's own build folder (UPLOAD_CGI names another one).
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "store_kit.h"
#include "long_form.h"

#define PATIENCE_MS 20000       /* for what must happen at once: only a broken program waits so long */
#define LOCK_WAIT_MS 10000      /* of the program: who must wait for a lock is seen */
#define SOON_MS 3000

struct scene {
	char dir[256], data[300];
	char upload[64];            /* its path */
};

struct run {
	pid_t pid;
	int in, out;
	char text[16384];           /* the answer */
};

static const char *program(void)
{
	static char path[4096];
	const char *given = getenv("UPLOAD_CGI");
	if (given && *given)
		return given;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	assert_true(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../../upload.cgi");
	return path;
}

/* ---- a web server ---- */

#define VARS 12

/* more: further variables "NAME=VALUE", NULL-terminated. */
static struct run start(const struct scene *s, const char *method, const char *uri, int length, const char *const *more)
{
	char data[400], m[64], u[256], l[64];
	char *env[VARS + 8] = {data, m, u, l, "GATEWAY_INTERFACE=CGI/1.1", "SERVER_NAME=localhost", "HTTP_HOST=localhost"};
	char *argv[] = {(char *)program(), NULL};
	int n = 7, in[2], out[2];
	struct run r = {0};
	posix_spawn_file_actions_t fa;
	snprintf(data, sizeof data, "DATA_DIR=%s", s->data);
	snprintf(m, sizeof m, "REQUEST_METHOD=%s", method);
	snprintf(u, sizeof u, "REQUEST_URI=%s", uri);
	snprintf(l, sizeof l, "CONTENT_LENGTH=%d", length);
	static const char *const own[] = {"HTTP_TUS_RESUMABLE=1.0.0", "LOCK_WAIT_MS=10000", "LOG_LEVEL=error", "MIN_FREE_SPACE=0",
		"ENVIRONMENT=development"};
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		env[n++] = (char *)own[i];
	for (int i = 0; more && more[i]; i++) {
		assert_true(n < VARS + 7);
		env[n++] = (char *)more[i];
	}
	assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in[0], 0);
	posix_spawn_file_actions_adddup2(&fa, out[1], 1);
	assert_int_equal(posix_spawn(&r.pid, argv[0], &fa, NULL, argv, env), 0);
	posix_spawn_file_actions_destroy(&fa);
	close(in[0]);
	close(out[1]);
	r.in = in[1];
	r.out = out[0];
	return r;
}
#define START(s, method, uri, length, ...) start(s, method, uri, length, (const char *const[]){__VA_ARGS__ __VA_OPT__(,) NULL})

/* Waits until the process has taken everything from the pipe: then it holds what it writes. */
static void send_read(struct run *r, size_t n)
{
	char piece[4096];
	int left = 1;
	memset(piece, 'a', sizeof piece);
	assert_true(n <= sizeof piece);
	assert_int_equal(write(r->in, piece, n), (ssize_t)n);
	for (int64_t end = clock_mono_us() + PATIENCE_MS * 1000; left > 0; usleep(500)) {
		assert_int_equal(ioctl(r->in, FIONREAD, &left), 0);
		assert_true(clock_mono_us() < end);
	}
}

/* Reads the answer to its end, which comes while standard input is still open. Gives the status. */
static int answer(struct run *r)
{
	struct pollfd p = {.fd = r->out, .events = POLLIN};
	size_t n = 0;
	ssize_t got;
	int status;
	bool ended;
	while ((ended = poll(&p, 1, PATIENCE_MS) == 1) && (got = read(r->out, r->text + n, sizeof r->text - 1 - n)) > 0)
		n += (size_t)got;
	r->text[n] = '\0';
	close(r->out);
	if (!ended) {
		kill(r->pid, SIGKILL);
		fail_msg("does not end after: %s", r->text);
	}
	assert_int_equal(waitpid(r->pid, &status, 0), r->pid);
	close(r->in);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || strncmp(r->text, "Status: ", 8) != 0)
		fail_msg("wait status %d: %s", status, r->text);
	return atoi(r->text + 8);
}

static int answered(struct run r)
{
	return answer(&r);
}

static void expect_line(const struct run *r, const char *line)
{
	if (!strstr(r->text, line))
		fail_msg("no '%s' in: %s", line, r->text);
}

/* ---- a scene: one upload of 100 bytes ---- */

static int opened(void **state)
{
	struct scene *s = calloc(1, sizeof *s);
	signal(SIGPIPE, SIG_IGN);
	kit_dir(s->dir);
	snprintf(s->data, sizeof s->data, "%s/data", s->dir);
	struct run r = START(s, "POST", "/files/", 0, "HTTP_UPLOAD_LENGTH=100");
	assert_int_equal(answer(&r), 201);
	const char *at = strstr(r.text, "/files/_");
	assert_non_null(at);
	snprintf(s->upload, sizeof s->upload, "%.*s", (int)strcspn(at, "\r\n"), at);
	*state = s;
	return 0;
}

static int closed(void **state)
{
	struct scene *s = *state;
	kit_rmdir(s->dir);
	free(s);
	return 0;
}

static struct run patch(const struct scene *s, int offset, int length)
{
	char at[64];
	snprintf(at, sizeof at, "HTTP_UPLOAD_OFFSET=%d", offset);
	return START(s, "PATCH", s->upload, length, at, "CONTENT_TYPE=application/offset+octet-stream");
}

/* A PATCH whose client has sent 40 bytes and is silent now. */
static struct run silent(const struct scene *s)
{
	struct run r = patch(s, 0, 100);
	send_read(&r, 40);
	return r;
}

static int64_t now_ms(void)
{
	return clock_mono_us() / 1000;
}

/* ---- the tests ---- */

static void second_patch_takes_over(void **state)
{
	const struct scene *s = *state;
	struct run first = silent(s);
	int64_t from = now_ms();
	struct run second = patch(s, 0, 100);
	send_read(&second, 100);
	assert_int_equal(answer(&second), 204);
	expect_line(&second, "Upload-Offset: 100\r\n");
	assert_int_equal(answer(&first), 409);
	assert_true(now_ms() - from < SOON_MS);
}

static void delete_takes_over(void **state)
{
	const struct scene *s = *state;
	struct run first = silent(s);
	int64_t from = now_ms();
	assert_int_equal(answered(START(s, "DELETE", s->upload, 0)), 204);
	assert_int_equal(answer(&first), 409);
	assert_true(now_ms() - from < SOON_MS);
	assert_int_equal(answered(START(s, "HEAD", s->upload, 0)), 410);
}

static void head_tells_what_came(void **state)
{
	const struct scene *s = *state;
	struct run first = silent(s);
	int64_t from = now_ms();
	struct run head = START(s, "HEAD", s->upload, 0);
	assert_int_equal(answer(&head), 200);
	expect_line(&head, "Upload-Offset: 40\r\n");
	assert_int_equal(answer(&first), 409);
	assert_true(now_ms() - from < SOON_MS);
	expect_line(&first, "Upload-Offset: 40\r\n");
	struct run rest = patch(s, 40, 60);
	send_read(&rest, 60);
	assert_int_equal(answer(&rest), 204);
	expect_line(&rest, "Upload-Offset: 100\r\n");
}

/* Whoever is silent for too long is cut by us: what came is kept, and the client may go on. A form is told the same. TEST_ALL=1: it takes a second. */
static void a_silent_client_is_told_so(void **state)
{
	const struct scene *s = *state;
	long_form();
	struct run r = START(s, "PATCH", s->upload, 100, "HTTP_UPLOAD_OFFSET=0", "CONTENT_TYPE=application/offset+octet-stream", "READ_TIMEOUT=1");
	struct run form = START(s, "POST", "/upload/chunk", 100, "CONTENT_TYPE=multipart/form-data; boundary=b", "READ_TIMEOUT=1");
	send_read(&r, 40);
	assert_int_equal(write(form.in, "--b\r\nContent-", 13), 13);
	assert_int_equal(answer(&r), 503);
	expect_line(&r, "\"code\":\"body_too_slow\"");
	expect_line(&r, "Retry-After: ");
	assert_int_equal(answer(&form), 503);
	expect_line(&form, "\"code\":\"body_too_slow\"");
	struct run head = START(s, "HEAD", s->upload, 0);
	assert_int_equal(answer(&head), 200);
	expect_line(&head, "Upload-Offset: 40\r\n");
}

/* A limit on file sizes comes as a signal unless that is ignored. */
static void file_limit_is_an_answer(void **state)
{
	const struct scene *s = *state;
	struct rlimit old, low = {.rlim_cur = 1 << 20};
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	low.rlim_max = old.rlim_max;
	struct run big = START(s, "POST", "/files/", 0, "HTTP_UPLOAD_LENGTH=8000000");
	assert_int_equal(answer(&big), 201);
	char uri[64];
	const char *at = strstr(big.text, "/files/_");
	snprintf(uri, sizeof uri, "%.*s", (int)strcspn(at, "\r\n"), at);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	struct run r = START(s, "PATCH", uri, 3 << 20, "HTTP_UPLOAD_OFFSET=0", "CONTENT_TYPE=application/offset+octet-stream");
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	static char piece[3 << 20];
	for (size_t n = 0; n < sizeof piece;) {
		ssize_t w = write(r.in, piece + n, sizeof piece - n);
		if (w <= 0)
			break;
		n += (size_t)w;
	}
	assert_int_equal(answer(&r), 507);
	struct run head = START(s, "HEAD", uri, 0);
	assert_int_equal(answer(&head), 200);
	expect_line(&head, "Upload-Offset: 1048576\r\n");
}

#define T(f) cmocka_unit_test_setup_teardown(f, opened, closed)

int main(void)
{
	const struct CMUnitTest tests[] = {T(second_patch_takes_over), T(delete_takes_over), T(head_tells_what_came), T(a_silent_client_is_told_so), T(file_limit_is_an_answer)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
