/*
 * test_store_event.c - the outbox: one row for each change, in its transaction, and what becomes of the rows.
 */
#include "store_kit.h"

#define HOOKED (EVENT_BIT(EVENT_COMPLETED) | EVENT_BIT(EVENT_RECOVERED) | EVENT_BIT(EVENT_DELETED))
#define MOST 64

static struct store *open_with(const char *dir, unsigned events, unsigned hook, int64_t keep)
{
	struct store *s = NULL;
	struct store_options o = {.dir = dir, .readers = 2, .events = events, .hook = hook, .events_keep = keep};
	assert_int_equal(store_open(&o, &s), ERR_OK);
	return s;
}

static void again(struct kit *k, unsigned events, unsigned hook, int64_t keep)
{
	store_close(k->s);
	k->s = open_with(k->dir, events, hook, keep);
}

static int open_events(void **state)
{
	kit_open(state);
	again(*state, EVENTS_ALL, HOOKED, DAY);
	return 0;
}

/* The kinds of all events so far as "created completed", with take and chunk where they have one. */
static const char *told(struct kit *k)
{
	struct event e[MOST];
	char *text = arena_strdup(k->a, "");
	int found;
	assert_int_equal(store_events(k->s, k->a, 0, e, MOST, &found), ERR_OK);
	for (int i = 0; i < found; i++) {
		assert_true(i == 0 || e[i].n > e[i - 1].n);
		text = arena_printf(k->a, "%s%s%s", text, i ? " " : "", event_name(e[i].kind));
		if (e[i].take)
			text = arena_printf(k->a, "%s/%d", text, (int)e[i].take);
		if (e[i].idx >= 0)
			text = arena_printf(k->a, "%s#%d", text, (int)e[i].idx);
	}
	return text;
}

static struct event last(struct kit *k)
{
	struct event e[MOST];
	int found;
	assert_int_equal(store_events(k->s, k->a, 0, e, MOST, &found), ERR_OK);
	assert_true(found > 0);
	return e[found - 1];
}

static struct event numbered(struct kit *k, int64_t n)
{
	struct event e;
	int found;
	assert_int_equal(store_events(k->s, k->a, n - 1, &e, 1, &found), ERR_OK);
	assert_true(found == 1 && e.n == n);
	return e;
}

static void finish_upload(struct kit *k, const struct upload *u, int64_t size, const char *disk)
{
	struct recording r = {.owner = u->owner, .name = "a/b", .disk = disk, .size = size, .created = NOW + 3};
	assert_int_equal(store_upload_closing(k->s, u->n, u->offset, size, NOW + 2), ERR_OK);
	assert_int_equal(store_upload_finished(k->s, u->n, &r, NOW + 3), ERR_OK);
	assert_int_equal(store_upload_finished(k->s, u->n, &r, NOW + 3), ERR_OK);
}

/* ---- rows ---- */

static void a_whole_upload_tells_its_life(void **state)
{
	struct kit *k = *state;
	const char *disk;
	struct upload u = kit_upload(k, "_a", 100);
	struct event e = last(k);
	assert_int_equal(e.kind, EVENT_CREATED);
	assert_string_equal(e.subject, "_a");
	assert_string_equal(e.owner, "user:ann");
	assert_string_equal(e.meta, "filename YQ==");
	assert_int_equal(e.length, 100);
	assert_int_equal(e.size, 0);
	assert_int_equal(e.idx, -1);
	assert_int_equal(e.time, NOW);
	assert_int_equal(kit_move(k, u.n, 0, 30), ERR_OK);
	assert_string_equal(told(k), "created");
	struct upload_move cut = {.n = u.n, .old = 30, .offset = 40, .writing = true, .now = NOW + 1, .expires = -1, .interrupted = true};
	assert_int_equal(store_upload_move(k->s, &cut), ERR_OK);
	assert_int_equal(last(k).size, 40);
	struct upload_move both = {.n = u.n, .old = 40, .offset = 50, .writing = true, .now = NOW + 1, .expires = -1, .interrupted = true, .resumed = true};
	assert_int_equal(store_upload_move(k->s, &both), ERR_OK);
	assert_string_equal(told(k), "created interrupted resumed interrupted");
	/* A client may break off after every byte, and its metadata may be long. */
	for (int64_t n = last(k).n; n > 1; n--)
		assert_null(numbered(k, n).meta);
	u = kit_upload_now(k, u.n);
	finish_upload(k, &u, 100, "a_b");
	assert_string_equal(told(k), "created interrupted resumed interrupted completed");
	e = last(k);
	assert_string_equal(e.name, "a/b");
	assert_string_equal(e.disk, "a_b");
	assert_string_equal(e.meta, "filename YQ==");
	assert_int_equal(e.size, 100);
	assert_int_equal(e.length, 100);
	assert_int_equal(e.time, NOW + 3);
	assert_int_equal(store_upload_gone(k->s, k->a, u.n, NOW + 4, false, NULL, &u, &disk), ERR_OK);
	e = last(k);
	assert_int_equal(e.kind, EVENT_DELETED);
	assert_string_equal(e.disk, "a_b");
}

