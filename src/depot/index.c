// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* index.c - the index grows, and its buckets are opened; see index.h. */
#include "index.h"

void depot_index_open(struct stackdepot *depot, u64 hash, u32 digits)
{
	atomic64_t *head = index_head(depot, hash, digits);
	u64 closed, opened;
	u32 inner, outer;

	/* Acquire: see index_open_head(). */
	while (!atomic64_read_acquire(head)) {
		for (inner = digits; (outer = index_outer(inner)); inner = outer)
			if (atomic64_read_acquire(index_head(depot, hash, outer)))
				break;
		while (!index_raise(index_head(depot, hash, outer),
				    atomic64_read(index_head(depot, hash, outer))))
			;
		closed = 0;
		opened = BIT_ULL(LINK_GENERATION_SHIFT);
		(void)atomic64_try_cmpxchg(index_head(depot, hash, inner), &closed, opened);
	}
}

void depot_index_grow(struct stackdepot *depot)
{
	u32 digits = READ_ONCE(depot->header->digits);
	const u32 more =
		(digits << INDEX_DIGIT_BITS | (BIT(INDEX_DIGIT_BITS) - 1)) & depot->max_digits;

	if (depot_index_is_due(depot, READ_ONCE(depot->header->fresh)) &&
	    depot_populate_heads(depot, depot->first_buckets * (more + 1)))
		/* A full barrier: who sees these digits sees the heads they lead to. */
		(void)try_cmpxchg(&depot->header->digits, &digits, more);
}
