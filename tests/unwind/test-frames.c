/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Frames of every shape compilers make, on one stack, in sequences that tempt a memory to err. */
#include <alloca.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "../../src/unwind/rule.h"
#include "oracle.h"

/* Sanitizers keep compilers from some of what makes frames hard. */
#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__)
#define OPTIMIZED 1
#else
#define OPTIMIZED 0
#endif

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

static NOINLINE void leaf(void)
{
	EXPECT(check_here(ORACLE_FRAMES));
}

/* Two parents whose call leaves equal pc and sp in the callee: only the return address differs. */
static const void *callee_frame; /* of shared_callee(), last time */

static NOINLINE void shared_callee(void)
{
	callee_frame = __builtin_frame_address(0);
	leaf();
	USE(0);
}

static NOINLINE void parent_one(void)
{
	shared_callee();
	USE(1);
}

static NOINLINE void parent_two(void)
{
	shared_callee();
	USE(2);
	USE(3);
}

static void test_alternating_parents(void)
{
	const void *frame;
	uintptr_t parent;
	int i;

	for (i = 0; i < 20; i++) {
		parent_one();
		frame = callee_frame;
		parent = check_frames[2];
		parent_two();
		EXPECT(callee_frame == frame && check_frames[2] != parent);
	}
}

/* The same, further out, so that the frames in between are verified before the difference. */
static NOINLINE void deep(int n)
{
	if (n)
		deep(n - 1);
	else
		shared_callee();
	USE(n);
}

static NOINLINE void deep_one(void)
{
	deep(12);
	USE(1);
}

static NOINLINE void deep_two(void)
{
	deep(12);
	USE(2);
	USE(3);
}

static void test_alternating_ancestors(void)
{
	int i;

	for (i = 0; i < 20; i++) {
		deep_one();
		deep_two();
		deep_two();
	}
}

/* Equal return addresses, different frame pointers: the size of the array moves the frames. */
static NOINLINE void with_array(size_t bytes, int n)
{
	char *array = alloca(bytes);

	USE(array);
	if (n)
		with_array(bytes, n - 1);
	else
		leaf();
	USE(array);
}

static void test_alloca(void)
{
	size_t bytes;

	for (bytes = 1; bytes < 100000; bytes = bytes * 3 + 8)
		with_array(bytes, 5);
	with_array(64, 3);
	with_array(4096, 3);
	with_array(64, 3);
}

static NOINLINE void variable_array(int n)
{
	char array[n];

	memset(array, n, (size_t)n);
	USE(array);
	leaf();
	USE(array[n - 1]);
}

static void test_variable_arrays(void)
{
	int n;

	for (n = 1; n < 3000; n += 97)
		variable_array(n);
}

static NOINLINE void huge_frame(void)
{
	volatile char array[70000];

	array[69999] = 1;
	leaf();
	USE(array[69999]);
}

static NOINLINE void giant_frame(void)
{
	volatile char array[600000];

	array[0] = 1;
	leaf();
	USE(array[0]);
}

static void test_large_frames(void)
{
	huge_frame();
	giant_frame();
	huge_frame();
	leaf();
}

#if defined(__x86_64__)
/* Is there an "and $..., %rsp" near the start of the function of @pc? */
static bool masks_sp(uintptr_t pc)
{
	const uint8_t *code = opinion_function(pc - 1);
	unsigned int i;

	for (i = 0; code && i < 32; i++) {
		if (code[i] == 0x48 && (code[i + 1] | 2) == 0x83 && code[i + 2] == 0xe4)
			return true;
	}
	return false;
}

/*
 * A function that realigns its stack is found by its frame pointer; with arrays of a size not known
 * before, gcc's keep in a slot where the caller's frame ended, and the table has expressions for
 * that. Clang's have no need of it.
 */
static void expect_realigned(uintptr_t pc, bool with_slot)
{
	struct unwind_module module;
	struct unwind_row row;
	bool is_signal;

	EXPECT(masks_sp(pc));
	if (!EXPECT(unwind_module_find(pc - 1, &module)) ||
	    !EXPECT(!unwind_module_row(&module, pc - 1, &row, &is_signal)))
		return;
#ifndef __clang__
	EXPECT(row.cfa_is_expression == with_slot);
	EXPECT((row.how[ARCH_FP] == HOW_EXPRESSION) == with_slot);
	EXPECT(rule_kind(unwind_rule_of(&module.bytes, &row)) ==
	       (with_slot ? RULE_REALIGNED : RULE_FP));
#else
	EXPECT(row.cfa_register == ARCH_FP);
#endif
	USE(with_slot);
}
#else
static void expect_realigned(uintptr_t pc, bool with_slot)
{
	(void)pc;
	(void)with_slot;
}
#endif

