/*
 * test_multipart.c - the multipart stream: whatever way the bytes come in, the same parts come out.
 *
 * A body's outcome is written down as one text, so that the same body in other pieces can be compared as a whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/text.h"
#include "http/multipart.h"

/* --- a source in two pieces, or in many small ones, and a handler that writes down what it hears --- */

struct pieces {
	struct source s;
	const char *p;
	size_t n, split, piece;   /* one read never passes split; 0 < piece bounds every read */
};

static ssize_t pieces_read(struct source *s, void *buf, size_t n)
{
	struct pieces *x = s->self;
	size_t at = (size_t)s->taken, left = x->n - at;
	if (at < x->split && left > x->split - at)
		left = x->split - at;
	if (x->piece && left > x->piece)
		left = x->piece;
	if (n > left)
		n = left;
	memcpy(buf, x->p + at, n);
	s->taken += (int64_t)n;
	s->complete = n == 0;
	return (ssize_t)n;
}

static void pieces_init(struct pieces *x, const char *p, size_t n, size_t split, size_t piece)
{
	*x = (struct pieces){ .s = { .read = pieces_read, .length = (int64_t)n, .self = x }, .p = p, .n = n, .split = split, .piece = piece };
}

static void put_escaped(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\')
			buf_add(b, p + i, 1);
		else
			buf_printf(b, "\\%02x", (unsigned char)p[i]);
}

static enum err on_begin(void *arg, const struct multipart_part *part)
{
	struct buf *b = arg;
	buf_puts(b, "<");
	put_escaped(b, part->name, strlen(part->name));
	if (part->is_file) {
		buf_puts(b, "|");
		put_escaped(b, part->filename, strlen(part->filename));
	}
	buf_printf(b, "|%s:", part->type);
	return ERR_OK;
}

static enum err on_data(void *arg, const void *p, size_t n)
{
	assert_true(n > 0);
	put_escaped(arg, p, n);
	return ERR_OK;
}

static enum err on_end(void *arg)
{
	buf_puts(arg, ">");
	return ERR_OK;
}

/* The outcome as text: "<name|type:data>" for a field, "<name|filename|type:data>" for a file, then the error code. */
static char *outcome(const char *body, size_t n, const char *boundary, size_t split, size_t piece)
{
	struct buf b;
	struct pieces x;
	const char *why = "unset";
	buf_init(&b, SIZE_MAX / 2);
	pieces_init(&x, body, n, split, piece);
	const struct multipart_handler h = { on_begin, on_data, on_end, &b };
	enum err e = multipart_read(&x.s, boundary, &h, &why);
	assert_true((e == ERR_INVALID) == (why != NULL));
	buf_printf(&b, "=%s", err_code(e));
	return b.p;
}

/* --- table of bodies --- */

#define CD "Content-Disposition: form-data; "
#define OK "=ok"
#define CUT "=body_cut"
#define BAD "=invalid_request"

