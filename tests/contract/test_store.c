/*
 * test_store.c - what every store must do: whole uploads, finished files, keys, time.
 */
#include "store_kit.h"

/* ---- whole uploads ---- */

static void create_gives_a_row(void **state)
{
	struct kit *k = *state;
	struct upload u = kit_upload(k, "_a", 100), v;
	assert_int_equal(u.kind, UPLOAD_WHOLE);
	assert_int_equal(u.state, UPLOAD_OPEN);
	assert_int_equal(u.offset, 0);
	assert_int_equal(u.length, 100);
	assert_int_equal(u.session, 0);
	assert_int_equal(u.expires, NOW + DAY);
	assert_true(u.file > 0);
	assert_int_equal(store_upload_by_id(k->s, k->a, "_a", &v), ERR_OK);
	assert_int_equal(v.n, u.n);
	assert_string_equal(v.meta, "filename YQ==");
	assert_string_equal(v.owner, "user:ann");
	assert_true(kit_upload(k, "_b", LENGTH_UNKNOWN).file != u.file);
	assert_int_equal(store_upload_by_id(k->s, k->a, "_x", &v), ERR_NOT_FOUND);
	assert_int_equal(store_upload_by_n(k->s, k->a, 999, &v), ERR_NOT_FOUND);
	struct upload_new again = {.id = "_a", .owner = "", .length = 1, .now = NOW};
	assert_int_equal(store_upload_create(k->s, k->a, &again, &v), ERR_CONFLICT);
}

static void move_is_compare_and_set(void **state)
{
	struct kit *k = *state;
	int64_t n = kit_upload(k, "_a", 100).n;
	assert_int_equal(kit_move(k, n, 0, 40), ERR_OK);
	assert_int_equal(kit_move(k, n, 0, 50), ERR_OFFSET);
	assert_int_equal(kit_move(k, n, 40, 60), ERR_OK);
	assert_int_equal(kit_move(k, n + 1, 0, 1), ERR_OFFSET);
	assert_int_equal(kit_move(k, n, 60, 101), ERR_OFFSET);
	struct upload_move m = {.n = n, .old = 60, .offset = 70, .writing = true, .now = NOW + 9, .expires = NOW + 2 * DAY, .full = true};
	assert_int_equal(store_upload_move(k->s, &m), ERR_OK);
	struct upload u = kit_upload_now(k, n);
	assert_int_equal(u.offset, 70);
	assert_true(u.writing);
	assert_int_equal(u.updated, NOW + 9);
	assert_int_equal(u.expires, NOW + 2 * DAY);
}

static void length_is_set_once(void **state)
{
	struct kit *k = *state;
	int64_t n = kit_upload(k, "_a", LENGTH_UNKNOWN).n;
	assert_int_equal(kit_move(k, n, 0, 40), ERR_OK);
	assert_int_equal(store_upload_length(k->s, n, 39), ERR_OFFSET);
	assert_int_equal(store_upload_length(k->s, n, 50), ERR_OK);
	assert_int_equal(store_upload_length(k->s, n, 50), ERR_OK);
	assert_int_equal(store_upload_length(k->s, n, 60), ERR_OFFSET);
	assert_int_equal(store_upload_length(k->s, n + 1, 60), ERR_NOT_FOUND);
	assert_int_equal(kit_upload_now(k, n).length, 50);
}

