/*
 * test_slots.c - where a recording's bytes lie must not show: scripts of requests against a simple model that only knows contents.
 *
 * The model holds, for each take, which version of each chunk is there and how long it is. After every step the server must say the same, and in the
 * end each finished file must be the chunks one after the other, byte by byte, with nothing left over on the disk. A table names the cases; random
 * scripts with fixed seeds look for those that nobody thought of.
 *
 * Steps, separated by ';'. v: version (contents), t: total_chunks, z: declared chunkSize; N bytes of chunk I:
 *   c I N [v= t= z=]        tus creation; N may be ? (length deferred)
 *   p I N [cut= len= pc=]   PATCH of the next N bytes, of which cut come; len: Upload-Length; pc: bytes a read
 *   f I N [v= t= o cut=]    the fallback; o: the file before its fields
 *   d I                     DELETE of a chunk        D  cancel the session
 *   e [t= m]                /recording/complete; m: of the manual upload        a  assemble
 *   r                       two days later the reaper comes                     x  the process is replaced
 *   k N                     N complete chunks of the newest take must be parked (or anything if N is negative)
 */
#include "slots_check.h"

static int setup(void **state)
{
	streams_fill();
	*state = kit_env(NULL);
	return 0;
}

static int teardown(void **state)
{
	kit_done(*state);
	return 0;
}

/* ---- the table ---- */

