/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * bodies.c - requests to Pyroscope, Parca and collectors of OpenTelemetry.
 *
 *	.../ingest		Pyroscope: labels in the query, a form with the profile and with
 *				how its values are to be summed up
 *	.../profiles/writeraw	Parca, as its gateway to gRPC has it: JSON, the profile in base64
 *	others			OTLP, as protocol buffers; labels are in the profile
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "bodies.h"
#include "text/writer.h"

#define PYROSCOPE "/ingest"
#define PARCA "/profiles/writeraw"

/* Averages of what is live; Pyroscope would add them up. */
static const char pyroscope_types[] =
	"{\"inuse_objects\":{\"units\":\"objects\",\"aggregation\":\"average\",\"display-name\":"
	"\"inuse_objects\",\"sampled\":false},\"inuse_space\":{\"units\":\"bytes\",\"aggregation\":"
	"\"average\",\"display-name\":\"inuse_space\",\"sampled\":false}}";

static bool body_ends(const char *url, const char *end)
{
	const size_t length = strlen(url), after = strlen(end);

	return length > after && !strcmp(url + length - after, end);
}

bool body_knows(const char *url)
{
	return body_ends(url, PYROSCOPE) || body_ends(url, PARCA);
}

/* --- Pyroscope -------------------------------------------------------------------------------- */

/* In "NAME{key=value}" there is no way to write what ends a value. */
static void pyroscope_add(struct rows *name, const char *text)
{
	for (; *text; text++)
		rows_add(name, strchr("{},= \"\n\t", *text) ? "_" : text, 1);
}

static void pyroscope_name(struct rows *name, const struct body_labels *labels)
{
	pyroscope_add(name, labels->service);
	rows_print(name, "{host=");
	pyroscope_add(name, labels->host);
	if (*labels->version) {
		rows_print(name, ",version=");
		pyroscope_add(name, labels->version);
	}
	rows_print(name, "}");
}

static enum server_answer pyroscope_send(struct server *server, const struct body_labels *labels,
					 const struct rows *profile)
{
	const struct server_part parts[] = {
		{"profile", "profile.pprof", profile->text, profile->length},
		{"sample_type_config", "sample_type_config.json", pyroscope_types,
		 sizeof(pyroscope_types) - 1},
	};
	struct rows name = {0};
	char now[24];
	const char *query[][2] = {{"name", NULL},
				  {"from", now},
				  {"until", now},
				  {"format", "pprof"},
				  {"spyName", "stackdepot"}};
	const struct server_post post = {
		.query = query, .nr_query = 5, .parts = parts, .nr_parts = 2};
	enum server_answer answer;

	snprintf(now, sizeof(now), "%lld", (long long)time(NULL));
	pyroscope_name(&name, labels);
	query[0][1] = rows_text(&name);
	answer = server_post(server, &post);
	rows_free(&name);
	return answer;
}

/* --- Parca ------------------------------------------------------------------------------------ */

/* As RFC 4648 has it. To be freed. */
static char *base64(const struct rows *bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = (const unsigned char *)bytes->text;
	char *text = memory_alloc(bytes->length / 3 * 4 + 5), *out = text;
	size_t i, j;

	for (i = 0; i < bytes->length; i += 3) {
		const size_t left = bytes->length - i;
		const uint32_t three = (uint32_t)in[i] << 16 |
				       (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
				       (left > 2 ? in[i + 2] : 0);

		for (j = 0; j < 4; j++)
			*out++ = j > left ? '=' : digits[three >> (18 - 6 * j) & 63];
	}
	return text;
}

static void parca_label(struct writer *writer, const char *name, const char *value)
{
	writer_object(writer, NULL);
	writer_text(writer, "name", name);
	writer_text(writer, "value", value);
	writer_end(writer);
}

/* WriteRawRequest of parca.profilestore.v1alpha1, of one series with one sample. */
static void parca_write(struct writer *writer, const struct body_labels *labels, const char *raw)
{
	writer_object(writer, NULL);
	writer_array(writer, "series");
	writer_object(writer, NULL);
	writer_object(writer, "labels");
	writer_array(writer, "labels");
	parca_label(writer, "__name__", "memory");
	parca_label(writer, "host", labels->host);
	parca_label(writer, "service", labels->service);
	if (*labels->version)
		parca_label(writer, "version", labels->version);
	writer_end(writer);
	writer_end(writer);
	writer_array(writer, "samples");
	writer_object(writer, NULL);
	writer_text(writer, "rawProfile", raw);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
	writer_end(writer);
}

static enum server_answer parca_send(struct server *server, const struct body_labels *labels,
				     const struct rows *profile)
{
	struct server_post post = {.type = "Content-Type: application/json"};
	char *raw = base64(profile), *text = NULL;
	FILE *file = open_memstream(&text, &post.length);
	struct writer writer;
	enum server_answer answer;

	if (!file)
		memory_out();
	writer_begin_page(&writer, file);
	parca_write(&writer, labels, raw);
	if (fclose(file))
		memory_out();
	post.bytes = text;
	answer = server_post(server, &post);
	free(text);
	free(raw);
	return answer;
}

/* ---------------------------------------------------------------------------------------------- */

static enum server_answer otlp_send(struct server *server, const struct rows *profile)
{
	const struct server_post post = {
		.type = "Content-Type: application/x-protobuf",
		.encoding = "Content-Encoding: gzip",
		.bytes = profile->text,
		.length = profile->length,
	};

	return server_post(server, &post);
}

enum server_answer body_send(struct server *server, enum fleet_format format,
			     const struct body_labels *labels, const struct rows *profile)
{
	const char *url = server_name(server);

	if (format == FLEET_OTLP)
		return otlp_send(server, profile);
	if (body_ends(url, PYROSCOPE))
		return pyroscope_send(server, labels, profile);
	if (body_ends(url, PARCA))
		return parca_send(server, labels, profile);
	return pyroscope_send(server, labels, profile);
}
