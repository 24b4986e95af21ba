/*
 * test_hold.c - the contract of upload/hold.h: one holder at a time, quick hand-over, nothing broken by a dead or a stopped holder.
 *
 * Children are forked before anything is opened; they report through their exit status (the line of the failed check) and through
 * memory shared with the parent.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "upload/hold.h"

#define LONG_MS 20000                 /* never reached unless something is wrong */
#define CHECK(x) do { if (!(x)) { fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x); _exit(1); } } while (0)

/* ---- scratch ---- */

static char run_dir[256];

static int setup(void **state)
{
	const char *t = getenv("TMPDIR");
	(void)state;
	snprintf(run_dir, sizeof run_dir, "%s/hold-XXXXXX", t && strlen(t) < 100 ? t : "/tmp");
	return mkdtemp(run_dir) ? 0 : -1;
}

static int rm_one(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static int teardown(void **state)
{
	(void)state;
	return nftw(run_dir, rm_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct holds *open_holds(bool thread)
{
	struct holds *h;
	CHECK(holds_open(run_dir, thread, &h) == ERR_OK);
	return h;
}

static int mailboxes(char name[256])
{
	char path[300];
	int n = 0;
	snprintf(path, sizeof path, "%s/mbox", run_dir);
	DIR *d = opendir(path);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			n++;
			if (name)
				snprintf(name, 256, "%s", e->d_name);
		}
	if (d)
		closedir(d);
	return n;
}

static struct sockaddr_un mail_address(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int n = snprintf(a.sun_path, sizeof a.sun_path, "%s/mbox/%s", run_dir, name);
	CHECK(n > 0 && (size_t)n < sizeof a.sun_path);
	return a;
}

/* A mailbox that nobody reads; its socket. */
static int plant_mailbox(const char *name)
{
	struct sockaddr_un a = mail_address(name);
	int s = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s, (struct sockaddr *)&a, sizeof a), 0);
	return s;
}

/* A mailbox whose reader has died. */
static void plant_stale(const char *name)
{
	close(plant_mailbox(name));
}

static bool stale_there(const char *name)
{
	struct sockaddr_un a = mail_address(name);
	return access(a.sun_path, F_OK) == 0;
}

/* ---- a body that waits until it is stopped ---- */

struct body {
	struct source s;
	pthread_mutex_t mu;
	pthread_cond_t moved;
	bool stopped, reading;
	int stops;
};

static ssize_t body_read(struct source *s, void *buf, size_t n)
{
	struct body *b = s->self;
	(void)buf, (void)n;
	pthread_mutex_lock(&b->mu);
	b->reading = true;
	pthread_cond_broadcast(&b->moved);
	while (!b->stopped)
		pthread_cond_wait(&b->moved, &b->mu);
	pthread_mutex_unlock(&b->mu);
	return -1;
}

static void body_stop(struct source *s)
{
	struct body *b = s->self;
	pthread_mutex_lock(&b->mu);
	b->stopped = true;
	b->stops++;
	pthread_cond_broadcast(&b->moved);
	pthread_mutex_unlock(&b->mu);
}

static void body_init(struct body *b)
{
	*b = (struct body){.s = {.read = body_read, .stop = body_stop, .length = -1, .self = b}};
	pthread_mutex_init(&b->mu, NULL);
	pthread_cond_init(&b->moved, NULL);
}

static void body_wait_reading(struct body *b)
{
	pthread_mutex_lock(&b->mu);
	while (!b->reading)
		pthread_cond_wait(&b->moved, &b->mu);
	pthread_mutex_unlock(&b->mu);
}

/* ---- in one process ---- */

/* A writer: takes, reads until stopped, remembers what it was told, lets go. */
struct writer {
	struct holds *h;
	int64_t key, offset;
	struct body body;
	bool wanted, ping_pong, taken;
};

static void *write_until_stopped(void *arg)
{
	struct writer *w = arg;
	struct hold *hold;
	if (hold_take(w->h, w->key, &w->body.s, HOLD_NO_OFFSET, false, LONG_MS, &hold, NULL) != ERR_OK)
		return NULL;
	w->taken = true;
	w->body.s.read(&w->body.s, NULL, 0);
	w->wanted = hold_wanted(hold, &w->offset);
	w->ping_pong = hold_ping_pong(hold);
	hold_drop(hold);
	return NULL;
}

