/* test_config.c - the settings: defaults, sources and their order, every fault, samples of other installations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/config.h"
#include "base/log.h"

#define N(a) (sizeof(a) / sizeof *(a))
#define ENV(...) ((char *[]){__VA_ARGS__, NULL})

static char folder[200], file[240], secret[240], env_file[300], env_secret[300];
static char *said;

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof folder, "%s/tus-config-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return -1;
	snprintf(file, sizeof file, "%s/c.json", folder);
	snprintf(secret, sizeof secret, "%s/secret", folder);
	snprintf(env_file, sizeof env_file, "CONFIG_FILE=%s", file);
	snprintf(env_secret, sizeof env_secret, "SECRET_KEY_FILE=%s", secret);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(file);
	unlink(secret);
	free(said);
	return rmdir(folder);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Loads and keeps what was said in said. */
static struct config *load(char *const *env)
{
	struct config *c;
	size_t n;
	FILE *f;

	free(said);
	f = open_memstream(&said, &n);
	c = config_load(env, f);
	fclose(f);
	if (c && *said)
		fail_msg("loaded, but said: %s", said);
	return c;
}

static struct config *loaded(char *const *env)
{
	struct config *c = load(env);

	if (!c)
		fail_msg("not loaded: %s", said);
	return c;
}

static char *printed(const struct config *c)
{
	char *s;
	size_t n;
	FILE *f = open_memstream(&s, &n);

	config_print(c, f);
	fclose(f);
	return s;
}

static char *explained(char *const *env)
{
	char *s;
	size_t n;
	FILE *f = open_memstream(&s, &n);

	config_explain(env, f);
	fclose(f);
	return s;
}

static void defaults(void **state)
{
	struct config *c = loaded(NULL);

	(void)state;
	assert_string_equal(c->data_dir, "/var/lib/tus-fcgi");
	assert_string_equal(c->parts_dir, "/var/lib/tus-fcgi/tus_uploads");
	assert_string_equal(c->db_dir, "/var/lib/tus-fcgi/tus_sessions");
	assert_string_equal(c->done_dir, "/var/lib/tus-fcgi/uploaded_data");
	assert_string_equal(c->socket, "/var/lib/tus-fcgi/run/tus.sock");
	assert_string_equal(c->base_path, "");
	assert_string_equal(c->x_accel_prefix, "/tus-internal/");
	assert_string_equal(c->api_key_header, "X-API-Key");
	assert_null(c->api_keys_file);
	assert_int_equal(c->port, 8000);
	assert_int_equal(c->environment, ENV_DEVELOPMENT);
	assert_int_equal(c->allowed_hosts.n, 3);
	assert_string_equal(c->allowed_hosts.v[2], "testserver");
	assert_null(c->allowed_hosts.v[3]);
	assert_false(c->allowed_hosts.any);
	assert_int_equal(c->cors_origins.n, 1);
	assert_int_equal(c->trusted_proxies.n, 0);
	assert_null(c->trusted_proxies.v[0]);
	assert_false(c->force_https);
	assert_false(c->require_auth);
	assert_true(c->hsts && c->tus_enabled && c->custom_enabled);
	assert_int_equal(c->tus_max_size, INT64_C(10737418240));
	assert_int_equal(c->max_file_size, INT64_C(10737418240));
	assert_int_equal(c->max_upload_size, INT64_C(10737418240));
	assert_int_equal(c->max_patch_size, 0);
	assert_int_equal(c->max_chunks, 1000000);
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->workers, 4);
	assert_int_equal(c->threads, 256);
	assert_int_equal(c->reserve_threads, 16);
	assert_int_equal(c->durability, DURABILITY_NORMAL);
	assert_int_equal(c->sendfile, SENDFILE_NONE);
	config_free(c);
	config_free(NULL);
}

