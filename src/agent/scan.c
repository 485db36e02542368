/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * scan.c - a look at all stores: who runs, and what each process holds.
 *
 * Neither stacks nor symbols are read. The table of live objects is gone through once for each
 * store that a process runs in, which takes time by what is in it, not by how large it could be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/memory.h"
#include "base/status.h"
#include "profile/alive.h"
#include "record.h"
#include "scan.h"

struct scan_process {
	uint32_t serial;
	bool runs;
	struct record_process record;
};

struct scan_store {
	struct stackdepot_store *store;
	struct scan_process *processes; /* by serial number */
	size_t nr;
	size_t room;
	size_t last;   /* whose object came last */
	uint32_t gone; /* said to run, and does not */
	struct record record;
};

static bool scan_write(const struct record *record)
{
	const struct iovec whole = {(void *)(uintptr_t)record, sizeof(*record)};
	ssize_t done;

	do
		done = writev(STDOUT_FILENO, &whole, 1);
	while (done < 0 && errno == EINTR);
	return done == (ssize_t)sizeof(*record);
}

/* --- processes -------------------------------------------------------------------------------- */

static void scan_text(const char *text, char *ret_clean, size_t bytes)
{
	char *clean = clean_short(text, bytes - 1);

	snprintf(ret_clean, bytes, "%s", clean);
	free(clean);
}

static void scan_command(const struct stackdepot_store_info *info, char *command)
{
	char text[STACKDEPOT_STORE_COMMAND + 1];
	uint32_t i;

	memcpy(text, info->command, sizeof(text));
	for (i = 0; i + 1 < info->command_bytes; i++)
		if (!text[i])
			text[i] = ' ';
	scan_text(text, command, BOUND_COMMAND_BYTES);
}

/* Alone it goes where figures are kept for long: arguments may be secrets. */
static void scan_program(const struct stackdepot_store_info *info, char *program)
{
	const char *slash = strrchr(info->command, '/');

	scan_text(slash ? slash + 1 : info->command, program, BOUND_PROGRAM_BYTES);
}

static void scan_add_process(struct scan_store *scan, const struct stackdepot_store_info *info)
{
	struct scan_process *process;

	scan->processes =
		memory_room(scan->processes, scan->nr, &scan->room, sizeof(*scan->processes));
	process = &scan->processes[scan->nr++];
	*process = (struct scan_process){.serial = info->serial, .runs = alive_is_running(info)};
	if (!process->runs)
		return;
	scan_command(info, process->record.command);
	scan_program(info, process->record.program);
	process->record.pid = info->pid;
	process->record.serial = info->serial;
	process->record.start_ns = info->start_ns;
	process->record.sums = (struct record_sums){
		.allocations = info->allocs,
		.allocated_bytes = info->alloc_bytes,
		.recorder_bytes = (double)info->tool_bytes,
		.threads = (double)info->threads,
	};
}

static int scan_by_serial(const void *a, const void *b)
{
	const struct scan_process *left = a, *right = b;

	return left->serial < right->serial ? -1 : left->serial > right->serial;
}

static void scan_processes(struct scan_store *scan)
{
	struct record_store *record = &scan->record.store;
	struct stackdepot_store_info info;
	uint64_t position = 0;

	while (stackdepot_store_next_process(scan->store, &position, &info)) {
		scan_add_process(scan, &info);
		if (scan->processes[scan->nr - 1].runs) {
			record->running++;
			record->sums.recorder_bytes += (double)info.tool_bytes;
			record->sums.threads += (double)info.threads;
			continue;
		}
		record->ended += info.processes;
		scan->gone += info.state == STACKDEPOT_STORE_RUNNING && info.processes == 1;
	}
	if (scan->nr)
		qsort(scan->processes, scan->nr, sizeof(*scan->processes), scan_by_serial);
}

static struct scan_process *scan_find(struct scan_store *scan, uint32_t serial)
{
	const struct scan_process key = {.serial = serial};
	struct scan_process *found;

	if (!scan->nr)
		return NULL;
	if (scan->processes[scan->last].serial == serial)
		return &scan->processes[scan->last];
	found = bsearch(&key, scan->processes, scan->nr, sizeof(key), scan_by_serial);
	if (found)
		scan->last = (size_t)(found - scan->processes);
	return found;
}

/* --- figures ---------------------------------------------------------------------------------- */

