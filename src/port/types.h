/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * types.h - the library's types, flags and limits, for the core.
 *
 * What the core calls depot_save() is the public stackdepot_save(), and so on: one symbol, which
 * has the name and the visibility of the library's, so that no call goes through another.
 */
#ifndef PORT_TYPES_H
#define PORT_TYPES_H

#include "words.h"

#include <stackdepot/stackdepot.h>

/* A program for tests may have the core of a kernel, with its own names. */
#ifndef DEPOT_NAME
#define DEPOT_NAME(name) __asm__("stackdepot_" #name) STACKDEPOT_API
#endif

#endif