static NOINLINE void realigned(void)
{
	_Alignas(64) volatile char array[128];

	array[0] = 1;
	leaf();
	expect_realigned(check_frames[1], false);
	USE(array[0]);
}

/* Arguments on the stack of a function that realigns it: addressed by the old frame. */
static NOINLINE void realigned_with_arguments(long a, long b, long c, long d, long e, long f,
					      long g, long h, long i, long j)
{
	_Alignas(64) volatile long array[16];
	char *dynamic = alloca((size_t)a + 16);

	array[0] = a + b + c + d + e + f + g + h + i + j;
	USE(dynamic);
	realigned();
	leaf();
	expect_realigned(check_frames[1], true);
	USE(array[0]);
}

/* A frame that only its frame pointer leads out of, so that the one saved above must be right. */
static NOINLINE void calls_realigned(long i)
{
	char *array = alloca((size_t)i * 16 + 16);

	USE(array);
	realigned_with_arguments(i * 40, 2, 3, 4, 5, 6, 7, 8, 9, 10);
	USE(array);
}

/*
 * Where the alignment makes up for what callers differ by, pc and sp are the same, and the return
 * address of the one before still is where it was, in the array of this one.
 */
static const void *realigned_array;

static NOINLINE void realigned_alike(size_t bytes)
{
	_Alignas(64) volatile char array[64];
	char *dynamic = alloca(bytes);

	array[0] = 1;
	realigned_array = dynamic;
	USE(dynamic);
	leaf();
	expect_realigned(check_frames[1], true);
	USE(array[0]);
}

static NOINLINE void realigned_from_one(size_t bytes)
{
	char *array = alloca(bytes);

	USE(array);
	realigned_alike(64);
	USE(array);
}

static NOINLINE void realigned_from_other(size_t bytes)
{
	char *array = alloca(bytes);

	USE(array);
	realigned_alike(64);
	USE(array);
	USE(bytes);
}

static void test_realigned_alike(void)
{
	unsigned int alike = 0;
	const void *before;
	size_t bytes;

	for (bytes = 16; bytes < 512; bytes += 48) {
		realigned_from_one(bytes);
		before = realigned_array;
		realigned_from_other(bytes + 16);
		alike += realigned_array == before;
	}
#if defined(__x86_64__) && !(defined(__clang__) && defined(__AVX__)) /* whose callers align, too \
								      */
	EXPECT(alike > 3);
#endif
	USE(alike);
}

static void test_realigned(void)
{
	long i;

	for (i = 0; i < 10; i++) {
		realigned();
		calls_realigned(i);
	}
}

#if defined(__AVX__)
/* Vectors that live across a call are kept on the stack, which must be realigned for them. */
typedef double vector __attribute__((vector_size(32)));

static NOINLINE void vectors(vector *at)
{
	vector here = *at * 2;

	leaf();
	expect_realigned(check_frames[1], false);
	*at += here;
}

static NOINLINE void vectors_with_arguments(vector *at, long a, long b, long c, long d, long e,
					    long f, long g)
{
	vector here = *at * (double)(a + b + c + d + e + f + g);
	char *dynamic = alloca((size_t)a + 16);

	USE(dynamic);
	vectors(at);
	leaf();
	expect_realigned(check_frames[1], true);
	*at += here + (double)g;
}

static void test_vectors(void)
{
	/* called by a pointer, lest constants take the place of its arguments */
	void (*volatile call)(vector *, long, long, long, long, long, long, long) =
		vectors_with_arguments;
	vector at = {1, 2, 3, 4};
	long i;

	for (i = 0; i < 5; i++)
		call(&at, i, 2, 3, 4, 5, 6, 7);
	EXPECT(at[0] > 1);
}
#endif

static NOINLINE int sum_recursive(int n, int width)
{
	volatile char pad[width * 16 + 16];

	pad[0] = (char)n;
	if (n)
		return sum_recursive(n - 1, (width * 7 + 3) % 11) + pad[0];
	leaf();
	return pad[0];
}

