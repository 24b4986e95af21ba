/* config.c - collects the text of every setting from the sources, turns it into values, and checks them against each other. */
#include "base/config.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/config_table.h"

#define FILE_MAX (1 << 20)
#define SETTINGS_MAX 128
#define INSECURE "default_insecure_key_for_dev"

/* The text of one setting, the name under which it was given, and where. NULL text: not given. */
struct given {
	char *text;
	char *as;
	const char *from;
};

struct load {
	struct config *c;
	char *const *env;
	const char *file;
	FILE *err;
	struct arena *arena;      /* texts live here until the values are made */
	struct given given[SETTINGS_MAX];
	int faults;
};

/* A fault is one line, whatever stands in the value. */
static void __attribute__((format(printf, 2, 3))) fault(struct load *l, const char *fmt, ...)
{
	va_list ap;
	char *line;

	va_start(ap, fmt);
	if (vasprintf(&line, fmt, ap) < 0)
		line = NULL;
	va_end(ap);
	for (char *p = line; p && *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	fprintf(l->err, "%s\n", line ? line : "Out of memory.");
	free(line);
	l->faults++;
}

static struct given *given_to(struct load *l, const struct setting *s)
{
	return &l->given[s - settings];
}

static void give(struct load *l, const struct setting *s, const char *text, const char *as, const char *from)
{
	*given_to(l, s) = (struct given){arena_strdup(l->arena, text), arena_strdup(l->arena, as), from};
}

/* --- the JSON file --- */

/* A JSON value as one would write it in the environment; NULL if it is of a kind that no setting has. */
static const char *json_as_text(struct load *l, const struct setting *s, const struct json *v)
{
	switch (json_type(v)) {
	case JSON_STRING: return json_str(v);
	case JSON_ARRAY:  return s->type == S_LIST ? json_text(v, l->arena) : NULL;
	case JSON_OBJECT: return NULL;
	default:          return json_text(v, l->arena);
	}
}

static void take_leaf(const char *path, const struct json *v, void *arg)
{
	struct load *l = arg;
	struct known k = known_key(path);
	const struct setting *s = k.s ? k.s : k.a && k.a->to ? setting_named(k.a->to) : NULL;
	const char *text;

	if (!k.s && !k.a) {
		fault(l, "%s: unknown key \"%s\".", l->file, path);
		return;
	}
	/* A setting's own name goes before its other ones and what is mapped to it, in whatever order they stand. */
	if (!s || json_type(v) == JSON_NULL || (given_to(l, s)->text && !text_eq_nocase(path, s->name)))
		return;
	text = json_as_text(l, s, v);
	if (!text)
		fault(l, "%s: the value of \"%s\" has the wrong type.", l->file, path);
	else if (*text)
		give(l, s, text, path, l->file);
}

static void read_json(struct load *l)
{
	char *text;
	struct json *root;

	l->file = config_env(l->env, "CONFIG_FILE", "");
	if (!l->file)
		return;
	text = config_slurp(l->file, FILE_MAX);
	if (!text) {
		fault(l, "CONFIG_FILE=%s: cannot be read: %s.", l->file, strerror(errno));
		return;
	}
	root = json_parse(text, strlen(text));
	if (json_type(root) == JSON_OBJECT)
		config_leaves(root, take_leaf, l);
	else
		fault(l, "CONFIG_FILE=%s: not a JSON object.", l->file);
	json_free(root);
	free(text);
}

/* --- the environment --- */

static void read_secret_file(struct load *l, const struct setting *s, const char *path)
{
	char *text = config_slurp(path, FILE_MAX), *as = arena_printf(l->arena, "%s_FILE", s->name);
	size_t n;

	if (!text) {
		fault(l, "%s=%s: cannot be read: %s.", as, path, strerror(errno));
		return;
	}
	n = strlen(text);
	if (n && text[n - 1] == '\n')
		text[n - 1] = 0;
	give(l, s, text, as, "environment");
	free(text);
}

static void read_variable(struct load *l, const struct setting *s)
{
	const char *own = config_env(l->env, s->name, ""), *file = config_env(l->env, s->name, "_FILE");
	const char *alias = s->alias ? config_env(l->env, s->alias, "") : NULL;

	if (own && file)
		fault(l, "%s and %s_FILE are both set; only one may be.", s->name, s->name);
	else if (own)
		give(l, s, own, s->name, "environment");
	else if (file)
		read_secret_file(l, s, file);
	else if (alias)
		give(l, s, alias, s->alias, "environment");
}

static void read_env(struct load *l)
{
	for (int i = 0; i < settings_n; i++)
		read_variable(l, &settings[i]);
	for (int i = 0; i < accepteds_n; i++) {
		const struct accepted *a = &accepteds[i];
		const char *v = a->to && a->name ? config_env(l->env, a->name, "") : NULL;
		const struct setting *s = v ? setting_named(a->to) : NULL;

		if (s && !given_to(l, s)->text)
			give(l, s, v, a->name, "environment");
	}
}

/* --- from text to value --- */

/* Only the ends of a value that is no free text may be cut: "1048576   # 1MB" is how environment files are written, and the
 * service manager hands the comment over. */
static const char *bare(struct load *l, const struct setting *s, const char *text)
{
	size_t n = strlen(text);

	if (s->type == S_TEXT)
		return text;
	for (size_t i = 1; i < n; i++)
		if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
			n = i;
	text = text_trim(text, &n);
	return arena_strndup(l->arena, text, n);
}

/* "$NAME/x" of a default: below what NAME was set to, which stands earlier in the table. */
static const char *expand(struct load *l, const char *def)
{
	const char *slash = strchrnul(def, '/');
	struct known k;

	if (*def != '$')
		return def;
	k = known_variable(def + 1, (size_t)(slash - def - 1));
	assert(k.s && k.s->type == S_TEXT);
	return arena_printf(l->arena, "%s%s", *(char **)setting_field(k.s, l->c), slash);
}

static void refuse(struct load *l, const struct setting *s, const struct given *g)
{
	struct buf must;

	buf_init(&must, 4096);
	setting_allowed(s, &must);
	if (s->secret)
		fault(l, "%s (%s): must be %s.", g->as, g->from, must.p);
	else
		fault(l, "%s=%s (%s): must be %s.", g->as, g->text, g->from, must.p);
	buf_free(&must);
}

static void set_all(struct load *l)
{
	for (int i = 0; i < settings_n; i++) {
		const struct setting *s = &settings[i];
		struct given *g = &l->given[i];
		const char *def = s->def ? expand(l, s->def) : NULL, *text = g->text ? bare(l, s, g->text) : NULL;

		/* The default first, so that what follows meets a sound value even if the given one is refused. */
		if (def && !setting_set(s, l->c, def) && !g->text) {
			give(l, s, def, s->name, "default");
			refuse(l, s, g);
		}
		if (text && !setting_set(s, l->c, text))
			refuse(l, s, g);
	}
}

/* --- settings against each other --- */

/* small may not pass big. If both were given, that is a fault; otherwise the default gives way. */
static const struct {
	const char *small, *big;
	bool zero_is_big;
} orders[] = {
	{"MAX_FILE_SIZE", "TUS_MAX_SIZE", true},
	{"MAX_UPLOAD_SIZE", "TUS_MAX_SIZE", true},
	{"MAX_CHUNK_SIZE", "TUS_MAX_SIZE", false},
	{"CHUNK_SIZE", "MAX_CHUNK_SIZE", false},
	{"TUS_CHUNK_SIZE", "TUS_MAX_SIZE", false},
	{"TUS_CHUNK_SIZE", "MAX_PATCH_SIZE", false},   /* 0 there is no bound */
};

static void order_sizes(struct load *l)
{
	for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
		const struct setting *a = setting_named(orders[i].small), *b = setting_named(orders[i].big);
		int64_t *small = setting_field(a, l->c), big = *(int64_t *)setting_field(b, l->c);

		if (*small == 0 && orders[i].zero_is_big)
			*small = big;
		if (big == 0 || *small <= big)
			continue;
		if (given_to(l, a)->text && given_to(l, b)->text)
			fault(l, "%s=%lld: must not be larger than %s=%lld.", a->name, (long long)*small, b->name, (long long)big);
		*small = big;
	}
}

