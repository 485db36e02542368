/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* answer.h - what answers are made of. */
#ifndef AGENT_ANSWER_H
#define AGENT_ANSWER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdio.h>

#include "jobs.h"

/* One that is written to as a file, and then sent. */
struct answer {
	FILE *out;
	char *text;
	size_t bytes;
};

void answer_begin(struct answer *answer);
/* A response of what was written. */
struct MHD_Response *answer_end(struct answer *answer, const char *type);
/* A line of text. */
struct MHD_Response *answer_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* What a job made, or why it made nothing; NAME is the service's. */
struct MHD_Response *answer_job(struct job *job, const char *name, unsigned int *ret_code);

#endif
