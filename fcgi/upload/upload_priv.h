/*
 * upload_priv.h - what the files of the workshop share.
 */
#ifndef UPLOAD_PRIV_H
#define UPLOAD_PRIV_H

#include "upload/upload.h"

/* Pouring a body into a part file: the one loop that moves bytes. */
struct pour {
	struct house *h;
	int fd;
	int64_t at;                 /* position of the first byte */
	int64_t room;               /* bytes that may be stored */
	struct source *body;
	struct hold *hold;          /* NULL: nobody may want it */
	bool reserved;              /* there is room on the disk for all of it, whatever others do */
	size_t buffer;              /* bytes of the largest read */
	int64_t row_offset;         /* the row's offset now: a newcomer who goes on from there wants nothing more published */
	/* Called after a sync when `stored` bytes are durable and ought to be published. NULL: never. */
	enum err (*publish)(void *arg, int64_t stored);
	void *arg;
	struct digest_check *check; /* takes what is written; NULL: none */
};
struct poured {
	int64_t stored;             /* bytes written and synced */
	bool cut;                   /* the source broke off, or gave less than it announced */
	bool proven;                /* its end is proven to be the true end */
	bool over;                  /* there was more than room */
	bool displaced;             /* somebody wants it */
	bool leave_row;             /* ... and goes on from where the row stands: do not move it */
	enum err err;               /* of writing, syncing or publishing; stored is right all the same */
};
void pour_body(const struct pour *p, struct poured *out);

/* Numbers of part files. */
struct file_list {
	int64_t *v;
	int n, cap;
};
/* Bytes that an upload of this length needs are there, beside the reserve. length may be unknown (0 is asked for). */
enum err space_check(struct house *h, int64_t length);
/* The same for what begins: it also needs LOW_WATER. */
enum err space_begin(struct house *h, int64_t length);
/* While bytes come: looks at the free space when SPACE_STEP came since *looked (begin with SPACE_UNSEEN). ERR_NO_SPACE: the reserve has been touched, so
 * each running body takes at most a step of it. */
#define SPACE_STEP (1 << 20)
#define SPACE_UNSEEN (-1)
enum err space_look(struct house *h, int64_t *looked, int64_t stored);
/* Opens the bytes of a complete chunk, wherever its take's file is now. */
enum err chunk_open(struct house *h, const struct session *s, const struct chunk *c, int *fd);
/* Completes an unfinished chunk row that the caller holds and whose bytes are all durable: compares with a complete one, sets the bit, removes what nothing names any more. */
enum err chunk_complete(struct house *h, struct arena *a, const struct upload *u, int64_t length, int64_t *finish_session, bool *equal);
/* store_chunk_reserve in a loop: takes the hold of an unfinished row, reopens a finished take. *hold: of out->u (the caller drops it). */
enum err chunk_reserve(struct house *h, struct arena *a, const struct chunk_cmd *cmd, int64_t spool, bool full, struct source *body,
	struct chunk_reserved *out, struct hold **hold);
/* A number for a part file that is made before a row names it. Until one does, the hold keeps off whoever removes files without rows, however old the file
 * looks (clocks jump, and processes stop for hours). NULL on errors. */
enum err file_take(struct house *h, int64_t *file, struct hold **hold);
/* blob_publish, also of a file to which nothing was ever written. */
enum err part_publish(struct house *h, int64_t file, int64_t size, bool keep, const char *sid, const char *disk);
/* Disk name of the finished file of a whole upload. From the arena; NULL when memory is out. */
const char *upload_disk(struct arena *a, const struct upload *u);
/* An OPEN final upload takes the bytes of its parts if all are there, and is finished; it is GONE when one is lost. Waits a moment for somebody who is at it. */
enum err final_join(struct house *h, struct arena *a, int64_t n);
/* final_join for all that name this part. */
enum err part_finals_join(struct house *h, struct arena *a, int64_t part);
/* A due final one lives on while none of its parts is lost; *due: one is. */
enum err final_is_due(struct house *h, const struct upload *u, bool *due);
/* Removes the part file of an upload that needs it no more, unless another row does. */
enum err upload_file_drop(struct house *h, const struct upload *u);
/* Part files that are kept for a final upload alone, of parts that were deleted meanwhile; final_kept_drop frees the list, and removes those that no row needs now. */
enum err final_kept_files(struct house *h, int64_t final, struct file_list *kept);
void final_kept_drop(struct house *h, struct file_list *kept, bool remove);
/* Any state but GONE -> GONE, and all that it had on the disk; the caller holds u->n. *u becomes the row as it was. Errors of store_upload_gone. */
enum err upload_gone_held(struct house *h, struct arena *a, struct upload *u, bool only_expired);
/* Publishes a FINISHING whole upload; the caller holds it. sha256: of its bytes, NULL if not known. */
enum err upload_finish_held(struct house *h, struct arena *a, const struct upload *u, const char *sha256);
/* Files of this length get their digest before they are finished: it then needs no further commit. */
bool digest_is_cheap(const struct house *h, int64_t length);
/* What a creation wants of the whole, as text for its row; false: nothing. */
#define WHOLE_PROMISE (DIGEST_WANTS_TEXT + 16)
bool whole_promise(const struct create_cmd *cmd, char out[WHOLE_PROMISE]);
/* Reads the bytes of an upload that are about to be complete, if they must have something (u->repr; ERR_CHECKSUM), or are to be told of. tell (maybe NULL): what to tell
 * unless u->repr says what. told->alg is NULL if nothing is told. *sha256: of them, 64 hex digits, or NULL if that is neither wanted nor to be had. ERR_STOPPING. */
