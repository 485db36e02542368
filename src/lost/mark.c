/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * mark.c - follow pointers through a copied image.
 *
 * Every aligned word is a candidate. Most are no addresses of the heap: they fall between the
 * extents, of which there are few. Within one the objects are searched by halves.
 *
 * An object that was not reached is *lost* if no other lost one leads to it. In a ring of objects
 * that point to each other one has to stand for all. So objects that were not reached are searched
 * from, one after the other, each at most once; of the objects where such a search began, the last
 * is led to by no earlier one (it would have been seen), and by none that it does not lead to.
 * Taken backwards, each that the later ones do not lead to is lost, and all that it leads to is
 * not. (The argument is that of Kosaraju's algorithm for strongly connected components.)
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "mark.h"

#define GAP_BYTES (1ull << 20) /* that ends an extent */

static uint64_t mark_end_of(const struct lost_object *object)
{
	/* An object of no bytes has an address that is pointed to all the same. */
	return object->object.address + (object->object.size ? object->object.size : 1);
}

static int mark_compare(const void *a, const void *b)
{
	const struct lost_object *left = a, *right = b;

	return (left->object.address > right->object.address) -
	       (left->object.address < right->object.address);
}

static void mark_extend(struct mark *mark, size_t i)
{
	const struct lost_object *object = &mark->objects[i];
	struct mark_extent *last = mark->extents + mark->nr_extents - 1;

	if (mark->nr_extents && object->object.address < last->end + GAP_BYTES) {
		last->nr++;
		if (last->end < mark_end_of(object))
			last->end = mark_end_of(object);
		return;
	}
	mark->extents[mark->nr_extents++] =
		(struct mark_extent){object->object.address, mark_end_of(object), i, 1};
}

int mark_begin(struct mark *mark, const struct image *image, struct lost_object *objects, size_t nr)
{
	size_t i;

	if (nr >= UINT32_MAX)
		return -E2BIG;
	*mark = (struct mark){.image = image, .objects = objects, .nr = nr};
	mark->extents = calloc(nr + 1, sizeof(*mark->extents));
	mark->work = calloc(nr + 1, sizeof(*mark->work));
	mark->starts = calloc(nr + 1, sizeof(*mark->starts));
	mark->seen = calloc(nr + 1, 1);
	if (!mark->extents || !mark->work || !mark->starts || !mark->seen) {
		mark_end(mark);
		return -ENOMEM;
	}
	if (nr)
		qsort(objects, nr, sizeof(*objects), mark_compare);
	for (i = 0; i < nr; i++)
		mark_extend(mark, i);
	return 0;
}

void mark_end(struct mark *mark)
{
	free(mark->extents);
	free(mark->work);
	free(mark->starts);
	free(mark->seen);
	*mark = (struct mark){0};
}

/* --- from a word to an object ------------------------------------------------------------------
 */

static const struct mark_extent *mark_extent(const struct mark *mark, uint64_t address)
{
	size_t low = 0, high = mark->nr_extents;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (address >= mark->extents[middle].end)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == mark->nr_extents || address < mark->extents[low].start)
		return NULL;
	return &mark->extents[low];
}

/* The object that an address is in; nr of them if it is in none. */
static size_t mark_find(const struct mark *mark, uint64_t address)
{
	const struct mark_extent *extent = mark_extent(mark, address);
	size_t low, high;

	if (!extent)
		return mark->nr;
	low = extent->first;
	high = extent->first + extent->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (mark->objects[middle].object.address <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > extent->first && address < mark_end_of(&mark->objects[low - 1]) ? low - 1
										     : mark->nr;
}

/* A pointer may have a tag (recorder/tags.h), which is no part of the address. */
static uint64_t mark_address(uint64_t word)
{
#if defined(__aarch64__)
	word &= UINT64_MAX >> 8;
#endif
	return word;
}

static void mark_word(struct mark *mark, uint64_t word)
{
	size_t found = mark_find(mark, mark_address(word));

	if (found == mark->nr || mark->seen[found])
		return;
	mark->seen[found] = 1;
	mark->work[mark->nr_work++] = (uint32_t)found;
}

void mark_words(struct mark *mark, const uint64_t *words, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		mark_word(mark, words[i]);
}

/* --- from an object to its words ---------------------------------------------------------------
 */

/* The first piece that ends behind an address. */
static size_t mark_piece(const struct image *image, uint64_t address)
{
	size_t low = 0, high = image->nr;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (image->pieces[middle].end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Calls for each run of words of a range that the image has. */
void mark_range(struct mark *mark, uint64_t start, uint64_t end)
{
	const struct image *image = mark->image;
	size_t i;

	start = (start + 7) & ~7ull;
	end &= ~7ull;
	for (i = mark_piece(image, start); i < image->nr && image->pieces[i].start < end; i++) {
		const struct image_piece *piece = &image->pieces[i];
		uint64_t from = start > piece->start ? start : piece->start;
		uint64_t to = end < piece->end ? end : piece->end;

		if (from < to)
			mark_words(mark, piece->words + (from - piece->start) / 8, (to - from) / 8);
	}
}

static void mark_object(struct mark *mark, size_t i)
{
	mark_range(mark, mark->objects[i].object.address, mark_end_of(&mark->objects[i]));
}

void mark_follow(struct mark *mark)
{
	while (mark->nr_work)
		mark_object(mark, mark->work[--mark->nr_work]);
}

/* --- verdicts ----------------------------------------------------------------------------------
 */

static void mark_from(struct mark *mark, size_t i)
{
	mark->seen[i] = 1;
	mark->work[mark->nr_work++] = (uint32_t)i;
	mark_follow(mark);
}

/* Search from each object that was not seen; those it had to be begun at, in order. */
static size_t mark_starts(struct mark *mark, uint32_t *ret_starts)
{
	size_t i, nr = 0;

	for (i = 0; i < mark->nr; i++) {
		if (mark->seen[i])
			continue;
		ret_starts[nr++] = (uint32_t)i;
		mark_from(mark, i);
	}
	return nr;
}

void mark_judge(struct mark *mark)
{
	uint32_t *starts = mark->starts;
	size_t i, nr;

	for (i = 0; i < mark->nr; i++)
		mark->objects[i].verdict = mark->seen[i] ? LOST_REACHABLE : LOST_FROM_LOST;
	nr = mark_starts(mark, starts);
	for (i = 0; i < mark->nr; i++)
		mark->seen[i] = mark->objects[i].verdict == LOST_REACHABLE;
	while (nr--) {
		if (mark->seen[starts[nr]])
			continue;
		mark->objects[starts[nr]].verdict = LOST_LOST;
		mark_from(mark, starts[nr]);
	}
}
