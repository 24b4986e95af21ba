/*
 * test_concat.c - uploads made of uploads (tus 1.0.0, concatenation), with what their deletion and their time do to each other.
 */
#include "kit.h"

#include <dirent.h>

#include "upload/upload_priv.h"

#define N 3000                  /* bytes of all parts together */

static struct kit *k;
static unsigned char data[N];
static int64_t shift;            /* of the clock, seconds */

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_MAX_SIZE=10000", "LOCK_WAIT_MS=100", "TUS_EXPIRATION=1000", "EVENT_RETENTION=100000", "HOOK_EVENTS=completed");
	shift = 0;
	kit_fill(data, sizeof data, 7);
	return 0;
}

static int end(void **state)
{
	(void)state;
	kit_done(k);
	return 0;
}

/* ---- short forms ---- */

struct url { char s[64]; };

static struct url create(int status, const char *headers)
{
	struct url u;
	EXPECT(k, status, kit_tus(k, "POST", "/files/", headers, NULL, 0));
	snprintf(u.s, sizeof u.s, "%s", status == 201 ? kit_h(k, "Location") : "");
	return u;
}

static struct url partial(int length)
{
	char h[100];
	snprintf(h, sizeof h, "Upload-Concat: partial\nUpload-Length: %d\n", length);
	return create(201, h);
}

/* Bytes [from, from + n) of data at its offset. */
static void patch(const struct url *u, int offset, int from, int n)
{
	char h[60];
	snprintf(h, sizeof h, "Upload-Offset: %d\n", offset);
	EXPECT(k, 204, kit_tus(k, "PATCH", u->s, h, data + from, (size_t)n));
}

static struct url part(int from, int n)
{
	struct url u = partial(n);
	if (n)
		patch(&u, 0, from, n);
	return u;
}

static const char *list(const struct url *u, int n)
{
	static char text[2000];
	int len = snprintf(text, sizeof text, "final;");
	for (int i = 0; i < n; i++)
		len += snprintf(text + len, sizeof text - (size_t)len, "%s%s", i ? " " : "", u[i].s);
	return text;
}

static struct url final_of(const struct url *u, int n, int status)
{
	char h[2100];
	snprintf(h, sizeof h, "Upload-Concat: %s\nUpload-Metadata: filename YS5iaW4=\n", list(u, n));
	return create(status, h);
}

static int head(const struct url *u)
{
	return kit_tus(k, "HEAD", u->s, NULL, NULL, 0);
}

static void is_there(const struct url *u, int offset, int length)
{
	char text[20];
	EXPECT(k, 200, head(u));
	snprintf(text, sizeof text, "%d", offset);
	HEADER(k, "Upload-Offset", offset < 0 ? NULL : text);
	snprintf(text, sizeof text, "%d", length);
	HEADER(k, "Upload-Length", length < 0 ? NULL : text);
}

static void content_is(const struct url *u, const void *p, size_t n)
{
	EXPECT(k, 200, kit_get(k, u->s));
	assert_int_equal(k->len, n);
	assert_memory_equal(k->body, p, n);
}

static void gone(const struct url *u)
{
	int status = head(u);
	assert_true(status == 404 || status == 410);
	HEADER(k, "Upload-Offset", NULL);
}

static void delete(const struct url *u)
{
	EXPECT(k, 204, kit_tus(k, "DELETE", u->s, NULL, NULL, 0));
	gone(u);
}

static bool count_file(void *arg, int64_t file, int64_t size, int64_t age)
{
	(void)file, (void)size, (void)age;
	++*(int *)arg;
	return true;
}

static int part_files(void)
{
	int n = 0;
	assert_int_equal(blob_each(kit_house(k)->blobs, count_file, &n), ERR_OK);
	return n;
}

static struct reap_count time_passes(int64_t seconds)
{
	struct reap_count count;
	shift += seconds;
	clock_shift(shift);
	assert_int_equal(reap(kit_house(k), 100, false, &count), ERR_OK);
	return count;
}

/* ---- the plain way ---- */

