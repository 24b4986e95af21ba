/*
 * handover_kit.h - one hand-over: an upload that worker A receives from a client that is silent, slow, or A itself is stopped; then a newcomer comes through
 * the same process, another one, or plain CGI. What must hold of bytes and answers is checked each time; the test repeats it a few times, the bench often.
 */
#ifndef TESTS_HANDOVER_KIT_H
#define TESTS_HANDOVER_KIT_H

#include <pthread.h>
#include <stdatomic.h>

#include "doors_kit.h"

#define HAND_LENGTH 100000           /* of the upload */
#define HAND_FIRST 5000              /* bytes that the holder has sent when the newcomer comes */
#define HAND_NEW 1000                /* bytes of the newcomer's PATCH */
#define HAND_HEAD_MS 200             /* how long a HEAD waits for the last publication */

enum hand_client { HAND_SILENT, HAND_SLOW, HAND_STOPPED, HAND_CLIENT__MAX };
enum hand_method { HAND_PATCH, HAND_HEAD, HAND_DELETE, HAND_METHOD__MAX };
static const char *const hand_client_names[] = {"silent", "slow", "stopped"};
static const char *const hand_method_names[] = {"PATCH", "HEAD", "DELETE"};

struct hand {
	enum door newcomer;
	enum hand_client client;
	enum hand_method method;
	int wait_ms;                     /* LOCK_WAIT_MS of the programs */
	double ms;                       /* until the newcomer's answer was complete; of plain CGI from before the process began */
	struct told first, second;       /* what holder and newcomer were told */
	char wrong[512];                 /* what did not hold, "" if all did */
	/* while it runs */
	char uri[128];
	struct asked holder;
	atomic_bool end;
};

#define HAND_EXPECT(h, cond, ...) do { \
	if (!(cond) && !(h)->wrong[0]) \
		snprintf((h)->wrong, sizeof (h)->wrong, __VA_ARGS__); \
} while (0)

static void *hand_trickle(void *arg)
{
	struct hand *h = arg;
	static const char piece[50] = {[0 ... 49] = 'h'};
	while (!atomic_load(&h->end)) {
		doors_send(&h->holder, piece, sizeof piece);
		usleep(2000);
	}
	return NULL;
}

static void hand_begin(const struct doors *d, struct hand *h)
{
	char piece[HAND_FIRST];
	memset(piece, 'h', sizeof piece);
	doors_create(d, HAND_LENGTH, h->uri);
	h->holder = doors_ask(d, DOOR_A, "PATCH", h->uri, HAND_LENGTH, 0, -1);
	doors_send(&h->holder, piece, sizeof piece);
	doors_part_wait(d, HAND_FIRST);
}

static void hand_come(const struct doors *d, struct hand *h)
{
	char piece[HAND_NEW];
	bool patch = h->method == HAND_PATCH;
	memset(piece, 'n', sizeof piece);
	int64_t from = clock_mono_us();
	struct asked r = doors_ask(d, h->newcomer, hand_method_names[h->method], h->uri, patch ? HAND_NEW : 0, patch ? 0 : -1, -1);
	if (patch)
		doors_send(&r, piece, sizeof piece);
	if (h->newcomer != DOOR_CGI)
		doors_send(&r, "", 0);
	doors_answer(&r, &h->second);
	h->ms = (double)(clock_mono_us() - from) / 1000;
}

/* Bytes [0, n) of the part file are all c. */
static void hand_bytes(const struct doors *d, struct hand *h, int64_t n, char c)
{
	static char piece[HAND_LENGTH];
	ssize_t have = doors_part(d, piece, sizeof piece);
	int64_t same = 0;
	while (same < n && same < have && piece[same] == c)
		same++;
	HAND_EXPECT(h, same == n, "of %lld bytes '%c' only %lld are there", (long long)n, c, (long long)same);
}

static int64_t hand_offset(const struct doors *d, struct hand *h)
{
	struct told t;
	doors_do(d, DOOR_B, "HEAD", h->uri, &t);
	HAND_EXPECT(h, t.status == 200 || h->method == HAND_DELETE, "HEAD afterwards: %d", t.status);
	return t.offset;
}

