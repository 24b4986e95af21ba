/* config_table.c - every setting once, and every foreign variable that is accepted. To add a setting: a field in config.h
 * and a row here. */
#include "base/config_table.h"

#include <arpa/inet.h>
#include <string.h>

static const char *const environments[] = {"development", "production", NULL};
static const char *const methods[] = {"tus", "custom", NULL};
static const char *const id_modes[] = {"any", "uuid", NULL};
static const char *const expirations[] = {"sliding", "absolute", NULL};
static const char *const durabilities[] = {"normal", "full", NULL};
static const char *const sendfiles[] = {"none", "x-accel-redirect", NULL};
static const char *const file_digests[] = {"none", "sha256", NULL};
static const char *const levels[] = {"debug", "info", "warning", "error", NULL};

/* --- what a text must look like --- */

static bool is_base_path(const char *s)
{
	return !*s || (*s == '/' && s[1] && s[strlen(s) - 1] != '/' && !strstr(s, "//") && !strpbrk(s, "?#% "));
}

static bool is_location(const char *s)
{
	return *s == '/' && s[strlen(s) - 1] == '/' && !strpbrk(s, "?#% ");
}

static bool is_socket_path(const char *s)
{
	/* sun_path holds 108 bytes, and the supervisor binds under a longer name before it renames. */
	return strlen(s) <= 96;
}

static bool is_field_name(const char *s)
{
	size_t n = strlen(s);

	return n && n == strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_");
}

static bool is_host(const char *s)
{
	return !strpbrk(s, "/@ \t\"'");
}

static bool is_origin(const char *s)
{
	const char *host = strstr(s, "://");

	return text_eq(s, "*") || (host && host > s && host[3] && !strpbrk(host + 3, "/@ \t\"'?#"));
}

static bool is_address(const char *s)
{
	unsigned char a[sizeof(struct in6_addr)];

	return text_eq(s, "*") || inet_pton(AF_INET, s, a) == 1 || inet_pton(AF_INET6, s, a) == 1;
}

static bool is_one_of(const char *s, const char *const *names)
{
	for (; *names; names++)
		if (text_eq(s, *names))
			return true;
	return text_eq(s, "*");
}

static bool is_event(const char *s)
{
	static const char *const kinds[] = {"created", "resumed", "interrupted", "completed", "recovered", "expired", "deleted", "rejected", NULL};

	return is_one_of(s, kinds);
}

static bool is_extension(const char *s)
{
	static const char *const names[] = {"creation-with-upload", "creation-defer-length", "termination", "checksum", "concatenation", "concatenation-unfinished", NULL};

	return is_one_of(s, names);
}

static bool is_program(const char *s)
{
	return *s == '/';
}

static bool is_url(const char *s)
{
	const char *host = strstr(s, "://");

	return (text_starts(s, "http://") || text_starts(s, "https://")) && host[3] && !strpbrk(s, " \t\"'<>");
}

/* --- the tables --- */

#define KIB INT64_C(1024)
#define MIB (KIB * KIB)
#define GIB (KIB * MIB)
#define TIB (KIB * GIB)
#define YEARS INT64_C(3153600000)   /* a hundred */

#define F(f)                 .at = offsetof(struct config, f), .size = sizeof(((struct config *)0)->f)
#define TEXT(f, d)           .type = S_TEXT, F(f), .def = (d)
#define SIZE(f, d, lo, hi)   .type = S_SIZE, F(f), .def = (d), .min = (lo), .max = (hi), .unit = "bytes"
#define NUM(f, d, lo, hi, u) .type = S_NUM, F(f), .def = (d), .min = (lo), .max = (hi), .unit = (u)
#define BOOL(f, d)           .type = S_BOOL, F(f), .def = (d)
#define WORD(f, d, w)        .type = S_WORD, F(f), .def = (d), .words = (w)
#define LIST(f, d)           .type = S_LIST, F(f), .def = (d)

