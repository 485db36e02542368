/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * clean.h - names from files that nobody vouches for, made fit to be shown anywhere.
 *
 * A name in a store, in a symbol table or in a directory is whatever somebody put there: sequences
 * that drive a terminal, marks that turn the direction of what is written after them, bytes that
 * are no UTF-8 and end a JSON document, megabytes. So every name is made clean once, where it comes
 * in. Those who write terminals, pages, JSON and files ask again, which for a clean name costs
 * little.
 *
 * Clean text is UTF-8 of at most CLEAN_BYTES bytes. What controls is written as \xNN if it is one
 * byte, and as \u{NNNN} else: C0 and DEL, the C1 controls U+0080 to U+009F, separators of lines and
 * paragraphs, and every character that formats (category Cf: directions, joiners, tags ...). Bytes
 * that are not UTF-8 are \xNN.
 */
#ifndef BASE_CLEAN_H
#define BASE_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CLEAN_BYTES 16384u /* longer names end with "..." */

/* TEXT made clean, to be freed. */
char *clean_text(const char *text);
/* The same, of at most LIMIT bytes, which are more than 3. */
char *clean_short(const char *text, size_t limit);
/* Of exactly so many BYTES, in which NULs may be. */
char *clean_bytes(const char *text, size_t bytes);

/* Is TEXT clean as it is? Then all of the above return a copy of it. */
bool clean_is(const char *text);
/*
 * Write TEXT, clean. To a terminal that is not one of UTF-8 every character beyond ASCII is written
 * as \u{NNNN}: its bytes might be controls there.
 */
void clean_write(FILE *out, const char *text);
/* How much of TEXT fits in so many BYTES, without a character cut in two. */
size_t clean_fit(const char *text, size_t bytes);

#endif
