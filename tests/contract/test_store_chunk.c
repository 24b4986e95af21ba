/*
 * test_store_chunk.c - what every store must do for recordings in chunks: takes, slots, the bitmap, finishing.
 */
#include "store_kit.h"

#define ANY LENGTH_UNKNOWN

static enum err reserve(struct kit *k, struct chunk_want w, struct chunk_reserved *r)
{
	return store_chunk_reserve(k->s, k->a, &w, r);
}

static struct chunk_want held(struct chunk_want w, int64_t n)
{
	w.held = n;
	return w;
}

/* ---- reserving ---- */

static void first_chunk_makes_the_session(void **state)
{
	struct kit *k = *state;
	struct chunk_want w = kit_want("s", SESSION_TUS, 3, 0, 100);
	struct chunk_reserved r;
	w.owner = "user:ann";
	w.name = "My talk";
	w.client_meta = "{\"x\":1}";
	w.meta = "chunkIndex MA==";
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_true(r.new_session);
	assert_false(r.has_done);
	assert_int_equal(r.s.take, 1);
	assert_int_equal(r.s.total, 3);
	assert_string_equal(r.s.name, "My talk");
	assert_string_equal(r.s.meta, "{\"x\":1}");
	assert_null(r.s.format);
	assert_null(r.s.out_name);
	assert_int_equal(r.s.next_idx, 1);
	assert_int_equal(r.s.next_base, 100);
	assert_int_equal(r.u.kind, UPLOAD_CHUNK);
	assert_int_equal(r.u.file, r.s.file);
	assert_string_equal(r.u.meta, "chunkIndex MA==");
	assert_null(r.u.id);
	w = kit_want("s", SESSION_TUS, 0, 1, 50);
	w.owner = "user:ann";
	w.name = "other";
	w.format = "ogg";
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_false(r.new_session);
	assert_string_equal(r.s.name, "My talk");
	assert_string_equal(r.s.format, "ogg");
	assert_int_equal(r.u.base, 100);
	assert_int_equal(r.s.next_base, 150);
	struct session s[2];
	int found;
	assert_int_equal(store_session_takes(k->s, k->a, "s", s, 2, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(s[0].n, r.s.n);
	assert_int_equal(store_session_takes(k->s, k->a, "none", s, 2, &found), ERR_NOT_FOUND);
	struct upload u;
	assert_int_equal(store_chunk_upload(k->s, k->a, r.s.n, 1, &u), ERR_OK);
	assert_int_equal(u.n, r.u.n);
	assert_int_equal(store_chunk_upload(k->s, k->a, r.s.n, 2, &u), ERR_NOT_FOUND);
}

static void refusals(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	kit_chunk(k, "s", SESSION_TUS, 0, 5, 10);
	static const struct {
		int64_t total, idx, length, max_size;
		enum err want;
	} row[] = {
		{0, 1000000, 1, 0, ERR_INVALID},
		{0, -1, 1, 0, ERR_INVALID},
		{1000001, 1, 1, 0, ERR_INVALID},
		{4, 4, 1, 0, ERR_UNPROCESSABLE},
		{5, 1, 1, 0, ERR_CONFLICT},           /* chunk 5 is there */
		{0, 1, 91, 100, ERR_NO_SPACE},
		{0, 1, 90, 100, ERR_OK},
		{6, 2, 1, 0, ERR_OK},                 /* binds */
		{7, 3, 1, 0, ERR_CONFLICT},
		{0, 6, 1, 0, ERR_UNPROCESSABLE},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		struct chunk_want w = kit_want("s", SESSION_TUS, row[i].total, row[i].idx, row[i].length);
		w.max_size = row[i].max_size;
		assert_int_equal(reserve(k, w, &r), row[i].want);
	}
}

/* Somebody else's take is closed to all but those who may go anywhere, also where it would have to be reopened. */
static void a_take_belongs_to_its_owner(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e;
	const char *old;
	struct chunk_want w = kit_want("s", SESSION_LIVE, 0, 0, 10);
	w.owner = "user:ann";
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OK);
	struct session_close c = {.n = e.session, .goal = SESSION_COMPLETE, .now = NOW};
	static const struct {
		const char *owner;
		bool any;
		enum err receiving, finished;
	} row[] = {{"user:bob", false, ERR_FORBIDDEN, ERR_FORBIDDEN}, {"", false, ERR_FORBIDDEN, ERR_FORBIDDEN},
		{"user:bob", true, ERR_OK, ERR_AGAIN}, {"user:ann", false, ERR_OK, ERR_AGAIN}};
	for (int finished = 0; finished < 2; finished++) {
		for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
			w = kit_want("s", SESSION_LIVE, 0, (int64_t)i + 1, 10);
			w.owner = row[i].owner;
			w.any_owner = row[i].any;
			assert_int_equal(reserve(k, w, &r), finished ? row[i].finished : row[i].receiving);
		}
		if (!finished)
			assert_int_equal(store_session_close(k->s, &c), ERR_OK);
		if (!finished)
			assert_int_equal(kit_finish(k, e.session, "a.webm", 10, &old), ERR_OK);
	}
	/* What nobody owns is open to all. */
	kit_chunk(k, "t", SESSION_LIVE, 0, 0, 10);
	w = kit_want("t", SESSION_LIVE, 0, 1, 10);
	w.owner = "user:bob";
	assert_int_equal(reserve(k, w, &r), ERR_OK);
}

