/*
 * test_admission.c - what may take a thread for long and what may not: work that comes after the answer needs a slot as a body does.
 */
#include "kit.h"

static struct kit *k, *other;
static void (*meanwhile)(void);

static int setup(void **state)
{
	(void)state;
	k = KIT("THREADS=4", "RESERVE_THREADS=3");     /* one slot */
	other = kit_client(k);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kit_done(other);
	kit_done(k);
	return 0;
}

/* The house works twice for a request: for the answer, and after it. What is done meanwhile comes between the two. */
static void around(bool begin)
{
	static int calls;
	calls = begin ? calls + 1 : calls;
	if (!begin || calls < 2)
		return;
	calls = 0;
	k->around = NULL;
	meanwhile();
}

static void then_at_once(void (*what)(void))
{
	meanwhile = what;
	k->around = around;
}

/* A recording whose finishing is a copy: a chunk came too early. */
static void record(const char *sid)
{
	EXPECT(k, 200, kit_chunk(k, sid, 1, 0, "b", 1, false));
	EXPECT(k, 200, kit_chunk(k, sid, 0, 0, "a", 1, false));
}

static int assemble(struct kit *by, const char *sid)
{
	char url[100];
	snprintf(url, sizeof url, "/files/%s/assemble", sid);
	return kit_raw(by, "POST", url, NULL, NULL, 0);
}

static bool is_assembled(const char *sid)
{
	char url[100];
	snprintf(url, sizeof url, "/files/%s/status", sid);
	EXPECT(other, 200, kit_get(other, url));
	return kit_bool(other, "assembled");
}

static void no_body_is_taken(void)
{
	EXPECT(other, 503, kit_chunk(other, "x", 0, 0, "a", 1, false));
	EXPECT(other, 404, kit_tus(other, "HEAD", "/files/_0123456789abcdefghijkl", NULL, NULL, 0));
}

static void finishing_keeps_the_slot_of_its_body(void **state)
{
	(void)state;
	record("a");
	then_at_once(no_body_is_taken);
	EXPECT(k, 200, kit_complete(k, "a", "a.webm", NULL));
	assert_null(k->around);
	EXPECT(other, 200, kit_chunk(other, "x", 0, 0, "a", 1, false));
	assert_true(is_assembled("a"));
}

static void finishing_without_a_body_takes_a_slot(void **state)
{
	(void)state;
	record("b");
	then_at_once(no_body_is_taken);
	EXPECT(k, 200, assemble(k, "b"));
	assert_null(k->around);
	EXPECT(other, 200, kit_chunk(other, "x", 0, 0, "a", 1, false));
	assert_true(is_assembled("b"));
}

static void assemble_another(void)
{
	EXPECT(other, 200, assemble(other, "d"));
	assert_null(other->res.after);
	assert_false(is_assembled("d"));
}

static void finishing_without_a_slot_is_left_to_the_tick(void **state)
{
	(void)state;
	app_tick(k->app);
	record("c");
	record("d");
	then_at_once(assemble_another);
	EXPECT(k, 200, kit_complete(k, "c", "c.webm", NULL));
	assert_null(k->around);
	assert_false(is_assembled("d"));
	app_tick(k->app);
	assert_true(is_assembled("d"));
	EXPECT(other, 200, kit_get(other, "/recordings/d/recording.webm"));
	assert_string_equal(other->body, "ab");
}

/* One that is refused, or sends a file, gives its slot back as well. */
static void slots_come_back(void **state)
{
	(void)state;
	record("e");
	for (int i = 0; i < 3; i++) {
		EXPECT(k, 200, kit_complete(k, "e", "e.webm", NULL));
		EXPECT(k, 404, kit_complete(k, "none", "n.webm", NULL));
		EXPECT(k, 200, kit_get(k, "/recordings/e/e.webm"));
		EXPECT(k, 404, kit_get(k, "/recordings/e/none.webm"));
	}
	EXPECT(k, 200, kit_chunk(k, "x", 0, 0, "a", 1, false));
}

static struct kit *many;

static void one_of_two_is_taken(void)
{
	struct kit *guest = kit_client(many);
	app_threads(many->app, 5);
	EXPECT(guest, 503, kit_chunk(guest, "x", 0, 0, "a", 1, false));
	app_threads(many->app, 1);
	EXPECT(guest, 503, kit_chunk(guest, "x", 0, 0, "a", 1, false));
	app_threads(many->app, 6);
	EXPECT(guest, 200, kit_chunk(guest, "x", 0, 0, "a", 1, false));
	kit_done(guest);
}

/* Where fewer threads than THREADS can be started, it is the bodies that have fewer. */
static void the_reserve_is_of_threads_that_are_there(void **state)
{
	struct kit *was = k;
	(void)state;
	k = many = KIT("THREADS=16", "RESERVE_THREADS=4");
	record("f");
	then_at_once(one_of_two_is_taken);
	EXPECT(k, 200, kit_complete(k, "f", "f.webm", NULL));
	assert_null(k->around);
	app_threads(k->app, 1);
	EXPECT(k, 200, kit_chunk(k, "x", 1, 0, "a", 1, false));
	kit_done(k);
	k = was;
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(finishing_keeps_the_slot_of_its_body), T(finishing_without_a_body_takes_a_slot), T(finishing_without_a_slot_is_left_to_the_tick), T(slots_come_back),
		T(the_reserve_is_of_threads_that_are_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
