/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * slot.c - this process in the store.
 *
 * It takes a slot that is free; if there is none, those of processes that are gone are closed, and
 * the oldest of these make room.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "ending.h"
#include "filter.h"
#include "height.h"
#include "live_table.h"
#include "reap.h"
#include "recorder.h"
#include "slot.h"
#include "weight.h"

#define SLOT_FEW 8u
#define SLOT_TRIES 1000u   /* of a millisecond, while somebody counts anew */
#define SLOT_LEFT_SHARE 4u /* of the table may be in use, when a process begins */
#define SLOT_SETTLED_NS 1000000000ull
#define SLOT_CLOSE_NS 100000000ull

/* Where our own variables end: the linker's. */
extern const char _end[] __attribute__((visibility("hidden")));

/* --- who this is ------------------------------------------------------------------------------ */

static ssize_t slot_read(const char *path, char *text, size_t bytes)
{
	int fd = recorder_open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, bytes);

	if (fd >= 0)
		(void)close(fd);
	return length;
}

/* The program's name has room, and behind it a mark that there are arguments. */
#define SLOT_COMMAND_BYTES (STORE_COMMAND_BYTES - 1u)
#define SLOT_PROGRAM_BYTES (SLOT_COMMAND_BYTES - 1u - (uint32_t)sizeof(ENDING_MARK))

/* Put the first argument before the others; returns what was read beyond it, in TEXT. */
static size_t slot_program(int fd, struct store_process *process, char text[STORE_COMMAND_BYTES])
{
	struct ending program = {process->command, SLOT_PROGRAM_BYTES, 0, false};
	const char *end = NULL;
	ssize_t got = 0;
	size_t nr = 0;

	while (!end && (got = read(fd, text, STORE_COMMAND_BYTES)) > 0) {
		end = memchr(text, '\0', (size_t)got);
		nr = end ? (size_t)(end - text) : (size_t)got;
		ending_add(&program, text, nr);
	}
	process->command_bytes = ending_finish(&program);
	if (process->command_bytes || end)
		process->command[process->command_bytes++] = '\0';
	if (!end)
		return 0;
	memmove(text, end + 1, (size_t)got - nr - 1);
	return (size_t)got - nr - 1;
}

/* The others, as far as there is room. */
static void slot_arguments(int fd, struct store_process *process, char text[STORE_COMMAND_BYTES],
			   size_t nr)
{
	const size_t room = SLOT_COMMAND_BYTES - process->command_bytes;
	char *at = process->command + process->command_bytes;
	ssize_t got = nr <= room ? read(fd, text + nr, STORE_COMMAND_BYTES - nr) : 0;

	nr += got > 0 ? (size_t)got : 0;
	if (nr > room) {
		for (nr = room - sizeof(ENDING_MARK); nr && (text[nr] & 0xc0) == 0x80;)
			nr--;
		memcpy(text + nr, ENDING_MARK, sizeof(ENDING_MARK));
		nr += sizeof(ENDING_MARK);
	}
	memcpy(at, text, nr);
	process->command_bytes += (uint32_t)nr;
}

static void slot_command(struct store_process *process)
{
	int fd = recorder_open("/proc/self/cmdline", O_RDONLY);
	char text[STORE_COMMAND_BYTES];
	size_t nr;

	process->command_bytes = 0;
	if (fd < 0)
		return;
	nr = slot_program(fd, process, text);
	if (process->command_bytes)
		slot_arguments(fd, process, text, nr);
	(void)close(fd);
}

/*
 * The process's start, and the name space that its number is of. Without /proc (in a chroot) it is
 * its parent's, if it sees that by the same number: from a new name space it would see 0.
 */
static void slot_identity(struct store_process *process, const struct store_process *parent)
{
	struct store_stat now;
	ssize_t length;
	struct stat st;
	char text[512];

	if (!stat("/proc/self/ns/pid", &st))
		process->pid_namespace = st.st_ino;
	else if (parent && parent->pid == process->parent)
		process->pid_namespace = parent->pid_namespace;
	length = slot_read("/proc/self/stat", text, sizeof(text) - 1);
	text[length > 0 ? length : 0] = '\0';
	store_stat_parse(text, &now);
	process->start_ticks = now.start_ticks;
}

/* As it was told, or all of the run were since; a forked one goes on as its parent. */
static void slot_control(struct store_process *process, const struct store_process *parent)
{
	const uint64_t *all = &recorder.header->control;
	uint64_t before = __atomic_load_n(all, __ATOMIC_SEQ_CST), control = before;

	if (parent)
		control = load_relaxed(&parent->control);
	else if (!control)
		control = recorder.options.control;
	/* Whoever changes it for all finds this slot from here on, or has changed it before. */
	__atomic_store_n(&process->control, control, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(all, __ATOMIC_SEQ_CST) != before)
		store_relaxed(&process->control, __atomic_load_n(all, __ATOMIC_SEQ_CST));
	process->sample_bytes = 0;
	process->coarsest = 0;
	if (!parent)
		return;
	process->sample_bytes = parent->sample_bytes;
	if (process->sample_bytes & STORE_RATE_OFF)
		process->flags |= STORE_FLAG_OFF;
	else
		process->coarsest = weight_code(process->sample_bytes);
}

