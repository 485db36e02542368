/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * lsan.c - what is live, as LeakSanitizer prints leaks.
 *
 * Each is called a direct leak: whether a pointer to it remains somewhere is not known here.
 * Without live objects nothing is printed, as LeakSanitizer does.
 */
#include "base/clean.h"
#include "export.h"

#define RULE "================================================================="

static void lsan_line(FILE *out, const struct symbol_frame *frame, const struct symbol_line *line)
{
	if (line->function) {
		fputs(" in ", out);
		clean_write(out, line->function);
	}
	if (line->file) {
		putc(' ', out);
		clean_write(out, line->file);
		if (line->line)
			fprintf(out, ":%d", line->line);
	} else if (frame->in) {
		fputs(line->function ? " (" : "  (", out);
		clean_write(out, frame->in->path);
		fprintf(out, "+0x%llx)", (unsigned long long)frame->offset - 1);
	}
	putc('\n', out);
}

static void lsan_stack(const struct export *export, const struct profile_stack *stack)
{
	unsigned int i, number = 0;
	size_t j;

	for (i = 0; i < stack->trace.nr; i++) {
		const struct symbol_frame *frame = symbols_frame(stack->trace.frames[i]);

		for (j = 0; j < frame->nr; j++) {
			fprintf(export->out, "    #%u 0x%llx", number++,
				(unsigned long long)frame->offset - 1);
			lsan_line(export->out, frame, &frame->lines[j]);
		}
	}
	if (!stack->trace.nr)
		fprintf(export->out, "    #0 0x0 in %s\n", export_missing(stack));
}

void export_lsan(const struct export *export)
{
	const struct profile *profile = export->profile;
	double bytes = 0, objects = 0;
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		const struct profile_sums *sums = &profile->stacks[i].sums;

		if (sums->objects <= 0)
			continue;
		if (objects <= 0)
			fprintf(export->out,
				"\n" RULE "\n==%u==ERROR: LeakSanitizer: detected memory leaks\n",
				profile->info.pid);
		fprintf(export->out,
			"\nDirect leak of %lld byte(s) in %lld object(s) allocated from:\n",
			(long long)export_integer(sums->bytes),
			(long long)export_integer(sums->objects));
		lsan_stack(export, &profile->stacks[i]);
		bytes += sums->bytes;
		objects += sums->objects;
	}
	if (objects > 0)
		fprintf(export->out,
			"\nSUMMARY: LeakSanitizer: %lld byte(s) leaked in %lld allocation(s).\n",
			(long long)export_integer(bytes), (long long)export_integer(objects));
}
