/* hook_curl.c - loading libcurl. */
#include "hook/hook_curl.h"

#include <dlfcn.h>

bool curl_lib_load(struct curl_lib *lib, const char **why)
{
	void *so = dlopen(CURL_LIB_NAME, RTLD_NOW | RTLD_LOCAL);
	bool all = so;
#define FIND(name) all = all && (*(void **)&lib->name = dlsym(so, "curl_" #name)) != NULL;
	CURL_LIB(FIND)
#undef FIND
	*why = all ? "libcurl cannot be initialized" : dlerror();
	all = all && lib->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
	if (!all)
		lib->global_init = NULL;
	return all;
}