static void test_random_depths(void)
{
	int i;

	srand(7);
	for (i = 0; i < 300; i++)
		sum_recursive(rand() % 60, rand() % 4);
}

/* Depth beyond what is asked for, growing and shrinking across the limit. */
static NOINLINE int recursion(int n, unsigned int cap)
{
	int result = n;

	if (n % 3 == 0)
		EXPECT(check_here(cap));
	if (n)
		result += recursion(n - 1, cap);
	if (n % 4 == 0)
		EXPECT(check_here(cap));
	return result + 1;
}

static NOINLINE void recursion_at_once(int n, unsigned int cap)
{
	if (n) {
		recursion_at_once(n - 1, cap);
	} else {
		EXPECT(check_here(cap));
		EXPECT(check_last.flags & STACKDEPOT_UNWIND_CUT);
	}
	USE(n);
}

static void test_beyond_the_cap(void)
{
	static const unsigned int caps[] = {1, 2, 7, 16, 64, 128, 511, 512};
	unsigned int i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		recursion(40, caps[i]);
		recursion(700, caps[i]);
		EXPECT(check_last.nr <= caps[i]);
	}
	recursion(2000, 128);
	EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_CUT));
	recursion_at_once(2000, 128);
}

static void test_changing_caps(void)
{
	unsigned int i;

	for (i = 1; i < 80; i++)
		recursion((int)(i * 37 % 90), i * 53 % 100 + 1);
}

static NOINLINE void jump_out(jmp_buf *to, int n)
{
	if (n) {
		jump_out(to, n - 1);
		USE(n);
		return;
	}
	leaf();
	longjmp(*to, 1);
}

static void test_longjmp(void)
{
	volatile int i;
	jmp_buf to;

	for (i = 0; i < 50; i++) {
		if (!setjmp(to))
			jump_out(&to, i % 9);
		leaf();
	}
}

/* A call that does not return comes last: the return address is behind the function. */
static __attribute__((noreturn)) NOINLINE void never_returns(jmp_buf *to)
{
	leaf();
	EXPECT(opinion_function(check_frames[2]) != opinion_function(check_frames[2] - 1));
	longjmp(*to, 1);
}

static __attribute__((noreturn)) NOINLINE void calls_never_returns(jmp_buf *to)
{
	never_returns(to);
}

static void test_noreturn(void)
{
	jmp_buf to;

	if (!setjmp(to))
		calls_never_returns(&to);
	leaf();
}

static NOINLINE void tail_target(int n)
{
	leaf();
	USE(n);
}

static NOINLINE void tail_caller(int n)
{
	USE(n);
	tail_target(n + 1); /* becomes a jump */
}

static void test_tail_calls(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		uint32_t nr;

		tail_caller(i);
		nr = check_last.nr;
		tail_target(i);
#if OPTIMIZED && !(defined(__clang__) && defined(__AVX__))
		EXPECT(check_last.nr == nr); /* the caller is gone; clang keeps it to realign */
#endif
		USE(nr);
	}
}

/* gcc moves what is unlikely into another section, with an entry of its own. */
static NOINLINE __attribute__((cold)) void unlikely(void)
{
	leaf();
}

static NOINLINE void split(int rare)
{
	volatile char array[200];

	array[0] = (char)rare;
	if (__builtin_expect(rare, 0)) {
		unlikely();
#if OPTIMIZED && !defined(__clang__)
		EXPECT(opinion_function(check_frames[2] - 1) != (const void *)split);
#endif
		unlikely();
		USE(array[0]);
		unlikely();
	}
	leaf();
	USE(array[0]);
}

static void test_cold_splits(void)
{
	split(0);
	split(1);
	split(0);
}

static int compare_ints(const void *a, const void *b)
{
	leaf();
	return *(const int *)a - *(const int *)b;
}

static void test_through_libc(void)
{
	int numbers[24], i;

	for (i = 0; i < 24; i++)
		numbers[i] = i * 7 % 24;
	qsort(numbers, 24, sizeof(numbers[0]), compare_ints);
	bsearch(&numbers[3], numbers, 24, sizeof(numbers[0]), compare_ints);
}

#if defined(__x86_64__)
/* Assembly that says nothing of its frame: where the way ends for libgcc, it does for us. */
void without_cfi(void (*function)(void));
__asm__(".text\n"
	".globl without_cfi\n"
	".type without_cfi, @function\n"
	"without_cfi:\n"
	"	sub $24, %rsp\n"
	"	call *%rdi\n"
	"	add $24, %rsp\n"
	"	ret\n"
	".size without_cfi, . - without_cfi\n");