static void finishing_of_a_whole_upload(void **state)
{
	struct kit *k = *state;
	struct upload u = kit_upload(k, "_a", 100);
	struct recording r = {.owner = "user:ann", .name = "A b.webm", .disk = "A b.webm", .size = 100, .created = NOW}, got;
	bool known;
	assert_int_equal(store_upload_finished(k->s, u.n, &r, NOW), ERR_OFFSET);
	assert_int_equal(store_upload_closing(k->s, u.n, 1, 100, NOW), ERR_OFFSET);
	assert_int_equal(store_upload_closing(k->s, u.n, 0, 99, NOW), ERR_OFFSET);
	assert_int_equal(store_upload_closing(k->s, u.n, 0, 100, NOW), ERR_OK);
	assert_int_equal(store_upload_closing(k->s, u.n, 0, 100, NOW), ERR_OFFSET);
	assert_int_equal(kit_move(k, u.n, 100, 100), ERR_OFFSET);
	assert_int_equal(kit_upload_now(k, u.n).state, UPLOAD_FINISHING);
	int64_t up[4], se[4];
	int nup, nse;
	struct store_mark mup = {0}, mse = {0};
	assert_int_equal(store_finishing_uploads(k->s, &mup, up, 4, &nup), ERR_OK);
	assert_int_equal(store_finishing_sessions(k->s, &mse, se, 4, &nse), ERR_OK);
	assert_int_equal(nup, 1);
	assert_int_equal(nse, 0);
	assert_int_equal(up[0], u.n);
	assert_int_equal(store_file_known(k->s, u.file, &known), ERR_OK);
	assert_true(known);
	assert_int_equal(store_upload_finished(k->s, u.n, &r, NOW), ERR_OK);
	assert_int_equal(store_upload_finished(k->s, u.n, &r, NOW), ERR_OK);
	assert_int_equal(store_upload_finished(k->s, u.n + 1, &r, NOW), ERR_NOT_FOUND);
	assert_int_equal(store_file_known(k->s, u.file, &known), ERR_OK);
	assert_false(known);
	assert_int_equal(kit_upload_now(k, u.n).expires, 0);
	assert_int_equal(store_recording_of_upload(k->s, k->a, u.n, &got), ERR_OK);
	assert_string_equal(got.sid, "_a");
	assert_int_equal(got.upload, u.n);
	assert_int_equal(store_recording_get(k->s, k->a, "_a", "A b.webm", &got), ERR_OK);
	assert_int_equal(got.size, 100);
	struct recording list[3];
	int found;
	assert_int_equal(store_recordings(k->s, k->a, NULL, 0, list, 3, &found), ERR_OK);
	assert_int_equal(found, 1);
}

static void gone_takes_the_recording_along(void **state)
{
	struct kit *k = *state;
	struct upload open = kit_upload(k, "_a", 100), done = kit_upload(k, "_b", 5), was;
	struct recording r = {.owner = "", .name = "b", .disk = "b", .size = 5, .created = NOW};
	const char *disk = "";
	store_upload_closing(k->s, done.n, 0, 5, NOW);
	store_upload_finished(k->s, done.n, &r, NOW);
	assert_int_equal(store_upload_gone(k->s, k->a, done.n, NOW + 2 * DAY, true, NULL, &was, &disk), ERR_CONFLICT);
	assert_int_equal(store_upload_gone(k->s, k->a, open.n, NOW + DAY - 1, true, NULL, &was, &disk), ERR_CONFLICT);
	int64_t due[4];
	int found;
	struct store_mark m = {0};
	store_due_uploads(k->s, NOW + DAY - 1, &m, due, 4, &found);
	assert_int_equal(found, 0);
	store_due_uploads(k->s, NOW + DAY, &m, due, 4, &found);
	assert_int_equal(found, 1);
	assert_int_equal(due[0], open.n);
	assert_int_equal(store_upload_gone(k->s, k->a, open.n, NOW + DAY, true, NULL, &was, &disk), ERR_OK);
	assert_int_equal(was.file, open.file);
	assert_null(disk);
	assert_int_equal(store_upload_gone(k->s, k->a, done.n, NOW, false, NULL, &was, &disk), ERR_OK);
	assert_string_equal(disk, "b");
	assert_int_equal(store_upload_gone(k->s, k->a, done.n, NOW, false, NULL, &was, &disk), ERR_GONE);
	assert_int_equal(store_upload_gone(k->s, k->a, 999, NOW, false, NULL, &was, &disk), ERR_NOT_FOUND);
	assert_int_equal(store_recording_of_upload(k->s, k->a, done.n, &r), ERR_NOT_FOUND);
	assert_int_equal(kit_upload_now(k, open.n).state, UPLOAD_GONE);
	store_due_uploads(k->s, NOW + 9 * DAY, &m, due, 4, &found);
	assert_int_equal(found, 0);
	bool more;
	assert_int_equal(store_forget(k->s, NOW + 9 * DAY, NOW + DAY - 1, 10, &more), ERR_OK);
	assert_false(more);
	assert_int_equal(store_upload_by_n(k->s, k->a, done.n, &was), ERR_NOT_FOUND);
	assert_int_equal(kit_upload_now(k, open.n).state, UPLOAD_GONE);
	assert_int_equal(store_forget(k->s, NOW + 9 * DAY, NOW + DAY, 1, &more), ERR_OK);
	assert_true(more);
	assert_int_equal(store_upload_by_n(k->s, k->a, open.n, &was), ERR_NOT_FOUND);
	/* Numbers are never given again. */
	assert_true(kit_upload(k, "_c", 1).n > done.n);
}

