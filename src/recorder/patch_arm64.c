/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * patch_arm64.c - one instruction of a function gives way to a branch; it runs elsewhere.
 *
 * x16 and x17 are free at the entry of a function. A call that is displaced gets the return address
 * that it would have had. Nothing can jump in between one instruction; to the entry it may, and
 * then it comes by the slot again, so that leaves the flags alone: addresses have no top bit, and
 * that of their difference tells which is greater.
 */
#include <string.h>
#include <sys/syscall.h>

#include "patch.h"

#define X16 16u
#define X17 17u
#define SIXTH 5u /* the argument */
#define LINK 30u
#define LANDING_PAD 0xd503245fu /* bti c */

/* A branch goes 128 MiB. */
const size_t patch_reach_bytes = 100u << 20;

static uint32_t arm64_word(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

bool patch_look(struct patch *patch)
{
	uint32_t word;

	if (patch->bytes < 4)
		return false;
	patch->entry = patch->function;
	if (arm64_word(patch->entry) == LANDING_PAD && patch->bytes >= 8)
		patch->entry += 4;
	patch->displaced = 4;
	word = arm64_word(patch->entry);
	/* A vector register loaded from beside the code has no place to take the address from. */
	return (word & 0x3f000000) != 0x1c000000;
}

/* ldr register, 8 bytes on; b over them; the 8 bytes. */
static void fill_load(struct patch_writer *writer, unsigned int target, uintptr_t value)
{
	patch_put_word(writer, 0x58000040 | target);
	patch_put_word(writer, 0x14000003);
	patch_put_address(writer, value);
}

static void fill_jump(struct patch_writer *writer, uintptr_t target)
{
	fill_load(writer, X16, target);
	patch_put_word(writer, 0xd61f0000 | X16 << 5); /* br x16 */
}

static intptr_t arm64_signed(uint32_t value, unsigned int bits)
{
	return (intptr_t)((int64_t)((uint64_t)value << (64 - bits)) >> (64 - bits));
}

static void fill_address(struct patch_writer *writer, uint32_t word, uintptr_t at)
{
	intptr_t offset = arm64_signed((word >> 5 & 0x7ffff) << 2 | (word >> 29 & 3), 21);
	bool pages = word >> 31;
	uintptr_t value = pages ? (at & ~(uintptr_t)4095) + ((uintptr_t)offset << 12)
				: at + (uintptr_t)offset;

	fill_load(writer, word & 31, value);
}

/* ldr, ldrsw or prfm of what lies beside the code: opc is 0, 1, 2, 3. */
static void fill_literal(struct patch_writer *writer, uint32_t word, uintptr_t at)
{
	static const uint32_t load[] = {0xb9400000, 0xf9400000, 0xb9800000};
	uintptr_t from = at + (uintptr_t)(arm64_signed(word >> 5 & 0x7ffff, 19) * 4);

	if (word >> 30 == 3)
		return;
	fill_load(writer, X17, from);
	patch_put_word(writer, load[word >> 30] | X17 << 5 | (word & 31));
}

/* The branch, to a jump 8 bytes on: `field` is the mask of its offset, from bit 5. */
static void fill_branch(struct patch_writer *writer, uint32_t word, uint32_t field,
			uintptr_t target)
{
	patch_put_word(writer, (word & ~(field << 5)) | 2u << 5);
	patch_put_word(writer, 0x14000006); /* b: over the jump */
	fill_jump(writer, target);
}

static void fill_moved(struct patch_writer *writer, const uint8_t *code)
{
	const uint32_t word = arm64_word(code);
	const uintptr_t at = (uintptr_t)code;

	if ((word & 0x7c000000) == 0x14000000) { /* b, bl */
		if (word >> 31)
			fill_load(writer, LINK, at + 4);
		fill_jump(writer, at + (uintptr_t)(arm64_signed(word & 0x3ffffff, 26) * 4));
	} else if ((word & 0xff000000) == 0x54000000 || (word & 0x7e000000) == 0x34000000) {
		fill_branch(writer, word, 0x7ffff,
			    at + (uintptr_t)(arm64_signed(word >> 5 & 0x7ffff, 19) * 4));
	} else if ((word & 0x7e000000) == 0x36000000) { /* tbz, tbnz */
		fill_branch(writer, word, 0x3fff,
			    at + (uintptr_t)(arm64_signed(word >> 5 & 0x3fff, 14) * 4));
	} else if ((word & 0x1f000000) == 0x10000000) {
		fill_address(writer, word, at);
	} else if ((word & 0x3f000000) == 0x18000000) {
		fill_literal(writer, word, at);
	} else {
		patch_put_word(writer, word);
	}
}

static void fill_look(struct patch_writer *writer, const uintptr_t *inside)
{
	uintptr_t thread;

	__asm__("mrs %0, tpidr_el0" : "=r"(thread));
	fill_load(writer, X17, (uintptr_t)inside - thread);
	patch_put_word(writer, 0xd53bd040 | X16);      /* mrs x16, tpidr_el0 */
	patch_put_word(writer, 0xf8716a10);	       /* ldr x16, [x16, x17] */
	patch_put_word(writer, 0x910003f1);	       /* mov x17, sp */
	patch_put_word(writer, 0xcb100231);	       /* sub x17, x17, x16 */
	patch_put_word(writer, 0xb7f80011 | 10u << 5); /* tbnz x17, #63, original */
}

/* To the hook, with the patch as its sixth argument; or on, if the thread is in an allocator. */
static void fill_choice(struct patch_writer *writer, const struct patch *patch,
			const uintptr_t *inside)
{
	if (!patch->looks)
		fill_look(writer, inside);
	fill_load(writer, SIXTH, (uintptr_t)patch);
	fill_jump(writer, (uintptr_t)patch->hook);
}

bool patch_fill(struct patch *patch, const uintptr_t *inside)
{
	struct patch_writer writer = {patch->slot, patch->slot + PATCH_SLOT_BYTES, false};

	if (patch->row)
		fill_choice(&writer, patch, inside);
	else
		fill_jump(&writer, (uintptr_t)patch->hook);
	patch->original = writer.at;
	fill_moved(&writer, patch->entry);
	fill_jump(&writer, (uintptr_t)patch->entry + patch->displaced);
	return !writer.failed;
}

bool patch_protect(uintptr_t address, size_t bytes, int protection)
{
	register long number __asm__("x8") = SYS_mprotect;
	register long result __asm__("x0") = (long)address;
	register long second __asm__("x1") = (long)bytes;
	register long third __asm__("x2") = protection;

	__asm__ volatile("svc #0" : "+r"(result) : "r"(number), "r"(second), "r"(third) : "memory");
	return !result;
}

size_t patch_branch(const struct patch *patch, uint8_t branch[PATCH_BRANCH_BYTES])
{
	uint32_t word = 0x14000000 | ((uint32_t)((patch->slot - patch->entry) >> 2) & 0x3ffffff);

	memcpy(branch, &word, sizeof(word));
	return sizeof(word);
}
