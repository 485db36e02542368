/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * generate.c - `stackdepot suppress --gen`: suppressions for all that a report shows.
 *
 * A rule names one function, and covers all that goes through it. Of the functions of a stack the
 * one is taken through which the fewest stacks of the store go, freed ones included, so that as
 * little else as possible is hidden; of several, the innermost. Those of the C and C++ libraries
 * are taken only if there are no others: strdup() says nothing about a program.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/intern.h"
#include "base/memory.h"
#include "base/status.h"
#include "generate.h"
#include "suppress.h"
#include "text/output.h"
#include "text/text.h"

#define NAME_BYTES 4096u /* of a function; the rest of a longer one is a star */
#define NONE SIZE_MAX

/* A rule that could be written; which one is its number in gen->texts. */
struct gen_rule {
	size_t through; /* stacks */
	size_t last;	/* item that was counted last, so that recursion counts once */
	bool chosen;
	struct suppress_sums sums;
};

struct gen {
	const struct profile *profile;
	struct intern *texts;
	struct gen_rule *rules;
	size_t room;
	size_t *chosen; /* in this order */
	size_t chosen_nr;
	size_t items;
	size_t unknown; /* without a frame that could be named */
};

/* A stack, and as which kind it is reported. */
struct gen_item {
	const char *kind;
	const struct profile_trace *trace;
};

/* --- the rules a stack could have ------------------------------------------------------------- */

/* NUMBER is of a text that was just interned. */
static struct gen_rule *gen_rule(struct gen *gen, size_t number)
{
	size_t room = gen->room;

	if (number >= room) {
		gen->room = room ? 2 * room : 1024;
		gen->rules = memory_realloc(gen->rules, gen->room * sizeof(*gen->rules));
		memset(gen->rules + room, 0, (gen->room - room) * sizeof(*gen->rules));
	}
	return &gen->rules[number];
}

/* NONE: there is nothing to call it by. */
static size_t gen_text(struct gen *gen, const char *kind, const struct symbol_frame *frame,
		       const char *function)
{
	char text[NAME_BYTES + 128];
	bool whole = !function || strlen(function) < NAME_BYTES;
	int length = snprintf(text, sizeof(text), "%.40s:^", kind);
	char *at = text + length;

	if (function)
		snprintf(at, NAME_BYTES, "%.*s", (int)clean_fit(function, NAME_BYTES - 1),
			 function);
	else if (frame->in)
		snprintf(at, NAME_BYTES, "%.450s+0x%llx", frame->in->name,
			 (unsigned long long)frame->offset);
	else
		return NONE;
	strcat(at, whole ? "$" : "*");
	return intern_text(gen->texts, text);
}

typedef bool gen_visit(struct gen *gen, const struct symbol_frame *frame, size_t number,
		       void *context);

/* VISIT each rule that would cover the item, innermost first, until it returns false. */
static void gen_each(struct gen *gen, const struct gen_item *item, gen_visit *visit, void *context)
{
	unsigned int i;
	size_t j;

	for (i = 0; i < item->trace->nr; i++) {
		const struct symbol_frame *frame = symbols_frame(item->trace->frames[i]);

		for (j = 0; j < frame->nr; j++) {
			size_t number = gen_text(gen, item->kind, frame, frame->lines[j].function);

			if (number != NONE && !visit(gen, frame, number, context))
				return;
		}
	}
}

static bool gen_count(struct gen *gen, const struct symbol_frame *frame, size_t number,
		      void *context)
{
	struct gen_rule *rule = gen_rule(gen, number);

	(void)frame;
	(void)context;
	rule->through += rule->last != gen->items;
	rule->last = gen->items;
	return true;
}

static bool gen_is_runtime(const struct symbol_frame *frame)
{
	static const char *const runtime[] = {"^libc.so.", "^libstdc++.so.", "^ld-linux*.so.",
					      "^libgcc_s.so.", "^libc++*.so."};
	size_t i;

	for (i = 0; frame->in && i < sizeof(runtime) / sizeof(runtime[0]); i++)
		if (suppress_pattern(runtime[i], frame->in->name))
			return true;
	return false;
}

struct gen_choice {
	size_t number;
	bool runtime;
};

