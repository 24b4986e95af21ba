/*
 * event.c - names of events, and the waiting between deliveries.
 */
#include "model/event.h"

#include <stddef.h>

#include "base/text.h"

#define FIRST_MS 1000
#define DOUBLINGS_MAX 20

static const char *const names[EVENT__KINDS] = {
	[EVENT_NONE] = "none", [EVENT_CREATED] = "created", [EVENT_RESUMED] = "resumed", [EVENT_INTERRUPTED] = "interrupted",
	[EVENT_COMPLETED] = "completed", [EVENT_RECOVERED] = "recovered", [EVENT_EXPIRED] = "expired", [EVENT_DELETED] = "deleted",
	[EVENT_REJECTED] = "rejected",
};

const char *event_name(enum event_kind kind)
{
	return kind > EVENT_NONE && kind < EVENT__KINDS ? names[kind] : names[EVENT_NONE];
}

enum event_kind event_named(const char *name)
{
	for (int k = EVENT_CREATED; k < EVENT__KINDS; k++)
		if (text_eq(names[k], name))
			return (enum event_kind)k;
	return EVENT_NONE;
}

int64_t plan_event_retry(int64_t tries, uint32_t random)
{
	int64_t ms = FIRST_MS;
	for (int64_t i = 1; i < tries && i < DOUBLINGS_MAX; i++)
		ms *= 2;
	if (ms > EVENT_RETRY_MAX_MS)
		ms = EVENT_RETRY_MAX_MS;
	return ms - ms / 4 * (random % 1024) / 1024;
}
