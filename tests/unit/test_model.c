/* test_model.c - the rules for growing uploads and for recordings in chunks, as tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "model/session.h"
#include "model/upload.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define UNKNOWN LENGTH_UNKNOWN

/* Which row of a table it was. */
#define ROW(name, condition) do { if (!(condition)) { print_error("row '%s'\n", name); assert_true(condition); } } while (0)

/* ---- one upload ---- */

#define CMD(offset_, length_, body_, max_size_, max_body_) {.offset = offset_, .length = length_, .body = body_, .max_size = max_size_, .max_body = max_body_}

static void append_rows(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int64_t has_offset, has_length;
		enum upload_state st;
		struct append_cmd cmd;
		enum err err;
		int64_t at, room, length;
		bool set;
	} rows[] = {
		{"begin", 0, 100, UPLOAD_OPEN, CMD(0, UNKNOWN, 40, 1000, 0), ERR_OK, 7000, 100, 100, false},
		{"go on", 40, 100, UPLOAD_OPEN, CMD(40, UNKNOWN, 60, 1000, 0), ERR_OK, 7040, 60, 100, false},
		{"unknown body size", 40, 100, UPLOAD_OPEN, CMD(40, UNKNOWN, -1, 1000, 0), ERR_OK, 7040, 60, 100, false},
		{"below", 40, 100, UPLOAD_OPEN, CMD(39, UNKNOWN, 1, 1000, 0), .err = ERR_OFFSET},
		{"above", 40, 100, UPLOAD_OPEN, CMD(41, UNKNOWN, 1, 1000, 0), .err = ERR_OFFSET},
		{"one too many", 40, 100, UPLOAD_OPEN, CMD(40, UNKNOWN, 61, 1000, 0), .err = ERR_TOO_LARGE},
		{"complete, empty body", 100, 100, UPLOAD_COMPLETE, CMD(100, UNKNOWN, 0, 1000, 0), ERR_OK, 7100, 0, 100, false},
		{"complete, a byte", 100, 100, UPLOAD_COMPLETE, CMD(100, UNKNOWN, 1, 1000, 0), .err = ERR_TOO_LARGE},
		{"gone", 40, 100, UPLOAD_GONE, CMD(40, UNKNOWN, 1, 1000, 0), .err = ERR_GONE},
		{"gone, before the offset", 40, 100, UPLOAD_GONE, CMD(1, UNKNOWN, 1, 1000, 0), .err = ERR_GONE},
		{"deferred: up to the maximum", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, UNKNOWN, -1, 1000, 0), ERR_OK, 7040, 960, UNKNOWN, false},
		{"deferred: beyond it", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, UNKNOWN, 961, 1000, 0), .err = ERR_TOO_LARGE},
		{"length comes", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 90, 50, 1000, 0), ERR_OK, 7040, 50, 90, true},
		{"length comes, body too long for it", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 90, 51, 1000, 0), .err = ERR_TOO_LARGE},
		{"length is the offset", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 40, 0, 1000, 0), ERR_OK, 7040, 0, 40, true},
		{"length below the offset", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 39, 0, 1000, 0), .err = ERR_INVALID},
		{"length above the maximum", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 1001, 0, 1000, 0), .err = ERR_TOO_LARGE},
		{"length at the maximum", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, 1000, 0, 1000, 0), ERR_OK, 7040, 960, 1000, true},
		{"the same length again", 40, 100, UPLOAD_OPEN, CMD(40, 100, 10, 1000, 0), ERR_OK, 7040, 60, 100, false},
		{"another length", 40, 100, UPLOAD_OPEN, CMD(40, 99, 10, 1000, 0), .err = ERR_INVALID},
		{"a wrong offset is told before a wrong length", 40, 100, UPLOAD_OPEN, CMD(1, 99, 10, 1000, 0), .err = ERR_OFFSET},
		{"body bound", 40, 100, UPLOAD_OPEN, CMD(40, UNKNOWN, -1, 1000, 10), ERR_OK, 7040, 10, 100, false},
		{"body above its bound", 40, 100, UPLOAD_OPEN, CMD(40, UNKNOWN, 11, 1000, 10), .err = ERR_TOO_LARGE},
		{"the maximum has shrunk meanwhile", 40, UNKNOWN, UPLOAD_OPEN, CMD(40, UNKNOWN, 0, 30, 0), ERR_OK, 7040, 0, UNKNOWN, false},
	};
	for (size_t i = 0; i < N(rows); i++) {
		struct upload u = {.state = rows[i].st, .base = 7000, .offset = rows[i].has_offset, .length = rows[i].has_length};
		struct append_plan plan = {0};
		ROW(rows[i].name, plan_append(&u, &rows[i].cmd, &plan) == rows[i].err);
		if (rows[i].err)
			continue;
		ROW(rows[i].name, plan.at == rows[i].at && plan.room == rows[i].room);
		ROW(rows[i].name, plan.length == rows[i].length && plan.set_length == rows[i].set);
	}
}

