/*
 * test_slow.c - clients and web servers that are slow, silent or half gone: what they hold comes back, and nobody else waits for them.
 * TEST_ALL=1: also what must wait for several seconds.
 */
#include "pool_scene.h"
#include "long_form.h"

#include <sys/time.h>

/* The long forms: TEST_ALL=1. */
static bool all(void)
{
	const char *v = getenv("TEST_ALL");
	return v && *v;
}

static int64_t ms_since(int64_t us)
{
	return (clock_mono_us() - us) / 1000;
}

/* How many of fds have an answer or were closed. */
static int ended(const int *fds, int n)
{
	int count = 0;
	for (int i = 0; i < n; i++) {
		struct pollfd f = {.fd = fds[i], .events = POLLIN};
		count += poll(&f, 1, 0) > 0;
	}
	return count;
}

/* ---- bodies ---- */

/* What a client learns that was too slow: it may try again. */
static void told_too_slow(int fd)
{
	peer_answer(fd, &a);
	if (a.status != 503 || !strstr(a.text, "\"code\":\"body_too_slow\"") || peer_number(&a, "Retry-After:") <= 0)
		fail_msg("%s", a.text);
}

/* Where else a body may stop. */
static const struct { const char *method, *uri, *type, *body; } stopped[] = {
	{"PUT", "/upload/x.bin", "text/plain", "abc"},
	{"POST", "/chunked-upload/init", "application/json", "{\"file"},
	{"POST", "/upload/chunk", "multipart/form-data; boundary=b", "--b\r\nContent-Disp"},
	{"POST", "/upload/chunk", "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"session_id\"\r\n\r\nrec\r\n"
		"--b\r\nContent-Disposition: form-data; name=\"chunk_index\"\r\n\r\n0\r\n"
		"--b\r\nContent-Disposition: form-data; name=\"chunk\"; filename=\"c\"\r\n\r\nabc"},
};

static void a_silent_body_is_cut_and_kept(void **state)
{
	enum { STOPPED = sizeof stopped / sizeof *stopped };
	(void)state;
	char url[64];
	int fds[STOPPED];
	SERVE(NULL, "WORKERS=1", "READ_TIMEOUT=1");
	peer_create(p, 10, url);
	int64_t from = clock_mono_us();
	int fd = peer_patch(p, url, 0, 10);
	peer_record(fd, 5, "0123", 4);
	for (int i = 0; i < STOPPED; i++) {
		fds[i] = peer_ask(p, stopped[i].method, stopped[i].uri, 1000, MORE("HTTP_UPLOAD_LENGTH", "1000", "CONTENT_TYPE", stopped[i].type));
		peer_record(fds[i], 5, stopped[i].body, strlen(stopped[i].body));
	}
	told_too_slow(fd);
	assert_in_range(ms_since(from), 900, 4000);
	for (int i = 0; i < STOPPED; i++)
		told_too_slow(fds[i]);
	assert_int_equal(peer_offset(p, url), 4);
	assert_int_equal(peer_do(p, &a, "GET", "/api/verify/rec/0", NULL, NULL), 200);
	assert_null(strstr(a.text, "\"exists\":true"));
	if (!all())
		return;
	/* half a record is no better */
	fd = peer_patch(p, url, 4, 6);
	peer_put(fd, "\1\5\0\1\0\6\0\0" "45", 10);
	told_too_slow(fd);
	assert_int_equal(peer_offset(p, url), 6);
}

static void a_pause_is_no_silence(void **state)
{
	(void)state;
	char url[64];
	long_form();
	SERVE(NULL, "WORKERS=1", "READ_TIMEOUT=2", "MIN_RATE=1");
	peer_create(p, 10, url);
	int fd = peer_patch(p, url, 0, 10);
	for (int i = 0; i < 5; i++) {
		peer_record(fd, 5, "01", 2);
		usleep(600000);
	}
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(peer_offset(p, url), 10);
}

static void a_trickle_is_cut_and_kept(void **state)
{
	(void)state;
	char url[64];
	SERVE(NULL, "WORKERS=1", "READ_TIMEOUT=1", "MIN_RATE=1000");
	peer_create(p, 1000000, url);
	int64_t from = clock_mono_us(), sent = 0;
	int fd = peer_patch(p, url, 0, 1000000);
	struct pollfd f = {.fd = fd, .events = POLLIN};
	while (poll(&f, 1, 50) == 0 && ms_since(from) < PATIENCE_MS)
		sent += peer_record(fd, 5, "0123456789", 10) ? 10 : 0;
	told_too_slow(fd);
	assert_in_range(ms_since(from), 1500, 6000);
	assert_in_range(peer_offset(p, url), 200, sent);
}