static const struct {
	const char *body, *want;
} bodies[] = {
	/* plain forms */
	{ "--b\r\n" CD "name=\"a\"\r\n\r\n1\r\n--b\r\n" CD "name=c\r\n\r\n\r\n--b--\r\n", "<a|:1><c|:>" OK },
	{ "--b\r\n" CD "name=\"file\"; filename=\"x.webm\"\r\nContent-Type: audio/webm\r\n\r\nDATA\r\n--b\r\n" CD "name=\"session_id\"\r\n\r\ns1\r\n--b--",
	  "<file|x.webm|audio/webm:DATA><session_id|:s1>" OK },
	{ "--b\r\ncontent-TYPE:  a/b \t\r\ncontent-disposition:form-data;NAME=\"f\";FileName=\"\"\r\nX-More: y\r\n\r\n\r\n--b--\r\n", "<f||a/b:>" OK },
	{ "--b--\r\n", OK },
	{ "--b--", OK },
	/* preamble, padding, epilogue */
	{ "This is\r\n--bogus\r\na preamble\r\n--b\r\n" CD "name=a\r\n\r\n1\r\n--b--\r\nepilogue\r\n--b\r\n", "<a|:1>" OK },
	{ "\r\n--b\r\n" CD "name=a\r\n\r\n1\r\n--b--", "<a|:1>" OK },
	{ "--b \t \r\n" CD "name=a\r\n\r\n1\r\n--b\t\r\n" CD "name=c\r\n\r\n2\r\n--b-- \r\n", "<a|:1><c|:2>" OK },
	/* a part without a body, its delimiter right behind the headers */
	{ "--b\r\n" CD "name=a\r\n\r\n--b\r\n" CD "name=c\r\n\r\n2\r\n--b--", "<a|:><c|:2>" OK },
	/* data that looks like a delimiter */
	{ "--b\r\n" CD "name=a\r\n\r\n\r\n--bX\r\n--b-\r\n--bb\r\n-\r\n--\r\n--B\r\n--b--", "<a|:\\0d\\0a--bX\\0d\\0a--b-\\0d\\0a--bb\\0d\\0a-\\0d\\0a--\\0d\\0a--B>" OK },
	{ "--b\r\n" CD "name=a\r\n\r\n--bX\r\n--b--", "<a|:--bX>" OK },
	{ "--b\r\n" CD "name=a\r\n\r\nx--b--\n--b--\r--b--\n\r--b\r\n--b \r\r\n--b \rx\r\n--b  x\r\n--b--",
	  "<a|:x--b--\\0a--b--\\0d--b--\\0a\\0d--b\\0d\\0a--b \\0d\\0d\\0a--b \\0dx\\0d\\0a--b  x>" OK },
	{ "--b\r\n" CD "name=a\r\n\r\n\r\r\n\r\n\r\n\n\r\r\n--b--", "<a|:\\0d\\0d\\0a\\0d\\0a\\0d\\0a\\0a\\0d>" OK },
	{ "--b\r\n" CD "name=a\r\n\r\n\r\n--b\r\r\n--b--", "<a|:\\0d\\0a--b\\0d>" OK },
	/* names */
	{ "--b\r\n" CD "name=\"a\\\"b\\\\c\"; filename=\"C:\\dir\\x;y.wav\"\r\n\r\n1\r\n--b--", "<a\"b\\5cc|C:\\5cdir\\5cx;y.wav|:1>" OK },
	{ "--b\r\n" CD "name=\"a%22b%0D%0Ac%0d%0a%41%\"; filename=\"%22;%25.wav\"\r\n\r\n1\r\n--b--", "<a\"b\\0d\\0ac\\0d\\0a%41%|\";%25.wav|:1>" OK },
	{ "--b\r\n" CD "name=f; filename=\"plain\"; filename*=UTF-8'en'%e2%82%ac%20x\r\n\r\n1\r\n--b--", "<f|\\e2\\82\\ac x|:1>" OK },
	{ "--b\r\n" CD "name=f; filename*=utf-8''x%2Fy; filename=\"plain\"\r\n\r\n1\r\n--b--", "<f|x/y|:1>" OK },
	{ "--b\r\n" CD "filename*=latin9''x; name=f\r\n\r\n1\r\n--b--", "<f||:1>" OK },
	{ "--b\r\n" CD "filename*=UTF-8''%00; name=f; filename=p\r\n\r\n1\r\n--b--", "<f|p|:1>" OK },
	{ "--b\r\n" CD "name=\"\"\r\n\r\n1\r\n--b--", "<|:1>" OK },
	{ "--b\r\n" CD "name=\"\xc3\xa4\xff\"; filename=a b.wav ; x=y;\r\n\r\n1\r\n--b--", "<\\c3\\a4\\ff|a b.wav|:1>" OK },
	/* malformed */
	{ "--b\r\n" CD "filename=\"x\"\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=a\r\n" CD "name=b\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=\"a\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=\"a\"b\"\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=a\n\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=a\r\n\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "na\rme=a\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=a\r\n folded: x\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n" CD "name=a\r\n: x\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\nno colon\r\n\r\n1\r\n--b--", BAD },
	{ "--b\r\n--b\r\n" CD "name=a\r\n\r\n1\r\n--b--", BAD },
	/* ends too early */
	{ "", CUT },
	{ "no boundary", CUT },
	{ "--b", CUT },
	{ "--b\r\n", CUT },
	{ "--b\n" CD "name=a\n\n1\n--b--\n", CUT },
	{ "--b\r\n" CD "name=a\r\n\r\n1\r\n--b", "<a|:1" CUT },
	{ "--b\r\n" CD "name=a\r\n\r\n1\r\n--b-", "<a|:1" CUT },
	{ "--b\r\n" CD "name=a\r\n\r\n1\r\n--b\r", "<a|:1" CUT },
	{ "--b\r\n" CD "name=a\r\n\r\n1\r\n--b \r\n", "<a|:1>" CUT },
	{ "--b\r\n" CD "name=a\r\n\r\n1\r\n--c--", "<a|:1\\0d\\0a--c--" CUT },
};
#define NBODIES (sizeof bodies / sizeof *bodies)

static void expect(const char *body, size_t n, size_t split, size_t piece, const char *want)
{
	char *got = outcome(body, n, "b", split, piece);
	if (strcmp(got, want) != 0)
		fail_msg("split %zu, piece %zu: %s\nwant %s\ngot  %s", split, piece, body, want, got);
	free(got);
}

static void bodies_in_any_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < NBODIES; i++) {
		size_t n = strlen(bodies[i].body);
		for (size_t split = 0; split <= n; split++)
			expect(bodies[i].body, n, split, 0, bodies[i].want);
		for (size_t piece = 1; piece <= 8; piece++)
			expect(bodies[i].body, n, 0, piece, bodies[i].want);
	}
}

