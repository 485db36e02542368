/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * match.c - which suppression covers a stack.
 *
 * Symbols are slow and stacks share their frames, so each frame is matched against all rules once.
 * A stack then costs a look at each of its frames.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "rules.h"

/* --- patterns --------------------------------------------------------------------------------- */

static const char *pattern_find(const char *text, const char *piece, size_t length)
{
	return memmem(text, strlen(text), piece, length);
}

static bool pattern_ends(const char *text, const char *piece, size_t length)
{
	size_t left = strlen(text);

	return left >= length && !memcmp(text + left - length, piece, length);
}

/* The leftmost place of each piece between stars is as good as any, but for the last, if held. */
bool suppress_pattern(const char *pattern, const char *text)
{
	bool held = *pattern == '^';
	const char *end;

	pattern += held;
	end = pattern + strlen(pattern);
	for (;;) {
		size_t length = strcspn(pattern, "*");
		bool last = pattern + length == end;
		bool to_end = last && length && pattern[length - 1] == '$';

		length -= to_end;
		if (held && strncmp(text, pattern, length))
			return false;
		if (to_end)
			return held ? !text[length] : pattern_ends(text, pattern, length);
		text = held ? text : pattern_find(text, pattern, length);
		if (!text || last)
			return text;
		text += length;
		pattern += length + 1;
		held = false;
	}
}

/* --- frames ----------------------------------------------------------------------------------- */

static bool match_text(const char *pattern, const char *text)
{
	return text && suppress_pattern(pattern, text);
}

static bool match_function(const char *pattern, const struct symbol_frame *frame)
{
	size_t i;

	for (i = 0; i < frame->nr; i++)
		if (match_text(pattern, frame->lines[i].function))
			return true;
	return false;
}

/* Without a function there is what a report shows for it: module and offset. */
static bool match_offset(const char *pattern, const struct symbol_frame *frame)
{
	char text[512];

	if (frame->lines[0].function || !frame->in)
		return false;
	snprintf(text, sizeof(text), "%.450s+0x%llx", frame->in->name,
		 (unsigned long long)frame->offset);
	return suppress_pattern(pattern, text);
}

static bool match_rule(const char *pattern, const struct symbol_frame *frame)
{
	size_t i;

	if (match_function(pattern, frame) || match_offset(pattern, frame))
		return true;
	if (frame->in && (suppress_pattern(pattern, frame->in->name) ||
			  suppress_pattern(pattern, frame->in->path)))
		return true;
	for (i = 0; i < frame->nr; i++)
		if (match_text(pattern, frame->lines[i].file))
			return true;
	return false;
}

static bool match_modules(const struct suppress_builtin *builtin, const struct symbol_frame *frame)
{
	const char *const *module = builtin->modules;

	for (; frame->in && *module; module++)
		if (suppress_pattern(*module, frame->in->name))
			return true;
	return false;
}

static void frame_match_files(struct suppress *suppress, struct symbol_frame *place,
			      struct suppress_frame *known)
{
	const struct symbol_frame *frame;
	size_t i;

	if (!suppress->builtin)
		return;
	frame = symbols_frame(place);
	for (i = 0; i < suppress->builtin; i++) {
		if (!match_rule(suppress->rules[i].pattern, frame))
			continue;
		known->rules =
			memory_realloc(known->rules, (known->nr + 1) * sizeof(*known->rules));
		known->rules[known->nr++] = (uint32_t)i;
	}
}

/* Modules are known at once; names are looked up in those that rules are about. */
static void frame_match_builtin(struct suppress *suppress, struct symbol_frame *place,
				struct suppress_frame *known)
{
	size_t i;

	for (i = suppress->builtin; i < suppress->nr; i++) {
		const struct suppress_builtin *builtin = suppress->rules[i].builtin;
		uint64_t bit = 1ull << (i - suppress->builtin);

		if (!match_modules(builtin, place))
			continue;
		known->inside |= bit;
		if (builtin->function && match_function(builtin->function, symbols_frame(place)))
			known->entry |= bit;
	}
}

static const struct suppress_frame *frame_get(struct suppress *suppress, struct symbol_frame *frame)
{
	size_t number, nr;

	if (!suppress->known)
		suppress->known = intern_open();
	nr = intern_nr(suppress->known);
	number = intern(suppress->known, &frame, sizeof(frame));
	if (number == nr) {
		suppress->frames = memory_room(suppress->frames, nr, &suppress->room,
					       sizeof(*suppress->frames));
		suppress->frames[nr] = (struct suppress_frame){0};
		frame_match_files(suppress, frame, &suppress->frames[nr]);
		frame_match_builtin(suppress, frame, &suppress->frames[nr]);
	}
	return &suppress->frames[number];
}

