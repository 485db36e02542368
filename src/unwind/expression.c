/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <errno.h>

#include "cfi.h"
#include "stack.h"

enum {
	OP_ADDR = 0x03,
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_CONST1S,
	OP_CONST2U,
	OP_CONST2S,
	OP_CONST4U,
	OP_CONST4S,
	OP_CONST8U,
	OP_CONST8S,
	OP_CONSTU,
	OP_CONSTS,
	OP_DUP,
	OP_DROP,
	OP_OVER,
	OP_PICK,
	OP_SWAP,
	OP_ROT,
	OP_ABS = 0x19,
	OP_AND,
	OP_DIV,
	OP_MINUS,
	OP_MOD,
	OP_MUL,
	OP_NEG,
	OP_NOT,
	OP_OR,
	OP_PLUS,
	OP_PLUS_UCONST,
	OP_SHL,
	OP_SHR,
	OP_SHRA,
	OP_XOR,
	OP_BRA,
	OP_EQ,
	OP_GE,
	OP_GT,
	OP_LE,
	OP_LT,
	OP_NE,
	OP_SKIP,
	OP_LIT0 = 0x30,
	OP_REG0 = 0x50,
	OP_BREG0 = 0x70,
	OP_REGX = 0x90,
	OP_BREGX = 0x92,
	OP_DEREF_SIZE = 0x94,
	OP_NOP = 0x96,
};

#define DEPTH_MAX 16
#define STEPS_MAX 256 /* branches may loop */

struct evaluation {
	struct unwind_reader r;
	const uint8_t *start;
	const struct unwind_registers *registers;
	struct unwind_stack *stack;
	unsigned int depth;
	int err;
	uintptr_t values[DEPTH_MAX];
};

static void push(struct evaluation *e, uintptr_t value)
{
	if (e->depth == DEPTH_MAX)
		e->err = -EBADMSG;
	else
		e->values[e->depth++] = value;
}

static uintptr_t pop(struct evaluation *e)
{
	if (!e->depth) {
		e->err = -EBADMSG;
		return 0;
	}
	return e->values[--e->depth];
}

static uintptr_t pick(struct evaluation *e, unsigned int index)
{
	if (index >= e->depth) {
		e->err = -EBADMSG;
		return 0;
	}
	return e->values[e->depth - 1 - index];
}

static uintptr_t register_value(struct evaluation *e, uint64_t reg)
{
	if (reg >= ARCH_REGISTERS) {
		e->err = -EBADMSG;
		return 0;
	}
	return e->registers->r[reg];
}

static void dereference(struct evaluation *e, unsigned int size)
{
	uintptr_t value, address = pop(e);

	if (e->err)
		return;
	if (size != 1 && size != 2 && size != 4 && size != 8)
		e->err = -EBADMSG;
	else if (!unwind_stack_read(e->stack, address, &value))
		e->err = -EFAULT;
	else
		push(e, size == 8 ? value : value & (((uintptr_t)1 << size * 8) - 1));
}

static void jump(struct evaluation *e, bool taken)
{
	int16_t distance = (int16_t)read_u16(&e->r);

	if (!taken)
		return;
	if (distance < e->start - e->r.at || distance > e->r.end - e->r.at)
		e->err = -EBADMSG;
	else
		e->r.at += distance;
}

static void constant(struct evaluation *e, uint8_t op)
{
	static const uint8_t encodings[] = {0, 0, PE_U16, PE_S16, PE_U32, PE_S32, PE_U64, PE_S64,
					    PE_ULEB, PE_SLEB};

	if (op == OP_CONST1U)
		push(e, read_u8(&e->r));
	else if (op == OP_CONST1S)
		push(e, (uintptr_t)(intptr_t)(int8_t)read_u8(&e->r));
	else
		push(e, (uintptr_t)read_format(&e->r, encodings[op - OP_CONST1U]));
}

static void shuffle(struct evaluation *e, uint8_t op)
{
	uintptr_t a, b, c;

	switch (op) {
	case OP_DUP:
		push(e, pick(e, 0));
		break;
	case OP_DROP:
		pop(e);
		break;
	case OP_OVER:
		push(e, pick(e, 1));
		break;
	case OP_PICK:
		push(e, pick(e, read_u8(&e->r)));
		break;
	case OP_SWAP:
		a = pop(e);
		b = pop(e);
		push(e, a);
		push(e, b);
		break;
	default:
		a = pop(e);
		b = pop(e);
		c = pop(e);
		push(e, a);
		push(e, c);
		push(e, b);
	}
}

static void unary(struct evaluation *e, uint8_t op)
{
	intptr_t a = (intptr_t)pop(e);

	if (op == OP_ABS)
		push(e, a < 0 ? -(uintptr_t)a : (uintptr_t)a);
	else if (op == OP_NEG)
		push(e, -(uintptr_t)a);
	else if (op == OP_NOT)
		push(e, ~(uintptr_t)a);
	else
		push(e, (uintptr_t)a + (uintptr_t)read_uleb(&e->r));
}