static void test_without_tables(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		without_cfi(leaf);
		EXPECT(check_last.flags & STACKDEPOT_UNWIND_LOST ||
		       check_last.certain < check_last.nr);
		leaf();
		EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_LOST));
	}
}

/*
 * Equal return addresses, equal stack pointers, and only a saved frame pointer differs: saves_fp()
 * keeps that of has_fp() and hides it from the frames further in; has_fp() is called from a place
 * that is as much lower as it takes less room.
 */
void has_fp(void (*function)(void), size_t bytes);
__asm__(".text\n"
	".type saves_fp, @function\n"
	"saves_fp:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbp, 0\n"
	"	xor %ebp, %ebp\n"
	"	call *%rdi\n"
	"	pop %rbp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore rbp\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size saves_fp, . - saves_fp\n"
	".globl has_fp\n"
	".type has_fp, @function\n"
	"has_fp:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbp, 0\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register rbp\n"
	"	sub %rsi, %rsp\n"
	"	call saves_fp\n"
	"	leave\n"
	"	.cfi_def_cfa rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size has_fp, . - has_fp\n");

#define ROOM 1024

static NOINLINE void lower_by(size_t bytes)
{
	char *array = alloca(bytes);

	USE(array);
	has_fp(leaf, ROOM - bytes);
	USE(array);
}

/* The same again, so that it shows in the trace which frame was found. */
static NOINLINE void lower_by_too(size_t bytes)
{
	char *array = alloca(bytes);

	USE(array);
	has_fp(leaf, ROOM - bytes);
	USE(array);
	USE(bytes);
}

static void test_saved_frame_pointer(void)
{
	size_t bytes;

	/* going lower, the words of the frame before stay in memory, in the array of this one */
	for (bytes = 16; bytes < ROOM; bytes += 80) {
		if (bytes / 80 % 2)
			lower_by_too(bytes);
		else
			lower_by(bytes);
	}
}

/*
 * As above, but what is kept was first met with its frame pointer saved in one place, then in
 * another: the word in the first stays as it was, and means nothing any more.
 */
void saves_fp_lower(void (*function)(void));
void has_fp_calls(void (*function)(void), size_t bytes, void (*saver)(void (*)(void)));
void saves_fp_again(void (*function)(void));
#define SAVES_FP(name, room)                                \
	__asm__(".text\n"                                   \
		".globl " name "\n"                         \
		".type " name ", @function\n" name ":\n"    \
		"	.cfi_startproc\n"                         \
		"	sub $" room ", %rsp\n"              \
		"	.cfi_adjust_cfa_offset " room "\n"  \
		"	push %rbp\n"                              \
		"	.cfi_adjust_cfa_offset 8\n"               \
		"	.cfi_rel_offset rbp, 0\n"                 \
		"	xor %ebp, %ebp\n"                         \
		"	call *%rdi\n"                             \
		"	pop %rbp\n"                               \
		"	.cfi_adjust_cfa_offset -8\n"              \
		"	.cfi_restore rbp\n"                       \
		"	add $" room ", %rsp\n"              \
		"	.cfi_adjust_cfa_offset -" room "\n" \
		"	ret\n"                                    \
		"	.cfi_endproc\n"                           \
		".size " name ", . - " name "\n")
SAVES_FP("saves_fp_again", "0");
SAVES_FP("saves_fp_lower", "64");
__asm__(".text\n"
	".globl has_fp_calls\n"
	".type has_fp_calls, @function\n"
	"has_fp_calls:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbp, 0\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register rbp\n"
	"	sub %rsi, %rsp\n"
	"	call *%rdx\n"
	"	leave\n"
	"	.cfi_def_cfa rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size has_fp_calls, . - has_fp_calls\n");

static NOINLINE void one_way(size_t bytes, void (*saver)(void (*)(void)))
{
	char *array = alloca(bytes);

	USE(array);
	has_fp_calls(leaf, ROOM - bytes, saver);
	USE(array);
}

static NOINLINE void other_way(size_t bytes, void (*saver)(void (*)(void)))
{
	char *array = alloca(bytes);

	USE(array);
	has_fp_calls(leaf, ROOM - bytes, saver);
	USE(array);
	USE(bytes);
}

