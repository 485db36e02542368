/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <errno.h>

#include "cfi.h"

enum {
	CFA_ADVANCE = 1, /* the first three carry an operand in their low six bits */
	CFA_OFFSET = 2,
	CFA_RESTORE = 3,

	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE1 = 0x02,
	CFA_ADVANCE2 = 0x03,
	CFA_ADVANCE4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER = 0x0a,
	CFA_RECALL = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_NEGATE_RA_STATE = 0x2d, /* arm64: all return addresses are stripped anyway */
	CFA_ARGS_SIZE = 0x2e,
	CFA_OFFSET_NEGATIVE = 0x2f,
};

#define REMEMBERED_MAX 6 /* gcc and clang nest one deep; each costs its size of stack */

/* The run of one program. */
struct machine {
	struct unwind_reader r;
	const struct unwind_bytes *bytes;
	const struct unwind_entry *entry;
	struct unwind_row *row;
	const struct unwind_row *initial; /* what restore goes back to; NULL in the CIE */
	uintptr_t location;
	unsigned int remembered;
	struct unwind_row memory[REMEMBERED_MAX];
};

/* The length field both kinds of entry begin with; 0 at the end of the section. */
static bool read_extent(const struct unwind_bytes *bytes, const uint8_t *at,
			struct unwind_reader *ret_reader)
{
	struct unwind_reader r = {at, bytes->end, !bytes_contain(bytes, at, 4), bytes->moved};
	uint64_t length;

	if (r.bad)
		return false;
	length = read_u32(&r);
	if (length == 0xffffffff)
		length = read_u64(&r);
	if (r.bad || !length || length > (uint64_t)(r.end - r.at))
		return false;
	r.end = r.at + length;
	*ret_reader = r;
	return true;
}

/* "zPLR" and the like: skip what concerns exceptions, keep the encoding of pointers. */
static void read_augmentation(struct unwind_reader *r, const uint8_t *letters,
			      struct unwind_entry *entry)
{
	const uint8_t *end = r->at;

	entry->augmented = *letters == 'z';
	if (entry->augmented) {
		uint64_t size = read_uleb(r);
		struct unwind_reader rest = *r;

		read_skip(&rest, size);
		r->bad |= rest.bad;
		end = rest.at;
		letters++;
	}
	for (; *letters && !r->bad; letters++) {
		uint8_t encoding;

		switch (*letters) {
		case 'R':
			entry->pointer_encoding = read_u8(r);
			break;
		case 'L':
			read_u8(r);
			break;
		case 'P':
			encoding = read_u8(r);
			read_pointer(r, encoding & (PE_FORMAT | PE_PC_RELATIVE), NULL);
			break;
		case 'S':
			entry->is_signal = true;
			break;
		case 'B': /* arm64: signed with key B */
		case 'G': /* arm64: memory tagging */
			break;
		default: /* unknown, but its size is not, if there is a 'z' */
			r->bad |= !entry->augmented;
			letters += strlen((const char *)letters) - 1;
		}
	}
	if (entry->augmented && !r->bad)
		r->at = end;
}

static bool parse_common(const struct unwind_bytes *bytes, const uint8_t *at,
			 struct unwind_entry *entry)
{
	struct unwind_reader r;
	const uint8_t *letters;
	uint8_t version;

	if (!read_extent(bytes, at, &r) || read_u32(&r) != 0)
		return false;
	version = read_u8(&r);
	if (version != 1 && version != 3 && version != 4)
		return false;
	letters = r.at;
	while (read_u8(&r))
		;
	if (r.bad)
		return false;
	if (version == 4) {
		if (read_u8(&r) != sizeof(uintptr_t) || read_u8(&r) != 0)
			return false;
	}
	entry->code_align = read_uleb(&r);
	entry->data_align = read_sleb(&r);
	entry->ra_column = version == 1 ? read_u8(&r) : read_uleb(&r);
	read_augmentation(&r, letters, entry);
	entry->initial = r.at;
	entry->initial_end = r.end;
	return !r.bad && entry->ra_column == ARCH_RA;
}