static uintptr_t divide(struct evaluation *e, intptr_t a, intptr_t b)
{
	if (b == 0) {
		e->err = -EBADMSG;
		return 0;
	}
	return b == -1 ? -(uintptr_t)a : (uintptr_t)(a / b);
}

static uintptr_t modulo(struct evaluation *e, uintptr_t a, uintptr_t b)
{
	if (b == 0) {
		e->err = -EBADMSG;
		return 0;
	}
	return a % b;
}

static uintptr_t shift_right(intptr_t a, uintptr_t b)
{
	return (uintptr_t)(a >> (b < 63 ? b : 63));
}

static uintptr_t binary(struct evaluation *e, uint8_t op, uintptr_t a, uintptr_t b)
{
	intptr_t sa = (intptr_t)a, sb = (intptr_t)b;

	switch (op) {
	case OP_AND:
		return a & b;
	case OP_DIV:
		return divide(e, sa, sb);
	case OP_MINUS:
		return a - b;
	case OP_MOD:
		return modulo(e, a, b);
	case OP_MUL:
		return a * b;
	case OP_OR:
		return a | b;
	case OP_PLUS:
		return a + b;
	case OP_SHL:
		return b < 64 ? a << b : 0;
	case OP_SHR:
		return b < 64 ? a >> b : 0;
	case OP_SHRA:
		return shift_right(sa, b);
	case OP_XOR:
		return a ^ b;
	case OP_EQ:
		return sa == sb;
	case OP_GE:
		return sa >= sb;
	case OP_GT:
		return sa > sb;
	case OP_LE:
		return sa <= sb;
	case OP_LT:
		return sa < sb;
	default:
		return sa != sb;
	}
}

static bool is_binary(uint8_t op)
{
	switch (op) {
	case OP_ABS:
	case OP_NEG:
	case OP_NOT:
	case OP_PLUS_UCONST:
	case OP_BRA:
		return false;
	default:
		return op > OP_ABS && op <= OP_NE;
	}
}

static void step_arithmetic(struct evaluation *e, uint8_t op)
{
	if (is_binary(op)) {
		uintptr_t b = pop(e), a = pop(e);

		push(e, binary(e, op, a, b));
	} else if (op == OP_BRA) {
		jump(e, pop(e) != 0);
	} else {
		unary(e, op);
	}
}

static void step_other(struct evaluation *e, uint8_t op)
{
	uint64_t reg;

	switch (op) {
	case OP_ADDR:
		push(e, (uintptr_t)read_u64(&e->r));
		break;
	case OP_DEREF:
		dereference(e, 8);
		break;
	case OP_DEREF_SIZE:
		dereference(e, read_u8(&e->r));
		break;
	case OP_SKIP:
		jump(e, true);
		break;
	case OP_REGX:
		push(e, register_value(e, read_uleb(&e->r)));
		break;
	case OP_BREGX:
		reg = read_uleb(&e->r);
		push(e, register_value(e, reg) + (uintptr_t)read_sleb(&e->r));
		break;
	case OP_NOP:
		break;
	default:
		e->err = -EBADMSG;
	}
}

static void evaluate_step(struct evaluation *e)
{
	uint8_t op = read_u8(&e->r);

	if (op >= OP_LIT0 && op < OP_REG0)
		push(e, op - OP_LIT0);
	else if (op >= OP_REG0 && op < OP_BREG0)
		push(e, register_value(e, op - OP_REG0));
	else if (op >= OP_BREG0 && op < OP_REGX)
		push(e, register_value(e, op - OP_BREG0) + (uintptr_t)read_sleb(&e->r));
	else if (op >= OP_CONST1U && op <= OP_CONSTS)
		constant(e, op);
	else if (op >= OP_DUP && op <= OP_ROT)
		shuffle(e, op);
	else if (op >= OP_ABS && op <= OP_NE)
		step_arithmetic(e, op);
	else
		step_other(e, op);
}

int unwind_evaluate(struct unwind_reader expression, const struct unwind_registers *registers,
		    struct unwind_stack *stack, const uintptr_t *initial, uintptr_t *ret_value)
{
	struct evaluation e;
	unsigned int steps = 0;
	uintptr_t value;

	e.r = expression;
	e.start = expression.at;
	e.registers = registers;
	e.stack = stack;
	e.depth = 0;
	e.err = 0;
	if (initial)
		push(&e, *initial);
	while (e.r.at < e.r.end && !e.r.bad && !e.err) {
		if (++steps > STEPS_MAX)
			return -EBADMSG;
		evaluate_step(&e);
	}
	if (e.r.bad)
		return -EBADMSG;
	if (e.err)
		return e.err;
	value = pop(&e);
	if (e.err)
		return e.err;
	*ret_value = value;
	return 0;
}