static void an_unfinished_row_belongs_to_its_holder(void **state)
{
	struct kit *k = *state;
	struct chunk_want w = kit_want("s", SESSION_TUS, 0, 0, 100);
	struct chunk_reserved a, b;
	assert_int_equal(reserve(k, w, &a), ERR_OK);
	assert_int_equal(kit_move(k, a.u.n, 0, 30), ERR_OK);
	assert_int_equal(reserve(k, w, &b), ERR_AGAIN);
	assert_int_equal(b.reopen, 0);
	assert_int_equal(b.u.n, a.u.n);
	assert_int_equal(b.u.offset, 30);
	assert_int_equal(reserve(k, held(w, a.u.n), &b), ERR_OK);
	assert_int_equal(b.u.n, a.u.n);
	assert_int_equal(b.u.offset, 0);
	assert_int_equal(b.u.file, a.u.file);
	assert_int_equal(b.old_file, 0);
	int64_t file = 7;
	assert_int_equal(store_chunk_drop(k->s, b.u.n, &file), ERR_OK);
	assert_int_equal(file, 0);
	assert_int_equal(store_chunk_drop(k->s, b.u.n, &file), ERR_NOT_FOUND);
	assert_int_equal(reserve(k, held(w, a.u.n), &b), ERR_OK);
	assert_true(b.u.n > a.u.n);
	assert_int_not_equal(b.u.file, b.s.file);
	assert_int_equal(store_chunk_drop(k->s, b.u.n, &file), ERR_OK);
	assert_int_equal(file, b.u.file);
}

/* Each row: what happens to a slot, told by whether the chunk is placed and where. */
static void slots(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r, q;
	struct chunk_ended e;
	/* Open-ended at the frontier: those behind are parked until it ends. */
	assert_int_equal(reserve(k, kit_want("a", SESSION_TUS, 0, 0, ANY), &r), ERR_OK);
	assert_int_equal(r.u.file, r.s.file);
	assert_int_equal(r.s.next_idx, 0);
	assert_int_equal(reserve(k, kit_want("a", SESSION_TUS, 0, 1, 10), &q), ERR_OK);
	assert_int_not_equal(q.u.file, q.s.file);
	assert_int_equal(q.u.base, 0);
	assert_int_equal(kit_end(k, q.u.n, 0, 10, false, &e), ERR_OK);
	assert_int_equal(kit_move(k, r.u.n, 0, 20), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 20, 25, false, &e), ERR_OK);
	/* The frontier steps over the parked one that came early. */
	struct session s = kit_session_now(k, r.s.n);
	assert_int_equal(s.next_idx, 2);
	assert_int_equal(s.next_base, 35);
	assert_int_equal(s.parked, 1);
	assert_int_equal(s.bytes, 35);
	assert_int_equal(reserve(k, kit_want("a", SESSION_TUS, 0, 2, 5), &r), ERR_OK);
	assert_int_equal(r.u.file, r.s.file);
	assert_int_equal(r.u.base, 35);
	/* A deferred length closes the slot when it becomes known. */
	assert_int_equal(reserve(k, kit_want("b", SESSION_TUS, 0, 0, ANY), &r), ERR_OK);
	assert_int_equal(store_upload_length(k->s, r.u.n, 40), ERR_OK);
	assert_int_equal(reserve(k, kit_want("b", SESSION_TUS, 0, 1, 5), &q), ERR_OK);
	assert_int_equal(q.u.base, 40);
	/* Declared size: placed in any order, but for a wrong length. */
	struct chunk_want w = kit_want("c", SESSION_TUS, 4, 2, 100);
	w.chunk_size = 100;
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_int_equal(r.u.base, 200);
	w.idx = 1, w.length = 99;
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_int_not_equal(r.u.file, r.s.file);
	w.idx = 3;
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_int_equal(r.u.base, 300);
}

/* Behind chunk 0 an open-ended one grows in the part file: chunk 0 keeps its size there or goes to a file of its own. */
static void nothing_grows_over_an_open_end(void **state)
{
	struct kit *k = *state;
	static const int64_t lengths[] = {200000, 60, ANY, 10000};
	struct chunk_reserved zero, one, again;
	for (int i = 0; i < 4; i++) {
		char sid[16];
		snprintf(sid, sizeof sid, "s%d", i);
		assert_int_equal(reserve(k, kit_want(sid, SESSION_TUS, 0, 0, 10000), &zero), ERR_OK);
		assert_int_equal(reserve(k, kit_want(sid, SESSION_TUS, 0, 1, ANY), &one), ERR_OK);
		assert_int_equal(one.u.file, one.s.file);
		assert_int_equal(one.u.base, 10000);
		assert_int_equal(reserve(k, held(kit_want(sid, SESSION_TUS, 0, 0, lengths[i]), zero.u.n), &again), ERR_OK);
		assert_int_equal(again.u.n, zero.u.n);
		assert_true((again.u.file == again.s.file) == (lengths[i] == 10000));
		assert_int_equal(again.s.next_idx, 1);
		assert_int_equal(again.s.next_base, 10000);
		/* Its own end is there still: what comes behind it is placed. */
		assert_int_equal(kit_move(k, one.u.n, 0, 70), ERR_OK);
		struct chunk_ended e;
		assert_int_equal(kit_end(k, one.u.n, 70, 70, false, &e), ERR_OK);
		assert_int_equal(kit_session_now(k, e.session).next_base, 10070);
	}
}

