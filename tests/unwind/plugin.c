/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A module whose one function is the same, address for address, whatever FRAME is; only where it
 * keeps its return address differs.
 */
#define TEXT(x) #x
#define NUMBER(x) TEXT(x)

#if defined(__x86_64__)
__asm__(".text\n"
	".p2align 4\n"
	".globl plugin_call\n"
	".type plugin_call, @function\n"
	"plugin_call:\n"
	"	.cfi_startproc\n"
	"	sub $" NUMBER(FRAME) ", %rsp\n"
	"	.cfi_adjust_cfa_offset " NUMBER(FRAME) "\n"
	"	call *%rdi\n"
	"	add $" NUMBER(FRAME) ", %rsp\n"
	"	.cfi_adjust_cfa_offset -" NUMBER(FRAME) "\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size plugin_call, . - plugin_call\n");
#else
__asm__(".text\n"
	".p2align 4\n"
	".globl plugin_call\n"
	".type plugin_call, %function\n"
	"plugin_call:\n"
	"	.cfi_startproc\n"
	"	sub sp, sp, #(" NUMBER(FRAME) " + 8)\n"
	"	.cfi_adjust_cfa_offset " NUMBER(FRAME) " + 8\n"
	"	stp x29, x30, [sp]\n"
	"	.cfi_rel_offset 29, 0\n"
	"	.cfi_rel_offset 30, 8\n"
	"	blr x0\n"
	"	ldp x29, x30, [sp]\n"
	"	.cfi_restore 29\n"
	"	.cfi_restore 30\n"
	"	add sp, sp, #(" NUMBER(FRAME) " + 8)\n"
	"	.cfi_adjust_cfa_offset -(" NUMBER(FRAME) " + 8)\n"
	"	ret\n"
	"	.cfi_endproc\n"
	".size plugin_call, . - plugin_call\n");
#endif
