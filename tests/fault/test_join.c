/*
 * test_join.c - a final upload is made of its parts while another process does what it likes with either: at every call, everything that it can do.
 *
 * Between any two calls of the one that joins the other one acts once. Then every byte is compared, all is deleted, and no file may be left.
 */
#include <sqlite3.h>

#include "blob/blob_priv.h"
#include "tests/http/kit.h"
#include "tests/shim/shim.h"
#include "upload/upload_priv.h"

#define PARTS 3
#define TTL 1000
#define QUIET ((enum log_level)(LOG_ERROR + 1))

static struct kit *k, *other;   /* over the same data, as of two processes */
static unsigned char data[4096];

/* ---- the moment ---- */

/* Before call number `left` that counts act is called. */
static struct {
	bool (*counts)(const struct shim_call *c);
	int left;
	bool within;                /* a transaction: whoever else wrote would wait for it for ever */
	void (*act)(void);
	char name[200];             /* the call that it was */
} moment;

static bool any(const struct shim_call *c)
{
	if (moment.within || !c->path || c->point == SHIM_MKDIR)
		return false;
	return c->point == SHIM_STEP ? strncmp(c->path, "SELECT", 6) == 0 : !strstr(c->path, "tus.db");
}

static bool copying(const struct shim_call *c)
{
	return c->point == SHIM_COPY;
}

static bool before(struct shim_call *c)
{
	if (c->point == SHIM_STEP && c->path && strncmp(c->path, "BEGIN", 5) == 0)
		moment.within = true;
	if (!moment.act || !moment.counts(c) || --moment.left > 0)
		return true;
	void (*act)(void) = moment.act;
	moment.act = NULL;
	snprintf(moment.name, sizeof moment.name, "%s %s", shim_point_name(c->point), c->path);
	act();
	return true;
}

static void after(const struct shim_call *c, int64_t rc)
{
	(void)rc;
	if (c->point == SHIM_COMMIT || (c->point == SHIM_STEP && c->path && strcmp(c->path, "ROLLBACK") == 0))
		moment.within = false;
}

static const struct shim_tactic tactic = {.name = "join", .before = before, .after = after};

static void arm(bool (*counts)(const struct shim_call *c), int n, void (*act)(void))
{
	memset(&moment, 0, sizeof moment);
	moment.counts = counts;
	moment.left = n;
	moment.act = act;
	shim_use(&tactic, k->dir);
}

/* Whether it came. */
static bool over(void)
{
	bool came = !moment.act;
	shim_use(NULL, NULL);
	moment.act = NULL;
	return came;
}

/* ---- the world ---- */

struct url { char s[64]; };

static struct {
	struct url part[PARTS], final, more;        /* more: the other one's, "" if there is none */
	int order[PARTS], nmore;                    /* of the parts in more */
	bool gone[PARTS], final_gone, more_gone;    /* deletions that were acknowledged */
	bool expired;
} w;

static const int at[PARTS] = {0, 1000, 1700}, length[PARTS] = {1000, 700, 500};

static int begin(void **state)
{
	(void)state;
	k = KIT("TUS_EXPIRATION=1000", "LOCK_WAIT_MS=2");
	other = kit_client(k);
	kit_fill(data, sizeof data, 5);
	assert_int_equal(app_open(k->cfg, false, &other->app), ERR_OK);
	log_level_set(QUIET);
	return 0;
}

static int end(void **state)
{
	(void)state;
	shim_use(NULL, NULL);
	if (moment.name[0])
		print_error("before %s\n", moment.name);
	memset(&moment, 0, sizeof moment);
	app_close(other->app);
	kit_done(other);
	kit_done(k);
	return 0;
}

static struct url location(const struct kit *by)
{
	struct url u = {""};
	if (by->status == 201)
		snprintf(u.s, sizeof u.s, "%s", kit_h(by, "Location"));
	return u;
}

static void send(int i, int from, int n)
{
	char h[60];
	snprintf(h, sizeof h, "Upload-Offset: %d\n", from);
	kit_tus(k, "PATCH", w.part[i].s, h, data + at[i] + from, (size_t)n);
}

static void parts(bool last)
{
	char h[100];
	memset(&w, 0, sizeof w);
	for (int i = 0; i < PARTS; i++) {
		snprintf(h, sizeof h, "Upload-Concat: partial\nUpload-Length: %d\n", length[i]);
		EXPECT(k, 201, kit_tus(k, "POST", "/files/", h, NULL, 0));
		w.part[i] = location(k);
		send(i, 0, length[i] - (i == PARTS - 1 && !last));
		assert_int_equal(k->status, 204);
	}
}

