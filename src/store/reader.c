/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * reader.c - open a store and hand out its records.
 *
 * The mapping is shared with a process that may be writing. A record is copied first and looked at
 * afterwards, so that what was checked is what is used.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reader.h"
#include "weight.h"
#include "reap.h"

static int reader_map(int fd, struct stackdepot_store *store)
{
	struct stat st;
	void *memory;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	/* Killed after it made the file, and before it gave it a size. */
	if (!st.st_size)
		return -ENODATA;
	if ((uint64_t)st.st_size < STORE_HEAD_BYTES)
		return -EBADMSG;
	memory = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	store->memory = memory;
	store->mapped_bytes = (uint64_t)st.st_size;
	return 0;
}

/* Is this a store, whole, of our version? Its numbers are copied before they are checked. */
static int reader_check(struct stackdepot_store *store)
{
	const struct store_header *header = store->memory;
	uint64_t total_bytes = header->total_bytes, events = header->corpus_events;
	uint64_t magic = __atomic_load_n(&header->magic, __ATOMIC_ACQUIRE);

	if (!magic && (!header->version || header->version == STORE_VERSION))
		return -ENODATA;
	if (magic != STORE_MAGIC)
		return -EBADMSG;
	if (header->version != STORE_VERSION || header->header_bytes != sizeof(*header))
		return -EPROTONOSUPPORT;
	if (total_bytes > store->mapped_bytes || store_plan(total_bytes, events, &store->layout))
		return -EBADMSG;
	store->total_bytes = total_bytes;
	store->corpus_events = events;
	return stackdepot_attach_at(store_at(store, store->layout.depot_offset),
				    store->layout.depot_bytes, &store->depot);
}

static int reader_open_fd(const char *path, int fd, struct stackdepot_store **ret_store)
{
	struct stackdepot_store *store = calloc(1, sizeof(*store));
	int error;

	if (!store)
		return -ENOMEM;
	store->extents = extents_open(path, fd);
	store->fd = -1;
	error = store->extents ? reader_map(fd, store) : -ENOMEM;
	if (!error)
		error = reader_check(store);
	if (error) {
		stackdepot_store_close(store);
		return error;
	}
	store->fd = fd;
	*ret_store = store;
	return 0;
}

int stackdepot_store_open(const char *path, struct stackdepot_store **ret_store)
{
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	error = reader_open_fd(path, fd, ret_store);
	if (error)
		(void)close(fd);
	return error;
}

void stackdepot_store_close(struct stackdepot_store *store)
{
	if (!store)
		return;
	stackdepot_destroy(store->depot);
	extents_close(store->extents);
	if (store->memory)
		(void)munmap((void *)(uintptr_t)store->memory, store->mapped_bytes);
	if (store->fd >= 0)
		(void)close(store->fd);
	free(store);
}

struct stackdepot *stackdepot_store_depot(struct stackdepot_store *store)
{
	return store->depot;
}

/* --- processes -------------------------------------------------------------------------------- */

/* What is copied once is what is used; the text ends whatever the file holds. */
static void reader_who(const struct store_process *process, struct stackdepot_store_info *info)
{
	info->serial = process->serial;
	info->processes = process->processes;
	info->heaps = process->heaps;
	info->pid = process->pid;
	info->parent = process->parent;
	info->serial = process->serial;
	info->start_ns = process->start_ns;
	info->start_monotonic_ns = process->start_monotonic_ns;
	info->end_monotonic_ns = process->end_monotonic_ns;
	info->pid_namespace = process->pid_namespace;
	info->start_ticks = process->start_ticks;
	info->recorder_end = process->recorder_end;
	info->state = process->state;
	info->wait_status = process->wait_status;
	info->flags = process->flags;
	memcpy(info->command, process->command, STORE_COMMAND_BYTES);
	info->command_bytes = process->command_bytes > STORE_COMMAND_BYTES ? STORE_COMMAND_BYTES
									   : process->command_bytes;
	/* In a hostile store the last word may have no end. */
	info->command[info->command_bytes] = '\0';
}

static void reader_add_counts(const struct store_counts *counts, struct stackdepot_store_info *info)
{
	info->allocs += (double)counts->allocs / 256;
	info->alloc_bytes += (double)counts->bytes;
	info->left_objects += (double)counts->left_objects / 256;
	info->left_bytes += (double)counts->left_bytes;
	info->unrecorded += counts->unrecorded;
	info->foreign_frees += counts->foreign_frees;
	info->doubts += counts->doubts;
	info->errors_seen += counts->errors_seen;
	info->errors_dropped += counts->errors_dropped;
	info->stackless += counts->stackless;
	info->nested += counts->nested;
	info->guarded += counts->guarded;
	info->quarantined += counts->quarantined;
	info->threads += counts->threads;
	if (counts->threads_peak > info->threads_peak)
		info->threads_peak = counts->threads_peak;
	info->tool_bytes += counts->tool_bytes;
	if (counts->tool_bytes_peak > info->tool_bytes_peak)
		info->tool_bytes_peak = counts->tool_bytes_peak;
	info->cpu_ns += counts->cpu_ns;
	info->recorder_ns += counts->recorder_ns;
}

