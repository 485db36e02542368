/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* intern.c - strings that lie one after another, and the table that finds them. */
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "intern.h"
#include "memory.h"
#include "table.h"

struct intern_entry {
	size_t offset;
	size_t length;
};

struct intern {
	char *bytes;
	size_t used;
	size_t room;
	struct intern_entry *entries;
	size_t entries_room;
	struct table table; /* of entries, and how many there are */
};

struct intern_key {
	const void *bytes;
	size_t length;
};

struct intern *intern_open(void)
{
	return memory_alloc(sizeof(struct intern));
}

void intern_close(struct intern *intern)
{
	if (!intern)
		return;
	free(intern->bytes);
	free(intern->entries);
	table_free(&intern->table);
	free(intern);
}

/* Most keys are words, or a few of them. */
static uint64_t intern_hash(const unsigned char *bytes, size_t length)
{
	uint64_t hash = HASH_BASIS, word;

	for (; length >= sizeof(word); length -= sizeof(word), bytes += sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = hash_word(hash, word);
	}
	return hash_bytes(hash, bytes, length);
}

static bool intern_same(const void *owner, size_t number, const void *key)
{
	const struct intern *intern = owner;
	const struct intern_entry *entry = &intern->entries[number];
	const struct intern_key *wanted = key;

	return entry->length == wanted->length &&
	       !memcmp(intern->bytes + entry->offset, wanted->bytes, wanted->length);
}

static void intern_append(struct intern *intern, size_t number, const struct intern_key *key)
{
	intern->entries = memory_room(intern->entries, number, &intern->entries_room,
				      sizeof(*intern->entries));
	if (intern->used + key->length + 1 > intern->room) {
		intern->room = 2 * intern->room + key->length + 1;
		intern->bytes = memory_realloc(intern->bytes, intern->room);
	}
	memcpy(intern->bytes + intern->used, key->bytes, key->length);
	intern->bytes[intern->used + key->length] = '\0';
	intern->entries[number] = (struct intern_entry){intern->used, key->length};
	intern->used += key->length + 1;
}

size_t intern(struct intern *intern, const void *bytes, size_t length)
{
	const struct intern_key key = {bytes, length};
	const size_t known = intern->table.nr;
	size_t number =
		table_number(&intern->table, intern_hash(bytes, length), intern_same, intern, &key);

	if (number == known)
		intern_append(intern, number, &key);
	return number;
}

size_t intern_text(struct intern *names, const char *text)
{
	return intern(names, text, strlen(text));
}

size_t intern_nr(const struct intern *intern)
{
	return intern->table.nr;
}

const char *intern_at(const struct intern *intern, size_t number, size_t *ret_length)
{
	if (ret_length)
		*ret_length = intern->entries[number].length;
	return intern->bytes + intern->entries[number].offset;
}
