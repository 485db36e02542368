/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* finish.c - what is written into a store from outside: how processes ended, and what they left. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "peak.h"
#include "stackdepot/store.h"

#define SET_MAX_BYTES (1ull << 48)

struct finish {
	struct reaper reaper;
	struct store_layout layout;
	uint64_t bytes; /* mapped */
};

static int finish_map(struct finish *finish)
{
	struct store_header *header;
	struct stat st;

	if (fstat(finish->reaper.fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)STORE_HEAD_BYTES)
		return -EBADMSG;
	header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      finish->reaper.fd, 0);
	if (header == MAP_FAILED)
		return -errno;
	finish->reaper.header = header;
	finish->bytes = (uint64_t)st.st_size;
	return 0;
}

static int finish_check(struct finish *finish)
{
	const struct store_header *header = finish->reaper.header;
	const uint64_t bytes = header->total_bytes, events = header->corpus_events;
	struct stat st;

	if (__atomic_load_n(&header->magic, __ATOMIC_ACQUIRE) != STORE_MAGIC)
		return -EBADMSG;
	if (header->version != STORE_VERSION || header->header_bytes != sizeof(*header))
		return -EPROTONOSUPPORT;
	if (bytes > finish->bytes || store_plan(bytes, events, &finish->layout))
		return -EBADMSG;
	finish->reaper.layout = &finish->layout;
	if (!stat("/proc/self/ns/pid", &st))
		finish->reaper.pid_namespace = st.st_ino;
	return stackdepot_join_at(reap_at(&finish->reaper, finish->layout.depot_offset),
				  finish->layout.depot_bytes, &finish->reaper.depot);
}

static void finish_close(struct finish *finish)
{
	stackdepot_destroy(finish->reaper.depot);
	if (finish->reaper.header)
		(void)munmap(finish->reaper.header, finish->bytes);
	(void)close(finish->reaper.fd);
}

static int finish_open(const char *path, struct finish *finish)
{
	int error;

	memset(finish, 0, sizeof(*finish));
	finish->reaper.fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (finish->reaper.fd < 0)
		return -errno;
	error = finish_map(finish);
	if (!error)
		error = finish_check(finish);
	if (error)
		finish_close(finish);
	return error;
}

/* --- how a process ended ---------------------------------------------------------------------- */

/* The youngest of its number: what it was before an exec() has ended before. */
static struct store_process *finish_find(const struct finish *finish, uint32_t pid)
{
	const struct reaper *reaper = &finish->reaper;
	struct store_process *found = NULL;
	uint32_t slot;

	for (slot = 0; slot < finish->layout.slots; slot++) {
		struct store_process *process = reap_process(reaper, slot);

		if ((process->stage != STORE_OPEN && process->stage != STORE_CLOSED) ||
		    process->pid != pid || process->pid_namespace != reaper->pid_namespace)
			continue;
		if (!found || process->serial > found->serial)
			found = process;
	}
	return found && found->state != STORE_REPLACED ? found : NULL;
}

int stackdepot_store_finish(const char *path, uint32_t pid, uint32_t wait_status)
{
	struct store_process *process;
	struct finish finish;
	int error = finish_open(path, &finish);

	if (error)
		return error;
	process = finish_find(&finish, pid);
	if (process) {
		if (process->state == STORE_RUNNING)
			process->flags |= STORE_FLAG_KILLED;
		process->wait_status = wait_status;
		__atomic_store_n(&process->state, STORE_WAITED, __ATOMIC_RELEASE);
	}
	finish_close(&finish);
	return process ? 0 : -ESRCH;
}

/* --- before they end -------------------------------------------------------------------------- */

struct stackdepot_exits {
	struct finish finish;
};

int stackdepot_exits_open(const char *path, struct stackdepot_exits **ret_exits)
{
	struct stackdepot_exits *exits = calloc(1, sizeof(*exits));
	int error = exits ? finish_open(path, &exits->finish) : -ENOMEM;

	if (error) {
		free(exits);
		return error;
	}
	__atomic_store_n(&exits->finish.reaper.header->looker, STORE_LOOKER_HERE, __ATOMIC_RELEASE);
	*ret_exits = exits;
	return 0;
}

