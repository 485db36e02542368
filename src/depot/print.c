/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* print.c - a trace as text, without a C library: also for signal handlers. */
#include "depot.h"

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

static void text_put_frame(struct text *text, uintptr_t frame, unsigned int spaces)
{
	int shift;

	while (spaces--)
		text_put(text, ' ');
	text_put(text, '0');
	text_put(text, 'x');
	for (shift = 60; shift >= 0; shift -= 4)
		text_put(text, "0123456789abcdef"[frame >> shift & 0xf]);
	text_put(text, '\n');
}

int stackdepot_snprint(struct stackdepot *depot, stackdepot_ref_t ref, char *buffer, size_t size,
		       unsigned int spaces)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	struct text text = {buffer, size, 0};
	int i, nr = stackdepot_fetch_ref(depot, ref, frames, STACKDEPOT_MAX_FRAMES);

	if (nr < 0)
		return nr;
	for (i = 0; i < nr; i++)
		text_put_frame(&text, frames[i], spaces);
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
