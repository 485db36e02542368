/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* object.h - the life of an object. */
#ifndef RECORDER_OBJECT_H
#define RECORDER_OBJECT_H

#include "live_table.h"

void *object_alloc(const struct real *below, const recorder_start *start, size_t size, size_t align,
		   bool zero);
void object_free(const struct real *below, const recorder_start *start, void *pointer);
void *object_realloc(const struct real *below, const recorder_start *start, void *pointer,
		     size_t size);
size_t object_usable(const struct real *below, void *pointer);
/* The program was told, or is going to be, how much room it has. */
void object_asked(const struct live_object *object);

/* The allocator has made an object by a function of its own: it is recorded as it is. */
void object_adopt(const recorder_start *start, void *pointer, size_t size);

/* Write the event of a free, by @thread, which may be in the middle of another event. */
void object_tell_free(const struct recorder_thread *thread, const void *pointer,
		      const struct live_object *object, stackdepot_ref_t trace);

/* An object on its way to a function of the allocator's own that ends it. */
struct object_passing {
	struct recorder_thread *thread;
	struct live_object object;
	bool known; /* it was live, and is what `object` says */
	bool doubt;
};

/* Record its end. False if it must not be carried out. */
bool object_pass(const struct real *below, const recorder_start *start, void *pointer,
		 struct object_passing *ret_passing);
/* It was carried out; or it failed, and the object is what it was. */
void object_passed(const struct object_passing *passing);
void object_stays(const struct object_passing *passing, void *pointer);

#endif
