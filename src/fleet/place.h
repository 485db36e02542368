/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * place.h - what frames and stacks are called in a fleet.
 *
 * A frame is a build of a file and an offset in it: the same on every host that has that build.
 * What has no build-id is named by path, size and time; code that a process made by its function,
 * as its address means nothing elsewhere.
 */
#ifndef FLEET_PLACE_H
#define FLEET_PLACE_H

#include "id.h"
#include "profile/profile.h"
#include "rows.h"

struct place {
	char *build; /* to be freed */
	uint64_t offset;
};

struct place place_of(const struct symbol_frame *frame);
struct fleet_id place_stack(const struct profile_trace *trace);
/* Of an error: kind, signal and the places of its stacks. */
struct fleet_id place_error(const struct profile_error *error);
/* How many lines of a frame have a function. */
unsigned int place_resolved(const struct symbol_frame *frame);

/* A row of the table of frames. */
void place_row(struct rows *rows, const struct symbol_frame *frame, const struct place *place);

#endif
