/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <execinfo.h>
#include <stdio.h>

#include <stackdepot/stackdepot.h>

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 20};
	stackdepot_handle_t handle, again;
	struct stackdepot *depot;
	uintptr_t frames[64];
	unsigned int nr;

	if (stackdepot_create(&options, &depot))
		return 1;
	nr = (unsigned int)backtrace((void **)frames, 64);
	handle = stackdepot_save(depot, frames, nr, 0);
	again = stackdepot_save(depot, frames, nr, 0);
	if (handle && handle == again)
		printf("saved twice, stored once\n");
	if (stackdepot_fetch(depot, handle, frames, 64) == (int)nr)
		printf("and here it is\n");
	stackdepot_destroy(depot);
	return 0;
}
