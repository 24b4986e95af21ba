/*
 * test_kth_batch.c - two operations in one transaction, and the k-th SQL step of it fails, for every k: an operation that answered an error has left
 * nothing, one that answered success is there, and the next one works.
 */
#include <sched.h>
#include <sqlite3.h>

#include "db/store_priv.h"
#include "tests/contract/store_kit.h"
#include "tests/shim/shim_fail.h"

struct member {
	struct store *s;
	const char *name;
	bool refuses;               /* after it has written */
	bool failing;               /* it leads, so failures happen on its thread */
	pthread_t thread;
	enum err result;
};

static enum err write_key(struct tx *t, void *arg)
{
	struct member *m = arg;
	unsigned char hash[32] = {0};
	strcpy((char *)hash, m->name);
	enum err e = sql_run(t->h, SQL_KEY_ADD, BINDS(T(m->name), T("user"), B(hash, 32), I(1)));
	return e ? e : m->refuses ? ERR_CONFLICT : ERR_OK;
}

static void *member_run(void *arg)
{
	struct member *m = arg;
	shim_fail_here(m->failing);
	m->result = store_do(m->s, write_key, m, false);
	shim_fail_here(false);
	return NULL;
}

static bool is_there(struct store *s, struct arena *a, const char *name)
{
	unsigned char hash[32] = {0};
	struct api_key k;
	strcpy((char *)hash, name);
	enum err e = store_key_find(s, a, hash, &k);
	assert_true(e == ERR_OK || e == ERR_NOT_FOUND);
	return e == ERR_OK;
}

static int queued(struct store *s)
{
	int n = 0;
	pthread_mutex_lock(&s->mu);
	for (struct op *o = s->head; o; o = o->next)
		n++;
	pthread_mutex_unlock(&s->mu);
	return n;
}

/* Both wait while we lead; then the first leads, and takes the second with it. */
static void together(struct store *s, struct member m[2])
{
	store_lead(s);
	for (int i = 0; i < 2; i++) {
		m[i].s = s;
		m[i].failing = true;
		assert_int_equal(pthread_create(&m[i].thread, NULL, member_run, &m[i]), 0);
		while (queued(s) <= i)
			sched_yield();
	}
	store_follow(s);
	for (int i = 0; i < 2; i++)
		pthread_join(m[i].thread, NULL);
}

static void judge(struct store *s, struct arena *a, const struct member *m)
{
	if (is_there(s, a, m->name) != (m->result == ERR_OK))
		fail_msg("%s answered %s and is%s there", m->name, err_code(m->result), m->result ? "" : " not");
	if (m->result == ERR_OK)
		assert_int_equal(store_key_remove(s, m->name), ERR_OK);
}

/* The result of a commit that failed is unknown only if it was made; here it is not. */
static void every_step(void **state)
{
	struct kit *kit = *state;
	static const int codes[] = {SQLITE_IOERR, SQLITE_FULL, SQLITE_NOMEM, SQLITE_BUSY};
	int injected = 0, failed = 1;
	for (int which = 0; which < 3; which++)
		for (size_t code = 0; code < sizeof codes / sizeof *codes; code++)
			for (int forever = 0; forever < 2; forever++)
				for (int k = 1; k == 1 || failed; k++) {
					struct member m[2] = {{.name = "first", .refuses = which == 1}, {.name = "second", .refuses = which == 2}};
					struct shim_fail f = {.points = SHIM_BIT(SHIM_STEP) | SHIM_BIT(SHIM_COMMIT), .k = k, .forever = forever, .code = codes[code]};
					shim_fail_arm(&f);
					together(kit->s, m);
					shim_fail_disarm(&failed);
					injected += failed > 0;
					judge(kit->s, kit->a, &m[0]);
					judge(kit->s, kit->a, &m[1]);
					assert_int_equal(store_writable(kit->s), ERR_OK);
				}
	print_message("%d failures injected in transactions of two\n", injected);
}

static int begin(void **state)
{
	kit_open(state);
	log_level_set((enum log_level)(LOG_ERROR + 1));     /* it fails on purpose */
	shim_use(&shim_fail_tactic, ((struct kit *)*state)->dir);
	return 0;
}

static int end(void **state)
{
	shim_use(NULL, NULL);
	return kit_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(every_step, begin, end)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
