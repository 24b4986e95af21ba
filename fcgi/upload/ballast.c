/*
 * ballast.c - the ends of a full disk: a file beside the ledger that is given back so that removing can begin, and a look at the free
 * space while bytes come, so that it seldom gets that far.
 */
#include "upload/ballast.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "upload/upload_priv.h"

#define LEDGER_NEEDS (256 << 10)    /* opening and one commit */

static const char *ballast_path(const struct config *cfg, char out[4096])
{
	snprintf(out, 4096, "%s/ballast", cfg->db_dir);
	return out;
}

/* Bytes free beside the ledger; more than enough if nobody can tell. */
static int64_t ledger_room(const struct config *cfg)
{
	struct statvfs v;
	return statvfs(cfg->db_dir, &v) == 0 ? (int64_t)(v.f_bavail * v.f_frsize) : INT64_MAX;
}

static bool ledger_full(const struct config *cfg)
{
	return ledger_room(cfg) < LEDGER_NEEDS;
}

/* It must not take what was just freed: twice its size has to be there. */
static void ballast_make(const struct config *cfg)
{
	char path[4096];
	struct stat st;
	int fd = -1, no = 0;
	if (stat(ballast_path(cfg, path), &st) == 0 && (int64_t)st.st_blocks * 512 >= BALLAST_BYTES)
		return;
	if (ledger_room(cfg) < 2 * BALLAST_BYTES)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	no = fd < 0 ? errno : posix_fallocate(fd, 0, BALLAST_BYTES);
	if (fd >= 0)
		close(fd);
	if (!no)
		return;
	unlink(path);
	log_event(LOG_WARN, "upload", "no ballast", "path", LS(path), "reason", LS(strerror(no)), NULL);
}

bool ballast_spend(const struct config *cfg)
{
	char path[4096];
	if (unlink(ballast_path(cfg, path)) == 0)
		log_event(LOG_WARN, "upload", "the disk is full, the ballast is spent", "path", LS(path), NULL);
	/* Another thread may have spent it just now. */
	return !ledger_full(cfg);
}

void ballast_open(const struct config *cfg)
{
	if (ledger_full(cfg))
		ballast_spend(cfg);
	else
		ballast_make(cfg);
}

enum err ballast_reap(struct house *h, int limit, bool scan, struct reap_count *count)
{
	enum err e = reap(h, limit, scan, count);
	/* What fails of single rows is only counted. */
	if ((e == ERR_NO_SPACE || (count->failed && ledger_full(h->cfg))) && ballast_spend(h->cfg))
		e = reap(h, limit, scan, count);
	ballast_make(h->cfg);
	return e;
}

enum err space_look(struct house *h, int64_t *looked, int64_t stored)
{
	if (*looked >= 0 && stored - *looked < SPACE_STEP)
		return ERR_OK;
	*looked = stored;
	return space_check(h, 0);
}
