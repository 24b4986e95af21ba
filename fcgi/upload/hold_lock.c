/*
 * hold_lock.c - the 64 lock files: who of several processes holds a key.
 *
 * One descriptor a file and process: OFD locks belong to the open file, so a second descriptor would be in conflict with the first.
 * The files are never unlinked: a waiter might hold a lock on a file that has no name any more. Their number is fixed because the
 * kernel searches a file's locks one after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "upload/hold_priv.h"

static enum err lock_fail(const char *what, int no)
{
	enum err e = err_from_errno(no);
	log_event(LOG_ERROR, "hold", what, "errno", LI(no), "reason", LS(strerror(no)), NULL);
	return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
}

static enum err lock_file(struct holds *h, int64_t key)
{
	char name[8];
	unsigned i = HOLD_SLOT(key);
	if (h->lock_fd[i] >= 0)
		return ERR_OK;
	snprintf(name, sizeof name, "%02x", i);
	h->lock_fd[i] = openat(h->locks, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	return h->lock_fd[i] < 0 ? lock_fail("opening a lock file", errno) : ERR_OK;
}

enum err hold_lock_open(struct holds *h, int run, bool all)
{
	if (mkdirat(run, "locks", 0750) < 0 && errno != EEXIST)
		return lock_fail("making the folder of the lock files", errno);
	h->locks = openat(run, "locks", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (h->locks < 0)
		return lock_fail("opening the folder of the lock files", errno);
	enum err e = ERR_OK;
	for (int i = 0; all && !e && i < HOLD_FILES; i++)
		e = lock_file(h, i);
	return e;
}

void hold_lock_close(struct holds *h)
{
	for (int i = 0; i < HOLD_FILES; i++)
		if (h->lock_fd[i] >= 0)
			close(h->lock_fd[i]);
	if (h->locks >= 0)
		close(h->locks);
}

static int lock_call(struct holds *h, int64_t key, int command, struct flock *l, short type)
{
	*l = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = key, .l_len = 1};
	return fcntl(h->lock_fd[HOLD_SLOT(key)], command, l);
}

enum err hold_lock_try(struct holds *h, int64_t key)
{
	struct flock l;
	enum err e = lock_file(h, key);
	if (e || lock_call(h, key, F_OFD_SETLK, &l, F_WRLCK) == 0)
		return e;
	return errno == EAGAIN || errno == EACCES ? ERR_LOCKED : lock_fail("locking", errno);
}

void hold_lock_free(struct holds *h, int64_t key)
{
	struct flock l;
	if (lock_call(h, key, F_OFD_SETLK, &l, F_UNLCK) < 0)
		lock_fail("unlocking", errno);
}

bool hold_lock_foreign(struct holds *h, int64_t key)
{
	struct flock l;
	return lock_file(h, key) == ERR_OK && lock_call(h, key, F_OFD_GETLK, &l, F_WRLCK) == 0 && l.l_type != F_UNLCK;
}
