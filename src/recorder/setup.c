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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "filter.h"
#include "heaps.h"
#include "recorder.h"

enum { SETUP_NOT_YET, SETUP_UNDER_WAY, SETUP_DONE, SETUP_OFF };

struct recorder recorder;
static uint32_t setup_state;
static const char *setup_trouble; /* why this process is not to be recorded */

/*
 * A child of vfork() has the page as its parent has it, with the parent's number. A forked one
 * finds it cleared until it has a store.
 */
bool recorder_is_borrowed(void)
{
	uint32_t *owner = (uint32_t *)(uintptr_t)recorder.alive + 1, none = 0, process;

	if (!recorder.alive || !filter_allows(FILTER_GETPID))
		return false;
	process = (uint32_t)getpid();
	return !__atomic_compare_exchange_n(owner, &none, process, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED) &&
	       none != process;
}

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
	/* With its blocks: a full disk is found out here, not by a signal in the program. */
	int error = limits_reserve(fd, bytes);
	void *memory;

	if (error)
		return error;
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

	recorder.modules = module_table_at(recorder.header, layout);
	recorder.serial = 1;
	recorder.errors = setup_at(layout->errors_offset);
	recorder.corpus = setup_at(layout->corpus_offset);
	recorder.buckets = setup_at(layout->live_offset);
	recorder.overflow = setup_at(layout->overflow_offset);
	recorder.tallies = setup_at(layout->tallies_offset);
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

static ssize_t setup_read(const char *path, char *text, size_t bytes)
{
	int fd = setup_open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, bytes);

	if (fd >= 0)
		(void)close(fd);
	return length;
}

static void setup_command(struct store_process *process)
{
	ssize_t length = setup_read("/proc/self/cmdline", process->command, STORE_COMMAND_BYTES);

	if (length > 0)
		process->command_bytes = (uint32_t)length;
}

/* The process's start, and the name space that its number is of. */
static void setup_identity(struct store_process *process)
{
	ssize_t length;
	struct stat st;
	char text[512];
	const char *at;
	int field;

	if (!stat("/proc/self/ns/pid", &st))
		process->pid_namespace = st.st_ino;
	length = setup_read("/proc/self/stat", text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	/* The name of the program may have anything in it: the last ")" ends it, in field 2. */
	at = strrchr(text, ')');
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	for (at = at ? at + 1 : ""; *at >= '0' && *at <= '9'; at++)
		process->start_ticks = process->start_ticks * 10 + (uint64_t)(*at - '0');
}

/* The linker's: where the last of our variables ends. */
extern const char _end[] __attribute__((visibility("hidden")));

static void setup_process(struct store_process *process, uint32_t flags)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	process->pid = (uint32_t)getpid();
	process->parent = (uint32_t)getppid();
	process->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	process->start_monotonic_ns = recorder_now_ns();
	process->state = STORE_RUNNING;
	process->flags = flags;
	process->serial = recorder.serial;
	process->recorder_end = (uintptr_t)_end;
	setup_command(process);
	setup_identity(process);
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
		children_leave_store();
		return error;
	}
	store_release(&header->magic, STORE_MAGIC);
	if (!recorder.first)
		recorder.first = header;
	return 0;
}

#define SETUP_NAMES (2 * RECORDER_MAX_CHILDREN)

int setup_open(const char *path, int flags)
{
	int high, fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);

	/* Who finds one of the standard descriptors closed expects it to stay so. */
	if (fd < 0 || fd > STDERR_FILENO)
		return fd < 0 ? -errno : fd;
	high = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (high < 0)
		high = -errno;
	(void)close(fd);
	return high;
}

static int setup_create_file(const char *path)
{
	return setup_open(path, O_RDWR | O_CREAT | O_EXCL);
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
	fd = setup_create_file(path);
	for (attempt = 2; fd == -EEXIST && attempt < SETUP_NAMES; attempt++) {
		strcpy(stpcpy(end, "."), say_number(attempt, number));
		fd = setup_create_file(path);
	}
	return fd;
}

/* FILE for the first of a run. */
static int setup_create(char *path, bool child)
{
	int fd = child ? -EEXIST : setup_create_file(path);

	if (fd != -EEXIST)
		return fd;
	fd = children_join(path);
	if (!fd && !child)
		exec_arrived();
	if (!fd)
		fd = setup_trouble ? -ECANCELED : children_admit();
	return fd ? fd : setup_create_child(path);
}

