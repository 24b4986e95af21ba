/*
 * orphan.c - part files that no row names, and their copies: those that are just being made, and those whose maker died.
 */
#include "upload/upload_priv.h"

enum err file_take(struct house *h, int64_t *file, struct hold **hold)
{
	*hold = NULL;
	enum err e = store_file_next(h->db, file);
	return e ? e : hold_take(h->holds, HOLD_FILE(*file), NULL, HOLD_NO_OFFSET, false, 0, hold, NULL);
}

enum err file_remove_orphan(struct house *h, int64_t file, const char *copy_of, bool *removed)
{
	struct hold *hold;
	bool known = true;
	*removed = false;
	enum err e = hold_take(h->holds, HOLD_FILE(file), NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL);
	if (e)
		return e == ERR_LOCKED ? ERR_OK : e;
	/* Asked under the hold: its maker may have given it a row and let go since. */
	e = store_file_known(h->db, file, &known);
	if (!e && !known)
		e = copy_of ? blob_copy_remove(h->blobs, file, copy_of) : blob_remove(h->blobs, file);
	*removed = !e && !known;
	hold_drop(hold);
	return e;
}