int unwind_cfi_parse(const struct unwind_bytes *bytes, const uint8_t *at,
		     struct unwind_entry *ret_entry, const uint8_t **ret_next)
{
	struct unwind_entry entry = {.pointer_encoding = PE_ABSOLUTE};
	struct unwind_reader r;
	const uint8_t *anchor;
	uint32_t distance;

	if (!read_extent(bytes, at, &r))
		return -EBADMSG;
	if (ret_next)
		*ret_next = r.end;
	anchor = r.at;
	distance = read_u32(&r);
	if (!distance)
		return -ENOENT;
	if (r.bad || distance > (size_t)(anchor - bytes->start) ||
	    !parse_common(bytes, anchor - distance, &entry))
		return -EBADMSG;
	if (entry.pointer_encoding & PE_INDIRECT)
		return -EBADMSG;
	entry.pc_start = read_pointer(&r, entry.pointer_encoding, NULL);
	entry.pc_end = entry.pc_start + (uintptr_t)read_format(&r, entry.pointer_encoding);
	if (entry.augmented)
		read_skip(&r, read_uleb(&r));
	if (r.bad || entry.pc_end < entry.pc_start)
		return -EBADMSG;
	entry.program = r.at;
	entry.program_end = r.end;
	*ret_entry = entry;
	return 0;
}

static int32_t machine_narrow(struct machine *m, int64_t value)
{
	if (value != (int32_t)value)
		m->r.bad = true;
	return (int32_t)value;
}

/* Offsets are written divided by the data alignment. */
static int32_t machine_factored(struct machine *m, int64_t value)
{
	int64_t product;

	if (__builtin_mul_overflow(value, m->entry->data_align, &product))
		m->r.bad = true;
	return machine_narrow(m, product);
}

/* Registers nobody needs, vectors for one, are read over. */
static void machine_set(struct machine *m, uint64_t reg, enum unwind_how how, int32_t value)
{
	if (reg >= ARCH_REGISTERS)
		return;
	m->row->how[reg] = (uint8_t)how;
	m->row->value[reg] = value;
}

static void machine_restore(struct machine *m, uint64_t reg)
{
	if (!m->initial)
		m->r.bad = true;
	else if (reg < ARCH_REGISTERS)
		machine_set(m, reg, m->initial->how[reg], m->initial->value[reg]);
}

static void machine_set_cfa(struct machine *m, uint64_t reg, int32_t offset)
{
	if (reg >= ARCH_REGISTERS)
		m->r.bad = true;
	m->row->cfa_is_expression = false;
	m->row->cfa_register = (uint8_t)reg;
	m->row->cfa_offset = offset;
}

static int32_t machine_expression(struct machine *m)
{
	int32_t offset = machine_narrow(m, m->r.at - m->bytes->start);

	read_skip(&m->r, read_uleb(&m->r));
	return offset;
}

/* Operands are read into variables first: the order of evaluation of arguments is not defined. */
static void machine_define_cfa(struct machine *m, uint8_t op)
{
	uint64_t reg;

	/* the others change one half of a register and an offset */
	if (m->row->cfa_is_expression && op != CFA_DEF_CFA && op != CFA_DEF_CFA_SF &&
	    op != CFA_DEF_CFA_EXPRESSION) {
		m->r.bad = true;
		return;
	}
	switch (op) {
	case CFA_DEF_CFA:
		reg = read_uleb(&m->r);
		machine_set_cfa(m, reg, machine_narrow(m, (int64_t)read_uleb(&m->r)));
		break;
	case CFA_DEF_CFA_SF:
		reg = read_uleb(&m->r);
		machine_set_cfa(m, reg, machine_factored(m, read_sleb(&m->r)));
		break;
	case CFA_DEF_CFA_REGISTER:
		machine_set_cfa(m, read_uleb(&m->r), m->row->cfa_offset);
		break;
	case CFA_DEF_CFA_OFFSET:
		m->row->cfa_offset = machine_narrow(m, (int64_t)read_uleb(&m->r));
		break;
	case CFA_DEF_CFA_OFFSET_SF:
		m->row->cfa_offset = machine_factored(m, read_sleb(&m->r));
		break;
	default:
		m->row->cfa_is_expression = true;
		m->row->cfa_offset = machine_expression(m);
	}
}

