/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* profile.c - which stores and processes are read as one, and what is said of all of them. */
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
#include "symbols/code_names.h"

/* --- stores ----------------------------------------------------------------------------------- */

/* The same file may have two names, or be named as FILE and as PID. */
static struct profile_store *profile_has(const struct profile *profile, const struct stat *st)
{
	size_t i;

	for (i = 0; i < profile->nr_stores; i++)
		if (profile->stores[i].device == st->st_dev &&
		    profile->stores[i].inode == st->st_ino)
			return &profile->stores[i];
	return NULL;
}

static void profile_append(struct profile *profile, struct profile_store store)
{
	store.symbols = symbols_add(profile->symbols, store.store);
	profile->stores = memory_realloc(profile->stores,
					 (profile->nr_stores + 1) * sizeof(*profile->stores));
	profile->stores[profile->nr_stores++] = store;
}

/* PATH is taken over. False, after a complaint, if it is no store. */
static bool profile_add(struct profile *profile, char *path, uint32_t pid)
{
	struct profile_store store = {.path = path, .pid = pid}, *had = NULL;
	struct stat st;
	int error = stat(path, &st) ? -errno : 0;

	if (!error)
		had = profile_has(profile, &st);
	if (had) {
		/* Two processes of one run, or all of them and one. */
		if (had->pid != pid)
			had->pid = 0;
		free(path);
		return true;
	}
	if (!error)
		error = stackdepot_store_open(path, &store.store);
	if (!error) {
		store.device = st.st_dev;
		store.inode = st.st_ino;
		profile_append(profile, store);
		return true;
	}
	complain("%s: %s", path, target_error(error));
	free(path);
	return false;
}

static bool profile_add_named(struct profile *profile, const struct targets *targets)
{
	uint32_t pid;
	size_t i;

	for (i = 0; i < targets->nr; i++) {
		char *path = target_path(targets->names[i], &pid);

		if (!path || !profile_add(profile, path, pid))
			return false;
	}
	return true;
}

/* --- processes -------------------------------------------------------------------------------- */

static bool process_is(const struct stackdepot_store_info *info, const char *wanted)
{
	const char *slash = strrchr(info->command, '/');

	if (wanted[strspn(wanted, "0123456789")] == '\0')
		return strtoul(wanted, NULL, 10) == info->pid;
	return !strcmp(wanted, slash ? slash + 1 : info->command);
}

static bool process_is_wanted(const struct profile *profile, const struct profile_store *store,
			      const struct stackdepot_store_info *info)
{
	if (store->pid && store->pid != info->pid)
		return false;
	return !profile->process || process_is(info, profile->process);
}

static int processes_by_start(const void *a, const void *b)
{
	const struct profile_process *left = a, *right = b;

	if (left->store != right->store)
		return left->store < right->store ? -1 : 1;
	return left->info.serial < right->info.serial ? -1 : left->info.serial > right->info.serial;
}

/* Of a number that was asked for, the youngest process is meant. */
static void profile_list_store(struct profile *profile, size_t number, size_t *room)
{
	struct profile_store *store = &profile->stores[number];
	const size_t first = profile->nr_processes;
	struct stackdepot_store_info info;
	uint64_t position = 0;

	while (stackdepot_store_next_process(store->store, &position, &info)) {
		const bool again = store->pid && profile->nr_processes > first;

		if (!process_is_wanted(profile, store, &info)) {
			profile->is_part = true;
			continue;
		}
		if (again && info.serial < profile->processes[first].info.serial)
			continue;
		profile->processes = memory_room(profile->processes, profile->nr_processes, room,
						 sizeof(*profile->processes));
		profile->nr_processes = again ? first : profile->nr_processes;
		profile->processes[profile->nr_processes++] =
			(struct profile_process){.store = number, .info = info};
	}
}

/* Of processes that were not listed before. Of most there is nothing. */
static void profile_name_code(struct profile *profile)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++) {
		const struct stackdepot_store_info *info = &profile->processes[i].info;
		struct profile_store *store = &profile->stores[profile->processes[i].store];
		struct code_names *code;

		if (info->serial <= store->named)
			continue;
		store->named = info->serial;
		code = code_names_of(store->path, info);
		if (code_names_time(code) > store->code_time)
			store->code_time = code_names_time(code);
		if (code_names_nr(code))
			symbols_made(store->symbols, info->serial, code);
		else
			code_names_close(code);
	}
}

