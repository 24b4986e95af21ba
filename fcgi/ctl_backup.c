/*
 * ctl_backup.c - tusctl backup and restore: the ledger of one moment and the files that it speaks of, and back.
 *
 * A backup is laid out like a data folder. Its manifest comes last: a folder without one is no backup. So is a restored ledger's name, so that
 * no server starts on half a world.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/text.h"
#include "base/version.h"
#include "ctl.h"
#include "upload/clone.h"

#define FORMAT 1
#define TRIES 3                 /* rows are copied anew if chunks were replaced meanwhile */
#define MANIFEST "backup.json"
#define MANIFEST_MAX 65536

/* ---- paths ---- */

static int fail_path(const char *path, const char *why)
{
	fprintf(stderr, "tusctl: %s: %s\n", path, why);
	return CTL_FAILED;
}

static const char *under(struct ctl *c, const char *dir, const char *name)
{
	const char *p = arena_printf(c->a, "%s/%s", dir, name);
	return p ? p : "";
}

/* With its parents. */
static bool make_folder(const char *path)
{
	char part[4096];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return false;
	for (char *p = part + 1; *p; p++)
		if (*p == '/') {
			*p = '\0';
			if (mkdir(part, 0750) && errno != EEXIST)
				return false;
			*p = '/';
		}
	return mkdir(part, 0750) == 0 || errno == EEXIST;
}

/* Nothing is in it, or it is not there. */
static bool is_empty(const char *path)
{
	DIR *d = opendir(path);
	bool empty = d || errno == ENOENT;
	for (struct dirent *e; d && empty && (e = readdir(d));)
		empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
	if (d)
		closedir(d);
	return empty;
}

static bool sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

/* ---- the ledger's copy ---- */

static enum err digest_file(const char *path, char hex[2 * DIGEST_SHA256_LEN + 1], int64_t *size)
{
	unsigned char sum[DIGEST_SHA256_LEN];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *p = fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
	if (fd >= 0)
		close(fd);
	if (p == MAP_FAILED)
		return ERR_NOT_FOUND;
	digest_sha256(p, (size_t)st.st_size, sum);
	munmap(p, (size_t)st.st_size);
	text_hex(sum, sizeof sum, hex);
	*size = st.st_size;
	return ERR_OK;
}

/* Copies bytes of the rows in db_dir/tus.db from h to two folders. */
static enum err clone_to(struct house *h, const char *db_dir, const char *parts, const char *done, struct clone_count *count)
{
	struct store_options so = {.dir = db_dir, .full = true, .readers = 1};
	struct store *rows = NULL;
	struct blobs *to = NULL;
	enum err e = store_open(&so, &rows);
	if (!e)
		e = blobs_open(parts, done, &to);
	if (!e)
		e = clone_files(h, rows, to, count);
	blobs_close(to);
	store_close(rows);
	return e;
}

/* ---- backup ---- */

static struct json *manifest_of(const struct clone_count *n, int64_t began, const char *hex, int64_t size)
{
	struct json *o = json_obj();
	json_put_int(o, "format", FORMAT);
	json_put_str(o, "version", TUS_FCGI_VERSION);
	ctl_put_time(o, "as_of", began);
	ctl_put_time(o, "ended", clock_now());
	json_put_int(o, "sessions", n->sessions);
	json_put_int(o, "uploads", n->uploads);
	json_put_int(o, "recordings", n->recordings);
	json_put_int(o, "part_bytes", n->part_bytes);
	json_put_int(o, "finished_bytes", n->done_bytes);
	json_put_int(o, "vanished", n->vanished);
	json_put_int(o, "damaged", n->damaged);
	json_put_int(o, "database_bytes", size);
	json_put_str(o, "database_sha256", hex);
	return o;
}

static bool manifest_write(struct ctl *c, const char *dir, const struct json *o)
{
	const char *temp = under(c, dir, "." MANIFEST ".new"), *path = under(c, dir, MANIFEST), *text = json_text(o, c->a);
	int fd = text ? open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640) : -1;
	bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok && rename(temp, path) == 0 && sync_folder(dir);
}

static enum err backup_once(struct ctl *c, const char *dir, struct clone_count *n, int64_t *began)
{
	const char *db_dir = under(c, dir, "tus_sessions");
	*began = clock_now();
	enum err e = store_snapshot(c->house->db, under(c, db_dir, "tus.db"));
	return e ? e : clone_to(c->house, db_dir, under(c, dir, "tus_uploads"), under(c, dir, "uploaded_data"), n);
}

int ctl_backup(struct ctl *c)
{
	struct clone_count n = {0};
	char hex[2 * DIGEST_SHA256_LEN + 1];
	int64_t size, began = 0;
	enum err e = ERR_AGAIN;
	if (c->argc != 1)
		return CTL_USAGE;
	const char *dir = c->argv[0];
	if (!is_empty(dir))
		return fail_path(dir, "a backup needs a folder of its own, which is empty");
	if (!make_folder(under(c, dir, "tus_sessions")))
		return fail_path(dir, strerror(errno));
	for (int i = 0; i < TRIES && e == ERR_AGAIN; i++)
		e = backup_once(c, dir, &n, &began);
	if (e == ERR_AGAIN)
		return fail_path(dir, "no backup: bytes were replaced while they were copied, each time; try again with another folder");
	if (!e)
		e = digest_file(under(c, dir, "tus_sessions/tus.db"), hex, &size);
	if (e)
		return ctl_fail("backup", e);
	struct json *o = manifest_of(&n, began, hex, size);
	if (!sync_folder(under(c, dir, "tus_sessions")) || !manifest_write(c, dir, o)) {
		json_free(o);
		return fail_path(dir, "the manifest could not be written");
	}
	ctl_object(c, o);
	return n.damaged ? CTL_FAILED : CTL_OK;
}

