/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * id.h - 128 bits that name a thing in the same way on every host.
 *
 * FNV-1a of 128 bits: the hash of the tool's other keys, in the width at which a fleet's stacks do
 * not meet by chance. Of ten million stacks two are the same with a probability of 10^-25.
 */
#ifndef FLEET_ID_H
#define FLEET_ID_H

#include <stddef.h>
#include <stdint.h>

struct fleet_id {
	uint64_t high;
	uint64_t low;
};

#define FLEET_ID_TEXT 37 /* as ClickHouse writes a UUID, and a NUL */

struct fleet_id fleet_id_begin(void);
void fleet_id_bytes(struct fleet_id *id, const void *bytes, size_t length);
/* With its NUL. */
void fleet_id_text(struct fleet_id *id, const char *text);
/* Eight bytes, the same on every machine. */
void fleet_id_number(struct fleet_id *id, uint64_t number);
void fleet_id_print(struct fleet_id id, char text[FLEET_ID_TEXT]);

#endif