static void scan_objects(struct scan_store *scan)
{
	struct record_sums *all = &scan->record.store.sums;
	struct stackdepot_object object;
	uint64_t position = 0;

	while (stackdepot_store_next_object(scan->store, &position, &object)) {
		struct scan_process *process = scan_find(scan, object.process);
		const double bytes = (double)object.size * object.weight;

		if (!process || !process->runs)
			continue;
		process->record.sums.live_bytes += bytes;
		process->record.sums.live_objects += object.weight;
		all->live_bytes += bytes;
		all->live_objects += object.weight;
	}
}

static void scan_errors(struct scan_store *scan)
{
	struct record_store *record = &scan->record.store;
	struct stackdepot_error error;
	uint64_t position = 0;

	while (stackdepot_store_next_error(scan->store, &position, &error)) {
		if (error.flags & STACKDEPOT_ERROR_DOUBTFUL)
			record->doubts += (double)error.count;
		else if (error.kind < STACKDEPOT_ERROR_KINDS)
			record->errors[error.kind] += error.count;
	}
}

static void scan_figures(struct scan_store *scan)
{
	struct record_store *record = &scan->record.store;
	struct stackdepot_store_info info;

	stackdepot_store_get_info(scan->store, &info);
	record->store_bytes = (double)info.total_bytes;
	record->sample_bytes = (double)info.sample_bytes;
	record->unrecorded = (double)info.unrecorded;
	record->sums.allocations = info.allocs;
	record->sums.allocated_bytes = info.alloc_bytes;
	record->errors_dropped = (double)info.errors_dropped;
}

/* --- stores ----------------------------------------------------------------------------------- */

static int scan_larger_first(const void *a, const void *b)
{
	const struct scan_process *left = a, *right = b;

	if (left->runs != right->runs)
		return left->runs ? -1 : 1;
	if (left->record.sums.live_bytes != right->record.sums.live_bytes)
		return left->record.sums.live_bytes > right->record.sums.live_bytes ? -1 : 1;
	return scan_by_serial(a, b);
}

static bool scan_tell(struct scan_store *scan)
{
	struct record_store *store = &scan->record.store;
	struct record record = {.kind = RECORD_PROCESS};
	uint32_t i;

	if (scan->nr)
		qsort(scan->processes, scan->nr, sizeof(*scan->processes), scan_larger_first);
	store->told = store->running < BOUND_PROCESSES ? store->running : BOUND_PROCESSES;
	scan->record.kind = RECORD_STORE;
	if (!scan_write(&scan->record))
		return false;
	for (i = 0; i < store->told; i++) {
		record.process = scan->processes[i].record;
		if (!scan_write(&record))
			return false;
	}
	return true;
}

static void scan_read(struct scan_store *scan, const char *name)
{
	struct record_store *record = &scan->record.store;

	record->error = stackdepot_store_open(name, &scan->store);
	if (record->error)
		return;
	scan_processes(scan);
	/* What ended processes left is not live. */
	if (record->running)
		scan_objects(scan);
	scan_errors(scan);
	scan_figures(scan);
	stackdepot_store_close(scan->store);
}

static bool scan_found(void *context, const struct find_store *found)
{
	const struct scan *all = context;
	struct scan_store scan = {.record.kind = RECORD_BEGIN};
	struct record_store *record = &scan.record.store;
	char name[64];
	bool good;

	snprintf(record->path, sizeof(record->path), "%s", found->path);
	record->device = found->st.st_dev;
	record->inode = found->st.st_ino;
	if (all->is_bad(all->context, record->device, record->inode)) {
		record->error = -EBADMSG;
		return scan_tell(&scan);
	}
	if (!scan_write(&scan.record))
		return false;
	snprintf(name, sizeof(name), "/proc/self/fd/%d", found->fd);
	scan_read(&scan, name);
	/*
	 * What a process that was killed left is put in order, if the store is one's own. That
	 * follows no link, so it wants the name; whatever that is by now is put in order as well.
	 */
	if (!record->error && scan.gone && found->st.st_uid == geteuid())
		(void)stackdepot_store_settle(found->path);
	good = scan_tell(&scan);
	free(scan.processes);
	return good;
}

int scan_run(const struct scan *scan)
{
	struct record end = {.kind = RECORD_END};

	find_stores(scan->places, scan->nr_places, scan_found, (void *)(uintptr_t)scan,
		    &end.counts);
	return scan_write(&end) ? STATUS_CLEAN : STATUS_FAILED;
}
