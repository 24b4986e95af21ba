/*
 * test_kth.c - the k-th call fails, for every k: allocations, opens, writes, syncs, renames, SQL steps, once and for ever, in every operation.
 *
 * After each failure every byte that was acknowledged is compared, then the operation goes on to its end without failures. A failed sync loses the bytes
 * that it should have made durable (shim_fail.h), so whoever trusts a second one is found out. TEST_ALL=1: every k; else some of each.
 * KTH=name: only operations whose name begins so; KTH_FULL=1: every k of these.
 */
#include <dirent.h>
#include <errno.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "blob/blob_priv.h"
#include "kth_join.h"

#define LOCK_FILES 64

/* What is injected; each is a sweep over k. */
static const struct fault {
	unsigned point;
	int code;
	bool forever_too;
} faults[] = {
	{SHIM_ALLOC, ENOMEM, true},
	{SHIM_OPEN, EIO, true}, {SHIM_OPEN, ENOSPC, false}, {SHIM_OPEN, EMFILE, true},
	{SHIM_WRITE, ENOSPC, true}, {SHIM_WRITE, EIO, true}, {SHIM_WRITE, SHIM_FAIL_SHORT, true}, {SHIM_WRITE, EINTR, false},
	{SHIM_COPY, EIO, true}, {SHIM_COPY, ENOSPC, false}, {SHIM_COPY, EXDEV, true}, {SHIM_COPY, SHIM_FAIL_SHORT, true}, {SHIM_COPY, EINTR, false},
	{SHIM_TRUNCATE, EIO, true}, {SHIM_ALLOCATE, ENOSPC, true},
	{SHIM_FSYNC, EIO, true}, {SHIM_FDATASYNC, EIO, true}, {SHIM_FDATASYNC, ENOSPC, false},
	{SHIM_RENAME, EIO, true}, {SHIM_RENAME, ENOSPC, false}, {SHIM_LINK, EIO, true}, {SHIM_LINK, EMLINK, true},
	{SHIM_UNLINK, EIO, true}, {SHIM_MKDIR, ENOSPC, true},
	{SHIM_COMMIT, SQLITE_IOERR, true}, {SHIM_COMMIT, SQLITE_FULL, true}, {SHIM_COMMIT, SQLITE_BUSY, false},
	{SHIM_STEP, SQLITE_IOERR, true}, {SHIM_STEP, SQLITE_FULL, false}, {SHIM_STEP, SQLITE_NOMEM, true}, {SHIM_STEP, SQLITE_BUSY, false},
};
#define FAULTS (sizeof faults / sizeof *faults)

/* The house: of a pool; where finished files lie on another device; of plain CGI; and with many bytes: only some failures, and no k but some. */
enum how { POOL, APART, ONCE, HEAVY };

