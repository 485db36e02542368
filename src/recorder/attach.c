/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * attach.c - the store of the run: found, or made by whoever comes first, and mapped.
 *
 * All processes of a run know it by its name: a program that was exec()ed has nothing else from its
 * parent. A forked child has its parent's mapping, and goes on with that; it opens the file again,
 * if it can, for the mapping to be its own: that is what tells how long it is there.
 *
 * Nobody writes to a store that another user could have made or changed.
 *
 * A store may be of another version: a service's outlives the upgrade of the recorder. If nobody is
 * at it, it goes aside, under a name of which there is one, and a new one is made. What has that
 * name and is no store stays, and nothing is recorded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "filter.h"
#include "options.h"
#include "process_limits.h"
#include "reap.h"
#include "recorder.h"
#include "say.h"

#define ATTACH_TRIES 2000u /* of a millisecond, for whoever makes the store */
#define ATTACH_ASIDE ".old"

static struct {
	dev_t device;
	ino_t inode;
} attached;

static int attach_open(const char *path)
{
	int fd = recorder_open(path, O_RDWR | O_NONBLOCK);

	if (fd == -ENOENT)
		fd = recorder_open(path, O_RDWR | O_CREAT | O_EXCL);
	return fd == -EEXIST ? recorder_open(path, O_RDWR | O_NONBLOCK) : fd;
}

static int attach_check_file(int fd, struct stat *ret_st)
{
	if (fstat(fd, ret_st))
		return -errno;
	if (!S_ISREG(ret_st->st_mode))
		return -EBADMSG;
	return ret_st->st_uid == geteuid() && !(ret_st->st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EPERM;
}

static void *attach_at(uint64_t offset)
{
	return (char *)recorder.header + offset;
}

static void attach_sections(void)
{
	const struct store_layout *layout = &recorder.layout;

	recorder.processes = attach_at(layout->processes_offset);
	recorder.modules = module_table_at(recorder.header, layout);
	recorder.errors = attach_at(layout->errors_offset);
	recorder.corpus = attach_at(layout->corpus_offset);
	recorder.buckets = attach_at(layout->live_offset);
	recorder.overflow = attach_at(layout->overflow_offset);
	recorder.larges = attach_at(layout->larges_offset);
	recorder.tally_sets = attach_at(layout->tallies_offset);
	recorder.counters = attach_at(layout->counters_offset);
}

/* --- making one ------------------------------------------------------------------------------- */

static int attach_make_depot(const struct store_layout *layout, struct store_header *header)
{
	const struct stackdepot_options options = {
		.max_bytes = layout->depot_bytes + STORE_PAGE_BYTES,
		.max_frames = (uint32_t)recorder.options.max_frames,
		.ring_entries = layout->ring_entries,
		.lines = layout->lines,
	};
	struct stackdepot *depot;
	int error = stackdepot_create_at(&options, (char *)header + layout->depot_offset, &depot);

	if (!error)
		stackdepot_destroy(depot);
	return error;
}

static int attach_fill(const char *path, int fd, uint64_t bytes, struct store_header *header)
{
	struct store_layout layout;
	int error = store_plan(bytes, recorder.options.corpus_events, &layout);

	header->version = STORE_VERSION;
	header->header_bytes = sizeof(*header);
	header->total_bytes = bytes;
	header->corpus_events = recorder.options.corpus_events;
	header->locks_hold = locks_last(path, fd);
	if (!error)
		error = attach_make_depot(&layout, header);
	if (!error)
		store_release(&header->magic, STORE_MAGIC);
	return error;
}

/* With its blocks: a full disk is found out here, not by a signal in the program. */
static int attach_make(const char *path, int fd)
{
	const uint64_t bytes = recorder.options.memory_bytes & ~(uint64_t)(STORE_PAGE_BYTES - 1);
	struct store_header *header;
	int error = limits_reserve(fd, bytes);

	if (!error) {
		header = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd,
			      0);
		error = header == MAP_FAILED ? -errno : 0;
		if (!error) {
			(void)madvise(header, bytes, MADV_RANDOM);
			error = attach_fill(path, fd, bytes, header);
			(void)munmap(header, bytes);
		}
	}
	if (error)
		(void)unlink(path);
	return error;
}

