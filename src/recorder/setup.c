/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * setup.c - the store of this process, and the moment recording begins.
 *
 * Events may come before the C library is ready, from the loader itself. Recording begins at the
 * first event that finds an environment, or in our constructor. A forked child is noticed by a page
 * that the kernel clears in it (MADV_WIPEONFORK), which also sees forks that run no handlers and
 * does not take a vfork, where parent and child share their memory and their store, for one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "recorder.h"

enum { SETUP_NOT_YET, SETUP_UNDER_WAY, SETUP_DONE, SETUP_OFF };

struct recorder recorder;
static uint32_t setup_state;
static uint32_t setup_flags; /* of this process and its children */
static size_t setup_patched; /* bytes of memory that redirecting the program's malloc() took */

uint64_t recorder_now_ns(void)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void recorder_count(uint64_t *counter, uint64_t add)
{
	(void)fetch_add_relaxed(counter, add);
}

void recorder_count_tool(int64_t bytes)
{
	struct store_counts *counts = &recorder.header->counts;
	uint64_t now = fetch_add_relaxed(&counts->tool_bytes, (uint64_t)bytes) + (uint64_t)bytes;

	if (now > load_relaxed(&counts->tool_bytes_peak))
		store_relaxed(&counts->tool_bytes_peak, now);
}

static void *setup_at(uint64_t offset)
{
	return (char *)recorder.header + offset;
}

static int setup_map(int fd, uint64_t bytes)
{
	void *memory;

	/* With its blocks: a full disk is found out here, not by a signal in the program. */
	if (ftruncate(fd, (off_t)bytes))
		return -errno;
	if (fallocate(fd, 0, 0, (off_t)bytes) && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	/* All is empty: to read ahead of what is touched is most of the time that a start takes. */
	(void)madvise(memory, bytes, MADV_RANDOM);
	recorder.header = memory;
	return 0;
}

static void setup_sections(void)
{
	const struct store_layout *layout = &recorder.layout;

	recorder.modules = setup_at(layout->modules_offset);
	recorder.errors = setup_at(layout->errors_offset);
	recorder.corpus = setup_at(layout->corpus_offset);
	recorder.buckets = setup_at(layout->live_offset);
	recorder.overflow = setup_at(layout->overflow_offset);
	recorder.counters = setup_at(layout->counters_offset);
}

static int setup_depot(void)
{
	struct stackdepot_options options = {
		.max_bytes = recorder.layout.depot_bytes + STORE_PAGE_BYTES,
		.max_frames = (uint32_t)recorder.options.max_frames,
		.ring_entries = recorder.layout.ring_entries,
		.lines = recorder.layout.lines,
	};

	return stackdepot_create_at(&options, setup_at(recorder.layout.depot_offset),
				    &recorder.depot);
}

static void setup_command(struct store_process *process)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, process->command, STORE_COMMAND_BYTES);

	if (length > 0)
		process->command_bytes = (uint32_t)length;
	if (fd >= 0)
		(void)close(fd);
}

static void setup_process(struct store_process *process, uint32_t flags)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	process->pid = (uint32_t)getpid();
	process->parent = (uint32_t)getppid();
	process->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	process->start_monotonic_ns = recorder_now_ns();
	process->state = STORE_RUNNING;
	process->flags = flags | load_relaxed(&setup_flags);
	setup_command(process);
}

void setup_deepbind(void)
{
	store_relaxed(&setup_flags, STORE_FLAG_DEEPBIND);
	if (recorder_on())
		(void)__atomic_fetch_or(&recorder.header->process.flags, STORE_FLAG_DEEPBIND,
					__ATOMIC_RELAXED);
}

static int setup_fill(int fd, uint32_t flags)
{
	const uint64_t bytes = recorder.options.memory_bytes & ~(uint64_t)(STORE_PAGE_BYTES - 1);
	struct store_header *header;
	int error = store_plan(bytes, recorder.options.corpus_events, &recorder.layout);

	if (!error)
		error = setup_map(fd, bytes);
	if (error)
		return error;
	header = recorder.header;
	header->version = STORE_VERSION;
	header->header_bytes = sizeof(*header);
	header->total_bytes = bytes;
	header->corpus_events = recorder.options.corpus_events;
	setup_sections();
	setup_process(&header->process, flags);
	error = setup_depot();
	if (error) {
		(void)munmap(header, bytes);
		return error;
	}
	store_release(&header->magic, STORE_MAGIC);
	return 0;
}

#define SETUP_NAMES (2 * RECORDER_MAX_CHILDREN)

static int setup_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd < 0 ? -errno : fd;
}

