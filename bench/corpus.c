/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Reading a corpus file. The stream underneath, plain or zstd, is in corpus_stream.c. */
#include "corpus.h"

#include <assert.h>
#include <endian.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "corpus_stream.h"

static_assert(sizeof(uintptr_t) == sizeof(uint64_t), "frames are 64-bit in the file and in memory");

static const char corpus_magic[8] = "SDTRACE1";

struct corpus_header {
	char magic[8];
	uint32_t unique;
	uint32_t events;
	uint64_t total_frames;
};

static_assert(sizeof(struct corpus_header) == 24, "as in the file");

/* What is being read, and where to say what is wrong with it. */
struct corpus_reader {
	struct corpus_stream *stream;
	const char *path;
	char *error;
	size_t error_size;
};

static int reader_fail(struct corpus_reader *reader, const char *defect)
{
	snprintf(reader->error, reader->error_size, "%s: %s", reader->path, defect);
	return -1;
}

static int reader_read(struct corpus_reader *reader, void *to, size_t size, const char *what)
{
	char text[96];
	long got = corpus_stream_read(reader->stream, to, size);

	if (got < 0)
		return reader_fail(reader, corpus_stream_error(reader->stream));
	if ((size_t)got == size)
		return 0;
	snprintf(text, sizeof(text), "ends inside %s", what);
	return reader_fail(reader, text);
}

/*
 * Reads @count elements. The array grows with what arrives: @count is the file's claim, and a few
 * bytes can claim gigabytes.
 */
static void *reader_array(struct corpus_reader *reader, uint64_t count, size_t element,
			  const char *what)
{
	uint64_t room = 0, wanted = count * element;
	char *array = NULL, *grown;
	uint64_t step;

	while (room < wanted) {
		step = room ? room : 1 << 20;
		if (step > wanted - room)
			step = wanted - room;
		grown = realloc(array, room + step);
		if (!grown) {
			reader_fail(reader, "is too big for this machine's memory");
			break;
		}
		array = grown;
		if (reader_read(reader, array + room, step, what))
			break;
		room += step;
	}
	if (room == wanted)
		return array;
	free(array);
	return NULL;
}

static int reader_header(struct corpus_reader *reader, struct corpus *corpus)
{
	struct corpus_header header;

	if (reader_read(reader, &header, sizeof(header), "its header"))
		return -1;
	if (memcmp(header.magic, corpus_magic, sizeof(corpus_magic)))
		return reader_fail(reader, "is not a corpus: no SDTRACE1 at its start");
	corpus->unique = le32toh(header.unique);
	corpus->events = le32toh(header.events);
	corpus->total_frames = le64toh(header.total_frames);
	if (!corpus->unique || !corpus->events)
		return reader_fail(reader, "holds no traces or no events");
	if (corpus->total_frames < corpus->unique ||
	    corpus->total_frames > (uint64_t)corpus->unique * CORPUS_MAX_FRAMES)
		return reader_fail(reader, "announces an impossible number of frames");
	return 0;
}

static int reader_lengths(struct corpus_reader *reader, struct corpus *corpus)
{
	uint64_t sum = 0;
	uint32_t i;

	corpus->length = reader_array(reader, corpus->unique, sizeof(uint32_t), "its lengths");
	if (!corpus->length)
		return -1;
	for (i = 0; i < corpus->unique; i++) {
		corpus->length[i] = le32toh(corpus->length[i]);
		if (!corpus->length[i] || corpus->length[i] > CORPUS_MAX_FRAMES)
			return reader_fail(reader, "has a trace of 0 or more than 255 frames");
		sum += corpus->length[i];
	}
	if (sum != corpus->total_frames)
		return reader_fail(reader, "has lengths that do not add up to its frames");
	return 0;
}

static int reader_frames(struct corpus_reader *reader, struct corpus *corpus)
{
	uint64_t i;

	corpus->frames = reader_array(reader, corpus->total_frames, sizeof(uint64_t), "its frames");
	if (!corpus->frames)
		return -1;
	for (i = 0; i < corpus->total_frames; i++)
		corpus->frames[i] = le64toh(corpus->frames[i]);
	return 0;
}

static int reader_events(struct corpus_reader *reader, struct corpus *corpus)
{
	uint32_t i;

	corpus->event = reader_array(reader, corpus->events, sizeof(uint32_t), "its events");
	if (!corpus->event)
		return -1;
	for (i = 0; i < corpus->events; i++) {
		corpus->event[i] = le32toh(corpus->event[i]);
		if (corpus->event[i] >= corpus->unique)
			return reader_fail(reader, "has an event that names no trace of it");
	}
	return 0;
}

static int reader_end(struct corpus_reader *reader)
{
	char beyond;
	long got = corpus_stream_read(reader->stream, &beyond, 1);

	if (got < 0)
		return reader_fail(reader, corpus_stream_error(reader->stream));
	return got ? reader_fail(reader, "goes on behind its last event") : 0;
}

int corpus_read(const char *path, struct corpus *ret_corpus, char *error, size_t error_size)
{
	struct corpus_reader reader = {.path = path, .error = error, .error_size = error_size};
	struct corpus corpus = {0};
	int ret;

	reader.stream = corpus_stream_open(path);
	if (corpus_stream_error(reader.stream))
		ret = reader_fail(&reader, corpus_stream_error(reader.stream));
	else
		ret = reader_header(&reader, &corpus) || reader_lengths(&reader, &corpus) ||
		      reader_frames(&reader, &corpus) || reader_events(&reader, &corpus) ||
		      reader_end(&reader);
	corpus_stream_close(reader.stream);
	if (ret) {
		corpus_free(&corpus);
		return -1;
	}
	*ret_corpus = corpus;
	return 0;
}

void corpus_free(struct corpus *corpus)
{
	free(corpus->length);
	free(corpus->frames);
	free(corpus->event);
	*corpus = (struct corpus){0};
}

static void name_strip(char *name, const char *suffix)
{
	size_t length = strlen(name), end = strlen(suffix);

	if (length > end && !strcmp(name + length - end, suffix))
		name[length - end] = 0;
}

void corpus_name(const char *path, char *name, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(name, size, "%s", slash ? slash + 1 : path);
	name_strip(name, ".zst");
	name_strip(name, ".sdtrace");
}