/* Many chunks may be reserved while the session is small. */
static void the_sum_of_chunks_is_bounded(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r[3];
	struct chunk_ended out;
	struct chunk_end e = {.length = 40, .max_size = 100, .now = NOW, .expires = NOW + DAY};
	static const enum err want[] = {ERR_OK, ERR_OK, ERR_NO_SPACE};
	for (int i = 0; i < 3; i++)
		assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, i, ANY), &r[i]), ERR_OK);
	for (int i = 0; i < 3; i++) {
		e.upload = r[i].u.n;
		assert_int_equal(store_chunk_done(k->s, &e, &out), want[i]);
	}
	struct session s = kit_session_now(k, r[0].s.n);
	assert_int_equal(s.bytes, 80);
	assert_int_equal(s.done, 2);
	assert_int_equal(kit_upload_now(k, r[2].u.n).state, UPLOAD_OPEN);
	/* A chunk that shrinks is welcome even where the bound has come down. */
	e.max_size = 50;
	for (int i = 0; i < 2; i++) {
		e.length = i ? 30 : 41;
		assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, ANY), &r[0]), ERR_OK);
		e.upload = r[0].u.n;
		assert_int_equal(store_chunk_done(k->s, &e, &out), i ? ERR_OK : ERR_NO_SPACE);
		int64_t file;
		if (!i)
			assert_int_equal(store_chunk_drop(k->s, r[0].u.n, &file), ERR_OK);
	}
	e.max_size = 0;
	e.length = 40;
	e.upload = r[2].u.n;
	assert_int_equal(store_chunk_done(k->s, &e, &out), ERR_OK);
}

static void spooled_and_parked_files(void **state)
{
	struct kit *k = *state;
	struct chunk_want w = kit_want("s", SESSION_LIVE, 0, 3, 10);
	struct chunk_reserved r, q;
	int64_t spool;
	assert_int_equal(store_file_next(k->s, &spool), ERR_OK);
	assert_int_equal(reserve(k, w, &r), ERR_OK);                    /* parked: lower lengths are unknown */
	int64_t parked = r.u.file;
	assert_int_equal(reserve(k, held(w, r.u.n), &q), ERR_OK);
	assert_int_equal(q.u.file, parked);                             /* keeps its file */
	w.spool = spool;
	assert_int_equal(reserve(k, held(w, r.u.n), &q), ERR_OK);
	assert_int_equal(q.u.file, spool);
	assert_int_equal(q.old_file, parked);
	/* A placed row whose length changes behind another placed one moves to a file of its own. */
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, 10), &r), ERR_OK);
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 1, 10), &q), ERR_OK);
	assert_int_equal(reserve(k, held(kit_want("s", SESSION_LIVE, 0, 0, 12), r.u.n), &q), ERR_OK);
	assert_int_equal(q.u.n, r.u.n);
	assert_int_not_equal(q.u.file, q.s.file);
	assert_int_equal(q.old_file, 0);
	bool known;
	assert_int_equal(store_file_known(k->s, spool, &known), ERR_OK);
	assert_true(known);
	assert_int_equal(store_file_known(k->s, parked, &known), ERR_OK);
	assert_false(known);
}

static void an_empty_session_waits_for_its_chunks(void **state)
{
	struct kit *k = *state;
	struct chunk_want w = kit_want("s", SESSION_TUS, 2, 0, 0);
	struct chunk_reserved r;
	struct session s;
	int64_t n[3], first;
	int found;
	w.client_meta = "{}";
	assert_int_equal(store_session_create(k->s, k->a, &w, &s), ERR_OK);
	assert_string_equal(s.meta, "{}");
	assert_int_equal(s.total, 2);
	assert_int_equal(s.state, SESSION_RECEIVING);
	assert_int_equal(reserve(k, kit_want("s", SESSION_TUS, 0, 0, 10), &r), ERR_OK);
	assert_int_equal(r.s.n, s.n);
	first = r.u.n;
	assert_int_equal(reserve(k, kit_want("s", SESSION_TUS, 0, 1, 10), &r), ERR_OK);
	assert_int_equal(store_session_uploads(k->s, s.n, n, 3, &found), ERR_OK);
	assert_int_equal(found, 2);
	assert_int_equal(n[0], first);
	assert_int_equal(store_session_uploads(k->s, s.n, n, 1, &found), ERR_OK);
	assert_int_equal(found, 1);
}

/* ---- completing ---- */

