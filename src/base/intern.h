/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* intern.h - byte strings numbered from 0 in the order they were first seen, each kept once. */
#ifndef BASE_INTERN_H
#define BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

struct intern;

struct intern *intern_open(void);
void intern_close(struct intern *intern);
/* The number of these bytes; a new one is intern_nr() before the call. */
size_t intern(struct intern *intern, const void *bytes, size_t length);
size_t intern_text(struct intern *intern, const char *text);
size_t intern_nr(const struct intern *intern);
/* Ended by a NUL that is not counted; good until the next intern(). */
const char *intern_at(const struct intern *intern, size_t number, size_t *ret_length);

#endif
