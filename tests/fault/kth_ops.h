/*
 * kth_ops.h - the operations of test_kth.c: how each is prepared, what is done while something fails, what must be true then, and how it goes on to its end.
 */
#ifndef TESTS_KTH_OPS_H
#define TESTS_KTH_OPS_H

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "base/b64.h"
#include "base/digest.h"
#include "db/store_priv.h"
#include "kth_world.h"

#define SMALL 1000
#define LARGE 200000            /* does not stay in memory */
#define LONG (9 << 20)          /* is published on its way */

/* ---- whole uploads ---- */

static void act_create(void)
{
	t.n = SMALL;
	SAID_YES(create("Upload-Length: 1000\nUpload-Metadata: filename YS5iaW4=\n", NULL, 0));
}

static void act_create_with(void)
{
	t.n = SMALL;
	SAID_YES(create("Upload-Length: 1000\n", t.p, SMALL));
}

static void act_create_empty(void)
{
	t.n = 0;
	SAID_YES(create("Upload-Length: 0\n", NULL, 0));
}

static void small(void)
{
	create_now(SMALL);
}

static void begun(void)
{
	create_now(SMALL);
	EXPECT(k, 204, patch(0, t.p, 300, ""));
}

static void long_one(void)
{
	create_now(LONG);
}

static void complete(void)
{
	create_now(SMALL);
	EXPECT(k, 204, patch(0, t.p, SMALL, ""));
}

static void deferred(void)
{
	t.n = SMALL;
	EXPECT(k, 201, create("Upload-Defer-Length: 1\n", NULL, 0));
}

static void act_patch_rest(void)
{
	SAID_YES(patch(t.told, t.p + t.told, t.n - (size_t)t.told, ""));
}

static void act_patch_long(void)
{
	SAID_YES(patch(0, t.p, LONG, ""));
}

static void act_patch_cut(void)
{
	k->cut = 700;
	SAID_YES(patch(0, t.p, SMALL, ""));
}

static void act_patch_length(void)
{
	SAID_YES(patch(0, t.p, SMALL, "Upload-Length: 1000\n"));
}

static const char *sha256_line(const unsigned char *p, size_t n)
{
	static char line[128];
	unsigned char value[DIGEST_SHA256_LEN];
	strcpy(line, "Upload-Checksum: sha256 ");
	digest_sha256(p, n, value);
	b64_encode(value, sizeof value, line + strlen(line));
	return strcat(line, "\n");
}

static void act_patch_match(void)
{
	SAID_YES(patch(t.told, t.p + t.told, t.n - (size_t)t.told, sha256_line(t.p + t.told, t.n - (size_t)t.told)));
}

/* With other bytes than announced: also if something fails, none of them is ever the upload's. */
static void act_patch_mismatch(void)
{
	int status = patch(0, t.p + 1, SMALL, sha256_line(t.p, SMALL));
	if (status != 460 && said_yes())
		fail_msg("answered %d", status);
}

static void mismatch_true(void)
{
	EXPECT(k, 200, kit_tus(k, "HEAD", t.url, NULL, NULL, 0));
	HEADER(k, "Upload-Offset", "0");
}

/* ---- the same by the IETF draft ---- */

static int draft(const char *method, const char *target, const char *headers, const unsigned char *p, size_t n)
{
	int status = kit_raw(k, method, target, headers, p, n);
	const char *location = kit_h(k, "Location"), *told = kit_h(k, "Upload-Offset");
	if (location && said_yes())
		snprintf(t.url, sizeof t.url, "%s", strstr(location, "/files/"));
	if (told && t.url[0] && atoll(told) > t.told)
		t.told = atoll(told);
	return status;
}

static void act_draft_create(void)
{
	t.n = SMALL;
	SAID_YES(draft("POST", "/files/", "Upload-Complete: ?0\nUpload-Length: 1000\nContent-Disposition: inline; filename=a\n", t.p, 300));
}

static void act_draft_whole(void)
{
	t.n = SMALL;
	SAID_YES(draft("PUT", "/upload/" FORM_NAME, "Upload-Complete: ?1\n", t.p, SMALL));
}

static int draft_append(bool last, size_t n)
{
	char text[200];
	snprintf(text, sizeof text, "Content-Type: application/partial-upload\nUpload-Complete: ?%d\nUpload-Offset: %lld\n", last, (long long)t.told);
	return draft("PATCH", t.url, text, t.p + t.told, n);
}