/* The holder lets go: the newcomer has what it wants, the holder is not told that all is well, and no byte that was told is missing. */
static void hand_check_moved(const struct doors *d, struct hand *h)
{
	HAND_EXPECT(h, h->first.status == 409 || h->first.status == 423, "the holder was told %d", h->first.status);
	int64_t now = hand_offset(d, h);
	if (h->method == HAND_PATCH) {
		HAND_EXPECT(h, h->second.status == 204 && h->second.offset == HAND_NEW, "PATCH: %d at %lld", h->second.status, (long long)h->second.offset);
		HAND_EXPECT(h, now == HAND_NEW, "PATCH, then HEAD: %lld", (long long)now);
		hand_bytes(d, h, HAND_NEW, 'n');
	} else if (h->method == HAND_HEAD) {
		HAND_EXPECT(h, h->second.status == 200 && h->second.offset >= HAND_FIRST, "HEAD: %d at %lld", h->second.status, (long long)h->second.offset);
		HAND_EXPECT(h, now == h->second.offset && h->first.offset == now, "HEAD told %lld, the holder %lld, HEAD again %lld",
			(long long)h->second.offset, (long long)h->first.offset, (long long)now);
		hand_bytes(d, h, h->second.offset, 'h');
	} else {
		HAND_EXPECT(h, h->second.status == 204, "DELETE: %d", h->second.status);
		HAND_EXPECT(h, now == -1, "DELETE, then HEAD: %lld", (long long)now);
	}
}

/* A stopped holder cannot let go: the newcomer is told to come again in time, and not a byte has changed. HEAD answers from the row. */
static void hand_check_stayed(const struct doors *d, struct hand *h)
{
	if (h->method == HAND_HEAD)
		HAND_EXPECT(h, h->second.status == 200 && h->second.offset == 0, "HEAD: %d at %lld", h->second.status, (long long)h->second.offset);
	else
		HAND_EXPECT(h, h->second.status == 423, "%s: %d", hand_method_names[h->method], h->second.status);
	HAND_EXPECT(h, h->ms < (h->method == HAND_HEAD ? HAND_HEAD_MS : h->wait_ms) + 1000, "answered after %.0f ms", h->ms);
	hand_bytes(d, h, HAND_FIRST, 'h');
}

static void hand_stopped(const struct doors *d, struct hand *h)
{
	doors_freeze(d, 0);
	hand_come(d, h);
	hand_check_stayed(d, h);
	kill(d->worker[0], SIGCONT);
	/* it was asked meanwhile, so it lets go now; what its client had sent stays */
	doors_answer(&h->holder, &h->first);
	HAND_EXPECT(h, h->first.status == 409 || h->first.status == 423, "the holder was told %d", h->first.status);
	int64_t now = hand_offset(d, h);
	/* a PATCH that went on from byte 0 made the holder leave the row there */
	HAND_EXPECT(h, now == HAND_FIRST || (h->method == HAND_PATCH && now == 0), "after the stop HEAD says %lld", (long long)now);
	HAND_EXPECT(h, now == h->first.offset, "the holder was told %lld, HEAD %lld", (long long)h->first.offset, (long long)now);
}

static void hand_try(const struct doors *d, struct hand *h)
{
	pthread_t slow;
	struct told t;
	h->wrong[0] = '\0';
	atomic_store(&h->end, false);
	hand_begin(d, h);
	if (h->client == HAND_STOPPED) {
		hand_stopped(d, h);
	} else {
		bool trickles = h->client == HAND_SLOW && pthread_create(&slow, NULL, hand_trickle, h) == 0;
		hand_come(d, h);
		atomic_store(&h->end, true);
		if (trickles)
			pthread_join(slow, NULL);
		doors_answer(&h->holder, &h->first);
		hand_check_moved(d, h);
	}
	if (h->method != HAND_DELETE || h->client == HAND_STOPPED)
		doors_do(d, DOOR_B, "DELETE", h->uri, &t);
}

#endif