static void time_and_clients_end_an_upload(void **state)
{
	struct kit *k = *state;
	const char *disk;
	struct upload u = kit_upload(k, "_a", 100), v = kit_upload(k, "_b", 100);
	assert_int_equal(store_upload_gone(k->s, k->a, u.n, NOW + DAY - 1, true, NULL, &u, &disk), ERR_CONFLICT);
	assert_string_equal(told(k), "created created");
	assert_int_equal(store_upload_gone(k->s, k->a, u.n, NOW + DAY, true, NULL, &u, &disk), ERR_OK);
	assert_int_equal(store_upload_gone(k->s, k->a, v.n, NOW, false, NULL, &v, &disk), ERR_OK);
	assert_int_equal(store_upload_gone(k->s, k->a, v.n, NOW, false, NULL, &v, &disk), ERR_GONE);
	assert_string_equal(told(k), "created created expired deleted");
}

static void a_session_tells_of_itself_not_of_its_chunks(void **state)
{
	struct kit *k = *state;
	const char *old;
	struct chunk_ended out = {0};
	for (int i = 0; i < 5; i++)
		out = kit_chunk(k, "rec", SESSION_MANUAL, 5, i, 10);
	assert_string_equal(told(k), "created/1");
	assert_true(out.finishing);
	assert_int_equal(kit_finish(k, out.session, "rec.webm", 50, &old), ERR_OK);
	assert_int_equal(kit_finish(k, out.session, "rec.webm", 50, &old), ERR_OK);
	assert_string_equal(told(k), "created/1 completed/1");
	struct event e = last(k);
	assert_string_equal(e.subject, "rec");
	assert_string_equal(e.disk, "rec.webm");
	assert_int_equal(e.chunks, 5);
	assert_int_equal(e.size, 50);
	assert_int_equal(e.hook, EVENT_WAITING);
}

static void a_chunk_that_breaks_off_is_told(void **state)
{
	struct kit *k = *state;
	struct chunk_want w = kit_want("rec", SESSION_TUS, 0, 0, 100);
	struct chunk_reserved r;
	assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &r), ERR_OK);
	struct upload_move cut = {.n = r.u.n, .old = 0, .offset = 40, .writing = true, .now = NOW + 1, .expires = NOW + DAY, .interrupted = true};
	assert_int_equal(store_upload_move(k->s, &cut), ERR_OK);
	struct upload_move on = {.n = r.u.n, .old = 40, .offset = 60, .now = NOW + 1, .expires = NOW + DAY, .resumed = true};
	assert_int_equal(store_upload_move(k->s, &on), ERR_OK);
	assert_string_equal(told(k), "created/1 interrupted/1#0 resumed/1#0");
	assert_int_equal(last(k).size, 40);
	assert_int_equal(last(k).length, 100);
}

static void recovering_reopening_renaming_deleting(void **state)
{
	struct kit *k = *state;
	const char *old;
	int64_t file;
	struct recording r;
	struct chunk_ended out = kit_chunk(k, "rec", SESSION_LIVE, 0, 0, 10);
	struct session_close c = {.n = out.session, .total = 1, .goal = SESSION_RECOVERED, .now = NOW};
	assert_int_equal(store_session_close(k->s, &c), ERR_OK);
	assert_int_equal(kit_finish(k, out.session, "rec.webm", 10, &old), ERR_OK);
	assert_string_equal(told(k), "created/1 recovered/1");
	assert_int_equal(store_recording_of_session(k->s, k->a, out.session, &r), ERR_OK);
	assert_int_equal(store_name_claim(k->s, "rec", "m.webm"), ERR_OK);
	assert_int_equal(store_recording_rename(k->s, r.n, "m", "m.webm", "{\"title\":\"new\"}"), ERR_OK);
	assert_string_equal(last(k).disk, "m.webm");
	assert_string_equal(last(k).meta, "{\"title\":\"new\"}");
	assert_int_equal(store_name_claim(k->s, "rec", "n.webm"), ERR_OK);
	assert_int_equal(store_recording_rename(k->s, r.n, "n", "n.webm", NULL), ERR_OK);
	assert_string_equal(last(k).disk, "n.webm");
	assert_string_equal(last(k).meta, "{\"title\":\"new\"}");
	assert_int_equal(store_session_reopened(k->s, out.session, NOW, NOW + DAY), ERR_OK);
	assert_int_equal(store_session_reopened(k->s, out.session, NOW, NOW + DAY), ERR_OK);
	assert_string_equal(told(k), "created/1 recovered/1 completed/1 completed/1 resumed/1");
	assert_int_equal(store_session_gone(k->s, out.session, NOW, true, false, &file), ERR_OK);
	assert_string_equal(last(k).subject, "rec");
	struct recording run = {.sid = "rec", .session = out.session, .take = 1, .owner = "", .name = "r", .disk = "r.webm", .size = 3, .created = NOW, .recovered = true};
	assert_int_equal(store_recording_add(k->s, &run, false, 0), ERR_OK);
	assert_int_equal(store_recording_get(k->s, k->a, "rec", "r.webm", &r), ERR_OK);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW), ERR_OK);
	assert_string_equal(told(k), "created/1 recovered/1 completed/1 completed/1 resumed/1 deleted/1 recovered/1 deleted/1");
	out = kit_chunk(k, "old", SESSION_LIVE, 0, 0, 10);
	assert_int_equal(store_session_gone(k->s, out.session, NOW + 2 * DAY, false, true, &file), ERR_OK);
	assert_int_equal(last(k).kind, EVENT_EXPIRED);
}

