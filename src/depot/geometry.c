// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * geometry.c - how the bytes are shared out.
 *
 * Per line: 64 bytes for itself, or 48, 8 for a bucket of the index that has grown, a bit and a
 * 63rd for the candidates. With one bucket a line a chain has half a line in front of the one
 * sought, on average, when the depot is full. The ring has the size it was given; the lines get the
 * rest.
 */
#include "candidates.h"
#include "geometry.h"
#include "hash.h"
#include "index.h"

#define DEFAULT_MAX_FRAMES 128u
#define MIN_RING 16u
#define MAX_RING 0x40000000u
#define MAX_BUCKETS 0x20000000u

static u64 round_cache(u64 bytes)
{
	return (bytes + DEPOT_CACHE_BYTES - 1) & ~(u64)(DEPOT_CACHE_BYTES - 1);
}

/* Offsets and total from lines, buckets and ring_entries. */
static void geometry_place(struct depot_geometry *geometry)
{
	u32 words[DEPOT_LEVELS], levels = depot_candidate_words(geometry->lines, words);
	u64 bytes = sizeof(struct depot_header);
	u32 level;

	geometry->heads_offset = bytes;
	bytes += round_cache(depot_heads_bytes(geometry));
	geometry->candidates_offset = bytes;
	for (level = DEPOT_CANDIDATES_APART; level < levels; level++)
		bytes += (u64)sizeof(long) * words[level];
	bytes = round_cache(bytes);
	geometry->ring_offset = bytes;
	bytes += (u64)sizeof(struct depot_ring_entry) * geometry->ring_entries;
	geometry->lines_offset = bytes;
	bytes += (u64)DEPOT_LINE_BYTES * (geometry->lines + 1ull);
	geometry->total_bytes = bytes;
}

/*
 * The buckets that there are at first. An index that grows has four times as many each time, and at
 * least four at first, so there may be some fewer in the end than were asked for.
 */
static void geometry_index(struct depot_geometry *geometry, u32 buckets)
{
	u32 digits = 0;

	while (DEPOT_INDEX_GROWS && digits < INDEX_MAX_DIGITS &&
	       buckets >> (digits + 1) * INDEX_DIGIT_BITS >= INDEX_LEAST_BUCKETS)
		digits++;
	geometry->first_buckets = buckets >> digits * INDEX_DIGIT_BITS;
	geometry->buckets = geometry->first_buckets << digits * INDEX_DIGIT_BITS;
}

static u64 geometry_bytes(struct depot_geometry *geometry, u32 lines, u32 buckets)
{
	geometry->lines = lines;
	geometry_index(geometry, buckets ? buckets : lines);
	geometry_place(geometry);
	return depot_footprint(geometry);
}

/* The largest number of lines that fits; 0 if none does. */
static u32 geometry_fit(struct depot_geometry *geometry, u32 limit, u32 buckets)
{
	const u64 bound = geometry->max_bytes & ~(u64)(DEPOT_PAGE_BYTES - 1);
	u32 low = 0, high = limit;

	while (low < high) {
		u32 middle = high - (high - low) / 2;

		if (geometry_bytes(geometry, middle, buckets) <= bound)
			low = middle;
		else
			high = middle - 1;
	}
	if (low)
		geometry_bytes(geometry, low, buckets);
	return low;
}

static u32 round_ring(u32 entries)
{
	u32 size = MIN_RING;

	while (entries && size < entries)
		size *= 2;
	return entries ? size : 0;
}

static bool options_valid(const struct stackdepot_options *options)
{
	return options->max_frames <= STACKDEPOT_MAX_FRAMES &&
	       options->lease_ticks <= STACKDEPOT_MAX_LEASE_TICKS &&
	       options->ring_entries <= MAX_RING && options->lines <= STACKDEPOT_MAX_LINES &&
	       options->buckets <= MAX_BUCKETS && !(options->flags & ~STACKDEPOT_SPARSE);
}

int depot_plan(const struct stackdepot_options *options, u64 seed,
	       struct depot_geometry *ret_geometry)
{
	struct depot_geometry geometry = {.max_bytes = options->max_bytes};
	u32 limit = options->lines ? options->lines : STACKDEPOT_MAX_LINES;

	if (!options_valid(options))
		return -EINVAL;
	geometry.seed = options->seed ? options->seed : seed;
	geometry.max_frames = options->max_frames ? options->max_frames : DEFAULT_MAX_FRAMES;
	geometry.ring_entries = round_ring(options->ring_entries);
	geometry.lease_ticks =
		geometry.ring_entries ? STACKDEPOT_RING_LEASE_TICKS : options->lease_ticks;
	if (!geometry_fit(&geometry, limit, options->buckets))
		return -EINVAL;
	*ret_geometry = geometry;
	return 0;
}

