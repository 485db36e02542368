/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* format.h - the list of formats. */
#ifndef EXPORT_FORMAT_H
#define EXPORT_FORMAT_H

#include "export.h"

struct export_format {
	const char *name;
	void (*write)(const struct export *export);
	bool has_value; /* --value means something */
	bool is_binary;
	unsigned int kinds; /* of suppressions that concern it */
};

#define EXPORT_FORMATS 6
extern const struct export_format export_formats[EXPORT_FORMATS];

#endif
