/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What others see on the same stack: libgcc's _Unwind_Backtrace(); and libunwind, asked where
 * libgcc does not come to the outermost frame, which it says by a return address of 0.
 *
 * Libunwind has functions of all the names that libgcc has, and takes their place if it is linked
 * first. So opinion_setup() looks where they are.
 */
#ifndef TESTS_OPINIONS_H
#define TESTS_OPINIONS_H

#include <stdbool.h>
#include <stdint.h>

#define OPINION_FRAMES 512

struct opinion {
	uint32_t nr;
	bool ended; /* with the outermost frame */
	uintptr_t frames[OPINION_FRAMES + 1];
};

/* What libunwind has to say of a trace that does not come to the outermost frame. */
enum second {
	SECOND_AGREES,
	SECOND_GUESSES, /* it goes on from code that has no table */
	SECOND_SHORTER, /* it gave up earlier */
	SECOND_DIFFERS,
	SECONDS,
	SECOND_ABSENT, /* built without libunwind */
};

extern const char *const second_names[SECONDS];

/* opinion_setup() - false if libgcc is not what is asked. Not in signal handlers. */
bool opinion_setup(void);

/*
 * opinion_libgcc(), opinion_libunwind() - frames from the first whose stack pointer is @sp, without
 * @skip of them; at most @size, and one more tells that there are more. With an @sp of 0 from the
 * innermost frame on.
 */
void opinion_libgcc(uintptr_t sp, unsigned int skip, unsigned int size,
		    struct opinion *ret_opinion);
void opinion_libunwind(uintptr_t sp, unsigned int skip, unsigned int size,
		       struct opinion *ret_opinion);

/* opinion_second() - compare @opinion with a trace. */
enum second opinion_second(const struct opinion *opinion, const uintptr_t *frames, uint32_t nr);

/* opinion_function() - where the function begins whose table covers @pc; NULL: there is none. */
const void *opinion_function(uintptr_t pc);

#endif