void suppress_forget(void *context)
{
	struct suppress *suppress = context;
	size_t i;

	for (i = 0; suppress->known && i < intern_nr(suppress->known); i++)
		free(suppress->frames[i].rules);
	intern_close(suppress->known);
	free(suppress->frames);
	suppress->known = NULL;
	suppress->frames = NULL;
	suppress->room = 0;
}

/* --- stacks ----------------------------------------------------------------------------------- */

/* The first rule of a file that is about one of KINDS; all that match were of use. */
static size_t match_files(struct suppress *suppress, const struct suppress_frame *frame,
			  unsigned int kinds, size_t first)
{
	size_t i;

	for (i = 0; i < frame->nr; i++) {
		struct suppress_rule *rule = &suppress->rules[frame->rules[i]];

		if (!(rule->kinds & kinds))
			continue;
		rule->used = true;
		if (frame->rules[i] < first)
			first = frame->rules[i];
	}
	return first;
}

static bool match_module(const char *pattern, const struct symbol_frame *frame)
{
	return frame->in && suppress_pattern(pattern, frame->in->name);
}

/*
 * Those built-in rules that hold to the end of a stack, and are still held. It has to be a whole
 * one, of memory that the library itself asked for: a stack of which the end is not known may have
 * come from anywhere.
 */
static uint64_t match_whole(const struct suppress *suppress, const struct profile_trace *trace,
			    uint64_t inside)
{
	uint64_t whole = 0;
	size_t i;

	for (i = suppress->builtin; i < suppress->nr; i++) {
		const struct suppress_builtin *builtin = suppress->rules[i].builtin;

		if (!builtin->function && match_module(builtin->modules[0], trace->frames[0]) &&
		    match_module(builtin->modules[1], trace->frames[trace->nr - 1]))
			whole |= 1ull << (i - suppress->builtin);
	}
	return whole & inside;
}

/* The rule, or suppress->nr. Rules of files come first. */
static size_t match_trace(struct suppress *suppress, const struct profile_trace *trace,
			  unsigned int kinds)
{
	uint64_t inside = ~0ull, hit = 0;
	size_t first = suppress->nr;
	unsigned int i;

	for (i = 0; i < trace->nr; i++) {
		const struct suppress_frame *frame = frame_get(suppress, trace->frames[i]);

		first = match_files(suppress, frame, kinds, first);
		hit |= inside & frame->entry;
		inside &= frame->inside;
	}
	if (!trace->nr || first < suppress->nr || !(kinds & SUPPRESS_LEAK))
		return first;
	hit |= match_whole(suppress, trace, inside);
	return hit ? suppress->builtin + (size_t)__builtin_ctzll(hit) : suppress->nr;
}

bool suppress_leak(void *context, const struct profile_stack *stack)
{
	struct suppress *suppress = context;
	struct suppress_rule *rule;
	size_t found;

	if (!suppress->nr)
		return false;
	found = match_trace(suppress, &stack->trace, SUPPRESS_LEAK);
	if (found == suppress->nr)
		return false;
	rule = &suppress->rules[found];
	rule->leaks.stacks++;
	rule->leaks.bytes += stack->sums.bytes;
	rule->leaks.objects += stack->sums.objects;
	return true;
}

bool suppress_error(void *context, const struct profile_error *error)
{
	struct suppress *suppress = context;
	const struct profile_trace *const traces[] = {&error->access, &error->alloc, &error->free};
	const unsigned int kind = error->error.kind;
	struct suppress_rule *rule;
	size_t i, found, first;

	if (!suppress->nr)
		return false;
	first = suppress->nr;
	for (i = 0; i < sizeof(traces) / sizeof(traces[0]); i++) {
		found = match_trace(suppress, traces[i],
				    kind < STACKDEPOT_ERROR_KINDS ? 1u << kind : 1u << 31);
		first = found < first ? found : first;
	}
	if (first == suppress->nr)
		return false;
	rule = &suppress->rules[first];
	rule->errors.errors++;
	rule->errors.seen += error->error.count;
	return true;
}
