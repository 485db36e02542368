/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * reap.h - what processes that are gone leave behind is put in order by whoever comes first.
 *
 * That is the next process that begins, one that needs room, or the tool. One at a time: the reaper
 * holds a lock of the file, which the kernel takes from him if he is killed, and whatever he had
 * begun the next one ends.
 *
 *	reap_close()	slots of processes that are gone: what their threads had counted and held is
 *			given back. Their live objects stay, and are what they left.
 *	reap_fold()	the oldest of these make room: what they left is added up by trace, their
 *			figures by command, and their objects go, and with them the references.
 *
 * A process that is killed between two steps of an event may leave a reference or a line that is
 * nobody's. They are found by counting all anew, when nobody else has the store (reap_recount()).
 */
#ifndef STORE_REAP_H
#define STORE_REAP_H

#include <stdbool.h>

#include "format.h"

struct reaper {
	struct store_header *header; /* the whole file, to be written to */
	const struct store_layout *layout;
	struct stackdepot *depot;
	int fd; /* of the file, opened for this alone: its locks are the reaper's */
	uint64_t pid_namespace;
	uint64_t before_ns; /* who ended before that is folded; 0: any */
};

static inline void *reap_at(const struct reaper *reaper, uint64_t offset)
{
	return (char *)reaper->header + offset;
}

static inline struct store_process *reap_process(const struct reaper *reaper, uint32_t slot)
{
	return (struct store_process *)reap_at(reaper, reaper->layout->processes_offset) + slot;
}

/* --- locks.c: who is there ------------------------------------------------------------------- */

/* Be the one who may make or reap a store, by this descriptor. As reap_begin(). */
int locks_reaper(int fd);
void locks_reaper_end(int fd);
/*
 * Be the reaper, and end what one before had begun. 0, -EAGAIN (somebody else is), or another
 * negative errno.
 */
int reap_begin(struct reaper *reaper);
void reap_end(struct reaper *reaper);
/*
 * That a store has all of its blocks: for those who begin, until they have a slot, and for the one
 * who gives blocks back. As locks_reaper().
 */
int locks_room(int fd);
int locks_room_alone(int fd);
void locks_room_end(int fd);
/*
 * Lock a slot for as long as this file, opened by FD, is open or mapped by somebody. 0, -EAGAIN
 * (another process has it), or a negative errno.
 */
int locks_take(int fd, uint32_t slot);
void locks_drop(int fd, uint32_t slot);
/* Has another file description that lock? */
bool locks_slot_held(int fd, uint32_t slot);
/* Of any; it asks for nothing of the store but that. */
bool locks_any_slot(int fd);
/* Does a lock last as long as the mapping, on this file system? PATH is that of FD. */
bool locks_last(const char *path, int fd);
/* Of /proc/PID/stat: all zero if it says nothing. */
struct store_stat {
	char state;
	uint64_t start_ticks;
	uint64_t bytes; /* of its memory */
};
void store_stat_parse(const char *text, struct store_stat *ret_stat);
/* Is the process of a slot there, or can that not be known? */
bool reap_is_there(const struct reaper *reaper, uint32_t slot);
/*
 * Has a process that has given up its slot other memory now? Then it has become another program, by
 * a system call of its own making, or it would have said so.
 */
bool reap_goes_on(const struct reaper *reaper, const struct store_process *process);

/* --- reap.c ----------------------------------------------------------------------------------- */

/* The slot is anybody's, unless somebody took it since. */
void reap_disown(struct store_process *process, uint64_t owner);
/* Processes that are there, counted up to `enough`. */
uint32_t reap_present(const struct reaper *reaper, uint32_t enough);
/* Close the slots of processes that are gone; how many. */
uint32_t reap_close(struct reaper *reaper);

/* --- fold.c ----------------------------------------------------------------------------------- */

/* Fold the older quarter of closed slots; how many. */
uint32_t reap_fold(struct reaper *reaper);
/* --- recount.c -------------------------------------------------------------------------------- */

/*
 * Of a store that no process has: what was left half done is made good, if anything may have been.
 * The number of lines that were given back, or whose references were not what they should be.
 */
uint32_t reap_recount(struct reaper *reaper);

/* --- fold.c ----------------------------------------------------------------------------------- */

/* End what a reaper before had begun. */
void reap_resume(struct reaper *reaper);

#endif