static void closing_boundary_has_no_padding_before_its_dashes(void **state)
{
	(void)state;
	expect("--b --\r\n--b--", 13, 0, 0, OK);
	static const char body[] = "--b\r\n" CD "name=a\r\n\r\n1\r\n--b --\r\n--b--";
	expect(body, sizeof body - 1, 0, 0, "<a|:1\\0d\\0a--b -->" OK);
}

/* Cut at every place: never OK before the closing boundary is whole, and what was heard is a beginning of the whole. */
static void truncated_bodies(void **state)
{
	(void)state;
	for (size_t i = 0; i < NBODIES; i++) {
		const char *body = bodies[i].body, *want = bodies[i].want;
		size_t heard = (size_t)(strchr(want, '=') - want), n = strlen(body);
		if (strcmp(want + heard, OK) != 0)
			continue;
		const char *close = body;
		for (const char *p = body; (p = strstr(p, "--b--")); p++)
			if ((p == body || (p - body >= 2 && p[-2] == '\r' && p[-1] == '\n'))) {
				close = p;
				break;
			}
		size_t whole = (size_t)(close - body) + 5;
		for (size_t len = 0; len <= n; len++) {
			char *got = outcome(body, len, "b", 0, 0);
			char *end = strrchr(got, '=');
			assert_string_equal(end, len >= whole ? OK : CUT);
			*end = '\0';
			assert_int_equal(strncmp(got, want, strlen(got)), 0);
			free(got);
		}
	}
}

