/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * locks.c - who is there.
 *
 * A process locks the byte of its slot, by an open file description that only its mapping keeps:
 * the descriptor is closed again. So the kernel gives the lock back when the memory goes, however
 * that comes about - end, kill, exec() - and whoever opens the file can ask, from any PID name
 * space. Where the file system keeps no such lock (overlayfs maps another file than the one that
 * was opened), and for a child that could not open the file any more, the process's number has to
 * do, for those of its name space.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "reap.h"

#define LOCKS_REAPER 0
#define LOCKS_PROBE 1
#define LOCKS_ROOM 2
#define LOCKS_SLOTS 3

static int locks_call(int fd, int command, short type, uint64_t at, struct flock *lock)
{
	*lock = (struct flock){
		.l_type = type, .l_whence = SEEK_SET, .l_start = (off_t)at, .l_len = 1};
	return fcntl(fd, command, lock) ? -errno : 0;
}

static int locks_set(int fd, short type, uint64_t at)
{
	struct flock lock;
	int error = locks_call(fd, F_OFD_SETLK, type, at, &lock);

	return error == -EACCES ? -EAGAIN : error;
}

/* Somebody else's. */
static bool locks_held(int fd, uint64_t at)
{
	struct flock lock;

	return !locks_call(fd, F_OFD_GETLK, F_WRLCK, at, &lock) && lock.l_type != F_UNLCK;
}

int locks_take(int fd, uint32_t slot)
{
	return locks_set(fd, F_WRLCK, LOCKS_SLOTS + (uint64_t)slot);
}

void locks_drop(int fd, uint32_t slot)
{
	(void)locks_set(fd, F_UNLCK, LOCKS_SLOTS + (uint64_t)slot);
}

bool locks_slot_held(int fd, uint32_t slot)
{
	return locks_held(fd, LOCKS_SLOTS + (uint64_t)slot);
}

bool locks_any_slot(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKS_SLOTS};

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

bool locks_last(const char *path, int fd)
{
	int other = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *memory;
	bool last;

	if (other < 0)
		return false;
	memory = mmap(NULL, STORE_PAGE_BYTES, PROT_READ, MAP_SHARED, other, 0);
	last = memory != MAP_FAILED && !locks_set(other, F_WRLCK, LOCKS_PROBE);
	(void)close(other);
	last = last && locks_held(fd, LOCKS_PROBE);
	if (memory != MAP_FAILED)
		(void)munmap(memory, STORE_PAGE_BYTES);
	return last;
}

int locks_reaper(int fd)
{
	return locks_set(fd, F_WRLCK, LOCKS_REAPER);
}

void locks_reaper_end(int fd)
{
	(void)locks_set(fd, F_UNLCK, LOCKS_REAPER);
}

int reap_begin(struct reaper *reaper)
{
	int error = locks_reaper(reaper->fd);

	if (error)
		return error;
	/* Who was killed in it may have had references in hand. */
	reaper->header->totals.uncertain += reaper->header->reaping;
	reaper->header->reaping = 1;
	reap_resume(reaper);
	return 0;
}

void reap_end(struct reaper *reaper)
{
	__atomic_store_n(&reaper->header->reaping, 0, __ATOMIC_RELEASE);
	locks_reaper_end(reaper->fd);
}

int locks_room(int fd)
{
	return locks_set(fd, F_RDLCK, LOCKS_ROOM);
}

int locks_room_alone(int fd)
{
	return locks_set(fd, F_WRLCK, LOCKS_ROOM);
}

void locks_room_end(int fd)
{
	(void)locks_set(fd, F_UNLCK, LOCKS_ROOM);
}

static bool locks_process_exists(uint32_t pid)
{
	return !pid || pid > INT32_MAX || !kill((pid_t)pid, 0) || errno != ESRCH;
}

/* One that begins has the lock before the slot; if it could not have it, nobody knows. */
static bool locks_begins(const struct reaper *reaper, uint32_t slot)
{
	return !reaper->header->locks_hold ||
	       (reap_process(reaper, slot)->owner & STORE_OWNER_KIND) != STORE_OWNER_LOCKED ||
	       locks_held(reaper->fd, LOCKS_SLOTS + (uint64_t)slot);
}

bool reap_is_there(const struct reaper *reaper, uint32_t slot)
{
	const struct store_process *process = reap_process(reaper, slot);

	if (process->stage != STORE_OPEN)
		return locks_begins(reaper, slot);
	if (reaper->header->locks_hold && process->flags & STORE_FLAG_LOCKED)
		return locks_held(reaper->fd, LOCKS_SLOTS + (uint64_t)slot);
	return process->pid_namespace != reaper->pid_namespace ||
	       locks_process_exists(process->pid);
}

/* --- what the kernel says of a process -------------------------------------------------------- */

static uint64_t stat_number(const char *at)
{
	uint64_t number = 0;

	for (; *at >= '0' && *at <= '9'; at++)
		number = number * 10 + (uint64_t)(*at - '0');
	return number;
}

void store_stat_parse(const char *text, struct store_stat *ret_stat)
{
	/* The name of the program may have anything in it: the last ")" ends it, in field 2. */
	const char *at = strrchr(text, ')');
	int field;

	*ret_stat = (struct store_stat){0};
	if (!at || at[1] != ' ')
		return;
	ret_stat->state = at[2];
	for (field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	ret_stat->start_ticks = at ? stat_number(at + 1) : 0;
	at = at ? strchr(at + 1, ' ') : NULL;
	ret_stat->bytes = at ? stat_number(at + 1) : 0;
}

bool reap_goes_on(const struct reaper *reaper, const struct store_process *process)
{
	char path[32], text[512];
	struct store_stat now;
	ssize_t length = 0;
	int fd;

	if (!reaper->header->locks_hold || !(process->flags & STORE_FLAG_LOCKED) ||
	    !process->start_ticks || process->pid_namespace != reaper->pid_namespace)
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%u/stat", process->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		length = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	text[length > 0 ? length : 0] = '\0';
	store_stat_parse(text, &now);
	/* One that is about to end has no memory any more. */
	return now.start_ticks == process->start_ticks && now.bytes && !strchr("ZXx", now.state);
}
