/*
 * told.h - for fuzz_request.c: the uploads of one input as their client knows them. After every request each is asked for, and its answer compared with
 * what was told and sent before: an offset never goes down, grows by bytes of that request only, and only a DELETE ends an upload.
 */
#ifndef TESTS_TOLD_H
#define TESTS_TOLD_H

#include "app.h"

/* An input begins. */
void told_begin(struct app *app, const struct config *cfg);
/* A request was answered; body: what it carried. made: path of the tus upload that it made, or NULL. */
void told_after(const struct http_req *req, const char *body, size_t n, const char *made);
/* The input ends: whole uploads are downloaded and compared, as they were when they became whole. */
void told_end(void);

#endif
