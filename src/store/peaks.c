/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * peaks.c - the highest points of processes, as they are read.
 *
 * What a process has in the table may be more than what was taken of it: it has not come down yet,
 * or never did. Then that is its peak.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reader.h"
#include "weight.h"

#define PEAKS_TRIES 8

static const struct store_height *peaks_height(const struct stackdepot_store *store, uint32_t slot)
{
	return (const struct store_height *)store_at(store, store->layout.heights_offset) + slot;
}

static const struct store_taken *peaks_taken(const struct store_peak *peak, uint32_t *ret_now)
{
	*ret_now = __atomic_load_n(&peak->now, __ATOMIC_ACQUIRE) & 1;
	return &peak->taken[*ret_now];
}

/* What began after the mark was not told of it: all that it had is of the interval. */
static const struct store_peak *peaks_of(const struct store_process *process,
					 const struct store_height *height,
					 enum stackdepot_peak_of of)
{
	const bool young = !height->wanted && process->stage == STORE_OPEN;

	return &height->peaks[young ? STACKDEPOT_PEAK_LIFE : of];
}

/* --- of each process -------------------------------------------------------------------------- */

struct peaks_live {
	double bytes;
	double objects;
};

static struct peaks_live *peaks_live(struct stackdepot_store *store)
{
	struct peaks_live *live = calloc(store->layout.slots, sizeof(*live));
	struct stackdepot_object object;
	uint64_t position = 0;
	uint32_t slot;

	while (live && store_next_object(store, &position, &object, &slot)) {
		if (slot >= store->layout.slots)
			continue;
		live[slot].bytes += object.weight * (double)object.size;
		live[slot].objects += object.weight;
	}
	return live;
}

/*
 * What threads had and did not tell: the n-th to begin a step of 1/n, as a step is made smaller
 * then, but who does nothing does not notice.
 */
static double peaks_unseen(const struct store_process *process, const struct store_height *height)
{
	uint64_t threads = process->counts.threads_peak;
	double shares = 1;

	for (; threads > 1; threads /= 2)
		shares++;
	return (double)height->step_bytes * shares;
}

static struct stackdepot_peak peaks_one(const struct store_process *process,
					const struct store_height *height,
					enum stackdepot_peak_of of, const struct peaks_live *live)
{
	const struct store_peak *from = peaks_of(process, height, of);
	const bool begun = of == STACKDEPOT_PEAK_LIFE || height->begun == height->wanted;
	struct stackdepot_peak peak = {.serial = process->serial};
	struct store_taken taken;
	uint32_t now;

	taken = *peaks_taken(from, &now);
	if (!begun)
		taken = (struct store_taken){0};
	peak.bytes = begun ? (double)from->top_bytes : 0;
	peak.time_ns = begun ? from->top_ns : 0;
	peak.unseen_bytes = peaks_unseen(process, height);
	peak.taken_bytes = (double)taken.bytes;
	peak.taken_objects = (double)taken.objects / 256;
	peak.taken_ns = taken.time_ns;
	peak.unlisted_bytes = (double)taken.rest_bytes;
	peak.meanwhile_bytes = (double)taken.meanwhile;
	if (live->bytes > peak.taken_bytes) {
		peak.taken_bytes = live->bytes;
		peak.taken_objects = live->objects;
		peak.taken_ns = 0;
		peak.unlisted_bytes = peak.meanwhile_bytes = 0;
	}
	if (peak.taken_bytes > peak.bytes) {
		peak.bytes = peak.taken_bytes;
		peak.time_ns = peak.taken_ns;
	}
	return peak;
}

int stackdepot_store_peaks(struct stackdepot_store *store, enum stackdepot_peak_of of,
			   struct stackdepot_peak **ret_peaks, size_t *ret_nr)
{
	const struct store_process *processes = store_at(store, store->layout.processes_offset);
	struct stackdepot_peak *peaks = calloc(store->layout.slots, sizeof(*peaks));
	struct peaks_live *live = peaks ? peaks_live(store) : NULL;
	uint32_t slot;
	size_t nr = 0;

	if (!live) {
		free(peaks);
		return -ENOMEM;
	}
	for (slot = 0; slot < store->layout.slots; slot++) {
		const struct store_process process = processes[slot];

		if (process.stage == STORE_FREE || !process.serial)
			continue;
		peaks[nr] = peaks_one(&process, peaks_height(store, slot), of, &live[slot]);
		nr += peaks[nr].bytes > 0;
	}
	free(live);
	*ret_peaks = peaks;
	*ret_nr = nr;
	return 0;
}

/* --- by stack --------------------------------------------------------------------------------- */

static const struct stackdepot_peak *peaks_find(const struct stackdepot_peak *peaks, size_t nr,
						uint32_t serial)
{
	size_t i;

	for (i = 0; i < nr && peaks[i].serial != serial; i++)
		;
	return i < nr ? &peaks[i] : NULL;
}

static struct stackdepot_stack *peaks_line(struct store_sums *sums, uint64_t trace)
{
	const uint32_t line = (uint32_t)trace;
	uintptr_t frame;

