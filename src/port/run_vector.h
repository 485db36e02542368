/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* run_vector.h - run_equal() for hosts with DEPOT_VECTOR_LINES. Included by run.h. */
#ifndef PORT_RUN_VECTOR_H
#define PORT_RUN_VECTOR_H

#ifdef __AVX2__
#include <immintrin.h>

/* Do 8 frames equal the 8 slots of a narrow line? */
static __always_inline bool run_equal(const struct depot_line *line, const uintptr_t *frames)
{
	const __m256 a = _mm256_loadu_ps((const float *)frames);
	const __m256 b = _mm256_loadu_ps((const float *)(frames + 4));
	const __m256i low = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0x88));
	const __m256i high = _mm256_castps_si256(_mm256_shuffle_ps(a, b, 0xdd));
	const __m256i line_low = _mm256_loadu_si256((const __m256i *)line->low);
	const __m256i line_high =
		_mm256_cvtepi16_epi32(_mm_loadu_si128((const __m128i *)line->high));
	const __m256i differ =
		_mm256_or_si256(_mm256_xor_si256(low, line_low), _mm256_xor_si256(high, line_high));

	return _mm256_testz_si256(differ, differ);
}
#else
typedef u32 run_u32x4 __attribute__((vector_size(16)));
typedef s32 run_s32x4 __attribute__((vector_size(16)));
typedef s16 run_s16x8 __attribute__((vector_size(16)));
typedef u64 run_u64x2 __attribute__((vector_size(16)));
typedef u32 run_u32x4_unaligned __attribute__((vector_size(16), aligned(8), may_alias));
typedef s16 run_s16x8_aligned __attribute__((vector_size(16), may_alias));

/* Bits in which four frames, two by two, differ from four slots. */
static __always_inline run_u32x4 run_differ4(const uintptr_t *a, const uintptr_t *b,
					     const u64 *line_low, run_s32x4 line_high)
{
	const run_u32x4 va = *(const run_u32x4_unaligned *)a;
	const run_u32x4 vb = *(const run_u32x4_unaligned *)b;

	return (__builtin_shufflevector(va, vb, 0, 2, 4, 6) ^
		*(const run_u32x4_unaligned *)line_low) |
	       (__builtin_shufflevector(va, vb, 1, 3, 5, 7) ^ (run_u32x4)line_high);
}

/* Do 8 frames equal the 8 slots of a narrow line? */
static __always_inline bool run_equal(const struct depot_line *line, const uintptr_t *frames)
{
	const run_s16x8 high = *(const run_s16x8_aligned *)line->high;
	/* Each high part twice, then shifted right: its sign extended. */
	const run_s16x8 high_a = __builtin_shufflevector(high, high, 0, 0, 1, 1, 2, 2, 3, 3);
	const run_s16x8 high_b = __builtin_shufflevector(high, high, 4, 4, 5, 5, 6, 6, 7, 7);
	const run_u64x2 differ =
		(run_u64x2)(run_differ4(frames, frames + 4, line->low, (run_s32x4)high_a >> 16) |
			    run_differ4(frames + 2, frames + 6, line->low + 2,
					(run_s32x4)high_b >> 16));

	return !(differ[0] | differ[1]);
}
#endif

#endif
