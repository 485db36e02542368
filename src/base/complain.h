/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* complain.h - one line on standard error about what is wrong. */
#ifndef BASE_COMPLAIN_H
#define BASE_COMPLAIN_H

/* The line has "stackdepot: " in front, and ends by itself. */
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