static void create_rows(void **state)
{
	(void)state;
	assert_int_equal(plan_create(0, 10), ERR_OK);
	assert_int_equal(plan_create(10, 10), ERR_OK);
	assert_int_equal(plan_create(11, 10), ERR_TOO_LARGE);
	assert_int_equal(plan_create(UNKNOWN, 10), ERR_OK);
}

static void publish_rows(void **state)
{
	(void)state;
	static const struct { const char *name; int64_t bytes, ms; bool budget, publish; } rows[] = {
		{"nothing new", 0, 60000, true, false},
		{"a little, early", 1000, 100, true, false},
		{"8 MiB at once", 8 << 20, 0, false, true},
		{"a byte less", (8 << 20) - 1, 0, true, false},
		{"two seconds, 256 KiB", 256 << 10, 2000, true, true},
		{"two seconds, 256 KiB, no budget", 256 << 10, 2000, false, false},
		{"two seconds, too little", (256 << 10) - 1, 2000, true, false},
		{"not yet two seconds", 256 << 10, 1999, true, false},
		{"half a minute, a byte", 1, 30000, false, true},
		{"not yet half a minute", 1, 29999, true, false},
	};
	for (size_t i = 0; i < N(rows); i++)
		ROW(rows[i].name, plan_publish(rows[i].bytes, rows[i].ms, rows[i].budget) == rows[i].publish);
}

static void expiry_rows(void **state)
{
	(void)state;
	static const struct { const char *name; int64_t now, ttl, old, next; } rows[] = {
		{"the first", 1000, 100, 0, 1100},
		{"moves little", 1000, 100, 1095, 1095},
		{"a tenth", 1000, 100, 1090, 1100},
		{"moves much", 1000, 100, 1010, 1100},
		{"never", 1000, 0, 0, 0},
		{"back to never", 1000, 0, 1100, 0},
		{"never goes down", 1000, 100, 5000, 5000},
		{"past its time", 1000, 100, 900, 1100},
	};
	for (size_t i = 0; i < N(rows); i++)
		ROW(rows[i].name, plan_expiry(rows[i].now, rows[i].ttl, rows[i].old) == rows[i].next);
}

/* ---- takes ---- */