static void check_117_partial(void **state)
{
	(void)state;
	struct url u = partial(10);
	is_there(&u, 0, 10);
	HEADER(k, "Upload-Concat", "partial");
	patch(&u, 0, 0, 10);
	is_there(&u, 10, 10);
	HEADER(k, "Upload-Concat", "partial");
	assert_non_null(kit_h(k, "Upload-Expires"));
	EXPECT(k, 409, kit_get(k, u.s));
	/* It is no finished file. */
	EXPECT(k, 200, kit_get(k, "/recordings/"));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 0);
	/* An empty body at its end, as at the end of any upload. */
	EXPECT(k, 204, kit_tus(k, "PATCH", u.s, "Upload-Offset: 10\n", NULL, 0));
	EXPECT(k, 413, kit_tus(k, "PATCH", u.s, "Upload-Offset: 10\n", "x", 1));
	delete(&u);
	assert_int_equal(part_files(), 0);
}

static void check_118_127_final(void **state)
{
	(void)state;
	struct url p[4] = {part(0, 1000), part(1000, 500), part(0, 0), part(1500, 1500)};
	struct url f = final_of(p, 4, 201);
	HEADER(k, "Upload-Offset", NULL);
	is_there(&f, N, N);
	HEADER(k, "Upload-Concat", list(p, 4));
	HEADER(k, "Upload-Metadata", "filename YS5iaW4=");
	HEADER(k, "Upload-Expires", NULL);
	content_is(&f, data, N);
	for (int i = 0; i < 4; i++)
		EXPECT(k, 200, head(&p[i]));
	/* All of it lies on the disk once: the parts in the file of the final one. */
	assert_int_equal(part_files(), 1);
	EXPECT(k, 403, kit_tus(k, "PATCH", f.s, "Upload-Offset: 3000\n", NULL, 0));
	EXPECT(k, 403, kit_tus(k, "PATCH", f.s, "Upload-Offset: 0\n", "x", 1));
}

static void check_119_length_and_128_body(void **state)
{
	(void)state;
	char h[300];
	struct url p = part(0, 20), f;
	snprintf(h, sizeof h, "Upload-Length: 7\nUpload-Concat: final;%s\n", p.s);
	f = create(201, h);
	is_there(&f, 20, 20);
	snprintf(h, sizeof h, "Upload-Defer-Length: 1\nUpload-Concat: final;  http://TESTSERVER:81%s  %s/\n", p.s, strrchr(p.s, '/') + 1);
	f = create(201, h);
	is_there(&f, 40, 40);
	snprintf(h, sizeof h, "Upload-Concat: final;%s\n", p.s);
	EXPECT(k, 403, kit_tus(k, "POST", "/files/", h, "abc", 3));
}

static void check_120_121_no_parts(void **state)
{
	(void)state;
	struct url whole = create(201, "Upload-Length: 5\n"), p = part(0, 5);
	char h[300];
	static const struct { int status; const char *before, *after; } rows[] = {
		{400, "other", ""}, {400, "final", ""}, {400, "final;", ""}, {400, "final; ", ""}, {400, "partial;", ""}, {400, "Partial", ""}, {400, "", ""},
		{400, "final;http://elsewhere.example/files/", NULL}, {400, "final;//elsewhere.example/files/", NULL}, {400, "final;ftp://testserver/files/", NULL},
		{400, "final;http://a@testserver/files/", NULL}, {400, "final;/other/", NULL}, {400, "final;/files/../files/", NULL}, {400, "final;/files/x", NULL},
		{400, "final;http://testserver", ""}, {400, "final;/files/", ""}, {404, "final;/files/_aaaaaaaaaaaaaaaaaaaaaa", ""},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(h, sizeof h, "Upload-Length: 5\nUpload-Concat: %s%s\n", rows[i].before, rows[i].after ? rows[i].after : strrchr(p.s, '/') + 1);
		EXPECT(k, rows[i].status, kit_tus(k, "POST", "/files/", h, NULL, 0));
	}
	snprintf(h, sizeof h, "Upload-Concat: final;%s?x\n", p.s);
	create(400, h);
	final_of(&whole, 1, 400);
	struct url both[2] = {p, whole};
	final_of(both, 2, 400);
	struct url f = final_of(&p, 1, 201);
	final_of(&f, 1, 400);
	delete(&p);
	final_of(&p, 1, 410);
	create(400, "Upload-Concat: partial\nUpload-Length: 1\nUpload-Concat: partial\n");
}

static void parts_of_others(void **state)
{
	(void)state;
	char h[200];
	k->user = "ann";
	struct url p = part(0, 0);
	snprintf(h, sizeof h, "Upload-Concat: final;%s\n", p.s);
	k->user = "bob";
	EXPECT(k, 403, kit_tus(k, "POST", "/files/", h, NULL, 0));
	k->user = "ann";
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", h, NULL, 0));
}

