/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * code_files.c - where a process tells the names of code it made, and what is kept of them.
 *
 *	/proc/PID/root/tmp/perf-N.map	N is its number in its own name space
 *	jit-N.dump			wherever it is, it is mapped, for others to find it
 *	/tmp/perf-PID.map		what is left when it has ended
 *	STORE.names			what was kept: a line that says of which process and when,
 *					and lines as a perf map has them
 *
 * A file in /tmp could be anybody's: only the user who runs the process or root is believed, and
 * nothing that is older than the process. What is kept is bounded: a name for each address that the
 * traces have outside of all modules, KEPT_BYTES at most.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/numbered.h"
#include "stackdepot/store.h"
#include "symbols/code_names.h"

#define FILE_BYTES_MAX ((off_t)256 << 20)
#define KEPT_BYTES (4u << 20)
#define KEPT_HEAD "# stackdepot names of process "

/* All of a regular file that OWNER or root wrote, not before SINCE; NULL: it is not such. */
static char *file_read(const char *path, uid_t owner, time_t since, size_t *ret_length,
		       time_t *ret_time)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	char *bytes = NULL;
	struct stat st;
	ssize_t got;
	size_t length = 0;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && (st.st_uid == owner || !st.st_uid) &&
	    st.st_size <= FILE_BYTES_MAX && st.st_mtime >= since) {
		bytes = memory_alloc((size_t)st.st_size + 1);
		while (length < (size_t)st.st_size &&
		       (got = read(fd, bytes + length, (size_t)st.st_size - length)) > 0)
			length += (size_t)got;
		*ret_time = st.st_mtime;
	}
	(void)close(fd);
	*ret_length = length;
	return bytes;
}

static void names_read(struct code_names *names, const char *path, uid_t owner, time_t since,
		       void (*parse)(struct code_names *, const char *, size_t))
{
	size_t length;
	time_t at;
	char *bytes = file_read(path, owner, since, &length, &at);

	if (!bytes)
		return;
	parse(names, bytes, length);
	code_names_read_at(names, time(NULL));
	free(bytes);
}

/* --- of a process that runs ------------------------------------------------------------------- */

/* Its number in the innermost name space that it is in. */
static unsigned long process_inner(unsigned long pid)
{
	char path[64], line[256];
	unsigned long inner = pid;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%lu/status", pid);
	status = fopen(path, "re");
	while (status && fgets(line, sizeof(line), status)) {
		const char *last = strrchr(line, '\t');

		if (!strncmp(line, "NSpid:", 6) && last)
			inner = strtoul(last + 1, NULL, 10);
	}
	if (status)
		(void)fclose(status);
	return inner;
}

/* Is this number still that of the process that has the store, the file INODE, mapped? */
static bool process_has(unsigned long pid, ino_t inode)
{
	char path[64], line[PATH_MAX + 256];
	unsigned long mapped;
	bool found = false;
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%lu/maps", pid);
	maps = fopen(path, "re");
	while (maps && !found && fgets(line, sizeof(line), maps))
		found = sscanf(line, "%*s rw-s %*s %*s %lu", &mapped) == 1 && mapped == inode;
	if (maps)
		(void)fclose(maps);
	return found;
}

static bool is_dump(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t digits;

	if (!slash || strncmp(slash, "/jit-", 5))
		return false;
	digits = strspn(slash + 5, "0123456789");
	return digits && !strcmp(slash + 5 + digits, ".dump");
}

static void process_dumps(struct code_names *names, unsigned long pid, uid_t owner, time_t since)
{
	char line[PATH_MAX + 256], last[PATH_MAX] = "", path[2 * PATH_MAX];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%lu/maps", pid);
	maps = fopen(path, "re");
	while (maps && fgets(line, sizeof(line), maps)) {
		char *name = strchr(line, '/');

		if (!name)
			continue;
		name[strcspn(name, "\n")] = '\0';
		if (!is_dump(name) || !strcmp(name, last) || strlen(name) >= sizeof(last))
			continue;
		strcpy(last, name);
		snprintf(path, sizeof(path), "/proc/%lu/root%s", pid, name);
		names_read(names, path, owner, since, code_names_dump);
	}
	if (maps)
		(void)fclose(maps);
}

static void process_read(struct code_names *names, unsigned long pid, time_t since)
{
	char path[128];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%lu", pid);
	if (stat(path, &st))
		return;
	snprintf(path, sizeof(path), "/proc/%lu/root/tmp/perf-%lu.map", pid, process_inner(pid));
	names_read(names, path, st.st_uid, since, code_names_map);
	process_dumps(names, pid, st.st_uid, since);
}

/* --- kept ------------------------------------------------------------------------------------- */

static char *kept_path(const char *path, uint32_t process)
{
	return memory_print("%s.names.%u", path, process);
}

static void kept_read(struct code_names *names, const char *path,
		      const struct stackdepot_store_info *info)
{
	char *kept = kept_path(path, info->serial), *bytes;
	unsigned long pid;
	uint64_t start;
	long long read_at;
	struct stat st;
	size_t length;
	time_t at;

	bytes = stat(path, &st) ? NULL : file_read(kept, st.st_uid, 0, &length, &at);
	if (bytes &&
	    sscanf(bytes, KEPT_HEAD "%lu %" SCNu64 " %lld\n", &pid, &start, &read_at) == 3 &&
	    pid == info->pid && start == info->start_ns) {
		code_names_map(names, bytes, length);
		code_names_read_at(names, (time_t)read_at);
	}
	free(bytes);
	free(kept);
}