static void act_draft_more(void)
{
	SAID_YES(draft_append(false, 400));
}

static void act_draft_last(void)
{
	SAID_YES(draft_append(true, t.n - (size_t)t.told));
}

static void act_draft_head(void)
{
	kit_raw(k, "HEAD", t.url, "Upload-Draft-Interop-Version: 8\n", NULL, 0);
	if (k->status == 204)
		HEADER(k, "Upload-Offset", "300");
	else
		assert_int_equal(k->status, 423);
}

static void draft_full(void)
{
	act_draft_create();
	EXPECT(k, 204, draft_append(false, 700));
}

/* It says by nothing whose it is: who cannot find out takes it for nobody's. */
static void act_head_bare(void)
{
	kit_raw(k, "HEAD", t.url, NULL, NULL, 0);
	assert_true(k->status == 204 || k->status == 423);
}

/* All bytes are there, and nobody has said that these are all. */
static void draft_goes_on(void)
{
	struct upload u;
	arena_reset(k->a);
	assert_int_equal(upload_find(kit_house(k), k->a, strrchr(t.url, '/') + 1, &u), ERR_OK);
	assert_int_equal(u.state, UPLOAD_OPEN);
}

/* Whether its answer came or not: said once more it is complete, and once. */
static void draft_end(void)
{
	upload_true();
	t.told = (int64_t)t.n < t.told ? (int64_t)t.n : t.told;
	EXPECT(k, 201, draft_append(true, t.n - (size_t)t.told));
	upload_end();
}

/* It is never answered with what makes a client begin again. */
static void act_head(void)
{
	kit_tus(k, "HEAD", t.url, NULL, NULL, 0);
	if (k->status == 200)
		HEADER(k, "Upload-Offset", "300");
	else
		assert_int_equal(k->status, 423);
}

static void act_get(void)
{
	kit_get(k, t.url);
	if (said_yes() && (k->len != t.n || memcmp(k->body, t.p, t.n) != 0))
		fail_msg("GET gave other bytes");
}

static void act_delete(void)
{
	t.removed = SAID_YES(kit_tus(k, "DELETE", t.url, NULL, NULL, 0));
}

static void upload_removed(void)
{
	kit_tus(k, "HEAD", t.url, NULL, NULL, 0);
	if (k->status == 410)
		t.removed = true;
	else if (t.removed)
		fail_msg("was removed, and HEAD says %d", k->status);
	else
		upload_true();
}

static void upload_remove_end(void)
{
	if (!t.removed)
		EXPECT(k, 204, kit_tus(k, "DELETE", t.url, NULL, NULL, 0));
	EXPECT(k, 410, kit_tus(k, "HEAD", t.url, NULL, NULL, 0));
}

/* ---- the digest of a finished file ---- */

static int64_t recording_row(struct recording *r)
{
	struct upload u;
	arena_reset(k->a);
	assert_int_equal(upload_find(kit_house(k), k->a, strrchr(t.url, '/') + 1, &u), ERR_OK);
	assert_int_equal(store_recording_of_upload(kit_house(k)->db, k->a, u.n, r), ERR_OK);
	return r->n;
}

static void act_digest(void)
{
	struct recording r;
	int64_t n = recording_row(&r);
	shim_fail_here(true);
	t.ended = recording_digest(kit_house(k), n) == ERR_OK;
	shim_fail_here(false);
}

/* A row with a digest has the right one, and a note that says it; else the note is as it was. */
static void digest_true(void)
{
	struct recording r;
	char hex[2 * DIGEST_SHA256_LEN + 1], at[300];
	unsigned char value[DIGEST_SHA256_LEN];
	upload_true();
	recording_row(&r);
	digest_sha256(t.p, t.n, value);
	text_hex(value, sizeof value, hex);
	bool told = r.sha256 != NULL;
	assert_true(told || !t.ended);
	if (told)
		assert_string_equal(r.sha256, hex);
	snprintf(at, sizeof at, "/recordings/%s/%s.meta.json", r.sid, r.disk);
	EXPECT(k, 200, kit_get(k, at));
	assert_int_equal(kit_int(k, "file_size_bytes"), t.n);
	const char *noted = json_str(json_get(kit_json(k), "sha256"));
	assert_true(noted || !told);
	if (noted)
		assert_string_equal(noted, hex);
}

static void digest_end_true(void)
{
	act_digest();
	assert_true(t.ended);
	digest_true();
	upload_end();
}

/* ---- in one request ---- */

