/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Code without tables, walked by its frame pointer. Each function here is there twice, with tables
 * and without; but for its own addresses the two must give the same trace.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../src/unwind/walk.h"
#include "oracle.h"

typedef void (*function)(void);
typedef void (*caller)(function callee, void *argument);

#define USE __attribute__((noinline, used))

/* --- code, with tables and without -------------------------------------------------------------
 */

/*
 * keeps_fp calls its first argument with its second; changes_stack calls its first on the stack
 * that ends at its second. On arm64 the record is at the bottom of the former's frame, as gcc has
 * it.
 */
void told(function callee, void *argument);
void untold(function callee, void *argument);
void told_change(function callee, void *argument);
void untold_change(function callee, void *argument);
__asm__(".text\n"
	".macro tell told, directive:vararg\n"
	".if \\told\n"
	".cfi_\\directive\n"
	".endif\n"
	".endm\n"
	".macro begin name, told\n"
	".balign 64\n"
	".globl \\name\n"
	".type \\name, %function\n"
	"\\name:\n"
	"tell \\told, startproc\n"
	".endm\n"
#if defined(__x86_64__)
	".macro keeps_fp name, told\n"
	"begin \\name, \\told\n"
	"	push %rbp\n"
	"tell \\told, def_cfa_offset 16\n"
	"tell \\told, offset rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"tell \\told, def_cfa_register rbp\n"
	"	sub $48, %rsp\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	call *%rax\n"
	"	leave\n"
	"tell \\told, def_cfa rsp, 8\n"
	"	ret\n"
	"tell \\told, endproc\n"
	".endm\n"
	".macro changes_stack name, told\n"
	"begin \\name, \\told\n"
	"	push %rbp\n"
	"tell \\told, def_cfa_offset 16\n"
	"tell \\told, offset rbp, -16\n"
	"	mov %rsp, %rbp\n"
	"tell \\told, def_cfa_register rbp\n"
	"	mov %rsi, %rsp\n"
	"	call *%rdi\n"
	"	leave\n"
	"tell \\told, def_cfa rsp, 8\n"
	"	ret\n"
	"tell \\told, endproc\n"
	".endm\n"
#else
	".macro keeps_fp name, told\n"
	"begin \\name, \\told\n"
	"	stp x29, x30, [sp, #-64]!\n"
	"tell \\told, def_cfa_offset 64\n"
	"tell \\told, offset 29, -64\n"
	"tell \\told, offset 30, -56\n"
	"	mov x29, sp\n"
	"	mov x9, x0\n"
	"	mov x0, x1\n"
	"	blr x9\n"
	"	ldp x29, x30, [sp], #64\n"
	"tell \\told, def_cfa_offset 0\n"
	"tell \\told, restore 29\n"
	"tell \\told, restore 30\n"
	"	ret\n"
	"tell \\told, endproc\n"
	".endm\n"
	".macro changes_stack name, told\n"
	"begin \\name, \\told\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"tell \\told, def_cfa_offset 16\n"
	"tell \\told, offset 29, -16\n"
	"tell \\told, offset 30, -8\n"
	"	mov x29, sp\n"
	"tell \\told, def_cfa_register 29\n"
	"	mov sp, x1\n"
	"	blr x0\n"
	"	mov sp, x29\n"
	"tell \\told, def_cfa_register 31\n"
	"	ldp x29, x30, [sp], #16\n"
	"tell \\told, def_cfa_offset 0\n"
	"tell \\told, restore 29\n"
	"tell \\told, restore 30\n"
	"	ret\n"
	"tell \\told, endproc\n"
	".endm\n"
#endif
	"keeps_fp told, 1\n"
	"keeps_fp untold, 0\n"
	"changes_stack told_change, 1\n"
	"changes_stack untold_change, 0\n");

/* --- the same trace but for their own addresses -------------------------------------------------
 */

struct trace {
	uint32_t nr;
	uint32_t certain;
	uint32_t flags;
	uintptr_t frames[ORACLE_FRAMES];
};

static struct trace truth, seen;

static USE void leaf(void)
{
	EXPECT(check_here(ORACLE_FRAMES));
}

static void keep(struct trace *trace)
{
	trace->nr = check_last.nr;
	trace->certain = check_last.certain;
	trace->flags = check_last.flags;
	memcpy(trace->frames, check_frames, sizeof(trace->frames));
}

