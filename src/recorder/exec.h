/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* exec.h - which programs it starts. */
#ifndef RECORDER_EXEC_H
#define RECORDER_EXEC_H

/* Before main(): what starting a program will need. */
void exec_setup(void);
/* This program was started by one of the run, which may have noted that: strike it out. */
void exec_arrived(void);

#endif
