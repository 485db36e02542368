/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* protobuf.h - as much of protocol buffers' wire format as a profile takes: varints and bytes. */
#ifndef EXPORT_PROTOBUF_H
#define EXPORT_PROTOBUF_H

#include <stddef.h>
#include <stdint.h>

struct protobuf {
	unsigned char *bytes;
	size_t used;
	size_t room;
};

void protobuf_free(struct protobuf *message);
/* A field of type int64, uint64 or bool; zero, which is the default, is left out. */
void protobuf_integer(struct protobuf *message, unsigned int field, uint64_t value);
/* A field of type fixed64, likewise. */
void protobuf_fixed64(struct protobuf *message, unsigned int field, uint64_t value);
/* An element of a packed list, whose bytes become a field of their own. */
void protobuf_element(struct protobuf *list, uint64_t value);
/* A string, a packed list or a message inside; written even if it is empty. */
void protobuf_bytes(struct protobuf *message, unsigned int field, const void *bytes, size_t length);
/* The same of another message, which is empty afterwards. */
void protobuf_message(struct protobuf *message, unsigned int field, struct protobuf *inner);

#endif
