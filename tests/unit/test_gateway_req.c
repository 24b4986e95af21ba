/*
 * test_gateway_req.c - what the variables of the different web servers become.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "gateway/gateway.h"

#define VARS 8
enum what { METHOD, TARGET, SEGS, QUERY, TYPE, HOST, USER, ADDR, HTTPS, FAULT, FIELD, COUNT };

struct row {
	const char *about;
	const char *env[VARS];
	enum what what;
	const char *field;      /* for FIELD and COUNT */
	const char *want;       /* NULL: absent; for FAULT a part of the text */
};

static const struct row rows[] = {
	{"method", {"REQUEST_METHOD=PATCH"}, METHOD, 0, "PATCH"},
	{"odd method", {"REQUEST_METHOD=MKCOL"}, METHOD, 0, "MKCOL"},
	{"method before an ErrorDocument", {"REQUEST_METHOD=GET", "REDIRECT_REQUEST_METHOD=HEAD"}, METHOD, 0, "HEAD"},
	{"no method", {"A=b"}, METHOD, 0, ""},

	{"REQUEST_URI decides", {"SCRIPT_NAME=/x", "PATH_INFO=/y", "REQUEST_URI=/files/a%2Fb?q=1"}, TARGET, 0, "/files/a%2Fb?q=1"},
	{"absolute form", {"REQUEST_URI=http://h:80/files/"}, SEGS, 0, "files/"},
	{"first of two", {"REQUEST_URI=/a", "REQUEST_URI=/b"}, TARGET, 0, "/a"},
	{"paths without REQUEST_URI", {"SCRIPT_NAME=", "PATH_INFO=/files/x", "QUERY_STRING=a=b"}, TARGET, 0, "/files/x?a=b"},
	{"a decoded path is encoded again", {"PATH_INFO=/files/a?b\nc"}, TARGET, 0, "/files/a%3Fb%0Ac"},
	{"empty REQUEST_URI", {"REQUEST_URI=", "SCRIPT_NAME=/app.cgi", "PATH_INFO=/files"}, TARGET, 0, "/app.cgi/files"},
	{"REDIRECT_URL", {"REDIRECT_URL=/files/x", "REDIRECT_QUERY_STRING=k=v", "PATH_INFO=/door"}, TARGET, 0, "/files/x?k=v"},
	{"nothing at all", {"A=b"}, TARGET, 0, "/"},
	{"base path", {"REQUEST_URI=/base/files/x"}, SEGS, 0, "files/x"},
	{"query", {"REQUEST_URI=/files?a=1&b"}, QUERY, 0, "a=1&b"},
	{"no query", {"REQUEST_URI=/files"}, QUERY, 0, NULL},

	{"names get dashes", {"HTTP_UPLOAD_OFFSET=7"}, FIELD, "Upload-Offset", "7"},
	{"long names", {"HTTP_X_HTTP_METHOD_OVERRIDE=PATCH"}, FIELD, "X-HTTP-Method-Override", "PATCH"},
	{"values are trimmed", {"HTTP_UPLOAD_OFFSET= \t7 "}, FIELD, "Upload-Offset", "7"},
	{"an empty field is there", {"HTTP_UPLOAD_METADATA="}, FIELD, "Upload-Metadata", ""},
	{"a value may hold =", {"HTTP_UPLOAD_METADATA=a Yg=="}, FIELD, "Upload-Metadata", "a Yg=="},
	{"joined by the server: for the handler to refuse", {"HTTP_UPLOAD_OFFSET=7, 8"}, FIELD, "Upload-Offset", "7, 8"},
	{"no other variable is a field", {"UPLOAD_OFFSET=7", "XHTTP_UPLOAD_OFFSET=8"}, FIELD, "Upload-Offset", NULL},
	{"sent twice", {"HTTP_UPLOAD_OFFSET=7", "HTTP_UPLOAD_OFFSET=8"}, FAULT, 0, "Upload-Offset"},
	{"sent twice, equal", {"HTTP_TUS_RESUMABLE=1.0.0", "HTTP_TUS_RESUMABLE=1.0.0"}, FAULT, 0, "Tus-Resumable"},
	{"two Authorization", {"HTTP_AUTHORIZATION=a", "HTTP_AUTHORIZATION=b"}, FAULT, 0, "Authorization"},
	{"lists may come twice", {"HTTP_ACCEPT=a", "HTTP_ACCEPT=b", "HTTP_ACCEPT=c"}, FIELD, "Accept", "a, b, c"},
	{"and then are one", {"HTTP_IF_NONE_MATCH=\"a\"", "HTTP_IF_NONE_MATCH=\"b\""}, COUNT, "If-None-Match", "1"},
	{"and no fault", {"HTTP_ACCEPT=a", "HTTP_ACCEPT=b"}, FAULT, 0, NULL},
	{"nothing wrong", {"HTTP_UPLOAD_OFFSET=7", "HTTP_UPLOAD_LENGTH=7"}, FAULT, 0, NULL},

	{"Authorization", {"HTTP_AUTHORIZATION=Bearer x"}, FIELD, "authorization", "Bearer x"},
	{"Authorization after a rewrite", {"REDIRECT_HTTP_AUTHORIZATION=Bearer y"}, FIELD, "Authorization", "Bearer y"},
	{"the present one wins", {"REDIRECT_HTTP_AUTHORIZATION=Bearer y", "HTTP_AUTHORIZATION=Bearer x"}, FIELD, "Authorization", "Bearer x"},

	{"type", {"CONTENT_TYPE=text/plain", "HTTP_CONTENT_TYPE=text/plain"}, TYPE, 0, "text/plain"},
	{"type is one field", {"CONTENT_TYPE=text/plain", "HTTP_CONTENT_TYPE=text/plain"}, COUNT, "Content-Type", "1"},
	{"type by the other name", {"HTTP_CONTENT_TYPE=a/b"}, TYPE, 0, "a/b"},
	{"an empty type is none", {"CONTENT_TYPE="}, TYPE, 0, NULL},
	{"length twice by name", {"CONTENT_LENGTH=5", "HTTP_CONTENT_LENGTH=5"}, FAULT, 0, NULL},
	{"length is one field", {"CONTENT_LENGTH=5", "HTTP_CONTENT_LENGTH=5"}, COUNT, "Content-Length", "1"},
	{"empty length: unknown", {"CONTENT_LENGTH="}, FAULT, 0, NULL},
	{"signed length", {"CONTENT_LENGTH=-1"}, FAULT, 0, "Content-Length"},
	{"length with a blank", {"CONTENT_LENGTH=5 "}, FAULT, 0, "Content-Length"},
	{"hexadecimal length", {"CONTENT_LENGTH=0x10"}, FAULT, 0, "Content-Length"},
	{"length beyond 63 bits", {"CONTENT_LENGTH=9223372036854775808"}, FAULT, 0, "Content-Length"},
	{"the largest length", {"CONTENT_LENGTH=9223372036854775807"}, FAULT, 0, NULL},

	{"host", {"HTTP_HOST=example.test:8000"}, HOST, 0, "example.test:8000"},
	{"user", {"REMOTE_USER=ann"}, USER, 0, "ann"},
	{"user after a redirect", {"REDIRECT_REMOTE_USER=ann"}, USER, 0, "ann"},
	{"an empty user is none", {"REMOTE_USER="}, USER, 0, NULL},
	{"a field is no user", {"HTTP_REMOTE_USER=eve"}, USER, 0, NULL},
	{"address", {"REMOTE_ADDR=::1"}, ADDR, 0, "::1"},
	{"https on", {"HTTPS=on"}, HTTPS, 0, "yes"},
	{"https 1", {"HTTPS=1"}, HTTPS, 0, "yes"},
	{"https off", {"HTTPS=off"}, HTTPS, 0, "no"},
	{"https empty", {"HTTPS="}, HTTPS, 0, "no"},
	{"scheme", {"REQUEST_SCHEME=https"}, HTTPS, 0, "yes"},
	{"plain", {"REQUEST_SCHEME=http"}, HTTPS, 0, "no"},
	{"a field is no scheme", {"HTTP_HTTPS=on"}, HTTPS, 0, "no"},
};

