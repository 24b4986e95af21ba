/* config_value.c - one setting's value: from text, to text, and freed; a function a type. */
#include <stdlib.h>
#include <string.h>

#include "base/config_table.h"
#include "base/json.h"
#include "base/num.h"

/* --- from text --- */

static bool no_controls(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

static bool set_text(const struct setting *s, struct config *c, const char *text)
{
	char **field = setting_field(s, c);

	if (!no_controls(text) || (s->check && !s->check(text)))
		return false;
	free(*field);
	*field = strdup(text);
	return *field != NULL;
}

static bool set_number(const struct setting *s, struct config *c, const char *text)
{
	bool (*read)(const char *, int64_t *) = s->type == S_SIZE ? num_size : num_i64;
	int64_t v;

	if (!read(text, &v) || v < s->min || v > s->max)
		return false;
	*(int64_t *)setting_field(s, c) = v;
	return true;
}

static bool set_word(const struct setting *s, struct config *c, const char *text)
{
	for (int i = 0; s->words[i]; i++) {
		if (text_eq_nocase(text, s->words[i])) {
			if (s->size == sizeof(int64_t))
				*(int64_t *)setting_field(s, c) = i;
			else
				*(unsigned *)setting_field(s, c) = (unsigned)i;
			return true;
		}
	}
	return false;
}

static void list_free(struct config_list *list)
{
	for (int i = 0; i < list->n; i++)
		free(list->v[i]);
	free(list->v);
	*list = (struct config_list){0};
}

static bool list_add(const struct setting *s, struct config_list *list, const char *item, size_t n)
{
	char *copy, **v;

	item = text_trim(item, &n);
	if (n == 0)
		return true;
	v = realloc(list->v, ((size_t)list->n + 2) * sizeof *v);
	if (!v)
		return false;
	list->v = v;
	copy = strndup(item, n);
	if (!copy)
		return false;
	v[list->n++] = copy;
	v[list->n] = NULL;
	list->any |= text_eq(copy, "*");
	return no_controls(copy) && (!s->check || s->check(copy));
}

static bool list_from_json(const struct setting *s, struct config_list *list, const char *text)
{
	struct json *j = json_parse(text, strlen(text));
	bool good = json_type(j) == JSON_ARRAY;

	for (size_t i = 0; good && i < json_len(j); i++) {
		const char *item = json_str(json_at(j, i));

		good = item && list_add(s, list, item, strlen(item));
	}
	json_free(j);
	return good;
}

static bool set_list(const struct setting *s, struct config *c, const char *text)
{
	struct config_list *field = setting_field(s, c), list = {.v = calloc(1, sizeof *list.v)};
	bool good = list.v != NULL;

	if (*text == '[') {
		good = good && list_from_json(s, &list, text);
	} else {
		for (const char *p = text, *end; good; p = end + 1) {
			end = strchrnul(p, ',');
			good = list_add(s, &list, p, (size_t)(end - p));
			if (!*end)
				break;
		}
	}
	list_free(good ? field : &list);
	if (good)
		*field = list;
	return good;
}

static bool set_bool(const struct setting *s, struct config *c, const char *text)
{
	return num_bool(text, setting_field(s, c));
}

static bool (*const setters[])(const struct setting *, struct config *, const char *) = {
	[S_TEXT] = set_text, [S_SIZE] = set_number, [S_NUM] = set_number, [S_BOOL] = set_bool, [S_WORD] = set_word, [S_LIST] = set_list,
};

bool setting_set(const struct setting *s, struct config *c, const char *text)
{
	return setters[s->type](s, c, text);
}

void setting_free(const struct setting *s, struct config *c)
{
	if (s->type == S_TEXT)
		free(*(char **)setting_field(s, c));
	else if (s->type == S_LIST)
		list_free(setting_field(s, c));
}

/* --- to text --- */

static void add_words(struct buf *b, const struct setting *s)
{
	for (int i = 0; s->words[i]; i++)
		buf_printf(b, "%s%s", i ? " or " : "", s->words[i]);
}

void setting_allowed(const struct setting *s, struct buf *b)
{
	switch (s->type) {
	case S_TEXT:
		buf_puts(b, s->rule ? s->rule : "text without control characters");
		break;
	case S_SIZE:
		buf_printf(b, "a number of bytes from %lld to %lld, also with K, M, G or T", (long long)s->min, (long long)s->max);
		break;
	case S_NUM:
		buf_printf(b, "a whole number from %lld to %lld", (long long)s->min, (long long)s->max);
		break;
	case S_BOOL:
		buf_puts(b, "true or false");
		break;
	case S_WORD:
		add_words(b, s);
		break;
	case S_LIST:
		buf_printf(b, "a JSON list or comma list of %s, or *", s->rule);
		break;
	}
}

void setting_value(const struct setting *s, const struct config *c, struct buf *b)
{
	const void *field = setting_field(s, c);
	const struct config_list *list = field;
	const char *text;

	switch (s->type) {
	case S_TEXT:
		text = *(char *const *)field;
		buf_puts(b, text ? text : "");
		break;
	case S_SIZE:
	case S_NUM:
		buf_printf(b, "%lld", (long long)*(const int64_t *)field);
		break;
	case S_BOOL:
		buf_puts(b, *(const bool *)field ? "true" : "false");
		break;
	case S_WORD:
		buf_puts(b, s->words[s->size == sizeof(int64_t) ? *(const int64_t *)field : (int64_t)*(const unsigned *)field]);
		break;
	case S_LIST:
		for (int i = 0; i < list->n; i++)
			buf_printf(b, "%s%s", i ? "," : "", list->v[i]);
		break;
	}
}
