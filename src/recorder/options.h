/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* options.h - sTACKDEPOT_OPTIONS, taken apart. */
#ifndef RECORDER_OPTIONS_H
#define RECORDER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "tags.h"

#define RECORDER_PATH_BYTES 1024u
#define RECORDER_MIN_FRAMES 3u /* one, a mark, a process */

struct recorder_options {
	uint64_t memory_bytes;
	uint64_t control;	/* mode and value, see enum stackdepot_mode */
	uint64_t corpus_events; /* 0: no corpus */
	uint64_t quarantine_bytes;
	uint64_t guard_interval; /* one object of so many is guarded, 0: none */
	uint64_t redzone_bytes;
	uint64_t max_frames;
	enum tags_mode tags;
	bool abort_on_error;
	bool follow_children;
	bool crash_handler;
	bool look_at_exit; /* somebody wants to see what is lost then */
	bool to_stderr;
	bool to_journal; /* there, if systemd started this process and reads it */
	bool same_owner;
	bool verbose;
	bool help;
	char store[RECORDER_PATH_BYTES];
	char trouble[160]; /* the first pair that was not understood */
};

/* Read name=value pairs, separated by colons. All are read even if one is not understood; then, or
 * if a value is out of range, false, and values->trouble says which. */
bool options_parse(struct recorder_options *options, const char *text);
void options_default(struct recorder_options *options);
void options_help(void);

#endif
