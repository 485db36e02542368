/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* fuzz.h - what a fuzzer calls: libFuzzer, or replay.c. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* Try one input. Returns 0; what is wrong aborts. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
