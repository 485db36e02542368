/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * folded.c - collapsed stacks: a line for each way through the program, root first, and its value.
 *
 *	main;parse;read_node 4096
 *
 * Stacks that differ by line numbers only are one line here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "export.h"

struct folded {
	char *text;
	size_t used;
	size_t room;
};

/* A name cannot hold what ends it: ';', or a line's end. */
static void folded_add(struct folded *folded, const char *name)
{
	char *clean = clean_is(name) ? NULL : clean_text(name);
	size_t length = strlen(clean ? clean : name), i;

	if (folded->used + length + 1 > folded->room) {
		folded->room = 2 * folded->room + length + 1;
		folded->text = memory_realloc(folded->text, folded->room);
	}
	if (folded->used)
		folded->text[folded->used++] = ';';
	for (i = 0; i < length; i++) {
		char c = clean ? clean[i] : name[i];

		folded->text[folded->used++] = c == ';' ? ':' : c;
	}
	free(clean);
}

static void folded_stack(struct folded *folded, const struct profile_stack *stack)
{
	char buffer[EXPORT_NAME_BYTES];
	unsigned int i;
	size_t j;

	folded->used = 0;
	for (i = stack->trace.nr; i-- > 0;) {
		const struct symbol_frame *frame = symbols_frame(stack->trace.frames[i]);

		for (j = frame->nr; j-- > 0;)
			folded_add(folded, export_name(frame, &frame->lines[j], buffer));
	}
	if (!stack->trace.nr)
		folded_add(folded, export_missing(stack));
}

void export_folded(const struct export *export)
{
	const struct profile *profile = export->profile;
	double *sums = memory_alloc(profile->nr * sizeof(*sums));
	struct intern *texts = intern_open();
	struct folded folded = {0};
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		double value = export_value_of(&profile->stacks[i], export->value);

		if (value <= 0)
			continue;
		folded_stack(&folded, &profile->stacks[i]);
		sums[intern(texts, folded.text, folded.used)] += value;
	}
	for (i = 0; i < intern_nr(texts); i++)
		fprintf(export->out, "%s %" PRId64 "\n", intern_at(texts, i, NULL),
			export_integer(sums[i]));
	free(folded.text);
	intern_close(texts);
	free(sums);
}
