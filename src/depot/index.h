/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * index.h - which chains a trace may be on, in an index that grows.
 *
 * The index begins with `first` buckets and has four times as many whenever there are twice as
 * many lines. A hash has a place among the first buckets, and *digits* of two bits, one for each
 * time the index grew:
 *
 *	bucket = place + first x digits		digits: those bits of the hash that the header shows
 *
 * So the first buckets stay where they are, and a bucket's memory is needed only when the index has
 * grown to it. Lines do not move. A line that was linked before is on the chain of fewer digits, so
 * a trace is looked for with all digits, then without the last one that is not 0, and so on:
 *
 *	digits 3 0 2:	place + first x 302  ->  place + first x 2  ->  place
 *
 * Each of these chains is the *outer* one of that before it. New lines go to the innermost chain
 * only.
 *
 * Uniqueness. Two savers of one trace may see an index of different sizes. Whoever is first to want
 * a bucket *opens* it: he raises the version of the outer head, which has to be open, and then
 * makes the new head something else than 0, which is what one is that was never opened. Both are
 * full barriers. So let A insert with fewer digits than B. A read the outer head, then the digits.
 * Had he read the head as it was raised he would have seen the digits of who raised it. So he read
 * it before, and either his CAS fails or it came before, too; and B, who goes along the outer chain
 * after he saw the bucket open, meets A's line.
 *
 * Who went along the outer chain before, and then opens the bucket with his line, raises the outer
 * head from what it was when he began: nothing was inserted there since, and nothing will be.
 *
 * Where memory is had by touching it, DEPOT_INDEX_GROWS is 0 and all buckets are there at once. A
 * trace has one chain then, and what is said here of others costs nothing.
 *
 * A version goes from its largest value to 0. If a head becomes 0 by that it is opened once more,
 * which does no harm.
 */
#ifndef DEPOT_INDEX_H
#define DEPOT_INDEX_H

#include "depot.h"

#define INDEX_DIGIT_BITS 2u
#define INDEX_MAX_DIGITS 3u
#define INDEX_LEAST_BUCKETS 4u

/* The digits of a hash, as many as are in use. A file may say anything: there are no more. */
static __always_inline u32 index_digits(const struct stackdepot *depot, u64 hash)
{
	if (!DEPOT_INDEX_GROWS)
		return 0;
	return (u32)hash & READ_ONCE(depot->header->digits) & depot->max_digits;
}

static __always_inline u32 index_bucket(const struct stackdepot *depot, u64 hash, u32 digits)
{
	return (u32)((hash >> 32) * depot->first_buckets >> 32) + depot->first_buckets * digits;
}

static __always_inline atomic64_t *index_head(const struct stackdepot *depot, u64 hash, u32 digits)
{
	return depot_head(depot, index_bucket(depot, hash, digits));
}

/* The digits of the outer chain, without the last that is not 0; `digits` are not 0. */
static __always_inline u32 index_outer(u32 digits)
{
	return digits & ((1u << ((fls(digits) - 1) & ~(INDEX_DIGIT_BITS - 1))) - 1);
}

/* Buckets in use: those from here on were never opened. */
static inline u32 index_buckets(const struct stackdepot *depot)
{
	return depot->first_buckets * ((READ_ONCE(depot->header->digits) & depot->max_digits) + 1);
}

/* One version more: whoever read the head before changes it no more. False if it is not `value`. */
static inline bool index_raise(atomic64_t *head, u64 value)
{
	return atomic64_try_cmpxchg(head, &value, value + BIT_ULL(LINK_GENERATION_SHIFT));
}

/* depot_index_open() - open the innermost chain of a hash, whose head is 0. */
void depot_index_open(struct stackdepot *depot, u64 hash, u32 digits);

/*
 * index_open_head() - the head of the innermost chain of a hash, opened.
 * @digits: as index_digits() gave them.
 */
static inline atomic64_t *index_open_head(struct stackdepot *depot, u64 hash, u32 digits)
{
	atomic64_t *head = index_head(depot, hash, digits);

	/* Acquire: pairs with the CAS that opened it, or the outer head might be read before. */
	if (unlikely(digits && !atomic64_read_acquire(head)))
		depot_index_open(depot, hash, digits);
	return head;
}

/* depot_index_grow() - let the index grow if it is due, and if the host has memory for it. */
void depot_index_grow(struct stackdepot *depot);

/* depot_index_is_due() - are there twice as many lines as buckets? */
static inline bool depot_index_is_due(const struct stackdepot *depot, u32 lines)
{
	const u32 buckets = index_buckets(depot);

	return DEPOT_INDEX_GROWS && lines / 2 >= buckets && buckets < depot->nr_buckets;
}

#endif
