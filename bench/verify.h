/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include "peer.h"
#include "workload.h"

/*
 * verify_corpus() - replay a corpus and check that each unique trace has one handle of its own and
 * comes back as it was saved, in our depot and in the peers that are there.
 *
 * Return: 0, or -1 after a line on standard error.
 */
int verify_corpus(const struct workload *workload, struct peer *peers);

#endif