/* ---- restore ---- */

static struct json *manifest_read(struct ctl *c, const char *dir)
{
	char *text = arena_alloc(c->a, MANIFEST_MAX);
	int fd = open(under(c, dir, MANIFEST), O_RDONLY | O_CLOEXEC);
	ssize_t n = text && fd >= 0 ? read(fd, text, MANIFEST_MAX) : -1;
	if (fd >= 0)
		close(fd);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	return n > 0 ? json_parse(text, (size_t)n) : NULL;
}

static int64_t number_of(const struct json *o, const char *key)
{
	int64_t n = -1;
	json_int(json_get(o, key), &n);
	return n;
}

/* NULL: it is what its manifest says. */
static const char *fault_of(struct ctl *c, const char *dir, const struct json *o)
{
	char hex[2 * DIGEST_SHA256_LEN + 1];
	int64_t size;
	if (!o)
		return "this is no complete backup: it has no " MANIFEST;
	if (number_of(o, "format") != FORMAT)
		return "this program does not know backups of this format";
	if (digest_file(under(c, dir, "tus_sessions/tus.db"), hex, &size) || !text_eq(hex, json_str(json_get(o, "database_sha256"))))
		return "its database is not the one that was backed up";
	return NULL;
}

static const char *occupied(const struct config *cfg)
{
	const char *const dirs[] = {cfg->db_dir, cfg->parts_dir, cfg->done_dir};
	for (size_t i = 0; i < sizeof dirs / sizeof *dirs; i++)
		if (!is_empty(dirs[i]))
			return dirs[i];
	return NULL;
}

/* By the same call as other bytes; the folder has no other use for it. */
static enum err copy_ledger(const char *from, const char *to)
{
	int64_t size = 0, copied;
	int in = open(from, O_RDONLY | O_CLOEXEC), out = open(to, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	enum err e = in < 0 || out < 0 ? err_from_errno(errno) : blob_fd_size(in, &size);
	if (!e)
		e = blob_copy(in, 0, out, 0, size, &copied);
	if (!e)
		e = blob_sync(out);
	blob_close(in);
	blob_close(out);
	return e;
}

/* The ledger gets its name when everything that it speaks of is there. */
static enum err restore_files(struct ctl *c, const char *dir, struct clone_count *n)
{
	const struct config *cfg = c->cfg;
	struct house from = {.cfg = cfg};
	const char *temp = under(c, cfg->db_dir, "restoring");
	if (!make_folder(temp))
		return err_from_errno(errno);
	enum err e = copy_ledger(under(c, dir, "tus_sessions/tus.db"), under(c, temp, "tus.db"));
	if (!e)
		e = blobs_open(under(c, dir, "tus_uploads"), under(c, dir, "uploaded_data"), &from.blobs);
	if (!e)
		e = clone_to(&from, temp, cfg->parts_dir, cfg->done_dir, n);
	blobs_close(from.blobs);
	if (!e && rename(under(c, temp, "tus.db"), under(c, cfg->db_dir, "tus.db")) < 0)
		e = err_from_errno(errno);
	if (e)
		return e;
	unlink(under(c, temp, "meta.lock"));
	unlink(under(c, temp, "init.lock"));
	rmdir(temp);
	return sync_folder(cfg->db_dir) ? ERR_OK : ERR_INTERNAL;
}

int ctl_restore(struct ctl *c)
{
	struct clone_count n = {0};
	if (c->argc != 1)
		return CTL_USAGE;
	const char *dir = c->argv[0], *full = occupied(c->cfg);
	struct json *o = manifest_read(c, dir);
	const char *why = fault_of(c, dir, o);
	int64_t parts = number_of(o, "part_bytes"), done = number_of(o, "finished_bytes"), damaged = number_of(o, "damaged");
	json_free(o);
	if (why)
		return fail_path(dir, why);
	if (full)
		return fail_path(full, "not empty, and nothing is overwritten");
	enum err e = restore_files(c, dir, &n);
	if (e)
		return ctl_fail("restore", e);
	o = json_obj();
	json_put_int(o, "sessions", n.sessions);
	json_put_int(o, "uploads", n.uploads);
	json_put_int(o, "recordings", n.recordings);
	json_put_int(o, "part_bytes", n.part_bytes);
	json_put_int(o, "finished_bytes", n.done_bytes);
	json_put_int(o, "damaged", n.damaged);
	ctl_object(c, o);
	/* Rows that vanished while the backup was made took copied bytes with them: there may be fewer, never other ones. */
	return n.damaged > damaged || n.part_bytes > parts || n.done_bytes > done ? fail_path(dir, "bytes are missing in this backup") : CTL_OK;
}
