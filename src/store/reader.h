/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* reader.h - an open store. */
#ifndef STORE_READER_H
#define STORE_READER_H

#include "format.h"
#include "stackdepot/store.h"

struct stackdepot_store {
	const void *memory;
	uint64_t mapped_bytes;
	uint64_t total_bytes;
	uint64_t corpus_events;
	struct store_layout layout;
	struct stackdepot *depot;
	struct store_module module; /* the one last handed out */
	char command[STORE_COMMAND_BYTES + 1];
	char text[512]; /* the note or start last handed out */
};

static inline const void *store_at(const struct stackdepot_store *store, uint64_t offset)
{
	return (const char *)store->memory + offset;
}

#endif
