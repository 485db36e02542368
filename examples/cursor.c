/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * cursor - an unwinder that knows which outer frames did not change tells the depot.
 *
 * Shows: stackdepot_save_cursor stackdepot_save
 */
#include <stdio.h>

#include <stackdepot/stackdepot.h>

enum { FRAMES = 40, CHANGING = 2 };

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	struct stackdepot_cursor cursor = {0};
	unsigned int i, unchanged = 0, same = 0;
	uintptr_t frames[FRAMES];
	struct stackdepot *depot;

	if (stackdepot_create(&options, &depot))
		return 1;
	for (i = 0; i < FRAMES; i++)
		frames[i] = 0x401000 + 16 * i;
	for (i = 0; i < 10; i++) {
		stackdepot_handle_t quick, plain;

		/* Only the innermost frames differ from one save to the next. */
		frames[0] = 0x500000 + 4 * i;
		frames[1] = 0x600000 + 4 * (i / 2);
		quick = stackdepot_save_cursor(depot, frames, FRAMES, 0, &cursor, unchanged);
		plain = stackdepot_save(depot, frames, FRAMES, 0);
		same += quick && quick == plain;
		unchanged = FRAMES - CHANGING;
	}
	printf("%u of %u saves agree\n", same, i);
	stackdepot_destroy(depot);
	return 0;
}
