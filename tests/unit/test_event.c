/*
 * test_event.c - events as they are named, written, signed and tried again; the settings that ask for them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/digest.h"
#include "base/text.h"
#include "hook/hook.h"

static struct config *load(const char *const *env)
{
	FILE *err = fopen("/dev/null", "w");
	struct config *c = config_load((char *const *)env, err);
	fclose(err);
	return c;
}
#define LOAD(...) load((const char *const[]){__VA_ARGS__, NULL})

static void names_lead_to_kinds_and_back(void **state)
{
	(void)state;
	for (int k = EVENT_CREATED; k < EVENT__KINDS; k++) {
		char env[64];
		snprintf(env, sizeof env, "HOOK_EVENTS=%s", event_name((enum event_kind)k));
		assert_int_equal(event_named(event_name((enum event_kind)k)), k);
		struct config *c = LOAD(env, "HOOK_URL=http://x/");
		struct store_options o;
		assert_non_null(c);
		hook_store_options(c, &o);
		assert_int_equal(o.hook, EVENT_BIT(k));
		assert_int_equal(o.events, EVENTS_ALL);
		config_free(c);
	}
	assert_int_equal(event_named("none"), EVENT_NONE);
	assert_int_equal(event_named("x"), EVENT_NONE);
	assert_string_equal(event_name((enum event_kind)99), "none");
}

static void settings_say_what_is_wanted(void **state)
{
	(void)state;
	struct store_options o;
	struct config *c = LOAD("HOOK_COMMAND=/bin/true");
	hook_store_options(c, &o);
	assert_int_equal(o.hook, EVENT_BIT(EVENT_COMPLETED) | EVENT_BIT(EVENT_RECOVERED));
	assert_int_equal(o.events_keep, 604800);
	config_free(c);
	c = LOAD("EVENT_RETENTION=0");
	assert_false(hook_is_set(c));
	hook_store_options(c, &o);
	assert_int_equal(o.events | o.hook, 0);
	config_free(c);
	c = LOAD("EVENT_RETENTION=0", "HOOK_URL=https://x/y", "HOOK_EVENTS=*");
	hook_store_options(c, &o);
	assert_int_equal(o.events, EVENTS_ALL);
	assert_int_equal(o.hook, EVENTS_ALL);
	config_free(c);
	assert_null(LOAD("HOOK_COMMAND=/bin/true", "HOOK_URL=http://x/"));
	assert_null(LOAD("HOOK_COMMAND=true"));
	assert_null(LOAD("HOOK_URL=ftp://x/"));
	assert_null(LOAD("HOOK_URL=file:///etc/passwd"));
	assert_null(LOAD("HOOK_URL=http://x/ y"));
	assert_null(LOAD("HOOK_EVENTS=completed,finished"));
}

static void waiting_doubles_up_to_ten_minutes(void **state)
{
	(void)state;
	const int64_t want[] = {1000, 2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 512000, 600000, 600000};
	for (int i = 0; i < 12; i++) {
		assert_int_equal(plan_event_retry(i + 1, 0), want[i]);
		assert_true(plan_event_retry(i + 1, 1023) >= want[i] * 3 / 4);
		assert_true(plan_event_retry(i + 1, 1023) < want[i] * 4 / 5);
	}
	assert_int_equal(plan_event_retry(1000000, 0), 600000);
}

/* RFC 4231, test cases 2 and 6; the signature of a delivery was made with another tool. */
static void signatures_are_what_others_make(void **state)
{
	(void)state;
	unsigned char mac[DIGEST_SHA256_LEN], key[131];
	char hex[2 * DIGEST_SHA256_LEN + 1], signature[HOOK_SIGNATURE_LEN];
	const char *data = "what do ya want for nothing?", *large = "Test Using Larger Than Block-Size Key - Hash Key First";
	struct arena *a = arena_open(1 << 20);
	digest_hmac_sha256("Jefe", 4, data, strlen(data), mac);
	text_hex(mac, sizeof mac, hex);
	assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof key);
	digest_hmac_sha256(key, sizeof key, large, strlen(large), mac);
	text_hex(mac, sizeof mac, hex);
	assert_string_equal(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	hook_sign("sixteen letters!", 1700000000, "{\"id\":\"1-2\"}", a, signature);
	assert_string_equal(signature, "sha256=dcab0cbe541180cc533c780894fbef8f9b196fe72ef555da8ecf6185f29de4bd");
	arena_close(a);
}

static const char *shown(struct arena *a, const struct config *c, const struct event *e)
{
	struct json *o = event_json(c, e);
	const char *text = json_text(o, a);
	json_free(o);
	assert_non_null(text);
	return text;
}

static void an_event_says_all_that_is_known(void **state)
{
	(void)state;
	struct arena *a = arena_open(1 << 20);
	struct config *c = LOAD("UPLOAD_DIR=/done");
	struct event e = {.n = 7, .time = 1700000000, .kind = EVENT_RECOVERED, .subject = "rec", .take = 2, .idx = -1, .owner = "user:ann", .size = 50, .length = 50,
		.chunks = 5, .name = "a/b", .disk = "a_b.webm", .meta = "{\"k\":[1]}"};
	assert_string_equal(shown(a, c, &e), "{\"id\":\"7-1700000000\",\"n\":7,\"time\":\"2023-11-14T22:13:20Z\",\"event\":\"recovered\",\"subject\":\"rec\",\"take\":2,"
		"\"chunk\":null,\"owner\":\"user:ann\",\"size\":50,\"length\":50,\"chunks\":5,\"name\":\"a/b\",\"file\":\"a_b.webm\","
		"\"path\":\"/done/rec/completed/a_b.webm\",\"upload_metadata\":null,\"metadata\":{\"k\":[1]},\"reason\":null}");
	e = (struct event){.n = 8, .time = 1700000000, .kind = EVENT_INTERRUPTED, .subject = "_a", .idx = 3, .owner = "", .size = 5, .length = -1, .meta = "filename YQ=="};
	assert_string_equal(shown(a, c, &e), "{\"id\":\"8-1700000000\",\"n\":8,\"time\":\"2023-11-14T22:13:20Z\",\"event\":\"interrupted\",\"subject\":\"_a\",\"take\":null,"
		"\"chunk\":3,\"owner\":\"\",\"size\":5,\"length\":null,\"chunks\":null,\"name\":null,\"file\":null,\"path\":null,"
		"\"upload_metadata\":\"filename YQ==\",\"metadata\":null,\"reason\":null}");
	/* A file that is gone has no path. */
	e.kind = EVENT_DELETED;
	e.disk = "x";
	assert_null(event_path(c, a, &e));
	config_free(c);
	arena_close(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_kinds_and_back), cmocka_unit_test(settings_say_what_is_wanted), cmocka_unit_test(waiting_doubles_up_to_ten_minutes),
		cmocka_unit_test(signatures_are_what_others_make), cmocka_unit_test(an_event_says_all_that_is_known),
	};
	return cmocka_run_group_tests_name("events", tests, NULL, NULL);
}