enum err whole_check(struct house *h, struct arena *a, const struct upload *u, int64_t length, const struct digest_alg *tell, struct digest_want *told,
	const char **sha256);
/* Another display name (and metadata, NULL: keep) for the finished recording of s: new link, row, old link; under the session's hold. */
enum err recording_rename(struct house *h, struct arena *a, const struct session *s, const char *name, const char *meta, struct recording *out);
/* Brings all bytes of a FINISHING session into one part file: parked chunks into their places, or everything into a new file. s follows. */
enum err session_join(struct house *h, struct session *s);
/* Copies complete chunks [first, last] one after the other into part file `file` (made here), synced. *size: bytes. */
enum err chunks_copy(struct house *h, const struct session *s, int64_t first, int64_t last, int64_t file, int64_t *size);
/* Whether open file fd begins with the bytes of complete chunks [first, last]. */
enum err chunks_equal(struct house *h, const struct session *s, int64_t first, int64_t last, int fd, bool *equal);
/* Completes an OPEN row that has all its bytes (a process died between the two); another row: success. Takes the hold without waiting: ERR_LOCKED. */
enum err upload_end_full(struct house *h, struct arena *a, int64_t n, struct append_out *out);
/* Removes a finished file whose name is in the trash, and its note; of another name nothing. */
enum err finished_remove(struct house *h, const char *sid, const char *disk);
/* Keeps the finished file of this name, if there is one, from being removed. Waits for nobody: ERR_LOCKED. */
enum err finished_hold(struct house *h, const char *sid, const char *disk, struct hold **hold);
/* For who makes a file under a name that nobody has, before its row: nobody gets the name meanwhile. ERR_CONFLICT: it is somebody's, or on its way out; *claim is
 * NULL then. unused: a file that no row names, left by people or by an older ledger, keeps its name; else it is replaced. finished_settle ends it: if no row has got
 * the name, its file goes. */
enum err finished_claim(struct house *h, const char *sid, const char *disk, bool unused, struct hold **claim);
void finished_settle(struct house *h, const char *sid, const char *disk, struct hold *claim);
/* Removes what the file of a recording has behind its bytes, if its name is its own still. Nobody may be writing there. */
void finished_cut(struct house *h, struct arena *a, const struct recording *r);
/* Writes <file>.meta.json: the seven keys of the original, and ours. s NULL: of a whole upload. */
enum err note_write(struct house *h, const struct recording *r, const struct session *s);
/* The first half: it needs room, and nobody sees it yet. blob_note_end or blob_note_drop ends it. */
enum err note_begin(struct house *h, const struct recording *r, const struct session *s);
/* session_finish; the caller has HOLD_SESSION(n). */
enum err session_finish_held(struct house *h, struct arena *a, int64_t n);
/* After finishing: runs now if it is a rename, else names the row for later. */
void session_finish_soon(struct house *h, int64_t n, bool quick, int64_t *later);
/* Waits for the one who finishes session row n. ERR_LOCKED: it lasts. */
enum err session_wait(struct house *h, int64_t n);
/* The same, and does what he has left. */
enum err session_await(struct house *h, struct arena *a, int64_t n, bool *long_work);
/* Whether finishing s is a rename. */
bool session_is_quick(const struct house *h, const struct session *s);
/* Whether the new file of a recording that is finished anew has its name already, and its row still speaks of the old one. */
enum err session_overtakes(struct house *h, struct arena *a, const struct session *s, bool *yes);
/* Removes all part files of a session row but `keep` after the rows are gone; collected before. */
enum err file_list_session(struct house *h, int64_t session, struct file_list *l);
void file_list_add(struct file_list *l, int64_t file);
void file_list_remove(struct house *h, struct file_list *l);
/* Keeps all writers of the session's unfinished chunks out until writers_release; cuts the present ones, or (ask false) gives up with ERR_LOCKED. */
struct writers {
	struct hold **v;
	int n;
};
enum err writers_stop(struct house *h, int64_t session, bool ask, struct writers *w);
void writers_release(struct writers *w);

#endif
