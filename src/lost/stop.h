/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* stop.h - stop all threads of a process, look at their registers, let them go on. */
#ifndef LOST_STOP_H
#define LOST_STOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Room for all registers of one thread, vectors included (AVX-512 and AMX: 11 KiB). */
#define STOP_REGISTER_BYTES (16u << 10)

struct stop_thread {
	pid_t tid;
	bool ended; /* while it was stopped, and has to be waited for */
	uint64_t sp;
	size_t register_bytes;
	unsigned char *registers; /* words of general and vector registers */
};

struct stop {
	struct stop_thread *threads;
	size_t nr;
	size_t room;
};

/* All of PID's threads, those made meanwhile too; 0 or a negative errno, as lost_find() has them.
 */
int stop_all(pid_t pid, struct stop *stop);
/*
 * PID is about to end. Signals that it was sent while it was stopped would have met nobody without
 * us: no thread takes them.
 */
void stop_keep_out(const struct stop *stop, pid_t pid);
/* They go on. What was read of them stays until stop_release(). */
void stop_resume(struct stop *stop);
void stop_release(struct stop *stop);

#endif
