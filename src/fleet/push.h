/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* push.h - `stackdepot push`. */
#ifndef FLEET_PUSH_H
#define FLEET_PUSH_H

#include "options.h"

/* An exit status: 0 if the server has everything. */
int push_run(const struct fleet_options *options);

#endif
