/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * memory.h - allocation that does not fail: without memory the process says so and ends.
 *
 * A report of which a part is missing would be a wrong report, and no caller could do better than
 * to give up. What has to be put in order first, files that are half written or a terminal, is left
 * to atexit(3).
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

/* Zeroed; of 0 bytes, too. */
void *memory_alloc(size_t bytes);
char *memory_strdup(const char *text);
/* As asprintf(). */
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *memory_realloc(void *memory, size_t bytes);
/* Room in LIST, whose members have BYTES, for member number NR; *ROOM is how many fit. */
void *memory_room(void *list, size_t nr, size_t *room, size_t bytes);

/* Say "out of memory", and end with STATUS_FAILED or as memory_end_by() has it. */
void memory_out(void) __attribute__((noreturn));
/* END is called then instead of exit(), once, and does not return; NULL: exit() again. */
void memory_end_by(void (*end)(void));

#endif
