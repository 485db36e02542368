/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What differs between x86-64 and arm64: the DWARF numbers of registers, where a signal keeps
 * them, what a return address looks like, and how to enter the kernel without touching errno.
 */
#ifndef UNWIND_ARCH_H
#define UNWIND_ARCH_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__)
enum {
	ARCH_FP = 6, /* rbp */
	ARCH_SP = 7, /* rsp */
	ARCH_RA = 16,
	ARCH_REGISTERS = 17,
};
#elif defined(__aarch64__)
enum {
	ARCH_FP = 29,
	ARCH_RA = 30,
	ARCH_SP = 31,
	ARCH_REGISTERS = 32,
};
#else
#error "the unwinder knows x86-64 and arm64"
#endif

/* All registers of one frame. */
struct unwind_registers {
	uintptr_t pc;
	uintptr_t r[ARCH_REGISTERS];
	bool exact; /* pc is an interrupted instruction, not a return address */
};

struct unwind_stack;

/* A signal's frame: its context, read out of the handler's stack. False: it cannot be read. */
bool unwind_arch_load_context(struct unwind_stack *stack, uintptr_t context,
			      struct unwind_registers *ret_registers);

/*
 * Does the frame at @pc, @sp belong to the code the kernel has handlers return to? The first
 * looks at the stack alone and may say yes wrongly; the second knows.
 */
bool unwind_arch_maybe_signal(struct unwind_stack *stack, uintptr_t sp);
bool unwind_arch_is_signal(struct unwind_stack *stack, uintptr_t pc, uintptr_t sp,
			   uintptr_t *ret_context);

#if defined(__x86_64__)

static inline uintptr_t arch_strip(uintptr_t address)
{
	return address;
}

/* A word of somebody else's stack, out of sight of sanitizers: it may be anything. */
static inline uintptr_t arch_load(uintptr_t address)
{
	uintptr_t word;

	__asm__("mov %1, %0" : "=r"(word) : "m"(*(const uintptr_t *)address));
	return word;
}

static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t pointer;

	__asm__("mov %%fs:0, %0" : "=r"(pointer));
	return pointer;
}

static inline long arch_syscall(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}

/* Every register that can matter to the caller of the function this is used in. */
static inline __attribute__((always_inline)) void arch_capture(struct unwind_registers *registers)
{
	registers->exact = true;
	__asm__ volatile("mov %%rbx, %c[rbx](%[r])\n\t"
			 "mov %%rbp, %c[rbp](%[r])\n\t"
			 "mov %%rsp, %c[rsp](%[r])\n\t"
			 "mov %%r12, %c[r12](%[r])\n\t"
			 "mov %%r13, %c[r13](%[r])\n\t"
			 "mov %%r14, %c[r14](%[r])\n\t"
			 "mov %%r15, %c[r15](%[r])\n\t"
			 "lea 0(%%rip), %%rax\n\t"
			 "mov %%rax, %c[pc](%[r])\n\t"
			 :
			 : [r] "r"(registers->r), [rbx] "i"(3 * 8), [rbp] "i"(6 * 8),
			   [rsp] "i"(7 * 8), [r12] "i"(12 * 8), [r13] "i"(13 * 8),
			   [r14] "i"(14 * 8),
			   [r15] "i"(15 * 8), [pc] "i"(16 * 8)
			 : "rax", "memory");
	registers->pc = registers->r[ARCH_RA];
}

#else

/* Take the signature off a return address; does nothing to one without, or on older processors. */
static inline uintptr_t arch_strip(uintptr_t address)
{
	register uintptr_t x30 __asm__("x30") = address;

	__asm__("hint #7" : "+r"(x30)); /* xpaclri */
	return x30;
}

static inline uintptr_t arch_load(uintptr_t address)
{
	uintptr_t word;

	__asm__("ldr %0, %1" : "=r"(word) : "m"(*(const uintptr_t *)address));
	return word;
}

static inline uintptr_t arch_thread_pointer(void)
{
	uintptr_t pointer;

	__asm__("mrs %0, tpidr_el0" : "=r"(pointer));
	return pointer;
}

static inline long arch_syscall(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;

	__asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

static inline __attribute__((always_inline)) void arch_capture(struct unwind_registers *registers)
{
	registers->exact = true;
	__asm__ volatile("stp x19, x20, [%[r], #152]\n\t"
			 "stp x21, x22, [%[r], #168]\n\t"
			 "stp x23, x24, [%[r], #184]\n\t"
			 "stp x25, x26, [%[r], #200]\n\t"
			 "stp x27, x28, [%[r], #216]\n\t"
			 "stp x29, x30, [%[r], #232]\n\t"
			 "mov x9, sp\n\t"
			 "str x9, [%[r], #248]\n\t"
			 "adr x9, .\n\t"
			 "str x9, %[pc]\n\t"
			 : [pc] "=m"(registers->pc)
			 : [r] "r"(registers->r)
			 : "x9", "memory");
}

#endif
#endif