static struct url final(struct kit *by, const int *order, int n)
{
	char h[400];
	int len = snprintf(h, sizeof h, "Upload-Concat: final;");
	for (int i = 0; i < n; i++)
		len += snprintf(h + len, sizeof h - (size_t)len, "%s%s", i ? " " : "", w.part[order[i]].s);
	snprintf(h + len, sizeof h - (size_t)len, "\n");
	kit_tus(by, "POST", "/files/", h, NULL, 0);
	return location(by);
}

static const int in_order[PARTS] = {0, 1, 2};

/* ---- what the other one does ---- */

static bool drop(struct kit *by, const struct url *u)
{
	int status = kit_tus(by, "DELETE", u->s, NULL, NULL, 0);
	if (status != 204 && status != 423 && status != 410)
		fail_msg("DELETE answered %d", status);
	return status == 204;
}

static void more(int a, int b, int c, int n)
{
	memcpy(w.order, (int[]){a, b, c}, sizeof w.order);
	w.nmore = n;
	w.more = final(other, w.order, n);
	if (!w.more.s[0] && other->status != 410)
		fail_msg("a final upload answered %d", other->status);
}

static void more_reversed(void)
{
	more(2, 1, 0, 3);
}

static void more_the_same(void)
{
	more(0, 1, 2, 3);
}

static void more_twice(void)
{
	more(1, 1, 0, 2);
}

static void more_and_deleted(void)
{
	more(1, 0, 2, 3);
	w.more_gone = w.more.s[0] && drop(other, &w.more);
}

static void delete_first(void)
{
	w.gone[0] = drop(other, &w.part[0]);
}

static void delete_middle(void)
{
	w.gone[1] = drop(other, &w.part[1]);
}

static void delete_last(void)
{
	w.gone[2] = drop(other, &w.part[2]);
}

static void delete_parts(void)
{
	for (int i = 0; i < PARTS; i++)
		w.gone[i] = drop(other, &w.part[i]);
}

static void more_and_delete_parts(void)
{
	more_reversed();
	delete_parts();
}

static void delete_final(void)
{
	if (w.final.s[0])
		w.final_gone = drop(other, &w.final);
}

static void look(void)
{
	if (!w.final.s[0])
		return;
	EXPECT(other, 200, kit_tus(other, "HEAD", w.final.s, NULL, NULL, 0));
	const char *offset = kit_h(other, "Upload-Offset");
	assert_true(!offset || strcmp(offset, "2200") == 0);
	kit_get(other, w.final.s);
	assert_true(other->status == 200 || (other->status == 409 && !offset) || other->status == 423);
	if (other->status == 200)
		assert_memory_equal(other->body, data, 2200);
	EXPECT(other, 403, kit_tus(other, "PATCH", w.final.s, "Upload-Offset: 0\n", "x", 1));
	HEADER(other, "Upload-Offset", NULL);
}

static void time_passes(void)
{
	struct reap_count count;
	clock_shift(TTL + 100);
	w.expired = true;
	assert_int_equal(reap(app_house(other->app), 100, false, &count), ERR_OK);
	assert_int_equal(count.failed, 0);
	clock_shift(0);
}

static const struct {
	const char *name;
	void (*act)(void);
} acts[] = {
	{"more_reversed", more_reversed}, {"more_the_same", more_the_same}, {"more_twice", more_twice}, {"more_and_deleted", more_and_deleted},
	{"delete_first", delete_first}, {"delete_middle", delete_middle}, {"delete_last", delete_last}, {"delete_parts", delete_parts},
	{"more_and_delete_parts", more_and_delete_parts}, {"delete_final", delete_final}, {"look", look}, {"time_passes", time_passes},
};

/* ---- what must be true ---- */

static bool is_gone(const struct url *u)
{
	return kit_tus(k, "HEAD", u->s, NULL, NULL, 0) == 410;
}

static void gives(const struct url *u, const int *order, int n)
{
	EXPECT(k, 200, kit_get(k, u->s));
	size_t pos = 0;
	for (int i = 0; i < n; pos += (size_t)length[order[i++]])
		assert_memory_equal(k->body + pos, data + at[order[i]], (size_t)length[order[i]]);
	assert_int_equal(k->len, pos);
}

static void settle(void)
{
	struct reap_count count = kit_reap(k);
	assert_int_equal(count.failed, 0);
}

/* A final upload of parts that run is gone with them. */
static bool may_be_gone(bool last)
{
	return !last && (w.gone[2] || w.expired);
}

