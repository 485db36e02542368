/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* schema.h - the tables, from share/clickhouse. */
#ifndef FLEET_SCHEMA_H
#define FLEET_SCHEMA_H

#include "server.h"

/* share/clickhouse/1.sql and 1-cluster.sql */
extern const char schema_tables[];
extern const char schema_cluster[];

/* Make what is not there; CLUSTER may be NULL. False after a complaint. */
bool schema_apply(struct server *server, const char *cluster);

#endif
