/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * jit.c - code that a program makes and announces to libgcc's unwinder is announced to ours.
 *
 * libgcc's functions are found through the program that calls them: without it nobody would.
 */
#define _GNU_SOURCE
#include <dlfcn.h>

#include "recorder.h"

static void *jit_look_up(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name), *library;

	if (found)
		return found;
	library = dlopen("libgcc_s.so.1", RTLD_LAZY | RTLD_NOLOAD);
	return library ? dlsym(library, name) : NULL;
}

EXPORT void __register_frame(void *begin);
EXPORT void __register_frame(void *begin)
{
	static void (*next)(void *);

	if (!next)
		*(void **)&next = jit_look_up("__register_frame");
	if (next)
		next(begin);
	(void)stackdepot_unwind_register(begin);
}

EXPORT void __deregister_frame(void *begin);
EXPORT void __deregister_frame(void *begin)
{
	static void (*next)(void *);

	(void)stackdepot_unwind_deregister(begin);
	if (!next)
		*(void **)&next = jit_look_up("__deregister_frame");
	if (next)
		next(begin);
}
