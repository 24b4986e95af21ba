/*
 * store_priv.h - what the files of the ledger share.
 */
#ifndef DB_STORE_PRIV_H
#define DB_STORE_PRIV_H

#include <pthread.h>

#include "db/store.h"
#include "db/store_sql.h"

/* Of sqlite3.h, which only the .c files here include. */
typedef struct sqlite3 sqlite3;
typedef struct sqlite3_stmt sqlite3_stmt;

/* ---- a handle and its statements (store_stmt.c) ---- */

struct dbh {
	sqlite3 *db;
	sqlite3_stmt *st[SQL__MAX];     /* prepared at first use, kept */
};

/* A value to bind; BINDS(I(n), T(id)) makes the closed list. */
struct bind {
	enum { BIND_END, BIND_INT, BIND_TEXT, BIND_BLOB, BIND_NULL } kind;
	int64_t i;                      /* or bytes of the blob */
	const void *p;
};
#define I(v) {BIND_INT, (int64_t)(v), NULL}
#define T(v) {BIND_TEXT, 0, (v)}        /* NULL binds NULL */
#define B(v, n) {BIND_BLOB, (n), (v)}
#define I_OR_NULL(yes, v) {(yes) ? BIND_INT : BIND_NULL, (int64_t)(v), NULL}
#define BINDS(...) ((const struct bind[]){__VA_ARGS__, {BIND_END, 0, NULL}})
#define NO_BINDS ((const struct bind[]){{BIND_END, 0, NULL}})

/* Runs a statement that gives no row. Uniqueness broken: ERR_CONFLICT. */
enum err sql_run(struct dbh *h, enum sql q, const struct bind *b);
/* The same; ERR_NOT_FOUND if it changed no row. */
enum err sql_hit(struct dbh *h, enum sql q, const struct bind *b);
/* Steps to the first row: read its columns, then sql_end or sql_more. ERR_NOT_FOUND if there is none (ended already). */
enum err sql_row(struct dbh *h, enum sql q, const struct bind *b, sqlite3_stmt **st);
/* To the next row; ERR_NOT_FOUND after the last (ended already). */
enum err sql_more(struct dbh *h, enum sql q, sqlite3_stmt *st);
void sql_end(sqlite3_stmt *st);
/* First column of the only row. */
enum err sql_int(struct dbh *h, enum sql q, const struct bind *b, int64_t *out);
/* The border of SQLite's codes; logs what is unexpected, with the extended code. q < 0: no statement of ours. */
enum err sql_err(sqlite3 *db, int rc, int q, const char *what);
/* Texts that are not statements of ours: pragmas, the schema. */
enum err sql_exec(sqlite3 *db, const char *text);
enum err sql_pragma(sqlite3 *db, const char *text, int64_t *out);
void dbh_close(struct dbh *h);
/* set_bit(bits, i) and get_bit(bits, i). */
enum err bit_functions(sqlite3 *db);

/* ---- the store ---- */

/* What an operation works with: the writing handle inside a transaction. */
struct tx {
	struct dbh *h;
	struct arena *tmp;              /* emptied before each operation */
	bool full;                      /* will be committed FULL */
	unsigned events, hook;          /* kinds that are written; that a hook wants */
};
struct op {
	enum err (*run)(struct tx *t, void *arg);
	void *arg;
	bool full;
	enum err result;
	bool done;
	struct op *next;
	pthread_cond_t wake;            /* done, or at the head of the queue without a leader */
};

#define READERS_MAX 16

struct store {
	struct dbh w;                   /* the process's one writing handle: only the leader touches it */
	struct arena *tmp;
	char *dir, *path, *wal_path;
	int lock_fd;                    /* meta.lock */
	bool full, once, wal;
	unsigned events, hook;
	int64_t events_keep;

	pthread_mutex_t mu;             /* guards the queue and leading */
	pthread_cond_t idle;            /* nobody leads */
	bool leading;
	struct op *head, **tail;
	int batch;                      /* operations of one transaction at most */

	int sync;                       /* PRAGMA synchronous as last set: 0 unknown, 1 NORMAL, 2 FULL */
	int wal_pages, wal_tried;       /* pages in the WAL after the last commit, and when a checkpoint was last tried */
	bool wal_trim;                  /* store_idle asked */

	pthread_mutex_t rmu;
	pthread_cond_t rfree;
	struct dbh *reader[READERS_MAX];
	bool reader_busy[READERS_MAX];
	int readers;
};

