/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct model_shape model_shapes[] = {
	/* name, lines, buckets, max_frames, longest, lease_ticks, ring_entries, traces */
	{"normal", 4096, 0, 128, 60, 8, 0, 3000},
	{"ring", 1000, 0, 128, 40, 0, 256, 2000},
	{"tiny", 4, 2, 128, 12, 2, 0, 24},
	{"colliding", 50, 1, 128, 40, 3, 0, 200},
	{"one-chain", 400, 1, 128, 40, 3, 0, 300},
	{"one-line", 1, 1, 128, 9, 0, 0, 10},
	{"seven-lines", 7, 3, 128, 30, 1, 0, 40},
	{"truncating", 200, 16, 20, 40, 5, 0, 300},
	{"tiny-ring", 60, 4, 32, 20, 0, 16, 100},
	{"long", 100, 8, 256, 256, 127, 0, 50},
	{0},
};

uint32_t choose(struct choices *choices, uint32_t limit)
{
	uint32_t value = 0;

	if (choices->left) {
		value = *choices->bytes++;
		choices->left--;
		if (limit > 256 && choices->left) {
			value = value << 8 | *choices->bytes++;
			choices->left--;
		}
		return value % limit;
	}
	return choices->endless ? (uint32_t)(trace_random(&choices->random) % limit) : 0;
}

void model_check(const struct model *model, bool holds, const char *what, const char *function,
		 int line)
{
	if (holds)
		return;
	fprintf(stderr, "%s:%d: not so: %s\n  shape %s, operation %llu: --shape %s --seed %llu\n",
		function, line, what, model->shape.name, (unsigned long long)model->operations,
		model->shape.name, (unsigned long long)model->seed);
	abort();
}

uint32_t model_frames(const struct model *model, uint32_t trace, uintptr_t *frames,
		      uint32_t *ret_whole)
{
	uint32_t nr = trace_make(trace, model->shape.longest, frames);

	if (ret_whole)
		*ret_whole = nr;
	return nr < model->shape.max_frames ? nr : model->shape.max_frames;
}

static bool frame_needs_64_bits(uintptr_t frame)
{
	return sizeof(frame) == 8 && frame >= 1ull << 47 && frame < ~0ull << 47;
}

/*
 * The lines of a trace as the documents tell: groups of 8 frames (12 of 32 bits) from the root, one
 * line each; if a group has a frame that does not fit, and more than 4 frames, two. Returns their
 * number.
 */
static uint32_t model_keys(const uintptr_t *frames, uint32_t nr, uint64_t *keys)
{
	uint64_t key = 1;
	uint32_t done, i, lines = 0;

	for (done = 0; done < nr; done += TRACE_LINE) {
		uint32_t length = nr - done < TRACE_LINE ? nr - done : TRACE_LINE;
		bool wide = false;

		for (i = 0; i < length; i++)
			wide |= frame_needs_64_bits(frames[nr - 1 - done - i]);
		for (i = 0; i < length; i++) {
			key = trace_mix(key ^ frames[nr - 1 - done - i]);
			if (i == length - 1 || (wide && i == 3))
				keys[lines++] = key | 1;
		}
	}
	return lines;
}

static struct model_line *model_line(const struct model *model, uint64_t key)
{
	uint32_t slot = (uint32_t)(key >> 20) & (model->line_slots - 1);

	while (model->lines[slot].key && model->lines[slot].key != key)
		slot = (slot + 1) & (model->line_slots - 1);
	return &model->lines[slot];
}

uint32_t model_lines_needed(const struct model *model, uint32_t trace)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	uint64_t keys[STACKDEPOT_MAX_FRAMES];
	uint32_t i, needed = 0, nr = model_frames(model, trace, frames, NULL);
	uint32_t lines = model_keys(frames, nr, keys);

	for (i = 0; i < lines; i++)
		needed += !model_line(model, keys[i])->holders;
	return needed;
}

