/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ring - what happened to an object, found backwards: the way to report a use after free.
 *
 * Shows: stackdepot_ring_find stackdepot_ring_next
 * Shows: stackdepot_ring_snapshot stackdepot_fetch_ref STACKDEPOT_ALLOC STACKDEPOT_FREE
 * Shows: stackdepot_ring_record stackdepot_ring_write stackdepot_ring_end stackdepot_ring_memory
 */
#include <stdio.h>

#include <stackdepot/stackdepot.h>

/* Who records often does it with a pen of its own; pen is NULL for others. */
static void record(struct stackdepot *depot, struct stackdepot_pen *pen, uint32_t kind,
		   uint64_t address, uintptr_t frame)
{
	struct stackdepot_event event = {.address = address, .size = 32, .task = 1, .kind = kind};

	event.trace = stackdepot_ref(depot, stackdepot_save(depot, &frame, 1, 0));
	if (pen)
		(void)stackdepot_ring_write(depot, pen, &event);
	else
		(void)stackdepot_ring_record(depot, &event);
}

static void print(struct stackdepot *depot, const struct stackdepot_event *event)
{
	uintptr_t frame = 0;

	(void)stackdepot_fetch_ref(depot, event->trace, &frame, 1);
	printf("  %s of 0x%x at 0x%x\n", event->kind == STACKDEPOT_ALLOC ? "alloc" : "free",
	       (unsigned int)event->address, (unsigned int)frame);
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20, .ring_entries = 1024};
	struct stackdepot_event event, newest[2];
	struct stackdepot_pen pen = {0};
	struct stackdepot *depot;
	uint64_t position = 0;
	unsigned int nr = 0;

	if (stackdepot_create(&options, &depot))
		return 1;
	record(depot, &pen, STACKDEPOT_ALLOC, 0x1000, 0x401000);
	/* Where the next events go is fetched, or mapped, before they come. */
	__builtin_prefetch(stackdepot_ring_memory(depot, pen.end), 1);
	record(depot, &pen, STACKDEPOT_ALLOC, 0x2000, 0x402000);
	record(depot, NULL, STACKDEPOT_FREE, 0x1000, 0x403000);
	stackdepot_ring_end(depot, &pen);

	printf("a bad access to 0x1000:\n");
	while (stackdepot_ring_find(depot, &position, 0x1000, ~0ull, &event))
		print(depot, &event);

	for (position = 0; stackdepot_ring_next(depot, &position, &event);)
		nr++;
	printf("%u events in all, the newest two:\n", nr);
	nr = stackdepot_ring_snapshot(depot, newest, 2);
	for (unsigned int i = 0; i < nr; i++)
		print(depot, &newest[i]);
	stackdepot_destroy(depot);
	return 0;
}
