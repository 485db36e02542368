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
 * depot_chain_find() - the line with this run in a bucket, pinned.
 * @ret_head: what the head of the chain was, for depot_chain_insert().
 *
 * Return: the number of the line, or 0: there was none while the head was *ret_head.
 */
u32 depot_chain_find(struct stackdepot *depot, u32 bucket, const struct chain_run *run,
		     u64 *ret_head);

/*
 * depot_chain_insert() - begin the life of a filled line by linking it.
 * @head: as depot_chain_find() left it.
 *
 * Return: false, and nothing done, if the head is another now.
 */
bool depot_chain_insert(struct stackdepot *depot, u32 bucket, u32 number, u64 head);

/* depot_chain_unlink() - unlink all dead lines of a bucket: those before the call at least. */
void depot_chain_unlink(struct stackdepot *depot, u32 bucket);

#endif
