/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* profile.c - which stores are read as one, and what is said of all of them. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "alive.h"
#include "base/complain.h"
#include "base/hash.h"
#include "base/memory.h"
#include "lost_stacks.h"
#include "profile.h"
#include "read.h"
#include "stores.h"
#include "symbols/code_names.h"

/* --- processes -------------------------------------------------------------------------------- */

/* The same file may have two names, or be named as FILE and as PID. */
static bool profile_has(const struct profile *profile, const struct stat *st)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		if (profile->processes[i].device == st->st_dev &&
		    profile->processes[i].inode == st->st_ino)
			return true;
	return false;
}

static void profile_append(struct profile *profile, struct profile_process process)
{
	struct code_names *code = code_names_of(process.path, process.store);

	stackdepot_store_get_info(process.store, &process.info);
	process.code_time = code_names_time(code);
	process.symbols = symbols_add(profile->symbols, process.store);
	symbols_made(process.symbols, process.info.serial, code);
	profile->processes = memory_realloc(
		profile->processes, (profile->nr_processes + 1) * sizeof(*profile->processes));
	profile->processes[profile->nr_processes++] = process;
}

/* PATH is taken over. False, after a complaint unless that is not wanted, if it is no store. */
static bool profile_add(struct profile *profile, char *path, bool is_named)
{
	struct profile_process process = {.path = path, .is_named = is_named};
	struct stat st;
	int error = stat(path, &st) ? -errno : 0;

	if (!error && profile_has(profile, &st)) {
		free(path);
		return true;
	}
	if (!error)
		error = stackdepot_store_open(path, &process.store);
	if (!error) {
		process.device = st.st_dev;
		process.inode = st.st_ino;
		profile_append(profile, process);
		return true;
	}
	if (!profile->quiet)
		complain("%s: %s%s", path, target_error(error), is_named ? "" : "; it is left out");
	free(path);
	return false;
}

static int profile_by_path(const void *a, const void *b)
{
	const struct profile_process *left = a, *right = b;

	return strverscmp(left->path, right->path);
}

/* The other stores of the runs that the named ones are of. */
static void profile_add_others(struct profile *profile)
{
	size_t i, j, nr = profile->nr_processes;

	for (i = 0; i < nr; i++) {
		struct stores stores;

		if (!profile->processes[i].is_named)
			continue;
		stores_of_run(profile->processes[i].path, &stores);
		for (j = 0; j < stores.nr; j++)
			(void)profile_add(profile, memory_strdup(stores.path[j]), false);
		stores_free(&stores);
	}
	qsort(profile->processes, profile->nr_processes, sizeof(*profile->processes),
	      profile_by_path);
}

static bool profile_add_named(struct profile *profile, const struct targets *targets)
{
	size_t i;

	for (i = 0; i < targets->nr; i++) {
		char *path = target_path(targets->names[i]);

		if (!path || !profile_add(profile, path, true))
			return false;
	}
	if (profile->whole_run)
		profile_add_others(profile);
	return true;
}

size_t profile_running(const struct profile *profile)
{
	size_t i, nr = 0;

	for (i = 0; i < profile->nr_processes; i++)
		nr += alive_is_running(&profile->processes[i].info);
	return nr;
}

/* The store of what a process became by exec(); NULL if it is not among these. */
static const struct profile_process *profile_successor(const struct profile *profile,
						       const struct profile_process *process)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++) {
		const struct profile_process *other = &profile->processes[i];

		if (alive_is_same(&other->info, &process->info) &&
		    other->info.start_monotonic_ns > process->info.start_monotonic_ns)
			return other;
	}
	return NULL;
}

size_t profile_replaced(const struct profile *profile)
{
	size_t i, nr = 0;

	for (i = 0; i < profile->nr_processes; i++)
		nr += profile_successor(profile, &profile->processes[i]) != NULL;
	return nr;
}

/* --- what is said of all of them -------------------------------------------------------------- */

