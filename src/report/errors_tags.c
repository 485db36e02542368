/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* errors_tags.c - what hardware tags tell of an access, as the kernel's KASAN shows it. */
#include <stdio.h>

#include "errors.h"
#include "text/json.h"

#define ROW 16u /* granules */

void errors_tags(const struct stackdepot_error *error)
{
	if (error->flags & STACKDEPOT_ERROR_ASYNC)
		puts("The processor told of the access later, and not where it was: it was before "
		     "this place, and after the thread's system call before");
	if (error->flags & STACKDEPOT_ERROR_TAGGED)
		printf("Pointer tag: [%x], memory tag: [%x]%s\n", error->pointer_tag,
		       error->memory_tag,
		       error->pointer_tag ? "" : "; the pointer never had one, or has lost it");
}

static void tags_row(const struct stackdepot_error *error, unsigned int first)
{
	const uint64_t start = error->tags_start + first * STACKDEPOT_TAG_GRANULE;
	const uint64_t at = (error->address - start) / STACKDEPOT_TAG_GRANULE;
	unsigned int i;

	printf("%c 0x%llx:", at < ROW ? '>' : ' ', (unsigned long long)start);
	for (i = first; i < first + ROW && i < error->nr_tags; i++)
		printf(i - first == at	     ? "[%x]"
		       : i - first == at + 1 ? "%x"
					     : " %x",
		       error->tags[i]);
	puts("");
}

static void tags_picture(const struct stackdepot_error *error)
{
	unsigned int first;

	if (!error->nr_tags)
		return;
	puts("\nTags of the memory around, one for each 16 bytes:");
	for (first = 0; first < error->nr_tags; first += ROW)
		tags_row(error, first);
}

void errors_candidates(const struct report *report, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	unsigned int i;

	for (i = 0; i < error->nr_candidates; i++) {
		const struct stackdepot_candidate *candidate = &error->candidates[i];

		puts("\nLess likely, of the objects with that tag:");
		errors_place("The address", error->address, candidate->object,
			     candidate->object_bytes, candidate->flags & STACKDEPOT_ERROR_FREED);
		if (found->candidate_alloc[i].nr || candidate->alloc_thread)
			errors_stack(report, "Allocated", candidate->alloc_thread,
				     &found->candidate_alloc[i]);
		if (found->candidate_free[i].nr || candidate->free_thread)
			errors_stack(report, "Freed", candidate->free_thread,
				     &found->candidate_free[i]);
	}
	tags_picture(error);
}

static void tags_json_candidates(struct writer *writer, const struct profile_error *found)
{
	unsigned int i;

	writer_array(writer, "candidates");
	for (i = 0; i < found->error.nr_candidates; i++) {
		const struct stackdepot_candidate *candidate = &found->error.candidates[i];

		writer_object(writer, NULL);
		writer_integer(writer, "object", (int64_t)candidate->object);
		writer_integer(writer, "object_bytes", (int64_t)candidate->object_bytes);
		writer_bool(writer, "freed", candidate->flags & STACKDEPOT_ERROR_FREED);
		writer_integer(writer, "allocated_by_thread", (int)candidate->alloc_thread);
		writer_integer(writer, "freed_by_thread", (int)candidate->free_thread);
		json_trace(writer, "allocated", &found->candidate_alloc[i]);
		json_trace(writer, "freed_at", &found->candidate_free[i]);
		writer_end(writer);
	}
	writer_end(writer);
}

void errors_json_tags(struct writer *writer, const struct profile_error *found)
{
	const struct stackdepot_error *error = &found->error;
	unsigned int i;

	writer_bool(writer, "asynchronous", error->flags & STACKDEPOT_ERROR_ASYNC);
	if (!(error->flags & STACKDEPOT_ERROR_TAGGED))
		return;
	writer_integer(writer, "pointer_tag", error->pointer_tag);
	writer_integer(writer, "memory_tag", error->memory_tag);
	writer_integer(writer, "tags_start", (int64_t)error->tags_start);
	writer_array(writer, "tags");
	for (i = 0; i < error->nr_tags; i++)
		writer_integer(writer, NULL, error->tags[i]);
	writer_end(writer);
	tags_json_candidates(writer, found);
}