static pthread_t writer_start(struct writer *w, struct holds *h, int64_t key)
{
	pthread_t t;
	*w = (struct writer){.h = h, .key = key, .offset = 77};
	body_init(&w->body);
	assert_int_equal(pthread_create(&t, NULL, write_until_stopped, w), 0);
	body_wait_reading(&w->body);
	return t;
}

static void test_take_try_drop(void **state)
{
	(void)state;
	struct holds *h = open_holds(true);
	struct hold *a, *b, *c;
	bool asked = true;
	int64_t offset = 5;
	assert_int_equal(hold_take(h, HOLD_UPLOAD(7), NULL, 10, true, 0, &a, &asked), ERR_OK);
	assert_false(asked);
	assert_false(hold_wanted(a, &offset));
	assert_int_equal(hold_take(h, HOLD_UPLOAD(7), NULL, HOLD_NO_OFFSET, false, 0, &b, &asked), ERR_LOCKED);
	assert_null(b);
	assert_false(asked);
	assert_false(hold_wanted(a, &offset));
	/* neighbours: the same chain, the same number as a session */
	assert_int_equal(hold_take(h, HOLD_UPLOAD(71), NULL, HOLD_NO_OFFSET, false, 0, &b, NULL), ERR_OK);
	assert_int_equal(hold_take(h, HOLD_SESSION(7), NULL, HOLD_NO_OFFSET, false, 0, &c, NULL), ERR_OK);
	hold_drop(b);
	hold_drop(c);
	assert_int_equal(hold_take(h, HOLD_UPLOAD(7), NULL, 12, true, 20, &b, &asked), ERR_LOCKED);
	assert_true(asked);
	assert_true(hold_wanted(a, &offset));
	assert_int_equal(offset, 12);
	/* a HEAD has no offset and leaves the one that was said */
	assert_true(hold_ask(h, HOLD_UPLOAD(7), 0));
	assert_true(hold_wanted(a, &offset));
	assert_int_equal(offset, 12);
	hold_drop(a);
	hold_drop(NULL);
	assert_int_equal(hold_take(h, HOLD_UPLOAD(7), NULL, HOLD_NO_OFFSET, true, 0, &a, &asked), ERR_OK);
	assert_false(hold_wanted(a, &offset));
	hold_drop(a);
	assert_false(hold_ask(h, HOLD_UPLOAD(7), 1000));
	holds_close(h);
	assert_int_equal(mailboxes(NULL), 0);
}

static void test_hand_over_between_threads(void **state)
{
	(void)state;
	struct holds *h = open_holds(true);
	struct writer w;
	struct hold *hold;
	bool asked;
	pthread_t t = writer_start(&w, h, 3);
	int64_t from = clock_mono_us();
	assert_int_equal(hold_take(h, 3, NULL, 4096, true, 2000, &hold, &asked), ERR_OK);
	int64_t us = clock_mono_us() - from;
	pthread_join(t, NULL);
	assert_true(asked && w.wanted && us < 2000000);
	assert_int_equal(w.offset, 4096);
	assert_int_equal(w.body.stops, 1);
	assert_false(w.ping_pong);
	hold_drop(hold);
	/* displaced once more within 10 s; another key is another matter */
	t = writer_start(&w, h, 3);
	assert_true(hold_ask(h, 3, 2000));
	pthread_join(t, NULL);
	assert_true(w.wanted && w.ping_pong);
	assert_int_equal(w.offset, HOLD_NO_OFFSET);
	assert_false(hold_ask(h, 3, 2000));
	t = writer_start(&w, h, 4);
	assert_true(hold_ask(h, 4, 2000));
	pthread_join(t, NULL);
	assert_true(w.wanted && !w.ping_pong);
	holds_close(h);
}

