/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* corpus.h - the traces of all events of a program, in order, for benchmarks. */
#ifndef EXPORT_CORPUS_H
#define EXPORT_CORPUS_H

struct output;

/* Of a store that was recorded with option corpus; the output is finished or abandoned. An exit
 * status.
 */
int corpus_save(const char *store_path, struct output *output);

#endif
