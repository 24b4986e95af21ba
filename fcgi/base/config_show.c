/* config_show.c - the settings told: values, what became of each variable, the manual; and the sources' small readers. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/config_table.h"

/* --- small readers --- */

const char *config_env(char *const *env, const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	for (; env && *env; env++) {
		const char *e = *env;

		if (strncmp(e, name, n) == 0 && strncmp(e + n, suffix, m) == 0 && e[n + m] == '=')
			return e[n + m + 1] ? e + n + m + 1 : NULL;
	}
	return NULL;
}

char *config_slurp(const char *path, size_t max)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), no;
	char *text = fd >= 0 ? malloc(max + 1) : NULL, *fit;
	size_t n = 0;
	ssize_t got = -1;

	if (text) {
		while (n < max && (got = read(fd, text + n, max - n)) > 0)
			n += (size_t)got;
		if (n == max) {
			got = -1;
			errno = EFBIG;
		}
	}
	no = errno;
	if (fd >= 0)
		close(fd);
	if (got < 0) {
		free(text);
		errno = no;
		return NULL;
	}
	text[n] = 0;
	fit = realloc(text, n + 1);
	return fit ? fit : text;
}

struct walk {
	const char *path;
	void (*f)(const char *, const struct json *, void *);
	void *arg;
};

static bool walk(const char *key, const struct json *v, void *arg)
{
	struct walk *w = arg, in = *w;
	struct buf path;

	buf_init(&path, 1024);
	buf_printf(&path, "%s%s%s", w->path, *w->path ? "." : "", key);
	in.path = path.failed ? key : path.p;
	if (json_type(v) == JSON_OBJECT && known_group(in.path))
		json_each(v, walk, &in);
	else
		w->f(in.path, v, w->arg);
	buf_free(&path);
	return true;
}

void config_leaves(const struct json *root, void (*f)(const char *, const struct json *, void *), void *arg)
{
	struct walk w = {"", f, arg};

	json_each(root, walk, &w);
}

/* --- values --- */

void config_print(const struct config *c, FILE *out)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (int i = 0; i < settings_n; i++) {
		buf_clear(&b);
		setting_value(&settings[i], c, &b);
		fprintf(out, "%s=%s\n", settings[i].name, settings[i].secret && b.n ? "********" : b.n ? b.p : "");
	}
	buf_free(&b);
}

/* --- what became of each variable --- */

struct telling {
	char *const *env;
	FILE *out;
};

static bool in_env(char *const *env, const struct setting *s)
{
	return config_env(env, s->name, "") || config_env(env, s->name, "_FILE");
}

/* Says what a known name does that stands for s or is only accepted. lost: what else decides, NULL if this name does. */
static void tell(FILE *out, const char *name, struct known k, const char *lost)
{
	const struct setting *s = k.s ? k.s : setting_named(k.a->to ? k.a->to : "");

	if (!s)
		fprintf(out, "%s: accepted, without effect: %s\n", name, k.a->why);
	else if (s->idle)
		fprintf(out, "%s: accepted, without effect: %s\n", name, s->idle);
	else if (lost)
		fprintf(out, "%s: without effect: %s decides\n", name, lost);
	else if (text_eq_nocase(name, s->name))
		fprintf(out, "%s: used\n", name);
	else
		fprintf(out, "%s: mapped to %s\n", name, s->name);
}

static void tell_variable(const struct telling *t, const char *e)
{
	size_t n = strcspn(e, "=");
	struct known k = known_variable(e, n);
	const struct setting *target;
	char name[64], whole[64];

	if (n >= sizeof name || !e[n] || !e[n + 1])
		return;
	memcpy(name, e, n);
	name[n] = 0;
	memcpy(whole, name, n + 1);
	if (text_eq(name, "CONFIG_FILE")) {
		fprintf(t->out, "%s: used\n", name);
		return;
	}
	if (!k.s && !k.a && n > 5 && text_eq(name + n - 5, "_FILE")) {
		name[n - 5] = 0;
		k.s = setting_named(name);
		/* Only a setting's own name has this form, not its alias. */
		if (k.s && text_eq(k.s->name, name))
			tell(t->out, whole, k, NULL);
		return;
	}
	if (!k.s && !k.a)
		return;
	target = k.s ? k.s : k.a->to ? setting_named(k.a->to) : NULL;
	tell(t->out, name, k, target && !text_eq(name, target->name) && in_env(t->env, target) ? target->name : NULL);
}

static void tell_key(const char *path, const struct json *v, void *arg)
{
	const struct telling *t = arg;
	struct known k = known_key(path);
	const struct setting *target = k.s ? k.s : k.a && k.a->to ? setting_named(k.a->to) : NULL;

	(void)v;
	if (!k.s && !k.a)
		fprintf(t->out, "%s: unknown\n", path);
	else
		tell(t->out, path, k, target && in_env(t->env, target) ? "the environment" : NULL);
}

void config_explain(char *const *env, FILE *out)
{
	struct telling t = {env, out};
	const char *file = config_env(env, "CONFIG_FILE", "");
	char *text = file ? config_slurp(file, 1 << 20) : NULL;
	struct json *root = text ? json_parse(text, strlen(text)) : NULL;

	for (; env && *env; env++)
		tell_variable(&t, *env);
	if (root) {
		fprintf(out, "In %s:\n", file);
		config_leaves(root, tell_key, &t);
	}
	json_free(root);
	free(text);
}

/* --- the manual --- */

static void manual_row(const struct setting *s, FILE *out)
{
	struct buf allowed;

	buf_init(&allowed, 4096);
	setting_allowed(s, &allowed);
	fprintf(out, "| `%s`", s->name);
	if (s->alias)
		fprintf(out, ", `%s`", s->alias);
	if (s->json)
		fprintf(out, " (JSON also `%s`)", s->json);
	fprintf(out, " | %s%s%s%s%s | %s | %s |\n", s->def && *s->def ? "`" : "", s->def ? s->def : "", s->def && *s->def ? "`" : "",
		s->unit && *s->unit ? " " : "", s->unit ? s->unit : "", allowed.p, s->help);
	buf_free(&allowed);
}

void config_manual(FILE *out)
{
	fputs("| setting | default | allowed | meaning |\n|---|---|---|---|\n", out);
	for (int i = 0; i < settings_n; i++)
		manual_row(&settings[i], out);
	fputs("\nAccepted, so that settings of other installations load as they are:\n\n| name | effect |\n|---|---|\n", out);
	for (int i = 0; i < accepteds_n; i++) {
		const struct accepted *a = &accepteds[i];

		if (a->to)
			fprintf(out, "| `%s` | sets `%s` if that is not set |\n", a->name ? a->name : a->json, a->to);
		else
			fprintf(out, "| `%s` | none: %s |\n", a->name ? a->name : a->json, a->why);
	}
}
