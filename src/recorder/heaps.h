/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* heaps.h - which allocators the process has, and which of them are seen. */
#ifndef RECORDER_HEAPS_H
#define RECORDER_HEAPS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Send the functions of all allocators there are to the hooks. False if the program contains one
 * for which that cannot be done: then it is not to be recorded, and *ret_trouble says why, or at
 * which function. Only while there is one thread.
 */
bool heaps_setup(const char **ret_trouble);
/* Memory that took. */
size_t heaps_bytes(void);
/* There is a store now, or another: write down in it what is not seen. */
void heaps_tell(void);

/* A library is about to be opened that finds the C library before us. */
void heaps_deepbind(void);
/* The same of one that gets a C library of its own. */
void heaps_name_space(void);

#endif
