/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * handler.h - signals, between the kernel and the program.
 *
 *	disposition.c   what the program asks for, and is told
 *	handler.c       what the kernel enters; entry_*.S and frame_*.c are its processor's part
 *	altstack.c      the stacks
 *	crash.c         what is recorded
 */
#ifndef HANDLER_H
#define HANDLER_H

#include <signal.h>
#include <ucontext.h>

#include "recorder.h"

/* --- entry_*.S: for the kernel to call
 * ---------------------------------------------------------------------------- */

void handler_enter_direct(int number);
void handler_enter_moved(int number);
void handler_enter_default(int number);

#if defined(__x86_64__)
/* What a handler returns to. */
void handler_restore(void);
#endif

typedef bool (*handler_work)(int number, siginfo_t *info, void *context);

bool handler_call_on(uintptr_t top, handler_work work, int number, siginfo_t *info, void *context);

/* --- frame_*.c: `own_top` is the end of our stack that the frame is on -------------------------
 */

/* The stack pointer of what was interrupted; and where a frame on its stack would end. */
uintptr_t frame_sp(const ucontext_t *context);
uintptr_t frame_top(const ucontext_t *context);
/* What was interrupted goes on at an address where nothing is. */
void frame_jump_nowhere(ucontext_t *context);
/* The lowest address of the frame if it were moved to end at `top`. */
uintptr_t frame_low(const ucontext_t *context, uintptr_t own_top, uintptr_t top);
/* Copy it there. */
ucontext_t *frame_move(const ucontext_t *context, uintptr_t own_top, uintptr_t top);

/* --- disposition.c ---------------------------------------------------------------------------- */

/* The handler to be called now, SIG_DFL or SIG_IGN; one that was asked for once is taken. What it
 * is told is as it asked for it. */
__sighandler_t disposition_take(int number, siginfo_t *info);
/* Stand in where it is needed, from now on. */
void disposition_setup(void);
/* Our own ends of the program go from the kernel where a filter does not leave what they take; and
 * come back, as it was not put on. */
void disposition_withdraw(void);
void disposition_return(void);
/* sigaction() as if nobody had replaced it. */
int disposition_real(int number, const struct sigaction *action, struct sigaction *ret_old);

/* --- mask.c ----------------------------------------------------------------------------------- */

void mask_setup(void);
/* The calling thread ends; or has its first event. */
void mask_end(void);
void mask_begin(void);

/* --- altstack.c ------------------------------------------------------------------------------- */

/* Does this address lie on the calling thread's stack of ours? */
bool altstack_has(uintptr_t address);
/* The end of that stack; 0 if there is none. */
uintptr_t altstack_top(void);
/* Is it the one that the kernel uses? */
bool altstack_is_ours(const stack_t *stack);
/* Where the kernel would have begun a frame of a handler with SA_ONSTACK, had we left it alone, and
 * the lowest address that may be used; 0 if that is not known. */
uintptr_t altstack_native_top(const ucontext_t *context, uintptr_t *ret_bottom);
/* In a context for a handler of the program's: if it is ours, make it the program's. */
void altstack_show(stack_t *shown);

/* --- crash.c ---------------------------------------------------------------------------------- */

bool crash_is_guarded(int number, const siginfo_t *info);
/* Report the access to a guarded object, or by a wrong tag; true if the program can go on. */
bool crash_guarded(int number, siginfo_t *info, void *context);
/* Do the program's filters leave what an end by this signal takes, be it sent or a fault? */
bool crash_can_end(int number);
/* Record the end, and let it be the end once the handler returns. */
bool crash_fatal(int number, siginfo_t *info, void *context);

#endif