static const struct operation {
	const char *name;
	void (*prepare)(void), (*act)(void), (*holds)(void), (*end)(void);
	enum how how;
} operations[] = {
	{"create", nothing, act_create, upload_true, upload_end, POOL},
	{"create_with", nothing, act_create_with, upload_true, upload_end, POOL},
	{"create_empty", nothing, act_create_empty, upload_true, upload_end, POOL},
	{"patch", small, act_patch_rest, upload_true, upload_end, POOL},
	{"patch_rest", begun, act_patch_rest, upload_true, upload_end, POOL},
	{"patch_cut", small, act_patch_cut, upload_true, upload_end, POOL},
	{"patch_length", deferred, act_patch_length, upload_true, upload_end, POOL},
	{"patch_match", begun, act_patch_match, upload_true, upload_end, POOL},
	{"patch_mismatch", small, act_patch_mismatch, mismatch_true, upload_end, POOL},
	{"draft_create", nothing, act_draft_create, upload_true, upload_end, POOL},
	{"draft_whole", nothing, act_draft_whole, upload_true, upload_end, POOL},
	{"draft_more", begun, act_draft_more, upload_true, draft_end, POOL},
	{"draft_last", begun, act_draft_last, upload_true, draft_end, POOL},
	{"draft_head_bare", draft_full, act_head_bare, draft_goes_on, draft_end, POOL},
	{"draft_head", begun, act_draft_head, upload_true, upload_end, POOL},
	{"patch_long", long_one, act_patch_long, upload_true, upload_end, HEAVY},
	{"patch_apart", begun, act_patch_rest, upload_true, upload_end, APART},
	{"head", begun, act_head, upload_true, upload_end, POOL},
	{"get", complete, act_get, upload_true, upload_end, POOL},
	{"delete", begun, act_delete, upload_removed, upload_remove_end, POOL},
	{"delete_complete", complete, act_delete, upload_removed, upload_remove_end, POOL},
	{"digest", complete, act_digest, digest_true, digest_end_true, POOL},
	{"put", nothing, act_put, stored_true, stored_end, POOL},
	{"form", nothing, act_form, stored_true, stored_end, POOL},
	{"chunk_tus", session_one, act_tus_chunk, session_true, session_end, POOL},
	{"chunk", session_one, act_chunk, session_true, session_end, POOL},
	{"chunk_slot", session_two, act_chunk_slot, session_true, session_end, POOL},
	{"chunk_spool", session_two, act_chunk_spool, session_true, session_end, POOL},
	{"chunks_again", session_full, act_chunks_again, session_true, session_end, POOL},
	{"chunks_other", session_full, act_chunks_other, session_true, session_end, POOL},
	{"complete_placed", session_placed, act_complete, complete_true, session_end, POOL},
	{"complete_parked", session_parked, act_complete, session_true, session_end, POOL},
	{"complete_apart", session_placed, act_complete, session_true, session_end, APART},
	{"last_chunk", session_but_last, act_last, session_true, last_end, POOL},
	{"rename", session_done, act_complete, rename_true, session_end, POOL},
	{"rename_apart", session_done, act_complete, rename_true, session_end, APART},
	{"cancel", session_full, act_cancel, cancel_true, cancel_end, POOL},
	{"recording_delete", session_done, act_recording_delete, recording_delete_true, recording_delete_end, POOL},
	{"expire", expired, act_reap, nothing, expired_end, POOL},
	{"recover", abandoned, act_reap, nothing, abandoned_end, POOL},
	{"runs", with_a_hole, act_reap, nothing, hole_end, POOL},
	{"orphans", orphan, act_reap, upload_true, orphan_end, POOL},
	{"open", begun, act_open, upload_true, upload_end, POOL},
	{"first_open", nothing, act_first_open, nothing, nothing, POOL},
	{"patch_once", begun, act_patch_rest, upload_true, upload_end, ONCE},
	{"chunk_once", session_two, act_chunk_slot, session_true, session_end, ONCE},
	{"complete_once", session_parked, act_complete, session_true, session_end, ONCE},
	{"join", join_ready, act_join, join_true, join_end, POOL},
	{"join_last", join_waits, act_join_last, join_true, join_end, POOL},
	{"join_kept", join_keeps, act_join_last, join_true, join_end, POOL},
	{"join_apart", join_ready, act_join, join_true, join_end, APART},
	{"join_once", join_waits, act_join_last, join_true, join_end, ONCE},
	{"part_delete", join_waits, act_part_delete, join_true_but_first, part_delete_end, POOL},
	{"part_delete_late", join_done, act_part_delete, join_true_but_first, part_delete_end, POOL},
	{"whole_delete", join_keeps, act_whole_delete, join_true, whole_delete_end, POOL},
	{"whole_delete_late", join_done, act_whole_delete, join_true, whole_delete_end, POOL},
	{"migrate", old_ledger, act_migrate, migrate_true, migrate_end, POOL},
	{"key", nothing, act_key, nothing, key_end, POOL},
};
#define OPERATIONS (sizeof operations / sizeof *operations)

static char now[200];           /* the failure under way, for the reader of a failed test */
static int trials, injected_all;

/* Apart: finishing copies, as between two devices, but without the slow disk that the second one would be. */
static void house_open(const struct operation *op)
{
	k = KIT();
	log_level_set(QUIET);
	if (op->how == APART)
		atomic_store(&kit_house(k)->blobs->same_device, false);
	if (op->how == ONCE) {
		app_close(k->app);
		assert_int_equal(app_open(k->cfg, true, &k->app), ERR_OK);
		log_level_set(QUIET);
	}
	shim_use(&shim_fail_tactic, k->dir);
	k->around = shim_fail_here;
}

static int house_close(void **state)
{
	(void)state;
	shim_fail_here(false);
	shim_fail_disarm(NULL);
	shim_use(NULL, NULL);
	if (now[0])
		print_error("while %s\n", now);
	now[0] = '\0';
	if (k && k->app)
		kit_done(k);
	k = NULL;
	return 0;
}