static const char *join_segs(const struct http_req *r, char *out, size_t size)
{
	size_t n = 0;
	out[0] = '\0';
	for (int i = 0; i < r->nseg; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "/" : "", r->seg[i]);
	snprintf(out + n, size - n, "%s", r->slash ? "/" : "");
	return out;
}

static const char *got(const struct http_req *r, const struct row *row, char *out, size_t size)
{
	switch (row->what) {
	case METHOD: return r->method_text;
	case TARGET: return r->target;
	case SEGS: return join_segs(r, out, size);
	case QUERY: return r->query;
	case TYPE: return r->content_type;
	case HOST: return r->host;
	case USER: return r->remote_user;
	case ADDR: return r->remote_addr;
	case HTTPS: return r->https ? "yes" : "no";
	case FAULT: return r->gateway_error;
	case FIELD: return http_header(r, row->field);
	case COUNT: snprintf(out, size, "%d", http_header_count(r, row->field)); return out;
	}
	return NULL;
}

static bool agrees(const struct row *row, const char *is)
{
	if (!row->want || !is)
		return row->want == is;
	return row->what == FAULT ? strstr(is, row->want) != NULL : strcmp(is, row->want) == 0;
}

static void variables(void **state)
{
	struct arena *a = arena_open(1 << 20);
	char out[256];
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct row *row = &rows[i];
		struct http_req r;
		gateway_req_from_env(&r, a, (char *const *)row->env, strncmp(row->about, "base", 4) == 0 ? "/base" : "");
		const char *is = got(&r, row, out, sizeof out);
		if (!agrees(row, is))
			fail_msg("%s: %s, not %s", row->about, is ? is : "(none)", row->want ? row->want : "(none)");
		arena_reset(a);
	}
	arena_close(a);
}

static void strings_are_copies(void **state)
{
	struct arena *a = arena_open(1 << 20);
	char uri[] = "REQUEST_URI=/files/abc", field[] = "HTTP_UPLOAD_OFFSET=12";
	char *env[] = {uri, field, NULL};
	struct http_req r;
	(void)state;
	gateway_req_from_env(&r, a, env, "");
	memset(uri, 'x', sizeof uri - 1);
	memset(field, 'x', sizeof field - 1);
	assert_string_equal(r.target, "/files/abc");
	assert_string_equal(http_header(&r, "Upload-Offset"), "12");
	assert_int_equal(r.body->read(r.body, uri, 1), 0);
	arena_close(a);
}

static void memory_runs_out(void **state)
{
	static char big[5000];
	char *env[] = {"REQUEST_METHOD=HEAD", "REQUEST_URI=/files/x", "HTTP_A=1", big, "HTTP_B=2", NULL};
	(void)state;
	memset(big, 'x', sizeof big - 1);
	memcpy(big, "HTTP_BIG=", 9);
	for (size_t max = 1; max < 8000; max += 97) {
		struct arena *a = arena_open(max);
		struct http_req r;
		gateway_req_from_env(&r, a, env, "");
		assert_non_null(r.method_text);
		assert_non_null(r.target);
		assert_non_null(r.body);
		if (max < 4000)
			assert_non_null(r.gateway_error);
		arena_close(a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables), cmocka_unit_test(strings_are_copies), cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
