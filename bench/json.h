/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Just enough to write JSON without minding commas. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	unsigned int depth;
	bool filled; /* the innermost object or array has a member already */
};

/* @key is NULL inside arrays and at the top. @bracket is '{' or '['; closing takes its partner. */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);
void json_string(struct json *json, const char *key, const char *value);
void json_integer(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* json_number() - NAN and infinities, which JSON lacks, become null. */
void json_number(struct json *json, const char *key, double value);
void json_null(struct json *json, const char *key);

#endif
