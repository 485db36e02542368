/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* files.h - for what is read by its name: a directory of the fuzzer's own. */
#ifndef FUZZ_FILES_H
#define FUZZ_FILES_H

#include <stddef.h>

/* Made when it is first asked for, and removed at the end. */
const char *files_directory(void);
/* NAME in it, to be freed. */
char *files_path(const char *name);
/* Make it so many bytes, or have another one for it. */
void files_write(const char *name, const void *data, size_t size);
void files_link(const char *name, const char *to);

#endif
