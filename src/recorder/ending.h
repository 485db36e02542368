/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ending.h - names that are longer than what is kept of them.
 *
 * Of a path the end says most. What is kept is that, behind "...", so that it cannot be taken for
 * another name. No file is looked for at such a path.
 */
#ifndef ENDING_H
#define ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ENDING_MARK "..."

/* A name in the making: `room` bytes at `text`, of which `used` are taken. */
struct ending {
	char *text;
	uint32_t room;
	uint32_t used;
	bool cut;
};

/* Add to its end; what was there first gives way. Signal-safe. */
void ending_add(struct ending *ending, const char *bytes, size_t nr);

/* Its length, with the mark if there is not all of it. */
uint32_t ending_finish(struct ending *ending);

/* The same for a name that is there as a whole. It has no NUL at its end. */
uint32_t ending_of(char *text, uint32_t room, const char *name);

#endif