static void environment(void **state)
{
	struct config *c = loaded(ENV("DATA_DIR=/d", "TUS_SESSION_DIR=/s", "SOCKET=", "TUS_MAX_SIZE=20G", "PORT=81", "BASE_PATH=/up/x",
		"REQUIRE_AUTH=Yes", "LOG_LEVEL=WARNING", "TUS_DURABILITY=full", "SENDFILE=x-accel-redirect", "SESSION_ID_MODE=uuid",
		"DEFAULT_UPLOAD_METHOD=custom", "FORCE_HTTPS=on", "UNKNOWN=1", "TEST_CLOCK_OFFSET=-60", "API_KEYS_FILE=/keys"));

	(void)state;
	assert_string_equal(c->parts_dir, "/d/tus_uploads");
	assert_string_equal(c->db_dir, "/s");
	assert_string_equal(c->socket, "/d/run/tus.sock");
	assert_string_equal(c->base_path, "/up/x");
	assert_string_equal(c->api_keys_file, "/keys");
	assert_int_equal(c->tus_max_size, INT64_C(20) << 30);
	assert_int_equal(c->max_file_size, INT64_C(20) << 30);
	assert_int_equal(c->port, 81);
	assert_true(c->require_auth && c->force_https);
	assert_int_equal(c->log_level, LOG_WARN);
	assert_int_equal(c->durability, DURABILITY_FULL);
	assert_int_equal(c->sendfile, SENDFILE_X_ACCEL);
	assert_int_equal(c->session_ids, SESSION_ID_UUID);
	assert_int_equal(c->default_method, METHOD_CUSTOM);
	assert_int_equal(c->test_clock_offset, -60);
	config_free(c);
}

static void lists(void **state)
{
	static const struct {
		char *env;
		int n;
		bool any;
		const char *first;
	} row[] = {
		{"ALLOWED_HOSTS=a", 1, false, "a"}, {"ALLOWED_HOSTS= a , b,, c ", 3, false, "a"}, {"ALLOWED_HOSTS=*", 1, true, "*"},
		{"ALLOWED_HOSTS=[\"a.example\", \"b\"]", 2, false, "a.example"}, {"ALLOWED_HOSTS=[]", 0, false, NULL},
		{"ALLOWED_HOSTS=[\"a\",\"*\"]", 2, true, "a"}, {"ALLOWED_HOSTS=,", 0, false, NULL},
		{"ALLOWED_HOSTS=a,b  # ours", 2, false, "a"},
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		struct config *c = loaded(ENV(row[i].env));

		assert_int_equal(c->allowed_hosts.n, row[i].n);
		assert_int_equal(c->allowed_hosts.any, row[i].any);
		if (row[i].first)
			assert_string_equal(c->allowed_hosts.v[0], row[i].first);
		assert_null(c->allowed_hosts.v[row[i].n]);
		config_free(c);
	}
}

static void precedence(void **state)
{
	struct config *c;

	(void)state;
	put(file, "{\"WORKERS\":7,\"tus_chunk_size\":1000,\"threads\":64,\"CORS_ORIGINS\":[\"https://a\",\"https://b:1\"],"
		"\"require_auth\":true,\"HOST\":null,\"base_path\":\"\"}");
	c = loaded(ENV(env_file, "TUS_CHUNK_SIZE=2000", "UVICORN_WORKERS=9"));
	assert_int_equal(c->tus_chunk_size, 2000);
	assert_int_equal(c->threads, 64);
	assert_int_equal(c->workers, 9);
	assert_int_equal(c->cors_origins.n, 2);
	assert_string_equal(c->cors_origins.v[1], "https://b:1");
	assert_true(c->require_auth);
	assert_string_equal(c->host, "127.0.0.1");
	config_free(c);
	c = loaded(ENV("UVICORN_WORKERS=9", "WORKERS=3"));
	assert_int_equal(c->workers, 3);
	config_free(c);
	/* The own name wins in whatever order. */
	put(file, "{\"workers\":2,\"uvicorn_workers\":5,\"auth\":{\"jwt\":{\"secret_key\":\"one\"}},\"secret_key\":\"two\"}");
	c = loaded(ENV(env_file));
	assert_int_equal(c->workers, 2);
	assert_string_equal(c->secret_key, "two");
	config_free(c);
	put(file, "{\"uvicorn_workers\":5,\"workers\":2,\"secret_key\":\"two\",\"auth\":{\"jwt\":{\"secret_key\":\"one\"}}}");
	c = loaded(ENV(env_file));
	assert_int_equal(c->workers, 2);
	assert_string_equal(c->secret_key, "two");
	config_free(c);
}

