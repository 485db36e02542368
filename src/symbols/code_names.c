/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/search.h"
#include "symbols/code_names.h"

#define ENTRIES_MAX (4u << 20)
#define NAME_BYTES 1024u /* longer ones are cut */
#define LOOK_MAX 4096u	 /* entries looked at for one address: a file may be made to take long, */
#define WORK_MAX (256u << 20) /* and those looked at for all that moved */

#define DUMP_MAGIC 0x4a695444u
enum { DUMP_LOAD = 0, DUMP_MOVE = 1 };

struct entry {
	uint64_t start;
	uint64_t end;
	uint64_t reach; /* the greatest end up to here, once sorted */
	uint64_t index; /* what a jitdump calls it by */
	size_t order;	/* later ones hold */
	char *name;
};

struct code_names {
	struct entry *entries;
	size_t nr;
	size_t room;
	bool sorted;
	time_t time;
	size_t work;
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
	if (names)
		free(names->entries);
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

static void names_add(struct code_names *names, uint64_t start, uint64_t bytes, uint64_t index,
		      const char *name, size_t length)
{
	struct entry entry = {.start = start, .end = start + bytes, .index = index};
	size_t i;

	if (!start || !bytes || entry.end < start || !length || names->nr == ENTRIES_MAX)
		return;
	if (length > NAME_BYTES)
		length = NAME_BYTES;
	entry.order = names->nr;
	entry.name = memory_alloc(length + 1);
	memcpy(entry.name, name, length);
	for (i = 0; i < length; i++) /* a name is a line where it is kept */
		if (entry.name[i] == '\n' || entry.name[i] == '\r')
			entry.name[i] = ' ';
	names->entries =
		memory_room(names->entries, names->nr, &names->room, sizeof(*names->entries));
	names->entries[names->nr++] = entry;
	names->sorted = false;
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
			names_add(names, start, size, 0, at, strnlen(at, (size_t)(stop - at)));
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

/* Code has gone elsewhere, with its name: that of the last of this index. */
static void dump_moved(struct code_names *names, uint64_t index, uint64_t start, uint64_t bytes)
{
	size_t i;

	for (i = names->nr; i-- && names->work++ < WORK_MAX;) {
		const struct entry *entry = &names->entries[i];

		if (entry->index == index) {
			names_add(names, start, bytes, index, entry->name, strlen(entry->name));
			return;
		}
	}
}

/* Numbers from 1, as 0 is what a map's entries have. */
static void dump_record(struct code_names *names, const struct dump *record)
{
	size_t length = (size_t)(record->end - record->at);

	if (dump_u32(record, 0) == DUMP_LOAD && length > 56)
		names_add(names, dump_u64(record, 32), dump_u64(record, 40),
			  dump_u64(record, 48) + 1, record->at + 56,
			  strnlen(record->at + 56, length - 56));
	else if (dump_u32(record, 0) == DUMP_MOVE && length >= 64)
		dump_moved(names, dump_u64(record, 56) + 1, dump_u64(record, 40),
			   dump_u64(record, 48));
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

/* --- look-up ---------------------------------------------------------------------------------- */

static int entry_compare(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->order < right->order ? -1 : left->order > right->order;
}

static void names_sort(struct code_names *names)
{
	uint64_t reach = 0;
	size_t i;

	qsort(names->entries, names->nr, sizeof(*names->entries), entry_compare);
	for (i = 0; i < names->nr; i++) {
		if (names->entries[i].end > reach)
			reach = names->entries[i].end;
		names->entries[i].reach = reach;
	}
	names->sorted = true;
}

const char *code_names_find(struct code_names *names, uint64_t address)
{
	const struct entry *found = NULL;
	size_t low, looked = 0;

	if (!names->sorted && names->nr)
		names_sort(names);
	low = search_up_to(names->entries, names->nr, start, address);
	/* backwards, as long as one that begins there may come to the address */
	while (low-- && names->entries[low].reach > address && looked++ < LOOK_MAX) {
		const struct entry *entry = &names->entries[low];

		if (entry->end > address && (!found || entry->order > found->order))
			found = entry;
	}
	return found ? found->name : NULL;
}