static void part_files_are_numbered_once(void **state)
{
	struct kit *k = *state;
	int64_t a, b;
	bool known;
	assert_int_equal(store_file_next(k->s, &a), ERR_OK);
	kit_reopen(k);
	assert_int_equal(store_file_next(k->s, &b), ERR_OK);
	assert_int_equal(b, a + 1);
	assert_int_equal(store_file_known(k->s, a, &known), ERR_OK);
	assert_false(known);
	assert_int_equal(kit_upload(k, "_a", 1).file, b + 1);
	assert_int_equal(store_writable(k->s), ERR_OK);
}

/* ---- finished files ---- */

static int64_t finished(struct kit *k, const char *sid, const char *owner, const char *disk)
{
	struct chunk_want w = kit_want(sid, SESSION_MANUAL, 1, 0, 10);
	struct chunk_reserved r;
	struct chunk_ended out;
	const char *old;
	w.owner = owner;
	assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &out), ERR_OK);
	assert_true(out.finishing);
	struct recording rec = {.owner = owner, .name = disk, .disk = disk, .meta = "{\"a\":1}", .size = 10, .created = NOW, .recovered = true};
	assert_int_equal(store_session_finished(k->s, k->a, out.session, &rec, NOW, NOW + DAY, &old), ERR_OK);
	assert_null(old);
	return out.session;
}

static void recordings_are_listed_by_owner(void **state)
{
	struct kit *k = *state;
	static const char *const owner[] = {"user:ann", "", "user:bob", "user:ann"};
	char sid[] = "s0";
	for (int i = 0; i < 4; i++, sid[1]++)
		finished(k, sid, owner[i], "x.webm");
	struct recording r[5];
	int found;
	assert_int_equal(store_recordings(k->s, k->a, NULL, 0, r, 5, &found), ERR_OK);
	assert_int_equal(found, 4);
	assert_string_equal(r[0].sid, "s3");
	assert_int_equal(store_recordings(k->s, k->a, "user:ann", 0, r, 5, &found), ERR_OK);
	assert_int_equal(found, 3);
	assert_int_equal(store_recordings(k->s, k->a, "user:ann", r[0].n, r, 1, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_string_equal(r[0].sid, "s1");
}

static void renaming(void **state)
{
	struct kit *k = *state;
	int64_t n = finished(k, "s", "", "a.webm");
	struct recording r, run = {.sid = "s", .session = n, .take = 1, .owner = "", .name = "run", .disk = "run.webm", .size = 4, .created = NOW};
	struct recording odd = run;
	assert_int_equal(store_recording_add(k->s, &run, true, 0), ERR_CONFLICT);
	assert_int_equal(store_name_claim(k->s, "s", "run.webm"), ERR_OK);
	assert_int_equal(store_name_claim(k->s, "s", "run.webm"), ERR_CONFLICT);
	assert_int_equal(store_recording_add(k->s, &run, false, 0), ERR_CONFLICT);
	assert_int_equal(store_recording_add(k->s, &run, true, 0), ERR_OK);
	assert_int_equal(store_recording_add(k->s, &run, true, 0), ERR_CONFLICT);
	assert_int_equal(store_name_claim(k->s, "s", "run.webm"), ERR_CONFLICT);
	odd.disk = "odd.webm";
	/* Nor does a session that has ended, or is forgotten, get another run. */
	assert_int_equal(store_recording_add(k->s, &odd, false, n), ERR_OFFSET);
	assert_int_equal(store_recording_add(k->s, &odd, false, n + 9), ERR_OFFSET);
	assert_int_equal(store_recording_add(k->s, &odd, false, 0), ERR_OK);
	assert_int_equal(store_recording_get(k->s, k->a, "s", "odd.webm", &r), ERR_OK);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW), ERR_OK);
	assert_int_equal(store_recording_of_session(k->s, k->a, n, &r), ERR_OK);
	assert_string_equal(r.disk, "a.webm");
	assert_int_equal(store_recording_rename(k->s, r.n, "run.webm", "run.webm", NULL), ERR_CONFLICT);
	assert_int_equal(store_recording_rename(k->s, r.n, "B/c.webm", "B_c.webm", NULL), ERR_CONFLICT);
	assert_int_equal(store_name_claim(k->s, "s", "B_c.webm"), ERR_OK);
	assert_int_equal(store_recording_rename(k->s, r.n + 9, "z", "z", NULL), ERR_NOT_FOUND);
	assert_int_equal(store_recording_rename(k->s, r.n, "B/c.webm", "B_c.webm", NULL), ERR_OK);
	assert_int_equal(store_recording_of_session(k->s, k->a, n, &r), ERR_OK);
	assert_string_equal(r.name, "B/c.webm");
	assert_string_equal(r.disk, "B_c.webm");
	assert_string_equal(r.meta, "{\"a\":1}");
	assert_false(r.recovered);
	struct session s = kit_session_now(k, n);
	assert_string_equal(s.out_name, "B_c.webm");
	assert_string_equal(s.out_title, "B/c.webm");
	assert_int_equal(store_name_claim(k->s, "t", "run.webm"), ERR_OK);
}

