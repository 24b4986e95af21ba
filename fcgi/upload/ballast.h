/*
 * ballast.h - room for removing: on a full disk a DELETE needs a few pages of the ledger's journal before it can free anything.
 */
#ifndef UPLOAD_BALLAST_H
#define UPLOAD_BALLAST_H

#include <stdbool.h>

#include "base/config.h"
#include "upload/upload.h"

#define BALLAST_BYTES (1 << 20)

/* Before the ledger is opened, its folder being there: makes the ballast; on a full disk spends it instead, because opening needs room, too. */
void ballast_open(const struct config *cfg);
/* Something that removes failed with ERR_NO_SPACE: gives the ballast back. true: there may be room now, try again. */
bool ballast_spend(const struct config *cfg);
/* reap, which removes: a second time on the ballast if the disk was full. Makes the ballast anew if it can be spared. */
enum err ballast_reap(struct house *h, int limit, bool scan, struct reap_count *count);

#endif
