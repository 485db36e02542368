/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Whole stacks that a thread had before; what is kept of them, and why it is believed: memo.c. */
#ifndef UNWIND_MEMO_H
#define UNWIND_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stackdepot/unwind.h"

#define MEMO_MIN_BYTES 4096u

struct unwind_memo {
	uint64_t *memory; /* sets of leaves | outer blocks by content | blocks; NULL: none */
	uint32_t sets;	  /* a power of two */
	uint32_t shared;  /* likewise */
	uint32_t used;	  /* in words, as all places are */
	uint32_t words;
	bool full;
	uint32_t turn; /* of new stacks */
	/* Of those that were only marked when they were met first: so many, met again so many. */
	uint32_t once;
	uint32_t again;
	/* Groups of the frames kept, from the outermost one, whose block is known. */
	uint32_t valid;
	uint32_t group[STACKDEPOT_UNWIND_MAX_FRAMES / 8];
};

/* unwind_memo_begin() - forget all, and use memory of MEMO_MIN_BYTES or more from now on. */
void unwind_memo_begin(struct unwind_memo *memo, void *memory, uint32_t bytes);

void unwind_memo_forget(struct unwind_memo *memo);

/* unwind_memo_find() - is the stack a remembered one? Then what the user knows of it. */
bool unwind_memo_find(struct stackdepot_unwinder *u, uintptr_t pc, uintptr_t sp, uintptr_t fp,
		      uint64_t *ret_user);

/*
 * unwind_memo_add() - remember the stack of the @nr innermost frames kept, if it was met before.
 *
 * Return: false if there is no room, until all is forgotten.
 */
bool unwind_memo_add(struct stackdepot_unwinder *u, uint32_t nr, bool is_cut, uint64_t user);

/* Of the frames kept, so many outermost ones are what they were. */
static inline void memo_unchanged(struct unwind_memo *memo, uint32_t frames)
{
	if (memo->valid > frames / 8)
		memo->valid = frames / 8;
}

#endif
