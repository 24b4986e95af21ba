/* log.c - builds a JSON line on the stack and writes it at once; no lock, no allocation, no stdio. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"

#define LINE 8192
#define VALUE 2000   /* bytes of one value: a long one must not push the others out of the line */
#define TAIL 3       /* kept free for the closing quote, brace and line feed */

struct line {
	char p[LINE];
	size_t n;
};

static enum log_level level_least = LOG_INFO;
static void (*watcher)(enum log_level, void *);
static void *watcher_arg;

void log_level_set(enum log_level least)
{
	__atomic_store_n(&level_least, least, __ATOMIC_RELAXED);
}

void log_watch(void (*f)(enum log_level level, void *arg), void *arg)
{
	watcher_arg = arg;
	__atomic_store_n(&watcher, f, __ATOMIC_RELEASE);
}

static bool fits(const struct line *l, size_t n)
{
	return l->n + n <= LINE - TAIL;
}

static void put(struct line *l, const char *p, size_t n)
{
	memcpy(l->p + l->n, p, n);
	l->n += n;
}

/* One character of a JSON string into out; returns its bytes and how many were read. C1 controls and DEL are escaped as
 * well, because terminals obey them. */
static size_t escape(const char *s, size_t n, char out[8], size_t *read)
{
	static const char digits[] = "0123456789abcdef";
	size_t len = text_utf8_len(s, n);
	unsigned char c = (unsigned char)*s;

	*read = len ? len : 1;
	if (!len) {
		memcpy(out, "\xef\xbf\xbd", 3);
		return 3;
	}
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = *s;
		return 2;
	}
	if (c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)s[1] < 0xa0)) {
		if (c == 0xc2)
			c = (unsigned char)s[1];
		memcpy(out, (char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6);
		return 6;
	}
	memcpy(out, s, len);
	return len;
}

static void put_string(struct line *l, const char *s)
{
	size_t n = strlen(s), end = l->n + VALUE;

	put(l, "\"", 1);
	while (n) {
		char c[8];
		size_t read, len = escape(s, n, c, &read);

		if (!fits(l, len) || l->n + len > end)
			break;
		put(l, c, len);
		s += read;
		n -= read;
	}
	put(l, "\"", 1);
}

static size_t decimal(int64_t v, char out[24])
{
	uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char *p = out + 24;

	do
		*--p = (char)('0' + u % 10);
	while (u /= 10);
	if (v < 0)
		*--p = '-';
	memmove(out, p, (size_t)(out + 24 - p));
	return (size_t)(out + 24 - p);
}

/* A pair that does not fit as a whole is left out, except that a string value is cut. */
static void put_pair(struct line *l, const char *key, struct log_value v)
{
	char num[24];

	if (!fits(l, strlen(key) + 4 + sizeof num))
		return;
	put(l, l->n ? ",\"" : "{\"", 2);
	put(l, key, strlen(key));
	put(l, "\":", 2);
	if (v.kind == LOG_INT)
		put(l, num, decimal(v.i, num));
	else if (v.s)
		put_string(l, v.s);
	else
		put(l, "null", 4);
}

void log_event(enum log_level level, const char *room, const char *msg, ...)
{
	static const char *const names[] = {"debug", "info", "warning", "error"};
	void (*watch)(enum log_level, void *) = __atomic_load_n(&watcher, __ATOMIC_ACQUIRE);
	int saved = errno;
	char now[CLOCK_ISO_LEN];
	struct line l;
	const char *key;
	va_list ap;

	if (watch)
		watch(level, watcher_arg);
	if (level < __atomic_load_n(&level_least, __ATOMIC_RELAXED))
		return;
	l.n = 0;   /* the rest of the line needs no clearing */
	clock_iso(clock_now_ms(), now);
	put_pair(&l, "ts", LS(now));
	put_pair(&l, "level", LS(names[level & 3]));
	put_pair(&l, "pid", LI(getpid()));
	put_pair(&l, "room", LS(room));
	put_pair(&l, "msg", LS(msg));
	va_start(ap, msg);
	while ((key = va_arg(ap, const char *)))
		put_pair(&l, key, va_arg(ap, struct log_value));
	va_end(ap);
	put(&l, "}\n", 2);
	while (write(STDERR_FILENO, l.p, l.n) < 0 && errno == EINTR)
		;
	errno = saved;
}
