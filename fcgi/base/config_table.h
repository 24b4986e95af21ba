/*
 * config_table.h - the rows behind config.h; for the config files only.
 */
#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "base/text.h"

enum setting_type { S_TEXT, S_SIZE, S_NUM, S_BOOL, S_WORD, S_LIST };

struct setting {
	const char *name, *alias;
	const char *json;             /* path in the JSON file besides the flat name, "auth.jwt.secret_key" */
	enum setting_type type;
	size_t at, size;              /* the field in struct config */
	const char *def;              /* as one would write it; "$NAME/x" is below another setting; NULL: not set */
	int64_t min, max;             /* S_SIZE, S_NUM */
	const char *const *words;     /* S_WORD: the place in the list is the value */
	bool (*check)(const char *);  /* S_TEXT, and each item of S_LIST */
	const char *rule;             /* what check demands, in words */
	const char *unit, *help;
	const char *idle;             /* why it is read and has no effect; NULL if it has one */
	bool secret;
};

extern const struct setting settings[];
extern const int settings_n;

/* Variables of other installations that load as they are: mapped to a setting that is not set itself, or without effect. */
struct accepted {
	const char *name;             /* variable, NULL if only in the JSON file */
	const char *json;             /* path in the JSON file, NULL if only the flat name */
	const char *to;               /* setting */
	const char *why;              /* why it has no effect */
};

extern const struct accepted accepteds[];
extern const int accepteds_n;

/* Both NULL: not known. */
struct known {
	const struct setting *s;
	const struct accepted *a;
};
struct known known_variable(const char *name, size_t n);
/* By path, or by a variable's name in any case. */
struct known known_key(const char *path);
/* Some path goes on below this one. */
bool known_group(const char *path);
const struct setting *setting_named(const char *name);

/* Makes the field's value of text; false, and the field as before, if it may not be (or memory is out). */
bool setting_set(const struct setting *s, struct config *c, const char *text);
void setting_free(const struct setting *s, struct config *c);
/* Adds what may be written: "a whole number from 1 to 65535". */
void setting_allowed(const struct setting *s, struct buf *b);
/* Adds the value that c holds, as one would write it; nothing if it is not set. */
void setting_value(const struct setting *s, const struct config *c, struct buf *b);
static inline void *setting_field(const struct setting *s, const struct config *c)
{
	return (char *)c + s->at;
}

/* Value of a variable in a NULL-terminated "NAME=VALUE" list; suffix is added to the name. NULL if absent or empty: empty
 * is how container files write "not set". */
const char *config_env(char *const *env, const char *name, const char *suffix);
/* Whole file as text, NULL with errno; free it. */
char *config_slurp(const char *path, size_t max);
/* Calls f for each value of a JSON file that is not an object, and for each object that known_group does not know. */
struct json;
void config_leaves(const struct json *root, void (*f)(const char *path, const struct json *v, void *arg), void *arg);

#endif
