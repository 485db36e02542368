/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * limits.c - what the process may have, and whether there is enough of it for us, too.
 *
 * A program under a limit gets all of it: where the recorder's share could make its own requests
 * fail, it is not recorded.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "process_limits.h"
#include "recorder.h"

#define LIMITS_SHARE 8u		       /* of what is left of an address space */
#define LIMITS_OTHERS (2ull << 20)     /* of addresses, besides the store */
#define LIMITS_DATA (16ull << 20)      /* to be left of RLIMIT_DATA */
#define LIMITS_CGROUP_SHARE 4u	       /* of what is left of a control group's memory */
#define LIMITS_MAGIC_TMPFS 0x01021994u /* memory is where such a file is */
#define LIMITS_MAGIC_RAMFS 0x858458f6u

/* The first bytes of a file, as a string; false if there is none. */
static bool limits_read(const char *path, char *text, size_t room)
{
	int fd = recorder_open(path, O_RDONLY);
	ssize_t length = fd < 0 ? -1 : read(fd, text, room - 1);

	if (fd >= 0)
		(void)close(fd);
	text[length > 0 ? length : 0] = '\0';
	return length > 0;
}

static uint64_t limits_number(const char **text)
{
	uint64_t number = 0;

	while (**text == ' ')
		(*text)++;
	for (; **text >= '0' && **text <= '9'; (*text)++)
		number = number * 10 + (uint64_t)(**text - '0');
	return number;
}

/* Pages of all mappings, and of those that are data; 0 if there is no /proc. */
static void limits_used(uint64_t *ret_all, uint64_t *ret_data)
{
	uint64_t numbers[6] = {0};
	const char *at;
	char text[160];
	unsigned int i;

	if (limits_read("/proc/self/statm", text, sizeof(text)))
		for (i = 0, at = text; i < 6; i++)
			numbers[i] = limits_number(&at);
	*ret_all = numbers[0] * STORE_PAGE_BYTES;
	*ret_data = numbers[5] * STORE_PAGE_BYTES;
}

const char *limits_memory(uint64_t bytes)
{
	struct rlimit space = {RLIM_INFINITY, RLIM_INFINITY}, data = space;
	uint64_t used, used_data;

	(void)getrlimit(RLIMIT_AS, &space);
	(void)getrlimit(RLIMIT_DATA, &data);
	if (space.rlim_cur == RLIM_INFINITY && data.rlim_cur == RLIM_INFINITY)
		return NULL;
	limits_used(&used, &used_data);
	if (space.rlim_cur != RLIM_INFINITY &&
	    space.rlim_cur < used + LIMITS_SHARE * (bytes + LIMITS_OTHERS))
		return "its address space is limited (RLIMIT_AS), the store would take more than "
		       "an eighth of it";
	if (data.rlim_cur != RLIM_INFINITY && data.rlim_cur < used_data + LIMITS_DATA)
		return "its data is limited (RLIMIT_DATA)";
	return NULL;
}

/* --- control groups --------------------------------------------------------------------------- */

/* What is left in one group; UINT64_MAX if it has no limit. `path` ends in its directory. */
static uint64_t limits_group_left(char *path, size_t used, size_t room)
{
	uint64_t limit, now;
	const char *at;
	char text[64];

	if (used + sizeof("/memory.current") > room)
		return UINT64_MAX;
	strcpy(path + used, "/memory.max");
	if (!limits_read(path, text, sizeof(text)) || text[0] < '0' || text[0] > '9')
		return UINT64_MAX;
	at = text;
	limit = limits_number(&at);
	strcpy(path + used, "/memory.current");
	(void)limits_read(path, text, sizeof(text));
	at = text;
	now = limits_number(&at);
	return limit > now ? limit - now : 0;
}

/* The least that is left in the process's group and those that it is in. */
static uint64_t limits_groups_left(void)
{
	static const char mount[] = "/sys/fs/cgroup";
	char text[PATH_MAX / 2], path[PATH_MAX];
	uint64_t left, least = UINT64_MAX;
	const char *group;
	size_t used;

	if (!limits_read("/proc/self/cgroup", text, sizeof(text)))
		return UINT64_MAX;
	group = strncmp(text, "0::", 3) ? strstr(text, "\n0::") : text - 1;
	if (!group)
		return UINT64_MAX;
	strcpy(path, mount);
	strcat(path, group + 4);
	for (used = sizeof(mount) - 1 + strcspn(group + 4, "\n"); used >= sizeof(mount) - 1;
	     used--) {
		if (path[used] && path[used] != '/' && path[used] != '\n')
			continue;
		left = limits_group_left(path, used, sizeof(path));
		if (left < least)
			least = left;
	}
	return least;
}

/* --- the file --------------------------------------------------------------------------------- */

int limits_file(int fd, uint64_t bytes)
{
	struct rlimit size;
	struct statfs fs;

	/* To find out by trying is a signal, SIGXFSZ. */
	if (!getrlimit(RLIMIT_FSIZE, &size) && size.rlim_cur < bytes)
		return -EFBIG;
	if (!fstatfs(fd, &fs) &&
	    ((uint32_t)fs.f_type == LIMITS_MAGIC_TMPFS ||
	     (uint32_t)fs.f_type == LIMITS_MAGIC_RAMFS) &&
	    limits_groups_left() / LIMITS_CGROUP_SHARE < bytes)
		return -ENOMEM;
	return 0;
}

#define LIMITS_BLOCK 512u /* of st_blocks */

/* Write all of it: on a file system without fallocate(), or where that promises nothing. */
static int limits_write(int fd, uint64_t bytes)
{
	static const char zeros[8 * STORE_PAGE_BYTES];
	uint64_t at;
	ssize_t done;

	for (at = 0; at < bytes; at += (uint64_t)done) {
		uint64_t left = bytes - at;

		done = pwrite(fd, zeros, left < sizeof(zeros) ? left : sizeof(zeros), (off_t)at);
		if (done <= 0)
			return done < 0 && errno != EINTR ? -errno : -ENOSPC;
	}
	/* What a server or a quota has against it is told here. */
	return fdatasync(fd) ? -errno : 0;
}

int limits_reserve(int fd, uint64_t bytes)
{
	int error = limits_file(fd, bytes);
	struct stat st;

	if (error)
		return error;
	if (fstat(fd, &st) || ftruncate(fd, (off_t)bytes))
		return -errno;
	/* The tool has seen to it, behind the end of an empty file. */
	if (!st.st_size && (uint64_t)st.st_blocks * LIMITS_BLOCK >= bytes)
		return 0;
	if (!fallocate(fd, 0, 0, (off_t)bytes))
		return 0;
	return errno == EOPNOTSUPP || errno == ENOSYS ? limits_write(fd, bytes) : -errno;
}