static void take_rows(void **state)
{
	(void)state;
	enum { RECV = SESSION_RECEIVING, FIN = SESSION_FINISHING, DONE = SESSION_COMPLETE, REC = SESSION_RECOVERED, GONE = SESSION_GONE,
		FAILED = SESSION_FAILED, TUS = SESSION_TUS, LIVE = SESSION_LIVE, MAN = SESSION_MANUAL };
	static const struct {
		const char *name;
		int state, kind;
		int64_t total, top;
		int want;
		int64_t want_total, idx;
		enum take_plan plan;
	} rows[] = {
		{"live in live", RECV, LIVE, 0, 3, LIVE, 0, 3, TAKE_USE},
		{"manual not in live", RECV, LIVE, 0, 3, MAN, 5, 0, TAKE_SKIP},
		{"live not in manual", RECV, MAN, 5, 3, LIVE, 0, 3, TAKE_SKIP},
		{"manual in manual", RECV, MAN, 5, 3, MAN, 5, 3, TAKE_USE},
		{"manual of another total", RECV, MAN, 5, 3, MAN, 6, 3, TAKE_SKIP},
		{"manual without a bound total", RECV, MAN, 0, 3, MAN, 6, 3, TAKE_USE},
		{"tus in live", RECV, LIVE, 0, 3, TUS, 0, 3, TAKE_USE},
		{"tus with a total not in live", RECV, LIVE, 0, 3, TUS, 5, 0, TAKE_SKIP},
		{"tus in manual, equal total", RECV, MAN, 5, 3, TUS, 5, 3, TAKE_USE},
		{"tus in manual, another total", RECV, MAN, 5, 3, TUS, 6, 3, TAKE_SKIP},
		{"tus in tus, another total: refused there", RECV, TUS, 5, 3, TUS, 6, 3, TAKE_USE},
		{"live in tus", RECV, TUS, 0, 3, LIVE, 0, 0, TAKE_USE},
		{"live in tus with a total", RECV, TUS, 9, 3, LIVE, 0, 0, TAKE_USE},
		{"live in tus, beyond its total", RECV, TUS, 9, 3, LIVE, 0, 9, TAKE_SKIP},
		{"manual in tus", RECV, TUS, 0, 3, MAN, 7, 0, TAKE_USE},
		{"manual in tus, which has more", RECV, TUS, 0, 10, MAN, 5, 0, TAKE_SKIP},
		{"manual in tus, equal total", RECV, TUS, 7, 3, MAN, 7, 0, TAKE_USE},
		{"manual in tus, other total", RECV, TUS, 8, 3, MAN, 7, 0, TAKE_SKIP},
		{"finishing waits", FIN, LIVE, 0, 3, LIVE, 0, 3, TAKE_USE},
		{"late chunk", DONE, LIVE, 0, 3, LIVE, 0, 3, TAKE_REOPEN},
		{"known chunk of a finished take", DONE, LIVE, 0, 3, LIVE, 0, 2, TAKE_USE},
		{"beyond the bound total of a finished take", DONE, MAN, 3, 3, MAN, 3, 3, TAKE_USE},
		{"late chunk after recovery", REC, LIVE, 0, 3, LIVE, 0, 3, TAKE_REOPEN},
		{"late chunk after recovery, below its total", REC, MAN, 5, 3, MAN, 5, 3, TAKE_REOPEN},
		{"known chunk after recovery", REC, LIVE, 0, 3, TUS, 0, 0, TAKE_USE},
		{"gone", GONE, LIVE, 0, 3, LIVE, 0, 3, TAKE_SKIP},
		{"failed", FAILED, LIVE, 0, 3, LIVE, 0, 3, TAKE_SKIP},
		{"tus, gone", GONE, TUS, 0, 3, TUS, 0, 3, TAKE_SKIP},
	};
	for (size_t i = 0; i < N(rows); i++) {
		struct session s = {.state = (enum session_state)rows[i].state, .kind = (enum session_kind)rows[i].kind, .total = rows[i].total,
			.top = rows[i].top};
		struct take_want w = {(enum session_kind)rows[i].want, rows[i].want_total};
		ROW(rows[i].name, plan_take(&s, &w, rows[i].idx) == rows[i].plan);
	}
}

/* ---- slots ---- */

#define PART 7
#define PARKED_AT 8

struct slot_row {
	const char *name;
	int64_t chunk_size, total, next_idx, next_base;
	int64_t idx, length;
	/* its unfinished row, file 0: none */
	struct { int64_t file, base, length; } old;
	bool done;
	bool parked;
	int64_t base, to_idx, to_base;
};

