/* test_access.c - who may do what: hosts, schemes, origins, identities, owners (decisions 9.11, 9.19, 9.22). */
#include "base/digest.h"
#include "kit.h"

#define STRANGER "192.0.2.7"

static void hosts(void **state)
{
	(void)state;
	struct kit *k = KIT("ALLOWED_HOSTS=good.example,*.wild.example,[::1]");
	static const struct { const char *host; int status; } rows[] = {
		{"good.example", 200}, {"GOOD.example", 200}, {"good.example:8080", 200}, {"a.wild.example", 200}, {"a.b.wild.example", 200}, {"[::1]:80", 200},
		{"bad.example", 421}, {"wild.example", 421}, {"xgood.example", 421}, {"good.example.evil", 421}, {"", 421}, {"a/b", 421}, {"xwild.example", 421},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		k->host = rows[i].host;
		kit_get(k, "/api/config");
		if (k->status != rows[i].status)
			print_error("host '%s'\n", rows[i].host);
		EXPECT(k, rows[i].status, 0);
		/* Probes come without a name, or with an address. */
		k->host = rows[i].host;
		EXPECT(k, 200, kit_get(k, "/health"));
	}
	k->host = "bad.example";
	EXPECT(k, 421, kit_chunk(k, "s", 0, 0, "x", 1, false));
	kit_done(k);
	k = KIT("ALLOWED_HOSTS=*");
	k->host = "anything";
	EXPECT(k, 200, kit_get(k, "/api/config"));
	kit_done(k);
}

static void https(void **state)
{
	(void)state;
	struct kit *k = KIT("FORCE_HTTPS=true", "TRUSTED_PROXIES=10.0.0.1");
	EXPECT(k, 403, kit_get(k, "/api/config"));
	EXPECT(k, 200, kit_get(k, "/health"));
	k->https = true;
	EXPECT(k, 200, kit_get(k, "/api/config"));
	k->addr = "10.0.0.1";
	EXPECT(k, 200, kit_raw(k, "GET", "/api/config", "X-Forwarded-Proto: https\n", NULL, 0));
	assert_non_null(kit_h(k, "Strict-Transport-Security"));
	k->addr = "10.0.0.2";
	EXPECT(k, 403, kit_raw(k, "GET", "/api/config", "X-Forwarded-Proto: https\n", NULL, 0));
	kit_done(k);
}

static void production(void **state)
{
	(void)state;
	char *no_secret[] = {"DATA_DIR=/nonexistent", "ENVIRONMENT=production", NULL};
	char *good[] = {"DATA_DIR=/nonexistent", "ENVIRONMENT=production", "SECRET_KEY=0123456789abcdef", NULL};
	FILE *null = fopen("/dev/null", "w");
	assert_null(config_load(no_secret, null));
	struct config *c = config_load(good, null);
	assert_non_null(c);
	assert_true(c->force_https);
	config_free(c);
	fclose(null);
}

