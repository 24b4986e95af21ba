/*
 * shim_alloc.c - allocations of the process, which shim_fail.c may fail. A definition in the program comes before that of every library.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "shim_fail.h"

/* The C library's own, and those of the address sanitizer where it is there. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__interceptor_malloc(size_t n) __attribute__((weak));
extern void *__interceptor_calloc(size_t n, size_t size) __attribute__((weak));
extern void *__interceptor_realloc(void *p, size_t n) __attribute__((weak));

static bool refused(void)
{
	if (!shim_fail_alloc())
		return false;
	errno = ENOMEM;
	return true;
}

/* The thread sanitizer's runtime allocates before a definition of ours can work: there nothing is refused. */
#ifndef __SANITIZE_THREAD__

void *malloc(size_t n)
{
	if (refused())
		return NULL;
	return __interceptor_malloc ? __interceptor_malloc(n) : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
	if (refused())
		return NULL;
	return __interceptor_calloc ? __interceptor_calloc(n, size) : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	if (refused())
		return NULL;
	return __interceptor_realloc ? __interceptor_realloc(p, n) : __libc_realloc(p, n);
}

#endif

/* json-c 0.16 follows a null pointer when there is no memory for a member's name; that is not ours to find. Its parsing fails as a whole, or not at all. */
struct json_tokener;
struct json_object;
struct json_object *json_tokener_parse_ex(struct json_tokener *t, const char *s, int n);

struct json_object *json_tokener_parse_ex(struct json_tokener *t, const char *s, int n)
{
	static __typeof__(&json_tokener_parse_ex) real;
	bool was = shim_fail_is_here();
	if (refused())
		return NULL;
	shim_fail_here(false);
	if (!real)
		real = (__typeof__(&json_tokener_parse_ex))dlsym(RTLD_NEXT, "json_tokener_parse_ex");
	struct json_object *o = real(t, s, n);
	shim_fail_here(was);
	return o;
}
