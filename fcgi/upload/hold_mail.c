/*
 * hold_mail.c - mailboxes: how a process asks the others to let go of a key.
 *
 * A mailbox is a unix datagram socket in RUN_DIR/mbox. Nobody knows which process holds a key, so all are told; there are few, and
 * only the holder reacts. A datagram may get lost (a full queue): the newcomer repeats it with each try.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/num.h"
#include "base/text.h"
#include "upload/hold_priv.h"

#define LETTER_MAX 96
#define UNNAMED_AGE 60                 /* seconds after which a mailbox that never got its name is scrap */
#define READER_STACK (128 * 1024)

static enum err mail_fail(const char *what, int no)
{
	enum err e = err_from_errno(no);
	log_event(LOG_ERROR, "hold", what, "errno", LI(no), "reason", LS(strerror(no)), NULL);
	return e == ERR_NOT_FOUND ? ERR_INTERNAL : e;
}

/* ---- addresses ---- */

static bool address(const struct holds *h, const char *name, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	int n = snprintf(a->sun_path, sizeof a->sun_path, "%s/%s", h->prefix, name);
	return n > 0 && (size_t)n < sizeof a->sun_path;
}

/* An address holds 108 bytes, and a path may be longer: then the folder's descriptor stands for it. */
static void address_prefix(struct holds *h, const char *run_dir)
{
	int n = *run_dir == '/' ? snprintf(h->prefix, sizeof h->prefix, "%s/mbox", run_dir) : -1;
	if (n < 0 || (size_t)n >= sizeof h->prefix)
		snprintf(h->prefix, sizeof h->prefix, "/proc/self/fd/%d", h->mbox);
}

/* Calls f for every mailbox but ours. */
static void each_mailbox(struct holds *h, void (*f)(struct holds *h, const char *name, const struct sockaddr_un *a, const void *arg), const void *arg)
{
	int fd = openat(h->mbox, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		mail_fail("listing the mailboxes", errno);
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		struct sockaddr_un a;
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && !text_eq(e->d_name, h->name) && address(h, e->d_name, &a))
			f(h, e->d_name, &a, arg);
	}
	closedir(d);
}

/* ---- sending ---- */

struct post {
	int from;
	char letter[LETTER_MAX];
};

static void send_one(struct holds *h, const char *name, const struct sockaddr_un *a, const void *arg)
{
	const struct post *p = arg;
	if (*name == '.')
		return;
	if (sendto(p->from, p->letter, strlen(p->letter), MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)a, sizeof *a) < 0 &&
	    errno == ECONNREFUSED)
		unlinkat(h->mbox, name, 0);
}

/* Letters that nobody reads are charged to the socket that sent them: a lasting one would fill up with those to a process that stands still, and then carry
 * none to anybody. */
