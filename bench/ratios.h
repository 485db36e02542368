/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The quotients the targets are stated in. */
#ifndef BENCH_RATIOS_H
#define BENCH_RATIOS_H

#include "measure.h"

struct ratio {
	const char *name;
	double (*of)(const struct corpus_result *result); /* NAN where a part is missing */
};

extern const struct ratio ratios[];
extern const unsigned int ratios_nr;

/* ratios_mean() - geometric mean over those of @nr corpora that have the ratio; else NAN. */
double ratios_mean(const struct ratio *ratio, const struct corpus_result *results, unsigned int nr);

#endif
