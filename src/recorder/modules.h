/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* modules.h - which files the frames lie in. */
#ifndef RECORDER_MODULES_H
#define RECORDER_MODULES_H

void modules_setup(void);
/* In a forked child: the modules are the same, the store is new. */
void modules_child(void);
/* Something was unloaded; look what. */
void modules_unloaded(void);

#endif