static bool insecure_key(const struct config *c)
{
	const char *key = c->secret_key;

	return c->environment == ENV_PRODUCTION && (!key || strlen(key) < 16 || text_eq(key, INSECURE));
}

static bool shifted_clock(const struct config *c)
{
	return c->environment == ENV_PRODUCTION && c->test_clock_offset;
}

static bool no_free_thread(const struct config *c)
{
	return c->reserve_threads >= c->threads;
}

static bool two_hooks(const struct config *c)
{
	return c->hook_command && c->hook_url;
}

static const struct {
	bool (*wrong)(const struct config *);
	const char *sentence;
} rules[] = {
	{insecure_key, "SECRET_KEY: production needs a secret of your own of at least 16 characters."},
	{shifted_clock, "TEST_CLOCK_OFFSET: must not be set in production."},
	{two_hooks, "HOOK_COMMAND and HOOK_URL: only one of them may be set."},
	{no_free_thread, "RESERVE_THREADS: must be less than THREADS."},
};

static void check_together(struct load *l)
{
	struct config *c = l->c;

	if (!given_to(l, setting_named("FORCE_HTTPS"))->text)
		c->force_https = c->environment == ENV_PRODUCTION;
	if (!given_to(l, setting_named("LOW_WATER"))->text)
		c->low_water = 2 * c->min_free;
	if (c->low_water < c->min_free)
		c->low_water = c->min_free;
	if (!given_to(l, setting_named("RESERVE_THREADS"))->text && c->reserve_threads >= c->threads)
		c->reserve_threads = c->threads / 2;
	order_sizes(l);
	for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
		if (rules[i].wrong(c))
			fault(l, "%s", rules[i].sentence);
}

/* --- open and close --- */

struct config *config_load(char *const *env, FILE *err)
{
	struct load l = {.env = env, .err = err, .arena = arena_open(16 * FILE_MAX), .c = calloc(1, sizeof *l.c)};
	struct config *c = l.c;

	assert(settings_n <= SETTINGS_MAX);
	if (l.arena && c) {
		read_json(&l);
		read_env(&l);
		set_all(&l);
		check_together(&l);
	} else {
		fault(&l, "Out of memory.");
	}
	arena_close(l.arena);
	if (l.faults == 0)
		return c;
	config_free(c);
	return NULL;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (int i = 0; i < settings_n; i++)
		setting_free(&settings[i], c);
	free(c);
}
