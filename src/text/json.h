/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.h - stacks and processes for programs, as jansson's values. */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include "profile/profile.h"

struct json_t;

struct json_t *json_trace(const struct profile_trace *trace);
/* A name from a file need not be UTF-8, which JSON wants: other bytes become question marks. */
struct json_t *json_name(const char *name);
/* The first process, and a list of all. */
struct json_t *json_processes(const struct profile *profile);
/* Print the object, and release it. */
void json_finish(struct json_t *root);

#endif