static const struct { const char *title, *script; } table[] = {
	/* placed */
	{"live, in order: a rename", "f 0 100; f 1 200; f 2 1; k 0; e"},
	{"live, long chunks", "f 0 70000; f 1 66000; f 2 65536; f 3 65537; k 0; e"},
	{"live, an empty chunk between", "f 0 10; f 1 0; f 2 10; k 0; e"},
	{"live, only an empty chunk", "f 0 0; e"},
	{"tus, in order", "c 0 100; p 0 100; c 1 50; p 1 20; p 1 30; k 0; e"},
	{"tus, created first, filled in any order", "c 0 100; c 1 50; c 2 70; p 2 70; p 0 100; p 1 50; k 0; e"},
	{"tus, with a total: finishes by itself", "c 0 100 t=2; p 0 100; c 1 50 t=2; p 1 50"},
	{"tus, with a total, in any order", "c 2 30 t=3; c 0 10 t=3; c 1 20 t=3; p 1 20; p 2 30; k 1; p 0 10"},
	{"tus, declared size: any order is placed", "c 3 40 t=4 z=100; c 1 100 t=4; c 2 100 t=4; c 0 100 t=4; p 3 40; p 2 100; p 1 100; k 0; p 0 100"},
	{"tus, declared size without a total", "c 1 100 z=100; p 1 100; c 0 100; p 0 100; k 0; e"},
	{"tus, declared size, wrong in the middle", "c 0 100 z=100; p 0 100; c 1 60; p 1 60; c 2 100; p 2 100; k 1; e"},
	{"tus, declared size, longer than declared", "c 0 150 z=100; p 0 150; c 1 100; p 1 100; k 1; e"},
	{"tus, declared size, empty last", "c 0 100 z=100 t=2; p 0 100; c 1 0 t=2"},
	{"tus, body in small reads", "c 0 3000; p 0 3000 pc=7; c 1 70000; p 1 70000 pc=1000; k 0; e"},
	{"manual with a total", "f 0 70000 t=3; f 1 70000 t=3; f 2 100 t=3"},
	{"manual, file first", "f 0 70000 t=3 o; f 1 100 t=3 o; f 2 100 t=3 o"},
	/* out of order */
	{"the second comes first", "f 1 100; f 0 200; f 2 300; k 1; e"},
	{"backwards", "f 3 10; f 2 20; f 1 30; f 0 40; k 3; e"},
	{"backwards, long", "f 2 70000; f 1 80000; f 0 90000; e"},
	{"one came early, the rest in order", "f 0 10; f 3 40; f 1 20; f 2 30; f 4 50; k 1; e"},
	{"several came early", "f 5 10; f 3 20; f 0 30; f 1 40; f 4 50; f 2 60; f 6 70; e"},
	{"manual, last first", "f 2 30 t=3; f 1 70000 t=3; f 0 10 t=3"},
	{"tus after a hole by the fallback", "f 1 100; c 0 70; p 0 70; c 2 5; p 2 5; k 1; e"},
	/* open-ended */
	{"open-ended at the frontier", "c 0 ?; p 0 30; p 0 40; p 0 0 len=70; k 0; c 1 5; p 1 5; k 0; e"},
	{"open-ended, others come meanwhile", "c 0 ?; p 0 30; f 1 500; f 2 10; p 0 70000; p 0 1 len=70031; k 2; f 3 9; k 2; e"},
	{"open-ended, its length comes before its end", "c 0 ?; p 0 10; p 0 10 len=50; f 1 100; k 0; p 0 30; f 2 10; e"},
	{"open-ended, length with the last bytes", "c 0 ?; p 0 10; p 0 90 len=100; f 1 7; k 0; e"},
	{"open-ended and empty", "c 0 ?; p 0 0 len=0; f 1 7; k 0; e"},
	{"open-ended behind the frontier", "f 0 10; c 2 ?; p 2 50; f 1 20; p 2 10 len=60; f 3 5; e"},
	{"two open-ended ones", "c 0 ?; c 1 ?; p 1 40; p 0 20; p 1 0 len=40; p 0 0 len=20; e"},
	{"open-ended, replaced by the fallback", "c 0 ?; p 0 30; f 0 100 v=2; f 1 10; k 0; e"},
	{"open-ended, replaced by a longer fallback", "c 0 ?; p 0 30; f 1 10; f 0 90000 v=2; e"},
	{"open-ended, given up", "c 0 ?; p 0 30; d 0; f 0 10 v=2; f 1 10; k 0; e"},
	{"a long fallback cut in its slot, then tried again", "f 0 10; f 1 90000 cut=80000; f 1 90000; f 2 10; k 0; e"},
	{"a long fallback cut, then shorter", "f 0 90000 cut=80000 v=2; f 0 100; f 1 10; k 0; e"},
	{"a short fallback cut", "f 0 1000 cut=500; f 0 1000; e"},
	{"file first, cut", "f 0 90000 o cut=80000; f 0 90000 v=1 o; e"},
	{"an open-ended one with another kind's fallback", "c 0 ?; p 0 10; f 0 500 t=2; f 1 500 t=2"},
	/* unfinished ones again */
	{"cut and resumed", "c 0 1000; p 0 1000 cut=300; p 0 700 cut=0; p 0 700; e"},
	{"cut and resumed, long", "c 0 130000; p 0 130000 cut=100001; p 0 29999 cut=1; p 0 29998; f 1 3; k 0; e"},
	{"again from the beginning, same length", "c 0 100; p 0 60; c 0 100 v=2; p 0 100; f 1 10; k 0; e"},
	{"again, longer at the tip", "c 0 100; p 0 60; c 0 200 v=2; p 0 200; f 1 10; k 0; e"},
	{"again, shorter at the tip", "c 0 100; p 0 60; c 0 50 v=2; p 0 50; f 1 10; k 0; e"},
	{"again, longer below the tip", "c 0 100; p 0 60; f 1 10; c 0 200 v=2; p 0 200; f 2 10; k 1; e"},
	{"again, shorter below the tip", "c 0 100; p 0 60; f 1 10; c 0 50 v=2; p 0 50; f 2 10; k 1; e"},
	{"again, same length below the tip", "c 0 100; p 0 60; f 1 10; c 0 100 v=2; p 0 100; f 2 10; k 0; e"},
	{"again, length unknown", "c 0 100; p 0 60; c 0 ? v=2; p 0 300; p 0 0 len=300; f 1 10; k 0; e"},
	{"again, parked", "c 1 100; p 1 60; c 1 200 v=2; p 1 200; f 0 10; k 1; e"},
	{"the fallback replaces a half", "c 0 100; p 0 60; f 0 100 v=2; f 1 10; k 0; e"},
	{"the fallback replaces a half, longer", "c 0 100; p 0 60; f 1 10; f 0 70000 v=2; e"},
	{"the fallback replaces a half, file first", "c 0 100; p 0 60; f 0 70000 v=2 o; f 1 10; e"},
	{"a half is given up, then sent", "c 0 100; p 0 60; f 1 10; d 0; f 0 100 v=1; e"},
	{"a half is given up, then longer", "c 0 100; p 0 60; f 1 10; d 0; f 0 70000 v=1; e"},
	{"a half is given up and sent by tus", "f 0 5; c 1 100; p 1 60; d 1; c 1 100 v=1; p 1 100; f 2 1; e"},
	{"a half of a parked one is given up", "c 1 100; p 1 60; d 1; f 0 10; e"},
	/* complete ones again */
	{"the same bytes again", "f 0 100; f 0 100; f 1 10; k 0; e"},
	{"the same long bytes again", "f 0 70000; f 0 70000; f 0 70000 o; f 1 10; k 0; e"},
	{"the same by tus", "f 0 100; c 0 100; p 0 40; p 0 60; f 1 10; k 0; e"},
	{"other bytes, same length", "f 0 100; f 0 100 v=2; f 1 10; k 1; e"},
	{"other bytes that begin alike", "f 0 100; f 0 100 v=1; f 1 10; k 1; e"},
	{"other bytes, longer", "f 0 100; f 1 10; f 0 300 v=2; f 2 10; k 1; e"},
	{"other bytes, shorter", "f 0 100; f 1 10; f 0 30 v=2; f 2 10; k 1; e"},
	{"longer with the same beginning", "f 0 100; f 0 200; f 1 10; e"},
	{"shorter with the same beginning", "f 0 200; f 0 100; f 1 10; e"},
	{"to empty and back", "f 0 200; f 0 0; f 1 10; f 0 5; e"},
	{"empty, and empty again", "f 0 0; f 0 0; f 0 0 o; c 0 0; f 2 0; f 2 0; c 2 0; f 1 5; e; f 0 0; c 2 0"},
	{"replaced twice", "f 0 100; f 0 200 v=2; f 0 300 v=1; f 1 1; k 1; e"},
	{"replaced and put back", "f 0 100; f 1 10; f 0 200 v=2; f 0 100; e"},
	{"replaced, long", "f 0 70000; f 1 70000; f 0 80000 v=2; f 1 66000 v=2 o; f 2 70000; e"},
	{"other bytes by tus", "f 0 100; f 1 10; c 0 150 v=2; p 0 150; k 1; e"},
	{"other bytes by tus, half: the complete ones count", "f 0 100; f 1 10; c 0 150 v=2; p 0 70; e"},
	{"a complete chunk sent from the start", "c 0 100; p 0 100; p 0 100; p 0 50; e"},
	{"the last of a declared size replaced", "c 0 100 z=100 t=3; p 0 100; c 1 100; p 1 100; f 0 100 v=2; c 2 10; p 2 10"},
	/* takes */
	{"live, then the manual upload of the same session", "f 0 100; f 1 100; f 0 5000 v=2 t=2; f 1 10 v=2 t=2; e"},
	{"manual first, then live", "f 0 5000 v=2 t=2; f 0 100; f 1 10 v=2 t=2; f 1 20; e; e m"},
	{"live finished, manual after it, both named", "f 0 100; f 1 100; e; f 0 70000 v=2 t=2; f 1 7 v=2 t=2; e m; e"},
	{"a manual upload with another total", "f 0 10 t=2; f 0 10 v=2 t=3; f 1 10 v=2 t=3; f 2 10 v=2 t=3; f 1 10 t=2"},
	{"tus, then live chunks: one take", "c 0 100; p 0 100; f 1 10; k 0; e"},
	{"tus, then manual with a total: one take", "c 0 100; p 0 100; f 1 10 t=2"},
	{"live, then tus: one take", "f 0 10; c 1 20; p 1 20; e"},
	{"a total that is too small", "f 0 10; f 1 10; f 2 10; c 0 10 t=2; e"},
	{"a total below what is under way", "c 2 10; f 0 5 t=2; p 2 10; e t=3; f 1 9; e t=3"},
	{"two totals by tus", "c 0 10 t=3; c 1 10 t=4; p 0 10; c 1 10 t=3; c 5 1; p 1 10; f 2 10"},
	{"a tus chunk beyond the manual upload's total", "f 0 10; f 0 10 v=2 t=2; c 5 30; p 5 30; f 1 10; f 1 10 v=2 t=2; e m"},
	/* completion */
	{"not whole, then whole", "f 0 10; f 2 10; e; f 1 10; e"},
	{"the client knows of more", "f 0 10; f 1 10; e t=3; f 2 10; e t=3"},
	{"the client knows of less", "f 0 10; f 1 10; e t=1; e"},
	{"a half counts as missing while no total is known", "f 0 10; c 1 10; p 1 5; e; p 1 5; e"},
	{"an unbegun half does not", "f 0 10; c 1 10; e"},
	{"a half beyond the given total does not", "f 0 10; c 1 10; p 1 5; e t=1"},
	{"twice, and renamed", "f 0 10; e; e; e"},
	{"renamed after it finished by itself", "f 0 10 t=1; e m; e m"},
	{"assembled, then completed", "f 0 10; f 1 10; a; a; e"},
	{"assembled too early", "f 1 10; a; f 0 10; a"},
	{"nothing", "e; a; D; p 0 1; d 0"},
	/* late */
	{"a late chunk", "f 0 100; f 1 200; e; f 2 300; e"},
	{"late chunks, then others late", "f 0 100; e; f 1 70000; f 2 10; e; c 3 5; p 3 5; e"},
	{"a late chunk out of order", "f 0 100; e; f 2 70000; e; f 1 10; e"},
	{"a late chunk, never completed again", "f 0 100; e; f 1 10"},
	{"a late chunk, then cancelled: the finished file stays", "f 0 100; e; f 1 10; D"},
	{"a late chunk replaces an old one", "f 0 100; f 1 50; e; f 2 10; f 0 70 v=2; e"},
	{"a late chunk of a joined recording", "f 1 100; f 0 200; e; f 2 300; k 0; e"},
	{"a known chunk, the same", "f 0 100; f 1 10; e; f 0 100; f 1 10; f 0 100 o"},
	{"a known chunk, other bytes: a new take", "f 0 100; f 1 10; e; f 0 100 v=2; f 1 20 v=2; e"},
	{"a known chunk by tus, the same", "f 0 100; e; c 0 100; p 0 30; p 0 70; e"},
	{"a known chunk by tus, other bytes", "f 0 100; f 1 10; e; c 0 100 v=2; p 0 100; c 1 5 v=2; p 1 5; e"},
	{"a known chunk of a manual upload, other bytes", "f 0 10 t=2; f 1 10 t=2; f 1 10 v=2 t=2; f 0 10 v=2 t=2"},
	{"beyond the bound total", "f 0 10 t=1; f 1 10 t=1; c 1 10; c 0 10 t=1; p 0 10"},
	{"a half when it was completed is gone", "f 0 10; c 1 10; e; p 1 10; c 1 10; p 1 10; e"},
	{"a declared size ends with a join", "c 0 500 z=100; p 0 500; e; f 1 100; f 2 100; e"},
	/* cancelling */
	{"cancelled", "f 0 100; c 1 70; p 1 30; f 3 70000; D; D"},
	{"cancelled, then begun again", "f 0 100; D; f 0 50 v=2; e"},
	{"cancelled, then begun again by tus", "f 0 100; D; c 0 50 v=2; p 0 50; e"},
	{"a finished one is not cancelled", "f 0 100; e; D"},
	{"only what is unfinished is cancelled", "f 0 100; e; f 0 10 v=2 t=2; D; e"},
	{"an older take goes on by tus after a cancelled one", "f 0 100; e; f 0 10 v=2 t=2; D; c 1 30; p 1 30; e"},
	/* the reaper */
	{"an empty session is dropped", "c 0 100; r; c 0 100; p 0 100; e"},
	{"a half only is dropped", "c 0 100; p 0 50; r; p 0 50; f 0 10; e"},
	{"contiguous chunks are recovered", "f 0 100; f 1 70000; r"},
	{"recovered, then completed", "f 0 100; f 1 10; r; e"},
	{"recovered, then more, then completed", "f 0 100; f 1 10; r; f 2 30; e"},
	{"recovered, then more, then recovered again", "f 0 100; r; f 1 10; r; f 2 70000; e"},
	{"recovered below a bound total, then whole", "f 0 10 t=3; f 1 10 t=3; r; f 2 10 t=3; e m"},
	{"recovered: the client knows of more", "f 0 10; f 1 10; r; e t=3; f 2 5; e t=3"},
	{"recovered, the same chunk again", "f 0 100; f 1 10; r; f 1 10; e"},
	{"recovered, another chunk: a new take", "f 0 100; f 1 10; r; f 0 10 v=2; r"},
	{"recovered from parked ones", "f 1 10; f 0 20; r; f 2 30; e"},
	{"recovered with a half behind", "f 0 10; c 1 100; p 1 50; r; c 1 100 v=2; p 1 100; e"},
	{"recovered while a longer slot was given", "c 0 100; p 0 100; c 1 500; r; f 1 20; f 2 30; e"},
	{"holes: its runs are offered", "f 0 10; f 2 70000; f 3 5; r"},
	{"holes: a replaced chunk is offered too", "f 0 10; f 2 70000; f 3 5; r; f 3 5 v=2; r; f 0 11; r; f 5 1; r"},
	{"holes, then filled", "f 0 10; f 2 10; r; f 1 10; e"},
	{"holes, offered, filled, late", "f 0 10; f 2 10; r; f 1 10; e; f 3 5; e"},
	{"holes, offered once", "f 0 10; f 2 10; r; r"},
	{"holes, then cancelled: what was offered stays", "f 1 10; f 3 10; r; D"},
	{"two takes with the same hole", "f 1 10; f 1 10 v=2 t=3; r; r"},
	{"two takes past their time", "f 0 10; f 0 20 v=2 t=3; r"},
	/* processes */
	{"another process goes on", "f 0 10; c 1 100; p 1 40; x; p 1 60; f 2 70000; x; e; x; f 3 5; x; e"},
	{"a long live chunk at the frontier of a manual upload", "f 0 10 t=3 v=2; f 1 70000; f 0 10; e; f 1 70000 t=3 v=2; f 2 5 t=3 v=2"},
	{"the same, cut", "f 0 10 t=3 v=2; f 1 90000 cut=80000; f 1 70000 t=3 v=2; f 2 5 t=3 v=2"},
	/* a manual upload whose slots are all given */
	{"a long live chunk is not judged by the manual upload's total",
		"f 0 10 t=2 v=2; c 1 10; f 2 70000; f 0 10; f 1 10; e; p 1 10"},
};