/* What the file is: 0 a store, -ENODATA nothing yet, or why it can not be taken. */
static int attach_look(int fd)
{
	struct store_header header = {0};
	const ssize_t length = pread(fd, &header, offsetof(struct store_header, total_bytes), 0);

	if (length < 0)
		return -errno;
	if (!length || (!header.magic && (!header.version || header.version == STORE_VERSION)))
		return -ENODATA;
	if (header.magic != STORE_MAGIC)
		return -EBADMSG;
	return header.version == STORE_VERSION && header.header_bytes == sizeof(header)
		       ? 0
		       : -EPROTONOSUPPORT;
}

/* Of several that begin at once one makes it, the others wait. */
static int attach_ready(const char *path, int fd, const struct stat *st)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	int error = attach_look(fd);
	unsigned int tries;

	for (tries = 0; error == -ENODATA && tries < ATTACH_TRIES; tries++) {
		int locked = locks_reaper(fd);

		if (locked != -EAGAIN) {
			error = attach_look(fd);
			/* A file of zeros that nobody is at is not ours. */
			if (error == -ENODATA)
				error = st->st_size ? -EBADMSG : attach_make(path, fd);
			locks_reaper_end(fd);
			return error;
		}
		(void)nanosleep(&moment, NULL);
		error = attach_look(fd);
	}
	return error;
}

/* --- mapping it ------------------------------------------------------------------------------- */

