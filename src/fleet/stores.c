/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stores.c - words of the command line, and descriptors of what was found. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/complain.h"
#include "base/memory.h"
#include "find/find.h"
#include "stores.h"

#define DESCRIPTOR "/proc/self/fd/"

static void stores_add(struct stores *stores, char *name)
{
	stores->names =
		memory_room(stores->names, stores->nr, &stores->room, sizeof(*stores->names));
	stores->names[stores->nr++] = name;
}

static bool stores_found(void *context, const struct find_store *store)
{
	const int fd = fcntl(store->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd >= 0)
		stores_add(context, memory_print(DESCRIPTOR "%d", fd));
	return fd >= 0;
}

static void stores_say(const struct find_counts *counts)
{
	if (counts->foreign)
		complain("push: %llu files are of somebody who should not have stores there",
			 (unsigned long long)counts->foreign);
	if (counts->unreadable)
		complain("push: %llu files or directories could not be opened",
			 (unsigned long long)counts->unreadable);
	if (counts->left_out)
		complain("push: %llu older stores are left out",
			 (unsigned long long)counts->left_out);
}

void stores_open(struct stores *stores, const struct fleet_options *options)
{
	struct find_counts counts;
	size_t i;

	*stores = (struct stores){0};
	for (i = 0; i < options->nr_words; i++)
		stores_add(stores, memory_strdup(options->words[i]));
	if (!options->nr_places)
		return;
	find_stores(options->places, options->nr_places, stores_found, stores, &counts);
	stores_say(&counts);
}

/* One that the command line names by a descriptor is not ours to close: it comes again. */
void stores_close(struct stores *stores, const struct fleet_options *options)
{
	size_t i;

	for (i = 0; i < stores->nr; i++) {
		if (i >= options->nr_words)
			(void)close((int)strtol(stores->names[i] + strlen(DESCRIPTOR), NULL, 10));
		free(stores->names[i]);
	}
	free(stores->names);
}
