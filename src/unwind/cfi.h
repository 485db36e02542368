/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Call frame information: .eh_frame's entries and the little programs in them. Nothing here trusts
 * its input, allocates, or keeps state; a table that makes no sense gives -EBADMSG.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include "arch.h"
#include "bytes.h"

struct unwind_stack;

/* One entry (FDE) with what its common part (CIE) says. */
struct unwind_entry {
	uintptr_t pc_start;
	uintptr_t pc_end;
	const uint8_t *initial;
	const uint8_t *initial_end;
	const uint8_t *program;
	const uint8_t *program_end;
	uint64_t code_align;
	int64_t data_align;
	uint64_t ra_column;
	uint8_t pointer_encoding;
	bool augmented;
	bool is_signal;
};

enum unwind_how {
	HOW_SAME, /* nothing said: for a caller-saved register it is as good as anything */
	HOW_UNDEFINED,
	HOW_OFFSET, /* at cfa + value */
	HOW_VALUE_OFFSET, /* is cfa + value */
	HOW_REGISTER, /* in register value */
	HOW_EXPRESSION, /* at the address of the expression */
	HOW_VALUE_EXPRESSION, /* is the value of the expression */
};

/* The state of a frame at one address: how to find the caller's registers. */
struct unwind_row {
	bool cfa_is_expression;
	uint8_t cfa_register;
	uint8_t how[ARCH_REGISTERS];
	int32_t value[ARCH_REGISTERS]; /* of expressions: their distance from the bytes' start */
	int32_t cfa_offset; /* likewise */
};

/**
 * unwind_cfi_parse() - read the entry at @at.
 *
 * Return: 0, -ENOENT (a CIE, or the end of the section), -EBADMSG. @ret_next, if not NULL, is
 * where the next entry begins, but for the end of the section.
 */
int unwind_cfi_parse(const struct unwind_bytes *bytes, const uint8_t *at,
		     struct unwind_entry *ret_entry, const uint8_t **ret_next);

/* unwind_cfi_row() - run the programs of @entry up to @pc. 0 or -EBADMSG. */
int unwind_cfi_row(const struct unwind_bytes *bytes, const struct unwind_entry *entry, uintptr_t pc,
		   struct unwind_row *ret_row);

/* unwind_cfi_expression() - a reader on the expression at @offset, without its length. */
struct unwind_reader unwind_cfi_expression(const struct unwind_bytes *bytes, int32_t offset);

/**
 * unwind_table_find() - the entry for @pc by the sorted table in .eh_frame_hdr.
 * @header: .eh_frame_hdr, within @bytes.
 *
 * Return: 0, -ENOENT (no entry covers @pc), -EBADMSG.
 */
int unwind_table_find(const struct unwind_bytes *bytes, const uint8_t *header, uintptr_t pc,
		      struct unwind_entry *ret_entry);

/* unwind_table_scan() - the entry for @pc by reading the section at @at from its start. */
int unwind_table_scan(const struct unwind_bytes *bytes, const uint8_t *at, uintptr_t pc,
		      struct unwind_entry *ret_entry);

/**
 * unwind_evaluate() - compute a DWARF expression.
 * @stack:   the memory it may read.
 * @initial: what its stack begins with, if @has_initial.
 *
 * Return: 0, -EFAULT (memory that cannot be read), -EBADMSG.
 */
int unwind_evaluate(struct unwind_reader expression, const struct unwind_registers *registers,
		    struct unwind_stack *stack, const uintptr_t *initial, uintptr_t *ret_value);

#endif
