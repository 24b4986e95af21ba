/*
 * store_stmt.c - binding, stepping, and the border where SQLite's codes become ours.
 */
#include <errno.h>
#include <sqlite3.h>
#include <string.h>

#include "base/log.h"
#include "db/store_priv.h"

static bool no_space(int no)
{
	return no == ENOSPC || no == EDQUOT || no == EFBIG;
}

/* Why a write failed is known to the file that failed: the connection's own errno is overwritten by the clean-up behind it. */
static bool file_no_space(sqlite3 *db, int which)
{
	sqlite3_file *f = NULL;
	int no = 0;
	sqlite3_file_control(db, "main", which, &f);
	if (f && f->pMethods)
		f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &no);
	return no_space(no);
}

static enum err err_from_ioerr(sqlite3 *db, int rc)
{
	switch (rc) {
	case SQLITE_IOERR_NOMEM:
		return ERR_NOMEM;
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_FSYNC:
	case SQLITE_IOERR_TRUNCATE:
		/* A full disk is SQLITE_FULL already; a quota or a limit on file sizes comes this way. */
		return file_no_space(db, SQLITE_FCNTL_JOURNAL_POINTER) || file_no_space(db, SQLITE_FCNTL_FILE_POINTER) ? ERR_NO_SPACE : ERR_INTERNAL;
	case SQLITE_IOERR_SHMSIZE:
	case SQLITE_IOERR_SHMOPEN:
		return no_space(sqlite3_system_errno(db)) ? ERR_NO_SPACE : ERR_INTERNAL;
	default:
		return ERR_INTERNAL;
	}
}

static enum err err_from_code(sqlite3 *db, int rc)
{
	int no = db ? sqlite3_system_errno(db) : 0;
	switch (rc & 0xff) {
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_IOERR:
		return db ? err_from_ioerr(db, rc) : ERR_INTERNAL;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_NOMEM:
		return ERR_NOMEM;
	case SQLITE_CANTOPEN:
		return no_space(no) ? ERR_NO_SPACE : no == EMFILE || no == ENFILE ? ERR_BUSY : ERR_INTERNAL;
	default:
		return ERR_INTERNAL;
	}
}

enum err sql_err(sqlite3 *db, int rc, int q, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return ERR_OK;
	if (rc == SQLITE_CONSTRAINT_UNIQUE || rc == SQLITE_CONSTRAINT_PRIMARYKEY)
		return ERR_CONFLICT;
	enum err e = err_from_code(db, rc);
	log_event(LOG_ERROR, "store", what, "code", LI(rc), "sql", LI(q), "errno", LI(db ? sqlite3_system_errno(db) : 0),
		"as", LS(err_code(e)), "reason", LS(db ? sqlite3_errmsg(db) : sqlite3_errstr(rc)), NULL);
	return e;
}

static int bind_all(sqlite3_stmt *st, const struct bind *b)
{
	int rc = SQLITE_OK;
	for (int i = 1; b->kind != BIND_END && rc == SQLITE_OK; i++, b++) {
		if (b->kind == BIND_INT)
			rc = sqlite3_bind_int64(st, i, b->i);
		else if (b->kind == BIND_TEXT && b->p)
			rc = sqlite3_bind_text(st, i, b->p, -1, SQLITE_STATIC);
		else if (b->kind == BIND_BLOB)
			rc = sqlite3_bind_blob(st, i, b->p, (int)b->i, SQLITE_STATIC);
		else
			rc = sqlite3_bind_null(st, i);
	}
	return rc;
}

static int prepare(struct dbh *h, enum sql q)
{
	if (h->st[q])
		return SQLITE_OK;
	return sqlite3_prepare_v3(h->db, sql_text[q], -1, SQLITE_PREPARE_PERSISTENT, &h->st[q], NULL);
}

enum err sql_row(struct dbh *h, enum sql q, const struct bind *b, sqlite3_stmt **st)
{
	int rc = prepare(h, q);
	if (rc == SQLITE_OK)
		rc = bind_all(h->st[q], b);
	if (rc != SQLITE_OK)
		return sql_err(h->db, rc, (int)q, "statement not prepared");
	*st = h->st[q];
	return sql_more(h, q, *st);
}

enum err sql_more(struct dbh *h, enum sql q, sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		return ERR_OK;
	/* The code is read before the reset, which may change what sqlite3_errmsg says. */
	enum err e = rc == SQLITE_DONE ? ERR_NOT_FOUND : sql_err(h->db, rc, (int)q, "statement failed");
	sql_end(st);
	return e;
}

void sql_end(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

enum err sql_run(struct dbh *h, enum sql q, const struct bind *b)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, q, b, &st);
	if (!e)
		sql_end(st);
	return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err sql_hit(struct dbh *h, enum sql q, const struct bind *b)
{
	enum err e = sql_run(h, q, b);
	return e ? e : sqlite3_changes(h->db) > 0 ? ERR_OK : ERR_NOT_FOUND;
}

enum err sql_int(struct dbh *h, enum sql q, const struct bind *b, int64_t *out)
{
	sqlite3_stmt *st;
	enum err e = sql_row(h, q, b, &st);
	if (e)
		return e;
	*out = sqlite3_column_int64(st, 0);
	sql_end(st);
	return ERR_OK;
}

enum err sql_exec(sqlite3 *db, const char *text)
{
	return sql_err(db, sqlite3_exec(db, text, NULL, NULL, NULL), -1, "SQL failed");
}

enum err sql_pragma(sqlite3 *db, const char *text, int64_t *out)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, text, -1, &st, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(st, 0);
	enum err e = sql_err(db, rc, -1, "pragma failed");
	sqlite3_finalize(st);
	return e;
}

void dbh_close(struct dbh *h)
{
	for (int i = 0; i < SQL__MAX; i++)
		sqlite3_finalize(h->st[i]);
	sqlite3_close(h->db);
	*h = (struct dbh){0};
}
