/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* export.h - what the writers of formats share. */
#ifndef EXPORT_EXPORT_H
#define EXPORT_EXPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "profile/profile.h"

enum export_value {
	EXPORT_LIVE_BYTES,
	EXPORT_LIVE_OBJECTS,
	EXPORT_ALLOC_BYTES,
	EXPORT_ALLOCS,
	EXPORT_VALUES
};

struct export
{
	const struct profile *profile;
	enum export_value value; /* the one that is written, or shown first */
	FILE *out;
	unsigned int
		seconds; /* values are what changed in so many, and may be negative; 0: what is */
	bool live_only; /* of pprof: what is live at this moment, not what was allocated */
};

/* As the command line calls them. */
extern const char *const export_value_names[EXPORT_VALUES];

double export_value_of(const struct profile_stack *stack, enum export_value value);
/* Rounded; what does not fit is cut, and so is what is negative. */
int64_t export_integer(double value);
/* The same of a difference. */
int64_t export_difference(double value);

#define EXPORT_NAME_BYTES 512
/* The function, or module and offset, or the address; in BUFFER unless symbols own it. */
const char *export_name(const struct symbol_frame *frame, const struct symbol_line *line,
			char buffer[EXPORT_NAME_BYTES]);
#define EXPORT_BUILD_ID_BYTES 128
/* In hexadecimal; nothing, if there is none. */
void export_build_id(const uint8_t *bytes, size_t nr, char buffer[EXPORT_BUILD_ID_BYTES]);
/* "process 17: its command"; to be freed. */
char *export_process(const struct profile_process *process);
/* What stands for the frames of a stack that has none. */
const char *export_missing(const struct profile_stack *stack);

/*
 * Allocations of stacks that were evicted since become a stack of their own, so that sums are
 * right.
 */
void export_add_evicted(struct profile *profile);

/* The formats. Errors of writing are found in OUT by the caller. */
void export_folded(const struct export *export);
void export_json(const struct export *export);
void export_pprof(const struct export *export);
void export_speedscope(const struct export *export);
void export_lsan(const struct export *export);
void export_sarif(const struct export *export);

#endif
