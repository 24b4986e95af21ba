/*
 * long_form.h - for tests that must wait for seconds: without TEST_ALL=1 they are skipped, and say so.
 */
#ifndef TESTS_LONG_FORM_H
#define TESTS_LONG_FORM_H

#include <stdlib.h>

static inline void long_form(void)
{
	const char *all = getenv("TEST_ALL");
	if (all && *all)
		return;
	print_message("skipped: a long form, TEST_ALL=1 runs it\n");
	skip();
}

#endif