/* 20 KB a second and a pause between: a recorder on a bad network. */
static void a_slow_body_is_let_be(void **state)
{
	(void)state;
	char url[64], piece[2000] = {0};
	long_form();
	SERVE(NULL, "WORKERS=1", "READ_TIMEOUT=1", "MIN_RATE=1000");
	peer_create(p, 80000, url);
	int fd = peer_patch(p, url, 0, 80000);
	for (int i = 0; i < 40; i++) {
		assert_true(peer_record(fd, 5, piece, sizeof piece));
		usleep(i % 20 == 10 ? 700000 : 100000);
	}
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(peer_offset(p, url), 80000);
}

/* A machine that slept, a container that was frozen: the client's time begins when we go on. */
static void a_process_that_stood_still_cuts_nobody(void **state)
{
	(void)state;
	char url[64];
	long_form();
	SERVE(NULL, "WORKERS=1", "READ_TIMEOUT=2");
	peer_create(p, 10, url);
	int fd = peer_patch(p, url, 0, 10);
	peer_record(fd, 5, "01234", 5);
	peer_taken(fd);
	kill(pool_member(p, "worker-0"), SIGSTOP);
	usleep(3500000);
	kill(pool_member(p, "worker-0"), SIGCONT);
	usleep(500000);
	peer_record(fd, 5, "56789", 5);
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	assert_int_equal(peer_offset(p, url), 10);
}

/* ---- answers ---- */

static void who_takes_no_answer_is_left(void **state)
{
	(void)state;
	enum { SIZE = 8 << 20 };
	char url[64], *piece;
	long_form();
	piece = calloc(1, 60000);
	SERVE(NULL, "WORKERS=1", "SEND_TIMEOUT=1", "THREADS=4", "RESERVE_THREADS=3");
	peer_create(p, SIZE, url);
	int fd = peer_patch(p, url, 0, SIZE);
	for (int left = SIZE; left > 0; left -= 60000)
		peer_record(fd, 5, piece, left < 60000 ? (size_t)left : 60000);
	peer_record(fd, 5, "", 0);
	peer_answer(fd, &a);
	assert_int_equal(a.status, 204);
	/* the one thread for downloads sends to somebody who does not read */
	fd = peer_ask(p, "GET", url, 0, NULL);
	peer_record(fd, 5, "", 0);
	UNTIL("the download has the slot", peer_do(p, &a, "GET", url, NULL, NULL) == 503);
	UNTIL("and gives it back", peer_do(p, &a, "GET", url, NULL, NULL) == 200);
	close(fd);
	free(piece);
}

/* ---- the reserve ---- */

/* One way to keep a thread busy for nothing. */
enum { SLOTS = 4, CROWD = 40 };
static const struct { const char *what, *method, *uri; int64_t length; const char *type, *body; } holds[] = {
	{"a PATCH that says nothing", "PATCH", NULL, 1000, "application/offset+octet-stream", ""},
	{"a PATCH of unknown length", "PATCH", NULL, -1, "application/offset+octet-stream", "x"},
	{"JSON that does not come", "POST", "/chunked-upload/init", 1000, "application/json", ""},
	{"JSON that stops", "POST", "/chunked-upload/init", 1000, "application/json", "{\"file"},
	{"a form that does not come", "POST", "/upload/chunk", 1000, "multipart/form-data; boundary=b", ""},
	{"a form that stops", "POST", "/upload/chunk", 1000, "multipart/form-data; boundary=b", "--b\r\nContent-Disp"},
	{"a creation whose data does not come", "POST", "/files/", 1000, "application/offset+octet-stream", ""},
	{"a body for a route that has none", "GET", "/health", 1000, "text/plain", ""},
	{"a body for nothing", "POST", "/nowhere", 1000, "text/plain", "x"},
	{"a DELETE with a body", "DELETE", "/files/_0123456789abcdefghijkl", 1000, "text/plain", "x"},
};

static int hold_one(size_t kind, const char *url, int64_t offset)
{
	char text[32];
	snprintf(text, sizeof text, "%lld", (long long)offset);
	int fd = peer_ask(p, holds[kind].method, holds[kind].uri ? holds[kind].uri : url, holds[kind].length,
		MORE("HTTP_UPLOAD_OFFSET", text, "HTTP_UPLOAD_LENGTH", "1000", "CONTENT_TYPE", holds[kind].type));
	if (fd >= 0 && holds[kind].body[0])
		peer_record(fd, 5, holds[kind].body, strlen(holds[kind].body));
	return fd;
}

static int64_t worst_us;

static void quick(const char *what, const char *method, const char *uri, const char *const *more, int want)
{
	int64_t from = clock_mono_us();
	if (peer_do(p, &a, method, uri, NULL, more) != want)
		fail_msg("%s: %s %s: %d %.300s", what, method, uri, a.status, a.text);
	int64_t us = clock_mono_us() - from;
	if (us > worst_us)
		worst_us = us;
	if (us > 1500000)
		fail_msg("%s: %s %s took %lld us", what, method, uri, (long long)us);
}

