# SPDX-License-Identifier: GPL-2.0-only OR MIT
	.text
	.globl	in_assembler
	.type	in_assembler, @function
in_assembler:
	.cfi_startproc
	sub	$8, %rsp
	.cfi_adjust_cfa_offset 8
	mov	$777, %edi
	call	malloc@PLT
	add	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	in_assembler, . - in_assembler
	.section .note.GNU-stack, "", @progbits
