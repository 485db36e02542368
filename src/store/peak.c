/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* peak.c - see peak.h. */
#include <string.h>

#include "peak.h"
#include "weight.h"

#define PEAK_PROBE 16u
#define PEAK_WINDOW 128u     /* places that the first stacks of a list lie in: a page */
#define PEAK_SOON 8u	     /* sums that wait for memory */
#define PEAK_SUM_ENTRIES 64u /* in the table are looked at in the time that adding a sum takes */

struct peak_build {
	const struct reaper *reaper;
	const struct peak_moment *moment;
	struct store_taken *taken;
	uint32_t owner; /* of members of the list, but for their rates */
	uint32_t nr_soon;
	uint32_t window;
	struct peak_cache *cache;
	struct peak_sum soon[PEAK_SOON];
};

static struct store_peak_stack *peak_stacks(const struct reaper *reaper)
{
	return reap_at(reaper, reaper->layout->peak_stacks_offset);
}

static uint32_t peak_identity(uint32_t owner)
{
	return owner & ~(ENTRY_MAX_RATE_CODE << PEAK_RATE_SHIFT);
}

static uint32_t peak_rate(uint32_t owner)
{
	return owner >> PEAK_RATE_SHIFT & ENTRY_MAX_RATE_CODE;
}

/* --- lists ------------------------------------------------------------------------------------ */

/*
 * The list of a slot: numbers from a file may lead in a circle, and where who was at the list was
 * killed or overtaken, to what is another's by now.
 */
static void peak_drop(const struct reaper *reaper, struct store_taken *taken, uint32_t slot)
{
	struct store_peak_stack *stacks = peak_stacks(reaper);
	const uint32_t most = reaper->layout->peak_stacks;
	uint32_t number = taken->first, next, i;

	taken->first = 0;
	for (i = 0; number && number <= most && i < most; i++, number = next) {
		struct store_peak_stack *stack = &stacks[number - 1];

		next = stack->next;
		if ((stack->owner & PEAK_SLOT) != slot + 1)
			break;
		if (stack->trace)
			stackdepot_put_bulk(reaper->depot, stack->trace, 1);
		stack->trace = 0;
		__atomic_store_n(&stack->owner, 0, __ATOMIC_RELEASE);
	}
	*taken = (struct store_taken){0};
}

static void peak_forget(const struct reaper *reaper, struct store_peak *peak, uint32_t slot)
{
	peak_drop(reaper, &peak->taken[0], slot);
	peak_drop(reaper, &peak->taken[1], slot);
}

/* What has no place counts all the same. */
static void peak_add_rest(struct peak_build *build, uint64_t objects, uint64_t bytes)
{
	build->taken->rest_objects += objects;
	build->taken->rest_bytes += bytes;
}