static uintptr_t place_in(uintptr_t frame, caller with, caller without)
{
	if (frame - (uintptr_t)with < 64)
		return frame - (uintptr_t)with;
	return frame - (uintptr_t)without < 64 ? frame - (uintptr_t)without : frame;
}

/* Is what was seen the truth, and the first of these frames the last that is certain? */
static bool same(caller with, caller without)
{
	uint32_t i, first = UINT32_MAX;

	for (i = 0; i < seen.nr && i < truth.nr; i++) {
		if (place_in(seen.frames[i], with, without) !=
		    place_in(truth.frames[i], with, without))
			return false;
		if (first == UINT32_MAX && seen.frames[i] - (uintptr_t)without < 64)
			first = i;
	}
	return seen.nr == truth.nr && truth.certain == truth.nr && seen.certain == first + 1 &&
	       !(seen.flags & STACKDEPOT_UNWIND_LOST);
}

/* --- tests --------------------------------------------------------------------------------------
 */

static USE void calls(caller with, function callee)
{
	with(callee, NULL);
	__asm__ volatile("");
}

/* One after the other from the same place, so the loop must not be unrolled. */
#define FOR_BOTH(i, n) for (i = 0; i < (n); i = one_more(i))

static USE int one_more(int i)
{
	return i + 1;
}

/* Nor must there be a call for each. */
static USE caller pick(int i, caller with, caller without)
{
	return i & 1 ? without : with;
}

static void test_one(void)
{
	int i;

	FOR_BOTH(i, 4)
	{
		calls(pick(i, told, untold), leaf);
		keep(i & 1 ? &seen : &truth);
		EXPECT(!(i & 1) || same(told, untold));
	}
}

/* Frames with tables between such without, with a frame pointer that is something else. */
static caller chosen;
static unsigned int depth;

static USE void between(void)
{
#if defined(__x86_64__)
	__asm__ volatile("" ::: "rbx", "r12", "r13", "r14", "r15");
#endif
	if (depth-- > 1)
		chosen(between, NULL);
	else
		leaf();
	__asm__ volatile("");
}

static void test_many(void)
{
	int i;

	FOR_BOTH(i, 40)
	{
		chosen = pick(i, told, untold);
		depth = (unsigned int)i / 2 + 1;
		calls(chosen, between);
		keep(i & 1 ? &seen : &truth);
		EXPECT(!(i & 1) || same(told, untold));
	}
}

/* In a trace that is cut what was not reported is no guess. */
static USE void leaf_cut(void)
{
	EXPECT(check_here(2));
	EXPECT(check_last.nr == 2 && check_last.certain == 2);
}

static void test_cut(void)
{
	calls(untold, leaf_cut);
	calls(untold, leaf_cut);
}

#if defined(__x86_64__)
/*
 * Two records in one frame, and the frame pointer at the first or the second: pc and sp are equal,
 * all words are, and what is right hangs on the register alone.
 */
void two_records(function callee, void *second);
extern const char two_records_return[];
__asm__(".text\n.type two_records, @function\ntwo_records:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	call 1f\n"
	".globl two_records_return\ntwo_records_return:\n"
	"	leave\n"
	"	ret\n"
	"1:	push %rbp\n"
	"	test %rsi, %rsi\n"
	"	jz 2f\n"
	"	mov %rsp, %rbp\n"
	"2:	sub $16, %rsp\n"
	"	call *%rdi\n"
	"	add $16, %rsp\n"
	"	pop %rbp\n"
	"	ret\n"
	".size two_records, . - two_records\n");

static USE void which(void *second)
{
	two_records(leaf, second);
	__asm__ volatile("");
}

static void test_two_records(void)
{
	uint32_t nr[2];
	int i;

	for (i = 0; i < 6; i++) {
		which(i & 1 ? &nr : NULL);
		keep(&seen);
		nr[i & 1] = seen.nr;
		EXPECT((seen.frames[seen.certain] == (uintptr_t)two_records_return) == (i & 1));
	}
	EXPECT(nr[1] == nr[0] + 1);
}

/* What is no record: the walk ends where it begins to guess. */
void with_fp(function callee, const void *fp);
__asm__(".text\n.type with_fp, @function\nwith_fp:\n"
	"	push %rbp\n"
	"	mov %rsi, %rbp\n"
	"	call *%rdi\n"
	"	pop %rbp\n"
	"	ret\n"
	".size with_fp, . - with_fp\n");

static USE void no_record(const void *fp)
{
	with_fp(leaf, fp);
	__asm__ volatile("");
	keep(&seen);
	EXPECT(seen.certain == seen.nr);
	EXPECT(seen.flags & STACKDEPOT_UNWIND_LOST);
}