/* A setting that others stand below ("$NAME/") comes before them. */
const struct setting settings[] = {
	{"DATA_DIR", TEXT(data_dir, "/var/lib/tus-fcgi"), .help = "Home of everything that is not placed elsewhere."},
	{"TUS_UPLOAD_DIR", TEXT(parts_dir, "$DATA_DIR/tus_uploads"), .help = "Bytes of unfinished uploads."},
	{"TUS_SESSION_DIR", TEXT(db_dir, "$DATA_DIR/tus_sessions"), .help = "The database."},
	{"TUS_TEMP_DIR", TEXT(temp_dir, "$DATA_DIR/tus_temp"), .help = "Accepted and unused.",
	 .idle = "files are finished without temporary copies"},
	{"UPLOAD_DIR", TEXT(done_dir, "$DATA_DIR/uploaded_data"),
	 .help = "Finished files. On the file system of `TUS_UPLOAD_DIR` finishing is a rename, elsewhere a copy."},
	{"RUN_DIR", TEXT(run_dir, "$DATA_DIR/run"), .help = "Sockets, locks, mailboxes, process ids, counters."},
	{"SOCKET", TEXT(socket, "$RUN_DIR/tus.sock"), .check = is_socket_path, .rule = "a path of at most 96 bytes",
	 .help = "Unix socket on which the pool listens."},
	{"BASE_PATH", TEXT(base_path, ""), .check = is_base_path, .rule = "empty, or a path that begins with / and does not end with /",
	 .help = "Prefix of all URLs."},
	{"HOST", TEXT(host, "127.0.0.1"), .check = is_host, .rule = "a host name or an address", .help = "Address on which the shipped scripts let a web server listen."},
	{"PORT", NUM(port, "8000", 0, 65535, ""), .help = "Its port."},

	{"ENVIRONMENT", WORD(environment, "development", environments), .help = "`production` refuses insecure settings."},
	{"ALLOWED_HOSTS", LIST(allowed_hosts, "localhost,127.0.0.1,testserver"), .check = is_host, .rule = "host names",
	 .help = "Host names that are served; others get 421."},
	{"CORS_ORIGINS", LIST(cors_origins, "http://localhost:8000"), .check = is_origin, .rule = "origins like https://host:port, without a path",
	 .help = "Origins whose pages may use the server. In development every loopback origin may."},
	{"TRUSTED_PROXIES", LIST(trusted_proxies, ""), .check = is_address, .rule = "IP addresses",
	 .help = "Addresses whose X-Forwarded-* headers count."},
	{"SECRET_KEY", TEXT(secret_key, "default_insecure_key_for_dev"), .json = "auth.jwt.secret_key", .secret = true,
	 .help = "Signs URLs and tokens. In production it must be set, to at least 16 characters."},
	{"API_KEYS_FILE", TEXT(api_keys_file, NULL), .help = "File with lines `name role sha256hex`."},
	{"API_KEY_HEADER", TEXT(api_key_header, "X-API-Key"), .json = "auth.api_keys.header_name", .check = is_field_name, .rule = "a header name",
	 .help = "Header that carries an API key."},
	{"REQUIRE_AUTH", BOOL(require_auth, "false"), .help = "Uploading needs an identity."},
	{"FORCE_HTTPS", BOOL(force_https, NULL), .help = "Plain HTTP gets 403. Default: true in production, else false."},
	{"HSTS_ENABLED", BOOL(hsts, "true"), .help = "Strict-Transport-Security on answers over HTTPS."},

	{"TUS_ENABLED", BOOL(tus_enabled, "true"), .help = "false: no new tus uploads; begun ones go on."},
	{"TUS_EXTENSIONS_OFF", LIST(extensions_off, ""), .check = is_extension, .rule = "creation-with-upload, creation-defer-length, termination, checksum, concatenation, concatenation-unfinished",
	 .help = "tus extensions that are not offered; what asks for them is refused."},
	{"IETF_DRAFT", BOOL(ietf_draft, "true"), .help = "The IETF draft \"Resumable Uploads for HTTP\" is spoken on `/files/`, `/upload` and `/upload/{name}`."},
	{"CUSTOM_ENABLED", BOOL(custom_enabled, "true"), .help = "false: no new sessions by the chunk fallback; begun ones go on."},
	{"DEFAULT_UPLOAD_METHOD", WORD(default_method, "tus", methods), .help = "Told to clients by /api/config."},
	{"SESSION_ID_MODE", WORD(session_ids, "any", id_modes), .help = "Which session ids a client may choose."},

	{"TUS_MAX_SIZE", SIZE(tus_max_size, "10737418240", 1, INT64_MAX / 2), .help = "Maximum of an upload, and of a session's sum."},
	{"MAX_FILE_SIZE", SIZE(max_file_size, "0", 0, INT64_MAX / 2), .help = "Maximum of a file sent in a single request; 0: `TUS_MAX_SIZE`."},
	{"MAX_UPLOAD_SIZE", SIZE(max_upload_size, "0", 0, INT64_MAX / 2), .help = "Maximum body of such a request; 0: `TUS_MAX_SIZE`."},
	{"MAX_CHUNK_SIZE", SIZE(max_chunk_size, "16777216", 1, TIB), .help = "Maximum of one chunk of a session."},
	{"MAX_PATCH_SIZE", SIZE(max_patch_size, "0", 0, INT64_MAX / 2), .help = "Maximum body of one PATCH; 0: no bound."},
	{"MAX_CHUNKS", NUM(max_chunks, "1000000", 1, 10000000, ""), .help = "Chunks that a session may have."},
	{"MAX_METADATA_SIZE", SIZE(max_metadata, "4096", 0, 64 * KIB), .help = "Maximum of Upload-Metadata on /files/."},
	{"MAX_CHUNK_METADATA_SIZE", SIZE(max_chunk_metadata, "1024", 0, 64 * KIB), .help = "The same on chunk URLs."},
	{"CHUNK_SIZE", SIZE(chunk_size, "1048576", 1, TIB), .help = "Chunk size told to clients by /api/config."},
	{"TUS_CHUNK_SIZE", SIZE(tus_chunk_size, "524288", 1, TIB), .help = "Piece size of tus clients, told by /api/config; advice."},
	{"STREAM_BUFFER_SIZE", SIZE(stream_buffer, "65536", 4 * KIB, 16 * MIB), .help = "Buffer of a request whose body streams."},
	{"MIN_FREE_SPACE", SIZE(min_free, "67108864", 0, 1024 * TIB), .help = "Kept free on the file systems of parts and finished files; uploads get 507 before."},
	{"LOW_WATER", SIZE(low_water, NULL, 0, 1024 * TIB),
	 .help = "With less free space than this nothing new is begun (507), and what runs goes on. Default: twice `MIN_FREE_SPACE`."},
	{"RESERVE_SPACE", BOOL(reserve_space, "false"),
	 .help = "The announced length of an upload is allocated when it begins, so that it cannot meet a full disk; 507 if that fails."},
	{"MAX_CONCURRENT_UPLOADS", NUM(max_uploads, "0", 0, 1000000, ""),
	 .help = "Bodies and downloads at the same time; more get 503 and Retry-After. 0: what the pool can carry."},

	{"TUS_EXPIRATION", NUM(expiration, "86400", 1, YEARS, "s"), .help = "Unfinished uploads expire this long after their last byte."},
	{"EXPIRATION_MODE", WORD(expiration_mode, "sliding", expirations),
	 .help = "`absolute`: that long after their creation, whatever comes; recordings in chunks excepted."},
	{"ABANDONED_AFTER", NUM(abandoned_after, "3600", 1, YEARS, "s"), .help = "A session without a byte is dropped after this."},
	{"SESSION_RETENTION", NUM(session_retention, "2592000", 0, YEARS, "s"),
	 .help = "Chunks of an expired session with holes are kept this long; 0: they go with `TUS_EXPIRATION`."},
	{"GONE_RETENTION", NUM(gone_retention, "604800", 0, YEARS, "s"), .help = "How long a removed upload is answered with 410 instead of 404."},
	{"REAP_INTERVAL", NUM(reap_interval, "60", 0, 86400, "s"), .help = "The pool looks for expired uploads this often; 0: never."},
	{"LOCK_WAIT_MS", NUM(lock_wait_ms, "2000", 0, 600000, "ms"), .help = "Longest wait for an upload that another request holds."},
	{"SHUTDOWN_WAIT_MS", NUM(shutdown_wait_ms, "5000", 0, 600000, "ms"), .help = "Longest wait for running requests at a stop."},
	{"READ_TIMEOUT", NUM(read_timeout, "60", 0, 86400, "s"), .help = "A body of which no byte comes for so long is cut; 0: never."},
	{"SEND_TIMEOUT", NUM(send_timeout, "60", 0, 86400, "s"), .help = "The same for an answer of which no byte is taken."},
	{"MIN_RATE", NUM(min_rate, "100", 0, INT64_MAX / 4000000, "bytes/s"),
	 .help = "A body that comes more slowly, averaged over twice `READ_TIMEOUT` of waiting, is cut; 0: never."},
	{"RELOAD_WAIT", NUM(reload_wait, "3600", 0, 86400, "s"), .help = "After SIGHUP, running requests may go on with the old settings so long."},

	{"RESTARTS_PER_MINUTE", NUM(restarts, "60", 1, CONFIG_RESTARTS_MAX, ""), .help = "Workers that ended are started again at most so often; what tells the hook, as often for itself."},
	{"WORKERS", NUM(workers, "4", 1, 1024, ""), .alias = "UVICORN_WORKERS", .help = "Processes of the pool."},
	{"THREADS", NUM(threads, "256", 1, 16384, ""), .help = "Threads of a process, at most; they are made when needed."},
	{"RESERVE_THREADS", NUM(reserve_threads, "16", 0, 16383, ""), .help = "Threads of a process that serve only short requests."},
	{"TUS_DURABILITY", WORD(durability, "normal", durabilities),
	 .help = "`full`: also each offset inside an unfinished upload is safe against a power cut. Complete chunks always are."},
	{"SENDFILE", WORD(sendfile, "none", sendfiles), .help = "Who sends finished files: this program, or the web server."},
	{"X_ACCEL_PREFIX", TEXT(x_accel_prefix, "/tus-internal/"), .check = is_location, .rule = "a path that begins and ends with /",
	 .help = "Internal location of the web server over `UPLOAD_DIR`."},
	{"FILE_DIGEST", WORD(file_digest, "none", file_digests), .help = "Digest of each finished file, computed once, after its last answer: each file is read once more."},
	{"EVENT_RETENTION", NUM(event_retention, "604800", 0, YEARS, "s"),
	 .help = "How long events are kept for `tusctl events`; 0: only those that wait for the hook are written."},
	{"HOOK_COMMAND", TEXT(hook_command, NULL), .check = is_program, .rule = "the absolute path of a program, with arguments behind it",
	 .help = "Run for each event, without a shell: split at blanks. The event comes as JSON on its input."},
	{"HOOK_URL", TEXT(hook_url, NULL), .check = is_url, .rule = "a URL that begins with http:// or https://",
	 .help = "Or: each event is sent there by a signed POST. Only one of the two may be set."},
	{"HOOK_EVENTS", LIST(hook_events, "completed,recovered"), .check = is_event,
	 .rule = "created, resumed, interrupted, completed, recovered, expired, deleted, rejected", .help = "What the hook is told of."},
	{"HOOK_SECRET", TEXT(hook_secret, NULL), .secret = true, .help = "Signs what is sent to `HOOK_URL`. Default: `SECRET_KEY`."},
	{"HOOK_TIMEOUT", NUM(hook_timeout, "30", 1, 3600, "s"), .help = "A delivery that takes longer has failed, and is tried again."},
	{"LOG_LEVEL", WORD(log_level, "info", levels), .help = "Least level that is logged."},
	{"TEST_CLOCK_OFFSET", NUM(test_clock_offset, "0", -YEARS, YEARS, "s"), .help = "Moves the wall clock, for tests. Refused in production."},
};
const int settings_n = sizeof settings / sizeof *settings;

