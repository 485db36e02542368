/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* generate.h - suppressions for all that a report shows. */
#ifndef SUPPRESS_GENERATE_H
#define SUPPRESS_GENERATE_H

#include "profile/profile.h"

/* Print them on standard output. An exit status. */
int suppress_generate(const struct profile *profile);

#endif
