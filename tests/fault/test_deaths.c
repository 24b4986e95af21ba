/*
 * test_deaths.c - a process dies at each of its calls while a finished recording is finished anew, renamed, cancelled or deleted: whoever comes next finds the old file
 * or the new one, whole, with its row and its note, and nothing is left over.
 */
#include <dirent.h>
#include <sys/wait.h>

#include "blob/blob_priv.h"
#include "tests/http/kit.h"
#include "tests/shim/shim.h"
#include "upload/upload_priv.h"

#define SID "deaths"
#define HOURS 3600
#define SOME 11                 /* one call in so many, unless TEST_ALL */
#define DEAD 9

static struct kit *k;
static int calls, deadly;       /* deadly: how many calls he makes before he dies */

static bool before(struct shim_call *c)
{
	(void)c;
	if (calls++ == deadly)
		_exit(DEAD);
	return true;
}

static const struct shim_tactic tactic = {.name = "deaths", .before = before};

static void set_apart(const struct kit *x, bool apart)
{
	if (apart)
		atomic_store(&kit_house(x)->blobs->same_device, false);
}

/* ---- what is done ---- */

static void finish_anew(struct kit *x)
{
	kit_complete(x, SID, "a.webm", NULL);
}

static void finish_otherwise(struct kit *x)
{
	kit_complete(x, SID, "b.webm", NULL);
}

static void cancel(struct kit *x)
{
	session_cancel(kit_house(x), x->a, SID);
}

static void delete(struct kit *x)
{
	kit_raw(x, "DELETE", "/recordings/" SID "/a.webm", "", NULL, 0);
}

static void go_on(struct kit *x)
{
	kit_chunk(x, SID, 1, 0, "2", 1, false);
}

/* ---- what there is then ---- */

static struct recording listed[8];

static int recordings(void)
{
	int found;
	assert_int_equal(store_recordings(kit_house(k)->db, k->a, NULL, 0, listed, 8, &found), ERR_OK);
	return found;
}

static const char *url_of(const struct recording *r, const char *ending)
{
	static char url[300];
	snprintf(url, sizeof url, "/recordings/" SID "/%s%s", r->disk, ending);
	return url;
}

static bool is_one_of(const char *const *contents, const void *p, size_t n)
{
	for (; *contents; contents++)
		if (n == strlen(*contents) && memcmp(p, *contents, n) == 0)
			return true;
	print_error("these bytes are none of the recordings: %.*s\n", (int)n, (const char *)p);
	return false;
}

/* Row, file and note say the same. A recording that is finished anew may be waited for. */
static void all_whole(const char *const *contents, bool settled)
{
	for (int i = recordings() - 1; i >= 0; i--) {
		struct recording r;
		recordings();
		r = listed[i];
		int64_t size = r.size;
		char note[300];
		snprintf(note, sizeof note, "%s", url_of(&r, ".meta.json"));
		if (kit_get(k, url_of(&r, "")) == 423 && !settled)
			continue;
		kit_expect(k, 200, __FILE__, __LINE__);
		assert_int_equal(k->len, size);
		assert_true(is_one_of(contents, k->body, k->len));
		EXPECT(k, 200, kit_get(k, note));
		if (settled)
			assert_int_equal(kit_int(k, "file_size_bytes"), size);
	}
}

static int files(void)
{
	char path[400];
	int n = 0;
	snprintf(path, sizeof path, "%s/uploaded_data/" SID "/completed", k->dir);
	DIR *d = opendir(path);
	for (struct dirent *x; d && (x = readdir(d));)
		n += strcmp(x->d_name, ".") != 0 && strcmp(x->d_name, "..") != 0;
	if (d)
		closedir(d);
	return n;
}

static void nothing_is_left_over(void)
{
	struct trash t;
	int found;
	assert_int_equal(store_trash(kit_house(k)->db, k->a, &t, 1, &found), ERR_OK);
	assert_int_equal(found, 0);
	assert_int_equal(files(), 2 * recordings());
	assert_int_equal(kit_parts(k), 0);
}

static void look(const char *const *contents)
{
	struct session s;
	int found;
	all_whole(contents, false);
	kit_reap(k);
	all_whole(contents, true);
	assert_int_equal(store_session_takes(kit_house(k)->db, k->a, SID, &s, 1, &found), ERR_OK);
	assert_int_not_equal(s.state, SESSION_FINISHING);
	/* What goes on is recovered, and what it was made of is old enough to be looked at. */
	clock_shift(2 * HOURS);
	kit_reap(k);
	kit_reap(k);
	all_whole(contents, true);
	nothing_is_left_over();
}

/* ---- the deaths ---- */

struct way {
	void (*act)(struct kit *x);
	bool reopened;
	const char *contents[4];    /* that a finished file may have */
};

static bool dies(const struct way *w, bool apart, int at)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		struct kit *x = kit_client(k);
		if (app_open(k->cfg, false, &x->app) != ERR_OK)
			_exit(2);
		set_apart(x, apart);
		deadly = at;
		shim_use(&tactic, k->dir);
		w->act(x);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == DEAD));
	return WEXITSTATUS(status) == DEAD;
}

static void prepare(const struct way *w, bool apart)
{
	k = KIT("TUS_EXPIRATION=3600", "LOCK_WAIT_MS=50");
	log_level_set(LOG_ERROR + 1);
	set_apart(k, apart);
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "one", 3, false));
	EXPECT(k, 200, kit_complete(k, SID, "a.webm", NULL));
	if (!w->reopened)
		return;
	EXPECT(k, 200, kit_chunk(k, SID, 1, 0, " two", 4, false));
	EXPECT(k, 200, kit_chunk(k, SID, 0, 0, "X", 1, false));
}

static void each_death(const struct way *w, bool apart)
{
	const char *all = getenv("TEST_ALL");
	int step = all && *all ? 1 : SOME, at = 0;
	bool dead = true;
	for (; dead; at += step) {
		prepare(w, apart);
		dead = dies(w, apart, at);
		look(w->contents);
		kit_done(k);
	}
	assert_in_range(at, 2 * SOME, 1000);
}

#define WAY(name, act, reopened, ...) \
	static void name(void **state) \
	{ \
		static const struct way w = {act, reopened, {__VA_ARGS__}}; \
		(void)state; \
		each_death(&w, false); \
		each_death(&w, true); \
	}

WAY(finishing_anew, finish_anew, true, "one", "X two")
WAY(finishing_under_another_name, finish_otherwise, true, "one", "X two")
WAY(going_on, go_on, false, "one", "one2")
WAY(going_on_again, go_on, true, "one", "X two", "X2two", "X2")
WAY(renaming, finish_otherwise, false, "one")
WAY(cancelling, cancel, true, "one", "X two")
WAY(deleting, delete, false, "one")
WAY(deleting_what_goes_on, delete, true, "one", "X two")

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finishing_anew), cmocka_unit_test(finishing_under_another_name), cmocka_unit_test(going_on), cmocka_unit_test(going_on_again),
		cmocka_unit_test(renaming), cmocka_unit_test(cancelling), cmocka_unit_test(deleting), cmocka_unit_test(deleting_what_goes_on),
	};
	return cmocka_run_group_tests_name("deaths", tests, NULL, NULL);
}