static USE void some_function(void)
{
	__asm__ volatile("");
}

static void test_no_record(void)
{
	struct {
		uintptr_t low[2];
		uintptr_t fp;
		uintptr_t ra;
	} record __attribute__((aligned(16)));
	char *pages =
		mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uintptr_t inside = truth.frames[0]; /* behind a call */
	static uintptr_t data[2];

	munmap(pages + 4096, 4096);
	record.fp = (uintptr_t)&record + 64;
	record.ra = inside;
	EXPECT(inside && unwind_code_returns(inside, &(struct unwind_text){0}));
	no_record(NULL);
	no_record((void *)8);
	no_record((void *)UINTPTR_MAX);
	no_record((void *)(UINTPTR_MAX - 7));
	no_record((void *)0x800000000000);
	no_record((char *)&record.fp + 4);
	no_record(pages + 4096);	 /* not there */
	no_record(pages + 4096 - 8);	 /* nor is half of it */
	no_record(pages + 2 * 4096 - 8); /* likewise */
	no_record(pages);
	record.ra = (uintptr_t)some_function; /* a pointer to a function, as data have them */
	no_record(&record.fp);
	record.ra = (uintptr_t)data;
	no_record(&record.fp);
	record.ra = (uintptr_t)&record;
	no_record(&record.fp);
	record.ra = 0;
	no_record(&record.fp);
	record.ra = (uintptr_t)pages;
	no_record(&record.fp);
	record.ra = inside;
	with_fp(leaf, &record.fp); /* but this is one */
	EXPECT(check_last.certain < check_last.nr);
	munmap(pages, 4096);
	munmap(pages + 2 * 4096, 4096);
}

/* Below the stack pointer there is nothing that could be a caller's, on whatever stack. */
static USE void test_below(void)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0), below;
	uintptr_t *record;

	for (below = 128u << 10; below <= 512u << 10; below *= 2) {
		record = (uintptr_t *)(sp - below);
		record[0] = (uintptr_t)record + 64;
		record[1] = truth.frames[0];
		no_record(record);
	}
}
#endif

/* --- other stacks --------------------------------------------------------------------------------
 */

#define STACK_BYTES (64u << 10)

static char *other_stack;

static USE void hop(void)
{
	chosen(leaf, other_stack + STACK_BYTES - 256);
	__asm__ volatile("");
}

static void change_to(caller with, caller from)
{
	chosen = from;
	with(hop, other_stack + STACK_BYTES);
	__asm__ volatile("");
}

static void test_changes_of_stacks(void)
{
	int i;

	other_stack =
		mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FOR_BOTH(i, 4)
	{
		change_to(pick(i, told_change, untold_change), told);
		keep(i & 1 ? &seen : &truth);
		EXPECT(!(i & 1) || same(told_change, untold_change));
	}
	munmap(other_stack, STACK_BYTES);
}

/* --- code that is made
 * ---------------------------------------------------------------------------- */

static caller make_code(char *memory)
{
	memcpy(memory, (const void *)(uintptr_t)untold, 64);
	__builtin___clear_cache(memory, memory + 64);
	return (caller)(uintptr_t)memory;
}

static struct {
	caller outer;
	caller inner;
} made;

static USE void made_inner(void)
{
	made.inner(leaf, NULL);
	__asm__ volatile("");
}

/* JIT code calls JIT code, without anything between that has a table. */
static void made_calls(caller outer, caller inner)
{
	outer((function)(uintptr_t)inner, (void *)(uintptr_t)leaf);
	__asm__ volatile("");
	keep(&seen);
}

static char *code_memory(size_t bytes)
{
	return mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0);
}

static void test_made_code(void)
{
	char *memory = code_memory(2 * 4096);
	caller outer = make_code(memory), inner = make_code(memory + 4096);
	uint32_t known;

	made_calls(told, told);
	known = seen.nr;
	made_calls(outer, inner);
	EXPECT(seen.certain == 2 && seen.nr == 2 && seen.flags & STACKDEPOT_UNWIND_LOST);
	stackdepot_unwind_code(memory, 2 * 4096, 1);
	made_calls(outer, inner);
	EXPECT(seen.certain == 2 && seen.nr == known && !(seen.flags & STACKDEPOT_UNWIND_LOST));
	stackdepot_unwind_code(memory, 4096, 0);
	made_calls(outer, inner);
	EXPECT(seen.certain == 2 && seen.nr == 2);
	made.outer = outer;
	made.inner = inner;
	calls(told, made_inner); /* a frame with tables between: only one of them is needed */
	keep(&seen);
	EXPECT(seen.nr > seen.certain);
	stackdepot_unwind_code(memory, 2 * 4096, 0);
	munmap(memory, 2 * 4096);
}

