/*
 * test_import.c - tusctl import on folders that are torn, odd or hostile: bytes count as the files have them, whatever the notes say, and what clients sent since stays.
 */
#include <dirent.h>

#include "ctl_kit.h"
#include "upload/import.h"

/* ---- a folder of the other back end ---- */

static const char *in(const struct scene *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static const char *in(const struct scene *s, const char *fmt, ...)
{
	static char path[2][800];
	static int turn;
	char *p = path[turn ^= 1];
	va_list ap;
	int n = snprintf(p, 800, "%s/old/", s->dir);
	va_start(ap, fmt);
	vsnprintf(p + n, 800 - (size_t)n, fmt, ap);
	va_end(ap);
	return p;
}

static void folders_of(const char *path)
{
	char part[800];
	for (const char *p = strchr(path + 1, '/'); p; p = strchr(p + 1, '/')) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdir(part, 0755);
	}
}

static void put_n(const char *path, const void *bytes, size_t n)
{
	folders_of(path);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, n, f), n);
	assert_int_equal(fclose(f), 0);
}

static void put(const char *path, const char *text)
{
	put_n(path, text, strlen(text));
}

static void old_chunk(const struct scene *s, const char *sid, int idx, const char *text)
{
	put(in(s, "%s/chunks/chunk_%d.bin", sid, idx), text);
}

static struct json *import(struct scene *s, const char *flag)
{
	char dir[400];
	snprintf(dir, sizeof dir, "%s/old", s->dir);
	int rc = flag ? RUN(s, "import", dir, flag, "--json") : RUN(s, "import", dir, "--json");
	if (rc != 0)
		fail_msg("import: %d: %s%s", rc, s->out, s->err);
	return parsed(s);
}

static int64_t summed(struct scene *s, const char *flag, const char *key)
{
	struct json *j = import(s, flag);
	int64_t n = number(json_get(j, "summary"), key);
	json_free(j);
	return n;
}

/* How often it said this of that place; the last import's output. */
static int told(const struct scene *s, const char *what, const char *where)
{
	struct json *j = parsed(s);
	const struct json *list = json_get(j, "imported");
	int hits = 0;
	for (size_t i = 0; i < json_len(list); i++)
		hits += text_eq(json_str(json_get(json_at(list, i), "what")), what) && text_eq(json_str(json_get(json_at(list, i), "where")), where);
	json_free(j);
	return hits;
}
#define TOLD(s, what, where) do { if (told(s, what, where) != 1) fail_msg("not once %s %s: %s", what, where, (s)->out); } while (0)

/* The session has exactly these chunks, byte by byte; NULL: this one is missing. */
static void has_chunks(struct scene *s, const char *sid, const char *const *text, int n)
{
	struct session got = the_session(s, sid);
	for (int i = 0; i < n; i++) {
		char bytes[4096];
		struct chunk_view v;
		char path[512];
		enum err e = chunk_find(s->h, s->a, sid, i, &v);
		if (!text[i]) {
			assert_int_equal(e, ERR_NOT_FOUND);
			continue;
		}
		if (e || !v.done || v.c.length != (int64_t)strlen(text[i]))
			fail_msg("%s, chunk %d: %s, %lld bytes", sid, i, err_code(e), (long long)v.c.length);
		part_path(s, v.c.file, path);
		int fd = v.c.length ? open(path, O_RDONLY) : -1;
		if (v.c.length)
			assert_int_equal(pread(fd, bytes, sizeof bytes, v.c.base) >= v.c.length, true);
		assert_memory_equal(bytes, text[i], (size_t)v.c.length);
		if (fd >= 0)
			close(fd);
	}
	assert_int_equal(got.state, SESSION_RECEIVING);
}

static struct recording the_recording(struct scene *s, const char *sid, const char *disk)
{
	struct recording r;
	enum err e = store_recording_get(s->h->db, s->a, sid, disk, &r);
	if (e)
		fail_msg("%s/%s: %s", sid, disk, err_code(e));
	return r;
}

static void is_file(struct scene *s, const char *sid, const char *disk, const char *text)
{
	struct recording r = the_recording(s, sid, disk);
	char bytes[4096];
	int fd;
	assert_int_equal(recording_open(s->h, s->a, &r, &fd), ERR_OK);
	ssize_t n = read(fd, bytes, sizeof bytes);
	close(fd);
	assert_int_equal(n, strlen(text));
	assert_int_equal(r.size, n);
	assert_memory_equal(bytes, text, (size_t)n);
}

/* ---- torn notes ---- */

