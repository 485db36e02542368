/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Portable frames for tests: the number of a module and the place in it, found anew for each frame.
 * A module is what the loader calls by a name and has at a place; its number is a hash of these.
 * Nothing is kept, so what the unwinder keeps is compared with what is so. No lock, for signals.
 */
#ifndef TESTS_PORTABLE_H
#define TESTS_PORTABLE_H

#include <stdbool.h>
#include <stdint.h>

/* portable_setup() - have the unwinder make them. */
void portable_setup(void);

/* portable_frame() - what the return address @pc is to become. */
uintptr_t portable_frame(uintptr_t pc);

/* portable_differs() - the first of @nr frames that is not what that of @plain is to be, or @nr. */
uint32_t portable_differs(const uintptr_t *plain, const uintptr_t *portable, uint32_t nr);

/* Times that the unwinder asked for a module. */
extern unsigned int portable_asked;

#endif