/* Its own rate, if that is coarser than the one of all. */
static void reader_rate(const struct store_process *process, struct stackdepot_store_info *info)
{
	const uint64_t coarsest = weight_rate(process->coarsest % (ENTRY_MAX_RATE_CODE + 1));

	info->mode = (uint32_t)(process->control & STORE_MODE);
	info->mode_value = process->control >> STORE_MODE_SHIFT;
	if (!(process->sample_bytes & STORE_RATE_OFF) &&
	    process->sample_bytes > info->sample_now_bytes)
		info->sample_now_bytes = process->sample_bytes;
	if (coarsest > info->sample_bytes)
		info->sample_bytes = coarsest;
}

/* What a process's threads have not yet told; of all processes, if SLOT is none. */
static void reader_add_tallies(const struct stackdepot_store *store, uint32_t slot,
			       struct stackdepot_store_info *info)
{
	const struct store_tally_set *sets = store_at(store, store->layout.tallies_offset);
	const struct store_header *header = store->memory;
	uint32_t i, j;

	for (i = 0; i < store->layout.tally_sets; i++) {
		const uint32_t owner = header->tally_owners[i];

		if (!owner || (slot < store->layout.slots && owner != slot + 1))
			continue;
		for (j = 0; j < STORE_TALLIES; j++) {
			const struct store_tally tally = sets[i].tally[j];

			info->allocs += tally.trace ? (double)tally.allocs / 256 : 0;
			info->alloc_bytes += tally.trace ? (double)tally.bytes : 0;
		}
	}
}

static void reader_store_info(const struct stackdepot_store *store,
			      struct stackdepot_store_info *info)
{
	const struct store_header *header = store->memory;
	const struct store_totals *totals = &header->totals;

	info->total_bytes = store->total_bytes;
	info->live_entries = (uint64_t)store->layout.buckets * STORE_BUCKET_ENTRIES;
	info->sample_bytes = info->sample_now_bytes = header->sample_bytes;
	info->thinnings = totals->thinnings;
	info->modules_dropped = totals->modules_dropped;
	info->heaps_dropped = totals->heaps_dropped;
	info->processes_dropped = totals->processes_dropped;
	info->notes_dropped = totals->notes_dropped;
	info->starts_dropped = totals->starts_dropped;
	info->evicted_allocs = (double)totals->evicted_allocs / 256;
	info->evicted_bytes = (double)totals->evicted_bytes;
}

static void reader_heaps_info(const struct stackdepot_store *store,
			      struct stackdepot_store_info *info)
{
	const struct store_header *header = store->memory;
	const struct store_heap *heaps = store_run((struct store_header *)(uintptr_t)header)->heaps;
	unsigned int i;

	static_assert(STORE_HEAPS == STACKDEPOT_STORE_HEAPS, "the same in the file and outside");
	for (i = 0; i < STORE_HEAPS; i++) {
		struct stackdepot_store_heap *heap = &info->unseen[i];

		if (!(info->heaps >> i & 1))
			continue;
		memcpy(heap->allocator, heaps[i].allocator, sizeof(heaps[i].allocator));
		memcpy(heap->module, heaps[i].module, sizeof(heaps[i].module));
		heap->allocator[sizeof(heap->allocator) - 1] = '\0';
		heap->module[sizeof(heap->module) - 1] = '\0';
	}
}

static int32_t reader_present(const struct stackdepot_store *store, uint32_t slot,
			      const struct store_process *process)
{
	const struct store_header *header = store->memory;

	if (process->stage != STORE_OPEN)
		return 0;
	if (!header->locks_hold || !(process->flags & STORE_FLAG_LOCKED))
		return -1;
	return locks_slot_held(store->fd, slot);
}

/* A record of a process, copied; false if there is none. */
static bool reader_process(const struct stackdepot_store *store, uint32_t slot,
			   struct store_process *ret_process)
{
	const struct store_process *processes = store_at(store, store->layout.processes_offset);