	if (!trace || line > sums->lines ||
	    stackdepot_fetch_ref(sums->store->depot, trace, &frame, 1) <= 0 ||
	    (sums->by_line[line].trace && sums->by_line[line].trace != trace))
		return &sums->by_line[0];
	sums->by_line[line].trace = trace;
	return &sums->by_line[line];
}

/*
 * Of s bytes that were sampled at a rate of R the variance is s * R at most, and nearly that if
 * the objects are small: w (w - 1) s^2 with w = 1 / (1 - exp(-s / R)).
 */
static void peaks_add(struct store_sums *sums, uint64_t trace, double objects, double bytes,
		      unsigned int code)
{
	struct stackdepot_stack *stack = peaks_line(sums, trace);
	const double rate = (double)weight_rate(code), each = objects > 0 ? bytes / objects : 0;

	stack->objects += objects;
	stack->bytes += bytes;
	stack->bytes_variance += bytes * rate;
	stack->objects_variance += each > 0 ? objects * rate / each : 0;
}

/* Copied first: the process may take anew meanwhile, and gives the list up. False: it did. */
static bool peaks_try(struct store_sums *sums, const struct store_peak *peak,
		      struct store_peak_stack *copy)
{
	const struct store_layout *layout = &sums->store->layout;
	const struct store_peak_stack *stacks = store_at(sums->store, layout->peak_stacks_offset);
	uint32_t now, number, i, again, nr = 0;
	const struct store_taken taken = *peaks_taken(peak, &now);

	for (number = taken.first;
	     number && number <= layout->peak_stacks && nr < taken.nr && nr < layout->peak_stacks;
	     number = copy[nr++].next)
		copy[nr] = stacks[number - 1];
	(void)peaks_taken(peak, &again);
	if (again != now)
		return false;
	peaks_add(sums, 0, (double)taken.rest_objects / 256, (double)taken.rest_bytes, 0);
	for (i = 0; i < nr; i++)
		peaks_add(sums, copy[i].trace, (double)copy[i].objects / 256, (double)copy[i].bytes,
			  copy[i].owner >> PEAK_RATE_SHIFT & ENTRY_MAX_RATE_CODE);
	return true;
}

static int peaks_slot(struct store_sums *sums, uint32_t slot, enum stackdepot_peak_of of)
{
	const struct store_process *processes =
		store_at(sums->store, sums->store->layout.processes_offset);
	const struct store_peak *peak =
		peaks_of(&processes[slot], peaks_height(sums->store, slot), of);
	struct store_peak_stack *copy =
		calloc((size_t)sums->store->layout.peak_stacks + 1, sizeof(*copy));
	unsigned int i;

	for (i = 0; copy && i < PEAKS_TRIES && !peaks_try(sums, peak, copy); i++)
		;
	free(copy);
	return copy ? 0 : -ENOMEM;
}

static bool peaks_are_wanted(const struct store_sums *sums, uint32_t serial)
{
	return !sums->select || sums->select(sums->context, serial);
}

/* Those that have their most in the table. */
static void peaks_add_table(struct store_sums *sums, const char *in_table)
{
	struct stackdepot_object object;
	uint64_t position = 0;
	uint32_t slot;

	while (store_next_object(sums->store, &position, &object, &slot))
		if (slot < sums->store->layout.slots && in_table[slot])
			store_add_object(sums, &object);
}

static int peaks_add_all(struct store_sums *sums, enum stackdepot_peak_of of,
			 const struct stackdepot_peak *peaks, size_t nr, char *in_table)
{
	const struct store_process *processes =
		store_at(sums->store, sums->store->layout.processes_offset);
	uint32_t slot;
	int error = 0;

	for (slot = 0; slot < sums->store->layout.slots && !error; slot++) {
		const uint32_t serial = processes[slot].serial;
		const struct stackdepot_peak *peak;

		if (processes[slot].stage == STORE_FREE || !serial)
			continue;
		peak = peaks_find(peaks, nr, serial);
		if (!peak || !peaks_are_wanted(sums, serial))
			continue;
		in_table[slot] = !peak->taken_ns;
		if (peak->taken_ns)
			error = peaks_slot(sums, slot, of);
	}
	if (!error)
		peaks_add_table(sums, in_table);
	return error;
}

int stackdepot_store_peak_stacks(struct stackdepot_store *store, enum stackdepot_peak_of of,
				 const struct stackdepot_peak *peaks, size_t nr,
				 stackdepot_select_fn *select, void *context,
				 struct stackdepot_stack **ret_stacks, size_t *ret_nr)
{
	struct store_sums sums;
	int error = store_sums_begin(store, select, context, &sums);
	char *in_table = error ? NULL : calloc(store->layout.slots, 1);

	if (error)
		return error;
	error = in_table ? peaks_add_all(&sums, of, peaks, nr, in_table) : -ENOMEM;
	free(in_table);
	if (error)
		free(sums.by_line);
	else
		store_sums_end(&sums, ret_stacks, ret_nr);
	return error;
}
