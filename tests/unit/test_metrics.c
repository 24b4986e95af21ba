/* test_metrics.c - counters shared by processes: exact sums, layout changes, the text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"

static char folder[200], file[240];

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/tus-metrics-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/counters", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	return rmdir(folder);
}

static const char *route(int i)
{
	return i ? "/b\"\\" : "/files/{id}";
}

static const char *method(int i)
{
	static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"};

	return names[i];
}

static bool says(const struct metrics *m, const char *line)
{
	struct buf b;
	bool found;

	buf_init(&b, 1 << 20);
	metrics_text(m, &b, route, method);
	assert_false(b.failed);
	found = strstr(b.p, line) != NULL;
	buf_free(&b);
	return found;
}

#define PROCESSES 4
#define ROUNDS 20000

/* All processes wait at the pipe and then open, so that making the file is a race as well. */
static void parallel(void **state)
{
	struct metrics *m;
	int gate[2];
	char c;

	(void)state;
	assert_int_equal(pipe(gate), 0);
	for (int p = 0; p < PROCESSES; p++) {
		if (fork() == 0) {
			close(gate[1]);
			if (read(gate[0], &c, 1) != 0)
				_exit(1);
			m = metrics_open(file, 2);
			for (int i = 0; i < ROUNDS; i++) {
				metrics_add(m, M_BYTES_RECEIVED, 3);
				metrics_request(m, 1, 4, 204, 700, 0);
			}
			_exit(0);
		}
	}
	close(gate[0]);
	close(gate[1]);
	for (int p = 0; p < PROCESSES; p++) {
		int status;

		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	m = metrics_open(file, 2);
	assert_int_equal(metrics_get(m, M_BYTES_RECEIVED), 3 * PROCESSES * ROUNDS);
	assert_true(says(m, "waveforge_http_requests_total{route=\"/b\\\"\\\\\",method=\"PATCH\",status=\"204\"} 80000\n"));
	assert_true(says(m, "waveforge_http_request_duration_seconds_count{route=\"/b\\\"\\\\\"} 80000\n"));
	metrics_close(m);
}

static void survives_and_is_replaced(void **state)
{
	struct metrics *old, *m;
	char left[240];
	struct stat st;
	FILE *f;

	(void)state;
	unlink(file);
	old = metrics_open(file, 2);
	metrics_add(old, M_FINISHED, 5);
	m = metrics_open(file, 2);
	assert_int_equal(metrics_get(m, M_FINISHED), 5);
	metrics_close(m);
	/* Another layout: a new file; who has the old one mapped goes on unharmed. */
	m = metrics_open(file, 3);
	assert_int_equal(metrics_get(m, M_FINISHED), 0);
	metrics_add(m, M_FINISHED, 1);
	metrics_add(old, M_FINISHED, 1);
	assert_int_equal(metrics_get(old, M_FINISHED), 6);
	metrics_close(m);
	m = metrics_open(file, 3);
	assert_int_equal(metrics_get(m, M_FINISHED), 1);
	metrics_close(m);
	metrics_close(old);
	/* Rubbish, or a file cut short; and a process that died while it made a new one. */
	snprintf(left, sizeof left, "%s/.counters.new", folder);
	f = fopen(left, "w");
	fclose(f);
	f = fopen(file, "w");
	fputs("rubbish", f);
	fclose(f);
	m = metrics_open(file, 2);
	assert_int_equal(metrics_get(m, M_FINISHED), 0);
	metrics_close(m);
	assert_int_equal(stat(file, &st), 0);
	assert_true(st.st_blocks * 512 >= st.st_size);
	assert_int_equal(access(left, F_OK), -1);
}

static void private_memory(void **state)
{
	struct metrics *m = metrics_open(NULL, 1);

	(void)state;
	metrics_add(m, M_RECOVERED, 2);
	assert_int_equal(metrics_get(m, M_RECOVERED), 2);
	metrics_close(m);
	/* Where no file can be, counting goes on unshared. */
	log_level_set(LOG_ERROR);
	m = metrics_open("/none/there/counters", 1);
	log_level_set(LOG_INFO);
	metrics_add(m, M_RECOVERED, 2);
	assert_int_equal(metrics_get(m, M_RECOVERED), 2);
	metrics_close(m);
	metrics_add(NULL, M_RECOVERED, 1);
	metrics_request(NULL, 0, 0, 200, 0, 0);
	assert_int_equal(metrics_get(NULL, M_RECOVERED), 0);
	metrics_close(NULL);
}

static void text(void **state)
{
	static const struct {
		int64_t us;
		const char *le;
	} times[] = {{-1, "0.001"}, {1000, "0.001"}, {1001, "0.005"}, {60000000, "60"}, {60000001, "+Inf"}};
	struct metrics *m = metrics_open(NULL, 2);
	struct buf b;
	const char *p;
	int heads = 0;

	(void)state;
	buf_init(&b, 1 << 20);
	metrics_text(m, &b, route, method);
	/* Counters are there from the start; of the rest only the heads. */
	assert_non_null(strstr(b.p, "# HELP waveforge_tus_uploads_total Uploads begun"));
	assert_non_null(strstr(b.p, "# TYPE waveforge_tus_uploads_total counter\nwaveforge_tus_uploads_total 0\n"));
	assert_non_null(strstr(b.p, "waveforge_chunks_total{method=\"tus\"} 0\nwaveforge_chunks_total{method=\"custom\"} 0\n"));
	for (p = b.p; (p = strstr(p, "# TYPE waveforge_chunks_total ")); p++)
		heads++;
	assert_int_equal(heads, 1);
	assert_null(strstr(b.p, "{route="));
	assert_null(strstr(b.p, "{reason="));
	buf_free(&b);

	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		metrics_request(m, 0, 0, 200, times[i].us, 0);
	metrics_request(m, 0, 77, 599, 0, ERR_OFFSET);
	metrics_request(m, -1, 0, 200, 0, ERR_NO_SPACE);
	metrics_request(m, 2, 0, 200, 0, ERR__MAX);
	assert_true(says(m, "waveforge_http_requests_total{route=\"/files/{id}\",method=\"GET\",status=\"200\"} 5\n"));
	assert_true(says(m, "waveforge_http_requests_total{route=\"/files/{id}\",method=\"other\",status=\"other\"} 1\n"));
	assert_true(says(m, "_bucket{route=\"/files/{id}\",le=\"0.001\"} 3\n"));
	assert_true(says(m, "_bucket{route=\"/files/{id}\",le=\"0.005\"} 4\n"));
	assert_true(says(m, "_bucket{route=\"/files/{id}\",le=\"10\"} 4\n"));
	assert_true(says(m, "_bucket{route=\"/files/{id}\",le=\"60\"} 5\n"));
	assert_true(says(m, "_bucket{route=\"/files/{id}\",le=\"+Inf\"} 6\n"));
	assert_true(says(m, "_sum{route=\"/files/{id}\"} 120.002002\n"));
	assert_true(says(m, "_count{route=\"/files/{id}\"} 6\n"));
	assert_true(says(m, "waveforge_rejects_total{reason=\"offset_mismatch\"} 1\nwaveforge_rejects_total{reason=\"no_space\"} 1\n"));
	assert_false(says(m, "route=\"/b"));
	metrics_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parallel), cmocka_unit_test(survives_and_is_replaced), cmocka_unit_test(private_memory), cmocka_unit_test(text),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
