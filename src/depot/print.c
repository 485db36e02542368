/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * print.c - a trace as text, without a C library: also for signal handlers, whose stacks are small.
 */
#include "print.h"
#include "walk.h"

struct text {
	char *buffer;
	size_t size;
	size_t length; /* of all the text, also what did not fit */
};

static void text_put(struct text *text, char c)
{
	if (text->length + 1 < text->size)
		text->buffer[text->length] = c;
	text->length++;
}

void depot_print_frame(uintptr_t frame, char *text)
{
	u32 i;

	text[0] = '0';
	text[1] = 'x';
	for (i = PRINT_FRAME_BYTES - 2; i > 1; i--, frame >>= 4)
		text[i] = "0123456789abcdef"[frame & 0xf];
	text[PRINT_FRAME_BYTES - 1] = '\n';
}

static void text_put_frame(struct text *text, uintptr_t frame, unsigned int spaces)
{
	char line[PRINT_FRAME_BYTES];
	u32 i;

	while (spaces--)
		text_put(text, ' ');
	depot_print_frame(frame, line);
	for (i = 0; i < PRINT_FRAME_BYTES; i++)
		text_put(text, line[i]);
}

int stackdepot_snprint(struct stackdepot *depot, stackdepot_ref_t ref, char *buffer, size_t size,
		       unsigned int spaces)
{
	uintptr_t frames[DEPOT_GROUP];
	struct text text = {buffer, size, 0};
	struct depot_walk walk;
	int i, nr = depot_walk_begin(depot, ref, &walk);

	if (nr)
		return nr;
	while ((nr = depot_walk_next(depot, &walk, frames)) > 0)
		for (i = 0; i < nr; i++)
			text_put_frame(&text, frames[i], spaces);
	if (nr < 0)
		return nr;
	if (size)
		buffer[text.length < size ? text.length : size - 1] = '\0';
	return (int)text.length;
}

unsigned int stackdepot_cut(const uintptr_t *frames, unsigned int nr, uintptr_t start,
			    uintptr_t end)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (frames[i] >= start && frames[i] < end)
			return i + 1;
	return nr;
}