static void boundaries(void **state)
{
	static const struct { const char *type, *want; } rows[] = {
		{ "multipart/form-data; boundary=abc", "abc" },
		{ "Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b:c\"", "a b:c" },
		{ "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxk; x=y", "----WebKitFormBoundary7MA4YWxk" },
		{ "multipart/form-data; boundary=a,b'()+_./:=?", "a,b'()+_./:=?" },
		{ "multipart/form-data; boundary=\"a\\\"b\"", "a\"b" },
		{ "multipart/form-data ; boundary=abc ;", "abc" },
		{ "multipart/form-data; boundary=0123456789012345678901234567890123456789012345678901234567890123456789",
		  "0123456789012345678901234567890123456789012345678901234567890123456789" },
		{ "multipart/form-data; boundary=01234567890123456789012345678901234567890123456789012345678901234567890", NULL },
		{ "multipart/form-data; boundary=", NULL },
		{ "multipart/form-data; boundary=\"\"", NULL },
		{ "multipart/form-data; boundary=\"a \"", NULL },
		{ "multipart/form-data; boundary=\"a", NULL },
		{ "multipart/form-data; boundary=a; boundary=b", NULL },
		{ "multipart/form-data; boundary=\xc3\xa4", NULL },
		{ "multipart/form-data; boundary=a\tb", NULL },
		{ "multipart/form-data", NULL },
		{ "multipart/form-dataX; boundary=a", NULL },
		{ "multipart/mixed; boundary=a", NULL },
		{ "application/x-www-form-urlencoded; boundary=a", NULL },
		{ "", NULL },
		{ NULL, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char out[71];
		bool ok = multipart_boundary(rows[i].type, out);
		if (ok != (rows[i].want != NULL))
			fail_msg("boundary of %s", rows[i].type ? rows[i].type : "NULL");
		if (ok)
			assert_string_equal(out, rows[i].want);
	}
}

/* --- limits --- */

static void expect_repeated(const char *head, char c, size_t count, const char *tail, const char *code)
{
	size_t h = strlen(head), t = strlen(tail);
	char *body = malloc(h + count + t);
	memcpy(body, head, h);
	memset(body + h, c, count);
	memcpy(body + h + count, tail, t);
	for (size_t piece = 0; piece < 4096; piece = piece * 7 + 1) {
		char *got = outcome(body, h + count + t, "b", 0, piece);
		assert_string_equal(strrchr(got, '='), code);
		free(got);
	}
	free(body);
}

static void limits(void **state)
{
	(void)state;
	const char *name = "--b\r\n" CD "name=\"", *file = "--b\r\n" CD "name=f; filename=\"", *end = "\"\r\n\r\n1\r\n--b--";
	expect_repeated(name, 'n', MULTIPART_NAME_MAX - 1, end, OK);
	expect_repeated(name, 'n', MULTIPART_NAME_MAX, end, BAD);
	expect_repeated(file, 'n', MULTIPART_FILENAME_MAX - 1, end, OK);
	expect_repeated(file, 'n', MULTIPART_FILENAME_MAX, end, BAD);
	const char *more = "--b\r\n" CD "name=f\r\nX: ";
	size_t block = strlen(more) - 5 + 4;
	expect_repeated(more, 'x', MULTIPART_HEADER_MAX - block, "\r\n\r\n1\r\n--b--", OK);
	expect_repeated(more, 'x', MULTIPART_HEADER_MAX - block + 1, "\r\n\r\n1\r\n--b--", BAD);
	expect_repeated(more, 'x', 200000, "", BAD);
	expect_repeated("", 'p', MULTIPART_PREAMBLE_MAX, "\r\n--b--", OK);
	expect_repeated("", 'p', MULTIPART_PREAMBLE_MAX + 1, "\r\n--b--", BAD);
	expect_repeated("--b", ' ', 1000, "\r\n" CD "name=f\r\n\r\n1\r\n--b--", OK);
	expect_repeated("--b\r\n" CD "name=f\r\n\r\n1\r\n--b", ' ', 70000, "\r\n--b--", OK);
	expect_repeated("--b\r\n" CD "name=f\r\n\r\n1\r\n--b", '\t', 70000, "\r\n--c--", CUT);
	expect_repeated("--b\r\n" CD "name=f\r\nContent-Type: ", 't', 500, "\r\n\r\n1\r\n--b--", OK);
}

static void part_count(void **state)
{
	(void)state;
	for (int parts = MULTIPART_PARTS_MAX; parts <= MULTIPART_PARTS_MAX + 1; parts++) {
		struct buf b;
		buf_init(&b, SIZE_MAX / 2);
		for (int i = 0; i < parts; i++)
			buf_puts(&b, "--b\r\n" CD "name=f\r\n\r\n1\r\n");
		buf_puts(&b, "--b--");
		char *got = outcome(b.p, b.n, "b", 0, 0);
		assert_string_equal(strrchr(got, '='), parts <= MULTIPART_PARTS_MAX ? OK : BAD);
		free(got);
		buf_free(&b);
	}
}

static void epilogue_is_read_within_bounds(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0, 1, 5000, 300000, 4 * MULTIPART_EPILOGUE_MAX };
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		size_t n = 5 + sizes[i];
		char *body = malloc(n);
		struct pieces x;
		struct buf b;
		const char *why;
		memset(body, '-', n);
		memcpy(body, "--b--", 5);
		buf_init(&b, 100);
		pieces_init(&x, body, n, 5, 0);
		const struct multipart_handler h = { on_begin, on_data, on_end, &b };
		assert_int_equal(multipart_read(&x.s, "b", &h, &why), ERR_OK);
		if (n <= MULTIPART_EPILOGUE_MAX)
			assert_true(x.s.complete);
		else
			assert_in_range(x.s.taken, MULTIPART_EPILOGUE_MAX, 2 * MULTIPART_EPILOGUE_MAX);
		free(body);
	}
}

