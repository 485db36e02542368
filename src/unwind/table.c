/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include <errno.h>

#include "cfi.h"

/* The sorted table: pairs of (first address, entry), both relative to the header. */
struct table {
	const uint8_t *header;
	const uint8_t *rows;
	uint64_t count;
};

#define TABLE_ROW_BYTES 8

static int32_t table_value(const struct table *table, uint64_t index, unsigned int which)
{
	int32_t value;

	memcpy(&value, table->rows + index * TABLE_ROW_BYTES + which * 4, sizeof(value));
	return value;
}

/* -ENOENT: there is no table, or not in the one encoding that linkers write. */
static int table_open(const struct unwind_bytes *bytes, const uint8_t *header,
		      struct table *ret_table, const uint8_t **ret_section)
{
	struct unwind_reader r = {header, bytes->end, !bytes_contain(bytes, header, 4),
				  bytes->moved};
	uint8_t version, section_encoding, count_encoding, row_encoding;

	if (r.bad)
		return -EBADMSG;
	version = read_u8(&r);
	section_encoding = read_u8(&r);
	count_encoding = read_u8(&r);
	row_encoding = read_u8(&r);
	if (version != 1 || section_encoding == PE_OMIT)
		return -EBADMSG;
	*ret_section = (const uint8_t *)read_pointer(&r, section_encoding, header);
	if (r.bad)
		return -EBADMSG;
	if (count_encoding == PE_OMIT || row_encoding != (PE_DATA_RELATIVE | PE_S32))
		return -ENOENT;
	ret_table->header = header;
	ret_table->count = read_pointer(&r, count_encoding, header);
	ret_table->rows = r.at;
	if (r.bad || ret_table->count > (uint64_t)(r.end - r.at) / TABLE_ROW_BYTES)
		return -EBADMSG;
	return 0;
}

/* The last row that begins at or before @pc. */
static bool table_search(const struct table *table, uintptr_t pc, uint64_t *ret_index)
{
	intptr_t wanted = (intptr_t)(pc - (uintptr_t)table->header);
	uint64_t low = 0, high = table->count;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (table_value(table, middle, 0) <= wanted)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_index = low - 1;
	return low > 0;
}

int unwind_table_find(const struct unwind_bytes *bytes, const uint8_t *header, uintptr_t pc,
		      struct unwind_entry *ret_entry)
{
	struct unwind_entry entry;
	const uint8_t *section;
	struct table table;
	uint64_t index;
	int err;

	err = table_open(bytes, header, &table, &section);
	if (err == -ENOENT)
		return unwind_table_scan(bytes, section, pc, ret_entry);
	if (err)
		return err;
	if (!table_search(&table, pc, &index))
		return -ENOENT;
	section = (const uint8_t *)((uintptr_t)header + (intptr_t)table_value(&table, index, 1));
	err = unwind_cfi_parse(bytes, section, &entry, NULL);
	if (err)
		return -EBADMSG;
	if (pc < entry.pc_start || pc >= entry.pc_end)
		return -ENOENT;
	*ret_entry = entry;
	return 0;
}

int unwind_table_scan(const struct unwind_bytes *bytes, const uint8_t *at, uintptr_t pc,
		      struct unwind_entry *ret_entry)
{
	struct unwind_entry entry;
	const uint8_t *next = NULL;

	for (;; at = next) {
		const uint8_t *here = at;
		int err;

		next = NULL;
		err = unwind_cfi_parse(bytes, here, &entry, &next);
		if (!err && pc >= entry.pc_start && pc < entry.pc_end) {
			*ret_entry = entry;
			return 0;
		}
		if (!next) /* the end, or no length to go by */
			return -ENOENT;
	}
}