static void all_true(bool last)
{
	settle();
	if (w.final_gone || (may_be_gone(last) && is_gone(&w.final)))
		assert_true(is_gone(&w.final));
	else
		gives(&w.final, in_order, PARTS);
	if (w.more_gone)
		assert_true(is_gone(&w.more));
	else if (w.more.s[0] && !(may_be_gone(last) && is_gone(&w.more)))
		gives(&w.more, w.order, w.nmore);
	for (int i = 0; i < PARTS; i++)
		if (w.gone[i])
			assert_true(is_gone(&w.part[i]));
		else if (!w.expired)
			EXPECT(k, 200, kit_tus(k, "HEAD", w.part[i].s, NULL, NULL, 0));
}

static bool tell_file(void *arg, int64_t file, int64_t size, int64_t age)
{
	(void)age;
	++*(int *)arg;
	print_error("part file %lld of %lld bytes is left\n", (long long)file, (long long)size);
	return true;
}

static void nothing_left(void)
{
	int left = 0;
	if (w.final.s[0])
		drop(k, &w.final);
	if (w.more.s[0])
		drop(k, &w.more);
	for (int i = 0; i < PARTS; i++)
		drop(k, &w.part[i]);
	assert_int_equal(blob_each(kit_house(k)->blobs, tell_file, &left), ERR_OK);
	assert_int_equal(left, 0);
	moment.name[0] = '\0';
}

/* ---- every moment ---- */

/* false: there were fewer calls. */
static bool trial(bool last, void (*act)(void), int n)
{
	parts(last);
	if (!last) {
		w.final = final(k, in_order, PARTS);
		assert_int_equal(k->status, 201);
	}
	arm(any, n, act);
	if (last)
		w.final = final(k, in_order, PARTS);
	else
		send(PARTS - 1, length[PARTS - 1] - 1, 1);
	bool came = over();
	if (last && k->status != 201) {
		/* A part was deleted before it was named: there is no final upload. */
		assert_int_equal(k->status, 410);
		assert_true(w.gone[0] || w.gone[1] || w.gone[2] || w.expired);
		nothing_left();
		return came;
	}
	if (!last && k->status != 204 && !w.gone[2] && !w.expired)
		send(PARTS - 1, length[PARTS - 1] - 1, 1);
	all_true(last);
	nothing_left();
	return came;
}

/* TEST_ALL=1: every moment; else some, each with something. */
static void every_moment(bool last)
{
	const char *all = getenv("TEST_ALL");
	int trials = 0, step = all && *all ? 1 : 7;
	for (size_t i = 0; i < sizeof acts / sizeof *acts; i++)
		for (int n = 1 + (int)i % step; trial(last, acts[i].act, n); n += step)
			trials++;
	print_message("%d moments\n", trials);
	assert_true(trials > 300 / step);
}

static void at_once(void **state)
{
	(void)state;
	every_moment(true);
}

static void with_the_last_byte(void **state)
{
	(void)state;
	every_moment(false);
}

static void between_two_devices(void **state)
{
	(void)state;
	atomic_store(&kit_house(k)->blobs->same_device, false);
	atomic_store(&app_house(other->app)->blobs->same_device, false);
	every_moment(true);
}

/* ---- single moments ---- */

static struct upload row(const struct url *u)
{
	struct upload r;
	assert_int_equal(store_upload_by_id(kit_house(k)->db, k->a, strrchr(u->s, '/') + 1, &r), ERR_OK);
	return r;
}

static void cut(int64_t file, off_t size)
{
	int fd;
	assert_int_equal(blob_open(kit_house(k)->blobs, file, true, &fd), ERR_OK);
	assert_int_equal(ftruncate(fd, size), 0);
	blob_close(fd);
}