/* One that asks, and is ours from here on; 0: there is none. */
static uint32_t exits_take(const struct finish *finish)
{
	const uint32_t slots = finish->layout.slots;
	uint32_t slot = store_next_open(finish->reaper.header, 0, slots);

	for (; slot < slots; slot = store_next_open(finish->reaper.header, slot + 1, slots)) {
		struct store_process *process = reap_process(&finish->reaper, slot);
		uint32_t asks = STORE_EXIT_ASKS;

		if (__atomic_compare_exchange_n(&process->at_exit, &asks, STORE_EXIT_LOOKING, false,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return process->serial;
	}
	return 0;
}

uint32_t stackdepot_exits_next(struct stackdepot_exits *exits, unsigned int timeout_ms)
{
	const struct timespec timeout = {timeout_ms / 1000, timeout_ms % 1000 * 1000000l};
	uint32_t *word = &exits->finish.reaper.header->exits, seen, serial;

	/* Who asks has done so before he counts up. */
	seen = __atomic_load_n(word, __ATOMIC_ACQUIRE);
	serial = exits_take(&exits->finish);
	if (serial)
		return serial;
	(void)syscall(SYS_futex, word, FUTEX_WAIT, seen, &timeout, NULL, 0);
	return exits_take(&exits->finish);
}

void stackdepot_exits_done(struct stackdepot_exits *exits, uint32_t serial)
{
	const struct finish *finish = &exits->finish;
	uint32_t slot;

	for (slot = 0; slot < finish->layout.slots; slot++) {
		struct store_process *process = reap_process(&finish->reaper, slot);
		uint32_t looking = STORE_EXIT_LOOKING;

		if (process->serial != serial ||
		    !__atomic_compare_exchange_n(&process->at_exit, &looking, STORE_EXIT_OVER,
						 false, __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			continue;
		(void)syscall(SYS_futex, &process->at_exit, FUTEX_WAKE, INT32_MAX, NULL, NULL, 0);
	}
}

void stackdepot_exits_close(struct stackdepot_exits *exits)
{
	uint32_t serial;

	__atomic_store_n(&exits->finish.reaper.header->looker, STORE_LOOKER_GONE, __ATOMIC_SEQ_CST);
	while ((serial = exits_take(&exits->finish)))
		stackdepot_exits_done(exits, serial);
	finish_close(&exits->finish);
	free(exits);
}

/* --- how they are recorded -------------------------------------------------------------------- */

static int set_control(enum stackdepot_mode mode, uint64_t value, uint64_t *ret_control)
{
	switch (mode) {
	case STACKDEPOT_MODE_FULL:
	case STACKDEPOT_MODE_OFF:
		*ret_control = mode;
		return 0;
	case STACKDEPOT_MODE_SAMPLE:
	case STACKDEPOT_MODE_OVERHEAD:
		if (!value || value > (mode == STACKDEPOT_MODE_SAMPLE ? SET_MAX_BYTES : 100000))
			return -EINVAL;
		*ret_control = value << STORE_MODE_SHIFT | mode;
		return 0;
	}
	return -EINVAL;
}

static int set_all(const struct finish *finish, uint64_t control)
{
	struct store_header *header = finish->reaper.header;
	uint32_t slot = store_next_open(header, 0, finish->layout.slots);
	int nr = 0;

	/* Who begins meanwhile has it from here, or is among the open ones. */
	__atomic_store_n(&header->control, control, __ATOMIC_SEQ_CST);
	for (; slot < finish->layout.slots;
	     slot = store_next_open(header, slot + 1, finish->layout.slots)) {
		struct store_process *process = reap_process(&finish->reaper, slot);

		if (!reap_is_there(&finish->reaper, slot))
			continue;
		__atomic_store_n(&process->control, control, __ATOMIC_SEQ_CST);
		nr++;
	}
	return nr;
}

static int set_one(const struct finish *finish, uint32_t pid, uint64_t control)
{
	struct store_process *process = finish_find(finish, pid);

	if (!process || process->stage != STORE_OPEN)
		return -ESRCH;
	__atomic_store_n(&process->control, control, __ATOMIC_SEQ_CST);
	return 1;
}

int stackdepot_store_set(const char *path, uint32_t pid, enum stackdepot_mode mode, uint64_t value)
{
	struct finish finish;
	uint64_t control;
	int error = set_control(mode, value, &control);

	if (!error)
		error = finish_open(path, &finish);
	if (error)
		return error;
	error = pid ? set_one(&finish, pid, control) : set_all(&finish, control);
	finish_close(&finish);
	return error;
}

/* --- intervals whose peak is asked for -------------------------------------------------------- */

static void mark_slot(const struct finish *finish, uint32_t slot)
{
	struct store_height *height = peak_height(&finish->reaper, slot);

	/* 0 is none. */
	if (!__atomic_add_fetch(&height->wanted, 1, __ATOMIC_RELEASE))
		(void)__atomic_add_fetch(&height->wanted, 1, __ATOMIC_RELEASE);
}

int stackdepot_store_mark(const char *path, uint32_t pid)
{
	struct store_process *only = NULL;
	struct finish finish;
	int error = finish_open(path, &finish);
	uint32_t slot;

	if (error)
		return error;
	if (pid)
		only = finish_find(&finish, pid);
	for (slot = 0; slot < finish.layout.slots; slot++) {
		const struct store_process *process = reap_process(&finish.reaper, slot);

		if (process->stage == STORE_OPEN && (!pid || process == only))
			mark_slot(&finish, slot);
	}
	finish_close(&finish);
	return pid && !only ? -ESRCH : 0;
}

/* --- blocks ----------------------------------------------------------------------------------- */

static int trim_punch(int fd, off_t from, off_t to)
{
	return from < to && fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, from,
				      to - from)
		       ? -errno
		       : 0;
}

/* Of a part that has data: pages of zeros become holes. */
static int trim_data(int fd, off_t from, off_t to)
{
	static const char zeros[STORE_PAGE_BYTES];
	char page[STORE_PAGE_BYTES];
	off_t hole = from; /* everything from here on is zero */
	int error = 0;

	for (; !error && from < to && pread(fd, page, sizeof(page), from) == sizeof(page);
	     from += (off_t)sizeof(page)) {
		if (!__builtin_memcmp(page, zeros, sizeof(page)))
			continue;
		error = trim_punch(fd, hole, from);
		hole = from + (off_t)sizeof(page);
	}
	return error ? error : trim_punch(fd, hole, from);
}

/*
 * Blocks that were reserved and never written are holes to SEEK_DATA, and are not read. The head
 * stays whole: processes that are not recorded may still leave notes there.
 */
static int trim_zeros(int fd, off_t end)
{
	off_t at = STORE_HEAD_BYTES;
	int error = 0;

	while (!error && at < end) {
		off_t data = lseek(fd, at, SEEK_DATA), hole;

		if (data < 0)
			return trim_punch(fd, at, end);
		hole = lseek(fd, data, SEEK_HOLE);
		if (hole < 0)
			hole = end;
		error = trim_punch(fd, at, data);
		if (!error)
			error = trim_data(fd, data, hole);
		at = hole;
	}
	return error;
}

/* Not if somebody begins meanwhile: he would be using the depot, and the blocks. */
static void settle_alone(struct finish *finish)
{
	struct store_header *header = finish->reaper.header;
	const int fd = finish->reaper.fd;

	if (locks_room_alone(fd))
		return;
	if (!reap_present(&finish->reaper, 1)) {
		(void)reap_recount(&finish->reaper);
		__atomic_store_n(&header->trimmed, 1, __ATOMIC_RELEASE);
		(void)trim_zeros(fd, (off_t)header->total_bytes);
	}
	locks_room_end(fd);
}

static int settle(struct finish *finish)
{
	int nr, error = reap_begin(&finish->reaper);

	if (error)
		return error;
	(void)reap_close(&finish->reaper);
	nr = (int)reap_present(&finish->reaper, UINT32_MAX);
	if (!nr)
		settle_alone(finish);
	reap_end(&finish->reaper);
	return nr;
}

int stackdepot_store_settle(const char *path)
{
	struct finish finish;
	int nr, error = finish_open(path, &finish);

	if (error)
		return error;
	/* Where blocks were given back nobody has been since; what is written would find holes. */
	nr = __atomic_load_n(&finish.reaper.header->trimmed, __ATOMIC_ACQUIRE) ? 0
									       : settle(&finish);
	finish_close(&finish);
	return nr;
}
