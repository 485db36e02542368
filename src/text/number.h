/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* number.h - figures for people, and by people. */
#ifndef TEXT_NUMBER_H
#define TEXT_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#define TEXT_BYTES 32
/* "1.5 MiB" */
const char *text_bytes(double bytes, char *buffer);
/* " +/- 1.5 MiB", the standard error of an estimate with this variance; "" if there is none. */
const char *text_error(double variance, char buffer[TEXT_BYTES + 8]);
/* "2,000" */
const char *text_count(double count, char *buffer);
/* "1 object", "2,000 objects": NOUN is the word for one. */
#define TEXT_NUMBER 64
const char *text_number(double count, const char *noun, char *buffer);

/* Read "64M" and the like, of what somebody typed. */
bool number_bytes(const char *text, uint64_t *ret_bytes);

#endif
