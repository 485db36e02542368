/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* say.h - a line for who reads the store. */
#ifndef RECORDER_SAY_H
#define RECORDER_SAY_H

#include <stddef.h>
#include <stdint.h>

/* A line, of the strings up to NULL, into the store; not to a descriptor, which may be the
 * program's. */
void say(const char *first, ...) __attribute__((sentinel));
/* The text of a number, in a buffer of the caller's. */
#define SAY_NUMBER_BYTES 24
const char *say_number(uint64_t number, char *buffer);
const char *say_hex(uint64_t number, char *buffer);

#endif
