/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* gzip.c - zlib's deflate, to a stream of stdio. */
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/memory.h"
#include "gzip.h"

#define GZIP_WRAPPER 16 /* added to the logarithm of the window: a gzip header and trailer */
#define GZIP_MEMORY 8

struct gzip {
	z_stream stream;
	FILE *out;
	unsigned char buffer[16384];
};

struct gzip *gzip_open(FILE *out)
{
	struct gzip *gzip = memory_alloc(sizeof(*gzip));

	gzip->out = out;
	if (deflateInit2(&gzip->stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_WRAPPER,
			 GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		memory_out();
	return gzip;
}

static void gzip_run(struct gzip *gzip, int flush)
{
	do {
		gzip->stream.next_out = gzip->buffer;
		gzip->stream.avail_out = sizeof(gzip->buffer);
		(void)deflate(&gzip->stream, flush);
		fwrite(gzip->buffer, 1, sizeof(gzip->buffer) - gzip->stream.avail_out, gzip->out);
	} while (!gzip->stream.avail_out);
}

void gzip_write(struct gzip *gzip, const void *bytes, size_t length)
{
	gzip->stream.next_in = (unsigned char *)(uintptr_t)bytes;
	gzip->stream.avail_in = (uInt)length;
	gzip_run(gzip, Z_NO_FLUSH);
}

void gzip_close(struct gzip *gzip)
{
	gzip->stream.avail_in = 0;
	gzip_run(gzip, Z_FINISH);
	(void)deflateEnd(&gzip->stream);
	free(gzip);
}