static void test_moved_frame_pointer(void)
{
	size_t bytes;

	for (bytes = 16; bytes < ROOM - 160; bytes += 160) {
		one_way(bytes, saves_fp_again);
		one_way(bytes, saves_fp_lower);
		other_way(bytes + 80, saves_fp_lower);
	}
}

/* A frame that only rbx, then only r12, leads out of. */
void by_rbx(void (*function)(void));
void by_r12(void (*function)(void));
#define BY_REGISTER(name, reg, number)                      \
	__asm__(".text\n"                                   \
		".globl " name "\n"                         \
		".type " name ", @function\n" name ":\n"    \
		"	.cfi_startproc\n"                         \
		"	push %" reg "\n"                    \
		"	.cfi_adjust_cfa_offset 8\n"               \
		"	.cfi_rel_offset " number ", 0\n"    \
		"	mov %rsp, %" reg "\n"               \
		"	.cfi_def_cfa_register " number "\n" \
		"	sub $100, %rsp\n"                         \
		"	and $-64, %rsp\n"                         \
		"	call *%rdi\n"                             \
		"	mov %" reg ", %rsp\n"               \
		"	.cfi_def_cfa_register 7\n"                \
		"	pop %" reg "\n"                     \
		"	.cfi_adjust_cfa_offset -8\n"              \
		"	.cfi_restore " number "\n"          \
		"	ret\n"                                    \
		"	.cfi_endproc\n"                           \
		".size " name ", . - " name "\n")
BY_REGISTER("by_rbx", "rbx", "3");
BY_REGISTER("by_r12", "r12", "12");

static NOINLINE void leaf_that_saves(void)
{
	/* clobbers make the function save what the frames further out need */
	__asm__ volatile("" : : : "rbx", "r12", "r13", "r14", "r15");
	deep(3);
	__asm__ volatile("" : : : "rbx", "r12", "r13", "r14", "r15");
}

static void test_other_registers(void)
{
	int i;

	for (i = 0; i < 3; i++) {
		by_rbx(leaf);
		EXPECT(check_last.flags & STACKDEPOT_UNWIND_FULL);
		by_r12(leaf_that_saves);
		by_rbx(leaf_that_saves);
		leaf();
		EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_FULL));
	}
}
#endif

#if defined(__ARM_FEATURE_PAC_DEFAULT)
/* Where the processor signs return addresses, what lies on the stack is no address. */
static NOINLINE void signed_frame(void)
{
	const uintptr_t *record = __builtin_frame_address(0);

	leaf();
	EXPECT(check_frames[1] >> 48 == 0 && check_frames[2] >> 48 == 0);
	EXPECT(record[1] >> 48 != 0 && (record[1] ^ check_frames[2]) << 16 == 0);
	USE(record);
}

static void test_signed_addresses(void)
{
	if (getauxval(AT_HWCAP) & HWCAP_PACA) /* older processors sign nothing; qemu's does */
		signed_frame();
}
#endif

/* What is remembered must be used, or the other tests show little. */
static NOINLINE void verified_share(int n)
{
	if (n) {
		verified_share(n - 1);
		USE(n);
		return;
	}
	leaf();
	EXPECT(check_last.verified + 1 >= check_last.nr);
	EXPECT(check_last.unchanged + 1 >= check_last.nr);
}

static void test_memory_is_used(void)
{
	verified_share(30);
	verified_share(5);
}

int main(void)
{
	RUN(test_alternating_parents);
	RUN(test_alternating_ancestors);
	RUN(test_alloca);
	RUN(test_variable_arrays);
	RUN(test_large_frames);
	RUN(test_realigned);
	RUN(test_realigned_alike);
#if defined(__AVX__)
	RUN(test_vectors);
#endif
	RUN(test_random_depths);
	RUN(test_beyond_the_cap);
	RUN(test_changing_caps);
	RUN(test_longjmp);
	RUN(test_noreturn);
	RUN(test_tail_calls);
	RUN(test_cold_splits);
	RUN(test_through_libc);
#if defined(__x86_64__)
	RUN(test_saved_frame_pointer);
	RUN(test_moved_frame_pointer);
	RUN(test_without_tables);
	RUN(test_other_registers);
#endif
#if defined(__ARM_FEATURE_PAC_DEFAULT)
	RUN(test_signed_addresses);
#endif
	RUN(test_memory_is_used);
	return run_result();
}
