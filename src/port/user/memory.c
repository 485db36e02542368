/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * memory.c - depots in anonymous memory and in files.
 *
 * A depot is one mapping: a page for struct stackdepot, then the block that is, or would be, the
 * file. Both are reserved in full and touched as they are used.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "candidates.h"
#include "chain.h"
#include "geometry.h"
#include "hold.h"
#include "ring.h"
#include "variant.h"

void *depot_scratch_get(size_t bytes)
{
	void *memory =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void depot_scratch_put(void *memory, size_t bytes)
{
	(void)munmap(memory, bytes);
}

static u64 memory_seed(void)
{
	u64 seed = 0;

	/* Without randomness the depot is as correct, and as fast for all who do not attack it. */
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
		seed = (u64)(uintptr_t)&seed;
	return seed ? seed : 1;
}

/* Reserve the private page and `bytes` behind it. */
static struct stackdepot *memory_reserve(u64 bytes)
{
	struct stackdepot *depot;
	void *memory;

	/* What the address space has no room for. */
	if (bytes > SIZE_MAX / 2)
		return NULL;
	memory = mmap(NULL, DEPOT_PRIVATE_BYTES + bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	depot = memory;
	depot->host_bytes = DEPOT_PRIVATE_BYTES + bytes;
	return depot;
}

static void *memory_block(struct stackdepot *depot)
{
	return (char *)depot + DEPOT_PRIVATE_BYTES;
}

void stackdepot_destroy(struct stackdepot *depot)
{
	if (depot)
		(void)munmap(depot, depot->host_bytes);
}

/* Open what is at `memory`, or destroy the private view. */
static int memory_open(struct stackdepot *depot, void *memory, u64 bytes,
		       struct stackdepot **ret_depot)
{
	int error = depot_open(depot, memory, bytes);

	variant_choose(depot);
	if (error)
		stackdepot_destroy(depot);
	else
		*ret_depot = depot;
	return error;
}

int stackdepot_create(const struct stackdepot_options *options, struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	struct stackdepot *depot;
	int error = depot_plan(options, memory_seed(), &geometry);

	if (error)
		return error;
	depot = memory_reserve(geometry.total_bytes);
	if (!depot)
		return -ENOMEM;
	depot_format(memory_block(depot), &geometry);
	return memory_open(depot, memory_block(depot), geometry.total_bytes, ret_depot);
}

int stackdepot_create_at(const struct stackdepot_options *options, void *memory,
			 struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	struct stackdepot *depot;
	int error = depot_plan(options, memory_seed(), &geometry);

	if (error)
		return error;
	if ((uintptr_t)memory % DEPOT_CACHE_BYTES)
		return -EINVAL;
	depot = memory_reserve(0);
	if (!depot)
		return -ENOMEM;
	depot->shared = true;
	depot_format(memory, &geometry);
	return memory_open(depot, memory, geometry.total_bytes, ret_depot);
}

static int memory_join(void *memory, uint64_t bytes, bool read_only, struct stackdepot **ret_depot)
{
	struct stackdepot *depot;

	if ((uintptr_t)memory % DEPOT_CACHE_BYTES)
		return -EINVAL;
	depot = memory_reserve(0);
	if (!depot)
		return -ENOMEM;
	depot->shared = true;
	depot->read_only = read_only;
	return memory_open(depot, memory, bytes, ret_depot);
}

int stackdepot_attach_at(const void *memory, uint64_t bytes, struct stackdepot **ret_depot)
{
	/* Not written to: read_only is looked at by whoever would. */
	return memory_join((void *)(uintptr_t)memory, bytes, true, ret_depot);
}

int stackdepot_join_at(void *memory, uint64_t bytes, struct stackdepot **ret_depot)
{
	return memory_join(memory, bytes, false, ret_depot);
}

/* Map the depot that a file holds, or is to hold, behind a private page. */
static int memory_map_file(int fd, u64 bytes, bool read_only, struct stackdepot **ret_depot)
{
	struct stackdepot *depot = memory_reserve(bytes);
	const int protection = read_only ? PROT_READ : PROT_READ | PROT_WRITE;

	if (!depot)
		return -ENOMEM;
	depot->shared = true;
	depot->read_only = read_only;
	if (mmap(memory_block(depot), bytes, protection, MAP_SHARED | MAP_FIXED, fd, 0) ==
	    MAP_FAILED) {
		int error = -errno;

		stackdepot_destroy(depot);
		return error;
	}
	*ret_depot = depot;
	return 0;
}

/* Give the file its size, and its blocks unless they are not wanted or the file system has none. */
static int memory_size_file(int fd, u64 bytes, bool sparse)
{
	if (ftruncate(fd, (off_t)bytes))
		return -errno;
	if (!sparse && fallocate(fd, 0, 0, (off_t)bytes) && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	return 0;
}

static int memory_fill_file(int fd, const struct depot_geometry *geometry, bool sparse,
			    struct stackdepot **ret_depot)
{
	struct stackdepot *depot;
	int error = memory_size_file(fd, geometry->total_bytes, sparse);

	if (!error)
		error = memory_map_file(fd, geometry->total_bytes, false, &depot);
	if (error)
		return error;
	depot_format(memory_block(depot), geometry);
	return memory_open(depot, memory_block(depot), geometry->total_bytes, ret_depot);
}

int stackdepot_create_file(const struct stackdepot_options *options, const char *path,
			   struct stackdepot **ret_depot)
{
	struct depot_geometry geometry;
	int fd, error = depot_plan(options, memory_seed(), &geometry);

	if (error)
		return error;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	error = memory_fill_file(fd, &geometry, options->flags & STACKDEPOT_SPARSE, ret_depot);
	if (error)
		(void)unlink(path);
	(void)close(fd);
	return error;
}

static int memory_attach(int fd, struct stackdepot **ret_depot)
{
	struct stackdepot *depot;
	struct stat st;
	int error;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (u64)st.st_size < sizeof(struct depot_header))
		return -EBADMSG;
	error = memory_map_file(fd, (u64)st.st_size, true, &depot);
	return error ? error : memory_open(depot, memory_block(depot), (u64)st.st_size, ret_depot);
}

int stackdepot_attach(const char *path, struct stackdepot **ret_depot)
{
	int error, fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	error = memory_attach(fd, ret_depot);
	(void)close(fd);
	return error;
}
