/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* protobuf.c - fields appended to a buffer. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "protobuf.h"

#define VARINT_BYTES 10u
#define WIRE_VARINT 0u
#define WIRE_FIXED64 1u
#define WIRE_LENGTH 2u

static void protobuf_room(struct protobuf *message, size_t bytes)
{
	if (message->used + bytes <= message->room)
		return;
	message->room = 2 * (message->used + bytes);
	message->bytes = memory_realloc(message->bytes, message->room);
}

void protobuf_free(struct protobuf *message)
{
	free(message->bytes);
	*message = (struct protobuf){0};
}

void protobuf_element(struct protobuf *list, uint64_t value)
{
	protobuf_room(list, VARINT_BYTES);
	for (; value >= 0x80; value >>= 7)
		list->bytes[list->used++] = (unsigned char)(value | 0x80);
	list->bytes[list->used++] = (unsigned char)value;
}

void protobuf_integer(struct protobuf *message, unsigned int field, uint64_t value)
{
	if (!value)
		return;
	protobuf_element(message, field << 3 | WIRE_VARINT);
	protobuf_element(message, value);
}

void protobuf_fixed64(struct protobuf *message, unsigned int field, uint64_t value)
{
	int i;

	if (!value)
		return;
	protobuf_element(message, field << 3 | WIRE_FIXED64);
	protobuf_room(message, sizeof(value));
	for (i = 0; i < 8; i++)
		message->bytes[message->used++] = (unsigned char)(value >> 8 * i);
}

void protobuf_bytes(struct protobuf *message, unsigned int field, const void *bytes, size_t length)
{
	protobuf_element(message, field << 3 | WIRE_LENGTH);
	protobuf_element(message, length);
	if (!length)
		return;
	protobuf_room(message, length);
	memcpy(message->bytes + message->used, bytes, length);
	message->used += length;
}

void protobuf_message(struct protobuf *message, unsigned int field, struct protobuf *inner)
{
	protobuf_bytes(message, field, inner->bytes, inner->used);
	inner->used = 0;
}