static bool gen_choose(struct gen *gen, const struct symbol_frame *frame, size_t number,
		       void *context)
{
	struct gen_choice *best = context;
	const struct gen_rule *rule = gen_rule(gen, number);
	bool runtime = gen_is_runtime(frame);

	if (rule->chosen || best->number == NONE || runtime < best->runtime ||
	    (runtime == best->runtime && rule->through < gen->rules[best->number].through))
		*best = (struct gen_choice){number, runtime};
	return !rule->chosen;
}

/* The rule that covers the item: one that is there already, if any. NULL: none can. */
static struct gen_rule *gen_cover(struct gen *gen, const struct gen_item *item)
{
	struct gen_choice best = {NONE, false};

	gen_each(gen, item, gen_choose, &best);
	if (best.number == NONE) {
		gen->unknown++;
		return NULL;
	}
	if (!gen->rules[best.number].chosen) {
		gen->chosen =
			memory_realloc(gen->chosen, (gen->chosen_nr + 1) * sizeof(*gen->chosen));
		gen->chosen[gen->chosen_nr++] = best.number;
		gen->rules[best.number].chosen = true;
	}
	return &gen->rules[best.number];
}

/* --- leaks and errors ------------------------------------------------------------------------- */

static struct gen_item gen_leak(const struct profile_stack *stack)
{
	return (struct gen_item){.kind = "leak", .trace = &stack->trace};
}

static void gen_leaks(struct gen *gen)
{
	const struct profile *profile = gen->profile;
	size_t i;

	for (i = 0; i < profile->nr; i++) {
		struct gen_item item = gen_leak(&profile->stacks[i]);

		gen->items++;
		gen_each(gen, &item, gen_count, NULL);
	}
	for (i = 0; i < profile->nr; i++) {
		const struct profile_sums *sums = &profile->stacks[i].sums;
		struct gen_item item = gen_leak(&profile->stacks[i]);
		struct gen_rule *rule = sums->objects > 0 ? gen_cover(gen, &item) : NULL;

		if (!rule)
			continue;
		rule->sums.stacks++;
		rule->sums.bytes += sums->bytes;
		rule->sums.objects += sums->objects;
	}
}

/* Where it was done; else where the object came from, or went. */
static struct gen_item gen_error(const struct profile_error *error)
{
	const struct profile_trace *trace = &error->access;

	if (!trace->nr)
		trace = error->alloc.nr ? &error->alloc : &error->free;
	return (struct gen_item){.kind = stackdepot_error_name(error->error.kind), .trace = trace};
}

static void gen_errors(struct gen *gen)
{
	const struct profile *profile = gen->profile;
	size_t i;

	for (i = 0; i < profile->nr_errors; i++) {
		struct gen_item item = gen_error(&profile->errors[i]);

		gen->items++;
		gen_each(gen, &item, gen_count, NULL);
	}
	for (i = 0; i < profile->nr_errors; i++) {
		struct gen_item item = gen_error(&profile->errors[i]);
		struct gen_rule *rule = gen_cover(gen, &item);

		if (!rule)
			continue;
		rule->sums.errors++;
		rule->sums.seen += profile->errors[i].error.count;
	}
}

/* --- all of them ------------------------------------------------------------------------------ */

static void gen_print(struct gen *gen)
{
	size_t i;

	fputs("# ", stdout);
	text_command(stdout, &gen->profile->info);
	putchar('\n');
	for (i = 0; i < gen->chosen_nr; i++) {
		const struct gen_rule *rule = &gen->rules[gen->chosen[i]];

		fputs("\n# ", stdout);
		suppress_print_sums(stdout, &rule->sums);
		if (rule->sums.stacks)
			printf(", of %zu that go through here", rule->through);
		printf("\n%s\n", intern_at(gen->texts, gen->chosen[i], NULL));
	}
	if (gen->unknown)
		printf("\n# %zu more without a frame that could be named: no rule can cover them\n",
		       gen->unknown);
}

int suppress_generate(const struct profile *profile)
{
	struct gen gen = {.profile = profile, .texts = intern_open()};

	gen_leaks(&gen);
	gen_errors(&gen);
	gen_print(&gen);
	intern_close(gen.texts);
	free(gen.rules);
	free(gen.chosen);
	return output_flush() ? STATUS_CLEAN : STATUS_FAILED;
}
