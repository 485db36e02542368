/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* memory_use.h - all of the memory of a process that runs, by what it is for. */
#ifndef PROFILE_MEMORY_USE_H
#define PROFILE_MEMORY_USE_H

#include "profile.h"

enum memory_kind {
	MEMORY_HEAP,	 /* brk()'s, and mappings that live objects lie in */
	MEMORY_MAPPED,	 /* by the program itself, of no file */
	MEMORY_STACK,	 /* of threads */
	MEMORY_CODE,	 /* files, executable */
	MEMORY_DATA,	 /* files, the rest, with what was written to in private */
	MEMORY_SHARED,	 /* of several processes, and of no file that lasts */
	MEMORY_RECORDER, /* its store, its library, what it has besides */
	MEMORY_KERNEL,	 /* [vdso] and the like */
	MEMORY_OTHER,	 /* nobody knows */
	MEMORY_KINDS
};

/* Bytes, as the kernel counts them: of addresses, in memory, that by who shares it, swapped. */
struct memory_sum {
	double size;
	double resident;
	double proportional;
	double swapped;
};

struct memory_use {
	struct memory_sum kinds[MEMORY_KINDS];
	struct memory_sum all; /* as the kernel has it in one sum */
};

/* As reports call them. */
extern const char *const memory_names[MEMORY_KINDS];
extern const char *const memory_keys[MEMORY_KINDS];

/* Of a process that runs here. 0 or a negative errno. */
int memory_look(const struct profile *profile, const struct profile_process *process,
		struct memory_use *ret_use);

#endif
