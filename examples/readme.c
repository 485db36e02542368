/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <execinfo.h>
#include <stdio.h>

#include <stackdepot/stackdepot.h>

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	stackdepot_handle_t last = 0;
	struct stackdepot *depot;
	uintptr_t frames[64];

	if (stackdepot_create(&options, &depot))
		return 1;
	for (int i = 0; i < 3; i++) {
		int nr = backtrace((void **)frames, 64);
		stackdepot_handle_t handle = stackdepot_save(depot, frames, (unsigned int)nr, 0);

		printf("%s, %s\n", handle ? "saved" : "not saved", handle == last ? "old" : "new");
		last = handle;
	}
	if (stackdepot_fetch(depot, last, frames, 64) > 0)
		printf("and here it is\n");
	stackdepot_destroy(depot);
	return 0;
}