static void scripts(void **state)
{
	struct world w;
	int failures = 0;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		char copy[1024], *rest = NULL;
		world_begin(&w, *state, table[i].title, (int)i, true);
		snprintf(copy, sizeof copy, "%s", table[i].script);
		for (char *step = strtok_r(copy, ";", &rest); step; step = strtok_r(NULL, ";", &rest))
			run_step(&w, step + strspn(step, " "));
		world_end(&w);
	}
	assert_int_equal(failures, 0);
}

/* ---- random scripts ---- */

static uint32_t dice_state;

static uint32_t dice(uint32_t n)
{
	dice_state ^= dice_state << 13;
	dice_state ^= dice_state >> 17;
	dice_state ^= dice_state << 5;
	return dice_state % n;
}

static int64_t dice_length(void)
{
	static const int64_t lengths[] = {0, 1, 2, 49, 50, 51, 100, 100, 100, 300, 1000, 4096, 65535, 65536, 65537, 70000, 90000};
	return lengths[dice(dice(3) ? 12 : 17)];
}

static int dice_index(struct world *w)
{
	struct take *t = newest_living(w);
	return t && dice(2) ? top_of(t) % 6 : (int)dice(6);
}

static void random_create(struct world *w, char *out, size_t n)
{
	int idx = dice_index(w), at;
	int64_t length = dice_length();
	if (dice(5))
		at = snprintf(out, n, "c %d %lld v=%u", idx, (long long)length, dice(3));
	else
		at = snprintf(out, n, "c %d ? v=%u", idx, dice(3));
	if (dice(6) == 0)
		at += snprintf(out + at, n - (size_t)at, " t=%u", 3 + dice(4));
	if (dice(4) == 0 && w->n == 0)
		snprintf(out + at, n - (size_t)at, " z=100");
}

