/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - a store as one page for the browser, which needs nothing else. */
#include <string.h>

#include "base/complain.h"
#include "base/status.h"
#include "flame.h"
#include "json.h"
#include "page/page.h"
#include "text/output.h"

int flame_write(const char *file, const struct profile *now, const struct flame_options *options)
{
	struct output output;

	if (!flame_page_head[0]) {
		complain("the page was not built into this stackdepot: that takes npm, and meson's "
			 "-Dflame=enabled");
		return STATUS_FAILED;
	}
	if (!output_open(&output, strcmp(file, "-") ? file : NULL))
		return STATUS_FAILED;
	fputs(flame_page_head, output.file);
	flame_json(output.file, now, options);
	fputs(flame_page_tail, output.file);
	return output_finish(&output) ? STATUS_CLEAN : STATUS_FAILED;
}