static void secret_file(void **state)
{
	struct config *c;
	char *s;

	(void)state;
	put(secret, "a long enough secret\n");
	put(file, "{\"secret_key\":\"from the JSON file\"}");
	c = loaded(ENV(env_secret, env_file, "ENVIRONMENT=production"));
	assert_string_equal(c->secret_key, "a long enough secret");
	assert_true(c->force_https);
	s = printed(c);
	assert_non_null(strstr(s, "\nSECRET_KEY=********\n"));
	assert_null(strstr(s, "long enough"));
	assert_non_null(strstr(s, "\nENVIRONMENT=production\n"));
	assert_non_null(strstr(s, "\nALLOWED_HOSTS=localhost,127.0.0.1,testserver\n"));
	free(s);
	config_free(c);
	/* Any setting has the form, and these two names are no such forms. */
	put(secret, "99\n");
	config_free(loaded(ENV("API_KEYS_FILE=/none", "TUS_TEMP_DIR=/none")));
	snprintf(env_secret, sizeof env_secret, "MAX_CHUNKS_FILE=%s", secret);
	c = loaded(ENV(env_secret));
	assert_int_equal(c->max_chunks, 99);
	config_free(c);
	snprintf(env_secret, sizeof env_secret, "SECRET_KEY_FILE=%s", secret);
}

static void fits_together(void **state)
{
	struct config *c = loaded(ENV("TUS_MAX_SIZE=1000", "MAX_PATCH_SIZE=100", "THREADS=4"));

	(void)state;
	/* Defaults give way to what was set. */
	assert_int_equal(c->max_chunk_size, 1000);
	assert_int_equal(c->max_file_size, 1000);
	assert_int_equal(c->max_upload_size, 1000);
	assert_int_equal(c->chunk_size, 1000);
	assert_int_equal(c->tus_chunk_size, 100);
	assert_int_equal(c->reserve_threads, 2);
	config_free(c);
	c = loaded(ENV("THREADS=1"));
	assert_int_equal(c->reserve_threads, 0);
	config_free(c);
	c = loaded(ENV("ENVIRONMENT=production", "SECRET_KEY=0123456789abcdef", "FORCE_HTTPS=false"));
	assert_false(c->force_https);
	config_free(c);
}

