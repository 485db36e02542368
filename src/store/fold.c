/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * fold.c - make room: what processes left is added up, and their objects go.
 *
 * In this order, so that whoever is killed in it leaves nothing that counts twice, or not at all:
 * the figures of the process are added up while all of its entries are there, and from then on are
 * whole; then entries go one by one; then the figures go into the row of the command. The steps of
 * the last two are written down before (struct store_journal).
 */
#include <stddef.h>
#include <string.h>

#include "live.h"
#include "peak.h"
#include "reap.h"
#include "weight.h"

#define FOLD_OTHERS "(other programs)"
#define FOLD_ROWS_SHARE 4u /* of the slots may be rows */

struct fold_entry {
	struct store_entry *entry;
	uint64_t index; /* in the table */
	uint64_t key;
	uint64_t size;
	bool live;
	uint64_t objects; /* that it stands for, times 256, and that were left; may be none */
	stackdepot_ref_t trace;
};

static struct store_journal *fold_journal(const struct reaper *reaper)
{
	return &reaper->header->journal;
}

static void fold_done(struct reaper *reaper)
{
	__atomic_store_n(&fold_journal(reaper)->step, STORE_STEP_NONE, __ATOMIC_RELEASE);
}

/* --- the entries of a process ----------------------------------------------------------------- */

static void fold_read(const struct reaper *reaper, struct fold_entry *ret)
{
	const uint64_t value = __atomic_load_n(&ret->entry->value, __ATOMIC_RELAXED);
	const stackdepot_handle_t handle = (stackdepot_handle_t)value;
	const stackdepot_handle_t plain = stackdepot_set_extra_bits(handle, 0);

	ret->size = value >> 32;
	if (ret->size == ENTRY_LARGE)
		ret->size = store_large_size(reap_at(reaper, reaper->layout->larges_offset),
					     ret->key & ~ENTRY_FLAGS);
	ret->live = !(ret->key & (ENTRY_BUSY | ENTRY_HELD));
	ret->objects = ret->live ? weight_of(ret->size, stackdepot_get_extra_bits(handle)) : 0;
	/* What was killed in the middle of it may have any value. */
	ret->trace = plain && !(ret->key & ENTRY_BUSY) ? stackdepot_ref(reaper->depot, plain) : 0;
}

typedef void fold_visit(struct reaper *reaper, struct fold_entry *entry, void *context);

static void fold_part(struct reaper *reaper, uint32_t slot, uint32_t part, fold_visit *visit,
		      void *context)
{
	struct store_bucket *buckets = reap_at(reaper, reaper->layout->live_offset);
	const uint64_t each = (uint64_t)STORE_BUCKET_ENTRIES << reaper->layout->part_shift;
	const uint64_t all = (uint64_t)reaper->layout->buckets * STORE_BUCKET_ENTRIES;
	struct fold_entry entry = {.index = part * each};

	for (; entry.index < (part + 1) * each && entry.index < all; entry.index++) {
		entry.entry = &buckets[0].entry[0] + entry.index;
		entry.key = __atomic_load_n(&entry.entry->key, __ATOMIC_ACQUIRE);
		if (!entry.key || store_key_slot(entry.key) != slot)
			continue;
		fold_read(reaper, &entry);
		/* With a program that was replaced its memory went. */
		if (reap_process(reaper, slot)->state == STORE_REPLACED ||
		    store_is_mapping(entry.key))
			entry.objects = 0;
		visit(reaper, &entry, context);
	}
}

static void fold_entries(struct reaper *reaper, uint32_t slot, fold_visit *visit, void *context)
{
	const struct store_parts *parts =
		(const struct store_parts *)reap_at(reaper, reaper->layout->parts_offset) + slot;
	uint32_t part;

	for (part = store_next_part(parts, 0); part < STORE_PARTS;
	     part = store_next_part(parts, part + 1))
		fold_part(reaper, slot, part, visit, context);
}

static void fold_count_entry(struct reaper *reaper, struct fold_entry *entry, void *context)
{
	struct store_counts *counts = context;

	(void)reaper;
	counts->left_objects += entry->objects;
	counts->left_bytes += entry->objects * entry->size / 256;
}

