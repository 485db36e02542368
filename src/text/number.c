/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* number.c - figures for people, and by people. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"

const char *text_bytes(double bytes, char *buffer)
{
	static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
	size_t unit = 0;

	while (fabs(bytes) >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, TEXT_BYTES, unit ? "%.1f %s" : "%.0f %s", bytes,
		 !unit && fabs(bytes) == 1 ? "byte" : units[unit]);
	return buffer;
}

const char *text_error(double variance, char buffer[TEXT_BYTES + 8])
{
	char bytes[TEXT_BYTES];

	buffer[0] = '\0';
	if (variance > 0)
		snprintf(buffer, TEXT_BYTES + 8, " +/- %s", text_bytes(sqrt(variance), bytes));
	return buffer;
}

/* Thousands are set apart. */
const char *text_count(double count, char *buffer)
{
	char digits[TEXT_BYTES];
	int length = snprintf(digits, sizeof(digits), "%.0f", count), i, out = 0;

	for (i = 0; i < length && out < TEXT_BYTES - 2; i++) {
		if (i && (length - i) % 3 == 0 && isdigit((unsigned char)digits[i - 1]))
			buffer[out++] = ',';
		buffer[out++] = digits[i];
	}
	buffer[out] = '\0';
	return buffer;
}

/* An estimate that is shown as 1 is one. */
const char *text_number(double count, const char *noun, char *buffer)
{
	char number[TEXT_BYTES];

	text_count(count, number);
	snprintf(buffer, TEXT_NUMBER, "%.31s %.30s%s", number, noun,
		 strcmp(number, "1") ? "s" : "");
	return buffer;
}

bool number_bytes(const char *text, uint64_t *ret_bytes)
{
	static const char units[] = "kKmMgG";
	unsigned long long value;
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoull(text, &end, 10);
	unit = *end ? strchr(units, *end) : NULL;
	if (errno || value > UINT64_MAX >> 34 || (*end && (!unit || end[1])))
		return false;
	*ret_bytes = unit ? (uint64_t)value << 10 * ((unit - units) / 2 + 1) : value;
	return true;
}