static bool peak_claim(struct peak_build *build, struct store_peak_stack *stack,
		       stackdepot_ref_t trace, uint32_t code)
{
	const uint32_t owner = build->owner | code << PEAK_RATE_SHIFT;
	uint32_t none = 0;

	if (!__atomic_compare_exchange_n(&stack->owner, &none, owner | PEAK_CLAIMED, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
		return false;
	stack->objects = stack->bytes = 0;
	stack->trace = trace;
	stack->next = build->taken->first;
	build->taken->first = (uint32_t)(stack - peak_stacks(build->reaper)) + 1;
	build->taken->nr++;
	/* Of one that is killed before, nobody takes it for a member of his list. */
	__atomic_store_n(&stack->owner, owner, __ATOMIC_RELEASE);
	return true;
}

static void peak_coarsen(struct store_peak_stack *stack, uint32_t code)
{
	if (code > peak_rate(stack->owner))
		stack->owner = peak_identity(stack->owner) | code << PEAK_RATE_SHIFT;
}

/* All places near are taken, and the window is all of them: the least of ours gives way, if it is
 * less. */
static struct store_peak_stack *peak_replace(struct peak_build *build,
					     struct store_peak_stack *least, stackdepot_ref_t trace,
					     uint64_t bytes)
{
	if (!least || least->bytes >= bytes)
		return NULL;
	peak_add_rest(build, least->objects, least->bytes);
	stackdepot_put_bulk(build->reaper->depot, least->trace, 1);
	least->objects = least->bytes = 0;
	least->trace = trace;
	return least;
}

/*
 * Where a trace of this build is looked for: in a window of places beside each other, the same for
 * all lists of a process, so that a small one touches few pages. It grows with the list, and when
 * it has no room.
 */
static uint32_t peak_home(const struct peak_build *build, stackdepot_handle_t handle)
{
	const uint32_t nr = build->reaper->layout->peak_stacks;
	const uint32_t begin = store_left_home(build->owner & PEAK_SLOT, nr);
	const uint32_t at = begin - begin % PEAK_WINDOW +
			    store_left_home(handle, build->window < nr ? build->window : nr);

	return at < nr ? at : at - nr;
}

static bool peak_widen(struct peak_build *build)
{
	if (build->window >= build->reaper->layout->peak_stacks)
		return false;
	build->window *= 2;
	return true;
}

/*
 * The trace's member of the list, with a reference. A trace may have two, as a place before its own
 * may have become free, or the window has grown; readers add up.
 */
static struct store_peak_stack *peak_place(struct peak_build *build, stackdepot_ref_t trace,
					   uint32_t home, uint32_t code, uint64_t bytes)
{
	struct store_peak_stack *stacks = peak_stacks(build->reaper), *least = NULL;
	const uint32_t nr = build->reaper->layout->peak_stacks;
	uint32_t i;

	for (i = 0; i < PEAK_PROBE; i++) {
		struct store_peak_stack *stack = &stacks[(home + i) % nr];
		const bool ours = peak_identity(stack->owner) == build->owner;

		if (ours && stack->trace == trace)
			return stack;
		if (ours && (!least || stack->bytes < least->bytes))
			least = stack;
		if (stack->owner)
			continue;
		if (!stackdepot_save_again(build->reaper->depot, trace, STACKDEPOT_GET))
			return NULL;
		if (peak_claim(build, stack, trace, code))
			return stack;
		stackdepot_put_bulk(build->reaper->depot, trace, 1);
	}
	if (build->window < nr || !least || least->bytes >= bytes ||
	    !stackdepot_save_again(build->reaper->depot, trace, STACKDEPOT_GET))
		return NULL;
	return peak_replace(build, least, trace, bytes);
}

static void peak_add(struct peak_build *build, const struct peak_sum *sum)
{
	const stackdepot_ref_t trace =
		sum->handle ? stackdepot_ref(build->reaper->depot, sum->handle) : 0;
	struct store_peak_stack *stack = NULL;

	build->taken->objects += sum->objects;
	build->taken->bytes += sum->bytes;
	if (build->taken->nr > build->window / 4)
		(void)peak_widen(build);
	/* A trace that is gone by now needs no room: the list stays as near as it is. */
	while (trace &&
	       !(stack = peak_place(build, trace, peak_home(build, sum->handle), sum->code,
				    sum->bytes)) &&
	       stackdepot_ref(build->reaper->depot, sum->handle) == trace && peak_widen(build))
		;
	if (!stack) {
		peak_add_rest(build, sum->objects, sum->bytes);
		return;
	}
	peak_coarsen(stack, sum->code);
	stack->objects += sum->objects;
	stack->bytes += sum->bytes;
}

/*
 * Where a trace is, and its place in the list, are not in the cache: they come while those before
 * it are added.
 */
static void peak_add_soon(struct peak_build *build, const struct peak_sum *sum)
{
	struct peak_sum *next = &build->soon[build->nr_soon++ % PEAK_SOON];

	if (next->objects)
		peak_add(build, next);
	*next = *sum;
	if (!sum->objects)
		return;
	stackdepot_prefetch(build->reaper->depot, sum->handle);
	__builtin_prefetch(&peak_stacks(build->reaper)[peak_home(build, sum->handle)], 1);
}

/* --- adding up the table ---------------------------------------------------------------------- */

static void peak_flush(struct peak_build *build, uint32_t at)
{
	struct peak_sum *sum = &build->cache->of[at];

	if (sum->objects)
		peak_add_soon(build, sum);
	*sum = (struct peak_sum){0};
}

static void peak_object(struct peak_build *build, stackdepot_handle_t handle, uint64_t size)
{
	const stackdepot_handle_t plain = stackdepot_set_extra_bits(handle, 0);
	const unsigned int code = stackdepot_get_extra_bits(handle);
	const uint64_t objects = weight_of(size, code);
	const uint32_t at = (uint32_t)(plain * 0x9e3779b1u >> 16) % PEAK_CACHE;
	struct peak_cache *cache = build->cache;

	if (cache->of[at].handle != plain)
		peak_flush(build, at);
	cache->of[at].handle = plain;
	if (code > cache->of[at].code)
		cache->of[at].code = code;
	cache->of[at].objects += objects;
	cache->of[at].bytes += code ? size * objects / 256 : size;
}

static void peak_entry(struct peak_build *build, const struct store_entry *entry)
{
	const uint64_t key = __atomic_load_n(&entry->key, __ATOMIC_ACQUIRE);
	const uint64_t value = __atomic_load_n(&entry->value, __ATOMIC_RELAXED);
	uint64_t size = value >> 32;

	if (!key || store_key_slot(key) != build->moment->slot || key & (ENTRY_BUSY | ENTRY_HELD) ||
	    store_is_mapping(key))
		return;
	if (size == ENTRY_LARGE)
		size = store_large_size(
			reap_at(build->reaper, build->reaper->layout->larges_offset),
			key & ~ENTRY_FLAGS);
	peak_object(build, (stackdepot_handle_t)value, size);
}

/* Parts that the process never wrote to are left out. */
static uint64_t peak_table(struct peak_build *build)
{
	const struct store_layout *layout = build->reaper->layout;
	const struct store_parts *parts =
		(const struct store_parts *)reap_at(build->reaper, layout->parts_offset) +
		build->moment->slot;
	const struct store_bucket *buckets = reap_at(build->reaper, layout->live_offset);
	uint32_t part, bucket, i;
	uint64_t seen = 0;

	for (part = store_next_part(parts, 0); part < STORE_PARTS;
	     part = store_next_part(parts, part + 1))
		for (bucket = part << layout->part_shift;
		     bucket < (part + 1) << layout->part_shift && bucket < layout->buckets;
		     bucket++, seen += STORE_BUCKET_ENTRIES)
			for (i = 0; i < STORE_BUCKET_ENTRIES; i++)
				peak_entry(build, &buckets[bucket].entry[i]);
	return seen;
}

uint64_t peak_take(const struct reaper *reaper, const struct peak_moment *moment,
		   struct peak_cache *cache)
{
	struct store_peak *peak = &peak_height(reaper, moment->slot)->peaks[moment->which];
	const uint32_t other = (peak->now & 1) ^ 1;
	struct peak_build build = {
		.reaper = reaper,
		.moment = moment,
		.taken = &peak->taken[other],
		.owner = (moment->slot + 1) | (2 * (uint32_t)moment->which + other)
						      << PEAK_SNAPSHOT_SHIFT,
		.window = PEAK_WINDOW,
		.cache = cache,
	};
	uint64_t seen;
	uint32_t i;

	/* Of one that was killed in the middle of it. */
	peak_drop(reaper, build.taken, moment->slot);
	memset(cache, 0, sizeof(*cache));
	if (moment->more.handle || moment->more.size)
		peak_object(&build, moment->more.handle, moment->more.size);
	seen = peak_table(&build);
	for (i = 0; i < PEAK_CACHE; i++)
		peak_flush(&build, i);
	for (i = 0; i < PEAK_SOON; i++)
		peak_add_soon(&build, &(struct peak_sum){0});
	build.taken->time_ns = moment->time_ns;
	if (moment->if_more && build.taken->bytes <= peak->taken[other ^ 1].bytes) {
		peak_drop(reaper, build.taken, moment->slot);
		return seen + build.nr_soon * PEAK_SUM_ENTRIES;
	}
	__atomic_store_n(&peak->now, other, __ATOMIC_RELEASE);
	peak_drop(reaper, &peak->taken[other ^ 1], moment->slot);
	return seen + build.nr_soon * PEAK_SUM_ENTRIES;
}

#define PEAK_LISTED (1u << 31)

static void peak_list(const struct reaper *reaper, const struct store_taken *taken)
{
	struct store_peak_stack *stacks = peak_stacks(reaper);
	const uint32_t most = reaper->layout->peak_stacks;
	uint32_t number = taken->first, i;

	for (i = 0; number && number <= most && i < most; i++) {
		stacks[number - 1].owner |= PEAK_LISTED;
		number = stacks[number - 1].next;
	}
}

void peak_sweep(const struct reaper *reaper)
{
	struct store_peak_stack *stacks = peak_stacks(reaper);
	uint32_t slot, i;

	for (slot = 0; slot < reaper->layout->slots; slot++)
		for (i = 0; i < 2 * STORE_PEAKS; i++)
			peak_list(reaper, &peak_height(reaper, slot)->peaks[i / 2].taken[i % 2]);
	for (i = 0; i < reaper->layout->peak_stacks; i++) {
		if (!(stacks[i].owner & PEAK_LISTED))
			stacks[i].owner = 0;
		stacks[i].owner &= ~PEAK_LISTED;
	}
}

/* --- of processes that are gone --------------------------------------------------------------- */

void peak_settle(const struct reaper *reaper, uint32_t slot)
{
	static struct peak_cache cache; /* there is one reaper */
	const struct peak_moment moment = {
		.slot = slot,
		.which = STORE_PEAK_LIFE,
		.time_ns = reap_process(reaper, slot)->end_monotonic_ns,
		.if_more = true,
	};

	(void)peak_take(reaper, &moment, &cache);
}

static void peak_rename(const struct reaper *reaper, const struct store_taken *taken, uint32_t slot)
{
	struct store_peak_stack *stacks = peak_stacks(reaper);
	const uint32_t most = reaper->layout->peak_stacks;
	uint32_t number = taken->first, i;

	for (i = 0; number && number <= most && i < most; i++) {
		struct store_peak_stack *stack = &stacks[number - 1];

		stack->owner = (stack->owner & ~PEAK_SLOT) | (slot + 1);
		number = stack->next;
	}
}

void peak_clear(const struct reaper *reaper, uint32_t slot)
{
	struct store_height *height = peak_height(reaper, slot);
	uint32_t i;

	for (i = 0; i < STORE_PEAKS; i++)
		peak_forget(reaper, &height->peaks[i], slot);
	memset(height, 0, sizeof(*height));
}

void peak_merge(const struct reaper *reaper, uint32_t row, uint32_t slot)
{
	struct store_height *from = peak_height(reaper, slot), *to = peak_height(reaper, row);
	const struct store_peak *peak = &from->peaks[STORE_PEAK_LIFE];

	if (row == slot)
		return;
	if (peak->top_bytes > to->peaks[STORE_PEAK_LIFE].top_bytes) {
		peak_clear(reaper, row);
		peak_rename(reaper, &peak->taken[0], row);
		peak_rename(reaper, &peak->taken[1], row);
		*to = *from;
		/* Each list has one who drops it. */
		from->peaks[STORE_PEAK_LIFE] = (struct store_peak){0};
		memset(&to->peaks[STORE_PEAK_INTERVAL], 0, sizeof(*peak));
	}
	peak_clear(reaper, slot);
}
