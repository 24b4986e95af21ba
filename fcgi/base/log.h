/*
 * log.h - one JSON line an event, to stderr, written by one write() so that lines of several processes never mix.
 *
 *   log_event(LOG_WARN, "store", "commit failed", "code", LS("SQLITE_FULL"), "rows", LI(3), NULL);
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_kind { LOG_STR, LOG_INT };
struct log_value {
	enum log_kind kind;
	const char *s;
	int64_t i;
};
#define LS(str) ((struct log_value){LOG_STR, (str), 0})
#define LI(num) ((struct log_value){LOG_INT, 0, (num)})

void log_level_set(enum log_level least);
/* f is told of every event from now on, also of those below the least level (metrics count lines with it). */
void log_watch(void (*f)(enum log_level level, void *arg), void *arg);
/* Pairs of const char *key, struct log_value; ends with a NULL key. Control characters and bad UTF-8 are escaped. A line is
 * at most 8 KiB; longer values are cut. Keys ts, level, pid, room, msg are written first. */
void log_event(enum log_level level, const char *room, const char *msg, ...);

#endif