static const char info[] = "{\"total_chunks\": 0, \"uploaded_chunks\": [0, 1], \"recording_name\": \"Lied\", \"format\": \"webm\", \"started_at\": \"2026-11-22T06:04:02.02\", "
	"\"chunk_sizes\": {\"0\": 999999, \"1\": 1}, \"client_metadata\": {\"name\": \"x\"}}";

/* Cut at every byte, and other things that no note should be. */
static void notes_are_torn(void **state)
{
	static const char *const odd[] = {"[]", "null", "{\"total_chunks\":-3}", "{\"total_chunks\":1e300}", "{\"total_chunks\":\"7\"}", "{\"total_chunks\":9223372036854775807}",
		"{\"total_chunks\":1}", "{\"client_metadata\":[1],\"recording_name\":7}", "{\"chunk_sizes\":{\"0\":0}}", "\xff\xfe{", "{\"recording_name\":\"../../x\\u0000y\"}"};
	static const char *const texts[] = {"first chunk", "second", "", "the fourth one"};
	struct scene *s = *state;
	char sid[64];
	int n = 0;
	for (size_t cut = 0; cut < sizeof info; cut += 3, n++) {
		snprintf(sid, sizeof sid, "torn-%d", n);
		put_n(in(s, "%s/session_info.json", sid), info, cut);
	}
	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++, n++) {
		snprintf(sid, sizeof sid, "torn-%d", n);
		put(in(s, "%s/session_info.json", sid), odd[i]);
	}
	for (int i = 0; i < n; i++)
		for (int c = 0; c < 4; c++) {
			snprintf(sid, sizeof sid, "torn-%d", i);
			old_chunk(s, sid, c, texts[c]);
		}
	assert_int_equal(summed(s, NULL, "sessions"), n);
	for (int i = 0; i < n; i++) {
		snprintf(sid, sizeof sid, "torn-%d", i);
		has_chunks(s, sid, texts, 4);
		/* A total that the note gives and a file denies counts for nothing. */
		assert_int_equal(the_session(s, sid).total, 0);
	}
	assert_int_equal(summed(s, NULL, "chunks"), 0);
	IS_SOUND(s);
}

/* An assembly that was killed leaves half a file under the final name: what counts are its chunks. */
static void assemblies_are_torn(void **state)
{
	static const char *const texts[] = {"one ", "two"};
	struct scene *s = *state;
	for (int i = 0; i < 3; i++) {
		char sid[32];
		snprintf(sid, sizeof sid, "half-%d", i);
		put(in(s, "%s/completed/a.webm", sid), "one");
		old_chunk(s, sid, 0, texts[0]);
		old_chunk(s, sid, 1, texts[1]);
	}
	put(in(s, "half-1/completed/a.webm.meta.json"), "{\"file_name\":\"a.webm\",\"file_size_by");
	put(in(s, "half-2/completed/a.webm.meta.json"), "{\"file_name\":\"a.webm\",\"file_size_bytes\":7}");
	/* Without chunks a file is all there is. */
	put(in(s, "alone/completed/a.webm"), "one");
	put(in(s, "torn-note/completed/a.webm"), "one");
	put(in(s, "torn-note/completed/a.webm.meta.json"), "{\"file_na");
	put(in(s, "other-size/completed/a.webm"), "one");
	put(in(s, "other-size/completed/a.webm.meta.json"), "{\"file_name\":\"A\",\"file_size_bytes\":70,\"client_metadata\":{\"k\":1}}");
	/* A note that agrees: finished, and what lies beside it was sent once too often. */
	put(in(s, "again/completed/a.webm"), "one two");
	put(in(s, "again/completed/a.webm.meta.json"), "{\"file_name\":\"a.webm\",\"file_size_bytes\":7,\"total_chunks\":2}");
	old_chunk(s, "again", 1, "two");
	struct json *j = import(s, NULL);
	assert_int_equal(number(json_get(j, "summary"), "sessions"), 3);
	assert_int_equal(number(json_get(j, "summary"), "finished"), 4);
	assert_int_equal(number(json_get(j, "summary"), "left"), 4);
	json_free(j);
	for (int i = 0; i < 3; i++) {
		char sid[32], where[64];
		snprintf(sid, sizeof sid, "half-%d", i);
		snprintf(where, sizeof where, "%s/completed/a.webm", sid);
		TOLD(s, "left", where);
		has_chunks(s, sid, texts, 2);
	}
	TOLD(s, "left", "again/chunks");
	is_file(s, "alone", "a.webm", "one");
	is_file(s, "torn-note", "a.webm", "one");
	is_file(s, "other-size", "a.webm", "one");
	is_file(s, "again", "a.webm", "one two");
	assert_string_equal(the_recording(s, "other-size", "a.webm").name, "A");
	IS_SOUND(s);
}

