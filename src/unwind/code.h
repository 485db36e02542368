/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Where code is: what a word on the stack must point to for being taken for a return address where
 * no table says that it is one.
 */
#ifndef UNWIND_CODE_H
#define UNWIND_CODE_H

#include <stdbool.h>
#include <stdint.h>

/* The executable segment of a module that was met last in a walk; its module stays if permanent. */
struct unwind_text {
	uintptr_t start;
	uintptr_t end;
	bool permanent;
};

/*
 * unwind_code_returns() - may a call return to @address? In a permanent module there must be a call
 * before it, elsewhere it must be executable as far as is known.
 * @text: memory of the walk, zero-initialised at its start.
 */
bool unwind_code_returns(uintptr_t address, struct unwind_text *text);

#endif
