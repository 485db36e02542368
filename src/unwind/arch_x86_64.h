/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* x86-64; what each of these is for is in arch.h. */
#ifndef UNWIND_ARCH_X86_64_H
#define UNWIND_ARCH_X86_64_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ARCH_FP = 6, /* rbp */
	ARCH_SP = 7, /* rsp */
	ARCH_RA = 16,
	ARCH_REGISTERS = 17,
	ARCH_CALL_BYTES = 7, /* the longest call is */
	ARCH_RECORD_FP = 0,
	ARCH_RECORD_RA = 8,
	ARCH_RECORD_BYTES = 16,
	ARCH_RECORD_ALIGN = 8,
	ARCH_RECORD_ENDS_FRAME = 1,
};

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

/*
 * Every register that can matter to the caller of the function this is used in, by DWARF's numbers,
 * and the place itself.
 */
static inline __attribute__((always_inline)) void arch_capture(uintptr_t *registers,
							       uintptr_t *ret_pc)
{
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
			 : [r] "r"(registers), [rbx] "i"(3 * 8), [rbp] "i"(6 * 8), [rsp] "i"(7 * 8),
			   [r12] "i"(12 * 8), [r13] "i"(13 * 8), [r14] "i"(14 * 8),
			   [r15] "i"(15 * 8), [pc] "i"(ARCH_RA * 8)
			 : "rax", "memory");
	*ret_pc = registers[ARCH_RA];
}

/*
 * The return address is next to the end of its frame, always, so a frame's slot is that of the
 * frame pointer. Distances are in words, down from the end.
 */
static inline intptr_t arch_ra_offset(intptr_t stored)
{
	(void)stored;
	return -8;
}

static inline uintptr_t arch_ra_words(uintptr_t slot)
{
	(void)slot;
	return 1;
}

static inline uintptr_t arch_fp_words(uintptr_t slot, bool saved)
{
	(void)saved;
	return slot;
}

/* The other way round. False: no slot says so. */
static inline bool arch_slot(uintptr_t ra_words, uintptr_t fp_words, bool saved,
			     uintptr_t *ret_slot)
{
	*ret_slot = saved ? fp_words : 1;
	return ra_words == 1;
}

#endif
