/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A corpus: the stack traces of a recorded program, each once, and the order in which the program
 * used them. The file format is described in bench/corpora/README.md.
 */
#ifndef BENCH_CORPUS_H
#define BENCH_CORPUS_H

#include <stddef.h>
#include <stdint.h>

#define CORPUS_MAX_FRAMES 255u

/**
 * struct corpus - a corpus in memory.
 * @unique:       number of unique traces.
 * @events:       number of events.
 * @total_frames: sum of @length.
 * @length:       frames in each unique trace, 1 to CORPUS_MAX_FRAMES.
 * @frames:       the traces one after another, innermost frame first.
 * @event:        number of the unique trace of each event, in order.
 */
struct corpus {
	uint32_t unique;
	uint32_t events;
	uint64_t total_frames;
	uint32_t *length;
	uintptr_t *frames;
	uint32_t *event;
};

/**
 * corpus_read() - read a file, plain or compressed by zstd, and check all of it.
 * @ret_corpus: filled on success, to be released by corpus_free(); untouched on failure.
 * @error:      on failure, one line without newline that names the file and the defect.
 *
 * The file is not trusted: memory is taken only as data arrive, so a small file that announces a
 * big corpus fails without harm.
 * Return: 0, or -1 with @error set.
 */
int corpus_read(const char *path, struct corpus *ret_corpus, char *error, size_t error_size);

/**
 * corpus_write() - write a file; compressed if the name ends in ".zst".
 *
 * Return and @error as corpus_read(). On failure the file may be left incomplete.
 */
int corpus_write(const char *path, const struct corpus *corpus, char *error, size_t error_size);

/* corpus_free() - release what corpus_read() allocated; the structure itself is the caller's. */
void corpus_free(struct corpus *corpus);

/* corpus_name() - the file's name without directory, ".zst" and ".sdtrace", cut to @size - 1. */
void corpus_name(const char *path, char *name, size_t size);

#endif
