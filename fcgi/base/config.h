/*
 * config.h - the settings: one table that sets defaults, reads, checks, prints and documents them.
 *
 * Sources, later ones win: defaults < JSON file (CONFIG_FILE) < environment. NAME_FILE in the environment names a file
 * that holds the value (secrets; its last line feed is cut). Lists are JSON lists, comma lists, or "*".
 * Unknown keys are refused in the JSON file and ignored in the environment. An empty value counts as not set. Variables of
 * other installations that mean nothing here are accepted (config_explain and the manual say which).
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct config_list {
	char **v;      /* items, without blanks around; NULL-terminated */
	int n;
	bool any;      /* the list was "*" (alone or among others) */
};

enum config_durability { DURABILITY_NORMAL, DURABILITY_FULL };
enum config_expiration { EXPIRATION_SLIDING, EXPIRATION_ABSOLUTE };
enum config_sendfile { SENDFILE_NONE, SENDFILE_X_ACCEL };
enum config_environment { ENV_DEVELOPMENT, ENV_PRODUCTION };
enum config_method { METHOD_TUS, METHOD_CUSTOM };
enum config_file_digest { FILE_DIGEST_NONE, FILE_DIGEST_SHA256 };
enum config_session_id { SESSION_ID_ANY, SESSION_ID_UUID };

#define CONFIG_RESTARTS_MAX 1000    /* of RESTARTS_PER_MINUTE */

