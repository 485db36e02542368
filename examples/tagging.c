/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * tagging - an allocator that gives pointers a tag, and tells who had the memory of a bad access.
 *
 * Shows: stackdepot_ring_find stackdepot_ring_record stackdepot_save stackdepot_fetch_ref
 *
 * Where the processor has tags it compares them; here check() does. What an author of an allocator
 * adds is record(), at each allocation and free, and report(). The address of an event has the tag,
 * so the pointer of a bad access finds the object that it was given for, and no other one that had
 * the memory since. Traces are of one frame here: the line that the call is in.
 */
#include <stdio.h>

#include <stackdepot/stackdepot.h>

#define SLOTS 8u
#define SLOT_BYTES 64u
#define TAG_SHIFT 56

static char memory[SLOTS][SLOT_BYTES];
static unsigned char tags[SLOTS]; /* of the memory; 0: nobody's */
static unsigned int used;	  /* a bit for each slot */
static struct stackdepot *depot;

static void record(uint64_t pointer, uint32_t kind, uintptr_t line)
{
	struct stackdepot_event event = {
		.address = pointer, .size = SLOT_BYTES, .task = 1, .kind = kind};

	event.trace = stackdepot_ref(depot, stackdepot_save(depot, &line, 1, 0));
	(void)stackdepot_ring_record(depot, &event);
}

/* Another tag than the one before, and than 0. */
static unsigned int next_tag(unsigned int before)
{
	static unsigned int last;

	do
		last = last % 15 + 1;
	while (last == before);
	return last;
}

static unsigned int slot_of(uint64_t pointer)
{
	return (unsigned int)(pointer % (SLOTS * SLOT_BYTES) / SLOT_BYTES);
}

static void report(const char *what, uint64_t pointer, uint64_t start, uintptr_t line)
{
	struct stackdepot_event event;
	uint64_t position = 0;
	uintptr_t where = 0;

	printf("line %u: %s by a pointer with tag %x, memory has %x\n", (unsigned int)line, what,
	       (unsigned int)(pointer >> TAG_SHIFT), tags[slot_of(pointer)]);
	while (stackdepot_ring_find(depot, &position, start, ~0ull, &event)) {
		(void)stackdepot_fetch_ref(depot, event.trace, &where, 1);
		printf("  %s in line %u\n", event.kind == STACKDEPOT_ALLOC ? "allocated" : "freed",
		       (unsigned int)where);
	}
}

static int check(const char *what, uint64_t pointer, long offset, uintptr_t line)
{
	const uint64_t at = pointer + (uint64_t)offset;

	if (tags[slot_of(at)] == pointer >> TAG_SHIFT)
		return 1;
	report(what, at, pointer, line);
	return 0;
}

static uint64_t tagged_alloc(uintptr_t line)
{
	const unsigned int slot = (unsigned int)__builtin_ctz(~used);
	uint64_t pointer;

	if (slot >= SLOTS)
		return 0;
	used |= 1u << slot;
	tags[slot] = (unsigned char)next_tag(tags[slot]);
	pointer = (uint64_t)tags[slot] << TAG_SHIFT | slot * SLOT_BYTES;
	record(pointer, STACKDEPOT_ALLOC, line);
	return pointer;
}

static void tagged_free(uint64_t pointer, uintptr_t line)
{
	const unsigned int slot = slot_of(pointer);

	if (!check("double free", pointer, 0, line))
		return;
	record(pointer, STACKDEPOT_FREE, line);
	tags[slot] = (unsigned char)next_tag(tags[slot]);
	used &= ~(1u << slot);
}

static void tagged_write(uint64_t pointer, long offset, char value, uintptr_t line)
{
	const uint64_t at = pointer + (uint64_t)offset;

	if (check("write", pointer, offset, line))
		memory[slot_of(at)][at % SLOT_BYTES] = value;
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20, .ring_entries = 1024};
	uint64_t first, second, third;

	if (stackdepot_create(&options, &depot))
		return 1;
	first = tagged_alloc(__LINE__);
	second = tagged_alloc(__LINE__);
	tagged_write(first, 63, 'a', __LINE__);
	tagged_write(first, 64, 'b', __LINE__); /* beyond its end */
	tagged_free(first, __LINE__);
	tagged_write(first, 0, 'c', __LINE__); /* freed */
	third = tagged_alloc(__LINE__);	       /* in the same place */
	tagged_write(first, 0, 'd', __LINE__);
	tagged_free(first, __LINE__);
	tagged_write(third, 0, 'e', __LINE__);
	printf("the third is there: %c\n", memory[slot_of(third)][0]);
	tagged_free(second, __LINE__);
	tagged_free(third, __LINE__);
	stackdepot_destroy(depot);
	return 0;
}
