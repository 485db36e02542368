/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * image.c - copy the memory of another process, fast, as it is stopped meanwhile.
 *
 * /proc/PID/maps says what is mapped, /proc/PID/pagemap which pages of it exist, process_vm_readv()
 * copies many pieces with one call. Memory for all of it is taken at once and nothing is moved, and
 * most of it is there before the process is stopped, as making it takes longer than the copy.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/statm.h"
#include "image.h"

#define BATCH 512u /* pieces a call, and entries of pagemap a read */
#define IMAGE_SPARE_BYTES ((uint64_t)1 << 20)
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61) /* or shared memory */

static uint64_t image_page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

static int image_add(struct image *image, uint64_t start, uint64_t end)
{
	if (image->nr && image->pieces[image->nr - 1].end == start) {
		image->pieces[image->nr - 1].end = end;
		return 0;
	}
	if (image->nr == image->room) {
		size_t room = image->room ? 2 * image->room : 256;
		struct image_piece *pieces = reallocarray(image->pieces, room, sizeof(*pieces));

		if (!pieces)
			return -ENOMEM;
		image->pieces = pieces;
		image->room = room;
	}
	image->pieces[image->nr++] = (struct image_piece){.start = start, .end = end};
	return 0;
}

/* A page of a file as it is on disk has no pointers of this process. */
static bool image_wants_page(const struct image_mapping *mapping, uint64_t entry)
{
	if (!(entry & (PAGE_PRESENT | PAGE_SWAPPED)))
		return false;
	return mapping->shared || !mapping->inode || !(entry & PAGE_OF_FILE);
}

static int image_add_pages(struct image *image, int pagemap, const struct image_mapping *mapping)
{
	const uint64_t page = image_page_bytes();
	uint64_t entries[BATCH], at = mapping->start;
	int error = 0;

	while (at < mapping->end && !error) {
		uint64_t left = (mapping->end - at) / page;
		size_t want = (left < BATCH ? left : BATCH) * sizeof(*entries);
		ssize_t i,
			got = pread(pagemap, entries, want, (off_t)(at / page * sizeof(*entries)));

		if (got <= 0)
			return got ? -errno : 0;
		for (i = 0; i < got / (ssize_t)sizeof(*entries) && !error; i++, at += page)
			if (image_wants_page(mapping, entries[i]))
				error = image_add(image, at, at + page);
	}
	return error;
}

/* A line of /proc/PID/maps; false for what cannot be read, and for the kernel's own. */
static bool image_parse(char *line, struct image_mapping *mapping)
{
	unsigned int major, minor;
	char mode[8];
	int path = 0;

	if (sscanf(line, "%lx-%lx %7s %*s %x:%x %lu %n", &mapping->start, &mapping->end, mode,
		   &major, &minor, &mapping->inode, &path) != 6)
		return false;
	line[strcspn(line, "\n")] = '\0';
	mapping->path = line + path;
	mapping->shared = mode[3] == 's';
	mapping->device = makedev(major, minor);
	return mode[0] == 'r' && strncmp(mapping->path, "[v", 2);
}

static int image_find(pid_t pid, image_filter filter, void *context, struct image *image)
{
	char name[64], line[PATH_MAX + 256];
	struct image_mapping mapping;
	int pagemap, error = 0;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	maps = fopen(name, "re");
	if (!maps)
		return -errno;
	snprintf(name, sizeof(name), "/proc/%d/pagemap", (int)pid);
	pagemap = open(name, O_RDONLY | O_CLOEXEC);
	if (pagemap < 0)
		error = -errno;
	while (!error && fgets(line, sizeof(line), maps))
		if (image_parse(line, &mapping) && filter(context, &mapping))
			error = image_add_pages(image, pagemap, &mapping);
	if (pagemap >= 0)
		close(pagemap);
	fclose(maps);
	return error;
}

int image_maps(pid_t pid, dev_t device, ino_t inode)
{
	char name[64], line[PATH_MAX + 256];
	struct image_mapping mapping;
	bool maps_it = false;
	FILE *maps;

	snprintf(name, sizeof(name), "/proc/%d/maps", (int)pid);
	maps = fopen(name, "re");
	if (!maps)
		return -errno;
	while (!maps_it && fgets(line, sizeof(line), maps))
		maps_it = image_parse(line, &mapping) && mapping.inode == inode &&
			  mapping.device == device;
	fclose(maps);
	return maps_it;
}

static int image_map(struct image *image, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	image->memory = memory;
	image->memory_bytes = bytes;
	return 0;
}

static void image_unmap(struct image *image)
{
	if (image->memory)
		munmap(image->memory, image->memory_bytes);
	image->memory = NULL;
	image->memory_bytes = 0;
}

void image_prepare(pid_t pid, struct image *image)
{
	const struct statm statm = statm_read((int)pid);
	const uint64_t bytes = statm.resident - statm.shared, page = image_page_bytes();
	size_t i;

	if (!bytes || image_map(image, bytes + bytes / 16 + IMAGE_SPARE_BYTES))
		return;
	/* Touched, not only mapped: there may be a hypervisor below that maps it once more. */
	for (i = 0; i < image->memory_bytes; i += page)
		image->memory[i] = 1;
}

static int image_reserve(struct image *image)
{
	size_t i;

	for (i = 0; i < image->nr; i++)
		image->bytes += image->pieces[i].end - image->pieces[i].start;
	if (image->memory && image->bytes <= image->memory_bytes)
		return 0;
	image_unmap(image);
	return image_map(image, image->bytes ? image->bytes : 1);
}

/* What cannot be read all the same (a file that was cut) is what it was: no pointers. */
static void image_read_batch(pid_t pid, struct iovec *local, struct iovec *remote, size_t nr)
{
	size_t i;
	ssize_t got = process_vm_readv(pid, local, nr, remote, nr, 0);
	size_t want = 0;

	for (i = 0; i < nr; i++)
		want += local[i].iov_len;
	for (i = 0; i < nr && (got < 0 || (size_t)got < want); i++)
		(void)process_vm_readv(pid, &local[i], 1, &remote[i], 1, 0);
}

static void image_read(pid_t pid, struct image *image)
{
	struct iovec local[BATCH], remote[BATCH];
	char *to = image->memory;
	size_t i, nr = 0;

	for (i = 0; i < image->nr; i++) {
		struct image_piece *piece = &image->pieces[i];
		size_t bytes = piece->end - piece->start;

		piece->words = (const uint64_t *)(const void *)to;
		local[nr] = (struct iovec){to, bytes};
		remote[nr++] = (struct iovec){(void *)(uintptr_t)piece->start, bytes};
		to += bytes;
		if (nr == BATCH || i + 1 == image->nr) {
			image_read_batch(pid, local, remote, nr);
			nr = 0;
		}
	}
}

int image_copy(pid_t pid, image_filter filter, void *context, struct image *image)
{
	int error = image_find(pid, filter, context, image);

	if (!error)
		error = image_reserve(image);
	if (!error)
		image_read(pid, image);
	return error;
}

void image_release(struct image *image)
{
	image_unmap(image);
	free(image->pieces);
	*image = (struct image){0};
}
