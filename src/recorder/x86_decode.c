/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * x86_decode.c - the length of an x86-64 instruction.
 *
 * After the tables of opcodes in Intel's manual, volume 2, appendix A. One letter for what follows
 * each opcode; a dot refuses it.
 *
 *	.  refused, or invalid in 64-bit mode	p  a prefix		o  the prefix 66
 *	n  nothing				R  REX
 *	m  ModRM and what it asks for		M  the same, and 8 bits	D  the same, and 16 or 32
 *	b  8 bits	w  16 bits		d  16 or 32 bits	i  16, 32 or 64	q  64 bits
 *	j  rel8		J  rel32
 *	T  ModRM, and 8 bits for test		U  ModRM, and 16 or 32 for test
 *	V  VEX		2  two bytes of opcode	8, A  three bytes of opcode
 */
#include <string.h>

#include "x86_decode.h"

static const char map_one[] = "mmmmbd..mmmmbd.2" /* 00 */
			      "mmmmbd..mmmmbd.."
			      "mmmmbdp.mmmmbdp."
			      "mmmmbdp.mmmmbdp."
			      "RRRRRRRRRRRRRRRR" /* 40 */
			      "nnnnnnnnnnnnnnnn"
			      "...mppo.dDbMnnnn"
			      "jjjjjjjjjjjjjjjj"
			      "MD.Mmmmmmmmmmmm." /* 80 */
			      "nnnnnnnnnn.nnnnn"
			      "qqqqnnnnbdnnnnnn"
			      "bbbbbbbbiiiiiiii"
			      "MMwnVVMD.n..nb.." /* c0 */
			      "mmmm...nmmmmmmmm"
			      "jjjjbbbbJJ.jnnnn"
			      "p.ppnnTUnnnnnnmm";

static const char map_two[] = "mmmm.nnnnn.n.m.." /* 0f 00 */
			      "mmmmmmmmmmmmmmmm"
			      "mmmm....mmmmmmmm"
			      "nnnnnn.n8.A....."
			      "mmmmmmmmmmmmmmmm" /* 0f 40 */
			      "mmmmmmmmmmmmmmmm"
			      "mmmmmmmmmmmmmmmm"
			      "MMMMmmmn....mmmm"
			      "JJJJJJJJJJJJJJJJ" /* 0f 80 */
			      "mmmmmmmmmmmmmmmm"
			      "nnnmMm..nnnmMmmm"
			      "mmmmmmmmmmMmmmmm"
			      "mmMmMMMmnnnnnnnn" /* 0f c0 */
			      "mmmmmmmmmmmmmmmm"
			      "mmmmmmmmmmmmmmmm"
			      "mmmmmmmmmmmmmmmm";

/* A read position; what lies beyond the room reads as 0, and is noticed at the end. */
struct cursor {
	const uint8_t *code;
	size_t room;
	size_t at;
	unsigned int map; /* 1: one byte of opcode, 2: 0f, 3: 0f 38, 4: 0f 3a */
	uint8_t modrm;
	bool wide;  /* REX.W */
	bool small; /* 66 */
	bool vex;
	bool repeated; /* f3 */
};

static uint8_t cursor_byte(struct cursor *cursor)
{
	uint8_t byte = cursor->at < cursor->room ? cursor->code[cursor->at] : 0;

	cursor->at++;
	return byte;
}

/* Letters of instructions with ModRM. */
static bool letter_has_modrm(char letter)
{
	return letter == 'm' || letter == 'M' || letter == 'D' || letter == 'T' || letter == 'U';
}

/* The letter of the instruction, its prefixes and opcode read. */
static char decode_vex(struct cursor *cursor, uint8_t *ret_opcode)
{
	unsigned int map = 1;

	/* c5 has one byte more, c4 two, the first of which names the map. */
	if (*ret_opcode == 0xc4)
		map = cursor_byte(cursor) & 0x1f;
	(void)cursor_byte(cursor);
	*ret_opcode = cursor_byte(cursor);
	cursor->vex = true;
	cursor->map = map + 1;
	if (map == 1)
		return map_two[*ret_opcode] == 'n' || letter_has_modrm(map_two[*ret_opcode])
			       ? map_two[*ret_opcode]
			       : '.';
	return map == 2 ? 'm' : map == 3 ? 'M' : '.';
}

static char decode_opcode(struct cursor *cursor, uint8_t *ret_opcode)
{
	char letter;

	do {
		*ret_opcode = cursor_byte(cursor);
		letter = map_one[*ret_opcode];
		cursor->small |= letter == 'o';
		cursor->repeated |= *ret_opcode == 0xf3;
	} while ((letter == 'p' || letter == 'o') && cursor->at < X86_MAX_BYTES);
	if (letter == 'R') {
		cursor->wide = *ret_opcode & 8;
		*ret_opcode = cursor_byte(cursor);
		letter = map_one[*ret_opcode];
		/* REX stands right before the opcode, or does not count. */
		if (letter == 'p' || letter == 'o' || letter == 'R' || letter == 'V')
			return '.';
	}
	cursor->map = 1;
	if (letter == 'V')
		return decode_vex(cursor, ret_opcode);
	if (letter != '2')
		return letter;
	*ret_opcode = cursor_byte(cursor);
	letter = map_two[*ret_opcode];
	cursor->map = 2;
	if (letter != '8' && letter != 'A')
		return letter;
	cursor->map = letter == '8' ? 3 : 4;
	*ret_opcode = cursor_byte(cursor);
	return letter == '8' ? 'm' : 'M';
}

