/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * setup.c - the moment recording begins.
 *
 * Events may come before the C library is ready, from the loader itself. Recording begins at the
 * first event that finds an environment, or in our constructor. A forked child is noticed by a page
 * that the kernel clears in it (MADV_WIPEONFORK), which also sees forks that run no handlers and
 * does not take a vfork, where parent and child share their memory and their slot, for one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "crash.h"
#include "environment.h"
#include "exec.h"
#include "exit.h"
#include "filter.h"
#include "guard.h"
#include "heaps.h"
#include "maps.h"
#include "modules.h"
#include "options.h"
#include "process_limits.h"
#include "recorder.h"
#include "sample.h"
#include "say.h"
#include "slot.h"
#include "thread.h"

enum { SETUP_NOT_YET, SETUP_UNDER_WAY, SETUP_DONE, SETUP_OFF };

static uint32_t setup_state;
static const char *setup_trouble; /* why this process is not to be recorded */

static const char *setup_why(int error)
{
	switch (error) {
	case -EBADMSG:
		return "exists, and is not a store";
	case -EPROTONOSUPPORT:
		return "is a store of another version, and a process is recorded in it";
	case -EEXIST:
		return "is a store of another version, and what has its name with .old is no "
		       "store, or in use";
	case -EPERM:
		return "is another user's, or others may write to it";
	case -EUSERS:
		return "is in another user's directory, and same-owner= is set";
	case -EFBIG:
		return "larger than files may be here (RLIMIT_FSIZE)";
	case -EAGAIN:
		return "has no room for one process more at a time; a larger one has (memory=)";
	case -ECANCELED:
		return setup_trouble;
	}
	return strerrordesc_np(-error);
}

/* Told by file and reason, without a number, so that many of one kind are one line. */
static void setup_complain(uint32_t flags, int error)
{
	const char *path = recorder.options.store, *name = program_invocation_name;

	say(name ? name : "?", flags & STORE_FLAG_CHILD ? ", forked" : "",
	    ": not recorded: ", error == -ECANCELED ? "" : path, error == -ECANCELED ? "" : ": ",
	    setup_why(error), NULL);
}

/* The store, and a slot in it; if there is trouble, for what is to be said of it. */
static int setup_store(void)
{
	int fd, error = attach_store(recorder.options.store, setup_trouble, &fd);

	if (error)
		return error;
	exec_arrived();
	if (recorder.header) {
		error = attach_reserve(fd);
		if (!error)
			error = slot_begin(fd, 0, NULL);
		attach_reserved(fd);
	}
	(void)close(fd);
	return error;
}

static bool setup_alive(void)
{
	static struct recorder_life *page; /* a forked child has the same, cleared */
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
	page->here = 1;
	page->pid = (uint32_t)getpid();
	recorder_life = page;
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

/* The slot stays for what it says of the process, and the head of the store for notes. */
static bool setup_give_up(int error)
{
	if (recorder.process)
		recorder.process->flags |= STORE_FLAG_UNRECORDED;
	setup_complain(0, error);
	if (recorder.header)
		attach_leave();
	sample_stand_down();
	return false;
}

void setup_part(void)
{
	if (filter_allows(FILTER_STORE))
		attach_part(recorder.options.store);
}

/*
 * What is under way goes on in memory of its own, and what comes next is not recorded. In the store
 * it is as if the process had been killed in this event.
 */
bool setup_lost(const void *address)
{
	static uint32_t told;
	const char *name = program_invocation_name;

	if (!attach_replace(address))
		return false;
	if (__atomic_exchange_n(&told, 1, __ATOMIC_RELAXED))
		return true;
	store_release(&setup_state, SETUP_OFF);
	store_release(&recorder.ready, 0);
	sample_stand_down();
	if (attach_has_head())
		say(name ? name : "?", ": not recorded any more: ", recorder.options.store,
		    ": the disk is full, or somebody made the file shorter", NULL);
	return true;
}

/* Not for a fork() that runs no handlers. */
static void setup_forked(void)
{
	if (load_relaxed(&recorder.ready) && thread_is_interrupted())
		setup_part();
}

static bool setup_all(void)
{
	int error;

	setup_options();
	if (setup_trouble && recorder.options.to_stderr)
		return setup_give_up(-ECANCELED);
	error = setup_store();
	if (error)
		return setup_give_up(error);
	if (setup_trouble || !setup_is_called() || !setup_alive() || !thread_setup())
		return setup_give_up(-ECANCELED);
	recorder_count_tool((int64_t)heaps_bytes());
	heaps_tell();
	stackdepot_unwind_setup();
	sample_setup();
	modules_setup();
	tags_setup();
	guard_setup();
	crash_setup();
	(void)pthread_atfork(NULL, NULL, setup_forked);
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
	if (done)
		maps_setup();
	store_release(&setup_state, done ? SETUP_DONE : SETUP_OFF);
	errno = saved_errno;
	return done;
}

/* It goes on with its parent's mapping if it cannot have one of its own. */
static bool setup_child_store(void)
{
	const struct store_process *parent = recorder.process;
	int error, fd = filter_allows(FILTER_STORE) ? attach_again(recorder.options.store) : -EPERM;

	error = slot_begin(fd, STORE_FLAG_CHILD, parent);
	if (fd >= 0)
		(void)close(fd);
	if (error)
		setup_complain(STORE_FLAG_CHILD, error);
	return !error;
}

bool setup_child(void)
{
	const int saved_errno = errno;
	struct recorder_held held;
	uint32_t expected = 1;
	bool done;

	if (thread_is_interrupted() ||
	    !__atomic_compare_exchange_n(&recorder.ready, &expected, 0, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_ACQUIRE))
		return false;
	recorder_hold(&held);
	/* Before anything is mapped: the list still leads to the parent's entries. */
	maps_child();
	live_child();
	done = recorder.options.follow_children && filter_allows(FILTER_CHILD) && setup_alive() &&
	       setup_child_store();
	if (done) {
		heaps_tell();
		modules_child();
		sample_child();
		guard_child();
		thread_child();
	}
	store_release(&recorder.ready, done);
	if (done)
		maps_setup();
	if (!done) {
		attach_leave();
		sample_stand_down();
		store_release(&setup_state, SETUP_OFF);
	}
	recorder_let(&held);
	errno = saved_errno;
	return done;
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
	if (!load_acquire(&recorder.ready) || !load_relaxed(&recorder_life->here))
		return;
	exit_look();
	recorder.process->end_monotonic_ns = recorder_now_ns();
	store_release(&recorder.process->state, STORE_EXITING);
}
