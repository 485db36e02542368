/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * entry_x86.S - where the kernel enters instead of a handler of the program's; see handler.c.
 *
 * The kernel passes number, information and context in rdi, rsi and rdx; the return address is
 * that of rt_sigreturn. All other registers are free, since that restores them.
 */
#include <sys/syscall.h>

	.text

/* Keep the arguments and the stack pointer where a call leaves them, and align the stack. */
	.macro enter
	.cfi_startproc
	endbr64
	mov	%rdi, %r12
	mov	%rsi, %r13
	mov	%rdx, %r14
	mov	%rsp, %rbx
	.cfi_def_cfa rbx, 8
	and	$-16, %rsp
	.endm

	.macro global name
	.globl	\name
	.hidden	\name
	.type	\name, @function
	.balign	16
\name:
	.endm

/* Stack, mask and flags are the program's already: jump, as if the kernel had entered there. */
	global	handler_enter_direct
	enter
	call	handler_direct
	mov	%rbx, %rsp
	.cfi_def_cfa rsp, 8
	mov	%r12, %rdi
	mov	%r13, %rsi
	mov	%r14, %rdx
	mov	%rax, %r11
	test	%rax, %rax
	jz	1f
	xor	%eax, %eax
	jmp	*%r11
1:	ret
	.cfi_endproc
	.size	handler_enter_direct, . - handler_enter_direct

/*
 * Mask and flags are the program's, and maybe the stack is not: handler_moved() returns in rdx the
 * context that it moved to where the program's handler would have had it.
 */
	global	handler_enter_moved
	enter
	call	handler_moved
	mov	%r12, %rdi
	mov	%rax, %r11
	test	%rax, %rax
	jz	2f
	cmp	%rdx, %r14
	jne	1f
	mov	%rbx, %rsp
	mov	%r13, %rsi
	xor	%eax, %eax
	jmp	*%r11
1:	lea	-8(%rdx), %rsp
	lea	304(%rdx), %rsi /* behind the context, FRAME_CONTEXT_BYTES */
	xor	%eax, %eax
	jmp	*%r11
2:	mov	%rbx, %rsp
	ret
	.cfi_endproc
	.size	handler_enter_moved, . - handler_enter_moved

/* There is none: the signal is the end. */
	global	handler_enter_default
	enter
	call	handler_default
	mov	%rbx, %rsp
	ret
	.cfi_endproc
	.size	handler_enter_default, . - handler_enter_default

/* handler_call_on(top, function, number, info, context): on the stack that ends at `top`. */
	global	handler_call_on
	.cfi_startproc
	push	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	mov	%rsp, %rbp
	.cfi_def_cfa_register rbp
	mov	%rdi, %rsp
	mov	%rsi, %rax
	mov	%edx, %edi
	mov	%rcx, %rsi
	mov	%r8, %rdx
	and	$-16, %rsp
	call	*%rax
	mov	%rbp, %rsp
	pop	%rbp
	.cfi_def_cfa rsp, 8
	ret
	.cfi_endproc
	.size	handler_call_on, . - handler_call_on

/* What follows the handler: unwinders know these instructions. */
	.balign	16
	nop
	global	handler_restore
	mov	$__NR_rt_sigreturn, %rax
	syscall
	.size	handler_restore, . - handler_restore

/*
 * syscall(), as the C library has it: some come back twice, with another stack, or not at all, so
 * no frame of ours may be below them. Those that concern us are done in C, the others where they
 * would have been without us (direct.c).
 */
	.globl	syscall
	.type	syscall, @function
	.balign	16
syscall:
	.cfi_startproc
	endbr64
	cmp	$__NR_rt_sigaction, %edi
	je	raw_sigaction
	cmp	$__NR_sigaltstack, %edi
	je	raw_sigaltstack
	cmp	$__NR_seccomp, %edi
	je	raw_seccomp
	cmp	$__NR_prctl, %edi
	je	raw_prctl
	cmp	$__NR_execve, %edi
	je	raw_execve
	cmp	$__NR_execveat, %edi
	je	raw_execveat
	mov	direct_next(%rip), %rax
	jmp	0f
	.globl	raw_call
	.hidden	raw_call
raw_call:
	mov	direct_libc(%rip), %rax
0:	test	%rax, %rax
	jz	2f
	jmp	*%rax
2:	mov	%rdi, %rax
	mov	%rsi, %rdi
	mov	%rdx, %rsi
	mov	%rcx, %rdx
	mov	%r8, %r10
	mov	%r9, %r8
	mov	8(%rsp), %r9
	syscall
	cmp	$-4095, %rax
	jae	1f
	ret
1:	mov	%rax, %rdi
	jmp	raw_failed
	.cfi_endproc
	.size	syscall, . - syscall

	.section .note.GNU-stack, "", @progbits
