/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* program.h - can the recorder be preloaded into a program? */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include <sys/types.h>

/*
 * Why it cannot, "FILE is ...", to be freed; NULL: it can, or nobody can tell. PATH is one below
 * ROOT (NULL: /), and a script is judged by its interpreter. USER is whose process it will be; -1:
 * one of no privileges.
 */
char *program_trouble(const char *root, const char *path, uid_t user, gid_t group);

#endif
