/*
 * rows.c - prints what the ledger says, for tests that compare it with what clients were told: one JSON object a line, in one snapshot.
 *
 *   rows DATABASE     {"u":...} unfinished and whole uploads, {"c":...} complete chunks, {"s":...} takes, {"p":...} parts, {"r":...} finished files
 *
 * It reads the tables themselves, so that no error of the store's own verbs can hide from the comparison.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const struct { const char *key, *sql; } lists[] = {
	{"u", "SELECT u.n,u.id,u.state,s.sid,s.take,u.session,u.idx,u.file,u.base,u.length,u.offset,u.own,u.concat FROM upload u LEFT JOIN session s ON s.n=u.session"},
	{"c", "SELECT s.sid,s.take,c.session,c.idx,c.file,c.base,c.length FROM chunk c JOIN session s ON s.n=c.session"},
	{"s", "SELECT s.n,s.sid,s.take,s.state,s.total,s.file,s.done,s.top,s.bytes,s.parked,s.out_name,"
	      "(SELECT count(*) FROM chunk c WHERE c.session=s.n) AS chunks,"
	      "(SELECT ifnull(sum(b.n),0) FROM bitmap b WHERE b.session=s.n) AS noted,"
	      "(SELECT group_concat(hex(b.bits),'') FROM (SELECT bits FROM bitmap WHERE session=s.n ORDER BY seg) b) AS bits FROM session s"},
	{"p", "SELECT p.final,p.upload,f.state AS waits,f.concat AS whole,u.state,u.own,u.concat FROM part p LEFT JOIN upload f ON f.n=p.final"
	      " LEFT JOIN upload u ON u.n=p.upload"},
	{"r", "SELECT n,sid,session,upload,take,run,disk,size FROM recording"},
};

static void text(const unsigned char *s)
{
	putchar('"');
	for (; *s; s++)
		if (*s == '"' || *s == '\\' || *s < ' ')
			printf("\\u%04x", *s);
		else
			putchar(*s);
	putchar('"');
}

static void row(sqlite3_stmt *st, const char *key)
{
	printf("{\"%s\":1", key);
	for (int i = 0; i < sqlite3_column_count(st); i++) {
		printf(",\"%s\":", sqlite3_column_name(st, i));
		switch (sqlite3_column_type(st, i)) {
		case SQLITE_INTEGER:
			printf("%lld", (long long)sqlite3_column_int64(st, i));
			break;
		case SQLITE_NULL:
			printf("null");
			break;
		default:
			text(sqlite3_column_text(st, i));
		}
	}
	puts("}");
}

static int list(sqlite3 *db, const char *key, const char *sql)
{
	sqlite3_stmt *st;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(st)) == SQLITE_ROW)
			row(st, key);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int main(int argc, char **argv)
{
	sqlite3 *db = NULL;
	if (argc != 2)
		return 2;
	int rc = sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL);   /* a WAL that nobody has open is recovered by its reader */
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(db, 10000);
		rc = sqlite3_exec(db, "PRAGMA wal_autocheckpoint=0; BEGIN", NULL, NULL, NULL);
	}
	for (size_t i = 0; rc == SQLITE_OK && i < sizeof lists / sizeof *lists; i++)
		rc = list(db, lists[i].key, lists[i].sql);
	if (rc != SQLITE_OK)
		fprintf(stderr, "rows: %s\n", db ? sqlite3_errmsg(db) : "no memory");
	sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	sqlite3_close(db);
	return rc == SQLITE_OK && fflush(stdout) == 0 ? 0 : 1;
}
