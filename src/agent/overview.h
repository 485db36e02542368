/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* overview.h - the state as the page reads it. */
#ifndef AGENT_OVERVIEW_H
#define AGENT_OVERVIEW_H

#include <stdio.h>

#include "options.h"
#include "state.h"

void overview_write(FILE *out, const struct state *state, const struct agent_options *options);

#endif