static const struct slot_row slot_table[] = {
	{"in order", 0, 0, 2, 200, 2, 50, {0}, false, false, 200, 3, 250},
	{"the first", 0, 0, 0, 0, 0, 50, {0}, false, false, 0, 1, 50},
	{"an empty one", 0, 0, 2, 200, 2, 0, {0}, false, false, 200, 3, 200},
	{"ahead", 0, 0, 2, 200, 3, 50, {0}, false, true, 0, 2, 200},
	{"behind", 0, 0, 2, 200, 1, 50, {0}, false, true, 0, 2, 200},
	{"open-ended at the frontier", 0, 0, 2, 200, 2, UNKNOWN, {0}, false, false, 200, 2, 200},
	{"open-ended ahead", 0, 0, 2, 200, 3, UNKNOWN, {0}, false, true, 0, 2, 200},
	{"a complete one is never overwritten", 0, 0, 2, 200, 1, 50, {0}, true, true, 0, 2, 200},
	{"a complete one, same size as before", 100, 0, 0, 0, 1, 100, {0}, true, true, 0, 0, 0},
	{"again, same size", 0, 0, 2, 200, 1, 80, {PART, 120, 80}, false, false, 120, 2, 200},
	{"again at the tip, longer", 0, 0, 2, 200, 1, 90, {PART, 120, 80}, false, false, 120, 2, 210},
	{"again at the tip, shorter", 0, 0, 2, 200, 1, 10, {PART, 120, 80}, false, false, 120, 2, 130},
	{"again at the tip, length unknown now", 0, 0, 2, 200, 1, UNKNOWN, {PART, 120, 80}, false, false, 120, 1, 120},
	{"again below the tip, longer", 0, 0, 3, 300, 1, 90, {PART, 120, 80}, false, true, 0, 3, 300},
	{"again below the tip, same size", 0, 0, 3, 300, 1, 80, {PART, 120, 80}, false, false, 120, 3, 300},
	{"again, the open-ended one gets a length", 0, 0, 2, 200, 2, 40, {PART, 200, UNKNOWN}, false, false, 200, 3, 240},
	{"again, the open-ended one stays so", 0, 0, 2, 200, 2, UNKNOWN, {PART, 200, UNKNOWN}, false, false, 200, 2, 200},
	{"again, open-ended but no more at the frontier", 0, 0, 3, 260, 2, 40, {PART, 200, UNKNOWN}, false, true, 0, 3, 260},
	{"again, parked it stays", 0, 0, 2, 200, 2, 40, {PARKED_AT, 0, 40}, false, true, 0, 2, 200},
	{"declared size", 100, 0, 0, 0, 5, 100, {0}, false, false, 500, 0, 0},
	{"declared size, shorter", 100, 0, 0, 0, 5, 99, {0}, false, true, 0, 0, 0},
	{"declared size, longer", 100, 0, 0, 0, 5, 101, {0}, false, true, 0, 0, 0},
	{"declared size, unknown", 100, 6, 0, 0, 5, UNKNOWN, {0}, false, true, 0, 0, 0},
	{"declared size, shorter last", 100, 6, 0, 0, 5, 1, {0}, false, false, 500, 0, 0},
	{"declared size, empty last", 100, 6, 0, 0, 5, 0, {0}, false, false, 500, 0, 0},
	{"declared size, longer last", 100, 6, 0, 0, 5, 101, {0}, false, true, 0, 0, 0},
	{"declared size, again with the same", 100, 0, 0, 0, 5, 100, {PART, 500, 100}, false, false, 500, 0, 0},
	{"declared size, again with another", 100, 0, 0, 0, 5, 60, {PART, 500, 100}, false, true, 0, 0, 0},
};

/* A chunk without a known end lies at the frontier: the slot before it must keep its size. */
static void slot_before_an_open_end(void **state)
{
	(void)state;
	static const int64_t lengths[] = {200000, 60, UNKNOWN};
	struct session s = {.next_idx = 1, .next_base = 10000, .file = PART};
	struct upload old = {.idx = 0, .file = PART, .base = 0, .length = 10000};
	struct slot out;
	for (size_t i = 0; i < N(lengths); i++) {
		plan_slot(&s, 0, lengths[i], &old, NULL, false, &out);
		assert_true(out.parked);
		assert_true(out.next_idx == 1 && out.next_base == 10000);
	}
	plan_slot(&s, 0, 10000, &old, NULL, false, &out);
	assert_false(out.parked);
}