/* One write operation (store_commit.c). */
enum err store_do(struct store *s, enum err (*run)(struct tx *, void *), void *arg, bool full);
/* The writing handle for a reader; with `once` there is no other. */
struct dbh *store_lead(struct store *s);
void store_follow(struct store *s);
/* meta.lock, the queue of all writing processes. */
void store_lock(struct store *s);
void store_unlock(struct store *s);
int64_t wal_bytes(const struct store *s);
/* Opens a handle with our pragmas (store_open.c). writer: creates, has the bit functions. */
enum err store_handle(const struct store *s, bool writer, sqlite3 **out);
/* Brings a database to version n by steps version..n-1, after a copy of an existing one (store_migrate.c). */
enum err store_migrate(sqlite3 *db, const char *path, const char *const *step, int n);
/* A whole, synced copy in file `to`, which is replaced; nothing is left of a failed one (store_copy.c). */
enum err db_copy(sqlite3 *db, const char *to);
extern const char *const store_steps[];
extern const int store_version;
#define STORE_APPLICATION 0x74757331

/* A reading handle, borrowed for one statement set (store_reader.c). */
enum err reader_take(struct store *s, struct dbh **out);
void reader_give(struct store *s, struct dbh *h);
void readers_close(struct store *s);

/* ---- rows (store_row.c). a NULL: texts are left out. ---- */

enum err row_upload(sqlite3_stmt *st, struct arena *a, struct upload *out);
/* brief: without the client metadata. */
enum err row_session(sqlite3_stmt *st, struct arena *a, bool brief, struct session *out);
enum err row_recording(sqlite3_stmt *st, struct arena *a, struct recording *out, bool *run);
void row_chunk(sqlite3_stmt *st, struct chunk *out);
enum err row_event(sqlite3_stmt *st, struct arena *a, struct event *out);
enum err get_upload(struct dbh *h, struct arena *a, int64_t n, struct upload *out);
enum err get_chunk_upload(struct dbh *h, struct arena *a, int64_t session, int64_t idx, struct upload *out);
enum err get_session(struct dbh *h, struct arena *a, int64_t n, struct session *out);
enum err get_chunk(struct dbh *h, int64_t session, int64_t idx, struct chunk *out);
enum err get_recording(struct dbh *h, enum sql q, const struct bind *b, struct arena *a, struct recording *out, bool *run);
/* Column 0 of every row. */
enum err get_numbers(struct dbh *h, enum sql q, const struct bind *b, int64_t *out, int max, int *found);

/* ---- shared between verbs ---- */

enum err file_next(struct tx *t, int64_t *file);
/* Inserts take s (sid, owner, kind, total, chunk_size, name, format are set); fills n, take, file. */
enum err session_add(struct tx *t, struct session *s, int64_t now, int64_t expires);
/* Slides the expiry of a receiving session (plan_expiry). */
enum err session_slide(struct tx *t, const struct session *s, int64_t now, int64_t expires);
/* Moves the frontier on over chunks with a known length. */
enum err frontier_step(struct tx *t, struct session *s);
/* Sets bit idx; *fresh: it was not set. */
enum err bit_set(struct tx *t, int64_t session, int64_t idx, bool *fresh);
/* RECEIVING -> FINISHING: the only way into that state. */
enum err session_finishing(struct tx *t, struct session *s, const struct session_close *c);
/* Any state -> GONE at `updated`, its chunks with it. Of their rows a bounded number goes at once; store_forget drops the others. */
enum err session_vanish(struct tx *t, int64_t n, bool cancelled, int64_t updated);
/* Whether another recording or finishing session of sid has this disk name. */
enum err name_taken(struct dbh *h, const char *sid, const char *disk, int64_t recording, int64_t session, bool *taken);
/* Whether it is claimed (store_name_claim) and still nobody's. */
enum err name_claimed(struct dbh *h, const char *sid, const char *disk, bool *yes);
enum err name_free(struct dbh *h, struct arena *a, const char *sid, const char *title, int64_t recording, int64_t session, const char **out);
enum err recording_insert(struct tx *t, const struct recording *r, const char *sid, int64_t session, int64_t upload, int64_t take, bool run);

/* The parts of a new final upload (store_part.c). ERR_GONE: one is not there any more. */
enum err parts_add(struct tx *t, int64_t final, const struct upload_new *in);
/* A final upload needs its parts no more: names none, and bytes that were kept only for it are nobody's. Of any other upload: nothing happens. */
enum err parts_drop(struct tx *t, int64_t final);

/* ---- events, in the transaction of what they tell (store_event.c); nothing if their kind is switched off ---- */

enum err event_add(struct tx *t, const struct event *e);
/* r: its finished file, NULL if it has none. */
enum err event_upload(struct tx *t, enum event_kind kind, const struct upload *u, const struct recording *r, int64_t now);
enum err event_session(struct tx *t, enum event_kind kind, const struct session *s, const struct recording *r, int64_t now);
/* About a finished file that has (now) these names. */
enum err event_recording(struct tx *t, enum event_kind kind, const struct recording *r, const char *name, const char *disk, int64_t now);
/* What a move says about its body: resumed, interrupted, both or neither. */
enum err event_body(struct tx *t, const struct upload_move *m);

#endif