static int descriptors(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* One failure and what comes of it. f NULL: nothing fails. *calls: of the point. Returns failures. */
static int trial(const struct operation *op, const struct shim_fail *f, int *calls)
{
	int failed;
	trial_begin(trials++);
	op->prepare();
	shim_fail_arm(f);
	op->act();
	*calls = shim_fail_disarm(&failed);
	op->holds();
	op->end();
	injected_all += failed > 0;
	return failed;
}

static bool full(const struct operation *op)
{
	return op->how != HEAVY && (getenv("KTH_FULL") || (getenv("TEST_ALL") && *getenv("TEST_ALL")));
}

/* How many k's are tried in the everyday form: few where there are hundreds, all syncs of data. */
static int some(const struct fault *f)
{
	return f->point == SHIM_ALLOC || f->point == SHIM_STEP || f->point == SHIM_WRITE ? 1 : f->point == SHIM_FDATASYNC ? 8 : 2;
}

/* The first opens of a process are the ledger's: each is tried. */
#define FIRST_OPENS 6

/* Whether a failure of this kind is worth the bytes of the operation. */
static bool worth(const struct operation *op, const struct fault *f)
{
	return op->how != HEAVY || f->point == SHIM_FDATASYNC || f->point == SHIM_COMMIT || (f->point == SHIM_WRITE && f->code != EINTR);
}

/* Every k, or some between the first and the last. Returns how many failures were injected. */
static int sweep(const struct operation *op, const struct fault *f, bool forever, int calls)
{
	int n = 0, step = full(op) || calls <= some(f) ? 1 : (calls + some(f) - 1) / some(f);
	int first = step == 1 || f->point == SHIM_OPEN ? 1 : 1 + (int)((f - faults) * 7 + forever * 3) % step;
	for (int i = first; i <= calls || full(op); i += f->point == SHIM_OPEN && i < FIRST_OPENS ? 1 : step) {
		struct shim_fail plan = {.points = SHIM_BIT(f->point), .k = i, .forever = forever, .code = f->code};
		snprintf(now, sizeof now, "%s: %s %d of %d gives %d%s", op->name, f->point == SHIM_ALLOC ? "alloc" : shim_point_name(f->point), i, calls, f->code,
			forever ? " for ever" : "");
		int met;
		bool failed = trial(op, &plan, &met) > 0;
		n += failed;
		/* A failure may lead to more calls than there were without one. */
		if (!failed && full(op))
			break;
	}
	return n;
}

/* ---- at the end of an operation's trials ---- */

/* What nobody wants any more goes with time, and then no file is left. */
static void nothing_is_left(void)
{
	for (int i = 0; i < 3; i++) {
		clock_shift(100LL * 86400 * (i + 1));
		for (int turn = 0; turn < 3; turn++)
			finish_rows();
	}
	if (kit_parts(k))
		fail_msg("%d part files are left", kit_parts(k));
	clock_shift(0);
}

static void tusctl_is_content(void)
{
	char path[4096], data[300];
	char *argv[] = {path, (char *)"check", NULL};
	char *env[] = {data, NULL};
	pid_t pid;
	int status;
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);
	assert_true(n > 0);
	path[n] = '\0';
	strcpy(strrchr(path, '/'), "/../../tusctl");
	snprintf(data, sizeof data, "DATA_DIR=%s", k->dir);
	assert_int_equal(posix_spawn(&pid, path, NULL, NULL, argv, env), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void every_failure(void **state)
{
	const struct operation *op = *state;
	int calls[SHIM_ALLOC + 1], injected[SHIM_ALLOC + 1] = {0};
	house_open(op);
	/* Once for all that is made at first use, and once to count. */
	for (int i = 0; i < 2; i++) {
		snprintf(now, sizeof now, "%s without a failure", op->name);
		trial_begin(trials++);
		op->prepare();
		shim_fail_arm(NULL);
		op->act();
		for (unsigned p = 0; p <= SHIM_ALLOC; p++)
			calls[p] = shim_fail_seen(p);
		shim_fail_disarm(NULL);
		op->holds();
		op->end();
	}
	int open = descriptors();
	for (size_t i = 0; i < FAULTS; i++)
		for (int forever = 0; forever <= faults[i].forever_too; forever++)
			if (calls[faults[i].point] > 0 && worth(op, &faults[i]))
				injected[faults[i].point] += sweep(op, &faults[i], forever, calls[faults[i].point]);
	snprintf(now, sizeof now, "%s: afterwards", op->name);
	/* plain CGI opens a lock file when it needs it first */
	if (descriptors() > open + (op->how == ONCE ? LOCK_FILES : 0))
		fail_msg("%d descriptors were open, now %d", open, descriptors());
	nothing_is_left();
	tusctl_is_content();
	print_message("%-17s", op->name);
	for (unsigned p = 0; p <= SHIM_ALLOC; p++)
		if (injected[p])
			print_message(" %s %d", p == SHIM_ALLOC ? "alloc" : shim_point_name(p), injected[p]);
	print_message("\n");
	now[0] = '\0';
}

int main(void)
{
	struct CMUnitTest tests[OPERATIONS];
	const char *only = getenv("KTH");
	size_t n = 0;
	bytes = malloc(BYTES);
	if (!bytes)
		return 1;
	kit_fill(bytes, BYTES, 1);
	for (size_t i = 0; i < OPERATIONS; i++)
		if (!only || strncmp(operations[i].name, only, strlen(only)) == 0)
			tests[n++] = (struct CMUnitTest){operations[i].name, every_failure, NULL, house_close, (void *)&operations[i]};
	int rc = _cmocka_run_group_tests("kth", tests, n, NULL, NULL);
	print_message("%d failures injected in %d trials\n", injected_all, trials);
	free(bytes);
	return rc;
}