static void slot_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(slot_table); i++) {
		const struct slot_row *r = &slot_table[i];
		struct session s = {.chunk_size = r->chunk_size, .total = r->total, .next_idx = r->next_idx, .next_base = r->next_base, .file = PART};
		struct upload old = {.idx = r->idx, .file = r->old.file, .base = r->old.base, .length = r->old.length};
		struct chunk done = {.idx = r->idx, .file = PART};
		struct slot out;
		plan_slot(&s, r->idx, r->length, r->old.file ? &old : NULL, r->done ? &done : NULL, true, &out);
		ROW(r->name, out.parked == r->parked);
		ROW(r->name, r->parked || out.base == r->base);
		ROW(r->name, out.next_idx == r->to_idx && out.next_base == r->to_base);
	}
}

/* Whatever order chunks are asked for in: no two placed slots overlap, and a slot never moves. */
static void slots_do_not_overlap(void **state)
{
	(void)state;
	uint32_t x = 12345;
	for (int round = 0; round < 2000; round++) {
		struct session s = {.file = PART};
		struct upload row[6] = {0};
		for (int step = 0; step < 12; step++) {
			struct slot out;
			x = x * 1664525 + 1013904223;
			int idx = (int)(x >> 16) % 6;
			int64_t length = (int64_t)(x >> 8) % 40;
			plan_slot(&s, idx, length, row[idx].file ? &row[idx] : NULL, NULL, true, &out);
			row[idx] = (struct upload){.idx = idx, .file = out.parked ? PARKED_AT : PART, .base = out.base, .length = length};
			s.next_idx = out.next_idx;
			s.next_base = out.next_base;
			for (int i = 0; i < 6; i++)
				for (int j = i + 1; j < 6; j++)
					if (row[i].file == PART && row[j].file == PART)
						assert_true(row[i].base + row[i].length <= row[j].base);
		}
	}
}

static void slot_closed_rows(void **state)
{
	(void)state;
	struct slot out;
	struct session s = {.file = PART, .next_idx = 2, .next_base = 200}, sized = {.file = PART, .chunk_size = 100, .next_idx = 0, .next_base = 0};
	plan_slot_closed(&s, 2, 200, 30, &out);
	assert_int_equal(out.next_idx, 3);
	assert_int_equal(out.next_base, 230);
	assert_false(out.parked);
	plan_slot_closed(&s, 1, 100, 30, &out);
	assert_int_equal(out.next_idx, 2);
	assert_int_equal(out.next_base, 200);
	plan_slot_closed(&s, 2, 190, 30, &out);
	assert_int_equal(out.next_idx, 2);
	plan_slot_closed(&sized, 0, 0, 100, &out);
	assert_int_equal(out.next_idx, 0);
}

/* ---- completeness ---- */

static void total_rows(void **state)
{
	(void)state;
	assert_int_equal(plan_total(&(struct session){.total = 5, .top = 3}, 0), 5);
	assert_int_equal(plan_total(&(struct session){.total = 5, .top = 3}, 4), 4);
	assert_int_equal(plan_total(&(struct session){.total = 0, .top = 3}, 0), 3);
	assert_int_equal(plan_total(&(struct session){.total = 0, .top = 3}, -1), 3);
}

static void whole_rows(void **state)
{
	(void)state;
	static const struct { const char *name; int64_t done, top, total; bool whole; } rows[] = {
		{"all", 4, 4, 4, true},
		{"nothing", 0, 0, 0, false},
		{"one is missing", 3, 4, 4, false},
		{"the last is missing", 3, 3, 4, false},
		{"the count is right, an index is beyond", 4, 10, 4, false},
		{"more than the total", 5, 5, 4, false},
	};
	for (size_t i = 0; i < N(rows); i++)
		ROW(rows[i].name, plan_whole(&(struct session){.done = rows[i].done, .top = rows[i].top}, rows[i].total) == rows[i].whole);
}