static void done_moves_everything_at_once(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e;
	struct chunk c;
	struct upload u;
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, 10), &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 1, 10, false, &e), ERR_OFFSET);
	assert_int_equal(kit_end(k, r.u.n, 0, 11, false, &e), ERR_OFFSET);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, true, &e), ERR_OFFSET);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OFFSET);
	assert_false(e.finishing);
	assert_int_equal(store_chunk_upload(k->s, k->a, r.s.n, 0, &u), ERR_NOT_FOUND);
	assert_int_equal(store_chunk_get(k->s, r.s.n, 0, &c), ERR_OK);
	assert_int_equal(c.length, 10);
	assert_int_equal(c.file, r.s.file);
	struct session s = kit_session_now(k, r.s.n);
	assert_int_equal(s.done, 1);
	assert_int_equal(s.top, 1);
	assert_int_equal(s.bytes, 10);
	assert_int_equal(s.parked, 0);
}

static void a_complete_chunk_again(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e = kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10);
	struct chunk c;
	kit_chunk(k, "s", SESSION_LIVE, 0, 1, 10);
	/* The same bytes. */
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, 10), &r), ERR_OK);
	assert_true(r.has_done);
	assert_int_equal(r.done.length, 10);
	assert_int_not_equal(r.u.file, r.s.file);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, true, &e), ERR_OK);
	assert_int_equal(e.old_file, r.u.file);
	assert_int_equal(kit_session_now(k, r.s.n).parked, 0);
	/* Other bytes: a placed one is replaced by a parked one, then that by another parked one. */
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, 12), &r), ERR_OK);
	int64_t first = r.u.file;
	assert_int_equal(kit_end(k, r.u.n, 0, 12, false, &e), ERR_OK);
	assert_int_equal(e.old_file, 0);
	struct session s = kit_session_now(k, r.s.n);
	assert_int_equal(s.bytes, 22);
	assert_int_equal(s.parked, 1);
	assert_int_equal(s.done, 2);
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 0, 9), &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, 9, false, &e), ERR_OK);
	assert_int_equal(e.old_file, first);
	s = kit_session_now(k, r.s.n);
	assert_int_equal(s.bytes, 19);
	assert_int_equal(s.parked, 1);
	assert_int_equal(store_chunk_get(k->s, s.n, 0, &c), ERR_OK);
	assert_int_equal(c.file, r.u.file);
	assert_int_equal(c.base, 0);
}

static void the_last_chunk_finishes(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e = kit_chunk(k, "s", SESSION_MANUAL, 2, 0, 10);
	assert_false(e.finishing);
	assert_int_equal(reserve(k, kit_want("s", SESSION_MANUAL, 2, 0, 10), &r), ERR_OK);
	e = kit_chunk(k, "s", SESSION_MANUAL, 2, 1, 5);
	assert_true(e.finishing);
	assert_true(e.constant_time);
	struct session s = kit_session_now(k, e.session);
	assert_int_equal(s.state, SESSION_FINISHING);
	assert_int_equal(s.goal, SESSION_COMPLETE);
	assert_string_equal(s.out_name, "recording.webm");
	struct chunk_ended late;
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &late), ERR_LOCKED);
	assert_int_equal(reserve(k, kit_want("s", SESSION_MANUAL, 2, 1, 5), &r), ERR_LOCKED);
	struct session_close c = {.n = e.session, .goal = SESSION_COMPLETE, .now = NOW};
	assert_int_equal(store_session_close(k->s, &c), ERR_AGAIN);
	const char *old;
	assert_int_equal(kit_finish(k, e.session, s.out_name, 15, &old), ERR_OK);
	s = kit_session_now(k, e.session);
	assert_int_equal(s.state, SESSION_COMPLETE);
	assert_int_equal(s.size, 15);
	struct upload u;
	assert_int_equal(store_chunk_upload(k->s, k->a, s.n, 0, &u), ERR_NOT_FOUND);
	assert_int_equal(store_session_close(k->s, &c), ERR_OFFSET);
	/* A total that becomes known when everything is there finishes as well. */
	kit_chunk(k, "t", SESSION_TUS, 0, 0, 4);
	assert_int_equal(reserve(k, kit_want("t", SESSION_TUS, 1, 0, 4), &r), ERR_OK);
	assert_int_equal(kit_end(k, r.u.n, 0, 4, true, &e), ERR_OK);
	assert_true(e.finishing);
}

static void a_finished_take_is_contradicted(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	const char *old;
	struct chunk_ended e = kit_chunk(k, "s", SESSION_MANUAL, 1, 0, 10);
	assert_int_equal(kit_finish(k, e.session, "r.webm", 10, &old), ERR_OK);
	assert_int_equal(reserve(k, kit_want("s", SESSION_MANUAL, 1, 0, 10), &r), ERR_OK);
	assert_int_equal(r.s.n, e.session);
	assert_true(r.has_done);
	int64_t first = e.session;
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OK);
	assert_int_not_equal(e.session, first);
	assert_true(e.finishing);
	assert_int_equal(kit_session_now(k, first).state, SESSION_COMPLETE);
	struct session s = kit_session_now(k, e.session);
	assert_int_equal(s.take, 2);
	assert_int_equal(s.parked, 1);
	assert_false(e.constant_time);
	assert_int_equal(kit_finish(k, s.n, s.out_name, 10, &old), ERR_OK);
}

