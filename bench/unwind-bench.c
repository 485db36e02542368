/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What a capture costs: ours, against libunwind's unw_backtrace(), libgcc's backtrace(), and frame
 * pointers if the program is compiled with them. Stacks of several depths, of which 1, 4 or all
 * frames are new since the last capture. Each capture is timed by itself, on a warm cache; the
 * median of a run is taken, and the least median of several runs, in turns.
 */
#define UNW_LOCAL_ONLY
#include <alloca.h>
#include <dlfcn.h>
#include <libunwind.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../tests/unwind/preload.h"
#include "stackdepot/unwind.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")
#define SAMPLES 2001
#define ROUNDS 5
#define FRAMES 256

enum method { OURS, PLAIN, LIBUNWIND, LIBGCC, FRAME_POINTERS, METHODS };

static const char *const method_names[METHODS] = {"ours", "ours, no memory", "unw_backtrace",
						  "backtrace", "frame pointers"};

/* libunwind has one of that name as well. */
static int (*libc_backtrace)(void **frames, int size);
static struct stackdepot_unwinder *unwinder;
static enum method method;
static uint64_t samples[SAMPLES];
static unsigned int nr_samples, frames_seen, verified_seen;
static double ns_per_tick;
static uint64_t overhead;

static NOINLINE unsigned int capture_ours(struct stackdepot_unwinder *u)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[FRAMES];
	unsigned int nr;

	nr = stackdepot_unwind(u, &start, buffer, FRAMES, &trace);
	verified_seen = trace.verified;
	stackdepot_unwind_done(u, &trace);
	return nr;
}

/* As profilers do: follow the chain while it goes up and stays near. */
static NOINLINE unsigned int capture_frame_pointers(uintptr_t *frames)
{
	const uintptr_t *fp = __builtin_frame_address(0);
	unsigned int nr = 0;

	while (nr < FRAMES) {
		const uintptr_t *next = (const uintptr_t *)fp[0];

		frames[nr++] = fp[1];
		if (next <= fp || (uintptr_t)next - (uintptr_t)fp > 1 << 20)
			break;
		fp = next;
	}
	return nr;
}

static NOINLINE void capture(void)
{
	void *frames[FRAMES];
	uint64_t begin = preload_ticks(), ticks;

	switch (method) {
	case OURS:
		frames_seen = capture_ours(unwinder);
		break;
	case PLAIN:
		frames_seen = capture_ours(NULL);
		break;
	case LIBUNWIND:
		frames_seen = (unsigned int)unw_backtrace(frames, FRAMES);
		break;
	case LIBGCC:
		frames_seen = (unsigned int)libc_backtrace(frames, FRAMES);
		break;
	default:
		frames_seen = capture_frame_pointers((uintptr_t *)frames);
	}
	ticks = preload_ticks() - begin;
	if (nr_samples < SAMPLES)
		samples[nr_samples++] = ticks > overhead ? ticks - overhead : 0;
}

static NOINLINE void other_capture(void)
{
	capture();
	USE(0);
}

/* Functions of several shapes, as real stacks have them. Each comes twice, to be a new frame. */
#define SHAPES(suffix)                                                                             \
	static NOINLINE void shape_##suffix(unsigned int depth, unsigned int how,                  \
					    void (*leaf)(void));                                   \
	static NOINLINE void small_##suffix(unsigned int depth, unsigned int how,                  \
					    void (*leaf)(void))                                    \
	{                                                                                          \
		shape_##suffix(depth, how, leaf);                                                  \
		USE(depth);                                                                        \
	}                                                                                          \
	static NOINLINE void large_##suffix(unsigned int depth, unsigned int how,                  \
					    void (*leaf)(void))                                    \
	{                                                                                          \
		volatile char array[200];                                                          \
                                                                                                   \
		array[depth] = 1;                                                                  \
		shape_##suffix(depth, how, leaf);                                                  \
		USE(array[0]);                                                                     \
	}                                                                                          \
	static NOINLINE void dynamic_##suffix(unsigned int depth, unsigned int how,                \
					      void (*leaf)(void))                                  \
	{                                                                                          \
		char *array = alloca(depth + 16);                                                  \
                                                                                                   \
		USE(array);                                                                        \
		shape_##suffix(depth, how, leaf);                                                  \
		USE(array);                                                                        \
	}                                                                                          \
	static NOINLINE void shape_##suffix(unsigned int depth, unsigned int how,                  \
					    void (*leaf)(void))                                    \
	{                                                                                          \
		if (depth == 0)                                                                    \
			leaf();                                                                    \
		else if (how % 7 == 6)                                                             \
			dynamic_##suffix(depth - 1, how + 1, leaf);                                \
		else if (how % 2)                                                                  \
			large_##suffix(depth - 1, how + 1, leaf);                                  \
		else                                                                               \
			small_##suffix(depth - 1, how + 1, leaf);                                  \
		USE(how);                                                                          \
	}

