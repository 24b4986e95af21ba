/*
 * ctl_key.c - tusctl key: clients' keys. A key is shown once, when it is made; the ledger knows only its SHA-256.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/b64.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "ctl.h"

#define KEY_PREFIX "tus_"
#define KEY_BYTES 32
#define KEYS_MAX 10000
#define NAME_MAX_LEN 64

/* It becomes part of an owner ("key:NAME") and of log lines. */
static bool good_name(const char *s)
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@-";
	size_t n = strlen(s);
	return n > 0 && n <= NAME_MAX_LEN && s[0] != '-' && strspn(s, good) == n;
}

static int add(struct ctl *c, bool admin)
{
	unsigned char random[KEY_BYTES];
	char key[sizeof KEY_PREFIX + B64_ENCODED(KEY_BYTES)] = KEY_PREFIX;
	struct api_key k = {.name = c->argv[0], .role = admin ? "admin" : "user", .created = clock_now()};

	digest_random(random, sizeof random);
	b64url_encode(random, sizeof random, key + strlen(KEY_PREFIX));
	digest_sha256(key, strlen(key), k.hash);
	enum err e = store_key_add(c->house->db, &k);
	if (e == ERR_CONFLICT) {
		fprintf(stderr, "tusctl: there is a key of that name already\n");
		return CTL_FAILED;
	}
	if (e)
		return ctl_fail("key add", e);
	if (!c->json) {
		puts(key);
		return CTL_OK;
	}
	struct json *o = json_obj();
	json_put_str(o, "name", k.name);
	json_put_str(o, "role", k.role);
	json_put_str(o, "key", key);
	ctl_object(c, o);
	return CTL_OK;
}

static int list(struct ctl *c)
{
	static const struct ctl_column cols[] = {{"name", 24}, {"role", 5}, {"created", 0}};
	struct ctl_lists l = {.c = c};
	struct api_key *keys = arena_alloc(c->a, KEYS_MAX * sizeof *keys);
	int found = 0;
	enum err e = keys ? store_keys(c->house->db, c->a, keys, KEYS_MAX, &found) : ERR_NOMEM;
	if (e)
		return ctl_fail("key list", e);
	ctl_list_begin(&l, "keys", cols);
	for (int i = 0; i < found; i++) {
		struct json *o = json_obj();
		json_put_str(o, "name", keys[i].name);
		json_put_str(o, "role", keys[i].role);
		ctl_put_time(o, "created", keys[i].created);
		ctl_list_row(&l, c->a, o);
	}
	ctl_list_end(&l);
	ctl_lists_end(&l);
	return CTL_OK;
}

static int drop(struct ctl *c)
{
	enum err e = store_key_remove(c->house->db, c->argv[0]);
	return e ? ctl_fail("key remove", e) : CTL_OK;
}

int ctl_key(struct ctl *c)
{
	bool admin = ctl_flag(c, "--admin");
	const char *verb = c->argc > 0 ? c->argv[0] : "";
	c->argc--;
	c->argv++;
	if (text_eq(verb, "list") && c->argc == 0 && !admin)
		return list(c);
	if (c->argc != 1 || !good_name(c->argv[0]))
		return CTL_USAGE;
	if (text_eq(verb, "add"))
		return add(c, admin);
	return text_eq(verb, "remove") && !admin ? drop(c) : CTL_USAGE;
}
