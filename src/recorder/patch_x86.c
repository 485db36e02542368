/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * patch_x86.c - five bytes of a function give way to a jump; what stood there runs elsewhere.
 *
 *	function:  endbr64              slot:  cmpq %rsp, %fs:inside
 *	           jmp slot                    ja original
 *	           (rest of the last           movabs $patch, %r9
 *	            displaced one)             jmp *hook
 *	           ...               original: the displaced instructions, fit for their new place
 *	               <---------------------  jmp back
 *
 * A call among them would return into the slot, where no unwind table knows it: the return address
 * is pushed as it would have been, and the call becomes a jump. It is the last one displaced, as
 * it has five bytes itself.
 *
 * Nothing may jump in between the displaced instructions: the function is decoded to its end. Where
 * that fails, all that is near has been, and a jump of four bytes from farther would show as a word
 * that points there.
 */
#include <string.h>
#include <sys/syscall.h>

#include "patch.h"
#include "x86_decode.h"

#define JUMP_BYTES 5u
#define NEAR_BYTES 128u /* as far as a jump of two bytes goes */

const size_t patch_reach_bytes = 1u << 30;

/* What was compiled with -pg or the like has nops at its entry, as well as padding has. */
static bool look_is_padding(const uint8_t *at, unsigned int bytes)
{
	struct x86_instruction instruction;
	unsigned int done;

	/* What follows the function is aligned, so up to there nobody else begins. */
	if (((uintptr_t)at + bytes - 1) / 16 != ((uintptr_t)at - 1) / 16)
		return false;
	for (done = 0; done < bytes; done += instruction.bytes)
		if (!x86_decode(at + done, X86_MAX_BYTES, &instruction) || !instruction.pad)
			return false;
	return true;
}

/* Count whole instructions up to the length of a jump, padding behind a short function included. */
static bool look_displaced(struct patch *patch, size_t left)
{
	struct x86_instruction instruction;

	for (patch->displaced = 0; patch->displaced < JUMP_BYTES && patch->displaced < left;
	     patch->displaced += instruction.bytes) {
		if (!x86_decode(patch->entry + patch->displaced, left - patch->displaced,
				&instruction) ||
		    instruction.kind == X86_LOOP || instruction.kind == X86_CALL_INDIRECT)
			return false;
		if (instruction.kind == X86_END && patch->displaced + instruction.bytes < left &&
		    patch->displaced + instruction.bytes < JUMP_BYTES)
			return false;
	}
	return patch->displaced >= JUMP_BYTES ||
	       look_is_padding(patch->entry + left, JUMP_BYTES - patch->displaced);
}

static bool look_is_between(const struct patch *patch, intptr_t offset)
{
	return offset > 0 && offset < (intptr_t)patch->displaced;
}

/* Any four bytes may be the distance of a jump. */
static bool look_words_point(const struct patch *patch, size_t at, size_t left)
{
	int32_t word;

	for (; at + sizeof(word) <= left; at++) {
		memcpy(&word, patch->entry + at, sizeof(word));
		if (look_is_between(patch, (intptr_t)(at + sizeof(word)) + word))
			return true;
	}
	return false;
}

static bool look_is_jumped_into(const struct patch *patch, size_t left)
{
	struct x86_instruction instruction;
	size_t at;

	for (at = 0; at < left; at += instruction.bytes) {
		if (!x86_decode(patch->entry + at, left - at, &instruction))
			return at < NEAR_BYTES + JUMP_BYTES || look_words_point(patch, at, left);
		if (instruction.kind != X86_PLAIN && instruction.kind != X86_RIP &&
		    instruction.relative_at &&
		    look_is_between(patch, (intptr_t)at + instruction.bytes + instruction.relative))
			return true;
	}
	return false;
}

bool patch_look(struct patch *patch)
{
	struct x86_instruction first;
	size_t left = patch->bytes;

	patch->entry = patch->function;
	if (!left || !x86_decode(patch->entry, left, &first))
		return false;
	if (first.landing_pad) {
		patch->entry += first.bytes;
		left -= first.bytes;
	}
	return left && look_displaced(patch, left) && !look_is_jumped_into(patch, left);
}

/* --- the slot --------------------------------------------------------------------------------- */

static void fill_jump(struct patch_writer *writer, uintptr_t target)
{
	static const uint8_t jump[] = {0xff, 0x25, 0, 0, 0, 0}; /* jmp *(%rip) */

	patch_put(writer, jump, sizeof(jump));
	patch_put_address(writer, target);
}

