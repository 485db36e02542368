/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* memory.c - all of the memory of processes, by kind; and what they mapped themselves, by stack. */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "profile/alive.h"
#include "profile/memory_use.h"
#include "report.h"
#include "text/json.h"
#include "text/number.h"

struct memory_all {
	struct memory_use use; /* of those that run */
	size_t running;
	double live_bytes; /* of these */
	double live_objects;
	int error; /* why one could not be looked at */
};

static void memory_add(struct memory_use *sum, const struct memory_use *more)
{
	double *to = &sum->kinds[0].size;
	const double *from = &more->kinds[0].size;
	size_t i;

	for (i = 0; i < sizeof(*sum) / sizeof(double); i++)
		to[i] += from[i];
}

static struct memory_all memory_all(const struct profile *profile)
{
	struct memory_all all = {0};
	size_t i;

	for (i = 0; i < profile->nr_processes; i++) {
		const struct profile_process *process = &profile->processes[i];
		struct memory_use use;
		int error;

		if (!alive_is_running(&process->info) || !alive_is_near(&process->info))
			continue;
		error = memory_look(profile, process, &use);
		if (error) {
			all.error = error;
			continue;
		}
		memory_add(&all.use, &use);
		all.running++;
		all.live_bytes += process->live.bytes;
		all.live_objects += process->live.objects;
	}
	return all;
}

/* What the allocator has in memory, or swapped out, beyond the bytes that were asked for. */
static double memory_beyond(const struct memory_all *all)
{
	const struct memory_sum *heap = &all->use.kinds[MEMORY_HEAP];

	return heap->resident + heap->swapped - all->live_bytes;
}

/* --- text ------------------------------------------------------------------------------------- */

static void memory_line(const char *name, const struct memory_sum *sum)
{
	char size[TEXT_BYTES], resident[TEXT_BYTES], proportional[TEXT_BYTES], swapped[TEXT_BYTES];

	printf("%-22s %12s %12s %12s %12s\n", name, text_bytes(sum->size, size),
	       text_bytes(sum->resident, resident), text_bytes(sum->proportional, proportional),
	       text_bytes(sum->swapped, swapped));
}

static void memory_heap(const struct memory_all *all)
{
	const struct memory_sum *heap = &all->use.kinds[MEMORY_HEAP];
	const double held = heap->resident + heap->swapped, beyond = memory_beyond(all);
	char bytes[TEXT_BYTES], objects[TEXT_NUMBER];

	printf("\nOf the heap %s are live in %s", text_bytes(all->live_bytes, bytes),
	       text_number(all->live_objects, "object", objects));
	if (beyond >= 0)
		printf("; %s beyond that, %.1f %%, are fragmentation and\nthe allocator's: "
		       "headers, "
		       "rounding, what was freed and is kept.\n",
		       text_bytes(beyond, bytes), held > 0 ? 100 * beyond / held : 0);
	else
		printf(", of which %s at least\nwere never touched, or are in allocators that are "
		       "not seen.\n",
		       text_bytes(-beyond, bytes));
}

static void memory_table(const struct memory_all *all)
{
	const struct memory_sum *other = &all->use.kinds[MEMORY_OTHER];
	const double resident = all->use.all.resident;
	size_t i;

	printf("%-22s %12s %12s %12s %12s\n", "", "addresses", "Rss", "Pss", "Swap");
	for (i = 0; i < MEMORY_KINDS; i++)
		if (all->use.kinds[i].size > 0 || i == MEMORY_OTHER)
			memory_line(memory_names[i], &all->use.kinds[i]);
	memory_line("all", &all->use.all);
	memory_heap(all);
	printf("Not explained is %.1f %% of what is in memory.\n",
	       resident > 0 ? 100 * other->resident / resident : 0);
}

static void memory_stacks(const struct report *report)
{
	const struct profile *profile = report->profile;
	char bytes[TEXT_BYTES], mappings[TEXT_NUMBER];
	size_t i;

	for (i = 0; i < profile->nr && i < report->limit; i++) {
		const struct profile_stack *stack = &profile->stacks[i];

		puts("");
		text_heading(&report->style,
			     "%s in %s, mapped at:", text_bytes(stack->sums.bytes, bytes),
			     text_number(stack->sums.objects, "mapping", mappings));
		text_trace(stdout, &report->style, &stack->trace);
	}
	if (i < profile->nr)
		printf("\n%s; --all shows them.\n",
		       text_number((double)(profile->nr - i), "more stack", mappings));
}

static void memory_text(const struct report *report, const struct memory_all *all)
{
	text_head(report->profile);
	if (all->running > 1)
		printf("%zu processes together; what they share counts in Rss for each.\n\n",
		       all->running);
	if (all->running)
		memory_table(all);
	else
		puts("No process runs here: only what they mapped themselves is known, by stack.");
	if (all->error)
		printf("A process could not be looked at: %s\n", strerror(-all->error));
	memory_stacks(report);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void memory_json_sum(struct writer *writer, const char *key, const struct memory_sum *sum)
{
	writer_object(writer, key);
	writer_number(writer, "address_bytes", sum->size);
	writer_number(writer, "resident_bytes", sum->resident);
	writer_number(writer, "proportional_bytes", sum->proportional);
	writer_number(writer, "swapped_bytes", sum->swapped);
	writer_end(writer);
}

static void memory_json(const struct report *report, const struct memory_all *all)
{
	const struct profile *profile = report->profile;
	struct writer writer;
	size_t i;

	json_begin(&writer, profile);
	writer_integer(&writer, "processes_looked_at", (int64_t)all->running);
	writer_number(&writer, "live_bytes", all->live_bytes);
	writer_number(&writer, "live_objects", all->live_objects);
	writer_number(&writer, "beyond_live_bytes", memory_beyond(all));
	writer_object(&writer, "memory");
	for (i = 0; i < MEMORY_KINDS; i++)
		memory_json_sum(&writer, memory_keys[i], &all->use.kinds[i]);
	memory_json_sum(&writer, "all", &all->use.all);
	writer_end(&writer);
	writer_array(&writer, "stacks");
	for (i = 0; i < profile->nr && i < report->limit; i++) {
		writer_object(&writer, NULL);
		writer_number(&writer, "mapped_bytes", profile->stacks[i].sums.bytes);
		writer_number(&writer, "mappings", profile->stacks[i].sums.objects);
		json_trace(&writer, "stack", &profile->stacks[i].trace);
		writer_end(&writer);
	}
	writer_end(&writer);
	json_finish(&writer);
}

int report_memory(const struct report *report)
{
	const struct memory_all all = memory_all(report->profile);

	if (report->json)
		memory_json(report, &all);
	else
		memory_text(report, &all);
	return STATUS_CLEAN;
}
