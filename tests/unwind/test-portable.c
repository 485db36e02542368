/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Portable frames where what is kept could be another module's: libraries that are the same but for
 * their names and build-ids take each other's place, under a stack with the same words.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oracle.h"
#include "portable.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")
#define COPIES 12 /* more than an unwinder keeps modules for */
#define ROUNDS 60

typedef void (*call_fn)(void (*)(void));

static const char *directory;
static char copies[] = "/tmp/stackdepot-portable-XXXXXX";
static unsigned int check_size;
static bool check_more; /* and then to the end */

static void copy_path(char path[64], int number)
{
	snprintf(path, 64, "%s/p%02d.so", copies, number);
}

/* Another build-id, of a file that has one. */
static void copy_change(uint8_t *bytes, size_t nr, int number)
{
	static const uint8_t head[] = {4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 'G', 'N', 'U', 0};
	uint8_t *note = memmem(bytes, nr, head, sizeof(head));

	if (note)
		note[sizeof(head)] = (uint8_t)number;
}

static void copy_make(const char *name, int number)
{
	static uint8_t bytes[1 << 20];
	char path[512], copy[64];
	FILE *in, *out;
	size_t nr;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	copy_path(copy, number);
	in = fopen(path, "re");
	out = fopen(copy, "we");
	if (!EXPECT(in && out))
		exit(1);
	nr = fread(bytes, 1, sizeof(bytes), in);
	copy_change(bytes, nr, number);
	EXPECT(nr > 0 && fwrite(bytes, 1, nr, out) == nr);
	fclose(in);
	fclose(out);
}

static NOINLINE void leaf(void)
{
	check_here(check_size);
	if (check_more)
		check_here(ORACLE_FRAMES);
}

static NOINLINE void through(call_fn call)
{
	call(leaf);
	USE(call);
}

/* Returns where it was. */
static NOINLINE uintptr_t use_copy(int number)
{
	char path[64];
	void *handle;
	call_fn call;

	copy_path(path, number);
	handle = dlopen(path, RTLD_NOW);
	if (!EXPECT(handle))
		return 0;
	call = (call_fn)dlsym(handle, "plugin_call");
	through(call);
	dlclose(handle);
	return (uintptr_t)call;
}

/* From one to the next and back, and each twice in turn, so that stacks are remembered. */
static void in_turn(const char *name, int nr)
{
	uintptr_t before = 0;
	int i, same = 0;

	for (i = 0; i < nr; i++)
		copy_make(name, i);
	for (i = 0; i < ROUNDS; i++) {
		uintptr_t here = use_copy(i / 2 % nr);

		same += here == before;
		before = here;
	}
#if defined(__x86_64__) /* qemu gives each mapping a new address */
	EXPECT(same > ROUNDS / 2);
#endif
	USE(same);
}

static void test_whole_stacks(void)
{
	check_size = ORACLE_FRAMES;
	in_turn("libplugin-24.so", 2);
	in_turn("libplugin-24n.so", 2);
}

/* The last frame that is reported is the library's, whose checks nobody looks at. */
static void test_cut_there(void)
{
	for (check_size = 1; check_size < 5; check_size++) {
		in_turn("libplugin-24.so", 2);
		in_turn("libplugin-24n.so", 2);
	}
}

/* The same, with frames beyond it that are kept. */
static void test_cut_before_kept(void)
{
	check_more = true;
	test_cut_there();
	check_more = false;
}

static void test_more_than_are_kept(void)
{
	check_size = ORACLE_FRAMES;
	in_turn("libplugin-24.so", COPIES);
}

/* --- what the user says ----------------------------------------------------------------------- */

#define BELOW ((uintptr_t)1 << 60)
#define ABOVE ((uintptr_t)2 << 60)

static uintptr_t split; /* between two modules */

static bool split_module(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	const bool below = code < split;

	ret_module->start = below ? 0 : split;
	ret_module->end = below ? split : UINTPTR_MAX;
	ret_module->delta = below ? BELOW : ABOVE;
	return true;
}

static uintptr_t split_other(uintptr_t address)
{
	return address;
}

