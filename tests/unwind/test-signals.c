/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Walks in signal handlers, wherever the signal struck. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "oracle.h"

#define NOINLINE __attribute__((noinline))
#define USE(x) __asm__ volatile("" : : "r"(x) : "memory")

static volatile sig_atomic_t handled;
static sigjmp_buf escape;
static volatile sig_atomic_t escaping;

static void handler(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	handled++;
	check_here(ORACLE_FRAMES);
	check_context(context);
	if (escaping)
		siglongjmp(escape, 1);
}

static void install(int number, int flags)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = handler;
	action.sa_flags = SA_SIGINFO | flags;
	sigaction(number, &action, NULL);
}

static void use_other_stack(bool on)
{
	static char *stack;
	stack_t other = {.ss_flags = SS_DISABLE};

	if (!stack)
		stack = mmap(NULL, 1 << 18, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
	if (on) {
		other.ss_sp = stack;
		other.ss_size = 1 << 18;
		other.ss_flags = 0;
	}
	sigaltstack(&other, NULL);
}

static NOINLINE void raise_deep(int n)
{
	if (n)
		raise_deep(n - 1);
	else
		raise(SIGUSR1);
	EXPECT(n % 5 || check_here(ORACLE_FRAMES));
	USE(n);
}

static void test_own_stack(void)
{
	int i;

	install(SIGUSR1, 0);
	for (i = 0; i < 20; i++)
		raise_deep(i % 7);
	EXPECT(handled == 20);
}

static void test_other_stack(void)
{
	int i;

	handled = 0;
	use_other_stack(true);
	install(SIGUSR1, SA_ONSTACK);
	for (i = 0; i < 20; i++)
		raise_deep(i % 7);
	EXPECT(handled == 20);
	use_other_stack(false);
}

/* The other stack as an array in a frame of the own one. */
static NOINLINE void stack_in_frame(void)
{
	char stack[1 << 16];
	stack_t other = {.ss_sp = stack, .ss_size = sizeof(stack)};

	sigaltstack(&other, NULL);
	raise_deep(4);
	raise_deep(2);
	use_other_stack(false);
}

static void test_other_stack_within(void)
{
	handled = 0;
	install(SIGUSR1, SA_ONSTACK);
	stack_in_frame();
	EXPECT(handled == 2);
}

static void test_siglongjmp(void)
{
	volatile int i;

	handled = 0;
	install(SIGUSR1, SA_NODEFER);
	escaping = 1;
	for (i = 0; i < 30; i++) {
		if (!sigsetjmp(escape, 1))
			raise_deep(i % 6);
		EXPECT(check_here(ORACLE_FRAMES));
	}
	escaping = 0;
	EXPECT(handled == 30);
}

#if defined(__x86_64__)
/*
 * Single steps: the trap flag interrupts behind each instruction, so prologues, epilogues, PLT
 * entries, the allocator, and the unwinder in the middle of a walk are all struck, everywhere.
 */
#define TRAP_FLAG 0x100

static volatile sig_atomic_t stepping, steps, step_limit, step_walks;

/*
 * The compiler's own pushfq: one in an asm statement could write into the caller's red zone. No
 * table tells of what it pushes, but the flag is not set before that is off the stack again.
 */
static inline void trap_from_here(void)
{
	stepping = 1;
	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
	__asm__ volatile("" : : : "memory");
}

/* The handler turns the flag off: with pushfq at a step, the oracle would follow the flags. */
static inline void step_off(void)
{
	stepping = 0;
}

/* Where steps came by. */
static struct {
	bool entry, prologue, epilogue, plt, malloc, walk;
} struck;

static int shapes(int n);

static void note_place(uintptr_t pc)
{
	const uint8_t *code = (const uint8_t *)pc;
	const void *function = opinion_function(pc);

	struck.entry |= pc == (uintptr_t)shapes;
	struck.prologue |= function == (const void *)shapes && pc - (uintptr_t)shapes - 1 < 12;
	struck.epilogue |= code[0] == 0xc3;
	struck.plt |= code[0] == 0xff && code[1] == 0x25; /* jmp *...(%rip) */
	struck.malloc |= function == (const void *)malloc && pc != (uintptr_t)malloc;
	struck.walk |= function == (const void *)stackdepot_unwind;
}

static void on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	if (!stepping || ++steps >= step_limit) {
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
		return;
	}
	note_place((uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
	if (step_walks)
		check_here(ORACLE_FRAMES);
	check_context(context);
}

static void step_on(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigaction(SIGTRAP, &action, NULL);
	steps = 0;
	trap_from_here();
}

static NOINLINE int shapes(int n)
{
	volatile char array[n * 16 + 16];

	array[0] = (char)n;
	if (n)
		return shapes(n - 1) + array[0];
	return atoi("12") + array[0];
}

static void step_through(void)
{
	void *volatile pointer;

	shapes(3);
	pointer = malloc(100);
	free(pointer);
	pointer = malloc(300000);
	free(pointer);
	USE(strtol("77", NULL, 10));
}

static void test_single_steps(void)
{
	step_limit = 4000;
	step_walks = 1;
	step_through(); /* bind what can be bound */
	step_on();
	step_through();
	step_off();
	EXPECT(steps > 300);
	EXPECT(struck.entry && struck.prologue && struck.epilogue && struck.plt);
#ifndef __SANITIZE_ADDRESS__ /* which brings a malloc() of its own */
	EXPECT(struck.malloc);
#endif
}

static void test_single_steps_other_stack(void)
{
	use_other_stack(true);
	memset(&struck, 0, sizeof(struck));
	test_single_steps();
	use_other_stack(false);
}

/* Interrupt a walk, and a walk's user, at each instruction, and walk there. */
static NOINLINE void walk_while_stepped(bool stepped)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	uintptr_t buffer[64], copy[64];
	struct stackdepot_unwinder *u = oracle_unwinder();

	if (stepped)
		step_on();
	stackdepot_unwind(u, &start, buffer, 64, &trace);
	memcpy(copy, trace.frames, trace.nr * sizeof(copy[0]));
	USE(copy);
	EXPECT(!memcmp(copy, trace.frames, trace.nr * sizeof(copy[0])));
	stackdepot_unwind_done(u, &trace);
	step_off();
	stackdepot_unwind_forget(u); /* the oracle was not told of this trace */
	check_here(ORACLE_FRAMES);
}

static void test_interrupted_walks(void)
{
	step_limit = 2000;
	step_walks = 1;
	walk_while_stepped(false);
	walk_while_stepped(true);
	EXPECT(steps > 50 && struck.walk);
	walk_while_stepped(true);
	check_here(ORACLE_FRAMES);
	walk_while_stepped(true);
}

/* Leave walks by siglongjmp() at each of their instructions in turn. */
static void on_step_leave(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number;
	(void)info;
	if (!stepping)
		uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
	if (!stepping || ++steps < step_limit)
		return;
	step_off();
	siglongjmp(escape, 1);
}

static NOINLINE void walk_left_at(int step)
{
	struct stackdepot_unwind_start start = stackdepot_unwind_caller();
	struct stackdepot_unwind_trace trace;
	struct sigaction action, old;
	uintptr_t buffer[64];

	step_limit = 1 << 30;
	step_on();
	step_off();
	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_step_leave;
	action.sa_flags = SA_SIGINFO | SA_NODEFER;
	sigaction(SIGTRAP, &action, &old);
	step_limit = step;
	steps = 0;
	trap_from_here();
	stackdepot_unwind(oracle_unwinder(), &start, buffer, 64, &trace);
	stackdepot_unwind_done(oracle_unwinder(), &trace);
	step_off();
}

static NOINLINE void deeper(int n, int step)
{
	if (n)
		deeper(n - 1, step);
	else
		walk_left_at(step);
	USE(n);
}

static NOINLINE void elsewhere(int n)
{
	volatile char array[100];

	array[n] = 1;
	if (n)
		elsewhere(n - 1);
	else
		check_here(ORACLE_FRAMES);
	USE(array[n]);
}

/* Wipe out the trace of a walk that was left, or the unwinder would still be taken. */
static NOINLINE void scrub(void)
{
	char array[8192];

	memset(array, 0, sizeof(array));
	USE(array);
}

/* What was kept of the walk before must not be mixed with half of the one that was left. */
static NOINLINE void leave_at(int step)
{
	elsewhere(6);
	if (!sigsetjmp(escape, 1))
		deeper(1 + step % 5, step);
	scrub();
	stackdepot_unwind_forget(oracle_unwinder());
	elsewhere(6);
}

static void test_left_walks(void)
{
	volatile int step;

	/* with all rules known, the walk is left in its last part too */
	for (step = 0; step < 5; step++)
		deeper(1 + step, 1 << 30);
	stackdepot_unwind_forget(oracle_unwinder()); /* the oracle was not told of these */
	for (step = 1; step < 900; step += 5) {
		leave_at(step);
		EXPECT(check_here(ORACLE_FRAMES));
	}
}
#endif

/*
 * A frame that nothing but its table says is a signal's: its caller was interrupted, so the address
 * to return to is that of the next instruction, and not one behind a call. What the table says of
 * the address before is wrong.
 */
void interrupted(void (*handler)(void));
#if defined(__x86_64__)
__asm__(".text\n"
	".type like_signal, @function\n"
	"like_signal:\n"
	"	.cfi_startproc\n"
	"	.cfi_signal_frame\n"
	"	sub $8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call *%rdi\n"
	"	add $8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size like_signal, . - like_signal\n"
	".globl interrupted\n"
	".type interrupted, @function\n"
	"interrupted:\n"
	"	.cfi_startproc\n"
	"	sub $40, %rsp\n"
	"	lea 1f(%rip), %rax\n"
	"	push %rax\n"
	"	.cfi_adjust_cfa_offset 16\n"
	"	jmp like_signal\n"
	"1:	.cfi_adjust_cfa_offset 24\n"
	"	add $40, %rsp\n"
	"	.cfi_adjust_cfa_offset -40\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size interrupted, . - interrupted\n");
#else
__asm__(".text\n"
	".type like_signal, %function\n"
	"like_signal:\n"
	"	.cfi_startproc\n"
	"	.cfi_signal_frame\n"
	"	stp x29, x30, [sp, #-16]!\n"
	"	.cfi_adjust_cfa_offset 16\n"
	"	.cfi_rel_offset 29, 0\n"
	"	.cfi_rel_offset 30, 8\n"
	"	blr x0\n"
	"	ldp x29, x30, [sp], #16\n"
	"	.cfi_adjust_cfa_offset -16\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size like_signal, . - like_signal\n"
	".globl interrupted\n"
	".type interrupted, %function\n"
	"interrupted:\n"
	"	.cfi_startproc\n"
	"	stp x29, x30, [sp, #-48]!\n"
	"	adr x30, 1f\n"
	"	.cfi_adjust_cfa_offset 16\n"
	"	b like_signal\n"
	"1:	.cfi_adjust_cfa_offset 32\n"
	"	.cfi_rel_offset 29, 0\n"
	"	.cfi_rel_offset 30, 8\n"
	"	ldp x29, x30, [sp], #48\n"
	"	.cfi_adjust_cfa_offset -48\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size interrupted, . - interrupted\n");
#endif

static void leaf(void)
{
	EXPECT(check_here(ORACLE_FRAMES));
	EXPECT(check_last.flags & STACKDEPOT_UNWIND_FULL);
	EXPECT(!(check_last.flags & STACKDEPOT_UNWIND_LOST));
}

static void test_signal_by_its_table(void)
{
	interrupted(leaf);
	interrupted(leaf);
}

/* A timer strikes while the stack is busy changing. */
static void on_timer(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)info;
	handled++;
	check_here(ORACLE_FRAMES);
	check_context(context);
}

