/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * speedscope.c - speedscope's file format: a sampled profile for each value.
 *
 * Its frames are functions, so that one called from two lines is one in its views.
 */
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "export.h"
#include "text/writer.h"

#define SPEEDSCOPE_SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct speedscope {
	struct writer writer;
	const struct profile *profile;
	struct intern *frames; /* name, NUL, file or nothing */
	char *text;
	size_t room;
	struct intern
		*places; /* pointers to frames of the profile, each of which is looked at once */
	size_t *first;	 /* of each the first of its numbers, which are as many as its lines */
	size_t first_room;
	int64_t *numbers;
	size_t nr_numbers;
	size_t numbers_room;
};

static int64_t speedscope_number(struct speedscope *speedscope, const char *name, const char *file)
{
	size_t name_bytes = strlen(name) + 1, length = name_bytes + (file ? strlen(file) : 0);

	if (length > speedscope->room) {
		speedscope->room = 2 * length;
		speedscope->text = memory_realloc(speedscope->text, speedscope->room);
	}
	memcpy(speedscope->text, name, name_bytes);
	if (file)
		memcpy(speedscope->text + name_bytes, file, length - name_bytes);
	return (int64_t)intern(speedscope->frames, speedscope->text, length);
}

/* Outermost first. */
static void speedscope_add_place(struct speedscope *speedscope, size_t place,
				 const struct symbol_frame *frame)
{
	char buffer[EXPORT_NAME_BYTES];
	size_t i;

	speedscope->first = memory_room(speedscope->first, place, &speedscope->first_room,
					sizeof(*speedscope->first));
	speedscope->first[place] = speedscope->nr_numbers;
	for (i = frame->nr; i-- > 0;) {
		const struct symbol_line *line = &frame->lines[i];
		const char *file = line->file ? line->file : frame->in ? frame->in->path : NULL;

		speedscope->numbers =
			memory_room(speedscope->numbers, speedscope->nr_numbers,
				    &speedscope->numbers_room, sizeof(*speedscope->numbers));
		speedscope->numbers[speedscope->nr_numbers++] =
			speedscope_number(speedscope, export_name(frame, line, buffer), file);
	}
}

static void speedscope_frame(struct speedscope *speedscope, struct symbol_frame *place)
{
	const struct symbol_frame *frame = symbols_frame(place);
	size_t i, known = intern_nr(speedscope->places);
	size_t number = intern(speedscope->places, &place, sizeof(place));

	if (number == known)
		speedscope_add_place(speedscope, number, frame);
	for (i = 0; i < frame->nr; i++)
		writer_integer(&speedscope->writer, NULL,
			       speedscope->numbers[speedscope->first[number] + i]);
}

/* Root first. */
static void speedscope_sample(struct speedscope *speedscope, const struct profile_stack *stack)
{
	unsigned int i;

	writer_array(&speedscope->writer, NULL);
	for (i = stack->trace.nr; i-- > 0;)
		speedscope_frame(speedscope, stack->trace.frames[i]);
	if (!stack->trace.nr)
		writer_integer(&speedscope->writer, NULL,
			       speedscope_number(speedscope, export_missing(stack), NULL));
	writer_end(&speedscope->writer);
}

static double speedscope_samples(struct speedscope *speedscope, enum export_value value)
{
	const struct profile *profile = speedscope->profile;
	double sum = 0;
	size_t i;

	writer_array(&speedscope->writer, "samples");
	for (i = 0; i < profile->nr; i++) {
		if (export_value_of(&profile->stacks[i], value) <= 0)
			continue;
		sum += export_value_of(&profile->stacks[i], value);
		speedscope_sample(speedscope, &profile->stacks[i]);
	}
	writer_end(&speedscope->writer);
	return sum;
}

static void speedscope_profile(struct speedscope *speedscope, enum export_value value)
{
	bool bytes = value == EXPORT_LIVE_BYTES || value == EXPORT_ALLOC_BYTES;
	const struct profile *profile = speedscope->profile;
	struct writer *writer = &speedscope->writer;
	size_t i;

	writer_object(writer, NULL);
	writer_text(writer, "type", "sampled");
	writer_text(writer, "name", export_value_names[value]);
	writer_text(writer, "unit", bytes ? "bytes" : "none");
	writer_integer(writer, "startValue", 0);
	writer_number(writer, "endValue", speedscope_samples(speedscope, value));
	writer_array(writer, "weights");
	for (i = 0; i < profile->nr; i++)
		if (export_value_of(&profile->stacks[i], value) > 0)
			writer_number(writer, NULL, export_value_of(&profile->stacks[i], value));
	writer_end(writer);
	writer_end(writer);
}

static void speedscope_frames(struct speedscope *speedscope)
{
	struct writer *writer = &speedscope->writer;
	size_t i, length;

	writer_object(writer, "shared");
	writer_array(writer, "frames");
	for (i = 0; i < intern_nr(speedscope->frames); i++) {
		const char *name = intern_at(speedscope->frames, i, &length);

		writer_object(writer, NULL);
		writer_text(writer, "name", name);
		if (strlen(name) + 1 < length)
			writer_text(writer, "file", name + strlen(name) + 1);
		writer_end(writer);
	}
	writer_end(writer);
	writer_end(writer);
}

void export_speedscope(const struct export *export)
{
	struct speedscope speedscope = {
		.profile = export->profile, .frames = intern_open(), .places = intern_open()};
	const struct stackdepot_store_info *info = &export->profile->info;
	struct writer *writer = &speedscope.writer;
	int value;

	writer_begin(writer, export->out);
	writer_object(writer, NULL);
	writer_text(writer, "$schema", SPEEDSCOPE_SCHEMA);
	writer_text(writer, "exporter", "stackdepot " STACKDEPOT_VERSION);
	writer_text(writer, "name", info->command_bytes ? info->command : "stackdepot");
	writer_integer(writer, "activeProfileIndex", export->value);
	writer_array(writer, "profiles");
	for (value = 0; value < EXPORT_VALUES; value++)
		speedscope_profile(&speedscope, (enum export_value)value);
	writer_end(writer);
	speedscope_frames(&speedscope);
	writer_end(writer);
	intern_close(speedscope.frames);
	intern_close(speedscope.places);
	free(speedscope.first);
	free(speedscope.numbers);
	free(speedscope.text);
}