#define TLS "the web server ends TLS"
#define RATE "the web server limits request rates"
#define MEMORY "the service manager limits memory"
#define SQLITE "the ledger is an SQLite file in TUS_SESSION_DIR"
#define REDIS "the ledger does what Redis would do"
#define TOKENS "identities are API keys or the web server's REMOTE_USER"

const struct accepted accepteds[] = {
	{"NODE_ENV", NULL, "ENVIRONMENT", NULL},
	{"DEBUG", NULL, NULL, "LOG_LEVEL=debug logs more"},
	{"PROTOCOL", NULL, NULL, TLS},
	{"APP_NAME", NULL, NULL, "the program has its own name"},
	{"APP_VERSION", NULL, NULL, "the program knows its version"},
	{"ENABLE_ANALYTICS", NULL, NULL, "nothing is collected about users"},
	{"ENABLE_MONITORING", NULL, NULL, "/metrics is always there"},
	{"ENABLE_RATE_LIMITING", NULL, NULL, RATE},
	{"MEMORY_LIMIT_MB", NULL, NULL, MEMORY},
	{"MEMORY_WARNING_THRESHOLD", NULL, NULL, MEMORY},
	{"BUFFER_POOL_SIZE", NULL, NULL, "every request has its own buffer of STREAM_BUFFER_SIZE"},
	{"DB_POOL_MIN", NULL, NULL, SQLITE},
	{"DB_POOL_MAX", NULL, NULL, SQLITE},
	{"DB_HOST", NULL, NULL, SQLITE},
	{"DB_PORT", NULL, NULL, SQLITE},
	{"DB_NAME", NULL, NULL, SQLITE},
	{"DB_USER", NULL, NULL, SQLITE},
	{"DB_PASSWORD", NULL, NULL, SQLITE},
	{"DATABASE_URL", NULL, NULL, SQLITE},
	{"REDIS_POOL_MIN", NULL, NULL, REDIS},
	{"REDIS_POOL_MAX", NULL, NULL, REDIS},
	{"REDIS_HOST", NULL, NULL, REDIS},
	{"REDIS_PORT", NULL, NULL, REDIS},
	{"REDIS_PASSWORD", NULL, NULL, REDIS},
	{"REDIS_URL", NULL, NULL, REDIS},
	{NULL, "auth.jwt.algorithm", NULL, TOKENS},
	{NULL, "auth.jwt.access_token_expire_minutes", NULL, TOKENS},
	{NULL, "auth.jwt.refresh_token_expire_days", NULL, TOKENS},
	{NULL, "auth.api_keys.enabled", NULL, "API keys count as soon as there is one; REQUIRE_AUTH demands them"},
	{NULL, "auth.api_keys.rate_limit", NULL, RATE},
	{NULL, "ssl.enabled", NULL, TLS},
	{NULL, "ssl.certificate_file", NULL, TLS},
	{NULL, "ssl.private_key_file", NULL, TLS},
	{NULL, "ssl.ca_certificate_file", NULL, TLS},
};
const int accepteds_n = sizeof accepteds / sizeof *accepteds;