static void takes_never_mix(void **state)
{
	struct kit *k = *state;
	int64_t live = kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10).session;
	struct chunk_ended m = kit_chunk(k, "s", SESSION_MANUAL, 2, 0, 8);
	assert_int_not_equal(m.session, live);
	assert_int_equal(kit_chunk(k, "s", SESSION_LIVE, 0, 1, 10).session, live);
	assert_int_equal(kit_chunk(k, "s", SESSION_MANUAL, 2, 1, 8).session, m.session);
	struct session s[3];
	int found;
	assert_int_equal(store_session_takes(k->s, k->a, "s", s, 3, &found), ERR_OK);
	assert_int_equal(found, 2);
	assert_int_equal(s[0].n, m.session);
	assert_int_equal(s[0].take, 2);
	assert_int_equal(s[1].done, 2);
}

/* Sixteen takes with long metadata would fill a request's memory. */
static void only_the_newest_take_brings_its_metadata(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct session s[4];
	int found;
	for (int i = 1; i <= 3; i++) {
		struct chunk_want w = kit_want("s", SESSION_MANUAL, i, 0, 8);
		w.client_meta = "{}";
		w.name = "name";
		assert_int_equal(reserve(k, w, &r), ERR_OK);
		assert_string_equal(kit_session_now(k, r.s.n).meta, "{}");
	}
	assert_int_equal(store_session_takes(k->s, k->a, "s", s, 4, &found), ERR_OK);
	assert_int_equal(found, 3);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(s[i].name, "name");
		assert_string_equal(s[i].sid, "s");
		assert_true((s[i].meta != NULL) == (i == 0));
		assert_int_equal(s[i].goal, SESSION_COMPLETE);
	}
}

/* ---- closing, names, reopening ---- */

static void closing(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct session_close c = {.goal = SESSION_COMPLETE, .now = NOW, .name = "a/b.webm", .meta = "{}", .size_mismatch = true};
	assert_int_equal(store_session_close(k->s, &c), ERR_NOT_FOUND);
	c.n = kit_chunk(k, "s", SESSION_LIVE, 0, 1, 10).session;
	assert_int_equal(store_session_close(k->s, &c), ERR_CONFLICT);
	kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10);
	c.total = 3;
	assert_int_equal(store_session_close(k->s, &c), ERR_CONFLICT);
	c.total = 0;
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 2, 10), &r), ERR_OK);
	assert_int_equal(kit_move(k, r.u.n, 0, 4), ERR_OK);
	assert_int_equal(store_session_close(k->s, &c), ERR_CONFLICT);
	c.total = 2;
	assert_int_equal(store_session_close(k->s, &c), ERR_OK);
	assert_int_equal(store_session_close(k->s, &c), ERR_AGAIN);
	struct session s = kit_session_now(k, c.n);
	assert_string_equal(s.out_title, "a/b.webm");
	assert_null(strchr(s.out_name, '/'));
	assert_string_equal(s.meta, "{}");
	assert_true(s.size_mismatch);
	assert_int_equal(store_session_failed(k->s, c.n, true), ERR_OK);
	assert_int_equal(store_session_close(k->s, &c), ERR_LOCKED);
	assert_int_equal(store_session_failed(k->s, c.n, false), ERR_OK);
	assert_int_equal(kit_session_now(k, c.n).state, SESSION_FINISHING);
	assert_int_equal(store_session_failed(k->s, 99, true), ERR_NOT_FOUND);
	int64_t file;
	assert_int_equal(store_session_gone(k->s, c.n, NOW, true, false, &file), ERR_CONFLICT);
}

static void names_do_not_collide(void **state)
{
	struct kit *k = *state;
	const char *old, *want[] = {"recording.webm", "recording (2).webm", "recording (3).webm"};
	int64_t n[3];
	for (int i = 0; i < 3; i++) {
		/* Another total each time: a take of its own. The second stays in the making. */
		for (int c = 0; c <= i; c++)
			n[i] = kit_chunk(k, "s", SESSION_MANUAL, i + 1, c, 10).session;
		struct session s = kit_session_now(k, n[i]);
		assert_int_equal(s.state, SESSION_FINISHING);
		assert_string_equal(s.out_name, want[i]);
		if (i != 1)
			assert_int_equal(kit_finish(k, n[i], s.out_name, 10, &old), ERR_OK);
	}
	assert_string_equal(kit_session_now(k, kit_chunk(k, "t", SESSION_MANUAL, 1, 0, 1).session).out_name, "recording.webm");
}