static void faults(void **state)
{
	static const struct {
		char *env[4];
		const char *json;       /* text of CONFIG_FILE; then env[0] is it */
		const char *says[3];    /* the whole lines, in order */
	} row[] = {
		{{"TUS_MAX_SIZE=abc"}, NULL, {"TUS_MAX_SIZE=abc (environment): must be a number of bytes from 1 to 4611686018427387903, also with K, M, G or T."}},
		{{"TUS_MAX_SIZE=0"}, NULL, {"TUS_MAX_SIZE=0 (environment): must be a number of bytes from 1 to 4611686018427387903, also with K, M, G or T."}},
		{{"PORT=65536"}, NULL, {"PORT=65536 (environment): must be a whole number from 0 to 65535."}},
		{{"PORT=80x"}, NULL, {"PORT=80x (environment): must be a whole number from 0 to 65535."}},
		{{"WORKERS=-1"}, NULL, {"WORKERS=-1 (environment): must be a whole number from 1 to 1024."}},
		{{"UVICORN_WORKERS=many"}, NULL, {"UVICORN_WORKERS=many (environment): must be a whole number from 1 to 1024."}},
		{{"TUS_EXPIRATION=1K"}, NULL, {"TUS_EXPIRATION=1K (environment): must be a whole number from 1 to 3153600000."}},
		{{"TUS_ENABLED=maybe"}, NULL, {"TUS_ENABLED=maybe (environment): must be true or false."}},
		{{"LOG_LEVEL=loud"}, NULL, {"LOG_LEVEL=loud (environment): must be debug or info or warning or error."}},
		{{"NODE_ENV=test"}, NULL, {"NODE_ENV=test (environment): must be development or production."}},
		{{"ALLOWED_HOSTS=[\"a\""}, NULL, {"ALLOWED_HOSTS=[\"a\" (environment): must be a JSON list or comma list of host names, or *."}},
		{{"ALLOWED_HOSTS=[1]"}, NULL, {"ALLOWED_HOSTS=[1] (environment): must be a JSON list or comma list of host names, or *."}},
		{{"ALLOWED_HOSTS=http://a"}, NULL, {"ALLOWED_HOSTS=http://a (environment): must be a JSON list or comma list of host names, or *."}},
		{{"CORS_ORIGINS=https://a/"}, NULL, {"CORS_ORIGINS=https://a/ (environment): must be a JSON list or comma list of origins like https://host:port, without a path, or *."}},
		{{"CORS_ORIGINS=a.example"}, NULL, {"CORS_ORIGINS=a.example (environment): must be a JSON list or comma list of origins like https://host:port, without a path, or *."}},
		{{"CORS_ORIGINS=https://"}, NULL, {"CORS_ORIGINS=https:// (environment): must be a JSON list or comma list of origins like https://host:port, without a path, or *."}},
		{{"TRUSTED_PROXIES=10.0.0.1,proxy"}, NULL, {"TRUSTED_PROXIES=10.0.0.1,proxy (environment): must be a JSON list or comma list of IP addresses, or *."}},
		{{"BASE_PATH=up"}, NULL, {"BASE_PATH=up (environment): must be empty, or a path that begins with / and does not end with /."}},
		{{"BASE_PATH=/up/"}, NULL, {"BASE_PATH=/up/ (environment): must be empty, or a path that begins with / and does not end with /."}},
		{{"X_ACCEL_PREFIX=/x"}, NULL, {"X_ACCEL_PREFIX=/x (environment): must be a path that begins and ends with /."}},
		{{"API_KEY_HEADER=a b"}, NULL, {"API_KEY_HEADER=a b (environment): must be a header name."}},
		{{"HOST=a/b"}, NULL, {"HOST=a/b (environment): must be a host name or an address."}},
		{{"DATA_DIR=/a\nb"}, NULL, {"DATA_DIR=/a?b (environment): must be text without control characters.", }},
		{{"SOCKET=/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/01234567"}, NULL,
		 {"SOCKET=/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/01234567 (environment): must be a path of at most 96 bytes."}},
		{{"SECRET_KEY=geheim\x01", "ENVIRONMENT=production"}, NULL,
		 {"SECRET_KEY (environment): must be text without control characters.", "SECRET_KEY: production needs a secret of your own of at least 16 characters."}},
		{{"SECRET_KEY=x", "SECRET_KEY_FILE=/none"}, NULL, {"SECRET_KEY and SECRET_KEY_FILE are both set; only one may be."}},
		{{"SECRET_KEY_FILE=/none/there"}, NULL, {"SECRET_KEY_FILE=/none/there: cannot be read: No such file or directory."}},
		{{"CONFIG_FILE=/none/there"}, NULL, {"CONFIG_FILE=/none/there: cannot be read: No such file or directory."}},
		{{"ENVIRONMENT=production"}, NULL, {"SECRET_KEY: production needs a secret of your own of at least 16 characters."}},
		{{"ENVIRONMENT=production", "SECRET_KEY=default_insecure_key_for_dev"}, NULL, {"SECRET_KEY: production needs a secret of your own of at least 16 characters."}},
		{{"ENVIRONMENT=production", "SECRET_KEY=0123456789abcde"}, NULL, {"SECRET_KEY: production needs a secret of your own of at least 16 characters."}},
		{{"ENVIRONMENT=production", "SECRET_KEY=0123456789abcdef", "TEST_CLOCK_OFFSET=5"}, NULL, {"TEST_CLOCK_OFFSET: must not be set in production."}},
		{{"THREADS=8", "RESERVE_THREADS=8"}, NULL, {"RESERVE_THREADS: must be less than THREADS."}},
		{{"MAX_FILE_SIZE=2000", "TUS_MAX_SIZE=1000"}, NULL, {"MAX_FILE_SIZE=2000: must not be larger than TUS_MAX_SIZE=1000."}},
		{{"CHUNK_SIZE=2000", "MAX_CHUNK_SIZE=1000"}, NULL, {"CHUNK_SIZE=2000: must not be larger than MAX_CHUNK_SIZE=1000."}},
		{{"TUS_CHUNK_SIZE=2000", "MAX_PATCH_SIZE=1000"}, NULL, {"TUS_CHUNK_SIZE=2000: must not be larger than MAX_PATCH_SIZE=1000."}},
		{{"PORT=x", "TUS_ENABLED=x"}, NULL, {"PORT=x (environment): must be a whole number from 0 to 65535.", "TUS_ENABLED=x (environment): must be true or false."}},
		{{env_file}, "{\"prot\":1,\"auth\":{\"jwt\":{\"alg\":2}},\"s3\":{\"bucket\":\"b\"}}",
		 {"FILE: unknown key \"prot\".", "FILE: unknown key \"auth.jwt.alg\".", "FILE: unknown key \"s3\"."}},
		{{env_file}, "{\"port\":1.5}", {"port=1.5 (FILE): must be a whole number from 0 to 65535."}},
		{{env_file}, "{\"port\":[1],\"host\":{}}", {"FILE: the value of \"port\" has the wrong type.", "FILE: the value of \"host\" has the wrong type."}},
		{{env_file}, "[1]", {"CONFIG_FILE=FILE: not a JSON object."}},
		{{env_file}, "{\"port\":1", {"CONFIG_FILE=FILE: not a JSON object."}},
	};

	(void)state;
	for (size_t i = 0; i < N(row); i++) {
		char want[2000] = "";

		for (int k = 0; k < 3 && row[i].says[k]; k++) {
			const char *says = row[i].says[k], *at = strstr(says, "FILE: ");
			char *end = want + strlen(want);

			if (!row[i].json)
				snprintf(end, sizeof want - strlen(want), "%s\n", says);
			else if (at || (at = strstr(says, "FILE)")))
				snprintf(end, sizeof want - strlen(want), "%.*s%s%s\n", (int)(at - says), says, file, at + 4);
		}
		if (row[i].json)
			put(file, row[i].json);
		assert_null(load(row[i].env));
		assert_string_equal(said, want);
	}
}