/* --- finding rows --- */

static bool same(const char *name, const char *s, size_t n)
{
	return name && strlen(name) == n && memcmp(name, s, n) == 0;
}

struct known known_variable(const char *name, size_t n)
{
	for (int i = 0; i < settings_n; i++)
		if (same(settings[i].name, name, n) || same(settings[i].alias, name, n))
			return (struct known){.s = &settings[i]};
	for (int i = 0; i < accepteds_n; i++)
		if (same(accepteds[i].name, name, n))
			return (struct known){.a = &accepteds[i]};
	return (struct known){0};
}

static bool key_is(const char *path, const char *name, const char *json)
{
	return (name && text_eq_nocase(path, name)) || (json && text_eq(path, json));
}

struct known known_key(const char *path)
{
	for (int i = 0; i < settings_n; i++)
		if (key_is(path, settings[i].name, settings[i].json) || key_is(path, settings[i].alias, NULL))
			return (struct known){.s = &settings[i]};
	for (int i = 0; i < accepteds_n; i++)
		if (key_is(path, accepteds[i].name, accepteds[i].json))
			return (struct known){.a = &accepteds[i]};
	return (struct known){0};
}

static bool below(const char *json, const char *path)
{
	size_t n = strlen(path);

	return json && strncmp(json, path, n) == 0 && json[n] == '.';
}

bool known_group(const char *path)
{
	for (int i = 0; i < settings_n; i++)
		if (below(settings[i].json, path))
			return true;
	for (int i = 0; i < accepteds_n; i++)
		if (below(accepteds[i].json, path))
			return true;
	return false;
}

const struct setting *setting_named(const char *name)
{
	struct known k = known_variable(name, strlen(name));

	return k.s;
}