/* Mostly for a chunk that is under way. */
static void random_patch(struct world *w, char *out, size_t n)
{
	struct take *t = newest_living(w);
	int idx = dice_index(w);
	for (int i = 0; t && i < 6 && !t->half[idx].there; i++)
		idx = (idx + 1) % 6;
	const struct half *h = t ? &t->half[idx] : NULL;
	if (!h || !h->there) {
		snprintf(out, n, "p %d %lld", idx, t && t->chunk[idx].there ? (long long)(t->chunk[idx].n ? 1 + dice((uint32_t)t->chunk[idx].n) : 0) : 1LL);
		return;
	}
	int64_t left = h->length < 0 ? dice_length() % 40000 : h->length - h->offset;
	if (h->length < 0 && h->offset > 90000)
		left = 0;
	int64_t some = dice(3) || left == 0 ? left : dice((uint32_t)left);
	int at = snprintf(out, n, "p %d %lld", idx, (long long)some);
	if (h->length < 0 && dice(2))
		snprintf(out + at, n - (size_t)at, " len=%lld", (long long)(h->offset + some + (dice(3) ? 0 : 7)));
	else if (some > 1 && dice(5) == 0)
		snprintf(out + at, n - (size_t)at, " cut=%u", dice((uint32_t)some));
	else if (dice(8) == 0)
		snprintf(out + at, n - (size_t)at, " pc=%u", 1 + dice(5000));
}

