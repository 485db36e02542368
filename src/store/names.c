/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* names.c - what errors are called; for reader and recorder. */
#include "stackdepot/store.h"

const char *stackdepot_error_name(unsigned int kind)
{
	static const char *const names[STACKDEPOT_ERROR_KINDS] = {
		[STACKDEPOT_DOUBLE_FREE] = "double-free",
		[STACKDEPOT_INVALID_FREE] = "invalid-free",
		[STACKDEPOT_HEAP_OVERFLOW] = "slab-out-of-bounds",
		[STACKDEPOT_WRITE_AFTER_FREE] = "slab-use-after-free",
		[STACKDEPOT_USE_AFTER_FREE] = "slab-use-after-free",
		[STACKDEPOT_OUT_OF_BOUNDS] = "slab-out-of-bounds",
		[STACKDEPOT_NULL_DEREF] = "null-ptr-deref",
		[STACKDEPOT_WILD_ACCESS] = "wild-memory-access",
		[STACKDEPOT_CRASH] = "crash",
		[STACKDEPOT_STACK_OVERFLOW] = "stack-overflow",
		[STACKDEPOT_INVALID_ACCESS] = "invalid-access",
	};

	return kind < STACKDEPOT_ERROR_KINDS && names[kind] ? names[kind] : "unknown";
}