static void live_read(struct code_names *names, const char *path,
		      const struct stackdepot_store_info *info)
{
	struct stat st;

	if (info->pid && info->state != STACKDEPOT_STORE_ENDED && !stat(path, &st) &&
	    process_has(info->pid, st.st_ino))
		process_read(names, info->pid, (time_t)(info->start_ns / 1000000000));
}

/* Of a process that has ended just now, so that nobody else had its number since. */
static void left_read(struct code_names *names, const char *path,
		      const struct stackdepot_store_info *info)
{
	char left[64];
	struct stat st;

	snprintf(left, sizeof(left), "/tmp/perf-%u.map", info->pid);
	if (!stat(path, &st))
		names_read(names, left, st.st_uid, (time_t)(info->start_ns / 1000000000),
			   code_names_map);
}

struct code_names *code_names_of(const char *path, const struct stackdepot_store_info *process)
{
	struct code_names *names = code_names_open();

	live_read(names, path, process);
	if (!code_names_nr(names))
		kept_read(names, path, process);
	return names;
}

struct keep {
	struct stackdepot_store *store;
	struct code_names *names;
	uint32_t process;
	uint64_t *addresses; /* that are named */
	size_t nr;
	size_t room;
};

static void keep_trace(struct keep *keep, stackdepot_ref_t ref)
{
	uintptr_t frames[STACKDEPOT_MAX_FRAMES];
	int i, nr = ref ? stackdepot_fetch_ref(stackdepot_store_depot(keep->store), ref, frames,
					       STACKDEPOT_MAX_FRAMES)
			: 0;

	if (nr <= 0 || stackdepot_frame_process(frames[nr - 1]) != keep->process)
		return;
	for (i = 0; i < nr - 1; i++) {
		uint64_t call = stackdepot_frame_address(frames[i]) - 1;

		if (!stackdepot_frame_is_address(frames[i]) || !code_names_find(keep->names, call))
			continue;
		keep->addresses = memory_room(keep->addresses, keep->nr, &keep->room,
					      sizeof(*keep->addresses));
		keep->addresses[keep->nr++] = call;
	}
}

static int keep_compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;

	return *left < *right ? -1 : *left > *right;
}

/* Whole or not at all, in place of what was kept before. */
static void keep_write(struct keep *keep, const char *path,
		       const struct stackdepot_store_info *info)
{
	char *kept = kept_path(path, info->serial), *fresh = memory_print("%s.new", kept);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool good = out != NULL;
	size_t i, bytes = 0;

	if (out)
		fprintf(out, KEPT_HEAD "%u %" PRIu64 " %lld\n", info->pid, info->start_ns,
			(long long)code_names_time(keep->names));
	for (i = 0; out && i < keep->nr; i++) {
		const char *name = code_names_find(keep->names, keep->addresses[i]);

		if (i && keep->addresses[i] == keep->addresses[i - 1])
			continue;
		bytes += strlen(name) + 24;
		if (bytes > KEPT_BYTES)
			break;
		fprintf(out, "%" PRIx64 " 1 %s\n", keep->addresses[i], name);
	}
	if (out)
		good = !ferror(out);
	if (out && fclose(out))
		good = false;
	if (!good || rename(fresh, kept))
		(void)unlink(fresh);
	free(fresh);
	free(kept);
}

static void keep_traces(struct keep *keep)
{
	struct stackdepot_stack *stacks;
	struct stackdepot_error error;
	uint64_t position = 0;
	size_t i, nr;

	if (!stackdepot_store_stacks(keep->store, NULL, NULL, &stacks, &nr)) {
		for (i = 0; i < nr; i++)
			keep_trace(keep, stacks[i].trace);
		free(stacks);
	}
	while (stackdepot_store_next_error(keep->store, &position, &error)) {
		keep_trace(keep, error.access_trace);
		keep_trace(keep, error.alloc_trace);
		keep_trace(keep, error.free_trace);
		for (i = 0; i < error.nr_candidates; i++) {
			keep_trace(keep, error.candidates[i].alloc_trace);
			keep_trace(keep, error.candidates[i].free_trace);
		}
	}
}

void code_names_keep(const char *path, struct stackdepot_store *store,
		     const struct stackdepot_store_info *process)
{
	struct keep keep = {.store = store, .names = code_names_open()};

	keep.process = process->serial;
	live_read(keep.names, path, process);
	if (!code_names_nr(keep.names))
		left_read(keep.names, path, process);
	if (code_names_nr(keep.names))
		keep_traces(&keep);
	if (keep.nr) {
		qsort(keep.addresses, keep.nr, sizeof(*keep.addresses), keep_compare);
		keep_write(&keep, path, process);
	}
	free(keep.addresses);
	code_names_close(keep.names);
}

void code_names_forget(const char *path)
{
	numbered_remove(path, "names");
}
