/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* gzip.h - bytes compressed on their way to a file; no time and no name in the header. */
#ifndef EXPORT_GZIP_H
#define EXPORT_GZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct gzip;

struct gzip *gzip_open(FILE *out);
void gzip_write(struct gzip *gzip, const void *bytes, size_t length);
/* Write what is left, and release it; FILE stays open, and knows of errors. */
void gzip_close(struct gzip *gzip);

#endif
