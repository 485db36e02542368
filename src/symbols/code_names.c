/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"
#include "base/search.h"
#include "base/table.h"
#include "symbols/code_names.h"

#define ENTRIES_MAX (4u << 20)
#define NAME_BYTES 1024u /* longer ones are cut, and end with CUT */
#define CUT "..."
#define NO_ENTRY SIZE_MAX

#define DUMP_MAGIC 0x4a695444u
enum { DUMP_LOAD = 0, DUMP_MOVE = 1 };

/* Later ones hold. */
struct entry {
	uint64_t start;
	uint64_t end;
	char *name;
};

/* Addresses that one entry names; no two have one in common. */
struct piece {
	uint64_t start;
	uint64_t end;
	size_t entry;
};

/* What a jitdump calls code by, and the last entry of it. */
struct code {
	uint64_t index;
	size_t entry;
};

struct code_names {
	struct entry *entries;
	size_t nr;
	size_t room;
	struct piece *pieces; /* in the order of addresses, of all entries if there are any */
	size_t nr_pieces;
	size_t room_pieces;
	struct code *codes;
	size_t room_codes;
	struct table by_index;
	bool full; /* any name may have been followed by one that is not here */
	time_t time;
};

struct code_names *code_names_open(void)
{
	return memory_alloc(sizeof(struct code_names));
}

void code_names_close(struct code_names *names)
{
	size_t i;

	for (i = 0; names && i < names->nr; i++)
		free(names->entries[i].name);
	if (names) {
		free(names->entries);
		free(names->pieces);
		free(names->codes);
		table_free(&names->by_index);
	}
	free(names);
}

size_t code_names_nr(const struct code_names *names)
{
	return names->nr;
}

time_t code_names_time(const struct code_names *names)
{
	return names->nr ? names->time : 0;
}

void code_names_read_at(struct code_names *names, time_t time)
{
	names->time = time;
}

static void names_add(struct code_names *names, uint64_t start, uint64_t bytes, const char *name,
		      size_t length)
{
	struct entry entry = {.start = start, .end = start + bytes};
	const bool cut = length > NAME_BYTES;
	size_t i;

	if (!start || !bytes || entry.end < start || !length)
		return;
	names->full |= names->nr == ENTRIES_MAX;
	if (names->full)
		return;
	if (cut)
		length = NAME_BYTES;
	entry.name = memory_alloc(length + sizeof(CUT));
	memcpy(entry.name, name, length);
	for (i = 0; i < length; i++) /* a name is a line where it is kept */
		if (entry.name[i] == '\n' || entry.name[i] == '\r')
			entry.name[i] = ' ';
	if (cut)
		strcpy(entry.name + length, CUT);
	names->entries =
		memory_room(names->entries, names->nr, &names->room, sizeof(*names->entries));
	names->entries[names->nr++] = entry;
	names->nr_pieces = 0;
}

/* --- perf maps -------------------------------------------------------------------------------- */

/* A number in hex, and the space behind it. False: there is none. */
static bool map_number(const char **at, const char *end, uint64_t *ret_number)
{
	unsigned int digits = 0;

	*ret_number = 0;
	if (end - *at > 2 && (*at)[0] == '0' && (*at)[1] == 'x')
		*at += 2;
	for (; *at < end && strchr("0123456789abcdefABCDEF", **at) && **at; ++*at) {
		char c = **at;

		*ret_number =
			*ret_number << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
		if (++digits > 16)
			return false;
	}
	return digits && *at < end && *(*at)++ == ' ';
}

void code_names_map(struct code_names *names, const char *bytes, size_t length)
{
	const char *line, *next, *end = bytes + length;

	for (line = bytes; line < end; line = next) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)), *at = line;
		uint64_t start, size;

		/* a line that is not ended is still being written */
		if (!stop)
			return;
		next = stop + 1;
		if (map_number(&at, stop, &start) && map_number(&at, stop, &size))
			names_add(names, start, size, at, strnlen(at, (size_t)(stop - at)));
	}
}

/* --- jitdump ---------------------------------------------------------------------------------- */

struct dump {
	const char *at;
	const char *end;
};

static uint32_t dump_u32(const struct dump *dump, size_t offset)
{
	uint32_t value = 0;

	if ((size_t)(dump->end - dump->at) >= offset + sizeof(value))
		memcpy(&value, dump->at + offset, sizeof(value));
	return value;
}

static uint64_t dump_u64(const struct dump *dump, size_t offset)
{
	uint64_t value = 0;

	if ((size_t)(dump->end - dump->at) >= offset + sizeof(value))
		memcpy(&value, dump->at + offset, sizeof(value));
	return value;
}

static bool code_is(const void *owner, size_t number, const void *key)
{
	const struct code_names *names = owner;

	return names->codes[number].index == *(const uint64_t *)key;
}

static struct code *code_of(struct code_names *names, uint64_t index)
{
	const size_t nr = names->by_index.nr;
	const size_t number = table_number(&names->by_index, hash_word(HASH_BASIS, index), code_is,
					   names, &index);