static int attach_map_head(int fd)
{
	struct stat st;
	void *memory;

	if (fstat(fd, &st) || (uint64_t)st.st_size < STORE_HEAD_BYTES)
		return -EBADMSG;
	memory = mmap(NULL, STORE_HEAD_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	recorder.head = memory;
	return 0;
}

static int attach_plan(int fd, uint64_t file_bytes)
{
	struct store_header header;
	const size_t wanted = offsetof(struct store_header, corpus_events) + sizeof(uint64_t);
	uint64_t bytes, events;

	if (pread(fd, &header, wanted, 0) != (ssize_t)wanted)
		return -EBADMSG;
	bytes = header.total_bytes;
	events = header.corpus_events;
	if (bytes > file_bytes || store_plan(bytes, events, &recorder.layout))
		return -EBADMSG;
	recorder.options.memory_bytes = bytes;
	recorder.options.corpus_events = events;
	return 0;
}

static int attach_map(int fd, const struct stat *st, void *where)
{
	const uint64_t bytes = recorder.options.memory_bytes;
	void *memory = mmap(where, bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_NORESERVE | (where ? MAP_FIXED : 0), fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	/* To read ahead of what is touched is most of the time that a start takes. */
	(void)madvise(memory, bytes, MADV_RANDOM);
	attached.device = st->st_dev;
	attached.inode = st->st_ino;
	recorder.header = recorder.head = memory;
	attach_sections();
	return 0;
}

/* --- pages that are gone ---------------------------------------------------------------------- */

static uint64_t attach_mapped_bytes(void)
{
	return recorder.header ? recorder.options.memory_bytes : STORE_HEAD_BYTES;
}

bool attach_has(const void *address)
{
	return recorder.head &&
	       (uintptr_t)address - (uintptr_t)recorder.head < attach_mapped_bytes();
}

bool attach_replace(const void *address)
{
	const uint64_t at = (uintptr_t)address - (uintptr_t)recorder.head;
	const uint64_t from = at - at % ATTACH_PIECE, left = attach_mapped_bytes() - from;
	void *piece = (char *)recorder.head + from;

	return filter_allows(FILTER_MMAP) &&
	       raw_call(SYS_mmap, piece, left < ATTACH_PIECE ? left : ATTACH_PIECE,
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
			0l) != -1;
}

bool attach_has_head(void)
{
	return filter_allows(FILTER_POPULATE) &&
	       !raw_call(SYS_madvise, recorder.head, (size_t)STORE_HEAD_BYTES, MADV_POPULATE_WRITE);
}

/* --- pages that will be needed ---------------------------------------------------------------- */

/* A bit for each piece; of a store that is larger some are left to faults. */
#define POPULATED_WORDS 256u
static uint64_t attach_populated[POPULATED_WORDS];

void attach_populate(const void *where)
{
	const uint64_t at = (uintptr_t)where - (uintptr_t)recorder.header;
	const uint64_t piece = at / ATTACH_PIECE, from = piece * ATTACH_PIECE;
	const uint64_t left = recorder.options.memory_bytes - from, bit = 1ull << piece % 64;
	uint64_t *word = &attach_populated[piece / 64 % POPULATED_WORDS];
	const int saved_errno = errno;

	if (load_relaxed(word) & bit || __atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit ||
	    !filter_allows(FILTER_POPULATE))
		return;
	(void)raw_call(SYS_madvise, (char *)recorder.header + from,
		       left < ATTACH_PIECE ? left : ATTACH_PIECE, MADV_POPULATE_WRITE);
	errno = saved_errno;
}

void attach_populate_ring(uint64_t position)
{
	const void *entry = stackdepot_ring_memory(recorder.depot, position);

	if (entry)
		attach_populate(entry);
}

static int attach_map_all(int fd)
{
	struct stat st;
	int error = fstat(fd, &st) ? -errno : attach_plan(fd, (uint64_t)st.st_size);

	if (!error)
		error = limits_memory(recorder.options.memory_bytes) ? -ENOMEM : 0;
	/* For a note, why. */
	if (error) {
		(void)attach_map_head(fd);
		return error;
	}
	error = attach_map(fd, &st, NULL);
	if (!error)
		error = stackdepot_join_at(attach_at(recorder.layout.depot_offset),
					   recorder.layout.depot_bytes, &recorder.depot);
	if (error && recorder.header)
		attach_leave();
	return error;
}

/*
 * What a service starts as root beside its own user (ExecStartPre=+) would make the store, and then
 * the service could not write to it.
 */
static bool attach_is_own_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char directory[RECORDER_PATH_BYTES] = ".";
	struct stat st;

	if (slash)
		*(char *)mempcpy(directory, path, (size_t)(slash - path) + 1) = '\0';
	return stat(directory, &st) || st.st_uid == geteuid();
}

/* Its file, with a store of this version in it. *RET_NEW: there was none. */
static int attach_file(const char *path, bool *ret_new, int *ret_fd)
{
	struct stat st;
	const int fd = attach_open(path);
	int error = fd < 0 ? fd : attach_check_file(fd, &st);

	if (!error) {
		*ret_new = !st.st_size;
		error = attach_ready(path, fd, &st);
	}
	*ret_fd = fd;
	return error;
}

static void attach_say_aside(const char *path)
{
	const char *name = program_invocation_name;

	say(name ? name : "?", ": ", path, " is of another version; it is " ATTACH_ASIDE " now",
	    NULL);
}

/*
 * Whatever has that name gives way only if it is an older store of this user's, which nobody is at.
 */
static int attach_may_replace(const char *aside)
{
	const int fd = recorder_open(aside, O_RDWR | O_NONBLOCK);
	struct stat st;
	int error;

	if (fd < 0)
		return fd == -ENOENT ? 0 : -EEXIST;
	error = attach_check_file(fd, &st);
	if (!error)
		error = attach_look(fd);
	if ((!error || error == -EPROTONOSUPPORT) && !locks_any_slot(fd))
		error = 0;
	else
		error = -EEXIST;
	(void)close(fd);
	return error;
}

/* 0: the file is there no more under this name, by us or by another one who saw it. */
static int attach_rename(const char *path, int fd)
{
	char aside[RECORDER_PATH_BYTES + sizeof(ATTACH_ASIDE)];
	struct stat st, here;
	int error;

	if (fstat(fd, &st))
		return -errno;
	if (stat(path, &here))
		return errno == ENOENT ? 0 : -errno;
	if (st.st_dev != here.st_dev || st.st_ino != here.st_ino)
		return 0;
	/* Where locks do not last nobody can tell. */
	if (!locks_last(path, fd) || locks_any_slot(fd))
		return -EPROTONOSUPPORT;
	(void)strcpy(stpcpy(aside, path), ATTACH_ASIDE);
	error = attach_may_replace(aside);
	if (error)
		return error;
	if (rename(path, aside))
		return -errno;
	attach_say_aside(path);
	return 0;
}

static int attach_set_aside(const char *path, int fd)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned int tries;
	int error = -EAGAIN;

	for (tries = 0; tries < ATTACH_TRIES && error == -EAGAIN; tries++) {
		error = locks_reaper(fd);
		if (error == -EAGAIN)
			(void)nanosleep(&moment, NULL);
	}
	if (!error) {
		error = attach_rename(path, fd);
		locks_reaper_end(fd);
	}
	return error == -EAGAIN ? -EPROTONOSUPPORT : error;
}

