/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * gone.c - a trace is evicted while it is added to what was live at a peak: it is looked for once,
 * counts as one without a place, and the list does not spread over more of the store for it.
 *
 * stackdepot_save_again() of the store's library comes here first (-Wl,--wrap).
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "store/peak.h"

#define STORE_BYTES (64u << 20)

stackdepot_handle_t __real_stackdepot_save_again(struct stackdepot *depot, stackdepot_ref_t ref,
						 unsigned int flags);
stackdepot_handle_t __wrap_stackdepot_save_again(struct stackdepot *depot, stackdepot_ref_t ref,
						 unsigned int flags);

static unsigned int looked_for;

/* Another thread needs the only line just before. */
stackdepot_handle_t __wrap_stackdepot_save_again(struct stackdepot *depot, stackdepot_ref_t ref,
						 unsigned int flags)
{
	const uintptr_t other = 2;

	looked_for++;
	(void)stackdepot_save(depot, &other, 1, 0);
	return __real_stackdepot_save_again(depot, ref, flags);
}

static void check(int condition, const char *what)
{
	if (!condition) {
		fprintf(stderr, "not so: %s\n", what);
		exit(1);
	}
}

static struct stackdepot *one_line(stackdepot_handle_t *ret_handle)
{
	struct stackdepot_options options = {.lines = 1};
	const uintptr_t frame = 1;
	struct stackdepot *depot;

	options.max_bytes = stackdepot_bytes_for(1, &options);
	check(!stackdepot_create(&options, &depot), "there is a depot");
	*ret_handle = stackdepot_save(depot, &frame, 1, 0);
	check(*ret_handle, "the trace is stored");
	return depot;
}

int main(void)
{
	static struct peak_cache cache;
	struct store_layout layout;
	struct reaper reaper = {.layout = &layout, .fd = -1};
	struct peak_moment moment = {.which = STORE_PEAK_LIFE, .more = {.size = 100}};
	const struct store_taken *taken;

	check(!store_plan(STORE_BYTES, 0, &layout), "a store can be so large");
	reaper.header = mmap(NULL, STORE_BYTES, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	check(reaper.header != MAP_FAILED, "memory");
	reaper.depot = one_line(&moment.more.handle);
	(void)peak_take(&reaper, &moment, &cache);
	taken = peak_taken(&peak_height(&reaper, 0)->peaks[STORE_PEAK_LIFE]);
	check(taken->bytes == 100 && taken->rest_bytes == 100, "it counts without a place");
	check(!taken->nr && !taken->first, "the list has no member");
	check(!stackdepot_ref(reaper.depot, moment.more.handle), "the trace is gone");
	check(looked_for == 1, "it is looked for once");
	stackdepot_destroy(reaper.depot);
	return 0;
}
