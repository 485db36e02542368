/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* x86_decode.h - how long an x86-64 instruction is, and what in it depends on where it stands. */
#ifndef X86_DECODE_H
#define X86_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define X86_MAX_BYTES 15u

enum x86_kind {
	X86_PLAIN,
	X86_RIP,	   /* an operand is addressed relative to the next instruction */
	X86_JUMP,	   /* jmp rel */
	X86_CONDITIONAL,   /* jcc rel */
	X86_CALL,	   /* call rel */
	X86_LOOP,	   /* loop, jrcxz: rel8, and no longer form */
	X86_CALL_INDIRECT, /* call r/m: pushes where it stands */
	X86_END,	   /* ret, jmp r/m, ud2, hlt, int3: the next is not reached from here */
};

struct x86_instruction {
	enum x86_kind kind;
	uint8_t bytes;
	uint8_t opcode;
	uint8_t relative_at; /* of the displacement, in the instruction */
	int32_t relative;    /* from the end of the instruction */
	bool pad;	     /* nop, int3: what stands between functions */
	bool landing_pad;    /* endbr64 */
};

/*
 * The instruction at `code`, of which `room` bytes may be read. False if it is none that is known
 * here: the general instructions, x87, SSE and AVX are, EVEX and XOP are not, nor is anything
 * that depends on an odd prefix.
 */
bool x86_decode(const uint8_t *code, size_t room, struct x86_instruction *ret_instruction);

#endif
