/*
 * hold_priv.h - what the three files of holding share: the table (hold.c), the lock files (hold_lock.c), the mailbox (hold_mail.c).
 *
 * Order of locks: the table's mutex, then a lock file's byte, then whatever source->stop takes.
 */
#ifndef UPLOAD_HOLD_PRIV_H
#define UPLOAD_HOLD_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/source.h"
#include "upload/hold.h"

#define HOLD_FILES 64                  /* lock files, and chains of the table */
#define HOLD_RECENT 256                /* displaced keys remembered */
#define HOLD_SLOT(key) ((unsigned)((key) & (HOLD_FILES - 1)))

struct hold {
	struct holds *h;
	struct hold *next;             /* in its chain */
	int64_t key;
	int64_t since;                 /* when its taker came, monotonic microseconds */
	uint64_t serial;               /* tells it from a later hold of the same key */
	struct source *body;
	atomic_bool wanted;            /* written under the mutex; read without it, once a body piece */
	int64_t offset;                /* where the newcomer goes on from */
	bool ping_pong;
};

struct holds {
	pthread_mutex_t mu;
	pthread_cond_t freed[HOLD_FILES];   /* a hold of this chain was dropped; monotonic clock */
	struct hold *chain[HOLD_FILES];
	uint64_t serial;
	bool stopping;
	struct { int64_t key, at; } recent[HOLD_RECENT];

	int locks;                     /* RUN_DIR/locks */
	int lock_fd[HOLD_FILES];       /* -1 until needed; opened under the mutex */

	int mbox;                      /* RUN_DIR/mbox */
	int in;                        /* our mailbox */
	char prefix[64];               /* of every mailbox's address */
	char name[48];                 /* of our mailbox */
	bool thread;
	pthread_t reader;
	int wake;                      /* ends the reader */
};

/* ---- hold.c ---- */
/* A newcomer that came at since wants key: tells its holder in this process, unless that came later. */
void hold_want(struct holds *h, int64_t key, int64_t offset, int64_t since);

/* ---- hold_lock.c: all under the mutex, none waits ---- */
/* all: opens the 64 files at once, so that a process that has run out of descriptors can still lock. */
enum err hold_lock_open(struct holds *h, int run, bool all);
void hold_lock_close(struct holds *h);
/* ERR_LOCKED: another process has it. */
enum err hold_lock_try(struct holds *h, int64_t key);
void hold_lock_free(struct holds *h, int64_t key);
/* Whether another process has it. (The kernel does not report our own locks here: ask the table first.) */
bool hold_lock_foreign(struct holds *h, int64_t key);

/* ---- hold_mail.c: without the mutex ---- */
enum err hold_mail_open(struct holds *h, int run, const char *run_dir, bool thread);
void hold_mail_close(struct holds *h);
/* Asks all other processes for key. */
void hold_mail_ask(struct holds *h, int64_t key, int64_t offset, int64_t since);
/* Lets us microseconds pass. A process without a reader thread reads its mailbox meanwhile. */
void hold_mail_pause(struct holds *h, int64_t us);

#endif