/* A newcomer that does not ask waits until the holder is done by himself. */
static void test_wait_without_asking(void **state)
{
	(void)state;
	struct holds *h = open_holds(true);
	struct writer w;
	struct hold *hold;
	bool asked;
	pthread_t t = writer_start(&w, h, 3);
	assert_int_equal(hold_take(h, 3, NULL, HOLD_NO_OFFSET, false, 30, &hold, &asked), ERR_LOCKED);
	assert_false(asked);
	assert_int_equal(w.body.stops, 0);
	body_stop(&w.body.s);
	assert_int_equal(hold_take(h, 3, NULL, HOLD_NO_OFFSET, false, LONG_MS, &hold, NULL), ERR_OK);
	pthread_join(t, NULL);
	assert_false(w.wanted);
	hold_drop(hold);
	holds_close(h);
}

static void test_stop_all(void **state)
{
	(void)state;
	struct holds *h = open_holds(true);
	struct writer w[3], late;
	pthread_t t[3];
	for (int i = 0; i < 3; i++)
		t[i] = writer_start(&w[i], h, 10 + i);
	holds_stop_all(h);
	for (int i = 0; i < 3; i++) {
		pthread_join(t[i], NULL);
		assert_true(w[i].wanted && w[i].offset == HOLD_NO_OFFSET && !w[i].ping_pong);
	}
	pthread_join(writer_start(&late, h, 20), NULL);
	assert_true(late.taken && late.wanted);
	holds_close(h);
}

#define KEYS 8
struct crowd {
	struct holds *h;
	int i;
	long *count;                   /* one a key, guarded by nothing but the hold */
	atomic_int *inside;
	atomic_int *bad;
	int rounds;
	bool ask;
};

static void crowd_round(struct crowd *c, int k, struct source *body)
{
	struct hold *hold;
	if (hold_take(c->h, 100 + k, body, k, c->ask && c->i % 2, LONG_MS, &hold, NULL) != ERR_OK) {
		atomic_fetch_add(c->bad, 1);
		return;
	}
	if (atomic_exchange(&c->inside[k], 1))
		atomic_fetch_add(c->bad, 1);
	c->count[k]++;
	hold_wanted(hold, NULL);
	atomic_store(&c->inside[k], 0);
	hold_drop(hold);
}

/* The body lives on the stack for a round only: a stop after the drop would be seen by the sanitizers. */
static void *crowd_run(void *arg)
{
	struct crowd *c = arg;
	for (int r = 0; r < c->rounds; r++) {
		struct body b;
		body_init(&b);
		crowd_round(c, (c->i + r) % KEYS, &b.s);
		pthread_mutex_destroy(&b.mu);
		pthread_cond_destroy(&b.moved);
	}
	return NULL;
}

static void test_crowd_of_threads(void **state)
{
	(void)state;
	enum { N = 64, ROUNDS = 1000 };
	struct holds *h = open_holds(true);
	long count[KEYS] = {0}, sum = 0;
	atomic_int inside[KEYS] = {0}, bad = 0;
	struct crowd c[N];
	pthread_t t[N];
	for (int i = 0; i < N; i++) {
		c[i] = (struct crowd){h, i, count, inside, &bad, ROUNDS, true};
		assert_int_equal(pthread_create(&t[i], NULL, crowd_run, &c[i]), 0);
	}
	for (int i = 0; i < N; i++)
		pthread_join(t[i], NULL);
	for (int k = 0; k < KEYS; k++)
		sum += count[k];
	assert_int_equal(bad, 0);
	assert_int_equal(sum, (long)N * ROUNDS);
	holds_close(h);
}

/* ---- across processes ---- */

/* What parent and children share. */
struct shared {
	long count[KEYS];
	atomic_int inside[KEYS];
	atomic_int bad;
	atomic_int published;
	atomic_llong offset;
};

static struct shared *share(void)
{
	struct shared *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(s, MAP_FAILED);
	return s;
}

/* A child with a line to it: `tell` wakes it, `hear` waits for it. */
struct child {
	pid_t pid;
	int down[2], up[2];
};

static void tell(int fd)
{
	CHECK(write(fd, "x", 1) == 1);
}

static void hear(int fd)
{
	char c;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	CHECK(poll(&p, 1, LONG_MS) == 1 && read(fd, &c, 1) == 1);
}

static struct child child_start(void (*f)(struct child *c, struct shared *s), struct shared *s)
{
	struct child c;
	assert_int_equal(pipe(c.down) | pipe(c.up), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);      /* a failed test leaves nobody behind */
		f(&c, s);
		_exit(0);
	}
	return c;
}