/* --- handlers that refuse --- */

struct refusing { int calls, refuse_at; };

static enum err refuse(void *arg)
{
	struct refusing *r = arg;
	return ++r->calls == r->refuse_at ? ERR_TOO_LARGE : ERR_OK;
}
static enum err refuse_begin(void *arg, const struct multipart_part *part) { (void)part; return refuse(arg); }
static enum err refuse_data(void *arg, const void *p, size_t n) { (void)p; (void)n; return refuse(arg); }

static void handler_errors_stop_the_parser(void **state)
{
	(void)state;
	static const char body[] = "--b\r\n" CD "name=a\r\n\r\n1\r\n--b\r\n" CD "name=c\r\n\r\n2\r\n--b--";
	for (int at = 1; at <= 6; at++) {
		struct refusing r = { 0, at };
		struct pieces x;
		const char *why;
		pieces_init(&x, body, sizeof body - 1, 0, 0);
		const struct multipart_handler h = { refuse_begin, refuse_data, refuse, &r };
		assert_int_equal(multipart_read(&x.s, "b", &h, &why), ERR_TOO_LARGE);
		assert_int_equal(r.calls, at);
	}
}

/* --- data is handed on as early as is safe --- */

static enum err count_data(void *arg, const void *p, size_t n)
{
	(void)p;
	*(size_t *)arg += n;
	return ERR_OK;
}
static enum err no_begin(void *arg, const struct multipart_part *part) { (void)arg; (void)part; return ERR_OK; }
static enum err no_end(void *arg) { (void)arg; return ERR_OK; }

static void only_possible_boundaries_are_kept_back(void **state)
{
	(void)state;
	static const struct { const char *data; size_t kept; } rows[] = {
		{ "abc", 0 }, { "abc\r", 1 }, { "abc\r\n", 2 }, { "abc\r\n-", 3 }, { "abc\r\n--b", 5 }, { "abc\r\n--c", 0 }, { "abc\r\n--b\r", 6 },
		{ "abc\r\r\n--", 4 }, { "\r\n--bX\r", 1 }, { "\r\n--b-", 6 }, { "\r\n--b-x", 0 }, { "\r\n--b  ", 7 }, { "\n--b", 0 },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char body[200];
		size_t got = 0;
		struct pieces x;
		const char *why;
		snprintf(body, sizeof body, "--b\r\n" CD "name=a\r\n\r\n%s", rows[i].data);
		pieces_init(&x, body, strlen(body), 0, 0);
		const struct multipart_handler h = { no_begin, count_data, no_end, &got };
		assert_int_equal(multipart_read(&x.s, "b", &h, &why), ERR_CUT);
		assert_int_equal(got, strlen(rows[i].data) - rows[i].kept);
	}
}

