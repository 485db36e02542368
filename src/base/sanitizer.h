/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* sanitizer.h - is a program built with one that has an allocator of its own? */
#ifndef BASE_SANITIZER_H
#define BASE_SANITIZER_H

#include <elf.h>
#include <stdbool.h>

/* By the names that the file needs and exports. False where they cannot be read. */
bool sanitizer_is_in(int fd, const Elf64_Ehdr *elf);

#endif
