/*
 * slots_steps.h - the steps of a script: each asks the server, moves the model, and compares the answer with what the model expects.
 */
#ifndef TESTS_SLOTS_STEPS_H
#define TESTS_SLOTS_STEPS_H

#include "slots_model.h"

/* ---- steps ---- */

struct step {
	char op;
	int64_t arg[2];             /* -1: "?" or not given */
	int v;
	int64_t t, z, cut, len, piece;
	bool o, m;
};

static struct step step_parse(const char *text)
{
	struct step s = {.arg = {-1, -1}, .cut = -1, .len = -1};
	int args = 0;
	char copy[200], *rest = NULL;
	snprintf(copy, sizeof copy, "%s", text);
	for (char *tok = strtok_r(copy, " ", &rest); tok; tok = strtok_r(NULL, " ", &rest)) {
		const char *eq = strchr(tok, '=');
		int64_t value = eq ? atoll(eq + 1) : 0;
		if (!s.op)
			s.op = *tok;
		else if (strcmp(tok, "o") == 0)
			s.o = true;
		else if (strcmp(tok, "m") == 0)
			s.m = true;
		else if (strncmp(tok, "cut=", 4) == 0)
			s.cut = value;
		else if (strncmp(tok, "len=", 4) == 0)
			s.len = value;
		else if (strncmp(tok, "pc=", 3) == 0)
			s.piece = value;
		else if (eq && *tok == 'v')
			s.v = (int)value;
		else if (eq && *tok == 't')
			s.t = value;
		else if (eq && *tok == 'z')
			s.z = value;
		else if (args < 2)
			s.arg[args++] = *tok == '?' ? -1 : atoll(tok);
		else
			fail_msg("what is '%s' in '%s'?", tok, text);
	}
	return s;
}

