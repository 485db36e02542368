/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * ring.c - the last events, and the clock they drive.
 *
 * A writer claims a position with one atomic add; the entry is position modulo size. Its `sequence`
 * is 2 x position + 1 while it is written and 2 x position + 2 when it is whole, so it only grows.
 * A writer takes the entry with a CAS from any smaller number; if it is greater the writer was
 * lapped, and its event is dropped and counted. Nobody waits. If the number was odd, its writer was
 * lapped, or is below us, interrupted, or gone: killed, or left behind by a fork. Its event is
 * counted as dropped. Should it go on after all, it may still write into the event of whoever took
 * its entry. It finds that out with its last CAS, and counts that event as dropped as well. So what
 * was recorded and what was dropped are together no less than the positions claimed.
 *
 * A pen takes several positions at once, for one writer who fills them one after the other, so that
 * he writes nothing that others write. Their entries are his until the ring has turned once, which
 * he sees at the position that others claim: he lets go of what is left of them long before, and if
 * he was stopped in the middle of an entry for so long, two events may be lost, and are counted.
 *
 * Events with pens are not in the order of their positions, so each has a number more, its order:
 * without a pen that of its position, with a pen that of positions claimed by then, and 1. Let one
 * event happen after another, in whichever threads. If either is without a pen, or the later one is
 * the first of what its pen took, it is later by order and, if that is equal, position. If both are
 * with pens and nobody took positions in between, the order is equal; then positions say what was
 * later if one thread did both, and say nothing if it was two.
 *
 * A reader believes what he copied if the sequence was even and the same before and after, and the
 * check agrees, which is a keyed sum over the position and all words (multilinear, as in hash.h).
 * The sequence recognises every mixture with an event whose writer began meanwhile; the check what
 * a writer that had lost its entry wrote into an event that was whole, with a chance of error of
 * 2^-63.
 *
 * Clock. One turn of the ring is STACKDEPOT_RING_LEASE_TICKS ticks: the tick of a position is
 * position / (size / STACKDEPOT_RING_LEASE_TICKS). A writer first sees that the clock shows at
 * least the tick of his position, then stamps his traces. The clock never runs ahead of the
 * positions claimed. So while the event is in the ring, that is until position + size is claimed,
 * the clock is at most STACKDEPOT_RING_LEASE_TICKS ticks past the stamp, and the lease holds.
 */
#include "clock.h"
#include "hold.h"
#include "ring.h"

#define PEN_ENTRIES 16u	   /* positions that a pen takes at once, at most */
#define PEN_PATIENCE 2048u /* positions that others may claim before it is let go, at most */
#define PEN_BITS 12	   /* for the sum of these */

static_assert(PEN_ENTRIES + PEN_PATIENCE < 1 << PEN_BITS, "a pen's position is near");

static u64 ring_tick(const struct stackdepot *depot, u64 position)
{
	/* both are powers of two, and a division takes longer than all else here */
	return position >> ilog2(depot->ring_entries / STACKDEPOT_RING_LEASE_TICKS);
}

static void ring_advance_clock(struct stackdepot *depot, u64 position)
{
	depot_clock_advance(depot, ring_tick(depot, position));
}

/* Renew the lease of a trace of an event; count it if it is too late. */
static inline void ring_renew(struct stackdepot *depot, u64 ref)
{
	u32 number = (u32)ref;

	if (!ref)
		return;
	/* Acquire: see depot_renew(). */
	if (number - 1 < depot->nr_lines &&
	    depot_renew(depot, number, atomic64_read_acquire(&depot_line(depot, number)->state)) &&
	    hold_valid(depot, ref))
		return;
	depot_count(depot, COUNT_RING_STALE);
}

static __always_inline u64 ring_check(const struct stackdepot *depot, u64 position,
				      const struct stackdepot_event *event, u64 rest)
{
	const u64 *keys = depot->keys;

	return event->address * keys[0] + event->size * keys[1] + event->trace * keys[2] +
	       event->origin * keys[3] + event->time * keys[4] + rest * keys[5] +
	       position * keys[6];
}

static bool ring_claim(struct stackdepot *depot, struct depot_ring_entry *entry, u64 position)
{
	u64 sequence = atomic64_read(&entry->sequence);

	if (sequence > 2 * position ||
	    !atomic64_try_cmpxchg(&entry->sequence, &sequence, 2 * position + 1))
		return false;
	if (sequence & 1)
		depot_count(depot, COUNT_RING_DROPPED);
	return true;
}

/*
 * The odd sequence is written before the rest: with the reader's acquire fence, no mixture is
 * believed.
 */
