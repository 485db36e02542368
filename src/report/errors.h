/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* errors.h - the parts of an error's report. */
#ifndef REPORT_ERRORS_H
#define REPORT_ERRORS_H

#include "report.h"
#include "text/writer.h"

/* --- errors.c: a stack under its heading; where the address is, from an object ------------------
 */

void errors_stack(const struct report *report, const char *what, uint32_t thread,
		  const struct profile_trace *trace);
/* "The address is 12 bytes to the right of a freed 16-byte object [0x1000, 0x1010)" */
void errors_place(const char *subject, uint64_t address, uint64_t object, uint64_t bytes,
		  bool freed);

/* --- errors_tags.c: what hardware tags tell ----------------------------------------------------
 */

void errors_tags(const struct stackdepot_error *error);
void errors_candidates(const struct report *report, const struct profile_error *found);
void errors_json_tags(struct writer *writer, const struct profile_error *found);

#endif
