/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* resolve.h - names for frames that other hosts told without. */
#ifndef FLEET_RESOLVE_H
#define FLEET_RESOLVE_H

#include "server.h"
#include "spool.h"

/*
 * Of the files that the stores at PATHS name: what a server has frames of and no functions, and
 * this host knows. For a process of its own, which gives up its rights. False after a complaint.
 */
bool resolve_names(const struct spool *spool, struct server *server, char *const *paths, size_t nr);

#endif
