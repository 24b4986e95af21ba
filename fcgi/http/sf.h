/*
 * sf.h - Structured Field Values for HTTP (RFC 9651), as far as we read any. Pure.
 *
 * A field that is malformed anywhere is ignored as a whole (4.2), which is why these say no more than "not that". A field that came in several lines is
 * joined with ", " by whoever has the lines (4.2): an Item does not survive that, a Dictionary does.
 */
#ifndef HTTP_SF_H
#define HTTP_SF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An Item that is an Integer (3.3.1; at most 15 digits) or a Boolean (3.3.6). Parameters are allowed and mean nothing. text may be NULL.
 * false: anything else; *out stays. */
bool sf_integer(const char *text, int64_t *out);
bool sf_boolean(const char *text, bool *out);

enum sf_type { SF_INTEGER, SF_DECIMAL, SF_STRING, SF_TOKEN, SF_BYTES, SF_BOOLEAN, SF_DATE, SF_DISPLAY, SF_LIST };
/* A member of a Dictionary (3.2). key and raw lie in the field and are not terminated. */
struct sf_member {
	const char *key;
	size_t key_n;
	enum sf_type type;
	int64_t integer;             /* INTEGER, DATE */
	bool boolean;                /* BOOLEAN; a member without a value is true */
	const char *raw;             /* the value as written; of BYTES the Base64 between the colons (RFC 4648 4, padded) */
	size_t raw_n;
};
/* The members one by one, in order; *p is the field at first and moves on. 1: one more; 0: none left; -1: malformed, and so are those told before. */
int sf_dict_next(const char **p, struct sf_member *out);
/* The member of this key, the last one if it is there several times (4.2.2). 1: found; 0: not there; -1: the field is malformed. */
int sf_dict_get(const char *text, const char *key, struct sf_member *out);
bool sf_key_is(const struct sf_member *m, const char *key);

#endif