u64 depot_bytes_for(u32 lines, const struct stackdepot_options *options)
{
	const struct stackdepot_options none = {0};
	struct depot_geometry geometry = {0};

	if (!options)
		options = &none;
	if (!options_valid(options) || !lines || lines > STACKDEPOT_MAX_LINES)
		return 0;
	geometry.ring_entries = round_ring(options->ring_entries);
	return (geometry_bytes(&geometry, lines, options->buckets) + DEPOT_PAGE_BYTES - 1) &
	       ~(u64)(DEPOT_PAGE_BYTES - 1);
}

void depot_format(void *memory, const struct depot_geometry *geometry)
{
	struct depot_header *header = memory;

	header->geometry = *geometry;
	header->header_bytes = sizeof(*header);
	header->version = DEPOT_VERSION;
	/* Last, as who attaches meanwhile looks at it first. */
	atomic64_set_release(&header->magic, DEPOT_MAGIC);
}

/* Does all of the geometry follow from its first numbers, and are those in range? */
static bool geometry_valid(const struct depot_geometry *geometry, u64 bytes)
{
	struct depot_geometry again = *geometry;

	if (!geometry->lines || geometry->lines > STACKDEPOT_MAX_LINES || !geometry->buckets ||
	    geometry->buckets > MAX_BUCKETS || geometry->ring_entries > MAX_RING ||
	    geometry->ring_entries != round_ring(geometry->ring_entries) || !geometry->max_frames ||
	    geometry->max_frames > STACKDEPOT_MAX_FRAMES ||
	    geometry->lease_ticks > STACKDEPOT_MAX_LEASE_TICKS)
		return false;
	geometry_index(&again, geometry->buckets);
	geometry_place(&again);
	return again.buckets == geometry->buckets && again.heads_offset == geometry->heads_offset &&
	       again.candidates_offset == geometry->candidates_offset &&
	       again.ring_offset == geometry->ring_offset &&
	       again.lines_offset == geometry->lines_offset &&
	       again.total_bytes == geometry->total_bytes && again.total_bytes <= bytes;
}

/*
 * Each word is loaded once, and what was loaded is checked: somebody may write to the header of a
 * file meanwhile, and a plain copy could be made twice.
 */
static void geometry_load(struct depot_header *header, struct depot_geometry *ret_geometry)
{
	struct depot_geometry *from = &header->geometry;

	*ret_geometry = (struct depot_geometry){
		.max_bytes = READ_ONCE(from->max_bytes),
		.seed = READ_ONCE(from->seed),
		.lines = READ_ONCE(from->lines),
		.buckets = READ_ONCE(from->buckets),
		.ring_entries = READ_ONCE(from->ring_entries),
		.max_frames = READ_ONCE(from->max_frames),
		.lease_ticks = READ_ONCE(from->lease_ticks),
		.heads_offset = READ_ONCE(from->heads_offset),
		.candidates_offset = READ_ONCE(from->candidates_offset),
		.ring_offset = READ_ONCE(from->ring_offset),
		.lines_offset = READ_ONCE(from->lines_offset),
		.total_bytes = READ_ONCE(from->total_bytes),
	};
}

/* The private view of a depot with this geometry. */
static void geometry_view(struct stackdepot *depot, void *memory,
			  const struct depot_geometry *geometry)
{
	char *base = memory;
	unsigned long *words = (unsigned long *)(base + geometry->candidates_offset);
	u32 level;

	depot->header = memory;
	depot->geometry = *geometry;
	geometry_index(&depot->geometry, geometry->buckets);
	depot->heads = (atomic64_t *)(base + geometry->heads_offset);
	depot->ring = (struct depot_ring_entry *)(base + geometry->ring_offset);
	depot->lines = (struct depot_line *)(base + geometry->lines_offset);
	depot->nr_lines = geometry->lines;
	depot->nr_buckets = geometry->buckets;
	depot->first_buckets = depot->geometry.first_buckets;
	depot->max_digits = depot->nr_buckets / depot->first_buckets - 1;
	depot->ring_entries = geometry->ring_entries;
	depot->max_frames = geometry->max_frames;
	depot->save_frames = depot->read_only ? 0 : geometry->max_frames;
	depot->lease_ticks = geometry->lease_ticks;
	depot->line_bits = fls(geometry->lines);
	depot->nr_levels = depot_candidate_words(geometry->lines, depot->candidate_words);
	for (level = DEPOT_CANDIDATES_APART; level < depot->nr_levels; level++) {
		depot->candidates[level] = words;
		words += depot->candidate_words[level];
	}
	depot_hash_seed(depot, geometry->seed);
}

int depot_open(struct stackdepot *depot, void *memory, u64 bytes)
{
	struct depot_header *header = memory;
	struct depot_geometry geometry;

	/* Pairs with the release in depot_format(). */
	if (bytes < sizeof(*header) || (u64)atomic64_read_acquire(&header->magic) != DEPOT_MAGIC)
		return -EBADMSG;
	if (READ_ONCE(header->version) != DEPOT_VERSION ||
	    READ_ONCE(header->header_bytes) != sizeof(*header))
		return -EPROTONOSUPPORT;
	geometry_load(header, &geometry);
	if (!geometry_valid(&geometry, bytes))
		return -EBADMSG;
	geometry_view(depot, memory, &geometry);
	return 0;
}