static __always_inline void ring_write(struct stackdepot *depot, struct depot_ring_entry *entry,
				       u64 position, u64 order,
				       const struct stackdepot_event *event)
{
	const u64 rest = (u64)event->task << 32 | (u64)event->kind << 16 | (order - position);

	smp_wmb();
	WRITE_ONCE(entry->address, event->address);
	WRITE_ONCE(entry->size, event->size);
	WRITE_ONCE(entry->trace, event->trace);
	WRITE_ONCE(entry->origin, event->origin);
	WRITE_ONCE(entry->time, event->time);
	WRITE_ONCE(entry->rest, rest);
	WRITE_ONCE(entry->check, ring_check(depot, position, event, rest));
}

static inline int ring_usable(const struct stackdepot *depot)
{
	if (!depot->ring_entries)
		return -ENOENT;
	return depot->read_only ? -EROFS : 0;
}

static struct depot_ring_entry *ring_entry(const struct stackdepot *depot, u64 position)
{
	return &depot->ring[position & (depot->ring_entries - 1)];
}

int stackdepot_ring_record(struct stackdepot *depot, const struct stackdepot_event *event)
{
	struct depot_ring_entry *entry;
	u64 position, sequence;
	bool written = false;
	const int error = ring_usable(depot);

	if (error)
		return error;
	position = atomic64_fetch_add_relaxed(1, &depot->header->ring_position);
	ring_advance_clock(depot, position);
	ring_renew(depot, event->trace);
	ring_renew(depot, event->origin);
	entry = ring_entry(depot, position);
	sequence = 2 * position + 1;
	if (ring_claim(depot, entry, position)) {
		ring_write(depot, entry, position, position + 1, event);
		written = atomic64_try_cmpxchg(&entry->sequence, &sequence, 2 * position + 2);
	}
	if (!written) {
		depot_count(depot, COUNT_RING_DROPPED);
		return -EAGAIN;
	}
	/* Written once a turn, an entry is in no cache when its turn comes. */
	prefetchw(ring_entry(depot, position + 1));
	return 0;
}

/* --- pens ------------------------------------------------------------------------------------- */

/* How far others may come before a pen is let go. */
static u64 pen_patience(const struct stackdepot *depot)
{
	const u64 part = depot->ring_entries / 4;

	return part < PEN_PATIENCE ? part : PEN_PATIENCE;
}

void stackdepot_ring_end(struct stackdepot *depot, struct stackdepot_pen *pen)
{
	const u64 left = pen->end - pen->next;

	if (left)
		atomic64_fetch_add_relaxed(left, &depot->header->counters[COUNT_RING_UNUSED]);
	pen->next = pen->end;
}

/* One who writes often takes more at once. */
static noinline void pen_fill(struct stackdepot *depot, struct stackdepot_pen *pen, u64 claimed)
{
	const u32 most =
		depot->ring_entries < 16 * PEN_ENTRIES ? depot->ring_entries / 16 : PEN_ENTRIES;
	const bool often = pen->end && claimed - pen->end <= pen_patience(depot);

	stackdepot_ring_end(depot, pen);
	pen->size = often && pen->size * 2 <= most ? pen->size * 2 : often ? pen->size : 1;
	pen->next = atomic64_fetch_add_relaxed(pen->size, &depot->header->ring_position);
	pen->end = pen->next + pen->size;
	pen->patience = pen_patience(depot);
	ring_advance_clock(depot, pen->end - 1);
}

/*
 * A trace that was saved just before has today's stamp, if the day is the one of the event before.
 */
static inline void pen_renew(struct stackdepot *depot, struct stackdepot_pen *pen,
			     const struct stackdepot_event *event)
{
	const u64 tick = atomic64_read(&depot->header->tick);

	if (likely(tick == pen->tick))
		return;
	pen->tick = tick;
	ring_renew(depot, event->trace);
	ring_renew(depot, event->origin);
}

int stackdepot_ring_write(struct stackdepot *depot, struct stackdepot_pen *pen,
			  const struct stackdepot_event *event)
{
	struct depot_ring_entry *entry;
	u64 position, claimed;
	int error;

	claimed = atomic64_read(&depot->header->ring_position);
	while (unlikely(pen->next == pen->end || claimed - pen->next > pen->patience)) {
		error = ring_usable(depot);
		if (error)
			return error;
		pen_fill(depot, pen, claimed);
		claimed = atomic64_read(&depot->header->ring_position);
	}
	position = pen->next++;
	pen_renew(depot, pen, event);
	entry = ring_entry(depot, position);
	if (unlikely(atomic64_read(&entry->sequence) & 1))
		depot_count(depot, COUNT_RING_DROPPED);
	atomic64_set(&entry->sequence, 2 * position + 1);
	ring_write(depot, entry, position, claimed + 1, event);
	atomic64_set_release(&entry->sequence, 2 * position + 2);
	/* behind the last one it is of no use, and does no harm */
	prefetchw(entry + 1);
	/* Stopped since the pen was looked at, until somebody else came to the same entry? */
	claimed = atomic64_read(&depot->header->ring_position);
	if (likely(claimed - position <= depot->ring_entries))
		return 0;
	atomic64_fetch_add_relaxed(2, &depot->header->counters[COUNT_RING_DROPPED]);
	return -EAGAIN;
}

