/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * entry_arm64.S - where the kernel enters instead of a handler of the program's; see handler.c.
 *
 * The kernel passes number, information and context in x0, x1 and x2; x30 is the address of
 * rt_sigreturn. All other registers are free, since that restores them.
 */
#include <sys/syscall.h>

	.text

/* Keep the arguments, the stack pointer and the return address where a call leaves them. */
	.macro enter
	.cfi_startproc
	hint	#34 /* bti c */
	mov	x19, x0
	mov	x20, x1
	mov	x21, x2
	mov	x22, x30
	mov	x23, sp
	.cfi_def_cfa x23, 0
	.cfi_register x30, x22
	.endm

	.macro global name
	.globl	\name
	.hidden	\name
	.type	\name, %function
	.balign	16
\name:
	.endm

/* Stack, mask and flags are the program's already: branch, as if the kernel had entered there. */
	global	handler_enter_direct
	enter
	bl	handler_direct
	mov	x16, x0
	mov	x0, x19
	mov	x1, x20
	mov	x2, x21
	mov	x30, x22
	cbz	x16, 1f
	br	x16
1:	ret
	.cfi_endproc
	.size	handler_enter_direct, . - handler_enter_direct

/*
 * Mask and flags are the program's, and maybe the stack is not: handler_moved() returns in x1 the
 * context that it moved to where the program's handler would have had it, with the frame record.
 */
	global	handler_enter_moved
	enter
	mov	x24, x29
	bl	handler_moved
	mov	x16, x0
	mov	x30, x22
	mov	x29, x24
	cbz	x16, 2f
	cmp	x1, x21
	b.eq	1f
	sub	x9, x1, x21
	add	x29, x24, x9
	mov	x2, x1
	sub	x1, x1, #128 /* before the context */
	mov	x0, x19
	mov	sp, x1
	br	x16
1:	mov	x0, x19
	mov	x1, x20
	mov	x2, x21
	br	x16
2:	ret
	.cfi_endproc
	.size	handler_enter_moved, . - handler_enter_moved

/* There is none: the signal is the end. */
	global	handler_enter_default
	enter
	bl	handler_default
	mov	x30, x22
	ret
	.cfi_endproc
	.size	handler_enter_default, . - handler_enter_default

/* handler_call_on(top, function, number, info, context): on the stack that ends at `top`. */
	global	handler_call_on
	.cfi_startproc
	stp	x29, x30, [sp, #-16]!
	.cfi_def_cfa_offset 16
	.cfi_offset x29, -16
	.cfi_offset x30, -8
	mov	x29, sp
	.cfi_def_cfa_register x29
	and	x9, x0, #-16
	mov	sp, x9
	mov	x9, x1
	mov	w0, w2
	mov	x1, x3
	mov	x2, x4
	blr	x9
	mov	sp, x29
	ldp	x29, x30, [sp], #16
	.cfi_restore x29
	.cfi_restore x30
	.cfi_def_cfa sp, 0
	ret
	.cfi_endproc
	.size	handler_call_on, . - handler_call_on

/*
 * syscall(), as the C library has it: some come back twice, with another stack, or not at all, so
 * no frame of ours may be below them. Those that concern us are done in C, the others where they
 * would have been without us (direct.c).
 */
	.globl	syscall
	.type	syscall, %function
	.balign	16
syscall:
	.cfi_startproc
	hint	#34
	cmp	w0, #__NR_rt_sigaction
	b.eq	raw_sigaction
	cmp	w0, #__NR_sigaltstack
	b.eq	raw_sigaltstack
	cmp	w0, #__NR_seccomp
	b.eq	raw_seccomp
	cmp	w0, #__NR_prctl
	b.eq	raw_prctl
	cmp	w0, #__NR_execve
	b.eq	raw_execve
	cmp	w0, #__NR_execveat
	b.eq	raw_execveat
	adrp	x16, direct_next
	ldr	x16, [x16, :lo12:direct_next]
	b	0f
	.globl	raw_call
	.hidden	raw_call
raw_call:
	adrp	x16, direct_libc
	ldr	x16, [x16, :lo12:direct_libc]
0:	cbz	x16, 2f
	br	x16
2:	mov	x8, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, x5
	mov	x5, x6
	svc	#0
	cmn	x0, #4095
	b.cs	raw_failed
	ret
	.cfi_endproc
	.size	syscall, . - syscall

	.section .note.GNU-stack, "", %progbits