static void slot_fill(struct store_process *process, uint32_t flags,
		      const struct store_process *parent)
{
	struct timespec now = {0, 0};

	(void)clock_gettime(CLOCK_REALTIME, &now);
	process->serial = __atomic_add_fetch(&recorder.header->serial, 1, __ATOMIC_RELAXED);
	process->pid = (uint32_t)getpid();
	process->parent = (uint32_t)getppid();
	process->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	process->start_monotonic_ns = recorder_now_ns();
	process->state = STORE_RUNNING;
	process->flags = flags;
	process->processes = 1;
	process->recorder_end = (uintptr_t)_end;
	slot_identity(process, parent);
}

static void slot_reaper(struct reaper *reaper, int fd)
{
	struct stat st;

	*reaper = (struct reaper){.header = recorder.header,
				  .layout = &recorder.layout,
				  .depot = recorder.depot,
				  .fd = fd};
	if (recorder.process)
		reaper->pid_namespace = recorder.process->pid_namespace;
	else if (!stat("/proc/self/ns/pid", &st))
		reaper->pid_namespace = st.st_ino;
}

static enum slot_room slot_reap_by(struct reaper *reaper, bool fold)
{
	int error = reap_begin(reaper);
	uint32_t nr;

	if (error)
		return error == -EAGAIN ? SLOT_ROOM_BUSY : SLOT_ROOM_NONE;
	nr = reap_close(reaper);
	if (fold)
		nr += reap_fold(reaper);
	reap_end(reaper);
	return nr ? SLOT_ROOM_MADE : SLOT_ROOM_NONE;
}

static enum slot_room slot_reap(int fd, bool fold)
{
	struct reaper reaper;

	if (fd < 0)
		return SLOT_ROOM_NONE;
	slot_reaper(&reaper, fd);
	return slot_reap_by(&reaper, fold);
}

/* --- taking one ------------------------------------------------------------------------------- */

/* Is it free, or its taker killed before it was open, so that the lock is to be had? */
static bool slot_may_be_taken(const struct store_process *process, uint32_t slot, uint64_t owner,
			      bool locked)
{
	if (!owner)
		return true;
	return locked && (owner & STORE_OWNER_KIND) == STORE_OWNER_LOCKED &&
	       load_acquire(&process->stage) == STORE_FREE &&
	       !(load_relaxed(&recorder.header->open[slot / 64]) >> slot % 64 & 1);
}

static bool slot_take(int fd, uint32_t slot, uint64_t kind)
{
	const bool locked = kind == STORE_OWNER_LOCKED;
	struct store_process *process = &recorder.processes[slot];
	uint64_t owner = load_relaxed(&process->owner);

	if (!slot_may_be_taken(process, slot, owner, locked) || (locked && locks_take(fd, slot)))
		return false;
	/* Who had the lock until now may have become open, and been killed, since that was seen. */
	if (slot_may_be_taken(process, slot, owner, locked) &&
	    __atomic_compare_exchange_n(&process->owner, &owner,
					owner ? owner + STORE_OWNER_AGAIN : kind, false,
					__ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		(void)__atomic_fetch_or(&recorder.header->open[slot / 64], 1ull << slot % 64,
					__ATOMIC_RELEASE);
		return true;
	}
	if (locked)
		locks_drop(fd, slot);
	return false;
}

/* The number of slots if there is none. */
static uint32_t slot_search(int fd, uint64_t owner)
{
	const uint32_t slots = recorder.layout.slots;
	uint32_t i, slot = load_relaxed(&recorder.header->next_slot);

	for (i = 0; i < slots; i++, slot++) {
		slot %= slots;
		if (!slot_take(fd, slot, owner))
			continue;
		store_relaxed(&recorder.header->next_slot, slot + 1);
		return slot;
	}
	return slots;
}

/* Room is made by one at a time; who comes second finds some soon. */
static uint32_t slot_search_long(int fd, uint64_t owner)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	uint32_t slot = slot_search(fd, owner);
	unsigned int tries;

	for (tries = 0; slot == recorder.layout.slots && tries < 100; tries++) {
		if (slot_reap(fd, true) != SLOT_ROOM_MADE)
			(void)nanosleep(&moment, NULL);
		slot = slot_search(fd, owner);
	}
	return slot;
}

static uint32_t slot_open(uint32_t enough)
{
	const uint32_t slots = recorder.layout.slots;
	uint32_t nr = 0, slot = store_next_open(recorder.header, 0, slots);

	for (; slot < slots && nr < enough; nr++)
		slot = store_next_open(recorder.header, slot + 1, slots);
	return nr;
}

/*
 * The fuller the table, the more of an object's places have to be looked at. If there was nobody to
 * fold just now, it is those that run who have so much.
 */
static bool slot_is_crowded(uint64_t now)
{
	const uint64_t capacity = (uint64_t)recorder.layout.buckets * STORE_BUCKET_ENTRIES;

	return (int64_t)load_relaxed(&recorder.header->totals.live_objects) >
		       (int64_t)(capacity / SLOT_LEFT_SHARE) &&
	       now - load_relaxed(&recorder.header->totals.folded_none) >= SLOT_CLOSE_NS;
}

