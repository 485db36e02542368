/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * publish.h - `stackdepot push` to servers of profiles: --format=pprof and --format=otlp.
 *
 * Each time, each store is one profile of what is live now. These servers sum up what they are
 * sent, so what was ever allocated, which only grows, is not among it. A moment that a server did
 * not take is gone, and that is said; there is no spool.
 */
#ifndef FLEET_PUBLISH_H
#define FLEET_PUBLISH_H

#include "options.h"

/* HOST is what this host is called. An exit status: 0 if all was taken. */
int publish_run(const struct fleet_options *options, const char *host);

#endif
