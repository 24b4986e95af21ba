/*
 * upload.c - the rules for growing one upload.
 */
#include "model/upload.h"

#include <stddef.h>

#define PUBLISH_BYTES (8 << 20)
#define PUBLISH_TIMED_MS 2000
#define PUBLISH_TIMED_BYTES (256 << 10)
#define PUBLISH_LATEST_MS 30000

static enum err plan_length(const struct upload *u, const struct append_cmd *cmd, struct append_plan *plan)
{
	plan->set_length = false;
	plan->length = u->length;
	if (cmd->length == LENGTH_UNKNOWN || cmd->length == u->length)
		return ERR_OK;
	if (u->length != LENGTH_UNKNOWN || cmd->length < u->offset)
		return ERR_INVALID;
	if (cmd->length > cmd->max_size)
		return ERR_TOO_LARGE;
	plan->set_length = true;
	plan->length = cmd->length;
	return ERR_OK;
}

enum err plan_takes(const struct upload *u)
{
	if (u->state == UPLOAD_GONE)
		return ERR_GONE;
	return u->concat == CONCAT_FINAL ? ERR_FORBIDDEN : ERR_OK;
}

enum err plan_append(const struct upload *u, const struct append_cmd *cmd, struct append_plan *plan)
{
	enum err e = plan_takes(u);
	if (!e && cmd->offset != u->offset)
		e = ERR_OFFSET;
	if (!e)
		e = plan_length(u, cmd, plan);
	if (e)
		return e;
	plan->at = u->base + u->offset;
	plan->room = (plan->length == LENGTH_UNKNOWN ? cmd->max_size : plan->length) - u->offset;
	if (plan->room < 0)
		plan->room = 0;
	if (cmd->max_body > 0 && cmd->max_body < plan->room)
		plan->room = cmd->max_body;
	return cmd->body > plan->room ? ERR_TOO_LARGE : ERR_OK;
}

int64_t plan_sum(int64_t a, int64_t b)
{
	if (a == LENGTH_UNKNOWN || b == LENGTH_UNKNOWN)
		return LENGTH_UNKNOWN;
	return b > INT64_MAX - a ? INT64_MAX : a + b;
}

enum err plan_create(int64_t length, int64_t max_size)
{
	return length > max_size ? ERR_TOO_LARGE : ERR_OK;
}

bool plan_publish(int64_t new_bytes, int64_t ms, bool budget)
{
	if (new_bytes <= 0)
		return false;
	if (new_bytes >= PUBLISH_BYTES || ms >= PUBLISH_LATEST_MS)
		return true;
	return budget && ms >= PUBLISH_TIMED_MS && new_bytes >= PUBLISH_TIMED_BYTES;
}

int64_t plan_expiry(int64_t now, int64_t ttl, int64_t old)
{
	if (ttl <= 0)
		return 0;
	return now + ttl - old < ttl / 10 ? old : now + ttl;
}
