/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* json.h - the data of the page. */
#ifndef FLAME_JSON_H
#define FLAME_JSON_H

#include <stdio.h>

#include "flame.h"

/* Write what the page is about; src/flame/page/model.js reads it. */
void flame_json(FILE *out, const struct profile *now, const struct flame_options *options);

#endif
