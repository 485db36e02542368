/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A walk that comes to nothing must not leave the frames kept with what it learned halfway. On
 * x86-64, as the frames are made by hand.
 *
 *	walk 1		walk 2		walk 3
 *	roomy_leaf	inner		roomy_leaf
 *	save_near	save_far	save_near
 *	at_sp		at_sp		at_sp		F: equal pc and sp; equal fp in 1 and 2
 *	pass_one	pass_one	pass_two
 *	at_sp		at_sp		at_sp
 *	test		elsewhere	test
 *
 * Walk 2 meets F, and notes that its frame pointer is now found where save_far() put it. Then it is
 * given up. What save_far() saved stays in memory, in the array of roomy_leaf(), and so does the
 * frame of pass_one(), in that of pass_two(). So who still believes in walk 1, with what walk 2
 * noted, finds everything as it was.
 */
#include <alloca.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

typedef void (*leaf_fn)(void);
typedef void (*call_fn)(leaf_fn leaf);

/* Calls @call with its stack pointer at @sp, wherever it is called itself. */
void at_sp(call_fn call, uintptr_t sp, leaf_fn leaf);
__asm__(".text\n"
	".globl at_sp\n"
	".type at_sp, @function\n"
	"at_sp:\n"
	"	.cfi_startproc\n"
	"	push %rbp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbp, 0\n"
	"	mov %rsp, %rbp\n"
	"	.cfi_def_cfa_register rbp\n"
	"	mov %rdi, %rax\n"
	"	mov %rdx, %rdi\n"
	"	mov %rsi, %rsp\n"
	"	call *%rax\n"
	"	leave\n"
	"	.cfi_def_cfa rsp, 8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size at_sp, . - at_sp\n");

/* Save the frame pointer, and have another one in the frames further in. */
void save_near(leaf_fn leaf);
void save_far(leaf_fn leaf);
void save_too_far(leaf_fn leaf);
uintptr_t *other_fp;
#define SAVE_FP(name, room)                                 \
	__asm__(".text\n"                                   \
		".globl " name "\n"                         \
		".type " name ", @function\n" name ":\n"    \
		"	.cfi_startproc\n"                         \
		"	sub $" room ", %rsp\n"              \
		"	.cfi_adjust_cfa_offset " room "\n"  \
		"	push %rbp\n"                              \
		"	.cfi_adjust_cfa_offset 8\n"               \
		"	.cfi_rel_offset rbp, 0\n"                 \
		"	mov other_fp(%rip), %rbp\n"               \
		"	call *%rdi\n"                             \
		"	pop %rbp\n"                               \
		"	.cfi_adjust_cfa_offset -8\n"              \
		"	.cfi_restore rbp\n"                       \
		"	add $" room ", %rsp\n"              \
		"	.cfi_adjust_cfa_offset -" room "\n" \
		"	ret\n"                                    \
		"	.cfi_endproc\n"                           \
		".size " name ", . - " name "\n")
SAVE_FP("save_near", "0");
SAVE_FP("save_far", "2048");
SAVE_FP("save_too_far", "40000"); /* for what is remembered of a frame */

/* A frame that only rbx leads out of: it takes a full walk. */
void by_rbx(leaf_fn leaf);
__asm__(".text\n"
	".globl by_rbx\n"
	".type by_rbx, @function\n"
	"by_rbx:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset rbx, 0\n"
	"	mov %rsp, %rbx\n"
	"	.cfi_def_cfa_register rbx\n"
	"	call *%rdi\n"
	"	.cfi_def_cfa_register rsp\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore rbx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size by_rbx, . - by_rbx\n");

/* Sizes that are not known beforehand, so that the frame pointer is used for what it is. */
static volatile size_t few_bytes = 64, many_bytes = 4096;
static uintptr_t high_sp, low_sp; /* of pass_one() and pass_two(), and of what they call */
static call_fn save;
static leaf_fn innermost;

static NOINLINE void roomy_leaf(void)
{
	char array[4096];

	USE(array);
	check_here(ORACLE_FRAMES);
	USE(array);
}

static NOINLINE void pass_one(leaf_fn unused)
{
	char *array = alloca(few_bytes);

	USE(array);
	at_sp(save, low_sp, innermost);
	USE(array);
	USE(unused);
}

