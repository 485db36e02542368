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
 * A reader believes what he copied if the sequence was even and the same before and after, and the
 * check agrees, which is a keyed sum over the position and all words (multilinear, as in hash.h).
 * The sequence recognises every mixture with an event whose writer began meanwhile; the check what
 * a writer that had lost its entry wrote into an event that was whole, with a chance of error of
 * 2^-63.
 *
 * Clock. One turn of the ring is STACKDEPOT_RING_LEASE_TICKS ticks: the tick of a position is
 * position / (size / STACKDEPOT_RING_LEASE_TICKS). A writer first sees that the clock shows at
 * least the tick of his position, then stamps his trace. The clock never runs ahead of the
 * positions claimed. So while the event is in the ring, that is until position + size is claimed,
 * the clock is at most STACKDEPOT_RING_LEASE_TICKS ticks past the stamp, and the lease holds.
 */
#include "hold.h"
#include "ring.h"

static u64 ring_tick(const struct stackdepot *depot, u64 position)
{
	/* both are powers of two, and a division takes longer than all else here */
	return position >> ilog2(depot->ring_entries / STACKDEPOT_RING_LEASE_TICKS);
}

static void ring_advance_clock(struct stackdepot *depot, u64 position)
{
	atomic64_t *clock = &depot->header->tick;
	u64 now = atomic64_read(clock), tick = ring_tick(depot, position);

	while (now < tick && !atomic64_try_cmpxchg(clock, &now, tick))
		;
}

/* Renew the lease of an event's trace; count it if it is too late. */
static void ring_renew(struct stackdepot *depot, u64 ref)
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

static u64 ring_check(const struct stackdepot *depot, u64 position,
		      const struct stackdepot_event *event)
{
	const u64 *keys = depot->keys;

	return event->address * keys[0] + event->size * keys[1] + event->trace * keys[2] +
	       event->time * keys[3] + ((u64)event->task << 32 | event->kind) * keys[4] +
	       position * keys[5];
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
static void ring_write(struct stackdepot *depot, struct depot_ring_entry *entry, u64 position,
		       const struct stackdepot_event *event)
{
	smp_wmb();
	WRITE_ONCE(entry->address, event->address);
	WRITE_ONCE(entry->size, event->size);
	WRITE_ONCE(entry->trace, event->trace);
	WRITE_ONCE(entry->time, event->time);
	WRITE_ONCE(entry->task, event->task);
	WRITE_ONCE(entry->kind, event->kind);
	WRITE_ONCE(entry->check, ring_check(depot, position, event));
}

int stackdepot_ring_record(struct stackdepot *depot, const struct stackdepot_event *event)
{
	struct depot_ring_entry *entry;
	u64 position, sequence;
	bool written = false;

	if (!depot->ring_entries)
		return -ENOENT;
	if (depot->read_only)
		return -EROFS;
	position = atomic64_fetch_add_relaxed(1, &depot->header->ring_position);
	ring_advance_clock(depot, position);
	ring_renew(depot, event->trace);
	entry = &depot->ring[position & (depot->ring_entries - 1)];
	sequence = 2 * position + 1;
	if (ring_claim(depot, entry, position)) {
		ring_write(depot, entry, position, event);
		written = atomic64_try_cmpxchg(&entry->sequence, &sequence, 2 * position + 2);
	}
	if (!written) {
		depot_count(depot, COUNT_RING_DROPPED);
		return -EAGAIN;
	}
	/* Written once a turn, an entry is in no cache when its turn comes. */
	prefetchw(&depot->ring[(position + 1) & (depot->ring_entries - 1)]);
	return 0;
}

/* Copy the event of a position if it is there, and whole. */
static bool ring_read(struct stackdepot *depot, u64 position, struct stackdepot_event *ret_event)
{
	struct depot_ring_entry *entry = &depot->ring[position & (depot->ring_entries - 1)];
	struct stackdepot_event event;
	u64 check;

	if (atomic64_read_acquire(&entry->sequence) != 2 * position + 2)
		return false;
	event.address = READ_ONCE(entry->address);
	event.size = READ_ONCE(entry->size);
	event.trace = READ_ONCE(entry->trace);
	event.time = READ_ONCE(entry->time);
	event.task = READ_ONCE(entry->task);
	event.kind = READ_ONCE(entry->kind);
	check = READ_ONCE(entry->check);
	smp_rmb();
	if (atomic64_read(&entry->sequence) != 2 * position + 2)
		return false;
	if (check != ring_check(depot, position, &event))
		return false;
	*ret_event = event;
	return true;
}

/*
 * *position is 0 in the beginning, then one more than the newest position not yet seen: the number
 * of events up to there, or, when all were seen, all ones.
 */
int stackdepot_ring_find(struct stackdepot *depot, uint64_t *position, uint64_t address,
			 uint64_t mask, struct stackdepot_event *ret_event)
{
	struct stackdepot_event event;
	u64 end, oldest;

	if (!depot->ring_entries || *position == ~0ull)
		return 0;
	end = atomic64_read_acquire(&depot->header->ring_position);
	oldest = end > depot->ring_entries ? end - depot->ring_entries : 0;
	if (*position && *position < end)
		end = *position;
	while (end > oldest) {
		end--;
		if (ring_read(depot, end, &event) && !((event.address ^ address) & mask)) {
			*position = end ? end : ~0ull;
			*ret_event = event;
			return 1;
		}
	}
	*position = ~0ull;
	return 0;
}

int stackdepot_ring_next(struct stackdepot *depot, uint64_t *position,
			 struct stackdepot_event *ret_event)
{
	return stackdepot_ring_find(depot, position, 0, 0, ret_event);
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

int stackdepot_tick(struct stackdepot *depot)
{
	if (depot->read_only)
		return -EROFS;
	if (depot->ring_entries)
		return -EBUSY;
	atomic64_fetch_add_relaxed(1, &depot->header->tick);
	return 0;
}

uint64_t stackdepot_now(struct stackdepot *depot)
{
	return atomic64_read(&depot->header->tick);
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