/* What did not happen is not told. */
static void a_failed_operation_tells_nothing(void **state)
{
	struct kit *k = *state;
	struct upload u = kit_upload(k, "_a", 100), v;
	struct upload_new twice = {.id = "_a", .owner = "", .length = 5, .now = NOW};
	struct recording r = {.owner = "", .name = "n", .disk = "n", .size = 100, .created = NOW};
	struct upload_move m = {.n = u.n, .old = 7, .offset = 40, .now = NOW, .expires = -1, .interrupted = true, .resumed = true};
	int64_t file;
	const char *old;
	assert_int_equal(store_upload_create(k->s, k->a, &twice, &v), ERR_CONFLICT);
	assert_int_equal(store_upload_move(k->s, &m), ERR_OFFSET);
	assert_int_equal(store_upload_finished(k->s, u.n, &r, NOW), ERR_OFFSET);
	assert_int_equal(store_session_gone(k->s, 99, NOW, true, false, &file), ERR_NOT_FOUND);
	assert_int_equal(kit_finish(k, 99, "x", 1, &old), ERR_NOT_FOUND);
	/* A chunk too many: the take that it would have begun is undone, too. */
	struct chunk_want w = kit_want("rec", SESSION_LIVE, 0, 0, 100);
	struct chunk_reserved res;
	w.max_size = 10;
	assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &res), ERR_NO_SPACE);
	assert_string_equal(told(k), "created");
}

static void what_is_switched_off_is_not_written(void **state)
{
	struct kit *k = *state;
	struct event none = {.subject = "", .owner = "", .idx = -1, .length = -1, .time = NOW, .reason = "too_large"};
	again(k, 0, 0, 0);
	kit_upload(k, "_a", 100);
	assert_int_equal(store_event_rejected(k->s, &none), ERR_OK);
	assert_string_equal(told(k), "");
	again(k, 0, EVENT_BIT(EVENT_COMPLETED), 0);
	struct upload u = kit_upload(k, "_b", 100);
	finish_upload(k, &u, 100, "b");
	assert_string_equal(told(k), "completed");
	again(k, EVENTS_ALL, 0, DAY);
	assert_int_equal(store_event_rejected(k->s, &none), ERR_OK);
	assert_string_equal(told(k), "completed rejected");
	assert_string_equal(last(k).reason, "too_large");
	assert_int_equal(last(k).hook, EVENT_UNWANTED);
}

/* ---- delivery ---- */

static int due(struct kit *k, int64_t now_ms, struct event e[MOST])
{
	int found;
	assert_int_equal(store_events_due(k->s, k->a, now_ms, e, MOST, &found), ERR_OK);
	return found;
}