/* FILE.PID, FILE.PID.2 and so on, for children and those who exec(). */
static int setup_create_child(char *path)
{
	char number[SAY_NUMBER_BYTES];
	char *end;
	unsigned int attempt;
	int fd;

	strcat(strcat(path, "."), say_number((uint64_t)getpid(), number));
	end = path + strlen(path);
	fd = setup_open(path);
	for (attempt = 2; fd == -EEXIST && attempt < SETUP_NAMES; attempt++) {
		strcpy(stpcpy(end, "."), say_number(attempt, number));
		fd = setup_open(path);
	}
	return fd;
}

/* FILE for the first of a run. */
static int setup_create(char *path, bool child)
{
	int fd = child ? -EEXIST : setup_open(path);

	if (fd != -EEXIST)
		return fd;
	fd = children_admit(path);
	return fd ? fd : setup_create_child(path);
}

static void setup_complain(const char *path, int error)
{
	const char *why =
		error == -EBADMSG ? "exists, and is not a store" : strerrordesc_np(-error);

	if (error != -ECHILD)
		say(path, ": ", why, "; the program is not recorded", NULL);
}

static int setup_store_at(const char *base, uint32_t flags)
{
	char path[RECORDER_PATH_BYTES + 2 * SAY_NUMBER_BYTES];
	int fd, error;

	strcpy(path, base);
	fd = setup_create(path, flags & STORE_FLAG_CHILD);
	if (fd < 0) {
		error = fd;
	} else {
		error = setup_fill(fd, flags);
		(void)close(fd);
		if (error)
			(void)unlink(path);
	}
	if (error)
		setup_complain(path, error);
	return error;
}

static bool setup_alive(void)
{
	uint32_t *page = mmap(NULL, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED || madvise(page, STORE_PAGE_BYTES, MADV_WIPEONFORK)) {
		say("no memory that a fork clears (Linux 4.14 has it); not recorded", NULL);
		return false;
	}
	*page = 1;
	recorder.alive = page;
	return true;
}

static bool setup_options(void)
{
	const char *text = getenv("STACKDEPOT_OPTIONS");

	options_default(&recorder.options);
	if (text && !options_parse(&recorder.options, text))
		return false;
	if (recorder.options.help)
		options_help();
	return true;
}

/* A program that brings its own malloc() and was linked to it statically never calls ours. */
static bool setup_is_called(void)
{
	const char *trouble;

	if (real_is_reached())
		return true;
	setup_patched = patch_program(&trouble);
	if (setup_patched)
		return true;
	say("the program contains a malloc() of its own that cannot be redirected (", trouble,
	    "); the program is not recorded", NULL);
	return false;
}

static bool setup_all(void)
{
	if (!setup_options() || !setup_is_called() || !setup_alive() || !thread_setup() ||
	    setup_store_at(recorder.options.store, 0))
		return false;
	recorder_count_tool((int64_t)setup_patched);
	stackdepot_unwind_setup();
	sample_setup();
	modules_setup();
	guard_setup();
	crash_setup();
	return true;
}

bool setup_begin(void)
{
	const int saved_errno = errno;
	uint32_t expected = SETUP_NOT_YET;
	bool done;

	if (load_acquire(&setup_state) != SETUP_NOT_YET || !environ || !real_resolve() ||
	    !__atomic_compare_exchange_n(&setup_state, &expected, SETUP_UNDER_WAY, false,
					 __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE))
		return false;
	done = setup_all();
	store_release(&recorder.ready, done);
	store_release(&setup_state, done ? SETUP_DONE : SETUP_OFF);
	errno = saved_errno;
	return done;
}

void setup_child(void)
{
	const int saved_errno = errno;
	uint32_t expected = 1;
	bool done;

	if (!__atomic_compare_exchange_n(&recorder.ready, &expected, 0, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_ACQUIRE))
		return;
	stackdepot_destroy(recorder.depot);
	(void)munmap(recorder.header, recorder.header->total_bytes);
	recorder.header = NULL;
	done = recorder.options.follow_children && setup_alive() &&
	       !setup_store_at(recorder.options.store, STORE_FLAG_CHILD);
	if (done) {
		sample_setup();
		modules_child();
		guard_child();
		thread_child();
	}
	store_release(&recorder.ready, done);
	if (!done)
		store_release(&setup_state, SETUP_OFF);
	errno = saved_errno;
}

static __attribute__((constructor)) void setup_constructor(void)
{
	jit_setup();
	/* The main thread may never allocate, and has a stack that can overflow. */
	if (setup_begin() || load_acquire(&recorder.ready))
		(void)thread_self();
}

static __attribute__((destructor)) void setup_destructor(void)
{
	if (!load_acquire(&recorder.ready) || !load_relaxed(recorder.alive))
		return;
	recorder.header->process.end_monotonic_ns = recorder_now_ns();
	store_release(&recorder.header->process.state, STORE_EXITING);
}
