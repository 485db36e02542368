/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* intern.c - a hash table with open addressing over strings that lie one after another. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "intern.h"

#define INTERN_FIRST_SLOTS 1024u

struct intern_entry {
	size_t offset;
	size_t length;
	uint64_t hash;
};

struct intern {
	char *bytes;
	size_t used;
	size_t room;
	struct intern_entry *entries;
	size_t nr;
	size_t entries_room;
	size_t *slots; /* number of an entry plus 1, 0 if free */
	size_t size;   /* of slots, a power of two */
};

struct intern *intern_open(void)
{
	struct intern *intern = cli_alloc(sizeof(*intern));

	intern->size = INTERN_FIRST_SLOTS;
	intern->slots = cli_alloc(intern->size * sizeof(*intern->slots));
	return intern;
}

void intern_close(struct intern *intern)
{
	if (!intern)
		return;
	free(intern->bytes);
	free(intern->entries);
	free(intern->slots);
	free(intern);
}

/* Most keys are words, or a few of them. Of the rest FNV-1a. */
static uint64_t intern_hash(const unsigned char *bytes, size_t length)
{
	uint64_t hash = 0xcbf29ce484222325ull, word;

	for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	for (; length; length--)
		hash = (hash ^ *bytes++) * 0x100000001b3ull;
	return hash ^ hash >> 32;
}

static size_t *intern_slot(const struct intern *intern, const void *bytes, size_t length,
			   uint64_t hash)
{
	size_t at = (size_t)hash & (intern->size - 1);

	for (; intern->slots[at]; at = (at + 1) & (intern->size - 1)) {
		const struct intern_entry *entry = &intern->entries[intern->slots[at] - 1];

		if (entry->hash == hash && entry->length == length &&
		    !memcmp(intern->bytes + entry->offset, bytes, length))
			break;
	}
	return &intern->slots[at];
}

static void intern_rehash(struct intern *intern)
{
	size_t i;

	free(intern->slots);
	intern->size *= 2;
	intern->slots = cli_alloc(intern->size * sizeof(*intern->slots));
	for (i = 0; i < intern->nr; i++) {
		size_t at = (size_t)intern->entries[i].hash & (intern->size - 1);

		while (intern->slots[at])
			at = (at + 1) & (intern->size - 1);
		intern->slots[at] = i + 1;
	}
}

static void intern_append(struct intern *intern, const void *bytes, size_t length, uint64_t hash)
{
	if (intern->nr == intern->entries_room) {
		intern->entries_room = 2 * intern->entries_room + 256;
		intern->entries = cli_realloc(intern->entries,
					      intern->entries_room * sizeof(*intern->entries));
	}
	if (intern->used + length + 1 > intern->room) {
		intern->room = 2 * intern->room + length + 1;
		intern->bytes = cli_realloc(intern->bytes, intern->room);
	}
	memcpy(intern->bytes + intern->used, bytes, length);
	intern->bytes[intern->used + length] = '\0';
	intern->entries[intern->nr++] = (struct intern_entry){intern->used, length, hash};
	intern->used += length + 1;
}

size_t intern(struct intern *intern, const void *bytes, size_t length)
{
	uint64_t hash = intern_hash(bytes, length);
	size_t *slot = intern_slot(intern, bytes, length, hash);

	if (*slot)
		return *slot - 1;
	intern_append(intern, bytes, length, hash);
	*slot = intern->nr;
	if (2 * intern->nr > intern->size)
		intern_rehash(intern);
	return intern->nr - 1;
}

size_t intern_text(struct intern *names, const char *text)
{
	return intern(names, text, strlen(text));
}

size_t intern_nr(const struct intern *intern)
{
	return intern->nr;
}

const char *intern_at(const struct intern *intern, size_t number, size_t *ret_length)
{
	if (ret_length)
		*ret_length = intern->entries[number].length;
	return intern->bytes + intern->entries[number].offset;
}