const void *stackdepot_ring_memory(const struct stackdepot *depot, uint64_t position)
{
	return depot->ring_entries ? ring_entry(depot, position) : NULL;
}

/* All that pens write does. What is in a file may be anything. */
static inline bool ring_order_fits(u64 position, u64 order)
{
	return order - position - 1 <= PEN_PATIENCE;
}

/* Copy the event of a position if it is there, and whole. */
static bool ring_read(struct stackdepot *depot, u64 position, struct stackdepot_event *ret_event)
{
	struct depot_ring_entry *entry = &depot->ring[position & (depot->ring_entries - 1)];
	struct stackdepot_event event;
	u64 rest, check;

	if (atomic64_read_acquire(&entry->sequence) != 2 * position + 2)
		return false;
	event.address = READ_ONCE(entry->address);
	event.size = READ_ONCE(entry->size);
	event.trace = READ_ONCE(entry->trace);
	event.origin = READ_ONCE(entry->origin);
	event.time = READ_ONCE(entry->time);
	rest = READ_ONCE(entry->rest);
	event.task = (u32)(rest >> 32);
	event.kind = (u16)(rest >> 16);
	event.order = position + (u16)rest;
	check = READ_ONCE(entry->check);
	smp_rmb();
	if (atomic64_read(&entry->sequence) != 2 * position + 2)
		return false;
	if (!ring_order_fits(position, event.order) ||
	    check != ring_check(depot, position, &event, rest))
		return false;
	*ret_event = event;
	return true;
}

/* Of two that are in the ring: which is newer? */
static bool ring_is_newer(u64 order, u64 position, u64 than_order, u64 than_position)
{
	return order != than_order ? order > than_order : position > than_position;
}

static u64 ring_oldest(const struct stackdepot *depot, u64 end)
{
	return end > depot->ring_entries ? end - depot->ring_entries : 0;
}

/*
 * *position is 0 in the beginning, all ones when all were seen, else of the event seen last its
 * order, and how far its position was behind that.
 */
int stackdepot_ring_find(struct stackdepot *depot, uint64_t *position, uint64_t address,
			 uint64_t mask, struct stackdepot_event *ret_event)
{
	const u64 seen_order = *position >> PEN_BITS;
	const u64 seen = seen_order - (*position & ((1u << PEN_BITS) - 1));
	struct stackdepot_event event, best = {.order = 0};
	u64 at, oldest, best_at = 0;

	if (!depot->ring_entries || *position == ~0ull)
		return 0;
	at = atomic64_read_acquire(&depot->header->ring_position);
	oldest = ring_oldest(depot, at);
	/* An event's order is greater than its position. */
	if (*position && seen_order < at)
		at = seen_order;
	/* What is further back than a pen can be is older. */
	while (at-- > oldest && at + PEN_PATIENCE + PEN_ENTRIES >= best.order) {
		if (!ring_read(depot, at, &event) || (event.address ^ address) & mask ||
		    (*position && !ring_is_newer(seen_order, seen, event.order, at)) ||
		    !ring_is_newer(event.order, at, best.order, best_at))
			continue;
		best = event;
		best_at = at;
	}
	*position = best.order ? best.order << PEN_BITS | (best.order - best_at) : ~0ull;
	if (!best.order)
		return 0;
	*ret_event = best;
	return 1;
}

/*
 * *position is 0 in the beginning, then one more than the newest position not yet seen: the number
 * of events up to there, or, when all were seen, all ones.
 */
int stackdepot_ring_next(struct stackdepot *depot, uint64_t *position,
			 struct stackdepot_event *ret_event)
{
	u64 end, oldest;

	if (!depot->ring_entries || *position == ~0ull)
		return 0;
	end = atomic64_read_acquire(&depot->header->ring_position);
	oldest = ring_oldest(depot, end);
	if (*position && *position < end)
		end = *position;
	while (end > oldest) {
		end--;
		if (ring_read(depot, end, ret_event)) {
			*position = end ? end : ~0ull;
			return 1;
		}
	}
	*position = ~0ull;
	return 0;
}

unsigned int stackdepot_ring_snapshot(struct stackdepot *depot, struct stackdepot_event *events,
				      unsigned int size)
{
	unsigned int nr = 0;
	uint64_t position = 0;

	while (nr < size && stackdepot_ring_next(depot, &position, &events[nr]))
		nr++;
	return nr;
}

unsigned int depot_ring_reset(struct stackdepot *depot)
{
	u32 i, nr = 0;

	for (i = 0; i < depot->ring_entries; i++) {
		atomic64_t *sequence = &depot->ring[i].sequence;
		u64 value = atomic64_read(sequence);

		if (!(value & 1))
			continue;
		/* Even, and whole for no position. */
		atomic64_set(sequence, value - 1);
		depot_count(depot, COUNT_RING_DROPPED);
		nr++;
	}
	return nr;
}
