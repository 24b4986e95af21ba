/*
 * pour.c - the one loop that moves bytes from a body to the disk.
 *
 * Order is everything: bytes are written, synced, and only then published. What a cut body, a full disk or a newcomer leaves behind is a number.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "upload/upload_priv.h"

#define FIRST_BUFFER 8192
#define TIMED_A_SECOND 100

/* At most TIMED_A_SECOND timed publications a second a process, so that a thousand slow clients do not turn into a thousand syncs a second. */
static bool timed_budget(void)
{
	static int64_t second;
	static int64_t used;
	int64_t now = clock_mono_us() / 1000000;
	if (__atomic_exchange_n(&second, now, __ATOMIC_RELAXED) != now)
		__atomic_store_n(&used, 0, __ATOMIC_RELAXED);
	return __atomic_add_fetch(&used, 1, __ATOMIC_RELAXED) <= TIMED_A_SECOND;
}

struct flow {
	const struct pour *p;
	struct poured *out;
	unsigned char *buf;
	size_t size;                /* of buf now: small bodies never pay for a large one */
	int64_t synced, published;  /* of out->stored */
	bool sync_failed;           /* what was not synced then counts as lost */
	int64_t published_us;
	int64_t looked;             /* at the free space */
};

static enum err flow_sync(struct flow *f)
{
	if (f->synced == f->out->stored)
		return ERR_OK;
	/* Never a second time: the kernel calls the lost pages clean and would say yes. The client sends the bytes again, and they are written again. */
	enum err e = f->sync_failed ? ERR_INTERNAL : blob_sync(f->p->fd);
	f->sync_failed = e != ERR_OK;
	if (!e)
		f->synced = f->out->stored;
	return e;
}

static enum err flow_publish(struct flow *f)
{
	const struct pour *p = f->p;
	/* The last byte is published by the one who completes the upload. */
	if (!p->publish || f->out->stored >= p->room)
		return ERR_OK;
	int64_t ms = (clock_mono_us() - f->published_us) / 1000;
	int64_t fresh = f->out->stored - f->published;
	if (!plan_publish(fresh, ms, false) && !(plan_publish(fresh, ms, true) && timed_budget()))
		return ERR_OK;
	enum err e = flow_sync(f);
	if (!e)
		e = p->publish(p->arg, f->out->stored);
	f->published = f->out->stored;
	f->published_us = clock_mono_us();
	f->looked = SPACE_UNSEEN;
	return e;
}

static void flow_grow(struct flow *f)
{
	if (f->size >= f->p->buffer)
		return;
	unsigned char *bigger = realloc(f->buf, f->p->buffer);
	if (!bigger)
		return;
	f->buf = bigger;
	f->size = f->p->buffer;
}

static bool flow_wanted(struct flow *f)
{
	int64_t offset;
	if (!f->p->hold || !hold_wanted(f->p->hold, &offset))
		return false;
	f->out->displaced = true;
	f->out->leave_row = offset == f->p->row_offset + f->published;
	return true;
}

/* One read and one write; false when the body is over in any way. */
static bool flow_step(struct flow *f)
{
	const struct pour *p = f->p;
	int64_t left = p->room - f->out->stored;
	size_t want = left <= 0 ? 1 : left < (int64_t)f->size ? (size_t)left : f->size;
	ssize_t got = p->body->read(p->body, f->buf, want);
	if (got <= 0) {
		f->out->cut = got < 0 || p->body->taken < p->body->length;
		f->out->proven = p->body->complete;
		return false;
	}
	if (left <= 0) {
		f->out->over = true;
		return false;
	}
	f->out->err = p->reserved ? ERR_OK : space_look(p->h, &f->looked, f->out->stored);
	if (f->out->err)
		return false;
	size_t written = 0;
	f->out->err = blob_write(p->fd, f->buf, (size_t)got, p->at + f->out->stored, &written);
	f->out->stored += (int64_t)written;
	if (p->check)
		digest_check_add(p->check, f->buf, written);
	if (!f->out->err)
		f->out->err = flow_publish(f);
	if ((size_t)got == f->size)
		flow_grow(f);
	return !f->out->err;
}

void pour_body(const struct pour *p, struct poured *out)
{
	*out = (struct poured){0};
	struct flow f = {.p = p, .out = out, .size = FIRST_BUFFER, .published_us = clock_mono_us(), .looked = SPACE_UNSEEN};
	f.buf = malloc(f.size);
	if (!f.buf) {
		out->err = ERR_NOMEM;
		return;
	}
	while (!flow_wanted(&f) && flow_step(&f))
		;
	flow_wanted(&f);
	free(f.buf);
	enum err e = flow_sync(&f);
	if (e) {
		/* Unsynced bytes do not count. */
		out->stored = f.synced;
		out->err = out->err ? out->err : e;
	}
}