static void fill_call(struct patch_writer *writer, uintptr_t target, uintptr_t back)
{
	static const uint8_t push[] = {0xff, 0x35, 14,
				       0,    0,	   0}; /* push 14(%rip): behind the jump */

	patch_put(writer, push, sizeof(push));
	fill_jump(writer, target);
	patch_put_address(writer, back);
}

static void fill_conditional(struct patch_writer *writer, uint8_t opcode, uintptr_t target)
{
	/* The opposite condition jumps over a jump: 70 + c in one byte, 80 + c after 0f. */
	const uint8_t over[] = {(uint8_t)(0x70 | ((opcode & 0xf) ^ 1)), 14};

	patch_put(writer, over, sizeof(over));
	fill_jump(writer, target);
}

/* An operand relative to the instruction, as seen from its new place. */
static void fill_rip(struct patch_writer *writer, const uint8_t *code,
		     const struct x86_instruction *instruction, uintptr_t target)
{
	uint8_t moved[X86_MAX_BYTES];
	intptr_t relative = (intptr_t)(target - (uintptr_t)writer->at - instruction->bytes);
	int32_t word = (int32_t)relative;

	writer->failed |= word != relative;
	memcpy(moved, code, instruction->bytes);
	memcpy(moved + instruction->relative_at, &word, sizeof(word));
	patch_put(writer, moved, instruction->bytes);
}

static void fill_moved(struct patch_writer *writer, const uint8_t *code,
		       const struct x86_instruction *instruction)
{
	const uintptr_t back = (uintptr_t)code + instruction->bytes;
	const uintptr_t target = back + (uintptr_t)(intptr_t)instruction->relative;

	switch (instruction->kind) {
	case X86_RIP:
		fill_rip(writer, code, instruction, target);
		break;
	case X86_JUMP:
		fill_jump(writer, target);
		break;
	case X86_CONDITIONAL:
		fill_conditional(writer, instruction->opcode, target);
		break;
	case X86_CALL:
		fill_call(writer, target, back);
		break;
	default:
		patch_put(writer, code, instruction->bytes);
	}
}

static void fill_look(struct patch_writer *writer, const uintptr_t *inside)
{
	static const uint8_t compare[] = {0x64, 0x48, 0x39, 0x24, 0x25}; /* cmpq %rsp, %fs:offset */
	static const uint8_t over[] = {0x77, 24};			 /* ja original */
	uintptr_t thread;
	intptr_t offset;

	__asm__("mov %%fs:0, %0" : "=r"(thread));
	offset = (intptr_t)((uintptr_t)inside - thread);
	writer->failed |= offset != (int32_t)offset;
	patch_put(writer, compare, sizeof(compare));
	patch_put_word(writer, (uint32_t)offset);
	patch_put(writer, over, sizeof(over));
}

/* To the hook, with the patch as its sixth argument; or on, if the thread is in an allocator. */
static void fill_choice(struct patch_writer *writer, const struct patch *patch,
			const uintptr_t *inside)
{
	static const uint8_t load[] = {0x49, 0xb9}; /* movabs $patch, %r9 */

	if (!patch->looks)
		fill_look(writer, inside);
	patch_put(writer, load, sizeof(load));
	patch_put_address(writer, (uintptr_t)patch);
	fill_jump(writer, (uintptr_t)patch->hook);
}

bool patch_fill(struct patch *patch, const uintptr_t *inside)
{
	struct patch_writer writer = {patch->slot, patch->slot + PATCH_SLOT_BYTES, false};
	struct x86_instruction instruction;
	unsigned int done;

	if (patch->row)
		fill_choice(&writer, patch, inside);
	else
		fill_jump(&writer, (uintptr_t)patch->hook);
	patch->original = writer.at;
	for (done = 0; done < patch->displaced; done += instruction.bytes) {
		if (!x86_decode(patch->entry + done, X86_MAX_BYTES, &instruction))
			return false;
		fill_moved(&writer, patch->entry + done, &instruction);
	}
	fill_jump(&writer, (uintptr_t)patch->entry + patch->displaced);
	return !writer.failed;
}

bool patch_protect(uintptr_t address, size_t bytes, int protection)
{
	register long result __asm__("rax") = SYS_mprotect;

	__asm__ volatile("syscall"
			 : "+r"(result)
			 : "D"(address), "S"(bytes), "d"((long)protection)
			 : "rcx", "r11", "memory");
	return !result;
}

size_t patch_branch(const struct patch *patch, uint8_t branch[PATCH_BRANCH_BYTES])
{
	/* In reach, as the slots are placed. */
	int32_t relative = (int32_t)(patch->slot - (patch->entry + JUMP_BYTES));

	branch[0] = 0xe9;
	memcpy(branch + 1, &relative, sizeof(relative));
	return JUMP_BYTES;
}