/* ModRM, SIB and displacement. */
static void decode_modrm(struct cursor *cursor, struct x86_instruction *instruction)
{
	uint8_t modrm = cursor_byte(cursor), mode = modrm >> 6, base = modrm & 7;

	cursor->modrm = modrm;
	if (mode == 3)
		return;
	if (mode == 0 && base == 5) {
		instruction->kind = X86_RIP;
		instruction->relative_at = (uint8_t)cursor->at;
		cursor->at += 4;
		return;
	}
	if (base == 4)
		base = cursor_byte(cursor) & 7;
	if (mode == 1)
		cursor->at += 1;
	else if (mode == 2 || base == 5)
		cursor->at += 4;
}

static size_t decode_immediate(const struct cursor *cursor, char letter)
{
	/* Of `wide` and `small` together wide holds. */
	const size_t word = cursor->small && !cursor->wide ? 2 : 4;
	const bool is_test = (cursor->modrm >> 3 & 7) < 2;

	switch (letter) {
	case 'b':
	case 'M':
	case 'j':
		return 1;
	case 'w':
		return 2;
	case 'd':
	case 'D':
		return word;
	case 'i':
		return cursor->wide ? 8 : word;
	case 'q':
		return 8;
	case 'J':
		return 4;
	case 'T':
		return is_test ? 1 : 0;
	case 'U':
		return is_test ? word : 0;
	}
	return 0;
}

static enum x86_kind decode_kind(const struct cursor *cursor, char letter, uint8_t opcode,
				 enum x86_kind kind)
{
	const unsigned int operation = cursor->modrm >> 3 & 7;

	if (letter == 'j')
		return opcode == 0xeb ? X86_JUMP : opcode >= 0xe0 ? X86_LOOP : X86_CONDITIONAL;
	if (letter == 'J')
		return cursor->map == 2 ? X86_CONDITIONAL : opcode == 0xe8 ? X86_CALL : X86_JUMP;
	if (cursor->map == 2)
		return opcode == 0x0b && !cursor->vex ? X86_END : kind;
	if (cursor->map != 1)
		return kind;
	if (opcode == 0xff && (operation == 2 || operation == 3))
		return X86_CALL_INDIRECT;
	if (opcode == 0xff && (operation == 4 || operation == 5))
		return kind == X86_RIP ? X86_RIP : X86_END;
	return opcode == 0xc2 || opcode == 0xc3 || opcode == 0xcc || opcode == 0xf4 ? X86_END
										    : kind;
}

static void decode_relative(const struct cursor *cursor, char letter,
			    struct x86_instruction *instruction)
{
	int8_t near;

	if (letter == 'j') {
		instruction->relative_at = (uint8_t)(cursor->at - 1);
		memcpy(&near, cursor->code + cursor->at - 1, sizeof(near));
		instruction->relative = near;
		return;
	}
	if (letter == 'J')
		instruction->relative_at = (uint8_t)(cursor->at - 4);
	if (instruction->relative_at)
		memcpy(&instruction->relative, cursor->code + instruction->relative_at,
		       sizeof(instruction->relative));
}

static bool decode_is_pad(const struct cursor *cursor, uint8_t opcode)
{
	if (cursor->map == 2)
		return opcode == 0x1f;
	return cursor->map == 1 && (opcode == 0x90 || opcode == 0xcc) && !cursor->repeated;
}

bool x86_decode(const uint8_t *code, size_t room, struct x86_instruction *ret_instruction)
{
	struct cursor cursor = {.code = code, .room = room < X86_MAX_BYTES ? room : X86_MAX_BYTES};
	struct x86_instruction instruction = {.kind = X86_PLAIN};
	char letter = decode_opcode(&cursor, &instruction.opcode);

	/* What 66 makes of a branch differs between makers. */
	if (letter == '.' || (cursor.small && !cursor.wide && (letter == 'j' || letter == 'J')))
		return false;
	if (letter_has_modrm(letter))
		decode_modrm(&cursor, &instruction);
	cursor.at += decode_immediate(&cursor, letter);
	if (cursor.at > cursor.room)
		return false;
	instruction.bytes = (uint8_t)cursor.at;
	instruction.kind = decode_kind(&cursor, letter, instruction.opcode, instruction.kind);
	instruction.pad = decode_is_pad(&cursor, instruction.opcode);
	instruction.landing_pad = cursor.map == 2 && instruction.opcode == 0x1e &&
				  cursor.repeated && cursor.modrm == 0xfa;
	decode_relative(&cursor, letter, &instruction);
	*ret_instruction = instruction;
	return true;
}