static void act_put(void)
{
	t.n = LARGE;
	kit_raw(k, "PUT", "/upload/" FORM_NAME, NULL, t.p, t.n);
	if (said_yes())
		snprintf(t.url, sizeof t.url, "%s", strstr(kit_h(k, "Location"), "/files/"));
}

static void act_form(void)
{
	struct form_text f;
	t.n = LARGE;
	form_begin(&f);
	form_add_file(&f, "file", FORM_NAME, NULL, t.p, t.n);
	form_send(k, "/upload", NULL, &f);
	if (said_yes())
		snprintf(t.url, sizeof t.url, "%s", strstr(kit_h(k, "Location"), "/files/"));
}

static void stored_true(void)
{
	if (t.url[0])
		gives(t.url, t.p, t.n);
}

static void stored_end(void)
{
	if (!t.url[0]) {
		EXPECT(k, 201, kit_raw(k, "PUT", "/upload/" FORM_NAME, NULL, t.p, t.n));
		snprintf(t.url, sizeof t.url, "%s", strstr(kit_h(k, "Location"), "/files/"));
	}
	finish_rows();
	stored_true();
	EXPECT(k, 204, kit_tus(k, "DELETE", t.url, NULL, NULL, 0));
}

/* ---- chunks ---- */

static void session_one(void)
{
	chunk_is(0, t.p, SMALL);
}

static void session_two(void)
{
	chunk_is(0, t.p, SMALL);
	chunk_now(0, 0);
	chunk_is(1, t.p + SMALL, LARGE);
}

static void tus_chunk(int (*answered)(int status))
{
	char url[100], text[100];
	snprintf(url, sizeof url, "/files/%s/chunks/", t.sid);
	snprintf(text, sizeof text, "Upload-Length: %d\nUpload-Metadata: chunkIndex MA==\n", SMALL);
	if (!answered(kit_tus(k, "POST", url, text, NULL, 0)))
		return;
	strcat(url, "0");
	if (answered(kit_tus(k, "PATCH", url, "Upload-Offset: 0\n", t.c[0].p, t.c[0].n)))
		t.c[0].done = true;
}

static int yes_if(int status)
{
	(void)status;
	return said_yes();
}

static void act_tus_chunk(void)
{
	tus_chunk(yes_if);
}

static void act_chunk(void)
{
	t.c[0].done = SAID_YES(chunk_send(0, 0, false));
}

static void act_chunk_slot(void)
{
	t.c[1].done = SAID_YES(chunk_send(1, 0, false));
}

static void act_chunk_spool(void)
{
	t.c[1].done = SAID_YES(chunk_send(1, 0, true));
}

static void session_full(void)
{
	session_two();
	chunk_now(1, 0);
}

static void act_chunks_again(void)
{
	for (int i = 0; i < 2; i++)
		SAID_YES(chunk_send(i, 0, i));
}

/* Other bytes, shorter and longer. */
static void act_chunks_other(void)
{
	for (int i = 0; i < 2; i++) {
		struct told_chunk was = t.c[i];
		t.c[i].p = t.p + 77;
		t.c[i].n = i ? SMALL : LARGE / 2;
		t.c[i].or_p = was.p;
		t.c[i].or_n = was.n;
		if (SAID_YES(chunk_send(i, 0, false)))
			t.c[i].or_p = NULL;
	}
}

/* ---- finishing ---- */

static void session_placed(void)
{
	for (int i = 0; i < 3; i++)
		chunk_is(i, t.p + i * 50, SMALL + (size_t)i);
	for (int i = 0; i < 3; i++)
		chunk_now(i, 0);
}

static void session_parked(void)
{
	for (int i = 0; i < 3; i++)
		chunk_is(i, t.p + i * 50, i == 1 ? LARGE : SMALL + (size_t)i);
	for (int i = 2; i >= 0; i--)
		chunk_now(i, 0);
}

static void session_but_last(void)
{
	for (int i = 0; i < 3; i++)
		chunk_is(i, t.p + i * 50, SMALL + (size_t)i);
	chunk_now(2, 3);
	chunk_now(0, 3);
	strcpy(t.name, "");
}

static void session_done(void)
{
	session_placed();
	EXPECT(k, 200, kit_complete(k, t.sid, "first.webm", NULL));
}

static void act_complete(void)
{
	t.ended = SAID_YES(kit_complete(k, t.sid, t.name, "{\"title\":\"x\"}"));
}

