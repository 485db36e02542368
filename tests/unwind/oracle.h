/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A check walks the stack of its caller three ways (with the thread's unwinder, without any, and
 * once more with it, to find everything unchanged) and compares each with what libgcc sees. Where
 * that does not come to the outermost frame, libunwind must not see other frames. Frames that are
 * a guess are not compared: check_frames has them, for tests that know better.
 */
#ifndef TESTS_ORACLE_H
#define TESTS_ORACLE_H

#include <stdbool.h>

#include "opinions.h"
#include "stackdepot/unwind.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#define ORACLE_FRAMES OPINION_FRAMES

/* oracle_unwinder() - the unwinder of the calling thread, made at its first call. */
struct stackdepot_unwinder *oracle_unwinder(void);

/* oracle_release() - forget the thread's unwinder; for threads that end. */
void oracle_release(void);

/*
 * check_here() - compare, starting at the caller. False and a report on disagreement. The frames
 * seen last, and what was said of them, are kept for further looks; and what the first walk said.
 */
bool check_here(unsigned int size);
bool check_context(const void *context);

extern __thread struct stackdepot_unwind_trace check_first, check_last;
extern __thread uintptr_t check_frames[ORACLE_FRAMES];

/* All checks so far, in all threads. */
extern unsigned int check_total, check_failed;

/*
 * The harness: a test is a function; EXPECT() counts and reports, RUN() announces.
 */
#define EXPECT(condition) expect(condition, #condition, __FILE__, __LINE__)
bool expect(bool condition, const char *text, const char *file, int line);

#define RUN(test) run(#test, test)
void run(const char *name, void (*test)(void));
int run_result(void);

#endif