/* --- random bodies, compared with what the generator knows --- */

static uint64_t seed;
static uint32_t rnd(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

/* Data made of pieces of boundaries; whatever is by chance a true delimiter is broken up afterwards. */
static size_t random_data(char *out, size_t max, const char *boundary)
{
	static const char *const bits[] = { "\r", "\n", "\r\n", "-", "--", "\r\n--", "\r\n-", " ", "\t", "x", "\r\r\n--" };
	size_t n = 0, want = rnd((uint32_t)max);
	while (n < want) {
		char piece[128];
		size_t len, whole = strlen(boundary);
		if (rnd(3) == 0)
			snprintf(piece, sizeof piece, "\r\n--%.*s%s", (int)rnd((uint32_t)whole + 1), boundary, rnd(2) ? "" : bits[rnd(11)]);
		else
			snprintf(piece, sizeof piece, "%s", bits[rnd(11)]);
		len = strlen(piece);
		if (n + len > max)
			break;
		memcpy(out + n, piece, len);
		n += len;
	}
	/* A whole boundary behind "--" becomes another word. */
	for (char *p; (p = memmem(out, n, boundary, strlen(boundary))); )
		p[strlen(boundary) / 2] = '~';
	return n;
}

static void random_bodies(void **state)
{
	(void)state;
	static const char *const names[] = { "b", "----WebKitFormBoundaryAbC", "--", "-b-b-b", "0123456789012345678901234567890123456789012345678901234567890123456789" };
	for (seed = 1; seed < 400; ) {
		uint64_t round = seed;
		const char *boundary = names[rnd(5)];
		struct buf body, truth;
		buf_init(&body, SIZE_MAX / 2);
		buf_init(&truth, SIZE_MAX / 2);
		for (uint32_t parts = rnd(4); parts > 0; parts--) {
			static char data[200000];
			/* A boundary of dashes only would be found in the dashes of the data. */
			size_t n = strcmp(boundary, "--") == 0 ? rnd(5000) : random_data(data, rnd(8) ? 3000 : sizeof data, boundary);
			if (strcmp(boundary, "--") == 0)
				memset(data, "\r\nx"[rnd(3)], n);
			buf_printf(&body, "--%s%.*s\r\n" CD "name=n%u\r\n\r\n", boundary, (int)rnd(3), " \t", parts);
			buf_add(&body, data, n);
			buf_puts(&body, "\r\n");
			buf_printf(&truth, "<n%u|:", parts);
			put_escaped(&truth, data, n);
			buf_puts(&truth, ">");
		}
		buf_printf(&body, "--%s--", boundary);
		buf_puts(&truth, OK);
		char *got = outcome(body.p, body.n, boundary, 0, rnd(3) ? 1 + rnd(5000) : 0);
		if (strcmp(got, truth.p) != 0)
			fail_msg("round %llu differs", (unsigned long long)round);
		free(got);
		buf_free(&body);
		buf_free(&truth);
		seed = round + 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bodies_in_any_pieces),
		cmocka_unit_test(closing_boundary_has_no_padding_before_its_dashes),
		cmocka_unit_test(truncated_bodies),
		cmocka_unit_test(boundaries),
		cmocka_unit_test(limits),
		cmocka_unit_test(part_count),
		cmocka_unit_test(epilogue_is_read_within_bounds),
		cmocka_unit_test(handler_errors_stop_the_parser),
		cmocka_unit_test(only_possible_boundaries_are_kept_back),
		cmocka_unit_test(random_bodies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
