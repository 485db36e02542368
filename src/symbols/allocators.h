/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* allocators.h - allocators that are inside of a file, and of which nothing shows outside. */
#ifndef SYMBOLS_ALLOCATORS_H
#define SYMBOLS_ALLOCATORS_H

/*
 * The name of an allocator that the file contains without exporting its own functions, NULL if
 * there is no sign of one. A recorder cannot find these functions; those that are exported it has.
 * PATH is of the recorded machine.
 */
const char *allocators_hidden(const char *path);

#endif
