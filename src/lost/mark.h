/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* mark.h - follow pointers through a copied image. */
#ifndef LOST_MARK_H
#define LOST_MARK_H

#include "image.h"
#include "lost.h"

/* Objects near to each other: an arena, or what was mapped for one. */
struct mark_extent {
	uint64_t start;
	uint64_t end;
	size_t first;
	size_t nr;
};

struct mark {
	const struct image *image;
	struct lost_object *objects; /* in the order of their addresses */
	size_t nr;
	struct mark_extent *extents;
	size_t nr_extents;
	uint32_t *work; /* objects whose words are still to be looked at */
	size_t nr_work;
	uint32_t *starts;    /* for mark_judge() */
	unsigned char *seen; /* one an object */
};

/* Sorts the objects by address. 0, -E2BIG (2^32 of them) or -ENOMEM. */
int mark_begin(struct mark *mark, const struct image *image, struct lost_object *objects,
	       size_t nr);
void mark_end(struct mark *mark);

/* Words that are roots: what they point to is seen. The range of the image, and words at hand. */
void mark_range(struct mark *mark, uint64_t start, uint64_t end);
void mark_words(struct mark *mark, const uint64_t *words, size_t nr);
/* Go on from what was seen until nothing new is. */
void mark_follow(struct mark *mark);
/* Give each object its verdict: of what was not seen, what is lost itself and what by others. */
void mark_judge(struct mark *mark);

#endif
