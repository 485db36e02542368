/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* environment.h - what a unit gives to its processes as variables. */
#ifndef SERVICE_ENVIRONMENT_H
#define SERVICE_ENVIRONMENT_H

#include "unit.h"

/* The value of NAME that Environment= sets, specifiers as they are, to be freed; NULL: none. */
char *environment_value(const struct unit *unit, const char *name);
/* The EnvironmentFile= that sets NAME, to be freed; NULL: none does. */
char *environment_file_with(const struct unit_place *place, const struct unit *unit,
			    const char *name);

#endif