/* ---- odd things ---- */

static void strangers_are_left(void **state)
{
	static const char *const legacy[] = {"from a shard", "newer"};
	struct scene *s = *state;
	char secret[400];
	snprintf(secret, sizeof secret, "%s/secret", s->dir);
	put(secret, "secret");
	static const char *const odd_sids[] = {"a..b", ".hidden", "with blank", "_AAAAAAAAAAAAAAAAAAAAAA", "\xc3\xbc"};
	for (size_t i = 0; i < sizeof odd_sids / sizeof *odd_sids; i++)
		put(in(s, "%s/completed/a.webm", odd_sids[i]), "x");
	put(in(s, "loose-file"), "x");
	put(in(s, "tus_uploads/x"), "x");
	mkdir(in(s, "empty"), 0755);
	assert_int_equal(symlink(s->dir, in(s, "linked")), 0);
	/* Below a session. */
	old_chunk(s, "odd", 0, "zero");
	put(in(s, "odd/chunks/chunk_01.bin"), "x");
	put(in(s, "odd/chunks/chunk_-1.bin"), "x");
	put(in(s, "odd/chunks/chunk_99999999999999999999.bin"), "x");
	put(in(s, "odd/chunks/2.part"), "x");
	put(in(s, "odd/extra"), "x");
	assert_int_equal(symlink(secret, in(s, "odd/chunks/chunk_1.bin")), 0);
	assert_int_equal(mkfifo(in(s, "odd/chunks/chunk_2.bin"), 0600), 0);
	put(in(s, "odd2/completed/.dot.webm"), "x");
	put(in(s, "odd2/completed/bad\x01name.webm"), "x");
	assert_int_equal(symlink(secret, in(s, "odd2/completed/s.webm")), 0);
	assert_int_equal(symlink(secret, in(s, "odd2/session_info.json")), 0);
	assert_int_equal(symlink(secret, in(s, "odd2/chunks")), 0);
	put(in(s, "legacy/temp/shard_0000/0.part"), legacy[0]);
	put(in(s, "legacy/temp/shard_0000/1.part"), "older");
	old_chunk(s, "legacy", 1, legacy[1]);
	struct json *j = import(s, NULL);
	assert_int_equal(number(json_get(j, "summary"), "finished"), 0);
	assert_int_equal(number(json_get(j, "summary"), "sessions"), 2);
	json_free(j);
	for (size_t i = 0; i < sizeof odd_sids / sizeof *odd_sids; i++)
		TOLD(s, "left", odd_sids[i]);
	static const char *const left[] = {"loose-file", "tus_uploads", "empty", "linked", "odd/extra", "odd/chunks/chunk_01.bin", "odd/chunks/chunk_-1.bin", "odd/chunks/chunk_1.bin",
		"odd/chunks/chunk_2.bin", "odd/chunks/2.part", "odd/chunks/chunk_99999999999999999999.bin", "odd2/completed/.dot.webm", "odd2/completed/s.webm", "odd2/session_info.json", "odd2/chunks"};
	for (size_t i = 0; i < sizeof left / sizeof *left; i++)
		TOLD(s, "left", left[i]);
	has_chunks(s, "odd", (const char *const[]){"zero", NULL, NULL}, 3);
	has_chunks(s, "legacy", legacy, 2);
	IS_SOUND(s);
}

/* ---- what came since ---- */

