/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - a store as one page for the browser, which needs nothing else. */
#define _GNU_SOURCE
#include <jansson.h>
#include <string.h>

#include "base/complain.h"
#include "base/status.h"
#include "flame.h"
#include "json.h"
#include "page/page.h"
#include "text/output.h"

/* Inside a script element only '<' could do harm; outside of strings JSON has none. */
static int flame_put(const char *text, size_t bytes, void *out)
{
	size_t run;

	while (bytes) {
		const char *stop = memchr(text, '<', bytes);

		run = stop ? (size_t)(stop - text) : bytes;
		if (run && fwrite(text, run, 1, out) != 1)
			return -1;
		if (stop && fputs("\\u003c", out) < 0)
			return -1;
		run += stop != NULL;
		text += run;
		bytes -= run;
	}
	return 0;
}

static void flame_print(FILE *out, json_t *data)
{
	fputs(flame_page_head, out);
	(void)json_dump_callback(data, flame_put, out,
				 JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(9));
	fputs(flame_page_tail, out);
}

int flame_write(const char *file, const struct profile *now, const struct flame_options *options)
{
	struct output output;
	json_t *data;

	if (!flame_page_head[0]) {
		complain("the page was not built into this stackdepot: that takes npm, and meson's "
			 "-Dflame=enabled");
		return STATUS_FAILED;
	}
	if (!output_open(&output, strcmp(file, "-") ? file : NULL))
		return STATUS_FAILED;
	data = flame_json(now, options);
	flame_print(output.file, data);
	json_decref(data);
	return output_finish(&output) ? STATUS_CLEAN : STATUS_FAILED;
}