static void profile_forget_processes(struct profile *profile)
{
	size_t i;

	for (i = 0; i < profile->nr_processes; i++)
		lost_found_free(&profile->processes[i].lost);
	free(profile->processes);
	profile->processes = NULL;
	profile->nr_processes = 0;
}

/* False, after a complaint, if there are none. */
static bool profile_list(struct profile *profile)
{
	size_t i, room = 0;

	profile_forget_processes(profile);
	profile->is_part = false;
	for (i = 0; i < profile->nr_stores; i++)
		profile_list_store(profile, i, &room);
	if (profile->nr_processes) {
		qsort(profile->processes, profile->nr_processes, sizeof(*profile->processes),
		      processes_by_start);
		profile_name_code(profile);
		return true;
	}
	if (profile->process)
		complain("%s: no process '%s' in it", profile->stores[0].path, profile->process);
	else
		complain("%s: no process in it was recorded", profile->stores[0].path);
	return false;
}

size_t profile_find(const struct profile *profile, size_t store, uint32_t serial)
{
	const struct profile_process key = {.store = store, .info.serial = serial};
	const struct profile_process *found =
		bsearch(&key, profile->processes, profile->nr_processes,
			sizeof(*profile->processes), processes_by_start);

	return found ? (size_t)(found - profile->processes) : profile->nr_processes;
}

size_t profile_running(const struct profile *profile)
{
	size_t i, nr = 0;

	for (i = 0; i < profile->nr_processes; i++)
		nr += alive_is_running(&profile->processes[i].info);
	return nr;
}

size_t profile_replaced(const struct profile *profile)
{
	size_t i, nr = 0;

	for (i = 0; i < profile->nr_processes; i++)
		if (profile->processes[i].info.state == STACKDEPOT_STORE_REPLACED)
			nr += profile->processes[i].info.processes;
	return nr;
}

/* --- what is said of all of them -------------------------------------------------------------- */

static void info_add(struct stackdepot_store_info *sum, const struct stackdepot_store_info *more)
{
	sum->processes += more->processes;
	sum->allocs += more->allocs;
	sum->alloc_bytes += more->alloc_bytes;
	sum->left_objects += more->left_objects;
	sum->left_bytes += more->left_bytes;
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
	if (more->threads_peak > sum->threads_peak)
		sum->threads_peak = more->threads_peak;
	sum->tool_bytes += more->tool_bytes;
	if (more->tool_bytes_peak > sum->tool_bytes_peak)
		sum->tool_bytes_peak = more->tool_bytes_peak;
	sum->cpu_ns += more->cpu_ns;
	sum->recorder_ns += more->recorder_ns;
	sum->flags |= more->flags & (STACKDEPOT_STORE_UNSEEN | STACKDEPOT_STORE_OFF);
}

/* What is the store's own. */
static void info_add_store(struct stackdepot_store_info *sum,
			   const struct stackdepot_store_info *more)
{
	sum->total_bytes += more->total_bytes;
	sum->live_entries += more->live_entries;
	sum->thinnings += more->thinnings;
	sum->modules_dropped += more->modules_dropped;
	sum->heaps_dropped += more->heaps_dropped;
	sum->processes_dropped += more->processes_dropped;
	sum->notes_dropped += more->notes_dropped;
	sum->starts_dropped += more->starts_dropped;
	sum->evicted_allocs += more->evicted_allocs;
	sum->evicted_bytes += more->evicted_bytes;
}

static void info_coarsest(struct stackdepot_store_info *sum,
			  const struct stackdepot_store_info *more)
{
	if (more->sample_now_bytes > sum->sample_now_bytes)
		sum->sample_now_bytes = more->sample_now_bytes;
	if (more->sample_bytes <= sum->sample_bytes)
		return;
	sum->sample_bytes = more->sample_bytes;
}

/* One that did not say so itself, for a system call of its own making: the next one is the same. */
static void profile_mark_replaced(struct profile *profile)
{
	size_t i, j;

	for (i = 0; i < profile->nr_processes; i++) {
		struct profile_process *process = &profile->processes[i];

		/* A row is of several. */
		if (process->info.processes > 1)
			continue;
		for (j = i + 1; j < profile->nr_processes && process->info.present != 1; j++)
			if (alive_is_same(&profile->processes[j].info, &process->info)) {
				process->info.state = STACKDEPOT_STORE_REPLACED;
				break;
			}
	}
}

