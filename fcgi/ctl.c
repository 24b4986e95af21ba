/*
 * ctl.c - tusctl: the operator's tool. It works on the same rows and files as the server, also while that runs.
 *
 * Adding a command is a row of the table and a function.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app.h"
#include "base/clock.h"
#include "base/config.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "ctl.h"

#define MEMORY_MAX (256 << 20)
#define REAP_ROWS 100

static const char usage[] =
	"usage: tusctl [--data DIR] [--config FILE] [--json] COMMAND\n"
	"\n"
	"  init                    makes the folders and the database, tells where they are\n"
	"  list [--all]            unfinished sessions and uploads (all: also ended ones), and finished files\n"
	"  show ID                 everything about a session or an upload\n"
	"  check [--repair [--adopt] [--shorten]]  whether rows and files agree; exit 1 if they do not. repair: mends what it can without losing anything\n"
	"                          that is there; adopt: finished files without a row become recordings;\n"
	"                          shorten: offsets of unfinished uploads whose bytes are gone go back to what is there\n"
	"  reap [--scan] [--limit N]   does what time demands until nothing is due; scan: also removes part files without a row;\n"
	"                          limit: at most N rows of each kind in one go, 100\n"
	"  backup DIR              a copy of everything that was acknowledged, in a new folder, while the server goes on\n"
	"  import DIR [--dry-run]  takes over the recordings and the half-done sessions of a WaveForge upload folder, and leaves that as it is\n"
	"  restore DIR             makes the data folders, which must be empty, of such a copy\n"
	"  key add NAME [--admin]  makes a key for a client and shows it, this once\n"
	"  key list\n"
	"  key remove NAME\n"
	"  events [--after N] [--limit N] [--follow]   what happened, behind number N, at most 100; follow: goes on until it is ended\n"
	"  hooks                   delivers once what is due to the hook (the pool does that by itself)\n"
	"  config [--check | --manual]   NAME=value of every setting; where they come from; what they mean\n"
	"  doctor URL [--key K] [--insecure] [--origin O] [--pause S] [--finish]\n"
	"                          tries the installation at URL from outside and says what to change: origin: of pages that shall be able to use it;\n"
	"                          pause: how long a body is interrupted, 3 s; finish: also finishes, downloads and deletes a small file\n"
	"\n"
	"Settings come from where the server has them (environment, CONFIG_FILE); --data and --config stand for DATA_DIR and CONFIG_FILE.\n"
	"Run it as the user of the server, so that the server may use what it makes. --json: the same as JSON.\n"
	"Exit: 0 done, 1 failed or not sound, 2 wrong usage, or nothing could be tried.\n";

/* ---- arguments ---- */

static int find_arg(const struct ctl *c, const char *name)
{
	for (int i = 0; i < c->argc; i++)
		if (strcmp(c->argv[i], name) == 0)
			return i;
	return -1;
}

static void cut_args(struct ctl *c, int at, int n)
{
	memmove(&c->argv[at], &c->argv[at + n], (size_t)(c->argc - at - n) * sizeof *c->argv);
	c->argc -= n;
}

bool ctl_flag(struct ctl *c, const char *name)
{
	int at = find_arg(c, name);
	if (at >= 0)
		cut_args(c, at, 1);
	return at >= 0;
}

bool ctl_number(struct ctl *c, const char *name, int64_t *n)
{
	int at = find_arg(c, name);
	if (at < 0)
		return true;
	if (at + 1 >= c->argc || !num_u63(c->argv[at + 1], n) || *n < 1)
		return false;
	cut_args(c, at, 2);
	return true;
}

/* ---- small commands ---- */

static int init(struct ctl *c)
{
	if (c->argc > 0)
		return CTL_USAGE;
	const struct config *cfg = c->cfg;
	struct json *o = json_obj();
	json_put_str(o, "data", cfg->data_dir);
	json_put_str(o, "database", cfg->db_dir);
	json_put_str(o, "parts", cfg->parts_dir);
	json_put_str(o, "finished", cfg->done_dir);
	json_put_str(o, "run", cfg->run_dir);
	ctl_object(c, o);
	return CTL_OK;
}

static int config(struct ctl *c)
{
	bool check = ctl_flag(c, "--check"), manual = ctl_flag(c, "--manual");
	if (c->argc > 0 || (check && manual))
		return CTL_USAGE;
	if (check)
		config_explain(environ, stdout);   /* that they could be loaded is the check */
	else if (manual)
		config_manual(stdout);
	else
		config_print(c->cfg, stdout);
	return CTL_OK;
}

/* Rows that fail, or that somebody holds, stay due: the end is where nothing moves any more. */
static enum err reap_all(struct house *h, int limit, bool scan, struct reap_count *sum)
{
	struct reap_count one = {.expired = 1};
	enum err e = ERR_OK;
	while (!e && one.expired + one.recovered + one.finished > 0) {
		e = reap(h, limit, scan, &one);
		sum->expired += one.expired;
		sum->recovered += one.recovered;
		sum->finished += one.finished;
		sum->orphans += one.orphans;
		sum->failed = one.failed;
		scan = false;
	}
	for (bool more = true; !e && more;)
		e = store_forget(h->db, clock_now(), clock_now() - h->cfg->gone_retention, limit, &more);
	return e;
}