static void check_123_parts_again(void **state)
{
	(void)state;
	struct url p[3] = {part(0, 1000), part(1000, 300)}, three[3] = {p[1], p[0], p[1]}, twice[2] = {p[0], p[0]};
	unsigned char want[2000];
	struct url f = final_of(p, 2, 201), g = final_of(three, 3, 201), t = final_of(twice, 2, 201);
	content_is(&f, data, 1300);
	memcpy(want, data + 1000, 300);
	memcpy(want + 300, data, 1300);
	content_is(&g, want, 1600);
	memcpy(want, data, 1000);
	memcpy(want + 1000, data, 1000);
	content_is(&t, want, 2000);
	content_is(&f, data, 1300);
}

static void check_128_sum_above_the_maximum(void **state)
{
	(void)state;
	struct url p[2] = {partial(6000), partial(4001)};
	final_of(p, 2, 413);
	/* A part that gets its length later. */
	p[1] = create(201, "Upload-Concat: partial\nUpload-Defer-Length: 1\n");
	struct url f = final_of(p, 2, 201);
	is_there(&f, -1, -1);
	HEADER(k, "Upload-Defer-Length", NULL);
	EXPECT(k, 204, kit_tus(k, "PATCH", p[1].s, "Upload-Offset: 0\nUpload-Length: 4001\n", NULL, 0));
	is_there(&f, -1, 10001);
	time_passes(0);
	gone(&f);
	EXPECT(k, 200, head(&p[1]));
}

/* ---- unfinished ---- */

static void check_126_129_parts_that_still_run(void **state)
{
	(void)state;
	struct url p[3] = {part(0, 1000), partial(500), create(201, "Upload-Concat: partial\nUpload-Defer-Length: 1\n")}, f = final_of(p, 3, 201);
	HEADER(k, "Upload-Expires", NULL);
	is_there(&f, -1, -1);
	HEADER(k, "Upload-Expires", NULL);
	HEADER(k, "Upload-Concat", list(p, 3));
	EXPECT(k, 403, kit_tus(k, "PATCH", f.s, "Upload-Offset: 0\n", "x", 1));
	EXPECT(k, 409, kit_get(k, f.s));
	patch(&p[1], 0, 1000, 500);
	is_there(&f, -1, -1);
	patch(&p[2], 0, 1500, 100);
	EXPECT(k, 204, kit_tus(k, "PATCH", p[2].s, "Upload-Offset: 100\nUpload-Length: 1500\n", data + 1600, 0));
	is_there(&f, -1, N);
	patch(&p[2], 100, 1600, 1400);
	is_there(&f, N, N);
	content_is(&f, data, N);
}

/* The process that got the last byte died before it did the rest. */
static void check_129_after_a_restart(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f = final_of(p, 2, 201);
	struct house *h = kit_house(k);
	struct upload u;
	struct append_out out;
	struct source_mem body;
	assert_int_equal(upload_find(h, k->a, strrchr(p[1].s, '/') + 1, &u), ERR_OK);
	source_mem_init(&body, (const char *)data + 1000, 500);
	struct append_cmd cmd = {.length = LENGTH_UNKNOWN, .body = 500, .max_size = 10000};
	assert_int_equal(upload_append(h, k->a, u.n, &cmd, &body.s, &out), ERR_OK);
	assert_int_equal(out.finish_upload, u.n);
	is_there(&f, -1, 1500);
	kit_restart(k, (const char *const[]){"TUS_MAX_SIZE=10000", NULL});
	app_tick(k->app);
	is_there(&f, 1500, 1500);
	content_is(&f, data, 1500);
}

/* ---- deletion ---- */

static void check_115_either_is_deleted(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), part(1000, 500)}, f = final_of(p, 2, 201);
	delete(&p[0]);
	content_is(&f, data, 1500);
	delete(&f);
	EXPECT(k, 200, kit_get(k, "/recordings/"));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 0);
	is_there(&p[1], 500, 500);
	struct url again[2] = {p[1], p[1]}, g = final_of(again, 2, 201);
	unsigned char want[1000];
	memcpy(want, data + 1000, 500);
	memcpy(want + 500, data + 1000, 500);
	content_is(&g, want, 1000);
	delete(&p[1]);
	content_is(&g, want, 1000);
	delete(&g);
	assert_int_equal(part_files(), 0);
}

