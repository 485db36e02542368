/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stddef.h>
#include <ucontext.h>

#include "arch.h"
#include "stack.h"

#if defined(__x86_64__)

#define GREG(n) (offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, gregs) + (n) * 8)
#define USER_CODE_SEGMENT 0x33

/* mov $15, %rax; syscall */
#define TRAMPOLINE_FIRST UINT64_C(0x0f0000000fc0c748)
#define TRAMPOLINE_LAST UINT64_C(0x050f0000000fc0c7)

bool unwind_arch_load_context(struct unwind_stack *stack, uintptr_t context,
			      struct unwind_registers *ret_registers)
{
	static const uint8_t order[ARCH_REGISTERS] = {
		REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
		REG_R9,	 REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP,
	};
	struct unwind_registers registers;
	unsigned int i;

	for (i = 0; i < ARCH_REGISTERS; i++) {
		if (!unwind_stack_read(stack, context + GREG(order[i]), &registers.r[i]))
			return false;
	}
	registers.pc = registers.r[ARCH_RA];
	registers.exact = true;
	*ret_registers = registers;
	return true;
}

bool unwind_arch_maybe_signal(struct unwind_stack *stack, uintptr_t sp)
{
	uintptr_t segments;

	return unwind_stack_read(stack, sp + GREG(REG_CSGSFS), &segments) &&
	       (segments & 0xffff) == USER_CODE_SEGMENT;
}

bool unwind_arch_is_signal(struct unwind_stack *stack, uintptr_t pc, uintptr_t sp,
			   uintptr_t *ret_context)
{
	uintptr_t code;

	if (!unwind_stack_read(stack, pc, &code) || code != TRAMPOLINE_FIRST ||
	    !unwind_stack_read(stack, pc + 1, &code) || code != TRAMPOLINE_LAST)
		return false;
	*ret_context = sp;
	return true;
}

#else

#define CONTEXT_OFFSET 128 /* behind the siginfo_t */
#define MCONTEXT(field) (offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, field))
#define FPSIMD_MAGIC UINT32_C(0x46508001)

/* mov x8, #139; svc #0 */
#define TRAMPOLINE UINT64_C(0xd4000001d2801168)

bool unwind_arch_load_context(struct unwind_stack *stack, uintptr_t context,
			      struct unwind_registers *ret_registers)
{
	struct unwind_registers registers;
	unsigned int i;

	for (i = 0; i < ARCH_SP; i++) {
		if (!unwind_stack_read(stack, context + MCONTEXT(regs) + i * 8, &registers.r[i]))
			return false;
	}
	if (!unwind_stack_read(stack, context + MCONTEXT(sp), &registers.r[ARCH_SP]) ||
	    !unwind_stack_read(stack, context + MCONTEXT(pc), &registers.pc))
		return false;
	registers.exact = true;
	*ret_registers = registers;
	return true;
}

bool unwind_arch_maybe_signal(struct unwind_stack *stack, uintptr_t sp)
{
	uintptr_t magic;

	return unwind_stack_read(stack, sp + CONTEXT_OFFSET + MCONTEXT(__reserved), &magic) &&
	       (uint32_t)magic == FPSIMD_MAGIC;
}

bool unwind_arch_is_signal(struct unwind_stack *stack, uintptr_t pc, uintptr_t sp,
			   uintptr_t *ret_context)
{
	uintptr_t code;

	if (!unwind_stack_read(stack, pc, &code) || code != TRAMPOLINE)
		return false;
	*ret_context = sp + CONTEXT_OFFSET;
	return true;
}

#endif
