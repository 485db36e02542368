/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <ucontext.h>

#include "arch.h"

#define CONTEXT_OFFSET 128 /* behind the siginfo_t */
#define MCONTEXT(field) (offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, field))
#define X(n) (MCONTEXT(regs) + (n)*8)
#define FPSIMD_MAGIC UINT32_C(0x46508001)

/* mov x8, #139; svc #0 */
static const uint8_t trampoline[] = {0x68, 0x11, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4};

const struct unwind_signal_frame unwind_signal_frame = {
	.trampoline = trampoline,
	.trampoline_bytes = sizeof(trampoline),
	.context = CONTEXT_OFFSET,
	.mark = CONTEXT_OFFSET + MCONTEXT(__reserved),
	.mark_mask = UINT32_MAX,
	.mark_value = FPSIMD_MAGIC,
	.pc = MCONTEXT(pc),
	.registers = {X(0),  X(1),  X(2),  X(3),  X(4),	 X(5),	X(6),  X(7),
		      X(8),  X(9),  X(10), X(11), X(12), X(13), X(14), X(15),
		      X(16), X(17), X(18), X(19), X(20), X(21), X(22), X(23),
		      X(24), X(25), X(26), X(27), X(28), X(29), X(30), MCONTEXT(sp)},
};

/* bl; blr; blraa and the like, with a key */
bool unwind_arch_follows_call(uintptr_t address)
{
	uint32_t code = *(const uint32_t *)(address - 4);

	return (code & 0xfc000000) == 0x94000000 || (code & 0xfffffc1f) == 0xd63f0000 ||
	       (code & 0xfefff800) == 0xd63f0800;
}
