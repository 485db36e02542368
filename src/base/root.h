/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* root.h - files below another root, whose links lead nowhere else. */
#ifndef BASE_ROOT_H
#define BASE_ROOT_H

/* As open(2) after chroot(ROOT); NULL is the root that we have. -1 and errno. */
int root_open(const char *root, const char *path, int flags);

#endif
