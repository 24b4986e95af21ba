/*
 * blob_note.c - the notes beside finished files: in two steps, of which only the first needs room.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "blob/blob.h"
#include "blob/blob_priv.h"

static void note_temp(char temp[NAME_MAX + 1], const char *disk)
{
	blob_name_join(temp, ".", disk, BLOB_NOTE_NEW_SUFFIX);
}

static enum err note_new(int folder, const char *disk, const char *text)
{
	char temp[NAME_MAX + 1];
	note_temp(temp, disk);
	if (unlinkat(folder, temp, 0) < 0 && errno != ENOENT)
		return blob_fail("removing an old note", errno);
	int fd = blob_openat(folder, temp, O_RDWR | O_CREAT);
	if (fd < 0)
		return errno == ENOENT ? ERR_AGAIN : blob_fail("making a note", errno);
	size_t written;
	enum err e = blob_write(fd, text, strlen(text), 0, &written);
	if (!e)
		e = blob_sync(fd);
	close(fd);
	if (e)
		unlinkat(folder, temp, 0);
	return e;
}

static enum err note_named(int folder, const char *disk)
{
	char name[NAME_MAX + 1], temp[NAME_MAX + 1];
	blob_name_join(name, "", disk, BLOB_NOTE_SUFFIX);
	note_temp(temp, disk);
	enum err e = renameat(folder, temp, folder, name) < 0 ? blob_fail("renaming a note", errno) : ERR_OK;
	if (e)
		unlinkat(folder, temp, 0);
	return e ? e : blob_dir_sync(folder);
}

enum err blob_note_begin(struct blobs *b, const char *sid, const char *disk, const char *text)
{
	blob_name_check(disk);
	enum err e = ERR_AGAIN;
	for (int i = 0; i < FOLDER_TRIES && e == ERR_AGAIN; i++) {
		int folder = blob_completed(b, sid, true);
		if (folder < 0) {
			e = errno == ENOENT ? ERR_AGAIN : blob_fail("opening a session's folder", errno);
			continue;
		}
		e = note_new(folder, disk, text);
		close(folder);
	}
	return e;
}

enum err blob_note_end(struct blobs *b, const char *sid, const char *disk)
{
	blob_name_check(disk);
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return blob_fail("opening a session's folder", errno);
	enum err e = note_named(folder, disk);
	close(folder);
	return e;
}

enum err blob_note(struct blobs *b, const char *sid, const char *disk, const char *text)
{
	enum err e = blob_note_begin(b, sid, disk, text);
	return e ? e : blob_note_end(b, sid, disk);
}

void blob_note_drop(struct blobs *b, const char *sid, const char *disk)
{
	char temp[NAME_MAX + 1];
	blob_name_check(disk);
	note_temp(temp, disk);
	int folder = blob_completed(b, sid, false);
	if (folder < 0)
		return;
	if (unlinkat(folder, temp, 0) < 0 && errno != ENOENT)
		blob_fail("removing a new note", errno);
	close(folder);
}
