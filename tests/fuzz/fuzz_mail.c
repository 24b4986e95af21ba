/*
 * fuzz_mail.c - letters that a stranger puts into the mailbox: one that is not exactly "want KEY OFFSET SINCE" takes nothing from anybody.
 *
 * The first byte chooses the key that is held; the rest are letters, divided by NULs. What must hold is asked of a second, slow reading of the letter.
 */
#include <dirent.h>
#include <ftw.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/num.h"
#include "fuzz.h"
#include "upload/hold.h"

#define LETTER_SEEN 96             /* bytes of a letter that are read */

static char dir[64];
static struct holds *holds;
static struct sockaddr_un box = {.sun_family = AF_UNIX};
static int out;

static int drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st, (void)flag, (void)f;
	return remove(path);
}

static void leave(void)
{
	holds_close(holds);
	nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static void enter(void)
{
	char path[70];
	struct dirent *e;
	snprintf(dir, sizeof dir, "%s/fuzz-mail-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	MUST(mkdtemp(dir) && holds_open(dir, false, &holds) == ERR_OK);
	atexit(leave);
	log_level_set((enum log_level)(LOG_ERROR + 1));
	snprintf(path, sizeof path, "%s/mbox", dir);
	DIR *d = opendir(path);
	MUST(d);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			snprintf(box.sun_path, sizeof box.sun_path, "%.69s/%.37s", path, e->d_name);
	closedir(d);
	out = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	MUST(out >= 0 && box.sun_path[0]);
}

/* Whether the letter asks for key: where its sender goes on from, and when it came. */
static bool asks(const char *s, size_t n, int64_t key, int64_t *offset, int64_t *since)
{
	char word[5][LETTER_SEEN + 1];
	size_t words = 0, at = 0;
	int64_t k;
	n = n < LETTER_SEEN ? n : LETTER_SEEN;
	for (size_t i = 0; i <= n; i++) {
		bool ends = i == n || s[i] == ' ' || s[i] == '\n';
		if (!ends) {
			word[words][at++] = s[i];
		} else if (at > 0) {
			word[words++][at] = '\0';
			if (words == 5)
				return false;
			at = 0;
		}
	}
	return words == 4 && strcmp(word[0], "want") == 0 && num_u63(word[1], &k) && k == key && num_i64(word[2], offset) && num_u63(word[3], since);
}

static void send_letter(const char *s, size_t n)
{
	MUST(sendto(out, s, n, 0, (const struct sockaddr *)&box, sizeof box) == (ssize_t)n);
	holds_poll(holds);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct hold *hold;
	bool wanted = false;
	int64_t offset, since, got, at = HOLD_NO_OFFSET;
	if (!holds)
		enter();
	if (n < 1 || n > 2000)
		return 0;
	int64_t key = p[0] % 100, before = clock_mono_us();
	MUST(hold_take(holds, key, NULL, HOLD_NO_OFFSET, false, 0, &hold, NULL) == ERR_OK);
	int64_t after = clock_mono_us();
	for (const char *s = (const char *)p + 1, *end = (const char *)p + n; s < end;) {
		size_t len = strnlen(s, (size_t)(end - s));
		bool asked = asks(s, len, key, &offset, &since);
		/* one who came before the holder does not displace it; nobody can say which of two came first in the same moment */
		if (!asked || since < before || since > after) {
			send_letter(s, len);
			asked = asked && since > after;
			at = asked && offset >= 0 ? offset : at;
			wanted = wanted || asked;
		}
		MUST(hold_wanted(hold, &got) == wanted && (!wanted || got == at));
		s += len + 1;
	}
	hold_drop(hold);
	return 0;
}