struct config {
	/* where; texts are never NULL, but api_keys_file and the hook's are if they are not set */
	char *data_dir;            /* DATA_DIR: home of everything that is not placed elsewhere */
	char *parts_dir;           /* TUS_UPLOAD_DIR, default DATA_DIR/tus_uploads: bytes of unfinished uploads */
	char *db_dir;              /* TUS_SESSION_DIR, default DATA_DIR/tus_sessions: the database */
	char *temp_dir;            /* TUS_TEMP_DIR: accepted, unused */
	char *done_dir;            /* UPLOAD_DIR, default DATA_DIR/uploaded_data: finished files */
	char *run_dir;             /* RUN_DIR, default DATA_DIR/run: sockets, locks, mailboxes, pids, counters */
	char *socket;              /* SOCKET, default RUN_DIR/tus.sock */
	char *base_path;           /* BASE_PATH: prefix of all URLs, "" or "/x" */
	char *host;                /* HOST: address of the listener that scripts start, default 127.0.0.1 */
	int64_t port;              /* PORT, default 8000 */
	/* who may what */
	enum config_environment environment;  /* ENVIRONMENT */
	struct config_list allowed_hosts;     /* ALLOWED_HOSTS, default localhost,127.0.0.1,testserver */
	struct config_list cors_origins;      /* CORS_ORIGINS, default http://localhost:8000 */
	struct config_list trusted_proxies;   /* TRUSTED_PROXIES: addresses whose X-Forwarded-* count, default none */
	char *secret_key;          /* SECRET_KEY (secret) */
	char *api_keys_file;       /* API_KEYS_FILE: lines "name role sha256hex" */
	char *api_key_header;      /* API_KEY_HEADER, default X-API-Key (JSON auth.api_keys.header_name) */
	bool require_auth;         /* REQUIRE_AUTH, default false */
	bool force_https;          /* FORCE_HTTPS, default true in production */
	bool hsts;                 /* HSTS_ENABLED, default true */
	/* protocols */
	bool tus_enabled;          /* TUS_ENABLED */
	struct config_list extensions_off;    /* TUS_EXTENSIONS_OFF: tus extensions that are not offered */
	bool ietf_draft;           /* IETF_DRAFT */
	bool custom_enabled;       /* CUSTOM_ENABLED */
	enum config_method default_method;    /* DEFAULT_UPLOAD_METHOD tus|custom */
	enum config_session_id session_ids;   /* SESSION_ID_MODE any|uuid */
	/* limits, bytes unless said; after loading none is larger than the one that bounds it (chunk_size <= max_chunk_size <=
	 * tus_max_size, tus_chunk_size <= max_patch_size if that is on, max_file_size, max_upload_size <= tus_max_size) */
	int64_t tus_max_size;      /* TUS_MAX_SIZE 10737418240: an upload, and a session's sum */
	int64_t max_file_size;     /* MAX_FILE_SIZE, 0 = TUS_MAX_SIZE: one single-request upload */
	int64_t max_upload_size;   /* MAX_UPLOAD_SIZE, 0 = TUS_MAX_SIZE: one request body of the single-request doors */
	int64_t max_chunk_size;    /* MAX_CHUNK_SIZE 16 MiB: one chunk of a session */
	int64_t max_patch_size;    /* MAX_PATCH_SIZE 0 = off: one PATCH body */
	int64_t max_chunks;        /* MAX_CHUNKS 1000000: indices of a session (count) */
	int64_t max_metadata;      /* MAX_METADATA_SIZE 4096: Upload-Metadata on /files/ */
	int64_t max_chunk_metadata;/* MAX_CHUNK_METADATA_SIZE 1024: on chunk URLs */
	int64_t chunk_size;        /* CHUNK_SIZE 1048576: told by /api/config */
	int64_t tus_chunk_size;    /* TUS_CHUNK_SIZE 524288: told by /api/config; advice */
	int64_t stream_buffer;     /* STREAM_BUFFER_SIZE 65536 */
	int64_t min_free;          /* MIN_FREE_SPACE 64 MiB: kept free on both file systems */
	int64_t low_water;         /* LOW_WATER, default twice min_free: nothing new is begun below it; never less than min_free */
	bool reserve_space;        /* RESERVE_SPACE false: allocate announced lengths */
	int64_t max_uploads;       /* MAX_CONCURRENT_UPLOADS (count), 0 = the pool's capacity */
	/* time, seconds unless said */
	int64_t expiration;        /* TUS_EXPIRATION 86400 */
	enum config_expiration expiration_mode;   /* EXPIRATION_MODE sliding|absolute */
	int64_t abandoned_after;   /* ABANDONED_AFTER 3600: a session without a byte */
	int64_t session_retention; /* SESSION_RETENTION 2592000; 0 = go with TUS_EXPIRATION */
	int64_t gone_retention;    /* GONE_RETENTION 604800: how long 410 is remembered */
	int64_t reap_interval;     /* REAP_INTERVAL 60: lazy reaper in the pool; 0 = off */
	int64_t lock_wait_ms;      /* LOCK_WAIT_MS 2000: hand-over of a held upload */
	int64_t shutdown_wait_ms;  /* SHUTDOWN_WAIT_MS 5000 */
	int64_t read_timeout;      /* READ_TIMEOUT 60; 0 = none */
	int64_t send_timeout;      /* SEND_TIMEOUT 60; 0 = none */
	int64_t min_rate;          /* MIN_RATE 100 bytes a second; 0 = any */
	int64_t reload_wait;       /* RELOAD_WAIT 3600 */
	int64_t restarts;          /* RESTARTS_PER_MINUTE 60 */
	/* pool */
	int64_t workers;           /* WORKERS (alias UVICORN_WORKERS) 4: processes */
	int64_t threads;           /* THREADS 256: at most, a process */
	int64_t reserve_threads;   /* RESERVE_THREADS 16: kept for short requests, a process */
	enum config_durability durability;    /* TUS_DURABILITY normal|full */
	enum config_sendfile sendfile;        /* SENDFILE none|x-accel-redirect */
	char *x_accel_prefix;      /* X_ACCEL_PREFIX /tus-internal/ */
	enum config_file_digest file_digest;  /* FILE_DIGEST none|sha256: of finished files */
	int64_t log_level;         /* LOG_LEVEL debug|info|warning|error, as enum log_level */
	/* events and the hook that is told of them */
	int64_t event_retention;   /* EVENT_RETENTION 604800 seconds; 0: only what the hook wants is written */
	char *hook_command;        /* HOOK_COMMAND: program and arguments, split at blanks; NULL if not set */
	char *hook_url;            /* HOOK_URL; NULL if not set; never both */
	struct config_list hook_events;       /* HOOK_EVENTS, default completed,recovered */
	char *hook_secret;         /* HOOK_SECRET (secret), NULL: SECRET_KEY */
	int64_t hook_timeout;      /* HOOK_TIMEOUT 30: seconds that a delivery may take */
	/* tests only */
	int64_t test_clock_offset; /* TEST_CLOCK_OFFSET: seconds added to the wall clock; refused in production */
};

/* Reads all sources. env: NULL-terminated "NAME=VALUE" list (environ). On a wrong value returns NULL and writes one clear
 * sentence per fault to err. Free with config_free. */
struct config *config_load(char *const *env, FILE *err);
void config_free(struct config *c);

/* --print-config: NAME=value lines, secrets masked. */
void config_print(const struct config *c, FILE *out);
/* --check-config: what each variable of env that we know does: used, mapped to another, or accepted and without effect. */
void config_explain(char *const *env, FILE *out);
/* The settings table for the manual, as Markdown. */
void config_manual(FILE *out);

#endif
