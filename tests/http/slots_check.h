/*
 * slots_check.h - everything that the server says of a session, against the model; and the life of a script.
 */
#ifndef TESTS_SLOTS_CHECK_H
#define TESTS_SLOTS_CHECK_H

#include "slots_steps.h"

/* ---- what the server says against the model ---- */

static void check_missing(struct world *w, const struct take *t, int64_t total)
{
	const struct json *list = json_get(kit_json(w->k), "missing_chunks");
	size_t n = 0;
	for (int64_t i = 0; i < total; i++) {
		int64_t have = -1;
		if (i < CHUNKS && t->chunk[i].there)
			continue;
		if (!json_int(json_at(list, n++), &have) || have != i)
			wrong(w, "missing_chunks[%d] is %lld, expected %lld", (int)n - 1, (long long)have, (long long)i);
	}
	if (json_len(list) != n)
		wrong(w, "%d chunks are said to be missing, expected %d", (int)json_len(list), (int)n);
}

static void check_status(struct world *w)
{
	static const char *const states[] = {"receiving", "complete", "recovered"};
	struct take *t = newest_living(w);
	char url[100];
	snprintf(url, sizeof url, "/files/%s/status", w->sid);
	kit_get(w->k, url);
	want_status(w, t ? 200 : w->n ? 410 : 404);
	if (!t)
		return;
	int64_t total = t->total > 0 ? t->total : top_of(t);
	const struct { const char *key; int64_t want; } numbers[] = {
		{"uploaded_chunks", done_of(t)}, {"total_chunks", t->state == RECEIVING ? t->total : total}, {"take", t - w->take + 1}, {"bytes", bytes_of(t)},
	};
	for (size_t i = 0; i < 4; i++)
		if (kit_int(w->k, numbers[i].key) != numbers[i].want)
			wrong(w, "status: %s is %lld, expected %lld", numbers[i].key, (long long)kit_int(w->k, numbers[i].key), (long long)numbers[i].want);
	if (!text_eq(kit_str(w->k, "state"), states[t->state]) || kit_bool(w->k, "assembled") != (t->state != RECEIVING))
		wrong(w, "status: %s, expected %s", kit_str(w->k, "state"), states[t->state]);
	check_missing(w, t, total);
}

static void check_verify(struct world *w, int idx)
{
	const struct piece *p = NULL;
	char url[100];
	for (int i = w->n - 1; i >= 0 && !p; i--)
		if (w->take[i].chunk[idx].there)
			p = &w->take[i].chunk[idx];
	snprintf(url, sizeof url, "/api/verify/%s/%d", w->sid, idx);
	kit_get(w->k, url);
	want_status(w, 200);
	if (kit_bool(w->k, "exists") != (p != NULL) || (p && kit_int(w->k, "size") != p->n))
		wrong(w, "verify %d: expected %s, %lld bytes", idx, p ? "true" : "false", p ? (long long)p->n : 0LL);
}

static void check_head(struct world *w, int idx)
{
	struct take *t = addressed(w, idx);
	char url[100], offset[24], length[24];
	const struct half *h = &t->half[idx];
	const struct piece *p = &t->chunk[idx];
	snprintf(url, sizeof url, "/files/%s/chunks/%d", w->sid, idx);
	kit_tus(w->k, "HEAD", url, NULL, NULL, 0);
	want_status(w, t->state == GONE ? 410 : h->there || p->there ? 200 : 404);
	snprintf(offset, sizeof offset, "%lld", (long long)(h->there ? h->offset : p->n));
	snprintf(length, sizeof length, "%lld", (long long)(h->there ? h->length : p->n));
	if (w->k->status != 200)
		return;
	if (!text_eq(kit_h(w->k, "Upload-Offset"), offset))
		wrong(w, "HEAD %d: Upload-Offset %s, expected %s", idx, kit_h(w->k, "Upload-Offset"), offset);
	if (!text_eq(kit_h(w->k, "Upload-Length"), h->there && h->length < 0 ? NULL : length))
		wrong(w, "HEAD %d: Upload-Length %s, expected %s", idx, kit_h(w->k, "Upload-Length"), length);
}

static void check_content(struct world *w, const struct rec *r)
{
	size_t at = 0;
	for (int i = 0; i < r->n; i++) {
		size_t n = (size_t)r->part[i].p.n;
		if (at + n > w->k->len || memcmp(w->k->body + at, stream[r->part[i].idx][r->part[i].p.v], n) != 0)
			wrong(w, "take %d: chunk %d is wrong in the file of %d bytes", r->take, r->part[i].idx, (int)w->k->len);
		at += n;
	}
	if (at != w->k->len)
		wrong(w, "take %d: the file has %d bytes, expected %d", r->take, (int)w->k->len, (int)at);
}

static void check_note(struct world *w, const struct rec *r, const char *url, int64_t size)
{
	char note[600];
	snprintf(note, sizeof note, "%s.meta.json", url);
	kit_get(w->k, note);
	want_status(w, 200);
	if (kit_int(w->k, "file_size_bytes") != size || kit_int(w->k, "take") != r->take || !text_eq(kit_str(w->k, "session_id"), w->sid)
	    || (r->first < 0 && kit_int(w->k, "total_chunks") != r->n) || json_len(json_get(kit_json(w->k), "missing_chunks")) != 0)
		wrong(w, "the note is wrong: expected take %d, %lld bytes, %d chunks", r->take, (long long)size, r->n);
	if (*r->name && !text_eq(kit_str(w->k, "file_name"), r->name))
		wrong(w, "the note says file_name %s, expected %s", kit_str(w->k, "file_name"), r->name);
}

