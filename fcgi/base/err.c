/* err.c - the error table's three columns, and the border for errno. */
#include "base/err.h"

#include <errno.h>

struct row {
	int status;
	const char *code, *sentence;
};

#define ERR_ROW(name, status, code, sentence) [name] = {status, code, sentence},
static const struct row rows[ERR__MAX] = {ERR_TABLE(ERR_ROW)};
#undef ERR_ROW

/* A number from outside the list can only be a mistake of ours; the client then sees an internal error, not a crash. */
static const struct row *row_of(enum err e)
{
	return &rows[(unsigned)e < ERR__MAX ? e : ERR_INTERNAL];
}

int err_status(enum err e)
{
	return row_of(e)->status;
}

const char *err_code(enum err e)
{
	return row_of(e)->code;
}

const char *err_sentence(enum err e)
{
	return row_of(e)->sentence;
}

enum err err_from_errno(int no)
{
	switch (no) {
	case 0:      return ERR_OK;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:  return ERR_NO_SPACE;
	case ENOENT: return ERR_NOT_FOUND;
	case EMFILE:
	case ENFILE: return ERR_BUSY;
	case ENOMEM: return ERR_NOMEM;
	default:     return ERR_INTERNAL;
	}
}
