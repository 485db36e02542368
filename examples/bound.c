/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * bound - a depot that is far too small goes on saving, and says what it had to do.
 *
 * Shows: stackdepot_bytes_for stackdepot_save stackdepot_get_stats stackdepot_check
 * Shows: STACKDEPOT_NO_EVICT STACKDEPOT_GET
 */
#include <stdio.h>

#include <stackdepot/stackdepot.h>

int main(void)
{
	struct stackdepot_options options = {.lines = 16};
	struct stackdepot_stats stats;
	struct stackdepot *depot;
	uintptr_t frame;

	options.max_bytes = stackdepot_bytes_for(16, &options);
	if (stackdepot_create(&options, &depot))
		return 1;
	for (frame = 1; frame <= 1000; frame++)
		(void)stackdepot_save(depot, &frame, 1, 0);

	/* Full, and not allowed to evict: refused, and counted. */
	if (!stackdepot_save(depot, &frame, 1, STACKDEPOT_NO_EVICT))
		printf("not without eviction\n");

	/* All sixteen lines referenced: the only other way to be refused. */
	for (frame = 1; frame <= 17; frame++)
		if (!stackdepot_save(depot, &frame, 1, STACKDEPOT_GET))
			printf("trace %u: every line is pinned\n", (unsigned int)frame);

	stackdepot_get_stats(depot, &stats);
	printf("lines %u, saved %u, evictions %u\n", (unsigned int)stats.lines,
	       (unsigned int)stats.saved, (unsigned int)stats.evictions);
	printf("refused: pinned %u, eviction forbidden %u\n", (unsigned int)stats.drops_pinned,
	       (unsigned int)stats.drops_no_evict);
	printf("within the bound: %s\n", stats.mapped_bytes <= stats.max_bytes ? "yes" : "no");
	printf("sound: %s\n", stackdepot_check(depot) ? "no" : "yes");
	stackdepot_destroy(depot);
	return 0;
}
