/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * names.h - names of functions and files as they are shown, each kept once.
 *
 * They are demangled, and clean: see base/clean.h.
 */
#ifndef SYMBOLS_NAMES_H
#define SYMBOLS_NAMES_H

#include <stddef.h>

struct names;

struct names *names_open(void);
void names_close(struct names *names);
/* The text of each lives as long as NAMES. */
const char *names_function(struct names *names, const char *raw);
/* DIRECTORY, which may be NULL, with a slash, and RAW; *RET_JOINED bytes are the former's. */
const char *names_file(struct names *names, const char *directory, const char *raw,
		       size_t *ret_joined);

#endif
