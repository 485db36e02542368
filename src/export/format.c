/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* format.c - the list of formats. */
#include "format.h"
#include "suppress/suppress.h"

const struct export_format export_formats[EXPORT_FORMATS] = {
	{"folded", export_folded, .has_value = true, .kinds = SUPPRESS_LEAK},
	{"json", export_json, .kinds = SUPPRESS_ALL},
	{"pprof", export_pprof, .has_value = true, .is_binary = true, .kinds = SUPPRESS_LEAK},
	{"speedscope", export_speedscope, .has_value = true, .kinds = SUPPRESS_LEAK},
	{"lsan", export_lsan, .kinds = SUPPRESS_LEAK},
	{"sarif", export_sarif, .kinds = SUPPRESS_ALL},
};
