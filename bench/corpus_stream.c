/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "corpus_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

struct corpus_stream {
	FILE *file;
	ZSTD_DCtx *zstd; /* NULL: the file is plain */
	ZSTD_inBuffer in;
	bool between; /* zstd frames: the only place where the input may end */
	char error[160];
	unsigned char buffer[1 << 16];
};

/* When malloc() fails there is still something to return that carries the error. */
static struct corpus_stream stream_no_memory = {.error = "no memory to read it"};

static void stream_set_error(struct corpus_stream *stream, const char *what, const char *why)
{
	snprintf(stream->error, sizeof(stream->error), "%s%s", what, why);
}

/* Refills the buffer; false at the end of the file and on errors. */
static bool stream_fill(struct corpus_stream *stream)
{
	stream->in.pos = 0;
	stream->in.size = fread(stream->buffer, 1, sizeof(stream->buffer), stream->file);
	if (!stream->in.size && ferror(stream->file))
		stream_set_error(stream, "cannot be read: ", strerror(errno));
	return stream->in.size != 0;
}

static void stream_detect_zstd(struct corpus_stream *stream)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};

	stream->in.src = stream->buffer;
	stream->between = true;
	if (!stream_fill(stream) || stream->in.size < 4 || memcmp(stream->buffer, magic, 4))
		return;
	stream->zstd = ZSTD_createDCtx();
	if (!stream->zstd)
		stream_set_error(stream, stream_no_memory.error, "");
}

struct corpus_stream *corpus_stream_open(const char *path)
{
	struct corpus_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return &stream_no_memory;
	stream->file = fopen(path, "rbe");
	if (stream->file)
		stream_detect_zstd(stream);
	else
		stream_set_error(stream, "cannot be opened: ", strerror(errno));
	return stream;
}

const char *corpus_stream_error(const struct corpus_stream *stream)
{
	return stream->error[0] ? stream->error : NULL;
}

static void stream_decompress(struct corpus_stream *stream, ZSTD_outBuffer *out)
{
	size_t ret = ZSTD_decompressStream(stream->zstd, out, &stream->in);

	if (ZSTD_isError(ret))
		stream_set_error(stream, "has damaged zstd data: ", ZSTD_getErrorName(ret));
	stream->between = ret == 0;
}

static void stream_copy(struct corpus_stream *stream, ZSTD_outBuffer *out)
{
	size_t size = stream->in.size - stream->in.pos;

	if (size > out->size - out->pos)
		size = out->size - out->pos;
	memcpy((char *)out->dst + out->pos, stream->buffer + stream->in.pos, size);
	out->pos += size;
	stream->in.pos += size;
}

/*
 * zstd may hold back output it already has the input for, so with the input at its end it is asked
 * once more before its silence counts as the end.
 */
static bool stream_more(struct corpus_stream *stream, ZSTD_outBuffer *out)
{
	size_t before = out->pos;

	if (stream->in.pos == stream->in.size && !stream_fill(stream)) {
		if (stream->zstd && !stream->between && !stream->error[0])
			stream_decompress(stream, out);
		if (out->pos == before && !stream->between && !stream->error[0])
			stream_set_error(stream, "ends inside its zstd data", "");
		return out->pos != before && !stream->error[0];
	}
	if (stream->zstd)
		stream_decompress(stream, out);
	else
		stream_copy(stream, out);
	return !stream->error[0];
}

long corpus_stream_read(struct corpus_stream *stream, void *to, size_t size)
{
	ZSTD_outBuffer out = {.dst = to, .size = size};

	while (out.pos < size && !stream->error[0])
		if (!stream_more(stream, &out))
			break;
	return stream->error[0] ? -1 : (long)out.pos;
}

void corpus_stream_close(struct corpus_stream *stream)
{
	if (stream == &stream_no_memory)
		return;
	if (stream->file)
		fclose(stream->file);
	ZSTD_freeDCtx(stream->zstd);
	free(stream);
}
