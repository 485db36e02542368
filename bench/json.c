/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#include "json.h"

#include <inttypes.h>
#include <math.h>

static void json_quote(struct json *json, const char *text)
{
	fputc('"', json->file);
	for (; *text; text++) {
		if ((unsigned char)*text < 0x20)
			fprintf(json->file, "\\u%04x", (unsigned int)*text);
		else if (*text == '"' || *text == '\\')
			fprintf(json->file, "\\%c", *text);
		else
			fputc(*text, json->file);
	}
	fputc('"', json->file);
}

static void json_member(struct json *json, const char *key)
{
	if (json->filled)
		fputc(',', json->file);
	if (json->depth)
		fprintf(json->file, "\n%*s", (int)json->depth * 2, "");
	json->filled = true;
	if (key) {
		json_quote(json, key);
		fputs(": ", json->file);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	json_member(json, key);
	fputc(bracket, json->file);
	json->depth++;
	json->filled = false;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (json->filled)
		fprintf(json->file, "\n%*s", (int)json->depth * 2, "");
	fputc(bracket, json->file);
	json->filled = true;
	if (!json->depth)
		fputc('\n', json->file);
}

void json_string(struct json *json, const char *key, const char *value)
{
	json_member(json, key);
	json_quote(json, value);
}

void json_integer(struct json *json, const char *key, uint64_t value)
{
	json_member(json, key);
	fprintf(json->file, "%" PRIu64, value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_member(json, key);
	fputs(value ? "true" : "false", json->file);
}

void json_number(struct json *json, const char *key, double value)
{
	if (!isfinite(value)) {
		json_null(json, key);
		return;
	}
	json_member(json, key);
	fprintf(json->file, "%.6g", value);
}

void json_null(struct json *json, const char *key)
{
	json_member(json, key);
	fputs("null", json->file);
}