static int child_end(struct child *c)
{
	int status;
	assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
	close(c->down[0]), close(c->down[1]), close(c->up[0]), close(c->up[1]);
	return status;
}

#define HAND_OVERS 60

static void child_hands_over(struct child *c, struct shared *s)
{
	struct holds *h = open_holds(true);
	for (int i = 0; i < HAND_OVERS; i++) {
		struct body b;
		struct hold *hold;
		int64_t offset;
		body_init(&b);
		CHECK(hold_take(h, 42, &b.s, HOLD_NO_OFFSET, false, LONG_MS, &hold, NULL) == ERR_OK);
		tell(c->up[1]);
		CHECK(b.s.read(&b.s, NULL, 0) == -1);
		CHECK(hold_wanted(hold, &offset));
		CHECK(hold_ping_pong(hold) == (i > 0));
		atomic_store(&s->offset, offset);
		hold_drop(hold);
		hear(c->down[0]);
	}
	holds_close(h);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static void hand_over(bool thread, const char *what)
{
	int others = mailboxes(NULL);
	struct shared *s = share();
	struct child c = child_start(child_hands_over, s);
	struct holds *h = open_holds(thread);
	int64_t us[HAND_OVERS];
	for (int i = 0; i < HAND_OVERS; i++) {
		struct hold *hold;
		bool asked;
		hear(c.up[0]);
		int64_t from = clock_mono_us();
		assert_int_equal(hold_take(h, 42, NULL, 1000 + i, true, 2000, &hold, &asked), ERR_OK);
		us[i] = clock_mono_us() - from;
		assert_true(asked);
		assert_int_equal(s->offset, 1000 + i);
		hold_drop(hold);
		tell(c.down[1]);
	}
	assert_int_equal(child_end(&c), 0);
	holds_close(h);
	assert_int_equal(mailboxes(NULL), others);
	qsort(us, HAND_OVERS, sizeof *us, by_value);
	print_message("hand-over %s: p50 %.2f ms, max %.2f ms\n", what, (double)us[HAND_OVERS / 2] / 1e3, (double)us[HAND_OVERS - 1] / 1e3);
	munmap(s, sizeof *s);
}

static void test_hand_over_between_processes(void **state)
{
	(void)state;
	hand_over(true, "between processes");
	hand_over(false, "to plain CGI");
}

/* Processes that stand still keep the letters that they were sent. So many that even short queues hold more than the send buffer of one socket. */
static void test_hand_over_past_the_deaf(void **state)
{
	(void)state;
	int deaf[64];
	holds_close(open_holds(false));        /* makes the folder */
	for (int i = 0; i < 64; i++) {
		char name[24];
		snprintf(name, sizeof name, "deaf-%d", i);
		deaf[i] = plant_mailbox(name);
	}
	hand_over(true, "past mailboxes that nobody reads");
	for (int i = 0; i < 64; i++)
		close(deaf[i]);
}

/* The same where the path of a mailbox is longer than an address may be. */
static void test_long_path(void **state)
{
	(void)state;
	char top[sizeof run_dir];
	memcpy(top, run_dir, sizeof top);
	size_t n = strlen(run_dir);
	run_dir[n++] = '/';
	memset(run_dir + n, 'd', 120);
	run_dir[n + 120] = '\0';
	hand_over(true, "below a long path");
	memcpy(run_dir, top, sizeof top);
}

static void child_plain_cgi(struct child *c, struct shared *s)
{
	struct holds *h = open_holds(false);
	struct hold *hold;
	int64_t offset;
	(void)s;
	CHECK(hold_take(h, 42, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL) == ERR_OK);
	tell(c->up[1]);
	while (!hold_wanted(hold, &offset)) {
		struct pollfd p = {.fd = holds_fd(h), .events = POLLIN};
		CHECK(poll(&p, 1, LONG_MS) == 1);
		holds_poll(h);
	}
	CHECK(offset == 9);
	hold_drop(hold);
	holds_close(h);
}

static void test_plain_cgi_lets_go(void **state)
{
	(void)state;
	struct child c = child_start(child_plain_cgi, NULL);
	struct holds *h = open_holds(true);
	struct hold *hold;
	hear(c.up[0]);
	assert_int_equal(hold_take(h, 42, NULL, 9, true, 2000, &hold, NULL), ERR_OK);
	hold_drop(hold);
	assert_int_equal(child_end(&c), 0);
	holds_close(h);
}

static void child_holds(struct child *c, struct shared *s)
{
	struct holds *h = open_holds(true);
	struct hold *hold;
	struct body b;
	(void)s;
	body_init(&b);
	CHECK(hold_take(h, 42, &b.s, HOLD_NO_OFFSET, false, 0, &hold, NULL) == ERR_OK);
	tell(c->up[1]);
	b.s.read(&b.s, NULL, 0);
	hold_drop(hold);
	holds_close(h);
}

static void test_killed_holder(void **state)
{
	(void)state;
	struct child c = child_start(child_holds, NULL);
	struct holds *h = open_holds(true);
	struct hold *hold;
	hear(c.up[0]);
	assert_int_equal(hold_take(h, 42, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_LOCKED);
	kill(c.pid, SIGKILL);
	assert_true(WIFSIGNALED(child_end(&c)));
	assert_int_equal(hold_take(h, 42, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	hold_drop(hold);
	holds_close(h);
	/* its mailbox is left, and goes with the next one that opens */
	assert_int_equal(mailboxes(NULL), 1);
	h = open_holds(true);
	assert_int_equal(mailboxes(NULL), 1);
	holds_close(h);
	assert_int_equal(mailboxes(NULL), 0);
}

static void test_stopped_holder(void **state)
{
	(void)state;
	struct child c = child_start(child_holds, NULL);
	struct holds *h = open_holds(true);
	struct hold *hold;
	bool asked;
	int status;
	hear(c.up[0]);
	kill(c.pid, SIGSTOP);
	assert_int_equal(waitpid(c.pid, &status, WUNTRACED), c.pid);
	plant_stale("1-stale");
	int64_t from = clock_mono_us();
	assert_int_equal(hold_take(h, 42, NULL, 0, true, 150, &hold, &asked), ERR_LOCKED);
	int64_t us = clock_mono_us() - from;
	assert_null(hold);
	assert_true(asked && us >= 149000 && us < 2000000);
	assert_false(stale_there("1-stale"));
	assert_int_equal(mailboxes(NULL), 2);
	assert_true(hold_ask(h, 42, 20));
	kill(c.pid, SIGCONT);
	assert_int_equal(hold_take(h, 42, NULL, 0, true, 2000, &hold, NULL), ERR_OK);
	hold_drop(hold);
	assert_int_equal(child_end(&c), 0);
	holds_close(h);
}

static void child_publishes(struct child *c, struct shared *s)
{
	struct holds *h = open_holds(true);
	struct hold *hold;
	struct body b;
	body_init(&b);
	CHECK(hold_take(h, 42, &b.s, HOLD_NO_OFFSET, false, 0, &hold, NULL) == ERR_OK);
	tell(c->up[1]);
	b.s.read(&b.s, NULL, 0);
	struct timespec t = {0, 20000000};     /* a slow disk */
	nanosleep(&t, NULL);
	atomic_store(&s->published, 1);
	hold_drop(hold);
	hear(c->down[0]);
	holds_close(h);
}

/* HEAD: no holder, a holder that lets go after its last publication, nobody again. */
static void test_ask_waits_for_the_release(void **state)
{
	(void)state;
	struct shared *s = share();
	struct child c = child_start(child_publishes, s);
	struct holds *h = open_holds(true);
	struct hold *hold;
	hear(c.up[0]);
	assert_false(hold_ask(h, 43, 2000));
	assert_true(hold_ask(h, 42, 2000));
	assert_int_equal(s->published, 1);
	assert_false(hold_ask(h, 42, 2000));
	assert_int_equal(hold_take(h, 42, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	hold_drop(hold);
	tell(c.down[1]);
	assert_int_equal(child_end(&c), 0);
	holds_close(h);
	munmap(s, sizeof *s);
}

#define CROWD_PROCESSES 4

static void child_crowd(struct child *c, struct shared *s)
{
	struct holds *h = open_holds(true);
	struct crowd w[4];
	pthread_t t[4];
	hear(c->down[0]);
	for (int i = 0; i < 4; i++) {
		w[i] = (struct crowd){h, i, s->count, s->inside, &s->bad, 250, true};
		CHECK(pthread_create(&t[i], NULL, crowd_run, &w[i]) == 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	holds_close(h);
}

static void test_crowd_of_processes(void **state)
{
	(void)state;
	struct shared *s = share();
	struct child c[CROWD_PROCESSES];
	long sum = 0;
	for (int i = 0; i < CROWD_PROCESSES; i++)
		c[i] = child_start(child_crowd, s);
	for (int i = 0; i < CROWD_PROCESSES; i++)
		tell(c[i].down[1]);
	for (int i = 0; i < CROWD_PROCESSES; i++)
		assert_int_equal(child_end(&c[i]), 0);
	for (int k = 0; k < KEYS; k++)
		sum += s->count[k];
	assert_int_equal(s->bad, 0);
	assert_int_equal(sum, CROWD_PROCESSES * 4 * 250);
	munmap(s, sizeof *s);
}

/* ---- letters ---- */

static void post(const char *name, const char *text)
{
	struct sockaddr_un a = mail_address(name);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(sendto(s, text, strlen(text), 0, (struct sockaddr *)&a, sizeof a), strlen(text));
	close(s);
}

static void test_letters(void **state)
{
	(void)state;
	static const char *ignored[] = {
		"", "\n", "want", "want 5", "want 5 1", "want 5 1\n", "want x 1 9999999999999999\n", "want 5 x 9999999999999999\n",
		"want 5 1 x\n", "want 5 1 9999999999999999 1\n", "wish 5 1 9999999999999999\n", "want -5 1 9999999999999999\n",
		"want 6 1 9999999999999999\n",
		"want 5 1 1\n",          /* from one that came before the holder did */
		"want 5 00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001 9\n",
	};
	struct holds *h = open_holds(false);
	struct hold *hold;
	char name[256];
	int64_t offset;
	assert_int_equal(mailboxes(name), 1);
	assert_int_equal(hold_take(h, 5, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL), ERR_OK);
	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) {
		post(name, ignored[i]);
		holds_poll(h);
		if (hold_wanted(hold, &offset))
			fail_msg("\"%s\" was understood", ignored[i]);
	}
	post(name, "want 5 123 9999999999999999\n");
	assert_false(hold_wanted(hold, &offset));
	holds_poll(h);
	assert_true(hold_wanted(hold, &offset));
	assert_int_equal(offset, 123);
	hold_drop(hold);
	holds_close(h);
}

/* Mailboxes that live are left alone; lock files stay. */
static void test_opening_sweeps(void **state)
{
	(void)state;
	struct holds *h = open_holds(true), *second;
	plant_stale("2-stale");
	plant_stale(".3-being-made");
	second = open_holds(true);
	assert_false(stale_there("2-stale"));
	assert_true(stale_there(".3-being-made"));
	assert_int_equal(mailboxes(NULL), 3);
	holds_close(second);
	holds_close(h);
	assert_int_equal(mailboxes(NULL), 1);
	char path[300];
	for (int i = 0; i < 64; i++) {
		snprintf(path, sizeof path, "%s/locks/%02x", run_dir, i);
		assert_int_equal(access(path, F_OK), 0);
	}
	snprintf(path, sizeof path, "%s/no/such/folder", run_dir);
	assert_int_equal(holds_open(path, true, &h), ERR_INTERNAL);
	assert_null(h);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(test_take_try_drop), T(test_hand_over_between_threads), T(test_wait_without_asking), T(test_stop_all),
		T(test_crowd_of_threads), T(test_hand_over_between_processes), T(test_hand_over_past_the_deaf), T(test_long_path), T(test_plain_cgi_lets_go),
		T(test_killed_holder), T(test_stopped_holder), T(test_ask_waits_for_the_release), T(test_crowd_of_processes),
		T(test_letters), T(test_opening_sweeps),
	};
	log_level_set(LOG_ERROR + 1);
	return cmocka_run_group_tests_name("hold", tests, NULL, NULL);
}
