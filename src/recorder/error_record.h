/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* error_record.h - what was found is recorded. */
#ifndef RECORDER_ERROR_RECORD_H
#define RECORDER_ERROR_RECORD_H

#include "live_table.h"
#include "real.h"

/* Record it, or count it if it is known; with abort_on_error this does not return. */
void error_report(const struct store_error *error);
/* Fill in threads and times of the object's last allocation and free, from the ring. */
void error_history(struct store_error *error);
/* The same of an object that had this tag; 0: whichever. */
void error_history_tagged(struct store_error *error, unsigned int tag);
/* A free by a pointer whose object is gone: its memory has another tag. */
void error_free_by_tag(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer);
/* A free of a block that is held: certain, whoever has it. */
void error_double_free(struct recorder_thread *thread, stackdepot_ref_t trace, const void *pointer,
		       const struct live_object *object);
/*
 * A free of what is not in the table is carried out between these two. If the allocator ends the
 * program in it, that was an error; if not, it may have been one.
 */
void error_doubt_begin(const struct real *below, struct recorder_thread *thread,
		       stackdepot_ref_t trace, const void *pointer);
void error_doubt_end(struct recorder_thread *thread);
/* The same around a free that is an error, and recorded as one. */
void error_told_begin(struct recorder_thread *thread, const void *pointer);
void error_told_end(struct recorder_thread *thread);
/* A deadly signal of this thread: was it in such a free? Then that is recorded, and true. */
bool error_confirm(struct recorder_thread *thread, int number, const void *context);
/* Objects were allocated that are not in the table: frees of them are to be expected. */
void error_expect_foreign(void);
/* The nearest object to error->address, live or freed, written into the error. */
bool error_nearest(struct recorder_thread *thread, struct store_error *error);

#endif