static NOINLINE int churn(int n)
{
	char *pointer = malloc((size_t)n * 8 + 1);
	int result = n;

	memset(pointer, n, (size_t)n);
	if (n)
		result += churn(n - 1);
	if (n % 8 == 0)
		check_here(ORACLE_FRAMES);
	free(pointer);
	return result;
}

#if defined(__x86_64__)
#define TIMER_US 200
#define STRIKES 300
#else /* under an emulator on a busy machine nothing else would get done */
#define TIMER_US 5000
#define STRIKES 100
#endif

static void test_timer(void)
{
	struct itimerval every = {{0, TIMER_US}, {0, TIMER_US}}, off = {{0, 0}, {0, 0}};
	struct sigaction action;
	int i;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = on_timer;
	action.sa_flags = SA_SIGINFO | SA_RESTART;
	sigaction(SIGALRM, &action, NULL);
	handled = 0;
	setitimer(ITIMER_REAL, &every, NULL);
	for (i = 0; i < 100000 && handled < STRIKES; i++)
		churn(i % 40);
	setitimer(ITIMER_REAL, &off, NULL);
	EXPECT(handled >= STRIKES);
}

int main(void)
{
	check_here(ORACLE_FRAMES);
	RUN(test_own_stack);
	RUN(test_other_stack);
	RUN(test_other_stack_within);
	RUN(test_siglongjmp);
#if defined(__x86_64__)
	RUN(test_single_steps);
	RUN(test_single_steps_other_stack);
	RUN(test_interrupted_walks);
	RUN(test_left_walks);
#endif
	RUN(test_signal_by_its_table);
	RUN(test_timer);
	return run_result();
}
