/*
 * hook_curl.h - libcurl, loaded when it is needed and not linked: it brings some thirty other libraries with it, which no worker needs. The only file that knows its header.
 */
#ifndef HOOK_HOOK_CURL_H
#define HOOK_HOOK_CURL_H

#include <curl/curl.h>
#include <stdbool.h>

#define CURL_LIB_NAME "libcurl.so.4"
/* What is used of it, by the hook and by tusctl. */
#define CURL_LIB(X) X(global_init) X(easy_init) X(easy_setopt) X(easy_perform) X(easy_getinfo) X(easy_strerror) X(easy_cleanup) X(easy_send) X(easy_recv) \
	X(slist_append) X(slist_free_all)
struct curl_lib {
#define CURL_LIB_MEMBER(name) __typeof__(curl_##name) *name;
	CURL_LIB(CURL_LIB_MEMBER)
#undef CURL_LIB_MEMBER
};

/* Loads and initializes it; lib->global_init is NULL before. Before there are other threads. false: *why says so. */
bool curl_lib_load(struct curl_lib *lib, const char **why);

#endif