static void machine_define_register(struct machine *m, uint8_t op)
{
	uint64_t reg = read_uleb(&m->r);

	switch (op) {
	case CFA_OFFSET_EXTENDED:
		machine_set(m, reg, HOW_OFFSET, machine_factored(m, (int64_t)read_uleb(&m->r)));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		machine_set(m, reg, HOW_OFFSET, machine_factored(m, read_sleb(&m->r)));
		break;
	case CFA_OFFSET_NEGATIVE:
		machine_set(m, reg, HOW_OFFSET, machine_factored(m, -(int64_t)read_uleb(&m->r)));
		break;
	case CFA_VAL_OFFSET:
		machine_set(m, reg, HOW_VALUE_OFFSET,
			    machine_factored(m, (int64_t)read_uleb(&m->r)));
		break;
	case CFA_VAL_OFFSET_SF:
		machine_set(m, reg, HOW_VALUE_OFFSET, machine_factored(m, read_sleb(&m->r)));
		break;
	case CFA_REGISTER:
		machine_set(m, reg, HOW_REGISTER, machine_narrow(m, (int64_t)read_uleb(&m->r)));
		break;
	case CFA_EXPRESSION:
		machine_set(m, reg, HOW_EXPRESSION, machine_expression(m));
		break;
	case CFA_VAL_EXPRESSION:
		machine_set(m, reg, HOW_VALUE_EXPRESSION, machine_expression(m));
		break;
	case CFA_RESTORE_EXTENDED:
		machine_restore(m, reg);
		break;
	case CFA_UNDEFINED:
		machine_set(m, reg, HOW_UNDEFINED, 0);
		break;
	default:
		machine_set(m, reg, HOW_SAME, 0);
	}
}

static void machine_remember(struct machine *m)
{
	if (m->remembered == REMEMBERED_MAX)
		m->r.bad = true;
	else
		m->memory[m->remembered++] = *m->row;
}

static void machine_recall(struct machine *m)
{
	if (!m->remembered)
		m->r.bad = true;
	else
		*m->row = m->memory[--m->remembered];
}

static void machine_advance(struct machine *m, uint64_t delta)
{
	m->location += delta * m->entry->code_align;
}

static void machine_extended(struct machine *m, uint8_t op)
{
	switch (op) {
	case CFA_NOP:
	case CFA_NEGATE_RA_STATE:
		break;
	case CFA_SET_LOC:
		m->location = read_pointer(&m->r, m->entry->pointer_encoding, NULL);
		break;
	case CFA_ADVANCE1:
		machine_advance(m, read_u8(&m->r));
		break;
	case CFA_ADVANCE2:
		machine_advance(m, read_u16(&m->r));
		break;
	case CFA_ADVANCE4:
		machine_advance(m, read_u32(&m->r));
		break;
	case CFA_REMEMBER:
		machine_remember(m);
		break;
	case CFA_RECALL:
		machine_recall(m);
		break;
	case CFA_ARGS_SIZE:
		read_uleb(&m->r);
		break;
	case CFA_DEF_CFA:
	case CFA_DEF_CFA_SF:
	case CFA_DEF_CFA_REGISTER:
	case CFA_DEF_CFA_OFFSET:
	case CFA_DEF_CFA_OFFSET_SF:
	case CFA_DEF_CFA_EXPRESSION:
		machine_define_cfa(m, op);
		break;
	case CFA_OFFSET_EXTENDED:
	case CFA_OFFSET_EXTENDED_SF:
	case CFA_OFFSET_NEGATIVE:
	case CFA_VAL_OFFSET:
	case CFA_VAL_OFFSET_SF:
	case CFA_REGISTER:
	case CFA_EXPRESSION:
	case CFA_VAL_EXPRESSION:
	case CFA_RESTORE_EXTENDED:
	case CFA_UNDEFINED:
	case CFA_SAME_VALUE:
		machine_define_register(m, op);
		break;
	default:
		m->r.bad = true;
	}
}

