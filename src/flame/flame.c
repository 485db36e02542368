/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* flame.c - a store as one page for the browser, which needs nothing else. */
#include <string.h>

#include "base/complain.h"
#include "base/status.h"
#include "flame.h"
#include "json.h"
#include "page/page.h"
#include "text/output.h"

static bool flame_has_page(void)
{
	if (!flame_page_head[0])
		complain("the page was not built into this stackdepot: that takes npm, and meson's "
			 "-Dflame=enabled");
	return flame_page_head[0];
}

int flame_print(FILE *out, const struct profile *now, const struct flame_options *options)
{
	if (!flame_has_page())
		return STATUS_FAILED;
	fputs(flame_page_head, out);
	flame_json(out, now, options);
	fputs(flame_page_tail, out);
	return STATUS_CLEAN;
}

int flame_write(const char *file, const struct profile *now, const struct flame_options *options)
{
	struct output output;

	if (!flame_has_page() || !output_open(&output, strcmp(file, "-") ? file : NULL))
		return STATUS_FAILED;
	(void)flame_print(output.file, now, options);
	return output_finish(&output) ? STATUS_CLEAN : STATUS_FAILED;
}