static void a_part_is_deleted_while_others_run(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f = final_of(p, 2, 201);
	delete(&p[0]);
	/* Its bytes are another's, also when the deletion is forgotten. */
	time_passes(0);
	patch(&p[1], 0, 1000, 500);
	content_is(&f, data, 1500);
	delete(&p[1]);
	delete(&f);
	assert_int_equal(part_files(), 0);
}

static void a_final_is_deleted_while_parts_run(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f = final_of(p, 2, 201);
	delete(&p[0]);
	assert_int_equal(part_files(), 1);
	delete(&f);
	assert_int_equal(part_files(), 0);
	patch(&p[1], 0, 1000, 500);
	is_there(&p[1], 500, 500);
}

static void a_running_part_is_deleted(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f = final_of(p, 2, 201);
	delete(&p[1]);
	gone(&f);
	is_there(&p[0], 1000, 1000);
}

/* ---- time ---- */

static void parts_expire(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), part(1000, 500)}, f = final_of(p, 2, 201);
	time_passes(1100);
	gone(&p[0]);
	content_is(&f, data, 1500);
	assert_int_equal(part_files(), 0);
	delete(&f);
}

static void check_100_parts_of_what_waits_stay(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f;
	time_passes(600);
	patch(&p[1], 0, 1000, 100);
	f = final_of(p, 2, 201);
	/* The first part's time is over, but the second one still runs; so it is before the reaper comes, too. */
	clock_shift(shift + 600);
	is_there(&p[0], 1000, 1000);
	time_passes(600);
	is_there(&f, -1, 1500);
	is_there(&p[0], 1000, 1000);
	patch(&p[1], 100, 1100, 100);
	time_passes(900);
	is_there(&f, -1, 1500);
	patch(&p[1], 200, 1200, 300);
	content_is(&f, data, 1500);
	/* One that nobody goes on with ends the waiting, and then the other part. */
	p[1] = partial(500);
	p[0] = part(0, 1000);
	f = final_of(p, 2, 201);
	time_passes(1100);
	time_passes(0);
	gone(&f);
	gone(&p[1]);
	time_passes(1100);
	gone(&p[0]);
}

/* Its part is due, but somebody writes it: who waits for it waits. */
static void check_100_a_part_with_a_writer(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), partial(500)}, f = final_of(p, 2, 201);
	struct upload u;
	struct hold *writer;
	assert_int_equal(upload_find(kit_house(k), k->a, strrchr(p[1].s, '/') + 1, &u), ERR_OK);
	assert_int_equal(hold_take(kit_house(k)->holds, HOLD_UPLOAD(u.n), NULL, HOLD_NO_OFFSET, false, 0, &writer, NULL), ERR_OK);
	time_passes(1100);
	is_there(&f, -1, 1500);
	hold_drop(writer);
	time_passes(0);
	gone(&f);
	gone(&p[1]);
}

/* ---- events ---- */

static void check_130_only_the_final_one_is_told_of(void **state)
{
	(void)state;
	struct url p[2] = {part(0, 1000), part(1000, 500)}, f = final_of(p, 2, 201);
	struct event e[10];
	int found;
	delete(&p[0]);
	assert_int_equal(store_events(kit_house(k)->db, k->a, 0, e, 10, &found), ERR_OK);
	assert_int_equal(found, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(e[i].kind, i ? EVENT_COMPLETED : EVENT_CREATED);
		assert_string_equal(e[i].subject, strrchr(f.s, '/') + 1);
	}
	assert_int_equal(e[1].size, 1500);
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
int main(void)
{
	const struct CMUnitTest tests[] = {
		T(check_117_partial), T(check_118_127_final), T(check_119_length_and_128_body), T(check_120_121_no_parts), T(parts_of_others), T(check_123_parts_again),
		T(check_128_sum_above_the_maximum), T(check_126_129_parts_that_still_run), T(check_129_after_a_restart), T(check_115_either_is_deleted),
		T(a_part_is_deleted_while_others_run), T(a_final_is_deleted_while_parts_run), T(a_running_part_is_deleted), T(parts_expire),
		T(check_100_parts_of_what_waits_stay), T(check_100_a_part_with_a_writer), T(check_130_only_the_final_one_is_told_of),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