/* Run to the end, or to the first row that begins behind @pc. */
static void machine_operation(struct machine *m)
{
	const uint8_t op = read_u8(&m->r), operand = op & 0x3f;

	switch (op >> 6) {
	case CFA_ADVANCE:
		machine_advance(m, operand);
		break;
	case CFA_OFFSET:
		machine_set(m, operand, HOW_OFFSET, machine_factored(m, (int64_t)read_uleb(&m->r)));
		break;
	case CFA_RESTORE:
		machine_restore(m, operand);
		break;
	default:
		machine_extended(m, op);
	}
}

/*
 * What most operations are, where a function pushes and pops, up to the first that is another:
 * large functions have hundreds. Each takes two bytes at most.
 */
static void machine_run_plain(struct machine *m, uintptr_t pc)
{
	const uint8_t *at = m->r.at, *const end = m->r.end - 1;
	const bool by_offset = !m->row->cfa_is_expression;
	uintptr_t location = m->location;

	while (at < end && location <= pc) {
		if (at[0] >> 6 == CFA_ADVANCE)
			location += (at++[0] & 0x3f) * m->entry->code_align;
		else if (at[0] == CFA_DEF_CFA_OFFSET && at[1] < 0x80 && by_offset)
			m->row->cfa_offset = at[1], at += 2;
		else if (at[0] == CFA_ADVANCE1)
			location += at[1] * m->entry->code_align, at += 2;
		else
			break;
	}
	m->r.at = at;
	m->location = location;
}

static bool machine_run(struct machine *m, uintptr_t pc)
{
	while (m->r.at < m->r.end && !m->r.bad && m->location <= pc) {
		machine_operation(m);
		machine_run_plain(m, pc);
	}
	return !m->r.bad;
}

int unwind_cfi_row(const struct unwind_bytes *bytes, const struct unwind_entry *entry, uintptr_t pc,
		   struct unwind_row *ret_row)
{
	struct unwind_row row, initial;
	struct machine m;

	memset(&row, 0, sizeof(row));
	row.cfa_register = ARCH_REGISTERS; /* none yet */
	m.r = (struct unwind_reader){entry->initial, entry->initial_end, false, bytes->moved};
	m.bytes = bytes;
	m.entry = entry;
	m.row = &row;
	m.initial = NULL;
	m.location = pc;
	m.remembered = 0;
	if (!machine_run(&m, pc))
		return -EBADMSG;
	initial = row;
	m.r = (struct unwind_reader){entry->program, entry->program_end, false, bytes->moved};
	m.initial = &initial;
	m.location = entry->pc_start;
	if (!machine_run(&m, pc))
		return -EBADMSG;
	if (!row.cfa_is_expression && row.cfa_register >= ARCH_REGISTERS)
		return -EBADMSG;
	*ret_row = row;
	return 0;
}

struct unwind_reader unwind_cfi_expression(const struct unwind_bytes *bytes, int32_t offset)
{
	struct unwind_reader r = {bytes->start + (uint32_t)offset, bytes->end, false, bytes->moved};
	uint64_t size = read_uleb(&r);
	struct unwind_reader body = r;

	read_skip(&r, size);
	body.end = r.at;
	body.bad = r.bad;
	return body;
}
