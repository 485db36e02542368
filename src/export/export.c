/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* export.c - a store in the formats that other tools read: what the writers share. */
#define _GNU_SOURCE
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "export.h"

const char *const export_value_names[EXPORT_VALUES] = {
	[EXPORT_LIVE_BYTES] = "live-bytes",
	[EXPORT_LIVE_OBJECTS] = "live-objects",
	[EXPORT_ALLOC_BYTES] = "alloc-bytes",
	[EXPORT_ALLOCS] = "allocs",
};

double export_value_of(const struct profile_stack *stack, enum export_value value)
{
	switch (value) {
	case EXPORT_LIVE_BYTES:
		return stack->sums.bytes;
	case EXPORT_LIVE_OBJECTS:
		return stack->sums.objects;
	case EXPORT_ALLOC_BYTES:
		return stack->sums.alloc_bytes;
	default:
		return stack->sums.allocs;
	}
}

int64_t export_integer(double value)
{
	return value >= 9.2e18 ? INT64_MAX : value > 0 ? llround(value) : 0;
}

int64_t export_difference(double value)
{
	return value < 0 ? -export_integer(-value) : export_integer(value);
}

const char *export_name(const struct symbol_frame *frame, const struct symbol_line *line,
			char buffer[EXPORT_NAME_BYTES])
{
	if (line->function)
		return line->function;
	snprintf(buffer, EXPORT_NAME_BYTES, "%.450s%s0x%llx", frame->in ? frame->in->label : "",
		 frame->in ? "+" : "", (unsigned long long)frame->offset);
	return buffer;
}

void export_build_id(const uint8_t *bytes, size_t nr, char buffer[EXPORT_BUILD_ID_BYTES])
{
	size_t i;

	buffer[0] = '\0';
	for (i = 0; i < nr && i < EXPORT_BUILD_ID_BYTES / 2 - 1; i++)
		snprintf(buffer + 2 * i, 3, "%02x", bytes[i]);
}

char *export_process(const struct profile_process *process)
{
	const struct stackdepot_store_info *info = &process->info;
	char *text = memory_alloc((size_t)info->command_bytes + 32);
	size_t used = (size_t)sprintf(text, "process %u:", info->pid), at = 0;

	while (at < info->command_bytes) {
		used += (size_t)sprintf(text + used, " %s", info->command + at);
		at += strlen(info->command + at) + 1;
	}
	return text;
}

const char *export_missing(const struct profile_stack *stack)
{
	return stack->trace.evicted ? "[stack evicted]" : "[stack not known]";
}

/* Allocations of stacks that were evicted since are a stack of their own, so that sums are right.
 */
void export_add_evicted(struct profile *profile)
{
	if (profile->info.evicted_allocs <= 0)
		return;
	profile->stacks =
		memory_realloc(profile->stacks, (profile->nr + 1) * sizeof(*profile->stacks));
	profile->stacks[profile->nr++] = (struct profile_stack){
		.trace.evicted = true,
		.trace.hash = 1, /* as of others that were evicted */
		.sums.allocs = profile->info.evicted_allocs,
		.sums.alloc_bytes = profile->info.evicted_bytes,
	};
}
