/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* alive.h - what became of a process of a store. */
#ifndef PROFILE_ALIVE_H
#define PROFILE_ALIVE_H

#include <stdbool.h>

#include "stackdepot/store.h"

/* The number that process NAME, a number here, has in its own name space; 0: not known. */
uint32_t alive_own_number(const char *name);
/* Is this process there now? */
bool alive_is_running(const struct stackdepot_store_info *info);
/* Or in its last steps? Zombies are not there. */
bool alive_is_there(const struct stackdepot_store_info *info);
/* Is it of our own PID name space, so that this is known for certain? */
bool alive_is_near(const struct stackdepot_store_info *info);
/* Are both the same process, as two programs one after the other? */
bool alive_is_same(const struct stackdepot_store_info *a, const struct stackdepot_store_info *b);

#endif
