/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * memory.h - allocation that does not fail: without memory the process says so and ends.
 *
 * A report of which a part is missing would be a wrong report, and no caller could do better than
 * to give up. Files that are half written are removed by whoever writes them, with atexit(3).
 */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed; of 0 bytes, too. */
void *memory_alloc(size_t bytes);
char *memory_strdup(const char *text);
/* As asprintf(3). */
char *memory_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As vasprintf(3). */
char *memory_print_list(const char *format, va_list list);
void *memory_realloc(void *memory, size_t bytes);
/* Room in LIST, whose members have BYTES, for member number NR; *ROOM is how many fit. */
void *memory_room(void *list, size_t nr, size_t *room, size_t bytes);

/* Say "out of memory", and end with the status of memory_begin() or as memory_end_by() has it. */
void memory_out(void) __attribute__((noreturn));
/* Of main(), before it allocates anything; STATUS is that of a process without memory. */
void memory_begin(int status);
/* Has main() begun? What libraries allocate before, they can do without. */
bool memory_has_begun(void);
/*
 * BEFORE is called before the line is written, which may take a terminal in order; END afterwards,
 * and calls exit() itself. Both may be NULL.
 */
void memory_end_by(void (*before)(void), void (*end)(void));

#endif
