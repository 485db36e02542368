/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "corpus.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define WRITE_LEVEL 19 /* a corpus is written once and kept: small matters more than fast */

struct corpus_writer {
	FILE *file;
	ZSTD_CCtx *zstd; /* NULL: write plain */
	bool failed;
};

static void writer_compress(struct corpus_writer *writer, const void *data, size_t size,
			    ZSTD_EndDirective directive)
{
	ZSTD_inBuffer in = {.src = data, .size = size};
	unsigned char buffer[1 << 16];
	size_t ret;

	do {
		ZSTD_outBuffer out = {.dst = buffer, .size = sizeof(buffer)};

		ret = ZSTD_compressStream2(writer->zstd, &out, &in, directive);
		if (ZSTD_isError(ret) || fwrite(buffer, 1, out.pos, writer->file) != out.pos)
			writer->failed = true;
	} while (!writer->failed && (in.pos < in.size || (directive == ZSTD_e_end && ret)));
}

static void writer_bytes(struct corpus_writer *writer, const void *data, size_t size)
{
	if (writer->failed)
		return;
	if (writer->zstd)
		writer_compress(writer, data, size, ZSTD_e_continue);
	else if (fwrite(data, 1, size, writer->file) != size)
		writer->failed = true;
}

static void writer_u32(struct corpus_writer *writer, uint32_t value)
{
	value = htole32(value);
	writer_bytes(writer, &value, sizeof(value));
}

static void writer_u64(struct corpus_writer *writer, uint64_t value)
{
	value = htole64(value);
	writer_bytes(writer, &value, sizeof(value));
}

static void writer_corpus(struct corpus_writer *writer, const struct corpus *corpus)
{
	uint64_t i;

	writer_bytes(writer, "SDTRACE1", 8);
	writer_u32(writer, corpus->unique);
	writer_u32(writer, corpus->events);
	writer_u64(writer, corpus->total_frames);
	for (i = 0; i < corpus->unique; i++)
		writer_u32(writer, corpus->length[i]);
	for (i = 0; i < corpus->total_frames; i++)
		writer_u64(writer, corpus->frames[i]);
	for (i = 0; i < corpus->events; i++)
		writer_u32(writer, corpus->event[i]);
	if (writer->zstd && !writer->failed)
		writer_compress(writer, NULL, 0, ZSTD_e_end);
}

static bool name_wants_zstd(const char *path)
{
	size_t length = strlen(path);

	return length > 4 && !strcmp(path + length - 4, ".zst");
}

int corpus_write(const char *path, const struct corpus *corpus, char *error, size_t error_size)
{
	struct corpus_writer writer = {.file = fopen(path, "wbe")};

	if (!writer.file) {
		snprintf(error, error_size, "%s: cannot be created: %s", path, strerror(errno));
		return -1;
	}
	if (name_wants_zstd(path)) {
		writer.zstd = ZSTD_createCCtx();
		writer.failed =
			!writer.zstd || ZSTD_isError(ZSTD_CCtx_setParameter(
						writer.zstd, ZSTD_c_compressionLevel, WRITE_LEVEL));
	}
	writer_corpus(&writer, corpus);
	ZSTD_freeCCtx(writer.zstd);
	if (fclose(writer.file))
		writer.failed = true;
	if (writer.failed)
		snprintf(error, error_size, "%s: could not be written", path);
	return writer.failed ? -1 : 0;
}
