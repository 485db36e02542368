/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The interpreter of call frame information, on bytes that claim to be a module: .eh_frame_hdr and
 * .eh_frame, wherever the input says they are. Whatever they hold, nothing outside is read.
 *
 * tools/fuzz runs it; unwind_cfi_seeds.py wrote most of what it begins with.
 */
#include <stdlib.h>
#include <string.h>

#include "../src/unwind/rule.h"
#include "../src/unwind/stack.h"
#include "fuzz.h"

static uintptr_t words[64]; /* what registers point to */

static void evaluate(const struct unwind_bytes *bytes, int32_t offset,
		     const struct unwind_registers *registers)
{
	struct unwind_stack stack = {(uintptr_t)words, (uintptr_t)(words + 64), NULL};
	uintptr_t value, initial = (uintptr_t)words;

	unwind_evaluate(unwind_cfi_expression(bytes, offset), registers, &stack, NULL, &value);
	unwind_evaluate(unwind_cfi_expression(bytes, offset), registers, &stack, &initial, &value);
}

static void use_row(const struct unwind_bytes *bytes, const struct unwind_row *row)
{
	struct unwind_registers registers;
	unsigned int i;

	for (i = 0; i < ARCH_REGISTERS; i++)
		registers.r[i] = (uintptr_t)&words[i];
	registers.pc = 1;
	registers.exact = false;
	if (row->cfa_is_expression)
		evaluate(bytes, row->cfa_offset, &registers);
	for (i = 0; i < ARCH_REGISTERS; i++) {
		if (row->how[i] == HOW_EXPRESSION || row->how[i] == HOW_VALUE_EXPRESSION)
			evaluate(bytes, row->value[i], &registers);
	}
	if (!(unwind_rule_of(bytes, row) & RULE_VALID))
		abort();
}

static void use_entry(const struct unwind_bytes *bytes, const struct unwind_entry *entry)
{
	uintptr_t step = (entry->pc_end - entry->pc_start) / 4 + 1, pc = entry->pc_start;
	struct unwind_row row;
	unsigned int i;

	for (i = 0; i < 5; i++, pc += step) {
		if (!unwind_cfi_row(bytes, entry, pc, &row))
			use_row(bytes, &row);
	}
}

static void walk_section(const struct unwind_bytes *bytes)
{
	const uint8_t *at = bytes->start, *next;

	for (; at; at = next) {
		struct unwind_entry entry;

		next = NULL;
		if (!unwind_cfi_parse(bytes, at, &entry, &next))
			use_entry(bytes, &entry);
		if (next && next <= at)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct unwind_bytes bytes = {.moved = 0};
	struct unwind_entry entry;
	uint8_t *copy;
	uintptr_t pc;
	unsigned int i;

	if (size < 2)
		return 0;
	/* a copy of its own, so that its ends are guarded */
	copy = malloc(size);
	memcpy(copy, data, size);
	bytes.start = copy;
	bytes.end = copy + size;
	walk_section(&bytes);
	for (i = 0; i < 8; i++) {
		pc = (uintptr_t)copy + ((uintptr_t)data[0] << i) - i * 16;
		if (!unwind_table_find(&bytes, copy + data[1] % size, pc, &entry))
			use_entry(&bytes, &entry);
		if (!unwind_table_scan(&bytes, copy, pc, &entry))
			use_entry(&bytes, &entry);
	}
	free(copy);
	return 0;
}
