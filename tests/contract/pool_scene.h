/*
 * pool_scene.h - for the tests of one program that has a pool to itself in each: `p` is the pool, `a` the last answer.
 */
#ifndef TESTS_POOL_SCENE_H
#define TESTS_POOL_SCENE_H

#include "pool_kit.h"

static struct pool *p;
static struct answer a;

static int begin(void **state)
{
	(void)state;
	p = pool_blank();
	return 0;
}

static int end(void **state)
{
	(void)state;
	pool_done(p);
	return 0;
}

/* Starts the pool. settings: what the file of settings says, NULL: there is none. */
static void serve(const char *settings, const char *const *env)
{
	p->env = env;
	if (settings)
		pool_write(p->file, settings);
	pool_spawn(p);
	UNTIL("the pool answers", peer_do(p, &a, "GET", "/health", NULL, NULL) == 200);
}
#define SERVE(settings, ...) do { static const char *const env_[] = {__VA_ARGS__ __VA_OPT__(,) NULL}; serve(settings, env_); } while (0)

#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)

#endif
