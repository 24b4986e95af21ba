/*
 * store_reader.c - a few reading handles, opened when first needed, borrowed for one statement set.
 *
 * A statement left open would pin the WAL, so nothing is ever streamed from a cursor to the outside.
 */
#include <stdlib.h>

#include "db/store_priv.h"

static enum err reader_open(struct store *s, struct dbh **out)
{
	struct dbh *h = calloc(1, sizeof *h);
	if (!h)
		return ERR_NOMEM;
	enum err e = store_handle(s, false, &h->db);
	if (e) {
		free(h);
		return e;
	}
	*out = h;
	return ERR_OK;
}

/* With rmu held: a free place, preferring one that is open already; -1 if none. */
static int place(const struct store *s)
{
	int empty = -1;
	for (int i = 0; i < s->readers; i++) {
		if (!s->reader_busy[i] && s->reader[i])
			return i;
		if (!s->reader_busy[i] && empty < 0)
			empty = i;
	}
	return empty;
}

/* h: what stands in place i from now on, NULL if it could not be opened. */
static void place_free(struct store *s, int i, struct dbh *h)
{
	s->reader[i] = h;
	s->reader_busy[i] = false;
	pthread_cond_signal(&s->rfree);
}

enum err reader_take(struct store *s, struct dbh **out)
{
	if (s->once) {
		*out = store_lead(s);
		return ERR_OK;
	}
	int i;
	pthread_mutex_lock(&s->rmu);
	while ((i = place(s)) < 0)
		pthread_cond_wait(&s->rfree, &s->rmu);
	s->reader_busy[i] = true;
	*out = s->reader[i];
	pthread_mutex_unlock(&s->rmu);
	enum err e = *out ? ERR_OK : reader_open(s, out);
	pthread_mutex_lock(&s->rmu);
	if (e)
		place_free(s, i, NULL);
	else
		s->reader[i] = *out;
	pthread_mutex_unlock(&s->rmu);
	return e;
}

void reader_give(struct store *s, struct dbh *h)
{
	if (s->once) {
		store_follow(s);
		return;
	}
	pthread_mutex_lock(&s->rmu);
	for (int i = 0; i < s->readers; i++)
		if (s->reader[i] == h)
			place_free(s, i, h);
	pthread_mutex_unlock(&s->rmu);
}

void readers_close(struct store *s)
{
	for (int i = 0; i < s->readers; i++) {
		if (!s->reader[i])
			continue;
		dbh_close(s->reader[i]);
		free(s->reader[i]);
	}
}