static const struct stackdepot_unwind_portable by_split = {split_module, split_other};

/* What the second frame becomes if the modules part at its address less @before. */
static NOINLINE uintptr_t second_frame(struct stackdepot_unwinder *u, uintptr_t before,
				       uintptr_t *ret_pc)
{
	const struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[ORACLE_FRAMES], frame;

	stackdepot_unwind(u, &start, buffer, ORACLE_FRAMES, &trace);
	*ret_pc = trace.frames[1];
	split = *ret_pc - before;
	stackdepot_unwind_portable_by(&by_split);
	stackdepot_unwind_portable(u, &trace);
	frame = trace.frames[1];
	stackdepot_unwind_done(u, &trace);
	return frame;
}

/* The call is in the byte before a return address: the next one may be another module's. */
static void test_which_byte(void)
{
	struct stackdepot_unwinder *u[] = {oracle_unwinder(), NULL};
	uintptr_t pc, frame;
	int i;

	for (i = 0; i < 2; i++) {
		frame = second_frame(u[i], 0, &pc);
		EXPECT(frame == pc + BELOW);
		frame = second_frame(u[i], 1, &pc); /* what was said before is forgotten */
		EXPECT(frame == pc + ABOVE);
		frame = second_frame(u[i], 0, &pc);
		EXPECT(frame == pc + BELOW);
	}
	split = frame = pc;
	EXPECT(!stackdepot_unwind_portable_frames(&frame, 1, false));
	EXPECT(frame == pc + BELOW);
	frame = pc;
	EXPECT(!stackdepot_unwind_portable_frames(&frame, 1, true));
	EXPECT(frame == pc + ABOVE);
	portable_setup();
}