static bool is_code(const char *address)
{
	return unwind_code_returns((uintptr_t)address + 1, &(struct unwind_text){0});
}

#if defined(__x86_64__)
/* --- where a record may be ----------------------------------------------------------------------
 */

#define MIB ((uintptr_t)1 << 20)

static struct unwind_walk stepping;

static bool steps(uintptr_t sp, uintptr_t fp)
{
	struct unwind_state state = {truth.frames[0], sp, fp};

	((uintptr_t *)fp)[0] = fp;
	((uintptr_t *)fp)[1] = truth.frames[0];
	return unwind_record_step(&stepping, &state) && state.sp == fp + 16;
}

/* So often, each by a step that counts as a change of stacks. */
static unsigned int changes(struct unwind_own *own, uintptr_t sp, uintptr_t fp)
{
	unsigned int nr = 0;

	unwind_walk_begin(&stepping, own);
	while (nr < 100 && steps(sp, fp))
		nr++;
	return nr;
}

static void test_places(void)
{
	char *memory = mmap(NULL, 64 * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	const uintptr_t base = (uintptr_t)memory;
	struct unwind_own own = {.lo = base + 16 * MIB, .hi = base + 32 * MIB};

	/* up on the own stack, however far; not down */
	EXPECT(changes(&own, own.lo, own.lo + 64) == 100);
	EXPECT(changes(&own, own.lo, own.hi - 64) == 100);
	EXPECT(changes(&own, own.lo + 64, own.lo) == 0);
	EXPECT(changes(&own, own.hi - 64, own.lo) == 0);
	EXPECT(changes(&own, own.lo, own.lo + 68) == 0);
	/* up on another, if it is near; else it is one more, and of these there are few */
	EXPECT(changes(&own, own.hi + 64, own.hi + 64 + 8 * MIB) == 100);
	EXPECT(changes(&own, own.hi + 64, own.hi + 128 + 8 * MIB) == 4);
	/* to and fro */
	EXPECT(changes(&own, own.hi - 64, own.hi + 64) == 4);
	EXPECT(changes(&own, own.hi + 64, own.hi - 64) == 4);
	/* below is no caller, unless that is far enough to be elsewhere */
	EXPECT(changes(&own, own.hi + 4 * MIB, own.hi + 4 * MIB - 64) == 0);
	EXPECT(changes(&own, own.hi + 4 * MIB, own.hi + 2 * MIB) == 4);
	munmap(memory, 64 * MIB);
}

static void test_elsewhere(void)
{
	EXPECT(unwind_record_elsewhere(&(struct unwind_state){.fp = 1u << 16}));
	EXPECT(!unwind_record_elsewhere(&(struct unwind_state){.fp = (1u << 16) - 8}));
	EXPECT(!unwind_record_elsewhere(&(struct unwind_state){.fp = (1u << 16) + 4}));
	EXPECT(unwind_record_elsewhere(&(struct unwind_state){.fp = (1ul << 47) - 8}));
	EXPECT(!unwind_record_elsewhere(&(struct unwind_state){.fp = 1ul << 47}));
}
#endif

/* What was told is changed in every way that ranges can lie to each other. */
static void test_ranges_meet(void)
{
	char *base = (char *)0x300000000000ul;
	unsigned int i;

	stackdepot_unwind_code(base + 10 * 4096, 4096, 1);
	stackdepot_unwind_code(base, 4096, 1); /* far below: two */
	EXPECT(is_code(base) && !is_code(base + 5 * 4096) && is_code(base + 10 * 4096));
	stackdepot_unwind_code(base, 11 * 4096, 0);
	stackdepot_unwind_code(base, 3 * 4096, 1);
	stackdepot_unwind_code(base + 4096, 4096, 1); /* within */
	EXPECT(is_code(base) && is_code(base + 2 * 4096));
	stackdepot_unwind_code(base - 4096, 2 * 4096, 0); /* over its start */
	EXPECT(!is_code(base) && is_code(base + 4096) && !is_code(base + 3 * 4096));
	stackdepot_unwind_code(base, 3 * 4096, 0);
	for (i = 3000; i--;) /* downwards, as one */
		stackdepot_unwind_code(base + i * 4096, 4096, 1);
	EXPECT(is_code(base) && is_code(base + 2999 * 4096));
	stackdepot_unwind_code(base, 3000 * 4096, 0);
	stackdepot_unwind_code((void *)-(uintptr_t)4096, 4096, 1); /* there is no end */
	EXPECT(!is_code((char *)-(uintptr_t)2048));
}

static void test_ranges(void)
{
	char *base = (char *)0x200000000000ul;
	unsigned int i;

	stackdepot_unwind_code(base + 4096, 4096, 1);
	EXPECT(!is_code(base + 4095) && is_code(base + 4096) && is_code(base + 8191) &&
	       !is_code(base + 8192));
	stackdepot_unwind_code(base + 8192, 1, 1); /* whole pages */
	stackdepot_unwind_code(base, 4096, 1);
	EXPECT(is_code(base) && is_code(base + 3 * 4096 - 1) && !is_code(base + 3 * 4096));
	stackdepot_unwind_code(base + 4096, 4096, 0);
	EXPECT(is_code(base) && !is_code(base + 4096) && is_code(base + 8192));
	stackdepot_unwind_code(base - 4096, 5 * 4096, 0);
	EXPECT(!is_code(base) && !is_code(base + 8192));
	for (i = 0; i < 3000; i++) /* more than there is room for, and nothing breaks */
		stackdepot_unwind_code(base + i * 3 * 4096, 4096, 1);
	EXPECT(is_code(base));
	for (i = 0; i < 3000; i++)
		stackdepot_unwind_code(base + i * 3 * 4096, 4096, 0);
	for (i = 0; i < 3000; i++) /* and all of it can be had again, as one */
		stackdepot_unwind_code(base + i * 4096, 4096, 1);
	EXPECT(is_code(base + 2999 * 4096));
	stackdepot_unwind_code(base, 3000 * 4096, 0);
	EXPECT(!is_code(base) && !is_code(base + 2999 * 4096));
}

/* Of a module it is executable segments only, and there a call must precede. */
static void test_text(void)
{
#if defined(__x86_64__)
	static uint8_t data[] = {0xff, 0xd0, 0}; /* call *%rax */
	static const uint8_t constant[] = {0xff, 0xd0, 0};
	static const unsigned int behind = 2;
#else
	static uint32_t data[] = {0xd63f0000, 0}; /* blr x0 */
	static const uint32_t constant[] = {0xd63f0000, 0};
	static const unsigned int behind = 1;
#endif
	uintptr_t outer = truth.frames[truth.nr - 2]; /* in the C library */

	EXPECT(!unwind_code_returns((uintptr_t)&data[behind], &(struct unwind_text){0}));
	EXPECT(!unwind_code_returns((uintptr_t)&constant[behind], &(struct unwind_text){0}));
	EXPECT(!unwind_code_returns((uintptr_t)leaf, &(struct unwind_text){0}));
	EXPECT(unwind_code_returns(outer, &(struct unwind_text){0}));
	EXPECT(!unwind_code_returns(outer + 1, &(struct unwind_text){0}));
	EXPECT(unwind_code_returns(truth.frames[0], &(struct unwind_text){0}));
	EXPECT(!unwind_code_returns(truth.frames[0] + 1, &(struct unwind_text){0}));
}

/* --- interrupted ---------------------------------------------------------------------------------
 */

static struct trace interrupted;

static void on_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	EXPECT(check_context(context));
	leaf();
	keep(&interrupted);
}

static USE void raises(void)
{
	__asm__ volatile("");
	raise(SIGUSR1);
}

static void test_interrupted(void)
{
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	uint32_t known;

	sigaction(SIGUSR1, &action, NULL);
	calls(told, raises);
	known = interrupted.nr;
	EXPECT(interrupted.certain == known);
	calls(untold, raises);
	EXPECT(interrupted.nr == known && interrupted.certain < known);
	signal(SIGUSR1, SIG_DFL);
}

int main(void)
{
	RUN(test_one);
	RUN(test_many);
	RUN(test_cut);
#if defined(__x86_64__)
	RUN(test_two_records);
	RUN(test_no_record);
	RUN(test_below);
#endif
#if defined(__x86_64__)
	RUN(test_places);
	RUN(test_elsewhere);
#endif
	RUN(test_changes_of_stacks);
	RUN(test_made_code);
	RUN(test_ranges);
	RUN(test_ranges_meet);
	RUN(test_text);
	RUN(test_interrupted);
	return run_result();
}