int attach_store(const char *path, bool head_only, int *ret_fd)
{
	bool new = false, aside = false;
	int error, fd;

	if (recorder.options.same_owner && !attach_is_own_directory(path))
		return -EUSERS;
	error = attach_file(path, &new, &fd);
	if (error == -EPROTONOSUPPORT && !head_only) {
		error = attach_set_aside(path, fd);
		aside = !error;
	}
	if (aside) {
		(void)close(fd);
		error = attach_file(path, &new, &fd);
	}
	if (!error)
		error = head_only && !new ? attach_map_head(fd) : attach_map_all(fd);
	if (!error && aside)
		attach_say_aside(path);
	if (!error)
		*ret_fd = fd;
	else if (fd >= 0)
		(void)close(fd);
	return error;
}

static int attach_reserve_all(int fd)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	int error = 0;
	unsigned int tries;

	for (tries = 0; load_acquire(&recorder.header->trimmed) && tries < ATTACH_TRIES; tries++) {
		if (locks_reaper(fd) == -EAGAIN) {
			(void)nanosleep(&moment, NULL);
			continue;
		}
		error = limits_reserve(fd, recorder.options.memory_bytes);
		if (!error)
			store_release(&recorder.header->trimmed, 0);
		locks_reaper_end(fd);
		break;
	}
	return load_relaxed(&recorder.header->trimmed) && !error ? -EBUSY : error;
}

int attach_reserve(int fd)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned int tries;

	for (tries = 0; locks_room(fd) == -EAGAIN && tries < ATTACH_TRIES; tries++)
		(void)nanosleep(&moment, NULL);
	return attach_reserve_all(fd);
}

void attach_reserved(int fd)
{
	locks_room_end(fd);
}

bool attach_is_same(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_dev == attached.device && st.st_ino == attached.inode;
}

int attach_again(const char *path)
{
	int fd = recorder_open(path, O_RDWR | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return fd;
	if (!attach_is_same(fd) || fstat(fd, &st) || attach_map(fd, &st, recorder.header)) {
		(void)close(fd);
		return -ENOENT;
	}
	memset(attach_populated, 0, sizeof(attach_populated));
	return fd;
}

void attach_part(const char *path)
{
	const int saved_errno = errno;
	int fd = recorder_open(path, O_RDWR | O_NONBLOCK);

	if (fd >= 0 && attach_is_same(fd))
		(void)mmap(recorder.header, recorder.options.memory_bytes, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_NORESERVE | MAP_FIXED, fd, 0);
	if (fd >= 0)
		(void)close(fd);
	errno = saved_errno;
}

void attach_leave(void)
{
	char *memory = (char *)recorder.header;

	stackdepot_destroy(recorder.depot);
	recorder.depot = NULL;
	recorder.header = NULL;
	recorder.process = NULL;
	(void)munmap(memory + STORE_HEAD_BYTES, recorder.options.memory_bytes - STORE_HEAD_BYTES);
}
