/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * lost_kept.c - what was found when a process had come to its end, for when it is gone.
 *
 * A file beside the store for each process, STORE.lost.N for the N-th of the run: a head, and sums
 * by trace, as numbers of this machine; the store itself is no other. Nobody vouches for what is
 * read: a trace that is none is a stack that is not known, and figures that are none refuse all.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/numbered.h"
#include "lost_stacks.h"

#define KEPT_MAGIC 0x3254534c50445300ull
#define KEPT_STACKS (1u << 24)

struct kept_head {
	uint64_t magic;
	uint64_t start_ns; /* of the process; with the next it is this one */
	uint32_t serial;
	uint32_t threads;
	uint64_t nr;
	uint64_t looked_at;
	uint64_t stopped_ns;
	uint64_t copied_bytes;
	uint64_t heap_is_roots;
};

static char *kept_path(const char *path, uint32_t serial)
{
	return memory_print("%s.lost.%u", path, serial);
}

static bool kept_write(const char *fresh, const struct kept_head *head,
		       const struct lost_stack *stacks)
{
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	bool good;

	if (!out)
		return false;
	good = fwrite(head, sizeof(*head), 1, out) == 1 &&
	       fwrite(stacks, sizeof(*stacks), head->nr, out) == head->nr;
	return !fclose(out) && good;
}

bool lost_keep(const char *path, const struct stackdepot_store_info *process,
	       const struct lost_found *found)
{
	const struct kept_head head = {
		.magic = KEPT_MAGIC,
		.start_ns = process->start_ns,
		.serial = process->serial,
		.threads = found->threads,
		.nr = found->nr,
		.looked_at = found->looked_at,
		.stopped_ns = found->stopped_ns,
		.copied_bytes = found->copied_bytes,
		.heap_is_roots = found->heap_is_roots,
	};
	char *kept = kept_path(path, process->serial), *fresh = memory_print("%s.new", kept);
	bool good = kept_write(fresh, &head, found->stacks) && !rename(fresh, kept);

	if (!good)
		(void)unlink(fresh);
	free(fresh);
	free(kept);
	return good;
}

static bool kept_is_figure(double value)
{
	return isfinite(value) && value >= 0;
}

static bool kept_makes_sense(const struct lost_stack *stacks, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (!kept_is_figure(stacks[i].objects) || !kept_is_figure(stacks[i].bytes) ||
		    !kept_is_figure(stacks[i].lost_objects) ||
		    !kept_is_figure(stacks[i].lost_bytes) ||
		    !kept_is_figure(stacks[i].objects_variance) ||
		    !kept_is_figure(stacks[i].bytes_variance))
			return false;
	return true;
}

static bool kept_read(FILE *in, const struct stackdepot_store_info *process,
		      struct lost_found *ret_found)
{
	struct kept_head head;
	struct lost_stack *stacks;

	if (fread(&head, sizeof(head), 1, in) != 1 || head.magic != KEPT_MAGIC ||
	    head.serial != process->serial || head.start_ns != process->start_ns ||
	    head.nr > KEPT_STACKS)
		return false;
	stacks = memory_alloc(head.nr * sizeof(*stacks));
	if (fread(stacks, sizeof(*stacks), head.nr, in) != head.nr ||
	    !kept_makes_sense(stacks, head.nr)) {
		free(stacks);
		return false;
	}
	*ret_found = (struct lost_found){
		.stacks = stacks,
		.nr = head.nr,
		.looked_at = head.looked_at,
		.stopped_ns = head.stopped_ns,
		.copied_bytes = head.copied_bytes,
		.threads = head.threads,
		.heap_is_roots = head.heap_is_roots,
		.at_exit = true,
	};
	return true;
}

bool lost_kept(const char *path, const struct stackdepot_store_info *process,
	       struct lost_found *ret_found)
{
	char *kept = kept_path(path, process->serial);
	int fd = open(kept, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	FILE *in = fd < 0 ? NULL : fdopen(fd, "r");
	bool good = in && kept_read(in, process, ret_found);

	if (in)
		(void)fclose(in);
	free(kept);
	return good;
}

void lost_forget(const char *path)
{
	numbered_remove(path, "lost");
}