static void deleting_a_recording(void **state)
{
	struct kit *k = *state;
	int64_t n = finished(k, "s", "", "a.webm");
	struct recording r, run = {.sid = "s", .session = n, .take = 1, .owner = "", .name = "run", .disk = "run.webm", .size = 4, .created = NOW};
	struct chunk c;
	store_recording_add(k->s, &run, false, 0);
	assert_int_equal(store_recording_get(k->s, k->a, "s", "run.webm", &run), ERR_OK);
	assert_int_equal(store_recording_delete(k->s, run.n, NOW), ERR_OK);
	assert_int_equal(kit_session_now(k, n).state, SESSION_COMPLETE);
	store_recording_of_session(k->s, k->a, n, &r);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW + 1), ERR_OK);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW + 1), ERR_NOT_FOUND);
	struct session s = kit_session_now(k, n);
	assert_int_equal(s.state, SESSION_GONE);
	assert_true(s.cancelled);
	assert_int_equal(store_chunk_get(k->s, n, 0, &c), ERR_NOT_FOUND);
	struct upload u = kit_upload(k, "_u", 3);
	r.owner = "";
	store_upload_closing(k->s, u.n, 0, 3, NOW);
	assert_int_equal(store_upload_finished(k->s, u.n, &r, NOW), ERR_OK);
	store_recording_of_upload(k->s, k->a, u.n, &r);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW), ERR_OK);
	assert_int_equal(kit_upload_now(k, u.n).state, UPLOAD_GONE);
}

/* ---- time and counts ---- */

static enum err next_finishing_upload(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_finishing_uploads(s, m, n, max, found);
}

static enum err next_finishing_session(struct store *s, int64_t now, struct store_mark *m, int64_t *n, int max, int *found)
{
	(void)now;
	return store_finishing_sessions(s, m, n, max, found);
}

/* Rows that nobody can settle do not keep the others from their turn. */
static void rows_take_turns(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct upload u;
	int64_t want[4][5], n[2];
	static const int place[] = {3, 4, 1, 2, 0};
	enum err (*const next[])(struct store *, int64_t, struct store_mark *, int64_t *, int, int *) = {
		store_due_uploads, store_due_sessions, next_finishing_upload, next_finishing_session};
	for (int i = 0; i < 5; i++) {
		char id[4][32];
		for (int kind = 0; kind < 4; kind++)
			snprintf(id[kind], 32, "_%d%d", kind, i);
		/* Some expire together, and the order is not that of their numbers. */
		int64_t expires = NOW + 100 - i / 2;
		struct upload_new in = {.id = id[0], .owner = "", .length = 5, .now = NOW, .expires = expires};
		struct chunk_want w = kit_want(id[1], SESSION_LIVE, 0, 1, 10);
		w.expires = expires;
		assert_int_equal(store_upload_create(k->s, k->a, &in, &u), ERR_OK);
		want[0][place[i]] = u.n;
		assert_int_equal(store_chunk_reserve(k->s, k->a, &w, &r), ERR_OK);
		want[1][place[i]] = r.s.n;
		want[2][i] = kit_upload(k, id[2], 5).n;
		assert_int_equal(store_upload_closing(k->s, want[2][i], 0, 5, NOW), ERR_OK);
		want[3][i] = kit_chunk(k, id[3], SESSION_MANUAL, 1, 0, 10).session;
	}
	for (int kind = 0; kind < 4; kind++) {
		struct store_mark m = {0};
		static const int turns[] = {2, 2, 1, 2};  /* the third page was the last: from the beginning */
		for (int i = 0, found, at = 0; i < 4; i++) {
			assert_int_equal(next[kind](k->s, NOW + 100, &m, n, 2, &found), ERR_OK);
			assert_int_equal(found, turns[i]);
			for (int j = 0; j < found; j++)
				assert_int_equal(n[j], want[kind][at++ % 5]);
		}
		/* The last page was full, which only the next one tells. */
		int64_t all[5];
		int found;
		m = (struct store_mark){0};
		for (int i = 0; i < 3; i++) {
			assert_int_equal(next[kind](k->s, NOW + 100, &m, all, 5, &found), ERR_OK);
			assert_int_equal(found, i == 1 ? 0 : 5);
			assert_memory_equal(all, want[kind], sizeof all);
		}
	}
}

