/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A file read from start to end, decompressed on the way if it is a zstd file. */
#ifndef BENCH_CORPUS_STREAM_H
#define BENCH_CORPUS_STREAM_H

#include <stddef.h>

struct corpus_stream;

/* corpus_stream_open() - never NULL; whether it worked says corpus_stream_error(). */
struct corpus_stream *corpus_stream_open(const char *path);

/* corpus_stream_error() - what is wrong with the stream, or NULL. */
const char *corpus_stream_error(const struct corpus_stream *stream);

/* corpus_stream_read() - bytes read, fewer than @size at the end only; or -1. */
long corpus_stream_read(struct corpus_stream *stream, void *to, size_t size);

void corpus_stream_close(struct corpus_stream *stream);

#endif
