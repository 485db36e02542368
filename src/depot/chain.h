/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* chain.h - the hash chains: linked lists that many threads change without a lock. See chain.c. */
#ifndef DEPOT_CHAIN_H
#define DEPOT_CHAIN_H

#include "depot.h"

/* A run to be linked: these frames, inside of the line `parent`. */
struct chain_run {
	const uintptr_t *frames;
	u32 nr;
	u32 parent; /* pinned by the caller; 0 at the root */
};

/*
 * Where a run belongs that was not found: on the chain of so many digits (index.h), whose head was
 * `value`, or on the one inside of that, if it was never opened.
 */
struct chain_place {
	u64 value;
	u32 digits;
};

#define CHAIN_NOWHERE (~0u) /* in place of the digits: the search did not come to an end */

/*
 * depot_chain_find() - the line with this run, pinned.
 * @ret_place: for depot_chain_insert().
 *
 * Return: its life, or 0: there was none while the head was what *ret_place has.
 */
u64 depot_chain_find(struct stackdepot *depot, u64 hash, const struct chain_run *run,
		     struct chain_place *ret_place);

/*
 * depot_chain_insert() - begin the life of a filled line by linking it.
 * @place: as depot_chain_find() or find_line() left it.
 *
 * Return: that life; 0, and nothing done, if the head is another now, or the index another.
 */
u64 depot_chain_insert(struct stackdepot *depot, u64 hash, const struct chain_place *place,
		       u32 number);

/* depot_chain_unlink() - unlink all dead lines of a hash: those before the call at least. */
void depot_chain_unlink(struct stackdepot *depot, u64 hash);

/* depot_chain_tidy() - unlink all dead lines of one chain. */
void depot_chain_tidy(struct stackdepot *depot, atomic64_t *head);

#endif