static struct stackdepot_unwinder *unwinder_make(void)
{
	void *memory = mmap(NULL, STACKDEPOT_UNWINDER_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return stackdepot_unwind_init(memory, STACKDEPOT_UNWINDER_BYTES);
}

static struct stackdepot_unwinder *own;

static NOINLINE void walk_portable(void)
{
	const struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[ORACLE_FRAMES];

	stackdepot_unwind(own, &start, buffer, ORACLE_FRAMES, &trace);
	stackdepot_unwind_portable(own, &trace);
	EXPECT(!(trace.flags & STACKDEPOT_UNWIND_OTHER));
	stackdepot_unwind_done(own, &trace);
}

static NOINLINE void walk_deeper(int n)
{
	if (n)
		walk_deeper(n - 1);
	else
		walk_portable();
	USE(n);
}

static void walk_often(void)
{
	int i;

	for (i = 0; i < 300; i++)
		walk_deeper(i % 30);
}

/* Each module is asked for once, whatever the number of walks. */
static void test_asked_once(void)
{
	unsigned int before = portable_asked;
	char path[64];
	void *handle;

	copy_make("libplugin-24.so", 0);
	copy_path(path, 0);
	handle = dlopen(path, RTLD_NOW);
	own = unwinder_make();
	((call_fn)dlsym(handle, "plugin_call"))(walk_often);
	EXPECT(portable_asked > before && portable_asked - before < 10);
	dlclose(handle);
}

/* --- very many modules ------------------------------------------------------------------------ */

/* To whom these are asked about, each has a function: more than an unwinder keeps. */
#define GRAIN 64
#define PLACES 600
#define DEPTH 100
#define STACKS (PLACES / DEPTH)

static unsigned int grains_asked;
static int place_first;

static bool grain_module(uintptr_t code, struct stackdepot_unwind_module *ret_module)
{
	grains_asked++;
	ret_module->start = code & -(uintptr_t)GRAIN;
	ret_module->end = ret_module->start + GRAIN;
	ret_module->delta = ret_module->start << 20;
	return true;
}

static const struct stackdepot_unwind_portable by_grain = {grain_module, split_other};

static void place_call(int i);

#define PLACE(n)                                                              \
	static NOINLINE __attribute__((aligned(GRAIN))) void place_##n(int i) \
	{                                                                     \
		place_call(i + 1);                                            \
		USE(i);                                                       \
	}
#define TEN(what, n)                                                                            \
	what(n##0) what(n##1) what(n##2) what(n##3) what(n##4) what(n##5) what(n##6) what(n##7) \
		what(n##8) what(n##9)
#define HUNDRED(what, n)                                                                \
	TEN(what, n##0)                                                                 \
	TEN(what, n##1)                                                                 \
	TEN(what, n##2)                                                                 \
	TEN(what, n##3)                                                                 \
	TEN(what, n##4) TEN(what, n##5) TEN(what, n##6) TEN(what, n##7) TEN(what, n##8) \
		TEN(what, n##9)
#define ALL(what)        \
	HUNDRED(what, 1) \
	HUNDRED(what, 2) HUNDRED(what, 3) HUNDRED(what, 4) HUNDRED(what, 5) HUNDRED(what, 6)
#define NAME(n) place_##n,

ALL(PLACE)

static void (*const places[])(int) = {ALL(NAME)};

static NOINLINE void walk_places(void)
{
	const struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace plain, trace;
	uintptr_t buffer[ORACLE_FRAMES], other[ORACLE_FRAMES], pc;
	uint32_t i;

	stackdepot_unwind(NULL, &start, other, ORACLE_FRAMES, &plain);
	stackdepot_unwind(own, &start, buffer, ORACLE_FRAMES, &trace);
	stackdepot_unwind_portable(own, &trace);
	EXPECT(trace.nr == plain.nr && trace.nr > DEPTH);
	for (i = 0; i < trace.nr; i++) {
		pc = plain.frames[i];
		EXPECT(trace.frames[i] == pc + (((pc - 1) & -(uintptr_t)GRAIN) << 20));
	}
	stackdepot_unwind_done(own, &trace);
}

/* Not in the order of their addresses. */
static void place_call(int i)
{
	if (i == DEPTH)
		walk_places();
	else
		places[(place_first + i) * 37 % PLACES](i);
}

static unsigned int walk_stacks(int nr)
{
	const unsigned int before = grains_asked;
	int i;

	for (i = 0; i < nr; i++) {
		place_first = i * DEPTH;
		place_call(0);
	}
	return grains_asked - before;
}

/* What never goes away is asked for once, of so many; of more some are asked for again. */
static void test_very_many_modules(void)
{
	own = unwinder_make();
	stackdepot_unwind_portable_by(&by_grain);
	EXPECT(walk_stacks(4) >= 4 * DEPTH);
	EXPECT(walk_stacks(4) < 5); /* this call is in a grain of its own */
	EXPECT(walk_stacks(STACKS) >= (STACKS - 4) * DEPTH);
	EXPECT(walk_stacks(STACKS) > 5);
	portable_setup();
}

/* Stacks are remembered with portable frames, too. */
static NOINLINE void test_remembered(void)
{
	static char memory[1 << 16] __attribute__((aligned(64)));
	const struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[ORACLE_FRAMES];
	uint64_t user;
	int i;

	own = unwinder_make();
	EXPECT(stackdepot_unwind_memory(own, memory, sizeof(memory)));
	for (i = 0; i < 4; i++) {
		EXPECT(stackdepot_unwind_recall(own, &start, &user) == (i >= 2));
		stackdepot_unwind(own, &start, buffer, ORACLE_FRAMES, &trace);
		stackdepot_unwind_portable(own, &trace);
		EXPECT(stackdepot_unwind_remember(own, &trace, 1));
		stackdepot_unwind_done(own, &trace);
	}
}

static void clean_up(void)
{
	char path[64];
	int i;

	for (i = 0; i < COPIES; i++) {
		copy_path(path, i);
		unlink(path);
	}
	rmdir(copies);
}

int main(int argc, char **argv)
{
	directory = argc > 1 ? argv[1] : ".";
	if (!mkdtemp(copies))
		return 1;
	oracle_unwinder();
	RUN(test_whole_stacks);
	RUN(test_cut_there);
	RUN(test_cut_before_kept);
	RUN(test_more_than_are_kept);
	RUN(test_which_byte);
	RUN(test_asked_once);
	RUN(test_very_many_modules);
	RUN(test_remembered);
	clean_up();
	return run_result();
}