	if (number == nr) {
		names->codes =
			memory_room(names->codes, nr, &names->room_codes, sizeof(*names->codes));
		names->codes[nr] = (struct code){index, NO_ENTRY};
	}
	return &names->codes[number];
}

static void dump_add(struct code_names *names, struct code *code, uint64_t start, uint64_t bytes,
		     const char *name, size_t length)
{
	const size_t nr = names->nr;

	names_add(names, start, bytes, name, length);
	if (names->nr > nr)
		code->entry = nr;
}

/* Code has gone elsewhere, with its name: that of the last of this index. */
static void dump_moved(struct code_names *names, uint64_t index, uint64_t start, uint64_t bytes)
{
	struct code *code = code_of(names, index);
	const char *name = code->entry == NO_ENTRY ? "" : names->entries[code->entry].name;

	dump_add(names, code, start, bytes, name, strlen(name));
}

static void dump_record(struct code_names *names, const struct dump *record)
{
	size_t length = (size_t)(record->end - record->at);

	if (dump_u32(record, 0) == DUMP_LOAD && length > 56)
		dump_add(names, code_of(names, dump_u64(record, 48)), dump_u64(record, 32),
			 dump_u64(record, 40), record->at + 56,
			 strnlen(record->at + 56, length - 56));
	else if (dump_u32(record, 0) == DUMP_MOVE && length >= 64)
		dump_moved(names, dump_u64(record, 56), dump_u64(record, 40), dump_u64(record, 48));
}

void code_names_dump(struct code_names *names, const char *bytes, size_t length)
{
	struct dump dump = {bytes, bytes + length};
	uint32_t header = dump_u32(&dump, 8);

	if (dump_u32(&dump, 0) != DUMP_MAGIC || header < 40 || header > length)
		return;
	for (dump.at += header; dump.end - dump.at >= 16;) {
		uint32_t size = dump_u32(&dump, 4);
		struct dump record = {dump.at, dump.at + size};

		if (size < 16 || size > (size_t)(dump.end - dump.at))
			return;
		dump_record(names, &record);
		dump.at = record.end;
	}
}

/* --- look-up ----------------------------------------------------------------------------------
 *
 * Entries overlap as their writer likes. They are gone over in the order of addresses once, with a
 * heap of those that an address is in, the latest on top.
 */

static void heap_push(size_t *heap, size_t nr, size_t entry)
{
	for (; nr && heap[(nr - 1) / 2] < entry; nr = (nr - 1) / 2)
		heap[nr] = heap[(nr - 1) / 2];
	heap[nr] = entry;
}

/* Of NR + 1; NR are left. */
static void heap_pop(size_t *heap, size_t nr)
{
	const size_t entry = heap[nr];
	size_t at = 0, below;

	for (; (below = 2 * at + 1) < nr; at = below) {
		below += below + 1 < nr && heap[below + 1] > heap[below];
		if (heap[below] <= entry)
			break;
		heap[at] = heap[below];
	}
	heap[at] = entry;
}

static int piece_compare(const void *a, const void *b)
{
	const struct piece *left = a, *right = b;

	return left->start < right->start ? -1 : left->start > right->start;
}

static void piece_add(struct code_names *names, uint64_t start, uint64_t end, size_t entry)
{
	struct piece *last = names->nr_pieces ? &names->pieces[names->nr_pieces - 1] : NULL;

	if (last && last->entry == entry && last->end == start) {
		last->end = end;
		return;
	}
	names->pieces = memory_room(names->pieces, names->nr_pieces, &names->room_pieces,
				    sizeof(*names->pieces));
	names->pieces[names->nr_pieces++] = (struct piece){start, end, entry};
}

/* `sorted` has a piece for each entry, whole. */
static void pieces_cut(struct code_names *names, const struct piece *sorted, size_t *heap)
{
	size_t next = 0, open = 0;
	uint64_t at = 0, to;

	while (next < names->nr || open) {
		if (!open)
			at = sorted[next].start;
		for (; next < names->nr && sorted[next].start == at; next++)
			heap_push(heap, open++, sorted[next].entry);
		to = names->entries[heap[0]].end;
		if (to <= at) {
			heap_pop(heap, --open);
			continue;
		}
		if (next < names->nr && sorted[next].start < to)
			to = sorted[next].start;
		piece_add(names, at, to, heap[0]);
		at = to;
	}
}

static void pieces_make(struct code_names *names)
{
	struct piece *sorted = memory_alloc(names->nr * sizeof(*sorted));
	size_t i, *heap = memory_alloc(names->nr * sizeof(*heap));

	for (i = 0; i < names->nr; i++)
		sorted[i] = (struct piece){names->entries[i].start, names->entries[i].end, i};
	qsort(sorted, names->nr, sizeof(*sorted), piece_compare);
	pieces_cut(names, sorted, heap);
	free(heap);
	free(sorted);
}

const char *code_names_find(struct code_names *names, uint64_t address)
{
	size_t low;

	if (names->full)
		return NULL;
	if (!names->nr_pieces && names->nr)
		pieces_make(names);
	low = search_up_to(names->pieces, names->nr_pieces, start, address);
	if (!low || names->pieces[low - 1].end <= address)
		return NULL;
	return names->entries[names->pieces[low - 1].entry].name;
}
