/*
 * main.c - tus-fcgi: a worker that serves the socket on descriptor 0, or the supervisor of several, or a question about settings.
 *
 * A web server that runs this program as CGI would turn a query string without '=' into arguments (RFC 3875 4.4); therefore
 * arguments count only where no request variables are in the environment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app.h"
#include "base/config.h"
#include "base/log.h"
#include "base/num.h"
#include "gateway/gateway.h"
#include "hook/hook.h"
#include "supervise.h"

#define STACK_KIB 256
#define REQUEST_MEMORY (1 << 20)

static const char usage[] =
	"tus-fcgi serves FastCGI requests of the socket on descriptor 0.\n"
	"  --serve         listen on SOCKET and keep WORKERS such processes\n"
	"  --hooks         deliver events to HOOK_COMMAND or HOOK_URL; --serve starts it\n"
	"  --check-config  say what the settings are made of; exit 1 if one is wrong\n"
	"  --print-config  NAME=value of every setting\n"
	"  --manual        all settings as Markdown\n";

/* Two descriptors an upload and one a connection: the soft limit of most systems is too low. */
static void raise_descriptors(void)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

/* Tells the supervisor that tries new settings, if there is one, that they are good for this worker. */
static void tell_ready(void *self)
{
	const char *text = getenv(READY_FD);
	pid_t pid = getpid();
	int64_t fd;
	(void)self;
	if (!text || !num_u63(text, &fd))
		return;
	if (write((int)fd, &pid, sizeof pid) != sizeof pid)
		log_event(LOG_WARN, "main", "cannot tell the supervisor", "reason", LS(strerror(errno)), NULL);
	close((int)fd);
}

static int work(const struct config *c)
{
	struct app *app;
	raise_descriptors();
	enum err e = app_open(c, false, &app);
	if (e) {
		log_event(LOG_ERROR, "main", "cannot start", "reason", LS(err_code(e)), NULL);
		return 1;
	}
	struct gateway_app door = {.handle = app_handle, .self = app, .base_path = c->base_path, .stop_bodies = app_stop_bodies, .tick = app_tick,
	                           .ready = tell_ready, .threads = app_threads,
	                           .read_timeout_ms = (int)c->read_timeout * 1000, .send_timeout_ms = (int)c->send_timeout * 1000,
	                           .min_rate = c->min_rate};
	struct gateway_pool pool = {.max_threads = (int)c->threads, .stack_kib = STACK_KIB, .arena_max = REQUEST_MEMORY,
	                            .shutdown_wait_ms = (int)c->shutdown_wait_ms, .drain_s = (int)c->reload_wait};
	int left = gateway_fcgi_serve(&door, &pool);
	if (left > 0)
		_exit(0);   /* they still use the application; what was acknowledged is on disk */
	app_close(app);
	return left == 0 ? 0 : 1;
}

static int hooks(const struct config *c)
{
	return app_make_dirs(c) == ERR_OK ? hooks_serve(c) : 1;
}

static int manual(const struct config *c)
{
	(void)c;
	config_manual(stdout);
	return 0;
}

static int print(const struct config *c)
{
	config_print(c, stdout);
	return 0;
}

static int check(const struct config *c)
{
	(void)c;   /* that it could be loaded is the check */
	config_explain(environ, stdout);
	return 0;
}

static int help(const struct config *c)
{
	(void)c;
	fputs(usage, stdout);
	return 0;
}

static const struct { const char *option; int (*run)(const struct config *c); } commands[] = {
	{"--serve", supervise}, {"--hooks", hooks}, {"--check-config", check}, {"--print-config", print}, {"--manual", manual}, {"--help", help},
};

static int (*command_of(int argc, char **argv))(const struct config *)
{
	if (getenv("GATEWAY_INTERFACE") || getenv("REQUEST_METHOD") || argc < 2)
		return gateway_is_fcgi() ? work : NULL;
	for (size_t i = 0; argc == 2 && i < sizeof commands / sizeof *commands; i++)
		if (strcmp(argv[1], commands[i].option) == 0)
			return commands[i].run;
	return NULL;
}

int main(int argc, char **argv)
{
	int (*run)(const struct config *) = command_of(argc, argv);
	if (!run) {
		fprintf(stderr, "%sDescriptor 0 is no listening socket. A CGI program is upload.cgi.\n", usage);
		return 2;
	}
	struct config *c = config_load(environ, stderr);
	if (!c)
		return 1;
	log_level_set((enum log_level)c->log_level);
	int rc = run(c);
	config_free(c);
	return rc;
}