static void reopening_extends(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	const char *old;
	int64_t n = kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10).session;
	struct session_close c = {.n = n, .goal = SESSION_RECOVERED, .now = NOW, .name = "rec.webm"};
	assert_int_equal(store_session_close(k->s, &c), ERR_OK);
	assert_int_equal(store_session_reopened(k->s, n, NOW, NOW + DAY), ERR_LOCKED);
	assert_int_equal(kit_finish(k, n, "rec.webm", 10, &old), ERR_OK);
	assert_int_equal(kit_finish(k, n, "rec.webm", 10, &old), ERR_OK);
	assert_int_equal(kit_session_now(k, n).state, SESSION_RECOVERED);
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 1, 10), &r), ERR_AGAIN);
	assert_int_equal(r.reopen, n);
	assert_int_equal(store_session_reopened(k->s, n, NOW + 1, NOW + DAY), ERR_OK);
	assert_int_equal(store_session_reopened(k->s, n, NOW + 1, NOW + DAY), ERR_OK);
	assert_int_equal(kit_chunk(k, "s", SESSION_LIVE, 0, 1, 10).session, n);
	c.name = NULL;
	c.goal = SESSION_COMPLETE;
	assert_int_equal(store_session_close(k->s, &c), ERR_OK);
	assert_string_equal(kit_session_now(k, n).out_name, "rec.webm");        /* its own file is no collision */
	assert_int_equal(kit_finish(k, n, "rec.webm", 20, &old), ERR_OK);
	assert_null(old);
	assert_int_equal(store_session_reopened(k->s, n, NOW + 1, NOW + DAY), ERR_OK);
	c.name = "final.webm";
	assert_int_equal(store_session_close(k->s, &c), ERR_OK);
	assert_int_equal(kit_finish(k, n, "final.webm", 20, &old), ERR_OK);
	assert_string_equal(old, "rec.webm");
	struct recording rec[3];
	int found;
	assert_int_equal(store_recordings(k->s, k->a, NULL, 0, rec, 3, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(rec[0].size, 20);
	assert_int_equal(rec[0].session, n);
	assert_int_equal(rec[0].take, 1);
}

static bool collect(void *arg, int64_t file)
{
	int64_t *v = arg;
	v[++v[0]] = file;
	return v[0] < 9;
}

static void joining_makes_chunks_follow(void **state)
{
	struct kit *k = *state;
	struct chunk_ended e = {0};
	struct chunk c[4];
	int64_t file;
	int found;
	for (int i = 2; i >= 0; i--)
		e = kit_chunk(k, "s", SESSION_MANUAL, 3, i, 10 + i);
	assert_true(e.finishing);
	assert_false(e.constant_time);
	assert_int_equal(store_file_next(k->s, &file), ERR_OK);
	assert_int_equal(store_session_joined(k->s, e.session, file), ERR_OK);
	assert_int_equal(store_chunks(k->s, e.session, 0, c, 4, &found), ERR_OK);
	assert_int_equal(found, 3);
	int64_t base[] = {0, 10, 21};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(c[i].idx, i);
		assert_int_equal(c[i].file, file);
		assert_int_equal(c[i].base, base[i]);
	}
	struct session s = kit_session_now(k, e.session);
	assert_int_equal(s.file, file);
	assert_int_equal(s.parked, 0);
	assert_int_equal(s.next_base, 33);
	assert_true(plan_constant_time(&s));
	assert_int_equal(store_chunks(k->s, e.session, 1, c, 1, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(c[0].idx, 1);
}

static void joining_many(void **state)
{
	struct kit *k = *state;
	struct chunk_ended e = {0};
	struct chunk c;
	struct store_audit t;
	int64_t files[10] = {0};
	for (int i = 0; i < 2600; i++)
		e = kit_chunk(k, "s", SESSION_MANUAL, 2600, i == 0 ? 2599 : i - 1, 2);
	assert_true(e.finishing);
	assert_int_equal(store_session_joined(k->s, e.session, 5000), ERR_OK);
	assert_int_equal(store_session_audit(k->s, k->a, e.session, &t), ERR_OK);
	assert_int_equal(t.s.parked + t.parked, 0);
	assert_int_equal(t.overlapping, -1);
	for (int i = 0; i < 2600; i += 43) {
		assert_int_equal(store_chunk_get(k->s, e.session, i, &c), ERR_OK);
		assert_int_equal(c.base, 2 * i);
		assert_int_equal(c.file, 5000);
	}
	/* The file is the session's now, no parked one that the caller would remove. */
	assert_int_equal(store_session_files(k->s, e.session, collect, files), ERR_OK);
	assert_int_equal(files[0], 0);
}

/* ---- cancelling, time ---- */

static void cancelling(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e = kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10);
	kit_chunk(k, "s", SESSION_LIVE, 0, 3, 10);
	assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, 5, 10), &r), ERR_OK);
	int64_t files[10] = {0}, file = 0, n = e.session;
	assert_int_equal(store_session_files(k->s, n, collect, files), ERR_OK);
	assert_int_equal(files[0], 2);
	assert_int_equal(files[2], r.u.file);
	assert_int_equal(store_session_gone(k->s, n, NOW + DAY - 1, false, true, &file), ERR_CONFLICT);
	assert_int_equal(store_session_gone(k->s, n, NOW + 1, true, false, &file), ERR_OK);
	assert_int_equal(file, r.s.file);
	assert_int_equal(store_session_gone(k->s, n, NOW + 1, true, false, &file), ERR_GONE);
	struct session s = kit_session_now(k, n);
	assert_true(s.cancelled);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OFFSET);
	assert_int_equal(store_session_reopened(k->s, n, NOW, NOW + 1), ERR_GONE);
	bool known;
	assert_int_equal(store_file_known(k->s, file, &known), ERR_OK);
	assert_false(known);
	assert_int_equal(kit_session_now(k, kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10).session).take, 2);
	bool more;
	assert_int_equal(store_forget(k->s, NOW, NOW + 1, 100, &more), ERR_OK);
	assert_int_equal(store_session_by_n(k->s, k->a, n, &s), ERR_NOT_FOUND);
}

