/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * variant.c - a save for the processor at hand.
 *
 * On x86-64 save.c and cursor.c are compiled for the baseline, whose vectors have 16 bytes and few
 * shuffles, and for x86-64-v3 (AVX2, BMI2), where 8 frames are compared in ten instructions. A
 * branch that always goes the same way chooses; unlike IFUNC it works in every libc and under
 * sanitizers.
 */
#include "variant.h"

#ifdef DEPOT_HAS_VARIANTS
#if __has_include(<sys/platform/x86.h>)
#include <sys/platform/x86.h>
#endif

#define DECLARE(save, save_cursor)                                                         \
	stackdepot_handle_t save(struct stackdepot *depot, const uintptr_t *frames,        \
				 unsigned int nr, unsigned int flags);                     \
	stackdepot_handle_t save_cursor(struct stackdepot *depot, const uintptr_t *frames, \
					unsigned int nr, unsigned int flags,               \
					struct stackdepot_cursor *cursor, unsigned int unchanged)

DECLARE(depot_save_v1, stackdepot_save_cursor_v1);
DECLARE(depot_save_v3, stackdepot_save_cursor_v3);

/*
 * All that x86-64-v3 is beyond the baseline. The C library knows; to ask the processor traps under
 * a hypervisor, and __builtin_cpu_supports() asks some twenty times, which takes longer there than
 * a thousand saves.
 */
static bool variant_v3(void)
{
#if __has_include(<sys/platform/x86.h>)
	return x86_cpu_active(x86_cpu_AVX2) && x86_cpu_active(x86_cpu_BMI1) &&
	       x86_cpu_active(x86_cpu_BMI2) && x86_cpu_active(x86_cpu_F16C) &&
	       x86_cpu_active(x86_cpu_FMA) && x86_cpu_active(x86_cpu_LZCNT) &&
	       x86_cpu_active(x86_cpu_MOVBE);
#else
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") &&
	       __builtin_cpu_supports("fma");
#endif
}

void variant_choose(struct stackdepot *depot)
{
	depot->variant = variant_v3() ? 3 : 1;
}

stackdepot_handle_t stackdepot_save(struct stackdepot *depot, const uintptr_t *frames,
				    unsigned int nr, unsigned int flags)
{
	if (likely(depot->variant == 3))
		return depot_save_v3(depot, frames, nr, flags);
	return depot_save_v1(depot, frames, nr, flags);
}

stackdepot_handle_t stackdepot_save_cursor(struct stackdepot *depot, const uintptr_t *frames,
					   unsigned int nr, unsigned int flags,
					   struct stackdepot_cursor *cursor, unsigned int unchanged)
{
	if (likely(depot->variant == 3))
		return stackdepot_save_cursor_v3(depot, frames, nr, flags, cursor, unchanged);
	return stackdepot_save_cursor_v1(depot, frames, nr, flags, cursor, unchanged);
}
#else
void variant_choose(struct stackdepot *depot)
{
	depot->variant = 0;
}
#endif