static void origins(void **state)
{
	(void)state;
	static const struct { const char *environment, *list, *origin; bool allowed; } rows[] = {
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://app.example", true},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://localhost:5173", true},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://127.0.0.1:9", true},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://[::1]:9", true},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://evil.example", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://app.example.evil", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "https://app.example", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://localhost.evil:1", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://127.evil.example", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "http://127.0.0.1.evil.example", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=http://app.example", "x\001://localhost", false},
		{"ENVIRONMENT=development", "CORS_ORIGINS=[\"http://a.example\",\"http://b.example\"]", "http://b.example", true},
		{"ENVIRONMENT=production", "CORS_ORIGINS=http://app.example", "http://localhost:5173", false},
		{"ENVIRONMENT=production", "CORS_ORIGINS=http://app.example", "http://app.example", true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct kit *k = KIT(rows[i].environment, rows[i].list, "SECRET_KEY=0123456789abcdef", "FORCE_HTTPS=false");
		char headers[200];
		snprintf(headers, sizeof headers, "Origin: %s\n", rows[i].origin);
		EXPECT(k, 404, kit_raw(k, "GET", "/files/none/status", headers, NULL, 0));
		HEADER(k, "Access-Control-Allow-Origin", rows[i].allowed ? rows[i].origin : NULL);
		HEADER(k, "Access-Control-Allow-Credentials", rows[i].allowed ? "true" : NULL);
		HEADER(k, "Vary", "Origin");
		kit_done(k);
	}
	struct kit *k = KIT("CORS_ORIGINS=*");
	EXPECT(k, 200, kit_raw(k, "GET", "/api/config", "Origin: http://any.example\n", NULL, 0));
	HEADER(k, "Access-Control-Allow-Origin", "*");
	HEADER(k, "Access-Control-Allow-Credentials", NULL);
	kit_done(k);
}

/* A preflight is answered on any path, without an identity. */
static void preflights(void **state)
{
	(void)state;
	struct kit *k = KIT("REQUIRE_AUTH=true", "CORS_ORIGINS=http://app.example");
	static const char *const targets[] = {"/files/", "/upload/chunk", "/recording/complete", "/files/s/chunks/1", "/recordings/", "/api/verify/s/0"};
	for (size_t i = 0; i < 6; i++) {
		EXPECT(k, 204, kit_raw(k, "OPTIONS", targets[i], "Origin: http://app.example\nAccess-Control-Request-Method: POST\n", NULL, 0));
		HEADER(k, "Access-Control-Allow-Origin", "http://app.example");
		assert_non_null(kit_h(k, "Access-Control-Allow-Methods"));
	}
	kit_done(k);
}

/* ---- identities ---- */

static int as(struct kit *k, const char *user)
{
	k->user = user;
	k->addr = STRANGER;
	return 0;
}

static void owners(void **state)
{
	(void)state;
	struct kit *k = kit_env(NULL);
	char at[100];
	as(k, "ann");
	EXPECT(k, 201, kit_tus(k, "POST", "/files/", "Upload-Length: 4\n", NULL, 0));
	snprintf(at, sizeof at, "%s", kit_h(k, "Location"));
	as(k, "ann");
	EXPECT(k, 200, kit_chunk(k, "s", 0, 0, "abc", 3, false));
	static const struct { const char *user; int status; } rows[] = {{"bob", 403}, {NULL, 401}};
	for (int i = 0; i < 2; i++) {
		int no = rows[i].status;
		const char *u = rows[i].user;
		EXPECT(k, no, (as(k, u), kit_tus(k, "HEAD", at, NULL, NULL, 0)));
		HEADER(k, "Upload-Offset", NULL);
		EXPECT(k, no, (as(k, u), kit_tus(k, "PATCH", at, "Upload-Offset: 0\n", "x", 1)));
		EXPECT(k, no, (as(k, u), kit_tus(k, "DELETE", at, NULL, NULL, 0)));
		EXPECT(k, no, (as(k, u), kit_get(k, at)));
		EXPECT(k, no, (as(k, u), kit_chunk(k, "s", 1, 0, "x", 1, false)));
		EXPECT(k, no, (as(k, u), kit_chunk(k, "s", 1, 0, "x", 1, true)));
		EXPECT(k, no, (as(k, u), kit_get(k, "/api/verify/s/0")));
		EXPECT(k, no, (as(k, u), kit_get(k, "/files/s/status")));
		EXPECT(k, no, (as(k, u), kit_complete(k, "s", "x.webm", NULL)));
		EXPECT(k, no, (as(k, u), kit_raw(k, "POST", "/files/s/assemble", NULL, NULL, 0)));
		EXPECT(k, no, (as(k, u), kit_raw(k, "DELETE", "/files/s", NULL, NULL, 0)));
		EXPECT(k, no, (as(k, u), kit_tus(k, "POST", "/files/s/chunks/", "Upload-Length: 4\n", NULL, 0)));
		EXPECT(k, no, (as(k, u), kit_tus(k, "HEAD", "/files/s/chunks/0", NULL, NULL, 0)));
	}
	EXPECT(k, 200, (as(k, "ann"), kit_complete(k, "s", "x.webm", NULL)));
	EXPECT(k, 403, (as(k, "bob"), kit_get(k, "/recordings/s/x.webm")));
	EXPECT(k, 401, (as(k, NULL), kit_get(k, "/recordings/s/x.webm")));
	EXPECT(k, 403, (as(k, "bob"), kit_raw(k, "DELETE", "/recordings/s/x.webm", NULL, NULL, 0)));
	EXPECT(k, 200, (as(k, "ann"), kit_get(k, "/recordings/s/x.webm")));
	EXPECT(k, 200, (as(k, "bob"), kit_get(k, "/recordings/")));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 0);
	EXPECT(k, 200, (as(k, "ann"), kit_get(k, "/recordings/")));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 1);
	/* REMOTE_USER is a parameter of the web server, never a header. */
	EXPECT(k, 401, (as(k, NULL), kit_raw(k, "GET", "/recordings/", "Remote-User: ann\nREMOTE_USER: ann\n", NULL, 0)));
	kit_done(k);
}