static void forgetting_is_bounded(void **state)
{
	struct kit *k = *state;
	const char *old;
	bool more = true;
	int64_t n = 0, rounds = 0;
	struct recording r;
	for (int i = 0; i < 20; i++)
		n = kit_chunk(k, "s", SESSION_MANUAL, 20, i, 10).session;
	assert_int_equal(kit_finish(k, n, "s.webm", 200, &old), ERR_OK);
	assert_int_equal(store_forget(k->s, NOW + 6 * DAY, 0, 5, &more), ERR_OK);
	assert_false(more);
	for (more = true; more && rounds < 20; rounds++)
		assert_int_equal(store_forget(k->s, NOW + 7 * DAY, 0, 5, &more), ERR_OK);
	assert_int_equal(rounds, 5);
	struct session s;
	struct chunk c;
	assert_int_equal(store_session_by_n(k->s, k->a, n, &s), ERR_NOT_FOUND);
	assert_int_equal(store_chunk_get(k->s, n, 19, &c), ERR_NOT_FOUND);
	assert_int_equal(store_recording_get(k->s, k->a, "s", "s.webm", &r), ERR_OK);
	assert_int_equal(r.session, 0);
	assert_int_equal(store_recording_delete(k->s, r.n, NOW), ERR_OK);
}

static void counts(void **state)
{
	struct kit *k = *state;
	struct store_stats st;
	kit_move(k, kit_upload(k, "_a", 100).n, 0, 30);
	kit_chunk(k, "s", SESSION_LIVE, 0, 0, 50);
	finished(k, "t", "", "x");
	assert_int_equal(store_stats(k->s, &st), ERR_OK);
	assert_int_equal(st.active_sessions, 1);
	assert_int_equal(st.active_uploads, 1);
	assert_int_equal(st.recordings, 1);
	assert_int_equal(st.stored_bytes, 90);
	assert_true(st.db_pages > 0);
	store_idle(k->s);
}

static void keys(void **state)
{
	struct kit *k = *state;
	struct api_key a = {.name = "ann", .role = "user", .hash = {1, 2, 3}, .created = NOW}, b = {.name = "bob", .role = "admin", .hash = {9}}, got[3];
	unsigned char none[32] = {0};
	int found;
	assert_int_equal(store_key_add(k->s, &b), ERR_OK);
	assert_int_equal(store_key_add(k->s, &a), ERR_OK);
	assert_int_equal(store_key_add(k->s, &a), ERR_CONFLICT);
	assert_int_equal(store_key_find(k->s, k->a, a.hash, got), ERR_OK);
	assert_string_equal(got->name, "ann");
	assert_string_equal(got->role, "user");
	assert_int_equal(got->created, NOW);
	assert_memory_equal(got->hash, a.hash, 32);
	assert_int_equal(store_key_find(k->s, k->a, none, got), ERR_NOT_FOUND);
	assert_int_equal(store_keys(k->s, k->a, got, 3, &found), ERR_OK);
	assert_int_equal(found, 2);
	assert_string_equal(got[1].name, "bob");
	assert_int_equal(store_key_remove(k->s, "ann"), ERR_OK);
	assert_int_equal(store_key_remove(k->s, "ann"), ERR_NOT_FOUND);
	assert_int_equal(store_keys(k->s, k->a, got, 3, &found), ERR_OK);
	assert_int_equal(found, 1);
}

/* A result that does not fit the caller's memory is an error, and nothing is left half done. */
static void small_memory(void **state)
{
	struct kit *k = *state;
	struct arena *tiny = arena_open(8);
	struct upload u;
	struct upload_new in = {.id = "_long-enough-not-to-fit", .owner = "", .length = 1, .now = NOW};
	assert_int_equal(store_upload_create(k->s, tiny, &in, &u), ERR_NOMEM);
	assert_int_equal(store_upload_by_id(k->s, k->a, in.id, &u), ERR_NOT_FOUND);
	assert_int_equal(store_upload_create(k->s, k->a, &in, &u), ERR_OK);
	assert_int_equal(store_upload_by_id(k->s, tiny, in.id, &u), ERR_NOMEM);
	arena_close(tiny);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(create_gives_a_row), T_(move_is_compare_and_set), T_(length_is_set_once), T_(finishing_of_a_whole_upload),
		T_(gone_takes_the_recording_along), T_(part_files_are_numbered_once), T_(recordings_are_listed_by_owner), T_(renaming),
		T_(deleting_a_recording), T_(rows_take_turns), T_(forgetting_is_bounded), T_(counts), T_(keys), T_(small_memory),
	};
	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
