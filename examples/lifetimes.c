/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * lifetimes - three ways to keep a trace: for ever, by reference, by lease.
 *
 * Shows: stackdepot_create stackdepot_save stackdepot_get stackdepot_put stackdepot_tick
 * Shows: stackdepot_now stackdepot_info stackdepot_ref stackdepot_destroy
 * Shows: STACKDEPOT_KEEP STACKDEPOT_GET
 */
#include <stdio.h>

#include <stackdepot/stackdepot.h>

static void tell(struct stackdepot *depot, const char *name, stackdepot_handle_t handle)
{
	struct stackdepot_trace_info info;

	if (stackdepot_info(depot, stackdepot_ref(depot, handle), &info)) {
		printf("  %s: evicted\n", name);
		return;
	}
	printf("  %s: %u frames, %u references%s%s\n", name, (unsigned int)info.frames,
	       (unsigned int)info.references, info.kept ? ", kept" : "",
	       info.leased ? ", leased" : "");
}

int main(void)
{
	struct stackdepot_options options = {.max_bytes = 1 << 16, .lease_ticks = 2};
	const uintptr_t frames[] = {0x401000, 0x402000, 0x403000};
	stackdepot_handle_t kept, referenced, leased;
	struct stackdepot *depot;

	if (stackdepot_create(&options, &depot))
		return 1;
	kept = stackdepot_save(depot, frames, 3, STACKDEPOT_KEEP);
	referenced = stackdepot_save(depot, frames + 1, 2, STACKDEPOT_GET);
	leased = stackdepot_save(depot, frames + 2, 1, 0);

	/* A second owner of the second trace; each puts what it got. */
	if (stackdepot_get(depot, referenced))
		return 1;
	while (stackdepot_now(depot) < 3) {
		printf("tick %u\n", (unsigned int)stackdepot_now(depot));
		tell(depot, "kept", kept);
		tell(depot, "referenced", referenced);
		tell(depot, "leased", leased);
		(void)stackdepot_put(depot, referenced);
		(void)stackdepot_tick(depot);
	}
	/* Nobody holds the last two any more; they stay readable until their memory is needed. */
	tell(depot, "leased", leased);
	stackdepot_destroy(depot);
	return 0;
}