static void a_subject_waits_for_its_first_event(void **state)
{
	struct kit *k = *state;
	struct event e[MOST];
	const char *disk;
	int64_t waiting;
	struct upload u[2] = {kit_upload(k, "_a", 100), kit_upload(k, "_b", 100)};
	for (int i = 0; i < 2; i++) {
		finish_upload(k, &u[i], 100, "f");
		assert_int_equal(store_upload_gone(k->s, k->a, u[i].n, NOW, false, NULL, &u[i], &disk), ERR_OK);
	}
	assert_int_equal(store_events_waiting(k->s, &waiting), ERR_OK);
	assert_int_equal(waiting, 4);
	assert_int_equal(due(k, 1000, e), 2);
	assert_int_equal(e[0].kind, EVENT_COMPLETED);
	assert_int_equal(e[1].kind, EVENT_COMPLETED);
	assert_string_equal(e[0].subject, "_a");
	int64_t first = e[0].n, other = e[1].n;
	/* Claimed and failed: nothing of _a is due, and _b goes on. */
	assert_int_equal(store_event_claim(k->s, first, 5000), ERR_OK);
	assert_int_equal(store_event_retry(k->s, first, 9000), ERR_OK);
	assert_int_equal(store_event_claim(k->s, other, 5000), ERR_OK);
	assert_int_equal(store_event_delivered(k->s, other, NOW), ERR_OK);
	assert_int_equal(store_event_claim(k->s, other, 5000), ERR_NOT_FOUND);
	assert_int_equal(store_event_retry(k->s, other, 0), ERR_NOT_FOUND);
	kit_reopen(k);
	again(k, EVENTS_ALL, HOOKED, DAY);
	assert_int_equal(due(k, 8999, e), 1);
	assert_string_equal(e[0].subject, "_b");
	assert_int_equal(e[0].kind, EVENT_DELETED);
	assert_int_equal(due(k, 9000, e), 2);
	assert_int_equal(e[1].n, first);
	assert_int_equal(e[1].tries, 1);
}

/* A time later than any that is ever set was set by a clock which went wrong meanwhile. */
static void a_clock_set_back_puts_nothing_off(void **state)
{
	struct kit *k = *state;
	struct event e[MOST];
	const int64_t now = 1000, most = 2 * EVENT_RETRY_MAX_MS;
	struct upload u = kit_upload(k, "_a", 10);
	finish_upload(k, &u, 10, "a");
	assert_int_equal(due(k, now, e), 1);
	assert_int_equal(store_event_claim(k->s, e[0].n, now + most), ERR_OK);
	assert_int_equal(due(k, now, e), 0);
	assert_int_equal(due(k, now - 1, e), 1);
	assert_int_equal(e[0].tries, 1);
	assert_int_equal(store_event_retry(k->s, e[0].n, now + most + 1), ERR_OK);
	assert_int_equal(due(k, now, e), 1);
}

/* ---- retention ---- */

static int forget(struct kit *k, int64_t now, int max)
{
	bool more = true;
	int rounds = 0;
	while (more) {
		assert_int_equal(store_forget(k->s, now, 0, max, &more), ERR_OK);
		rounds++;
	}
	return rounds;
}

static void old_events_are_forgotten_in_steps(void **state)
{
	struct kit *k = *state;
	struct event e = {.subject = "", .owner = "", .idx = -1, .length = -1, .reason = "x"};
	for (int i = 0; i < 20; i++) {
		e.time = NOW + i;
		assert_int_equal(store_event_rejected(k->s, &e), ERR_OK);
	}
	forget(k, NOW + DAY - 1, 4);
	assert_int_equal(last(k).n, 20);
	assert_int_equal(forget(k, NOW + DAY + 9, 4), 3);
	struct event left[MOST];
	int found;
	assert_int_equal(store_events(k->s, k->a, 0, left, MOST, &found), ERR_OK);
	assert_int_equal(found, 10);
	assert_int_equal(left[0].time, NOW + 10);
}

static void what_waits_for_a_hook_is_kept_while_there_is_one(void **state)
{
	struct kit *k = *state;
	struct event e[MOST];
	struct upload u = kit_upload(k, "_a", 10), v = kit_upload(k, "_b", 10);
	finish_upload(k, &u, 10, "a");
	finish_upload(k, &v, 10, "b");
	assert_int_equal(due(k, 0, e), 2);
	assert_int_equal(store_event_claim(k->s, e[0].n, 0), ERR_OK);
	assert_int_equal(store_event_delivered(k->s, e[0].n, NOW), ERR_OK);
	forget(k, NOW + 9 * DAY, 100);
	assert_string_equal(told(k), "completed");
	assert_string_equal(last(k).subject, "_b");
	again(k, EVENTS_ALL, 0, DAY);
	forget(k, NOW + 9 * DAY, 100);
	assert_string_equal(told(k), "");
}

#define T_(f) cmocka_unit_test_setup_teardown(f, open_events, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(a_whole_upload_tells_its_life), T_(time_and_clients_end_an_upload), T_(a_session_tells_of_itself_not_of_its_chunks),
		T_(a_chunk_that_breaks_off_is_told), T_(recovering_reopening_renaming_deleting), T_(a_failed_operation_tells_nothing),
		T_(what_is_switched_off_is_not_written), T_(a_subject_waits_for_its_first_event), T_(a_clock_set_back_puts_nothing_off), T_(old_events_are_forgotten_in_steps),
		T_(what_waits_for_a_hook_is_kept_while_there_is_one),
	};
	return cmocka_run_group_tests_name("store events", tests, NULL, NULL);
}
