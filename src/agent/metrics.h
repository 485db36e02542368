/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* metrics.h - the figures, for Prometheus and its kin. */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "state.h"

/* What the agent has to say of itself. */
struct metrics_self {
	double age_seconds; /* of the state */
	double memory_bytes;
	double requests;
	double refused;	      /* of these, for rate, token, size or want of room */
	double closed;	      /* connections, for being slow or idle */
	double workers_ended; /* by a store, or a limit */
	double pushes;
	double pushes_failed; /* the server has not everything */
};

/* OPEN: as OpenMetrics 1.0 has it; else as Prometheus' text format 0.0.4 has it. */
void metrics_write(FILE *out, bool open, const struct state *state,
		   const struct metrics_self *self);

#endif