static void what_clients_sent_stays(void **state)
{
	struct scene *s = *state;
	struct chunk_cmd cmd = {.sid = "went-on", .owner = "", .take = {.kind = SESSION_LIVE}, .idx = 1, .length = 3, .only_new = true};
	struct chunk_put *p;
	struct chunk_put_out out;
	struct session none;
	int found;
	put(in(s, "went-on/session_info.json"), info);
	for (int i = 0; i < 3; i++)
		old_chunk(s, "went-on", i, "torn");
	old_chunk(s, "gone", 0, "x");
	put(in(s, "taken/completed/a.webm"), "mine");
	assert_int_equal(summed(s, NULL, "chunks"), 4);
	a_chunk(s, "went-on", 1, "the whole chunk");
	assert_int_equal(session_cancel(s->h, s->a, "gone"), ERR_OK);
	/* The name is another's, with as many bytes. */
	put(in(s, "taken/completed/a.webm"), "mind");
	put(in(s, "taken/completed/a.webm.meta.json"), "{\"file_size_bytes\":4}");
	old_chunk(s, "taken", 3, "sent once too often");
	assert_int_equal(summed(s, NULL, "chunks"), 0);
	TOLD(s, "left", "taken/completed/a.webm");
	TOLD(s, "left", "gone/chunks");
	is_file(s, "taken", "a.webm", "mine");
	assert_int_equal(store_session_takes(s->h->db, s->a, "taken", &none, 1, &found), ERR_NOT_FOUND);
	has_chunks(s, "went-on", (const char *const[]){"torn", "the whole chunk", "torn"}, 3);
	/* Also if the client comes between the look and the writing. */
	assert_int_equal(chunk_put_open(s->h, s->a, NULL, &p), ERR_OK);
	assert_int_equal(chunk_put_data(p, "old", 3), ERR_OK);
	assert_int_equal(chunk_put_end(p, &cmd, &out), ERR_CONFLICT);
	chunk_put_close(p);
	has_chunks(s, "went-on", (const char *const[]){"torn", "the whole chunk", "torn"}, 3);
	IS_SOUND(s);
}

/* A chunk on its way: the client's bytes behind those of the file stay. */
static void a_part_that_went_on_stays(void **state)
{
	static const char tus[] = "{\"total_chunks\":3,\"recording_name\":\"T\",\"client_metadata\":{\"chunkIndex\":\"0\",\"sessionId\":\"part\"}}";
	struct scene *s = *state;
	struct append_cmd append = {.offset = 3, .length = 6, .body = 2, .max_size = 1 << 20};
	struct append_out out;
	struct source_mem body;
	struct chunk_view v;
	put(in(s, "part/session_info.json"), tus);
	old_chunk(s, "part", 0, "abc");
	assert_int_equal(summed(s, NULL, "sessions"), 1);
	assert_int_equal(chunk_find(s->h, s->a, "part", 0, &v), ERR_OK);
	assert_true(v.open && !v.done);
	assert_int_equal(v.u.offset, 3);
	assert_int_equal(v.u.length, LENGTH_UNKNOWN);
	source_mem_init(&body, "de", 2);
	assert_int_equal(upload_append(s->h, s->a, v.u.n, &append, &body.s, &out), ERR_OK);
	assert_int_equal(summed(s, NULL, "chunks"), 0);
	assert_int_equal(chunk_find(s->h, s->a, "part", 0, &v), ERR_OK);
	assert_int_equal(v.u.offset, 5);
	IS_SOUND(s);
}

/* ---- in place ---- */

/* The folder is that of our own finished files: what is there already is ours, and half an assembly makes room for the whole one. */
static void our_own_folder(void **state)
{
	static const char *const texts[] = {"one ", "two"};
	struct scene *s = *state;
	struct complete_cmd cmd = {.sid = "half", .name = "a.webm", .file_size = -1};
	struct complete_out out;
	struct recording r;
	struct stat before, after;
	char path[700];
	struct upload u = an_upload(s, 5, "whole");
	assert_int_equal(u.state, UPLOAD_COMPLETE);
	snprintf(path, sizeof path, "%s/half/chunks/chunk_0.bin", s->cfg->done_dir);
	put(path, texts[0]);
	snprintf(path, sizeof path, "%s/half/chunks/chunk_1.bin", s->cfg->done_dir);
	put(path, texts[1]);
	snprintf(path, sizeof path, "%s/half/completed/a.webm", s->cfg->done_dir);
	put(path, "on");
	snprintf(path, sizeof path, "%s/fine/completed/b.webm", s->cfg->done_dir);
	put(path, "fine");
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(RUN(s, "import", s->cfg->done_dir, "--json"), 0);
	TOLD(s, "left", "half/completed/a.webm");
	TOLD(s, "finished", "fine/completed/b.webm");
	is_file(s, "fine", "b.webm", "fine");
	assert_int_equal(stat(path, &after), 0);
	assert_true(before.st_ino == after.st_ino && before.st_mtime == after.st_mtime);
	has_chunks(s, "half", texts, 2);
	assert_int_equal(session_complete(s->h, s->a, &cmd, &out), ERR_OK);
	finish_later(s->h, 0, out.finish_session);
	is_file(s, "half", "a.webm", "one two");
	/* What is deleted is not found again: the file has gone with its row. */
	r = the_recording(s, "fine", "b.webm");
	assert_int_equal(recording_remove(s->h, s->a, &r), ERR_OK);
	assert_int_equal(RUN(s, "import", s->cfg->done_dir, "--json"), 0);
	TOLD(s, "left", "half/chunks");
	assert_int_equal(store_recording_get(s->h->db, s->a, "fine", "b.webm", &r), ERR_NOT_FOUND);
	IS_SOUND(s);
}

