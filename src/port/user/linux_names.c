/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* linux_names.c - the kernel's stack depot interface on one depot of the process. */
#include <stackdepot/linux.h>

#include "host.h"

/* The one piece of hidden state in the library: the interface has no place for an instance. */
static struct stackdepot *instance;
static u64 max_bytes = STACK_DEPOT_DEFAULT_BYTES;

struct stackdepot *stack_depot_instance(void)
{
	/* Pairs with the CAS in stack_depot_init(): who sees the depot sees it made. */
	return smp_load_acquire(&instance);
}

int stack_depot_set_max_bytes(uint64_t bytes)
{
	if (stack_depot_instance())
		return -EBUSY;
	WRITE_ONCE(max_bytes, bytes);
	return 0;
}

int stack_depot_init(void)
{
	struct stackdepot_options options = {
		.max_bytes = READ_ONCE(max_bytes),
		.max_frames = STACKDEPOT_MAX_FRAMES,
	};
	struct stackdepot *depot, *none = NULL;
	int error;

	if (stack_depot_instance())
		return 0;
	error = stackdepot_create(&options, &depot);
	if (error)
		return error;
	if (!try_cmpxchg(&instance, &none, depot))
		stackdepot_destroy(depot); /* somebody else was first */
	return 0;
}

void stack_depot_request_early_init(void)
{
	(void)stack_depot_init();
}

depot_stack_handle_t stack_depot_save_flags(unsigned long *entries, unsigned int nr_entries,
					    gfp_t alloc_flags, depot_flags_t depot_flags)
{
	struct stackdepot *depot = stack_depot_instance();
	unsigned int flags = depot_flags & STACK_DEPOT_FLAG_GET ? STACKDEPOT_GET : STACKDEPOT_KEEP;

	(void)alloc_flags; /* all memory was mapped when the depot was made */
	if (!depot || depot_flags & ~STACK_DEPOT_FLAGS_MASK)
		return 0;
	return stackdepot_save(depot, (const uintptr_t *)entries, nr_entries, flags);
}

depot_stack_handle_t stack_depot_save(unsigned long *entries, unsigned int nr_entries,
				      gfp_t alloc_flags)
{
	return stack_depot_save_flags(entries, nr_entries, alloc_flags, STACK_DEPOT_FLAG_CAN_ALLOC);
}

unsigned int stack_depot_fetch_into(depot_stack_handle_t handle, unsigned long *entries,
				    unsigned int size)
{
	struct stackdepot *depot = stack_depot_instance();
	int nr = depot ? stackdepot_fetch(depot, handle, NULL, 0) : 0;

	/* A trace is as long as it is: nobody is to take a part for the whole. */
	if (nr <= 0 || (unsigned int)nr > size)
		return 0;
	nr = stackdepot_fetch(depot, handle, (uintptr_t *)entries, size);
	return nr > 0 ? (unsigned int)nr : 0;
}

unsigned int stack_depot_fetch(depot_stack_handle_t handle, unsigned long **entries)
{
	static _Thread_local unsigned long buffer[STACKDEPOT_MAX_FRAMES];
	unsigned int nr = stack_depot_fetch_into(handle, buffer, STACKDEPOT_MAX_FRAMES);

	*entries = nr ? buffer : NULL;
	return nr;
}

void stack_depot_put(depot_stack_handle_t handle)
{
	struct stackdepot *depot = stack_depot_instance();

	if (depot)
		(void)stackdepot_put(depot, handle);
}

void stack_depot_print(depot_stack_handle_t stack)
{
	struct stackdepot *depot = stack_depot_instance();

	if (depot)
		(void)stackdepot_print(depot, stackdepot_ref(depot, stack), 2);
}

int stack_depot_snprint(depot_stack_handle_t handle, char *buf, size_t size, int spaces)
{
	struct stackdepot *depot = stack_depot_instance();
	unsigned int blanks = spaces > 0 ? 1 + (unsigned int)spaces : 1;
	int length;

	if (!depot)
		return 0;
	length = stackdepot_snprint(depot, stackdepot_ref(depot, handle), buf, size, blanks);
	return length < 0 ? 0 : length;
}

depot_stack_handle_t stack_depot_set_extra_bits(depot_stack_handle_t handle,
						unsigned int extra_bits)
{
	return stackdepot_set_extra_bits(handle, extra_bits);
}

unsigned int stack_depot_get_extra_bits(depot_stack_handle_t handle)
{
	return stackdepot_get_extra_bits(handle);
}
