/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * output.h - a file that is there whole or not at all, or standard output.
 *
 * What is written goes to a file of another name beside it, which takes the name at the end.
 * Devices and pipes are written directly.
 */
#ifndef TEXT_OUTPUT_H
#define TEXT_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE *file;
	const char *path; /* NULL: standard output */
	char *temporary;  /* NULL: written directly */
};

/* PATH has to last as long as the output; NULL is standard output. False after a complaint. */
bool output_open(struct output *output, const char *path);
/* Flush, close, name. False after a complaint if something could not be written. */
bool output_finish(struct output *output);
/* Close, and leave nothing behind: PATH is what it was. */
void output_abandon(struct output *output);

/* Has all that was printed on standard output been written? If not, that is said, once. */
bool output_flush(void);

#endif