/* What nobody owns: uploading goes on without an identity, but listing, fetching and cancelling need one. */
static void anonymous_rows(void **state)
{
	(void)state;
	struct kit *k = kit_env(NULL);
	EXPECT(k, 200, (as(k, NULL), kit_chunk(k, "s", 0, 0, "abc", 3, false)));
	EXPECT(k, 200, (as(k, NULL), kit_get(k, "/api/verify/s/0")));
	EXPECT(k, 200, (as(k, NULL), kit_get(k, "/files/s/status")));
	EXPECT(k, 401, (as(k, NULL), kit_raw(k, "DELETE", "/files/s", NULL, NULL, 0)));
	EXPECT(k, 200, (as(k, NULL), kit_complete(k, "s", "x.webm", NULL)));
	EXPECT(k, 401, (as(k, NULL), kit_get(k, "/recordings/")));
	EXPECT(k, 401, (as(k, NULL), kit_get(k, "/recordings/s/x.webm")));
	EXPECT(k, 200, (as(k, "ann"), kit_get(k, "/recordings/s/x.webm")));
	/* From this machine, in development, nothing is hidden. */
	EXPECT(k, 200, kit_get(k, "/recordings/"));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 1);
	kit_done(k);
}

static void key_line(FILE *f, const char *name, const char *role, const char *key)
{
	unsigned char hash[DIGEST_SHA256_LEN];
	char hex[2 * DIGEST_SHA256_LEN + 1];
	digest_sha256(key, strlen(key), hash);
	text_hex(hash, sizeof hash, hex);
	fprintf(f, "%s %s %s\n", name, role, hex);
}

static void keys(void **state)
{
	(void)state;
	char dir[256], path[300], setting[400];
	kit_dir(dir);
	snprintf(path, sizeof path, "%s/keys", dir);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("# who may\n\n", f);
	key_line(f, "studio", "user", "studio-secret");
	key_line(f, "boss", "admin", "boss-secret");
	fclose(f);
	snprintf(setting, sizeof setting, "API_KEYS_FILE=%s", path);
	struct kit *k = KIT(setting, "REQUIRE_AUTH=true");
	const char *target = "/recordings/";
	EXPECT(k, 401, kit_chunk(k, "s", 0, 0, "x", 1, false));
	EXPECT(k, 401, (as(k, NULL), kit_get(k, target)));
	EXPECT(k, 200, (as(k, NULL), kit_raw(k, "GET", target, "X-API-Key: studio-secret\n", NULL, 0)));
	EXPECT(k, 200, (as(k, NULL), kit_raw(k, "GET", target, "Authorization: Bearer studio-secret\n", NULL, 0)));
	EXPECT(k, 200, (as(k, NULL), kit_raw(k, "GET", target, "authorization: bearer  studio-secret\n", NULL, 0)));
	EXPECT(k, 401, (as(k, NULL), kit_raw(k, "GET", target, "X-API-Key: wrong\n", NULL, 0)));
	EXPECT(k, 401, (as(k, NULL), kit_raw(k, "GET", target, "Authorization: Basic studio-secret\n", NULL, 0)));
	/* The server's own pages need none. */
	EXPECT(k, 200, (as(k, NULL), kit_get(k, "/health")));
	EXPECT(k, 200, (as(k, NULL), kit_get(k, "/api/config")));
	EXPECT(k, 204, (as(k, NULL), kit_raw(k, "OPTIONS", "/files/", NULL, NULL, 0)));
	/* What one key made, another does not see; an admin does. */
	EXPECT(k, 201, (as(k, NULL), kit_tus(k, "POST", "/files/", "X-API-Key: studio-secret\nUpload-Length: 0\n", NULL, 0)));
	char at[100];
	snprintf(at, sizeof at, "%s", kit_h(k, "Location"));
	EXPECT(k, 403, (as(k, "ann"), kit_tus(k, "HEAD", at, NULL, NULL, 0)));
	EXPECT(k, 200, (as(k, NULL), kit_tus(k, "HEAD", at, "X-API-Key: boss-secret\n", NULL, 0)));
	EXPECT(k, 200, (as(k, NULL), kit_raw(k, "GET", target, "X-API-Key: boss-secret\n", NULL, 0)));
	assert_int_equal(json_len(json_get(kit_json(k), "recordings")), 1);
	/* One of the ledger's, as tusctl adds it. */
	struct api_key own = {.name = "added", .role = "user", .created = clock_now()};
	digest_sha256("added-secret", 12, own.hash);
	assert_int_equal(store_key_add(kit_house(k)->db, &own), ERR_OK);
	EXPECT(k, 200, (as(k, NULL), kit_raw(k, "GET", target, "X-API-Key: added-secret\n", NULL, 0)));
	assert_int_equal(store_key_remove(kit_house(k)->db, "added"), ERR_OK);
	EXPECT(k, 401, (as(k, NULL), kit_raw(k, "GET", target, "X-API-Key: added-secret\n", NULL, 0)));
	kit_done(k);
	nftw(dir, kit_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

#define T(f) cmocka_unit_test(f)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(hosts), T(https), T(production), T(origins), T(preflights), T(owners), T(anonymous_rows), T(keys),
	};
	return cmocka_run_group_tests_name("access", tests, NULL, NULL);
}
