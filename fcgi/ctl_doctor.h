/*
 * ctl_doctor.h - what the files of tusctl doctor share: the table of findings, and the patient.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include "ctl.h"
#include "ctl_http.h"

/* A fault is to be mended; a fact is good to know. */
enum finding_kind { FAULT, FACT };

enum finding {
	F_TLS_CERTIFICATE, F_POOL_AWAY, F_LOGIN, F_REDIRECT, F_BASE_PATH, F_HOST_REFUSED, F_HTTPS_WANTED, F_KEY, F_METHOD_BLOCKED, F_REQUEST_HEADERS, F_ANSWER_HEADERS,
	F_AUTHORIZATION_LOST, F_CORS_ERRORS, F_CORS_TWICE, F_PREFLIGHT, F_BODY_LIMIT, F_BODY_REFUSED, F_BODY_BUFFERED, F_BODY_TIMEOUT, F_CREATE, F_LOCATION,
	F_ANSWERS_CACHED, F_NO_STORE_LOST, F_EXPECT, F_COMPRESSED, F_LENGTH_LOST, F_RANGE_LOST, F_CLOCK, F_SPACE, F_NO_WAL, F_VERSIONS, F_UNWELL,
	F_CHUNKED_REFUSED, F_HTTP_2, F_LEFT_BEHIND, F__MAX
};

/* What to change, by web server; NULL: nothing there. `other` is for all of them, or for the application. */
struct finding_row {
	enum finding_kind kind;
	const char *code, *what, *nginx, *apache, *lighttpd, *other;
};
extern const struct finding_row doctor_findings[F__MAX];

#define DOCTOR_UPLOADS 8

struct doctor {
	struct ctl *c;
	struct ctl_http http;
	const char *origin;             /* of pages that shall be able to use the server */
	int64_t pause_s;                /* how long a body is interrupted */
	bool finish;                    /* a file may be finished, too */
	bool stop;                      /* nothing more can be tried */
	bool unreachable;
	bool posts_only;                /* methods are blocked; they go by X-HTTP-Method-Override */
	bool no_patch;                  /* not even so */
	int64_t max_size, max_metadata, expiration;   /* as GET /api/config tells them */
	int64_t max_patch;              /* the largest body of a PATCH that the application takes */
	bool deletes;                   /* the termination extension is offered */
	bool found[F__MAX];
	int faults;
	struct json *faults_told, *facts_told, *untried;
	const char *made[DOCTOR_UPLOADS];
	int made_n;
};

/* The printf text says what was seen. A finding is told once: the first counts. */
void doctor_find(struct doctor *d, enum finding f, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* What could not be tried, and why. */
void doctor_untried(struct doctor *d, const char *what, const char *why);
/* "status 413", or why there is none. */
const char *doctor_said(struct doctor *d, const struct ctl_answer *r);
/* Base path and path. */
const char *doctor_path(struct doctor *d, const char *path);
struct ctl_answer doctor_get(struct doctor *d, const char *path, const char *headers);
/* A request of a method of tus on an upload, by POST where they are blocked. length 0: without a body. */
struct ctl_ask doctor_upload_ask(struct doctor *d, const char *method, const char *path, int64_t offset, int64_t length);

/* ---- checks, in the order in which they are tried: each may set d->stop ---- */

void doctor_home(struct doctor *d);         /* ctl_doctor_home.c: is it there at all */
void doctor_methods(struct doctor *d);      /* ctl_doctor_pass.c: what the web server lets pass */
void doctor_headers(struct doctor *d);
void doctor_authorization(struct doctor *d);
void doctor_pages(struct doctor *d);
void doctor_body_limit(struct doctor *d);
void doctor_chunked(struct doctor *d);
void doctor_expect(struct doctor *d);
void doctor_uploads(struct doctor *d);      /* ctl_doctor_upload.c: real ones */
void doctor_clean(struct doctor *d);
void doctor_clock(struct doctor *d);        /* ctl_doctor_home.c: the server about itself, and this machine */
void doctor_health(struct doctor *d);
void doctor_http_2(struct doctor *d);
void doctor_machine(struct doctor *d);

#endif
