/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.h - reports for programs: stacks and processes as JSON, on standard output. */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include "profile/profile.h"
#include "writer.h"

/* An object, which begins with what is said of processes: the first, and a list of all. */
void json_begin(struct writer *writer, const struct profile *profile);
void json_finish(struct writer *writer);

/* Members of the object that is being written. */
void json_processes(struct writer *writer, const struct profile *profile);
/* Allocators and programs that were not recorded, and what the recorder had to say. */
void json_missing(struct writer *writer, const struct profile *profile);
void json_sums(struct writer *writer, const struct profile_sums *sums);
/* The highest point of a process of a profile that was opened for them: an object "peak". */
void json_peak(struct writer *writer, const struct profile_process *process);
void json_trace(struct writer *writer, const char *key, const struct profile_trace *trace);

#endif
