/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Reading tables that are not trusted: a reader never leaves its bytes; once it would have, it is
 * `bad`, and yields zeros from then on, so that callers check once and at the end.
 */
#ifndef UNWIND_BYTES_H
#define UNWIND_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct unwind_bytes {
	const uint8_t *start;
	const uint8_t *end;
	uintptr_t moved; /* a copy: to its places this is added for what is relative to them */
};

struct unwind_reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
	uintptr_t moved;
};

static inline bool bytes_contain(const struct unwind_bytes *bytes, const uint8_t *at, size_t size)
{
	return at >= bytes->start && at <= bytes->end && (size_t)(bytes->end - at) >= size;
}

static inline const uint8_t *read_skip(struct unwind_reader *r, uint64_t size)
{
	const uint8_t *at = r->at;

	if (size > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		r->at = r->end;
		return NULL;
	}
	r->at += size;
	return at;
}

#define READ_FIXED(name, type)                                  \
	static inline type name(struct unwind_reader *r)        \
	{                                                       \
		const uint8_t *at = read_skip(r, sizeof(type)); \
		type value = 0;                                 \
                                                                \
		if (at)                                         \
			memcpy(&value, at, sizeof(value));      \
		return value;                                   \
	}

READ_FIXED(read_u8, uint8_t)
READ_FIXED(read_u16, uint16_t)
READ_FIXED(read_u32, uint32_t)
READ_FIXED(read_u64, uint64_t)

static inline uint64_t read_leb(struct unwind_reader *r, bool is_signed)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = read_u8(r);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (is_signed && (byte & 0x40) && shift < 64)
		value |= ~(uint64_t)0 << shift;
	return value;
}

static inline uint64_t read_uleb(struct unwind_reader *r)
{
	return read_leb(r, false);
}

static inline int64_t read_sleb(struct unwind_reader *r)
{
	return (int64_t)read_leb(r, true);
}

/* How a pointer is written, DW_EH_PE_*: a format and what it is relative to. */
enum {
	PE_ABSOLUTE = 0x00,
	PE_ULEB = 0x01,
	PE_U16 = 0x02,
	PE_U32 = 0x03,
	PE_U64 = 0x04,
	PE_SLEB = 0x09,
	PE_S16 = 0x0a,
	PE_S32 = 0x0b,
	PE_S64 = 0x0c,
	PE_FORMAT = 0x0f,
	PE_PC_RELATIVE = 0x10,
	PE_DATA_RELATIVE = 0x30,
	PE_RELATION = 0x70,
	PE_INDIRECT = 0x80,
	PE_OMIT = 0xff,
};

static inline uint64_t read_format(struct unwind_reader *r, uint8_t encoding)
{
	switch (encoding & PE_FORMAT) {
	case PE_ABSOLUTE:
	case PE_U64:
	case PE_S64:
		return read_u64(r);
	case PE_ULEB:
		return read_uleb(r);
	case PE_SLEB:
		return (uint64_t)read_sleb(r);
	case PE_U16:
		return read_u16(r);
	case PE_S16:
		return (uint64_t)(int64_t)(int16_t)read_u16(r);
	case PE_U32:
		return read_u32(r);
	case PE_S32:
		return (uint64_t)(int64_t)(int32_t)read_u32(r);
	default:
		r->bad = true;
		return 0;
	}
}

/* @data: what data-relative pointers are relative to. Indirect ones are read, not followed. */
static inline uintptr_t read_pointer(struct unwind_reader *r, uint8_t encoding, const void *data)
{
	uintptr_t base = 0;

	switch (encoding & PE_RELATION) {
	case PE_ABSOLUTE:
		break;
	case PE_PC_RELATIVE:
		base = (uintptr_t)r->at + r->moved;
		break;
	case PE_DATA_RELATIVE:
		base = (uintptr_t)data;
		break;
	default:
		r->bad = true;
	}
	return base + (uintptr_t)read_format(r, encoding);
}

#endif