static int reap_now(struct ctl *c)
{
	struct reap_count sum = {0};
	int64_t limit = REAP_ROWS;
	bool scan = ctl_flag(c, "--scan");
	if (!ctl_number(c, "--limit", &limit) || c->argc > 0)
		return CTL_USAGE;
	enum err e = reap_all(c->house, limit < REAP_ROWS ? (int)limit : REAP_ROWS, scan, &sum);
	struct json *o = json_obj();
	json_put_int(o, "expired", sum.expired);
	json_put_int(o, "recovered", sum.recovered);
	json_put_int(o, "finished", sum.finished);
	json_put_int(o, "orphans", sum.orphans);
	json_put_int(o, "failed", sum.failed);
	ctl_object(c, o);
	if (e)
		return ctl_fail("reap", e);
	return sum.failed ? CTL_FAILED : CTL_OK;
}

/* ---- from arguments to a command ---- */

enum needs { NEEDS_NOTHING, NEEDS_ROWS, MAKES_ROWS };

struct command {
	const char *name;
	enum needs needs;
	int (*run)(struct ctl *c);
};

static const struct command commands[] = {
	{"init",   MAKES_ROWS,    init},
	{"list",   NEEDS_ROWS,    ctl_list},
	{"show",   NEEDS_ROWS,    ctl_show},
	{"check",  NEEDS_ROWS,    ctl_check},
	{"reap",   NEEDS_ROWS,    reap_now},
	{"backup", NEEDS_ROWS,    ctl_backup},
	{"restore", NEEDS_NOTHING, ctl_restore},
	{"import", NEEDS_ROWS,    ctl_import},
	{"key",    NEEDS_ROWS,    ctl_key},
	{"events", NEEDS_ROWS,    ctl_events},
	{"hooks",  NEEDS_ROWS,    ctl_hooks},
	{"config", NEEDS_NOTHING, config},
	{"doctor", NEEDS_NOTHING, ctl_doctor},
};

static const struct command *command_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* A wrong folder must be told, not be filled with an empty database. */
static bool has_database(const struct config *cfg)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/tus.db", cfg->db_dir);
	if (access(path, F_OK) == 0)
		return true;
	fprintf(stderr, "tusctl: there is no database in %s (tusctl init makes one)\n", cfg->db_dir);
	return false;
}

static int run_with_rows(struct ctl *c, const struct command *cmd)
{
	struct app *app;
	if (cmd->needs == NEEDS_ROWS && !has_database(c->cfg))
		return CTL_FAILED;
	enum err e = app_open(c->cfg, false, &app);
	if (e)
		return ctl_fail("cannot open the data folders", e);
	c->house = app_house(app);
	int rc = cmd->run(c);
	app_close(app);
	return rc;
}

static int run(struct ctl *c, const struct command *cmd)
{
	struct config *cfg = config_load(environ, stderr);
	if (!cfg)
		return CTL_FAILED;
	/* What the rooms tell of their daily work is of no interest here. */
	if (cfg->log_level < LOG_WARN)
		cfg->log_level = LOG_WARN;
	log_level_set((enum log_level)cfg->log_level);
	c->cfg = cfg;
	c->a = arena_open(MEMORY_MAX);
	int rc = !c->a ? ctl_fail(cmd->name, ERR_NOMEM) : cmd->needs == NEEDS_NOTHING ? cmd->run(c) : run_with_rows(c, cmd);
	if (c->a)
		arena_close(c->a);
	config_free(cfg);
	return rc;
}

static int wrong_usage(void)
{
	fputs(usage, stderr);
	return CTL_USAGE;
}

/* Options before the command. -1: go on. */
static int options(int argc, char **argv, struct ctl *c)
{
	static const struct option known[] = {{"data", required_argument, NULL, 'd'}, {"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	int o;
	while ((o = getopt_long(argc, argv, "+", known, NULL)) != -1) {
		switch (o) {
		case 'd':
			setenv("DATA_DIR", optarg, 1);
			break;
		case 'c':
			setenv("CONFIG_FILE", optarg, 1);
			break;
		case 'j':
			c->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return CTL_OK;
		default:
			return wrong_usage();
		}
	}
	c->argc = argc - optind;
	c->argv = argv + optind;
	return -1;
}

int main(int argc, char **argv)
{
	struct ctl c = {0};
	/* A limit on file sizes is an error to tell, not the end. */
	signal(SIGXFSZ, SIG_IGN);
	int rc = options(argc, argv, &c);
	if (rc >= 0)
		return rc;
	const struct command *cmd = command_named(c.argc > 0 ? c.argv[0] : NULL);
	if (!cmd)
		return wrong_usage();
	c.argc--;
	c.argv++;
	c.json |= ctl_flag(&c, "--json");
	rc = run(&c, cmd);
	if (rc == CTL_USAGE)
		return wrong_usage();
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "tusctl: the output could not be written\n");
		return CTL_FAILED;
	}
	return rc == CTL_UNTRIED ? CTL_USAGE : rc;
}
