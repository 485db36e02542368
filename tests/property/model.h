/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * model.h - a naive model of a depot, and operations on both that are compared.
 *
 * The model knows which traces are held, by whom and how often, and which lines that pins. Of the
 * others it knows the last reference: they are there, whole, or gone, and then for ever. So of
 * every operation it knows either the result or the few that are allowed. A difference is printed,
 * with what is needed to see it again, and ends the program.
 */
#ifndef TESTS_MODEL_H
#define TESTS_MODEL_H

#include <stddef.h>

#include "trace.h"

/* Where decisions come from: bytes while there are some, then a generator if it has a seed. */
struct choices {
	const uint8_t *bytes;
	size_t left;
	uint64_t random;
	bool endless;
};

/* A number below `limit`, which is 1 to 65536. */
uint32_t choose(struct choices *choices, uint32_t limit);

struct model_shape {
	const char *name;
	uint32_t lines;
	uint32_t buckets;
	uint32_t max_frames;
	uint32_t longest; /* trace that is generated: may be more than max_frames */
	uint32_t lease_ticks;
	uint32_t ring_entries;
	uint32_t traces; /* different ones */
};

struct model_trace {
	uint32_t references;
	bool kept;
	bool stamped; /* is the next one known? */
	uint64_t stamp;
	stackdepot_ref_t ref; /* of its last known life; 0: none, or seen to be over */
	stackdepot_handle_t handle;
};

struct model_line {
	uint64_t key; /* hash of all frames from the root to its innermost; 0: empty slot */
	uint32_t holders;
};

struct model_cursor {
	struct stackdepot_cursor cursor;
	uint32_t trace;
	bool used;
};

#define MODEL_CURSORS 3
#define MODEL_GONE 64

struct model {
	struct model_shape shape;
	struct stackdepot *depot;
	struct choices *choices;
	struct model_trace *traces;
	struct model_line *lines; /* pinned ones, in a hash table */
	uint32_t line_slots;
	uint32_t lines_pinned;
	uint32_t lines_kept; /* at most so many lines are kept */
	uint64_t tick;
	struct stackdepot_event *events; /* the ring */
	uint64_t nr_events;
	struct model_cursor cursors[MODEL_CURSORS];
	stackdepot_ref_t gone[MODEL_GONE]; /* refs of lives that are over */
	stackdepot_handle_t gone_handles[MODEL_GONE];
	uint32_t nr_gone;
	uint64_t operations;
	uint64_t seed; /* for the message */
};

/* The depots and generators that tests go through; ends with one that has no name. */
extern const struct model_shape model_shapes[];

void model_init(struct model *model, const struct model_shape *shape, struct choices *choices,
		uint64_t seed);

/* Do one operation, chosen by model->choices, and compare. */
void model_step(struct model *model);

/* Give everything back, look for what leaked, and free the model. */
void model_finish(struct model *model);

/* --- between model.c and operations.c ------------------------------------------------------- */

#define MODEL_CHECK(model, condition) model_check(model, condition, #condition, __func__, __LINE__)

void model_check(const struct model *model, bool holds, const char *what, const char *function,
		 int line);

/* The frames that the depot stores for a trace; `whole` is how long it was before it was cut. */
uint32_t model_frames(const struct model *model, uint32_t trace, uintptr_t *frames,
		      uint32_t *ret_whole);

/* Lines of a trace that are not pinned now. */
uint32_t model_lines_needed(const struct model *model, uint32_t trace);

/* One holder more or less for all lines of a trace. */
void model_lines_hold(struct model *model, uint32_t trace, int change);

bool model_held(const struct model_trace *trace);

/* Fetch a trace by its last reference: is it stored? Compares its frames, and that it must be. */
bool model_stored(struct model *model, uint32_t trace);

#endif