static void act_last(void)
{
	t.c[1].done = SAID_YES(chunk_send(1, 3, false));
}

/* A recording that was answered as complete is found at once, or is on its way to its name. */
static void complete_true(void)
{
	char url[100];
	session_true();
	snprintf(url, sizeof url, "/recordings/%s/%s", t.sid, t.name);
	if (t.ended && kit_get(k, url) != 423)
		recording_is(t.name);
}

static void last_end(void)
{
	struct recording r;
	struct session_view v;
	send_rest(3);
	finish_rows();
	arena_reset(k->a);
	assert_int_equal(session_find(kit_house(k), k->a, t.sid, &v), ERR_OK);
	assert_int_equal(store_recording_of_session(kit_house(k)->db, k->a, v.s.n, &r), ERR_OK);
	snprintf(t.name, sizeof t.name, "%s", r.disk);
	recording_is(t.name);
	recording_drop(t.name);
}

static void rename_true(void)
{
	session_true();
	if (t.ended) {
		recording_is(t.name);
		return;
	}
	/* under the one name or the other */
	char url[300];
	snprintf(url, sizeof url, "/recordings/%s/%s", t.sid, t.name);
	recording_is(kit_get(k, url) == 200 ? t.name : "first.webm");
}

/* ---- removing ---- */

static int cancel(void)
{
	char url[64];
	snprintf(url, sizeof url, "/files/%s", t.sid);
	return kit_raw(k, "DELETE", url, NULL, NULL, 0);
}

static void act_cancel(void)
{
	t.removed = SAID_YES(cancel());
}

static void cancel_true(void)
{
	char url[64];
	snprintf(url, sizeof url, "/files/%s/status", t.sid);
	kit_get(k, url);
	if (k->status == 200 && t.removed)
		fail_msg("a cancelled session is there");
	if (k->status == 200)
		session_true();
	else
		t.removed = true;
}

static void cancel_end(void)
{
	if (!t.removed)
		assert_int_equal(cancel() / 100, 2);
	t.removed = true;
	cancel_true();
}

static void act_recording_delete(void)
{
	char url[100];
	snprintf(url, sizeof url, "/recordings/%s/first.webm", t.sid);
	t.removed = SAID_YES(kit_raw(k, "DELETE", url, NULL, NULL, 0));
}

/* It may have been removed halfway, which the client does again; what is still given is right. */
static void recording_delete_true(void)
{
	char url[100];
	snprintf(url, sizeof url, "/recordings/%s/first.webm", t.sid);
	if (kit_get(k, url) == 404)
		t.removed = true;
	else if (t.removed)
		fail_msg("a removed recording is there");
	else
		recording_is("first.webm");
}

static void recording_delete_end(void)
{
	if (!t.removed)
		recording_drop("first.webm");
}

/* ---- time ---- */

static void expired(void)
{
	begun();
	clock_shift(2 * 86400);
}

/* With reaping too, what fails is done at the next turn. */
static void act_reap(void)
{
	struct reap_count c;
	shim_fail_here(true);
	reap(kit_house(k), 100, true, &c);
	shim_fail_here(false);
}

static void expired_end(void)
{
	finish_rows();
	EXPECT(k, 410, kit_tus(k, "HEAD", t.url, NULL, NULL, 0));
	clock_shift(0);
}

static void abandoned(void)
{
	session_parked();
	clock_shift(2 * 86400);
}

static void recovered_disk(void)
{
	struct session takes[4];
	struct recording r;
	int found;
	arena_reset(k->a);
	assert_int_equal(store_session_takes(kit_house(k)->db, k->a, t.sid, takes, 4, &found), ERR_OK);
	assert_int_equal(takes[0].state, SESSION_RECOVERED);
	assert_int_equal(store_recording_of_session(kit_house(k)->db, k->a, takes[0].n, &r), ERR_OK);
	snprintf(t.name, sizeof t.name, "%s", r.disk);
}

static void abandoned_end(void)
{
	struct buf name;
	finish_rows();
	recovered_disk();
	buf_init(&name, 1000);
	text_percent_encode(&name, t.name, strlen(t.name), false);
	buf_add(&name, "", 1);
	recording_is(name.p);
	recording_drop(name.p);
	buf_free(&name);
	clock_shift(0);
}

static void with_a_hole(void)
{
	chunk_is(0, t.p, SMALL);
	chunk_is(1, t.p + 9, SMALL);
	chunk_is(2, t.p + 50, LARGE);
	chunk_now(0, 0);
	chunk_now(2, 0);
	clock_shift(2 * 86400);
}

