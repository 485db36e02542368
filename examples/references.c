/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * references - what to keep of a trace one does not own, and bits of one's own in a handle.
 *
 * Shows: stackdepot_ref stackdepot_handle stackdepot_get_ref stackdepot_fetch_ref
 * Shows: stackdepot_save_again stackdepot_get_bulk stackdepot_put_bulk stackdepot_prefetch
 * Shows: stackdepot_fetch stackdepot_put stackdepot_set_extra_bits stackdepot_get_extra_bits
 */
#include <errno.h>
#include <stdio.h>

#include <stackdepot/stackdepot.h>

int main(void)
{
	/* Room for four lines: what is not held is soon evicted. */
	struct stackdepot_options options = {.max_bytes = 1 << 16, .lines = 4};
	uintptr_t frames[8], frame = 0x401000;
	stackdepot_handle_t handle;
	struct stackdepot *depot;
	stackdepot_ref_t ref;
	int error;

	if (stackdepot_create(&options, &depot))
		return 1;
	handle = stackdepot_save(depot, &frame, 1, 0);
	ref = stackdepot_ref(depot, handle);
	printf("the same trace: %s\n", stackdepot_handle(depot, ref) == handle ? "yes" : "no");

	handle = stackdepot_set_extra_bits(handle, 21);
	printf("my bits: %u, frames: %d\n", stackdepot_get_extra_bits(handle),
	       stackdepot_fetch(depot, handle, frames, 8));

	/* Held, it survives a hundred others; let go, it does not, and the reference says so. */
	if (stackdepot_get_ref(depot, ref))
		return 1;
	for (frame = 1; frame <= 100; frame++)
		(void)stackdepot_save(depot, &frame, 1, 0);
	printf("held: %d frames\n", stackdepot_fetch_ref(depot, ref, frames, 8));

	/* References to come are taken at once; and saved once more it is not looked for. */
	stackdepot_get_bulk(depot, ref, 10);
	(void)stackdepot_save_again(depot, ref, STACKDEPOT_GET);
	/* While something else is done, what the next call reads can come into the cache. */
	stackdepot_prefetch(depot, handle);
	printf("ten more taken\n");
	stackdepot_put_bulk(depot, ref, 11);
	(void)stackdepot_put(depot, handle);
	for (frame = 1; frame <= 100; frame++)
		(void)stackdepot_save(depot, &frame, 1, 0);
	error = stackdepot_fetch_ref(depot, ref, frames, 8);
	printf("let go: %s\n", error == -ESTALE ? "evicted" : "still there");
	stackdepot_destroy(depot);
	return 0;
}