static void random_fallback(struct world *w, char *out, size_t n)
{
	bool reopen;
	int idx = dice_index(w);
	int64_t length = dice_length();
	uint32_t t = dice(4) == 0 ? 3 + dice(3) : 0;
	int at = snprintf(out, n, "f %d %lld v=%u", idx, (long long)length, dice(3));
	struct take *take = take_of(w, t ? SESSION_MANUAL : SESSION_LIVE, t, idx, &reopen);
	/* Where it would bind a total that the model could only know by knowing slots, nothing is cut. */
	if (length > 1 && dice(8) == 0 && (t == 0 || (take && take->total > 0)) && (take || length < SMALL))
		at += snprintf(out + at, n - (size_t)at, " cut=%u", dice((uint32_t)length));
	if (t && idx < (int)t)
		at += snprintf(out + at, n - (size_t)at, " t=%u", t);
	if (dice(3) == 0)
		snprintf(out + at, n - (size_t)at, " o");
}

static void random_step(struct world *w, char *out, size_t n)
{
	uint32_t d = dice(100);
	if (d < 22)
		random_create(w, out, n);
	else if (d < 52)
		random_patch(w, out, n);
	else if (d < 82)
		random_fallback(w, out, n);
	else if (d < 85)
		snprintf(out, n, "d %d", dice_index(w));
	else if (d < 95)
		snprintf(out, n, "e%s%s", dice(4) ? "" : " t=4", dice(3) ? "" : " m");
	else if (d < 97)
		snprintf(out, n, "a");
	else
		snprintf(out, n, w->shift < 3 * TWO_DAYS && d < 99 ? "r" : dice(4) ? "a" : "D");
}

