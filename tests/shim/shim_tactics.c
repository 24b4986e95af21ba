/*
 * shim_tactics.c - the tactics that shim.so knows.
 */
#include "shim.h"

extern const struct shim_tactic shim_kill;

const struct shim_tactic *const shim_tactics[] = {&shim_kill, NULL};
