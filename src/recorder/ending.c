/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* ending.c - names that are longer than what is kept of them. */
#include <string.h>

#include "ending.h"

void ending_add(struct ending *ending, const char *bytes, size_t nr)
{
	uint32_t kept = ending->used;

	if (nr > ending->room) {
		bytes += nr - ending->room;
		nr = ending->room;
		ending->cut = true;
	}
	if (kept > ending->room - nr) {
		kept = ending->room - (uint32_t)nr;
		memmove(ending->text, ending->text + ending->used - kept, kept);
		ending->cut = true;
	}
	memcpy(ending->text + kept, bytes, nr);
	ending->used = kept + (uint32_t)nr;
}

uint32_t ending_finish(struct ending *ending)
{
	uint32_t i = sizeof(ENDING_MARK) - 1;

	if (!ending->cut || ending->used < i)
		return ending->used;
	memcpy(ending->text, ENDING_MARK, i);
	/* of a character only a part of which is there */
	for (; i < ending->used && (ending->text[i] & 0xc0) == 0x80; i++)
		ending->text[i] = '.';
	return ending->used;
}

uint32_t ending_of(char *text, uint32_t room, const char *name)
{
	struct ending ending = {text, room, 0, false};

	ending_add(&ending, name, strlen(name));
	return ending_finish(&ending);
}
