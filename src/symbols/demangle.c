/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * demangle.c - what the mangled names of C++, Rust and D stand for, with binutils' libiberty.
 *
 * It is what addr2line -C and c++filt use, so names are those that people know, and it bounds the
 * depth of its recursion. What it does not bound is what comes out: a name of a few hundred bytes
 * may refer to its own parts so often that it stands for more text than there is memory, in C++ and
 * Rust as in D. Here the text is bounded, and with it the time. The first two give it out bit by
 * bit, and are left by a jump when it is enough: what they work on is on the stack. D's gathers it
 * in memory from xmalloc() and xrealloc(), which end the process when there is none; so these are
 * our own, and refuse before.
 *
 * Go's names are not mangled. There is no kept library for Swift's in Debian.
 */
#include <libiberty/demangle.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "symbols/demangle.h"

#define MANGLED_BYTES 16384u
#define PLAIN_BYTES 65536u
#define OPTIONS (DMGL_PARAMS | DMGL_ANSI)

static jmp_buf demangle_enough;

/* --- what libiberty allocates with ------------------------------------------------------------ */

void *xmalloc(size_t bytes);
void *xrealloc(void *memory, size_t bytes);

void *xmalloc(size_t bytes)
{
	return xrealloc(NULL, bytes);
}

void *xrealloc(void *memory, size_t bytes)
{
	if (bytes > 2 * PLAIN_BYTES) {
		free(memory);
		longjmp(demangle_enough, 1);
	}
	return memory_realloc(memory, bytes);
}

/* ---------------------------------------------------------------------------------------------- */

struct plain {
	size_t used;
	char text[PLAIN_BYTES];
};

static void demangle_add(const char *text, size_t bytes, void *opaque)
{
	struct plain *plain = opaque;

	if (bytes >= sizeof(plain->text) - plain->used)
		longjmp(demangle_enough, 1);
	if (!bytes)
		return; /* and then TEXT may be NULL */
	memcpy(plain->text + plain->used, text, bytes);
	plain->used += bytes;
}

static char *demangle_by(int (*callback)(const char *mangled, int options, demangle_callbackref add,
					 void *opaque),
			 const char *name)
{
	static struct plain plain;

	plain.used = 0;
	if (setjmp(demangle_enough) || !callback(name, OPTIONS, demangle_add, &plain))
		return NULL;
	plain.text[plain.used] = '\0';
	return plain.used ? memory_strdup(plain.text) : NULL;
}

static char *demangle_d(const char *name)
{
	return setjmp(demangle_enough) ? NULL : dlang_demangle(name, OPTIONS);
}

char *demangle(const char *name)
{
	char *plain;

	if (name[0] != '_' || strnlen(name, MANGLED_BYTES) == MANGLED_BYTES)
		return NULL;
	if (name[1] == 'D')
		return demangle_d(name);
	/* The old names of Rust are those of C++, with a hash at their end. */
	plain = demangle_by(rust_demangle_callback, name);
	return plain ? plain : demangle_by(cplus_demangle_v3_callback, name);
}
