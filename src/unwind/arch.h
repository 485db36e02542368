/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the unwinder asks of a processor, and where that is. This is the only place that chooses; a
 * new processor is a header and a source file like those of the others, and a line here.
 *
 * The header, arch_*.h, has
 *
 *   ARCH_FP, ARCH_RA, ARCH_SP   DWARF's numbers of frame pointer, return address, stack pointer
 *   ARCH_REGISTERS              how many registers DWARF numbers from 0 are followed
 *   arch_strip()                a return address without its signature
 *   arch_load()                 a word of memory, out of sight of sanitizers
 *   arch_thread_pointer()       where the thread's descriptor is
 *   arch_syscall()              into the kernel without touching errno
 *   arch_capture()              all registers, of the function it is used in
 *   arch_ra_offset() ...        where a frame of a simple kind, one whose rule fits a word, keeps
 *                               the return address and the caller's frame pointer
 *
 *   ARCH_RECORD_*               what the frame pointer points to in code that keeps one
 *   ARCH_CALL_BYTES             so many bytes before a return address a call may take
 *
 * and the source file says what a signal's frame looks like: struct unwind_signal_frame. All of it
 * knows nothing of the unwinder.
 */
#ifndef UNWIND_ARCH_H
#define UNWIND_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch_x86_64.h"
#elif defined(__aarch64__)
#include "arch_arm64.h"
#else
#error "no arch_*.h for this processor"
#endif

/* All registers of one frame. */
struct unwind_registers {
	uintptr_t pc;
	uintptr_t r[ARCH_REGISTERS];
	bool exact; /* pc is an interrupted instruction, not a return address */
};

/*
 * The frame that the kernel makes for a handler, whose caller is code that returns into the kernel.
 * Offsets are from the stack pointer there, but those of registers, which are from the context.
 */
struct unwind_signal_frame {
	const uint8_t *trampoline; /* that code: */
	size_t trampoline_bytes;   /* 8 at least */
	uintptr_t context;	   /* where the ucontext_t is */
	uintptr_t mark;		   /* a word of it that is always the same, */
	uintptr_t mark_mask;	   /* in these bits, */
	uintptr_t mark_value;	   /* and is this */
	uintptr_t pc;
	uint16_t registers[ARCH_REGISTERS];
};

extern const struct unwind_signal_frame unwind_signal_frame;

/* Is there a call before @address, ARCH_CALL_BYTES before which can be read? */
bool unwind_arch_follows_call(uintptr_t address);

#endif