/* Fills what is missing of every take that can be reached, and completes it. */
static void fill_up(struct world *w)
{
	char text[100];
	bool reopen;
	for (int i = w->n - 1; i >= 0; i--) {
		struct take *t = &w->take[i];
		bool manual = t->kind == SESSION_MANUAL;
		for (int idx = 0; t->state == RECEIVING && idx < (t->total > 0 ? t->total : top_of(t)); idx++) {
			if (t->chunk[idx].there || take_of(w, manual ? SESSION_MANUAL : SESSION_LIVE, manual ? t->total : 0, idx, &reopen) != t)
				continue;
			snprintf(text, sizeof text, manual ? "f %d %lld t=%lld" : "f %d %lld", idx, (long long)dice_length(), (long long)t->total);
			run_step(w, text);
		}
		if (take_to_complete(w, manual) == t) {
			snprintf(text, sizeof text, "e t=%d%s", t->total > 0 ? (int)t->total : top_of(t), manual ? " m" : "");
			run_step(w, text);
		}
	}
}

#define SEEDS 250

static void random_scripts(void **state)
{
	const char *only = getenv("SLOTS_SEED"), *many = getenv("SLOTS_SEEDS");
	uint32_t first = only ? (uint32_t)atoi(only) : 1, last = only ? first : many ? (uint32_t)atoi(many) : SEEDS;
	for (uint32_t seed = first; seed <= last; seed++) {
		struct world w;
		char title[60], text[120];
		snprintf(title, sizeof title, "SLOTS_SEED=%u", seed);
		world_begin(&w, *state, title, 1000 + (int)seed, getenv("SLOTS_THOROUGH") != NULL);
		dice_state = seed * 2654435761u + 12345;
		for (uint32_t steps = 6 + dice(16); steps && w.n < TAKES - 3 && w.nrec < RECS - 14; steps--) {
			random_step(&w, text, sizeof text);
			run_step(&w, text);
		}
		fill_up(&w);
		world_end(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(scripts, setup, teardown),
		cmocka_unit_test_setup_teardown(random_scripts, setup, teardown),
	};
	return cmocka_run_group_tests_name("slots", tests, NULL, NULL);
}
