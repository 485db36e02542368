/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* otlp.h - a profile as OpenTelemetry has it, which is not settled yet. */
#ifndef FLEET_OTLP_H
#define FLEET_OTLP_H

#include "bodies.h"
#include "export/export.h"

/* ExportProfilesServiceRequest of opentelemetry.proto.collector.profiles.v1development, gzipped. */
void otlp_write(const struct export *export, const struct body_labels *labels);

#endif