/* The end of a large session is one step whatever its number of chunks; its rows are dropped after that, and nobody sees those that are left. */
static void a_large_session_vanishes_at_once(void **state)
{
	struct kit *k = *state;
	struct chunk_reserved r;
	struct chunk_ended e = {0};
	struct store_audit t;
	struct upload u;
	struct chunk c[2];
	const char *meta;
	int64_t file;
	int found, rounds = 0;
	bool more;
	for (int i = 0; i < 1500; i++)
		e = kit_chunk(k, "s", SESSION_LIVE, 0, i, 1);
	for (int i = 1500; i < 2600; i++)
		assert_int_equal(reserve(k, kit_want("s", SESSION_LIVE, 0, i, 10), &r), ERR_OK);
	assert_int_equal(store_session_gone(k->s, e.session, NOW, false, false, &file), ERR_OK);
	assert_int_equal(kit_session_now(k, e.session).state, SESSION_GONE);
	assert_int_equal(store_session_audit(k->s, k->a, e.session, &t), ERR_OK);
	assert_true(t.chunks > 0);
	assert_int_equal(store_chunk_get(k->s, e.session, 1499, &c[0]), ERR_NOT_FOUND);
	assert_int_equal(store_chunk_meta(k->s, k->a, e.session, 1499, &meta), ERR_NOT_FOUND);
	assert_int_equal(store_chunks(k->s, e.session, 0, c, 2, &found), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(store_chunk_upload(k->s, k->a, e.session, 2599, &u), ERR_NOT_FOUND);
	assert_int_equal(store_upload_by_n(k->s, k->a, r.u.n, &u), ERR_NOT_FOUND);
	assert_int_equal(kit_move(k, r.u.n, 0, 5), ERR_OFFSET);
	assert_int_equal(store_upload_length(k->s, r.u.n, 10), ERR_NOT_FOUND);
	assert_int_equal(kit_end(k, r.u.n, 0, 10, false, &e), ERR_OFFSET);
	assert_int_equal(store_session_reopened(k->s, t.s.n, NOW, NOW + DAY), ERR_BUSY);
	assert_int_equal(kit_chunk(k, "s", SESSION_LIVE, 0, 0, 1).session != t.s.n, 1);
	for (more = true; more; rounds++)
		assert_int_equal(store_forget(k->s, NOW, NOW - 1, 200, &more), ERR_OK);
	assert_in_range(rounds, 7, 12);
	assert_int_equal(store_session_audit(k->s, k->a, t.s.n, &t), ERR_OK);
	assert_int_equal(t.chunks + t.bits, 0);
	assert_int_equal(store_session_uploads(k->s, t.s.n, &file, 1, &found), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(store_session_reopened(k->s, t.s.n, NOW, NOW + DAY), ERR_OK);
	assert_int_equal(store_forget(k->s, NOW, NOW, 200, &more), ERR_OK);
	assert_int_equal(kit_session_now(k, t.s.n).state, SESSION_RECEIVING);
}

/* Nobody goes on from a recording of which half is forgotten. */
static void a_half_forgotten_take_is_no_take(void **state)
{
	struct kit *k = *state;
	const char *old;
	struct chunk_ended e = {0};
	struct recording r;
	struct chunk c;
	bool more;
	for (int i = 0; i < 20; i++)
		e = kit_chunk(k, "s", SESSION_LIVE, 0, i, 10);
	struct session_close close = {.n = e.session, .goal = SESSION_COMPLETE, .now = NOW};
	assert_int_equal(store_session_close(k->s, &close), ERR_OK);
	assert_int_equal(kit_finish(k, e.session, "s.webm", 200, &old), ERR_OK);
	assert_int_equal(store_forget(k->s, NOW + 7 * DAY, NOW, 5, &more), ERR_OK);
	assert_true(more);
	struct session s = kit_session_now(k, e.session);
	assert_int_equal(s.state, SESSION_GONE);
	assert_false(s.cancelled);
	assert_int_equal(store_chunk_get(k->s, s.n, 19, &c), ERR_NOT_FOUND);
	assert_int_equal(store_recording_get(k->s, k->a, "s", "s.webm", &r), ERR_OK);
	assert_int_equal(r.session, 0);
	assert_int_equal(kit_chunk(k, "s", SESSION_LIVE, 0, 20, 10).session != s.n, 1);
	while (more)
		assert_int_equal(store_forget(k->s, NOW + 7 * DAY, NOW, 5, &more), ERR_OK);
	assert_int_equal(store_session_by_n(k->s, k->a, s.n, &s), ERR_NOT_FOUND);
}

static void expiry(void **state)
{
	struct kit *k = *state;
	int64_t n = kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10).session, due[2], file;
	struct store_mark mark = {0};
	struct chunk_reserved r;
	int found;
	struct chunk_want w = kit_want("s", SESSION_LIVE, 0, 1, 10);
	w.now = NOW + DAY / 2;
	w.expires = w.now + DAY;
	assert_int_equal(reserve(k, w, &r), ERR_OK);
	assert_int_equal(r.s.expires, w.expires);
	struct upload_move m = {.n = r.u.n, .old = 0, .offset = 3, .now = NOW + DAY, .expires = NOW + 2 * DAY};
	assert_int_equal(store_upload_move(k->s, &m), ERR_OK);
	assert_int_equal(kit_session_now(k, n).expires, NOW + 2 * DAY);
	assert_int_equal(store_due_sessions(k->s, NOW + 2 * DAY - 1, &mark, due, 2, &found), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(store_due_sessions(k->s, NOW + 2 * DAY, &mark, due, 2, &found), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(store_session_expires(k->s, n, NOW + 3 * DAY), ERR_OK);
	assert_int_equal(store_session_expires(k->s, 99, NOW), ERR_NOT_FOUND);
	assert_int_equal(store_session_gone(k->s, n, NOW + 3 * DAY, false, true, &file), ERR_OK);
	assert_false(kit_session_now(k, n).cancelled);
	assert_int_equal(store_session_reopened(k->s, n, NOW + 3 * DAY, NOW + 4 * DAY), ERR_OK);
	struct session s = kit_session_now(k, n);
	assert_int_equal(s.state, SESSION_RECEIVING);
	assert_int_equal(s.done + s.top + s.bytes + s.next_base, 0);
	assert_true(s.file > file);
	assert_int_equal(kit_chunk(k, "s", SESSION_LIVE, 0, 0, 10).session, n);
}

/* ---- the bitmap ---- */

static void missing_ranges(void **state)
{
	struct kit *k = *state;
	static const int64_t at[] = {0, 1, 7, 4095, 4096, 8191, 999999};
	static const struct range want[] = {{2, 6}, {8, 4094}, {4097, 8190}, {8192, 999998}};
	struct range r[8];
	int64_t missing, n = 0;
	int found;
	for (size_t i = 0; i < 7; i++)
		n = kit_chunk(k, "s", SESSION_LIVE, 0, at[i], 1).session;
	assert_int_equal(store_session_missing(k->s, n, 1000000, r, 8, &found, &missing), ERR_OK);
	assert_int_equal(found, 4);
	assert_int_equal(missing, 1000000 - 7);
	assert_memory_equal(r, want, sizeof want);
	assert_int_equal(store_session_missing(k->s, n, 1000000, r, 2, &found, &missing), ERR_OK);
	assert_int_equal(found, 2);
	assert_int_equal(missing, 1000000 - 7);
	static const struct { int64_t total, missing; int found; struct range last; } row[] = {
		{0, 0, 0, {0, 0}}, {2, 0, 0, {0, 0}}, {3, 1, 1, {2, 2}}, {7, 5, 1, {2, 6}}, {8, 5, 1, {2, 6}}, {9, 6, 2, {8, 8}},
		{4095, 4092, 2, {8, 4094}}, {4096, 4092, 2, {8, 4094}}, {4097, 4092, 2, {8, 4094}}, {4098, 4093, 3, {4097, 4097}},
		{9000, 9000 - 6, 4, {8192, 8999}},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		assert_int_equal(store_session_missing(k->s, n, row[i].total, r, 8, &found, &missing), ERR_OK);
		assert_int_equal(missing, row[i].missing);
		assert_int_equal(found, row[i].found);
		if (found)
			assert_memory_equal(&r[found - 1], &row[i].last, sizeof *r);
	}
	assert_int_equal(store_session_missing(k->s, 99, 1000000, r, 8, &found, &missing), ERR_OK);
	assert_int_equal(found, 1);
	assert_int_equal(r[0].last, 999999);
	struct session s = kit_session_now(k, n);
	assert_int_equal(s.done, 7);
	assert_int_equal(s.top, 1000000);
}

#define T_(f) cmocka_unit_test_setup_teardown(f, kit_open, kit_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T_(first_chunk_makes_the_session), T_(refusals), T_(a_take_belongs_to_its_owner), T_(nothing_grows_over_an_open_end),
		T_(the_sum_of_chunks_is_bounded), T_(an_unfinished_row_belongs_to_its_holder), T_(slots), T_(spooled_and_parked_files), T_(an_empty_session_waits_for_its_chunks),
		T_(done_moves_everything_at_once), T_(a_complete_chunk_again), T_(the_last_chunk_finishes), T_(a_finished_take_is_contradicted),
		T_(takes_never_mix), T_(only_the_newest_take_brings_its_metadata), T_(closing), T_(names_do_not_collide), T_(reopening_extends), T_(joining_makes_chunks_follow), T_(joining_many),
		T_(cancelling), T_(a_large_session_vanishes_at_once), T_(a_half_forgotten_take_is_no_take), T_(expiry), T_(missing_ranges),
	};
	return cmocka_run_group_tests_name("store chunks", tests, NULL, NULL);
}