/* Settings of the original's compose and Kubernetes files, as they are. */
static void original_deployment(void **state)
{
	char *env[] = {"TUS_ENABLED=true", "TUS_MAX_SIZE=10737418240", "TUS_CHUNK_SIZE=1048576", "TUS_EXPIRATION=86400",
		"TUS_UPLOAD_DIR=/app/data/tus_uploads", "TUS_SESSION_DIR=/app/data/tus_sessions", "TUS_TEMP_DIR=/app/data/tus_temp",
		"UPLOAD_DIR=/app/backend/uploaded_data", "DEFAULT_UPLOAD_METHOD=tus", "UVICORN_WORKERS=4", "MAX_CONCURRENT_UPLOADS=10",
		"ENVIRONMENT=production", "SECRET_KEY=not-the-default-one", "CORS_ORIGINS=*", "ALLOWED_HOSTS=[\"waveforge.example\"]",
		"LOG_LEVEL=INFO", "DEBUG=false", "PROTOCOL=https", "HSTS_ENABLED=true", "ENABLE_ANALYTICS=false", "APP_NAME=WaveForge", NULL};
	struct config *c = loaded(env);
	char *s = explained(env);

	(void)state;
	assert_string_equal(c->parts_dir, "/app/data/tus_uploads");
	assert_string_equal(c->temp_dir, "/app/data/tus_temp");
	assert_int_equal(c->max_uploads, 10);
	assert_true(c->cors_origins.any);
	assert_non_null(strstr(s, "TUS_MAX_SIZE: used\n"));
	assert_non_null(strstr(s, "TUS_TEMP_DIR: accepted, without effect: "));
	assert_non_null(strstr(s, "UVICORN_WORKERS: mapped to WORKERS\n"));
	assert_non_null(strstr(s, "PROTOCOL: accepted, without effect: "));
	free(s);
	config_free(c);
}