/* --- by trace --------------------------------------------------------------------------------- */

/* The trace's own place, or one that is free, or whose trace is not there any more. */
static uint32_t fold_left_place(struct reaper *reaper, stackdepot_ref_t trace)
{
	const struct store_left *lefts = reap_at(reaper, reaper->layout->lefts_offset);
	const uint32_t nr = reaper->layout->lefts, home = store_left_home(trace, nr);
	uint32_t i, place, gone = nr;
	uintptr_t frame;

	for (i = 0; i < STORE_LEFT_PROBE; i++) {
		place = (home + i) % nr;
		if (!lefts[place].trace || lefts[place].trace == trace)
			return place;
		if (gone == nr &&
		    stackdepot_fetch_ref(reaper->depot, lefts[place].trace, &frame, 1) <= 0)
			gone = place;
	}
	return gone;
}

/* The entry goes, and its object is counted where the journal says. False: it had gone before. */
static bool fold_apply_left(struct reaper *reaper)
{
	const struct store_journal *journal = fold_journal(reaper);
	struct store_left *lefts = reap_at(reaper, reaper->layout->lefts_offset);
	struct store_bucket *buckets = reap_at(reaper, reaper->layout->live_offset);
	struct store_entry *entry = &buckets[0].entry[0] + journal->entry;
	uint64_t key = journal->key;

	if (journal->index < reaper->layout->lefts)
		lefts[journal->index] = journal->left;
	reaper->header->totals.left_objects = journal->rest_objects;
	reaper->header->totals.left_bytes = journal->rest_bytes;
	return __atomic_compare_exchange_n(&entry->key, &key, 0, false, __ATOMIC_RELEASE,
					   __ATOMIC_RELAXED);
}

/* Without a trace, or a place for it, it is one of the rest. */
static void fold_note_left(struct reaper *reaper, const struct fold_entry *entry)
{
	const struct store_left *lefts = reap_at(reaper, reaper->layout->lefts_offset);
	const uint64_t bytes = entry->objects * entry->size / 256;
	struct store_journal *journal = fold_journal(reaper);
	struct store_left *left = &journal->left;

	journal->entry = entry->index;
	journal->key = entry->key;
	journal->rest_objects = reaper->header->totals.left_objects;
	journal->rest_bytes = reaper->header->totals.left_bytes;
	journal->index = entry->objects && entry->trace ? fold_left_place(reaper, entry->trace)
							: reaper->layout->lefts;
	if (journal->index == reaper->layout->lefts) {
		journal->rest_objects += entry->objects;
		journal->rest_bytes += bytes;
	} else {
		*left = lefts[journal->index];
		if (left->trace != entry->trace) {
			journal->rest_objects += left->objects;
			journal->rest_bytes += left->bytes;
			*left = (struct store_left){.trace = entry->trace};
		}
		left->objects += entry->objects;
		left->bytes += bytes;
	}
	__atomic_store_n(&journal->step, STORE_STEP_LEFT, __ATOMIC_RELEASE);
}

static void fold_drop_entry(struct reaper *reaper, struct fold_entry *entry, void *context)
{
	const uint64_t place = entry->key & ~ENTRY_FLAGS;
	const uint32_t buckets = reaper->layout->buckets;
	const uint32_t bucket = (uint32_t)(entry->index / STORE_BUCKET_ENTRIES);
	uint8_t *overflow = reap_at(reaper, reaper->layout->overflow_offset);
	const uint8_t way = live_way(place, bucket, buckets);

	(void)context;
	fold_note_left(reaper, entry);
	(void)fold_apply_left(reaper);
	fold_done(reaper);
	if (way)
		live_displaced(&overflow[store_home_of_any(place, buckets)], way, false);
	if (entry->size >= ENTRY_LARGE)
		store_large_drop(reap_at(reaper, reaper->layout->larges_offset), place);
	if (entry->live && !store_is_mapping(entry->key))
		(void)__atomic_fetch_sub(&reaper->header->totals.live_objects, 1, __ATOMIC_RELAXED);
	if (entry->trace)
		stackdepot_put_bulk(reaper->depot, entry->trace, 1);
	else if (entry->key & ENTRY_BUSY)
		reaper->header->totals.uncertain++;
}

