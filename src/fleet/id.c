/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* id.c - FNV-1a, 128 bits; http://www.isthe.com/chongo/tech/comp/fnv/ has its numbers. */
#include <stdio.h>
#include <string.h>

#include "id.h"

__extension__ typedef unsigned __int128 wide;

#define WIDE(high, low) ((wide)(high) << 64 | (low))
#define BASIS WIDE(0x6c62272e07bb0142ull, 0x62b821756295c58dull)
#define PRIME WIDE(0x0000000001000000ull, 0x000000000000013bull)

struct fleet_id fleet_id_begin(void)
{
	return (struct fleet_id){(uint64_t)(BASIS >> 64), (uint64_t)BASIS};
}

void fleet_id_bytes(struct fleet_id *id, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	wide hash = WIDE(id->high, id->low);

	while (length--)
		hash = (hash ^ *at++) * PRIME;
	id->high = (uint64_t)(hash >> 64);
	id->low = (uint64_t)hash;
}

void fleet_id_text(struct fleet_id *id, const char *text)
{
	fleet_id_bytes(id, text, strlen(text) + 1);
}

void fleet_id_number(struct fleet_id *id, uint64_t number)
{
	unsigned char bytes[8];
	int i;

	for (i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(number >> 8 * i);
	fleet_id_bytes(id, bytes, sizeof(bytes));
}

void fleet_id_print(struct fleet_id id, char text[FLEET_ID_TEXT])
{
	snprintf(text, FLEET_ID_TEXT, "%08x-%04x-%04x-%04x-%012llx", (uint32_t)(id.high >> 32),
		 (uint32_t)(id.high >> 16) & 0xffff, (uint32_t)id.high & 0xffff,
		 (uint32_t)(id.low >> 48), (unsigned long long)(id.low & 0xffffffffffffull));
}
