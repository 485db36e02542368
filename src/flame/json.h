/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.h - the data of the page. */
#ifndef FLAME_JSON_H
#define FLAME_JSON_H

#include "flame.h"

struct json_t;

/* What the page is about; src/flame/page/model.js reads it. */
struct json_t *flame_json(const struct profile *now, const struct flame_options *options);

#endif