/* --- by command ------------------------------------------------------------------------------- */

/* Its command's first argument names a row, and how it ended: who became another program is not
 * one more process. */
static bool fold_is_row(const struct store_process *row, const char *command,
			const struct store_process *process)
{
	return row->stage == STORE_ROW && row->state == process->state &&
	       row->wait_status == process->wait_status &&
	       !strncmp(row->command, command, STORE_COMMAND_BYTES);
}

static uint32_t fold_find_row(const struct reaper *reaper, const char *command,
			      const struct store_process *process, uint32_t *ret_rows)
{
	uint32_t slot, found = reaper->layout->slots;

	*ret_rows = 0;
	for (slot = 0; slot < reaper->layout->slots; slot++) {
		const struct store_process *row = reap_process(reaper, slot);

		*ret_rows += row->stage == STORE_ROW;
		if (found == reaper->layout->slots && fold_is_row(row, command, process))
			found = slot;
	}
	return found;
}

static void fold_sum(struct store_process *row, const struct store_process *more)
{
	uint64_t *sums = &row->counts.allocs;
	const uint64_t *counts = &more->counts.allocs;
	const uint64_t threads_peak = row->counts.threads_peak;
	const uint64_t tool_peak = row->counts.tool_bytes_peak;
	size_t i;

	for (i = 0; i < STORE_COUNTS; i++)
		sums[i] += counts[i];
	row->counts.threads_peak =
		threads_peak > more->counts.threads_peak ? threads_peak : more->counts.threads_peak;
	row->counts.tool_bytes_peak =
		tool_peak > more->counts.tool_bytes_peak ? tool_peak : more->counts.tool_bytes_peak;
	row->processes += more->processes;
	row->flags |= more->flags & ~STORE_FLAG_LOCKED;
	row->heaps |= more->heaps;
	if (more->coarsest > row->coarsest)
		row->coarsest = more->coarsest;
	if (more->start_ns < row->start_ns)
		row->start_ns = more->start_ns;
	if (more->start_monotonic_ns < row->start_monotonic_ns)
		row->start_monotonic_ns = more->start_monotonic_ns;
	if (more->end_monotonic_ns > row->end_monotonic_ns)
		row->end_monotonic_ns = more->end_monotonic_ns;
}

static void fold_clear_parts(struct reaper *reaper, uint32_t slot)
{
	struct store_parts *parts =
		(struct store_parts *)reap_at(reaper, reaper->layout->parts_offset) + slot;

	memset(parts, 0, sizeof(*parts));
}

/*
 * Whoever finds it free may take it, so that is last. Its serial number stays until then: who is
 * killed in here is known by it not to have come to the end.
 */
static void fold_free(struct reaper *reaper, uint32_t slot)
{
	struct store_process *process = reap_process(reaper, slot);
	const size_t kept = offsetof(struct store_process, pid);
	const uint64_t owner = process->owner;

	fold_clear_parts(reaper, slot);
	memset((char *)process + kept, 0, sizeof(*process) - kept);
	__atomic_store_n(&process->stage, STORE_FREE, __ATOMIC_RELEASE);
	reap_disown(process, owner);
}

/* Not what was done before: the slot may be somebody's by now. */
static void fold_apply_row(struct reaper *reaper)
{
	const struct store_journal *journal = fold_journal(reaper);
	const struct store_process *from = reap_process(reaper, journal->slot);
	const bool is_there = from->stage == STORE_FOLDING && from->serial == journal->serial;

	if (journal->index == journal->slot && is_there)
		fold_clear_parts(reaper, journal->slot);
	if (is_there)
		peak_merge(reaper, journal->index, journal->slot);
	if (journal->index != journal->slot || is_there)
		*reap_process(reaper, journal->index) = journal->row;
	if (journal->index != journal->slot && is_there)
		fold_free(reaper, journal->slot);
}