void model_lines_hold(struct model *model, uint32_t trace, int change)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	uint64_t keys[STACKDEPOT_MAX_FRAMES];
	uint32_t i, nr = model_frames(model, trace, frames, NULL);
	uint32_t lines = model_keys(frames, nr, keys);

	for (i = 0; i < lines; i++) {
		struct model_line *line = model_line(model, keys[i]);

		line->key = keys[i];
		model->lines_pinned -= !!line->holders;
		line->holders += (uint32_t)change;
		model->lines_pinned += !!line->holders;
	}
}

bool model_held(const struct model_trace *trace)
{
	return trace->references || trace->kept;
}

static void model_forget(struct model *model, struct model_trace *trace)
{
	uint32_t slot = model->nr_gone++ % MODEL_GONE;

	model->gone[slot] = trace->ref;
	model->gone_handles[slot] = trace->handle;
	trace->ref = 0;
	trace->stamped = false;
}

bool model_stored(struct model *model, uint32_t number)
{
	struct model_trace *trace = &model->traces[number];
	uintptr_t frames[STACKDEPOT_MAX_FRAMES], fetched[STACKDEPOT_MAX_FRAMES];
	uint32_t nr = model_frames(model, number, frames, NULL);
	int result;

	if (!trace->ref)
		return false;
	result = stackdepot_fetch_ref(model->depot, trace->ref, fetched, STACKDEPOT_MAX_FRAMES);
	MODEL_CHECK(model, result == (int)nr || result == -ESTALE);
	if (result == -ESTALE) {
		MODEL_CHECK(model, !model_held(trace));
		model_forget(model, trace);
		return false;
	}
	MODEL_CHECK(model, !memcmp(frames, fetched, nr * sizeof(*frames)));
	return true;
}

static void *model_allocate(size_t nr, size_t bytes)
{
	void *memory = calloc(nr ? nr : 1, bytes);

	if (!memory)
		abort();
	return memory;
}

void model_init(struct model *model, const struct model_shape *shape, struct choices *choices,
		uint64_t seed)
{
	struct stackdepot_options options = {
		.max_frames = shape->max_frames,
		.lease_ticks = shape->lease_ticks,
		.ring_entries = shape->ring_entries,
		.lines = shape->lines,
		.buckets = shape->buckets,
		.seed = seed | 1,
	};

	*model = (struct model){.shape = *shape, .choices = choices, .seed = seed};
	options.max_bytes = stackdepot_bytes_for(shape->lines, &options);
	MODEL_CHECK(model, !stackdepot_create(&options, &model->depot));
	model->line_slots = 1;
	while (model->line_slots < shape->traces * (shape->longest / 4 + 2) * 2)
		model->line_slots *= 2;
	model->traces = model_allocate(shape->traces, sizeof(*model->traces));
	model->lines = model_allocate(model->line_slots, sizeof(*model->lines));
	model->events = model_allocate(shape->ring_entries, sizeof(*model->events));
	if (shape->ring_entries)
		model->shape.lease_ticks = STACKDEPOT_RING_LEASE_TICKS;
}

/* All lines that nothing pins can be had, no more and no less. */
static void model_find_leaks(struct model *model)
{
	uint32_t i, expected = model->shape.lines - model->lines_pinned;
	uintptr_t frame;

	for (i = 0; i <= expected; i++) {
		frame = ((uintptr_t)0x66 << TRACE_ID_BITS) + i; /* no trace of the model */
		MODEL_CHECK(model, (i < expected) ==
					   !!stackdepot_save(model->depot, &frame, 1,
							     STACKDEPOT_GET));
	}
}

void model_finish(struct model *model)
{
	uint32_t i;

	for (i = 0; i < model->shape.traces; i++) {
		struct model_trace *trace = &model->traces[i];

		MODEL_CHECK(model, model_stored(model, i) || !model_held(trace));
		for (; trace->references; trace->references--) {
			MODEL_CHECK(model, !stackdepot_put(model->depot, trace->handle));
			model_lines_hold(model, i, -1);
		}
	}
	MODEL_CHECK(model, !stackdepot_check(model->depot));
	model_find_leaks(model);
	MODEL_CHECK(model, !stackdepot_check(model->depot));
	stackdepot_destroy(model->depot);
	free(model->traces);
	free(model->lines);
	free(model->events);
}