/* Not those of the last second: whoever began them may want to say how they ended. */
static void slot_fold_early(struct reaper *reaper, uint64_t now)
{
	reaper->before_ns = now - SLOT_SETTLED_NS;
	if (!reap_fold(reaper))
		store_relaxed(&recorder.header->totals.folded_none, now);
}

/* Not if somebody else begins meanwhile, who would be using the depot before it is done. */
static void slot_recount(struct reaper *reaper)
{
	if (locks_room_alone(reaper->fd))
		return;
	if (!reap_present(reaper, 1))
		(void)reap_recount(reaper);
	(void)locks_room(reaper->fd);
}

/*
 * Close what was left by others, if they are few, so that a service that is started again and again
 * closes itself; fold the oldest, if much is left; and make good what was left half done, if nobody
 * else is there. Before this process has a slot: its own would be seen as another's.
 */
static void slot_repair(int fd)
{
	const uint64_t now = recorder_now_ns();
	const bool few = slot_open(SLOT_FEW) < SLOT_FEW, crowded = slot_is_crowded(now);
	struct reaper reaper;

	if (fd < 0 || (!few && !crowded))
		return;
	slot_reaper(&reaper, fd);
	if (reap_begin(&reaper))
		return;
	(void)reap_close(&reaper);
	if (crowded)
		slot_fold_early(&reaper, now);
	if (few && !reap_present(&reaper, 1))
		slot_recount(&reaper);
	reap_end(&reaper);
}

/* Until it has a slot, nobody counts anew: what it takes would be nobody's. */
static void slot_enter(int fd)
{
	const struct timespec moment = {.tv_nsec = 1000000};
	unsigned int tries;

	for (tries = 0; locks_room(fd) == -EAGAIN && tries < SLOT_TRIES; tries++)
		(void)nanosleep(&moment, NULL);
}

static int slot_begin_in(int fd, uint32_t flags, const struct store_process *parent)
{
	const bool locked = fd >= 0 && recorder.header->locks_hold;
	const uint64_t owner = locked ? STORE_OWNER_LOCKED : STORE_OWNER_UNLOCKED;
	struct store_process *process;
	uint32_t slot;

	slot_repair(fd);
	slot = slot_search_long(fd, owner);
	process = &recorder.processes[slot];
	if (slot == recorder.layout.slots) {
		recorder_count(&recorder.header->totals.processes_dropped, 1);
		return -EAGAIN;
	}
	slot_fill(process, flags | (locked ? STORE_FLAG_LOCKED : 0), parent);
	slot_control(process, parent);
	if (parent) {
		memcpy(process->command, parent->command, sizeof(process->command));
		process->command_bytes = parent->command_bytes;
	} else {
		slot_command(process);
	}
	recorder.process = process;
	recorder.slot = slot;
	recorder.serial = process->serial;
	recorder.place = store_place(0, slot);
	recorder.event = (uint64_t)process->serial << STORE_EVENT_PROCESS_SHIFT;
	recorder.parts =
		(struct store_parts *)((char *)recorder.header + recorder.layout.parts_offset) +
		slot;
	height_begin();
	store_release(&process->stage, STORE_OPEN);
	return 0;
}

int slot_begin(int fd, uint32_t flags, const struct store_process *parent)
{
	int error;

	if (fd >= 0)
		slot_enter(fd);
	error = slot_begin_in(fd, flags, parent);
	if (fd >= 0)
		locks_room_end(fd);
	return error;
}

/* --- making room ------------------------------------------------------------------------------ */

/* A descriptor of our own, as the locks that are ours are not to be seen through it as free. */
static enum slot_room slot_reap_now(bool fold)
{
	const int saved_errno = errno;
	enum slot_room room = SLOT_ROOM_NONE;
	struct recorder_held held;
	int fd = -EPERM;

	recorder_hold(&held);
	if (filter_allows_all())
		fd = recorder_open(recorder.options.store, O_RDWR | O_NONBLOCK);
	if (fd >= 0 && attach_is_same(fd))
		room = slot_reap(fd, fold);
	if (fd >= 0)
		(void)close(fd);
	recorder_let(&held);
	errno = saved_errno;
	return room;
}

enum slot_room slot_make_room(void)
{
	return slot_reap_now(true);
}

/* Not more often than it takes processes to end. */
static bool slot_reap_seldom(uint64_t *last, bool fold)
{
	const uint64_t now = recorder_now_ns();
	uint64_t before = load_relaxed(last);

	return now - before >= SLOT_CLOSE_NS &&
	       __atomic_compare_exchange_n(last, &before, now, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED) &&
	       slot_reap_now(fold) == SLOT_ROOM_MADE;
}

bool slot_close_others(void)
{
	static uint64_t last;

	return slot_reap_seldom(&last, false);
}

bool slot_make_traces(void)
{
	static uint64_t last;

	return slot_reap_seldom(&last, true);
}