/* ---- the rest ---- */

static void a_dry_run_takes_nothing(void **state)
{
	struct scene *s = *state;
	struct recording r;
	struct session none;
	int found;
	old_chunk(s, "dry", 0, "x");
	put(in(s, "dry2/completed/a.webm"), "one");
	assert_int_equal(summed(s, "--dry-run", "sessions"), 1);
	assert_int_equal(summed(s, "--dry-run", "finished"), 1);
	assert_int_equal(store_session_takes(s->h->db, s->a, "dry", &none, 1, &found), ERR_NOT_FOUND);
	assert_int_equal(store_recordings(s->h->db, s->a, NULL, 0, &r, 1, &found), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(RUN(s, "import"), 2);
	assert_int_equal(RUN(s, "import", "/nowhere/at/all"), 1);
	assert_int_equal(RUN(s, "import", s->dir, "--force"), 2);
}

static const struct import_rule {
	const char *name;
	struct import_hint hint;
	int64_t size[4];            /* 0: no such file */
	int64_t length[4];          /* of the whole chunk; 0: it is whole; LENGTH_UNKNOWN */
	enum session_kind kind;
	int64_t total;
} rules[] = {
	{"live: all sizes are whole", {.known = true}, {900, 1000, 20, 1000}, {0}, SESSION_LIVE, 0},
	{"nothing known", {.known = false}, {900, 1000, 20, 1000}, {0}, SESSION_TUS, 0},
	{"nothing known, cut evenly", {.known = false}, {1000, 1000, 1000, 20}, {0}, SESSION_TUS, 0},
	{"manual with a hole", {.known = true, .total = 4}, {1000, 0, 1000, 20}, {0}, SESSION_MANUAL, 4},
	{"manual: too short in the middle", {.known = true, .total = 4}, {1000, 300, 1000, 20}, {[1] = 1000}, SESSION_MANUAL, 4},
	{"manual: all there, so a client's word is awaited", {.known = true, .total = 4}, {1000, 1000, 1000, 20}, {0}, SESSION_TUS, 0},
	{"tus: the last one may be on its way", {.known = true, .tus = true, .total = 4}, {1000, 1000, 1000, 20}, {[3] = LENGTH_UNKNOWN}, SESSION_TUS, 4},
	{"tus: the newest one is not the last", {.known = true, .tus = true, .total = 9}, {1000, 1000, 20, 0}, {[2] = 1000}, SESSION_TUS, 9},
	{"tus: one alone", {.known = true, .tus = true, .total = 4, .chunk_size = 1000}, {500, 0, 0, 0}, {LENGTH_UNKNOWN}, SESSION_TUS, 4},
	{"tus: one alone of the size that clients are told", {.known = true, .tus = true, .total = 4, .chunk_size = 1000}, {1000, 0, 0, 0}, {0}, SESSION_TUS, 4},
	{"a total that a file denies", {.known = true, .total = 2}, {1000, 1000, 1000, 20}, {0}, SESSION_TUS, 0},
};

static void what_files_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
		const struct import_rule *r = &rules[i];
		struct import_chunk v[4];
		struct take_want take;
		size_t n = 0;
		for (int k = 0; k < 4; k++)
			if (r->size[k])
				v[n++] = (struct import_chunk){.idx = k, .size = r->size[k]};
		plan_import(v, n, &r->hint, &take);
		for (size_t k = 0; k < n; k++)
			if (v[k].whole != (r->length[v[k].idx] == 0) || (!v[k].whole && v[k].length != r->length[v[k].idx]))
				fail_msg("%s: chunk %lld: %s, length %lld", r->name, (long long)v[k].idx, v[k].whole ? "whole" : "a part", (long long)v[k].length);
		if (take.kind != r->kind || take.total != r->total)
			fail_msg("%s: kind %d, total %lld", r->name, take.kind, (long long)take.total);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, scene_open, scene_close)
	const struct CMUnitTest tests[] = {
		T(notes_are_torn), T(assemblies_are_torn), T(strangers_are_left), T(what_clients_sent_stays), T(a_part_that_went_on_stays), T(our_own_folder), T(a_dry_run_takes_nothing),
		cmocka_unit_test(what_files_say),
	};
	return cmocka_run_group_tests_name("import", tests, NULL, NULL);
}