static void info_add(struct stackdepot_store_info *sum, const struct stackdepot_store_info *more)
{
	sum->total_bytes += more->total_bytes;
	sum->live_entries += more->live_entries;
	sum->thinnings += more->thinnings;
	sum->unrecorded += more->unrecorded;
	sum->foreign_frees += more->foreign_frees;
	sum->doubts += more->doubts;
	sum->errors_seen += more->errors_seen;
	sum->errors_dropped += more->errors_dropped;
	sum->stackless += more->stackless;
	sum->nested += more->nested;
	sum->guarded += more->guarded;
	sum->quarantined += more->quarantined;
	sum->threads += more->threads;
	sum->threads_peak += more->threads_peak;
	sum->tool_bytes += more->tool_bytes;
	sum->tool_bytes_peak += more->tool_bytes_peak;
	sum->modules_dropped += more->modules_dropped;
	sum->children += more->children;
	sum->children_unrecorded += more->children_unrecorded;
	sum->notes_dropped += more->notes_dropped;
	sum->starts_dropped += more->starts_dropped;
	sum->evicted_allocs += more->evicted_allocs;
	sum->evicted_bytes += more->evicted_bytes;
}

/* Figures are estimates if those of one process are; the coarsest sampling is named. */
static void profile_sum_up(struct profile *profile)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		stackdepot_store_get_info(profile->processes[i].store, &profile->processes[i].info);
	/* One that did not say so itself, for a system call of its own making. */
	for (i = 0; i < profile->nr_processes; i++)
		if (profile_successor(profile, &profile->processes[i]))
			profile->processes[i].info.state = STACKDEPOT_STORE_REPLACED;
	profile->info = profile->processes[0].info;
	for (i = 1; i < profile->nr_processes; i++) {
		const struct stackdepot_store_info *more = &profile->processes[i].info;

		if (more->sample_bytes > profile->info.sample_bytes) {
			profile->info.sample_bytes = more->sample_bytes;
			profile->info.sample_asked_bytes = more->sample_asked_bytes;
		}
		info_add(&profile->info, more);
	}
}

/* --- opening and closing ---------------------------------------------------------------------- */

/* Processes that have begun since are of the run, too; one that has not quite is there next time.
 */
bool profile_refresh(struct profile *profile)
{
	if (profile->stacks && profile->whole_run) {
		profile->quiet = true;
		profile_add_others(profile);
	}
	profile_sum_up(profile);
	if (profile_read(profile))
		return true;
	complain("out of memory");
	return false;
}

struct profile *profile_open(const struct targets *targets, const struct profile_filter *filter)
{
	struct profile *profile = memory_alloc(sizeof(*profile));

	profile->whole_run = targets->whole_run;
	profile->quiet = targets->quiet;
	profile->filter = filter;
	profile->symbols = targets->symbols ? symbols_share(targets->symbols) : symbols_open();
	profile->lost_only = targets->lost;
	if (profile_add_named(profile, targets) &&
	    (!profile->lost_only || profile_find_lost(profile)) && profile_refresh(profile))
		return profile;
	profile_close(profile);
	return NULL;
}

void profile_close(struct profile *profile)
{
	size_t i;

	if (!profile)
		return;
	profile_forget(profile);
	for (i = 0; i < profile->nr_processes; i++) {
		symbols_remove(profile->processes[i].symbols);
		lost_release(&profile->processes[i].lost);
		stackdepot_store_close(profile->processes[i].store);
		free(profile->processes[i].path);
	}
	free(profile->processes);
	symbols_close(profile->symbols);
	free(profile);
}

/* --- keys ------------------------------------------------------------------------------------- */

static uint64_t key_frame(uint64_t key, const struct symbol_frame *frame)
{
	char offset[32];
	size_t i;

	for (i = 0; i < frame->nr; i++)
		if (frame->lines[i].function)
			key = hash_text(key, frame->lines[i].function);
	if (frame->lines[0].function)
		return key;
	snprintf(offset, sizeof(offset), "+0x%llx", (unsigned long long)frame->offset);
	return hash_text(hash_text(key, frame->in ? frame->in->name : ""), offset);
}

uint64_t profile_key(const struct profile_trace *trace)
{
	uint64_t key = HASH_BASIS;
	unsigned int i;

	for (i = 0; i < trace->nr; i++)
		key = key_frame(key, symbols_frame(trace->frames[i]));
	return trace->nr ? key : 0;
}
