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
	unsigned int
		on_lines; /* values of so many levels begin a line; what lies deeper shares one */
	bool has_reals;	  /* a number that is no integer by its kind shows it: 1.0 */
	bool in_page;	  /* nothing between values; strings are ASCII without '<' */
	int digits;	  /* of numbers */
	char ends[WRITER_DEPTH]; /* what closes each level */
	bool empty;		 /* nothing stands in this level yet */
};

/* As files are exported: the outer levels on lines of their own. */
void writer_begin(struct writer *writer, FILE *out);
/* As reports are printed: all levels are, and reals are told from integers. */
void writer_begin_lines(struct writer *writer, FILE *out);
/* As a script of a page holds it, which nothing in a string can end. */
void writer_begin_page(struct writer *writer, FILE *out);
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