/* Figures are estimates if those of one process are; the coarsest sampling is named. */
static void profile_sum_up(struct profile *profile)
{
	struct stackdepot_store_info *sum = &profile->info;
	size_t i;

	profile_mark_replaced(profile);
	*sum = profile->processes[0].info;
	for (i = 1; i < profile->nr_processes; i++) {
		info_coarsest(sum, &profile->processes[i].info);
		info_add(sum, &profile->processes[i].info);
	}
	for (i = 0; i < profile->nr_stores; i++) {
		struct stackdepot_store_info info;

		stackdepot_store_get_info(profile->stores[i].store, &info);
		info_coarsest(sum, &info);
		if (i)
			info_add_store(sum, &info);
	}
}

/* --- opening and closing ---------------------------------------------------------------------- */

static bool profile_read_all(struct profile *profile)
{
	profile_sum_up(profile);
	if (profile_read(profile))
		return true;
	complain("out of memory");
	return false;
}

/* Processes that have begun since are of the run, too; what was found lost stays. */
bool profile_refresh(struct profile *profile)
{
	return (profile->lost_only || profile_list(profile)) && profile_read_all(profile);
}

/* False after a complaint: nobody can say what will be. */
static bool profile_wait(const struct profile *profile, double seconds)
{
	struct timespec time = {.tv_sec = (time_t)seconds};
	size_t i;

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	for (i = 0; i < profile->nr_stores; i++) {
		const struct profile_store *store = &profile->stores[i];
		int error = stackdepot_store_mark(store->path, store->pid);

		if (!error)
			continue;
		complain("%s: %s", store->path, target_error(error));
		return false;
	}
	while (nanosleep(&time, &time) && errno == EINTR)
		;
	return true;
}

struct profile *profile_open(const struct targets *targets, const struct profile_filter *filter)
{
	struct profile *profile = memory_alloc(sizeof(*profile));

	profile->process = targets->process;
	profile->filter = filter;
	profile->symbols = targets->symbols ? symbols_share(targets->symbols) : symbols_open();
	profile->lost_only = targets->lost;
	profile->peak = targets->peak;
	profile->mapped = targets->mapped;
	profile->running_only = targets->running;
	profile->ended_only = targets->ended;
	if (profile_add_named(profile, targets) &&
	    (targets->interval <= 0 || profile_wait(profile, targets->interval)) &&
	    profile_list(profile) && (!profile->lost_only || profile_find_lost(profile)) &&
	    profile_read_all(profile))
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
	profile_forget_processes(profile);
	for (i = 0; i < profile->nr_stores; i++) {
		symbols_remove(profile->stores[i].symbols);
		stackdepot_store_close(profile->stores[i].store);
		free(profile->stores[i].path);
		free(profile->stores[i].peaks);
	}
	free(profile->stores);
	symbols_close(profile->symbols);
	free(profile);
}

/* --- sums ------------------------------------------------------------------------------------- */

struct profile_sums profile_total(const struct profile *profile)
{
	struct profile_sums sum = {0};
	size_t i;

	for (i = 0; i < profile->nr; i++)
		profile_sums_add(&sum, &profile->stacks[i].sums);
	return sum;
}

size_t profile_live(const struct profile *profile)
{
	size_t nr = 0;

	while (nr < profile->nr && profile->stacks[nr].sums.objects > 0)
		nr++;
	return nr;
}

/* --- keys ------------------------------------------------------------------------------------- */

static uint64_t key_compute(const struct symbol_frame *frame)
{
	uint64_t key = HASH_BASIS;
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

/* A frame is in many stacks. */
static uint64_t key_frame(struct symbol_frame *frame)
{
	if (!frame->key)
		frame->key = key_compute(symbols_frame(frame));
	return frame->key;
}

uint64_t profile_key(const struct profile_trace *trace)
{
	uint64_t key = HASH_BASIS;
	unsigned int i;

	for (i = 0; i < trace->nr; i++)
		key = hash_word(key, key_frame(trace->frames[i]));
	return trace->nr ? key : 0;
}
