/* clock.c - the two clocks, and dates written from tables of our own because strftime follows the locale. */
#include "base/clock.h"

#include <string.h>
#include <time.h>

/* The last second of year 9999: later times are written as this one, so that every date has its fixed length. */
#define LAST INT64_C(253402300799)

static int64_t shift;   /* set once at start, read by all threads */

static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

int64_t clock_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (ts.tv_sec + __atomic_load_n(&shift, __ATOMIC_RELAXED)) * INT64_C(1000) + ts.tv_nsec / 1000000;
}

int64_t clock_now(void)
{
	return clock_now_ms() / 1000;
}

int64_t clock_mono_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

void clock_shift(int64_t seconds)
{
	__atomic_store_n(&shift, seconds, __ATOMIC_RELAXED);
}

static struct tm split(int64_t t)
{
	time_t when = t < 0 ? 0 : t > LAST ? LAST : t;
	struct tm tm;

	gmtime_r(&when, &tm);
	return tm;
}

static char *put_digits(char *p, int v, int width)
{
	for (int i = width - 1; i >= 0; i--, v /= 10)
		p[i] = (char)('0' + v % 10);
	return p + width;
}

static char *put_time(char *p, const struct tm *tm)
{
	p = stpcpy(put_digits(p, tm->tm_hour, 2), ":");
	p = stpcpy(put_digits(p, tm->tm_min, 2), ":");
	return put_digits(p, tm->tm_sec, 2);
}

void clock_http(int64_t t, char out[CLOCK_HTTP_LEN])
{
	struct tm tm = split(t);
	char *p = stpcpy(stpcpy(out, days[tm.tm_wday]), ", ");

	p = stpcpy(put_digits(p, tm.tm_mday, 2), " ");
	p = stpcpy(stpcpy(p, months[tm.tm_mon]), " ");
	p = stpcpy(put_digits(p, tm.tm_year + 1900, 4), " ");
	stpcpy(put_time(p, &tm), " GMT");
}

static int get_digits(const char *s, int n)
{
	int v = 0;

	for (; n; n--, s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (*s - '0');
	}
	return v;
}

int64_t clock_http_parse(const char *s)
{
	struct tm tm = {0};
	char again[CLOCK_HTTP_LEN];
	int64_t t;

	if (!s || strlen(s) != CLOCK_HTTP_LEN - 1)
		return 0;
	while (tm.tm_mon < 12 && strncmp(s + 8, months[tm.tm_mon], 3) != 0)
		tm.tm_mon++;
	tm.tm_mday = get_digits(s + 5, 2);
	tm.tm_year = get_digits(s + 12, 4) - 1900;
	tm.tm_hour = get_digits(s + 17, 2);
	tm.tm_min = get_digits(s + 20, 2);
	tm.tm_sec = get_digits(s + 23, 2);
	t = timegm(&tm);
	/* Whatever is wrong (a separator, the 31st of February, the day's name) shows when the result is written again. */
	clock_http(t, again);
	return t >= 0 && strcmp(s, again) == 0 ? t : 0;
}

void clock_iso(int64_t ms, char out[CLOCK_ISO_LEN])
{
	struct tm tm = split(ms / 1000);
	char *p = stpcpy(put_digits(out, tm.tm_year + 1900, 4), "-");

	p = stpcpy(put_digits(p, tm.tm_mon + 1, 2), "-");
	p = stpcpy(put_digits(p, tm.tm_mday, 2), "T");
	p = stpcpy(put_time(p, &tm), ".");
	stpcpy(put_digits(p, ms < 0 ? 0 : (int)(ms % 1000), 3), "Z");
}
