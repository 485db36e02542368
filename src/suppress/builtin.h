/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* builtin.h - rules for what libraries keep on purpose. */
#ifndef SUPPRESS_BUILTIN_H
#define SUPPRESS_BUILTIN_H

#include <stddef.h>

#define SUPPRESS_BUILTIN_MAX 64u

/*
 * A leak is covered if, from the innermost frame outward, all frames are in one of these modules up
 * to one with the function; without a function, if all frames of the stack are, the innermost in
 * the first of them and the outermost, where the stack begins, in the second. A program's own
 * constructor or callback on the way ends the match.
 */
struct suppress_builtin {
	const char *name;
	const char *function; /* NULL: to the end of the stack */
	const char *modules[4];
	const char *reason;
};

extern const struct suppress_builtin suppress_builtins[];
extern const size_t suppress_builtin_nr;

#endif