SHAPES(a)
SHAPES(b)

static unsigned int fresh_depth;

/* Each second capture comes another way: two frames for each level. */
static NOINLINE void leaf_repeat(void)
{
	unsigned int i;

	for (i = 0; i < SAMPLES + 100; i++) {
		if (i == 100)
			nr_samples = 0;
		if (i % 2)
			shape_a(fresh_depth, 0, capture);
		else
			shape_b(fresh_depth, 0, capture);
	}
}

static NOINLINE void leaf_direct(void)
{
	unsigned int i;

	for (i = 0; i < SAMPLES + 100; i++) {
		if (i == 100)
			nr_samples = 0;
		if (i % 2)
			capture();
		else
			other_capture(); /* one frame more or less */
		USE(i);
	}
}

static int compare_ticks(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* @fresh: 0 for all. Depth counts the frames above the capture. */
static double measure_once(unsigned int depth, unsigned int fresh)
{
	unsigned int i;

	nr_samples = 0;
	if (fresh == 1) {
		shape_a(depth / 2, 0, leaf_direct);
	} else if (fresh) {
		fresh_depth = fresh / 2 - 1;
		shape_a((depth - fresh) / 2, 0, leaf_repeat);
	} else {
		for (i = 0; i < SAMPLES + 100; i++) {
			if (i == 100)
				nr_samples = 0;
			if (i % 2)
				shape_a(depth / 2, 0, capture);
			else
				shape_b(depth / 2, 1, capture);
		}
	}
	qsort(samples, nr_samples, sizeof(samples[0]), compare_ticks);
	return (double)samples[nr_samples / 2] * ns_per_tick;
}

static void measure(unsigned int depth, unsigned int fresh)
{
	double least[METHODS];
	unsigned int frames = 0, verified = 0;
	unsigned int round, m;

	for (round = 0; round < ROUNDS; round++) {
		for (m = 0; m < METHODS; m++) {
			double ns;

			method = (enum method)m;
			ns = measure_once(depth, fresh);
			if (!round || ns < least[m])
				least[m] = ns;
			if (m == OURS) {
				frames = frames_seen;
				verified = verified_seen;
			}
		}
	}
	printf("%6u %5s %6u %8u", depth, fresh == 1 ? "1" : fresh ? "4" : "all", frames, verified);
	for (m = 0; m < METHODS; m++)
		printf(" %15.1f", least[m]);
	printf("   %.3f\n", least[OURS] / least[LIBUNWIND]);
}

static void calibrate(void)
{
	struct timespec begin, end;
	uint64_t first, last;
	unsigned int i;

	overhead = UINT64_MAX;
	for (i = 0; i < 10000; i++) {
		uint64_t t = preload_ticks();

		t = preload_ticks() - t;
		overhead = t < overhead ? t : overhead;
	}
	clock_gettime(CLOCK_MONOTONIC, &begin);
	first = preload_ticks();
	do {
		clock_gettime(CLOCK_MONOTONIC, &end);
	} while ((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000 <
		 100);
	last = preload_ticks();
	ns_per_tick = ((double)(end.tv_sec - begin.tv_sec) * 1e9 +
		       (double)(end.tv_nsec - begin.tv_nsec)) /
		      (double)(last - first);
}

int main(void)
{
	static const unsigned int depths[] = {5, 15, 25, 45, 100}, fresh[] = {1, 4, 0};
	unsigned int i, j;

	stackdepot_unwind_setup();
	unwinder = stackdepot_unwind_init(mmap(NULL, STACKDEPOT_UNWINDER_BYTES,
					       PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
					       -1, 0),
					  STACKDEPOT_UNWINDER_BYTES);
	libc_backtrace = (int (*)(void **, int))dlsym(dlopen("libc.so.6", RTLD_NOW), "backtrace");
	calibrate();
	printf("ns for a stack; %u samples, least median of %u\n", SAMPLES, ROUNDS);
	printf("%6s %5s %6s %8s", "depth", "new", "frames", "verified");
	for (i = 0; i < METHODS; i++)
		printf(" %15s", method_names[i]);
	printf("   ours/unw\n");
	for (i = 0; i < sizeof(depths) / sizeof(depths[0]); i++) {
		for (j = 0; j < sizeof(fresh) / sizeof(fresh[0]); j++)
			measure(depths[i], fresh[j]);
	}
	return 0;
}