static NOINLINE void pass_two(leaf_fn unused)
{
	char *array = alloca(many_bytes);

	USE(array);
	at_sp(save, low_sp, innermost);
	USE(array);
	USE(unused);
}

static NOINLINE void pass_one_elsewhere(void)
{
	at_sp(pass_one, high_sp, NULL);
	USE(0);
}

static void choose(call_fn chosen_save, leaf_fn leaf)
{
	save = chosen_save;
	innermost = leaf;
}

static void choose_places(void)
{
	high_sp = ((uintptr_t)__builtin_frame_address(0) - (16 << 10)) & ~(uintptr_t)15;
	low_sp = high_sp - (41 << 10); /* no multiple of what CHAIN_MAP tells apart */
}

static void leaf(void)
{
	check_here(ORACLE_FRAMES);
}

static void test_full_walk_between(void)
{
	choose_places();
	choose(save_near, roomy_leaf);
	at_sp(pass_one, high_sp, NULL);
	choose(save_far, leaf);
	by_rbx(pass_one_elsewhere);
	EXPECT(check_first.flags & STACKDEPOT_UNWIND_FULL);
	choose(save_near, roomy_leaf);
	at_sp(pass_two, high_sp, NULL);
	EXPECT(!(check_first.flags & STACKDEPOT_UNWIND_FULL));
}

/*
 * Where a frame pointer was saved is not remembered if that is too far from the end of the frame,
 * so the frame must be walked anew: else the one in the register would be taken for it, which leads
 * to an end of the stack.
 */
static void test_saved_too_far(void)
{
	uintptr_t end[2] = {0, 0};

	other_fp = end;
	choose_places();
	choose(save_too_far, leaf);
	at_sp(pass_one, high_sp, NULL);
	at_sp(pass_two, high_sp, NULL);
	EXPECT(!(check_first.flags & STACKDEPOT_UNWIND_FULL));
	at_sp(pass_one, high_sp, NULL);
	other_fp = NULL;
	USE(end);
}

/* --- walks left by siglongjmp() --------------------------------------------------------------- */

#define TRAP_FLAG 0x100
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 97 /* it takes many times the instructions */
#else
#define STRIDE 5 /* what is wrong halfway stays so for more instructions than that */
#endif

static sigjmp_buf escape;
static struct stackdepot_unwind_trace *left_trace;
static volatile sig_atomic_t stepping, steps, step_limit;

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	if (!stepping)
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	if (!stepping || ++steps < step_limit)
		return;
	stepping = 0;
	siglongjmp(escape, 1);
}

/* A walk that is left after @step_limit instructions, if it has as many. */
static NOINLINE void leaf_left(void)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwinder *u = oracle_unwinder();
	uintptr_t buffer[64];

	steps = 0;
	stepping = 1;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
	__asm__ volatile("" : : : "memory");
	stackdepot_unwind(u, &start, buffer, 64, left_trace);
	stackdepot_unwind_done(u, left_trace);
	stepping = 0;
}

static void walk_to_be_left(void)
{
	leaf_left();
	USE(0);
}

/* False: the walk came to its end before @limit. */
static NOINLINE bool leave_between(int limit)
{
	struct stackdepot_unwind_trace trace;
	volatile bool left = true;

	choose_places();
	choose(save_near, roomy_leaf);
	at_sp(pass_one, high_sp, NULL);
	choose(save_far, walk_to_be_left);
	left_trace = &trace;
	step_limit = limit;
	if (!sigsetjmp(escape, 1)) {
		pass_one_elsewhere();
		left = false;
	}
	trace.owner = 0; /* what is not live any more may be overwritten, and has to be here */
	stackdepot_unwind_forget(oracle_unwinder()); /* the oracle was not told of that walk */
	choose(save_near, roomy_leaf);
	at_sp(pass_two, high_sp, NULL);
	EXPECT(!(check_first.flags & STACKDEPOT_UNWIND_NESTED));
	return left;
}

static void test_left_walk_between(void)
{
	struct sigaction action;
	int limit = 1;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGTRAP, &action, NULL);
	leave_between(1 << 30); /* learn the rules, so that the walk is short */
	while (leave_between(limit))
		limit += STRIDE;
	EXPECT(limit > 200);
}

int main(void)
{
	check_here(ORACLE_FRAMES);
	RUN(test_full_walk_between);
	RUN(test_saved_too_far);
	RUN(test_left_walk_between);
	return run_result();
}