static void is_not_made(const struct url *u)
{
	EXPECT(k, 200, kit_tus(k, "HEAD", u->s, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", NULL);
	EXPECT(k, 409, kit_get(k, u->s));
}

/* Bytes that are lost are nothing, and no nothing becomes part of an upload. */
static void a_hole_is_no_part(void **state)
{
	(void)state;
	for (int i = 0; i < PARTS; i++) {
		parts(true);
		cut(row(&w.part[i]).file, length[i] / 2);
		w.final = final(k, in_order, PARTS);
		is_not_made(&w.final);
		kit_reap(k);
		is_not_made(&w.final);
		nothing_left();
	}
}

static void stop_here(void)
{
	kit_house(k)->stopping = true;
}

/* Its process ended in the middle, and then its file lost bytes. */
static void what_is_joined_is_looked_at(void **state)
{
	(void)state;
	parts(true);
	arm(copying, 1, stop_here);
	w.final = final(k, in_order, PARTS);
	assert_true(over());
	kit_house(k)->stopping = false;
	struct upload u = row(&w.final);
	assert_int_equal(u.offset, 1700);
	is_not_made(&w.final);
	cut(u.file, 1699);
	kit_reap(k);
	is_not_made(&w.final);
	nothing_left();
}

/* A client that may not write is told so at once, and whoever joins goes on. */
static void a_stranger_stops_nobody(void **state)
{
	(void)state;
	parts(false);
	w.final = final(k, in_order, PARTS);
	arm(copying, 1, look);
	send(2, length[2] - 1, 1);
	assert_true(over());
	gives(&w.final, in_order, PARTS);
	nothing_left();
}

static void more_elsewhere(void)
{
	more(1, 2, 0, 3);
}

/* The last part, whose row was read with the others, is moved to another file before it is its turn. */
static void a_part_is_followed(void **state)
{
	(void)state;
	parts(false);
	w.final = final(k, in_order, PARTS);
	arm(copying, 1, more_elsewhere);
	send(2, length[2] - 1, 1);
	assert_true(over());
	gives(&w.final, in_order, PARTS);
	gives(&w.more, w.order, PARTS);
	nothing_left();
}

static void answered(void)
{
	assert_int_equal(k->res.status, 201);
}

/* Every part is synced by itself, so many small ones last. */
static void many_parts_are_joined_behind_the_answer(void **state)
{
	static const int many[] = {0, 1, 2, 0, 1, 2, 0, 1};
	(void)state;
	parts(true);
	k->res.status = 0;
	arm(copying, 1, answered);
	w.final = final(k, many, 8);
	assert_true(over());
	gives(&w.final, many, 8);
	nothing_left();
}

/* The last one that waits for a deleted part takes its bytes, and they lie nowhere else any more. */
static void a_deleted_part_lies_once(void **state)
{
	static const int first[] = {0}, late[] = {0, 2};
	int files = 0;
	(void)state;
	parts(false);
	struct url taken = final(k, first, 1);
	w.final = final(k, late, 2);
	assert_true(drop(k, &taken) && drop(k, &w.part[0]) && drop(k, &w.part[1]));
	send(2, length[2] - 1, 1);
	gives(&w.final, late, 2);
	assert_int_equal(blob_each(kit_house(k)->blobs, kit_count_part, &files), ERR_OK);
	assert_int_equal(files, 1);
	nothing_left();
}

static void delete_by_the_pool(void)
{
	EXPECT(k, 423, kit_tus(k, "DELETE", w.final.s, NULL, NULL, 0));
}

/* Nobody but itself reads what others ask a process of plain CGI for. */
static void plain_cgi_lets_go(void **state)
{
	(void)state;
	app_close(other->app);
	assert_int_equal(app_open(k->cfg, true, &other->app), ERR_OK);
	log_level_set(QUIET);
	parts(false);
	w.final = final(k, in_order, PARTS);
	struct append_cmd cmd = {.offset = length[2] - 1, .length = LENGTH_UNKNOWN, .body = 1, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem last;
	source_mem_init(&last, (const char *)data + at[2] + length[2] - 1, 1);
	assert_int_equal(upload_append(kit_house(k), k->a, row(&w.part[2]).n, &cmd, &last.s, &out), ERR_OK);
	arm(copying, 1, delete_by_the_pool);
	assert_int_equal(upload_finish(app_house(other->app), row(&w.final).n), ERR_LOCKED);
	assert_true(over());
	is_not_made(&w.final);
	settle();
	gives(&w.final, in_order, PARTS);
	nothing_left();
}

/* It was promised when it was begun. */
static void a_lower_maximum_is_for_others(void **state)
{
	(void)state;
	parts(false);
	w.final = final(k, in_order, PARTS);
	kit_restart(k, (const char *const[]){"TUS_MAX_SIZE=2000", NULL});
	log_level_set(QUIET);
	other->cfg = k->cfg;
	send(2, length[2] - 1, 1);
	gives(&w.final, in_order, PARTS);
	nothing_left();
}

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {T(at_once), T(with_the_last_byte), T(between_two_devices), T(a_hole_is_no_part), T(what_is_joined_is_looked_at), T(a_stranger_stops_nobody), T(a_part_is_followed),
		T(many_parts_are_joined_behind_the_answer), T(a_deleted_part_lies_once), T(plain_cgi_lets_go), T(a_lower_maximum_is_for_others)};
	return cmocka_run_group_tests_name("join", tests, NULL, NULL);
}
