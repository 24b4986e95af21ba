/*
 * shim_tactics.c - the tactics that shim.so knows.
 */
#include "shim.h"

extern const struct shim_tactic shim_kill, shim_record;

const struct shim_tactic *const shim_tactics[] = {&shim_kill, &shim_record, NULL};