/* The upload service's .env.production, with the comments that its lines carry. */
static void upload_service_env(void **state)
{
	char *env[] = {"NODE_ENV=production", "SECRET_KEY=0123456789abcdef", "MAX_CONCURRENT_UPLOADS=25", "MEMORY_LIMIT_MB=2048",
		"MEMORY_WARNING_THRESHOLD=0.8", "BUFFER_POOL_SIZE=100", "DB_POOL_MIN=10", "DB_POOL_MAX=50", "REDIS_POOL_MIN=5",
		"REDIS_POOL_MAX=25", "MAX_FILE_SIZE=104857600  # 100MB", "CHUNK_SIZE=1048576       # 1MB chunks",
		"STREAM_BUFFER_SIZE=65536 # 64KB buffer", "DB_PASSWORD=x", NULL};
	struct config *c = loaded(env);
	char *s = explained(env);

	(void)state;
	assert_int_equal(c->environment, ENV_PRODUCTION);
	assert_int_equal(c->max_file_size, 104857600);
	assert_int_equal(c->chunk_size, 1048576);
	assert_int_equal(c->stream_buffer, 65536);
	assert_int_equal(c->max_uploads, 25);
	assert_non_null(strstr(s, "NODE_ENV: mapped to ENVIRONMENT\n"));
	assert_non_null(strstr(s, "DB_POOL_MAX: accepted, without effect: "));
	assert_non_null(strstr(s, "MEMORY_WARNING_THRESHOLD: accepted, without effect: "));
	free(s);
	config_free(c);
	c = loaded(ENV("NODE_ENV=production", "ENVIRONMENT=development"));
	assert_int_equal(c->environment, ENV_DEVELOPMENT);
	config_free(c);
	s = explained(ENV("NODE_ENV=production", "ENVIRONMENT=development"));
	assert_non_null(strstr(s, "NODE_ENV: without effect: ENVIRONMENT decides\n"));
	free(s);
}

/* The media store's mounted JSON file. */
static void media_store_json(void **state)
{
	struct config *c;
	char *s;

	(void)state;
	put(file, "{\"auth\":{\"jwt\":{\"secret_key\":\"your-secret-key\",\"algorithm\":\"HS256\",\"access_token_expire_minutes\":30,"
		"\"refresh_token_expire_days\":7},\"api_keys\":{\"enabled\":true,\"header_name\":\"X-Key\",\"rate_limit\":1000}},"
		"\"ssl\":{\"enabled\":true,\"certificate_file\":\"/c\",\"private_key_file\":\"/k\",\"ca_certificate_file\":\"/a\"},"
		"\"tus_max_size\":5000000000,\"node_env\":\"development\",\"db_pool_max\":3}");
	c = loaded(ENV(env_file));
	assert_string_equal(c->secret_key, "your-secret-key");
	assert_string_equal(c->api_key_header, "X-Key");
	assert_int_equal(c->tus_max_size, INT64_C(5000000000));
	assert_false(c->force_https);
	config_free(c);
	s = explained(ENV(env_file, "TUS_MAX_SIZE=1", "SECRET_KEY_FILE=/x", "OTHER_FILE=/x", "FOO=1"));
	assert_non_null(strstr(s, "CONFIG_FILE: used\n"));
	assert_non_null(strstr(s, "SECRET_KEY_FILE: mapped to SECRET_KEY\n"));
	assert_non_null(strstr(s, "auth.jwt.secret_key: without effect: the environment decides\n"));
	assert_non_null(strstr(s, "auth.api_keys.header_name: mapped to API_KEY_HEADER\n"));
	assert_non_null(strstr(s, "ssl.enabled: accepted, without effect: the web server ends TLS\n"));
	assert_non_null(strstr(s, "tus_max_size: without effect: the environment decides\n"));
	assert_null(strstr(s, "FOO"));
	assert_null(strstr(s, "OTHER"));
	free(s);
}

static void manual(void **state)
{
	char *s;
	size_t n;
	FILE *f = open_memstream(&s, &n);

	(void)state;
	config_manual(f);
	fclose(f);
	assert_non_null(strstr(s, "| `TUS_EXPIRATION` | `86400` s | a whole number from 1 to 3153600000 | "));
	assert_non_null(strstr(s, "| `WORKERS`, `UVICORN_WORKERS` | `4` | "));
	assert_non_null(strstr(s, "| `SECRET_KEY` (JSON also `auth.jwt.secret_key`) | "));
	assert_non_null(strstr(s, "| `NODE_ENV` | sets `ENVIRONMENT` if that is not set |\n"));
	assert_non_null(strstr(s, "| `ssl.enabled` | none: "));
	assert_null(strstr(s, "(null)"));
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(environment), cmocka_unit_test(lists), cmocka_unit_test(precedence),
		cmocka_unit_test(secret_file), cmocka_unit_test(fits_together), cmocka_unit_test(faults), cmocka_unit_test(original_deployment),
		cmocka_unit_test(upload_service_env), cmocka_unit_test(media_store_json), cmocka_unit_test(manual),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