static void constant_time_rows(void **state)
{
	(void)state;
	static const struct { const char *name; struct session s; bool constant; } rows[] = {
		{"all placed", {.done = 3, .top = 3, .next_idx = 3, .next_base = 300, .bytes = 300}, true},
		{"one is parked", {.done = 3, .top = 3, .next_idx = 3, .next_base = 300, .bytes = 300, .parked = 1}, false},
		{"a hole", {.done = 2, .top = 3, .next_idx = 3, .next_base = 300, .bytes = 200}, false},
		{"a slot is wider than its chunk", {.done = 3, .top = 3, .next_idx = 3, .next_base = 310, .bytes = 300}, false},
		{"a slot behind is given", {.done = 3, .top = 3, .next_idx = 4, .next_base = 400, .bytes = 300}, false},
		{"declared size", {.done = 3, .top = 3, .chunk_size = 100, .bytes = 250}, true},
		{"declared size, one parked", {.done = 3, .top = 3, .chunk_size = 100, .bytes = 250, .parked = 1}, false},
	};
	for (size_t i = 0; i < N(rows); i++)
		ROW(rows[i].name, plan_constant_time(&rows[i].s) == rows[i].constant);
}

static void reap_rows(void **state)
{
	(void)state;
	static const struct { const char *name; struct session s; int64_t now, retention, runs_at; enum reap_plan plan; } rows[] = {
		{"not yet", {.expires = 1000, .done = 1, .top = 1}, 999, 50, 0, REAP_KEEP},
		{"never", {.expires = 0, .done = 1, .top = 1}, 9999, 50, 0, REAP_KEEP},
		{"empty", {.expires = 1000}, 1000, 50, 0, REAP_DROP},
		{"contiguous", {.expires = 1000, .done = 2, .top = 2, .updated = 900}, 1000, 50, 0, REAP_RECOVER},
		{"contiguous though the total is larger", {.expires = 1000, .done = 2, .top = 2, .total = 9, .updated = 900}, 1000, 50, 0, REAP_RECOVER},
		{"holes", {.expires = 1000, .done = 2, .top = 3, .updated = 900}, 1000, 500, 0, REAP_RECOVER_RUNS},
		{"holes, offered", {.expires = 1000, .done = 2, .top = 3, .updated = 900}, 1000, 500, 900, REAP_KEEP},
		{"holes, offered, then more came", {.expires = 1000, .done = 2, .top = 3, .updated = 950}, 1000, 500, 900, REAP_RECOVER_RUNS},
		{"holes, kept long enough", {.expires = 1000, .done = 2, .top = 3, .updated = 900}, 1400, 500, 900, REAP_DROP},
		{"holes, a second before", {.expires = 1000, .done = 2, .top = 3, .updated = 900}, 1399, 500, 900, REAP_KEEP},
		{"holes are offered before they are dropped", {.expires = 1000, .done = 2, .top = 3, .updated = 900}, 9999, 0, 0, REAP_RECOVER_RUNS},
		{"finished", {.state = SESSION_COMPLETE, .expires = 1000, .done = 2, .top = 2}, 1000, 50, 0, REAP_KEEP},
		{"finishing", {.state = SESSION_FINISHING, .expires = 1000, .done = 2, .top = 2}, 1000, 50, 0, REAP_KEEP},
		{"failed is the operator's", {.state = SESSION_FAILED, .expires = 1000, .done = 2, .top = 2}, 1000, 50, 0, REAP_KEEP},
		{"recovered", {.state = SESSION_RECOVERED, .expires = 1000, .done = 2, .top = 2}, 1000, 50, 0, REAP_KEEP},
	};
	for (size_t i = 0; i < N(rows); i++)
		ROW(rows[i].name, plan_reap(&rows[i].s, rows[i].now, rows[i].retention, rows[i].runs_at) == rows[i].plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(append_rows), cmocka_unit_test(create_rows), cmocka_unit_test(publish_rows), cmocka_unit_test(expiry_rows),
		cmocka_unit_test(take_rows), cmocka_unit_test(slot_rows), cmocka_unit_test(slot_before_an_open_end), cmocka_unit_test(slots_do_not_overlap), cmocka_unit_test(slot_closed_rows),
		cmocka_unit_test(total_rows), cmocka_unit_test(whole_rows), cmocka_unit_test(constant_time_rows), cmocka_unit_test(reap_rows),
	};
	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
