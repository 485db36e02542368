/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* rules.h - what the files of suppressions share: the list, and its matcher's cache. */
#ifndef SUPPRESS_RULES_H
#define SUPPRESS_RULES_H

#include "builtin.h"
#include "suppress.h"

struct suppress_rule {
	unsigned int kinds;
	char *text;	     /* KIND:PATTERN as it was written */
	const char *pattern; /* inside of it */
	const char *file;    /* of suppress->files; NULL: built in */
	unsigned int line;
	const struct suppress_builtin *builtin;
	bool used;
	struct suppress_sums leaks, errors;
};

/* What is known of a frame. */
struct suppress_frame {
	uint64_t entry;	 /* built-in rules whose function this is, in one of their modules */
	uint64_t inside; /* those in whose modules it is */
	uint32_t *rules; /* of files, that match it; ascending */
	size_t nr;
};

struct suppress {
	struct suppress_rule *rules; /* those of files first, then built-in ones */
	size_t nr;
	size_t builtin; /* where these begin; nr if there are none */
	char **files;
	size_t files_nr;

	struct intern *known; /* pointers to frames; numbers as of frames */
	struct suppress_frame *frames;
	size_t room;

	struct profile_filter filter;
};

/* Whether it is covered; it is counted then, so it is asked once. */
bool suppress_leak(void *suppress, const struct profile_stack *stack);
bool suppress_error(void *suppress, const struct profile_error *error);
/* Forget all frames: what is asked about next has other ones. */
void suppress_forget(void *suppress);

#endif
