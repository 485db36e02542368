/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <ucontext.h>

#include "arch.h"

#define GREG(n) (offsetof(ucontext_t, uc_mcontext) + offsetof(mcontext_t, gregs) + (n)*8)
#define USER_CODE_SEGMENT 0x33

/* mov $15, %rax; syscall */
static const uint8_t trampoline[] = {0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05};

const struct unwind_signal_frame unwind_signal_frame = {
	.trampoline = trampoline,
	.trampoline_bytes = sizeof(trampoline),
	.context = 0,
	.mark = GREG(REG_CSGSFS),
	.mark_mask = 0xffff,
	.mark_value = USER_CODE_SEGMENT,
	.pc = GREG(REG_RIP),
	.registers = {GREG(REG_RAX), GREG(REG_RDX), GREG(REG_RCX), GREG(REG_RBX), GREG(REG_RSI),
		      GREG(REG_RDI), GREG(REG_RBP), GREG(REG_RSP), GREG(REG_R8), GREG(REG_R9),
		      GREG(REG_R10), GREG(REG_R11), GREG(REG_R12), GREG(REG_R13), GREG(REG_R14),
		      GREG(REG_R15), GREG(REG_RIP)},
};

/* call rel32; or ff /2, with a register or an address of any length */
bool unwind_arch_follows_call(uintptr_t address)
{
	const uint8_t *end = (const uint8_t *)address;
	unsigned int back;

	if (end[-5] == 0xe8)
		return true;
	for (back = 2; back <= 7; back++) {
		uint8_t mode = end[1 - (int)back];
		unsigned int bytes = 2;

		if (end[-(int)back] != 0xff || (mode >> 3 & 7) != 2)
			continue;
		if (mode >> 6 != 3 && (mode & 7) == 4)
			bytes++;
		if (mode >> 6 == 1)
			bytes += 1;
		else if (mode >> 6 == 2 || (mode >> 6 == 0 && (mode & 7) == 5))
			bytes += 4;
		if (bytes == back)
			return true;
	}
	return false;
}
