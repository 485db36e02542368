/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* text.h - stacks, processes and what is to be said of both, for people. */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include <stdio.h>

#include "profile/profile.h"

struct text_style {
	size_t frame_limit; /* frames shown of a stack */
	bool colour;
};

void text_trace(FILE *out, const struct text_style *style, const struct profile_trace *trace);
/* The function, or module and offset, without what could drive a terminal. */
void text_where(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line);
/* A name from a file, likewise. */
void text_name(FILE *out, const char *name);
/* The command line, and what became of the process; its state in a word, for programs. */
const char *text_state(const struct stackdepot_store_info *info);
/* How it is recorded, in a word. */
const char *text_mode(const struct stackdepot_store_info *info);
void text_command(FILE *out, const struct stackdepot_store_info *info);
void text_end(FILE *out, const struct stackdepot_store_info *info);
void text_heading(const struct text_style *style, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* What the figures are worth: lines, if there is something to say. */
void text_caveats(FILE *out, const struct profile *profile);
/* "process 17, exited with status 0", or how many there are. */
void text_processes(FILE *out, const struct profile *profile);
/* What the recorder had to say; which programs were not recorded. Lines, PREFIX in front. */
void text_notes(FILE *out, const char *prefix, const struct profile *profile);
void text_unrecorded(FILE *out, const char *prefix, const struct profile *profile);
/* The command, its processes, and what the figures below are worth. */
void text_head(const struct profile *profile);

/* What was done: "Free", "Write" ... */
const char *text_verb(const struct stackdepot_error *error);
/* Was it found after the fact, elsewhere? */
bool text_is_late(const struct stackdepot_error *error);

#endif
