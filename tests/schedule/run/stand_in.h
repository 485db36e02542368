/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * stand_in.h - put before each file of the store and the recorder: what they ask of the C library
 * and of the kernel is answered by stand_in.c, for the thread that stands for the process.
 */
#ifndef TESTS_SCHEDULE_RUN_STAND_IN_H
#define TESTS_SCHEDULE_RUN_STAND_IN_H

#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int run_clock_gettime(clockid_t clock, struct timespec *ret_now);
int run_close(int fd);
int run_fcntl(int fd, int command, ...);
pid_t run_getpid(void);
int run_nanosleep(const struct timespec *duration, struct timespec *ret_left);
void *run_memcpy(void *to, const void *from, size_t bytes);
void *run_memmove(void *to, const void *from, size_t bytes);
void *run_memset(void *to, int value, size_t bytes);

#ifndef STAND_IN_ITSELF
#define clock_gettime run_clock_gettime
#define close run_close
#define fcntl run_fcntl
#define getpid run_getpid
#define nanosleep run_nanosleep
/* The compiler reports accesses that it makes itself, not those of these. */
#define memcpy run_memcpy
#define memmove run_memmove
#define memset run_memset
#endif

#endif
