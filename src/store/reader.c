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
	error = store->extents ? reader_map(fd, store) : -ENOMEM;
	if (!error)
		error = reader_check(store);
	if (error)
		stackdepot_store_close(store);
	else
		*ret_store = store;
	return error;
}

int stackdepot_store_open(const char *path, struct stackdepot_store **ret_store)
{
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	error = reader_open_fd(path, fd, ret_store);
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
	free(store);
}

struct stackdepot *stackdepot_store_depot(struct stackdepot_store *store)
{
	return store->depot;
}

static void reader_process_info(const struct store_process *process, const char *command,
				struct stackdepot_store_info *info)
{
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
	info->command = command;
	info->command_bytes = process->command_bytes;
}

static void reader_count_info(const struct store_counts *counts, struct stackdepot_store_info *info)
{
	info->sample_bytes = counts->sample_bytes;
	info->thinnings = counts->thinnings;
	info->unrecorded = counts->unrecorded;
	info->foreign_frees = counts->foreign_frees;
	info->doubts = counts->doubts;
	info->errors_seen = counts->errors_seen;
	info->errors_dropped = counts->errors_dropped;
	info->stackless = counts->stackless;
	info->nested = counts->nested;
	info->guarded = counts->guarded;
	info->quarantined = counts->quarantined;
	info->threads = counts->threads;
	info->threads_peak = counts->threads_peak;
	info->tool_bytes = counts->tool_bytes;
	info->tool_bytes_peak = counts->tool_bytes_peak;
	info->modules_dropped = counts->modules_dropped;
	info->evicted_allocs = (double)counts->evicted_allocs / 256;
	info->evicted_bytes = (double)counts->evicted_bytes;
}

static void reader_heaps_info(const struct store_header *header, struct stackdepot_store_info *info)
{
	unsigned int i;

	static_assert(STORE_HEAPS == STACKDEPOT_STORE_HEAPS &&
			      sizeof(header->unseen) == sizeof(info->unseen),
		      "the same in the file and outside");
	memcpy(info->unseen, header->unseen, sizeof(info->unseen));
	for (i = 0; i < STORE_HEAPS; i++) {
		struct stackdepot_store_heap *heap = &info->unseen[i];

		heap->allocator[sizeof(heap->allocator) - 1] = '\0';
		heap->module[sizeof(heap->module) - 1] = '\0';
	}
}

void stackdepot_store_get_info(struct stackdepot_store *store,
			       struct stackdepot_store_info *ret_info)
{
	const struct store_header *header = store->memory;
	struct store_process process = header->process;
	struct stackdepot_store_info info;

	memset(&info, 0, sizeof(info));
	/* The text is copied once, its length within it, and ended whatever the file holds. */
	memcpy(store->command, process.command, sizeof(process.command));
	if (process.command_bytes > STORE_COMMAND_BYTES)
		process.command_bytes = STORE_COMMAND_BYTES;
	store->command[process.command_bytes] = '\0';
	reader_process_info(&process, store->command, &info);
	reader_count_info(&header->counts, &info);
	info.total_bytes = store->total_bytes;
	info.live_entries = (uint64_t)store->layout.buckets * STORE_BUCKET_ENTRIES;
	info.sample_asked_bytes = header->sample_bytes;
	reader_heaps_info(header, &info);
	info.children = header->children;
	info.children_unrecorded = header->children_unrecorded;
	info.notes_dropped = header->notes_dropped;
	info.starts_dropped = header->starts_dropped;
	*ret_info = info;
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
		};

		if (error.kind && error.kind < STACKDEPOT_ERROR_KINDS) {
			*ret_error = error;
			return 1;
		}
	}
	return 0;
}