/* Its own row, if there is none of its command and there are not too many. */
static void fold_note_row(struct reaper *reaper, uint32_t slot)
{
	const struct store_process *process = reap_process(reaper, slot);
	struct store_journal *journal = fold_journal(reaper);
	char command[STORE_COMMAND_BYTES];
	uint32_t rows, row;

	memcpy(command, process->command, sizeof(command));
	command[sizeof(command) - 1] = '\0';
	row = fold_find_row(reaper, command, process, &rows);
	if (row == reaper->layout->slots && rows >= reaper->layout->slots / FOLD_ROWS_SHARE) {
		strcpy(command, FOLD_OTHERS);
		row = fold_find_row(reaper, command, process, &rows);
	}
	journal->slot = slot;
	journal->serial = process->serial;
	journal->index = row < reaper->layout->slots ? row : slot;
	journal->row = *reap_process(reaper, journal->index);
	if (journal->index != slot)
		fold_sum(&journal->row, process);
	journal->row.stage = STORE_ROW;
	memset(journal->row.command, 0, sizeof(command));
	strcpy(journal->row.command, command);
	journal->row.command_bytes = (uint32_t)strlen(command) + 1;
	__atomic_store_n(&journal->step, STORE_STEP_ROW, __ATOMIC_RELEASE);
}

/* --- both ------------------------------------------------------------------------------------- */

static void fold_slot(struct reaper *reaper, uint32_t slot)
{
	struct store_process *process = reap_process(reaper, slot);

	reaper->header->folding = slot + 1;
	if (process->stage == STORE_CLOSED) {
		process->counts.left_objects = process->counts.left_bytes = 0;
		fold_entries(reaper, slot, fold_count_entry, &process->counts);
		peak_settle(reaper, slot);
		__atomic_store_n(&process->stage, STORE_FOLDING, __ATOMIC_RELEASE);
	}
	fold_entries(reaper, slot, fold_drop_entry, NULL);
	fold_note_row(reaper, slot);
	fold_apply_row(reaper);
	fold_done(reaper);
	reaper->header->folding = 0;
}

void reap_resume(struct reaper *reaper)
{
	const struct store_journal *journal = fold_journal(reaper);
	const uint32_t step = __atomic_load_n(&journal->step, __ATOMIC_ACQUIRE);
	const uint64_t entries = (uint64_t)reaper->layout->buckets * STORE_BUCKET_ENTRIES;
	const uint32_t slot = reaper->header->folding - 1;

	if (step == STORE_STEP_LEFT && journal->entry < entries &&
	    journal->index <= reaper->layout->lefts) {
		(void)fold_apply_left(reaper);
	} else if (step == STORE_STEP_ROW && journal->slot < reaper->layout->slots &&
		   journal->index < reaper->layout->slots) {
		fold_apply_row(reaper);
	}
	fold_done(reaper);
	if (slot < reaper->layout->slots && reap_process(reaper, slot)->stage == STORE_FOLDING)
		fold_slot(reaper, slot);
	reaper->header->folding = 0;
}

static bool fold_may_go(const struct reaper *reaper, const struct store_process *process)
{
	return process->stage == STORE_CLOSED &&
	       (!reaper->before_ns || process->end_monotonic_ns < reaper->before_ns);
}

/* The number below which a quarter of the closed ones lie, more or less; at least the oldest. */
static uint32_t fold_limit(const struct reaper *reaper)
{
	uint32_t slot, first = UINT32_MAX, last = 0;

	for (slot = 0; slot < reaper->layout->slots; slot++) {
		const struct store_process *process = reap_process(reaper, slot);

		if (!fold_may_go(reaper, process))
			continue;
		first = process->serial < first ? process->serial : first;
		last = process->serial > last ? process->serial : last;
	}
	return first <= last ? first + (last - first) / 4 : 0;
}

uint32_t reap_fold(struct reaper *reaper)
{
	const uint32_t limit = fold_limit(reaper);
	uint32_t slot, nr = 0;

	for (slot = 0; limit && slot < reaper->layout->slots; slot++) {
		const struct store_process *process = reap_process(reaper, slot);

		if (!fold_may_go(reaper, process) || process->serial > limit)
			continue;
		fold_slot(reaper, slot);
		nr++;
	}
	reaper->header->totals.folded += nr;
	return nr;
}