void hold_mail_ask(struct holds *h, int64_t key, int64_t offset, int64_t since)
{
	struct post p = {.from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	if (p.from < 0) {
		mail_fail("making a socket to ask from", errno);
		return;
	}
	snprintf(p.letter, sizeof p.letter, "want %lld %lld %lld\n", (long long)key, (long long)offset, (long long)since);
	each_mailbox(h, send_one, &p);
	close(p.from);
}

/* ---- reading ---- */

/* Splits "want <key> <offset> <since>\n" in place; anything else is ignored. */
static void letter_read(struct holds *h, char *s)
{
	char *word[4], *save = NULL;
	int n = 0;
	for (char *w = strtok_r(s, " \n", &save); w; w = strtok_r(NULL, " \n", &save)) {
		if (n == 4)
			return;
		word[n++] = w;
	}
	int64_t key, offset, since;
	if (n == 4 && strcmp(word[0], "want") == 0 && num_u63(word[1], &key) && num_i64(word[2], &offset) && num_u63(word[3], &since))
		hold_want(h, key, offset < 0 ? HOLD_NO_OFFSET : offset, since);
}

void holds_poll(struct holds *h)
{
	char letter[LETTER_MAX + 1];
	ssize_t n;
	while ((n = recv(h->in, letter, LETTER_MAX, MSG_DONTWAIT)) >= 0 || errno == EINTR) {
		if (n < 0)
			continue;
		letter[n] = '\0';
		letter_read(h, letter);
	}
}

int holds_fd(const struct holds *h)
{
	return h->in;
}

static void *reader(void *arg)
{
	struct holds *h = arg;
	struct pollfd p[] = {{.fd = h->in, .events = POLLIN}, {.fd = h->wake, .events = POLLIN}};
	while (!(p[1].revents & POLLIN)) {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			break;
		holds_poll(h);
	}
	return NULL;
}

void hold_mail_pause(struct holds *h, int64_t us)
{
	if (h->thread) {
		struct timespec t = {us / 1000000, us % 1000000 * 1000};
		nanosleep(&t, NULL);
		return;
	}
	for (int64_t end = clock_mono_us() + us; us > 0; us = end - clock_mono_us()) {
		struct pollfd p = {.fd = h->in, .events = POLLIN};
		struct timespec t = {us / 1000000, us % 1000000 * 1000};
		ppoll(&p, 1, &t, NULL);
		holds_poll(h);
	}
}

/* ---- opening and closing ---- */

/* Removes a mailbox that nobody reads. One that is being made has a name with a dot until it is bound, because in between it would
 * look unread. */
static void sweep_one(struct holds *h, const char *name, const struct sockaddr_un *a, const void *arg)
{
	const int *probe = arg;
	struct stat st;
	if (*name == '.' && (fstatat(h->mbox, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || time(NULL) - st.st_ctim.tv_sec < UNNAMED_AGE))
		return;
	if (connect(*probe, (const struct sockaddr *)a, sizeof *a) < 0 && errno == ECONNREFUSED)
		unlinkat(h->mbox, name, 0);
}

static void sweep(struct holds *h)
{
	int probe = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (probe < 0)
		return;
	each_mailbox(h, sweep_one, &probe);
	close(probe);
}

static enum err mailbox_make(struct holds *h)
{
	unsigned char r[8];
	char hex[2 * sizeof r + 1], temp[sizeof h->name + 1];
	struct sockaddr_un a;
	digest_random(r, sizeof r);
	text_hex(r, sizeof r, hex);
	snprintf(h->name, sizeof h->name, "%ld-%s", (long)getpid(), hex);
	snprintf(temp, sizeof temp, ".%s", h->name);
	if (!address(h, temp, &a) || bind(h->in, (struct sockaddr *)&a, sizeof a) < 0)
		return mail_fail("binding the mailbox", errno);
	if (fchmodat(h->mbox, temp, 0660, 0) == 0 && renameat(h->mbox, temp, h->mbox, h->name) == 0)
		return ERR_OK;
	enum err e = mail_fail("naming the mailbox", errno);
	unlinkat(h->mbox, temp, 0);
	return e;
}

/* Signals belong to the threads that expect them. */
static enum err reader_start(struct holds *h)
{
	sigset_t all, old;
	pthread_attr_t attr;
	h->wake = eventfd(0, EFD_CLOEXEC);
	if (h->wake < 0)
		return mail_fail("making an eventfd", errno);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, READER_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int no = pthread_create(&h->reader, &attr, reader, h);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	h->thread = no == 0;
	return no ? mail_fail("starting the mailbox's reader", no) : ERR_OK;
}

enum err hold_mail_open(struct holds *h, int run, const char *run_dir, bool thread)
{
	if (mkdirat(run, "mbox", 0750) < 0 && errno != EEXIST)
		return mail_fail("making the folder of the mailboxes", errno);
	h->mbox = openat(run, "mbox", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (h->mbox < 0)
		return mail_fail("opening the folder of the mailboxes", errno);
	address_prefix(h, run_dir);
	h->in = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (h->in < 0)
		return mail_fail("making the mailbox", errno);
	sweep(h);
	enum err e = mailbox_make(h);
	return e || !thread ? e : reader_start(h);
}

void hold_mail_close(struct holds *h)
{
	uint64_t one = 1;
	if (h->thread) {
		while (write(h->wake, &one, sizeof one) < 0 && errno == EINTR)
			;
		pthread_join(h->reader, NULL);
	}
	if (h->mbox >= 0 && *h->name)
		unlinkat(h->mbox, h->name, 0);
	int fd[] = {h->in, h->wake, h->mbox};
	for (int i = 0; i < 3; i++)
		if (fd[i] >= 0)
			close(fd[i]);
}