static const char *b64_number(int64_t v, char out[32])
{
	static const char abc[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char text[24];
	int n = snprintf(text, sizeof text, "%lld", (long long)v), o = 0;
	for (int i = 0; i < n; i += 3) {
		unsigned x = (unsigned)text[i] << 16 | (i + 1 < n ? (unsigned)text[i + 1] << 8 : 0) | (i + 2 < n ? (unsigned)text[i + 2] : 0);
		out[o++] = abc[x >> 18];
		out[o++] = abc[x >> 12 & 63];
		out[o++] = i + 1 < n ? abc[x >> 6 & 63] : '=';
		out[o++] = i + 2 < n ? abc[x & 63] : '=';
	}
	out[o] = '\0';
	return out;
}

static void step_create(struct world *w, const struct step *s)
{
	struct take *t;
	int idx = (int)s->arg[0];
	int64_t length = s->arg[1];
	char headers[400], url[100], n[32];
	int at = snprintf(headers, sizeof headers, "Upload-Metadata: chunkIndex %s", b64_number(idx, n));
	if (s->t)
		at += snprintf(headers + at, sizeof headers - (size_t)at, ",totalChunks %s", b64_number(s->t, n));
	if (s->z)
		at += snprintf(headers + at, sizeof headers - (size_t)at, ",chunkSize %s", b64_number(s->z, n));
	if (length < 0)
		snprintf(headers + at, sizeof headers - (size_t)at, "\nUpload-Defer-Length: 1\n");
	else
		snprintf(headers + at, sizeof headers - (size_t)at, "\nUpload-Length: %lld\n", (long long)length);
	snprintf(url, sizeof url, "/files/%s/chunks/", w->sid);
	kit_tus(w->k, "POST", url, headers, NULL, 0);
	int refused = reserve(w, SESSION_TUS, s->t, idx, &t);
	want_status(w, refused ? refused : 201);
	if (refused)
		return;
	t->half[idx] = (struct half){true, s->v, length, 0};
	if (length == 0)
		complete(w, t, idx, s->v, 0);
}

/* What the server must answer to a PATCH on an unfinished chunk, and what it must keep of it. */
static int patch_half(struct world *w, struct take *t, int idx, const struct step *s)
{
	struct half *h = &t->half[idx];
	int64_t n = s->arg[1], got = s->cut >= 0 && s->cut < n ? s->cut : n;
	if (s->len >= 0 && h->length >= 0 && s->len != h->length)
		return 400;
	if (s->len >= 0 && s->len < h->offset)
		return 400;
	int64_t length = s->len >= 0 ? s->len : h->length;
	if (length >= 0 && n > length - h->offset)
		return 413;
	h->length = length;
	h->offset += got;
	if (h->offset == h->length)
		complete(w, t, idx, h->v, h->length);
	else if (got < n)
		return 408;
	return 204;
}

static void step_patch(struct world *w, const struct step *s)
{
	int idx = (int)s->arg[0], want = 404;
	struct take *t = addressed(w, idx);
	int64_t n = s->arg[1], from = 0, after = -1;
	const unsigned char *p = stream[idx][0];
	char headers[200], url[100], text[24];
	if (t && t->half[idx].there) {
		from = t->half[idx].offset;
		p = stream[idx][t->half[idx].v] + from;
	} else if (t && t->chunk[idx].there) {
		p = stream[idx][t->chunk[idx].v];
	}
	int at = snprintf(headers, sizeof headers, "Upload-Offset: %lld\n", (long long)from);
	if (s->len >= 0)
		snprintf(headers + at, sizeof headers - (size_t)at, "Upload-Length: %lld\n", (long long)s->len);
	snprintf(url, sizeof url, "/files/%s/chunks/%d", w->sid, idx);
	w->k->cut = s->cut;
	w->k->piece = (size_t)s->piece;
	kit_tus(w->k, "PATCH", url, headers, p, (size_t)n);
	if (t && t->state == GONE) {
		want = 410;
	} else if (t && t->half[idx].there) {
		want = patch_half(w, t, idx, s);
		after = want == 204 || want == 408 ? from + (s->cut >= 0 && s->cut < n ? s->cut : n) : -1;
	} else if (t && t->chunk[idx].there) {
		want = n > t->chunk[idx].n ? 413 : n == 0 && t->chunk[idx].n > 0 ? 409 : 204;
	}
	want_status(w, want);
	snprintf(text, sizeof text, "%lld", (long long)after);
	if (after >= 0 && !text_eq(kit_h(w->k, "Upload-Offset"), text))
		wrong(w, "Upload-Offset is %s, expected %s", kit_h(w->k, "Upload-Offset"), text);
}

static void step_fallback(struct world *w, const struct step *s)
{
	enum session_kind kind = s->t ? SESSION_MANUAL : SESSION_LIVE;
	int idx = (int)s->arg[0];
	int64_t n = s->arg[1];
	bool reopen, exists = false;
	struct take *t = take_of(w, kind, s->t, idx, &reopen);
	if (s->cut >= 0) {
		/* The form breaks off inside the file: kept is nothing, though a long one may have made the session. */
		struct form_text f;
		form_begin(&f);
		if (!s->o) {
			form_add(&f, "session_id", w->sid);
			form_add_int(&f, "chunk_index", idx);
			if (s->t)
				form_add_int(&f, "total_chunks", s->t);
		}
		form_add_file(&f, "file", "blob", NULL, stream[idx][s->v], (size_t)n);
		w->k->cut = (int64_t)f.b.n - n - 2 + s->cut;
		form_send(w->k, "/upload/chunk", NULL, &f);
		want_status(w, 408);
		if (!t && !s->o && idx == 0 && s->cut > SMALL + 1000)
			take_add(w, kind, s->t);
		return;
	}
	exists = t && equal(&t->chunk[idx], idx, s->v, n) && !(s->t && idx >= s->t);
	kit_chunk(w->k, w->sid, idx, s->t, stream[idx][s->v], (size_t)n, s->o);
	/* The same bytes, found in memory, are not even a request to store. */
	if (!exists || n > SMALL) {
		int refused = reserve(w, kind, s->t, idx, &t);
		want_status(w, refused ? refused : 200);
		if (refused)
			return;
		complete(w, t, idx, s->v, n);
	}
	want_status(w, 200);
	if (!text_eq(kit_str(w->k, "status"), exists ? "chunk_already_exists" : "chunk_received") || kit_int(w->k, "chunk_index") != idx)
		wrong(w, "expected %s", exists ? "chunk_already_exists" : "chunk_received");
}

static void step_delete(struct world *w, const struct step *s)
{
	int idx = (int)s->arg[0];
	struct take *t = addressed(w, idx);
	char url[100];
	snprintf(url, sizeof url, "/files/%s/chunks/%d", w->sid, idx);
	kit_tus(w->k, "DELETE", url, NULL, NULL, 0);
	want_status(w, !t ? 404 : t->state == GONE ? 410 : t->half[idx].there ? 204 : t->chunk[idx].there ? 409 : 404);
	if (t && t->state != GONE)
		t->half[idx].there = false;
}

static void step_cancel(struct world *w)
{
	char url[100];
	int cancelled = 0;
	bool living = newest_living(w) != NULL;
	snprintf(url, sizeof url, "/files/%s", w->sid);
	kit_raw(w->k, "DELETE", url, NULL, NULL, 0);
	for (int i = 0; i < w->n; i++)
		if (w->take[i].state == RECEIVING) {
			w->take[i] = (struct take){.kind = w->take[i].kind, .total = w->take[i].total, .state = GONE};
			cancelled++;
		}
	want_status(w, cancelled ? 200 : living ? 409 : 404);
}

/* As the answer of a completion must be; name NULL: as the take has it. */
static int complete_take(struct world *w, struct take *t, int64_t total, const char *name)
{
	if (t->state != RECEIVING) {
		struct rec *r = rec_of(w, (int)(t - w->take) + 1);
		if (total > top_of(t))
			return 409;
		if (name)
			snprintf(r->name, sizeof r->name, "%s", name);
		t->state = COMPLETE;
		return 200;
	}
	if (!whole(t, total > 0 ? total : t->total > 0 ? t->total : top_of(t)))
		return 409;
	for (int i = top_of(t); i < CHUNKS && total <= 0 && t->total == 0; i++)
		if (t->half[i].there && t->half[i].offset > 0)
			return 409;
	finish(w, t, COMPLETE, name);
	return 200;
}

static struct take *take_to_complete(struct world *w, bool manual)
{
	for (int i = w->n - 1; i >= 0; i--)
		if (w->take[i].state != GONE && (w->take[i].kind == SESSION_MANUAL) == manual)
			return &w->take[i];
	return newest_living(w);
}

static void step_complete(struct world *w, const struct step *s)
{
	char name[40], meta[100];
	struct take *t = take_to_complete(w, s->m);
	bool was = t && t->state != RECEIVING;
	snprintf(name, sizeof name, "r%d.webm", w->named++);
	snprintf(meta, sizeof meta, "{\"manualUpload\":%s,\"totalChunks\":%lld}", s->m ? "true" : "false", (long long)s->t);
	kit_complete(w->k, w->sid, name, s->m || s->t ? meta : NULL);
	want_status(w, t ? complete_take(w, t, s->t, name) : w->n ? 410 : 404);
	if (w->k->status == 200 && (!text_eq(kit_str(w->k, "status"), was ? "already_completed" : "assembling")
	                            || !text_eq(kit_str(w->k, "file_name"), name)))
		wrong(w, "expected %s of %s", was ? "already_completed" : "assembling", name);
}

static void step_assemble(struct world *w)
{
	char url[100];
	struct take *t = newest_living(w);
	snprintf(url, sizeof url, "/files/%s/assemble", w->sid);
	kit_raw(w->k, "POST", url, NULL, NULL, 0);
	want_status(w, t ? complete_take(w, t, 0, NULL) : w->n ? 410 : 404);
}

static bool same_bytes(const struct rec *a, const struct rec *b)
{
	bool same = a->n == b->n;
	for (int i = 0; same && i < a->n; i++)
		same = equal(&a->part[i].p, a->part[i].idx, b->part[i].p.v, b->part[i].p.n);
	return same;
}

/* Once as it is; again, under a number, if a chunk was replaced since. */
static void offer_run(struct world *w, const struct take *t, int first, int last)
{
	struct rec now = {.take = (int)(t - w->take) + 1, .first = first, .last = last, .number = 1};
	rec_fill(&now, t, first, last);
	for (int i = 0; i < w->nrec; i++) {
		const struct rec *r = &w->rec[i];
		if (r->take != now.take || r->first != first || r->last != last)
			continue;
		if (same_bytes(r, &now))
			return;
		now.number++;
	}
	*rec_add(w, now.take, first, last) = now;
}

static void offer_runs(struct world *w, struct take *t)
{
	for (int i = 0, first; i < CHUNKS; i++) {
		if (!t->chunk[i].there)
			continue;
		for (first = i; i + 1 < CHUNKS && t->chunk[i + 1].there; i++)
			;
		offer_run(w, t, first, i);
	}
	t->offered = true;
}

static void step_reap(struct world *w)
{
	w->shift += TWO_DAYS;
	clock_shift(w->shift);
	struct reap_count c = kit_reap(w->k);
	if (c.failed)
		wrong(w, "the reaper failed");
	for (int i = 0; i < w->n; i++) {
		struct take *t = &w->take[i];
		if (t->state != RECEIVING || t->offered)
			continue;
		if (done_of(t) == 0)
			*t = (struct take){.kind = t->kind, .total = t->total, .state = GONE};
		else if (done_of(t) == top_of(t))
			finish(w, t, RECOVERED, "");
		else
			offer_runs(w, t);
	}
}

static void step_parked(struct world *w, int64_t want)
{
	struct session s;
	int found;
	assert_int_equal(store_session_takes(kit_house(w->k)->db, w->k->a, w->sid, &s, 1, &found), ERR_OK);
	if (want >= 0 && s.parked != want)
		wrong(w, "%lld chunks are parked, expected %lld", (long long)s.parked, (long long)want);
}

#endif