static const char *setup_why(int error)
{
	switch (error) {
	case -EBADMSG:
		return "exists, and is not a store";
	case -EFBIG:
		return "larger than files may be here (RLIMIT_FSIZE)";
	case -ECANCELED:
		return setup_trouble;
	}
	return strerrordesc_np(-error);
}

/* Told by file and reason, without a number, so that many of one kind are one line. */
static void setup_complain(const char *path, uint32_t flags, int error)
{
	const char *name = program_invocation_name;

	if (error == -ECHILD)
		return;
	say(name ? name : "?", flags & STORE_FLAG_CHILD ? ", forked" : "",
	    ": not recorded: ", error == -ECANCELED ? "" : path, error == -ECANCELED ? "" : ": ",
	    setup_why(error), NULL);
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
		setup_complain(base, flags, error);
	return error;
}

static bool setup_alive(void)
{
	static uint32_t *page; /* a forked child has the same, cleared */
	void *memory = page;

	if (!page) {
		memory = mmap(NULL, STORE_PAGE_BYTES, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (memory == MAP_FAILED || madvise(memory, STORE_PAGE_BYTES, MADV_WIPEONFORK)) {
			setup_trouble = "no memory that a fork clears (Linux 4.14 has it)";
			return false;
		}
	}
	page = memory;
	page[0] = 1;
	page[1] = (uint32_t)getpid();
	recorder.alive = page;
	return true;
}

static void setup_options(void)
{
	options_default(&recorder.options);
	if (!options_parse(&recorder.options, environment_options()))
		setup_trouble = recorder.options.trouble;
	if (recorder.options.help)
		options_help();
	if (!setup_trouble)
		setup_trouble = limits_memory(recorder.options.memory_bytes);
	/* For the note, if this is the first of the run; then nothing else is in it. */
	if (setup_trouble) {
		recorder.options.memory_bytes = STORE_MIN_BYTES;
		recorder.options.corpus_events = 0;
	}
}

/* A program that brings its own malloc() and was linked to it statically never calls ours. */
static bool setup_is_called(void)
{
	static char text[256];
	const char *trouble;

	if (heaps_setup(&trouble))
		return true;
	(void)snprintf(text, sizeof(text),
		       "it contains a malloc() of its own that cannot be redirected (%s)", trouble);
	setup_trouble = text;
	return false;
}

/* The store stays for what it says of itself, and for the notes of the run. */
static bool setup_give_up(void)
{
	recorder.header->process.flags |= STORE_FLAG_UNRECORDED;
	setup_complain(recorder.options.store, 0, -ECANCELED);
	stackdepot_destroy(recorder.depot);
	children_leave_store();
	return false;
}

static bool setup_all(void)
{
	setup_options();
	if (setup_trouble && recorder.options.to_stderr) {
		setup_complain(recorder.options.store, 0, -ECANCELED);
		return false;
	}
	if (setup_store_at(recorder.options.store, 0))
		return false;
	if (setup_trouble || !setup_is_called() || !setup_alive() || !thread_setup())
		return setup_give_up();
	recorder_count_tool((int64_t)heaps_bytes());
	heaps_tell();
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
	recorder.begun = true;
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
	children_leave_store();
	done = recorder.options.follow_children && filter_allows(FILTER_STORE);
	if (done) {
		setup_trouble = limits_memory(recorder.options.memory_bytes);
		done = setup_alive() && !setup_store_at(recorder.options.store, STORE_FLAG_CHILD);
	}
	if (done) {
		heaps_tell();
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
	environment_setup();
	jit_setup();
	/* The main thread may never allocate, and has a stack that can overflow. */
	if (setup_begin() || load_acquire(&recorder.ready))
		(void)thread_self();
	exec_setup();
}

static __attribute__((destructor)) void setup_destructor(void)
{
	if (!load_acquire(&recorder.ready) || !load_relaxed(recorder.alive))
		return;
	recorder.header->process.end_monotonic_ns = recorder_now_ns();
	store_release(&recorder.header->process.state, STORE_EXITING);
}