	if (__atomic_load_n(&processes[slot].stage, __ATOMIC_ACQUIRE) == STORE_FREE)
		return false;
	memcpy(ret_process, &processes[slot], sizeof(*ret_process));
	return ret_process->serial && ret_process->stage != STORE_FREE &&
	       ret_process->stage <= STORE_ROW;
}

int stackdepot_store_next_process(struct stackdepot_store *store, uint64_t *position,
				  struct stackdepot_store_info *ret_info)
{
	while (*position < store->layout.slots) {
		const uint32_t slot = (uint32_t)(*position)++;
		struct store_process process;

		if (!reader_process(store, slot, &process))
			continue;
		memset(ret_info, 0, sizeof(*ret_info));
		reader_store_info(store, ret_info);
		reader_who(&process, ret_info);
		reader_add_counts(&process.counts, ret_info);
		reader_add_tallies(store, slot, ret_info);
		reader_heaps_info(store, ret_info);
		ret_info->present = reader_present(store, slot, &process);
		reader_rate(&process, ret_info);
		return 1;
	}
	return 0;
}

void stackdepot_store_get_info(struct stackdepot_store *store,
			       struct stackdepot_store_info *ret_info)
{
	struct stackdepot_store_info info;
	uint32_t slot, first = UINT32_MAX, processes = 0, heaps = 0, flags = 0;

	memset(&info, 0, sizeof(info));
	reader_store_info(store, &info);
	for (slot = 0; slot < store->layout.slots; slot++) {
		struct store_process process;

		if (!reader_process(store, slot, &process))
			continue;
		if (process.serial < first) {
			first = process.serial;
			reader_who(&process, &info);
		}
		reader_add_counts(&process.counts, &info);
		processes += process.processes;
		heaps |= process.heaps;
		flags |= process.flags & (STORE_FLAG_UNSEEN | STORE_FLAG_OFF);
		reader_rate(&process, &info);
	}
	reader_add_tallies(store, store->layout.slots, &info);
	info.processes = processes;
	info.heaps = heaps;
	info.flags |= flags;
	reader_heaps_info(store, &info);
	*ret_info = info;
}

static void reader_tags(const struct store_error *from, struct stackdepot_error *error)
{
	const unsigned int per_word = 64 / STORE_TAG_BITS;
	uint32_t i;

	if (!(error->flags & STACKDEPOT_ERROR_TAGGED))
		return;
	error->pointer_tag = from->pointer_tag & 15;
	error->memory_tag = from->memory_tag & 15;
	error->tags_start = from->tags_start;
	error->nr_tags =
		from->nr_tags < STACKDEPOT_ERROR_TAGS ? from->nr_tags : STACKDEPOT_ERROR_TAGS;
	for (i = 0; i < error->nr_tags; i++)
		error->tags[i] = from->tags[i / per_word] >> i % per_word * STORE_TAG_BITS & 15;
	error->nr_candidates =
		from->nr_candidates < STORE_CANDIDATES ? from->nr_candidates : STORE_CANDIDATES;
	for (i = 0; i < error->nr_candidates; i++)
		error->candidates[i] = (struct stackdepot_candidate){
			.object = from->candidates[i].object,
			.object_bytes = from->candidates[i].object_bytes,
			.alloc_trace = from->candidates[i].alloc_trace,
			.free_trace = from->candidates[i].free_trace,
			.alloc_thread = from->candidates[i].alloc_thread,
			.free_thread = from->candidates[i].free_thread,
			.flags = from->candidates[i].flags,
		};
}

int stackdepot_store_next_error(struct stackdepot_store *store, uint64_t *position,
				struct stackdepot_error *ret_error)
{
	const struct store_error *errors = store_at(store, store->layout.errors_offset);

	while (*position < store->layout.errors) {
		const struct store_error *from = &errors[(*position)++];
		struct stackdepot_error error = {
			.kind = __atomic_load_n(&from->kind, __ATOMIC_ACQUIRE),
			.flags = from->flags,
			.signal = from->signal,
			.thread = from->thread,
			.alloc_thread = from->alloc_thread,
			.free_thread = from->free_thread,
			.time_ns = from->time_ns,
			.alloc_ns = from->alloc_ns,
			.free_ns = from->free_ns,
			.address = from->address,
			.object = from->object,
			.object_bytes = from->object_bytes,
			.access_trace = from->access_trace,
			.alloc_trace = from->alloc_trace,
			.free_trace = from->free_trace,
			.value = from->value,
			.count = from->count,
			.process = from->process,
			.processes = from->processes,
			.pid = from->pid,
		};

		if (error.kind && error.kind < STACKDEPOT_ERROR_KINDS) {
			reader_tags(from, &error);
			*ret_error = error;
			return 1;
		}
	}
	return 0;
}
