/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * linux_names - code written for the kernel's stack depot, as it is.
 *
 * Shows: stack_depot_set_max_bytes stack_depot_init stack_depot_request_early_init
 * Shows: stack_depot_instance stack_depot_save stack_depot_save_flags stack_depot_fetch
 * Shows: stack_depot_fetch_into stack_depot_put stack_depot_print stack_depot_snprint
 * Shows: stack_depot_set_extra_bits stack_depot_get_extra_bits
 * Shows: STACK_DEPOT_FLAG_CAN_ALLOC STACK_DEPOT_FLAG_GET
 */
#include <stdio.h>

#include <stackdepot/linux.h>

int main(void)
{
	const depot_flags_t counted = STACK_DEPOT_FLAG_CAN_ALLOC | STACK_DEPOT_FLAG_GET;
	unsigned long entries[] = {0x401000, 0x402000, 0x403000}, copy[8], *fetched;
	depot_stack_handle_t kept, referenced;
	struct stackdepot_stats stats;
	char text[128];

	if (stack_depot_set_max_bytes(1 << 20))
		return 1;
	stack_depot_request_early_init();
	if (stack_depot_init())
		return 1;

	kept = stack_depot_save(entries, 3, GFP_KERNEL);
	referenced = stack_depot_save_flags(entries, 2, GFP_NOWAIT, counted);
	printf("%u frames kept\n", stack_depot_fetch(kept, &fetched));
	printf("%u frames referenced\n", stack_depot_fetch_into(referenced, copy, 8));
	stack_depot_put(referenced);

	kept = stack_depot_set_extra_bits(kept, 3);
	printf("extra bits %u\n", stack_depot_get_extra_bits(kept));
	(void)stack_depot_snprint(kept, text, sizeof(text), 3);
	printf("%s", text);
	stack_depot_print(kept); /* to standard error */

	/* Everything of stackdepot.h works on the same depot. */
	stackdepot_get_stats(stack_depot_instance(), &stats);
	printf("%u traces saved\n", (unsigned int)stats.saved);
	return 0;
}