/* The row of the list that a finished file of the model is: its take, and for a run its range and number. */
static bool rec_is(const struct rec *r, int64_t take, const char *disk)
{
	char range[60], number[16] = "";
	const char *chunks = strstr(disk, " chunks ");
	if (r->number > 1)
		snprintf(number, sizeof number, " (%d)", r->number);
	snprintf(range, sizeof range, " chunks %d-%d%s.", r->first, r->last, number);
	return r->take == take && (r->first < 0 ? !chunks : chunks && strncmp(chunks, range, strlen(range)) == 0);
}

struct listed {
	int64_t take, size;
	char name[200], disk[201], url[500];
};

static int list_read(struct world *w, struct listed *out)
{
	kit_get(w->k, "/recordings/?limit=1000");
	want_status(w, 200);
	const struct json *list = json_get(kit_json(w->k), "recordings");
	int n = 0;
	for (size_t i = 0; i < json_len(list); i++) {
		const struct json *o = json_at(list, i);
		assert_true(n < RECS);
		struct listed *l = &out[n++];
		json_int(json_get(o, "take"), &l->take);
		json_int(json_get(o, "size"), &l->size);
		snprintf(l->name, sizeof l->name, "%s", json_str(json_get(o, "name")));
		snprintf(l->disk, sizeof l->disk, "%s", json_str(json_get(o, "file")));
		snprintf(l->url, sizeof l->url, "%s", json_str(json_get(o, "url")));
		if (!text_eq(json_str(json_get(o, "session_id")), w->sid))
			wrong(w, "a file of somebody else is listed");
	}
	return n;
}

/* Each finished file is there once, with its bytes and its note; drop: and can be removed. */
static void check_files(struct world *w, bool drop)
{
	struct listed list[RECS];
	int n = list_read(w, list);
	if (n != w->nrec)
		wrong(w, "%d finished files, expected %d", n, w->nrec);
	for (int i = 0; i < w->nrec; i++) {
		const struct rec *r = &w->rec[i];
		int at = 0;
		while (at < n && !rec_is(r, list[at].take, list[at].disk))
			at++;
		if (at == n)
			wrong(w, "no finished file of take %d (chunks %d to %d)", r->take, r->first, r->last);
		if (*r->name && !text_eq(list[at].name, r->name))
			wrong(w, "the file of take %d is called %s, expected %s", r->take, list[at].name, r->name);
		kit_get(w->k, list[at].url);
		want_status(w, 200);
		check_content(w, r);
		check_note(w, r, list[at].url, (int64_t)w->k->len);
		if (drop)
			kit_raw(w->k, "DELETE", list[at].url, NULL, NULL, 0), want_status(w, 200);
	}
}

static void check_all(struct world *w)
{
	check_status(w);
	for (int i = 0; i < CHUNKS; i++) {
		check_verify(w, i);
		if (w->n)
			check_head(w, i);
	}
	check_files(w, false);
}

/* ---- running ---- */

static void run_step(struct world *w, const char *text)
{
	struct step s = step_parse(text);
	size_t at = strlen(w->script);
	snprintf(w->script + at, sizeof w->script - at, "%s%s", at ? "; " : "", text);
	switch (s.op) {
	case 'c': step_create(w, &s); break;
	case 'p': step_patch(w, &s); break;
	case 'f': step_fallback(w, &s); break;
	case 'd': step_delete(w, &s); break;
	case 'D': step_cancel(w); break;
	case 'e': step_complete(w, &s); break;
	case 'a': step_assemble(w); break;
	case 'r': step_reap(w); break;
	case 'x': kit_restart(w->k, NULL); clock_shift(w->shift); break;
	case 'k': step_parked(w, s.arg[0]); return;
	default: fail_msg("no such step: %s", text);
	}
	if (w->thorough) {
		check_all(w);
	} else {
		check_status(w);
		if (strchr("cpfd", s.op) && w->n) {
			check_head(w, (int)s.arg[0]);
			check_verify(w, (int)s.arg[0]);
		}
	}
}

static void world_begin(struct world *w, struct kit *k, const char *title, int number, bool thorough)
{
	memset(w, 0, sizeof *w);
	w->k = k;
	w->title = title;
	w->thorough = thorough;
	snprintf(w->sid, sizeof w->sid, "sess_%d", number);
	clock_shift(0);
}

/* Everything is as the model says; then everything is removed, and nothing may be left. */
static void world_end(struct world *w)
{
	char url[100];
	check_all(w);
	snprintf(url, sizeof url, "/files/%s", w->sid);
	kit_raw(w->k, "DELETE", url, NULL, NULL, 0);
	check_files(w, true);
	struct listed list[RECS];
	if (list_read(w, list) != 0)
		wrong(w, "removed files are listed");
	if (kit_parts(w->k) != 0)
		wrong(w, "%d part files are left over", kit_parts(w->k));
}

#endif
