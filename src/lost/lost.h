/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * lost.h - which of a running process's live objects nothing points to any more.
 *
 * A conservative mark from the outside: all threads are stopped, what they can reach is copied,
 * they go on, and the copy is searched. The method is that of LeakSanitizer and of Linux's
 * kmemleak; a word that has the value of an address inside an object, wherever it lies, keeps it.
 */
#ifndef LOST_H
#define LOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "stackdepot/store.h"

enum lost_verdict {
	LOST_REACHABLE = 0,
	LOST_LOST = 1,	    /* nothing points to it but what it points to itself */
	LOST_FROM_LOST = 2, /* only lost objects point to it */
};

struct lost_object {
	struct stackdepot_object object;
	enum lost_verdict verdict;
};

/**
 * struct lost - what was found, objects in the order of their addresses.
 * @stopped_ns:    for so long none of the process's threads ran.
 * @copied_bytes:  of its memory.
 * @threads:       that were stopped.
 * @heap_is_roots: not every object is in the table (sampling, heaps that are not seen), so all of
 *                 the heap counts as pointed to: what is called lost is lost, more may be.
 */
struct lost {
	struct lost_object *objects;
	size_t nr;
	uint64_t stopped_ns;
	uint64_t copied_bytes;
	unsigned int threads;
	bool heap_is_roots;
};

/* Of a process that is about to end: whom to tell that it is not needed any more. */
struct lost_copied {
	void (*call)(void *context);
	void *context;
};

/**
 * lost_find() - stop the process, copy, let it go on, and search.
 * @store:      its store, of which the live objects are read while it is stopped.
 * @process:    of that store and of the caller's PID name space.
 * @store_path: the store's file, which the process has to have mapped; it is no root.
 * @copied:     called when the process was copied, or that failed; may be NULL.
 * @ret_lost:   to be released with lost_release(); untouched on failure.
 *
 * System calls that Linux does not restart after a stop (epoll_wait(2), semop(2), signal(7) lists
 * them) return EINTR to the program, as they do when a debugger attaches.
 *
 * Return: 0, -ESRCH (no such process, or not of this store), -EPERM (it may not be traced), -EBUSY
 * (a debugger has it), -ETIMEDOUT (a thread did not stop within two seconds), -ENOMEM, or the
 * negative errno of /proc.
 */
int lost_find(struct stackdepot_store *store, const struct stackdepot_store_info *process,
	      const char *store_path, const struct lost_copied *copied, struct lost *ret_lost);
void lost_release(struct lost *lost);

#endif