/* Short requests of others are answered whatever a crowd does. */
static void others_are_served(const char *what, const char *url)
{
	for (int i = 0; i < 10; i++) {
		quick(what, "HEAD", url, NULL, 200);
		quick(what, "GET", "/files/rec/status", NULL, 200);
		quick(what, "GET", "/api/verify/rec/0", NULL, 200);
		quick(what, "POST", "/files/", MORE("HTTP_UPLOAD_LENGTH", "10"), 201);
	}
}

static void silent_crowds_take_no_reserve(void **state)
{
	(void)state;
	char url[64], other[SLOTS][64];
	int fds[CROWD];
	SERVE(NULL, "WORKERS=1", "THREADS=8", "RESERVE_THREADS=4", "READ_TIMEOUT=2", "LOG_LEVEL=warning");
	peer_create(p, 1000, url);
	for (int i = 0; i < SLOTS; i++)
		peer_create(p, 100000, other[i]);
	assert_int_equal(peer_do(p, &a, "POST", "/files/rec/chunks/", NULL, MORE("HTTP_UPLOAD_LENGTH", "0", "HTTP_UPLOAD_METADATA", "chunkIndex MA==")), 201);
	for (size_t kind = 0; kind < sizeof holds / sizeof *holds; kind++) {
		for (int i = 0; i < CROWD; i++)
			fds[i] = hold_one(kind, other[i % SLOTS], 0);
		worst_us = 0;
		others_are_served(holds[kind].what, url);
		printf("%s: the slowest answer to others took %.1f ms\n", holds[kind].what, (double)worst_us / 1000);
		for (int i = 0; i < CROWD; i++)
			close(fds[i]);
		UNTIL("the slots come back", peer_do(p, &a, "PUT", "/upload/x.bin", "abc", NULL) == 201);
	}
}

/* The same, when nobody closes: time alone gives the slots back. */
static void slots_come_back_by_time(void **state)
{
	(void)state;
	char url[SLOTS][64];
	int fds[SLOTS];
	long_form();
	SERVE(NULL, "WORKERS=1", "THREADS=8", "RESERVE_THREADS=4", "READ_TIMEOUT=2");
	for (int i = 0; i < SLOTS; i++) {
		peer_create(p, 1000, url[i]);
		fds[i] = peer_patch(p, url[i], 0, 1000);
		peer_record(fds[i], 5, "01234", 5);
	}
	UNTIL("all slots are taken", peer_do(p, &a, "PUT", "/upload/x.bin", "abc", NULL) == 503);
	UNTIL("they come back", peer_do(p, &a, "PUT", "/upload/x.bin", "abc", NULL) == 201);
	UNTIL("with answers", ended(fds, SLOTS) == SLOTS);
	for (int i = 0; i < SLOTS; i++) {
		told_too_slow(fds[i]);
		assert_int_equal(peer_offset(p, url[i]), 5);
	}
}

/* ---- connections ---- */

static void silent_connections_take_no_reserve(void **state)
{
	(void)state;
	static const char half[] = {1, 1, 0, 1, 0, 8, 0};
	int fds[CROWD];
	char url[64];
	SERVE(NULL, "WORKERS=1", "THREADS=8", "RESERVE_THREADS=4", "LOG_LEVEL=warning");
	peer_create(p, 1000, url);
	for (int i = 0; i < CROWD; i++)
		fds[i] = peer_connect(p);
	/* each costs a free thread no more than a moment */
	int64_t from = clock_mono_us();
	assert_int_equal(peer_offset(p, url), 0);
	assert_in_range(ms_since(from), 0, 2500);
	UNTIL("they are closed", ended(fds, CROWD) == CROWD);
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
	if (!all())
		return;
	/* half a head */
	for (int i = 0; i < 4; i++) {
		fds[i] = peer_connect(p);
		peer_put(fds[i], half, sizeof half);
	}
	assert_int_equal(peer_offset(p, url), 0);
	from = clock_mono_us();
	UNTIL("they are closed, too", ended(fds, 4) == 4);
	assert_in_range(ms_since(from), 0, 8000);
	for (int i = 0; i < 4; i++)
		close(fds[i]);
	assert_int_equal(peer_offset(p, url), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_trickle_is_cut_and_kept), T(a_silent_body_is_cut_and_kept), T(a_pause_is_no_silence), T(a_slow_body_is_let_be),
		T(a_process_that_stood_still_cuts_nobody), T(who_takes_no_answer_is_left),
		T(silent_crowds_take_no_reserve), T(slots_come_back_by_time), T(silent_connections_take_no_reserve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
