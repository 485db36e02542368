/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* arm64; what each of these is for is in arch.h. */
#ifndef UNWIND_ARCH_ARM64_H
#define UNWIND_ARCH_ARM64_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ARCH_FP = 29,
	ARCH_RA = 30,
	ARCH_SP = 31,
	ARCH_REGISTERS = 32,
	ARCH_CALL_BYTES = 4,
	ARCH_RECORD_FP = 0,
	ARCH_RECORD_RA = 8,
	ARCH_RECORD_BYTES = 16,
	ARCH_RECORD_ALIGN = 16,
	ARCH_RECORD_ENDS_FRAME = 0,
};

/* Take the signature off a return address; does nothing to one without, or on older processors. */
static inline uintptr_t arch_strip(uintptr_t address)
{
	register uintptr_t x30 __asm__("x30") = address;

	__asm__("hint #7" : "+r"(x30)); /* xpaclri */
	return x30;
}

/* A word of somebody else's stack, out of sight of sanitizers: it may be anything. */
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

/*
 * Every register that can matter to the caller of the function this is used in, by DWARF's numbers,
 * and the place itself.
 */
static inline __attribute__((always_inline)) void arch_capture(uintptr_t *registers,
							       uintptr_t *ret_pc)
{
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
			 : [pc] "=m"(*ret_pc)
			 : [r] "r"(registers)
			 : "x9", "memory");
}

/*
 * Frame pointer and return address are stored as a pair, the former below, somewhere in the frame:
 * a frame's slot is that of the return address. Distances are in words, down from the frame's end.
 */
static inline intptr_t arch_ra_offset(intptr_t stored)
{
	return stored;
}

static inline uintptr_t arch_ra_words(uintptr_t slot)
{
	return slot;
}

static inline uintptr_t arch_fp_words(uintptr_t slot, bool saved)
{
	return slot + saved;
}

/* The other way round. False: no slot says so. */
static inline bool arch_slot(uintptr_t ra_words, uintptr_t fp_words, bool saved,
			     uintptr_t *ret_slot)
{
	*ret_slot = ra_words;
	return !saved || fp_words == ra_words + 1;
}

#endif
