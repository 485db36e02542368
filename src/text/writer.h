/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * writer.h - JSON written as it comes, nothing of it kept.
 *
 * Inside of an object each value has a key; inside of an array the key is NULL. Bytes that are not
 * UTF-8 become U+FFFD.
 */
#ifndef TEXT_WRITER_H
#define TEXT_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WRITER_DEPTH 32

struct writer {
	FILE *out;
	unsigned int depth;
	char ends[WRITER_DEPTH]; /* what closes each level */
	bool empty;		 /* nothing stands in this level yet */
};

void writer_begin(struct writer *writer, FILE *out);
void writer_object(struct writer *writer, const char *key);
void writer_array(struct writer *writer, const char *key);
void writer_end(struct writer *writer);
/* TEXT may be NULL: null. */
void writer_text(struct writer *writer, const char *key, const char *text);
void writer_integer(struct writer *writer, const char *key, int64_t value);
void writer_number(struct writer *writer, const char *key, double value);
/* As text, "0x...": readers whose numbers are doubles would round it. */
void writer_address(struct writer *writer, const char *key, uint64_t value);
void writer_bool(struct writer *writer, const char *key, bool value);
void writer_null(struct writer *writer, const char *key);

#endif
