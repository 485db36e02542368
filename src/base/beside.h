/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* beside.h - parts of the tool that are programs of their own: they take libraries of their own. */
#ifndef BASE_BESIDE_H
#define BASE_BESIDE_H

/*
 * Become PROGRAM, which lies where this one does, or in FOLDER in the build, or in PATH. An exit
 * status after a complaint: it is not there.
 */
int beside_exec(const char *program, const char *folder, char **argv);

#endif