/* The chunks of a session with a hole stay, and it can still be completed. */
static void hole_end(void)
{
	finish_rows();
	session_true();
	session_end();
	clock_shift(0);
}

static void orphan(void)
{
	int64_t file;
	int fd;
	begun();
	assert_int_equal(store_file_next(kit_house(k)->db, &file), ERR_OK);
	assert_int_equal(blob_open(kit_house(k)->blobs, file, true, &fd), ERR_OK);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	blob_close(fd);
	clock_shift(7200);
}

static void orphan_end(void)
{
	finish_rows();
	assert_int_equal(kit_parts(k), 1);
	upload_end();
	clock_shift(0);
}

/* ---- opening, keys ---- */

static void act_open(void)
{
	struct app *app = NULL;
	app_close(k->app);
	k->app = NULL;
	shim_fail_here(true);
	enum err e = app_open(k->cfg, false, &app);
	shim_fail_here(false);
	log_level_set(QUIET);
	if (e) {
		assert_null(app);
		assert_int_equal(app_open(k->cfg, false, &app), ERR_OK);
		log_level_set(QUIET);
	}
	k->app = app;
}

/* From nothing: the folders, the ledger and its schema. */
static void act_first_open(void)
{
	app_close(k->app);
	k->app = NULL;
	nftw(k->dir, kit_unlink, 16, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(mkdir(k->dir, 0700), 0);
	act_open();
}

static void nothing(void)
{
}

/* A ledger of version 1 with a row, beside the house's own. */
static const char *old_path(const char *more)
{
	static char path[400];
	snprintf(path, sizeof path, "%s/old.db%s", k->dir, more);
	return path;
}

static sqlite3 *old_open(const char *more)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(old_path(more), &db), SQLITE_OK);
	return db;
}

static void old_ledger(void)
{
	sqlite3 *db = old_open("");
	assert_int_equal(sqlite3_exec(db, store_steps[0], NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=1; INSERT INTO api_key(name,role,hash,created) VALUES('old','user',zeroblob(32),1)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void act_migrate(void)
{
	sqlite3 *db = old_open("");
	shim_fail_here(true);
	t.ended = store_migrate(db, old_path(""), store_steps, store_version) == ERR_OK;
	shim_fail_here(false);
	sqlite3_close(db);
}

/* Has its row. */
static int old_version(const char *more)
{
	int64_t version = 0, rows = 0;
	sqlite3 *db = old_open(more);
	assert_int_equal(sql_pragma(db, "PRAGMA user_version", &version), ERR_OK);
	assert_int_equal(sql_pragma(db, "SELECT COUNT(*) FROM api_key WHERE name='old'", &rows), ERR_OK);
	assert_int_equal(rows, 1);
	sqlite3_close(db);
	return (int)version;
}

static void migrate_true(void)
{
	char copy[32];
	int version = old_version("");
	assert_true(version == store_version || (version == 1 && !t.ended));
	snprintf(copy, sizeof copy, ".before-v%d", store_version);
	if (version > 1)
		assert_int_equal(old_version(copy), 1);
}

static void migrate_end(void)
{
	char copy[32];
	act_migrate();
	assert_true(t.ended);
	migrate_true();
	snprintf(copy, sizeof copy, ".before-v%d", store_version);
	assert_int_equal(unlink(old_path(copy)), 0);
	assert_int_equal(unlink(old_path("")), 0);
}

static void act_key(void)
{
	struct api_key key = {.name = t.sid, .role = "user"};
	key.hash[0] = (unsigned char)t.i;
	key.hash[1] = (unsigned char)(t.i >> 8);
	shim_fail_here(true);
	t.ended = store_key_add(kit_house(k)->db, &key) == ERR_OK;
	shim_fail_here(false);
}

static void key_end(void)
{
	struct api_key key = {.name = t.sid, .role = "user"}, have;
	key.hash[0] = (unsigned char)t.i;
	key.hash[1] = (unsigned char)(t.i >> 8);
	enum err e = store_key_find(kit_house(k)->db, k->a, key.hash, &have);
	if (t.ended)
		assert_int_equal(e, ERR_OK);
	if (e == ERR_NOT_FOUND)
		assert_int_equal(store_key_add(kit_house(k)->db, &key), ERR_OK);
	assert_int_equal(store_key_remove(kit_house(k)->db, t.sid), ERR_OK);
}

#endif
